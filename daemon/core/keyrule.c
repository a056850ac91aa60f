// SPDX-License-Identifier: GPL-2.0-only
#include <strings.h>

#include <linux/kvault_alg.h>

#include "core/keyrule.h"

/* What a type can do at all, and what it does when nobody says. */
static const struct {
	const char *name, *hsm_name;
	uint32_t can, defaults;
} types[] = {
	[KVAULT_KTY_OCT] = { "oct", "oct-HSM",
		KVAULT_OPS_CIPHER | KVAULT_OPS_WRAP | KVAULT_OPS_SIGN | KVAULT_OP_VOLUME,
		KVAULT_OPS_CIPHER | KVAULT_OPS_WRAP },
	[KVAULT_KTY_RSA] = { "RSA", "RSA-HSM",
		KVAULT_OPS_CIPHER | KVAULT_OPS_WRAP | KVAULT_OPS_SIGN | KVAULT_OP_IMPORT,
		KVAULT_OPS_CIPHER | KVAULT_OPS_WRAP | KVAULT_OPS_SIGN },
	[KVAULT_KTY_EC] = { "EC", "EC-HSM", KVAULT_OPS_SIGN, KVAULT_OPS_SIGN },
};

static const char *const curves[] = {
	[KVAULT_CURVE_P256] = "P-256",
	[KVAULT_CURVE_P384] = "P-384",
	[KVAULT_CURVE_P521] = "P-521",
	[KVAULT_CURVE_P256K] = "P-256K",
};

static const struct {
	const char *name;
	uint32_t op;
} operations[] = {
	{ "encrypt", KVAULT_OP_ENCRYPT }, { "decrypt", KVAULT_OP_DECRYPT },
	{ "sign", KVAULT_OP_SIGN },	  { "verify", KVAULT_OP_VERIFY },
	{ "wrapKey", KVAULT_OP_WRAP },	  { "unwrapKey", KVAULT_OP_UNWRAP },
	{ "import", KVAULT_OP_IMPORT },	  { "export", KVAULT_OP_EXPORT },
	{ "volume", KVAULT_OP_VOLUME },
};

bool kvd_kty_parse(const char *name, uint32_t *kty, bool *is_hsm)
{
	uint32_t i;

	for (i = 1; i < ARRAY_SIZE(types); i++) {
		if (strcmp(name, types[i].name) && strcmp(name, types[i].hsm_name))
			continue;
		*kty = i;
		*is_hsm = !strcmp(name, types[i].hsm_name);
		return true;
	}
	return false;
}

const char *kvd_kty_name(uint32_t kty, bool is_hsm)
{
	if (!kty || kty >= ARRAY_SIZE(types))
		return NULL;
	return is_hsm ? types[kty].hsm_name : types[kty].name;
}

bool kvd_curve_parse(const char *name, uint32_t *curve)
{
	uint32_t i;

	for (i = 1; i < ARRAY_SIZE(curves); i++)
		if (!strcmp(name, curves[i])) {
			*curve = i;
			return true;
		}
	return false;
}

const char *kvd_curve_name(uint32_t curve)
{
	return curve && curve < ARRAY_SIZE(curves) ? curves[curve] : NULL;
}

uint32_t kvd_op_parse(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		if (!strcmp(name, operations[i].name))
			return operations[i].op;
	return 0;
}

const char *kvd_op_name(uint32_t op)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		if (operations[i].op == op)
			return operations[i].name;
	return NULL;
}

const char *kvd_alg_name(uint32_t alg)
{
#define NAME(id, kty, bits, curve, ops, name, ...) [KVAULT_ALG_##id] = (name)
	static const char *const names[] = { KVAULT_ALGORITHMS(NAME) };

	return alg < ARRAY_SIZE(names) ? names[alg] : NULL;
}

static int settle_ops(struct kvd_key_spec *key, struct kvd_why *why)
{
	if (!key->ops)
		key->ops = types[key->kty].defaults;
	if (key->ops & KVAULT_OP_EXPORT)
		return kvd_refuse(why, KVD_E_NOT_SUPPORTED, "There is no export of keys");
	if (key->ops & ~types[key->kty].can)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "A key of type %s cannot do all of key_ops",
				  kvd_kty_name(key->kty, key->is_hsm));
	if ((key->ops & KVAULT_OP_VOLUME) && key->ops != KVAULT_OP_VOLUME)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "'volume' excludes all other key_ops");
	if ((key->ops & KVAULT_OP_IMPORT) && key->ops != KVAULT_OP_IMPORT)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "'import' excludes all other key_ops");
	return 0;
}

static int settle_oct(struct kvd_key_spec *key, struct kvd_why *why)
{
	if (key->curve)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "An oct key has no curve");
	if (key->is_hsm)
		return kvd_refuse(why, KVD_E_NOT_SUPPORTED,
				  "Symmetric keys in an HSM are not supported");
	if (key->ops == KVAULT_OP_VOLUME) {
		if (!key->bits)
			key->bits = 512;
		if (key->bits != 256 && key->bits != 512)
			return kvd_refuse(why, KVD_E_BAD_PARAMETER,
					  "A volume key has 256 or 512 bits");
		return 0;
	}
	if (!key->bits)
		key->bits = 256;
	if (key->bits != 128 && key->bits != 192 && key->bits != 256)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "An oct key has 128, 192 or 256 bits");
	return 0;
}

static int settle_rsa(struct kvd_key_spec *key, struct kvd_why *why)
{
	if (key->curve)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "An RSA key has no curve");
	if (!key->bits)
		key->bits = 2048;
	if (key->bits != 2048 && key->bits != 3072 && key->bits != 4096)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "An RSA key has 2048, 3072 or 4096 bits");
	return 0;
}

/* key_size of an EC key says nothing that its curve does not: it must be absent. */
static int settle_ec(struct kvd_key_spec *key, struct kvd_why *why)
{
	if (key->bits)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "An EC key has a curve ('crv') and no key_size");
	if (!key->curve)
		key->curve = KVAULT_CURVE_P256;
	return 0;
}

int kvd_key_spec_settle(struct kvd_key_spec *key, struct kvd_why *why)
{
	int r;

	if (!kvd_kty_name(key->kty, false))
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "No such key type");
	r = settle_ops(key, why);
	if (r)
		return r;
	switch (key->kty) {
	case KVAULT_KTY_OCT:
		return settle_oct(key, why);
	case KVAULT_KTY_RSA:
		return settle_rsa(key, why);
	default:
		return settle_ec(key, why);
	}
}

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-';
}

static bool is_name(const char *name, size_t len, size_t max)
{
	size_t i;

	if (!len || len > max)
		return false;
	for (i = 0; i < len; i++)
		if (!is_name_char(name[i]))
			return false;
	return true;
}

bool kvd_name_is_object(const char *name, size_t len)
{
	return is_name(name, len, KVAULT_NAME_MAX);
}

bool kvd_name_is_vault(const char *name, size_t len)
{
	return is_name(name, len, 63) && name[0] != '-' && name[len - 1] != '-';
}
