// SPDX-License-Identifier: GPL-2.0-only
/* Rows of the audit log; what they mean is core/audit.c's. Nothing here changes one. */
#include "store/sql.h"

int kvd_store_log_head(struct kvd_store *st, const uint8_t *tenant, uint64_t *ret_seq,
		       uint8_t ret_hash[static 32])
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT seq, hash FROM audit WHERE tenant = ?"
			    " ORDER BY seq DESC LIMIT 1", "d", tenant);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r < 0)
		return r;
	*ret_seq = 0;
	memset(ret_hash, 0, 32);
	if (!r)
		return 0;
	if (sqlite3_column_bytes(q, 1) != 32)
		return -EUCLEAN;
	*ret_seq = (uint64_t)sqlite3_column_int64(q, 0);
	memcpy(ret_hash, sqlite3_column_blob(q, 1), 32);
	return 0;
}

int kvd_store_log_hash(struct kvd_store *st, const uint8_t *tenant, uint64_t seq,
		       uint8_t ret_hash[static 32])
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT hash FROM audit WHERE tenant = ? AND seq = ?", "di",
			    tenant, (int64_t)seq);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	if (r <= 0)
		return r < 0 ? r : KVD_E_NOT_FOUND;
	if (sqlite3_column_bytes(q, 0) != 32)
		return KVD_E_NOT_FOUND;
	memcpy(ret_hash, sqlite3_column_blob(q, 0), 32);
	return 0;
}

int kvd_store_log_add(struct kvd_store *st, const uint8_t *tenant, uint64_t seq, const char *json,
		      const uint8_t hash[static 32])
{
	int r;

	r = kvd_sql_run(st, "INSERT INTO audit (tenant, seq, json, hash) VALUES (?, ?, ?, ?)",
			"ditb", tenant, (int64_t)seq, json, hash, (size_t)32);
	return r < 0 ? r : 0;
}

int kvd_store_log_each(struct kvd_store *st, const uint8_t *tenant, uint64_t after,
		       int (*fn)(const struct kvd_log_row *row, void *data), void *data)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	int r;

	r = kvd_sql_prepare(st, &q, "SELECT seq, json, hash FROM audit WHERE tenant = ?"
			    " AND seq > ? ORDER BY seq", "di", tenant, (int64_t)after);
	while (!r && (r = kvd_sql_step(q)) > 0) {
		struct kvd_log_row row = { .seq = (uint64_t)sqlite3_column_int64(q, 0) };

		/* A damaged row is shown as it is: it is for the reader to find it. */
		row.json = (const char *)sqlite3_column_text(q, 1);
		row.len = (size_t)sqlite3_column_bytes(q, 1);
		if (sqlite3_column_bytes(q, 2) == sizeof(row.hash))
			memcpy(row.hash, sqlite3_column_blob(q, 2), sizeof(row.hash));
		r = fn(&row, data);
	}
	return r < 0 ? r : 0;
}
