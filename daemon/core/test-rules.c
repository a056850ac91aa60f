// SPDX-License-Identifier: GPL-2.0-only
/* Names, addresses, units, and the table of types, operations and algorithms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/access.h"
#include "core/address.h"
#include "core/keyrule.h"
#include "core/unit.h"

static void names_of_objects(void **state)
{
	char longest[129];

	(void)state;
	memset(longest, 'a', 128);
	longest[128] = '\0';
	assert_true(kvd_name_is_object("a", 1));
	assert_true(kvd_name_is_object("-A0-", 4));
	assert_true(kvd_name_is_object(longest, 127));
	assert_false(kvd_name_is_object(longest, 128));
	assert_false(kvd_name_is_object("", 0));
	assert_false(kvd_name_is_object("a_b", 3));
	assert_false(kvd_name_is_object("a b", 3));
	assert_false(kvd_name_is_object("a\0b", 3));
	assert_false(kvd_name_is_object("\xc3\xa9", 2));
	assert_false(kvd_name_is_object("..", 2));
	assert_true(kvd_name_is_vault("pay-roll1", 9));
	assert_false(kvd_name_is_vault("-payroll", 8));
	assert_false(kvd_name_is_vault("payroll-", 8));
	assert_false(kvd_name_is_vault(longest, 64));
}

static int address(const char *text, bool short_form, struct kvd_address *a)
{
	return kvd_address_parse(text, strlen(text), short_form, a);
}

static void addresses_have_one_long_and_one_short_form(void **state)
{
	static const char *const bad[] = { "", "/", "v", "v/", "/keys/k", "v/keys/", "v//k",
					   "v/keys/k/", "v/keys/k/1", "v/secrets/k/x/y",
					   "v/keys/k/0123456789abcdef0123456789abcdeg",
					   "v/keys/k/0123456789abcdef0123456789abcdef/x",
					   "kvault:", "v/ke ys/k" };
	struct kvd_address a;
	size_t i;

	(void)state;
	assert_int_equal(address("v/keys/k", false, &a), 0);
	assert_string_equal(a.vault, "v");
	assert_string_equal(a.name, "k");
	assert_false(a.has_version);
	assert_int_equal(address("v/keys/k/0123456789ABCDEF0123456789abcdef", false, &a), 0);
	assert_true(a.has_version);
	assert_int_equal(a.version[15], 0xef);
	assert_int_equal(address("v/k", false, &a), -EINVAL);
	assert_int_equal(address("kvault:v/k", true, &a), 0);
	assert_string_equal(a.name, "k");
	assert_int_equal(address("v/keys", true, &a), 0);
	assert_string_equal(a.name, "keys");
	assert_int_equal(address("v/k/0123456789abcdef0123456789abcdef", true, &a), 0);
	assert_true(a.has_version);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!address(bad[i], true, &a) || !address(bad[i], false, &a))
			fail_msg("accepted: %s", bad[i]);
}

static void units_come_from_trusted_folders_only(void **state)
{
	static const struct {
		const char *cgroup, *unit;
	} table[] = {
		{ "/system.slice/nginx.service", "nginx.service" },
		{ "/system.slice/system-getty.slice/getty@tty1.service/x", "getty@tty1.service" },
		{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/evil.service",
		  "user@1000.service" },
		{ "/init.scope", "init.scope" },
		{ "/", NULL }, { "", NULL }, { "/nginx.service", NULL },
		{ "/evil/system.slice/nginx.service", NULL },
		{ "/system.slice", NULL }, { "/system.slice/evil/nginx.service", NULL },
		{ "system.slice/nginx.service", NULL }, { "/evil.slice/nginx.service", NULL },
	};
	char unit[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		bool found = kvd_unit_of(table[i].cgroup, unit, sizeof(unit));

		if (found != !!table[i].unit)
			fail_msg("%s: %s", table[i].cgroup, found ? unit : "no unit");
		if (found)
			assert_string_equal(unit, table[i].unit);
	}
	assert_false(kvd_unit_of("/system.slice/nginx.service", unit, 8));
}

static int settle(uint32_t kty, bool hsm, uint32_t bits, uint32_t curve, uint32_t ops,
		  struct kvd_key_spec *out)
{
	*out = (struct kvd_key_spec){ kty, hsm, bits, curve, ops };
	return kvd_key_spec_settle(out, NULL);
}

static void specs_get_defaults(void **state)
{
	struct kvd_key_spec k;

	(void)state;
	assert_int_equal(settle(KVAULT_KTY_OCT, false, 0, 0, 0, &k), 0);
	assert_int_equal(k.bits, 256);
	assert_int_equal(k.ops, KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT | KVAULT_OP_WRAP |
			 KVAULT_OP_UNWRAP);
	assert_int_equal(settle(KVAULT_KTY_RSA, true, 0, 0, 0, &k), 0);
	assert_int_equal(k.bits, 2048);
	assert_int_equal(settle(KVAULT_KTY_EC, false, 0, 0, 0, &k), 0);
	assert_int_equal(k.curve, KVAULT_CURVE_P256);
	assert_int_equal(k.ops, KVAULT_OP_SIGN | KVAULT_OP_VERIFY);
	assert_int_equal(settle(KVAULT_KTY_OCT, false, 0, 0, KVAULT_OP_VOLUME, &k), 0);
	assert_int_equal(k.bits, 512);
}

static void specs_that_do_not_fit_are_refused(void **state)
{
	struct kvd_key_spec k;

	(void)state;
	assert_int_not_equal(settle(0, false, 0, 0, 0, &k), 0);
	assert_int_not_equal(settle(4, false, 0, 0, 0, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_OCT, false, 64, 0, 0, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_OCT, false, 512, 0, 0, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_OCT, false, 0, KVAULT_CURVE_P256, 0, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_OCT, true, 256, 0, 0, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_OCT, false, 384, 0, KVAULT_OP_VOLUME, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_OCT, false, 512, 0,
				    KVAULT_OP_VOLUME | KVAULT_OP_ENCRYPT, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_OCT, false, 256, 0, KVAULT_OP_IMPORT, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_RSA, false, 1024, 0, 0, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_RSA, false, 2048, 0, KVAULT_OP_VOLUME, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_RSA, false, 2048, 0,
				    KVAULT_OP_IMPORT | KVAULT_OP_SIGN, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_EC, false, 256, 0, 0, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_EC, false, 0, 0, KVAULT_OP_ENCRYPT, &k), 0);
	assert_int_not_equal(settle(KVAULT_KTY_RSA, false, 2048, 0, KVAULT_OP_EXPORT, &k), 0);
}

static void names_and_numbers_agree(void **state)
{
	uint32_t kty, curve, op;
	bool hsm;

	(void)state;
	assert_true(kvd_kty_parse("EC-HSM", &kty, &hsm));
	assert_int_equal(kty, KVAULT_KTY_EC);
	assert_true(hsm);
	assert_string_equal(kvd_kty_name(kty, hsm), "EC-HSM");
	assert_false(kvd_kty_parse("ec", &kty, &hsm));
	assert_true(kvd_curve_parse("P-256K", &curve));
	assert_string_equal(kvd_curve_name(curve), "P-256K");
	assert_null(kvd_curve_name(0));
	assert_null(kvd_curve_name(99));
	for (op = 1; op <= KVAULT_OP_VOLUME; op <<= 1)
		assert_int_equal(kvd_op_parse(kvd_op_name(op)), op);
	assert_int_equal(kvd_op_parse("wrapkey"), 0);
}

static void principals_and_scopes_are_exact(void **state)
{
	static const char *const bad[] = { "", "uid:", "uid:x", "uid:-1", "uid: 1", "uid:1x",
					   "uid:4294967295", "uid:99999999999999999999",
					   "user:root", "exe:/bin/sh" };
	char out[32];
	size_t i;

	(void)state;
	assert_true(kvd_principal_parse("uid:01000", out, sizeof(out)));
	assert_string_equal(out, "uid:1000");
	assert_true(kvd_principal_parse("gid:0", out, sizeof(out)));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (kvd_principal_parse(bad[i], out, sizeof(out)))
			fail_msg("accepted: %s", bad[i]);
	assert_true(kvd_scope_is_valid("/"));
	assert_true(kvd_scope_is_valid("/payroll"));
	assert_true(kvd_scope_is_valid("/payroll/keys/signing"));
	assert_false(kvd_scope_is_valid("payroll"));
	assert_false(kvd_scope_is_valid("/payroll/"));
	assert_false(kvd_scope_is_valid("/payroll/keys"));
	assert_false(kvd_scope_is_valid("/payroll/keys/s/0123456789abcdef0123456789abcdef"));
}

static void every_outcome_has_a_code(void **state)
{
	int r;

	(void)state;
	for (r = KVD_E_PENDING; r < KVD_E_MAX; r++) {
		assert_true(kvd_error_of(r)->http >= 400);
		assert_true(kvd_error_of(r)->err < 0);
		assert_true(kvd_error_of(r)->code[0]);
	}
	assert_int_equal(kvd_error_of(-ENOMEM)->http, 500);
	assert_int_equal(kvd_error_of(KVD_E_MAX)->http, 500);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_objects),
		cmocka_unit_test(addresses_have_one_long_and_one_short_form),
		cmocka_unit_test(units_come_from_trusted_folders_only),
		cmocka_unit_test(specs_get_defaults),
		cmocka_unit_test(specs_that_do_not_fit_are_refused),
		cmocka_unit_test(names_and_numbers_agree),
		cmocka_unit_test(principals_and_scopes_are_exact),
		cmocka_unit_test(every_outcome_has_a_code),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
