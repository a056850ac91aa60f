/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkvault: what a program needs to use keys through /dev/kvault.
 *
 * Results. Functions that return int give 0 or a negative errno; which errno
 * means what is said once, at the top of <linux/kvault.h>. Return parameters
 * (ret_*) are written on success only. Sizes are bytes, times milliseconds.
 *
 * Ownership. Who gets a pointer in a ret_* parameter frees it with the function
 * that its comment names. Nothing else is kept or freed for the caller.
 *
 * Threads. One struct kvault may be used by several threads at the same time,
 * but for kvault_request_id(), which tells of the last call of any of them.
 *
 * Secrets are passed through and kept by nobody here; what the library holds
 * for a moment is locked in memory, left out of core dumps, and wiped.
 */
#ifndef KVAULT_H
#define KVAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvault.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- the device ------------------------------------------------------------ */

struct kvault;

/*
 * Opens /dev/kvault (close-on-exec). The caller is a principal from here on:
 * who he is now and who he is at each call must both be allowed. -ENOENT and
 * -ENXIO: the module is not loaded; -EHOSTDOWN never: it needs no daemon.
 * Free with kvault_close(), which gives all handles back.
 */
int kvault_open(struct kvault **ret);
void kvault_close(struct kvault *kv);

/* The file descriptor: for poll(), or to hand it to another process. */
int kvault_fd(const struct kvault *kv);

/* How long calls may wait, up to KVAULT_TIMEOUT_MS_MAX; 0 is KVAULT_TIMEOUT_MS. */
void kvault_set_timeout(struct kvault *kv, uint32_t ms);

/*
 * KVAULT_ID_SIZE bytes that name the last call in messages and in the audit
 * log; zeros if it did not leave the kernel.
 */
const uint8_t *kvault_request_id(const struct kvault *kv);

/* What serves here, and who the kernel says the caller is. */
int kvault_get_info(struct kvault *kv, struct kvault_info *ret);

/* One line: what the errno means here and what mends it. Never NULL. */
const char *kvault_strerror(int err);

/* --- control operations: method, path, JSON -> status, JSON ----------------- */

struct kvault_reply {
	uint32_t status;	/* HTTP status; a refusal is an answer too */
	char *body;		/* JSON, NUL-terminated */
	size_t body_len;
	uint8_t *secret;	/* a secret's value, in locked memory; else NULL */
	size_t secret_len;
	uint8_t request_id[KVAULT_ID_SIZE];
};

/*
 * body: JSON, or NULL. secret: key material or a value, sealed by the kernel
 * before anybody sees the request, or NULL. 0 if there is an answer, whatever
 * its status. Free the answer with kvault_reply_done(), which wipes it.
 *
 * PUT of /vaults/V/secrets/NAME sets the value that secret is, also one of no
 * bytes. GET of it, or of one of its versions, gets the value; with ?value=none
 * it gets all but that, which is another right.
 */
int kvault_control(struct kvault *kv, enum kvault_method method, const char *path,
		   const char *body, const void *secret, size_t secret_len,
		   struct kvault_reply *ret);
void kvault_reply_done(struct kvault_reply *reply);

/* --- keys -------------------------------------------------------------------- */

struct kvault_key {
	uint32_t handle;
	uint32_t ops;		/* KVAULT_OP_* that the handle can do */
	uint32_t kty;		/* KVAULT_KTY_* */
	uint32_t bits;		/* of an oct or RSA key */
	uint32_t curve;		/* KVAULT_CURVE_* of an EC key */
	uint32_t flags;		/* KVAULT_KEY_* */
	uint8_t version[KVAULT_ID_SIZE];
};

/*
 * path: VAULT/keys/NAME[/VERSION]. ops: KVAULT_OP_* that are needed, 0 for all
 * that can be had. -ENOKEY: no such key for this caller; -EACCES: there is one
 * and he may not. Close with kvault_key_close().
 */
int kvault_key_open(struct kvault *kv, const char *path, uint32_t ops, struct kvault_key *ret);
int kvault_key_close(struct kvault *kv, struct kvault_key *key);

/* What some ciphers take and give beside input and output. */
struct kvault_cipher {
	const void *aad;		/* GCM: additional data, up to KVAULT_AUX_MAX */
	size_t aad_len;
	uint8_t iv[16];			/* GCM: 12 bytes, made by the kernel; CBC: 16, given */
	uint8_t tag[KVAULT_TAG_SIZE];	/* GCM */
};

/*
 * One operation, one ioctl. In and out are at most KVAULT_PAYLOAD_MAX bytes;
 * *out_len is the buffer's size before and the length after, also with
 * -EMSGSIZE. cipher may be NULL where there is neither iv nor tag.
 *
 * encrypt, decrypt	A*GCM (SP 800-38D), A*CBC[PAD] (SP 800-38A), RSA (RFC 8017)
 * wrap, unwrap		A*KW (RFC 3394), KWP (RFC 5649), RSA
 * sign			over a digest (RSA, EC: r||s, RFC 7518) or the bytes (HS*)
 * verify		-EKEYREJECTED: the signature does not verify
 * noop			all that encrypt does but the cipher; for measurements
 *
 * -EBADMSG: a ciphertext, tag or wrapped key does not check; out is untouched.
 */
int kvault_encrypt(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		   size_t in_len, void *out, size_t *out_len, struct kvault_cipher *cipher);
int kvault_decrypt(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		   size_t in_len, void *out, size_t *out_len, const struct kvault_cipher *cipher);
int kvault_wrap(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		size_t in_len, void *out, size_t *out_len);
int kvault_unwrap(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		  size_t in_len, void *out, size_t *out_len);
int kvault_sign(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		size_t in_len, void *sig, size_t *sig_len);
int kvault_verify(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		  size_t in_len, const void *sig, size_t sig_len);
int kvault_noop(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		size_t in_len);

/* len random bytes from the kernel's generator; any length. */
int kvault_random(struct kvault *kv, void *out, size_t len);

/*
 * Puts a key made of this volume key into a keyring, for another part of the
 * kernel. kind: KVAULT_PROJECT_*; keyring: serial or special id; ret_serial:
 * of the new key.
 */
int kvault_project(struct kvault *kv, const struct kvault_key *key, uint32_t kind, int32_t keyring,
		   const char *desc, int32_t *ret_serial);

/* --- names --------------------------------------------------------------------- */

/* JOSE names of algorithms, key types, curves and operations; 0 and NULL: unknown. */
uint32_t kvault_alg_parse(const char *name);
const char *kvault_alg_name(uint32_t alg);
const char *kvault_kty_name(uint32_t kty);
const char *kvault_curve_name(uint32_t curve);
uint32_t kvault_curve_parse(const char *name);
const char *kvault_op_name(uint32_t op);
uint32_t kvault_op_parse(const char *name);

/* Name of the digest that an algorithm signs, as OpenSSL knows it; NULL: none. */
const char *kvault_alg_digest(uint32_t alg);

/*
 * Whether this key can do op (one bit of KVAULT_OP_*) with alg, as far as type,
 * size and curve go; what the handle may do is another question. next: the
 * algorithm after alg, 0 for the first; 0 when there are no more.
 */
bool kvault_alg_fits(const struct kvault_key *key, uint32_t op, uint32_t alg);
uint32_t kvault_alg_next(uint32_t alg);

/*
 * What a key does for an operation when nobody says: encrypt A*GCM by size, or
 * RSA-OAEP-256; wrap CKM_AES_KEY_WRAP_PAD, or RSA-OAEP-256; sign ES* by curve,
 * PS256, HS256. 0: it cannot.
 */
uint32_t kvault_alg_default(const struct kvault_key *key, uint32_t op);

#define KVAULT_VAULT_NAME_MAX	63
#define KVAULT_OBJECT_NAME_MAX	127
#define KVAULT_VERSION_HEX	32

enum kvault_object {
	KVAULT_OBJECT_KEY = 0,
	KVAULT_OBJECT_SECRET = 1,
};

struct kvault_address {
	char vault[KVAULT_VAULT_NAME_MAX + 1];
	char name[KVAULT_OBJECT_NAME_MAX + 1];
	char version[KVAULT_VERSION_HEX + 1];	/* lower case; "" for the latest */
	uint32_t type;				/* enum kvault_object */
};

/*
 * An object's address: VAULT/keys|secrets/NAME[/VERSION], the short form of a
 * key's VAULT/NAME[/VERSION], all also behind "kvault:" or "/", or the URL that
 * is its kid or id. -EINVAL: ret_why, if not NULL, points to a constant line
 * that says why. kvault_address_parse() is for keys alone, _parse_as() for what
 * type says, which is also what the short form means then.
 */
int kvault_address_parse(const char *text, struct kvault_address *ret, const char **ret_why);
int kvault_address_parse_as(enum kvault_object type, const char *text,
			    struct kvault_address *ret, const char **ret_why);

/* Writes VAULT/keys|secrets/NAME[/VERSION]; KVAULT_PATH_MAX bytes suffice. */
void kvault_address_format(const struct kvault_address *a, char *out, size_t size);

bool kvault_name_is_vault(const char *name);
bool kvault_name_is_object(const char *name);

/* --- encodings ------------------------------------------------------------------ */

/* Lower-case hexadecimal digits and a NUL: 2 * len + 1 bytes. */
void kvault_hex_encode(char *out, const void *data, size_t len);
/* Exactly 2 * len digits; -EINVAL. */
int kvault_hex_decode(void *out, size_t len, const char *hex);

/* base64url without padding (RFC 4648, 5); *_LEN counts the NUL. */
#define KVAULT_BASE64URL_LEN(len) (((len) * 4 + 2) / 3 + 1)
void kvault_base64url_encode(char *out, const void *data, size_t len);
/* Strict: -EINVAL for padding, other characters and stray bits, -EMSGSIZE. */
int kvault_base64url_decode(void *out, size_t max, const char *text, size_t text_len,
			    size_t *ret_len);

/*
 * ECDSA signatures: r||s as JOSE and the device have it, and X9.62 DER as
 * everybody else. *out_len as above; -EINVAL: not a signature of this curve.
 */
#define KVAULT_SIGNATURE_MAX	144
int kvault_signature_to_der(uint32_t alg, const void *raw, size_t raw_len, void *out,
			    size_t *out_len);
int kvault_signature_to_raw(uint32_t alg, const void *der, size_t der_len, void *out,
			    size_t *out_len);

/*
 * The recovery code of a store: 32 bytes as 52 characters of Crockford's
 * base32 and 4 of the first 20 bits of their SHA-256, in groups of four.
 * Reading, case does not matter, I and L are 1, O is 0, blanks and '-' are
 * skipped; -EINVAL: not a code; -EBADMSG: mistyped.
 */
#define KVAULT_RECOVERY_SIZE	32
#define KVAULT_RECOVERY_TEXT	70	/* 14 groups of 4, 13 dashes, a NUL */
void kvault_recovery_format(const uint8_t code[KVAULT_RECOVERY_SIZE],
			    char out[KVAULT_RECOVERY_TEXT]);
int kvault_recovery_parse(const char *text, uint8_t ret[KVAULT_RECOVERY_SIZE]);

/* --- secrets in memory ------------------------------------------------------------- */

struct kvault_secret {
	uint8_t *data;
	size_t len;
	size_t size;	/* of the mapping */
};

/* Memory that is locked, not dumped, empty in a child; -ENOMEM. */
int kvault_secret_new(size_t size, struct kvault_secret *ret);
/* Wipes and unmaps; a struct of zeros is allowed. */
void kvault_secret_done(struct kvault_secret *s);
/* Reads fd to its end; -EFBIG when it has more than max bytes. */
int kvault_secret_read(int fd, size_t max, struct kvault_secret *ret);

/* --- keys that come from elsewhere -------------------------------------------------- */

enum kvault_key_form {
	KVAULT_FORM_AUTO = 0,	/* JWK, PEM or DER: by what it looks like */
	KVAULT_FORM_RAW,	/* bytes of a symmetric key */
};

struct kvault_import {
	char *jwk;			/* JSON: kty, crv, x, y, n, e, key_ops; nothing secret */
	struct kvault_secret secret;	/* raw bytes of oct, PKCS#8 DER (RFC 5958) of RSA and EC */
};

/* Passphrase of an encrypted PEM or DER into buf; its length, or negative errno. */
typedef int (*kvault_passphrase_fn)(char *buf, size_t size, void *data);

/*
 * Splits a private key into what may be seen and what may not. The key's
 * halves are checked against each other. -EINVAL, -EOPNOTSUPP with why_size
 * bytes of a line that says what is wrong at why. Free with
 * kvault_import_done(), which wipes.
 *
 * JSON goes through jansson, whose buffers only the program can have wiped:
 * see json_set_alloc_funcs(); kvault(1) does it.
 */
int kvault_import_parse(const void *data, size_t len, enum kvault_key_form form,
			kvault_passphrase_fn passphrase, void *passphrase_data,
			struct kvault_import *ret, char *why, size_t why_size);
void kvault_import_done(struct kvault_import *in);

/* SubjectPublicKeyInfo in PEM of a public JWK; free with free(). */
int kvault_public_pem(const char *jwk, char **ret);

/* ES256 of a digest of 32 bytes, by a public JWK; -EKEYREJECTED, -EINVAL. */
int kvault_public_verify(const char *jwk, const uint8_t digest[32], const void *raw,
			 size_t raw_len);

/* --- the envelope: kvault-envelope(5) ------------------------------------------------ */

#define KVAULT_ENVELOPE_MAGIC	"KVE1"
#define KVAULT_ENVELOPE_CHUNK	65536	/* bytes of plaintext in a chunk */
#define KVAULT_ENVELOPE_MAX	4096	/* bytes of a header */
#define KVAULT_CONTEXT_MAX	2048	/* bytes of the pairs as they are written */

struct kvault_pair {
	const char *name;
	const char *value;
};

struct kvault_envelope {
	uint32_t alg;			/* KVAULT_ALG_A*GCM */
	uint32_t chunk;			/* plaintext in each chunk but the last */
	struct kvault_address key;	/* with its version */
	uint8_t message_id[16];
	size_t n_context;
	struct kvault_pair *context;
	/* the header as it stands in the file */
	uint8_t *raw;
	size_t raw_len;
};

/*
 * Makes a header for a new message: random id, version from key. The pairs are
 * copied. -E2BIG: more than KVAULT_CONTEXT_MAX; -EINVAL: a pair's name is
 * empty or twice there.
 */
int kvault_envelope_new(struct kvault *kv, const struct kvault_address *address,
			const struct kvault_key *key, uint32_t alg,
			const struct kvault_pair *context, size_t n_context,
			struct kvault_envelope *ret);

/*
 * Reads a header from fd and not a byte more. Nothing in it is to be believed
 * before the first chunk is open. -EBADMSG: not an envelope, or cut off.
 */
int kvault_envelope_read(int fd, struct kvault_envelope *ret);
void kvault_envelope_done(struct kvault_envelope *env);

/* Called after each chunk with the sum of plaintext so far. */
typedef void (*kvault_progress_fn)(uint64_t done, void *data);

/*
 * Streams in to out, one ioctl for each chunk. Seal writes the header first;
 * open begins after it, where kvault_envelope_read() ended. A chunk is written
 * once it is verified; that the message is whole is known at the end only, so
 * on an error the caller throws away what was written. -EBADMSG: changed, cut,
 * extended, reordered, or of another message.
 */
int kvault_envelope_seal(struct kvault *kv, const struct kvault_key *key,
			 const struct kvault_envelope *env, int in, int out,
			 kvault_progress_fn progress, void *data);
int kvault_envelope_open(struct kvault *kv, const struct kvault_key *key,
			 const struct kvault_envelope *env, int in, int out,
			 kvault_progress_fn progress, void *data);

#ifdef __cplusplus
}
#endif

#endif /* KVAULT_H */
