// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a private key can do: the rows of kvault_alg.h that are for an engine,
 * and the lengths that each takes. Nothing here is secret.
 */
#include "engine/alg.h"

#include <stdarg.h>

#include <linux/kvault_alg.h>

#define OPENING		(KVAULT_OP_DECRYPT | KVAULT_OP_UNWRAP)

#define ROW(id, kty, bits, curve, ops, name, scheme, hash, hash_len) \
	{ KVAULT_ALG_##id, name, KVE_SCHEME_##scheme, kty, curve, ops, hash, hash_len }

static const struct kve_alg algs[] = { KVAULT_ALGORITHMS_RSA(ROW), KVAULT_ALGORITHMS_EC(ROW) };

static const struct kve_curve curves[] = {
	{ KVAULT_CURVE_P256, "P-256", "prime256v1", 32 },
	{ KVAULT_CURVE_P384, "P-384", "secp384r1", 48 },
	{ KVAULT_CURVE_P521, "P-521", "secp521r1", 66 },
	{ KVAULT_CURVE_P256K, "P-256K", "secp256k1", 32 },
};

int kve_refuse(struct kve_reply *reply, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reply->why, sizeof(reply->why), fmt, ap);
	va_end(ap);
	return r;
}

const struct kve_alg *kve_alg_find(uint32_t alg)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (algs[i].alg == alg)
			return &algs[i];
	return NULL;
}

const struct kve_curve *kve_curve_find(uint32_t curve)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (curves[i].curve == curve)
			return &curves[i];
	return NULL;
}

const struct kve_curve *kve_curve_find_group(const char *group)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (!strcmp(curves[i].group, group))
			return &curves[i];
	return NULL;
}

size_t kve_type_size(const struct kve_type *type)
{
	const struct kve_curve *curve;

	if (type->kty == KVAULT_KTY_RSA)
		return type->bits / 8;
	curve = kve_curve_find(type->curve);
	return curve ? curve->size : 0;
}

int kve_type_check(const struct kve_type *type, struct kve_reply *reply)
{
	switch (type->kty) {
	case KVAULT_KTY_RSA:
		if (type->bits == 2048 || type->bits == 3072 || type->bits == 4096)
			return 0;
		return kve_refuse(reply, -EOPNOTSUPP,
				  "RSA keys have 2048, 3072 or 4096 bits, not %u", type->bits);
	case KVAULT_KTY_EC:
		if (kve_curve_find(type->curve))
			return 0;
		return kve_refuse(reply, -EOPNOTSUPP,
				  "EC keys are on P-256, P-384, P-521 or P-256K");
	default:
		return kve_refuse(reply, -EOPNOTSUPP, "engines hold RSA and EC keys only");
	}
}

/* Overhead of the padding: 11 is PKCS#1 v1.5's, OAEP has two hashes and two bytes. */
static size_t padding(const struct kve_alg *alg)
{
	return alg->scheme == KVE_SCHEME_OAEP ? 2 * alg->md_len + 2 : 11;
}

static int check_signature(const struct kve_type *type, const struct kve_op *op,
			   struct kve_reply *reply)
{
	size_t size = kve_type_size(type);

	if (op->alg->md && op->in_len != op->alg->md_len)
		return kve_refuse(reply, -EINVAL, "%s takes a digest of %u bytes, not %zu",
				  op->alg->name, op->alg->md_len, op->in_len);
	if (!op->alg->md && (!op->in_len || op->in_len > size - padding(op->alg)))
		return kve_refuse(reply, -EINVAL, "%s takes 1 to %zu bytes with this key, not %zu",
				  op->alg->name, size - padding(op->alg), op->in_len);
	if (op->alg->scheme == KVE_SCHEME_ECDSA)
		size *= 2;
	if (op->operation == KVAULT_OP_VERIFY && op->sig_len != size)
		return kve_refuse(reply, -EKEYREJECTED,
				  "signatures of this key have %zu bytes, not %zu",
				  size, op->sig_len);
	return 0;
}

static int check_crypt(const struct kve_type *type, const struct kve_op *op,
		       struct kve_reply *reply)
{
	size_t size = kve_type_size(type);

	if (op->operation & OPENING && op->in_len != size)
		return kve_refuse(reply, -EINVAL, "ciphertexts of this key have %zu bytes, not %zu",
				  size, op->in_len);
	if (!(op->operation & OPENING) && op->in_len > size - padding(op->alg))
		return kve_refuse(reply, -EINVAL, "%s takes up to %zu bytes with this key, not %zu",
				  op->alg->name, size - padding(op->alg), op->in_len);
	return 0;
}

int kve_op_check(const struct kve_type *type, const struct kve_op *op,
		 struct kve_reply *reply)
{
	const struct kve_alg *alg = op->alg;

	if (!alg)
		return kve_refuse(reply, -EOPNOTSUPP, "engines do not know this algorithm");
	if (!(alg->ops & op->operation))
		return kve_refuse(reply, -EOPNOTSUPP, "%s is not for this operation", alg->name);
	if (alg->kty != type->kty || (alg->curve && alg->curve != type->curve))
		return kve_refuse(reply, -EOPNOTSUPP, "%s does not go with this key", alg->name);
	if (op->operation & KVAULT_OPS_SIGN)
		return check_signature(type, op, reply);
	return check_crypt(type, op, reply);
}
