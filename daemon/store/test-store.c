// SPDX-License-Identifier: GPL-2.0-only
/* The store: what it refuses to open, what a mark undoes, whose rows one sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "store/sql.h"
#include "store/test-tmp.h"

struct fixture {
	char dir[32];
	char path[64];
	struct kvd_store *st;
};

static const struct kvd_id host = { { 1 } }, other = { { 2 } }, store_id = { { 3 } };

static int setup(void **state)
{
	struct kvd_tenant t = { .kind = KVAULT_TENANT_HOST, .policy = 1 };
	struct fixture *f = calloc(1, sizeof(*f));
	struct kvd_why why = { "" };

	test_tmp_make(f->dir);
	snprintf(f->path, sizeof(f->path), "%s/kvault.db", f->dir);
	if (kvd_store_open(f->path, KVD_STORE_CREATE, true, &f->st, &why)) {
		print_error("%s\n", why.text);
		return -1;
	}
	t.id = host;
	if (kvd_store_begin(f->st) || kvd_store_meta_init(f->st, &store_id, &host) ||
	    kvd_store_tenant_add(f->st, &t))
		return -1;
	t.id = other;
	*state = f;
	return kvd_store_tenant_add(f->st, &t) || kvd_store_commit(f->st);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kvd_store_close(f->st);
	test_tmp_remove(f->dir);
	free(f);
	return 0;
}

static int reopen(struct fixture *f, struct kvd_why *why)
{
	f->st = kvd_store_close(f->st);
	return kvd_store_open(f->path, KVD_STORE_EXISTING, true, &f->st, why);
}

static void write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void new_store_has_the_newest_schema(void **state)
{
	struct fixture *f = *state;
	struct kvd_why why = { "" };
	struct kvd_meta m;

	assert_int_equal(reopen(f, &why), 0);
	assert_int_equal(kvd_store_meta_get(f->st, &m), 0);
	assert_memory_equal(&m.store, &store_id, sizeof(store_id));
	assert_memory_equal(&m.host, &host, sizeof(host));
	assert_int_equal(m.epoch, 1);
}

static void open_refuses_what_is_absent(void **state)
{
	struct fixture *f = *state;
	struct kvd_store *st = NULL;
	struct kvd_why why = { "" };
	char path[80];

	snprintf(path, sizeof(path), "%s/none.db", f->dir);
	assert_true(kvd_store_open(path, KVD_STORE_EXISTING, true, &st, &why) < 0);
	assert_null(st);
	assert_int_equal(access(path, F_OK), -1);
}

static void create_never_replaces_a_store(void **state)
{
	struct fixture *f = *state;
	struct kvd_store *st = NULL;
	struct kvd_why why = { "" };
	char path[80];

	assert_int_equal(kvd_store_open(f->path, KVD_STORE_CREATE, true, &st, &why), -EEXIST);
	f->st = kvd_store_close(f->st);
	assert_int_equal(unlink(f->path), 0);
	snprintf(path, sizeof(path), "%s-wal", f->path);
	write_file(path, "x", 1);
	assert_int_equal(kvd_store_open(f->path, KVD_STORE_CREATE, true, &st, &why), -EEXIST);
	assert_non_null(strstr(why.text, "journal"));
}

static void open_refuses_garbage(void **state)
{
	struct fixture *f = *state;
	char garbage[4096];
	struct kvd_why why = { "" };

	memset(garbage, 'x', sizeof(garbage));
	f->st = kvd_store_close(f->st);
	write_file(f->path, garbage, sizeof(garbage));
	assert_int_equal(reopen(f, &why), -EUCLEAN);
	assert_non_null(strstr(why.text, "restore"));
	write_file(f->path, "", 0);
	assert_int_equal(reopen(f, &why), -EUCLEAN);
	assert_non_null(strstr(why.text, "not a kvault store"));
}

static void open_refuses_a_newer_schema(void **state)
{
	struct fixture *f = *state;
	struct kvd_why why = { "" };
	sqlite3 *db = NULL;

	f->st = kvd_store_close(f->st);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(reopen(f, &why), -EPROTONOSUPPORT);
	assert_non_null(strstr(why.text, "999"));
}

static void open_refuses_a_store_in_use(void **state)
{
	struct fixture *f = *state;
	struct kvd_store *st = NULL;
	struct kvd_why why = { "" };
	uint64_t revision;

	assert_int_equal(kvd_store_begin(f->st), 0);
	assert_int_equal(kvd_store_revision_next(f->st, &revision), 0);
	assert_int_equal(kvd_store_commit(f->st), 0);
	assert_true(kvd_store_open(f->path, KVD_STORE_EXISTING, true, &st, &why) < 0);
	assert_null(st);
}

static void add_vault(struct fixture *f, const struct kvd_id *tenant, const char *name,
		      uint8_t id)
{
	char tags[] = "{}";
	struct kvd_vault v = { .retention = 90, .tags = tags };

	v.id.b[0] = id;
	snprintf(v.name, sizeof(v.name), "%s", name);
	assert_int_equal(kvd_store_vault_add(f->st, tenant->b, &v), 0);
}

static void add_key(struct fixture *f, const struct kvd_id *tenant, uint8_t vault,
		    const char *name, uint8_t id)
{
	char tags[] = "{}", jwk[] = "{}";
	uint8_t blob[] = "KVB1";
	struct kvd_object o = { .id = { { id } }, .type = KVAULT_TYPE_KEY };
	struct kvd_id container = { { vault } };
	struct kvd_version v = { .kty = KVAULT_KTY_OCT, .bits = 256, .tags = tags, .jwk = jwk,
				 .blob = blob, .blob_len = sizeof(blob) };
	struct kvd_object have;

	snprintf(o.name, sizeof(o.name), "%s", name);
	v.object = o.id;
	v.id.b[0] = id;
	v.id.b[1] = 1;
	if (kvd_store_object_find(f->st, tenant->b, &container, KVAULT_TYPE_KEY, name, &have) ==
	    KVD_E_KEY_NOT_FOUND)
		assert_int_equal(kvd_store_object_add(f->st, tenant->b, &container, &o, 5), 0);
	assert_int_equal(kvd_store_version_add(f->st, tenant->b, &v), 0);
}

static void undo_takes_back_one_mark_only(void **state)
{
	struct fixture *f = *state;
	_cleanup_vault_ struct kvd_vault v = { 0 };
	struct kvd_why why = { "" };

	assert_int_equal(kvd_store_mark(f->st), 0);
	add_vault(f, &host, "one", 10);
	assert_int_equal(kvd_store_keep(f->st), 0);
	assert_int_equal(kvd_store_mark(f->st), 0);
	add_vault(f, &host, "two", 11);
	assert_int_equal(kvd_store_undo(f->st), 0);
	assert_int_equal(kvd_store_commit(f->st), 0);
	assert_int_equal(reopen(f, &why), 0);
	assert_int_equal(kvd_store_vault_find(f->st, host.b, "two", &v), KVD_E_VAULT_NOT_FOUND);
	assert_int_equal(kvd_store_vault_find(f->st, host.b, "one", &v), 0);
}

static void what_is_not_committed_is_gone(void **state)
{
	struct fixture *f = *state;
	_cleanup_vault_ struct kvd_vault v = { 0 };
	struct kvd_why why = { "" };

	assert_int_equal(kvd_store_mark(f->st), 0);
	add_vault(f, &host, "one", 10);
	assert_int_equal(kvd_store_keep(f->st), 0);
	assert_int_equal(reopen(f, &why), 0);
	assert_int_equal(kvd_store_vault_find(f->st, host.b, "one", &v), KVD_E_VAULT_NOT_FOUND);
}

static void names_compare_without_case(void **state)
{
	struct fixture *f = *state;
	_cleanup_version_ struct kvd_version v = { 0 };
	char tags[] = "{}";
	struct kvd_vault again = { .name = "PAYROLL", .tags = tags };

	assert_int_equal(kvd_store_begin(f->st), 0);
	add_vault(f, &host, "Payroll", 10);
	assert_int_equal(kvd_store_vault_add(f->st, host.b, &again), KVD_E_CONFLICT);
	add_key(f, &host, 10, "Signing", 20);
	assert_int_equal(kvd_store_version_find(f->st, host.b, "payroll", KVAULT_TYPE_KEY,
						"SIGNING", NULL, &v), 0);
	assert_string_equal(v.name, "Signing");
	assert_string_equal(v.vault_name, "Payroll");
}

static void tenants_do_not_see_each_other(void **state)
{
	struct fixture *f = *state;
	struct kvd_id key = { { 20 } }, version = { { 20, 1 } };
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_vault_ struct kvd_vault vault = { 0 };

	assert_int_equal(kvd_store_begin(f->st), 0);
	add_vault(f, &host, "payroll", 10);
	add_key(f, &host, 10, "signing", 20);
	assert_int_equal(kvd_store_vault_find(f->st, other.b, "payroll", &vault),
			 KVD_E_VAULT_NOT_FOUND);
	assert_int_equal(kvd_store_version_find(f->st, other.b, "payroll", KVAULT_TYPE_KEY,
						"signing", NULL, &v), KVD_E_KEY_NOT_FOUND);
	assert_int_equal(kvd_store_version_by_id(f->st, other.b, key.b, version.b, &v),
			 KVD_E_KEY_NOT_FOUND);
	assert_int_equal(kvd_store_version_by_id(f->st, host.b, key.b, version.b, &v), 0);
	/* the same names and ids, for another: no conflict */
	add_vault(f, &other, "payroll", 10);
	add_key(f, &other, 10, "signing", 20);
}

static void a_tenant_goes_with_all_it_had(void **state)
{
	static const uint8_t hash[32];
	struct fixture *f = *state;
	uint64_t n = 1;

	assert_int_equal(kvd_store_begin(f->st), 0);
	add_vault(f, &host, "payroll", 10);
	add_key(f, &host, 10, "signing", 20);
	add_vault(f, &other, "payroll", 10);
	add_key(f, &other, 10, "signing", 20);
	assert_int_equal(kvd_store_log_add(f->st, other.b, 1, "{}", hash), 0);
	assert_int_equal(kvd_store_tenant_drop(f->st, other.b), 0);
	assert_int_equal(kvd_store_object_count(f->st, other.b, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(kvd_store_object_count(f->st, host.b, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(kvd_store_tenant_drop(f->st, other.b), KVD_E_NOT_FOUND);
}

static int count_one(const struct kvd_version *v, void *data)
{
	(void)v;
	++*(int *)data;
	return 0;
}

/* A store of the first release comes to the newest schema with all that it has. */
static void an_old_store_is_migrated(void **state)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	struct fixture *f = *state;
	struct kvd_why why = { "" };
	char done[64];
	sqlite3 *db;

	f->st = kvd_store_close(f->st);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	snprintf(done, sizeof(done), "PRAGMA application_id = %d; PRAGMA user_version = 1",
		 KVD_SCHEMA_APPLICATION);
	assert_int_equal(sqlite3_exec(db, kvd_schema_step(1), NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, done, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
		"INSERT INTO tenants VALUES (zeroblob(16), 1, 1, 0, 5);"
		"INSERT INTO vaults VALUES (zeroblob(16), zeroblob(16), 'pay', 0, 0, 90, 5, '{}');"
		"INSERT INTO objects VALUES (zeroblob(16), zeroblob(16), zeroblob(16), 1, 'k', 5);"
		"INSERT INTO versions VALUES (zeroblob(16), zeroblob(16), 1, zeroblob(16), 3, 256,"
		" 0, 3, 1, 0, 0, 1, 0, 5, 5, '{}', '{}', x'aa')", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(reopen(f, &why), 0);
	assert_int_equal(kvd_store_version_find(f->st, (uint8_t[16]){ 0 }, "pay", KVAULT_TYPE_KEY,
						"k", NULL, &v), 0);
	assert_int_equal(v.created, 5);
	assert_int_equal(v.deleted, 0);
	assert_int_equal(v.used, 0);
}

static void lists_are_paged_by_name(void **state)
{
	struct fixture *f = *state;
	char name[8];
	int i, n = 0;

	assert_int_equal(kvd_store_begin(f->st), 0);
	add_vault(f, &host, "payroll", 10);
	for (i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		add_key(f, &host, 10, name, (uint8_t)(20 + i));
	}
	assert_int_equal(kvd_store_object_each(f->st, host.b, "payroll", KVAULT_TYPE_KEY, "", 5,
					       count_one, &n), 0);
	assert_int_equal(n, 5);
	n = 0;
	assert_int_equal(kvd_store_object_each(f->st, host.b, "payroll", KVAULT_TYPE_KEY, "K4", 9,
					       count_one, &n), 0);
	assert_int_equal(n, 4);
}

static void revisions_never_go_back(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b;

	assert_int_equal(kvd_store_begin(f->st), 0);
	assert_int_equal(kvd_store_revision_next(f->st, &a), 0);
	assert_int_equal(kvd_store_revision_atleast(f->st, 100), 0);
	assert_int_equal(kvd_store_revision_atleast(f->st, 50), 0);
	assert_int_equal(kvd_store_revision_next(f->st, &b), 0);
	assert_int_equal(b, 101);
}

static void results_are_kept_for_repetition(void **state)
{
	struct fixture *f = *state;
	struct kvd_id id = { { 9 } };
	char *reply = NULL;
	int status = 0;

	assert_int_equal(kvd_store_begin(f->st), 0);
	assert_int_equal(kvd_store_request_add(f->st, host.b, id.b, 201, "{}", 1000), 0);
	assert_int_equal(kvd_store_request_find(f->st, other.b, id.b, &status, &reply),
			 KVD_E_NOT_FOUND);
	assert_int_equal(kvd_store_request_find(f->st, host.b, id.b, &status, &reply), 0);
	assert_int_equal(status, 201);
	free(reply);
	assert_int_equal(kvd_store_requests_expire(f->st, 1001), 0);
	assert_int_equal(kvd_store_request_find(f->st, host.b, id.b, &status, &reply),
			 KVD_E_NOT_FOUND);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(new_store_has_the_newest_schema),
		T(open_refuses_what_is_absent),
		T(create_never_replaces_a_store),
		T(open_refuses_garbage),
		T(open_refuses_a_newer_schema),
		T(open_refuses_a_store_in_use),
		T(undo_takes_back_one_mark_only),
		T(what_is_not_committed_is_gone),
		T(names_compare_without_case),
		T(tenants_do_not_see_each_other),
		T(a_tenant_goes_with_all_it_had),
		T(lists_are_paged_by_name),
		T(an_old_store_is_migrated),
		T(revisions_never_go_back),
		T(results_are_kept_for_repetition),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
