/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvault: the side of kvaultd (/dev/kvault-control) and of the engines
 * (/dev/kvault-engine, and /dev/kvault-engine-pkcs11 for those of a token).
 *
 * Authority is an open file. The nodes can be opened only in the initial user
 * namespace, by whom their mode lets in. Payload crosses here, in messages of
 * one fixed header and four segments; control goes over generic netlink
 * (kvault_netlink.h). The rules for structs and the errors are those of
 * kvault.h.
 *
 * A message is struct kvault_msg followed by its four segments, without
 * padding between them. Lengths count bytes. An answer repeats generation,
 * cookie and request_id of what it answers; an answer to something that is no
 * longer waited for is ENOENT, one of an older claim is ESTALE, and neither
 * keeps the next message from being returned with a further call.
 */
#ifndef _LINUX_KVAULT_CONTROL_H
#define _LINUX_KVAULT_CONTROL_H

#include <linux/kvault.h>

#define KVAULT_MSG_SEGMENTS	4
#define KVAULT_MSG_MAX		(4 * 65536)	/* bytes of a message, all of it */
#define KVAULT_NAME_MAX		127		/* bytes of an object's name */
#define KVAULT_PUBLIC_MAX	4096		/* bytes of a public JWK */
#define KVAULT_MATERIAL_MAX	8192		/* bytes of key material, PKCS#8 or raw */

/*
 * A sealed blob: what the daemon stores. The layout is fixed:
 *
 *   off len
 *     0   4  magic "KVB1"
 *     4   2  format, little-endian: 1
 *     6   2  algorithm, little-endian: 1 = AES-256-GCM
 *     8  16  id of the key-encryption key
 *    24  16  id of the blob; its key is derived from KEK and this id
 *    40  12  iv
 *    52   4  length of the ciphertext, little-endian
 *    56   n  ciphertext
 *  56+n  16  tag
 *
 * Associated data: those 56 bytes, then the fields of struct kvault_binding in
 * their order, each with its length before it as two bytes, little-endian;
 * numbers as 4 or 8 bytes, little-endian; the name without padding.
 */
#define KVAULT_BLOB_MAGIC	"KVB1"
#define KVAULT_BLOB_HEADER	56
#define KVAULT_BLOB_OVERHEAD	(KVAULT_BLOB_HEADER + 16)
#define KVAULT_BLOB_MAX		(KVAULT_PAYLOAD_MAX / 2 + KVAULT_BLOB_OVERHEAD)

enum kvault_object_type {
	KVAULT_TYPE_UNSPEC = 0,
	KVAULT_TYPE_KEY = 1,
	KVAULT_TYPE_SECRET = 2,
	KVAULT_TYPE_CERT = 3,
	KVAULT_TYPE_TRANSIT = 4,	/* secret_in of one request, see below */
};

/**
 * struct kvault_binding - what a sealed blob is bound to
 * @store: id of the store
 * @tenant: id of the tenant
 * @container: id of the vault or pool
 * @object: id of the key, secret or certificate
 * @version: id of the version; with KVAULT_TYPE_TRANSIT the request's id, and
 *	all but @tenant is 0 then, and @flags, which is the request's
 * @type: enum kvault_object_type
 * @kty: KVAULT_KTY_*
 * @bits: size of an oct or RSA key
 * @curve: KVAULT_CURVE_*
 * @ops: KVAULT_OP_*: key_ops
 * @flags: KVAULT_KEY_*
 * @nbf: not before, Unix seconds, 0 none
 * @exp: expires, Unix seconds, 0 none
 * @name_len: bytes of @name that count
 * @name: name of the object, not of the vault
 * @pad: must be 0
 *
 * Every attribute that gates use is here, so a row that was edited in the
 * database does not open; to change one is to seal anew (KVAULT_CTL_SEAL).
 * A secret has neither @kty, @bits, @curve nor @ops, and no flag but
 * KVAULT_KEY_ENABLED.
 */
struct kvault_binding {
	__u8 store[KVAULT_ID_SIZE];
	__u8 tenant[KVAULT_ID_SIZE];
	__u8 container[KVAULT_ID_SIZE];
	__u8 object[KVAULT_ID_SIZE];
	__u8 version[KVAULT_ID_SIZE];
	__u32 type;
	__u32 kty;
	__u32 bits;
	__u32 curve;
	__u32 ops;
	__u32 flags;
	__aligned_u64 nbf;
	__aligned_u64 exp;
	__u32 name_len;
	__u8 name[KVAULT_NAME_MAX + 1];
	__u32 pad;
};

#define KVAULT_PRINCIPAL_ADMIN		(1u << 0) /* CAP_SYS_ADMIN in the tenant's namespace */
#define KVAULT_PRINCIPAL_INIT_PIDNS	(1u << 1) /* in the initial pid namespace */
#define KVAULT_PRINCIPAL_CGROUP_CUT	(1u << 2) /* cgroup did not fit: must not grant */
#define KVAULT_PRINCIPAL_EXE_CUT	(1u << 3) /* exe did not fit: must not grant */
#define KVAULT_PRINCIPAL_KERNEL		(1u << 4) /* a kernel thread: no exe */

/**
 * struct kvault_principal - who asks, as the kernel saw it
 * @uid: effective uid, in the initial user namespace
 * @gid: effective gid, likewise
 * @ns_uid: the same uid as its own tenant sees it; 65534 when not mapped
 * @ns_gid: the same gid, likewise
 * @login_uid: audit login uid; 0xffffffff when not set
 * @session: audit session id
 * @tgid: process id in the initial pid namespace; for the log, never for a decision
 * @flags: KVAULT_PRINCIPAL_*
 * @start: start of the process, CLOCK_BOOTTIME nanoseconds
 * @cgroup_id: id of the cgroup in the default hierarchy
 * @exe_ino: inode of the executable
 * @exe_dev: its device, as new_encode_dev() has it
 * @reserved: 0
 * @comm: name of the thread, as it likes to be called; for the log only
 * @cgroup: path of the cgroup, NUL-terminated
 * @exe: path of the executable, NUL-terminated, as the kernel sees it
 */
struct kvault_principal {
	__u32 uid;
	__u32 gid;
	__u32 ns_uid;
	__u32 ns_gid;
	__u32 login_uid;
	__u32 session;
	__u32 tgid;
	__u32 flags;
	__aligned_u64 start;
	__aligned_u64 cgroup_id;
	__aligned_u64 exe_ino;
	__u32 exe_dev;
	__u32 reserved;
	__u8 comm[16];
	__u8 cgroup[256];
	__u8 exe[256];
};

enum kvault_msg_type {
	KVAULT_MSG_UNSPEC = 0,
	/* kernel to daemon, answered */
	KVAULT_MSG_CONTROL = 1,		/* a KVAULT_CONTROL */
	KVAULT_MSG_ACCESS = 2,		/* may this principal use this key? */
	/* kernel to daemon, not answered */
	KVAULT_MSG_ENGINE_DONE = 3,	/* what KVAULT_CTL_SUBMIT asked for */
	KVAULT_MSG_TENANT_GONE = 4,	/* an ephemeral tenant ended: forget it */
	/* kernel to engine, answered */
	KVAULT_MSG_ENGINE = 5,
};

/**
 * struct kvault_msg - header of every message
 * @size: sizeof(struct kvault_msg)
 * @type: enum kvault_msg_type
 * @generation: of the claim (daemon) or of the attachment (engine)
 * @cookie: names the message until it is answered
 * @request_id: names the request for ever; the idempotency key
 * @tenant: whose request it is
 * @revision: request: highest policy revision of the tenant that the kernel
 *	knows; answer: the one under which it was decided, at least that
 * @deadline: when nobody waits any more, CLOCK_BOOTTIME nanoseconds
 * @tenant_kind: enum kvault_tenant_kind
 * @attempts: how often it was delivered, this time included
 * @op: CONTROL: enum kvault_method; ACCESS: enum kvault_purpose; ENGINE and
 *	ENGINE_DONE: enum kvault_engine_op
 * @status: answer: CONTROL: HTTP status, or negative errno; others: 0 or
 *	negative errno. ENGINE_DONE: the engine's
 * @len: lengths of the four segments
 *
 * Segments, request -> answer; what is not named must be empty:
 *
 * CONTROL	0: two struct kvault_principal, caller then opener of the file
 *		1: path  2: JSON  3: secret_in as a blob of KVAULT_TYPE_TRANSIT
 *	->	2: JSON; with status 200, to a request with
 *		KVAULT_CONTROL_SECRET_GET and to no other, 0: struct
 *		kvault_binding of an enabled secret of @tenant, 3: its blob. The
 *		kernel opens it for the caller; anything else there is EIO for him
 * ACCESS	0: two struct kvault_principal, 1: path (may be empty),
 *		2: struct kvault_access
 *	->	0: struct kvault_grant, 2: public JWK, 3: blob
 * ENGINE_DONE	2: what the engine says, JSON, 3: blob; @cookie is that of the
 *		submission
 * TENANT_GONE	none
 * ENGINE	0: struct kvault_engine_req, 2: input, 3: material in the clear
 *	->	2: output (with an error: one line that says why), 3: material
 *		in the clear
 */
struct kvault_msg {
	__u32 size;
	__u32 type;
	__aligned_u64 generation;
	__aligned_u64 cookie;
	__u8 request_id[KVAULT_ID_SIZE];
	__u8 tenant[KVAULT_ID_SIZE];
	__aligned_u64 revision;
	__aligned_u64 deadline;
	__u32 tenant_kind;
	__u32 attempts;
	__u32 op;
	__s32 status;
	__u32 len[KVAULT_MSG_SEGMENTS];
};

enum kvault_purpose {
	KVAULT_PURPOSE_UNSPEC = 0,
	KVAULT_PURPOSE_HANDLE = 1,	/* KVAULT_OPEN */
	KVAULT_PURPOSE_KEYRING = 2,	/* request_key() */
	KVAULT_PURPOSE_VOLUME = 3,	/* setkey() of xts(paes): a standing grant */
	KVAULT_PURPOSE_RENEW = 4,	/* of a grant that exists: policy changed,
					 * another principal, or the lease is used up
					 */
};

/**
 * struct kvault_access - what is asked for
 * @size: sizeof(struct kvault_access)
 * @ops: VOLUME: KVAULT_OP_VOLUME; else 0: all that can be had, for one grant
 *	serves every handle of a principal, whatever that was opened for
 * @key: id of the key; 0 when the path names it
 * @version: id of the version; 0 when the path names it
 * @grant: VOLUME: id of the grant in the token
 * @purpose: RENEW: enum kvault_purpose of what is renewed
 * @reserved: 0
 */
struct kvault_access {
	__u32 size;
	__u32 ops;
	__u8 key[KVAULT_ID_SIZE];
	__u8 version[KVAULT_ID_SIZE];
	__u8 grant[KVAULT_ID_SIZE];
	__u32 purpose;
	__u32 reserved;
};

/**
 * struct kvault_grant - what may be done, and with what
 * @size: sizeof(struct kvault_grant)
 * @ops: KVAULT_OP_* granted; a part of the key's
 * @revision: revision of the object
 * @not_after: end of the grant, Unix seconds, 0 none
 * @uses: operations that it covers in all, 0 for no limit
 * @lease: id of the audit lease; its record is durable already
 * @lease_ops: operations under the lease
 * @lease_ms: how long the lease lasts
 * @token_hash: VOLUME: SHA-256 of the token's nonce
 * @binding: what the blob is bound to
 */
struct kvault_grant {
	__u32 size;
	__u32 ops;
	__aligned_u64 revision;
	__aligned_u64 not_after;
	__aligned_u64 uses;
	__u8 lease[KVAULT_ID_SIZE];
	__u32 lease_ops;
	__u32 lease_ms;
	__u8 token_hash[32];
	struct kvault_binding binding;
};

/* Engines. */
enum kvault_engine_kind {
	KVAULT_ENGINE_UNSPEC = 0,
	KVAULT_ENGINE_OPENSSL = 1,	/* software keys */
	KVAULT_ENGINE_PKCS11 = 2,	/* keys in an HSM */
};

enum kvault_engine_op {
	KVAULT_ENGINE_OP_UNSPEC = 0,
	KVAULT_ENGINE_OP_GENERATE = 1,	/* -> public JWK, material */
	KVAULT_ENGINE_OP_IMPORT = 2,	/* PKCS#8 -> public JWK, material */
	KVAULT_ENGINE_OP_LOAD = 3,	/* material -> held under slot */
	KVAULT_ENGINE_OP_CRYPT = 4,	/* one operation with a slot: input -> output */
	KVAULT_ENGINE_OP_FORGET = 5,	/* slot -> gone */
	KVAULT_ENGINE_OP_DESTROY = 6,	/* material -> gone from the HSM */
};

/**
 * struct kvault_engine_req - what an engine shall do
 * @size: sizeof(struct kvault_engine_req)
 * @slot: LOAD, CRYPT, FORGET: number of the key within this attachment
 * @kty: KVAULT_KTY_*
 * @bits: size of an RSA key
 * @curve: KVAULT_CURVE_*
 * @operation: CRYPT: one of KVAULT_OP_*
 * @alg: CRYPT: enum kvault_alg
 * @aux_len: CRYPT with VERIFY: that many bytes at the end of the input are the signature
 * @version: id of the key's version, e.g. for CKA_ID
 *
 * Material of an RSA or EC key is PKCS#8 DER (RFC 5958). Material of an HSM
 * key is whatever the engine needs to find it again, without anything secret.
 */
struct kvault_engine_req {
	__u32 size;
	__u32 slot;
	__u32 kty;
	__u32 bits;
	__u32 curve;
	__u32 operation;
	__u32 alg;
	__u32 aux_len;
	__u8 version[KVAULT_ID_SIZE];
};

/**
 * struct kvault_claim - become the daemon
 * @size: sizeof(struct kvault_claim)
 * @flags: must be 0
 * @nonce: out: to be shown in the netlink HELLO
 * @generation: out: number of this claim
 *
 * EBUSY while another file holds the claim.
 */
struct kvault_claim {
	__u32 size;
	__u32 flags;
	__u8 nonce[KVAULT_ID_SIZE];
	__aligned_u64 generation;
};

/**
 * struct kvault_exchange - give an answer, or none, and take the next message
 * @size: sizeof(struct kvault_exchange)
 * @flags: KVAULT_EXCHANGE_*
 * @reply: pointer to an answer; 0 for none
 * @next: pointer to a buffer for the next message
 * @reply_len: length of the answer
 * @next_len: in: size of the buffer, KVAULT_MSG_MAX suffices always, 0 to take
 *	none; out: length of the message, 0 when there is none
 *
 * Without KVAULT_EXCHANGE_WAIT an empty queue is no error: next_len is 0.
 * EINTR says that the answer was taken and a signal ended the wait: call again
 * without it.
 * poll() says POLLIN when there is a message to take.
 */
struct kvault_exchange {
	__u32 size;
	__u32 flags;
	__aligned_u64 reply;
	__aligned_u64 next;
	__u32 reply_len;
	__u32 next_len;
};

#define KVAULT_EXCHANGE_WAIT	(1u << 0)	/* until a message is there, or a signal */

enum kvault_seal_source {
	KVAULT_SEAL_UNSPEC = 0,
	KVAULT_SEAL_GENERATE = 1,	/* a new symmetric key of binding.bits */
	KVAULT_SEAL_TRANSIT = 2,	/* the secret_in of a request */
	KVAULT_SEAL_RESEAL = 3,		/* a blob, under other attributes */
};

/**
 * struct kvault_seal - make a blob
 * @size: sizeof(struct kvault_seal)
 * @flags: must be 0
 * @source: enum kvault_seal_source
 * @in_len: length of the blob at @in
 * @in: TRANSIT, RESEAL: the blob to open
 * @old_binding: RESEAL: pointer to what it is bound to now; store, tenant,
 *	container, object, version, type, kty, bits and curve may not differ
 * @binding: pointer to what the new blob shall be bound to: KVAULT_TYPE_KEY, or
 *	KVAULT_TYPE_SECRET of TRANSIT and RESEAL; EOPNOTSUPP for others. The
 *	request of a TRANSIT has KVAULT_CONTROL_SECRET_SET for a secret, and no
 *	flag for a key: EBADMSG
 * @out: buffer for the new blob
 * @out_len: in: its size; out: the blob's length
 * @reserved: must be 0
 * @request_id: TRANSIT: the request whose secret it is
 */
struct kvault_seal {
	__u32 size;
	__u32 flags;
	__u32 source;
	__u32 in_len;
	__aligned_u64 in;
	__aligned_u64 old_binding;
	__aligned_u64 binding;
	__aligned_u64 out;
	__u32 out_len;
	__u32 reserved;
	__u8 request_id[KVAULT_ID_SIZE];
};

/**
 * struct kvault_submit - give an engine something to do
 * @size: sizeof(struct kvault_submit)
 * @flags: must be 0
 * @cookie: comes back in KVAULT_MSG_ENGINE_DONE
 * @request_id: of the caller's request that this belongs to; a TRANSIT blob is
 *	bound to it
 * @engine: enum kvault_engine_kind
 * @op: enum kvault_engine_op: GENERATE, IMPORT, CRYPT with SIGN, or DESTROY
 * @alg: CRYPT: enum kvault_alg
 * @timeout_ms: after this ENGINE_DONE says ETIMEDOUT
 * @binding: pointer to what the key is, or shall be, bound to
 * @blob: IMPORT: blob of KVAULT_TYPE_TRANSIT; CRYPT, DESTROY: the key's blob
 * @in: CRYPT: the digest
 * @blob_len: length of the blob
 * @in_len: length of the input
 */
struct kvault_submit {
	__u32 size;
	__u32 flags;
	__aligned_u64 cookie;
	__u8 request_id[KVAULT_ID_SIZE];
	__u32 engine;
	__u32 op;
	__u32 alg;
	__u32 timeout_ms;
	__aligned_u64 binding;
	__aligned_u64 blob;
	__aligned_u64 in;
	__u32 blob_len;
	__u32 in_len;
};

/**
 * struct kvault_root_set - load the root key of a store, once per load of the module
 * @size: sizeof(struct kvault_root_set)
 * @flags: must be 0
 * @store: id of the store
 * @key: the root key; the kernel's copy is the only one that remains
 *
 * EEXIST when another root key is loaded already; 0 when it is the same.
 */
struct kvault_root_set {
	__u32 size;
	__u32 flags;
	__u8 store[KVAULT_ID_SIZE];
	__u8 key[32];
};

/**
 * struct kvault_root_wrap - wrap the root key for another slot
 * @size: sizeof(struct kvault_root_wrap)
 * @flags: must be 0
 * @secret: a blob of KVAULT_TYPE_TRANSIT with 32 bytes or more of full entropy,
 *	e.g. a recovery code, of a request with KVAULT_CONTROL_ROOT_SLOT that an
 *	administrator of the host makes just now; a key is derived from it
 *	(SP 800-108, HMAC-SHA-256, label "kvault/1/root-slot", context slot id)
 * @secret_len: its length
 * @reserved: must be 0
 * @request_id: the request whose secret it is
 * @slot: id of the slot
 * @iv: out: for AES-256-GCM
 * @wrapped: out: ciphertext of the root key; associated data: store id, slot id
 * @tag: out
 * @pad: must be 0
 */
struct kvault_root_wrap {
	__u32 size;
	__u32 flags;
	__aligned_u64 secret;
	__u32 secret_len;
	__u32 reserved;
	__u8 request_id[KVAULT_ID_SIZE];
	__u8 slot[KVAULT_ID_SIZE];
	__u8 iv[12];
	__u8 wrapped[32];
	__u8 tag[16];
	__u8 pad[4];
};

/* Audit. */
enum kvault_audit_type {
	KVAULT_AUDIT_UNSPEC = 0,
	KVAULT_AUDIT_USE = 1,		/* @count operations of one kind under a lease, see below */
	KVAULT_AUDIT_SINGLE = 2,	/* one operation: private key, or AUDIT_EACH */
	KVAULT_AUDIT_DENIED = 3,	/* a refusal, or @count further ones, see below */
	KVAULT_AUDIT_LEASE_END = 4,	/* the lease is closed; @count is its total */
	KVAULT_AUDIT_VOLUME_OPEN = 5,
	KVAULT_AUDIT_VOLUME_CLOSE = 6,	/* @count: sectors of 512 bytes */
	KVAULT_AUDIT_PROJECT = 7,
	KVAULT_AUDIT_LOST = 8,		/* @count records that could not be kept */
};

enum kvault_face {
	KVAULT_FACE_UNSPEC = 0,
	KVAULT_FACE_IOCTL = 1,
	KVAULT_FACE_KEYRING = 2,
	KVAULT_FACE_PAES = 3,
};

/**
 * struct kvault_audit_rec - what happened, as the kernel saw it
 * @size: sizeof(struct kvault_audit_rec)
 * @type: enum kvault_audit_type
 * @seq: number of the record within its tenant, from 1, without gaps
 * @time: CLOCK_REALTIME nanoseconds
 * @boottime: CLOCK_BOOTTIME nanoseconds
 * @tenant: whose record it is
 * @request_id: of an operation that left the kernel; else 0
 * @lease: lease under which it was done; 0 for none
 * @key: id of the key; 0 when none was found
 * @version: id of its version
 * @op: one of KVAULT_OP_*; 0 for opening
 * @alg: enum kvault_alg, 0 when it does not matter
 * @status: 0 or negative errno
 * @face: enum kvault_face
 * @count: how many
 * @principal: who
 *
 * USE counts what is in the log by it alone; with @op 0 it is the sum of
 * operations that have a record each (KVAULT_KEY_AUDIT_EACH). Every lease ends
 * with LEASE_END, also one that nothing was done under, and one that nobody got.
 *
 * The first refusals of a uid with one errno have a record each. While more
 * follow they are counted, and a record with @count tells of them every few
 * seconds: @principal is the newest one's, @status the same in all; @key,
 * @version, @request_id, @op, @alg and @face are 0.
 *
 * LOST: what could not even be counted so, for want of room or memory, or
 * because its tenant ended long ago and nobody took its records. It says no
 * more than @count; @principal is 0.
 */
struct kvault_audit_rec {
	__u32 size;
	__u32 type;
	__aligned_u64 seq;
	__aligned_u64 time;
	__aligned_u64 boottime;
	__u8 tenant[KVAULT_ID_SIZE];
	__u8 request_id[KVAULT_ID_SIZE];
	__u8 lease[KVAULT_ID_SIZE];
	__u8 key[KVAULT_ID_SIZE];
	__u8 version[KVAULT_ID_SIZE];
	__u32 op;
	__u32 alg;
	__s32 status;
	__u32 face;
	__aligned_u64 count;
	struct kvault_principal principal;
};

/**
 * struct kvault_audit_read - take records that were not taken before
 * @size: sizeof(struct kvault_audit_read)
 * @flags: must be 0
 * @buf: room for whole records
 * @len: in: its size; out: bytes written
 * @more: out: 1 when there are further records
 *
 * Records stay with the kernel until they are acknowledged over netlink, by
 * tenant and number; a new claim gets those that were not, again. poll() says
 * POLLPRI when there are records to take.
 */
struct kvault_audit_read {
	__u32 size;
	__u32 flags;
	__aligned_u64 buf;
	__u32 len;
	__u32 more;
};

/**
 * struct kvault_attach - offer to serve
 * @size: sizeof(struct kvault_attach)
 * @flags: must be 0
 * @kind: enum kvault_engine_kind
 * @reserved: must be 0
 *
 * Each node is for one kind: EPERM for the other one.
 *
 * The first message that arrives attaches the file to its tenant, for good.
 * EXCHANGE is for the process that attached: EPERM for another that has the file.
 */
struct kvault_attach {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 reserved;
};

/* /dev/kvault-control */
#define KVAULT_CTL_CLAIM	_IO(KVAULT_IOC_TYPE, 0x40)	/* struct kvault_claim */
#define KVAULT_CTL_EXCHANGE	_IO(KVAULT_IOC_TYPE, 0x41)	/* struct kvault_exchange */
#define KVAULT_CTL_SEAL		_IO(KVAULT_IOC_TYPE, 0x42)	/* struct kvault_seal */
#define KVAULT_CTL_SUBMIT	_IO(KVAULT_IOC_TYPE, 0x43)	/* struct kvault_submit */
#define KVAULT_CTL_AUDIT_READ	_IO(KVAULT_IOC_TYPE, 0x44)	/* struct kvault_audit_read */
/* no claim is needed for this one */
#define KVAULT_CTL_ROOT_SET	_IO(KVAULT_IOC_TYPE, 0x45)	/* struct kvault_root_set */
#define KVAULT_CTL_ROOT_WRAP	_IO(KVAULT_IOC_TYPE, 0x46)	/* struct kvault_root_wrap */

/* /dev/kvault-engine, /dev/kvault-engine-pkcs11 */
#define KVAULT_ENG_ATTACH	_IO(KVAULT_IOC_TYPE, 0x60)	/* struct kvault_attach */
#define KVAULT_ENG_EXCHANGE	_IO(KVAULT_IOC_TYPE, 0x61)	/* struct kvault_exchange */

#endif /* _LINUX_KVAULT_CONTROL_H */
