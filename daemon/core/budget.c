// SPDX-License-Identifier: GPL-2.0-only
#include <sys/statvfs.h>

#include "core/budget.h"

#define BUDGET_MAX	(64ull << 20)
#define PART_OF_RUN	4
#define PART_FREE	16	/* below this part of the budget nobody is asked who he is */
#define ROW_HEAD	96	/* ids, numbers and the page's own */
#define ROW_LOCAL	1000	/* what is longer goes on in pages of its own */
#define PAGE		4096

/* More than it takes rather than less. */
static uint64_t cost(size_t len)
{
	len += ROW_HEAD;
	return len <= ROW_LOCAL ? len : ROW_LOCAL + (len / PAGE + 1) * PAGE;
}

int kvd_budget_charge(struct kvd_store *st, const uint8_t *tenant, size_t len)
{
	return kvd_store_tenant_charge(st, tenant, cost(len));
}

/* Of the file system as it is now: it may have been given another size. */
static uint64_t budget(const struct kvd_context *ctx)
{
	uint64_t max = ctx->ephemeral_max ? ctx->ephemeral_max : BUDGET_MAX, part;
	struct statvfs fs;

	if (!ctx->runtime_dir || statvfs(ctx->runtime_dir, &fs) < 0 || !fs.f_blocks)
		return max;
	part = fs.f_blocks * fs.f_frsize / PART_OF_RUN;
	return part < max ? part : max;
}

static int note_owner(const struct kvd_kernel_tenant *t, void *data)
{
	struct kvd_context *ctx = data;

	if (t->kind != KVAULT_TENANT_EPHEMERAL)
		return 0;
	return kvd_store_tenant_set_owner(ctx->ephemeral, t->id, t->uid);
}

/* What all tenants of the same owner hold. */
static int held(struct kvd_context *ctx, const uint8_t *tenant, int64_t *ret_owner, uint64_t *ret)
{
	int r;

	r = kvd_store_tenant_held(ctx->ephemeral, tenant, ret_owner, ret);
	if (r || *ret_owner >= 0)
		return r;
	r = ctx->kernel->tenants(ctx->kernel->data, note_owner, ctx);
	return r ? r : kvd_store_tenant_held(ctx->ephemeral, tenant, ret_owner, ret);
}

int kvd_budget_check(struct kvd_context *ctx, const uint8_t *tenant, struct kvd_why *why)
{
	uint64_t all = budget(ctx), used = 0, own = 0;
	int64_t owner = -1;
	int r;

#ifdef KVAULT_MUTANT_NO_BUDGET
	return 0;
#endif
	r = kvd_store_used(ctx->ephemeral, &used);
	if (r || used < all / PART_FREE)
		return r;
	r = held(ctx, tenant, &owner, &own);
#ifdef KVAULT_MUTANT_OWNER_SHARE
	own = 0;
#endif
	if (r < 0 || (used < all && own < all - used))
		return r;
	return kvd_refuse(why, KVD_E_THROTTLED,
			  "The user namespaces of uid %lld have used up their share of the memory "
			  "for ephemeral tenants (%llu of %llu KiB): end one that is not needed, "
			  "and what it has is free", (long long)owner,
			  (unsigned long long)(own >> 10), (unsigned long long)(all >> 10));
}
