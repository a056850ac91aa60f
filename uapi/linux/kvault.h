/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvault: keys that anything on the host can use and nobody can see.
 *
 * What applications see: /dev/kvault. The daemon's and the engines' side is in
 * kvault_control.h, the control channel in kvault_netlink.h.
 *
 * Structs. Each begins with its size as the caller knows it and a flags word.
 * They grow at the end only; what a caller does not know is zero, and what the
 * kernel does not know must be zero. A struct's size is therefore not part of
 * its ioctl number: all numbers are _IO(), on purpose.
 *
 * Errors, the same for every call:
 *   ENOTTY        no such ioctl
 *   EINVAL        a struct that is too small, a field that is wrong, a length
 *                 that does not fit the algorithm
 *   E2BIG         a struct with a non-zero tail that this kernel does not know,
 *                 or one larger than a page
 *   EOPNOTSUPP    a flag, an algorithm or a pairing of algorithm and key that
 *                 is understood and not supported
 *   EFAULT        a buffer that cannot be read or written
 *   ENOMEM        no memory; 64 KiB of payload in one piece may be hard to find
 *   EMSGSIZE      a buffer that is too small (the length needed is written
 *                 back) or a payload over KVAULT_PAYLOAD_MAX
 *   ENOKEY        no such key or handle; whatever belongs to another tenant;
 *                 a user namespace without a uid map
 *   EACCES        the grant does not cover this operation or this caller; the
 *                 file was opened in another tenant
 *   EKEYREVOKED   the key is disabled, deleted or purged
 *   EKEYEXPIRED   outside nbf..exp, or a use limit is reached
 *   EKEYREJECTED  a signature that does not verify
 *   EBADMSG       a ciphertext, tag or wrapped key that does not check
 *   EDQUOT        the tenant's quota; EAGAIN the tenant's rate
 *   EHOSTDOWN     nobody serves: no daemon, no engine, no root key
 *   ETIMEDOUT     no answer within timeout_ms
 *   ESTALE        the answer was older than what the kernel knows: ask again
 *   EIO           the daemon or an engine answered nonsense, or died twice
 *   EINTR         a fatal signal ended the wait; KVAULT_RANDOM and open() before
 *                 the first entropy: any signal
 * On the nodes of the daemon and the engines only:
 *   EPERM         the file is not open in the initial user namespace, or is not
 *                 what claimed or attached; it was passed to another process;
 *                 before HELLO
 *   EBUSY         the file has claimed or attached, or another daemon has claimed
 *   EEXIST        another root key is loaded
 *   ENOENT        an answer to what nobody waits for any more
 *   ESHUTDOWN     an engine that was told to end
 */
#ifndef _LINUX_KVAULT_H
#define _LINUX_KVAULT_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define KVAULT_ABI		1	/* the ABI that this header describes */
#define KVAULT_ABI_MIN		1	/* the oldest one that is still served */

#define KVAULT_PAYLOAD_MAX	65536	/* bytes of one operation, either way */
#define KVAULT_PATH_MAX		512	/* bytes of a path, without a NUL */
#define KVAULT_BODY_MAX		65536	/* bytes of a JSON body, either way */
#define KVAULT_SECRET_MAX	25600	/* bytes of a secret's value */
#define KVAULT_AUX_MAX		4096	/* bytes of AAD or of a signature */
#define KVAULT_ID_SIZE		16	/* bytes of every id */
#define KVAULT_TIMEOUT_MS	10000	/* what timeout_ms 0 means */
#define KVAULT_TIMEOUT_MS_MAX	600000

#define KVAULT_IOC_TYPE		0xE9

/* Key types; KVAULT_KEY_HSM says where the material lives. */
#define KVAULT_KTY_OCT		1
#define KVAULT_KTY_RSA		2
#define KVAULT_KTY_EC		3

#define KVAULT_CURVE_P256	1
#define KVAULT_CURVE_P384	2
#define KVAULT_CURVE_P521	3
#define KVAULT_CURVE_P256K	4	/* secp256k1 */

/* Operations: a key's key_ops, and the ops of a grant. */
#define KVAULT_OP_ENCRYPT	(1u << 0)
#define KVAULT_OP_DECRYPT	(1u << 1)
#define KVAULT_OP_SIGN		(1u << 2)
#define KVAULT_OP_VERIFY	(1u << 3)
#define KVAULT_OP_WRAP		(1u << 4)
#define KVAULT_OP_UNWRAP	(1u << 5)
#define KVAULT_OP_IMPORT	(1u << 6)	/* a KEK for BYOK, nothing else */
#define KVAULT_OP_EXPORT	(1u << 7)
#define KVAULT_OP_VOLUME	(1u << 8)	/* storage keys, nothing else */
#define KVAULT_OP_ALL		0x1ffu

/* Algorithms, by their JOSE names (RFC 7518; spec.md 2.3). */
enum kvault_alg {
	KVAULT_ALG_UNSPEC = 0,
	/* oct, encrypt and decrypt: in the kernel */
	KVAULT_ALG_A128GCM = 1,		/* SP 800-38D: iv made by the kernel */
	KVAULT_ALG_A192GCM = 2,
	KVAULT_ALG_A256GCM = 3,
	/* encryption by CBC takes KVAULT_OP_DECRYPT too: it is the bare block cipher */
	KVAULT_ALG_A128CBC = 4,		/* SP 800-38A: whole blocks, iv given */
	KVAULT_ALG_A192CBC = 5,
	KVAULT_ALG_A256CBC = 6,
	KVAULT_ALG_A128CBCPAD = 7,	/* PKCS#7 padding */
	KVAULT_ALG_A192CBCPAD = 8,
	KVAULT_ALG_A256CBCPAD = 9,
	/* oct, wrap and unwrap */
	KVAULT_ALG_A128KW = 16,		/* RFC 3394 */
	KVAULT_ALG_A192KW = 17,
	KVAULT_ALG_A256KW = 18,
	KVAULT_ALG_KW = 19,		/* CKM_AES_KEY_WRAP: by the key's size */
	KVAULT_ALG_KWP = 20,		/* CKM_AES_KEY_WRAP_PAD: RFC 5649 */
	/* oct, sign and verify: over the bytes given, not over a digest */
	KVAULT_ALG_HS256 = 32,		/* RFC 4231 */
	KVAULT_ALG_HS384 = 33,
	KVAULT_ALG_HS512 = 34,
	/* RSA, sign and verify: over a digest; in an engine */
	KVAULT_ALG_RS256 = 48,		/* RFC 8017 PKCS#1 v1.5 */
	KVAULT_ALG_RS384 = 49,
	KVAULT_ALG_RS512 = 50,
	KVAULT_ALG_PS256 = 51,		/* PSS, MGF1 same hash, salt = hash length */
	KVAULT_ALG_PS384 = 52,
	KVAULT_ALG_PS512 = 53,
	KVAULT_ALG_RSNULL = 54,		/* PKCS#1 v1.5 over the raw bytes */
	/* EC, sign and verify: over a digest; signature is r||s, as in RFC 7518 */
	KVAULT_ALG_ES256 = 64,
	KVAULT_ALG_ES384 = 65,
	KVAULT_ALG_ES512 = 66,
	KVAULT_ALG_ES256K = 67,
	/* RSA, encrypt, decrypt, wrap and unwrap */
	KVAULT_ALG_RSA1_5 = 80,
	KVAULT_ALG_RSA_OAEP = 81,	/* SHA-1, MGF1-SHA-1, no label */
	KVAULT_ALG_RSA_OAEP_256 = 82,
};

enum kvault_tenant_kind {
	KVAULT_TENANT_UNSPEC = 0,
	KVAULT_TENANT_HOST = 1,
	KVAULT_TENANT_EPHEMERAL = 2,
	KVAULT_TENANT_PERSISTENT = 3,
};

enum kvault_daemon_state {
	KVAULT_DAEMON_ABSENT = 0,	/* never claimed, or left in order */
	KVAULT_DAEMON_PRESENT = 1,
	KVAULT_DAEMON_LOST = 2,		/* its file was closed without a BYE */
};

/* Feature bits of kvault_info.features. */
#define KVAULT_FEATURE_PAES	(1ull << 0)	/* xts(paes) is registered */
#define KVAULT_FEATURE_AESNI	(1ull << 1)	/* AES does not use tables */
#define KVAULT_FEATURE_FSCRYPT	(1ull << 2)	/* KVAULT_PROJECT_FSCRYPT */

/**
 * struct kvault_info - what serves here, and who the kernel says I am
 * @size: sizeof(struct kvault_info)
 * @flags: must be 0
 * @abi: out: newest ABI that is served
 * @abi_min: out: oldest ABI that is served
 * @features: out: KVAULT_FEATURE_*
 * @tenant: out: id of the caller's tenant; all 0 for a host that no daemon ever served
 * @tenant_kind: out: enum kvault_tenant_kind
 * @daemon: out: enum kvault_daemon_state
 * @has_root: out: 1 when a root key is loaded
 * @uid: out: the caller's uid in the initial user namespace
 * @objects: out: key versions of this tenant that the kernel holds
 * @objects_max: out: the tenant's quota of them
 * @handles: out: handles of this tenant
 * @handles_max: out: the tenant's quota of them
 * @openssl_engines: out: engine processes that serve software keys
 * @pkcs11_engines: out: engine processes that serve HSM keys
 */
struct kvault_info {
	__u32 size;
	__u32 flags;
	__u32 abi;
	__u32 abi_min;
	__aligned_u64 features;
	__u8 tenant[KVAULT_ID_SIZE];
	__u32 tenant_kind;
	__u32 daemon;
	__u32 has_root;
	__u32 uid;
	__u32 objects;
	__u32 objects_max;
	__u32 handles;
	__u32 handles_max;
	__u32 openssl_engines;
	__u32 pkcs11_engines;
};

enum kvault_method {
	KVAULT_METHOD_UNSPEC = 0,
	KVAULT_METHOD_GET = 1,
	KVAULT_METHOD_PUT = 2,
	KVAULT_METHOD_POST = 3,
	KVAULT_METHOD_PATCH = 4,
	KVAULT_METHOD_DELETE = 5,
};

/*
 * Flags of kvault_control, one at most: what the secret buffers are for. Without
 * one secret_in is the material of a key. What was given for one purpose cannot
 * be used for another one, whatever the daemon does with it.
 */
#define KVAULT_CONTROL_ROOT_SLOT	(1u << 0) /* secret_in is for a root key slot */
#define KVAULT_CONTROL_SECRET_SET	(1u << 1) /* secret_in is a secret's value, may be empty */
#define KVAULT_CONTROL_SECRET_GET	(1u << 2) /* secret_out takes a secret's value */
#define KVAULT_CONTROL_FLAGS_ALL	0x7u

/**
 * struct kvault_control - one control operation: method, path, JSON in; status, JSON out
 * @size: sizeof(struct kvault_control)
 * @flags: KVAULT_CONTROL_*
 * @method: enum kvault_method
 * @timeout_ms: how long to wait; 0 means KVAULT_TIMEOUT_MS
 * @path: pointer to the path, e.g. /vaults/payroll/keys/signing/create
 * @path_len: its length, 1..KVAULT_PATH_MAX, without a NUL
 * @status: out: HTTP status of the answer; an answer that refuses is not an errno
 * @body: pointer to the JSON body, UTF-8; may be 0
 * @reply: pointer to the buffer for the answer's JSON
 * @body_len: length of the body, 0..KVAULT_BODY_MAX
 * @reply_len: in: size of the buffer; out: length of the answer, also with EMSGSIZE
 * @secret_in: pointer to key material or a secret's value; the kernel seals it
 *	before anyone sees the request, bound to it and to what @flags says
 * @secret_out: SECRET_GET: pointer to the buffer for the value that the answer
 *	releases; without that flag none is released
 * @secret_in_len: its length, 0..KVAULT_PAYLOAD_MAX / 2
 * @secret_out_len: in: size of the buffer, KVAULT_PAYLOAD_MAX / 2 suffices always;
 *	out: length of the value, also with EMSGSIZE
 * @request_id: out: names this request in errors and in the audit log
 *
 * A wait ends with an answer, the time-out or a signal that kills (EINTR); the
 * operation may have been carried out then.
 */
struct kvault_control {
	__u32 size;
	__u32 flags;
	__u32 method;
	__u32 timeout_ms;
	__aligned_u64 path;
	__u32 path_len;
	__u32 status;
	__aligned_u64 body;
	__aligned_u64 reply;
	__u32 body_len;
	__u32 reply_len;
	__aligned_u64 secret_in;
	__aligned_u64 secret_out;
	__u32 secret_in_len;
	__u32 secret_out_len;
	__u8 request_id[KVAULT_ID_SIZE];
};

/* Flags of kvault_open.key_flags. */
#define KVAULT_KEY_ENABLED	(1u << 0)
#define KVAULT_KEY_EXPORTABLE	(1u << 1)
#define KVAULT_KEY_HSM		(1u << 2)
#define KVAULT_KEY_STOP_ON_EXPIRY (1u << 3)	/* exp also stops mapped volumes */
#define KVAULT_KEY_AUDIT_EACH	(1u << 4)	/* one audit record per operation */
#define KVAULT_KEY_FLAGS_ALL	0x1fu

/**
 * struct kvault_open - get a handle on one version of a key
 * @size: sizeof(struct kvault_open)
 * @flags: must be 0
 * @path: pointer to VAULT/keys/NAME[/VERSION]
 * @path_len: its length, 1..KVAULT_PATH_MAX, without a NUL
 * @timeout_ms: how long to wait; 0 means KVAULT_TIMEOUT_MS
 * @ops: in: KVAULT_OP_* wanted, 0 for all that can be had; out: what the handle can do
 * @handle: out: a small number, valid on this open file description only
 * @kty: out: KVAULT_KTY_*
 * @bits: out: size of an oct or RSA key
 * @curve: out: KVAULT_CURVE_* of an EC key
 * @key_flags: out: KVAULT_KEY_*
 * @version: out: id of the version that was opened
 * @request_id: out: names this request in errors and in the audit log
 */
struct kvault_open {
	__u32 size;
	__u32 flags;
	__aligned_u64 path;
	__u32 path_len;
	__u32 timeout_ms;
	__u32 ops;
	__u32 handle;
	__u32 kty;
	__u32 bits;
	__u32 curve;
	__u32 key_flags;
	__u8 version[KVAULT_ID_SIZE];
	__u8 request_id[KVAULT_ID_SIZE];
};

/**
 * struct kvault_close - give a handle back
 * @size: sizeof(struct kvault_close)
 * @flags: must be 0
 * @handle: from KVAULT_OPEN
 * @reserved: must be 0
 */
struct kvault_close {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 reserved;
};

#define KVAULT_IV_GCM_SIZE	12
#define KVAULT_IV_CBC_SIZE	16
#define KVAULT_TAG_SIZE		16	/* of GCM; always all of it */

/**
 * struct kvault_crypt - one operation with one key
 * @size: sizeof(struct kvault_crypt)
 * @flags: must be 0
 * @handle: from KVAULT_OPEN
 * @alg: enum kvault_alg
 * @timeout_ms: how long to wait, should this need anyone; 0 means KVAULT_TIMEOUT_MS
 * @in_len: bytes at @in, up to KVAULT_PAYLOAD_MAX
 * @in: plaintext, ciphertext, wrapped or unwrapped key; for RSA and EC
 *	signatures the digest; for HS* the bytes to sign
 * @out: buffer for the result; not used by KVAULT_VERIFY and KVAULT_NOOP
 * @out_len: in: size of the buffer; out: length of the result, also with EMSGSIZE
 * @aux_len: bytes at @aux, up to KVAULT_AUX_MAX
 * @aux: additional data of GCM; for KVAULT_VERIFY the signature
 * @iv: GCM: 12 bytes, written by KVAULT_ENCRYPT, read by KVAULT_DECRYPT;
 *	CBC: 16 bytes, read by both; zero in what is not used
 * @tag: GCM: written by KVAULT_ENCRYPT, checked by KVAULT_DECRYPT
 * @request_id: out: names an operation that left the kernel; else 0
 *
 * Nothing is written to @out unless all of the result is valid.
 */
struct kvault_crypt {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 alg;
	__u32 timeout_ms;
	__u32 in_len;
	__aligned_u64 in;
	__aligned_u64 out;
	__u32 out_len;
	__u32 aux_len;
	__aligned_u64 aux;
	__u8 iv[16];
	__u8 tag[KVAULT_TAG_SIZE];
	__u8 request_id[KVAULT_ID_SIZE];
};

#define KVAULT_RANDOM_MAX	4096

/**
 * struct kvault_random - random bytes from the kernel's generator
 * @size: sizeof(struct kvault_random)
 * @flags: must be 0
 * @out: where they go
 * @out_len: how many, 1..KVAULT_RANDOM_MAX
 * @reserved: must be 0
 */
struct kvault_random {
	__u32 size;
	__u32 flags;
	__aligned_u64 out;
	__u32 out_len;
	__u32 reserved;
};

#define KVAULT_PROJECT_FSCRYPT	1	/* a key of type fscrypt-provisioning, 64 bytes */

/**
 * struct kvault_project - put a key where another part of the kernel finds it
 * @size: sizeof(struct kvault_project)
 * @flags: must be 0
 * @handle: a handle with KVAULT_OP_VOLUME
 * @kind: KVAULT_PROJECT_*
 * @keyring: serial of a keyring that the caller may write; special ids are
 *	looked up, none is created
 * @serial: out: serial of the key that was made
 * @desc: pointer to the description of the key to make
 * @desc_len: its length, 1..KVAULT_PATH_MAX, without a NUL
 * @reserved: must be 0
 *
 * What is handed over is derived from the key (SP 800-108, one label per kind)
 * and cannot be taken back once a file system has it.
 */
struct kvault_project {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 kind;
	__s32 keyring;
	__s32 serial;
	__aligned_u64 desc;
	__u32 desc_len;
	__u32 reserved;
};

/*
 * The token of a volume key, which is what cryptsetup takes for the key of
 * xts(paes). It names a key and authorises nothing.
 */
#define KVAULT_TOKEN_MAGIC	"KVT1"
#define KVAULT_TOKEN_SIZE	128

/**
 * struct kvault_token - 128 bytes, the same for the life of a LUKS header
 * @magic: KVAULT_TOKEN_MAGIC
 * @format: 1, little-endian
 * @reserved: 0
 * @tenant: id of the tenant that owns the key
 * @key: id of the key
 * @version: id of the version
 * @grant: id of the grant for which the token was made
 * @nonce: random; kvaultd keeps its SHA-256 with the grant
 * @pad: 0
 */
struct kvault_token {
	__u8 magic[4];
	__u8 format[2];
	__u8 reserved[2];
	__u8 tenant[KVAULT_ID_SIZE];
	__u8 key[KVAULT_ID_SIZE];
	__u8 version[KVAULT_ID_SIZE];
	__u8 grant[KVAULT_ID_SIZE];
	__u8 nonce[32];
	__u8 pad[24];
};

#define KVAULT_INFO	_IO(KVAULT_IOC_TYPE, 0x00)	/* struct kvault_info */
#define KVAULT_CONTROL	_IO(KVAULT_IOC_TYPE, 0x01)	/* struct kvault_control */
#define KVAULT_OPEN	_IO(KVAULT_IOC_TYPE, 0x02)	/* struct kvault_open */
#define KVAULT_CLOSE	_IO(KVAULT_IOC_TYPE, 0x03)	/* struct kvault_close */
#define KVAULT_ENCRYPT	_IO(KVAULT_IOC_TYPE, 0x04)	/* struct kvault_crypt */
#define KVAULT_DECRYPT	_IO(KVAULT_IOC_TYPE, 0x05)	/* struct kvault_crypt */
#define KVAULT_SIGN	_IO(KVAULT_IOC_TYPE, 0x06)	/* struct kvault_crypt */
#define KVAULT_VERIFY	_IO(KVAULT_IOC_TYPE, 0x07)	/* struct kvault_crypt */
#define KVAULT_WRAP	_IO(KVAULT_IOC_TYPE, 0x08)	/* struct kvault_crypt */
#define KVAULT_UNWRAP	_IO(KVAULT_IOC_TYPE, 0x09)	/* struct kvault_crypt */
#define KVAULT_NOOP	_IO(KVAULT_IOC_TYPE, 0x0a)	/* struct kvault_crypt */
#define KVAULT_RANDOM	_IO(KVAULT_IOC_TYPE, 0x0b)	/* struct kvault_random */
#define KVAULT_PROJECT	_IO(KVAULT_IOC_TYPE, 0x0c)	/* struct kvault_project */

#endif /* _LINUX_KVAULT_H */
