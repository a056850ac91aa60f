// SPDX-License-Identifier: GPL-2.0-only
#include "store/sql.h"

#define COLUMNS "SELECT id, name, premium, purge_protection, retention, created, tags FROM vaults"

void kvd_vault_done(struct kvd_vault *v)
{
	free(v->tags);
	memset(v, 0, sizeof(*v));
}

static int read_vault(sqlite3_stmt *q, struct kvd_vault *ret)
{
	struct kvd_vault v = { 0 };
	int r;

	v.is_premium = sqlite3_column_int(q, 2);
	v.has_purge_protection = sqlite3_column_int(q, 3);
	v.retention = (uint32_t)sqlite3_column_int64(q, 4);
	v.created = sqlite3_column_int64(q, 5);
	r = kvd_sql_id(q, 0, &v.id);
	if (!r)
		r = kvd_sql_text(q, 1, v.name, sizeof(v.name));
	if (!r)
		r = kvd_sql_dup(q, 6, &v.tags);
	if (!r)
		*ret = v;
	return r;
}

int kvd_store_vault_find(struct kvd_store *st, const uint8_t *tenant, const char *name,
			 struct kvd_vault *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, COLUMNS " WHERE tenant = ? AND name = ?", "dt", tenant, name);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_VAULT_NOT_FOUND;
	return read_vault(q, ret);
}

int kvd_store_vault_add(struct kvd_store *st, const uint8_t *tenant, const struct kvd_vault *v)
{
	int r;

	r = kvd_sql_run(st, "INSERT INTO vaults (tenant, id, name, premium, purge_protection,"
			" retention, created, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "ddtiiiit",
			tenant, v->id.b, v->name, (int64_t)v->is_premium,
			(int64_t)v->has_purge_protection, (int64_t)v->retention, v->created,
			v->tags);
	return r == -EEXIST ? KVD_E_CONFLICT : r < 0 ? r : 0;
}

int kvd_store_vault_each(struct kvd_store *st, const uint8_t *tenant, const char *after,
			 unsigned int limit,
			 int (*fn)(const struct kvd_vault *v, void *data), void *data)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, COLUMNS " WHERE tenant = ? AND name > ?"
			    " ORDER BY name LIMIT ?", "dti", tenant, after, (int64_t)limit);
	while (!r && (r = kvd_sql_step(q)) > 0) {
		_cleanup_vault_ struct kvd_vault v = { 0 };

		r = read_vault(q, &v);
		if (!r)
			r = fn(&v, data);
	}
	return r;
}
