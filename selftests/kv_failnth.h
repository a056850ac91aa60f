/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fail the n-th: one allocation, or one copy from or to the user, of one thread
 * fails on purpose. /proc/thread-self/fail-nth counts down at each place that
 * could fail, of this thread alone; daemon and engine, which are other threads,
 * are not hit.
 *
 * Its own read() and write() copy, too, so they are such places themselves:
 * a read that says EFAULT has used up the last count, and nothing failed before.
 */
#ifndef KV_FAILNTH_H
#define KV_FAILNTH_H

#include <sys/mman.h>
#include "kv_test.h"

#define KV_DEBUGFS	"/sys/kernel/debug/"

#define KV_ATTRS	3

static const char *const kv_fault_attrs[KV_ATTRS] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

static int kv_nth = -1;

static KV_MAYBE int kv_fault_set(const char *attr, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), KV_DEBUGFS "%s/%s", attr, name);
	return kv_write_file(path, value);
}

/*
 * Only what happens in calls from @start..@end counts; 0, 0 for everything. The
 * kernel compares addresses on the stack.
 */
static KV_MAYBE int kv_fault_require(unsigned long start, unsigned long end)
{
	char first[32], last[32];
	size_t i;
	int ret = 0;

	snprintf(first, sizeof(first), "0x%lx", start);
	snprintf(last, sizeof(last), "0x%lx", end ? end : ~0ul);
	for (i = 0; !ret && i < KV_ATTRS; i++) {
		ret = kv_fault_set(kv_fault_attrs[i], "require-start", first);
		ret = ret ? ret : kv_fault_set(kv_fault_attrs[i], "require-end", last);
		ret = ret ? ret : kv_fault_set(kv_fault_attrs[i], "stacktrace-depth", "32");
	}
	return ret;
}

/* What happens in calls from @start..@end does not count. */
static KV_MAYBE int kv_fault_reject(unsigned long start, unsigned long end)
{
	char first[32], last[32];
	size_t i;
	int ret = 0;

	snprintf(first, sizeof(first), "0x%lx", start);
	snprintf(last, sizeof(last), "0x%lx", end);
	for (i = 0; !ret && i < KV_ATTRS; i++) {
		ret = kv_fault_set(kv_fault_attrs[i], "reject-start", first);
		ret = ret ? ret : kv_fault_set(kv_fault_attrs[i], "reject-end", last);
	}
	return ret;
}

/* Memory does not fail for a while, copies alone do. */
static KV_MAYBE int kv_fault_only_copies(bool on)
{
	int ret = kv_fault_set("failslab", "cache-filter", on ? "Y" : "N");

	return ret ? ret : kv_fault_set("fail_page_alloc", "min-order", on ? "20" : "0");
}

/* 0; -ENOENT where the kernel cannot do it. */
static KV_MAYBE int kv_fault_init(void)
{
	size_t i;
	int ret = 0;

	if (access("/proc/thread-self/fail-nth", W_OK))
		return -ENOENT;
	for (i = 0; !ret && i < KV_ATTRS; i++)
		ret = kv_fault_set(kv_fault_attrs[i], "verbose", "0");
	/* memory that may be waited for is left alone, unless they are told otherwise */
	ret = ret ? ret : kv_fault_set("failslab", "ignore-gfp-wait", "N");
	ret = ret ? ret : kv_fault_set("fail_page_alloc", "ignore-gfp-wait", "N");
	ret = ret ? ret : kv_fault_set("fail_page_alloc", "ignore-gfp-highmem", "N");
	ret = ret ? ret : kv_fault_set("fail_page_alloc", "min-order", "0");
	/* no page faults of ours between arming and the call */
	if (!ret && mlockall(MCL_CURRENT | MCL_FUTURE))
		ret = -errno;
	return ret;
}

/* Of the thread that calls; once in each. */
static KV_MAYBE int kv_fault_thread(void)
{
	if (kv_nth >= 0)
		close(kv_nth);
	kv_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return kv_nth < 0 ? -errno : 0;
}

static KV_MAYBE int kv_fault_arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	return pwrite(kv_nth, text, (size_t)len, 0) == len ? 0 : -errno;
}

/* 1 when the fault was met, 0 when the call had fewer places than that. */
static KV_MAYBE int kv_fault_disarm(void)
{
	char text[16] = "";
	ssize_t len = pread(kv_nth, text, sizeof(text) - 1, 0);
	int met = len > 0 && !atoi(text);

	while (pwrite(kv_nth, "0", 1, 0) != 1)
		;
	return met;
}

#endif /* KV_FAILNTH_H */
