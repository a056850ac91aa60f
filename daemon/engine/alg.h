/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_ALG_H
#define KVE_ALG_H

#include "engine/engine.h"

enum kve_scheme {
	KVE_SCHEME_PKCS1_SIGN,		/* RS*, RSNULL */
	KVE_SCHEME_PSS,
	KVE_SCHEME_ECDSA,
	KVE_SCHEME_PKCS1_CRYPT,		/* RSA1_5 */
	KVE_SCHEME_OAEP,
};

/* One row for each algorithm: which key, which operations, which hash. */
struct kve_alg {
	uint32_t alg;
	const char *name;
	enum kve_scheme scheme;
	uint32_t kty;
	uint32_t curve;
	uint32_t ops;
	const char *md;		/* as OpenSSL calls it; NULL for none */
	uint32_t md_len;
};

struct kve_curve {
	uint32_t curve;
	const char *crv;	/* in a JWK */
	const char *group;	/* as OpenSSL calls it */
	uint32_t size;		/* bytes of a coordinate and of a half of a signature */
};

const struct kve_alg *kve_alg_find(uint32_t alg);
const struct kve_curve *kve_curve_find(uint32_t curve);
const struct kve_curve *kve_curve_find_group(const char *group);

/* Size of a modulus or of a signature's half, in bytes. */
size_t kve_type_size(const struct kve_type *type);

/* A key that an engine makes or takes: 0 or -EOPNOTSUPP. */
int kve_type_check(const struct kve_type *type, struct kve_reply *reply);

/*
 * Does the operation fit the key? -EOPNOTSUPP for an algorithm or a pairing,
 * -EINVAL for a length, -EKEYREJECTED for a signature that cannot be one.
 */
int kve_op_check(const struct kve_type *type, const struct kve_op *op,
		 struct kve_reply *reply);

#endif /* KVE_ALG_H */
