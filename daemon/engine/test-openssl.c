// SPDX-License-Identifier: GPL-2.0-only
/*
 * The openssl backend against OpenSSL itself, both ways, and against keys that
 * are wrong in one thing each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "engine/alg.h"
#include "engine/key.h"
#include "engine/ossl.h"
#include "engine/test-keys.h"
#include "engine/test-peer.h"

static const uint8_t version[KVAULT_ID_SIZE] = { 1 };

static int load(const struct kve_type *type, const struct test_answer *a, struct kve_key **key)
{
	struct kve_material m = { a->material, a->reply.material_len };
	struct kve_reply reply = { 0 };

	return kve_openssl.load(NULL, type, &m, key, &reply);
}

/* Makes a key of a type; its public half comes back as OpenSSL has it. */
static struct kve_key *make(const struct kve_type *type, EVP_PKEY **pub, struct test_answer *a)
{
	struct kve_key *key = NULL;

	test_answer_init(a);
	assert_int_equal(kve_openssl.generate(NULL, type, version, &a->reply), 0);
	*pub = test_peer_from_jwk(a->out, a->reply.out_len);
	assert_non_null(*pub);
	assert_int_equal(load(type, a, &key), 0);
	return key;
}

/* A large key takes seconds to make: one for each type must do for all of this. */
static void every_operation_agrees_with_openssl(void **state)
{
	static const char *const rsa[] = { "kty", "n", "e", NULL };
	static const char *const ec[] = { "kty", "crv", "x", "y", NULL };

	(void)state;
	for (size_t t = 0; t < test_types_count; t++) {
		int is_rsa = test_types[t].kty == KVAULT_KTY_RSA;
		_cleanup_pkey_ EVP_PKEY *pub = NULL;
		struct test_answer a;
		struct kve_key *key = make(&test_types[t], &pub, &a);

		test_peer_jwk_members(a.out, a.reply.out_len, is_rsa ? rsa : ec);
		test_peer_signing(&kve_openssl, NULL, key, pub);
		if (is_rsa)
			test_peer_crypting(&kve_openssl, NULL, key, pub);
		kve_openssl.forget(NULL, key);
	}
}

static void unsupported_types_are_refused(void **state)
{
	static const struct kve_type bad[] = {
		{ KVAULT_KTY_RSA, 1024, 0 }, { KVAULT_KTY_RSA, 2047, 0 },
		{ KVAULT_KTY_RSA, 8192, 0 }, { KVAULT_KTY_RSA, 0, 0 },
		{ KVAULT_KTY_EC, 0, 0 },     { KVAULT_KTY_EC, 0, 99 },
		{ KVAULT_KTY_OCT, 256, 0 },  { 0, 0, 0 },
	};
	struct test_answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		test_answer_init(&a);
		assert_int_equal(kve_openssl.generate(NULL, &bad[i], version, &a.reply),
				 -EOPNOTSUPP);
		assert_true(a.reply.why[0]);
	}
}

/* Imports DER; on a refusal the line must contain a word. */
static int import(const struct kve_type *type, const uint8_t *der, size_t len,
		  struct test_answer *a)
{
	struct kve_material m = { der, len };

	test_answer_init(a);
	return kve_openssl.import(NULL, type, &m, &a->reply);
}

static void assert_import_refused(const struct kve_type *type, const struct kvd_bytes *der,
				  int want, const char *word)
{
	struct test_answer a;
	int r = import(type, der->data, der->len, &a);

	if (r != want || !strstr(a.reply.why, word))
		print_error("import: %d '%s', wanted %d '%s'\n", r, a.reply.why, want, word);
	assert_int_equal(r, want);
	assert_non_null(strstr(a.reply.why, word));
}

static void import_gives_canonical_material(void **state)
{
	(void)state;
	for (size_t t = 0; t < test_types_count; t++) {
		if (test_types[t].bits > 2048)
			continue;

		_cleanup_bytes_ struct kvd_bytes der = test_key_der(&test_types[t]);
		struct kve_type any = { test_types[t].kty, 0, 0 };
		struct test_answer a, b;

		assert_int_equal(import(&test_types[t], der.data, der.len, &a), 0);
		assert_int_equal(import(&any, a.material, a.reply.material_len, &b), 0);
		assert_int_equal(a.reply.material_len, b.reply.material_len);
		assert_memory_equal(a.material, b.material, a.reply.material_len);
		assert_int_equal(a.reply.out_len, b.reply.out_len);
		assert_memory_equal(a.out, b.out, a.reply.out_len);
	}
}

static void import_refuses_another_type(void **state)
{
	static const struct kve_type rsa = { KVAULT_KTY_RSA, 2048, 0 };
	static const struct kve_type ec = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 };
	static const struct kve_type large = { KVAULT_KTY_RSA, 3072, 0 };
	static const struct kve_type other = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P256K };
	_cleanup_bytes_ struct kvd_bytes r = test_key_der(&rsa), e = test_key_der(&ec);

	(void)state;
	assert_import_refused(&ec, &r, -EINVAL, "an RSA key, not an EC key");
	assert_import_refused(&rsa, &e, -EINVAL, "an EC key, not an RSA key");
	assert_import_refused(&large, &r, -EINVAL, "2048 bits, not 3072");
	assert_import_refused(&other, &e, -EINVAL, "another curve");
}

static void import_refuses_every_truncation(void **state)
{
	static const struct kve_type ec = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 };
	_cleanup_bytes_ struct kvd_bytes der = test_key_der(&ec);
	struct test_answer a;

	(void)state;
	for (size_t len = 0; len < der.len; len++)
		assert_int_equal(import(&ec, der.data, len, &a), -EINVAL);
}

static void import_refuses_trailing_bytes(void **state)
{
	static const struct kve_type ec = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 };
	_cleanup_bytes_ struct kvd_bytes der = test_key_der(&ec), longer = { 0 };

	(void)state;
	longer.len = der.len + 1;
	longer.data = calloc(1, longer.len);
	memcpy(longer.data, der.data, der.len);
	assert_import_refused(&ec, &longer, -EINVAL, "bytes follow");
}

/* No flip of a byte may crash, and none may give a key that is not a key. */
static void import_survives_every_flip(void **state)
{
	static const struct kve_type ec = { KVAULT_KTY_EC, 0, 0 };
	_cleanup_bytes_ struct kvd_bytes der = test_key_der(&ec);
	struct test_answer a;

	(void)state;
	for (size_t i = 0; i < der.len; i++) {
		der.data[i] ^= 0x41;
		if (import(&ec, der.data, der.len, &a) == 0)
			assert_non_null(test_peer_free(test_peer_from_jwk(a.out, a.reply.out_len)));
		der.data[i] ^= 0x41;
	}
}

static void import_refuses_foreign_algorithms(void **state)
{
	static const struct kve_type rsa = { KVAULT_KTY_RSA, 0, 0 };
	static const struct kve_type ec = { KVAULT_KTY_EC, 0, 0 };
	_cleanup_bytes_ struct kvd_bytes ed = test_der_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	_cleanup_bytes_ struct kvd_bytes p224 =
		test_der_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224"));
	_cleanup_bytes_ struct kvd_bytes small =
		test_der_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024));
	_cleanup_bytes_ struct kvd_bytes params = test_der_explicit_curve();

	(void)state;
	assert_import_refused(&ec, &ed, -EOPNOTSUPP, "neither an RSA nor an EC key");
	assert_import_refused(&ec, &p224, -EOPNOTSUPP, "P-256, P-384");
	assert_import_refused(&rsa, &small, -EOPNOTSUPP, "not 1024");
	assert_import_refused(&ec, &params, -EOPNOTSUPP, "curve is not named");
}

static void import_refuses_wrong_rsa_numbers(void **state)
{
	static const struct kve_type rsa = { KVAULT_KTY_RSA, 2048, 0 };
	static const struct {
		enum test_rsa_wrong what;
		const char *word;
	} cases[] = {
		{ TEST_RSA_N, "not p times q" },
		{ TEST_RSA_D, "do not match" },
		{ TEST_RSA_DP, "dp" },
		{ TEST_RSA_DQ, "dq" },
		{ TEST_RSA_QI, "qi" },
		{ TEST_RSA_NO_CRT, "lacks a CRT parameter" },
		{ TEST_RSA_E3, "exponent e" },
		{ TEST_RSA_E_LARGE, "exponent e" },
		{ TEST_RSA_COMPOSITE, "not prime" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_bytes_ struct kvd_bytes der = test_rsa_der_wrong(cases[i].what);

		assert_import_refused(&rsa, &der, -EINVAL, cases[i].word);
	}
}

static void import_refuses_wrong_ec_numbers(void **state)
{
	static const struct kve_type ec = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 };
	_cleanup_bytes_ struct kvd_bytes off = test_ec_der_wrong(TEST_EC_OFF_CURVE);
	_cleanup_bytes_ struct kvd_bytes other = test_ec_der_wrong(TEST_EC_OTHER_POINT);
	_cleanup_bytes_ struct kvd_bytes zero = test_ec_der_wrong(TEST_EC_ZERO);
	_cleanup_bytes_ struct kvd_bytes large = test_ec_der_wrong(TEST_EC_TOO_LARGE);
	struct test_answer a;

	(void)state;
	assert_import_refused(&ec, &off, -EINVAL, "not on its curve");
	assert_import_refused(&ec, &other, -EINVAL, "halves of the EC key do not match");
	assert_int_equal(import(&ec, zero.data, zero.len, &a), -EINVAL);
	assert_int_equal(import(&ec, large.data, large.len, &a), -EINVAL);
}

/* A fault in a stored key: it is not loaded, so nothing is signed with it. */
static void load_refuses_corrupted_crt(void **state)
{
	static const struct kve_type rsa = { KVAULT_KTY_RSA, 2048, 0 };
	static const enum test_rsa_wrong wrong[] = {
		TEST_RSA_DP, TEST_RSA_DQ, TEST_RSA_QI, TEST_RSA_D, TEST_RSA_N,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_bytes_ struct kvd_bytes der = test_rsa_der_wrong(wrong[i]);
		struct kve_material m = { der.data, der.len };
		struct kve_reply reply = { 0 };
		struct kve_key *key = NULL;

		assert_int_equal(kve_openssl.load(NULL, &rsa, &m, &key, &reply), -EINVAL);
		assert_null(key);
	}
}

/*
 * A fault in memory, after loading: OpenSSL sees that the CRT's result does not
 * fit e and computes anew. A signature that came out wrong would give away p.
 */
static void fault_in_memory_gives_no_wrong_signature(void **state)
{
	static const enum test_rsa_wrong wrong[] = { TEST_RSA_DP, TEST_RSA_DQ, TEST_RSA_QI };
	static const uint8_t digest[32] = { 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_pkey_ EVP_PKEY *pkey = test_rsa_wrong(wrong[i]);
		_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
		uint8_t sig[256];
		size_t len = sizeof(sig);

		assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
		assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
		if (EVP_PKEY_sign(ctx, sig, &len, digest, sizeof(digest)) != 1)
			continue;
		assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
		assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
		assert_int_equal(EVP_PKEY_verify(ctx, sig, len, digest, sizeof(digest)), 1);
	}
}

/*
 * RFC 6979 A.2.5: a signature over SHA-256("sample") with a known P-256 key,
 * as r || s.
 */
static void published_ecdsa_signature_verifies(void **state)
{
	static const char x[] = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6";
	static const char y[] = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
	static const char d[] = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
	static const char sig_hex[] =
		"EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
		"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
	static const struct kve_type ec = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 };
	_cleanup_bytes_ struct kvd_bytes der = test_ec_der(d, x, y);
	uint8_t digest[32], sig[64];
	struct kve_key *key = NULL;
	struct test_answer a;
	struct kve_op op = {
		.alg = kve_alg_find(KVAULT_ALG_ES256),
		.operation = KVAULT_OP_VERIFY,
		.in = digest, .in_len = sizeof(digest), .sig = sig, .sig_len = sizeof(sig),
	};

	(void)state;
	test_hex(sig, sizeof(sig), sig_hex);
	assert_int_equal(EVP_Digest("sample", 6, digest, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(import(&ec, der.data, der.len, &a), 0);
	assert_int_equal(load(&ec, &a, &key), 0);
	assert_int_equal(kve_openssl.crypt(NULL, key, &op, &a.reply), 0);
	sig[63] ^= 1;
	assert_int_equal(kve_openssl.crypt(NULL, key, &op, &a.reply), -EKEYREJECTED);
	kve_openssl.forget(NULL, key);
}

static void pairings_and_lengths_are_checked(void **state)
{
	static const struct kve_type rsa = { KVAULT_KTY_RSA, 2048, 0 };
	static const struct kve_type p256 = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 };
	static const struct {
		const struct kve_type *type;
		uint32_t alg, operation;
		size_t in_len, sig_len;
		int want;
	} cases[] = {
		{ &rsa, KVAULT_ALG_RS256, KVAULT_OP_SIGN, 32, 0, 0 },
		{ &rsa, KVAULT_ALG_RS256, KVAULT_OP_SIGN, 31, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RS256, KVAULT_OP_SIGN, 33, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RS256, KVAULT_OP_SIGN, 0, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_PS512, KVAULT_OP_SIGN, 32, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RSNULL, KVAULT_OP_SIGN, 0, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RSNULL, KVAULT_OP_SIGN, 245, 0, 0 },
		{ &rsa, KVAULT_ALG_RSNULL, KVAULT_OP_SIGN, 246, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RS256, KVAULT_OP_VERIFY, 32, 256, 0 },
		{ &rsa, KVAULT_ALG_RS256, KVAULT_OP_VERIFY, 32, 255, -EKEYREJECTED },
		{ &rsa, KVAULT_ALG_RS256, KVAULT_OP_ENCRYPT, 32, 0, -EOPNOTSUPP },
		{ &rsa, KVAULT_ALG_ES256, KVAULT_OP_SIGN, 32, 0, -EOPNOTSUPP },
		{ &rsa, KVAULT_ALG_A256GCM, KVAULT_OP_ENCRYPT, 32, 0, -EOPNOTSUPP },
		{ &rsa, 9999, KVAULT_OP_SIGN, 32, 0, -EOPNOTSUPP },
		{ &p256, KVAULT_ALG_ES256, KVAULT_OP_SIGN, 32, 0, 0 },
		{ &p256, KVAULT_ALG_ES256, KVAULT_OP_SIGN, 48, 0, -EINVAL },
		{ &p256, KVAULT_ALG_ES256K, KVAULT_OP_SIGN, 32, 0, -EOPNOTSUPP },
		{ &p256, KVAULT_ALG_ES384, KVAULT_OP_SIGN, 48, 0, -EOPNOTSUPP },
		{ &p256, KVAULT_ALG_RS256, KVAULT_OP_SIGN, 32, 0, -EOPNOTSUPP },
		{ &p256, KVAULT_ALG_ES256, KVAULT_OP_VERIFY, 32, 63, -EKEYREJECTED },
		{ &rsa, KVAULT_ALG_RSA_OAEP, KVAULT_OP_ENCRYPT, 214, 0, 0 },
		{ &rsa, KVAULT_ALG_RSA_OAEP, KVAULT_OP_ENCRYPT, 215, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RSA_OAEP_256, KVAULT_OP_WRAP, 191, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RSA1_5, KVAULT_OP_ENCRYPT, 246, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RSA_OAEP, KVAULT_OP_DECRYPT, 255, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RSA_OAEP, KVAULT_OP_UNWRAP, 257, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RSA1_5, KVAULT_OP_DECRYPT, 0, 0, -EINVAL },
		{ &rsa, KVAULT_ALG_RSA_OAEP, KVAULT_OP_SIGN, 32, 0, -EOPNOTSUPP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kve_op op = {
			.alg = kve_alg_find(cases[i].alg),
			.operation = cases[i].operation,
			.in_len = cases[i].in_len,
			.sig_len = cases[i].sig_len,
		};
		struct kve_reply reply = { 0 };
		int r = kve_op_check(cases[i].type, &op, &reply);

		if (r != cases[i].want)
			print_error("case %zu\n", i);
		assert_int_equal(r, cases[i].want);
		assert_int_equal(!!reply.why[0], !!r);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_agrees_with_openssl),
		cmocka_unit_test(unsupported_types_are_refused),
		cmocka_unit_test(import_gives_canonical_material),
		cmocka_unit_test(import_refuses_another_type),
		cmocka_unit_test(import_refuses_every_truncation),
		cmocka_unit_test(import_refuses_trailing_bytes),
		cmocka_unit_test(import_survives_every_flip),
		cmocka_unit_test(import_refuses_foreign_algorithms),
		cmocka_unit_test(import_refuses_wrong_rsa_numbers),
		cmocka_unit_test(import_refuses_wrong_ec_numbers),
		cmocka_unit_test(load_refuses_corrupted_crt),
		cmocka_unit_test(fault_in_memory_gives_no_wrong_signature),
		cmocka_unit_test(published_ecdsa_signature_verifies),
		cmocka_unit_test(pairings_and_lengths_are_checked),
	};

	return cmocka_run_group_tests_name("openssl", tests, NULL, NULL);
}
