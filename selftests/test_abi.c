// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ABI in figures: kv_abi.h holds at compile time, here for 64 bits; what
 * INFO says agrees with it.
 */
#include "kv_abi.h"
#include "kv_test.h"
#include "kselftest_harness.h"

TEST(the_kernel_serves_the_abi_of_the_header)
{
	int fd = kv_dev();
	struct kvault_info info;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kv_info(fd, &info));
	EXPECT_LE(KVAULT_ABI, info.abi);
	EXPECT_GE(KVAULT_ABI, info.abi_min);
	close(fd);
}

TEST_HARNESS_MAIN
