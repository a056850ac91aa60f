// SPDX-License-Identifier: GPL-2.0-only
/*
 * Volumes from the daemon's yes to the kernel's close: what the log says of
 * them and 'kvault key users' counts is what is open.
 */
#include "test-fixture.h"

#include "util/base64.h"

#define KEY	"/vaults/payroll/keys/disk"

static void make_volume_key(struct fixture *f, struct kvault_access *t)
{
	struct kvault_token token;
	_cleanup_json_ json_t *j = NULL;
	const char *text;

	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	assert_int_equal(control(f, KVAULT_METHOD_POST, KEY "/create",
				 "{\"kty\":\"oct\",\"key_size\":512,\"key_ops\":[\"volume\"]}"),
			 200);
	assert_int_equal(control(f, KVAULT_METHOD_POST, KEY "/token", NULL), 200);
	j = json_loads(reply(), 0, NULL);
	text = json_string_value(json_object_get(j, "token"));
	assert_non_null(text);
	assert_int_equal(kvd_base64url_decode(&token, sizeof(token), text, strlen(text)),
			 sizeof(token));
	*t = (struct kvault_access){ .size = sizeof(*t), .ops = KVAULT_OP_VOLUME,
				     .purpose = KVAULT_PURPOSE_VOLUME };
	memcpy(t->key, token.key, KVAULT_ID_SIZE);
	memcpy(t->version, token.version, KVAULT_ID_SIZE);
	memcpy(t->grant, token.grant, KVAULT_ID_SIZE);
}

static struct kvault_msg open_volume(struct fixture *f, const struct kvault_access *t)
{
	struct kvault_msg msg = header(f, KVAULT_MSG_ACCESS, KVAULT_PURPOSE_VOLUME);

	put(f, msg, "", t, sizeof(*t), 0);
	run(f);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 0);
	return msg;
}

static void close_volume(struct fixture *f, const struct kvault_access *t)
{
	struct kvault_audit_rec *rec = &test_link.audit[test_link.n_audit];

	*rec = (struct kvault_audit_rec){ .size = sizeof(*rec), .seq = test_link.n_audit + 1,
					  .type = KVAULT_AUDIT_VOLUME_CLOSE,
					  .op = KVAULT_OP_VOLUME, .face = KVAULT_FACE_PAES };
	memcpy(rec->tenant, f->host, sizeof(f->host));
	memcpy(rec->key, t->key, sizeof(rec->key));
	memcpy(rec->version, t->version, sizeof(rec->version));
	test_link.n_audit++;
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/status", NULL), 200);
}

static int volumes(struct fixture *f)
{
	const char *p;

	assert_int_equal(control(f, KVAULT_METHOD_GET, KEY "/users", NULL), 200);
	p = strrchr(reply(), ':');	/* names are sorted: it is the last one */
	assert_non_null(p);
	return (int)strtol(p + 1, NULL, 10);
}

static int records_of(struct fixture *f, const char *operation)
{
	char pattern[64];
	const char *p;
	int n = 0;

	assert_int_equal(control(f, KVAULT_METHOD_GET, "/audit?after=0&limit=100", NULL), 200);
	snprintf(pattern, sizeof(pattern), "\"operationName\":\"%s\"", operation);
	for (p = reply(); (p = strstr(p, pattern)); p++)
		n++;
	return n;
}

static void what_is_open_is_counted(void **state)
{
	struct fixture *f = *state;
	struct kvault_access t;

	make_volume_key(f, &t);
	assert_int_equal(volumes(f), 0);
	open_volume(f, &t);
	assert_int_equal(volumes(f), 1);
	open_volume(f, &t);
	assert_int_equal(volumes(f), 2);
	close_volume(f, &t);
	assert_int_equal(volumes(f), 1);
}

static void a_yes_that_nobody_waited_for_is_taken_back(void **state)
{
	struct fixture *f = *state;
	struct kvault_access t;

	make_volume_key(f, &t);
	open_volume(f, &t);
	test_link.reply_result = -ENOENT;
	open_volume(f, &t);
	test_link.reply_result = 0;
	assert_int_equal(volumes(f), 1);
	assert_int_equal(records_of(f, "VolumeOpen"), 2);
	assert_int_equal(records_of(f, "VolumeClose"), 1);
	/* it is durable, and not waiting for what comes next */
	f->m = kvd_manager_free(f->m);
	assert_int_equal(start(f), 0);
	assert_int_equal(records_of(f, "VolumeClose"), 1);
}

/* The kernel does not know of it, and gives nothing of it back. */
static void a_lease_that_nobody_waited_for_ends(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	test_link.reply_result = -ENOENT;
	open_key(f, "payroll/keys/data", KVAULT_OP_ENCRYPT);
	test_link.reply_result = 0;
	assert_int_equal(records_of(f, "LeaseStart"), 1);
	assert_int_equal(records_of(f, "LeaseEnd"), 1);
}

/* The daemon ended between its record and its answer. */
static void a_question_that_comes_again_is_one_volume(void **state)
{
	struct fixture *f = *state;
	struct kvault_msg msg;
	struct kvault_access t;

	make_volume_key(f, &t);
	msg = open_volume(f, &t);
	f->m = kvd_manager_free(f->m);
	test_link.generation++;
	assert_int_equal(start(f), 0);
	msg.attempts++;
	put(f, msg, "", &t, sizeof(t), 0);
	run(f);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 0);
	assert_int_equal(test_link_last(TEST_REPLY)->grant.size, sizeof(struct kvault_grant));
	assert_int_equal(volumes(f), 1);
	assert_int_equal(records_of(f, "VolumeOpen"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_open_is_counted),
		T(a_yes_that_nobody_waited_for_is_taken_back),
		T(a_lease_that_nobody_waited_for_ends),
		T(a_question_that_comes_again_is_one_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
