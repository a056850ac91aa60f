// SPDX-License-Identifier: GPL-2.0-only
/* Who may do what: default deny, both caller and opener, and whose uids count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/access.h"
#include "store/test-tmp.h"

#define SEE	(KVD_MAY_VAULT_READ | KVD_MAY_READ)
#define USE	(KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT | KVAULT_OP_SIGN | KVAULT_OP_VERIFY |	\
		 KVAULT_OP_WRAP | KVAULT_OP_UNWRAP | KVD_MAY_KEY_BACKUP)

#define LIFE	(KVD_MAY_KEY_DELETE | KVD_MAY_KEY_RECOVER | KVD_MAY_KEY_PURGE |	\
		 KVD_MAY_KEY_BACKUP | KVD_MAY_KEY_RESTORE | KVD_MAY_KEY_ROTATE)

static const struct kvd_id host = { { 1 } }, guest = { { 2 } };

struct fixture {
	char dir[32];
	struct kvd_store *st;
	struct kvault_principal caller, opener;
	struct kvd_who who;
	int n;
};

static int setup(void **state)
{
	struct kvd_tenant t = { .kind = KVAULT_TENANT_HOST };
	struct fixture *f = calloc(1, sizeof(*f));
	struct kvd_why why = { "" };
	char path[64];

	test_tmp_make(f->dir);
	snprintf(path, sizeof(path), "%s/db", f->dir);
	if (kvd_store_open(path, KVD_STORE_CREATE, false, &f->st, &why) ||
	    kvd_store_begin(f->st))
		return -1;
	t.id = host;
	kvd_store_tenant_add(f->st, &t);
	t.id = guest;
	kvd_store_tenant_add(f->st, &t);
	f->caller.uid = f->caller.gid = f->caller.ns_uid = f->caller.ns_gid = 1000;
	f->caller.flags = KVAULT_PRINCIPAL_INIT_PIDNS;
	f->opener = f->caller;
	f->who = (struct kvd_who){ &f->caller, &f->opener, KVAULT_TENANT_HOST };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kvd_store_close(f->st);
	test_tmp_remove(f->dir);
	free(f);
	return 0;
}

static void assign(struct fixture *f, const struct kvd_id *tenant, const char *role,
		   const char *principal, const char *scope)
{
	struct kvd_assignment a = { 0 };

	snprintf(a.id, sizeof(a.id), "%d", f->n++);
	snprintf(a.role, sizeof(a.role), "%s", role);
	snprintf(a.principal, sizeof(a.principal), "%s", principal);
	snprintf(a.scope, sizeof(a.scope), "%s", scope);
	assert_int_equal(kvd_store_role_set(f->st, tenant->b, &a), 0);
}

static uint64_t may_in(struct fixture *f, const struct kvd_id *tenant, const char *vault,
		       const char *name)
{
	const struct kvd_place at = { vault, KVAULT_TYPE_KEY, name };
	uint64_t may = 0xdead;

	assert_int_equal(kvd_access_actions(f->st, tenant->b, &f->who, &at, &may), 0);
	return may;
}

static uint64_t may(struct fixture *f, const char *vault, const char *name)
{
	return may_in(f, &host, vault, name);
}

static void nobody_may_anything(void **state)
{
	static const struct kvd_place key = { "v", KVAULT_TYPE_KEY, "k" };
	static const struct kvd_place secret = { "v", KVAULT_TYPE_SECRET, "k" };
	struct fixture *f = *state;
	struct kvd_why why = { "" };

	assert_int_equal(may(f, "v", "k"), 0);
	f->caller.uid = f->opener.uid = 0;
	assert_int_equal(may(f, "v", "k"), 0);	/* uid 0 alone is nobody */
	assert_int_equal(kvd_access_check(f->st, host.b, &f->who, &key, KVAULT_OP_SIGN, &why),
			 KVD_E_FORBIDDEN);
	assert_non_null(strstr(why.text, "keys/sign/action on /v/keys/k"));
	assert_int_equal(kvd_access_check(f->st, host.b, &f->who, &secret, KVD_MAY_SECRET_GET,
					  &why), KVD_E_FORBIDDEN);
	assert_non_null(strstr(why.text, "secrets/getSecret/action on /v/secrets/k"));
}

static void administrator_may_all(void **state)
{
	struct fixture *f = *state;

	f->caller.flags |= KVAULT_PRINCIPAL_ADMIN;
	assert_int_equal(may(f, "v", "k"), 0);	/* the opener is not one */
	f->opener.flags |= KVAULT_PRINCIPAL_ADMIN;
	assert_int_equal(may(f, "v", "k"), KVD_MAY_ALL);
}

static void roles_hold_in_their_scope(void **state)
{
	struct fixture *f = *state;

	assign(f, &host, "crypto-user", "uid:1000", "/pay/keys/Sign");
	assert_int_equal(may(f, "pay", "sign"), USE | SEE);
	assert_int_equal(may(f, "PAY", "SIGN"), USE | SEE);
	assert_int_equal(may(f, "pay", "signer"), 0);
	assert_int_equal(may(f, "payroll", "sign"), 0);
	assert_int_equal(may(f, "pa", "sign"), 0);
	assert_int_equal(may(f, "pay", NULL), 0);
	assert_int_equal(may(f, NULL, NULL), 0);
	assign(f, &host, "reader", "gid:1000", "/pay");
	assert_int_equal(may(f, "pay", NULL), SEE | KVD_MAY_SECRET_READ);
	assert_int_equal(may(f, "pay", "other"), SEE | KVD_MAY_SECRET_READ);
	assert_int_equal(may(f, "payroll", NULL), 0);
	assert_int_equal(may(f, NULL, NULL), 0);
	assign(f, &host, "crypto-officer", "uid:1000", "/");
	assert_int_equal(may(f, NULL, NULL), KVAULT_OP_ALL | SEE | KVD_MAY_KEY_WRITE | LIFE);
}

/* What is for the keys of a name is not for the secret of that name, nor the other way. */
static void a_scope_is_of_one_type(void **state)
{
	static const struct kvd_place key = { "pay", KVAULT_TYPE_KEY, "db" };
	static const struct kvd_place secret = { "pay", KVAULT_TYPE_SECRET, "db" };
	struct fixture *f = *state;
	uint64_t got = 0;

	assign(f, &host, "administrator", "uid:1000", "/pay/keys/db");
	assert_int_equal(kvd_access_actions(f->st, host.b, &f->who, &key, &got), 0);
	assert_int_not_equal(got, 0);
	assert_int_equal(kvd_access_actions(f->st, host.b, &f->who, &secret, &got), 0);
	assert_int_equal(got, 0);
	assign(f, &host, "secrets-user", "uid:1000", "/pay/secrets/DB");
	assert_int_equal(kvd_access_actions(f->st, host.b, &f->who, &secret, &got), 0);
	assert_int_equal(got, KVD_MAY_VAULT_READ | KVD_MAY_SECRET_READ | KVD_MAY_SECRET_GET);
}

/* Who works with keys sees no secret, and who reads sees no value. */
static void values_are_a_right_of_their_own(void **state)
{
	struct fixture *f = *state;

	assign(f, &host, "crypto-officer", "uid:1000", "/a");
	assert_int_equal(may(f, "a", NULL) & (KVD_MAY_SECRET_READ | KVD_MAY_SECRET_GET |
					      KVD_MAY_SECRET_WRITE), 0);
	assign(f, &host, "reader", "uid:1000", "/b");
	assert_int_equal(may(f, "b", NULL) & (KVD_MAY_SECRET_GET | KVD_MAY_SECRET_WRITE), 0);
	assign(f, &host, "secrets-user", "uid:1000", "/c");
	assert_int_equal(may(f, "c", NULL) & (KVAULT_OP_ALL | KVD_MAY_READ |
					      KVD_MAY_SECRET_WRITE), 0);
	assign(f, &host, "secrets-officer", "uid:1000", "/d");
	assert_int_equal(may(f, "d", NULL) & (KVAULT_OP_ALL | KVD_MAY_READ), 0);
	assert_int_not_equal(may(f, "d", NULL) & KVD_MAY_SECRET_WRITE, 0);
}

static void other_tenants_roles_do_not_count(void **state)
{
	struct fixture *f = *state;

	assign(f, &guest, "administrator", "uid:1000", "/");
	assert_int_equal(may(f, "v", "k"), 0);
}

static void caller_and_opener_must_both_be_allowed(void **state)
{
	struct fixture *f = *state;

	assign(f, &host, "crypto-user", "uid:1000", "/");
	f->opener.uid = 1001;
	assert_int_equal(may(f, "v", "k"), 0);
	assign(f, &host, "reader", "uid:1001", "/");
	assert_int_equal(may(f, "v", "k"), SEE);
	f->opener.flags |= KVAULT_PRINCIPAL_ADMIN;
	assert_int_equal(may(f, "v", "k"), USE | SEE);
}

static void host_uids_count_only_in_the_first_pid_namespace(void **state)
{
	struct fixture *f = *state;

	assign(f, &host, "crypto-user", "uid:1000", "/");
	f->caller.flags = 0;
	assert_int_equal(may(f, "v", "k"), 0);
}

static void guests_uids_are_their_own(void **state)
{
	struct fixture *f = *state;

	assign(f, &guest, "crypto-user", "uid:1000", "/");
	f->who.tenant_kind = KVAULT_TENANT_EPHEMERAL;
	f->caller.ns_uid = f->opener.ns_uid = 5;
	assert_int_equal(may_in(f, &guest, "v", "k"), 0);
	f->caller.ns_uid = f->opener.ns_uid = 1000;
	f->caller.uid = f->opener.uid = 101000;
	f->caller.flags = f->opener.flags = 0;
	assert_int_equal(may_in(f, &guest, "v", "k"), USE | SEE);
	assign(f, &guest, "administrator", "uid:65534", "/");
	f->caller.ns_uid = f->opener.ns_uid = 65534;
	assert_int_equal(may_in(f, &guest, "v", "k"), 0);	/* not mapped is nobody */
}

static void roles_have_slugs_names_and_guids(void **state)
{
	(void)state;
	assert_string_equal(kvd_role_slug("Key Vault Crypto User"), "crypto-user");
	assert_string_equal(kvd_role_slug("12338AF0-0e69-4776-bea7-57ae8d297424"), "crypto-user");
	assert_null(kvd_role_slug("crypto"));
	assert_int_equal(kvd_role_actions("administrator") & KVD_MAY_ROOT, 0);
	assert_int_equal(kvd_role_actions("nonsense"), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(nobody_may_anything),
		T(administrator_may_all),
		T(roles_hold_in_their_scope),
		T(a_scope_is_of_one_type),
		T(values_are_a_right_of_their_own),
		T(other_tenants_roles_do_not_count),
		T(caller_and_opener_must_both_be_allowed),
		T(host_uids_count_only_in_the_first_pid_namespace),
		T(guests_uids_are_their_own),
		T(roles_have_slugs_names_and_guids),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
