/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_KEY_H
#define KVE_KEY_H

#include <openssl/evp.h>

#include "engine/engine.h"

/* A new pair that passed a test of signing and verifying. */
int kve_key_generate(const struct kve_type *type, EVP_PKEY **ret, struct kve_reply *reply);

/*
 * A pair out of PKCS#8 DER (RFC 5958). With KVE_KEY_FOREIGN, everything that
 * can be wrong with a key from outside is looked for, primality too; without
 * it, only what arithmetic shows at once.
 */
#define KVE_KEY_FOREIGN	(1u << 0)

int kve_key_parse(const uint8_t *der, size_t len, unsigned int flags, EVP_PKEY **ret,
		  struct kve_reply *reply);

/* The canonical PKCS#8 DER of a pair, into reply->material. */
int kve_key_write(const EVP_PKEY *pkey, struct kve_reply *reply);

/* What a key is; -EOPNOTSUPP for what engines do not hold. */
int kve_key_type(const EVP_PKEY *pkey, struct kve_type *ret, struct kve_reply *reply);

/*
 * Is it what was asked for? Sizes of 0 fit all. -EINVAL.
 */
int kve_key_expect(const struct kve_type *is, const struct kve_type *want,
		   struct kve_reply *reply);

#endif /* KVE_KEY_H */
