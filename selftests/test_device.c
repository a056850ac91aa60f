// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kvault as anyone finds it: sizes, flags, pointers and lengths of every
 * ioctl, and what the file does not do. What keys do is in test_crypt.c and
 * test_engine.c.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <poll.h>
#include "kv_test.h"
#include "kselftest_harness.h"

#define NO_HANDLE	0xdead
#define KERNEL_PTR	0xffff888000000000ull
#define NON_CANONICAL	0x8000000000000000ull
#define UNMAPPED	0x10000ull

static const struct {
	const char *name;
	unsigned long cmd;
	size_t size;
	uint32_t flags;	/* those that it knows */
} ioctls[] = {
	{ "INFO", KVAULT_INFO, sizeof(struct kvault_info) },
	{ "CONTROL", KVAULT_CONTROL, sizeof(struct kvault_control), KVAULT_CONTROL_FLAGS_ALL },
	{ "OPEN", KVAULT_OPEN, sizeof(struct kvault_open) },
	{ "CLOSE", KVAULT_CLOSE, sizeof(struct kvault_close) },
	{ "ENCRYPT", KVAULT_ENCRYPT, sizeof(struct kvault_crypt) },
	{ "DECRYPT", KVAULT_DECRYPT, sizeof(struct kvault_crypt) },
	{ "SIGN", KVAULT_SIGN, sizeof(struct kvault_crypt) },
	{ "VERIFY", KVAULT_VERIFY, sizeof(struct kvault_crypt) },
	{ "WRAP", KVAULT_WRAP, sizeof(struct kvault_crypt) },
	{ "UNWRAP", KVAULT_UNWRAP, sizeof(struct kvault_crypt) },
	{ "NOOP", KVAULT_NOOP, sizeof(struct kvault_crypt) },
	{ "RANDOM", KVAULT_RANDOM, sizeof(struct kvault_random) },
	{ "PROJECT", KVAULT_PROJECT, sizeof(struct kvault_project) },
};

#define N_IOCTLS (sizeof(ioctls) / sizeof(ioctls[0]))

FIXTURE(device)
{
	int fd;
};

FIXTURE_SETUP(device)
{
	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
}

FIXTURE_TEARDOWN(device)
{
	close(self->fd);
}

/* --- sizes, one line per ioctl -------------------------------------------- */

struct padded {
	union {
		uint32_t size;
		struct kvault_info info;
		struct kvault_control control;
		struct kvault_open open;
		struct kvault_close close;
		struct kvault_crypt crypt;
		struct kvault_random random;
		struct kvault_project project;
	};
	uint8_t tail[8192];
};

static const char bad_path[] = "no-such-vault/keys/none";
static uint8_t scratch[64];

#define LENGTH(_name, _cmd, _struct, _want, ...) \
TEST_F(device, _name##_checks_the_size_of_its_struct) \
{ \
	struct padded p = { ._struct = { __VA_ARGS__ } }, again = p; \
	size_t size = sizeof(p._struct); \
	p._struct.size = size; \
	EXPECT_EQ(_want, kv_ioctl(self->fd, _cmd, &p)); \
	p = again; \
	p._struct.size = size - 1; \
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, _cmd, &p)); \
	p._struct.size = 4; \
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, _cmd, &p)); \
	p._struct.size = 0; \
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, _cmd, &p)); \
	p._struct.size = 4097; \
	EXPECT_EQ(-E2BIG, kv_ioctl(self->fd, _cmd, &p)); \
	p._struct.size = UINT32_MAX; \
	EXPECT_EQ(-E2BIG, kv_ioctl(self->fd, _cmd, &p)); \
	p = again; \
	p._struct.size = size + 8; \
	EXPECT_EQ(_want, kv_ioctl(self->fd, _cmd, &p)); \
	p = again; \
	p._struct.size = 4096; \
	EXPECT_EQ(_want, kv_ioctl(self->fd, _cmd, &p)); \
	p = again; \
	p._struct.size = size + 8; \
	((uint8_t *)&p)[size + 7] = 1; \
	EXPECT_EQ(-E2BIG, kv_ioctl(self->fd, _cmd, &p)); \
}

LENGTH(info, KVAULT_INFO, info, 0, 0)
LENGTH(control, KVAULT_CONTROL, control, 0, .method = KVAULT_METHOD_GET,
       .path = kv_ptr("/whoami"), .path_len = 7, .reply = kv_ptr(kv_json),
       .reply_len = KVAULT_BODY_MAX)
LENGTH(open, KVAULT_OPEN, open, -ENOKEY, .path = kv_ptr(bad_path),
       .path_len = sizeof(bad_path) - 1)
LENGTH(close, KVAULT_CLOSE, close, -ENOKEY, .handle = NO_HANDLE)
LENGTH(encrypt, KVAULT_ENCRYPT, crypt, -ENOKEY, .handle = NO_HANDLE)
LENGTH(decrypt, KVAULT_DECRYPT, crypt, -ENOKEY, .handle = NO_HANDLE)
LENGTH(sign, KVAULT_SIGN, crypt, -ENOKEY, .handle = NO_HANDLE)
LENGTH(verify, KVAULT_VERIFY, crypt, -ENOKEY, .handle = NO_HANDLE)
LENGTH(wrap, KVAULT_WRAP, crypt, -ENOKEY, .handle = NO_HANDLE)
LENGTH(unwrap, KVAULT_UNWRAP, crypt, -ENOKEY, .handle = NO_HANDLE)
LENGTH(noop, KVAULT_NOOP, crypt, -ENOKEY, .handle = NO_HANDLE)
LENGTH(random, KVAULT_RANDOM, random, 0, .out = kv_ptr(scratch), .out_len = 8)
LENGTH(project, KVAULT_PROJECT, project, -ENOKEY, .handle = NO_HANDLE,
       .kind = KVAULT_PROJECT_FSCRYPT, .keyring = -3, .desc = kv_ptr("x"), .desc_len = 1)

/* --- what holds for all of them ------------------------------------------- */

TEST_F(device, every_ioctl_refuses_a_flag_that_it_does_not_know)
{
	uint64_t arg[32];
	uint32_t flag;
	size_t i;

	for (i = 0; i < N_IOCTLS; i++)
		for (flag = 1; flag; flag <<= 1) {
			if (flag & ioctls[i].flags)
				continue;
			memset(arg, 0, sizeof(arg));
			((uint32_t *)arg)[0] = (uint32_t)ioctls[i].size;
			((uint32_t *)arg)[1] = flag;
			EXPECT_EQ(-EOPNOTSUPP, kv_ioctl(self->fd, ioctls[i].cmd, arg))
				TH_LOG("%s, flag %#x", ioctls[i].name, flag);
		}
}

TEST_F(device, every_ioctl_answers_EFAULT_to_a_bad_pointer_to_its_struct)
{
	static const uint64_t bad[] = { 0, 1, UNMAPPED, KERNEL_PTR, NON_CANONICAL, UINT64_MAX };
	size_t i, j;

	for (i = 0; i < N_IOCTLS; i++)
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
			EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, ioctls[i].cmd,
						    (void *)(uintptr_t)bad[j]))
				TH_LOG("%s, pointer %llx", ioctls[i].name,
				       (unsigned long long)bad[j]);
}

TEST_F(device, every_ioctl_answers_EFAULT_to_a_struct_across_the_end_of_memory)
{
	uint8_t *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t size;
	size_t i;

	ASSERT_NE(MAP_FAILED, two);
	ASSERT_EQ(0, munmap(two + 4096, 4096));
	for (i = 0; i < N_IOCTLS; i++) {
		size = (uint32_t)ioctls[i].size;
		memcpy(two + 4096 - 8, &size, 4);
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, ioctls[i].cmd, two + 4096 - 8))
			TH_LOG("%s", ioctls[i].name);
	}
	munmap(two, 4096);
}

TEST_F(device, a_struct_that_cannot_be_written_back_is_EFAULT)
{
	struct kvault_info *info = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, info);
	info->size = sizeof(*info);
	ASSERT_EQ(0, mprotect(info, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_INFO, info));
	munmap(info, 4096);
}

TEST_F(device, an_unknown_ioctl_is_ENOTTY)
{
	uint64_t arg[32] = { sizeof(arg) };
	unsigned int nr;

	/* also those of the other nodes, 0x40 and 0x60 */
	for (nr = 0x0d; nr < 0x100; nr++)
		EXPECT_EQ(-ENOTTY, kv_ioctl(self->fd, _IO(KVAULT_IOC_TYPE, nr), arg))
			TH_LOG("number %#x", nr);
	EXPECT_EQ(-ENOTTY, kv_ioctl(self->fd, _IOWR(KVAULT_IOC_TYPE, 0, struct kvault_info), arg));
	EXPECT_EQ(-ENOTTY, kv_ioctl(self->fd, 0, arg));
	EXPECT_EQ(-ENOTTY, kv_ioctl(self->fd, _IO(0xEA, 0), arg));
}

TEST_F(device, the_file_takes_nothing_but_ioctls)
{
	char buf[16] = "encrypt this";
	struct iovec v = { buf, sizeof(buf) };

	EXPECT_EQ(-1, read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(-1, write(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, readv(self->fd, &v, 1));
	EXPECT_EQ(-1, writev(self->fd, &v, 1));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

TEST_F(device, as_standard_output_it_swallows_nothing_silently)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		dup2(self->fd, 1);
		execl("/bin/echo", "echo", "hello", (char *)NULL);
		_exit(99);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* --- INFO ----------------------------------------------------------------- */

TEST_F(device, info_says_who_serves_and_who_asks)
{
	static const uint8_t zero[KVAULT_ID_SIZE];
	struct kvault_info info;

	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(KVAULT_ABI, info.abi);
	EXPECT_EQ(KVAULT_ABI_MIN, info.abi_min);
	EXPECT_EQ(KVAULT_TENANT_HOST, info.tenant_kind);
	EXPECT_EQ(KVAULT_DAEMON_PRESENT, info.daemon);
	EXPECT_EQ(1, info.has_root);
	EXPECT_EQ(geteuid(), info.uid);
	EXPECT_NE(0, memcmp(zero, info.tenant, sizeof(zero)));
	EXPECT_EQ(KVAULT_FEATURE_PAES | KVAULT_FEATURE_FSCRYPT,
		  info.features & (KVAULT_FEATURE_PAES | KVAULT_FEATURE_FSCRYPT));
	EXPECT_LT(0, info.objects_max);
	EXPECT_LT(0, info.handles_max);
	EXPECT_LE(info.objects, info.objects_max);
	EXPECT_LE(info.handles, info.handles_max);
	EXPECT_LE(1, info.openssl_engines);
}

static int report_uid(void *arg)
{
	int fd = *(int *)arg;
	struct kvault_info info;

	if (setgid(1234) || setuid(1234))
		return 97;
	return kv_info(fd, &info) || info.uid != 1234;
}

TEST_F(device, info_says_the_uid_of_the_caller_and_not_of_the_opener)
{
	struct kv_child c;

	ASSERT_EQ(0, kv_child_start(&c, false, false, report_uid, &self->fd));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
}

static int open_as_nobody(void *arg)
{
	int fd;

	if (setgid(65534) || setuid(65534))
		return 97;
	fd = kv_dev();
	return fd < 0 ? -fd : 0;
}

TEST_F(device, anyone_may_open_the_device)
{
	struct kv_child c;

	ASSERT_EQ(0, kv_child_start(&c, false, false, open_as_nobody, NULL));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
}

static int open_control_as_nobody(void *arg)
{
	int fd;

	if (setgid(65534) || setuid(65534))
		return 97;
	fd = open(arg, O_RDWR);
	return fd < 0 ? errno : 0;
}

TEST_F(device, the_daemons_and_the_engines_nodes_are_theirs)
{
	struct kv_child c;

	ASSERT_EQ(0, kv_child_start(&c, false, false, open_control_as_nobody,
				    "/dev/kvault-control"));
	kv_child_go(&c);
	EXPECT_EQ(EACCES, kv_child_end(&c));
	ASSERT_EQ(0, kv_child_start(&c, false, false, open_control_as_nobody,
				    "/dev/kvault-engine"));
	kv_child_go(&c);
	EXPECT_EQ(EACCES, kv_child_end(&c));
	ASSERT_EQ(0, kv_child_start(&c, false, false, open_control_as_nobody,
				    "/dev/kvault-engine-pkcs11"));
	kv_child_go(&c);
	EXPECT_EQ(EACCES, kv_child_end(&c));
}

/* --- CONTROL -------------------------------------------------------------- */

static struct kvault_control good_control(void)
{
	return (struct kvault_control){
		.size = sizeof(struct kvault_control), .method = KVAULT_METHOD_GET,
		.path = kv_ptr("/whoami"), .path_len = 7,
		.reply = kv_ptr(kv_json), .reply_len = KVAULT_BODY_MAX,
	};
}

TEST_F(device, control_answers_and_names_the_request)
{
	static const uint8_t zero[KVAULT_ID_SIZE];
	struct kvault_control c = good_control();

	ASSERT_EQ(0, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	EXPECT_EQ(200, c.status);
	ASSERT_LT(2, c.reply_len);
	EXPECT_EQ('{', kv_json[0]);
	EXPECT_EQ('}', kv_json[c.reply_len - 1]);
	EXPECT_EQ(0, c.secret_out_len);
	EXPECT_NE(0, memcmp(zero, c.request_id, sizeof(zero)));
}

TEST_F(device, control_writes_back_how_much_room_an_answer_needs)
{
	struct kvault_control c = good_control();
	uint8_t canary = 0x5a;

	c.reply = kv_ptr(&canary);
	c.reply_len = 1;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	EXPECT_LT(2, c.reply_len);
	EXPECT_EQ(0x5a, canary);
	c.reply = kv_ptr(kv_json);
	EXPECT_EQ(0, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
}

TEST_F(device, control_refuses_methods_that_do_not_exist)
{
	static const uint32_t bad[] = { 0, 6, 255, UINT32_MAX };
	struct kvault_control c;
	size_t i;

	for (i = 0; i < 4; i++) {
		c = good_control();
		c.method = bad[i];
		EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	}
}

TEST_F(device, control_refuses_lengths_over_the_limit)
{
	static uint8_t big[KVAULT_BODY_MAX + 1];
	struct kvault_control c = good_control();

	memset(big, 'a', sizeof(big));
	c.path = kv_ptr(big);
	c.path_len = KVAULT_PATH_MAX + 1;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	c.path_len = 0;
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	c = good_control();
	c.body = kv_ptr(big);
	c.body_len = KVAULT_BODY_MAX + 1;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	c.body_len = UINT32_MAX;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	c = good_control();
	c.secret_in = kv_ptr(big);
	c.secret_in_len = KVAULT_PAYLOAD_MAX / 2 + 1;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	c = good_control();
	c.timeout_ms = KVAULT_TIMEOUT_MS_MAX + 1;
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
}

TEST_F(device, control_takes_paths_and_bodies_as_long_as_the_limit)
{
	static uint8_t big[KVAULT_BODY_MAX];
	struct kvault_control c = good_control();

	memset(big, 'a', sizeof(big));
	big[0] = '/';
	c.path = kv_ptr(big);
	c.path_len = KVAULT_PATH_MAX;
	EXPECT_EQ(0, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	EXPECT_TRUE(c.status == 404 || c.status == 400);
	c = good_control();
	c.method = KVAULT_METHOD_PUT;
	c.path = kv_ptr("/vaults/never");
	c.path_len = 13;
	memset(big, ' ', sizeof(big));
	c.body = kv_ptr(big);
	c.body_len = KVAULT_BODY_MAX;
	EXPECT_EQ(0, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	EXPECT_EQ(400, c.status);
}

TEST_F(device, control_answers_EFAULT_to_buffers_that_are_not_there)
{
	static const uint64_t bad[] = { 0, UNMAPPED, KERNEL_PTR, NON_CANONICAL };
	struct kvault_control c;
	size_t i;

	for (i = 0; i < 4; i++) {
		c = good_control();
		c.path = bad[i];
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
		c = good_control();
		c.body = bad[i];
		c.body_len = 2;
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
		c = good_control();
		c.secret_in = bad[i];
		c.secret_in_len = 32;
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
		c = good_control();
		c.reply = bad[i];
		EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	}
}

TEST_F(device, a_path_with_a_NUL_in_it_is_refused)
{
	struct kvault_control c = good_control();
	struct kvault_open o = { .size = sizeof(o), .path = kv_ptr("a/keys/b\0c"), .path_len = 10 };

	c.path = kv_ptr("/whoami\0/x");
	c.path_len = 10;
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_CONTROL, &c));
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_OPEN, &o));
}

/* --- OPEN, CLOSE, crypt without a key ------------------------------------- */

TEST_F(device, open_refuses_what_no_key_can_do)
{
	struct kvault_open o;

	EXPECT_EQ(-EINVAL, kv_open_path(self->fd, bad_path, KVAULT_OP_ALL + 1, 0, &o));
	EXPECT_EQ(-EINVAL, kv_open_path(self->fd, bad_path, 1u << 31, 0, &o));
	EXPECT_EQ(-EINVAL, kv_open_path(self->fd, bad_path, 0, KVAULT_TIMEOUT_MS_MAX + 1, &o));
}

TEST_F(device, open_of_what_is_no_path_is_refused)
{
	static const char *const bad[] = {
		"/", "//", "a", "a/b", "a/keys", "a/keys/", "/a/keys/b/", "a/secrets/b/c/d/e",
		"a/keys/b/not-a-version", "a/keys/../../etc/passwd", "a/keys/b c",
		"a/keys/\xff\xfe",
		"a/keys/b%2f", "a/keys/b\n", "a/keys/b?x=1",
	};
	char path[KVAULT_PATH_MAX + 2];
	struct kvault_open o;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ret = kv_open_path(self->fd, bad[i], 0, 0, &o);
		EXPECT_TRUE(ret == -ENOKEY || ret == -EINVAL)
			TH_LOG("%s: %d", bad[i], ret);
		EXPECT_EQ(0, o.handle);
	}
	memset(path, 'a', sizeof(path));
	path[KVAULT_PATH_MAX + 1] = '\0';
	EXPECT_EQ(-EMSGSIZE, kv_open_path(self->fd, path, 0, 0, &o));
	path[KVAULT_PATH_MAX] = '\0';
	ret = kv_open_path(self->fd, path, 0, 0, &o);
	EXPECT_TRUE(ret == -ENOKEY || ret == -EINVAL);
	EXPECT_EQ(-EINVAL, kv_open_path(self->fd, "", 0, 0, &o));
}

TEST_F(device, close_takes_only_what_was_opened)
{
	struct kvault_close c = { .size = sizeof(c), .handle = 1, .reserved = 1 };

	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_CLOSE, &c));
	EXPECT_EQ(-ENOKEY, kv_close_handle(self->fd, 0));
	EXPECT_EQ(-ENOKEY, kv_close_handle(self->fd, 1));
	EXPECT_EQ(-ENOKEY, kv_close_handle(self->fd, UINT32_MAX));
}

TEST_F(device, no_operation_works_with_a_guessed_handle)
{
	static const uint32_t guess[] = { 0, 1, 2, 255, NO_HANDLE, INT32_MAX, UINT32_MAX };
	uint8_t in[16] = { 0 }, out[64];
	struct kvault_crypt c;
	size_t i, j, len;

	for (i = 4; i <= 10; i++)
		for (j = 0; j < sizeof(guess) / sizeof(guess[0]); j++) {
			memset(&c, 0, sizeof(c));
			c.handle = guess[j];
			c.alg = KVAULT_ALG_A256GCM;
			len = sizeof(out);
			EXPECT_EQ(-ENOKEY, kv_op(self->fd, ioctls[i].cmd, &c, in, 16, out, &len))
				TH_LOG("%s of handle %u", ioctls[i].name, guess[j]);
		}
}

TEST_F(device, oversized_payloads_are_refused_before_the_key_is_looked_up)
{
	struct kvault_crypt c = { .size = sizeof(c), .handle = NO_HANDLE };

	c.in_len = KVAULT_PAYLOAD_MAX + 1;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_ENCRYPT, &c));
	c.in_len = UINT32_MAX;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_DECRYPT, &c));
	c.in_len = 0;
	c.aux_len = KVAULT_AUX_MAX + 1;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_NOOP, &c));
	c.aux_len = 0;
	c.timeout_ms = KVAULT_TIMEOUT_MS_MAX + 1;
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_SIGN, &c));
}

/* --- RANDOM --------------------------------------------------------------- */

static int get_random(int fd, void *out, uint32_t len)
{
	struct kvault_random r = { .size = sizeof(r), .out = kv_ptr(out), .out_len = len };

	return kv_ioctl(fd, KVAULT_RANDOM, &r);
}

TEST_F(device, random_fills_the_buffer_and_not_a_byte_more)
{
	static uint8_t a[KVAULT_RANDOM_MAX + 1], b[KVAULT_RANDOM_MAX];
	unsigned int i, seen = 0;

	a[KVAULT_RANDOM_MAX] = 0x5a;
	ASSERT_EQ(0, get_random(self->fd, a, KVAULT_RANDOM_MAX));
	ASSERT_EQ(0, get_random(self->fd, b, KVAULT_RANDOM_MAX));
	EXPECT_EQ(0x5a, a[KVAULT_RANDOM_MAX]);
	EXPECT_NE(0, memcmp(a, b, KVAULT_RANDOM_MAX));
	for (i = 0; i < 32; i++)
		seen |= a[KVAULT_RANDOM_MAX - 1 - i];
	EXPECT_NE(0, seen);
}

TEST_F(device, random_refuses_lengths_and_pointers_that_are_wrong)
{
	struct kvault_random r = {
		.size = sizeof(r), .out = kv_ptr(scratch), .out_len = 8, .reserved = 1,
	};

	EXPECT_EQ(-EINVAL, get_random(self->fd, scratch, 0));
	EXPECT_EQ(-EMSGSIZE, get_random(self->fd, scratch, KVAULT_RANDOM_MAX + 1));
	EXPECT_EQ(-EFAULT, get_random(self->fd, NULL, 8));
	EXPECT_EQ(-EFAULT, get_random(self->fd, (void *)KERNEL_PTR, 8));
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_RANDOM, &r));
}

/* --- PROJECT -------------------------------------------------------------- */

TEST_F(device, project_refuses_what_is_wrong_in_its_struct)
{
	struct kvault_project p = {
		.size = sizeof(p), .handle = NO_HANDLE, .kind = KVAULT_PROJECT_FSCRYPT,
		.keyring = -3, .desc = kv_ptr("fscrypt:x"), .desc_len = 9,
	}, bad = p;

	bad.reserved = 1;
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_PROJECT, &bad));
	bad = p;
	bad.desc_len = 0;
	EXPECT_EQ(-EINVAL, kv_ioctl(self->fd, KVAULT_PROJECT, &bad));
	bad = p;
	bad.desc_len = KVAULT_PATH_MAX + 1;
	EXPECT_EQ(-EMSGSIZE, kv_ioctl(self->fd, KVAULT_PROJECT, &bad));
	bad = p;
	bad.desc = KERNEL_PTR;
	EXPECT_EQ(-EFAULT, kv_ioctl(self->fd, KVAULT_PROJECT, &bad));
	EXPECT_EQ(-ENOKEY, kv_ioctl(self->fd, KVAULT_PROJECT, &p));
}

TEST_HARNESS_MAIN
