// SPDX-License-Identifier: GPL-2.0-only
/* What was promised and is not over: leases, volume grants, answers to repeat. */
#include "store/sql.h"

#define LEASE "SELECT id, version, ops, ivs, used, created, ends, who, object FROM leases"

void kvd_lease_done(struct kvd_lease *l)
{
	free(l->who);
	free(l->object);
	memset(l, 0, sizeof(*l));
}

static int read_lease(sqlite3_stmt *q, struct kvd_lease *ret)
{
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };
	int r;

	l.ops = (uint64_t)sqlite3_column_int64(q, 2);
	l.ivs = (uint64_t)sqlite3_column_int64(q, 3);
	l.used = (uint64_t)sqlite3_column_int64(q, 4);
	l.created = sqlite3_column_int64(q, 5);
	l.ends = sqlite3_column_int64(q, 6);
	r = kvd_sql_id(q, 0, &l.id);
	if (!r)
		r = kvd_sql_id(q, 1, &l.version);
	if (!r)
		r = kvd_sql_dup(q, 7, &l.who);
	if (!r)
		r = kvd_sql_dup(q, 8, &l.object);
	if (r < 0)
		return r;
	*ret = l;
	memset(&l, 0, sizeof(l));
	return 0;
}

int kvd_store_lease_add(struct kvd_store *st, const uint8_t *tenant, const struct kvd_lease *l)
{
	int r;

	r = kvd_sql_run(st, "INSERT INTO leases (tenant, id, version, ops, ivs, used, created,"
			" ends, who, object) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?)", "dddiiiitt",
			tenant, l->id.b, l->version.b, (int64_t)l->ops, (int64_t)l->ivs,
			l->created, l->ends, l->who, l->object);
	return r < 0 ? r : 0;
}

int kvd_store_lease_find(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
			 struct kvd_lease *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, LEASE " WHERE tenant = ? AND id = ?", "dd", tenant, id);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	return read_lease(q, ret);
}

/* A lease that is over is not there: no error. */
int kvd_store_lease_use(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
			uint64_t count)
{
	int r = kvd_sql_run(st, "UPDATE leases SET used = used + ? WHERE tenant = ? AND id = ?",
			    "idd", (int64_t)count, tenant, id);

	return r < 0 ? r : 0;
}

/* Housekeeping, over all tenants. */
int kvd_store_lease_overdue(struct kvd_store *st, int64_t now, struct kvd_id *ret_tenant,
			    struct kvd_id *ret_id)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT tenant, id FROM leases WHERE ends < ? LIMIT 1", "i",
			    now);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	r = kvd_sql_id(q, 0, ret_tenant);
	return r < 0 ? r : kvd_sql_id(q, 1, ret_id);
}

int kvd_store_lease_drop(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id)
{
	int r = kvd_sql_run(st, "DELETE FROM leases WHERE tenant = ? AND id = ?", "dd", tenant,
			    id);

	return r < 0 ? r : r == 1 ? 0 : KVD_E_NOT_FOUND;
}

int kvd_store_leases_drop(struct kvd_store *st, const uint8_t *tenant)
{
	int r = kvd_sql_run(st, "DELETE FROM leases WHERE tenant = ?", "d", tenant);

	return r < 0 ? r : 0;
}

int kvd_store_lease_each(struct kvd_store *st, const uint8_t *tenant,
			 int (*fn)(const struct kvd_lease *l, void *data), void *data)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, LEASE " WHERE tenant = ? ORDER BY created", "d", tenant);
	while (!r && (r = kvd_sql_step(q)) > 0) {
		_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };

		r = read_lease(q, &l);
		if (!r)
			r = fn(&l, data);
	}
	return r;
}

int kvd_store_volume_grant_add(struct kvd_store *st, const uint8_t *tenant,
			       const struct kvd_volume_grant *g)
{
	int r;

	r = kvd_sql_run(st, "INSERT INTO volume_grants (tenant, id, object, version, nonce_hash,"
			" created) VALUES (?, ?, ?, ?, ?, ?)", "ddddbi", tenant, g->id.b,
			g->object.b, g->version.b, g->nonce_hash, sizeof(g->nonce_hash),
			g->created);
	return r < 0 ? r : 0;
}

int kvd_store_volume_grant_find(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
				struct kvd_volume_grant *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	struct kvd_volume_grant g;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT id, object, version, nonce_hash, created"
			    " FROM volume_grants WHERE tenant = ? AND id = ?", "dd", tenant, id);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	r = kvd_sql_id(q, 0, &g.id);
	if (!r)
		r = kvd_sql_id(q, 1, &g.object);
	if (!r)
		r = kvd_sql_id(q, 2, &g.version);
	if (r < 0 || sqlite3_column_bytes(q, 3) != sizeof(g.nonce_hash))
		return -EUCLEAN;
	memcpy(g.nonce_hash, sqlite3_column_blob(q, 3), sizeof(g.nonce_hash));
	g.created = sqlite3_column_int64(q, 4);
	*ret = g;
	return 0;
}

int kvd_store_request_find(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
			   int *ret_status, char **ret_reply)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT status, reply FROM requests"
			    " WHERE tenant = ? AND id = ?", "dd", tenant, id);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	r = kvd_sql_dup(q, 1, ret_reply);
	if (!r)
		*ret_status = sqlite3_column_int(q, 0);
	return r;
}

int kvd_store_request_add(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
			  int status, const char *reply, int64_t now)
{
	int r;

	r = kvd_sql_run(st, "INSERT INTO requests (tenant, id, status, reply, created)"
			" VALUES (?, ?, ?, ?, ?)", "dditi", tenant, id, (int64_t)status, reply,
			now);
	return r < 0 ? r : 0;
}

/* Housekeeping, over all tenants. */
int kvd_store_requests_expire(struct kvd_store *st, int64_t before)
{
	int r = kvd_sql_run(st, "DELETE FROM requests WHERE created < ?", "i", before);

	return r < 0 ? r : 0;
}
