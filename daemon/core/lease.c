// SPDX-License-Identifier: GPL-2.0-only
#include "core/audit.h"
#include "core/lease.h"
#include "util/json.h"
#include "util/time.h"

int64_t kvd_lease_now(void)
{
	return (int64_t)(kvd_time_now(CLOCK_BOOTTIME) / KVD_NSEC_PER_SEC);
}

static uint64_t ivs_wanted(const struct kvd_version *v, uint32_t ops)
{
	return v->kty == KVAULT_KTY_OCT && (ops & KVAULT_OP_ENCRYPT) ? KVD_LEASE_OPS : 0;
}

static int reserve_ivs(struct kvd_store *st, const uint8_t *tenant, const struct kvd_version *v,
		       uint32_t *ops, struct kvd_lease *l)
{
	uint64_t want = ivs_wanted(v, *ops), left;

	if (!want)
		return 0;
	left = v->ivs < KVD_IVS_MAX ? KVD_IVS_MAX - v->ivs : 0;
	if (!left) {
		*ops &= ~KVAULT_OP_ENCRYPT;
		return 0;
	}
	l->ivs = left < want ? left : want;
	l->ops = l->ivs;	/* the kernel counts operations, not ivs */
	return kvd_store_version_set_ivs(st, tenant, v->id.b, v->ivs + l->ivs);
}

int kvd_lease_make(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant,
		   const struct kvd_version *v, const struct kvault_principal *who,
		   uint32_t *ops, struct kvd_lease *ret)
{
	_cleanup_(kvd_lease_done) struct kvd_lease l = { .ops = KVD_LEASE_OPS };
	_cleanup_json_ json_t *principal = NULL;
	int r;

	l.version = v->id;
	l.created = ctx->now;
	l.ends = kvd_lease_now() + KVD_LEASE_MS / 1000 + KVD_LEASE_GRACE_S;
	r = kvd_id_new(&l.id);
	if (r < 0)
		return r;
	principal = kvd_audit_principal(who);
	l.who = principal ? kvd_json_canonical(principal) : NULL;
	l.object = malloc(KVD_OBJECT_ADDRESS_MAX);
	if (!l.who || !l.object)
		return -ENOMEM;
	kvd_audit_object(l.object, v);
	r = reserve_ivs(st, tenant, v, ops, &l);
	if (!r)
		r = kvd_store_version_note_use(st, tenant, v->id.b, ctx->now);
	if (r)
		return r;
	r = kvd_store_lease_add(st, tenant, &l);
	if (r < 0)
		return r;
	*ret = l;
	memset(&l, 0, sizeof(l));
	return 0;
}

int kvd_lease_end(struct kvd_store *st, const uint8_t *tenant, const uint8_t *lease,
		  uint64_t used)
{
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };
	int r;

	r = kvd_store_lease_find(st, tenant, lease, &l);
	if (r)
		return r < 0 ? r : 0;
	used = used > l.used ? used : l.used;
	if (l.ivs > used) {
		r = kvd_store_version_give_ivs(st, tenant, l.version.b, l.ivs - used);
		if (r < 0)
			return r;
	}
	r = kvd_store_lease_drop(st, tenant, lease);
	return r < 0 ? r : 0;
}

int kvd_lease_use(struct kvd_store *st, const uint8_t *tenant, const uint8_t *lease,
		  uint64_t count)
{
	return kvd_store_lease_use(st, tenant, lease, count);
}

/* Nobody said how many of its operations were done: perhaps all that were not reported. */
static int tell_lost(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant,
		     const struct kvd_lease *l, const char *reason)
{
	_cleanup_json_ json_t *more = json_object();
	struct kvd_event ev = {
		.operation = "LeaseLost",
		.object = l->object,
		.result = "Failed",
		.signature = "ENODATA",
		.reason = reason,
		.lease = l->id.b,
		.count = l->ops > l->used ? l->ops - l->used : 0,
		.more = more,
	};

	if (!more || kvd_json_set(more, "principal", json_loads(l->who, 0, NULL)))
		return -ENOMEM;
	return kvd_audit_append(ctx, st, tenant, &ev);
}

static int expire_one(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant,
		      const uint8_t *id)
{
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };
	int r;

	r = kvd_store_lease_find(st, tenant, id, &l);
	if (r)
		return r < 0 ? r : 0;
	r = tell_lost(ctx, st, tenant, &l,
		      "No report of its end came: up to count operations are missing");
	if (r < 0)
		return r;
#ifdef KVAULT_MUTANT_LEASE_REFUND
	return kvd_lease_end(st, tenant, id, l.used);
#endif
	r = kvd_store_lease_drop(st, tenant, id);
	return r < 0 ? r : 0;
}

int kvd_lease_expire(struct kvd_context *ctx, struct kvd_store *st, int64_t before,
		     unsigned int max)
{
	struct kvd_id tenant, id;
	unsigned int n;
	int r;

	for (n = 0; n < max; n++) {
		r = kvd_store_lease_overdue(st, before, &tenant, &id);
		if (r == KVD_E_NOT_FOUND)
			break;
		if (!r)
			r = expire_one(ctx, st, tenant.b, id.b);
		if (r < 0)
			return r;
	}
	return (int)n;
}

struct lose {
	struct kvd_context *ctx;
	struct kvd_store *st;
	const uint8_t *tenant;
};

static int lose_one(const struct kvd_lease *l, void *data)
{
	const struct lose *lose = data;

	return tell_lost(lose->ctx, lose->st, lose->tenant, l,
			 "The kernel ended without a report: up to count operations are missing");
}

int kvd_lease_lose_all(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant)
{
	struct lose lose = { ctx, st, tenant };
	int r;

	r = kvd_store_lease_each(st, tenant, lose_one, &lose);
	return r < 0 ? r : kvd_store_leases_drop(st, tenant);
}
