// SPDX-License-Identifier: GPL-2.0-only
#include "core/denial.h"
#include "util/json.h"
#include "util/time.h"

#define REFILL_NS	(KVD_DENIALS_REFILL_S * KVD_NSEC_PER_SEC)

static void refill(struct kvd_denial *k, uint64_t now)
{
	uint64_t n = (now - k->refilled) / REFILL_NS;

	if (n > KVD_DENIALS_BURST - k->left)
		n = KVD_DENIALS_BURST - k->left;
	k->left += (uint32_t)n;
	if (k->left == KVD_DENIALS_BURST)
		k->refilled = now;
	else
		k->refilled += n * REFILL_NS;
}

/* Nothing would be forgotten with it. */
static bool is_idle(struct kvd_denial *k, uint64_t now)
{
	if (!k->st)
		return true;
	refill(k, now);
	return k->left == KVD_DENIALS_BURST && !k->counted;
}

static bool is_tenant(const struct kvd_denial *k, const uint8_t *tenant)
{
	return k->st && !memcmp(k->tenant, tenant, KVAULT_ID_SIZE);
}

/*
 * The host's slots are the first ones, so that no guest takes one. When all
 * that a tenant may have are taken, further users share one of them.
 */
static struct kvd_denial *find(struct kvd_denials *d, bool is_host, const uint8_t *tenant,
			       uint32_t uid, uint64_t now)
{
	size_t first = is_host ? 0 : KVD_DENIALS_HOST, i, n = 0;
	size_t end = is_host ? KVD_DENIALS_HOST : KVD_DENIALS_SLOTS;
	struct kvd_denial *unused = NULL, *own = NULL;

	for (i = first; i < end; i++) {
		struct kvd_denial *k = &d->slots[i];

		if (is_tenant(k, tenant) && k->uid == uid)
			return k;
		if (is_idle(k, now)) {
			unused = unused ? unused : k;
		} else if (is_tenant(k, tenant)) {
			own = k;
			n++;
		}
	}
	if (unused && (is_host || n < KVD_DENIALS_GUEST)) {
		memset(unused, 0, sizeof(*unused));
		memcpy(unused->tenant, tenant, KVAULT_ID_SIZE);
		unused->uid = uid;
		unused->left = KVD_DENIALS_BURST;
		unused->refilled = now;
		return unused;
	}
	if (own)
		own->is_shared = true;
	return own;
}

enum kvd_denial_verdict kvd_denial_note(struct kvd_denials *d, const struct kvd_context *ctx,
					struct kvd_store *st, const uint8_t *tenant,
					const struct kvault_principal *who)
{
	bool is_host = !memcmp(tenant, ctx->meta.host.b, KVAULT_ID_SIZE);
	uint64_t now = kvd_time_now(CLOCK_BOOTTIME);
	struct kvd_denial *k = find(d, is_host, tenant, who->uid, now);

#ifdef KVAULT_MUTANT_NO_DENIAL_LIMIT
	return KVD_DENIAL_RECORD;
#endif
	/* More guests at once than there is room for: their logs are bounded anyway. */
	if (!k)
		return KVD_DENIAL_RECORD;
	k->st = st;
	k->who = *who;
	refill(k, now);
	if (k->left)
		return --k->left ? KVD_DENIAL_RECORD : KVD_DENIAL_LAST;
	if (!k->counted++)
		k->since = now;
	return KVD_DENIAL_COUNTED;
}

static int flush_one(struct kvd_denial *k, struct kvd_context *ctx)
{
	struct kvd_tenant t;
	struct kvd_event ev = {
		.operation = KVD_REFUSALS,
		.result = "Denied",
		.reason = k->is_shared ? "Further refusals and empty lists, counted; "
					 "of this user and of others" :
					 "Further refusals and empty lists of this user, counted",
		.who = &k->who,
		.count = k->counted,
	};
	int r;

	r = kvd_store_begin(k->st);
	if (!r)
		r = kvd_store_tenant_find(k->st, k->tenant, &t);
	if (r)
		return r < 0 ? r : 0;	/* it ended, and its log with it */
	return kvd_audit_append(ctx, k->st, k->tenant, &ev);
}

int kvd_denial_flush(struct kvd_denials *d, struct kvd_context *ctx, bool all)
{
	uint64_t now = kvd_time_now(CLOCK_BOOTTIME);
	size_t i;
	int r;

	for (i = 0; i < KVD_DENIALS_SLOTS; i++) {
		struct kvd_denial *k = &d->slots[i];

		if (!k->counted || k->told ||
		    (!all && now - k->since < KVD_DENIALS_TELL_S * KVD_NSEC_PER_SEC))
			continue;
		r = flush_one(k, ctx);
		if (r < 0)
			return r;
		k->told = k->counted;
		d->n_told++;
	}
	return 0;
}

void kvd_denial_settle(struct kvd_denials *d, const struct kvd_context *ctx, int host,
		       int ephemeral)
{
	size_t i;

	for (i = 0; d->n_told && i < KVD_DENIALS_SLOTS; i++) {
		struct kvd_denial *k = &d->slots[i];

		if (k->told && (k->st == ctx->host ? host : ephemeral) >= 0) {
			k->counted -= k->told;
			k->is_shared = false;
		}
		k->told = 0;
	}
	d->n_told = 0;
}
