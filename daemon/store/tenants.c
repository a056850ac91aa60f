// SPDX-License-Identifier: GPL-2.0-only
#include "store/sql.h"

#define COLUMNS "SELECT id, kind, policy, kernel_seq, created FROM tenants"

static int read_tenant(sqlite3_stmt *q, struct kvd_tenant *ret)
{
	ret->kind = (uint32_t)sqlite3_column_int64(q, 1);
	ret->policy = (uint64_t)sqlite3_column_int64(q, 2);
	ret->kernel_seq = (uint64_t)sqlite3_column_int64(q, 3);
	ret->created = sqlite3_column_int64(q, 4);
	return kvd_sql_id(q, 0, &ret->id);
}

int kvd_store_tenant_find(struct kvd_store *st, const uint8_t *id, struct kvd_tenant *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, COLUMNS " WHERE id = ?", "d", id);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	return read_tenant(q, ret);
}

int kvd_store_tenant_add(struct kvd_store *st, const struct kvd_tenant *t)
{
	int r;

	r = kvd_sql_run(st, "INSERT INTO tenants (id, kind, policy, kernel_seq, created)"
			" VALUES (?, ?, ?, ?, ?)", "diiii", t->id.b, (int64_t)t->kind,
			(int64_t)t->policy, (int64_t)t->kernel_seq, t->created);
	return r < 0 ? r : 0;
}

int kvd_store_tenant_set_policy(struct kvd_store *st, const uint8_t *id, uint64_t policy)
{
	int r = kvd_sql_run(st, "UPDATE tenants SET policy = ? WHERE id = ?", "id",
			    (int64_t)policy, id);

	return r < 0 ? r : r == 1 ? 0 : -ENOENT;
}

int kvd_store_tenant_set_kernel_seq(struct kvd_store *st, const uint8_t *id, uint64_t seq)
{
	int r = kvd_sql_run(st, "UPDATE tenants SET kernel_seq = ? WHERE id = ?", "id",
			    (int64_t)seq, id);

	return r < 0 ? r : r == 1 ? 0 : -ENOENT;
}

int kvd_store_tenants_reset_seq(struct kvd_store *st)
{
	int r = kvd_sql_run(st, "UPDATE tenants SET kernel_seq = 0", "");

	return r < 0 ? r : 0;
}

int kvd_store_tenant_charge(struct kvd_store *st, const uint8_t *id, uint64_t bytes)
{
	int r = kvd_sql_run(st, "UPDATE tenants SET bytes = bytes + ? WHERE id = ?", "id",
			    (int64_t)bytes, id);

	return r < 0 ? r : r == 1 ? 0 : -ENOENT;
}

int kvd_store_tenant_set_owner(struct kvd_store *st, const uint8_t *id, uint32_t owner)
{
	int r = kvd_sql_run(st, "UPDATE tenants SET owner = ? WHERE id = ? AND owner < 0", "id",
			    (int64_t)owner, id);

	return r < 0 ? r : 0;
}

int kvd_store_tenant_held(struct kvd_store *st, const uint8_t *id, int64_t *ret_owner,
			  uint64_t *ret_bytes)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT t.owner, sum(o.bytes) FROM tenants t"
			    " JOIN tenants o ON o.owner = t.owner WHERE t.id = ? GROUP BY t.id",
			    "d", id);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_owner = sqlite3_column_int64(q, 0);
	*ret_bytes = (uint64_t)sqlite3_column_int64(q, 1);
	return 0;
}

/* What belongs to it goes with it, by the foreign keys. */
int kvd_store_tenant_drop(struct kvd_store *st, const uint8_t *id)
{
	int r = kvd_sql_run(st, "DELETE FROM tenants WHERE id = ?", "d", id);

	return r < 0 ? r : r == 1 ? 0 : KVD_E_NOT_FOUND;
}

int kvd_store_tenant_each(struct kvd_store *st,
			  int (*fn)(const struct kvd_tenant *t, void *data), void *data)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	struct kvd_tenant t;
	int r;

	r = kvd_sql_prepare(st, &q, COLUMNS " ORDER BY id", "");
	while (!r && (r = kvd_sql_step(q)) > 0) {
		r = read_tenant(q, &t);
		if (!r)
			r = fn(&t, data);
	}
	return r;
}
