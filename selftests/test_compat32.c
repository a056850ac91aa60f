// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program in a 64-bit guest: the structs are the same, pointers are
 * widened right, and the main calls work. The figures of kv_abi.h hold here
 * because this compiles.
 * build: -m32 -static
 */
#include "kv_abi.h"
#include "kv_test.h"
#include "kselftest_harness.h"

static_assert(sizeof(void *) == 4, "this is for 32 bits");

FIXTURE(compat)
{
	int fd;
	char vault[64];
};

FIXTURE_SETUP(compat)
{
	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	snprintf(self->vault, sizeof(self->vault), "%s", kv_unique("compat"));
	ASSERT_EQ(0, kv_vault(self->fd, self->vault));
}

FIXTURE_TEARDOWN(compat)
{
	close(self->fd);
}

TEST_F(compat, info_and_random_work)
{
	uint8_t a[16] = { 0 }, zero[16] = { 0 };
	struct kvault_random r = { .size = sizeof(r), .out = kv_ptr(a), .out_len = 16 };
	struct kvault_info info;

	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(KVAULT_ABI, info.abi);
	EXPECT_EQ(KVAULT_DAEMON_PRESENT, info.daemon);
	EXPECT_EQ(0, kv_ioctl(self->fd, KVAULT_RANDOM, &r));
	EXPECT_NE(0, memcmp(a, zero, 16));
}

TEST_F(compat, a_key_encrypts_and_decrypts)
{
	uint8_t in[100], ct[100], out[100];
	struct kvault_crypt c = { .alg = KVAULT_ALG_A256GCM };
	size_t len = 100;

	memset(in, 'c', sizeof(in));
	ASSERT_EQ(200, kv_create(self->fd, self->vault, "k", "\"kty\":\"oct\",\"key_size\":256"));
	ASSERT_EQ(0, kv_open_key(self->fd, self->vault, "k", 0, &c.handle));
	c.aux = kv_ptr(in);
	c.aux_len = 10;
	ASSERT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, 100, ct, &len));
	ASSERT_EQ(0, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 100, out, &len));
	EXPECT_EQ(0, memcmp(in, out, 100));
	c.tag[0] ^= 1;
	EXPECT_EQ(-EBADMSG, kv_op(self->fd, KVAULT_DECRYPT, &c, ct, 100, out, &len));
}

TEST_F(compat, an_imported_key_gives_the_published_vector)
{
	uint8_t key[16], data[16], want[24], out[24];
	struct kvault_crypt c = { .alg = KVAULT_ALG_A128KW };
	size_t len = sizeof(out);

	kv_hex("000102030405060708090a0b0c0d0e0f", key);
	kv_hex("00112233445566778899aabbccddeeff", data);
	kv_hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5", want);
	ASSERT_EQ(200, kv_import(self->fd, self->vault, "kw", "\"wrapKey\"", key, 16));
	ASSERT_EQ(0, kv_open_key(self->fd, self->vault, "kw", 0, &c.handle));
	ASSERT_EQ(0, kv_op(self->fd, KVAULT_WRAP, &c, data, 16, out, &len));
	EXPECT_EQ(0, memcmp(out, want, 24));
}

TEST_F(compat, a_pointer_beyond_its_memory_is_EFAULT)
{
	struct kvault_random r = {
		.size = sizeof(r), .out = 0x100000000ull | kv_ptr(&self), .out_len = 8,
	};

	EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_RANDOM, &r));
	r.out = 0xffff888000000000ull;
	EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_RANDOM, &r));
}

TEST_HARNESS_MAIN
