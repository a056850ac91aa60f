// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is deleted: it keeps its name and its versions until it is recovered,
 * or purged, by request or when its time is over. One mechanism for all types.
 */
#include "store/sql.h"

int kvd_store_deleted_find(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			   uint32_t type, const char *name, struct kvd_version *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, KVD_SQL_VERSIONS " WHERE v.tenant = ? AND c.name = ?"
			    " AND o.type = ? AND o.name = ?" KVD_SQL_DELETED
			    " ORDER BY v.seq DESC LIMIT 1", "dtit", tenant, vault, (int64_t)type,
			    name);
	return r < 0 ? r : kvd_sql_version(q, ret);
}

int kvd_store_deleted_each(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			   uint32_t type, const char *after, unsigned int limit,
			   kvd_version_fn *fn, void *data)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, KVD_SQL_VERSIONS " WHERE v.tenant = ? AND c.name = ?"
			    " AND o.name > ? AND o.type = ?" KVD_SQL_DELETED KVD_SQL_NEWEST
			    " ORDER BY o.name LIMIT ?", "dttii", tenant, vault, after,
			    (int64_t)type, (int64_t)limit);
	return r < 0 ? r : kvd_sql_versions(q, fn, data);
}

int kvd_store_object_set_deleted(struct kvd_store *st, const uint8_t *tenant,
				 const struct kvd_id *object, int64_t deleted, int64_t purge,
				 uint64_t revision)
{
	int r;

	r = kvd_sql_run(st, "UPDATE objects SET deleted = ?, purge = ?"
			" WHERE tenant = ? AND id = ?", "iidd", deleted, purge, tenant, object->b);
	if (r != 1)
		return r < 0 ? r : -ENOENT;
	/* What the kernel was told under this revision refuses grants of an older one. */
	r = kvd_sql_run(st, "UPDATE versions SET revision = ? WHERE tenant = ? AND object = ?",
			"idd", (int64_t)revision, tenant, object->b);
	return r < 0 ? r : 0;
}

int kvd_store_object_drop(struct kvd_store *st, const uint8_t *tenant,
			  const struct kvd_version *v)
{
	int r;

	r = kvd_sql_run(st, "DELETE FROM objects WHERE tenant = ? AND id = ?", "dd", tenant,
			v->object.b);
	if (r != 1)
		return r < 0 ? r : -ENOENT;
	kvd_sql_must_scrub(st);
	/* Another object that gets the name is nobody's by what was allowed on this one. */
	r = kvd_sql_run(st, "DELETE FROM role_assignments WHERE tenant = ? AND scope ="
			" '/' || ? || iif(? = 2, '/secrets/', '/keys/') || ? COLLATE NOCASE",
			"dtit", tenant, v->vault_name, (int64_t)v->type, v->name);
	return r < 0 ? r : 0;
}

int kvd_store_deleted_overdue(struct kvd_store *st, int64_t now, struct kvd_id *ret_tenant,
			      struct kvd_version *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	struct kvd_id object, version;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT o.tenant, o.id, (SELECT v.id FROM versions v"
			    " WHERE v.tenant = o.tenant AND v.object = o.id ORDER BY v.seq DESC"
			    " LIMIT 1) FROM objects o WHERE o.deleted > 0 AND o.purge <= ?"
			    " ORDER BY o.purge LIMIT 1", "i", now);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_KEY_NOT_FOUND;
	r = kvd_sql_id(q, 0, ret_tenant);
	if (!r)
		r = kvd_sql_id(q, 1, &object);
	if (!r)
		r = kvd_sql_id(q, 2, &version);
	return r < 0 ? r : kvd_store_version_by_id(st, ret_tenant->b, object.b, version.b, ret);
}
