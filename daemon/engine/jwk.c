// SPDX-License-Identifier: GPL-2.0-only
/*
 * Public keys as JSON Web Keys (RFC 7517, 7518). Only public numbers are asked
 * of the key here, so nothing else can get out.
 */
#include "engine/jwk.h"

#include <jansson.h>
#include <openssl/core_names.h>

#include "engine/alg.h"
#include "engine/key.h"
#include "engine/ossl.h"
#include "util/base64.h"

#define NUMBER_MAX	512	/* bytes of the largest number, a 4096-bit modulus */

/* A number, base64url; len 0 for as many bytes as it needs. */
static int add_number(json_t *jwk, const char *member, const EVP_PKEY *pkey,
		      const char *param, size_t len)
{
	_cleanup_bn_ BIGNUM *bn = NULL;
	unsigned char bytes[NUMBER_MAX];
	char text[KVD_BASE64_LEN(NUMBER_MAX) + 1];

	if (!EVP_PKEY_get_bn_param(pkey, param, &bn))
		return -EIO;
	if (!len)
		len = (size_t)BN_num_bytes(bn);
	if (len > sizeof(bytes) || BN_bn2binpad(bn, bytes, (int)len) < 0)
		return -EIO;
	kvd_base64url_encode(text, bytes, len);
	return json_object_set_new(jwk, member, json_string(text)) < 0 ? -EIO : 0;
}

static int fill(json_t *jwk, const EVP_PKEY *pkey, const struct kve_type *type)
{
	const struct kve_curve *curve = kve_curve_find(type->curve);

	if (type->kty == KVAULT_KTY_RSA)
		return json_object_set_new(jwk, "kty", json_string("RSA")) < 0 ||
		       add_number(jwk, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0) < 0 ||
		       add_number(jwk, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0) < 0 ? -EIO : 0;
	/* RFC 7518 6.2.1.2: coordinates have the full width of the curve. */
	return json_object_set_new(jwk, "kty", json_string("EC")) < 0 ||
	       json_object_set_new(jwk, "crv", json_string(curve->crv)) < 0 ||
	       add_number(jwk, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, curve->size) < 0 ||
	       add_number(jwk, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curve->size) < 0 ? -EIO : 0;
}

int kve_jwk_write(const EVP_PKEY *pkey, struct kve_reply *reply)
{
	struct kve_type type;
	json_t *jwk;
	size_t len = 0;
	int r = kve_key_type(pkey, &type, reply);

	if (r < 0)
		return r;
	jwk = json_object();
	if (jwk && fill(jwk, pkey, &type) == 0)
		len = json_dumpb(jwk, (char *)reply->out, reply->out_size, JSON_COMPACT);
	json_decref(jwk);
	if (!len || len > reply->out_size || len > KVAULT_PUBLIC_MAX)
		return kve_refuse(reply, -EIO, "the public key cannot be written as a JWK");
	reply->out_len = len;
	return 0;
}
