// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symmetric keys through the ioctls: published vectors with imported keys,
 * round trips, and what does not check. What a handle may do is in
 * test_handle.c.
 * timeout: 180
 */
#include "kv_test.h"
#include "kselftest_harness.h"

#define ALL_CIPHER	"\"encrypt\",\"decrypt\""
#define ALL_WRAP	"\"wrapKey\",\"unwrapKey\""
#define ALL_SIGN	"\"sign\",\"verify\""

/*
 * One vault for all tests of this run: they are processes of one program, and
 * the time of its start is in its name.
 */
static char vault[64];

__attribute__((constructor)) static void name_the_vault(void)
{
	snprintf(vault, sizeof(vault), "%s", kv_unique("crypt"));
}

FIXTURE(key)
{
	int fd;
	uint32_t h;
	char name[64];
};

FIXTURE_SETUP(key)
{
	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	ASSERT_EQ(0, kv_vault(self->fd, vault));
	snprintf(self->name, sizeof(self->name), "%s", kv_unique("k"));
	ASSERT_EQ(200, kv_create(self->fd, vault, self->name,
				 "\"kty\":\"oct\",\"key_size\":256,\"key_ops\":["
				 ALL_CIPHER "," ALL_WRAP "," ALL_SIGN "]"));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, 0, &self->h));
}

FIXTURE_TEARDOWN(key)
{
	close(self->fd);
}

/* Imports a key given in hex and opens it; 0, or what went wrong. */
static int imported(int fd, const char *ops, const char *hex, uint32_t *h)
{
	uint8_t raw[64];
	const char *name = kv_unique("v");
	int ret;

	ret = kv_import(fd, vault, name, ops, raw, kv_hex(hex, raw));
	return ret == 200 ? kv_open_key(fd, vault, name, 0, h) : ret;
}

static int gcm(int fd, unsigned long cmd, uint32_t h, struct kvault_crypt *c, const void *in,
	       size_t len, void *out)
{
	size_t room = len;

	c->handle = h;
	c->alg = c->alg ? c->alg : KVAULT_ALG_A256GCM;
	return kv_op(fd, cmd, c, in, len, out, &room);
}

/* --- vectors -------------------------------------------------------------- */

#define GCM_PLAIN "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
		  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_AAD	  "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define GCM_IV	  "cafebabefacedbaddecaf888"
#define GCM_KEY	  "feffe9928665731c6d6a8f9467308308"

TEST_F(key, gcm_opens_the_published_vectors_of_all_key_sizes)
{
	static const struct {
		uint32_t alg;
		const char *key, *ct, *tag;
	} v[] = {
		{ KVAULT_ALG_A128GCM, GCM_KEY,
		  "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		  "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
		  "5bc94fbc3221a5db94fae95ae7121a47" },
		{ KVAULT_ALG_A192GCM, GCM_KEY "feffe9928665731c",
		  "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
		  "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
		  "2519498e80f1478f37ba55bd6d27618c" },
		{ KVAULT_ALG_A256GCM, GCM_KEY GCM_KEY,
		  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
		  "76fc6ece0f4e1768cddf8853bb2d551b" },
	};
	uint8_t plain[64], ct[64], out[64], aad[32];
	struct kvault_crypt c;
	uint32_t h;
	size_t i;

	ASSERT_EQ(60, kv_hex(GCM_PLAIN, plain));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, imported(self->fd, ALL_CIPHER, v[i].key, &h));
		memset(&c, 0, sizeof(c));
		c.alg = v[i].alg;
		c.aux = kv_ptr(aad);
		c.aux_len = (uint32_t)kv_hex(GCM_AAD, aad);
		kv_hex(GCM_IV, c.iv);
		kv_hex(v[i].tag, c.tag);
		kv_hex(v[i].ct, ct);
		ASSERT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, h, &c, ct, 60, out));
		EXPECT_EQ(0, memcmp(out, plain, 60));
	}
}

#define CBC_PLAIN "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" \
		  "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"

TEST_F(key, cbc_gives_the_published_vectors_of_all_key_sizes)
{
	static const struct {
		uint32_t alg;
		const char *key, *ct;
	} v[] = {
		{ KVAULT_ALG_A128CBC, "2b7e151628aed2a6abf7158809cf4f3c",
		  "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
		  "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7" },
		{ KVAULT_ALG_A192CBC, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
		  "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
		  "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd" },
		{ KVAULT_ALG_A256CBC,
		  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
		  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
		  "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b" },
	};
	uint8_t plain[64], want[64], out[64], again[64];
	struct kvault_crypt c;
	size_t i, len;
	uint32_t h;

	kv_hex(CBC_PLAIN, plain);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, imported(self->fd, ALL_CIPHER, v[i].key, &h));
		kv_hex(v[i].ct, want);
		memset(&c, 0, sizeof(c));
		c.handle = h;
		c.alg = v[i].alg;
		kv_hex("000102030405060708090a0b0c0d0e0f", c.iv);
		len = sizeof(out);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, plain, 64, out, &len));
		EXPECT_EQ(64, len);
		EXPECT_EQ(0, memcmp(out, want, 64));
		len = sizeof(again);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_DECRYPT, &c, out, 64, again, &len));
		EXPECT_EQ(0, memcmp(again, plain, 64));
	}
}

#define KW_KEY	"000102030405060708090a0b0c0d0e0f"
#define KW_DATA	"00112233445566778899aabbccddeeff"

static const struct kw_vector {
	uint32_t alg;
	const char *key, *data, *wrapped;
} kw_vectors[] = {
	/* RFC 3394, 4.1 to 4.6 */
	{ KVAULT_ALG_A128KW, KW_KEY, KW_DATA,
	  "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5" },
	{ KVAULT_ALG_A192KW, KW_KEY "1011121314151617", KW_DATA,
	  "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d" },
	{ KVAULT_ALG_A256KW, KW_KEY "101112131415161718191a1b1c1d1e1f", KW_DATA,
	  "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7" },
	{ KVAULT_ALG_KW, KW_KEY "101112131415161718191a1b1c1d1e1f", KW_DATA KW_KEY,
	  "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43b"
	  "fb988b9b7a02dd21" },
	/* RFC 5649, 6 */
	{ KVAULT_ALG_KWP, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
	  "c37b7e6492584340bed12207808941155068f738",
	  "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a" },
	{ KVAULT_ALG_KWP, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
	  "466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f" },
};

TEST_F(key, key_wrap_gives_the_vectors_of_RFC_3394_and_5649)
{
	const struct kw_vector *v;
	uint8_t data[64], want[64], out[64];
	size_t n, w, len;
	struct kvault_crypt c;
	uint32_t h;

	for (v = kw_vectors; v < kw_vectors + 6; v++) {
		n = kv_hex(v->data, data);
		w = kv_hex(v->wrapped, want);
		ASSERT_EQ(0, imported(self->fd, ALL_WRAP, v->key, &h));
		c = (struct kvault_crypt){ .handle = h, .alg = v->alg };
		len = sizeof(out);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_WRAP, &c, data, n, out, &len));
		ASSERT_EQ(w, len);
		EXPECT_EQ(0, memcmp(out, want, w));
		len = sizeof(out);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_UNWRAP, &c, want, w, out, &len));
		ASSERT_EQ(n, len);
		EXPECT_EQ(0, memcmp(out, data, n));
	}
}

/* HMAC pads a short key with zeros, so a vector's key may be padded here, too. */
TEST_F(key, hmac_gives_the_vectors_of_RFC_4231)
{
	static const struct {
		const char *key, *data, *mac[3];
	} v[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b00000000", "4869205468657265",
		  { "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
		    "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
		    "faea9ea9076ede7f4af152e8b2fa9cb6",
		    "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
		    "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" } },
		{ "4a656665000000000000000000000000",
		  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  { "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
		    "8e2240ca5e69e2c78b3239ecfab21649",
		    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" } },
	};
	uint8_t data[64], want[64], out[64];
	size_t i, j, n, w, len;
	uint32_t h;

	for (i = 0; i < 2; i++) {
		n = kv_hex(v[i].data, data);
		ASSERT_EQ(0, imported(self->fd, ALL_SIGN, v[i].key, &h));
		for (j = 0; j < 3; j++) {
			w = kv_hex(v[i].mac[j], want);
			len = sizeof(out);
			ASSERT_EQ(0, kv_sign(self->fd, h, KVAULT_ALG_HS256 + j, data, n,
					     out, &len));
			ASSERT_EQ(w, len);
			EXPECT_EQ(0, memcmp(out, want, w));
			EXPECT_EQ(0, kv_verify(self->fd, h, KVAULT_ALG_HS256 + j, data, n,
					       want, w));
			want[w - 1] ^= 1;
			EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, h, KVAULT_ALG_HS256 + j,
							   data, n, want, w));
		}
	}
}

/* --- GCM ------------------------------------------------------------------ */

TEST_F(key, gcm_takes_back_what_it_gave_at_every_length)
{
	static const size_t lens[] = { 0, 1, 15, 16, 17, 4095, 4096, 65535, 65536 };
	static uint8_t in[65536], ct[65536], out[65536];
	struct kvault_crypt c;
	size_t i;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + i / 251);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		c = (struct kvault_crypt){ .aux = kv_ptr(in), .aux_len = (uint32_t)(i * 512) };
		ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &c, in, lens[i], ct));
		EXPECT_EQ(lens[i], c.out_len);
		if (lens[i] > 15)
			EXPECT_NE(0, memcmp(in, ct, lens[i]));
		memset(out, 0, sizeof(out));
		ASSERT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, lens[i], out));
		EXPECT_EQ(0, memcmp(in, out, lens[i]));
	}
}

TEST_F(key, gcm_works_in_place)
{
	uint8_t buf[48], want[48];
	struct kvault_crypt c = { 0 };

	memset(buf, 'x', sizeof(buf));
	memcpy(want, buf, sizeof(buf));
	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &c, buf, 48, buf));
	EXPECT_NE(0, memcmp(buf, want, 48));
	ASSERT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, buf, 48, buf));
	EXPECT_EQ(0, memcmp(buf, want, 48));
}

TEST_F(key, gcm_never_uses_an_iv_twice_and_takes_none_from_the_caller)
{
	static uint8_t ivs[512][12];
	uint8_t in[1] = { 0 }, out[1];
	struct kvault_crypt c;
	int i, j;

	for (i = 0; i < 512; i++) {
		c = (struct kvault_crypt){ 0 };
		memset(c.iv, 0x11, sizeof(c.iv));
		ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &c, in, 1, out));
		memcpy(ivs[i], c.iv, 12);
		for (j = 0; j < i; j++)
			ASSERT_NE(0, memcmp(ivs[i], ivs[j], 12));
	}
}

/* Of a good ciphertext @n bytes long exactly one thing is wrong. */
TEST_F(key, gcm_refuses_every_single_changed_bit)
{
	uint8_t in[24] = "it is what I want it is", aad[8] = "context", ct[24], bad[24], out[24];
	struct kvault_crypt good = { .aux = kv_ptr(aad), .aux_len = sizeof(aad) }, c;
	int i;

	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &good, in, sizeof(in), ct));
	for (i = 0; i < 24 * 8; i++) {
		memcpy(bad, ct, sizeof(ct));
		bad[i / 8] ^= 1 << i % 8;
		c = good;
		memset(out, 0x5a, sizeof(out));
		ASSERT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, bad, 24, out));
		ASSERT_EQ(0x5a, out[0]) TH_LOG("plaintext of a forgery got out");
	}
	for (i = 0; i < 16 * 8; i++) {
		c = good;
		c.tag[i / 8] ^= 1 << i % 8;
		ASSERT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 24, out));
	}
	for (i = 0; i < 12 * 8; i++) {
		c = good;
		c.iv[i / 8] ^= 1 << i % 8;
		ASSERT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 24, out));
	}
	for (i = 0; i < 8 * 8; i++) {
		c = good;
		aad[i / 8] ^= 1 << i % 8;
		ASSERT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 24, out));
		aad[i / 8] ^= 1 << i % 8;
	}
	c = good;
	EXPECT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 24, out));
}

TEST_F(key, gcm_refuses_another_length_of_text_or_context)
{
	uint8_t in[24] = { 0 }, aad[9] = "context", ct[25], out[25];
	struct kvault_crypt good = { .aux = kv_ptr(aad), .aux_len = 8 }, c;

	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &good, in, 24, ct));
	c = good;
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 23, out));
	c = good;
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 25, out));
	c = good;
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 0, out));
	c = good;
	c.aux_len = 7;
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 24, out));
	c = good;
	c.aux_len = 9;
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 24, out));
	c = good;
	c.aux_len = 0;
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 24, out));
}

TEST_F(key, another_key_does_not_open_it)
{
	uint8_t in[16] = { 0 }, ct[16], out[16];
	struct kvault_crypt c = { 0 };
	uint32_t h;

	ASSERT_EQ(200, kv_create(self->fd, vault, "other", "\"kty\":\"oct\",\"key_size\":256"));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, "other", 0, &h));
	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &c, in, 16, ct));
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, h, &c, ct, 16, out));
}

/* --- lengths and buffers -------------------------------------------------- */

TEST_F(key, a_small_buffer_gets_nothing_but_the_length_that_is_needed)
{
	static const struct {
		unsigned long cmd;
		uint32_t alg;
		uint32_t in_len, need;
	} t[] = {
		{ KVAULT_ENCRYPT, KVAULT_ALG_A256GCM, 40, 40 },
		{ KVAULT_ENCRYPT, KVAULT_ALG_A256CBC, 32, 32 },
		{ KVAULT_ENCRYPT, KVAULT_ALG_A256CBCPAD, 32, 48 },
		{ KVAULT_ENCRYPT, KVAULT_ALG_A256CBCPAD, 31, 32 },
		{ KVAULT_WRAP, KVAULT_ALG_A256KW, 32, 40 },
		{ KVAULT_WRAP, KVAULT_ALG_KWP, 33, 48 },
		{ KVAULT_SIGN, KVAULT_ALG_HS256, 5, 32 },
		{ KVAULT_SIGN, KVAULT_ALG_HS384, 5, 48 },
		{ KVAULT_SIGN, KVAULT_ALG_HS512, 5, 64 },
	};
	uint8_t in[64] = { 0 }, out[64];
	struct kvault_crypt c;
	size_t i, len;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(out, 0x5a, sizeof(out));
		c = (struct kvault_crypt){ .handle = self->h, .alg = t[i].alg };
		len = t[i].need - 1;
		EXPECT_EQ(-EMSGSIZE, kv_op(self->fd, t[i].cmd, &c, in, t[i].in_len, out, &len));
		EXPECT_EQ(t[i].need, len);
		EXPECT_EQ(0x5a, out[0]);
		len = 0;
		EXPECT_EQ(-EMSGSIZE, kv_op(self->fd, t[i].cmd, &c, in, t[i].in_len, NULL, &len));
		EXPECT_EQ(t[i].need, len);
		EXPECT_EQ(0, kv_op(self->fd, t[i].cmd, &c, in, t[i].in_len, out, &len));
		EXPECT_EQ(t[i].need, len);
		if (len < sizeof(out))
			EXPECT_EQ(0x5a, out[len]);
	}
}

TEST_F(key, buffers_that_are_not_there_are_EFAULT)
{
	static const uint64_t bad[] = { 0, 0x10000, 0xffff888000000000ull, 1ull << 63 };
	uint8_t buf[16] = { 0 };
	struct kvault_crypt good = {
		.size = sizeof(good), .handle = self->h, .alg = KVAULT_ALG_A256GCM,
		.in = kv_ptr(buf), .in_len = 16, .out = kv_ptr(buf), .out_len = 16,
	}, c;
	size_t i;

	for (i = 0; i < 4; i++) {
		c = good;
		c.in = bad[i];
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_ENCRYPT, &c));
		c = good;
		c.out = bad[i];
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_ENCRYPT, &c));
		c = good;
		c.aux = bad[i];
		c.aux_len = 16;
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_ENCRYPT, &c));
		c = good;
		c.in = bad[i];
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_NOOP, &c));
	}
}

TEST_F(key, cbc_refuses_what_is_no_whole_block)
{
	static const uint32_t bad[] = { 0, 1, 15, 17, 31 };
	uint8_t in[32] = { 0 }, out[64];
	struct kvault_crypt c;
	size_t i, len;

	for (i = 0; i < 5; i++) {
		c = (struct kvault_crypt){ .handle = self->h, .alg = KVAULT_ALG_A256CBC };
		len = sizeof(out);
		EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, bad[i], out, &len));
		len = sizeof(out);
		EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_DECRYPT, &c, in, bad[i], out, &len));
		c.alg = KVAULT_ALG_A256CBCPAD;
		len = sizeof(out);
		EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_DECRYPT, &c, in, bad[i], out, &len));
	}
}

TEST_F(key, padded_cbc_takes_back_every_length_and_refuses_bad_padding)
{
	uint8_t in[48], ct[64], out[64];
	struct kvault_crypt c = { .handle = self->h, .alg = KVAULT_ALG_A256CBCPAD }, raw;
	size_t n, ct_len, len;
	int i;

	memset(in, 'p', sizeof(in));
	for (n = 0; n <= 48; n++) {
		ct_len = sizeof(ct);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, n, ct, &ct_len));
		ASSERT_EQ(n / 16 * 16 + 16, ct_len);
		len = sizeof(out);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, ct_len, out, &len));
		ASSERT_EQ(n, len);
		ASSERT_EQ(0, memcmp(in, out, n));
	}
	/* the same key without padding makes any last block there is */
	for (i = 0; i < 6; i++) {
		static const uint8_t last[6][3] = {
			{ 0, 0, 0 }, { 0, 0, 17 }, { 0, 0, 255 }, { 1, 2, 3 }, { 4, 3, 3 },
			{ 0, 1, 2 },
		};
		memset(in, 0, 16);
		memcpy(in + 13, last[i], 3);
		raw = c;
		raw.alg = KVAULT_ALG_A256CBC;
		ct_len = 16;
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &raw, in, 16, ct, &ct_len));
		memset(out, 0x5a, sizeof(out));
		len = sizeof(out);
		EXPECT_EQ(-EBADMSG, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 16, out, &len));
		EXPECT_EQ(0x5a, out[0]);
	}
}

TEST_F(key, an_output_over_the_limit_is_refused_rather_than_made)
{
	static uint8_t in[KVAULT_PAYLOAD_MAX], out[KVAULT_PAYLOAD_MAX + 16];
	struct kvault_crypt c = { .handle = self->h, .alg = KVAULT_ALG_A256CBCPAD };
	size_t len = sizeof(out);

	/* its 65 552 bytes could not be decrypted: KVAULT_PAYLOAD_MAX counts either way */
	EXPECT_EQ(-EMSGSIZE, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, sizeof(in), out, &len));
	len = sizeof(out);
	EXPECT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, sizeof(in) - 1, out, &len));
}

TEST_F(key, key_wrap_refuses_lengths_that_it_has_no_result_for)
{
	uint8_t in[64] = { 0 }, out[80];
	struct kvault_crypt c = { .handle = self->h, .alg = KVAULT_ALG_A256KW };
	static const uint32_t bad_wrap[] = { 0, 8, 15, 17 }, bad_unwrap[] = { 0, 8, 16, 23, 25 };
	size_t i, len;

	for (i = 0; i < 4; i++) {
		len = sizeof(out);
		EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_WRAP, &c, in, bad_wrap[i], out, &len));
	}
	for (i = 0; i < 5; i++) {
		len = sizeof(out);
		EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_UNWRAP, &c, in, bad_unwrap[i], out,
					 &len));
	}
	c.alg = KVAULT_ALG_KWP;
	len = sizeof(out);
	EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_WRAP, &c, in, 0, out, &len));
	len = sizeof(out);
	EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_UNWRAP, &c, in, 8, out, &len));
}

TEST_F(key, unwrap_refuses_every_changed_byte_and_the_other_padding)
{
	static const uint32_t algs[] = { KVAULT_ALG_A256KW, KVAULT_ALG_KWP };
	uint8_t in[32], wrapped[40], bad[40], out[48];
	struct kvault_crypt c;
	size_t i, j, len;

	memset(in, 'k', sizeof(in));
	for (i = 0; i < 2; i++) {
		c = (struct kvault_crypt){ .handle = self->h, .alg = algs[i] };
		len = sizeof(wrapped);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_WRAP, &c, in, 32, wrapped, &len));
		ASSERT_EQ(40, len);
		for (j = 0; j < 40; j++) {
			memcpy(bad, wrapped, 40);
			bad[j] ^= 0x80;
			memset(out, 0x5a, sizeof(out));
			len = sizeof(out);
			ASSERT_EQ(-EBADMSG, kv_op(self->fd, KVAULT_UNWRAP, &c, bad, 40, out,
						  &len));
			ASSERT_EQ(0x5a, out[0]);
		}
		c.alg = algs[!i];
		len = sizeof(out);
		EXPECT_EQ(-EBADMSG, kv_op(self->fd, KVAULT_UNWRAP, &c, wrapped, 40, out, &len));
	}
}

/* --- what does not go together -------------------------------------------- */

TEST_F(key, an_algorithm_that_does_not_fit_key_or_operation_is_EOPNOTSUPP)
{
	static const struct {
		unsigned long cmd;
		uint32_t alg;
	} t[] = {
		{ KVAULT_ENCRYPT, 0 }, { KVAULT_ENCRYPT, 10 }, { KVAULT_ENCRYPT, UINT32_MAX },
		{ KVAULT_ENCRYPT, KVAULT_ALG_A128GCM }, { KVAULT_DECRYPT, KVAULT_ALG_A192GCM },
		{ KVAULT_ENCRYPT, KVAULT_ALG_A128CBC }, { KVAULT_WRAP, KVAULT_ALG_A128KW },
		{ KVAULT_ENCRYPT, KVAULT_ALG_A256KW }, { KVAULT_WRAP, KVAULT_ALG_A256GCM },
		{ KVAULT_SIGN, KVAULT_ALG_A256GCM }, { KVAULT_ENCRYPT, KVAULT_ALG_HS256 },
		{ KVAULT_SIGN, KVAULT_ALG_ES256 }, { KVAULT_SIGN, KVAULT_ALG_RS256 },
		{ KVAULT_VERIFY, KVAULT_ALG_PS256 }, { KVAULT_DECRYPT, KVAULT_ALG_RSA_OAEP },
		{ KVAULT_WRAP, KVAULT_ALG_RSA1_5 },
	};
	uint8_t in[32] = { 0 }, out[64];
	struct kvault_crypt c;
	size_t i, len;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		c = (struct kvault_crypt){ .handle = self->h, .alg = t[i].alg };
		len = sizeof(out);
		EXPECT_EQ(-EOPNOTSUPP, kv_op(self->fd, t[i].cmd, &c, in, 32, out, &len))
			TH_LOG("operation %#lx, algorithm %u", t[i].cmd, t[i].alg);
	}
}

TEST_F(key, additional_data_where_there_is_no_place_for_it_is_refused)
{
	uint8_t in[32] = { 0 }, out[64];
	struct kvault_crypt c = {
		.handle = self->h, .alg = KVAULT_ALG_A256CBC, .aux = kv_ptr(in), .aux_len = 4,
	};
	size_t len = sizeof(out);

	EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, 32, out, &len));
	c.alg = KVAULT_ALG_HS256;
	EXPECT_EQ(-EINVAL, kv_op(self->fd, KVAULT_SIGN, &c, in, 32, out, &len));
}

TEST_F(key, a_mac_of_another_length_does_not_verify)
{
	uint8_t in[8] = { 0 }, mac[64];
	size_t len = sizeof(mac);

	ASSERT_EQ(0, kv_sign(self->fd, self->h, KVAULT_ALG_HS256, in, 8, mac, &len));
	EXPECT_EQ(0, kv_verify(self->fd, self->h, KVAULT_ALG_HS256, in, 8, mac, 32));
	EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, KVAULT_ALG_HS256, in, 8, mac, 31));
	EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, KVAULT_ALG_HS256, in, 8, mac, 33));
	EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, KVAULT_ALG_HS256, in, 8, mac, 0));
	EXPECT_EQ(-EKEYREJECTED, kv_verify(self->fd, self->h, KVAULT_ALG_HS256, in, 7, mac, 32));
}

TEST_HARNESS_MAIN
