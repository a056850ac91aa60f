// SPDX-License-Identifier: GPL-2.0-only
/* Addresses, names, times, encodings, recovery codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "cli.h"
#include "internal.h"

#define VERSION	"0123456789abcdef0123456789abcdef"

static void addresses_have_many_forms(void **state)
{
	static const char *const forms[] = {
		"payroll/signing", "payroll/keys/signing", "kvault:payroll/signing",
		"/payroll/keys/signing", "kvault:/payroll/keys/signing",
		"https://payroll.vault.kvault.internal/keys/signing",
	};
	struct kvault_address a;
	char text[KVAULT_PATH_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < KVL_SIZE(forms); i++) {
		assert_int_equal(kvault_address_parse(forms[i], &a, NULL), 0);
		kvault_address_format(&a, text, sizeof(text));
		assert_string_equal(text, "payroll/keys/signing");
	}
}

static void addresses_of_secrets_are_none_of_keys(void **state)
{
	static const char *const forms[] = {
		"payroll/db", "payroll/secrets/db", "/payroll/secrets/db",
		"kvault:payroll/secrets/db", "https://payroll.vault.kvault.internal/secrets/db",
	};
	char text[KVAULT_PATH_MAX];
	struct kvault_address a;
	const char *why = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(kvault_address_parse_as(KVAULT_OBJECT_SECRET, forms[i], &a, NULL),
				 0);
		kvault_address_format(&a, text, sizeof(text));
		assert_string_equal(text, "payroll/secrets/db");
		assert_int_equal(kvault_address_parse(forms[i], &a, &why), i ? -EINVAL : 0);
	}
	assert_int_equal(kvault_address_parse_as(KVAULT_OBJECT_SECRET, "p/keys/k", &a, &why),
			 -EINVAL);
	assert_non_null(strstr(why, "secret"));
	assert_int_equal(kvault_address_parse_as(KVAULT_OBJECT_SECRET, "p/certs/k", &a, NULL),
			 -EINVAL);
}

static void addresses_may_name_a_version(void **state)
{
	static const char *const forms[] = {
		"p/s/" VERSION, "p/keys/s/" VERSION, "https://p.vault.x/keys/s/" VERSION,
		"p/s/0123456789ABCDEF0123456789ABCDEF",
	};
	struct kvault_address a;
	size_t i;

	(void)state;
	for (i = 0; i < KVL_SIZE(forms); i++) {
		assert_int_equal(kvault_address_parse(forms[i], &a, NULL), 0);
		assert_string_equal(a.version, VERSION);
	}
	/* two parts are always the short form: a key may be called 'keys' */
	assert_int_equal(kvault_address_parse("p/keys", &a, NULL), 0);
	assert_string_equal(a.name, "keys");
}

static void addresses_that_are_wrong_are_refused(void **state)
{
	static const char *const forms[] = {
		"", "/", "p", "p/", "/p", "p//s", "p/s/", "p/s/123", "p/keys/s/x", "p/secrets/s",
		"p/certs/s", "a/b/c/d/e", "-p/s", "p-/s", "p/s t", "p/s\n", "p/\xc3\xa4",
		"https://p/s", "https:///keys/s", "http://p.x/keys/s", "p/s/" VERSION "0",
		"p/keys/s/" VERSION "/x", "..", "../..", "p/..",
	};
	struct kvault_address a;
	const char *why;
	char longer[256];
	size_t i;

	(void)state;
	for (i = 0; i < KVL_SIZE(forms); i++) {
		why = NULL;
		assert_int_equal(kvault_address_parse(forms[i], &a, &why), -EINVAL);
		assert_non_null(why);
	}
	memset(longer, 'a', sizeof(longer));
	longer[64] = '/';
	longer[66] = '\0';
	assert_int_equal(kvault_address_parse(longer, &a, NULL), -EINVAL);
	assert_int_equal(kvault_address_parse(longer + 1, &a, NULL), 0);
	longer[66] = 'a';
	longer[1 + 64 + 127] = '\0';
	assert_int_equal(kvault_address_parse(longer + 1, &a, NULL), 0);
	longer[1 + 64 + 127] = 'a';
	longer[1 + 64 + 128] = '\0';
	assert_int_equal(kvault_address_parse(longer + 1, &a, NULL), -EINVAL);
}

static void times_are_read(void **state)
{
	int64_t t;

	(void)state;
	assert_int_equal(cli_time_parse("1766422800", 0, &t), 0);
	assert_int_equal(t, 1766422800);
	assert_int_equal(cli_time_parse("2026-11-22T16:00:00Z", 0, &t), 0);
	assert_int_equal(t, 1795363200);
	assert_int_equal(cli_time_parse("2026-11-22T17:30:00.123+01:30", 0, &t), 0);
	assert_int_equal(t, 1795363200);
	assert_int_equal(cli_time_parse("+90d", 1000, &t), 0);
	assert_int_equal(t, 1000 + 90 * 86400);
	assert_int_equal(cli_time_parse("-2h", 10000, &t), 0);
	assert_int_equal(t, 2800);
	assert_int_equal(cli_time_parse("never", 1000, &t), 0);
	assert_int_equal(t, 0);
	assert_int_equal(cli_duration_parse("30d", &t), 0);
	assert_int_equal(t, 2592000);
}

static void times_that_are_wrong_are_refused(void **state)
{
	static const char *const forms[] = {
		"", "x", "soon", "+", "+d", "+90", "+90x", "+90dd", "+-9d", "-9d", "12:00",
		"2026-13-01T00:00:00Z", "2026-02-31T00:00:00Z", "2026-11-22T24:00:00Z",
		"2026-11-22T10:00:00", "2026-11-22T10:00:00+0100", "2026-11-22T10:00:00Zx",
		"2026-11-22X10:00:00Z", "99999999999999999999", "253402300800",
		"1969-12-31T23:59:59Z", "+99999999999y", "2026-02-30", "1e9",
	};
	int64_t t = 42;
	size_t i;

	(void)state;
	for (i = 0; i < KVL_SIZE(forms); i++)
		if (!cli_time_parse(forms[i], 100, &t))
			fail_msg("'%s' was taken for a time", forms[i]);
}

static void algorithms_have_defaults(void **state)
{
	struct kvault_key key = { .kty = KVAULT_KTY_EC, .curve = KVAULT_CURVE_P384 };

	(void)state;
	assert_int_equal(kvault_alg_default(&key, KVAULT_OP_SIGN), KVAULT_ALG_ES384);
	assert_int_equal(kvault_alg_default(&key, KVAULT_OP_ENCRYPT), 0);
	key = (struct kvault_key){ .kty = KVAULT_KTY_RSA, .bits = 2048 };
	assert_int_equal(kvault_alg_default(&key, KVAULT_OP_VERIFY), KVAULT_ALG_PS256);
	assert_int_equal(kvault_alg_default(&key, KVAULT_OP_DECRYPT), KVAULT_ALG_RSA_OAEP_256);
	key = (struct kvault_key){ .kty = KVAULT_KTY_OCT, .bits = 192 };
	assert_int_equal(kvault_alg_default(&key, KVAULT_OP_ENCRYPT), KVAULT_ALG_A192GCM);
	assert_int_equal(kvault_alg_parse("es256"), 0);
	assert_int_equal(kvault_curve_parse("secp256k1"), KVAULT_CURVE_P256K);
}

/* RFC 4648, 10, and what a strict reader refuses. */
static void base64url_is_strict(void **state)
{
	static const char *const bad[] = { "Zg==", "Zh", "Z", "Zm9v Yg", "Zm+v", "Zm/v" };
	char text[16];
	uint8_t out[16];
	size_t len, i;

	(void)state;
	kvault_base64url_encode(text, "fooba", 5);
	assert_string_equal(text, "Zm9vYmE");
	kvault_base64url_encode(text, "\xfb\xff", 2);
	assert_string_equal(text, "-_8");
	assert_int_equal(kvault_base64url_decode(out, 2, "-_8", 3, &len), 0);
	assert_memory_equal(out, "\xfb\xff", 2);
	assert_int_equal(kvault_base64url_decode(out, 1, "-_8", 3, &len), -EMSGSIZE);
	for (i = 0; i < KVL_SIZE(bad); i++)
		assert_int_equal(kvault_base64url_decode(out, sizeof(out), bad[i], strlen(bad[i]),
							 &len), -EINVAL);
}

static void base64url_knows_each_character(void **state)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789-_";
	char text[65];
	uint8_t out[48];
	size_t len;
	int c;

	(void)state;
	assert_int_equal(kvault_base64url_decode(out, sizeof(out), all, 64, &len), 0);
	kvault_base64url_encode(text, out, len);
	assert_string_equal(text, all);
	for (c = 1; c < 256; c++) {
		char one[] = { 'A', (char)c, 'A', 'A' };
		int r = kvault_base64url_decode(out, sizeof(out), one, 4, &len);

		assert_int_equal(r, strchr(all, c) ? 0 : -EINVAL);
	}
}

static void signatures_go_both_ways(void **state)
{
	uint8_t raw[64], der[KVAULT_SIGNATURE_MAX], back[64];
	size_t der_len, len, i;

	(void)state;
	for (i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * 7);
	raw[0] = 0;	/* a short r, a long s */
	raw[32] = 0xff;
	der_len = sizeof(der);
	assert_int_equal(kvault_signature_to_der(KVAULT_ALG_ES256, raw, 64, der, &der_len), 0);
	len = sizeof(back);
	assert_int_equal(kvault_signature_to_raw(KVAULT_ALG_ES256, der, der_len, back, &len), 0);
	assert_int_equal(len, 64);
	assert_memory_equal(raw, back, 64);
	len = sizeof(back);
	assert_int_equal(kvault_signature_to_raw(KVAULT_ALG_ES256, der, der_len - 1, back, &len),
			 -EINVAL);
	der[der_len] = 0;
	assert_int_equal(kvault_signature_to_raw(KVAULT_ALG_ES256, der, der_len + 1, back, &len),
			 -EINVAL);
	der_len = sizeof(der);
	assert_int_equal(kvault_signature_to_der(KVAULT_ALG_ES384, raw, 64, der, &der_len),
			 -EINVAL);
	assert_int_equal(kvault_signature_to_der(KVAULT_ALG_RS256, raw, 64, der, &der_len),
			 -EINVAL);
}

static void recovery_codes_go_both_ways(void **state)
{
	uint8_t code[KVAULT_RECOVERY_SIZE], back[KVAULT_RECOVERY_SIZE];
	char text[KVAULT_RECOVERY_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(code); i++)
		code[i] = (uint8_t)(255 - 3 * i);
	kvault_recovery_format(code, text);
	assert_int_equal(strlen(text), 69);
	assert_int_equal(text[4], '-');
	assert_int_equal(kvault_recovery_parse(text, back), 0);
	assert_memory_equal(code, back, sizeof(code));
	for (i = 0; text[i]; i++) {
		if (text[i] >= 'A')
			text[i] = (char)(text[i] | 0x20);
		if (text[i] == '1')
			text[i] = 'l';
		if (text[i] == '0')
			text[i] = 'o';
		if (text[i] == '-')
			text[i] = ' ';
	}
	assert_int_equal(kvault_recovery_parse(text, back), 0);
	assert_memory_equal(code, back, sizeof(code));
}

/* The code of 32 zeros: all digits 0, and the first 20 bits of SHA-256 of them. */
static void recovery_codes_have_a_fixed_form(void **state)
{
	uint8_t code[KVAULT_RECOVERY_SIZE] = { 0 };
	char text[KVAULT_RECOVERY_TEXT];

	(void)state;
	kvault_recovery_format(code, text);
	/* 66687aadf862… = 01100 11001 10100 00111 … */
	assert_string_equal(text, "0000-0000-0000-0000-0000-0000-0000-0000-"
				  "0000-0000-0000-0000-0000-CSM7");
}

static void recovery_codes_mistyped_are_noticed(void **state)
{
	uint8_t code[KVAULT_RECOVERY_SIZE] = { 1, 2, 3 }, back[KVAULT_RECOVERY_SIZE];
	char text[KVAULT_RECOVERY_TEXT], c;
	size_t i;

	(void)state;
	kvault_recovery_format(code, text);
	for (i = 0; text[i]; i++) {
		if (text[i] == '-')
			continue;
		c = text[i];
		text[i] = c == '7' ? '8' : '7';
		assert_int_equal(kvault_recovery_parse(text, back), -EBADMSG);
		text[i] = c;
	}
	text[68] = '\0';
	assert_int_equal(kvault_recovery_parse(text, back), -EINVAL);
	assert_int_equal(kvault_recovery_parse("", back), -EINVAL);
	assert_int_equal(kvault_recovery_parse("U", back), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_many_forms),
		cmocka_unit_test(addresses_of_secrets_are_none_of_keys),
		cmocka_unit_test(addresses_may_name_a_version),
		cmocka_unit_test(addresses_that_are_wrong_are_refused),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(times_that_are_wrong_are_refused),
		cmocka_unit_test(algorithms_have_defaults),
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(base64url_knows_each_character),
		cmocka_unit_test(signatures_go_both_ways),
		cmocka_unit_test(recovery_codes_go_both_ways),
		cmocka_unit_test(recovery_codes_have_a_fixed_form),
		cmocka_unit_test(recovery_codes_mistyped_are_noticed),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
