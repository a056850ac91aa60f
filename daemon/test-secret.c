// SPDX-License-Identifier: GPL-2.0-only
/* Secrets through the whole daemon: rights, values that are blobs only, what lists say. */
#include "test-fixture.h"

#define SECRET	"/vaults/payroll/secrets/db"

static int set_len(struct fixture *f, const char *path, const char *body, size_t blob_len)
{
	put(f, header(f, KVAULT_MSG_CONTROL, KVAULT_METHOD_PUT), path, body, strlen(body),
	    blob_len);
	run(f);
	return test_link_last(TEST_REPLY)->msg.status;
}

static int set(struct fixture *f, const char *body)
{
	return set_len(f, SECRET, body, KVAULT_BLOB_OVERHEAD + 5);
}

static int get(struct fixture *f, const char *path)
{
	return control(f, KVAULT_METHOD_GET, path, NULL);
}

/* Lengths of what the kernel would open. */
static size_t released(void)
{
	const struct kvault_msg *msg = &test_link_last(TEST_REPLY)->msg;

	assert_int_equal(msg->len[0], msg->len[3] ? sizeof(struct kvault_binding) : 0);
	assert_int_equal(msg->len[1], 0);
	return msg->len[3];
}

static void take_version(char out[33])
{
	const char *at = strstr(reply(), "/secrets/db/");

	assert_non_null(at);
	snprintf(out, 33, "%.32s", at + strlen("/secrets/db/"));
}

static void make_vault(struct fixture *f)
{
	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
}

static void a_value_is_released_to_who_gets_it(void **state)
{
	struct fixture *f = *state;
	char path[128], first[33];

	make_vault(f);
	assert_int_equal(set(f, "{\"contentType\":\"text/plain\"}"), 200);
	assert_int_equal(released(), 0);
	assert_non_null(strstr(reply(), "\"contentType\":\"text/plain\""));
	assert_null(strstr(reply(), "value"));
	take_version(first);
	assert_int_equal(set_len(f, SECRET, "{}", KVAULT_BLOB_OVERHEAD + 9), 200);
	assert_int_equal(get(f, SECRET), 200);
	assert_int_equal(released(), KVAULT_BLOB_OVERHEAD + 9);
	assert_null(strstr(reply(), "contentType"));
	snprintf(path, sizeof(path), SECRET "/%s", first);
	assert_int_equal(get(f, path), 200);
	assert_int_equal(released(), KVAULT_BLOB_OVERHEAD + 5);
	assert_int_equal(get(f, SECRET "?value=none"), 200);
	assert_int_equal(released(), 0);
	assert_int_equal(get(f, SECRET "?value=some"), 400);
}

static void an_empty_value_is_one(void **state)
{
	struct fixture *f = *state;

	make_vault(f);
	assert_int_equal(set_len(f, SECRET, "{}", 0), 400);
	assert_int_equal(set_len(f, SECRET, "{}", KVAULT_BLOB_OVERHEAD), 200);
	assert_int_equal(get(f, SECRET), 200);
	assert_int_equal(released(), KVAULT_BLOB_OVERHEAD);
}

static void what_is_too_large_is_refused(void **state)
{
	struct fixture *f = *state;
	char body[512], type[258];

	make_vault(f);
	assert_int_equal(set_len(f, SECRET, "{}", KVAULT_SECRET_MAX + KVAULT_BLOB_OVERHEAD), 200);
	assert_int_equal(set_len(f, SECRET, "{}", KVAULT_SECRET_MAX + KVAULT_BLOB_OVERHEAD + 1),
			 400);
	assert_non_null(strstr(reply(), "25601"));
	memset(type, 'x', sizeof(type));
	type[255] = '\0';
	snprintf(body, sizeof(body), "{\"contentType\":\"%s\"}", type);
	assert_int_equal(set(f, body), 200);
	type[255] = 'x';
	type[256] = '\0';
	snprintf(body, sizeof(body), "{\"contentType\":\"%s\"}", type);
	assert_int_equal(set(f, body), 400);
}

static void bad_bodies_set_nothing(void **state)
{
	static const char *const bodies[] = {
		"{\"value\":\"x\"}", "{\"key_ops\":[\"sign\"]}", "{\"contentType\":1}",
		"{\"attributes\":{\"exportable\":true}}", "{\"attributes\":{\"enabled\":1}}",
		"{\"attributes\":{\"nbf\":9,\"exp\":8}}", "{\"tags\":[]}", "[]", "{",
		"{\"kty\":\"oct\"}",
	};
	struct fixture *f = *state;
	size_t i;

	make_vault(f);
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(set(f, bodies[i]), 400);
	assert_int_equal(set_len(f, "/vaults/payroll/secrets/d_b", "{}", 90), 400);
	assert_int_equal(set_len(f, "/vaults/none/secrets/db", "{}", 90), 404);
	assert_int_equal(get(f, SECRET), 404);
	assert_non_null(strstr(reply(), "SecretNotFound"));
}

static void a_disabled_secret_keeps_its_value(void **state)
{
	struct fixture *f = *state;

	make_vault(f);
	assert_int_equal(set(f, "{}"), 200);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET,
				 "{\"attributes\":{\"enabled\":false}}"), 200);
	assert_int_equal(get(f, SECRET), 403);
	assert_non_null(strstr(reply(), "SecretDisabled"));
	assert_int_equal(released(), 0);
	assert_int_equal(get(f, SECRET "?value=none"), 200);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET,
				 "{\"attributes\":{\"enabled\":true}}"), 200);
	assert_int_equal(get(f, SECRET), 200);
	/* spec.md 3: its times tell, and refuse nothing */
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET,
				 "{\"attributes\":{\"exp\":9}}"), 200);
	assert_int_equal(get(f, SECRET), 200);
	assert_non_null(strstr(reply(), "\"exp\":9"));
	assert_int_not_equal(released(), 0);
}

static void an_update_changes_what_it_names(void **state)
{
	struct fixture *f = *state;

	make_vault(f);
	assert_int_equal(set(f, "{\"contentType\":\"a\",\"tags\":{\"t\":\"1\"}}"), 200);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET, "{\"tags\":{\"t\":\"2\"}}"), 200);
	assert_non_null(strstr(reply(), "\"contentType\":\"a\""));
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET, "{\"contentType\":\"b\"}"), 200);
	assert_int_equal(released(), 0);
	assert_int_equal(get(f, SECRET "?value=none"), 200);
	assert_non_null(strstr(reply(), "\"contentType\":\"b\""));
	assert_non_null(strstr(reply(), "\"t\":\"2\""));
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET, "{\"contentType\":\"\"}"), 200);
	assert_null(strstr(reply(), "contentType"));
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET, "{\"key_ops\":[\"sign\"]}"), 400);
	assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET, "{\"value\":\"x\"}"), 400);
}

/* The same name is a key and a secret, and neither is found as the other. */
static void keys_and_secrets_are_apart(void **state)
{
	struct fixture *f = *state;

	make_vault(f);
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/vaults/payroll/keys/db/create",
				 "{\"kty\":\"oct\"}"), 200);
	assert_int_equal(get(f, SECRET), 404);
	assert_int_equal(set(f, "{}"), 200);
	assert_int_equal(set_len(f, "/vaults/payroll/secrets/only", "{}", 90), 200);
	assert_int_equal(get(f, "/vaults/payroll/keys/only"), 404);
	assert_non_null(strstr(reply(), "KeyNotFound"));
	assert_int_equal(open_key(f, "payroll/secrets/only", 0), -ENOKEY);
	assert_int_equal(open_key(f, "payroll/keys/only", 0), -ENOKEY);
	assert_int_equal(get(f, "/vaults/payroll/keys"), 200);
	assert_null(strstr(reply(), "secrets"));
	assert_int_equal(get(f, "/vaults/payroll/secrets"), 200);
	assert_null(strstr(reply(), "kty"));
	assert_non_null(strstr(reply(), "/secrets/db\""));
	assert_non_null(strstr(reply(), "/secrets/only\""));
	assert_int_equal(released(), 0);
	assert_int_equal(get(f, SECRET "/versions"), 200);
	assert_non_null(strstr(reply(), "/secrets/db/"));
	assert_int_equal(released(), 0);
	assert_int_equal(get(f, "/vaults/payroll/secrets/none/versions"), 404);
}

static void be(struct fixture *f, uint32_t uid)
{
	f->who[0].flags = f->who[1].flags = KVAULT_PRINCIPAL_INIT_PIDNS |
					    (uid ? 0 : KVAULT_PRINCIPAL_ADMIN);
	f->who[0].uid = f->who[1].uid = uid;
}

static void assign(struct fixture *f, const char *role, unsigned int uid)
{
	char path[80], body[256];

	snprintf(path, sizeof(path), "/roleAssignments/00000000-0000-0000-0000-%012u", uid);
	snprintf(body, sizeof(body), "{\"properties\":{\"scope\":\"/payroll/secrets/db\","
		 "\"roleDefinitionId\":\"%s\",\"principalId\":\"uid:%u\"}}", role, uid);
	assert_int_equal(control(f, KVAULT_METHOD_PUT, path, body), 201);
}

static void rights_to_the_value_are_rights_of_their_own(void **state)
{
	static const struct {
		const char *role;
		int set, get, see;
	} roles[] = {
		{ "reader", 403, 403, 200 },
		{ "secrets-user", 403, 200, 200 },
		{ "secrets-officer", 200, 200, 200 },
		{ "crypto-officer", 403, 403, 403 },
	};
	struct fixture *f = *state;
	unsigned int i;

	make_vault(f);
	assert_int_equal(set(f, "{}"), 200);
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		be(f, 0);
		assign(f, roles[i].role, 1000 + i);
		be(f, 1000 + i);
		assert_int_equal(get(f, SECRET), roles[i].get);
		assert_int_equal(!!released(), roles[i].get == 200);
		assert_int_equal(get(f, SECRET "?value=none"), roles[i].see);
		assert_int_equal(set(f, "{}"), roles[i].set);
		assert_int_equal(control(f, KVAULT_METHOD_PATCH, SECRET, "{}"), roles[i].set);
		assert_int_equal(get(f, "/vaults/payroll/secrets/other"), 403);
	}
}

/* What cannot be recorded is not released. */
static void a_value_is_recorded_before_it_is_released(void **state)
{
	struct fixture *f = *state;

	make_vault(f);
	assert_int_equal(set(f, "{}"), 200);
	assert_int_equal(get(f, SECRET), 200);
	assert_int_equal(get(f, SECRET "?value=none"), 200);
	assert_int_equal(get(f, "/audit?after=0"), 200);
	assert_non_null(strstr(reply(), "\"operationName\":\"SecretSet\""));
	assert_non_null(strstr(reply(), "\"operationName\":\"SecretGet\""));
	assert_non_null(strstr(reply(), "\"operationName\":\"SecretGetMetadata\""));
	assert_non_null(strstr(reply(), "payroll/secrets/db/"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_value_is_released_to_who_gets_it),
		T(an_empty_value_is_one),
		T(what_is_too_large_is_refused),
		T(bad_bodies_set_nothing),
		T(a_disabled_secret_keeps_its_value),
		T(an_update_changes_what_it_names),
		T(keys_and_secrets_are_apart),
		T(rights_to_the_value_are_rights_of_their_own),
		T(a_value_is_recorded_before_it_is_released),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
