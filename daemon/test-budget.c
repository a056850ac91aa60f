// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ephemeral tenants and the memory that they may take:
 *
 *   uid 1000: A, B    uid 1001: C    and the host
 */
#include "test-fixture.h"

#include <sqlite3.h>

static const uint8_t A[KVAULT_ID_SIZE] = { 'A' }, B[KVAULT_ID_SIZE] = { 'B' },
		     C[KVAULT_ID_SIZE] = { 'C' };

static void add_live(const uint8_t *id, uint32_t uid)
{
	struct kvd_kernel_tenant *t = &test_link.live[test_link.n_live++];

	memcpy(t->id, id, KVAULT_ID_SIZE);
	t->kind = KVAULT_TENANT_EPHEMERAL;
	t->uid = uid;
	t->revision = 1;
}

static void begin(struct fixture *f)
{
	add_live(A, 1000);
	add_live(B, 1000);
	add_live(C, 1001);
	f->m = kvd_manager_free(f->m);
	f->config.ephemeral_max = 1 << 20;
	assert_int_equal(start(f), 0);
}

static int guest(struct fixture *f, const uint8_t *tenant, uint32_t method, const char *path,
		 const char *body)
{
	struct kvault_msg msg = header(f, KVAULT_MSG_CONTROL, method);
	static uint8_t high;

	if (!f->next_id)
		high++;
	msg.request_id[1] = high;
	msg.tenant_kind = KVAULT_TENANT_EPHEMERAL;
	memcpy(msg.tenant, tenant, sizeof(msg.tenant));
	forget_events();
	put(f, msg, path, body, strlen(body), 0);
	run(f);
	return test_link_last(TEST_REPLY)->msg.status;
}

static int make_vault(struct fixture *f, const uint8_t *tenant, int n)
{
	static const char value[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789";
	char path[32], body[2048];
	size_t len, i;

	snprintf(path, sizeof(path), "/vaults/v%d", n);
	len = (size_t)snprintf(body, sizeof(body), "{\"tags\":{\"a\":\"\"");
	for (i = 0; i < 14; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len, ",\"t%zu\":\"%s\"", i,
					value);
	snprintf(body + len, sizeof(body) - len, "}}");
	return guest(f, tenant, KVAULT_METHOD_PUT, path, body);
}

/* Until he is refused; how many there were. */
static int fill(struct fixture *f, const uint8_t *tenant)
{
	int n = 0, status;

	while ((status = make_vault(f, tenant, n)) == 201)
		assert_true(++n < 2000);
	assert_int_equal(status, 429);
	return n;
}

static void one_owner_leaves_as_much_as_he_has(void **state)
{
	struct fixture *f = *state;
	struct kvault_msg gone;
	int n;

	begin(f);
	n = fill(f, A);
	assert_true(n > 10);
	assert_non_null(strstr(reply(), "uid 1000"));
	assert_non_null(strstr(reply(), "Throttled"));
	/* another namespace does not help him, and nobody else notices */
	assert_int_equal(make_vault(f, B, 0), 429);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/mine", "{}"), 201);
	assert_true(fill(f, C) > n / 3);
	/* what has ended is free again */
	gone = header(f, KVAULT_MSG_TENANT_GONE, 0);
	memcpy(gone.tenant, A, sizeof(gone.tenant));
	test_link_put(&gone, (const void *[4]){ 0 });
	run(f);
	assert_int_equal(make_vault(f, B, 0), 201);
}

/* Neither does it by asking for nothing new, nor after a restart. */
static void the_share_holds_for_records_and_restarts(void **state)
{
	struct fixture *f = *state;
	int n = 0, status;

	begin(f);
	assert_int_equal(guest(f, A, KVAULT_METHOD_PUT, "/vaults/v", "{}"), 201);
	while ((status = guest(f, A, KVAULT_METHOD_PUT, "/vaults/v", "{}")) == 200)
		assert_true(++n < 5000);
	assert_int_equal(status, 429);
	f->m = kvd_manager_free(f->m);
	assert_int_equal(start(f), 0);
	assert_int_equal(guest(f, B, KVAULT_METHOD_PUT, "/vaults/v", "{}"), 429);
	assert_int_equal(guest(f, C, KVAULT_METHOD_PUT, "/vaults/v", "{}"), 201);
}

static int64_t ask(const char *dir, const char *name, const char *sql)
{
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;
	char path[96];
	int64_t value;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	value = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return value;
}

static void answers_to_repeat_are_few_and_small(void **state)
{
	struct fixture *f = *state;
	int i;

	begin(f);
	for (i = 0; i < 5; i++)
		assert_int_equal(make_vault(f, A, 0), i ? 200 : 201);
	forget_events();
	for (i = 0; i < 5; i++)
		assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/mine", "{}"),
				 i ? 200 : 201);
	f->m = kvd_manager_free(f->m);
	assert_int_equal(ask(f->runtime, "ephemeral.db", "SELECT count(*) FROM requests"), 1);
	assert_in_range(ask(f->runtime, "ephemeral.db", "SELECT max(length(reply)) FROM requests"),
			10, 300);
	assert_int_equal(ask(f->state, "kvault.db", "SELECT count(*) FROM requests"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_owner_leaves_as_much_as_he_has),
		T(the_share_holds_for_records_and_restarts),
		T(answers_to_repeat_are_few_and_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
