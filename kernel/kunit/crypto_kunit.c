// SPDX-License-Identifier: GPL-2.0-only
/*
 * Known answers are of RFC 3394, RFC 5649, RFC 4231, SP 800-38A and the GCM
 * specification; kv_kdf()'s was computed by another implementation.
 */
#include <linux/slab.h>
#include "crypto.h"
#include "object.h"
#include "fixture.h"

/* What is encrypted: room for the longest payload and all that is added to it. */
#define ROOM	(KVAULT_PAYLOAD_MAX + 16)

/* A key, and one operation with it. */
struct crypto_test {
	struct kv_object obj;
	struct kv_op op;
	u8 material[256];
	u8 aux[KVAULT_AUX_MAX];
	u8 iv[16];
	u8 tag[16];
	u8 *data;
	u8 *expect;
	u32 expect_len;
};

static void set_key(struct crypto_test *c, u32 len)
{
	kv_ciphers_free(c->obj.ciphers);
	c->obj.ciphers = NULL;
	c->obj.material = len ? c->material : NULL;
	c->obj.material_len = len;
}

static int crypto_init(struct kunit *test)
{
	struct crypto_test *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	c->data = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	c->expect = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	if (!c->data || !c->expect)
		return -ENOMEM;
	mutex_init(&c->obj.lock);
	c->op = (struct kv_op){ .data = c->data, .size = ROOM, .aux = c->aux, .iv = c->iv,
				.tag = c->tag };
	test->priv = c;
	return 0;
}

static void crypto_exit(struct kunit *test)
{
	struct crypto_test *c = test->priv;

	if (c)
		kv_ciphers_free(c->obj.ciphers);
}

static int run(struct crypto_test *c, u32 op, u32 alg, u32 len)
{
	c->op.op = op;
	c->op.alg = alg;
	c->op.len = len;
	return kv_crypto_run(&c->obj, &c->op);
}

static void fill(u8 *p, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		p[i] = i * 7 + (i >> 8);
}

/* --- which key for what --- */

static void fits_refuses_wrong_pairs(struct kunit *test)
{
	static const struct {
		u32 kty, bits, curve, op, alg;
	} bad[] = {
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_UNSPEC },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_ENCRYPT, 10 },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_ENCRYPT, U32_MAX },
		{ KVAULT_KTY_OCT, 256, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128GCM },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_A256CBC },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_A192CBCPAD },
		{ KVAULT_KTY_OCT, 192, 0, KVAULT_OP_WRAP, KVAULT_ALG_A128KW },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_WRAP, KVAULT_ALG_A128GCM },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_KW },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_SIGN, KVAULT_ALG_RS256 },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_HS256 },
		{ KVAULT_KTY_RSA, 2048, 0, KVAULT_OP_SIGN, KVAULT_ALG_HS256 },
		{ KVAULT_KTY_RSA, 2048, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_RS256 },
		{ KVAULT_KTY_RSA, 2048, 0, KVAULT_OP_SIGN, KVAULT_ALG_RSA_OAEP },
		{ KVAULT_KTY_RSA, 128, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128GCM },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P384, KVAULT_OP_SIGN, KVAULT_ALG_ES256 },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P256, KVAULT_OP_SIGN, KVAULT_ALG_ES256K },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P256, KVAULT_OP_ENCRYPT, KVAULT_ALG_ES256 },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_VOLUME, KVAULT_ALG_A128GCM },
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_EXPORT, KVAULT_ALG_A128GCM },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, kv_crypto_fits(bad[i].kty, bad[i].bits, bad[i].curve,
							 bad[i].op, bad[i].alg),
				    -EOPNOTSUPP, "pair %d", i);
}

static void fits_takes_right_pairs(struct kunit *test)
{
	static const struct {
		u32 kty, bits, curve, ops, alg;
	} good[] = {
		{ KVAULT_KTY_OCT, 128, 0, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128GCM },
		{ KVAULT_KTY_OCT, 256, 0, KVAULT_OP_DECRYPT, KVAULT_ALG_A256CBCPAD },
		{ KVAULT_KTY_OCT, 192, 0, KVAULT_OP_WRAP, KVAULT_ALG_A192KW },
		{ KVAULT_KTY_OCT, 192, 0, KVAULT_OP_UNWRAP, KVAULT_ALG_KWP },
		{ KVAULT_KTY_OCT, 512, 0, KVAULT_OP_VERIFY, KVAULT_ALG_HS512 },
		{ KVAULT_KTY_RSA, 4096, 0, KVAULT_OP_SIGN, KVAULT_ALG_PS512 },
		{ KVAULT_KTY_RSA, 2048, 0, KVAULT_OP_UNWRAP, KVAULT_ALG_RSA_OAEP_256 },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P521, KVAULT_OP_SIGN, KVAULT_ALG_ES512 },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P256K, KVAULT_OP_VERIFY, KVAULT_ALG_ES256K },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		KUNIT_EXPECT_EQ_MSG(test, kv_crypto_fits(good[i].kty, good[i].bits, good[i].curve,
							 good[i].ops, good[i].alg),
				    0, "pair %d", i);
}

/* --- without a key --- */

static void a_key_that_is_gone_does_nothing(struct kunit *test)
{
	struct crypto_test *c = test->priv;

	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128GCM, 16), -EKEYREVOKED);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBC, 16), -EKEYREVOKED);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_WRAP, KVAULT_ALG_A128KW, 16), -EKEYREVOKED);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_SIGN, KVAULT_ALG_HS256, 16), -EKEYREVOKED);
	KUNIT_EXPECT_NULL(test, c->obj.ciphers);
}

static void a_key_of_a_wrong_size_does_nothing(struct kunit *test)
{
	struct crypto_test *c = test->priv;

	set_key(c, 20);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128GCM, 16), -EINVAL);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBC, 16), -EINVAL);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_WRAP, KVAULT_ALG_KW, 16), -EINVAL);
	/* nothing half made is left, with which a second call would go on */
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128GCM, 16), -EINVAL);
}

/* --- GCM --- */

static void gcm_finds_every_changed_bit(struct kunit *test)
{
	struct crypto_test *c = test->priv;
	const u32 len = 33, aux_len = 20;
	struct {
		const char *what;
		u8 *p;
		u32 len;
	} part[] = {
		{ "tag", c->tag, 16 },
		{ "ciphertext", c->data, len },
		{ "additional data", c->aux, aux_len },
		{ "iv", c->iv, KVAULT_IV_GCM_SIZE },
	};
	u8 *sealed = c->expect;
	int i, bit, ret;

	set_key(c, 32);
	c->op.aux_len = aux_len;
	fill(c->data, len);
	KUNIT_ASSERT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A256GCM, len), 0);
	memcpy(sealed, c->data, len);
	for (i = 0; i < ARRAY_SIZE(part); i++)
		for (bit = 0; bit < 8 * part[i].len; bit++) {
			memcpy(c->data, sealed, len);
			part[i].p[bit / 8] ^= 1 << bit % 8;
			ret = run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A256GCM, len);
			KUNIT_EXPECT_EQ_MSG(test, ret, -EBADMSG, "%s, bit %d", part[i].what, bit);
			if (part[i].p != c->data)
				part[i].p[bit / 8] ^= 1 << bit % 8;
		}
	c->op.aux_len--;
	memcpy(c->data, sealed, len);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A256GCM, len), -EBADMSG);
	c->op.aux_len++;
	memcpy(c->data, sealed, len);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A256GCM, len - 1), -EBADMSG);
	memcpy(c->data, sealed, len);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A256GCM, len), 0);
}

#define GCM_P	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_A	"feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define GCM_IV	"cafebabefacedbaddecaf888"
#define ZEROS16	"00000000000000000000000000000000"
#define ZEROS12	"000000000000000000000000"

static void gcm_known_answers(struct kunit *test)
{
	static const struct {
		u32 alg;
		const char *key, *iv, *aad, *plain, *out, *tag;
	} known[] = {
		{ KVAULT_ALG_A128GCM, ZEROS16, ZEROS12, "", "", "",
		  "58e2fccefa7e3061367f1d57a4e7455a" },
		{ KVAULT_ALG_A256GCM, ZEROS16 ZEROS16, ZEROS12, "", "", "",
		  "530f8afbc74536b9a963b4f1c4cb738b" },
		{ KVAULT_ALG_A128GCM, ZEROS16, ZEROS12, "", ZEROS16,
		  "0388dace60b6a392f328c2b971b2fe78", "ab6e47d42cec13bdf53a67b21257bddf" },
		{ KVAULT_ALG_A128GCM, "feffe9928665731c6d6a8f9467308308", GCM_IV, GCM_A, GCM_P,
		  "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		  "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
		  "5bc94fbc3221a5db94fae95ae7121a47" },
		{ KVAULT_ALG_A192GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c", GCM_IV,
		  GCM_A, GCM_P,
		  "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
		  "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
		  "2519498e80f1478f37ba55bd6d27618c" },
		{ KVAULT_ALG_A256GCM,
		  "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", GCM_IV,
		  GCM_A, GCM_P,
		  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
		  "76fc6ece0f4e1768cddf8853bb2d551b" },
	};
	struct crypto_test *c = test->priv;
	u8 tag[16];
	u32 len;
	int i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		set_key(c, kv_test_hex(test, c->material, known[i].key));
		kv_test_hex(test, c->iv, known[i].iv);
		kv_test_hex(test, tag, known[i].tag);
		kv_test_hex(test, c->expect, known[i].out);
		c->op.aux_len = kv_test_hex(test, c->aux, known[i].aad);
		len = kv_test_hex(test, c->data, known[i].plain);
		KUNIT_ASSERT_EQ(test, run(c, KVAULT_OP_ENCRYPT, known[i].alg, len), 0);
		KUNIT_EXPECT_MEMEQ(test, c->tag, tag, sizeof(tag));
		if (!len)
			continue;
		KUNIT_EXPECT_MEMEQ(test, c->data, c->expect, len);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, known[i].alg, len), 0);
		kv_test_hex(test, c->expect, known[i].plain);
		KUNIT_EXPECT_MEMEQ(test, c->data, c->expect, len);
	}
}

static void gcm_takes_every_length(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 15, 16, 17, 31, 32, 4095, 4096, 4097,
				    KVAULT_PAYLOAD_MAX - 1, KVAULT_PAYLOAD_MAX };
	struct crypto_test *c = test->priv;
	int i;

	set_key(c, 16);
	c->op.aux_len = KVAULT_AUX_MAX;
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		fill(c->data, lens[i]);
		fill(c->expect, lens[i]);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128GCM, lens[i]), 0);
		KUNIT_EXPECT_EQ(test, c->op.len, lens[i]);
		if (lens[i] > 15)
			KUNIT_EXPECT_MEMNEQ(test, c->data, c->expect, lens[i]);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A128GCM, lens[i]), 0);
		KUNIT_EXPECT_TRUE(test, !memcmp(c->data, c->expect, lens[i]));
	}
}

static void gcm_once_finds_a_wrong_key(struct kunit *test)
{
	struct crypto_test *c = test->priv;
	u8 key[32] = { 1 };

	memcpy(c->data, "0123456789abcdef", 16);
	KUNIT_ASSERT_EQ(test, kv_gcm_once(key, true, c->iv, c->aux, 7, c->data, 16, c->tag), 0);
	memcpy(c->expect, c->data, 16);
	key[31] ^= 1;
	KUNIT_EXPECT_EQ(test, kv_gcm_once(key, false, c->iv, c->aux, 7, c->data, 16, c->tag),
			-EBADMSG);
	key[31] ^= 1;
	memcpy(c->data, c->expect, 16);
	KUNIT_EXPECT_EQ(test, kv_gcm_once(key, false, c->iv, c->aux, 7, c->data, 16, c->tag), 0);
	KUNIT_EXPECT_MEMEQ(test, c->data, "0123456789abcdef", 16);
}

/* --- CBC --- */

static void cbc_refuses_parts_of_blocks(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 15, 17, 31, 65535 };
	struct crypto_test *c = test->priv;
	int i;

	set_key(c, 16);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBC, lens[i]),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A128CBC, lens[i]),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A128CBCPAD, lens[i]),
				-EINVAL);
	}
}

static void cbc_padding_needs_room(struct kunit *test)
{
	struct crypto_test *c = test->priv;

	set_key(c, 16);
	c->op.size = 31;
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBCPAD, 16), -EINVAL);
	c->op.size = 32;
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBCPAD, 16), 0);
	KUNIT_EXPECT_EQ(test, c->op.len, 32);
}

/* Every last byte with every number of bytes that agree with it. */
static void cbc_knows_good_padding_from_bad(struct kunit *test)
{
	struct crypto_test *c = test->priv;
	int last, run_len, ret, want;

	set_key(c, 16);
	for (last = 0; last < 256; last += last < 20 ? 1 : 59)
		for (run_len = 1; run_len <= 16; run_len++) {
			memset(c->data, 0xee, 32);
			memset(c->data + 32 - run_len, last, run_len);
			KUNIT_ASSERT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBC, 32), 0);
			ret = run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A128CBCPAD, 32);
			want = last >= 1 && last <= 16 && run_len >= last ? 0 : -EBADMSG;
			KUNIT_EXPECT_EQ_MSG(test, ret, want, "%d times %d", run_len, last);
			if (!want)
				KUNIT_EXPECT_EQ(test, c->op.len, 32 - last);
		}
}

static void cbc_known_answers(struct kunit *test)
{
	static const struct {
		u32 alg;
		const char *key, *out;
	} known[] = {
		{ KVAULT_ALG_A128CBC, "2b7e151628aed2a6abf7158809cf4f3c",
		  "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2" },
		{ KVAULT_ALG_A192CBC, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
		  "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a" },
		{ KVAULT_ALG_A256CBC,
		  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
		  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d" },
	};
	static const char plain[] =
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
	struct crypto_test *c = test->priv;
	u8 iv[16];
	int i;

	kv_test_hex(test, c->iv, "000102030405060708090a0b0c0d0e0f");
	memcpy(iv, c->iv, sizeof(iv));
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		set_key(c, kv_test_hex(test, c->material, known[i].key));
		kv_test_hex(test, c->data, plain);
		kv_test_hex(test, c->expect, known[i].out);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, known[i].alg, 32), 0);
		KUNIT_EXPECT_MEMEQ(test, c->data, c->expect, 32);
		KUNIT_EXPECT_MEMEQ(test, c->iv, iv, sizeof(iv));
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, known[i].alg, 32), 0);
		kv_test_hex(test, c->expect, plain);
		KUNIT_EXPECT_MEMEQ(test, c->data, c->expect, 32);
	}
}

static void cbc_pads_every_length(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 15, 16, 17, 4095, 4096, KVAULT_PAYLOAD_MAX - 1 };
	struct crypto_test *c = test->priv;
	int i;

	set_key(c, 32);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		fill(c->data, lens[i]);
		fill(c->expect, lens[i]);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A256CBCPAD, lens[i]), 0);
		KUNIT_EXPECT_EQ(test, c->op.len, round_down(lens[i], 16) + 16);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_DECRYPT, KVAULT_ALG_A256CBCPAD, c->op.len),
				0);
		KUNIT_EXPECT_EQ(test, c->op.len, lens[i]);
		KUNIT_EXPECT_TRUE(test, !memcmp(c->data, c->expect, lens[i]));
	}
}

/* --- key wrap --- */

static void kw_refuses_bad_lengths(struct kunit *test)
{
	static const struct {
		u32 op, alg, len;
	} bad[] = {
		{ KVAULT_OP_WRAP, KVAULT_ALG_KW, 0 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KW, 8 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KW, 15 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KW, 17 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KW, KVAULT_AUX_MAX + 8 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KWP, 0 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KWP, KVAULT_AUX_MAX + 1 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KW, 0 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KW, 7 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KW, 16 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KW, 25 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KW, KVAULT_AUX_MAX + 24 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KWP, 0 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KWP, 8 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KWP, 17 },
		{ KVAULT_OP_UNWRAP, KVAULT_ALG_KWP, KVAULT_AUX_MAX + 24 },
	};
	struct crypto_test *c = test->priv;
	int i;

	set_key(c, 16);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, run(c, bad[i].op, bad[i].alg, bad[i].len), -EINVAL,
				    "length %d", i);
	c->op.size = 23;
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_WRAP, KVAULT_ALG_KW, 16), -EINVAL);
	KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_WRAP, KVAULT_ALG_KWP, 9), -EINVAL);
}

static void kw_finds_every_changed_byte(struct kunit *test)
{
	static const u32 algs[] = { KVAULT_ALG_KW, KVAULT_ALG_KWP };
	struct crypto_test *c = test->priv;
	int i, at;

	set_key(c, 24);
	for (i = 0; i < ARRAY_SIZE(algs); i++) {
		fill(c->data, 32);
		KUNIT_ASSERT_EQ(test, run(c, KVAULT_OP_WRAP, algs[i], 32), 0);
		KUNIT_ASSERT_EQ(test, c->op.len, 40);
		memcpy(c->expect, c->data, 40);
		for (at = 0; at < 40; at++) {
			memcpy(c->data, c->expect, 40);
			c->data[at] ^= 1 << at % 8;
			KUNIT_EXPECT_EQ_MSG(test, run(c, KVAULT_OP_UNWRAP, algs[i], 40), -EBADMSG,
					    "byte %d", at);
		}
		memcpy(c->data, c->expect, 40);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_UNWRAP, algs[i], 32), -EBADMSG);
		/* one is not the other */
		memcpy(c->data, c->expect, 40);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_UNWRAP, algs[!i], 40), -EBADMSG);
	}
}

/* One block of RFC 5649 is plain AES: what wraps nobody would make is made so. */
static void kwp_refuses_what_is_not_minimal(struct kunit *test)
{
	static const struct {
		const char *block;
		int ret;
	} made[] = {
		{ "a65959a6000000000000000000000000", -EBADMSG },	/* no length */
		{ "a65959a6000000091111111111111111", -EBADMSG },	/* more than is there */
		{ "a65959a6800000081111111111111111", -EBADMSG },
		{ "a65959a6ffffffff1111111111111111", -EBADMSG },
		{ "a65959a6000000071111111111111111", -EBADMSG },	/* padding is not 0 */
		{ "a65959a6000000011100000000000001", -EBADMSG },
		{ "a65959a7000000081111111111111111", -EBADMSG },
		{ "a6a6a6a6a6a6a6a61111111111111111", -EBADMSG },
		{ "a65959a6000000011100000000000000", 0 },
		{ "a65959a6000000071111111111111100", 0 },
		{ "a65959a6000000081111111111111111", 0 },
	};
	struct crypto_test *c = test->priv;
	int i;

	set_key(c, 16);
	for (i = 0; i < ARRAY_SIZE(made); i++) {
		kv_test_hex(test, c->data, made[i].block);
		KUNIT_ASSERT_EQ(test, run(c, KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBC, 16), 0);
		KUNIT_EXPECT_EQ_MSG(test, run(c, KVAULT_OP_UNWRAP, KVAULT_ALG_KWP, 16),
				    made[i].ret, "block %d", i);
	}
}

#define KEK	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define PLAIN	"00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"
#define KEK_KWP	"5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"

static void kw_known_answers(struct kunit *test)
{
	static const struct {
		u32 alg, key_len, len;
		const char *key, *plain, *out;
	} known[] = {
		{ KVAULT_ALG_A128KW, 16, 16, KEK, PLAIN,
		  "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5" },
		{ KVAULT_ALG_A192KW, 24, 16, KEK, PLAIN,
		  "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d" },
		{ KVAULT_ALG_A256KW, 32, 16, KEK, PLAIN,
		  "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7" },
		{ KVAULT_ALG_KW, 24, 24, KEK, PLAIN,
		  "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2" },
		{ KVAULT_ALG_KW, 32, 24, KEK, PLAIN,
		  "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1" },
		{ KVAULT_ALG_KW, 32, 32, KEK, PLAIN,
		  "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43b"
		  "fb988b9b7a02dd21" },
		{ KVAULT_ALG_KWP, 24, 20, KEK_KWP, "c37b7e6492584340bed12207808941155068f738",
		  "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a" },
		{ KVAULT_ALG_KWP, 24, 7, KEK_KWP, "466f7250617369",
		  "afbeb0f07dfbf5419200f2ccb50bb24f" },
	};
	struct crypto_test *c = test->priv;
	u32 out_len;
	int i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		kv_test_hex(test, c->material, known[i].key);
		set_key(c, known[i].key_len);
		kv_test_hex(test, c->data, known[i].plain);
		out_len = kv_test_hex(test, c->expect, known[i].out);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_WRAP, known[i].alg, known[i].len), 0);
		KUNIT_ASSERT_EQ(test, c->op.len, out_len);
		KUNIT_EXPECT_MEMEQ(test, c->data, c->expect, out_len);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_UNWRAP, known[i].alg, out_len), 0);
		KUNIT_EXPECT_EQ(test, c->op.len, known[i].len);
		kv_test_hex(test, c->expect, known[i].plain);
		KUNIT_EXPECT_MEMEQ(test, c->data, c->expect, known[i].len);
	}
}

static void kwp_takes_every_length(struct kunit *test)
{
	struct crypto_test *c = test->priv;
	u32 len, want;

	set_key(c, 16);
	for (len = 1; len <= KVAULT_AUX_MAX; len += len < 33 ? 1 : len < 1000 ? 997 : 1533) {
		fill(c->data, len);
		fill(c->expect, len);
		want = round_up(len, 8) + 8;
		c->op.size = want;
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_WRAP, KVAULT_ALG_KWP, len), 0);
		KUNIT_EXPECT_EQ(test, c->op.len, want);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_UNWRAP, KVAULT_ALG_KWP, want), 0);
		KUNIT_EXPECT_EQ(test, c->op.len, len);
		KUNIT_EXPECT_MEMEQ(test, c->data, c->expect, len);
	}
}

/* --- HMAC --- */

static void hmac_refuses_what_does_not_verify(struct kunit *test)
{
	static const u32 sizes[] = { 32, 48, 64 };
	struct crypto_test *c = test->priv;
	u32 alg, size, at;

	set_key(c, 32);
	for (alg = KVAULT_ALG_HS256; alg <= KVAULT_ALG_HS512; alg++) {
		size = sizes[alg - KVAULT_ALG_HS256];
		memcpy(c->data, "message", 7);
		KUNIT_ASSERT_EQ(test, run(c, KVAULT_OP_SIGN, alg, 7), 0);
		KUNIT_ASSERT_EQ(test, c->op.len, size);
		memcpy(c->aux, c->data, size);
		memcpy(c->data, "message", 7);
		for (at = 0; at < size; at++) {
			c->op.aux_len = size;
			c->aux[at] ^= 1;
			KUNIT_EXPECT_EQ_MSG(test, run(c, KVAULT_OP_VERIFY, alg, 7), -EKEYREJECTED,
					    "byte %u", at);
			c->aux[at] ^= 1;
			c->op.aux_len = at;	/* a part of it */
			KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_VERIFY, alg, 7), -EKEYREJECTED);
		}
		c->op.aux_len = size + 1;
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_VERIFY, alg, 7), -EKEYREJECTED);
		c->op.aux_len = size;
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_VERIFY, alg, 6), -EKEYREJECTED);
		KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_VERIFY, alg, 7), 0);
	}
}

struct hmac_known {
	u32 key_len, len;
	u8 key, data;
	const char *mac[3];
};

/* Cases 3 and 6 of RFC 4231: keys of one byte, many times, and data likewise or words. */
static void hmac_known_answers(struct kunit *test)
{
	static const struct hmac_known known[] = {
		{ 20, 50, 0xaa, 0xdd,
		  { "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
		    "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
		    "2a5ab39dc13814b94e3ab6e101a34f27",
		    "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
		    "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb" } },
		{ 131, 54, 0xaa, 0,
		  { "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		    "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
		    "0c2ef6ab4030fe8296248df163f44952",
		    "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
		    "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" } },
	};
	static const char words[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	struct crypto_test *c = test->priv;
	u32 size;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		memset(c->material, known[i].key, known[i].key_len);
		set_key(c, known[i].key_len);
		for (j = 0; j < 3; j++) {
			if (known[i].data)
				memset(c->data, known[i].data, known[i].len);
			else
				memcpy(c->data, words, known[i].len);
			size = kv_test_hex(test, c->expect, known[i].mac[j]);
			KUNIT_EXPECT_EQ(test, run(c, KVAULT_OP_SIGN, KVAULT_ALG_HS256 + j,
						  known[i].len), 0);
			KUNIT_ASSERT_EQ(test, c->op.len, size);
			KUNIT_EXPECT_MEMEQ(test, c->data, c->expect, size);
		}
	}
}

/* --- without a key object --- */

static void kdf_tells_purposes_apart(struct kunit *test)
{
	u8 key[32] = { 1 }, a[32], b[32];

	KUNIT_ASSERT_EQ(test, kv_kdf(key, 32, "kvault/1/a", "context", 7, a), 0);
	KUNIT_ASSERT_EQ(test, kv_kdf(key, 32, "kvault/1/b", "context", 7, b), 0);
	KUNIT_EXPECT_MEMNEQ(test, a, b, sizeof(a));
	/* the label ends where it ends */
	KUNIT_ASSERT_EQ(test, kv_kdf(key, 32, "kvault/1/ac", "ontext", 6, b), 0);
	KUNIT_EXPECT_MEMNEQ(test, a, b, sizeof(a));
	key[31] = 1;
	KUNIT_ASSERT_EQ(test, kv_kdf(key, 32, "kvault/1/a", "context", 7, b), 0);
	KUNIT_EXPECT_MEMNEQ(test, a, b, sizeof(a));
}

static void kdf_known_answer(struct kunit *test)
{
	u8 key[32], out[32], expect[32];
	int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	kv_test_hex(test, expect,
		    "93dfd18dc1ac1970edb14d878964e09d16ef2d9813674ea2575e12810cde0291");
	KUNIT_ASSERT_EQ(test, kv_kdf(key, sizeof(key), "kvault/1/test", "context", 7, out), 0);
	KUNIT_EXPECT_MEMEQ(test, out, expect, sizeof(out));
}

static void sha256_known_answers(struct kunit *test)
{
	u8 out[32], expect[32];

	kv_test_hex(test, expect,
		    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	KUNIT_ASSERT_EQ(test, kv_sha256("", 0, out), 0);
	KUNIT_EXPECT_MEMEQ(test, out, expect, sizeof(out));
	kv_test_hex(test, expect,
		    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	KUNIT_ASSERT_EQ(test, kv_sha256("abc", 3, out), 0);
	KUNIT_EXPECT_MEMEQ(test, out, expect, sizeof(out));
}

#ifdef CONFIG_UML
/* There is only the code with tables, and KVAULT_INFO must not say otherwise. */
static void tables_are_admitted(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, kv_crypto_is_constant_time());
}
#endif

static struct kunit_case crypto_cases[] = {
	KUNIT_CASE(fits_refuses_wrong_pairs),
	KUNIT_CASE(fits_takes_right_pairs),
	KUNIT_CASE(a_key_that_is_gone_does_nothing),
	KUNIT_CASE(a_key_of_a_wrong_size_does_nothing),
	KUNIT_CASE(gcm_finds_every_changed_bit),
	KUNIT_CASE(gcm_known_answers),
	KUNIT_CASE(gcm_takes_every_length),
	KUNIT_CASE(gcm_once_finds_a_wrong_key),
	KUNIT_CASE(cbc_refuses_parts_of_blocks),
	KUNIT_CASE(cbc_padding_needs_room),
	KUNIT_CASE(cbc_knows_good_padding_from_bad),
	KUNIT_CASE(cbc_known_answers),
	KUNIT_CASE(cbc_pads_every_length),
	KUNIT_CASE(kw_refuses_bad_lengths),
	KUNIT_CASE(kw_finds_every_changed_byte),
	KUNIT_CASE(kwp_refuses_what_is_not_minimal),
	KUNIT_CASE(kw_known_answers),
	KUNIT_CASE(kwp_takes_every_length),
	KUNIT_CASE(hmac_refuses_what_does_not_verify),
	KUNIT_CASE(hmac_known_answers),
	KUNIT_CASE(kdf_tells_purposes_apart),
	KUNIT_CASE(kdf_known_answer),
	KUNIT_CASE(sha256_known_answers),
#ifdef CONFIG_UML
	KUNIT_CASE(tables_are_admitted),
#endif
	{}
};

static struct kunit_suite crypto_suite = {
	.name = "kvault_crypto",
	.init = crypto_init,
	.exit = crypto_exit,
	.test_cases = crypto_cases,
};

kunit_test_suite(crypto_suite);
