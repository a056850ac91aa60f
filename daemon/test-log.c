// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon and its log: whose turn it is while records and requests come,
 * what fills the log and what does not, and what a log that does not check
 * stops.
 */
#include "test-fixture.h"

#include <sqlite3.h>

#include "core/denial.h"
#include "records.h"

static void kernel_records_are_acknowledged_when_durable(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec *rec = test_link.audit;

	rec[0] = (struct kvault_audit_rec){ .size = sizeof(*rec), .type = KVAULT_AUDIT_USE,
					    .seq = 1, .op = KVAULT_OP_SIGN, .count = 1 };
	memcpy(rec[0].tenant, f->host, sizeof(f->host));
	rec[1] = rec[0];
	rec[1].seq = 2;
	rec[1].size = 3;	/* not ours: never acknowledged */
	test_link.n_audit = 2;
	control(f, KVAULT_METHOD_GET, "/status", NULL);
	assert_int_equal(test_link_count(TEST_ACK), 1);
	assert_int_equal(test_link_last(TEST_ACK)->revision, 1);
}

static void a_flood_of_records_keeps_no_request_waiting(void **state)
{
	struct fixture *f = *state;
	int i, k;

	test_link.endless = f->host;
	for (i = 0; i < 10; i++) {
		uint64_t before = test_link.n_endless;

		put(f, header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_GET), "/whoami", NULL, 0, 0);
		/* it may be the turn of a timer first */
		for (k = 0; k < 3 && test_link_count(TEST_REPLY) <= (size_t)i; k++)
			assert_true(sd_event_run(f->event, 0) >= 0);
		assert_int_equal(test_link_count(TEST_REPLY), i + 1);
		/* and records had their turn */
		assert_in_range(test_link.n_endless - before, 1, KVD_RECORDS_MAX / 2);
	}
	test_link.endless = NULL;
}

/* Many requests, of which each is answered in turn with records between. */
static void a_flood_of_requests_keeps_no_record_waiting(void **state)
{
	struct fixture *f = *state;
	int i;

	test_link.endless = f->host;
	for (i = 0; i < 40; i++)
		put(f, header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_GET), "/whoami", NULL, 0, 0);
	while (test_link_count(TEST_REPLY) < 40 && i++ < 1000)
		assert_true(sd_event_run(f->event, 0) >= 0);
	assert_int_equal(test_link_count(TEST_REPLY), 40);
	assert_true(test_link.n_endless >= 40 / 8);
	test_link.endless = NULL;
}

static void records_alone_are_durable_soon_and_together(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec *rec = test_link.audit;
	uint64_t begin = kvd_time_now(CLOCK_MONOTONIC);
	size_t i;

	for (i = 0; i < 8; i++) {
		rec[i] = (struct kvault_audit_rec){ .size = sizeof(*rec), .seq = i + 1, .count = 1,
						    .type = KVAULT_AUDIT_SINGLE,
						    .op = KVAULT_OP_SIGN };
		memcpy(rec[i].tenant, f->host, sizeof(f->host));
	}
	for (i = 0; i < 8; i++) {
		test_link.n_audit = i + 1;
		assert_int_equal(write(test_link.fds[1], "x", 1), 1);
		assert_true(sd_event_run(f->event, 0) >= 0);
	}
	while (!test_link_count(TEST_ACK) &&
	       kvd_time_now(CLOCK_MONOTONIC) - begin < KVD_NSEC_PER_SEC)
		assert_true(sd_event_run(f->event, 1000) >= 0);
	assert_int_equal(test_link_count(TEST_ACK), 1);
	assert_int_equal(test_link_last(TEST_ACK)->revision, 8);
}

static uint64_t records(struct fixture *f)
{
	uint32_t flags = f->who[0].flags;
	const char *p;

	f->who[0].flags = KVAULT_PRINCIPAL_ADMIN | KVAULT_PRINCIPAL_INIT_PIDNS;
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/status", NULL), 200);
	f->who[0].flags = flags;
	p = strstr(reply(), "\"records\":");
	assert_non_null(p);
	return strtoull(p + strlen("\"records\":"), NULL, 10);
}

static void repeat(struct fixture *f, int times, const char *path, int status)
{
	while (times--) {
		forget_events();
		assert_int_equal(control(f, KVAULT_METHOD_GET, path, NULL), status);
	}
}

static void who_is_refused_does_not_fill_the_log(void **state)
{
	struct fixture *f = *state;
	uint64_t before = records(f);

	f->who[0].flags = KVAULT_PRINCIPAL_INIT_PIDNS;
	f->who[0].uid = 1000;
	repeat(f, 50, "/vaults/payroll", 403);
	repeat(f, 50, "/vaults/%00", 400);
	repeat(f, 50, "/vaults", 200);		/* and gets nothing */
	repeat(f, 50, "/nothing/here", 404);
	forget_events();
	assert_in_range(records(f) - before, 1, KVD_DENIALS_BURST);
	/* at the end they are told */
	f->m = kvd_manager_free(f->m);
	assert_int_equal(start(f), 0);
	f->who[0].flags = KVAULT_PRINCIPAL_ADMIN | KVAULT_PRINCIPAL_INIT_PIDNS;
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/audit?op=" KVD_REFUSALS, NULL), 200);
	assert_non_null(strstr(reply(), "\"count\":136"));
}

static void what_an_administrator_does_is_always_in_the_log(void **state)
{
	struct fixture *f = *state;
	uint64_t before = records(f);

	repeat(f, 100, "/vaults/nothere", 404);
	forget_events();
	assert_int_equal(records(f) - before, 100);
}

/* Changes the stored log as who can write to its file can. */
static void change_log(struct fixture *f, const char *sql)
{
	char path[96];
	sqlite3 *db;

	f->m = kvd_manager_free(f->m);
	snprintf(path, sizeof(path), "%s/kvault.db", f->state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(start(f), 0);
}

static void a_log_that_does_not_check_is_not_gone_on_with(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	change_log(f, "UPDATE audit SET json = replace(json, 'KeyCreate', 'KeyCreat3')");
	assert_int_equal(open_key(f, "payroll/keys/data", 0), -EHOSTDOWN);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/another", "{}"), 503);
	assert_non_null(strstr(reply(), "AuditLogBroken"));
	assert_non_null(strstr(reply(), "record 2"));
	/* it can be looked at */
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/audit", NULL), 200);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/status", NULL), 200);
	assert_non_null(strstr(reply(), "does not check at record 2"));
	/* and mended */
	change_log(f, "UPDATE audit SET json = replace(json, 'KeyCreat3', 'KeyCreate')");
	assert_int_equal(open_key(f, "payroll/keys/data", 0), 0);
}

static void a_broken_log_is_accepted_by_an_administrator_only(void **state)
{
	struct fixture *f = *state;
	uint32_t flags = f->who[0].flags;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/audit/accept", "{\"record\":2}"), 409);
	change_log(f, "UPDATE audit SET json = replace(json, 'KeyCreate', 'KeyCreat3')");
	f->who[0].flags = KVAULT_PRINCIPAL_INIT_PIDNS;
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/audit/accept", "{\"record\":2}"), 403);
	f->who[0].flags = flags;
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/audit/accept", "{\"record\":3}"), 400);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), -EHOSTDOWN);
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/audit/accept", "{\"record\":2}"), 200);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), 0);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/audit", NULL), 200);
	assert_non_null(strstr(reply(), "\"operationName\":\"AuditAccept\""));
	assert_non_null(strstr(reply(), "\"object\":\"audit/2\""));
}

static void a_log_is_told_of_to_who_may_read_it(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/status", NULL), 200);
	assert_non_null(strstr(reply(), "\"head\""));
	f->who[0].flags = KVAULT_PRINCIPAL_INIT_PIDNS;
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/status", NULL), 200);
	assert_null(strstr(reply(), "\"head\""));
	assert_null(strstr(reply(), "\"records\""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(kernel_records_are_acknowledged_when_durable),
		T(a_flood_of_records_keeps_no_request_waiting),
		T(a_flood_of_requests_keeps_no_record_waiting),
		T(records_alone_are_durable_soon_and_together),
		T(who_is_refused_does_not_fill_the_log),
		T(what_an_administrator_does_is_always_in_the_log),
		T(a_log_that_does_not_check_is_not_gone_on_with),
		T(a_broken_log_is_accepted_by_an_administrator_only),
		T(a_log_is_told_of_to_who_may_read_it),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
