// SPDX-License-Identifier: GPL-2.0-only
/*
 * No image of memory is written while keys are in it. The kernel's own test
 * mode ends a hibernation after the processes are frozen. Freshly loaded
 * module, no kvaultd.
 * vm: --init script
 * timeout: 90
 */
#include "kv_daemon.h"
#include "kselftest_harness.h"

/* Kernels of our own are built without. */
static bool can_hibernate(void)
{
	return !access("/sys/power/pm_test", W_OK);
}

static int hibernate(void)
{
	int ret = kv_write_file("/sys/power/pm_test", "freezer");

	return ret ? ret : kv_write_file("/sys/power/state", "disk");
}

TEST(a_without_keys_the_machine_hibernates)
{
	if (!can_hibernate())
		SKIP(return, "this kernel does not hibernate");
	EXPECT_EQ(0, hibernate());
}

static int only_open(void *arg)
{
	int fd = kv_dev();
	char b;

	/* our end of the pipe: it stays until the test closes its own */
	return fd < 0 || read(*(int *)arg, &b, 1);
}

TEST(b_a_tenant_has_a_key_of_its_own_and_keeps_the_machine_awake)
{
	struct kv_child c;
	int pipe_fd[2], i;

	if (!can_hibernate())
		SKIP(return, "this kernel does not hibernate");
	ASSERT_EQ(0, pipe2(pipe_fd, O_CLOEXEC));
	ASSERT_EQ(0, kv_child_start(&c, true, true, only_open, &pipe_fd[0]));
	kv_child_go(&c);
	kv_sleep_ms(500);
	EXPECT_EQ(-EBUSY, hibernate());
	ASSERT_EQ(1, write(pipe_fd[1], "x", 1));
	kv_child_end(&c);
	for (i = 0; i < 30 && hibernate() == -EBUSY; i++)
		kv_sleep_ms(100);
	EXPECT_GT(30, i);
}

TEST(c_with_a_root_key_it_does_not)
{
	if (!can_hibernate())
		SKIP(return, "this kernel does not hibernate");
	ASSERT_EQ(0, kv_root_load(kv_store, kv_root));
	EXPECT_EQ(-EBUSY, hibernate());
}

TEST_HARNESS_MAIN
