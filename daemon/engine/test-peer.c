// SPDX-License-Identifier: GPL-2.0-only
/* A peer with the public key, by OpenSSL alone: shares no code with pub.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/test-peer.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "engine/alg.h"
#include "engine/ossl.h"

void test_answer_init(struct test_answer *a)
{
	memset(a, 0, sizeof(*a));
	a->reply.out = a->out;
	a->reply.out_size = sizeof(a->out);
	a->reply.material = a->material;
	a->reply.material_size = sizeof(a->material);
}

void *test_peer_free(EVP_PKEY *pkey)
{
	EVP_PKEY_free(pkey);
	return pkey;
}

/* base64url of a JWK's member, decoded by OpenSSL's base64 after translation. */
static int member_bytes(const json_t *jwk, const char *name, uint8_t *out)
{
	const char *text = json_string_value(json_object_get(jwk, name));
	char b64[1024] = "";
	size_t len;
	int n;

	if (!text || strlen(text) > sizeof(b64) - 4 || strpbrk(text, "+/="))
		return -1;
	len = strlen(text);
	memcpy(b64, text, len);
	for (char *c = b64; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	while (strlen(b64) % 4)
		strcat(b64, "=");
	n = EVP_DecodeBlock(out, (unsigned char *)b64, (int)strlen(b64));
	return n - (int)(strlen(b64) - len);
}

static EVP_PKEY *from_data(const char *type, OSSL_PARAM_BLD *build)
{
	_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *pkey = NULL;

	if (EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *rsa_from_jwk(const json_t *jwk, OSSL_PARAM_BLD *build)
{
	_cleanup_bn_ BIGNUM *n = NULL, *e = NULL;
	uint8_t bytes[1024];
	int len;

	len = member_bytes(jwk, "n", bytes);
	n = BN_bin2bn(bytes, len, NULL);
	assert_true(bytes[0] != 0);
	len = member_bytes(jwk, "e", bytes);
	e = BN_bin2bn(bytes, len, NULL);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
	return from_data("RSA", build);
}

static EVP_PKEY *ec_from_jwk(const json_t *jwk, OSSL_PARAM_BLD *build)
{
	static const struct {
		const char *crv, *group;
		int size;
	} curves[] = {
		{ "P-256", "P-256", 32 }, { "P-384", "P-384", 48 },
		{ "P-521", "P-521", 66 }, { "P-256K", "secp256k1", 32 },
	};
	const char *crv = json_string_value(json_object_get(jwk, "crv"));
	uint8_t point[1024] = { 4 };

	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		int size = curves[i].size;

		if (strcmp(crv, curves[i].crv))
			continue;
		assert_int_equal(member_bytes(jwk, "x", point + 1), size);
		assert_int_equal(member_bytes(jwk, "y", point + 1 + size), size);
		OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
						curves[i].group, 0);
		OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
						 (size_t)(1 + 2 * size));
		return from_data("EC", build);
	}
	return NULL;
}

EVP_PKEY *test_peer_from_jwk(const uint8_t *json, size_t len)
{
	json_t *jwk = json_loadb((const char *)json, len, JSON_REJECT_DUPLICATES, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	const char *kty = json_string_value(json_object_get(jwk, "kty"));
	EVP_PKEY *pkey = NULL;

	if (kty && !strcmp(kty, "RSA"))
		pkey = rsa_from_jwk(jwk, build);
	else if (kty && !strcmp(kty, "EC"))
		pkey = ec_from_jwk(jwk, build);
	OSSL_PARAM_BLD_free(build);
	json_decref(jwk);
	return pkey;
}

void test_peer_jwk_members(const uint8_t *json, size_t len, const char *const *names)
{
	json_t *jwk = json_loadb((const char *)json, len, JSON_REJECT_DUPLICATES, NULL);
	size_t n = 0;

	assert_non_null(jwk);
	for (; names[n]; n++)
		assert_non_null(json_object_get(jwk, names[n]));
	assert_int_equal(json_object_size(jwk), n);
	json_decref(jwk);
}

/* --- signing ------------------------------------------------------------------ */

static const struct {
	uint32_t alg, kty, curve;
	const char *md;
	int padding;
} signing[] = {
	{ KVAULT_ALG_RS256, KVAULT_KTY_RSA, 0, "SHA256", RSA_PKCS1_PADDING },
	{ KVAULT_ALG_RS384, KVAULT_KTY_RSA, 0, "SHA384", RSA_PKCS1_PADDING },
	{ KVAULT_ALG_RS512, KVAULT_KTY_RSA, 0, "SHA512", RSA_PKCS1_PADDING },
	{ KVAULT_ALG_PS256, KVAULT_KTY_RSA, 0, "SHA256", RSA_PKCS1_PSS_PADDING },
	{ KVAULT_ALG_PS384, KVAULT_KTY_RSA, 0, "SHA384", RSA_PKCS1_PSS_PADDING },
	{ KVAULT_ALG_PS512, KVAULT_KTY_RSA, 0, "SHA512", RSA_PKCS1_PSS_PADDING },
	{ KVAULT_ALG_ES256, KVAULT_KTY_EC, KVAULT_CURVE_P256, "SHA256", 0 },
	{ KVAULT_ALG_ES384, KVAULT_KTY_EC, KVAULT_CURVE_P384, "SHA384", 0 },
	{ KVAULT_ALG_ES512, KVAULT_KTY_EC, KVAULT_CURVE_P521, "SHA512", 0 },
	{ KVAULT_ALG_ES256K, KVAULT_KTY_EC, KVAULT_CURVE_P256K, "SHA256", 0 },
};

static const char message[] = "a message, hashed by the peer itself";

/* Over the message, not over a digest: that the DigestInfo is right shows here. */
static int peer_verifies(EVP_PKEY *pub, const char *md, int padding, const uint8_t *sig,
			 size_t len)
{
	_cleanup_md_ctx_ EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;

	assert_int_equal(EVP_DigestVerifyInit_ex(ctx, &pctx, md, NULL, NULL, pub, NULL), 1);
	if (padding)
		EVP_PKEY_CTX_set_rsa_padding(pctx, padding);
	if (padding == RSA_PKCS1_PSS_PADDING)
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST);
	return EVP_DigestVerify(ctx, sig, len, (const uint8_t *)message, sizeof(message)) == 1;
}

static int peer_verifies_raw(EVP_PKEY *pub, const char *md, const uint8_t *raw, size_t len)
{
	_cleanup_ecdsa_sig_ ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int n, ok;

	ECDSA_SIG_set0(sig, BN_bin2bn(raw, (int)len / 2, NULL),
		       BN_bin2bn(raw + len / 2, (int)len / 2, NULL));
	n = i2d_ECDSA_SIG(sig, &der);
	ok = peer_verifies(pub, md, 0, der, (size_t)n);
	OPENSSL_free(der);
	return ok;
}

static void sign_one(const struct kve_backend *b, void *state, struct kve_key *key,
		     EVP_PKEY *pub, size_t i)
{
	static struct test_answer a, v;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len;
	struct kve_op op = { .alg = kve_alg_find(signing[i].alg), .operation = KVAULT_OP_SIGN };

	EVP_Digest(message, sizeof(message), digest, &digest_len,
		   EVP_get_digestbyname(signing[i].md), NULL);
	op.in = digest;
	op.in_len = digest_len;
	test_answer_init(&a);
	assert_int_equal(kve_op_check(&key->type, &op, &a.reply), 0);
	assert_int_equal(b->crypt(state, key, &op, &a.reply), 0);
	if (signing[i].kty == KVAULT_KTY_EC)
		assert_true(peer_verifies_raw(pub, signing[i].md, a.out, a.reply.out_len));
	else
		assert_true(peer_verifies(pub, signing[i].md, signing[i].padding, a.out,
					  a.reply.out_len));
	op.operation = KVAULT_OP_VERIFY;
	op.sig = a.out;
	op.sig_len = a.reply.out_len;
	test_answer_init(&v);
	assert_int_equal(kve_op_check(&key->type, &op, &v.reply), 0);
	assert_int_equal(b->crypt(state, key, &op, &v.reply), 0);
	assert_int_equal(v.reply.out_len, 0);
	a.out[a.reply.out_len / 3] ^= 0x10;
	assert_int_equal(b->crypt(state, key, &op, &v.reply), -EKEYREJECTED);
	a.out[a.reply.out_len / 3] ^= 0x10;
	digest[0] ^= 1;
	assert_int_equal(b->crypt(state, key, &op, &v.reply), -EKEYREJECTED);
	memset(a.out, 0, a.reply.out_len);
	assert_int_equal(b->crypt(state, key, &op, &v.reply), -EKEYREJECTED);
	memset(a.out, 0xff, a.reply.out_len);
	assert_int_equal(b->crypt(state, key, &op, &v.reply), -EKEYREJECTED);
}

/* RSNULL: what stands between the padding and the end is what was given. */
static void sign_bare(const struct kve_backend *b, void *state, struct kve_key *key,
		      EVP_PKEY *pub)
{
	static const uint8_t bare[] = "not a DigestInfo";
	_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pub, NULL);
	static struct test_answer a;
	uint8_t back[512];
	size_t len = sizeof(back);
	struct kve_op op = {
		.alg = kve_alg_find(KVAULT_ALG_RSNULL), .operation = KVAULT_OP_SIGN,
		.in = bare, .in_len = sizeof(bare),
	};

	test_answer_init(&a);
	assert_int_equal(b->crypt(state, key, &op, &a.reply), 0);
	assert_int_equal(EVP_PKEY_verify_recover_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_verify_recover(ctx, back, &len, a.out, a.reply.out_len), 1);
	assert_int_equal(len, sizeof(bare));
	assert_memory_equal(back, bare, sizeof(bare));
	op.operation = KVAULT_OP_VERIFY;
	op.sig = a.out;
	op.sig_len = a.reply.out_len;
	assert_int_equal(b->crypt(state, key, &op, &a.reply), 0);
	a.out[0] ^= 1;
	assert_int_equal(b->crypt(state, key, &op, &a.reply), -EKEYREJECTED);
}

void test_peer_signing(const struct kve_backend *b, void *state, struct kve_key *key,
		       EVP_PKEY *pub)
{
	/* Twice: a context that was kept must do as well as a new one. */
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < ARRAY_SIZE(signing); i++)
			if (signing[i].kty == key->type.kty &&
			    signing[i].curve == key->type.curve)
				sign_one(b, state, key, pub, i);
	if (key->type.kty == KVAULT_KTY_RSA)
		sign_bare(b, state, key, pub);
}

/* --- encrypting --------------------------------------------------------------- */

static const struct {
	uint32_t alg;
	int padding;
	const char *md;
} crypting[] = {
	{ KVAULT_ALG_RSA1_5, RSA_PKCS1_PADDING, NULL },
	{ KVAULT_ALG_RSA_OAEP, RSA_PKCS1_OAEP_PADDING, "SHA1" },
	{ KVAULT_ALG_RSA_OAEP_256, RSA_PKCS1_OAEP_PADDING, "SHA256" },
};

static size_t peer_encrypts(EVP_PKEY *pub, size_t i, const uint8_t *in, size_t len, uint8_t *ct)
{
	_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pub, NULL);
	size_t ct_len = 512;

	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, crypting[i].padding), 1);
	if (crypting[i].md) {
		const EVP_MD *md = EVP_get_digestbyname(crypting[i].md);

		assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md), 1);
	}
	assert_int_equal(EVP_PKEY_encrypt(ctx, ct, &ct_len, in, len), 1);
	return ct_len;
}

static void crypt_one(const struct kve_backend *b, void *state, struct kve_key *key,
		      EVP_PKEY *pub, size_t i, size_t len)
{
	static struct test_answer a, d;
	uint8_t plain[512], ct[512];
	struct kve_op op = {
		.alg = kve_alg_find(crypting[i].alg), .operation = KVAULT_OP_DECRYPT, .in = ct,
	};

	RAND_bytes(plain, sizeof(plain));
	op.in_len = peer_encrypts(pub, i, plain, len, ct);
	test_answer_init(&d);
	assert_int_equal(b->crypt(state, key, &op, &d.reply), 0);
	assert_int_equal(d.reply.out_len, len);
	assert_memory_equal(d.out, plain, len);

	op = (struct kve_op) { .alg = op.alg, .operation = KVAULT_OP_WRAP, .in = plain,
			       .in_len = len };
	test_answer_init(&a);
	assert_int_equal(b->crypt(state, key, &op, &a.reply), 0);
	op = (struct kve_op) { .alg = op.alg, .operation = KVAULT_OP_UNWRAP, .in = a.out,
			       .in_len = a.reply.out_len };
	test_answer_init(&d);
	assert_int_equal(b->crypt(state, key, &op, &d.reply), 0);
	assert_int_equal(d.reply.out_len, len);
	assert_memory_equal(d.out, plain, len);

	if (crypting[i].padding != RSA_PKCS1_OAEP_PADDING)
		return;
	a.out[a.reply.out_len - 1] ^= 1;
	assert_int_equal(b->crypt(state, key, &op, &d.reply), -EBADMSG);
	memset(a.out, 0xff, a.reply.out_len);	/* more than the modulus */
	assert_int_equal(b->crypt(state, key, &op, &d.reply), -EBADMSG);
}

void test_peer_crypting(const struct kve_backend *b, void *state, struct kve_key *key,
			EVP_PKEY *pub)
{
	for (size_t i = 0; i < ARRAY_SIZE(crypting); i++) {
		crypt_one(b, state, key, pub, i, 32);
		crypt_one(b, state, key, pub, i, 1);
		crypt_one(b, state, key, pub, i, 0);
		crypt_one(b, state, key, pub, i, 190);
	}
}
