// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys for tests. The DER of wrong ones is put together here byte by byte,
 * since OpenSSL would not write them.
 */
#include "engine/test-keys.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "engine/ossl.h"
#include "util/hex.h"

const struct kve_type test_types[] = {
	{ KVAULT_KTY_RSA, 2048, 0 },
	{ KVAULT_KTY_RSA, 3072, 0 },
	{ KVAULT_KTY_RSA, 4096, 0 },
	{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 },
	{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P384 },
	{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P521 },
	{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P256K },
};
const size_t test_types_count = ARRAY_SIZE(test_types);

void test_hex(uint8_t *dst, size_t len, const char *hex)
{
	int r = kvd_hex_decode(dst, len, hex);

	assert(r == 0);
	(void)r;
}

struct kvd_bytes test_der_of(EVP_PKEY *pkey)
{
	_cleanup_pkcs8_ PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	struct kvd_bytes der = { 0 };
	int len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der.data);

	assert(len > 0);
	der.len = (size_t)len;
	EVP_PKEY_free(pkey);
	return der;
}

static EVP_PKEY *keygen(const struct kve_type *type)
{
	static const char *const groups[] = {
		"P-256", "P-256", "P-384", "P-521", "secp256k1",
	};

	if (type->kty == KVAULT_KTY_RSA)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
					 (size_t)(type->bits ? type->bits : 2048));
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[type->curve]);
}

struct kvd_bytes test_key_der(const struct kve_type *type)
{
	return test_der_of(keygen(type));
}

struct kvd_bytes test_der_explicit_curve(void)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
	return test_der_of(pkey);
}

/* --- DER by hand ------------------------------------------------------------ */

static void put(struct kvd_bytes *b, const void *data, size_t len)
{
	b->data = realloc(b->data, b->len + len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

/* A tag, a length of at most 65535, the content; content is freed. */
static void put_tlv(struct kvd_bytes *b, uint8_t tag, struct kvd_bytes content)
{
	uint8_t head[4] = { tag, 0x82, (uint8_t)(content.len >> 8), (uint8_t)content.len };

	if (content.len < 128) {
		head[1] = (uint8_t)content.len;
		put(b, head, 2);
	} else if (content.len < 256) {
		head[1] = 0x81;
		head[2] = (uint8_t)content.len;
		put(b, head, 3);
	} else {
		put(b, head, 4);
	}
	put(b, content.data, content.len);
	free(content.data);
}

static void put_number(struct kvd_bytes *b, const BIGNUM *bn)
{
	struct kvd_bytes content = { 0 };
	size_t len = (size_t)BN_num_bytes(bn) + 1;	/* a zero in front: positive */

	content.data = malloc(len);
	content.len = len;
	BN_bn2binpad(bn, content.data, (int)len);
	if (len > 1 && content.data[1] < 0x80) {	/* and none where it is not needed */
		memmove(content.data, content.data + 1, len - 1);
		content.len--;
	}
	put_tlv(b, 0x02, content);
}

static void put_small(struct kvd_bytes *b, unsigned int v)
{
	_cleanup_bn_ BIGNUM *bn = BN_new();

	BN_set_word(bn, v);
	put_number(b, bn);
}

static struct kvd_bytes pkcs8(const uint8_t *alg, size_t alg_len, struct kvd_bytes key)
{
	struct kvd_bytes body = { 0 }, der = { 0 };

	put_small(&body, 0);
	put(&body, alg, alg_len);
	put_tlv(&body, 0x04, key);
	put_tlv(&der, 0x30, body);
	return der;
}

/* --- RSA -------------------------------------------------------------------- */

enum { N, E, D, P, Q, DP, DQ, QI, NUMBERS };

static const char *const rsa_params[NUMBERS] = {
	OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
	OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
	OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
	OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/* All numbers of a key that belongs to primes p and q, which need not be prime. */
static void rsa_derive(BIGNUM *k[NUMBERS], BN_CTX *ctx)
{
	_cleanup_bn_ BIGNUM *p1 = BN_dup(k[P]), *q1 = BN_dup(k[Q]), *phi = BN_new();

	BN_sub_word(p1, 1);
	BN_sub_word(q1, 1);
	BN_mul(phi, p1, q1, ctx);
	BN_mul(k[N], k[P], k[Q], ctx);
	BN_mod_inverse(k[D], k[E], phi, ctx);
	BN_mod(k[DP], k[D], p1, ctx);
	BN_mod(k[DQ], k[D], q1, ctx);
	BN_mod_inverse(k[QI], k[Q], k[P], ctx);
}

/* Is there a d for this e? */
static int rsa_fits(BIGNUM *k[NUMBERS], BN_CTX *ctx)
{
	_cleanup_bn_ BIGNUM *p1 = BN_dup(k[P]), *q1 = BN_dup(k[Q]), *g = BN_new();
	int ok;

	BN_sub_word(p1, 1);
	BN_sub_word(q1, 1);
	ok = BN_gcd(g, p1, k[E], ctx) && BN_is_one(g);
	return ok && BN_gcd(g, q1, k[E], ctx) && BN_is_one(g);
}

static void rsa_exponent(BIGNUM *k[NUMBERS], const char *hex, BN_CTX *ctx)
{
	BN_hex2bn(&k[E], hex);
	do {
		BN_generate_prime_ex(k[P], 1024, 0, NULL, NULL, NULL);
		BN_generate_prime_ex(k[Q], 1024, 0, NULL, NULL, NULL);
		BN_mul(k[N], k[P], k[Q], ctx);
	} while (!rsa_fits(k, ctx) || BN_num_bits(k[N]) != 2048);
	rsa_derive(k, ctx);
}

/* q becomes a product of two primes; every equation but primality still holds. */
static void rsa_composite(BIGNUM *k[NUMBERS], BN_CTX *ctx)
{
	_cleanup_bn_ BIGNUM *a = BN_new(), *b = BN_new();

	do {
		BN_generate_prime_ex(a, 512, 0, NULL, NULL, NULL);
		BN_generate_prime_ex(b, 512, 0, NULL, NULL, NULL);
		BN_mul(k[Q], a, b, ctx);
		BN_mul(k[N], k[P], k[Q], ctx);
	} while (!rsa_fits(k, ctx) || BN_num_bits(k[N]) != 2048);
	rsa_derive(k, ctx);
}

static void rsa_spoil(BIGNUM *k[NUMBERS], enum test_rsa_wrong what)
{
	_cleanup_bn_ctx_ BN_CTX *ctx = BN_CTX_new();

	switch (what) {
	case TEST_RSA_N:
		BN_add_word(k[N], 2);
		break;
	case TEST_RSA_D:
		BN_sub_word(k[D], 2);
		break;
	case TEST_RSA_DP:
		BN_sub_word(k[DP], 2);
		break;
	case TEST_RSA_DQ:
		BN_sub_word(k[DQ], 2);
		break;
	case TEST_RSA_QI:
		BN_sub_word(k[QI], 2);
		break;
	case TEST_RSA_NO_CRT:
		BN_zero(k[DP]);
		BN_zero(k[DQ]);
		BN_zero(k[QI]);
		break;
	case TEST_RSA_E3:
		rsa_exponent(k, "3", ctx);
		break;
	case TEST_RSA_E_LARGE:
		rsa_exponent(k, "10000000000000001", ctx);
		break;
	case TEST_RSA_COMPOSITE:
		rsa_composite(k, ctx);
		break;
	}
}

static void rsa_numbers(enum test_rsa_wrong what, BIGNUM *k[NUMBERS])
{
	_cleanup_pkey_ EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);

	for (int i = 0; i < NUMBERS; i++) {
		k[i] = NULL;
		EVP_PKEY_get_bn_param(pkey, rsa_params[i], &k[i]);
	}
	rsa_spoil(k, what);
}

EVP_PKEY *test_rsa_wrong(enum test_rsa_wrong what)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;
	BIGNUM *k[NUMBERS];
	int ok;

	rsa_numbers(what, k);
	for (int i = 0; i < NUMBERS; i++)
		OSSL_PARAM_BLD_push_BN(build, rsa_params[i], k[i]);
	params = OSSL_PARAM_BLD_to_param(build);
	ok = EVP_PKEY_fromdata_init(ctx) == 1 &&
	     EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) == 1;
	assert(ok);
	(void)ok;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	for (int i = 0; i < NUMBERS; i++)
		BN_clear_free(k[i]);
	return pkey;
}

struct kvd_bytes test_rsa_der_wrong(enum test_rsa_wrong what)
{
	static const uint8_t rsa_alg[] = {
		0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
		0x05, 0x00,
	};
	struct kvd_bytes body = { 0 }, key = { 0 };
	BIGNUM *k[NUMBERS];

	rsa_numbers(what, k);
	put_small(&body, 0);
	for (int i = 0; i < NUMBERS; i++) {
		put_number(&body, k[i]);
		BN_clear_free(k[i]);
	}
	put_tlv(&key, 0x30, body);
	return pkcs8(rsa_alg, sizeof(rsa_alg), key);
}

/* --- EC ---------------------------------------------------------------------- */

struct kvd_bytes test_ec_der(const char *d, const char *x, const char *y)
{
	static const uint8_t p256_alg[] = {
		0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
		0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
	};
	static const uint8_t point_head[] = { 0x00, 0x04 };
	struct kvd_bytes body = { 0 }, number = { 0 }, bits = { 0 }, point = { 0 }, key = { 0 };
	uint8_t bytes[32];

	put_small(&body, 1);
	test_hex(bytes, sizeof(bytes), d);
	put(&number, bytes, sizeof(bytes));
	put_tlv(&body, 0x04, number);
	put(&bits, point_head, sizeof(point_head));
	test_hex(bytes, sizeof(bytes), x);
	put(&bits, bytes, sizeof(bytes));
	test_hex(bytes, sizeof(bytes), y);
	put(&bits, bytes, sizeof(bytes));
	put_tlv(&point, 0x03, bits);
	put_tlv(&body, 0xa1, point);
	put_tlv(&key, 0x30, body);
	return pkcs8(p256_alg, sizeof(p256_alg), key);
}

struct kvd_bytes test_ec_der_wrong(enum test_ec_wrong what)
{
	/* RFC 6979 A.2.5; the generator belongs to d = 1; n is the group's order. */
	static const char d[] = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
	static const char x[] = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6";
	static const char y[] = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
	static const char y_off[] =
		"7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462298";
	static const char gx[] = "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296";
	static const char gy[] = "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5";
	static const char n[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
	static const char zero[] =
		"0000000000000000000000000000000000000000000000000000000000000000";

	switch (what) {
	case TEST_EC_OFF_CURVE:
		return test_ec_der(d, x, y_off);
	case TEST_EC_OTHER_POINT:
		return test_ec_der(d, gx, gy);
	case TEST_EC_ZERO:
		return test_ec_der(zero, x, y);
	case TEST_EC_TOO_LARGE:
	default:
		return test_ec_der(n, x, y);
	}
}
