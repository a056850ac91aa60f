// SPDX-License-Identifier: GPL-2.0-only
/*
 * The envelope, with OpenSSL's AES-GCM standing in for the kernel: what was
 * changed, cut, extended, moved or spliced does not open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "internal.h"

#define CHUNK	64	/* small, so that every byte can be tried */
#define HEAD	32	/* of a chunk */

static const uint8_t key[32] = "an AES key that only tests have";
static uint32_t iv_count;

static int soft_seal(const struct kvl_aead *a, const void *aad, size_t aad_len, uint8_t *data,
		     size_t len, uint8_t iv[12], uint8_t tag[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, ok;

	(void)a;
	memset(iv, 0, 12);
	iv_count++;
	memcpy(iv, &iv_count, sizeof(iv_count));
	ok = EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) &&
	     EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) &&
	     EVP_EncryptUpdate(ctx, data, &n, data, (int)len) &&
	     EVP_EncryptFinal_ex(ctx, data + len, &n) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag);
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -EIO;
}

static int soft_open(const struct kvl_aead *a, const void *aad, size_t aad_len, uint8_t *data,
		     size_t len, const uint8_t iv[12], const uint8_t tag[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t copy[16];
	int n, ok;

	(void)a;
	memcpy(copy, tag, 16);
	ok = EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) &&
	     EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) &&
	     EVP_DecryptUpdate(ctx, data, &n, data, (int)len) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, 16, copy) &&
	     EVP_DecryptFinal_ex(ctx, data + len, &n);
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -EBADMSG;
}

static const struct kvl_aead aead = { .seal = soft_seal, .open = soft_open };

static const struct kvault_address address = {
	.vault = "payroll", .name = "files", .version = "0123456789abcdef0123456789abcdef",
};

static int memfile(const void *data, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(kvl_write_full(fd, data, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

struct message {
	uint8_t data[8192];
	size_t len, head;	/* head: length of the header */
};

static void seal(const void *plain, size_t len, uint8_t id, struct message *ret)
{
	static const struct kvault_pair pairs[] = { { "customer", "17" }, { "empty", "" } };
	const uint8_t message_id[16] = { id };
	struct kvault_envelope env;
	int in = memfile(plain, len), out = memfile("", 0);

	assert_int_equal(kvl_envelope_build(&address, KVAULT_ALG_A256GCM, CHUNK, message_id, pairs,
					    2, &env), 0);
	assert_int_equal(kvl_envelope_seal(&aead, &env, in, out, NULL, NULL), 0);
	ret->head = env.raw_len;
	ret->len = (size_t)lseek(out, 0, SEEK_CUR);
	assert_true(ret->len <= sizeof(ret->data));
	lseek(out, 0, SEEK_SET);
	assert_int_equal(kvl_read_full(out, ret->data, ret->len), ret->len);
	kvault_envelope_done(&env);
	close(in);
	close(out);
}

/* 0 or the errno; the plaintext into ret. */
static int unseal(const void *data, size_t len, void *ret, size_t *ret_len)
{
	struct kvault_envelope env;
	int in = memfile(data, len), out = memfile("", 0), r;

	r = kvault_envelope_read(in, &env);
	if (!r) {
		r = kvl_envelope_open(&aead, &env, in, out, NULL, NULL);
		kvault_envelope_done(&env);
	}
	if (!r && ret) {
		*ret_len = (size_t)lseek(out, 0, SEEK_CUR);
		lseek(out, 0, SEEK_SET);
		kvl_read_full(out, ret, *ret_len);
	}
	close(in);
	close(out);
	return r;
}

static void every_length_comes_back(void **state)
{
	uint8_t plain[4 * CHUNK + 1], back[8192];
	struct message m;
	size_t len, got;

	(void)state;
	for (len = 0; len < sizeof(plain); len++)
		plain[len] = (uint8_t)len;
	for (len = 0; len <= sizeof(plain); len++) {
		size_t chunks = len ? (len + CHUNK - 1) / CHUNK : 1;

		seal(plain, len, 1, &m);
		assert_int_equal(m.len, m.head + chunks * HEAD + len);
		assert_int_equal(unseal(m.data, m.len, back, &got), 0);
		assert_int_equal(got, len);
		assert_memory_equal(plain, back, len);
	}
}

static void the_header_says_what_it_is(void **state)
{
	struct kvault_envelope env;
	struct message m;
	int fd;

	(void)state;
	seal("x", 1, 7, &m);
	fd = memfile(m.data, m.len);
	assert_int_equal(kvault_envelope_read(fd, &env), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), m.head);
	assert_string_equal(env.key.vault, "payroll");
	assert_string_equal(env.key.name, "files");
	assert_string_equal(env.key.version, address.version);
	assert_int_equal(env.alg, KVAULT_ALG_A256GCM);
	assert_int_equal(env.message_id[0], 7);
	assert_int_equal(env.n_context, 2);
	assert_string_equal(env.context[0].name, "customer");
	assert_string_equal(env.context[0].value, "17");
	assert_string_equal(env.context[1].value, "");
	kvault_envelope_done(&env);
	close(fd);
}

static void any_changed_bit_is_noticed(void **state)
{
	uint8_t plain[2 * CHUNK + 5] = { 0 };
	struct message m;
	size_t i;
	int bit;

	(void)state;
	seal(plain, sizeof(plain), 1, &m);
	for (i = 0; i < m.len; i++)
		for (bit = 0; bit < 8; bit++) {
			m.data[i] ^= (uint8_t)(1 << bit);
			if (unseal(m.data, m.len, NULL, NULL) != -EBADMSG)
				fail_msg("bit %d of byte %zu can be changed", bit, i);
			m.data[i] ^= (uint8_t)(1 << bit);
		}
}

static void any_cut_is_noticed(void **state)
{
	uint8_t plain[3 * CHUNK] = { 0 };
	struct message m;
	size_t len;

	(void)state;
	seal(plain, sizeof(plain), 1, &m);
	for (len = 0; len < m.len; len++)
		assert_int_equal(unseal(m.data, len, NULL, NULL), -EBADMSG);
}

static void what_is_added_is_noticed(void **state)
{
	uint8_t plain[CHUNK] = { 0 };
	struct message m, n;

	(void)state;
	seal(plain, sizeof(plain), 1, &m);
	m.data[m.len] = 0;
	assert_int_equal(unseal(m.data, m.len + 1, NULL, NULL), -EBADMSG);
	/* the chunks of the same message once more */
	seal(plain, sizeof(plain), 1, &n);
	memcpy(m.data + m.len, n.data + n.head, n.len - n.head);
	assert_int_equal(unseal(m.data, m.len + n.len - n.head, NULL, NULL), -EBADMSG);
}

static void chunks_cannot_be_moved(void **state)
{
	uint8_t plain[3 * CHUNK] = { 0 }, chunk[HEAD + CHUNK], *first, *second;
	struct message m;

	(void)state;
	seal(plain, sizeof(plain), 1, &m);
	first = m.data + m.head;
	second = first + sizeof(chunk);
	memcpy(chunk, first, sizeof(chunk));
	memcpy(first, second, sizeof(chunk));
	memcpy(second, chunk, sizeof(chunk));
	assert_int_equal(unseal(m.data, m.len, NULL, NULL), -EBADMSG);
	/* left out */
	memcpy(second, first, sizeof(chunk));
	memmove(first, second + sizeof(chunk), sizeof(chunk));
	assert_int_equal(unseal(m.data, m.len - 2 * sizeof(chunk), NULL, NULL), -EBADMSG);
}

/* A middle chunk that claims to be the last, with all behind it cut off. */
static void a_chunk_cannot_be_made_the_last(void **state)
{
	uint8_t plain[3 * CHUNK] = { 0 };
	struct message m;

	(void)state;
	seal(plain, sizeof(plain), 1, &m);
	m.data[m.head + 3] |= 0x80;
	assert_int_equal(unseal(m.data, m.head + HEAD + CHUNK, NULL, NULL), -EBADMSG);
}

static void chunks_of_other_messages_do_not_fit(void **state)
{
	uint8_t plain[2 * CHUNK] = { 0 };
	struct message a, b;

	(void)state;
	seal(plain, sizeof(plain), 1, &a);
	seal(plain, sizeof(plain), 2, &b);
	memcpy(a.data + a.head, b.data + b.head, HEAD + CHUNK);
	assert_int_equal(unseal(a.data, a.len, NULL, NULL), -EBADMSG);
	/* the header of the one, all chunks of the other */
	seal(plain, sizeof(plain), 1, &a);
	memcpy(a.data, b.data, a.head);
	assert_int_equal(unseal(a.data, a.len, NULL, NULL), -EBADMSG);
}

static void contexts_have_limits(void **state)
{
	const uint8_t id[16] = { 0 };
	char text[KVAULT_CONTEXT_MAX];
	struct kvault_pair pairs[2] = { { "a", "1" }, { "a", "2" } };
	struct kvault_envelope env;

	(void)state;
	assert_int_equal(kvl_envelope_build(&address, KVAULT_ALG_A256GCM, CHUNK, id, pairs, 2,
					    &env), -EINVAL);
	pairs[0].name = "";
	assert_int_equal(kvl_envelope_build(&address, KVAULT_ALG_A256GCM, CHUNK, id, pairs, 1,
					    &env), -EINVAL);
	memset(text, 'x', sizeof(text));
	text[KVAULT_CONTEXT_MAX - 7] = '\0';
	pairs[0] = (struct kvault_pair){ "a", text };
	assert_int_equal(kvl_envelope_build(&address, KVAULT_ALG_A256GCM, CHUNK, id, pairs, 1,
					    &env), 0);
	kvault_envelope_done(&env);
	text[KVAULT_CONTEXT_MAX - 7] = 'x';
	text[KVAULT_CONTEXT_MAX - 6] = '\0';
	assert_int_equal(kvl_envelope_build(&address, KVAULT_ALG_A256GCM, CHUNK, id, pairs, 1,
					    &env), -E2BIG);
}

/* Headers of random bytes behind a plausible start: refused, and nothing worse. */
static void garbage_is_refused(void **state)
{
	struct kvault_envelope env;
	struct message m, g;
	unsigned int seed;
	size_t i;

	(void)state;
	seal("x", 1, 1, &m);
	for (seed = 0; seed < 20000; seed++) {
		g = m;
		srandom(seed);
		for (i = 0; i < 1 + seed % 4; i++)
			g.data[16 + (size_t)random() % (g.head - 16)] = (uint8_t)random();
		if (!kvl_envelope_parse(g.data, g.head, &env))
			kvault_envelope_done(&env);
	}
	assert_int_equal(unseal("", 0, NULL, NULL), -EBADMSG);
	assert_int_equal(unseal("KVE1", 4, NULL, NULL), -EBADMSG);
	assert_int_equal(unseal("not an envelope, and longer than 16", 35, NULL, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(the_header_says_what_it_is),
		cmocka_unit_test(any_changed_bit_is_noticed),
		cmocka_unit_test(any_cut_is_noticed),
		cmocka_unit_test(what_is_added_is_noticed),
		cmocka_unit_test(chunks_cannot_be_moved),
		cmocka_unit_test(a_chunk_cannot_be_made_the_last),
		cmocka_unit_test(chunks_of_other_messages_do_not_fit),
		cmocka_unit_test(contexts_have_limits),
		cmocka_unit_test(garbage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
