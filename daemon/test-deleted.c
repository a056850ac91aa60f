// SPDX-License-Identifier: GPL-2.0-only
/* Deletion, recovery and purge through the whole daemon, of keys and of secrets. */
#include <sqlite3.h>

#include "test-fixture.h"

#define KEY	"/vaults/payroll/keys/data"
#define DELETED	"/vaults/payroll/deletedkeys/data"
#define DAY	86400
#define COORD	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static int call(struct fixture *f, uint32_t method, const char *path)
{
	return control(f, method, path, NULL);
}

static bool says(const char *text)
{
	return strstr(reply(), text);
}

static json_int_t number(const char *name)
{
	json_t *j = json_loads(reply(), 0, NULL);
	json_int_t n = json_integer_value(json_object_get(j, name));

	json_decref(j);
	return n;
}

static void a_deleted_key_is_cut_and_comes_back(void **state)
{
	struct fixture *f = *state;
	size_t n;

	make_key(f);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), 0);
	n = test_link.n_events;
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	assert_int_equal(test_link.events[n].kind, TEST_OBJECT_SET);	/* before the answer */
	assert_int_equal(test_link.events[n].state, KVAULT_OBJECT_DISABLED);
	assert_true(says("\"recoveryId\":"
			 "\"https://payroll.vault.kvault.internal/deletedkeys/data\""));
	assert_int_equal(number("scheduledPurgeDate") - number("deletedDate"), 90 * DAY);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), -ENOKEY);
	assert_int_equal(call(f, KVAULT_METHOD_GET, KEY), 404);
	assert_int_equal(call(f, KVAULT_METHOD_GET, KEY "/versions"), 404);
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/vaults/payroll/keys"), 200);
	assert_true(says("\"value\":[]"));
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/vaults/payroll/deletedkeys"), 200);
	assert_true(says("scheduledPurgeDate"));
	assert_int_equal(call(f, KVAULT_METHOD_GET, DELETED), 200);
	assert_true(says("\"recoveryLevel\":\"Recoverable+Purgeable\""));
	assert_int_equal(call(f, KVAULT_METHOD_POST, DELETED "/recover"), 200);
	assert_false(says("recoveryId"));
	assert_int_equal(test_link_last(TEST_OBJECT_SET)->state, KVAULT_OBJECT_LIVE);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), 0);
	/* the grant is at least as new as what the kernel was told */
	assert_true(test_link_last(TEST_REPLY)->grant.revision >=
		    test_link_last(TEST_OBJECT_SET)->revision);
	assert_int_equal(call(f, KVAULT_METHOD_GET, DELETED), 404);
}

static void who_uses_a_key_can_be_seen(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(call(f, KVAULT_METHOD_GET, KEY "/users"), 200);
	assert_true(says("\"leases\":[],"));
	assert_int_equal(open_key(f, "payroll/keys/data", 0), 0);
	assert_int_equal(call(f, KVAULT_METHOD_GET, KEY "/users"), 200);
	assert_true(says("\"principal\":{"));
	assert_true(says("\"lastUsed\":"));
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/vaults/payroll/keys"), 200);
	assert_true(says("\"lastUsed\":"));
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/vaults/payroll/keys/none/users"), 404);
}

static void a_deleted_name_is_taken(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	assert_int_equal(control(f, KVAULT_METHOD_POST, KEY "/create", "{\"kty\":\"oct\"}"), 409);
	assert_true(says("\"innererror\":{\"code\":\"ObjectIsDeletedButRecoverable\"}"));
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, KEY, "{\"tags\":{}}"), 404);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 404);
	assert_true(says("KeyNotFound"));
	/* another kind of object has names of its own */
	put(f, header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_PUT), "/vaults/payroll/secrets/data",
	    "{}", 2, KVAULT_BLOB_OVERHEAD + 1);
	run(f);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 200);
}

/* It was asked before; what it made is dropped, and nothing is lost. */
static void an_engine_that_is_late_makes_no_version_of_what_is_deleted(void **state)
{
	struct fixture *f = *state;
	struct kvault_msg msg;

	make_key(f);
	test_link.submit_result = 0;
	msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_POST);
	put(f, msg, KEY "/create", "{\"kty\":\"EC\"}", 12, 0);
	run(f);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	engine_done(f, test_link_last(TEST_SUBMIT)->cookie, msg.request_id, 0,
		    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" COORD "\",\"y\":\"" COORD "\"}");
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 409);
	assert_true(says("ObjectIsDeletedButRecoverable"));
	assert_int_equal(call(f, KVAULT_METHOD_POST, DELETED "/recover"), 200);
	assert_true(says("\"kty\":\"oct\""));
}

static void rotation_makes_another_of_the_same(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, KEY, "{\"key_ops\":[\"decrypt\"],"
				 "\"attributes\":{\"enabled\":false,\"exp\":1},"
				 "\"tags\":{\"a\":\"b\"}}"), 200);
	assert_int_equal(call(f, KVAULT_METHOD_POST, KEY "/rotate"), 200);
	assert_true(says("\"key_ops\":[\"decrypt\"]"));
	assert_true(says("\"tags\":{\"a\":\"b\"}"));
	assert_true(says("\"enabled\":true"));
	assert_false(says("\"exp\""));
	assert_int_equal(control(f, KVAULT_METHOD_POST, KEY "/rotate", "{\"kty\":\"EC\"}"), 400);
	assert_int_equal(call(f, KVAULT_METHOD_POST, "/vaults/payroll/keys/none/rotate"), 404);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	assert_int_equal(call(f, KVAULT_METHOD_POST, KEY "/rotate"), 404);
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/audit?op=KeyRotate"), 200);
	assert_true(says("\"resultType\":\"Success\""));
}

static void purge_is_for_good(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, DELETED), 404);	/* live */
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, DELETED), 204);
	assert_int_equal(test_link_last(TEST_OBJECT_SET)->state, KVAULT_OBJECT_GONE);
	assert_int_equal(call(f, KVAULT_METHOD_POST, DELETED "/recover"), 404);
	assert_int_equal(call(f, KVAULT_METHOD_GET, DELETED), 404);
	assert_int_equal(control(f, KVAULT_METHOD_POST, KEY "/create", "{\"kty\":\"oct\"}"), 200);
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/audit?op=KeyPurge"), 200);
	assert_true(says("\"object\":\"payroll/keys/data\""));
}

static void who_could_do_something_cannot_do_it_to_a_namesake(void **state)
{
	static const char role[] = "/roleAssignments/12345678-1234-1234-1234-123456789abc";
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, role,
				 "{\"properties\":{\"scope\":\"/payroll/keys/DATA\","
				 "\"roleDefinitionId\":\"crypto-user\","
				 "\"principalId\":\"uid:5\"}}"), 201);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	assert_int_equal(call(f, KVAULT_METHOD_GET, role), 200);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, DELETED), 204);
	assert_int_equal(call(f, KVAULT_METHOD_GET, role), 404);
}

static void a_protected_vault_purges_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll",
				 "{\"properties\":{\"softDeleteRetentionInDays\":7,"
				 "\"enablePurgeProtection\":true}}"), 201);
	assert_int_equal(control(f, KVAULT_METHOD_POST, KEY "/create", "{\"kty\":\"oct\"}"), 200);
	assert_true(says("\"recoveryLevel\":\"CustomizedRecoverable\""));
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	assert_int_equal(number("scheduledPurgeDate") - number("deletedDate"), 7 * DAY);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, DELETED), 403);
	assert_true(says("ForbiddenByPolicy"));
	assert_int_equal(call(f, KVAULT_METHOD_POST, DELETED "/recover"), 200);
}

static void secrets_are_deleted_by_the_same_rules(void **state)
{
	static const char path[] = "/vaults/payroll/secrets/db";
	static const char deleted[] = "/vaults/payroll/deletedsecrets/db";
	struct fixture *f = *state;
	struct kvault_msg msg;

	make_key(f);
	msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_PUT);
	put(f, msg, path, "{}", 2, KVAULT_BLOB_OVERHEAD + 1);
	run(f);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, path), 200);
	assert_true(says("/deletedsecrets/db"));
	assert_int_equal(test_link_count(TEST_OBJECT_SET), 0);	/* the kernel holds none */
	assert_int_equal(call(f, KVAULT_METHOD_GET, path), 404);
	assert_true(says("SecretNotFound"));
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/vaults/payroll/deletedsecrets"), 200);
	assert_true(says("deletedDate"));
	msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_PUT);
	put(f, msg, path, "{}", 2, KVAULT_BLOB_OVERHEAD + 1);
	run(f);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 409);
	assert_int_equal(call(f, KVAULT_METHOD_POST, "/vaults/payroll/deletedsecrets/db/recover"),
			 200);
	assert_int_equal(call(f, KVAULT_METHOD_GET, path), 200);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, path), 200);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, deleted), 204);
	assert_int_equal(call(f, KVAULT_METHOD_GET, deleted), 404);
}

static void each_step_needs_its_right(void **state)
{
	static const char role[] = "/roleAssignments/12345678-1234-1234-1234-123456789abc";
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, role,
				 "{\"properties\":{\"scope\":\"/\",\"roleDefinitionId\":"
				 "\"secrets-officer\",\"principalId\":\"uid:0\"}}"), 201);
	f->who[0].flags = KVAULT_PRINCIPAL_INIT_PIDNS;
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 403);
	assert_true(says("keys/delete"));
	f->who[0].flags |= KVAULT_PRINCIPAL_ADMIN;
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	f->who[0].flags = KVAULT_PRINCIPAL_INIT_PIDNS;
	assert_int_equal(call(f, KVAULT_METHOD_POST, DELETED "/recover"), 403);
	assert_true(says("keys/recover/action"));
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, DELETED), 403);
	assert_true(says("keys/purge/action"));
	assert_int_equal(call(f, KVAULT_METHOD_GET, DELETED), 403);
}

/* Whether any file of the store has these bytes. */
static bool is_on_disk(const struct fixture *f, const uint8_t *bytes, size_t len)
{
	static const char *const names[] = { "kvault.db", "kvault.db-wal" };
	bool found = false;
	char path[96];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		char *data = NULL;
		size_t size = 0, n;
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", f->state, names[i]);
		file = fopen(path, "re");
		if (!file)
			continue;
		data = malloc(1 << 22);
		assert_non_null(data);
		while ((n = fread(data + size, 1, (1 << 22) - size, file)))
			size += n;
		fclose(file);
		found |= memmem(data, size, bytes, len) != NULL;
		free(data);
	}
	return found;
}

static void what_is_purged_is_in_no_file(void **state)
{
	struct fixture *f = *state;
	uint8_t blob[64];

	memset(blob, 0x5a, sizeof(blob));	/* what the double seals */
	make_key(f);
	assert_true(is_on_disk(f, blob, sizeof(blob)));
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	assert_true(is_on_disk(f, blob, sizeof(blob)));
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, DELETED), 204);
	assert_false(is_on_disk(f, blob, sizeof(blob)));
}

/* Behind the daemon's back, while it is away. */
static void make_overdue(struct fixture *f)
{
	char path[96];
	sqlite3 *db;

	f->m = kvd_manager_free(f->m);
	snprintf(path, sizeof(path), "%s/kvault.db", f->state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE objects SET purge = 1", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(start(f), 0);
}

static void wait_for_house_keeping(struct fixture *f)
{
	int i;

	for (i = 0; i < 4; i++)
		assert_true(sd_event_run(f->event, 1200000) >= 0);
}

static void what_is_overdue_is_purged_after_a_restart(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	f->m = kvd_manager_free(f->m);
	assert_int_equal(start(f), 0);
	wait_for_house_keeping(f);
	assert_int_equal(call(f, KVAULT_METHOD_GET, DELETED), 200);	/* not yet */
	make_overdue(f);
	wait_for_house_keeping(f);
	assert_int_equal(call(f, KVAULT_METHOD_GET, DELETED), 404);
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/audit?op=KeyPurge"), 200);
	assert_true(says("\"face\":\"timer\""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_deleted_key_is_cut_and_comes_back),
		T(who_uses_a_key_can_be_seen),
		T(a_deleted_name_is_taken),
		T(an_engine_that_is_late_makes_no_version_of_what_is_deleted),
		T(rotation_makes_another_of_the_same),
		T(purge_is_for_good),
		T(who_could_do_something_cannot_do_it_to_a_namesake),
		T(a_protected_vault_purges_nothing),
		T(secrets_are_deleted_by_the_same_rules),
		T(each_step_needs_its_right),
		T(what_is_purged_is_in_no_file),
		T(what_is_overdue_is_purged_after_a_restart),
	};

	return cmocka_run_group_tests_name("deleted", tests, NULL, NULL);
}
