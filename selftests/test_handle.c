// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a handle on a key may do, who may use it, and what becomes of it when
 * its key is closed, disabled or expired. The algorithms are in test_crypt.c.
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
	snprintf(vault, sizeof(vault), "%s", kv_unique("handle"));
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

static int gcm(int fd, unsigned long cmd, uint32_t h, struct kvault_crypt *c, const void *in,
	       size_t len, void *out)
{
	size_t room = c->alg == KVAULT_ALG_A256CBCPAD ? len + 16 : len;

	c->handle = h;
	c->alg = c->alg ? c->alg : KVAULT_ALG_A256GCM;
	return kv_op(fd, cmd, c, in, len, out, &room);
}

/* --- what a handle may do ------------------------------------------------- */

TEST_F(key, a_handle_does_only_what_it_was_opened_for)
{
	uint8_t in[16] = { 0 }, out[16];
	struct kvault_crypt c = { 0 };
	uint32_t h;

	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, KVAULT_OP_ENCRYPT, &h));
	EXPECT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, h, &c, in, 16, out));
	EXPECT_EQ(-EACCES, gcm(self->fd, KVAULT_DECRYPT, h, &c, out, 16, in));
	EXPECT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, out, 16, in));
}

/*
 * CBC of one block with an iv of zeros is the block cipher. Of iv || 2, which
 * is the first counter of GCM, it is the key stream of GCM's first block.
 */
static int read_gcm_by_cbc(int fd, uint32_t h, const struct kvault_crypt *gcm, const uint8_t *text,
			   uint8_t *plain)
{
	struct kvault_crypt c = { .handle = h, .alg = KVAULT_ALG_A256CBC };
	uint8_t counter[16] = { 0 };
	size_t room = 16;
	int i, ret;

	memcpy(counter, gcm->iv, KVAULT_IV_GCM_SIZE);
	counter[15] = 2;
	ret = kv_op(fd, KVAULT_ENCRYPT, &c, counter, 16, plain, &room);
	for (i = 0; !ret && i < 16; i++)
		plain[i] ^= text[i];
	return ret;
}

TEST_F(key, who_may_only_encrypt_cannot_read_gcm_by_another_mode)
{
	uint8_t in[16] = "a secret message", out[16], plain[16], padded[32];
	struct kvault_crypt c = { 0 };
	uint32_t h, enc;

	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, KVAULT_OP_ENCRYPT, &h));
	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, h, &c, in, 16, out));
	EXPECT_EQ(-EACCES, read_gcm_by_cbc(self->fd, h, &c, out, plain));
	c.alg = KVAULT_ALG_A256CBCPAD;
	EXPECT_EQ(-EACCES, gcm(self->fd, KVAULT_ENCRYPT, h, &c, in, 16, padded));
	c.alg = 0;

	/* the attack is one: with both rights it works, and gives nothing new */
	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name,
				 KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT, &h));
	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, h, &c, in, 16, out));
	ASSERT_EQ(0, read_gcm_by_cbc(self->fd, h, &c, out, plain));
	EXPECT_EQ(0, memcmp(in, plain, 16));

	/* nor does a key whose key_ops are without decrypt */
	ASSERT_EQ(200, kv_create(self->fd, vault, "writer",
				 "\"kty\":\"oct\",\"key_ops\":[\"encrypt\"]"));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, "writer", 0, &enc));
	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, enc, &c, in, 16, out));
	EXPECT_EQ(-EACCES, read_gcm_by_cbc(self->fd, enc, &c, out, plain));
}

TEST_F(key, a_key_does_only_what_its_key_ops_say)
{
	uint8_t in[16] = { 0 }, out[16];
	struct kvault_crypt c = { 0 };
	uint32_t h;

	ASSERT_EQ(200, kv_create(self->fd, vault, "reader",
				 "\"kty\":\"oct\",\"key_ops\":[\"decrypt\"]"));
	EXPECT_EQ(-EACCES, kv_open_key(self->fd, vault, "reader", KVAULT_OP_ENCRYPT, &h));
	EXPECT_EQ(-EACCES, kv_open_key(self->fd, vault, "reader",
				       KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT, &h));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, "reader", 0, &h));
	EXPECT_EQ(-EACCES, gcm(self->fd, KVAULT_ENCRYPT, h, &c, in, 16, out));
	EXPECT_EQ(-EACCES, kv_noop(self->fd, h, KVAULT_ALG_A256GCM));
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, h, &c, in, 16, out));
}

TEST_F(key, a_volume_key_does_nothing_else)
{
	uint8_t in[16] = { 0 }, out[64];
	struct kvault_crypt c = { 0 };
	size_t len = sizeof(out);
	uint32_t h;

	ASSERT_EQ(200, kv_create(self->fd, vault, "disk",
				 "\"kty\":\"oct\",\"key_size\":256,\"key_ops\":[\"volume\"]"));
	EXPECT_EQ(-EACCES, kv_open_key(self->fd, vault, "disk", KVAULT_OP_ENCRYPT, &h));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, "disk", KVAULT_OP_VOLUME, &h));
	EXPECT_EQ(-EACCES, gcm(self->fd, KVAULT_ENCRYPT, h, &c, in, 16, out));
	EXPECT_EQ(-EACCES, gcm(self->fd, KVAULT_DECRYPT, h, &c, in, 16, out));
	EXPECT_EQ(-EACCES, kv_sign(self->fd, h, KVAULT_ALG_HS256, in, 16, out, &len));
	EXPECT_EQ(400, kv_create(self->fd, vault, "both", "\"kty\":\"oct\",\"key_size\":256,"
				 "\"key_ops\":[\"volume\",\"encrypt\"]"));
}

TEST_F(key, a_handle_says_what_key_it_is)
{
	struct kvault_open o;
	char path[192], kid[256];

	snprintf(path, sizeof(path), "%s/keys/%s", vault, self->name);
	ASSERT_EQ(0, kv_open_path(self->fd, path, 0, 0, &o));
	EXPECT_EQ(KVAULT_KTY_OCT, o.kty);
	EXPECT_EQ(256, o.bits);
	EXPECT_EQ(0, o.curve);
	EXPECT_EQ(KVAULT_KEY_ENABLED, o.key_flags & KVAULT_KEY_ENABLED);
	EXPECT_EQ(0, o.key_flags & KVAULT_KEY_HSM);
	EXPECT_EQ(0x3f, o.ops);
	EXPECT_LT(0, o.handle);
	/* the same by its version, which is the end of its kid */
	snprintf(path, sizeof(path), "/vaults/%s/keys/%s", vault, self->name);
	ASSERT_EQ(200, kv_control(self->fd, KVAULT_METHOD_GET, path, NULL, NULL, 0));
	ASSERT_NE(NULL, kv_json_str("kid", kid, sizeof(kid)));
	ASSERT_NE(NULL, strrchr(kid, '/'));
	snprintf(path, sizeof(path), "%s/keys/%s%s", vault, self->name, strrchr(kid, '/'));
	EXPECT_EQ(0, kv_open_path(self->fd, path, 0, 0, &o));
	path[strlen(path) - 1] ^= 1;
	EXPECT_EQ(-ENOKEY, kv_open_path(self->fd, path, 0, 0, &o));
}

TEST_F(key, a_new_version_does_not_change_what_a_handle_holds)
{
	uint8_t in[16] = { 0 }, ct[16], out[16];
	struct kvault_crypt c = { 0 };
	uint32_t h;

	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &c, in, 16, ct));
	ASSERT_EQ(200, kv_create(self->fd, vault, self->name,
				 "\"kty\":\"oct\",\"key_size\":256"));
	EXPECT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 16, out));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, 0, &h));
	EXPECT_EQ(-EBADMSG, gcm(self->fd, KVAULT_DECRYPT, h, &c, ct, 16, out));
}

/* --- handles -------------------------------------------------------------- */

TEST_F(key, a_closed_handle_is_no_more)
{
	ASSERT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
	EXPECT_EQ(0, kv_close_handle(self->fd, self->h));
	EXPECT_EQ(-ENOKEY, kv_close_handle(self->fd, self->h));
	EXPECT_EQ(-ENOKEY, kv_encrypt_gcm(self->fd, self->h));
}

TEST_F(key, a_handle_is_good_on_its_own_file_only)
{
	int fd = kv_dev();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOKEY, kv_encrypt_gcm(fd, self->h));
	EXPECT_EQ(-ENOKEY, kv_close_handle(fd, self->h));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
	close(fd);
}

TEST_F_TIMEOUT(key, no_handle_is_found_by_trying_65536_numbers, 120)
{
	int fd = kv_dev();
	uint32_t i, found = 0;

	ASSERT_LE(0, fd);
	for (i = 0; i < 65536; i++)
		found += kv_noop(fd, i, KVAULT_ALG_A256GCM) != -ENOKEY;
	EXPECT_EQ(0, found);
	for (i = 0; i < 65536; i++)
		found += kv_noop(self->fd, i, KVAULT_ALG_A256GCM) != -ENOKEY;
	EXPECT_EQ(1, found);
	close(fd);
}

static int use_handle(void *arg)
{
	uint32_t *fd_and_handle = arg;

	return kv_status(kv_encrypt_gcm((int)fd_and_handle[0], fd_and_handle[1]));
}

TEST_F(key, dup_and_fork_share_a_handle)
{
	uint32_t arg[2] = { (uint32_t)self->fd, self->h };
	struct kv_child c;
	int fd = dup(self->fd);

	EXPECT_EQ(0, kv_encrypt_gcm(fd, self->h));
	ASSERT_EQ(0, kv_child_start(&c, false, false, use_handle, arg));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
	ASSERT_EQ(0, kv_close_handle(fd, self->h));
	EXPECT_EQ(-ENOKEY, kv_encrypt_gcm(self->fd, self->h));
	close(fd);
}

static int use_as_nobody(void *arg)
{
	if (setgid(65534) || setuid(65534))
		return 99;
	return use_handle(arg);
}

TEST_F(key, root_may_not_lend_his_handle_to_one_without_the_right)
{
	uint32_t arg[2] = { (uint32_t)self->fd, self->h };
	struct kv_child c;

	ASSERT_EQ(0, kv_child_start(&c, false, false, use_as_nobody, arg));
	kv_child_go(&c);
	EXPECT_EQ(EACCES, kv_child_end(&c));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

static int use_until_gone(void *arg)
{
	uint32_t *fd_and_handle = arg;
	int ret;

	do {
		ret = kv_encrypt_gcm((int)fd_and_handle[0], fd_and_handle[1]);
	} while (!ret);
	return kv_status(ret);
}

TEST_F(key, closing_a_handle_in_use_ends_its_use_and_nothing_else)
{
	struct kv_child c[4];
	int round, i;

	for (round = 0; round < 8; round++) {
		uint32_t arg[2] = { (uint32_t)self->fd, 0 };

		ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, 0, &arg[1]));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(0, kv_child_start(&c[i], false, false, use_until_gone, arg));
		for (i = 0; i < 4; i++)
			kv_child_go(&c[i]);
		kv_sleep_ms(20);
		EXPECT_EQ(0, kv_close_handle(self->fd, arg[1]));
		for (i = 0; i < 4; i++)
			EXPECT_EQ(ENOKEY, kv_child_end(&c[i]));
	}
}

TEST_F(key, info_counts_handles)
{
	struct kvault_info before, info;
	uint32_t h;

	ASSERT_EQ(0, kv_info(self->fd, &before));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, 0, &h));
	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(before.handles + 1, info.handles);
	ASSERT_EQ(0, kv_close_handle(self->fd, h));
	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(before.handles, info.handles);
}

/* --- disabled, expired ---------------------------------------------------- */

TEST_F(key, a_disabled_key_stops_a_live_handle_at_once_and_enabled_goes_on)
{
	uint8_t in[16] = { 0 }, ct[16], out[64];
	struct kvault_crypt c = { 0 };
	size_t len = sizeof(out);
	uint32_t h;

	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &c, in, 16, ct));
	ASSERT_EQ(200, kv_enable(self->fd, vault, self->name, false));
	EXPECT_EQ(-EKEYREVOKED, kv_encrypt_gcm(self->fd, self->h));
	EXPECT_EQ(-EKEYREVOKED, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 16, out));
	EXPECT_EQ(-EKEYREVOKED, kv_noop(self->fd, self->h, KVAULT_ALG_A256GCM));
	EXPECT_EQ(-EKEYREVOKED, kv_sign(self->fd, self->h, KVAULT_ALG_HS256, in, 16, out, &len));
	EXPECT_EQ(-EKEYREVOKED, kv_open_key(self->fd, vault, self->name, 0, &h));
	ASSERT_EQ(200, kv_enable(self->fd, vault, self->name, true));
	EXPECT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 16, out));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

static int use_until_revoked(void *arg)
{
	return use_until_gone(arg);
}

TEST_F(key, no_operation_succeeds_after_the_call_that_disabled_the_key)
{
	uint32_t arg[2] = { (uint32_t)self->fd, self->h };
	struct kv_child c[4];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, kv_child_start(&c[i], false, false, use_until_revoked, arg));
	for (i = 0; i < 4; i++)
		kv_child_go(&c[i]);
	kv_sleep_ms(50);
	ASSERT_EQ(200, kv_enable(self->fd, vault, self->name, false));
	for (i = 0; i < 200; i++)
		ASSERT_EQ(-EKEYREVOKED, kv_encrypt_gcm(self->fd, self->h));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(EKEYREVOKED, kv_child_end(&c[i]));
}

TEST_F(key, an_expired_key_decrypts_and_verifies_but_protects_nothing_new)
{
	uint8_t in[16] = { 0 }, ct[16], wrapped[24], mac[32], out[64];
	struct kvault_crypt c = { 0 }, w = { .handle = self->h, .alg = KVAULT_ALG_A256KW };
	size_t mac_len = 32, w_len = 24, len;

	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &c, in, 16, ct));
	ASSERT_EQ(0, kv_op(self->fd, KVAULT_WRAP, &w, in, 16, wrapped, &w_len));
	ASSERT_EQ(0, kv_sign(self->fd, self->h, KVAULT_ALG_HS256, in, 16, mac, &mac_len));
	ASSERT_EQ(200, kv_patch(self->fd, vault, self->name, "\"attributes\":{\"exp\":1000}"));
	EXPECT_EQ(-EKEYEXPIRED, kv_encrypt_gcm(self->fd, self->h));
	len = 24;
	EXPECT_EQ(-EKEYEXPIRED, kv_op(self->fd, KVAULT_WRAP, &w, in, 16, wrapped, &len));
	len = 32;
	EXPECT_EQ(-EKEYEXPIRED, kv_sign(self->fd, self->h, KVAULT_ALG_HS256, in, 16, out, &len));
	EXPECT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 16, out));
	EXPECT_EQ(0, kv_verify(self->fd, self->h, KVAULT_ALG_HS256, in, 16, mac, 32));
	len = sizeof(out);
	EXPECT_EQ(0, kv_op(self->fd, KVAULT_UNWRAP, &w, wrapped, 24, out, &len));
}

TEST_F(key, a_key_that_is_not_valid_yet_protects_nothing_yet)
{
	char json[96];

	snprintf(json, sizeof(json), "\"attributes\":{\"nbf\":%lld}",
		 (long long)time(NULL) + 1000);
	ASSERT_EQ(200, kv_patch(self->fd, vault, self->name, json));
	EXPECT_EQ(-EKEYEXPIRED, kv_encrypt_gcm(self->fd, self->h));
	ASSERT_EQ(200, kv_patch(self->fd, vault, self->name, "\"attributes\":{\"nbf\":1000}"));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

TEST_F(key, fewer_key_ops_bite_a_live_handle_at_once)
{
	uint8_t in[16] = { 0 }, ct[16], out[16];
	struct kvault_crypt c = { 0 };

	ASSERT_EQ(0, gcm(self->fd, KVAULT_ENCRYPT, self->h, &c, in, 16, ct));
	ASSERT_EQ(200, kv_patch(self->fd, vault, self->name, "\"key_ops\":[\"decrypt\"]"));
	EXPECT_EQ(-EACCES, kv_encrypt_gcm(self->fd, self->h));
	EXPECT_EQ(0, gcm(self->fd, KVAULT_DECRYPT, self->h, &c, ct, 16, out));
}

/* --- import --------------------------------------------------------------- */

TEST_F(key, import_refuses_lengths_that_are_no_key)
{
	static const size_t bad[] = { 0, 1, 8, 15, 17, 31, 33, 64, 4096, 32768 };
	static uint8_t raw[32768];
	uint32_t h;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(400, kv_import(self->fd, vault, "bad", ALL_CIPHER, raw, bad[i]))
			TH_LOG("%zu bytes: %s", bad[i], kv_json);
		EXPECT_EQ(-ENOKEY, kv_open_key(self->fd, vault, "bad", 0, &h));
	}
}

TEST_F(key, a_volume_key_with_equal_halves_is_refused)
{
	uint8_t raw[64];
	size_t i;

	for (i = 0; i < 64; i++)
		raw[i] = (uint8_t)(i % 32);
	EXPECT_EQ(400, kv_import(self->fd, vault, "xts", "\"volume\"", raw, 64));
	raw[63] ^= 1;
	EXPECT_EQ(200, kv_import(self->fd, vault, "xts", "\"volume\"", raw, 64));
}

TEST_F(key, no_answer_to_an_import_has_the_key_in_it)
{
	static const char raw[] = "this-is-the-secret-of-32-bytes!!";

	ASSERT_EQ(200, kv_import(self->fd, vault, "canary", ALL_CIPHER, raw, 32));
	EXPECT_EQ(NULL, strstr(kv_json, "this-is-the-secret"));
	EXPECT_EQ(NULL, strstr(kv_json, "dGhpcy1pcy10aGUtc2VjcmV0"));
	EXPECT_EQ(NULL, strstr(kv_json, "\"k\":"));
}

TEST_HARNESS_MAIN
