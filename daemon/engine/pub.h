/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What needs no private key: verifying and encrypting, the same for keys of
 * every backend; and the two forms of an ECDSA signature.
 */
#ifndef KVE_PUB_H
#define KVE_PUB_H

#include <openssl/evp.h>

#include "engine/alg.h"

/* Is this operation done with the public key? */
static inline int kve_op_is_public(const struct kve_op *op)
{
	return !!(op->operation & (KVAULT_OP_VERIFY | KVAULT_OP_ENCRYPT | KVAULT_OP_WRAP));
}

/* Sets padding, hashes and salt of an initialised context; 1 or not. */
int kve_pub_setup(EVP_PKEY_CTX *ctx, const struct kve_alg *alg);

/*
 * Carries it out. *cache holds a context from one call to the next with the
 * same algorithm and operation, or NULL; the owner frees it.
 */
struct kve_ctx_cache {
	EVP_PKEY_CTX *ctx;
	uint32_t alg;
	uint32_t operation;
};

int kve_pub_crypt(EVP_PKEY *pkey, struct kve_ctx_cache *cache, const struct kve_op *op,
		  struct kve_reply *reply);

/* The cached context, or a new one made by init and kve_pub_setup(); NULL if not. */
EVP_PKEY_CTX *kve_ctx_get(EVP_PKEY *pkey, struct kve_ctx_cache *cache, const struct kve_op *op,
			  int (*init)(EVP_PKEY_CTX *));
void kve_ctx_done(struct kve_ctx_cache *cache);

/* X9.62 DER <-> r || s of 2 * size bytes; 0 or -EINVAL. */
int kve_ecdsa_to_raw(const uint8_t *der, size_t der_len, size_t size, uint8_t *raw);
int kve_ecdsa_to_der(const uint8_t *raw, size_t size, uint8_t *der, size_t max, size_t *ret_len);

#define KVE_ECDSA_DER_MAX	160

#endif /* KVE_PUB_H */
