// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rotation policies: what is one, when something is due by it, and what is
 * done then, also when the daemon was away. Time passes in the store.
 */
#include "test-fixture.h"

#include <sqlite3.h>

#include "core/checkpoint.h"
#include "core/rotation.h"

#define KEY	"/vaults/payroll/keys/data"
#define POLICY	KEY "/rotationpolicy"
#define DAY	86400
#define COORD	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define ROTATE(trigger)	\
	"{\"lifetimeActions\":[{\"trigger\":{" trigger "},\"action\":{\"type\":\"Rotate\"}}]"

static bool says(const char *text)
{
	return strstr(reply(), text);
}

static int call(struct fixture *f, uint32_t method, const char *path)
{
	return control(f, method, path, NULL);
}

static void periods(void **state)
{
	static const char *const bad[] = { "", "P", "30D", "P30", "PD", "P1D1Y", "P1Y1Y", "P-1D",
					   "PT1H", "P1W", "p30d", "P99999999999D", "P101Y",
					   "P1.5Y", " P1Y", "P1Y " };
	struct kvd_period p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(kvd_period_parse(bad[i], &p));
	assert_true(kvd_period_parse("P1Y6M10D", &p));
	assert_int_equal(kvd_period_days(&p), 365 + 180 + 10);
	/* of the calendar: 2024-01-31 and a month is 2024-03-02 */
	assert_true(kvd_period_parse("P1M", &p));
	assert_int_equal(kvd_period_add(1706659200, &p, 1), 1709337600);
	assert_true(kvd_period_parse("P30D", &p));
	assert_int_equal(kvd_period_add(100 * DAY, &p, -1), 70 * DAY);
}

static void what_is_no_policy_is_refused(void **state)
{
	static const char *const bad[] = {
		"[]", "{\"colour\":1}", "{\"lifetimeActions\":{}}", "{\"lifetimeActions\":[1]}",
		"{\"lifetimeActions\":[{\"action\":{\"type\":\"Rotate\"}}]}",
		"{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P30D\"}}]}",
		ROTATE("") "}",
		ROTATE("\"timeAfterCreate\":\"P30D\",\"timeBeforeExpiry\":\"P30D\"") "}",
		ROTATE("\"timeAfterCreate\":\"a month\"") "}",
		ROTATE("\"timeAfterCreate\":\"P6D\"") "}",
		/* a key that does not expire */
		ROTATE("\"timeBeforeExpiry\":\"P30D\"") "}",
		ROTATE("\"timeAfterCreate\":\"P30D\"") ",\"attributes\":{\"expiryTime\":\"P27D\"}}",
		ROTATE("\"timeAfterCreate\":\"P25D\"") ",\"attributes\":{\"expiryTime\":\"P28D\"}}",
		ROTATE("\"timeAfterCreate\":\"P30D\"") ",\"attributes\":{\"exp\":1}}",
		"{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P30D\"},"
		"\"action\":{\"type\":\"Destroy\"}}]}",
		"{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P30D\"},"
		"\"action\":{\"type\":\"Rotate\"}},{\"trigger\":{\"timeAfterCreate\":\"P31D\"},"
		"\"action\":{\"type\":\"rotate\"}}]}",
	};
	struct fixture *f = *state;
	size_t i;

	make_key(f);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (control(f, KVAULT_METHOD_PUT, POLICY, bad[i]) != 400)
			fail_msg("'%s' is taken", bad[i]);
		forget_events();
	}
	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll/keys/none/rotationpolicy",
				 "{}"), 404);
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/vaults/payroll/keys/none/rotationpolicy"),
			 404);
	f->who[0].flags = KVAULT_PRINCIPAL_INIT_PIDNS;
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY, "{}"), 403);
	assert_int_equal(call(f, KVAULT_METHOD_GET, POLICY), 403);
}

static const char yearly[] =
	"{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P1Y\"},\"action\":"
	"{\"type\":\"rotate\"}},{\"trigger\":{\"timeBeforeExpiry\":\"P30D\"},\"action\":"
	"{\"type\":\"Notify\"}}],\"attributes\":{\"expiryTime\":\"P2Y\"}}";

static void a_policy_is_set_and_taken_away(void **state)
{
	struct fixture *f = *state;
	char *first;

	make_key(f);
	assert_int_equal(call(f, KVAULT_METHOD_GET, POLICY), 200);
	assert_true(says("\"lifetimeActions\":[]"));
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY, yearly), 200);
	assert_int_equal(call(f, KVAULT_METHOD_GET, POLICY), 200);
	assert_true(says("\"expiryTime\":\"P2Y\""));
	assert_true(says("\"type\":\"Rotate\"},\"trigger\":{\"timeAfterCreate\":\"P1Y\"}"));
	assert_true(says("/keys/data/rotationpolicy\""));
	assert_true(says("\"next\":{\"rotate\":"));
	/* what is given out is taken back */
	first = strdup(reply());
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY, first), 200);
	assert_string_equal(strstr(reply(), "\"id\""), strstr(first, "\"id\""));
	free(first);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY,
				 "{\"lifetimeActions\":[],\"attributes\":{}}"), 200);
	assert_false(says("expiryTime"));
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/audit?op=KeyRotationPolicySet"), 200);
	assert_true(says("payroll/keys/data"));
}

/* Everything was made so much earlier, behind the daemon's back. */
static void let_pass(struct fixture *f, int64_t seconds)
{
	char path[96], sql[384];
	sqlite3 *db;

	f->m = kvd_manager_free(f->m);
	snprintf(path, sizeof(path), "%s/kvault.db", f->state);
	snprintf(sql, sizeof(sql), "UPDATE versions SET created = created - %lld,"
		 " exp = CASE exp WHEN 0 THEN 0 ELSE exp - %lld END;"
		 "UPDATE rotation_policies SET rotate = CASE rotate WHEN 0 THEN 0 ELSE"
		 " rotate - %lld END, notify = CASE notify WHEN 0 THEN 0 ELSE notify - %lld END",
		 (long long)seconds, (long long)seconds, (long long)seconds, (long long)seconds);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	forget_events();
	assert_int_equal(start(f), 0);
}

static void wait_for_house_keeping(struct fixture *f)
{
	int i;

	for (i = 0; i < 4; i++)
		assert_true(sd_event_run(f->event, 1200000) >= 0);
}

static int versions(struct fixture *f)
{
	const char *p;
	int n = 0;

	assert_int_equal(call(f, KVAULT_METHOD_GET, KEY "/versions"), 200);
	for (p = reply(); (p = strstr(p, "\"kid\"")); p++)
		n++;
	return n;
}

static void what_fell_due_is_done_after_a_restart(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, KEY, "{\"key_ops\":[\"decrypt\"],"
				 "\"tags\":{\"a\":\"b\"}}"), 200);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY, yearly), 200);
	let_pass(f, 364 * DAY);
	wait_for_house_keeping(f);
	assert_int_equal(versions(f), 1);	/* not yet */
	let_pass(f, 3 * DAY);
	wait_for_house_keeping(f);
	assert_int_equal(versions(f), 2);
	assert_int_equal(call(f, KVAULT_METHOD_GET, KEY), 200);
	assert_true(says("\"key_ops\":[\"decrypt\"]"));
	assert_true(says("\"tags\":{\"a\":\"b\"}"));
	assert_true(says("\"exp\":"));
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/audit?op=KeyRotateIfDue"), 200);
	assert_true(says("\"face\":\"timer\""));
	assert_true(says("payroll/keys/data"));
	/* once, and the next one is a year away */
	let_pass(f, 0);
	wait_for_house_keeping(f);
	assert_int_equal(versions(f), 2);
	let_pass(f, 367 * DAY);
	wait_for_house_keeping(f);
	assert_int_equal(versions(f), 3);
}

static void somebody_is_told_before_it_expires(void **state)
{
	static const char notify[] =
		"{\"lifetimeActions\":[{\"trigger\":{\"timeBeforeExpiry\":\"P30D\"},\"action\":"
		"{\"type\":\"Notify\"}}]}";
	struct fixture *f = *state;
	char body[96];

	make_key(f);
	snprintf(body, sizeof(body), "{\"attributes\":{\"exp\":%lld}}",
		 (long long)time(NULL) + 90 * DAY);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, KEY, body), 200);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY, notify), 200);
	let_pass(f, 61 * DAY);
	wait_for_house_keeping(f);
	assert_int_equal(call(f, KVAULT_METHOD_GET,
			      "/audit?op=KeyNearExpiryEventGridNotification"), 200);
	assert_true(says("payroll/keys/data/"));
	assert_int_equal(versions(f), 1);
}

static void a_disabled_key_waits(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY, yearly), 200);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, KEY,
				 "{\"attributes\":{\"enabled\":false}}"), 200);
	let_pass(f, 400 * DAY);
	wait_for_house_keeping(f);
	assert_int_equal(versions(f), 1);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, KEY,
				 "{\"attributes\":{\"enabled\":true}}"), 200);
	let_pass(f, 0);
	wait_for_house_keeping(f);
	assert_int_equal(versions(f), 2);
}

static void a_deleted_key_waits(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY, yearly), 200);
	assert_int_equal(call(f, KVAULT_METHOD_DELETE, KEY), 200);
	let_pass(f, 400 * DAY);
	wait_for_house_keeping(f);
	assert_int_equal(call(f, KVAULT_METHOD_POST, "/vaults/payroll/deletedkeys/data/recover"),
			 200);
	assert_int_equal(versions(f), 1);
}

/* The checkpoints of the log are asked for, too. */
static struct test_event *last_submit(void)
{
	size_t i = test_link.n_events;

	while (i--)
		if (test_link.events[i].kind == TEST_SUBMIT &&
		    !(test_link.events[i].cookie & KVD_CHECKPOINT_COOKIE))
			return &test_link.events[i];
	return NULL;
}

static void engine_says(struct fixture *f, int status)
{
	struct kvault_msg msg = header(f, KVAULT_MSG_ENGINE_DONE, KVAULT_ENGINE_OP_GENERATE);
	static const char jwk[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" COORD
				  "\",\"y\":\"" COORD "\"}";
	const struct test_event *e = last_submit();
	const void *seg[4] = { NULL, NULL, jwk, "blobblob" };

	assert_non_null(e);
	msg.cookie = e->cookie;
	msg.status = status;
	memcpy(msg.request_id, e->msg.request_id, KVAULT_ID_SIZE);
	msg.len[2] = sizeof(jwk) - 1;
	msg.len[3] = 8;
	test_link_put(&msg, seg);
	run(f);
}

static void make_ec(struct fixture *f)
{
	test_link.submit_result = 0;
	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	put(f, header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_POST), KEY "/create", "{\"kty\":\"EC\"}",
	    12, 0);
	run(f);
	engine_says(f, 0);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 200);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, POLICY, yearly), 200);
}

static void an_engine_is_asked_and_nobody_answered(void **state)
{
	struct fixture *f = *state;
	size_t n;

	make_ec(f);
	let_pass(f, 400 * DAY);
	wait_for_house_keeping(f);
	n = test_link_count(TEST_REPLY);
	engine_says(f, 0);
	assert_int_equal(test_link_count(TEST_REPLY), n);
	assert_int_equal(versions(f), 2);
}

/* An engine that is late must not put its version above what somebody made meanwhile. */
static void who_was_faster_has_rotated_it(void **state)
{
	struct fixture *f = *state;
	struct test_event asked;

	make_ec(f);
	let_pass(f, 400 * DAY);
	wait_for_house_keeping(f);
	asked = *last_submit();
	put(f, header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_POST), KEY "/rotate", NULL, 0, 0);
	run(f);
	engine_says(f, 0);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 200);
	*last_submit() = asked;
	engine_says(f, 0);
	assert_int_equal(versions(f), 2);
	assert_int_equal(call(f, KVAULT_METHOD_GET, "/audit?op=KeyRotateIfDue"), 200);
	assert_true(says("\"resultType\":\"Failed\""));
}

static void what_failed_is_tried_again(void **state)
{
	struct fixture *f = *state;

	make_ec(f);
	let_pass(f, 400 * DAY);
	wait_for_house_keeping(f);
	engine_says(f, -EHOSTDOWN);
	assert_int_equal(versions(f), 1);
	let_pass(f, KVD_ROTATION_RETRY_S + 10);
	wait_for_house_keeping(f);
	engine_says(f, 0);
	assert_int_equal(versions(f), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods),
		T(what_is_no_policy_is_refused),
		T(a_policy_is_set_and_taken_away),
		T(what_fell_due_is_done_after_a_restart),
		T(somebody_is_told_before_it_expires),
		T(a_disabled_key_waits),
		T(a_deleted_key_waits),
		T(an_engine_is_asked_and_nobody_answered),
		T(who_was_faster_has_rotated_it),
		T(what_failed_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
