// SPDX-License-Identifier: GPL-2.0-only
/*
 * Implicit rejection: every wrong padding answers with the same unforetellable
 * message, a right one with its own. The expected messages were computed by a
 * second implementation of the draft, in Python (hmac, hashlib); the code also
 * gives what OpenSSL 3.2's own test data expect of its method.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>

#include "engine/rsa15.h"
#include "util/cleanup.h"
#include "util/hex.h"

struct fixture {
	size_t size;
	uint8_t d_hash[KVE_RSA15_HASH];
	uint8_t em[KVE_RSA15_MAX];
	uint8_t ct[KVE_RSA15_MAX];
	uint8_t out[KVE_RSA15_MAX];
	size_t out_len;
};

/* A right padding around 16 bytes; the ciphertext is any, since nothing decrypts it. */
static void fill(struct fixture *f, size_t size, unsigned int seed)
{
	memset(f, 0, sizeof(*f));
	f->size = size;
	for (unsigned int i = 0; i < sizeof(f->d_hash); i++)
		f->d_hash[i] = (uint8_t)i;
	for (unsigned int i = 0; i < size; i++)
		f->ct[i] = (uint8_t)(seed * i * 7 + seed);
	memset(f->em, 0xaa, size);
	f->em[0] = 0;
	f->em[1] = 2;
	f->em[size - 17] = 0;
}

static void unpad(struct fixture *f)
{
	assert_int_equal(kve_rsa15_unpad(f->em, f->ct, f->size, f->d_hash, f->out, &f->out_len),
			 0);
}

static void assert_hash(const struct fixture *f, size_t len, const char *hex)
{
	uint8_t got[32], want[32];

	assert_int_equal(f->out_len, len);
	assert_int_equal(EVP_Digest(f->out, len, got, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(kvd_hex_decode(want, sizeof(want), hex), 0);
	assert_memory_equal(got, want, sizeof(want));
}

static void wrong_padding_gives_the_drafts_message(void **state)
{
	static const struct {
		size_t size;
		unsigned int seed;
		size_t len;
		const char *sha256;
	} known[] = {
		{ 256, 1, 221, "d1d55c060f9954e83d7fec89f6b26a61bde4793ea1b6c48474b609844b0a7ba5" },
		{ 256, 2, 85, "d31bdfdff5f11d4680e106eed3eee6631252a30d5835808491a018ea015a5725" },
		{ 384, 1, 228, "27c048600ffbcbee67f3ead732a9c97b7492da3927f1ad83d559e11059de66a3" },
		{ 384, 2, 39, "3f84d2b2bd53b764950494cb274815d7eb0cd72a507fdf1c7a0ac853f0a6a93a" },
		{ 512, 1, 405, "d310d60162ed21b54be0dfc2c91afb9fd13d3b9e214a44c9a22f6d0ddba5ca12" },
		{ 512, 2, 447, "f400327636aacc8aceab42169556bd748b329ec2a5d6f5a42779beae12f3e2be" },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		fill(&f, known[i].size, known[i].seed);
		f.em[1] = 1;
		unpad(&f);
		assert_hash(&f, known[i].len, known[i].sha256);
	}
}

static void right_padding_gives_the_message(void **state)
{
	struct fixture f;

	(void)state;
	/* From the longest message, behind 8 bytes of padding, to the empty one. */
	for (size_t zero = 10; zero < 256; zero++) {
		fill(&f, 256, 1);
		f.em[256 - 17] = 0xaa;
		f.em[zero] = 0;
		unpad(&f);
		assert_int_equal(f.out_len, 255 - zero);
		assert_memory_equal(f.out, f.em + zero + 1, f.out_len);
	}
}

static void zeros_within_a_message_belong_to_it(void **state)
{
	struct fixture f;

	(void)state;
	fill(&f, 256, 1);
	f.em[250] = 0;
	f.em[255] = 0;
	unpad(&f);
	assert_int_equal(f.out_len, 16);
	assert_memory_equal(f.out, f.em + 240, 16);
}

/* Each in its own way wrong, and none tells which. */
static void every_wrong_padding_looks_the_same(void **state)
{
	struct fixture want, f;

	(void)state;
	fill(&want, 256, 1);
	want.em[1] = 3;
	unpad(&want);
	for (int i = 0; i < 14; i++) {
		fill(&f, 256, 1);
		switch (i) {
		case 0:
			f.em[0] = 1;
			break;
		case 1:
			f.em[0] = 0x80;
			break;
		case 2:
			f.em[1] = 0;
			break;
		case 3:
			f.em[1] = 0x82;
			break;
		case 4:
			f.em[256 - 17] = 1;	/* no zero at all */
			break;
		case 5:
			memset(f.em, 0, 256);
			break;
		default:
			f.em[i - 4] = 0;	/* a zero within the 8 bytes: 2..9 */
		}
		unpad(&f);
		assert_int_equal(f.out_len, want.out_len);
		assert_memory_equal(f.out, want.out, want.out_len);
	}
}

static void message_depends_on_key_and_ciphertext(void **state)
{
	struct fixture a, b;

	(void)state;
	fill(&a, 256, 1);
	a.em[0] = 1;
	unpad(&a);
	b = a;
	b.d_hash[31] ^= 1;
	unpad(&b);
	assert_true(a.out_len != b.out_len || memcmp(a.out, b.out, a.out_len));
	b = a;
	b.ct[255] ^= 1;
	unpad(&b);
	assert_true(a.out_len != b.out_len || memcmp(a.out, b.out, a.out_len));
}

static void sizes_out_of_range_are_refused(void **state)
{
	struct fixture f;

	(void)state;
	fill(&f, 512, 1);
	assert_int_equal(kve_rsa15_unpad(f.em, f.ct, 513, f.d_hash, f.out, &f.out_len), -EIO);
	assert_int_equal(kve_rsa15_unpad(f.em, f.ct, 11, f.d_hash, f.out, &f.out_len), -EIO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_padding_gives_the_drafts_message),
		cmocka_unit_test(right_padding_gives_the_message),
		cmocka_unit_test(zeros_within_a_message_belong_to_it),
		cmocka_unit_test(every_wrong_padding_looks_the_same),
		cmocka_unit_test(message_depends_on_key_and_ciphertext),
		cmocka_unit_test(sizes_out_of_range_are_refused),
	};

	return cmocka_run_group_tests_name("rsa15", tests, NULL, NULL);
}
