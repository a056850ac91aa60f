// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Private keys that come from elsewhere: what may be seen of one becomes JSON,
 * what may not becomes bytes for secret_in. JWK, PEM, DER, raw.
 */
#include <ctype.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define OCT_MAX	64	/* bytes of a symmetric key: 512 bits, for volumes */

struct source {
	const uint8_t *data;
	size_t len;
	kvault_passphrase_fn passphrase;
	void *passphrase_data;
	char *why;
	size_t why_size;
};

static int refuse(const struct source *src, int r, const char *text)
{
	snprintf(src->why, src->why_size, "%s", text);
	return r;
}

/* Members that are secret are wiped in place before jansson frees them. */
static void jwk_free(json_t *jwk)
{
	static const char *const names[] = { "k", "d", "p", "q", "dp", "dq", "qi", "oth" };
	json_t *j;
	size_t i;

	for (i = 0; i < KVL_SIZE(names); i++) {
		j = json_object_get(jwk, names[i]);
		if (json_is_string(j))
			explicit_bzero((char *)json_string_value(j), json_string_length(j));
	}
	json_decref(jwk);
}

static int set_bn(json_t *jwk, const char *name, const EVP_PKEY *pkey, const char *param,
		  size_t size)
{
	uint8_t buf[1024];
	char text[KVAULT_BASE64URL_LEN(sizeof(buf))];
	BIGNUM *bn = NULL;
	int n, r = -EINVAL;

	if (!EVP_PKEY_get_bn_param(pkey, param, &bn))
		return -EINVAL;
	n = BN_num_bytes(bn);
	if (size && (size_t)n <= size)
		n = (int)size;
	if (n > 0 && (size_t)n <= sizeof(buf) && BN_bn2binpad(bn, buf, n) == n) {
		kvault_base64url_encode(text, buf, (size_t)n);
		r = json_object_set_new(jwk, name, json_string(text)) ? -ENOMEM : 0;
	}
	BN_free(bn);
	return r;
}

static int rsa_public(const EVP_PKEY *pkey, json_t *jwk)
{
	int r = json_object_set_new(jwk, "kty", json_string("RSA")) ? -ENOMEM : 0;

	if (!r)
		r = set_bn(jwk, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0);
	return r ? r : set_bn(jwk, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
}

static int ec_public(const struct source *src, const EVP_PKEY *pkey, json_t *jwk)
{
	static const struct {
		const char *group, *crv;
		size_t size;
	} groups[] = {
		{ "prime256v1", "P-256", 32 },
		{ "secp384r1", "P-384", 48 },
		{ "secp521r1", "P-521", 66 },
		{ "secp256k1", "P-256K", 32 },
	};
	char group[64] = "";
	size_t i;
	int r;

	EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
				       NULL);
	for (i = 0; i < KVL_SIZE(groups); i++)
		if (!strcmp(group, groups[i].group))
			break;
	if (i == KVL_SIZE(groups))
		return refuse(src, -EOPNOTSUPP,
			      "its curve is not one of P-256, P-384, P-521, secp256k1");
	r = json_object_set_new(jwk, "kty", json_string("EC")) ||
	    json_object_set_new(jwk, "crv", json_string(groups[i].crv)) ? -ENOMEM : 0;
	if (!r)
		r = set_bn(jwk, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, groups[i].size);
	return r ? r : set_bn(jwk, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, groups[i].size);
}

static int to_pkcs8(const EVP_PKEY *pkey, struct kvault_secret *ret)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	struct kvault_secret s;
	uint8_t *p;
	int n, r;

	n = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, NULL) : -1;
	r = n > 0 ? kvault_secret_new((size_t)n, &s) : -EINVAL;
	if (!r) {
		p = s.data;
		s.len = (size_t)i2d_PKCS8_PRIV_KEY_INFO(p8, &p);
		*ret = s;
	}
	/* OpenSSL clears the key in it when it frees. */
	PKCS8_PRIV_KEY_INFO_free(p8);
	return r;
}

static int check_pair(const struct source *src, EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	int ok = ctx && EVP_PKEY_pairwise_check(ctx) > 0;

	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : refuse(src, -EINVAL, "its private and its public half do not match");
}

/* Splits a key of OpenSSL; key_ops is what the JWK said, or NULL. */
static int split_pkey(const struct source *src, EVP_PKEY *pkey, json_t *key_ops,
		      struct kvault_import *ret)
{
	struct kvault_import out = { 0 };
	json_t *jwk = json_object();
	int r;

	if (EVP_PKEY_is_a(pkey, "RSA"))
		r = rsa_public(pkey, jwk);
	else
		r = ec_public(src, pkey, jwk);
	if (!r)
		r = check_pair(src, pkey);
	if (!r && key_ops)
		json_object_set(jwk, "key_ops", key_ops);
	if (!r)
		r = to_pkcs8(pkey, &out.secret);
	if (!r) {
		out.jwk = json_dumps(jwk, JSON_COMPACT);
		r = out.jwk ? 0 : -ENOMEM;
	}
	json_decref(jwk);
	if (r)
		kvault_import_done(&out);
	else
		*ret = out;
	return r;
}

static int check_oct(const struct source *src, size_t len)
{
	if (len == 16 || len == 24 || len == 32 || len == OCT_MAX)
		return 0;
	snprintf(src->why, src->why_size,
		 "a symmetric key has 16, 24, 32 or 64 bytes, and this one has %zu", len);
	return -EINVAL;
}

static int keep_oct(const struct source *src, const struct kvault_secret *s, json_t *key_ops,
		    struct kvault_import *ret)
{
	json_t *jwk;
	char *text;
	int r;

	r = check_oct(src, s->len);
	if (r)
		return r;
	jwk = json_pack("{s:s, s:O*}", "kty", "oct", "key_ops", key_ops);
	text = jwk ? json_dumps(jwk, JSON_COMPACT) : NULL;
	json_decref(jwk);
	if (!text)
		return -ENOMEM;
	ret->jwk = text;
	ret->secret = *s;
	return 0;
}

static int parse_raw(const struct source *src, struct kvault_import *ret)
{
	struct kvault_secret s;
	int r;

	r = check_oct(src, src->len);
	if (!r)
		r = kvault_secret_new(src->len, &s);
	if (r)
		return r;
	memcpy(s.data, src->data, src->len);
	s.len = src->len;
	r = keep_oct(src, &s, NULL, ret);
	if (r)
		kvault_secret_done(&s);
	return r;
}

static int jwk_oct(const struct source *src, const json_t *jwk, struct kvault_import *ret)
{
	const json_t *k = json_object_get(jwk, "k");
	struct kvault_secret s;
	int r;

	if (!json_is_string(k))
		return refuse(src, -EINVAL, "the JWK has no member 'k'");
	r = kvault_secret_new(json_string_length(k), &s);
	if (r)
		return r;
	if (kvault_base64url_decode(s.data, s.size, json_string_value(k), json_string_length(k),
				    &s.len))
		r = refuse(src, -EINVAL, "'k' of the JWK is not base64url");
	if (!r)
		r = keep_oct(src, &s, json_object_get(jwk, "key_ops"), ret);
	if (r)
		kvault_secret_done(&s);
	return r;
}

static int jwk_pair(const struct source *src, const json_t *jwk, struct kvault_import *ret)
{
	EVP_PKEY *pkey = NULL;
	int r;

	if (!json_object_get(jwk, "d"))
		return refuse(src, -EINVAL, "the JWK has no private half, no member 'd'");
	r = kvl_jwk_to_pkey(jwk, true, &pkey, src->why, src->why_size);
	if (!r)
		r = split_pkey(src, pkey, json_object_get(jwk, "key_ops"), ret);
	EVP_PKEY_free(pkey);
	return r;
}

static int parse_jwk(const struct source *src, struct kvault_import *ret)
{
	const char *kty;
	json_error_t error;
	json_t *jwk;
	int r;

	jwk = json_loadb((const char *)src->data, src->len, JSON_REJECT_DUPLICATES, &error);
	if (!jwk) {
		/* What jansson quotes could be part of the key: only the place is told. */
		snprintf(src->why, src->why_size, "it is not JSON (line %d, column %d)",
			 error.line, error.column);
		return -EINVAL;
	}
	kty = json_string_value(json_object_get(jwk, "kty"));
	if (!json_is_object(jwk) || !kty)
		r = refuse(src, -EINVAL, "it is JSON and not a JWK: there is no member 'kty'");
	else if (!strcmp(kty, "oct") || !strcmp(kty, "oct-HSM"))
		r = jwk_oct(src, jwk, ret);
	else
		r = jwk_pair(src, jwk, ret);
	jwk_free(jwk);
	return r;
}

struct asked {
	const struct source *src;
	bool was_asked;
	int error;
};

static int ask(char *buf, size_t size, size_t *ret_len, const OSSL_PARAM params[], void *data)
{
	struct asked *a = data;
	int n;

	(void)params;
	a->was_asked = true;
	n = a->src->passphrase ? a->src->passphrase(buf, size, a->src->passphrase_data) : -ENOKEY;
	if (n < 0) {
		a->error = n;
		return 0;
	}
	*ret_len = (size_t)n;
	return 1;
}

static bool has_private(const EVP_PKEY *pkey)
{
	BIGNUM *bn = NULL;
	bool has;

	has = EVP_PKEY_get_bn_param(pkey, EVP_PKEY_is_a(pkey, "RSA") ? OSSL_PKEY_PARAM_RSA_D :
				    OSSL_PKEY_PARAM_PRIV_KEY, &bn);
	BN_clear_free(bn);
	return has;
}

static int why_not_decoded(const struct source *src, const struct asked *a)
{
	static const char begin[] = "-----BEGIN", end[] = "-----END";

	if (a->was_asked)
		return refuse(src, -EINVAL, a->error ?
			      "it is encrypted, and there is nobody to ask for the passphrase" :
			      "it is encrypted, and the passphrase does not open it");
	if (memmem(src->data, src->len, begin, sizeof(begin) - 1))
		return refuse(src, -EINVAL, memmem(src->data, src->len, end, sizeof(end) - 1) ?
			      "it is PEM, and not of a private RSA or EC key" :
			      "it is PEM that was cut off: there is no line -----END");
	return refuse(src, -EINVAL, "it is none of JWK, PEM, DER (PKCS#8)");
}

/* PEM may have other things before the key, such as the parameters of its curve. */
static EVP_PKEY *decode(const struct source *src, struct asked *a)
{
	static const char begin[] = "-----BEGIN";
	const uint8_t *at = src->data, *end = src->data + src->len, *p;
	OSSL_DECODER_CTX *ctx;
	EVP_PKEY *pkey = NULL;
	size_t left;

	while (at && !pkey && !a->was_asked) {
		p = at;
		left = (size_t)(end - at);
		ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, NULL,
						    NULL);
		if (!ctx)
			return NULL;
		OSSL_DECODER_CTX_set_passphrase_cb(ctx, ask, a);
		OSSL_DECODER_from_data(ctx, &p, &left);
		OSSL_DECODER_CTX_free(ctx);
		at = at < end ? memmem(at + 1, (size_t)(end - at - 1), begin, sizeof(begin) - 1) :
				NULL;
	}
	ERR_clear_error();
	return pkey;
}

static int parse_encoded(const struct source *src, struct kvault_import *ret)
{
	struct asked a = { .src = src };
	EVP_PKEY *pkey = decode(src, &a);
	int r;

	if (!pkey)
		r = why_not_decoded(src, &a);
	else if (!EVP_PKEY_is_a(pkey, "RSA") && !EVP_PKEY_is_a(pkey, "EC"))
		r = refuse(src, -EOPNOTSUPP, "it is neither an RSA nor an EC key");
	else if (!has_private(pkey))
		r = refuse(src, -EINVAL, "it is a public key; a private one is needed");
	else
		r = split_pkey(src, pkey, NULL, ret);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return r;
}

static bool looks_like_json(const uint8_t *p, size_t len)
{
	while (len && isspace(*p)) {
		p++;
		len--;
	}
	return len && *p == '{';
}

int kvault_import_parse(const void *data, size_t len, enum kvault_key_form form,
			kvault_passphrase_fn passphrase, void *passphrase_data,
			struct kvault_import *ret, char *why, size_t why_size)
{
	const struct source src = {
		.data = data, .len = len, .passphrase = passphrase,
		.passphrase_data = passphrase_data, .why = why, .why_size = why_size,
	};

	if (why_size)
		why[0] = '\0';
	if (form == KVAULT_FORM_RAW)
		return parse_raw(&src, ret);
	if (!len)
		return refuse(&src, -EINVAL, "it is empty");
	return looks_like_json(data, len) ? parse_jwk(&src, ret) : parse_encoded(&src, ret);
}

void kvault_import_done(struct kvault_import *in)
{
	free(in->jwk);
	in->jwk = NULL;
	kvault_secret_done(&in->secret);
}
