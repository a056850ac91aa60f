// SPDX-License-Identifier: GPL-2.0-only
/* Keys and secrets: an object has a name, its versions have everything else. */
#include "store/sql.h"

void kvd_version_done(struct kvd_version *v)
{
	free(v->tags);
	free(v->jwk);
	free(v->blob);
	memset(v, 0, sizeof(*v));
}

static int read_version(sqlite3_stmt *q, struct kvd_version *ret)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	int r;

	v.order = sqlite3_column_int64(q, 5);
	v.kty = (uint32_t)sqlite3_column_int64(q, 6);
	v.bits = (uint32_t)sqlite3_column_int64(q, 7);
	v.curve = (uint32_t)sqlite3_column_int64(q, 8);
	v.ops = (uint32_t)sqlite3_column_int64(q, 9);
	v.flags = (uint32_t)sqlite3_column_int64(q, 10);
	v.nbf = (uint64_t)sqlite3_column_int64(q, 11);
	v.exp = (uint64_t)sqlite3_column_int64(q, 12);
	v.revision = (uint64_t)sqlite3_column_int64(q, 13);
	v.ivs = (uint64_t)sqlite3_column_int64(q, 14);
	v.created = sqlite3_column_int64(q, 15);
	v.updated = sqlite3_column_int64(q, 16);
	v.type = (uint32_t)sqlite3_column_int64(q, 20);
	v.deleted = sqlite3_column_int64(q, 21);
	v.purge = sqlite3_column_int64(q, 22);
	v.used = sqlite3_column_int64(q, 23);
	v.volumes = (uint32_t)sqlite3_column_int64(q, 24);
	v.object_used = sqlite3_column_int64(q, 25);
	r = kvd_sql_id(q, 0, &v.id);
	if (!r)
		r = kvd_sql_id(q, 1, &v.object);
	if (!r)
		r = kvd_sql_id(q, 2, &v.vault);
	if (!r)
		r = kvd_sql_text(q, 3, v.vault_name, sizeof(v.vault_name));
	if (!r)
		r = kvd_sql_text(q, 4, v.name, sizeof(v.name));
	if (!r)
		r = kvd_sql_dup(q, 17, &v.tags);
	if (!r)
		r = kvd_sql_dup(q, 18, &v.jwk);
	if (!r)
		r = kvd_sql_blob(q, 19, &v.blob, &v.blob_len);
	if (r < 0)
		return r;
	*ret = v;
	memset(&v, 0, sizeof(v));
	return 0;
}

int kvd_store_object_find(struct kvd_store *st, const uint8_t *tenant, const struct kvd_id *vault,
			  uint32_t type, const char *name, struct kvd_object *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	struct kvd_object o = { .type = type };
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT o.id, o.name, o.deleted FROM objects o"
			    " WHERE o.tenant = ?"
			    " AND o.vault = ? AND o.type = ? AND o.name = ?", "ddit", tenant,
			    vault->b, (int64_t)type, name);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_KEY_NOT_FOUND;
	r = kvd_sql_id(q, 0, &o.id);
	if (!r)
		r = kvd_sql_text(q, 1, o.name, sizeof(o.name));
	o.deleted = sqlite3_column_int64(q, 2);
	if (!r)
		*ret = o;
	return r;
}

int kvd_store_object_add(struct kvd_store *st, const uint8_t *tenant, const struct kvd_id *vault,
			 const struct kvd_object *o, int64_t now)
{
	int r;

	r = kvd_sql_run(st, "INSERT INTO objects (tenant, id, vault, type, name, created)"
			" VALUES (?, ?, ?, ?, ?, ?)", "ddditi", tenant, o->id.b, vault->b,
			(int64_t)o->type, o->name, now);
	return r == -EEXIST ? KVD_E_CONFLICT : r < 0 ? r : 0;
}

int kvd_store_object_count(struct kvd_store *st, const uint8_t *tenant, uint64_t *ret_versions)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT count(*) FROM versions WHERE tenant = ?", "d", tenant);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -EUCLEAN;
	*ret_versions = (uint64_t)sqlite3_column_int64(q, 0);
	return 0;
}

int kvd_sql_version(sqlite3_stmt *q, struct kvd_version *ret)
{
	int r = kvd_sql_step(q);

	if (r <= 0)
		return r < 0 ? r : KVD_E_KEY_NOT_FOUND;
	return read_version(q, ret);
}

int kvd_store_version_find(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			   uint32_t type, const char *name, const uint8_t *version,
			   struct kvd_version *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	if (version)
		r = kvd_sql_prepare(st, &q, KVD_SQL_VERSIONS " WHERE v.tenant = ? AND c.name = ?"
				    " AND o.type = ? AND o.name = ?" KVD_SQL_LIVE " AND v.id = ?",
				    "dtitd", tenant, vault, (int64_t)type, name, version);
	else
		r = kvd_sql_prepare(st, &q, KVD_SQL_VERSIONS " WHERE v.tenant = ? AND c.name = ?"
				    " AND o.type = ? AND o.name = ?" KVD_SQL_LIVE
				    " ORDER BY v.seq DESC LIMIT 1",
				    "dtit", tenant, vault, (int64_t)type, name);
	return r < 0 ? r : kvd_sql_version(q, ret);
}

int kvd_store_version_by_id(struct kvd_store *st, const uint8_t *tenant, const uint8_t *object,
			    const uint8_t *version, struct kvd_version *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, KVD_SQL_VERSIONS " WHERE v.tenant = ? AND v.object = ?"
			    " AND v.id = ?", "ddd", tenant, object, version);
	return r < 0 ? r : kvd_sql_version(q, ret);
}

int kvd_store_version_add(struct kvd_store *st, const uint8_t *tenant,
			  const struct kvd_version *v)
{
	int r;

	r = kvd_sql_run(st, "INSERT INTO versions (tenant, object, seq, id, kty, bits, curve, ops,"
			" flags, nbf, exp, revision, ivs, created, updated, tags, jwk, blob)"
			" SELECT ?1, ?2, coalesce(max(seq), 0) + 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
			" ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17 FROM versions"
			" WHERE tenant = ?1 AND object = ?2", "dddiiiiiiiiiiittb", tenant,
			v->object.b, v->id.b, (int64_t)v->kty, (int64_t)v->bits, (int64_t)v->curve,
			(int64_t)v->ops, (int64_t)v->flags, (int64_t)v->nbf, (int64_t)v->exp,
			(int64_t)v->revision, (int64_t)v->ivs, v->created, v->updated, v->tags,
			v->jwk, v->blob, v->blob_len);
	return r < 0 ? r : r == 1 ? 0 : -EIO;
}

int kvd_store_version_update(struct kvd_store *st, const uint8_t *tenant,
			     const struct kvd_version *v)
{
	int r;

	r = kvd_sql_run(st, "UPDATE versions SET ops = ?, flags = ?, nbf = ?, exp = ?,"
			" revision = ?, updated = ?, tags = ?, jwk = ?, blob = ?"
			" WHERE tenant = ? AND object = ? AND seq = ? AND id = ?", "iiiiiittbddid",
			(int64_t)v->ops, (int64_t)v->flags, (int64_t)v->nbf, (int64_t)v->exp,
			(int64_t)v->revision, v->updated, v->tags, v->jwk, v->blob, v->blob_len,
			tenant, v->object.b, v->order, v->id.b);
	return r < 0 ? r : r == 1 ? 0 : -ENOENT;
}

int kvd_store_version_set_ivs(struct kvd_store *st, const uint8_t *tenant,
			      const uint8_t *version, uint64_t ivs)
{
	int r = kvd_sql_run(st, "UPDATE versions SET ivs = ? WHERE tenant = ? AND id = ?", "idd",
			    (int64_t)ivs, tenant, version);

	return r < 0 ? r : r == 1 ? 0 : KVD_E_KEY_NOT_FOUND;
}

/* A version that is gone has nothing to be given. */
int kvd_store_version_give_ivs(struct kvd_store *st, const uint8_t *tenant,
			       const uint8_t *version, uint64_t unused)
{
	int r = kvd_sql_run(st, "UPDATE versions SET ivs = max(ivs - ?, 0)"
			    " WHERE tenant = ? AND id = ?", "idd", (int64_t)unused, tenant,
			    version);

	return r < 0 ? r : 0;
}

int kvd_store_version_note_use(struct kvd_store *st, const uint8_t *tenant,
			       const uint8_t *version, int64_t now)
{
	int r = kvd_sql_run(st, "UPDATE versions SET used = ? WHERE tenant = ? AND id = ?", "idd",
			    now, tenant, version);

	return r < 0 ? r : 0;
}

int kvd_store_version_note_volume(struct kvd_store *st, const uint8_t *tenant,
				  const uint8_t *version, bool is_open, int64_t now)
{
	int r = kvd_sql_run(st, "UPDATE versions SET volumes = max(volumes + ?, 0), used = ?"
			    " WHERE tenant = ? AND id = ?", "iidd", (int64_t)(is_open ? 1 : -1),
			    now, tenant, version);

	return r < 0 ? r : 0;
}

int kvd_store_volumes_reset(struct kvd_store *st)
{
	int r = kvd_sql_run(st, "UPDATE versions SET volumes = 0 WHERE volumes > 0", "");

	return r < 0 ? r : 0;
}

int kvd_sql_versions(sqlite3_stmt *q, kvd_version_fn *fn, void *data)
{
	int r;

	while ((r = kvd_sql_step(q)) > 0) {
		_cleanup_version_ struct kvd_version v = { 0 };

		r = read_version(q, &v);
		if (!r)
			r = fn(&v, data);
		if (r)
			return r;
	}
	return r;
}

int kvd_store_object_each(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			  uint32_t type, const char *after, unsigned int limit,
			  kvd_version_fn *fn, void *data)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, KVD_SQL_VERSIONS " WHERE v.tenant = ? AND c.name = ?"
			    " AND o.name > ? AND o.type = ?" KVD_SQL_LIVE KVD_SQL_NEWEST
			    " ORDER BY o.name LIMIT ?", "dttii", tenant, vault, after,
			    (int64_t)type, (int64_t)limit);
	return r < 0 ? r : kvd_sql_versions(q, fn, data);
}

int kvd_store_version_each(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			   uint32_t type, const char *name, int64_t before, unsigned int limit,
			   kvd_version_fn *fn, void *data)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, KVD_SQL_VERSIONS " WHERE v.tenant = ? AND c.name = ?"
			    " AND o.name = ? AND o.type = ?" KVD_SQL_LIVE " AND v.seq < ?"
			    " ORDER BY v.seq DESC LIMIT ?", "dttiii", tenant, vault, name,
			    (int64_t)type, before ? before : INT64_MAX, (int64_t)limit);
	return r < 0 ? r : kvd_sql_versions(q, fn, data);
}
