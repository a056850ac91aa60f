/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a backend of kvault-engine is: a table of operations. openssl.c holds
 * software keys, pkcs11.c keys in a token. A backend sees requests that
 * message.c and alg.c have checked already, knows neither the device nor
 * messages, and never logs: its answer is a negative errno and one line.
 */
#ifndef KVE_ENGINE_H
#define KVE_ENGINE_H

#include <linux/kvault_control.h>

#include "util/cleanup.h"

#define KVE_WHY_MAX	200

/* Type of a key: KVAULT_KTY_*, bits of an RSA key, KVAULT_CURVE_* of an EC one. */
struct kve_type {
	uint32_t kty;
	uint32_t bits;
	uint32_t curve;
};

/* What every backend's key begins with. */
struct kve_key {
	struct kve_type type;
};

/*
 * An answer in the making. The buffers belong to the caller, who wipes them;
 * out_len and material_len count only when the operation succeeded.
 */
struct kve_reply {
	uint8_t *out;
	size_t out_size;
	size_t out_len;
	uint8_t *material;
	size_t material_size;
	size_t material_len;
	char why[KVE_WHY_MAX];
};

/* One operation with one key; lengths fit the algorithm. */
struct kve_op {
	const struct kve_alg *alg;
	uint32_t operation;		/* one of KVAULT_OP_* */
	const uint8_t *in;
	size_t in_len;
	const uint8_t *sig;		/* VERIFY: the signature */
	size_t sig_len;
};

struct kve_material {
	const uint8_t *data;
	size_t len;
};

/**
 * struct kve_backend - what an engine can do; all return 0 or negative errno
 * @name: as on the command line
 * @kind: KVAULT_ENGINE_*
 * @device: the node at which that kind may attach
 * @is_local: works on no file and no token; decides what the sandbox allows
 * @open: makes ready, before the sandbox closes; -EKEYREJECTED says that a
 *	token refused its PIN and must not be asked again
 * @close: the opposite; takes NULL
 * @generate: a new key -> JWK in out, material
 * @import: material from outside, checked -> JWK in out, canonical material
 * @load: material -> a key, to be given back by @forget
 * @crypt: one operation -> out; VERIFY answers 0 or -EKEYREJECTED
 * @forget: the key is no longer in this process
 * @destroy: what the material names is no longer anywhere
 */
struct kve_backend {
	const char *name;
	uint32_t kind;
	const char *device;
	int is_local;
	int (*open)(const char *config, void **ret_state, struct kve_reply *reply);
	void (*close)(void *state);
	int (*generate)(void *state, const struct kve_type *type,
			const uint8_t version[KVAULT_ID_SIZE], struct kve_reply *reply);
	int (*import)(void *state, const struct kve_type *type,
		      const struct kve_material *m, struct kve_reply *reply);
	int (*load)(void *state, const struct kve_type *type, const struct kve_material *m,
		    struct kve_key **ret_key, struct kve_reply *reply);
	int (*crypt)(void *state, struct kve_key *key, const struct kve_op *op,
		     struct kve_reply *reply);
	void (*forget)(void *state, struct kve_key *key);
	int (*destroy)(void *state, const struct kve_material *m, struct kve_reply *reply);
};

extern const struct kve_backend kve_openssl;
extern const struct kve_backend kve_pkcs11;

/* Notes why, in one line without a secret; returns r, so that it ends a function. */
int kve_refuse(struct kve_reply *reply, int r, const char *fmt, ...) _printf_(3, 4);

#endif /* KVE_ENGINE_H */
