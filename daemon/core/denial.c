// SPDX-License-Identifier: GPL-2.0-only
#include "core/denial.h"
#include "util/time.h"

static bool is_kind(const struct kvd_denial *k, const uint8_t *tenant, const struct kvd_event *ev)
{
	return k->since && k->who.uid == ev->who->uid &&
	       !memcmp(k->tenant, tenant, KVAULT_ID_SIZE) &&
	       !strcmp(k->operation, ev->operation) && !strcmp(k->signature, ev->signature);
}

static struct kvd_denial *find(struct kvd_denials *d, const uint8_t *tenant,
			       const struct kvd_event *ev)
{
	struct kvd_denial *unused = NULL;
	size_t i;

	for (i = 0; i < KVD_DENIALS_KINDS; i++) {
		if (is_kind(&d->kinds[i], tenant, ev))
			return &d->kinds[i];
		if (!d->kinds[i].since)
			unused = &d->kinds[i];
	}
	if (!unused)
		return NULL;
	memset(unused, 0, sizeof(*unused));
	memcpy(unused->tenant, tenant, KVAULT_ID_SIZE);
	snprintf(unused->operation, sizeof(unused->operation), "%s", ev->operation);
	snprintf(unused->signature, sizeof(unused->signature), "%s", ev->signature);
	unused->since = kvd_time_now(CLOCK_BOOTTIME);
	return unused;
}

bool kvd_denial_note(struct kvd_denials *d, struct kvd_store *st, const uint8_t *tenant,
		     const struct kvd_event *ev)
{
	struct kvd_denial *k = find(d, tenant, ev);

	/* More kinds at once than there is room for: each in full, as ever. */
	if (!k)
		return true;
	k->st = st;
	k->who = *ev->who;
	if (k->seen++ < KVD_DENIALS_EACH)
		return true;
	k->uncounted++;
	return false;
}

static int flush_one(struct kvd_denial *k, struct kvd_context *ctx)
{
	struct kvd_tenant t;
	struct kvd_event ev = {
		.operation = k->operation,
		.result = "Denied",
		.signature = k->signature,
		.reason = "Further refusals of this kind within a second",
		.who = &k->who,
		.count = k->uncounted,
	};
	int r;

	r = kvd_store_tenant_find(k->st, k->tenant, &t);
	if (r)
		return r < 0 ? r : 0;	/* it ended, and its log with it */
	return kvd_audit_append(ctx, k->st, k->tenant, &ev);
}

int kvd_denial_flush(struct kvd_denials *d, struct kvd_context *ctx)
{
	uint64_t now = kvd_time_now(CLOCK_BOOTTIME);
	size_t i;
	int r;

	for (i = 0; i < KVD_DENIALS_KINDS; i++) {
		struct kvd_denial *k = &d->kinds[i];

		if (!k->since || now - k->since < KVD_NSEC_PER_SEC)
			continue;
		if (k->uncounted) {
			r = kvd_store_begin(k->st);
			if (!r)
				r = flush_one(k, ctx);
			if (r < 0)
				return r;
		}
		k->since = 0;
	}
	return 0;
}
