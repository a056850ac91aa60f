// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel is given in the clear is in memory only while it is used: the
 * guest's memory is searched from outside. The bytes exist here masked, and for
 * one call as they are; the copies that the kernel makes are its own to wipe.
 * vm: --init script --mem 640M
 * timeout: 200
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include "kv_serve.h"
#include "kselftest_harness.h"

#define MASK	0x5a
/*
 * What is searched is from the middle: the allocator writes into what is free. And
 * it is of a size that the kernel makes nothing of in between, which would be put
 * into the very memory that was not wiped, and wipe it.
 */
#define SECRET	600
#define FROM	250
#define BYTES	48

static uint8_t masked[SECRET];

/* Byte by byte, so that no vector register keeps a part of it. */
static void unmask(volatile uint8_t *to)
{
	int i;

	for (i = 0; i < SECRET; i++)
		to[i] = masked[i] ^ MASK;
}

static void make_secret(void)
{
	int i;

	for (i = 0; i < SECRET; i++)
		masked[i] = (uint8_t)(rand() >> 7);
}

/* How often the secret is in memory, by vm-dump's exit status: 0 it is, 1 it is not. */
static int search_memory(void)
{
	char command[128 + 2 * BYTES];
	int n, i, status;

	n = snprintf(command, sizeof(command), "vm-dump search --mask %02x ", MASK);
	for (i = 0; i < BYTES; i++)
		n += snprintf(command + n, sizeof(command) - (size_t)n, "%02x", masked[FROM + i]);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The caller, a process of its own: its exit status is 0 if it was served. */
static int give_secret(void)
{
	uint8_t *secret = mmap(NULL, SECRET, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = kv_dev(), ret, i;

	if (secret == MAP_FAILED || fd < 0)
		return 2;
	unmask(secret);
	ret = kv_control(fd, KVAULT_METHOD_PUT, "/x", "{}", secret, SECRET);
	for (i = 0; i < SECRET; i++)
		((volatile uint8_t *)secret)[i] = 0;
	return ret == 200 ? 0 : 1;
}

/*
 * Sets it as the value of a secret and gets it again, into another buffer, which
 * it has until it is told to go on.
 */
static int set_and_get(int go)
{
	volatile uint8_t *value = mmap(NULL, SECRET, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvault_control c = {
		.size = sizeof(c), .method = KVAULT_METHOD_PUT, .timeout_ms = 30000,
		.flags = KVAULT_CONTROL_SECRET_SET, .path = kv_ptr(KV_SECRET_PATH),
		.path_len = strlen(KV_SECRET_PATH), .secret_in_len = SECRET,
	};
	char reply[16], b;
	int fd = kv_dev(), i, ret;

	if (value == MAP_FAILED || fd < 0)
		return 2;
	c.reply = kv_ptr(reply);
	c.reply_len = sizeof(reply);
	c.secret_in = kv_ptr((void *)value);
	unmask(value);
	ret = kv_ioctl(fd, KVAULT_CONTROL, &c);
	for (i = 0; i < SECRET; i++)
		value[i] = 0;
	if (ret || c.status != 200)
		return 3;
	c.method = KVAULT_METHOD_GET;
	c.flags = KVAULT_CONTROL_SECRET_GET;
	c.reply_len = sizeof(reply);
	c.secret_in_len = 0;
	c.secret_out = kv_ptr((void *)value);
	c.secret_out_len = SECRET;
	ret = kv_ioctl(fd, KVAULT_CONTROL, &c);
	if (ret || c.secret_out_len != SECRET || read(go, &b, 1) != 1)
		return 4;
	for (i = 0; i < SECRET; i++)
		value[i] = 0;
	return 0;
}

FIXTURE(wipe) {};

FIXTURE_SETUP(wipe)
{
	ASSERT_EQ(0, kv_serve_start());
}

FIXTURE_TEARDOWN(wipe)
{
	kv_serve_stop();
}

TEST_F_TIMEOUT(wipe, a_secret_is_in_memory_only_while_it_is_used, 150)
{
	const struct kv_want control = { .type = KVAULT_MSG_CONTROL };
	int status;
	pid_t pid;

	srand((unsigned int)(time(NULL) ^ getpid()));
	make_secret();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(give_secret());
	/* it is sealed by now, and its sender waits: one copy, in that process */
	ASSERT_EQ(0, kv_serve_until(&control, 20000));
	EXPECT_EQ(0, search_memory()) TH_LOG("the search does not find what is there");
	ASSERT_EQ(0, kv_serve_answer(false));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, search_memory()) TH_LOG("a copy of the secret is left");
}

TEST_F_TIMEOUT(wipe, a_value_is_in_memory_only_with_who_got_it, 150)
{
	const struct kv_want control = { .type = KVAULT_MSG_CONTROL };
	int status, go[2];
	pid_t pid;

	srand((unsigned int)(time(NULL) ^ getpid() ^ 0x5ec2e7));
	make_secret();
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(set_and_get(go[0]));
	ASSERT_EQ(0, kv_serve_until(&control, 20000));
	ASSERT_EQ(0, kv_serve_answer(false));
	/* it asks for it back, and nobody has it in the clear */
	ASSERT_EQ(0, kv_serve_until(&control, 20000));
	EXPECT_EQ(1, search_memory()) TH_LOG("a copy of what was set is left");
	ASSERT_EQ(0, kv_serve_answer(false));
	kv_sleep_ms(200);
	EXPECT_EQ(0, search_memory()) TH_LOG("the search does not find what is there");
	ASSERT_EQ(1, write(go[1], "g", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, search_memory()) TH_LOG("a copy of what was got is left");
}

TEST_HARNESS_MAIN
