// SPDX-License-Identifier: GPL-2.0-only
/* The chain, the kernel's records in it, and what leases reserve and give back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/sha.h>

#include "core/audit.h"
#include "core/denial.h"
#include "core/lease.h"
#include "store/test-tmp.h"
#include "util/json.h"
#include "util/time.h"

static const struct kvd_id host = { { 1 } };

struct fixture {
	char dir[32];
	struct kvd_context ctx;
	struct kvd_store *st;
	struct kvd_version v;
};

static void add_key(struct fixture *f)
{
	char tags[] = "{}", jwk[] = "{}";
	uint8_t blob[] = "KVB1";
	struct kvd_object o = { .id = { { 20 } }, .type = KVAULT_TYPE_KEY, .name = "signing" };
	struct kvd_vault vault = { .id = { { 10 } }, .name = "payroll", .tags = tags };
	struct kvd_version v = { .id = { { 30 } }, .object = o.id, .kty = KVAULT_KTY_OCT,
				 .bits = 256, .ops = KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT,
				 .tags = tags, .jwk = jwk, .blob = blob, .blob_len = 4 };

	assert_int_equal(kvd_store_vault_add(f->st, host.b, &vault), 0);
	assert_int_equal(kvd_store_object_add(f->st, host.b, &vault.id, &o, 0), 0);
	assert_int_equal(kvd_store_version_add(f->st, host.b, &v), 0);
	assert_int_equal(kvd_store_version_find(f->st, host.b, "payroll", KVAULT_TYPE_KEY,
						"signing", NULL, &f->v), 0);
}

static int setup(void **state)
{
	struct kvd_tenant t = { .id = host, .kind = KVAULT_TENANT_HOST };
	struct fixture *f = calloc(1, sizeof(*f));
	struct kvd_why why = { "" };
	char path[64];

	kvd_context_init(&f->ctx);
	test_tmp_make(f->dir);
	snprintf(path, sizeof(path), "%s/db", f->dir);
	if (kvd_store_open(path, KVD_STORE_CREATE, false, &f->ctx.host, &why) ||
	    kvd_store_begin(f->ctx.host) || kvd_store_tenant_add(f->ctx.host, &t))
		return -1;
	f->st = f->ctx.host;
	add_key(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kvd_version_done(&f->v);
	kvd_context_done(&f->ctx);
	test_tmp_remove(f->dir);
	free(f);
	return 0;
}

struct check {
	uint8_t prev[32];
	uint64_t n;
	uint64_t broken;
	char last[4096];
};

/* As an independent reader does it: the three parts, hashed in one piece. */
static int check_one(const struct kvd_log_row *row, void *data)
{
	struct check *c = data;
	uint8_t buf[1 + 32 + 4096] = { 0 }, hash[32];

	memcpy(buf + 1, c->prev, 32);
	memcpy(buf + 33, row->json, row->len);
	SHA256(buf, 33 + row->len, hash);
	c->n++;
	if (!c->broken && (row->seq != c->n || memcmp(hash, row->hash, 32)))
		c->broken = row->seq;
	memcpy(c->prev, row->hash, 32);
	snprintf(c->last, sizeof(c->last), "%.*s", (int)row->len, row->json);
	return 0;
}

static struct check check(struct fixture *f)
{
	struct check c = { 0 };

	assert_int_equal(kvd_store_log_each(f->st, host.b, 0, check_one, &c), 0);
	return c;
}

static struct kvault_audit_rec use(uint64_t seq)
{
	struct kvault_audit_rec rec = {
		.size = sizeof(rec), .type = KVAULT_AUDIT_USE, .seq = seq, .time = 1,
		.op = KVAULT_OP_ENCRYPT, .alg = KVAULT_ALG_A256GCM, .face = KVAULT_FACE_IOCTL,
		.count = 5, .key = { 20 }, .version = { 30 },
	};

	memcpy(rec.tenant, host.b, sizeof(rec.tenant));
	memcpy(rec.principal.exe, "/usr/bin/curl", 14);
	memcpy(rec.principal.cgroup, "/system.slice/web.service", 26);
	rec.principal.uid = 33;
	rec.principal.login_uid = UINT32_MAX;
	return rec;
}

static int from_kernel(struct fixture *f, const struct kvault_audit_rec *rec)
{
	return kvd_audit_from_kernel(&f->ctx, f->st, rec);
}

static void append(struct fixture *f, const char *operation)
{
	struct kvd_event ev = { .operation = operation, .result = "Success", .signature = "OK" };

	assert_int_equal(kvd_audit_append(&f->ctx, f->st, host.b, &ev), 0);
}

static void records_form_a_chain(void **state)
{
	struct fixture *f = *state;
	struct check c;

	append(f, "One");
	append(f, "Two");
	append(f, "Three");
	c = check(f);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.broken, 0);
	assert_non_null(strstr(c.last, "\"operationName\":\"Three\""));
	assert_non_null(strstr(c.last, "\"seq\":3"));
}

static void an_undone_record_leaves_no_hole(void **state)
{
	struct fixture *f = *state;
	struct check c;

	append(f, "One");
	assert_int_equal(kvd_store_mark(f->st), 0);
	append(f, "Two");
	assert_int_equal(kvd_store_undo(f->st), 0);
	append(f, "Three");
	c = check(f);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.broken, 0);
}

static void kernel_records_say_who_and_what(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec rec = use(1);
	struct check c;

	assert_int_equal(from_kernel(f, &rec), 0);
	c = check(f);
	assert_int_equal(c.n, 1);
	assert_non_null(strstr(c.last, "\"operationName\":\"KeyEncrypt\""));
	assert_non_null(strstr(c.last, "\"object\":\"payroll/keys/signing/1e00"));
	assert_non_null(strstr(c.last, "\"unit\":\"web.service\""));
	assert_non_null(strstr(c.last, "\"exe\":\"/usr/bin/curl\""));
	assert_non_null(strstr(c.last, "\"count\":5"));
	assert_non_null(strstr(c.last, "\"alg\":\"A256GCM\""));
	assert_null(strstr(c.last, "loginUid"));
}

static void repeated_kernel_records_count_once(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec one = use(1), two = use(2);

	assert_int_equal(from_kernel(f, &one), 0);
	assert_int_equal(from_kernel(f, &two), 0);
	assert_int_equal(from_kernel(f, &one), 0);
	assert_int_equal(from_kernel(f, &two), 0);
	assert_int_equal(check(f).n, 2);
}

static void gaps_are_told(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec one = use(1), five = use(5);
	struct check c;

	assert_int_equal(from_kernel(f, &one), 0);
	assert_int_equal(from_kernel(f, &five), 0);
	c = check(f);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.broken, 0);
}

static void what_the_kernel_lost_has_a_record_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec rec = { .size = sizeof(rec), .type = KVAULT_AUDIT_LOST,
					.seq = 1, .time = 1, .count = 77 };
	struct check c;

	memcpy(rec.tenant, host.b, sizeof(rec.tenant));
	assert_int_equal(from_kernel(f, &rec), 0);
	c = check(f);
	assert_int_equal(c.n, 1);
	assert_non_null(strstr(c.last, "\"operationName\":\"AuditLost\""));
	assert_non_null(strstr(c.last, "\"count\":77"));
	assert_non_null(strstr(c.last, "\"resultSignature\":\"ENODATA\""));
	assert_null(strstr(c.last, "principal"));	/* nothing is known of who */
}

static void counted_refusals_say_of_whom_they_are(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec rec = use(1);
	struct check c;

	rec.type = KVAULT_AUDIT_DENIED;
	rec.status = -EACCES;
	rec.op = rec.alg = rec.face = 0;
	rec.count = 500;
	memset(rec.key, 0, sizeof(rec.key));
	memset(rec.version, 0, sizeof(rec.version));
	assert_int_equal(from_kernel(f, &rec), 0);
	c = check(f);
	assert_non_null(strstr(c.last, "\"operationName\":\"" KVD_REFUSALS "\""));
	assert_non_null(strstr(c.last, "\"count\":500"));
	assert_non_null(strstr(c.last, "\"uid\":33"));
	assert_non_null(strstr(c.last, "\"resultSignature\":\"EACCES\""));
}

static void malformed_kernel_records_are_refused(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec rec;

	rec = use(1);
	rec.size--;
	assert_int_equal(from_kernel(f, &rec), -EBADMSG);
	rec = use(0);
	assert_int_equal(from_kernel(f, &rec), -EBADMSG);
	rec = use(1);
	rec.type = 99;
	assert_int_equal(from_kernel(f, &rec), -EBADMSG);
	rec = use(1);
	rec.status = 1;
	assert_int_equal(from_kernel(f, &rec), -EBADMSG);
	rec = use(1);
	rec.op = 3;
	assert_int_equal(from_kernel(f, &rec), -EBADMSG);
	rec = use(1);
	memset(rec.principal.exe, 'x', sizeof(rec.principal.exe));
	assert_int_equal(from_kernel(f, &rec), -EBADMSG);
	rec = use(1);
	rec.tenant[0] = 77;
	assert_int_equal(from_kernel(f, &rec), KVD_E_NOT_FOUND);
	assert_int_equal(check(f).n, 0);
}

static void bytes_that_are_no_text_do_not_break_a_record(void **state)
{
	struct fixture *f = *state;
	struct kvault_audit_rec rec = use(1);
	struct check c;

	memcpy(rec.principal.exe, "/tmp/\xff\"\n", 9);
	assert_int_equal(from_kernel(f, &rec), 0);
	c = check(f);
	assert_int_equal(c.broken, 0);
	assert_non_null(strstr(c.last, "/tmp/\\\\xff"));
}

static void reload(struct fixture *f)
{
	kvd_version_done(&f->v);
	assert_int_equal(kvd_store_version_find(f->st, host.b, "payroll", KVAULT_TYPE_KEY,
						"signing", NULL, &f->v), 0);
}

static void leases_reserve_ivs_and_give_them_back(void **state)
{
	static const struct kvault_principal who;
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };
	struct fixture *f = *state;
	uint32_t ops = KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT;

	assert_int_equal(kvd_lease_make(&f->ctx, f->st, host.b, &f->v, &who, &ops, &l), 0);
	assert_int_equal(l.ops, KVD_LEASE_OPS);
	reload(f);
	assert_int_equal(f->v.ivs, KVD_LEASE_OPS);
	assert_int_equal(kvd_lease_use(f->st, host.b, l.id.b, 40), 0);
	assert_int_equal(kvd_lease_end(f->st, host.b, l.id.b, 30), 0);
	reload(f);
	assert_int_equal(f->v.ivs, 40);		/* the greater of both counts */
	assert_int_equal(kvd_lease_end(f->st, host.b, l.id.b, 0), 0);	/* it is over */
	reload(f);
	assert_int_equal(f->v.ivs, 40);
}

static void leases_without_encryption_reserve_nothing(void **state)
{
	static const struct kvault_principal who;
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };
	struct fixture *f = *state;
	uint32_t ops = KVAULT_OP_DECRYPT;

	assert_int_equal(kvd_lease_make(&f->ctx, f->st, host.b, &f->v, &who, &ops, &l), 0);
	reload(f);
	assert_int_equal(f->v.ivs, 0);
}

static void encryption_ends_with_the_ivs(void **state)
{
	static const struct kvault_principal who;
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 }, none = { 0 };
	struct fixture *f = *state;
	uint32_t ops = KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT;

	assert_int_equal(kvd_store_version_set_ivs(f->st, host.b, f->v.id.b, KVD_IVS_MAX - 10), 0);
	reload(f);
	assert_int_equal(kvd_lease_make(&f->ctx, f->st, host.b, &f->v, &who, &ops, &l), 0);
	assert_int_equal(l.ops, 10);
	reload(f);
	assert_int_equal(f->v.ivs, KVD_IVS_MAX);
	assert_int_equal(kvd_lease_make(&f->ctx, f->st, host.b, &f->v, &who, &ops, &none), 0);
	assert_int_equal(ops, KVAULT_OP_DECRYPT);
	assert_int_equal(none.ops, KVD_LEASE_OPS);
	assert_int_equal(none.ivs, 0);
}

static void lost_leases_are_told_and_keep_their_ivs(void **state)
{
	static const struct kvault_principal who = { .uid = 33 };
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };
	struct fixture *f = *state;
	uint32_t ops = KVAULT_OP_ENCRYPT;
	struct check c;

	assert_int_equal(kvd_lease_make(&f->ctx, f->st, host.b, &f->v, &who, &ops, &l), 0);
	assert_int_equal(kvd_lease_lose_all(&f->ctx, f->st, host.b), 0);
	assert_int_equal(kvd_lease_lose_all(&f->ctx, f->st, host.b), 0);
	c = check(f);
	assert_int_equal(c.n, 1);
	assert_non_null(strstr(c.last, "LeaseLost"));
	assert_non_null(strstr(c.last, "\"uid\":33"));
	reload(f);
	assert_int_equal(f->v.ivs, KVD_LEASE_OPS);
}

/* What was done under a lease that only time ended is not known: it counts as used up. */
static void leases_that_nobody_ends_are_lost_with_their_ivs(void **state)
{
	static const struct kvault_principal who;
	char json[] = "{\"uid\":33}", object[] = "payroll/keys/signing";
	struct kvd_lease l = { .id = { { 40 } }, .version = { { 30 } }, .ops = 100, .ivs = 100,
			       .ends = 1, .who = json, .object = object };
	_cleanup_(kvd_lease_done) struct kvd_lease fresh = { 0 };
	struct fixture *f = *state;
	uint32_t ops = KVAULT_OP_DECRYPT;
	struct check c;

	assert_int_equal(kvd_store_version_set_ivs(f->st, host.b, f->v.id.b, 100), 0);
	assert_int_equal(kvd_store_lease_add(f->st, host.b, &l), 0);
	assert_int_equal(kvd_lease_make(&f->ctx, f->st, host.b, &f->v, &who, &ops, &fresh), 0);
	assert_int_equal(kvd_lease_use(f->st, host.b, l.id.b, 7), 0);
	assert_int_equal(kvd_lease_expire(&f->ctx, f->st, 1, 10), 0);
	assert_int_equal(kvd_lease_expire(&f->ctx, f->st, kvd_lease_now(), 10), 1);
	reload(f);
	assert_int_equal(f->v.ivs, 100);
	c = check(f);
	assert_int_equal(c.n, 1);
	assert_non_null(strstr(c.last, "\"operationName\":\"LeaseLost\""));
	assert_non_null(strstr(c.last, "\"count\":93"));
	assert_non_null(strstr(c.last, "\"uid\":33"));
}

/* Operations that have a record each are counted under their lease all the same. */
static void what_has_a_record_each_uses_ivs_too(void **state)
{
	static const struct kvault_principal who;
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };
	struct kvault_audit_rec rec = use(1);
	struct fixture *f = *state;
	uint32_t ops = KVAULT_OP_ENCRYPT;

	assert_int_equal(kvd_lease_make(&f->ctx, f->st, host.b, &f->v, &who, &ops, &l), 0);
	memcpy(rec.lease, l.id.b, sizeof(rec.lease));
	rec.op = 0;
	assert_int_equal(from_kernel(f, &rec), 0);
	assert_non_null(strstr(check(f).last, "\"operationName\":\"LeaseUse\""));
	rec.seq = 2;
	rec.op = KVAULT_OP_ENCRYPT;
	assert_int_equal(from_kernel(f, &rec), 0);
	assert_non_null(strstr(check(f).last, "\"operationName\":\"KeyEncrypt\""));
	rec.seq = 3;
	rec.type = KVAULT_AUDIT_LEASE_END;
	rec.count = 0;	/* no word against what was told before */
	assert_int_equal(from_kernel(f, &rec), 0);
	reload(f);
	assert_int_equal(f->v.ivs, 10);
}

/* As if the last refusals had been so long ago. */
static void let_pass(struct kvd_denials *d, uint64_t s)
{
	size_t i;

	for (i = 0; i < KVD_DENIALS_SLOTS; i++) {
		d->slots[i].refilled -= s * KVD_NSEC_PER_SEC;
		d->slots[i].since -= s * KVD_NSEC_PER_SEC;
	}
}

static void flush(struct fixture *f, struct kvd_denials *d, int result)
{
	assert_int_equal(kvd_denial_flush(d, &f->ctx, false), 0);
	kvd_denial_settle(d, &f->ctx, result, result);
}

static void many_refusals_get_few_records(void **state)
{
	static const struct kvault_principal who = { .uid = 33 }, other = { .uid = 34 };
	struct kvd_denials *d = calloc(1, sizeof(*d));
	struct fixture *f = *state;
	unsigned int got[3] = { 0 };
	struct check c;
	int i;

	for (i = 0; i < 1000; i++)
		got[kvd_denial_note(d, &f->ctx, f->st, host.b, &who)]++;
	assert_int_equal(got[KVD_DENIAL_RECORD], KVD_DENIALS_BURST - 1);
	assert_int_equal(got[KVD_DENIAL_LAST], 1);
	assert_int_equal(got[KVD_DENIAL_COUNTED], 1000 - KVD_DENIALS_BURST);
	/* others are not concerned */
	assert_int_equal(kvd_denial_note(d, &f->ctx, f->st, host.b, &other), KVD_DENIAL_RECORD);
	flush(f, d, 0);
	assert_int_equal(check(f).n, 0);	/* the minute is not over */
	let_pass(d, KVD_DENIALS_TELL_S);
	flush(f, d, 0);
	c = check(f);
	assert_int_equal(c.n, 1);
	assert_non_null(strstr(c.last, "\"operationName\":\"" KVD_REFUSALS "\""));
	assert_non_null(strstr(c.last, "\"count\":936"));
	assert_non_null(strstr(c.last, "\"uid\":33"));
	let_pass(d, KVD_DENIALS_TELL_S);
	flush(f, d, 0);
	assert_int_equal(check(f).n, 1);	/* once */
	free(d);
}

static void records_come_back_slowly(void **state)
{
	static const struct kvault_principal who = { .uid = 33 };
	struct kvd_denials *d = calloc(1, sizeof(*d));
	struct fixture *f = *state;
	int i;

	for (i = 0; i < KVD_DENIALS_BURST; i++)
		kvd_denial_note(d, &f->ctx, f->st, host.b, &who);
	assert_int_equal(kvd_denial_note(d, &f->ctx, f->st, host.b, &who), KVD_DENIAL_COUNTED);
	let_pass(d, KVD_DENIALS_REFILL_S);
	assert_int_equal(kvd_denial_note(d, &f->ctx, f->st, host.b, &who), KVD_DENIAL_LAST);
	assert_int_equal(kvd_denial_note(d, &f->ctx, f->st, host.b, &who), KVD_DENIAL_COUNTED);
	free(d);
}

static void counts_that_were_not_durable_are_told_again(void **state)
{
	static const struct kvault_principal who = { .uid = 33 };
	struct kvd_denials *d = calloc(1, sizeof(*d));
	struct fixture *f = *state;
	struct check c;
	int i;

	for (i = 0; i < KVD_DENIALS_BURST + 5; i++)
		kvd_denial_note(d, &f->ctx, f->st, host.b, &who);
	let_pass(d, KVD_DENIALS_TELL_S);
	assert_int_equal(kvd_store_mark(f->st), 0);
	flush(f, d, -ENOSPC);
	assert_int_equal(kvd_store_undo(f->st), 0);
	assert_int_equal(check(f).n, 0);
	flush(f, d, 0);
	c = check(f);
	assert_int_equal(c.n, 1);
	assert_non_null(strstr(c.last, "\"count\":5"));
	free(d);
}

/* A tenant with many users, and many tenants, take no room of the host's. */
static void tenants_share_no_room(void **state)
{
	struct kvd_denials *d = calloc(1, sizeof(*d));
	struct kvault_principal who = { .uid = 0 };
	uint8_t guest[KVAULT_ID_SIZE] = { 99 };
	struct fixture *f = *state;
	unsigned int records = 0, i;

	memcpy(f->ctx.meta.host.b, host.b, KVAULT_ID_SIZE);
	for (i = 0; i < 20000; i++) {
		who.uid = i % 1000;
		records += kvd_denial_note(d, &f->ctx, f->st, guest, &who) != KVD_DENIAL_COUNTED;
	}
	assert_in_range(records, 1, KVD_DENIALS_GUEST * KVD_DENIALS_BURST);
	for (i = 0; i < 100; i++) {
		guest[1] = (uint8_t)i;
		kvd_denial_note(d, &f->ctx, f->st, guest, &who);
	}
	for (i = 0; i < KVD_DENIALS_HOST; i++) {
		who.uid = i;
		assert_int_equal(kvd_denial_note(d, &f->ctx, f->st, host.b, &who),
				 KVD_DENIAL_RECORD);
	}
	free(d);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(records_form_a_chain),
		T(an_undone_record_leaves_no_hole),
		T(kernel_records_say_who_and_what),
		T(repeated_kernel_records_count_once),
		T(gaps_are_told),
		T(what_the_kernel_lost_has_a_record_of_its_own),
		T(counted_refusals_say_of_whom_they_are),
		T(malformed_kernel_records_are_refused),
		T(bytes_that_are_no_text_do_not_break_a_record),
		T(leases_reserve_ivs_and_give_them_back),
		T(leases_without_encryption_reserve_nothing),
		T(encryption_ends_with_the_ivs),
		T(lost_leases_are_told_and_keep_their_ivs),
		T(leases_that_nobody_ends_are_lost_with_their_ivs),
		T(what_has_a_record_each_uses_ivs_too),
		T(many_refusals_get_few_records),
		T(records_come_back_slowly),
		T(counts_that_were_not_durable_are_told_again),
		T(tenants_share_no_room),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
