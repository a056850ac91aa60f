// SPDX-License-Identifier: GPL-2.0-only
/*
 * EC and RSA keys, which live in an engine: what they sign and encrypt is
 * checked by OpenSSL with the public key that the vault gives, and what OpenSSL
 * signs and encrypts is checked by them.
 * libs: -lcrypto
 * timeout: 400
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include "kv_test.h"
#include "kselftest_harness.h"

static char vault[64];

__attribute__((constructor)) static void name_the_vault(void)
{
	snprintf(vault, sizeof(vault), "%s", kv_unique("engine"));
}

/* --- the public key of the last answer, as OpenSSL's ---------------------- */

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *p = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (p && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, p);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(p);
	OSSL_PARAM_BLD_free(b);
	return key;
}

static EVP_PKEY *public_ec(const char *group)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * 66] = { 4 };
	int x = kv_json_bytes("x", point + 1, 66), y;

	if (x <= 0)
		return NULL;
	y = kv_json_bytes("y", point + 1 + x, 66);
	if (y != x)
		return NULL;
	OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, (size_t)(1 + x + y));
	return from_params("EC", b);
}

static EVP_PKEY *public_rsa(void)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	uint8_t n[512], e[8];
	int n_len = kv_json_bytes("n", n, sizeof(n)), e_len = kv_json_bytes("e", e, sizeof(e));
	BIGNUM *bn, *be;
	EVP_PKEY *key;

	if (n_len <= 0 || e_len <= 0)
		return NULL;
	bn = BN_bin2bn(n, n_len, NULL);
	be = BN_bin2bn(e, e_len, NULL);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be);
	key = from_params("RSA", b);
	BN_free(bn);
	BN_free(be);
	return key;
}

struct rsa_mode {
	int padding;
	const char *hash;	/* of a signature, or of OAEP */
};

static EVP_PKEY_CTX *rsa_ctx(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *ctx),
			     const struct rsa_mode *m)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	const EVP_MD *md = m->hash ? EVP_get_digestbyname(m->hash) : NULL;
	bool ok = ctx && init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, m->padding) == 1;

	if (ok && m->padding == RSA_PKCS1_OAEP_PADDING)
		ok = EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
		     EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
	else if (ok && md)
		ok = EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
	if (ok && m->padding == RSA_PKCS1_PSS_PADDING)
		ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	if (ok)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

/* r||s -> does it verify? */
static bool ec_verifies(EVP_PKEY *key, const uint8_t *digest, size_t digest_len,
			const uint8_t *sig, size_t sig_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	ECDSA_SIG *s = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int len, ok = 0;

	ECDSA_SIG_set0(s, BN_bin2bn(sig, (int)sig_len / 2, NULL),
		       BN_bin2bn(sig + sig_len / 2, (int)sig_len / 2, NULL));
	len = i2d_ECDSA_SIG(s, &der);
	if (len > 0 && EVP_PKEY_verify_init(ctx) == 1)
		ok = EVP_PKEY_verify(ctx, der, (size_t)len, digest, digest_len) == 1;
	OPENSSL_free(der);
	ECDSA_SIG_free(s);
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* --- EC ------------------------------------------------------------------- */

FIXTURE(ec)
{
	int fd;
	uint32_t h;
	EVP_PKEY *public;
};

FIXTURE_VARIANT(ec)
{
	const char *crv, *group;
	uint32_t curve, alg, wrong_alg;
	size_t digest_len, sig_len;
};

FIXTURE_VARIANT_ADD(ec, ES256)
{
	.crv = "P-256", .group = "P-256", .curve = KVAULT_CURVE_P256, .alg = KVAULT_ALG_ES256,
	.wrong_alg = KVAULT_ALG_ES384, .digest_len = 32, .sig_len = 64,
};

FIXTURE_VARIANT_ADD(ec, ES384)
{
	.crv = "P-384", .group = "P-384", .curve = KVAULT_CURVE_P384, .alg = KVAULT_ALG_ES384,
	.wrong_alg = KVAULT_ALG_ES512, .digest_len = 48, .sig_len = 96,
};

FIXTURE_VARIANT_ADD(ec, ES512)
{
	.crv = "P-521", .group = "P-521", .curve = KVAULT_CURVE_P521, .alg = KVAULT_ALG_ES512,
	.wrong_alg = KVAULT_ALG_ES256, .digest_len = 64, .sig_len = 132,
};

FIXTURE_VARIANT_ADD(ec, ES256K)
{
	.crv = "P-256K", .group = "secp256k1", .curve = KVAULT_CURVE_P256K,
	.alg = KVAULT_ALG_ES256K, .wrong_alg = KVAULT_ALG_ES256, .digest_len = 32, .sig_len = 64,
};

FIXTURE_SETUP(ec)
{
	struct kvault_open o;
	char json[96], path[192];
	const char *name = kv_unique("ec");

	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	ASSERT_EQ(0, kv_vault(self->fd, vault));
	snprintf(json, sizeof(json), "\"kty\":\"EC\",\"crv\":\"%s\"", variant->crv);
	ASSERT_EQ(200, kv_create(self->fd, vault, name, json)) TH_LOG("%s", kv_json);
	self->public = public_ec(variant->group);
	ASSERT_NE(NULL, self->public) TH_LOG("no public key: %s", kv_json);
	snprintf(path, sizeof(path), "%s/keys/%s", vault, name);
	ASSERT_EQ(0, kv_open_path(self->fd, path, 0, 30000, &o));
	EXPECT_EQ(KVAULT_KTY_EC, o.kty);
	EXPECT_EQ(variant->curve, o.curve);
	EXPECT_EQ(KVAULT_OP_SIGN | KVAULT_OP_VERIFY, o.ops);
	self->h = o.handle;
}

FIXTURE_TEARDOWN(ec)
{
	EVP_PKEY_free(self->public);
	close(self->fd);
}

TEST_F_TIMEOUT(ec, openssl_verifies_its_signatures_and_it_verifies_them_itself, 60)
{
	uint8_t digest[64], sig[256];
	size_t len;
	int i;

	for (i = 0; i < 8; i++) {
		memset(digest, 0x11 * i, sizeof(digest));
		len = sizeof(sig);
		ASSERT_EQ(0, kv_sign(self->fd, self->h, variant->alg, digest,
				     variant->digest_len, sig, &len));
		ASSERT_EQ(variant->sig_len, len);
		EXPECT_TRUE(ec_verifies(self->public, digest, variant->digest_len, sig, len));
		EXPECT_EQ(0, kv_verify(self->fd, self->h, variant->alg, digest,
				       variant->digest_len, sig, len));
		sig[len / 2] ^= 1;
		EXPECT_FALSE(ec_verifies(self->public, digest, variant->digest_len, sig, len));
		EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, variant->alg, digest,
						   variant->digest_len, sig, len));
	}
}

TEST_F_TIMEOUT(ec, a_digest_of_another_length_is_EINVAL, 60)
{
	static const size_t bad[] = { 0, 1, 20, 31, 33, 47, 49, 63, 65, 4096 };
	uint8_t digest[4096] = { 0 }, sig[256];
	size_t i, len;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		len = sizeof(sig);
		EXPECT_EQ(-EINVAL, kv_sign(self->fd, self->h, variant->alg, digest, bad[i], sig,
					   &len));
		EXPECT_EQ(-EINVAL, kv_verify(self->fd, self->h, variant->alg, digest, bad[i],
					     sig, variant->sig_len));
	}
}

TEST_F_TIMEOUT(ec, a_signature_that_is_none_does_not_verify, 60)
{
	static const size_t bad[] = { 0, 1, 63, 65, 95, 131, 133, 256, 4096 };
	uint8_t digest[64] = { 0 }, sig[4096];
	size_t i;

	memset(sig, 0xff, sizeof(sig));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, variant->alg, digest,
						   variant->digest_len, sig, bad[i]))
			TH_LOG("%zu bytes", bad[i]);
	EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, variant->alg, digest,
					   variant->digest_len, sig, variant->sig_len));
	memset(sig, 0, sizeof(sig));
	EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, variant->alg, digest,
					   variant->digest_len, sig, variant->sig_len));
}

TEST_F(ec, it_signs_with_the_algorithm_of_its_curve_only)
{
	static const uint32_t other[] = {
		KVAULT_ALG_RS256, KVAULT_ALG_HS256, KVAULT_ALG_A256GCM, KVAULT_ALG_RSA_OAEP, 0,
	};
	uint8_t digest[64] = { 0 }, sig[256];
	struct kvault_crypt c = { .handle = self->h, .alg = variant->alg };
	size_t len = sizeof(sig), i;

	EXPECT_EQ(-EOPNOTSUPP, kv_sign(self->fd, self->h, variant->wrong_alg, digest, 32, sig,
				       &len));
	for (i = 0; i < 5; i++) {
		len = sizeof(sig);
		EXPECT_EQ(-EOPNOTSUPP, kv_sign(self->fd, self->h, other[i], digest, 32, sig,
					       &len));
	}
	len = sizeof(sig);
	EXPECT_EQ(-EOPNOTSUPP, kv_op(self->fd, KVAULT_ENCRYPT, &c, digest, 32, sig, &len));
	EXPECT_EQ(-EOPNOTSUPP, kv_op(self->fd, KVAULT_UNWRAP, &c, digest, 32, sig, &len));
}

TEST_F(ec, a_small_buffer_gets_the_length_that_is_needed)
{
	uint8_t digest[64] = { 0 }, sig[256] = { 0x5a };
	size_t len = variant->sig_len - 1;

	EXPECT_EQ(-EMSGSIZE, kv_sign(self->fd, self->h, variant->alg, digest,
				     variant->digest_len, sig, &len));
	EXPECT_EQ(variant->sig_len, len);
	EXPECT_EQ(0x5a, sig[0]);
}

/* --- RSA ------------------------------------------------------------------ */

FIXTURE(rsa)
{
	int fd;
	uint32_t h;
	EVP_PKEY *public;
};

FIXTURE_SETUP(rsa)
{
	/* made by the first test that comes: making one takes its time */
	char path[192];
	struct kvault_open o;

	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	ASSERT_EQ(0, kv_vault(self->fd, vault));
	snprintf(path, sizeof(path), "/vaults/%s/keys/rsa", vault);
	if (kv_control(self->fd, KVAULT_METHOD_GET, path, NULL, NULL, 0) != 200)
		ASSERT_EQ(200, kv_create(self->fd, vault, "rsa", "\"kty\":\"RSA\"")) {
			TH_LOG("%s", kv_json);
		}
	self->public = public_rsa();
	ASSERT_NE(NULL, self->public);
	EXPECT_EQ(2048, EVP_PKEY_bits(self->public));
	ASSERT_EQ(0, kv_open_path(self->fd, path + 8, 0, 30000, &o));
	EXPECT_EQ(KVAULT_KTY_RSA, o.kty);
	EXPECT_EQ(2048, o.bits);
	self->h = o.handle;
}

FIXTURE_TEARDOWN(rsa)
{
	EVP_PKEY_free(self->public);
	close(self->fd);
}

static const struct {
	uint32_t alg;
	struct rsa_mode mode;
	size_t digest_len;
} rsa_sigs[] = {
	{ KVAULT_ALG_RS256, { RSA_PKCS1_PADDING, "SHA256" }, 32 },
	{ KVAULT_ALG_RS384, { RSA_PKCS1_PADDING, "SHA384" }, 48 },
	{ KVAULT_ALG_RS512, { RSA_PKCS1_PADDING, "SHA512" }, 64 },
	{ KVAULT_ALG_PS256, { RSA_PKCS1_PSS_PADDING, "SHA256" }, 32 },
	{ KVAULT_ALG_PS384, { RSA_PKCS1_PSS_PADDING, "SHA384" }, 48 },
	{ KVAULT_ALG_PS512, { RSA_PKCS1_PSS_PADDING, "SHA512" }, 64 },
	{ KVAULT_ALG_RSNULL, { RSA_PKCS1_PADDING, NULL }, 51 },
};

TEST_F_TIMEOUT(rsa, openssl_verifies_its_signatures_of_all_kinds, 120)
{
	uint8_t digest[64], sig[256];
	EVP_PKEY_CTX *ctx;
	size_t i, len, n;

	memset(digest, 0x42, sizeof(digest));
	for (i = 0; i < 7; i++) {
		n = rsa_sigs[i].digest_len;
		len = sizeof(sig);
		ASSERT_EQ(0, kv_sign(self->fd, self->h, rsa_sigs[i].alg, digest, n, sig, &len))
			TH_LOG("algorithm %u", rsa_sigs[i].alg);
		ASSERT_EQ(256, len);
		ctx = rsa_ctx(self->public, EVP_PKEY_verify_init, &rsa_sigs[i].mode);
		ASSERT_NE(NULL, ctx);
		EXPECT_EQ(1, EVP_PKEY_verify(ctx, sig, len, digest, n))
			TH_LOG("algorithm %u", rsa_sigs[i].alg);
		EVP_PKEY_CTX_free(ctx);
		EXPECT_EQ(0, kv_verify(self->fd, self->h, rsa_sigs[i].alg, digest, n, sig, len));
		sig[100] ^= 1;
		EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, rsa_sigs[i].alg, digest, n,
						   sig, len));
		EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, rsa_sigs[i].alg, digest, n,
						   sig, len - 1));
	}
}

TEST_F_TIMEOUT(rsa, a_digest_of_another_length_is_EINVAL, 60)
{
	static const size_t bad[] = { 0, 1, 20, 31, 33, 65 };
	uint8_t digest[256] = { 0 }, sig[256];
	size_t i, j, len;

	for (i = 0; i < 6; i++)
		for (j = 0; j < 6; j++) {
			len = sizeof(sig);
			EXPECT_EQ(-EINVAL, kv_sign(self->fd, self->h, rsa_sigs[i].alg, digest,
						   bad[j], sig, &len));
		}
	len = sizeof(sig);
	EXPECT_EQ(-EINVAL, kv_sign(self->fd, self->h, KVAULT_ALG_RSNULL, digest, 246, sig, &len));
	len = sizeof(sig);
	EXPECT_EQ(0, kv_sign(self->fd, self->h, KVAULT_ALG_RSNULL, digest, 245, sig, &len));
}

TEST_F_TIMEOUT(rsa, it_decrypts_what_openssl_encrypted_and_the_other_way_is_public, 120)
{
	static const struct {
		uint32_t alg;
		struct rsa_mode mode;
	} t[] = {
		{ KVAULT_ALG_RSA1_5, { RSA_PKCS1_PADDING, NULL } },
		{ KVAULT_ALG_RSA_OAEP, { RSA_PKCS1_OAEP_PADDING, "SHA1" } },
		{ KVAULT_ALG_RSA_OAEP_256, { RSA_PKCS1_OAEP_PADDING, "SHA256" } },
	};
	uint8_t in[32], ct[256], out[256];
	struct kvault_crypt c;
	EVP_PKEY_CTX *ctx;
	size_t i, len;

	memset(in, 0x77, sizeof(in));
	for (i = 0; i < 3; i++) {
		ctx = rsa_ctx(self->public, EVP_PKEY_encrypt_init, &t[i].mode);
		ASSERT_NE(NULL, ctx);
		len = sizeof(ct);
		ASSERT_EQ(1, EVP_PKEY_encrypt(ctx, ct, &len, in, sizeof(in)));
		EVP_PKEY_CTX_free(ctx);
		c = (struct kvault_crypt){ .handle = self->h, .alg = t[i].alg };
		len = sizeof(out);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 256, out, &len));
		ASSERT_EQ(32, len);
		EXPECT_EQ(0, memcmp(in, out, 32));
		len = sizeof(out);
		EXPECT_EQ(0, kv_op(self->fd, KVAULT_UNWRAP, &c, ct, 256, out, &len));
		EXPECT_EQ(32, len);
		len = sizeof(ct);
		EXPECT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, 32, ct, &len));
		EXPECT_EQ(256, len);
		len = sizeof(out);
		EXPECT_EQ(0, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 256, out, &len));
		EXPECT_EQ(0, memcmp(in, out, 32));
	}
}

TEST_F_TIMEOUT(rsa, oaep_refuses_what_was_changed_or_is_not_its_own, 60)
{
	uint8_t in[32] = { 0 }, ct[256], out[256];
	struct kvault_crypt c = { .handle = self->h, .alg = KVAULT_ALG_RSA_OAEP_256 };
	size_t len = sizeof(ct);

	ASSERT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, 32, ct, &len));
	ct[200] ^= 1;
	len = sizeof(out);
	EXPECT_EQ(-EBADMSG, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 256, out, &len));
	ct[200] ^= 1;
	c.alg = KVAULT_ALG_RSA_OAEP;
	len = sizeof(out);
	EXPECT_EQ(-EBADMSG, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 256, out, &len));
	memset(ct, 0xff, sizeof(ct));
	len = sizeof(out);
	EXPECT_EQ(-EBADMSG, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 256, out, &len));
	len = sizeof(out);
	EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 255, out, &len));
	len = sizeof(out);
	EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_ENCRYPT, &c, ct, 256, out, &len));
}

/* --- both ----------------------------------------------------------------- */

TEST_F_TIMEOUT(rsa, a_disabled_private_key_stops_at_once, 60)
{
	uint8_t digest[32] = { 0 }, sig[64];
	size_t len = sizeof(sig);
	uint32_t h;

	ASSERT_EQ(200, kv_create(self->fd, vault, "off", "\"kty\":\"EC\""));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, "off", 0, &h));
	ASSERT_EQ(0, kv_sign(self->fd, h, KVAULT_ALG_ES256, digest, 32, sig, &len));
	ASSERT_EQ(200, kv_enable(self->fd, vault, "off", false));
	EXPECT_EQ(-EKEYREVOKED, kv_sign(self->fd, h, KVAULT_ALG_ES256, digest, 32, sig, &len));
	EXPECT_EQ(-EKEYREVOKED, kv_verify(self->fd, h, KVAULT_ALG_ES256, digest, 32, sig, 64));
	ASSERT_EQ(200, kv_enable(self->fd, vault, "off", true));
	len = sizeof(sig);
	EXPECT_EQ(0, kv_sign(self->fd, h, KVAULT_ALG_ES256, digest, 32, sig, &len));
}

static int sign_many(void *arg)
{
	uint8_t digest[32] = { 0 }, sig[64];
	int fd = kv_dev(), i, ret;
	size_t len;
	uint32_t h;

	ret = kv_open_key(fd, vault, arg, 0, &h);
	for (i = 0; !ret && i < 20; i++) {
		digest[0] = (uint8_t)i;
		len = sizeof(sig);
		ret = kv_sign(fd, h, KVAULT_ALG_ES256, digest, 32, sig, &len);
		if (!ret)
			ret = kv_verify(fd, h, KVAULT_ALG_ES256, digest, 32, sig, len);
	}
	return kv_status(ret);
}

TEST_F_TIMEOUT(rsa, signers_at_the_same_time_get_their_own_signatures, 120)
{
	struct kv_child c[6];
	int i;

	ASSERT_EQ(200, kv_create(self->fd, vault, "many", "\"kty\":\"EC\""));
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, kv_child_start(&c[i], false, false, sign_many, "many"));
	for (i = 0; i < 6; i++)
		kv_child_go(&c[i]);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(0, kv_child_end(&c[i]));
}

TEST_HARNESS_MAIN
