/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of store/ only: statements, bound and run in one line. */
#ifndef KVD_STORE_SQL_H
#define KVD_STORE_SQL_H

#include <sqlite3.h>

#include "store/store.h"

/*
 * Binds by a format, one letter for a parameter: i int64_t, d an id (16
 * bytes), b pointer and size_t, t text, 0 NULL. Statements are prepared once
 * for each text (its address is the key: it must be a literal) and lent until
 * the next use of the same text.
 */
int kvd_sql_prepare(struct kvd_store *st, sqlite3_stmt **ret, const char *sql,
		    const char *fmt, ...);
/* For statements without rows; returns how many they changed. */
int kvd_sql_run(struct kvd_store *st, const char *sql, const char *fmt, ...);

/* 1 a row, 0 the end, negative errno; at the end the statement is reset. */
int kvd_sql_step(sqlite3_stmt *q);
int kvd_sql_errno(int rc);
/* Nothing of what this transaction deletes may remain in the files after its commit. */
void kvd_sql_must_scrub(struct kvd_store *st);

void kvd_sql_reset(sqlite3_stmt **q);
#define _cleanup_stmt_	_cleanup_(kvd_sql_reset)

/* Columns. An id of the wrong size, text that is too long: -EUCLEAN. */
int kvd_sql_id(sqlite3_stmt *q, int col, struct kvd_id *ret);
int kvd_sql_text(sqlite3_stmt *q, int col, char *ret, size_t size);
int kvd_sql_dup(sqlite3_stmt *q, int col, char **ret);
int kvd_sql_blob(sqlite3_stmt *q, int col, uint8_t **ret, size_t *ret_len);

/*
 * Versions with what they belong to, whatever became of it; the names of the
 * tables are v (versions), o (objects) and c (vaults).
 */
#define KVD_SQL_VERSIONS						\
	"SELECT v.id, v.object, o.vault, c.name, o.name, v.seq, v.kty, v.bits, v.curve, v.ops,"	\
	" v.flags, v.nbf, v.exp, v.revision, v.ivs, v.created, v.updated, v.tags, v.jwk, v.blob," \
	" o.type, max(o.deleted, c.deleted), o.purge, v.used, v.volumes," \
	" (SELECT max(u.used) FROM versions u WHERE u.tenant = v.tenant AND u.object = v.object)" \
	" FROM versions v"						\
	" JOIN objects o ON o.tenant = v.tenant AND o.id = v.object"	\
	" JOIN vaults c ON c.tenant = o.tenant AND c.id = o.vault"
#define KVD_SQL_LIVE	" AND o.deleted = 0 AND c.deleted = 0"
#define KVD_SQL_DELETED	" AND o.deleted > 0 AND c.deleted = 0"
#define KVD_SQL_NEWEST	" AND v.seq = (SELECT max(n.seq) FROM versions n"	\
			" WHERE n.tenant = v.tenant AND n.object = v.object)"

/* One row of these; KVD_E_KEY_NOT_FOUND when there is none. All rows, until fn is not 0. */
int kvd_sql_version(sqlite3_stmt *q, struct kvd_version *ret);
int kvd_sql_versions(sqlite3_stmt *q, kvd_version_fn *fn, void *data);

/* store/schema.c */
#define KVD_SCHEMA_APPLICATION	0x4b564c54	/* KVLT */
int kvd_schema_newest(void);
/* The statements that lead from version - 1 to version. */
const char *kvd_schema_step(int version);

#endif /* KVD_STORE_SQL_H */
