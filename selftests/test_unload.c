// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is still to be told of tenants that have ended when the module goes: it
 * goes into the host's log, and nothing of the host is touched once it is freed.
 * The kernel's own checks see what is; see mutants.list.
 * vm: --init script
 * timeout: 60
 */
#include <sys/syscall.h>
#include <sys/utsname.h>
#include "kv_test.h"
#include "kselftest_harness.h"

#define TENANTS	4

/* The file is another tenant's: the refusal is a record in the log of this one. */
static int be_refused(void *arg)
{
	struct kvault_info info;

	return kv_status(kv_info(*(int *)arg, &info));
}

static int module_file(void)
{
	struct utsname u;
	char path[256];

	uname(&u);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/kvault.ko", u.release);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int unload(void)
{
	uint64_t end = kv_now_ms() + 5000;

	while (syscall(SYS_delete_module, "kvault", O_NONBLOCK)) {
		if (kv_now_ms() > end)
			return -errno;
		kv_sleep_ms(10);
	}
	return 0;
}

TEST(records_of_tenants_that_have_ended_go_with_the_module)
{
	int file = module_file(), dev = kv_dev(), i;

	ASSERT_LE(0, file);
	ASSERT_LE(0, dev);
	for (i = 0; i < TENANTS; i++)
		ASSERT_EQ(EACCES, kv_in_ns(be_refused, &dev));
	close(dev);
	kv_sleep_ms(1500);	/* they are found to have ended */
	ASSERT_EQ(0, unload());
	kv_sleep_ms(1500);	/* what a timer would do that is left */
	EXPECT_EQ(0, syscall(SYS_finit_module, file, "", 0));
	close(file);
}

TEST_HARNESS_MAIN
