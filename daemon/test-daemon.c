// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon as a whole, with a double of the module: what is answered, what
 * is pushed before, what is carried out once, and what nonsense does.
 */
#include "test-fixture.h"

#define COORD	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define POINT	"\"x\":\"" COORD "\",\"y\":\"" COORD "\""

static void a_key_is_made_and_granted(void **state)
{
	struct fixture *f = *state;
	struct test_event *e;

	make_key(f);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), 0);
	e = test_link_last(TEST_REPLY);
	assert_int_equal(e->grant.size, sizeof(e->grant));
	assert_int_equal(e->grant.lease_ops, 65536);
	assert_int_equal(e->grant.binding.bits, 256);
	assert_string_equal((char *)e->grant.binding.name, "data");
	assert_memory_equal(e->grant.binding.tenant, f->host, sizeof(f->host));
	assert_true(e->msg.revision >= 1);
	assert_int_equal(e->msg.len[3], 32 + KVAULT_BLOB_OVERHEAD);
	assert_non_null(strstr(e->json, "\"kty\":\"oct\""));
}

static void what_is_absent_or_not_allowed_is_refused(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(open_key(f, "payroll/keys/none", 0), -ENOKEY);
	assert_int_equal(open_key(f, "payroll/data", 0), -ENOKEY);
	assert_int_equal(open_key(f, "../keys/data", 0), -ENOKEY);
	assert_int_equal(open_key(f, "payroll/keys/data", KVAULT_OP_SIGN), -EACCES);
	f->who[0].flags = KVAULT_PRINCIPAL_INIT_PIDNS;
	assert_int_equal(open_key(f, "payroll/keys/data", 0), -EACCES);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/vaults/payroll/keys/data", NULL), 403);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/vaults/nothere/keys/data", NULL), 403);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/audit", NULL), 403);
}

static void a_change_is_pushed_before_it_is_answered(void **state)
{
	struct fixture *f = *state;
	size_t n;

	make_key(f);
	n = test_link.n_events;
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, "/vaults/payroll/keys/data",
				 "{\"attributes\":{\"enabled\":false}}"), 200);
	assert_int_equal(test_link.n_events, n + 2);
	assert_int_equal(test_link.events[n].kind, TEST_OBJECT_SET);
	assert_int_equal(test_link.events[n].state, KVAULT_OBJECT_DISABLED);
	assert_int_equal(test_link.events[n + 1].kind, TEST_REPLY);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), -EKEYREVOKED);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, "/vaults/payroll/keys/data",
				 "{\"attributes\":{\"enabled\":true}}"), 200);
	assert_true(test_link_last(TEST_OBJECT_SET)->revision > test_link.events[n].revision);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), 0);
}

static void a_change_that_is_not_confirmed_is_no_success(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	test_link.object_set_result = -ETIMEDOUT;
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, "/vaults/payroll/keys/data",
				 "{\"attributes\":{\"enabled\":false}}"), 504);
	assert_int_equal(open_key(f, "payroll/keys/data", 0), -EKEYREVOKED);
}

static void tags_alone_disturb_nobody(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, "/vaults/payroll/keys/data",
				 "{\"tags\":{\"a\":\"b\"}}"), 200);
	assert_int_equal(test_link_count(TEST_OBJECT_SET), 0);
	assert_non_null(strstr(reply(), "\"tags\":{\"a\":\"b\"}"));
}

static void a_request_is_carried_out_once(void **state)
{
	static const char path[] = "/vaults/payroll/keys/data/create";
	struct fixture *f = *state;
	struct kvault_msg msg;
	char *first;

	make_key(f);
	msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_POST);
	put(f, msg, path, "{\"kty\":\"oct\"}", 13, 0);
	run(f);
	first = strdup(reply());
	msg.attempts = 2;
	msg.cookie++;
	put(f, msg, path, "{\"kty\":\"oct\"}", 13, 0);
	run(f);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 200);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.cookie, msg.cookie);
	assert_string_equal(reply(), first);
	free(first);
	/* also by the next daemon */
	f->m = kvd_manager_free(f->m);
	assert_int_equal(start(f), 0);
	put(f, msg, path, "{\"kty\":\"oct\"}", 13, 0);
	run(f);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/vaults/payroll/keys/data/versions",
				 NULL), 200);
	assert_non_null(strstr(reply(), "kid"));
	first = strstr(reply(), "\"kid\"");
	first = strstr(first + 1, "\"kid\"");
	assert_non_null(first);
	assert_null(strstr(first + 1, "\"kid\""));	/* two versions, not three */
}

static void bad_bodies_change_nothing(void **state)
{
	static const struct {
		const char *body;
		int status;
	} table[] = {
		{ "{\"kty\":\"oct\"", 400 }, { "[]", 400 }, { "{}", 400 },
		{ "{\"kty\":\"oct\",\"kty\":\"oct\"}", 400 }, { "{\"kty\":7}", 400 },
		{ "{\"kty\":\"oct\",\"k\":\"AAAA\"}", 400 },
		{ "{\"kty\":\"oct\",\"key_size\":57}", 400 },
		{ "{\"kty\":\"oct\",\"key_ops\":[]}", 400 },
		{ "{\"kty\":\"oct\",\"key_ops\":[\"fly\"]}", 400 },
		{ "{\"kty\":\"oct\",\"key_ops\":\"encrypt\"}", 400 },
		{ "{\"kty\":\"oct\",\"key_ops\":[\"volume\",\"encrypt\"]}", 400 },
		{ "{\"kty\":\"EC\",\"crv\":\"P-1\"}", 400 },
		{ "{\"kty\":\"EC-HSM\"}", 400 },		/* standard vault */
		{ "{\"kty\":\"oct\",\"attributes\":{\"exp\":5,\"nbf\":9}}", 400 },
		{ "{\"kty\":\"oct\",\"attributes\":{\"exp\":-1}}", 400 },
		{ "{\"kty\":\"oct\",\"attributes\":{\"color\":1}}", 400 },
		{ "{\"kty\":\"oct\",\"tags\":{\"a\":1}}", 400 },
		{ "{\"kty\":\"oct\",\"tags\":\"\xff\"}", 400 },
		{ "{\"kty\":\"EC\"}", 503 },			/* no engine */
	};
	struct fixture *f = *state;
	size_t i;

	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		int got = control(f, KVAULT_METHOD_POST, "/vaults/payroll/keys/data/create",
				  table[i].body);

		if (got != table[i].status)
			fail_msg("%s: %d %s", table[i].body, got, reply());
		assert_non_null(strstr(reply(), "\"error\":{\"code\":"));
	}
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/vaults/payroll/keys", NULL), 200);
	assert_non_null(strstr(reply(), "\"value\":[]"));
}

static void bad_paths_are_refused(void **state)
{
	static const struct {
		uint32_t method;
		const char *path;
		int status;
	} table[] = {
		{ KVAULT_METHOD_GET, "/", 404 }, { KVAULT_METHOD_GET, "nothing", 404 },
		{ KVAULT_METHOD_GET, "/a/b/c/d/e/f/g/h/i/j", 404 },
		{ KVAULT_METHOD_DELETE, "/vaults/payroll", 405 },
		{ KVAULT_METHOD_GET, "/vaults/pay_roll", 400 },
		{ KVAULT_METHOD_GET, "/vaults/payroll", 404 },
		{ KVAULT_METHOD_GET, "/vaults/payroll/keys/a.b", 400 },
		{ KVAULT_METHOD_GET, "/vaults/payroll/keys/x", 404 },
		{ KVAULT_METHOD_GET, "/roleAssignments/12", 404 },
		{ KVAULT_METHOD_GET, "/audit?after=x", 400 },
		{ KVAULT_METHOD_GET, "/audit?limit=0", 400 },
		{ KVAULT_METHOD_GET, "/audit?limit=%zz", 400 },
		{ KVAULT_METHOD_GET, "/vaults?%24skiptoken=%00", 400 },
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		int got = control(f, table[i].method, table[i].path, NULL);

		if (got != table[i].status)
			fail_msg("%s: %d %s", table[i].path, got, reply());
	}
}

static void private_members_are_refused(void **state)
{
	struct fixture *f = *state;
	struct kvault_msg msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_PUT);
	static const char body[] = "{\"key\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"AAAA\"}}";

	make_key(f);
	put(f, msg, "/vaults/payroll/keys/imp", body, sizeof(body) - 1, 104);
	run(f);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 400);
	assert_null(strstr(reply(), "AAAA"));
}

static void ask_for_ec(struct fixture *f, struct kvault_msg *msg)
{
	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	test_link.submit_result = 0;
	*msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_POST);
	put(f, *msg, "/vaults/payroll/keys/sign/create", "{\"kty\":\"EC\"}", 12, 0);
	run(f);
	assert_non_null(test_link_last(TEST_SUBMIT));
}

/* What the caller says that it is for is logged, and changes nothing else. */
static void the_context_of_a_use_is_in_the_log(void **state)
{
	struct fixture *f = *state;

	make_key(f);
	assert_int_equal(open_key(f, "payroll/keys/data?context=year%3D2026&context=a%3Db%3Dc", 0),
			 0);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/audit?op=LeaseStart", NULL), 200);
	assert_non_null(strstr(reply(), "\"context\":{\"a\":\"b=c\",\"year\":\"2026\"}"));
	assert_int_equal(open_key(f, "payroll/keys/none?context=who%3Dme", 0), -ENOKEY);
	assert_int_equal(open_key(f, "payroll/keys/data?context=%FF%3D%FF", 0), -EINVAL);
	assert_int_equal(open_key(f, "payroll/keys/data?context=year", 0), -EINVAL);
	assert_int_equal(open_key(f, "payroll/keys/data?context=%zz%3D1", 0), -EINVAL);
	assert_int_equal(open_key(f, "payroll/keys/data?admin=true", 0), -EINVAL);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/audit?op=KeyOpen", NULL), 200);
	assert_non_null(strstr(reply(), "\"context\":{\"who\":\"me\"}"));
	assert_int_equal(open_key(f, "payroll/keys/data?contextSha256=00ff", 0), 0);
}

static void engines_are_waited_for(void **state)
{
	struct fixture *f = *state;
	struct kvault_msg msg;
	size_t replies;

	ask_for_ec(f, &msg);
	replies = test_link_count(TEST_REPLY);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/vaults", NULL), 200);	/* others go on */
	engine_done(f, test_link_last(TEST_SUBMIT)->cookie, msg.request_id, 0,
		    "{\"kty\":\"EC\",\"crv\":\"P-256\"," POINT "}");
	assert_int_equal(test_link_count(TEST_REPLY), replies + 2);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 200);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.cookie, msg.cookie);
	assert_non_null(strstr(reply(), COORD));
}

static void nonsense_of_engines_makes_no_key(void **state)
{
	static const char *const bad[] = {
		"", "{}", "{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-384\"," POINT "}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" COORD "\"}",
	};
	struct fixture *f = *state;
	struct kvault_msg msg;
	size_t i;

	ask_for_ec(f, &msg);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		engine_done(f, test_link_last(TEST_SUBMIT)->cookie, msg.request_id, 0, bad[i]);
		assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 500);
		msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_POST);
		put(f, msg, "/vaults/payroll/keys/sign/create", "{\"kty\":\"EC\"}", 12, 0);
		run(f);
	}
	engine_done(f, test_link_last(TEST_SUBMIT)->cookie, msg.request_id, -EBADMSG, "no");
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 400);
	engine_done(f, 424242, msg.request_id, 0, "{}");	/* nobody's */
	assert_int_equal(open_key(f, "payroll/keys/sign", 0), -ENOKEY);
}

static void malformed_messages_end_nothing(void **state)
{
	struct fixture *f = *state;
	struct kvault_msg msg;
	const void *none[4] = { NULL, NULL, NULL, NULL };
	uint8_t *raw;
	size_t i;

	make_key(f);
	/* lengths that do not add up, by the raw queue */
	for (i = 0; i < 4; i++) {
		msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_GET);
		test_link_put(&msg, none);
		raw = test_link.queue[test_link.n_queue - 1];
		((struct kvault_msg *)raw)->len[i] = i ? UINT32_MAX : 1;
	}
	msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_GET);
	msg.size = 8;
	test_link_put(&msg, none);
	msg = header(f, 99, 0);
	test_link_put(&msg, none);
	msg = header(f, KVAULT_MSG_ACCESS, 99);
	put(f, msg, "payroll/keys/data", "x", 1, 0);
	msg = header(f, KVAULT_MSG_CONTROL, 99);
	put(f, msg, "/status", NULL, 0, 0);
	memset(f->who[0].exe, 'x', sizeof(f->who[0].exe));
	msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_GET);
	put(f, msg, "/status", NULL, 0, 0);
	run(f);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, -EIO);
	memset(f->who[0].exe, 0, sizeof(f->who[0].exe));
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/status", NULL), 200);
}

/* Always the same numbers: a failure can be had again. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Valid messages with a few bytes changed: nothing is changed by them, and nothing ends. */
static void changed_messages_end_nothing(void **state)
{
	static const char body[] = "{\"kty\":\"oct\",\"key_ops\":[\"encrypt\"],"
				   "\"tags\":{\"a\":\"b\"}}";
	struct kvault_access a = { .size = sizeof(a), .purpose = KVAULT_PURPOSE_HANDLE };
	struct fixture *f = *state;
	uint32_t seed = 20261122;
	int i, k;

	make_key(f);
	for (i = 0; i < 3000; i++) {
		uint8_t *raw;
		size_t len;

		forget_events();
		if (i % 2)
			put(f, header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_POST),
			    "/vaults/payroll/keys/new/create", body, sizeof(body) - 1, 0);
		else
			put(f, header(f, KVAULT_MSG_ACCESS, KVAULT_PURPOSE_HANDLE),
			    "payroll/keys/data", &a, sizeof(a), 0);
		raw = test_link.queue[0];
		len = test_link.queue_len[0];
		for (k = next_random(&seed) % 4; k >= 0; k--) {
			size_t where = next_random(&seed) % 3 ? len - next_random(&seed) % 100 - 1 :
								next_random(&seed) % 160;

			raw[where] = (uint8_t)next_random(&seed);
		}
		run(f);
	}
	forget_events();
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/status", NULL), 200);
}

static void guests_have_a_vault_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct kvault_msg msg;
	uint8_t id[KVAULT_ID_SIZE] = { 7 };

	make_key(f);
	memcpy(f->host, id, sizeof(id));
	msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_GET);
	msg.tenant_kind = KVAULT_TENANT_EPHEMERAL;
	put(f, msg, "/vaults", NULL, 0, 0);
	run(f);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.status, 200);
	assert_non_null(strstr(reply(), "\"value\":[]"));
	msg.request_id[0] = ++f->next_id;
	msg.op = KVAULT_METHOD_PUT;
	put(f, msg, "/vaults/mine", "{}", 2, 0);
	msg = header(f, KVAULT_MSG_TENANT_GONE, 0);
	msg.tenant_kind = KVAULT_TENANT_EPHEMERAL;
	test_link_put(&msg, (const void *[4]){ NULL });
	msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_GET);
	msg.tenant_kind = KVAULT_TENANT_EPHEMERAL;
	put(f, msg, "/vaults", NULL, 0, 0);
	run(f);
	assert_non_null(strstr(reply(), "\"value\":[]"));
	/* a tenant that calls itself the host and is not */
	assert_int_not_equal(control(f, KVAULT_METHOD_GET, "/vaults/payroll", NULL), 200);
}

static void role_changes_are_pushed_as_policy(void **state)
{
	static const char path[] = "/roleAssignments/12345678-1234-1234-1234-123456789abc";
	struct fixture *f = *state;
	size_t n;

	n = test_link_count(TEST_POLICY_SET);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, path,
				 "{\"properties\":{\"scope\":\"/\",\"roleDefinitionId\":"
				 "\"reader\",\"principalId\":\"uid:5\"}}"), 201);
	assert_int_equal(test_link_count(TEST_POLICY_SET), n + 1);
	assert_int_equal(test_link_last(TEST_REPLY)->msg.revision,
			 test_link_last(TEST_POLICY_SET)->revision);
	assert_int_equal(control(f, KVAULT_METHOD_DELETE, path, NULL), 200);
	assert_int_equal(test_link_count(TEST_POLICY_SET), n + 2);
	assert_int_equal(control(f, KVAULT_METHOD_DELETE, path, NULL), 404);
}

/* The path that nextLink names, from the last answer; false: it was the last page. */
static bool next_page(char *path, size_t size)
{
	const char *p = strstr(reply(), "\"nextLink\":\"");

	if (!p)
		return false;
	p += strlen("\"nextLink\":\"");
	snprintf(path, size, "%.*s", (int)strcspn(p, "\""), p);
	return true;
}

/* Pages begin behind a name that the caller may not see: it is not shown in the link. */
static void lists_go_on_by_tokens_that_say_nothing(void **state)
{
	struct fixture *f = *state;
	char path[KVAULT_PATH_MAX], name[64], *p;
	unsigned int n = 0;
	int i;

	for (i = 0; i < 60; i++) {
		forget_events();
		snprintf(name, sizeof(name), "/vaults/hidden%02d", i);
		assert_int_equal(control(f, KVAULT_METHOD_PUT, name, "{}"), 201);
	}
	forget_events();
	strcpy(path, "/vaults");
	do {
		assert_int_equal(control(f, KVAULT_METHOD_GET, path, NULL), 200);
		n++;
		/* only the first page's path names no token */
		assert_null(strstr(path, "hidden"));
	} while (next_page(path, sizeof(path)));
	assert_int_equal(n, 3);
	/* a token that was changed, and one of another list */
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/vaults", NULL), 200);
	assert_true(next_page(path, sizeof(path)));
	p = strstr(path, "token=") + 30;
	*p = *p == 'A' ? 'B' : 'A';
	assert_int_equal(control(f, KVAULT_METHOD_GET, path, NULL), 400);
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/vaults", NULL), 200);
	assert_true(next_page(path, sizeof(path)));
	snprintf(name, sizeof(name), "/vaults/hidden00/keys");
	p = strdup(strchr(path, '?'));
	snprintf(path, sizeof(path), "%s%s", name, p);
	free(p);
	assert_int_equal(control(f, KVAULT_METHOD_GET, path, NULL), 400);
	/* of another tenant */
	assert_int_equal(control(f, KVAULT_METHOD_GET, "/vaults?%24skiptoken=hidden00", NULL), 400);
}

static void keys_and_versions_are_listed_in_pages(void **state)
{
	struct fixture *f = *state;
	char path[KVAULT_PATH_MAX];
	unsigned int n = 0;
	int i;

	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	for (i = 0; i < 7; i++)
		assert_int_equal(control(f, KVAULT_METHOD_POST, "/vaults/payroll/keys/data/create",
					 "{\"kty\":\"oct\"}"), 200);
	strcpy(path, "/vaults/payroll/keys/data/versions?maxresults=3");
	do {
		assert_int_equal(control(f, KVAULT_METHOD_GET, path, NULL), 200);
		n++;
	} while (next_page(path, sizeof(path)));
	assert_int_equal(n, 3);
}

/* The version of the key in the last answer. */
static void take_version(char version[33])
{
	const char *p = strstr(reply(), "/keys/data/");

	assert_non_null(p);
	snprintf(version, 33, "%.32s", p + strlen("/keys/data/"));
}

/* spec.md 2.5: without a version the latest is meant; each has attributes of its own. */
static void an_update_is_of_one_version(void **state)
{
	static const char off[] = "{\"attributes\":{\"enabled\":false}}";
	struct fixture *f = *state;
	char first[33], second[33], path[128];

	make_key(f);
	take_version(first);
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/vaults/payroll/keys/data/create",
				 "{\"kty\":\"oct\"}"), 200);
	take_version(second);
	assert_string_not_equal(first, second);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, "/vaults/payroll/keys/data", off), 200);
	assert_non_null(strstr(reply(), second));
	assert_int_equal(open_key(f, "payroll/keys/data", 0), -EKEYREVOKED);
	snprintf(path, sizeof(path), "payroll/keys/data/%s", first);
	assert_int_equal(open_key(f, path, 0), 0);
	snprintf(path, sizeof(path), "/vaults/payroll/keys/data/%s", first);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, path, off), 200);
	assert_int_equal(open_key(f, path + strlen("/vaults/"), 0), -EKEYREVOKED);
	/* what is not named stays */
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, path, "{\"tags\":{\"a\":\"b\"}}"),
			 200);
	assert_non_null(strstr(reply(), "\"enabled\":false"));
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, path, "{\"attributes\":{\"exp\":9}}"),
			 200);
	assert_non_null(strstr(reply(), "\"tags\":{\"a\":\"b\"}"));
}

static void what_is_not_there_yet_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/vaults/payroll/keys/disk/create",
				 "{\"kty\":\"oct\",\"key_size\":512,\"key_ops\":[\"volume\"],"
				 "\"attributes\":{\"onExpiry\":\"stop\"}}"), 400);
	assert_non_null(strstr(reply(), "NotSupported"));
	assert_non_null(strstr(reply(), "disable"));
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/vaults/payroll/keys/disk/create",
				 "{\"kty\":\"oct\",\"key_size\":512,\"key_ops\":[\"volume\"],"
				 "\"attributes\":{\"onExpiry\":\"continue\"}}"), 200);
}

static int import(struct fixture *f, const char *jwk, size_t secret_len)
{
	char body[2048];

	snprintf(body, sizeof(body), "{\"key\":%s}", jwk);
	put(f, header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_PUT), "/vaults/payroll/keys/imp", body,
	    strlen(body), secret_len);
	run(f);
	return test_link_last(TEST_REPLY) ? test_link_last(TEST_REPLY)->msg.status : 0;
}

/* Size and curve are what the JWK's public members say (spec.md 2.8). */
static void an_import_is_of_the_shape_of_its_jwk(void **state)
{
	struct fixture *f = *state;
	char jwk[1024], n[343] = "";
	struct test_event *e;

	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	test_link.submit_result = 0;
	memset(n, '-', 342);		/* 256 bytes, of which the first one is 0xfb */
	n[341] = 'w';
	snprintf(jwk, sizeof(jwk), "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}", n);
	import(f, jwk, 104);
	e = test_link_last(TEST_SUBMIT);
	assert_non_null(e);
	assert_int_equal(e->bits, 2048);
	/* one leading zero does not make it longer */
	memcpy(n, "AA", 2);
	snprintf(jwk, sizeof(jwk), "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}", n);
	assert_int_equal(import(f, jwk, 104), 400);
	assert_int_equal(import(f, "{\"kty\":\"RSA\",\"n\":\"****\"}", 104), 400);
	assert_int_equal(import(f, "{\"kty\":\"RSA\"}", 104), 400);
	assert_non_null(strstr(reply(), "'n'"));
	assert_int_equal(import(f, "{\"kty\":\"EC\"}", 104), 400);
	assert_non_null(strstr(reply(), "'crv'"));
}

/* The public members that were sent must be those of the private part. */
static void an_import_of_two_halves_is_refused(void **state)
{
	static const char other[] = "HhwdGxoZGBcWFRQTEhEQDw4NDAsKCQgHBgUEAwIBAAA";
	struct fixture *f = *state;
	struct kvault_msg msg;
	char body[512];
	int i;

	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	test_link.submit_result = 0;
	for (i = 0; i < 2; i++) {
		snprintf(body, sizeof(body), "{\"key\":{\"kty\":\"EC\",\"crv\":\"P-256\","
			 "\"x\":\"%s\",\"y\":\"" COORD "\"}}", i ? COORD : other);
		msg = header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_PUT);
		put(f, msg, "/vaults/payroll/keys/imp", body, strlen(body), 104);
		run(f);
		engine_done(f, test_link_last(TEST_SUBMIT)->cookie, msg.request_id, 0,
			    "{\"kty\":\"EC\",\"crv\":\"P-256\"," POINT "}");
		assert_int_equal(test_link_last(TEST_REPLY)->msg.status, i ? 200 : 400);
	}
}

static void a_store_is_not_made_twice(void **state)
{
	struct fixture *f = *state;
	char path[96], moved[104];

	make_key(f);
	f->m = kvd_manager_free(f->m);
	snprintf(path, sizeof(path), "%s/kvault.db", f->state);
	snprintf(moved, sizeof(moved), "%s.away", path);
	assert_int_equal(rename(path, moved), 0);
	assert_int_not_equal(start(f), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rename(moved, path), 0);
	assert_int_equal(start(f), 0);
}

static void a_store_of_another_root_is_refused(void **state)
{
	struct fixture *f = *state;
	char root[80];

	f->m = kvd_manager_free(f->m);
	snprintf(root, sizeof(root), "%s/root", f->state);
	put_file(root, "slots.json", "{\"format\":1,\"store\":"
		 "\"ff0102030405060708090a0b0c0d0e0f\",\"slots\":[]}");
	assert_int_not_equal(start(f), 0);
	put_file(root, "slots.json", slots);
	assert_int_equal(start(f), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_key_is_made_and_granted),
		T(what_is_absent_or_not_allowed_is_refused),
		T(a_change_is_pushed_before_it_is_answered),
		T(a_change_that_is_not_confirmed_is_no_success),
		T(tags_alone_disturb_nobody),
		T(a_request_is_carried_out_once),
		T(bad_bodies_change_nothing),
		T(bad_paths_are_refused),
		T(private_members_are_refused),
		T(the_context_of_a_use_is_in_the_log),
		T(engines_are_waited_for),
		T(nonsense_of_engines_makes_no_key),
		T(malformed_messages_end_nothing),
		T(changed_messages_end_nothing),
		T(guests_have_a_vault_of_their_own),
		T(role_changes_are_pushed_as_policy),
		T(lists_go_on_by_tokens_that_say_nothing),
		T(keys_and_versions_are_listed_in_pages),
		T(an_update_is_of_one_version),
		T(what_is_not_there_yet_is_refused_by_name),
		T(an_import_is_of_the_shape_of_its_jwk),
		T(an_import_of_two_halves_is_refused),
		T(a_store_is_not_made_twice),
		T(a_store_of_another_root_is_refused),
	};

	return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
