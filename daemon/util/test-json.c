// SPDX-License-Identifier: GPL-2.0-only
/* Strict JSON, base64url and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/base64.h"
#include "util/json.h"
#include "util/time.h"

static int parse(const char *text, size_t len)
{
	_cleanup_json_ json_t *j = NULL;
	struct kvd_why why = { "" };

	return kvd_json_parse(text, len, &j, &why);
}

static void json_refuses_what_is_not_strict(void **state)
{
	static const char *const bad[] = {
		"", " ", "{", "[]", "null", "1", "\"x\"", "{}x", "{}{}", "{\"a\":1,\"a\":2}",
		"{\"a\":\"\xff\"}", "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":'x'}", "{a:1}", "{\"a\":01}", "{\"a\":1,}", "{\"a\":NaN}",
		"{\"a\":99999999999999999999}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i], strlen(bad[i])) != KVD_E_BAD_PARAMETER)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(parse("{}\0", 3), KVD_E_BAD_PARAMETER);
	assert_int_equal(parse("{\"a\":{\"b\":[1,true,null]}}", 25), 0);
}

static void json_refuses_deep_nesting(void **state)
{
	char text[256] = "";
	size_t i;

	(void)state;
	for (i = 0; i < KVD_JSON_DEPTH; i++)
		strcat(text, "{\"a\":");
	strcat(text, "{}");
	for (i = 0; i < KVD_JSON_DEPTH; i++)
		strcat(text, "}");
	assert_int_equal(parse(text, strlen(text)), KVD_E_BAD_PARAMETER);
}

static void json_errors_do_not_quote_the_input(void **state)
{
	_cleanup_json_ json_t *j = NULL;
	struct kvd_why why = { "" };

	(void)state;
	assert_int_equal(kvd_json_parse("{\"k\": s3cr3t}", 13, &j, &why), KVD_E_BAD_PARAMETER);
	assert_null(strstr(why.text, "s3cr3t"));
}

static void json_names_unknown_members(void **state)
{
	static const char *const known[] = { "a", "b", NULL };
	_cleanup_json_ json_t *j = json_pack("{s:i, s:i}", "a", 1, "c", 2);
	struct kvd_why why = { "" };

	(void)state;
	assert_int_equal(kvd_json_only(j, known, "the body", &why), KVD_E_BAD_PARAMETER);
	assert_non_null(strstr(why.text, "'c'"));
}

static void json_checks_types_and_ranges(void **state)
{
	_cleanup_json_ json_t *j = json_loads("{\"s\":\"x\",\"n\":5,\"neg\":-1,\"r\":1.5,"
					      "\"null\":null,\"b\":true,\"z\":\"a\\u0000b\"}",
					      JSON_ALLOW_NUL, NULL);
	const char *s = "default";
	uint64_t n = 7;
	bool b = false;

	(void)state;
	assert_int_equal(kvd_json_str(j, "null", &s, NULL), 0);
	assert_string_equal(s, "default");
	assert_int_equal(kvd_json_str(j, "n", &s, NULL), KVD_E_BAD_PARAMETER);
	assert_int_equal(kvd_json_str(j, "z", &s, NULL), KVD_E_BAD_PARAMETER);
	assert_int_equal(kvd_json_uint(j, "n", 4, &n, NULL), KVD_E_BAD_PARAMETER);
	assert_int_equal(kvd_json_uint(j, "neg", 9, &n, NULL), KVD_E_BAD_PARAMETER);
	assert_int_equal(kvd_json_uint(j, "r", 9, &n, NULL), KVD_E_BAD_PARAMETER);
	assert_int_equal(n, 7);
	assert_int_equal(kvd_json_uint(j, "n", 5, &n, NULL), 0);
	assert_int_equal(n, 5);
	assert_int_equal(kvd_json_bool(j, "n", &b, NULL), KVD_E_BAD_PARAMETER);
	assert_int_equal(kvd_json_bool(j, "b", &b, NULL), 0);
	assert_true(b);
}

static void json_shows_bytes_that_are_no_text(void **state)
{
	_cleanup_json_ json_t *text = kvd_json_bytes("/usr/bin/\xc3\xa9", 11);
	_cleanup_json_ json_t *bytes = kvd_json_bytes("a\xff\\b\n", 5);

	(void)state;
	assert_string_equal(json_string_value(text), "/usr/bin/\xc3\xa9");
	assert_string_equal(json_string_value(bytes), "a\\xff\\x5cb\\x0a");
}

static void canonical_json_is_sorted_and_compact(void **state)
{
	_cleanup_json_ json_t *j = json_loads("{\"b\": [1, 2], \"a\": \"\\u00e9/\"}", 0, NULL);
	_cleanup_free_ char *text = kvd_json_canonical(j);

	(void)state;
	assert_string_equal(text, "{\"a\":\"\xc3\xa9/\",\"b\":[1,2]}");
}

static void base64url_goes_both_ways(void **state)
{
	static const uint8_t bytes[] = { 0xfb, 0xff, 0x00, 0x01, 0xfe };
	uint8_t back[5];
	char text[8];
	size_t n;

	(void)state;
	for (n = 0; n <= sizeof(bytes); n++) {
		kvd_base64url_encode(text, bytes, n);
		assert_int_equal(strlen(text), KVD_BASE64_LEN(n));
		assert_int_equal(kvd_base64url_decode(back, sizeof(back), text, strlen(text)), n);
		assert_memory_equal(back, bytes, n);
	}
	kvd_base64url_encode(text, bytes, 5);
	assert_string_equal(text, "-_8AAf4");
}

static void base64url_refuses_what_is_not_exact(void **state)
{
	static const char *const bad[] = { "A", "AAAAA", "AA==", "A+AA", "A/AA", "AB", "AA A",
					   "AAB" };
	uint8_t back[8];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (kvd_base64url_decode(back, sizeof(back), bad[i], strlen(bad[i])) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(kvd_base64url_decode(back, 2, "AAAA", 4), -EMSGSIZE);
}

static void times_are_rfc3339_in_utc(void **state)
{
	char text[KVD_RFC3339_SIZE];

	(void)state;
	kvd_time_rfc3339(text, 1795362490123456789ull);
	assert_string_equal(text, "2026-11-22T15:48:10.123456789Z");
	kvd_time_rfc3339(text, 0);
	assert_string_equal(text, "1970-01-01T00:00:00.000000000Z");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_refuses_what_is_not_strict),
		cmocka_unit_test(json_refuses_deep_nesting),
		cmocka_unit_test(json_errors_do_not_quote_the_input),
		cmocka_unit_test(json_names_unknown_members),
		cmocka_unit_test(json_checks_types_and_ranges),
		cmocka_unit_test(json_shows_bytes_that_are_no_text),
		cmocka_unit_test(canonical_json_is_sorted_and_compact),
		cmocka_unit_test(base64url_goes_both_ways),
		cmocka_unit_test(base64url_refuses_what_is_not_exact),
		cmocka_unit_test(times_are_rfc3339_in_utc),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
