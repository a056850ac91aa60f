// SPDX-License-Identifier: GPL-2.0-only
#include "store/sql.h"

#define COLUMNS "SELECT id, scope, role, principal, created FROM role_assignments"

static int read_assignment(sqlite3_stmt *q, struct kvd_assignment *ret)
{
	int r;

	ret->created = sqlite3_column_int64(q, 4);
	r = kvd_sql_text(q, 0, ret->id, sizeof(ret->id));
	if (!r)
		r = kvd_sql_text(q, 1, ret->scope, sizeof(ret->scope));
	if (!r)
		r = kvd_sql_text(q, 2, ret->role, sizeof(ret->role));
	if (!r)
		r = kvd_sql_text(q, 3, ret->principal, sizeof(ret->principal));
	return r;
}

int kvd_store_role_find(struct kvd_store *st, const uint8_t *tenant, const char *id,
			struct kvd_assignment *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, COLUMNS " WHERE tenant = ? AND id = ?", "dt", tenant, id);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	return read_assignment(q, ret);
}

int kvd_store_role_set(struct kvd_store *st, const uint8_t *tenant,
		       const struct kvd_assignment *a)
{
	int r;

	r = kvd_sql_run(st, "INSERT OR REPLACE INTO role_assignments"
			" (tenant, id, scope, role, principal, created) VALUES (?, ?, ?, ?, ?, ?)",
			"dtttti", tenant, a->id, a->scope, a->role, a->principal, a->created);
	return r < 0 ? r : 0;
}

int kvd_store_role_drop(struct kvd_store *st, const uint8_t *tenant, const char *id)
{
	int r = kvd_sql_run(st, "DELETE FROM role_assignments WHERE tenant = ? AND id = ?", "dt",
			    tenant, id);

	return r < 0 ? r : r == 1 ? 0 : KVD_E_NOT_FOUND;
}

int kvd_store_role_each(struct kvd_store *st, const uint8_t *tenant, kvd_assignment_fn *fn,
			void *data)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	struct kvd_assignment a;
	int r;

	r = kvd_sql_prepare(st, &q, COLUMNS " WHERE tenant = ? ORDER BY id", "d", tenant);
	while (!r && (r = kvd_sql_step(q)) > 0) {
		r = read_assignment(q, &a);
		if (!r)
			r = fn(&a, data);
	}
	return r;
}
