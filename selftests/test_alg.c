// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every key against every algorithm and every operation: what the table in
 * kvault_alg.h pairs works, nothing else does. And every symmetric algorithm
 * against OpenSSL, by keys and data that are random, at the lengths where
 * blocks and padding begin and end.
 * libs: -lcrypto
 * timeout: 400
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <linux/kvault_alg.h>
#include "kv_test.h"
#include "kselftest_harness.h"

#define SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static char vault[64];

__attribute__((constructor)) static void name_the_vault(void)
{
	snprintf(vault, sizeof(vault), "%s", kv_unique("alg"));
}

#define ROW(id, kty, bits, curve, ops, name, scheme, hash, hash_len) \
	{ KVAULT_ALG_##id, name, kty, bits, curve, ops, hash }

static const struct row {
	uint32_t alg;
	const char *name;
	uint32_t kty, bits, curve, ops;
	const char *hash;
} rows[] = { KVAULT_ALGORITHMS(ROW) };

static const struct {
	unsigned long cmd;
	uint32_t op;
} calls[] = {
	{ KVAULT_ENCRYPT, KVAULT_OP_ENCRYPT }, { KVAULT_DECRYPT, KVAULT_OP_DECRYPT },
	{ KVAULT_WRAP, KVAULT_OP_WRAP },       { KVAULT_UNWRAP, KVAULT_OP_UNWRAP },
	{ KVAULT_SIGN, KVAULT_OP_SIGN },       { KVAULT_VERIFY, KVAULT_OP_VERIFY },
};

/* --- the matrix ----------------------------------------------------------- */

#define ALL_OPS	"\"encrypt\",\"decrypt\",\"wrapKey\",\"unwrapKey\",\"sign\",\"verify\""
#define OCT_OPS	"\"key_ops\":[" ALL_OPS "]"

FIXTURE(pairs)
{
	int fd;
	uint32_t h;
};

/* How many of all pairs work is said here a second time, by hand, of spec.md 2.3. */
FIXTURE_VARIANT(pairs)
{
	const char *json;
	uint32_t kty, bits, curve;
	unsigned int working;
};

/* oct: GCM, CBC and CBCPAD of its size 2 each, three kinds of wrapping 2 each, HS* 2 each */
FIXTURE_VARIANT_ADD(pairs, oct128)
{
	.json = "\"kty\":\"oct\",\"key_size\":128," OCT_OPS,
	.kty = KVAULT_KTY_OCT, .bits = 128, .working = 18,
};

FIXTURE_VARIANT_ADD(pairs, oct192)
{
	.json = "\"kty\":\"oct\",\"key_size\":192," OCT_OPS,
	.kty = KVAULT_KTY_OCT, .bits = 192, .working = 18,
};

FIXTURE_VARIANT_ADD(pairs, oct256)
{
	.json = "\"kty\":\"oct\",\"key_size\":256," OCT_OPS,
	.kty = KVAULT_KTY_OCT, .bits = 256, .working = 18,
};

/* RSA: seven ways to sign, 2 each; three to encrypt and to wrap, 4 each */
FIXTURE_VARIANT_ADD(pairs, rsa)
{
	.json = "\"kty\":\"RSA\",\"key_size\":2048",
	.kty = KVAULT_KTY_RSA, .bits = 2048, .working = 26,
};

FIXTURE_VARIANT_ADD(pairs, p256)
{
	.json = "\"kty\":\"EC\",\"crv\":\"P-256\"",
	.kty = KVAULT_KTY_EC, .curve = KVAULT_CURVE_P256, .working = 2,
};

FIXTURE_VARIANT_ADD(pairs, p384)
{
	.json = "\"kty\":\"EC\",\"crv\":\"P-384\"",
	.kty = KVAULT_KTY_EC, .curve = KVAULT_CURVE_P384, .working = 2,
};

FIXTURE_VARIANT_ADD(pairs, p521)
{
	.json = "\"kty\":\"EC\",\"crv\":\"P-521\"",
	.kty = KVAULT_KTY_EC, .curve = KVAULT_CURVE_P521, .working = 2,
};

FIXTURE_VARIANT_ADD(pairs, p256k)
{
	.json = "\"kty\":\"EC\",\"crv\":\"P-256K\"",
	.kty = KVAULT_KTY_EC, .curve = KVAULT_CURVE_P256K, .working = 2,
};

FIXTURE_SETUP(pairs)
{
	const char *name = kv_unique("k");

	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	ASSERT_EQ(0, kv_vault(self->fd, vault));
	ASSERT_EQ(200, kv_create(self->fd, vault, name, variant->json));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, name, 0, &self->h));
}

FIXTURE_TEARDOWN(pairs)
{
	close(self->fd);
}

static bool is_listed(uint32_t kty, uint32_t bits, uint32_t curve, uint32_t alg, uint32_t op)
{
	size_t i;

	for (i = 0; i < SIZE(rows); i++)
		if (rows[i].alg == alg)
			return rows[i].kty == kty && rows[i].ops & op &&
			       (!rows[i].bits || rows[i].bits == bits) &&
			       (!rows[i].curve || rows[i].curve == curve);
	return false;
}

TEST_F_TIMEOUT(pairs, exactly_what_the_table_pairs_works, 120)
{
	unsigned int working = 0;
	uint32_t alg;
	size_t i;

	/* all numbers there are, those in between, and some after the last */
	for (alg = 0; alg < KVAULT_ALG_RSA_OAEP_256 + 8; alg++) {
		for (i = 0; i < SIZE(calls); i++) {
			uint8_t in[64] = { 0 }, out[1024], aux[64] = { 0 };
			struct kvault_crypt c = { .handle = self->h, .alg = alg };
			size_t len = sizeof(out);
			bool listed = is_listed(variant->kty, variant->bits, variant->curve, alg,
						calls[i].op);
			int ret;

			if (calls[i].op == KVAULT_OP_VERIFY) {
				c.aux = kv_ptr(aux);
				c.aux_len = sizeof(aux);
			}
			ret = kv_op(self->fd, calls[i].cmd, &c, in, 32, out, &len);
			EXPECT_EQ(!listed, ret == -EOPNOTSUPP)
				TH_LOG("algorithm %u, operation %#x: %d", alg, calls[i].op, ret);
			/* whatever else it has against zeros, it is not the pairing */
			EXPECT_NE(-EACCES, ret);
			working += ret != -EOPNOTSUPP;
		}
	}
	EXPECT_EQ(variant->working, working);
}

/* --- the peer ------------------------------------------------------------- */

#define MAX	4112

FIXTURE(peer)
{
	int fd;
	uint32_t h;
	uint8_t key[32], iv[16], tag[16], aad[64];
	uint8_t plain[MAX], ours[MAX], theirs[MAX], back[MAX];
	size_t key_len;
};

FIXTURE_VARIANT(peer)
{
	size_t key_len;
	uint32_t gcm, cbc, cbcpad, kw;
	const char *gcm_name, *cbc_name, *kw_name, *kwp_name;
};

#define PEER(bits)								\
	FIXTURE_VARIANT_ADD(peer, aes##bits)					\
	{									\
		.key_len = (bits) / 8,						\
		.gcm = KVAULT_ALG_A##bits##GCM,					\
		.cbc = KVAULT_ALG_A##bits##CBC,					\
		.cbcpad = KVAULT_ALG_A##bits##CBCPAD,				\
		.kw = KVAULT_ALG_A##bits##KW,					\
		.gcm_name = "AES-" #bits "-GCM",				\
		.cbc_name = "AES-" #bits "-CBC",				\
		.kw_name = "AES-" #bits "-WRAP",				\
		.kwp_name = "AES-" #bits "-WRAP-PAD",				\
	}

PEER(128);
PEER(192);
PEER(256);

FIXTURE_SETUP(peer)
{
	const char *name = kv_unique("p");

	self->key_len = variant->key_len;
	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	ASSERT_EQ(0, kv_vault(self->fd, vault));
	ASSERT_EQ(1, RAND_bytes(self->key, sizeof(self->key)));
	ASSERT_EQ(1, RAND_bytes(self->plain, sizeof(self->plain)));
	ASSERT_EQ(1, RAND_bytes(self->aad, sizeof(self->aad)));
	ASSERT_EQ(1, RAND_bytes(self->iv, sizeof(self->iv)));
	ASSERT_EQ(200, kv_import(self->fd, vault, name, ALL_OPS, self->key, self->key_len));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, name, 0, &self->h));
}

FIXTURE_TEARDOWN(peer)
{
	close(self->fd);
}

/* Where blocks of 16, and pages, begin and end. */
static const size_t lengths[] = {
	0, 1, 8, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 255, 256, 1000, 4080, 4095, 4096,
};

static EVP_CIPHER_CTX *cipher(const char *name, const uint8_t *key, const uint8_t *iv, int enc,
			      bool padding)
{
	EVP_CIPHER *type = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (!type || EVP_CipherInit_ex2(ctx, type, key, iv, enc, NULL) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	} else {
		EVP_CIPHER_CTX_set_padding(ctx, padding);
	}
	EVP_CIPHER_free(type);
	return ctx;
}

/* All of @in in one piece; the output's length or -1. */
static int whole(EVP_CIPHER_CTX *ctx, const uint8_t *in, size_t len, uint8_t *out)
{
	int n = 0, m = 0;
	bool ok = ctx && EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 &&
		  EVP_CipherFinal_ex(ctx, out + n, &m) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok ? n + m : -1;
}

/* GCM by OpenSSL: decrypts, or encrypts and gives the tag. */
static int gcm(const char *name, const uint8_t *key, const uint8_t *iv, int enc,
	       const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len, uint8_t *out,
	       uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = cipher(name, key, iv, enc, true);
	int n = 0, m = 0, unused;
	bool ok = ctx && EVP_CipherUpdate(ctx, NULL, &unused, aad, (int)aad_len) == 1 &&
		  (!len || EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1);

	if (ok && !enc)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1;
	ok = ok && EVP_CipherFinal_ex(ctx, out + n, &m) == 1;
	if (ok && enc)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? n + m : -1;
}

TEST_F_TIMEOUT(peer, gcm_goes_both_ways_with_and_without_additional_data, 120)
{
	size_t i, n;

	for (i = 0; i < 2 * SIZE(lengths); i++) {
		struct kvault_crypt c = {
			.handle = self->h, .alg = variant->gcm, .aux = kv_ptr(self->aad),
			.aux_len = i % 2 ? 1 + (uint32_t)i : 0,
		};
		size_t len = lengths[i / 2];

		n = len;
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, self->plain, len, self->ours, &n));
		ASSERT_EQ(len, n);
		ASSERT_EQ((int)len, gcm(variant->gcm_name, self->key, c.iv, 0, self->aad,
					c.aux_len, self->ours, len, self->back, c.tag))
			TH_LOG("length %zu", len);
		ASSERT_EQ(0, memcmp(self->plain, self->back, len));

		memcpy(c.iv, self->iv, 12);
		ASSERT_EQ((int)len, gcm(variant->gcm_name, self->key, self->iv, 1, self->aad,
					c.aux_len, self->plain, len, self->theirs, c.tag));
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_DECRYPT, &c, self->theirs, len, self->back,
				   &n));
		ASSERT_EQ(0, memcmp(self->plain, self->back, len));
	}
}

TEST_F_TIMEOUT(peer, cbc_is_the_same_bytes, 120)
{
	size_t i, n;
	int want;

	for (i = 0; i < 2 * SIZE(lengths); i++) {
		struct kvault_crypt c = { .handle = self->h };
		bool padded = i % 2;
		size_t len = lengths[i / 2];

		if (!padded && (!len || len % 16))
			continue;
		c.alg = padded ? variant->cbcpad : variant->cbc;
		memcpy(c.iv, self->iv, 16);
		want = whole(cipher(variant->cbc_name, self->key, self->iv, 1, padded),
			     self->plain, len, self->theirs);
		n = sizeof(self->ours);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, self->plain, len, self->ours, &n))
			TH_LOG("length %zu, padding %d", len, padded);
		ASSERT_EQ(want, (int)n);
		ASSERT_EQ(0, memcmp(self->ours, self->theirs, n));
		memcpy(c.iv, self->iv, 16);
		n = sizeof(self->back);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_DECRYPT, &c, self->ours, (size_t)want,
				   self->back, &n));
		ASSERT_EQ(len, n);
		ASSERT_EQ(0, memcmp(self->plain, self->back, n));
	}
}

TEST_F_TIMEOUT(peer, wrapped_keys_are_the_same_bytes, 120)
{
	size_t i, n;
	int want;

	for (i = 0; i < 3 * SIZE(lengths); i++) {
		bool padded = i % 3 == 2;
		struct kvault_crypt c = { .handle = self->h,
			.alg = padded ? KVAULT_ALG_KWP : i % 3 ? KVAULT_ALG_KW : variant->kw };
		size_t len = lengths[i / 3];

		if (padded ? !len : len < 16 || len % 8)
			continue;
		want = whole(cipher(padded ? variant->kwp_name : variant->kw_name, self->key,
				    NULL, 1, true), self->plain, len, self->theirs);
		n = sizeof(self->ours);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_WRAP, &c, self->plain, len, self->ours, &n))
			TH_LOG("length %zu, padding %d", len, padded);
		ASSERT_EQ(want, (int)n);
		ASSERT_EQ(0, memcmp(self->ours, self->theirs, n));
		n = sizeof(self->back);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_UNWRAP, &c, self->ours, (size_t)want,
				   self->back, &n));
		ASSERT_EQ(len, n);
		ASSERT_EQ(0, memcmp(self->plain, self->back, n));
	}
}

TEST_F_TIMEOUT(peer, macs_are_the_same_bytes, 120)
{
	size_t i, j, n, want;

	for (i = 0; i < SIZE(rows); i++) {
		if (rows[i].kty != KVAULT_KTY_OCT || !(rows[i].ops & KVAULT_OP_SIGN))
			continue;
		for (j = 0; j < SIZE(lengths); j++) {
			n = sizeof(self->ours);
			ASSERT_EQ(0, kv_sign(self->fd, self->h, rows[i].alg, self->plain,
					     lengths[j], self->ours, &n))
				TH_LOG("%s, length %zu", rows[i].name, lengths[j]);
			ASSERT_NE(NULL, EVP_Q_mac(NULL, "HMAC", NULL, rows[i].hash, NULL, self->key,
						  self->key_len, self->plain, lengths[j],
						  self->theirs, MAX, &want));
			ASSERT_EQ(want, n);
			ASSERT_EQ(0, memcmp(self->ours, self->theirs, n));
		}
	}
}

TEST_HARNESS_MAIN
