// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is alive when the module goes. The guests that run the tests fail on
 * the line that is written here.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include "live.h"

DEFINE_PER_CPU(struct kv_lives, kv_lives);

static const char *const kinds[KV_LIVES] = {
	[KV_LIVE_TENANT] = "tenants",
	[KV_LIVE_PRINCIPAL] = "principals",
	[KV_LIVE_OBJECT] = "objects",
	[KV_LIVE_GRANT] = "grants",
	[KV_LIVE_HANDLE] = "handles",
	[KV_LIVE_REQUEST] = "requests",
	[KV_LIVE_SERVER] = "servers",
	[KV_LIVE_FILE] = "files",
	[KV_LIVE_KEY] = "keys",
	[KV_LIVE_VOLUME] = "volumes",
};

/**
 * kv_live_check() - complain about what is alive
 *
 * The last thing that module init, if it fails, and exit do. A negative number
 * is an object that was freed twice.
 */
void kv_live_check(void)
{
	int kind, cpu;

	for (kind = 0; kind < KV_LIVES; kind++) {
		long sum = 0;

		for_each_possible_cpu(cpu)
			sum += per_cpu(kv_lives, cpu).count[kind];
		if (sum)
			pr_err("kvault: %ld %s outlive the module\n", sum, kinds[kind]);
	}
}
