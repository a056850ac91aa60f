// SPDX-License-Identifier: GPL-2.0-only
/* The store about itself: who it is, how far it has come, who signs its log. */
#include "store/sql.h"

static int get_int(struct kvd_store *st, const char *key, uint64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT value FROM meta WHERE key = ?", "t", key);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -EUCLEAN;
	if (sqlite3_column_type(q, 0) != SQLITE_INTEGER)
		return -EUCLEAN;
	*ret = (uint64_t)sqlite3_column_int64(q, 0);
	return 0;
}

static int get_id(struct kvd_store *st, const char *key, struct kvd_id *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT value FROM meta WHERE key = ?", "t", key);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return kvd_sql_id(q, 0, ret);
}

static int get_text(struct kvd_store *st, const char *key, char *ret, size_t size)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT value FROM meta WHERE key = ?", "t", key);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -EUCLEAN;
	return kvd_sql_text(q, 0, ret, size);
}

#define SET "INSERT INTO meta (key, value) VALUES (?, ?)" \
	    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"

static int set_int(struct kvd_store *st, const char *key, uint64_t value)
{
	int r = kvd_sql_run(st, SET, "ti", key, (int64_t)value);

	return r < 0 ? r : 0;
}

static int set_bytes(struct kvd_store *st, const char *key, const void *p, size_t len)
{
	int r = kvd_sql_run(st, SET, "tb", key, p, len);

	return r < 0 ? r : 0;
}

static int set_text(struct kvd_store *st, const char *key, const char *value)
{
	int r = kvd_sql_run(st, SET, "tt", key, value);

	return r < 0 ? r : 0;
}

int kvd_store_meta_init(struct kvd_store *st, const struct kvd_id *store,
			const struct kvd_id *host)
{
	int r;

	r = set_bytes(st, "store", store->b, sizeof(store->b));
	if (!r)
		r = set_bytes(st, "host", host->b, sizeof(host->b));
	if (!r)
		r = set_int(st, "epoch", 1);
	if (!r)
		r = set_int(st, "revision", 1);
	if (!r)
		r = set_int(st, "checkpoint", 0);
	if (!r)
		r = kvd_store_meta_set_claim(st, "", 0);
	return r;
}

/* -ENOENT: the store was made and never initialised. */
int kvd_store_meta_get(struct kvd_store *st, struct kvd_meta *ret)
{
	struct kvd_meta m = { 0 };
	int r;

	r = get_id(st, "store", &m.store);
	if (!r)
		r = get_id(st, "host", &m.host);
	if (!r)
		r = get_int(st, "epoch", &m.epoch);
	if (!r)
		r = get_int(st, "revision", &m.revision);
	if (!r)
		r = get_int(st, "generation", &m.generation);
	if (!r)
		r = get_text(st, "boot", m.boot, sizeof(m.boot));
	if (!r)
		*ret = m;
	return r;
}

int kvd_store_meta_set_epoch(struct kvd_store *st, uint64_t epoch)
{
	return set_int(st, "epoch", epoch);
}

int kvd_store_meta_set_claim(struct kvd_store *st, const char *boot, uint64_t generation)
{
	int r;

	r = set_text(st, "boot", boot);
	return r < 0 ? r : set_int(st, "generation", generation);
}

int kvd_store_checkpoint_get(struct kvd_store *st, uint64_t *ret)
{
	return get_int(st, "checkpoint", ret);
}

int kvd_store_checkpoint_set(struct kvd_store *st, uint64_t seq)
{
	return set_int(st, "checkpoint", seq);
}

int kvd_store_revision_next(struct kvd_store *st, uint64_t *ret)
{
	uint64_t revision;
	int r;

	r = get_int(st, "revision", &revision);
	if (!r)
		r = set_int(st, "revision", revision + 1);
	if (!r)
		*ret = revision + 1;
	return r;
}

int kvd_store_revision_atleast(struct kvd_store *st, uint64_t revision)
{
	uint64_t have;
	int r;

	r = get_int(st, "revision", &have);
	if (r < 0 || have >= revision)
		return r;
	return set_int(st, "revision", revision);
}

int kvd_store_audit_key_get(struct kvd_store *st, struct kvd_audit_key *ret)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	struct kvd_audit_key key = { 0 };
	int r;

	r = get_id(st, "audit-key", &key.object);
	if (r < 0)
		return r == -ENOENT ? KVD_E_NOT_FOUND : r;
	r = get_id(st, "audit-key-version", &key.version);
	if (r < 0)
		return r;
	r = kvd_sql_prepare(st, &q, "SELECT j.value, b.value FROM meta j, meta b"
			    " WHERE j.key = 'audit-key-jwk' AND b.key = 'audit-key-blob'", "");
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -EUCLEAN;
	r = kvd_sql_dup(q, 0, &key.jwk);
	if (!r)
		r = kvd_sql_blob(q, 1, &key.blob, &key.blob_len);
	if (r < 0) {
		kvd_audit_key_done(&key);
		return r;
	}
	*ret = key;
	return 0;
}

int kvd_store_audit_key_set(struct kvd_store *st, const struct kvd_audit_key *key)
{
	int r;

	r = set_bytes(st, "audit-key", key->object.b, sizeof(key->object.b));
	if (!r)
		r = set_bytes(st, "audit-key-version", key->version.b, sizeof(key->version.b));
	if (!r)
		r = set_text(st, "audit-key-jwk", key->jwk);
	if (!r)
		r = set_bytes(st, "audit-key-blob", key->blob, key->blob_len);
	return r;
}

void kvd_audit_key_done(struct kvd_audit_key *key)
{
	free(key->jwk);
	free(key->blob);
	memset(key, 0, sizeof(*key));
}
