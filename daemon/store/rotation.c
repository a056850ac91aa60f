// SPDX-License-Identifier: GPL-2.0-only
#include "store/sql.h"

void kvd_rotation_done(struct kvd_rotation *row)
{
	free(row->json);
	memset(row, 0, sizeof(*row));
}

int kvd_store_rotation_get(struct kvd_store *st, const uint8_t *tenant,
			   const struct kvd_id *object, struct kvd_rotation *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT json, created, updated, rotate, notify"
			    " FROM rotation_policies"
			    " WHERE tenant = ? AND object = ?", "dd", tenant, object->b);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	ret->created = sqlite3_column_int64(q, 1);
	ret->updated = sqlite3_column_int64(q, 2);
	ret->rotate = sqlite3_column_int64(q, 3);
	ret->notify = sqlite3_column_int64(q, 4);
	return kvd_sql_dup(q, 0, &ret->json);
}

int kvd_store_rotation_set(struct kvd_store *st, const uint8_t *tenant,
			   const struct kvd_id *object, const char *json, int64_t now)
{
	int r = kvd_sql_run(st, "INSERT INTO rotation_policies (tenant, object, json, created,"
			    " updated, rotate, notify) VALUES (?1, ?2, ?3, ?4, ?4, 0, 0)"
			    " ON CONFLICT (tenant, object) DO UPDATE SET json = excluded.json,"
			    " updated = excluded.updated", "ddti", tenant, object->b, json, now);

	return r < 0 ? r : 0;
}

int kvd_store_rotation_drop(struct kvd_store *st, const uint8_t *tenant,
			    const struct kvd_id *object)
{
	int r = kvd_sql_run(st, "DELETE FROM rotation_policies WHERE tenant = ? AND object = ?",
			    "dd", tenant, object->b);

	return r < 0 ? r : 0;
}

int kvd_store_rotation_set_due(struct kvd_store *st, const uint8_t *tenant,
			       const struct kvd_id *object, int64_t rotate, int64_t notify)
{
	int r = kvd_sql_run(st, "UPDATE rotation_policies SET rotate = ?, notify = ?"
			    " WHERE tenant = ? AND object = ?", "iidd", rotate, notify, tenant,
			    object->b);

	return r < 0 ? r : 0;
}

#define OVERDUE(column)							\
	"SELECT p.tenant, p.object,"					\
	" (SELECT v.id FROM versions v WHERE v.tenant = p.tenant"	\
	"  AND v.object = p.object ORDER BY v.seq DESC LIMIT 1)"	\
	" FROM rotation_policies p"					\
	" JOIN objects o ON o.tenant = p.tenant AND o.id = p.object"	\
	" JOIN vaults c ON c.tenant = o.tenant AND c.id = o.vault"	\
	" WHERE p." column " > 0 AND p." column " <= ?" KVD_SQL_LIVE	\
	" LIMIT 1"

static int take_overdue(struct kvd_store *st, sqlite3_stmt *q, struct kvd_id *ret_tenant,
			struct kvd_version *ret)
{
	struct kvd_id object, version;
	int r;

	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	r = kvd_sql_id(q, 0, ret_tenant);
	if (!r)
		r = kvd_sql_id(q, 1, &object);
	if (!r)
		r = kvd_sql_id(q, 2, &version);
	return r < 0 ? r : kvd_store_version_by_id(st, ret_tenant->b, object.b, version.b, ret);
}

/* What is deleted waits until it is recovered. */
int kvd_store_rotation_overdue(struct kvd_store *st, int64_t now, struct kvd_id *ret_tenant,
			       struct kvd_version *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL, *p = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, OVERDUE("notify"), "i", now);
	if (!r)
		r = take_overdue(st, q, ret_tenant, ret);
	if (r != KVD_E_NOT_FOUND)
		return r;
	r = kvd_sql_prepare(st, &p, OVERDUE("rotate"), "i", now);
	return r < 0 ? r : take_overdue(st, p, ret_tenant, ret);
}
