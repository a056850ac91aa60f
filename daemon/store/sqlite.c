// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening, transactions and statements. A store that is not ours, not whole
 * or newer than this program is refused, never mended or replaced. A new one
 * is made under another name and renamed when it is complete.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "store/sql.h"

#define STATEMENTS_MAX	96

struct kvd_store {
	sqlite3 *db;
	unsigned int marks;
	bool is_open;			/* a transaction */
	bool is_broken;			/* a mark could not be undone: only rollback helps */
	bool must_scrub;		/* the journal has pages of what was destroyed */
	unsigned int n;
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} cache[STATEMENTS_MAX];
};

int kvd_sql_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	default:
		return -EIO;
	}
}

static int find_statement(struct kvd_store *st, const char *sql, sqlite3_stmt **ret)
{
	sqlite3_stmt *q;
	unsigned int i;
	int rc;

	for (i = 0; i < st->n; i++)
		if (st->cache[i].sql == sql) {
			*ret = st->cache[i].stmt;
			return 0;
		}
	if (st->n == STATEMENTS_MAX)
		return -ENOBUFS;
	rc = sqlite3_prepare_v3(st->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL);
	if (rc)
		return kvd_sql_errno(rc);
	st->cache[st->n].sql = sql;
	st->cache[st->n++].stmt = q;
	*ret = q;
	return 0;
}

static int bind_all(sqlite3_stmt *q, const char *fmt, va_list *ap)
{
	int i, rc = SQLITE_OK;

	for (i = 1; *fmt && rc == SQLITE_OK; fmt++, i++) {
		switch (*fmt) {
		case 'i':
			rc = sqlite3_bind_int64(q, i, va_arg(*ap, int64_t));
			break;
		case 'd':
			rc = sqlite3_bind_blob(q, i, va_arg(*ap, const void *), KVAULT_ID_SIZE,
					       SQLITE_TRANSIENT);
			break;
		case 'b': {
			const void *p = va_arg(*ap, const void *);

			rc = sqlite3_bind_blob64(q, i, p, va_arg(*ap, size_t), SQLITE_TRANSIENT);
			break;
		}
		case 't':
			rc = sqlite3_bind_text(q, i, va_arg(*ap, const char *), -1,
					       SQLITE_TRANSIENT);
			break;
		case '0':
			rc = sqlite3_bind_null(q, i);
			break;
		default:
			return -EINVAL;
		}
	}
	return kvd_sql_errno(rc);
}

static int prepare_va(struct kvd_store *st, sqlite3_stmt **ret, const char *sql, const char *fmt,
		      va_list *ap)
{
	sqlite3_stmt *q = NULL;
	int r;

	r = find_statement(st, sql, &q);
	if (r < 0)
		return r;
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	if ((int)strlen(fmt) != sqlite3_bind_parameter_count(q))
		return -EINVAL;
	r = bind_all(q, fmt, ap);
	if (r < 0)
		return r;
	*ret = q;
	return 0;
}

int kvd_sql_prepare(struct kvd_store *st, sqlite3_stmt **ret, const char *sql, const char *fmt,
		    ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = prepare_va(st, ret, sql, fmt, &ap);
	va_end(ap);
	return r;
}

int kvd_sql_run(struct kvd_store *st, const char *sql, const char *fmt, ...)
{
	_cleanup_stmt_ sqlite3_stmt *q = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = prepare_va(st, &q, sql, fmt, &ap);
	va_end(ap);
	if (r < 0)
		return r;
	r = kvd_sql_step(q);
	return r < 0 ? r : sqlite3_changes(st->db);
}

int kvd_sql_step(sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(q);
	return kvd_sql_errno(rc);
}

void kvd_sql_reset(sqlite3_stmt **q)
{
	if (!*q)
		return;
	sqlite3_reset(*q);
	sqlite3_clear_bindings(*q);
}

int kvd_sql_id(sqlite3_stmt *q, int col, struct kvd_id *ret)
{
	const void *p = sqlite3_column_blob(q, col);

	if (!p || sqlite3_column_bytes(q, col) != KVAULT_ID_SIZE)
		return -EUCLEAN;
	memcpy(ret->b, p, KVAULT_ID_SIZE);
	return 0;
}

int kvd_sql_text(sqlite3_stmt *q, int col, char *ret, size_t size)
{
	const char *p = (const char *)sqlite3_column_text(q, col);
	size_t len = (size_t)sqlite3_column_bytes(q, col);

	if (!p || len >= size)
		return -EUCLEAN;
	memcpy(ret, p, len + 1);
	return 0;
}

int kvd_sql_dup(sqlite3_stmt *q, int col, char **ret)
{
	const char *p = (const char *)sqlite3_column_text(q, col);
	char *copy;

	if (!p)
		return -EUCLEAN;
	copy = strdup(p);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

int kvd_sql_blob(sqlite3_stmt *q, int col, uint8_t **ret, size_t *ret_len)
{
	const void *p = sqlite3_column_blob(q, col);
	size_t len = (size_t)sqlite3_column_bytes(q, col);
	uint8_t *copy;

	if (!p || !len)
		return -EUCLEAN;
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, p, len);
	*ret = copy;
	*ret_len = len;
	return 0;
}

static int exec(struct kvd_store *st, const char *sql)
{
	return kvd_sql_errno(sqlite3_exec(st->db, sql, NULL, NULL, NULL));
}

static int pragma(struct kvd_store *st, const char *sql, int64_t *ret)
{
	sqlite3_stmt *q = NULL;
	int rc;

	rc = sqlite3_prepare_v2(st->db, sql, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -EUCLEAN : kvd_sql_errno(rc);
}

static int migrate(struct kvd_store *st, int from)
{
	char done[64];
	int r, v;

	for (v = from + 1; v <= kvd_schema_newest(); v++) {
		snprintf(done, sizeof(done), "PRAGMA user_version = %d", v);
		r = exec(st, "BEGIN EXCLUSIVE");
		if (r < 0)
			return r;
		r = exec(st, kvd_schema_step(v));
		if (!r)
			r = exec(st, done);
		if (!r)
			r = exec(st, "COMMIT");
		if (r < 0) {
			exec(st, "ROLLBACK");
			return r;
		}
	}
	return 0;
}

/* Foreign keys do cascades; nothing in the database may call or load code. */
static int configure(struct kvd_store *st, bool durable)
{
	int r;

	sqlite3_busy_timeout(st->db, 0);
	sqlite3_db_config(st->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(st->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(st->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(st->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	r = exec(st, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
		     "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
		     "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON");
	if (r < 0)
		return r;
	return exec(st, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
}

static int open_db(struct kvd_store *st, const char *path, int flags)
{
	int rc = sqlite3_open_v2(path, &st->db, flags | SQLITE_OPEN_NOMUTEX |
				 SQLITE_OPEN_NOFOLLOW, NULL);

	if (st->db)
		sqlite3_extended_result_codes(st->db, 1);
	return kvd_sql_errno(rc);
}

static int check_identity(struct kvd_store *st, const char *path, int *ret_version,
			  struct kvd_why *why)
{
	int64_t application = 0, version = 0;
	int r;

	r = pragma(st, "PRAGMA application_id", &application);
	if (!r)
		r = pragma(st, "PRAGMA user_version", &version);
	if (r == -EUCLEAN)
		return kvd_refuse(why, r, "%s is damaged or no database: restore it from a backup",
				  path);
	if (r < 0)
		return kvd_refuse(why, r, "%s cannot be read: %s", path, strerror(-r));
	if (application != KVD_SCHEMA_APPLICATION || version < 1)
		return kvd_refuse(why, -EUCLEAN,
				  "%s is not a kvault store: move it away or restore the store",
				  path);
	if (version > kvd_schema_newest())
		return kvd_refuse(why, -EPROTONOSUPPORT,
				  "%s has schema %lld, this kvaultd knows up to %d: "
				  "install a newer one", path, (long long)version,
				  kvd_schema_newest());
	*ret_version = (int)version;
	return 0;
}

static int quick_check(struct kvd_store *st, const char *path, struct kvd_why *why)
{
	sqlite3_stmt *q = NULL;
	const char *text;
	int r = -EUCLEAN;

	if (!sqlite3_prepare_v2(st->db, "PRAGMA quick_check(1)", -1, &q, NULL) &&
	    sqlite3_step(q) == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(q, 0);
		if (text && !strcmp(text, "ok"))
			r = 0;
	}
	sqlite3_finalize(q);
	if (r < 0)
		kvd_refuse(why, r, "%s is damaged: restore it from a backup", path);
	return r;
}

static int open_existing(struct kvd_store *st, const char *path, bool durable,
			 struct kvd_why *why)
{
	int version = 0, r;

	r = open_db(st, path, SQLITE_OPEN_READWRITE);
	if (r < 0)
		return kvd_refuse(why, r, "%s cannot be opened: %s", path, strerror(-r));
	r = check_identity(st, path, &version, why);
	if (r < 0)
		return r;
	r = configure(st, durable);
	if (r == -EBUSY)
		return kvd_refuse(why, r, "%s is in use by another process", path);
	if (r < 0)
		return kvd_refuse(why, r, "%s cannot be used: %s", path, strerror(-r));
	r = quick_check(st, path, why);
	if (r < 0)
		return r;
	r = migrate(st, version);
	if (r < 0)
		kvd_refuse(why, r, "%s cannot be brought to schema %d: %s", path,
			   kvd_schema_newest(), strerror(-r));
	return r;
}

static int sync_folder(const char *path)
{
	_cleanup_free_ char *folder = strdup(path);
	_cleanup_close_ int fd = -1;
	char *slash;

	if (!folder)
		return -ENOMEM;
	slash = strrchr(folder, '/');
	if (!slash)
		return 0;
	slash[slash == folder ? 1 : 0] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* Complete under another name, then renamed: what has the name is a store. */
static int create_file(const char *path)
{
	_cleanup_(kvd_store_close_cleanup) struct kvd_store *st = calloc(1, sizeof(*st));
	_cleanup_free_ char *tmp = NULL;
	char id[64];
	int r;

	if (!st || asprintf(&tmp, "%s.new", path) < 0)
		return -ENOMEM;
	if (unlink(tmp) < 0 && errno != ENOENT)
		return -errno;
	r = open_db(st, tmp, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (r < 0)
		return r;
	snprintf(id, sizeof(id), "PRAGMA application_id = %d", KVD_SCHEMA_APPLICATION);
	r = exec(st, "PRAGMA synchronous = FULL");
	if (!r)
		r = exec(st, id);
	if (!r)
		r = migrate(st, 0);
	if (r < 0)
		return r;
	st = kvd_store_close(st);
	if (link(tmp, path) < 0)
		return -errno;
	unlink(tmp);
	return sync_folder(path);
}

static int refuse_remains(const char *path, struct kvd_why *why)
{
	_cleanup_free_ char *wal = NULL;
	struct stat sb;

	if (!lstat(path, &sb))
		return kvd_refuse(why, -EEXIST, "%s is there already", path);
	if (asprintf(&wal, "%s-wal", path) < 0)
		return -ENOMEM;
	if (!lstat(wal, &sb))
		return kvd_refuse(why, -EEXIST,
				  "%s is missing but its journal %s is there: restore the store",
				  path, wal);
	return 0;
}

int kvd_store_open(const char *path, enum kvd_store_mode mode, bool durable,
		   struct kvd_store **ret, struct kvd_why *why)
{
	_cleanup_(kvd_store_close_cleanup) struct kvd_store *st = NULL;
	int r;

	if (mode == KVD_STORE_CREATE) {
		r = refuse_remains(path, why);
		if (r < 0)
			return r;
		r = create_file(path);
		if (r < 0)
			return kvd_refuse(why, r, "%s cannot be made: %s", path, strerror(-r));
	}
	st = calloc(1, sizeof(*st));
	if (!st)
		return -ENOMEM;
	r = open_existing(st, path, durable, why);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(st);
	return 0;
}

struct kvd_store *kvd_store_close(struct kvd_store *st)
{
	unsigned int i;

	if (!st)
		return NULL;
	for (i = 0; i < st->n; i++)
		sqlite3_finalize(st->cache[i].stmt);
	sqlite3_close(st->db);
	free(st);
	return NULL;
}

int kvd_store_begin(struct kvd_store *st)
{
	int r;

	if (st->is_open)
		return st->is_broken ? -EIO : 0;
	r = exec(st, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	st->is_open = true;
	st->is_broken = false;
	return 0;
}

void kvd_sql_must_scrub(struct kvd_store *st)
{
	st->must_scrub = true;
}

/*
 * What was deleted is overwritten in the database (secure_delete), but older
 * pages of it stand in the journal until that is written back and cut off.
 * When this fails it is tried again behind the next transaction.
 */
static void scrub(struct kvd_store *st)
{
	int64_t is_busy = 1;

	if (!pragma(st, "PRAGMA wal_checkpoint(TRUNCATE)", &is_busy) && !is_busy)
		st->must_scrub = false;
}

int kvd_store_commit(struct kvd_store *st)
{
	int r;

	if (!st->is_open)
		return 0;
	r = st->is_broken ? -EIO : exec(st, "COMMIT");
	if (r < 0) {
		kvd_store_rollback(st);
		return r;
	}
	st->is_open = false;
	st->marks = 0;
#ifndef KVAULT_MUTANT_NO_SCRUB
	if (st->must_scrub)
		scrub(st);
#endif
	return 0;
}

void kvd_store_rollback(struct kvd_store *st)
{
	if (!st->is_open)
		return;
	exec(st, "ROLLBACK");
	st->is_open = false;
	st->is_broken = false;
	st->marks = 0;
}

static int one_int(struct kvd_store *st, const char *sql, uint64_t *ret)
{
	int64_t value = 0;
	int r = pragma(st, sql, &value);

	*ret = (uint64_t)value;
	return r;
}

int kvd_store_used(struct kvd_store *st, uint64_t *ret)
{
	uint64_t pages, unused, size;
	int r;

	r = one_int(st, "PRAGMA page_count", &pages);
	if (!r)
		r = one_int(st, "PRAGMA freelist_count", &unused);
	if (!r)
		r = one_int(st, "PRAGMA page_size", &size);
	if (!r)
		*ret = (pages - unused) * size;
	return r;
}

/* A full disk makes SQLite roll back all of a transaction by itself. */
static int mark_do(struct kvd_store *st, const char *verb, unsigned int number)
{
	char sql[48];
	int r;

	snprintf(sql, sizeof(sql), "%s m%u", verb, number);
	r = st->is_broken || sqlite3_get_autocommit(st->db) ? -EIO : exec(st, sql);
	if (r < 0)
		st->is_broken = true;
	return r;
}

int kvd_store_mark(struct kvd_store *st)
{
	int r;

	r = kvd_store_begin(st);
	if (r < 0)
		return r;
	r = mark_do(st, "SAVEPOINT", st->marks);
	if (!r)
		st->marks++;
	return r;
}

int kvd_store_keep(struct kvd_store *st)
{
	st->marks--;
	return mark_do(st, "RELEASE", st->marks);
}

int kvd_store_undo(struct kvd_store *st)
{
	int r;

	st->marks--;
	r = mark_do(st, "ROLLBACK TO", st->marks);
	return r < 0 ? r : mark_do(st, "RELEASE", st->marks);
}
