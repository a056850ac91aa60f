// SPDX-License-Identifier: LGPL-2.1-or-later
/* Keys of OpenSSL made of JWKs (RFC 7517, 7518, 8812). */
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define NUMBER_MAX	1024	/* bytes of a number: RSA of 8192 bits */

static const struct {
	uint32_t curve;
	const char *group;
	size_t size;
} groups[] = {
	{ KVAULT_CURVE_P256, "prime256v1", 32 },
	{ KVAULT_CURVE_P384, "secp384r1", 48 },
	{ KVAULT_CURVE_P521, "secp521r1", 66 },
	{ KVAULT_CURVE_P256K, "secp256k1", 32 },
};

/* A member as bytes; how many, or negative errno: -ENOENT if it is not there. */
static ssize_t member(const json_t *jwk, const char *name, uint8_t *out, size_t max, char *why,
		      size_t why_size)
{
	const json_t *j = json_object_get(jwk, name);
	size_t len = 0;

	if (!j) {
		snprintf(why, why_size, "the JWK has no member '%s'", name);
		return -ENOENT;
	}
	if (!json_is_string(j) ||
	    kvault_base64url_decode(out, max, json_string_value(j), json_string_length(j), &len) ||
	    !len) {
		snprintf(why, why_size, "'%s' of the JWK is not a number in base64url", name);
		return -EINVAL;
	}
	return (ssize_t)len;
}

struct part {
	const char *name;	/* in the JWK */
	const char *param;	/* in OpenSSL */
	bool is_secret;
	BIGNUM *bn;
};

static int read_numbers(const json_t *jwk, struct part *parts, size_t n, bool is_private,
			OSSL_PARAM_BLD *bld, char *why, size_t why_size)
{
	uint8_t buf[NUMBER_MAX];
	ssize_t len;
	size_t i;
	int r = 0;

	for (i = 0; i < n && !r; i++) {
		if (parts[i].is_secret && !is_private)
			continue;
		len = member(jwk, parts[i].name, buf, sizeof(buf), why, why_size);
		if (len < 0) {
			r = -EINVAL;
			break;
		}
		parts[i].bn = BN_secure_new();
		if (!parts[i].bn || !BN_bin2bn(buf, (int)len, parts[i].bn) ||
		    !OSSL_PARAM_BLD_push_BN(bld, parts[i].param, parts[i].bn))
			r = -ENOMEM;
	}
	explicit_bzero(buf, sizeof(buf));
	return r;
}

static int make_pkey(const char *type, OSSL_PARAM_BLD *bld, bool is_private, EVP_PKEY **ret)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;
	int r = -ENOMEM;

	if (params && ctx && EVP_PKEY_fromdata_init(ctx) > 0)
		r = EVP_PKEY_fromdata(ctx, &pkey, is_private ? EVP_PKEY_KEYPAIR :
				      EVP_PKEY_PUBLIC_KEY, params) > 0 ? 0 : -EINVAL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	if (!r)
		*ret = pkey;
	return r;
}

static int rsa_pkey(const json_t *jwk, bool is_private, EVP_PKEY **ret, char *why,
		    size_t why_size)
{
	struct part parts[] = {
		{ "n", OSSL_PKEY_PARAM_RSA_N, false, NULL },
		{ "e", OSSL_PKEY_PARAM_RSA_E, false, NULL },
		{ "d", OSSL_PKEY_PARAM_RSA_D, true, NULL },
		{ "p", OSSL_PKEY_PARAM_RSA_FACTOR1, true, NULL },
		{ "q", OSSL_PKEY_PARAM_RSA_FACTOR2, true, NULL },
		{ "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1, true, NULL },
		{ "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2, true, NULL },
		{ "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, true, NULL },
	};
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	size_t i;
	int r;

	if (!bld)
		return -ENOMEM;
	r = json_object_get(jwk, "oth") ? -EOPNOTSUPP : 0;
	if (r)
		snprintf(why, why_size, "RSA keys with more than two primes are not supported");
	if (!r)
		r = read_numbers(jwk, parts, KVL_SIZE(parts), is_private, bld, why, why_size);
	if (!r) {
		snprintf(why, why_size, "the numbers of the JWK make no RSA key");
		r = make_pkey("RSA", bld, is_private, ret);
	}
	OSSL_PARAM_BLD_free(bld);
	for (i = 0; i < KVL_SIZE(parts); i++)
		BN_clear_free(parts[i].bn);
	return r;
}

static int ec_curve(const json_t *jwk, size_t *ret, char *why, size_t why_size)
{
	const char *crv = json_string_value(json_object_get(jwk, "crv"));
	uint32_t curve = crv ? kvault_curve_parse(crv) : 0;
	size_t i;

	for (i = 0; i < KVL_SIZE(groups); i++)
		if (curve && groups[i].curve == curve) {
			*ret = i;
			return 0;
		}
	snprintf(why, why_size, "'crv' of the JWK is not one of P-256, P-384, P-521, P-256K");
	return -EINVAL;
}

static int ec_point(const json_t *jwk, size_t size, uint8_t *point, char *why, size_t why_size)
{
	static const char *const names[] = { "x", "y" };
	ssize_t len;
	size_t i;

	point[0] = 4;
	for (i = 0; i < 2; i++) {
		len = member(jwk, names[i], point + 1 + i * size, size, why, why_size);
		if (len == (ssize_t)size)
			continue;
		if (len >= 0 || len == -EMSGSIZE)
			snprintf(why, why_size, "'%s' of the JWK has not %zu bytes", names[i],
				 size);
		return -EINVAL;
	}
	return 0;
}

static int ec_pkey(const json_t *jwk, bool is_private, EVP_PKEY **ret, char *why,
		   size_t why_size)
{
	struct part d = { "d", OSSL_PKEY_PARAM_PRIV_KEY, true, NULL };
	uint8_t point[1 + 2 * 66];
	OSSL_PARAM_BLD *bld;
	size_t i = 0, size;
	int r;

	r = ec_curve(jwk, &i, why, why_size);
	if (r)
		return r;
	size = groups[i].size;
	r = ec_point(jwk, size, point, why, why_size);
	if (r)
		return r;
	bld = OSSL_PARAM_BLD_new();
	if (!bld ||
	    !OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, groups[i].group, 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size))
		r = -ENOMEM;
	if (!r)
		r = read_numbers(jwk, &d, 1, is_private, bld, why, why_size);
	if (!r) {
		snprintf(why, why_size, "the point of the JWK is not on its curve");
		r = make_pkey("EC", bld, is_private, ret);
	}
	OSSL_PARAM_BLD_free(bld);
	BN_clear_free(d.bn);
	return r;
}

int kvl_jwk_to_pkey(const json_t *jwk, bool is_private, EVP_PKEY **ret, char *why,
		    size_t why_size)
{
	const char *kty = json_string_value(json_object_get(jwk, "kty"));

	if (kty && (!strcmp(kty, "RSA") || !strcmp(kty, "RSA-HSM")))
		return rsa_pkey(jwk, is_private, ret, why, why_size);
	if (kty && (!strcmp(kty, "EC") || !strcmp(kty, "EC-HSM")))
		return ec_pkey(jwk, is_private, ret, why, why_size);
	snprintf(why, why_size, "'kty' of the JWK is not one of RSA, EC, oct");
	return -EOPNOTSUPP;
}

static int public_pkey(const char *jwk, EVP_PKEY **ret)
{
	json_t *j = json_loads(jwk, JSON_REJECT_DUPLICATES, NULL);
	char why[128];
	int r;

	if (!j)
		return -EINVAL;
	r = kvl_jwk_to_pkey(j, false, ret, why, sizeof(why));
	json_decref(j);
	return r;
}

int kvault_public_pem(const char *jwk, char **ret)
{
	EVP_PKEY *pkey = NULL;
	BIO *bio = NULL;
	char *text;
	long len;
	int r;

	r = public_pkey(jwk, &pkey);
	if (r)
		return r;
	bio = BIO_new(BIO_s_mem());
	r = -ENOMEM;
	if (bio && PEM_write_bio_PUBKEY(bio, pkey)) {
		len = BIO_get_mem_data(bio, &text);
		*ret = strndup(text, (size_t)len);
		r = *ret ? 0 : -ENOMEM;
	}
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return r;
}

int kvault_public_verify(const char *jwk, const uint8_t digest[32], const void *raw,
			 size_t raw_len)
{
	uint8_t der[KVAULT_SIGNATURE_MAX];
	size_t der_len = sizeof(der);
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;
	int r;

	if (kvault_signature_to_der(KVAULT_ALG_ES256, raw, raw_len, der, &der_len))
		return -EKEYREJECTED;
	r = public_pkey(jwk, &pkey);
	if (r)
		return r;
	ctx = EVP_PKEY_CTX_new(pkey, NULL);
	r = -ENOMEM;
	if (ctx && EVP_PKEY_verify_init(ctx) > 0)
		r = EVP_PKEY_verify(ctx, der, der_len, digest, 32) == 1 ? 0 : -EKEYREJECTED;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return r;
}
