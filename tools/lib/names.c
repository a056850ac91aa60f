// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of algorithms, types, curves and operations, as JOSE has them. */
#include <linux/kvault_alg.h>

#include "internal.h"

struct name {
	const char *name;
	uint32_t value;
};

#define ALG(id, kty, bits, curve, ops, name, scheme, hash, hash_len) \
	{ KVAULT_ALG_##id, name, kty, bits, curve, ops, hash }

static const struct alg {
	uint32_t alg;
	const char *name;
	uint32_t kty;
	uint32_t bits;
	uint32_t curve;
	uint32_t ops;
	const char *hash;
} algs[] = { KVAULT_ALGORITHMS(ALG) };

static const struct name ktys[] = {
	{ "oct", KVAULT_KTY_OCT },
	{ "RSA", KVAULT_KTY_RSA },
	{ "EC", KVAULT_KTY_EC },
};

static const struct name curves[] = {
	{ "P-256", KVAULT_CURVE_P256 },
	{ "P-384", KVAULT_CURVE_P384 },
	{ "P-521", KVAULT_CURVE_P521 },
	{ "P-256K", KVAULT_CURVE_P256K },
};

static const struct name ops[] = {
	{ "encrypt", KVAULT_OP_ENCRYPT },
	{ "decrypt", KVAULT_OP_DECRYPT },
	{ "sign", KVAULT_OP_SIGN },
	{ "verify", KVAULT_OP_VERIFY },
	{ "wrapKey", KVAULT_OP_WRAP },
	{ "unwrapKey", KVAULT_OP_UNWRAP },
	{ "import", KVAULT_OP_IMPORT },
	{ "export", KVAULT_OP_EXPORT },
	{ "volume", KVAULT_OP_VOLUME },
};

static uint32_t parse(const struct name *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(name, list[i].name))
			return list[i].value;
	return 0;
}

static const char *name_of(const struct name *list, size_t n, uint32_t value)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i].value == value)
			return list[i].name;
	return NULL;
}

uint32_t kvault_alg_parse(const char *name)
{
	size_t i;

	for (i = 0; i < KVL_SIZE(algs); i++)
		if (!strcmp(name, algs[i].name))
			return algs[i].alg;
	return 0;
}

static const struct alg *find_alg(uint32_t alg)
{
	size_t i;

	for (i = 0; i < KVL_SIZE(algs); i++)
		if (algs[i].alg == alg)
			return &algs[i];
	return NULL;
}

const char *kvault_alg_name(uint32_t alg)
{
	const struct alg *a = find_alg(alg);

	return a ? a->name : NULL;
}

const char *kvault_alg_digest(uint32_t alg)
{
	const struct alg *a = find_alg(alg);

	/* HS* hash by themselves, and OAEP's hash is not of the input */
	return a && a->kty != KVAULT_KTY_OCT && a->ops & KVAULT_OP_SIGN ? a->hash : NULL;
}

bool kvault_alg_fits(const struct kvault_key *key, uint32_t op, uint32_t alg)
{
	const struct alg *a = find_alg(alg);

	return a && a->kty == key->kty && a->ops & op && (!a->bits || a->bits == key->bits) &&
	       (!a->curve || a->curve == key->curve);
}

uint32_t kvault_alg_next(uint32_t alg)
{
	uint32_t next = 0;
	size_t i;

	for (i = 0; i < KVL_SIZE(algs); i++)
		if (algs[i].alg > alg && (!next || algs[i].alg < next))
			next = algs[i].alg;
	return next;
}

const char *kvault_kty_name(uint32_t kty)
{
	return name_of(ktys, KVL_SIZE(ktys), kty);
}

const char *kvault_curve_name(uint32_t curve)
{
	return name_of(curves, KVL_SIZE(curves), curve);
}

uint32_t kvault_curve_parse(const char *name)
{
	/* RFC 8812 has another name for the curve of ES256K than Azure. */
	if (!strcmp(name, "secp256k1"))
		return KVAULT_CURVE_P256K;
	return parse(curves, KVL_SIZE(curves), name);
}

const char *kvault_op_name(uint32_t op)
{
	return name_of(ops, KVL_SIZE(ops), op);
}

uint32_t kvault_op_parse(const char *name)
{
	return parse(ops, KVL_SIZE(ops), name);
}

static uint32_t default_cipher(const struct kvault_key *key)
{
	if (key->kty == KVAULT_KTY_RSA)
		return KVAULT_ALG_RSA_OAEP_256;
	if (key->kty != KVAULT_KTY_OCT)
		return 0;
	switch (key->bits) {
	case 128:
		return KVAULT_ALG_A128GCM;
	case 192:
		return KVAULT_ALG_A192GCM;
	case 256:
		return KVAULT_ALG_A256GCM;
	default:
		return 0;
	}
}

static uint32_t default_wrap(const struct kvault_key *key)
{
	if (key->kty == KVAULT_KTY_RSA)
		return KVAULT_ALG_RSA_OAEP_256;
	return key->kty == KVAULT_KTY_OCT ? KVAULT_ALG_KWP : 0;
}

static uint32_t default_sign(const struct kvault_key *key)
{
	static const uint32_t by_curve[] = {
		[KVAULT_CURVE_P256] = KVAULT_ALG_ES256,
		[KVAULT_CURVE_P384] = KVAULT_ALG_ES384,
		[KVAULT_CURVE_P521] = KVAULT_ALG_ES512,
		[KVAULT_CURVE_P256K] = KVAULT_ALG_ES256K,
	};

	if (key->kty == KVAULT_KTY_RSA)
		return KVAULT_ALG_PS256;
	if (key->kty == KVAULT_KTY_OCT)
		return KVAULT_ALG_HS256;
	return key->curve < KVL_SIZE(by_curve) ? by_curve[key->curve] : 0;
}

uint32_t kvault_alg_default(const struct kvault_key *key, uint32_t op)
{
	if (op & (KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT))
		return default_cipher(key);
	if (op & (KVAULT_OP_WRAP | KVAULT_OP_UNWRAP))
		return default_wrap(key);
	if (op & (KVAULT_OP_SIGN | KVAULT_OP_VERIFY))
		return default_sign(key);
	return 0;
}
