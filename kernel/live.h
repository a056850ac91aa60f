/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many of each kind of object the module has alive: nothing may outlive
 * it. kmemleak knows no references; a count that one path does not give back
 * shows here, on every kernel.
 */
#ifndef _KV_LIVE_H
#define _KV_LIVE_H

#include <linux/percpu.h>

enum kv_live {
	KV_LIVE_TENANT,
	KV_LIVE_PRINCIPAL,
	KV_LIVE_OBJECT,
	KV_LIVE_GRANT,
	KV_LIVE_HANDLE,
	KV_LIVE_REQUEST,
	KV_LIVE_SERVER,
	KV_LIVE_FILE,
	KV_LIVE_KEY,
	KV_LIVE_VOLUME,
	KV_LIVES
};

struct kv_lives {
	long count[KV_LIVES];
};

/* One CPU's share; an object may be made on one and freed on another. */
DECLARE_PER_CPU(struct kv_lives, kv_lives);

/**
 * kv_live_inc() - an object is made
 * @kind: of what
 */
static inline void kv_live_inc(enum kv_live kind)
{
#ifdef KVAULT_MUTANT_DATA_RACE
	per_cpu(kv_lives, 0).count[kind]++;
#else
	this_cpu_inc(kv_lives.count[kind]);
#endif
}

/**
 * kv_live_dec() - an object's memory goes
 * @kind: of what
 */
static inline void kv_live_dec(enum kv_live kind)
{
	this_cpu_dec(kv_lives.count[kind]);
}

void kv_live_check(void);

#endif /* _KV_LIVE_H */
