// SPDX-License-Identifier: GPL-2.0-only
/* Derivation, codes, slots and the child that encrypts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>

#include "root/code.h"
#include "root/creds.h"
#include "root/files.h"
#include "root/kdf.h"
#include "root/slots.h"
#include "util/hex.h"
#include "util/io.h"

/* --- derivation ------------------------------------------------------------------------ */

/* SP 800-108 by its formula, with nothing but HMAC. */
static void kdf_by_hand(const uint8_t *key, size_t key_len, const char *label,
			const uint8_t *context, size_t context_len, uint8_t out[32])
{
	uint8_t text[256] = { 0, 0, 0, 1 };
	size_t n = 4, label_len = strlen(label);

	memcpy(text + n, label, label_len);
	n += label_len;
	text[n++] = 0;
	memcpy(text + n, context, context_len);
	n += context_len;
	memcpy(text + n, "\0\0\1\0", 4);
	n += 4;
	assert_non_null(HMAC(EVP_sha256(), key, (int)key_len, text, n, out, NULL));
}

static void kdf_is_sp_800_108(void **state)
{
	uint8_t key[64], context[64], want[32], got[32];

	(void)state;
	for (unsigned int i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)(i * 3);
		context[i] = (uint8_t)(i * 5 + 1);
	}
	for (size_t key_len = 32; key_len <= 64; key_len += 16) {
		for (size_t context_len = 16; context_len <= 48; context_len += 16) {
			kdf_by_hand(key, key_len, KVR_LABEL_CHECK, context, context_len, want);
			assert_int_equal(kvr_kdf(key, key_len, KVR_LABEL_CHECK, context,
						 context_len, got), 0);
			assert_memory_equal(got, want, sizeof(got));
		}
	}
	/* Computed with Python's hmac. */
	assert_int_equal(kvr_kdf(key, 32, KVR_LABEL_SLOT, context, 16, got), 0);
	assert_int_equal(kvd_hex_decode(want, 32,
					"a27ab2bc47db611b31da953cee23a555"
					"bf5f8cd21030bc0885158699cb2c01ab"), 0);
	assert_memory_equal(got, want, sizeof(got));
}

/* --- codes ------------------------------------------------------------------------------- */

#define CODE_COUNTING "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFG-CC6W"
#define CODE_ONES "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZG-NYB1"

static void code_is_read(void **state)
{
	uint8_t got[32], want[32];

	(void)state;
	for (unsigned int i = 0; i < 32; i++)
		want[i] = (uint8_t)i;
	assert_int_equal(kvr_code_parse(CODE_COUNTING, got), 0);
	assert_memory_equal(got, want, 32);
	memset(want, 0xff, 32);
	assert_int_equal(kvr_code_parse(CODE_ONES "\n", got), 0);
	assert_memory_equal(got, want, 32);
}

static void code_forgives_how_it_is_written(void **state)
{
	char text[KVR_CODE_TEXT] = "  ";
	uint8_t got[32], want[32];
	size_t n = 2;

	(void)state;
	assert_int_equal(kvr_code_parse(CODE_COUNTING, want), 0);
	for (const char *c = CODE_COUNTING; *c; c++) {
		char d = *c;

		if (d == '-')
			d = n % 2 ? ' ' : '\t';
		else if (d == '0')
			d = n % 2 ? 'o' : 'O';
		else if (d == '1')
			d = n % 3 ? 'l' : 'I';
		else if (d >= 'A')
			d = (char)(d | 0x20);
		text[n++] = d;
	}
	assert_int_equal(kvr_code_parse(text, got), 0);
	assert_memory_equal(got, want, 32);
}

static void every_slip_of_one_character_is_seen(void **state)
{
	char text[] = CODE_COUNTING;
	uint8_t got[32];

	(void)state;
	for (char *c = text; *c; c++) {
		char was = *c;

		if (was == '-')
			continue;
		*c = was == 'Z' ? 'Y' : 'Z';
		assert_true(kvr_code_parse(text, got) < 0);
		*c = was;
	}
	text[0] = '7';
	assert_int_equal(kvr_code_parse(text, got), -EBADMSG);
}

static void what_is_no_code_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "-", "0000", CODE_COUNTING "0", "U" CODE_COUNTING,
		"0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-000U-0000",
		"0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0001-0000",
		"0000+0000",
	};
	uint8_t got[32] = { 9 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(kvr_code_parse(bad[i], got), -EINVAL);
	assert_int_equal(got[0], 9);
}

/* --- slots --------------------------------------------------------------------------------- */

static const uint8_t root_key[32] = { 1, 2, 3 };

static json_t *hex(const void *p, size_t len)
{
	char text[65];

	kvd_hex_encode(text, p, len);
	return json_string(text);
}

/* What KVAULT_CTL_ROOT_WRAP makes, by OpenSSL. */
static void add_recovery(struct kvr_slots *s, const uint8_t code[32], uint8_t id_byte)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t id[16] = { id_byte }, aad[32], iv[12] = { 7 }, kek[32], wrapped[32], tag[16];
	int n;

	memcpy(aad, s->store, 16);
	memcpy(aad + 16, id, 16);
	kdf_by_hand(code, 32, "kvault/1/root-slot", id, 16, kek);
	EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, kek, iv);
	EVP_EncryptUpdate(ctx, NULL, &n, aad, 32);
	EVP_EncryptUpdate(ctx, wrapped, &n, root_key, 32);
	EVP_EncryptFinal_ex(ctx, wrapped + n, &n);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag);
	EVP_CIPHER_CTX_free(ctx);
	json_array_append_new(json_object_get(s->json, "slots"),
			      json_pack("{s:o, s:s, s:i, s:o, s:o, s:o}", "id", hex(id, 16),
					"provider", "recovery-code", "created", 5,
					"iv", hex(iv, 12), "wrapped", hex(wrapped, 32),
					"tag", hex(tag, 16)));
}

static void reread(struct kvr_slots *s)
{
	char *text = kvr_slots_text(s);

	kvr_slots_done(s);
	assert_int_equal(kvr_slots_parse(text, strlen(text), s), 0);
	free(text);
}

static void slots_know_their_root_key(void **state)
{
	struct kvr_slots s;
	uint8_t other[32] = { 1, 2, 4 };

	(void)state;
	assert_int_equal(kvr_slots_new(&s), 0);
	assert_int_equal(kvr_slots_check(&s, root_key), -ENOENT);
	assert_int_equal(kvr_slots_set_credential(&s, root_key, 1700000000), 0);
	reread(&s);
	assert_int_equal(s.count, 1);
	assert_int_equal(kvr_slots_check(&s, root_key), 0);
	assert_int_equal(kvr_slots_check(&s, other), -EKEYREJECTED);
	s.store[0] ^= 1;
	assert_int_equal(kvr_slots_check(&s, root_key), -EKEYREJECTED);
	kvr_slots_done(&s);
}

static void recovery_code_opens_its_slot(void **state)
{
	struct kvr_secret secret = { .code = { 42 } };
	struct kvr_slots s;

	(void)state;
	assert_int_equal(kvr_slots_new(&s), 0);
	assert_int_equal(kvr_slots_set_credential(&s, root_key, 1), 0);
	assert_int_equal(kvr_slots_recover(&s, &secret), -ENOENT);
	add_recovery(&s, (const uint8_t[32]){ 41 }, 1);
	add_recovery(&s, secret.code, 2);
	reread(&s);
	assert_int_equal(s.count, 3);
	assert_int_equal(kvr_slots_recover(&s, &secret), 0);
	assert_memory_equal(secret.root, root_key, 32);
	assert_int_equal(secret.kek[0] | secret.kek[31], 0);
	secret.code[31] ^= 1;
	memset(secret.root, 0xee, 32);
	assert_int_equal(kvr_slots_recover(&s, &secret), -EKEYREJECTED);
	assert_int_equal(secret.root[0] | secret.root[31], 0);
	kvr_slots_done(&s);
}

static void recovery_slot_of_another_store_does_not_open(void **state)
{
	struct kvr_secret secret = { .code = { 42 } };
	struct kvr_slots s;

	(void)state;
	assert_int_equal(kvr_slots_new(&s), 0);
	add_recovery(&s, secret.code, 2);
	reread(&s);
	s.store[15] ^= 1;
	assert_int_equal(kvr_slots_recover(&s, &secret), -EKEYREJECTED);
	s.store[15] ^= 1;
	s.slot[0].id[0] ^= 1;
	assert_int_equal(kvr_slots_recover(&s, &secret), -EKEYREJECTED);
	kvr_slots_done(&s);
}

/* Another machine's credential slot goes; recovery slots and strangers stay. */
static void credential_slot_is_replaced(void **state)
{
	struct kvr_secret secret = { .code = { 42 } };
	struct kvr_slots s;
	uint8_t old[16];

	(void)state;
	assert_int_equal(kvr_slots_new(&s), 0);
	assert_int_equal(kvr_slots_set_credential(&s, root_key, 1), 0);
	memcpy(old, s.slot[0].id, 16);
	add_recovery(&s, secret.code, 2);
	json_array_append_new(json_object_get(s.json, "slots"),
			      json_pack("{s:s, s:s, s:s}", "id", "00000000000000000000000000000009",
					"provider", "tpm2", "blob", "keep"));
	reread(&s);
	assert_int_equal(kvr_slots_set_credential(&s, root_key, 2), 0);
	reread(&s);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.slot[0].provider, KVR_CREDENTIAL);
	assert_memory_not_equal(s.slot[0].id, old, 16);
	assert_int_equal(s.slot[1].provider, KVR_RECOVERY);
	assert_int_equal(s.slot[2].provider, KVR_OTHER);
	assert_int_equal(kvr_slots_recover(&s, &secret), 0);
	assert_string_equal(json_string_value(json_object_get(json_array_get(
		json_object_get(s.json, "slots"), 2), "blob")), "keep");
	kvr_slots_done(&s);
}

static void damaged_slots_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "null", "{}", "{\"format\":1}",
		"{\"format\":2,\"store\":\"00112233445566778899aabbccddeeff\",\"slots\":[]}",
		"{\"format\":1,\"store\":\"0011\",\"slots\":[]}",
		"{\"format\":1,\"store\":\"00112233445566778899aabbccddeeff\",\"slots\":{}}",
		"{\"format\":1,\"format\":1,\"store\":\"00112233445566778899aabbccddeeff\","
		"\"slots\":[]}",
		"{\"format\":1,\"store\":\"00112233445566778899aabbccddeeff\",\"slots\":[1]}",
		"{\"format\":1,\"store\":\"00112233445566778899aabbccddeeff\",\"slots\":"
		"[{\"id\":\"00112233445566778899aabbccddeeff\","
		"\"provider\":\"systemd-credential\"}]}",
		"{\"format\":1,\"store\":\"00112233445566778899aabbccddeeff\",\"slots\":"
		"[{\"id\":\"00112233445566778899aabbccddeeff\",\"provider\":\"recovery-code\","
		"\"iv\":\"00\"}]}",
	};
	struct kvr_slots s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(kvr_slots_parse(bad[i], strlen(bad[i]), &s), -EUCLEAN);
}

/* --- files and the child ---------------------------------------------------------------------- */

static int make_folder(void **state)
{
	char *path = strdup("/tmp/kvault-root-XXXXXX");

	*state = path;
	return path && mkdtemp(path) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {
		"root/slots.json", "root/credential", "root", "kvault.db", "program", "",
	};
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", (char *)*state, names[i]);
		remove(path);
	}
	free(*state);
	return 0;
}

static void store_is_written_and_found(void **state)
{
	_cleanup_close_ int store = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int root = -1;
	struct kvd_bytes credential = { (uint8_t *)"sealed", 6 };
	struct kvr_slots s, back;
	struct stat st;

	assert_null(kvr_files_find_any(store));
	assert_int_equal(kvr_files_open_root(store, 0), -ENOENT);
	root = kvr_files_open_root(store, 1);
	assert_true(root >= 0);
	assert_null(kvr_files_find_any(store));
	assert_int_equal(kvr_slots_new(&s), 0);
	assert_int_equal(kvr_slots_set_credential(&s, root_key, 1), 0);
	assert_int_equal(kvr_files_write(root, &credential, &s, KVD_IO_NEW), 0);
	assert_int_equal(kvr_files_write(root, &credential, &s, KVD_IO_NEW), -EEXIST);
	assert_string_equal(kvr_files_find_any(store), "root/slots.json");
	assert_int_equal(kvr_files_read_slots(root, &back), 0);
	assert_int_equal(kvr_slots_check(&back, root_key), 0);
	assert_int_equal(fstatat(root, "credential", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	kvr_slots_done(&s);
	kvr_slots_done(&back);
}

static void store_without_root_counts_as_one(void **state)
{
	static const struct kvd_io_owner own = { (uid_t)-1, (gid_t)-1, 0600 };
	_cleanup_close_ int store = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(kvd_io_write_atomic(store, "kvault.db", "x", 1, &own, 0), 0);
	assert_string_equal(kvr_files_find_any(store), "kvault.db");
}

static void link_in_the_place_of_a_folder_is_not_followed(void **state)
{
	_cleanup_close_ int store = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(symlinkat("/etc", store, "root"), 0);
	assert_true(kvr_files_open_root(store, 1) < 0);
}

/* A stand-in for systemd-creds, which would make a host key on this machine. */
static int encrypt_with(void **state, const char *script, struct kvd_bytes *ret)
{
	static const struct kvd_io_owner own = { (uid_t)-1, (gid_t)-1, 0700 };
	_cleanup_close_ int dir = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct kvr_secret secret = { .root = "0123456789abcdefghijklmnopqrstu" };
	char path[256];

	snprintf(path, sizeof(path), "%s/program", (char *)*state);
	assert_int_equal(kvd_io_write_atomic(dir, "program", script, strlen(script), &own, 0), 0);
	return kvr_creds_encrypt(path, &secret, ret);
}

static void key_goes_to_the_child_by_its_input(void **state)
{
	_cleanup_bytes_ struct kvd_bytes got = { 0 };

	assert_int_equal(encrypt_with(state, "#!/bin/sh\necho \"$@\"\nenv | grep -c 0123\n"
				      "tr '\\000' '!'\n", &got), 0);
	assert_int_equal(got.len, strlen("encrypt --name=kvault-root - -\n0\n") + 32);
	assert_memory_equal(got.data, "encrypt --name=kvault-root - -\n0\n"
			    "0123456789abcdefghijklmnopqrstu!", got.len);
}

static void child_that_fails_gives_no_credential(void **state)
{
	struct kvd_bytes got = { 0 };

	assert_int_equal(encrypt_with(state, "#!/bin/sh\ncat\nexit 1\n", &got), -EIO);
	assert_int_equal(encrypt_with(state, "#!/bin/sh\nexit 0\n", &got), -EIO);
	assert_int_equal(encrypt_with(state, "#!/bin/sh\ncat\nkill -9 $$\n", &got), -EIO);
	assert_int_equal(encrypt_with(state, "#!/bin/sh\nhead -c 70000 /dev/zero\n", &got), -EIO);
	assert_null(got.data);
	assert_int_equal(kvr_creds_encrypt("/nonexistent", &(struct kvr_secret){ 0 }, &got), -EIO);
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kdf_is_sp_800_108),
		cmocka_unit_test(code_is_read),
		cmocka_unit_test(code_forgives_how_it_is_written),
		cmocka_unit_test(every_slip_of_one_character_is_seen),
		cmocka_unit_test(what_is_no_code_is_refused),
		cmocka_unit_test(slots_know_their_root_key),
		cmocka_unit_test(recovery_code_opens_its_slot),
		cmocka_unit_test(recovery_slot_of_another_store_does_not_open),
		cmocka_unit_test(credential_slot_is_replaced),
		cmocka_unit_test(damaged_slots_are_refused),
		WITH_FOLDER(store_is_written_and_found),
		WITH_FOLDER(store_without_root_counts_as_one),
		WITH_FOLDER(link_in_the_place_of_a_folder_is_not_followed),
		WITH_FOLDER(key_goes_to_the_child_by_its_input),
		WITH_FOLDER(child_that_fails_gives_no_credential),
	};

	return cmocka_run_group_tests_name("root", tests, NULL, NULL);
}
