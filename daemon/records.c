// SPDX-License-Identifier: GPL-2.0-only
#include "core/audit.h"
#include "records.h"
#include "util/log.h"

int kvd_records_init(struct kvd_records *rs)
{
	rs->rec = calloc(KVD_RECORDS_MAX, sizeof(*rs->rec));
	return rs->rec ? 0 : -ENOMEM;
}

void kvd_records_done(struct kvd_records *rs)
{
	free(rs->rec);
	rs->rec = NULL;
}

static struct kvd_store *store_of(const struct kvd_context *ctx,
				  const struct kvault_audit_rec *rec)
{
	bool is_host = !memcmp(rec->tenant, ctx->meta.host.b, KVAULT_ID_SIZE);

	return is_host ? ctx->host : ctx->ephemeral;
}

/* Without room it is acknowledged with a later record of its tenant. */
static void note_ack(struct kvd_records *rs, struct kvd_store *st,
		     const struct kvault_audit_rec *rec)
{
	size_t i;

	for (i = 0; i < rs->n_acks; i++)
		if (!memcmp(rs->acks[i].tenant, rec->tenant, KVAULT_ID_SIZE))
			break;
	if (i == KVD_ACKS_MAX)
		return;
	if (i == rs->n_acks) {
		rs->n_acks++;
		rs->acks[i].st = st;
		rs->acks[i].seq = 0;
		memcpy(rs->acks[i].tenant, rec->tenant, KVAULT_ID_SIZE);
	}
	if (rec->seq > rs->acks[i].seq)
		rs->acks[i].seq = rec->seq;
}

static int tell(struct kvd_records *rs, struct kvd_context *ctx, struct kvd_store *st,
		const struct kvault_audit_rec *rec)
{
	struct kvd_tenant t = { .kind = KVAULT_TENANT_EPHEMERAL, .policy = 1,
				.created = ctx->now };
	int r;

	r = kvd_store_mark(st);
	if (r < 0)
		return r;
	r = kvd_store_tenant_find(st, rec->tenant, &t);
	if (r == KVD_E_NOT_FOUND && st == ctx->ephemeral) {
		memcpy(t.id.b, rec->tenant, KVAULT_ID_SIZE);
		r = kvd_store_tenant_add(st, &t);
	}
	if (!r)
		r = kvd_audit_from_kernel(ctx, st, rec);
	if (r) {
		kvd_store_undo(st);
		return r;
	}
	note_ack(rs, st, rec);
	return kvd_store_keep(st);
}

/* Nonsense is dropped, and shows as a gap in the numbers; all else stays at hand. */
static void tell_some(struct kvd_records *rs, struct kvd_context *ctx, int *host_error,
		      int *ephemeral_error)
{
	size_t from = rs->n_told, end = rs->n, n = rs->n_told, i;
	int r, *error;

	if (end - from > KVD_RECORDS_TURN)
		end = from + KVD_RECORDS_TURN;
	for (i = from; i < end; i++) {
		struct kvd_store *st = store_of(ctx, &rs->rec[i]);

		error = st == ctx->host ? host_error : ephemeral_error;
		r = *error ? 0 : tell(rs, ctx, st, &rs->rec[i]);
		if (r > 0 || r == -EBADMSG) {
			kvd_log(LOG_ERR, "An audit record of the module makes no sense");
			continue;
		}
		if (r < 0) {
			kvd_log(LOG_ERR, "An audit record cannot be written: %s", strerror(-r));
			*error = r;
		}
		rs->rec[n++] = rs->rec[i];
	}
	rs->n_told = n;
	memmove(rs->rec + n, rs->rec + end, (rs->n - end) * sizeof(*rs->rec));
	rs->n -= end - n;
}

static void take(struct kvd_records *rs, struct kvd_link *link)
{
	ssize_t len;

	rs->is_more = false;
	len = kvd_link_audit(link, rs->rec + rs->n, KVD_RECORDS_TURN * sizeof(*rs->rec),
			     &rs->is_more);
	if (len < 0)
		kvd_log(LOG_ERR, "Audit records cannot be read: %s", strerror((int)-len));
	else
		rs->n += (size_t)len / sizeof(*rs->rec);
}

bool kvd_records_tell(struct kvd_records *rs, struct kvd_context *ctx, struct kvd_link *link,
		      int *host_error, int *ephemeral_error)
{
	if (rs->n - rs->n_told < KVD_RECORDS_TURN && rs->n + KVD_RECORDS_TURN <= KVD_RECORDS_MAX)
		take(rs, link);
	if (rs->n_told == rs->n)
		return false;
	tell_some(rs, ctx, host_error, ephemeral_error);
	return true;
}

void kvd_records_settle(struct kvd_records *rs, struct kvd_context *ctx, struct kvd_link *link,
			int host, int ephemeral)
{
	size_t i, n = 0;
	int r;

	for (i = 0; i < rs->n_acks; i++) {
		if ((rs->acks[i].st == ctx->host ? host : ephemeral) < 0)
			continue;
		r = kvd_link_audit_ack(link, rs->acks[i].tenant, rs->acks[i].seq);
		if (r < 0 && r != -ENOENT)
			kvd_log(LOG_WARNING, "Audit records cannot be acknowledged: %s",
				strerror(-r));
	}
	rs->n_acks = 0;
	/* What was not told yet stays as well. */
	for (i = 0; i < rs->n; i++)
		if (i >= rs->n_told ||
		    (store_of(ctx, &rs->rec[i]) == ctx->host ? host : ephemeral) < 0)
			rs->rec[n++] = rs->rec[i];
	rs->n = n;
	rs->n_told = 0;
}
