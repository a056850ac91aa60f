// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refusals in the log, and the log of a tenant that ends. A daemon of our own
 * reads the records; a file of the host with a handle that may only encrypt
 * is what callers are refused with. Freshly loaded module, no kvaultd.
 * vm: --init script
 * timeout: 120
 */
#include "kv_daemon.h"
#include "kselftest_harness.h"

#define MANY		300
#define RECORDS_MAX	2048

static struct kv_daemon d;
static struct kvault_audit_rec rec[RECORDS_MAX];
static int n_rec;
static int fd;
static uint32_t handle;
static uid_t first_uid;		/* of those that this test uses; each has its own */

/* A handle on a key that says it wants a record for each operation. */
static int open_key(void *arg)
{
	struct kvault_binding b = kv_binding(1);
	struct kvault_grant g;
	struct kv_reply *r;
	uint8_t blob[256];
	size_t len = sizeof(blob);
	int ret;

	b.flags |= KVAULT_KEY_AUDIT_EACH;
	g = kv_grant(&b);
	ret = kv_seal(d.ctl, KVAULT_SEAL_GENERATE, &b, blob, &len);
	ret = ret ? ret : kv_daemon_next(&d, 10000);
	if (ret)
		return -ret;
	r = kv_reply_to(&d, 0);
	kv_reply_seg(r, 0, &g, sizeof(g));
	kv_reply_seg(r, 3, blob, len);
	return -kv_reply_send(&d, r);
}

/* Decrypts with the handle that cannot; the errno. */
static int refused(void *arg)
{
	struct kvault_crypt c = { .handle = handle, .alg = KVAULT_ALG_A256GCM };
	uint8_t in[16] = { 0 }, out[16];
	size_t len = sizeof(out);
	uid_t uid = arg ? *(uid_t *)arg : 0;

	if (uid && setuid(uid))
		return 99;
	return -kv_op(fd, KVAULT_DECRYPT, &c, in, sizeof(in), out, &len);
}

static int refused_twice_elsewhere(void *arg)
{
	int a = refused(NULL), b = refused(NULL);

	return a == b ? a : 99;
}

static void read_all(void)
{
	int n;

	while (n_rec < RECORDS_MAX) {
		n = kv_audit_read(&d, rec + n_rec, (size_t)(RECORDS_MAX - n_rec));
		if (n <= 0)
			break;
		n_rec += n;
	}
}

/* Refusals of the test before are perhaps counted still. */
static bool is_ours(const struct kvault_audit_rec *r)
{
	return !memcmp(r->tenant, kv_host, 16) &&
	       (r->type != KVAULT_AUDIT_DENIED ||
		(r->principal.uid >= first_uid && r->principal.uid < first_uid + 100));
}

/* Sum of the counts of the host's records of a type; their number in @ret_records. */
static uint64_t sum(uint32_t type, int *ret_records)
{
	uint64_t count = 0;
	int i;

	*ret_records = 0;
	for (i = 0; i < n_rec; i++)
		if (rec[i].type == type && is_ours(&rec[i])) {
			count += rec[i].count;
			(*ret_records)++;
		}
	return count;
}

/* Reads until the counts of a type sum up, for @ms at most. */
static uint64_t wait_sum(uint32_t type, uint64_t want, unsigned int ms, int *ret_records)
{
	uint64_t end = kv_now_ms() + kv_patience(ms), have;

	for (;;) {
		read_all();
		have = sum(type, ret_records);
		if (have >= want || kv_now_ms() > end)
			return have;
		kv_sleep_ms(50);
	}
}

FIXTURE(refusal)
{
	struct kv_child c;
};

FIXTURE_SETUP(refusal)
{
	struct kvault_open o;

	n_rec = 0;
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
	read_all();
	n_rec = 0;
	fd = kv_dev();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kv_child_start(&self->c, false, false, open_key, NULL));
	kv_child_go(&self->c);
	ASSERT_EQ(0, kv_open_path(fd, "vault/keys/key", KVAULT_OP_ENCRYPT, 10000, &o));
	ASSERT_EQ(0, kv_child_end(&self->c));
	handle = o.handle;
}

FIXTURE_TEARDOWN(refusal)
{
	int i;

	close(fd);
	read_all();
	for (i = 0; i < n_rec; i++)
		kv_audit_ack(&d, rec[i].tenant, rec[i].seq);
	kv_daemon_stop(&d);
}

static int run(int (*fn)(void *arg), void *arg, bool in_ns)
{
	struct kv_child c;
	int ret = kv_child_start(&c, in_ns, true, fn, arg);

	if (ret)
		return ret;
	kv_child_go(&c);
	return kv_child_end(&c);
}

TEST_F_TIMEOUT(refusal, a_flood_by_many_processes_costs_few_records_and_every_one_is_counted, 60)
{
	uid_t uid = first_uid = 1000;
	int i, n;

	for (i = 0; i < MANY; i++)
		ASSERT_EQ(EACCES, run(refused, &uid, false));
	EXPECT_EQ(MANY, wait_sum(KVAULT_AUDIT_DENIED, MANY, 15000, &n));
	EXPECT_GE(16 * (int)kv_factor(), n) TH_LOG("%d records", n);
	/* the first say all, what follows says how many */
	EXPECT_EQ(1, rec[0].count);
	EXPECT_EQ(KVAULT_OP_DECRYPT, rec[0].op);
	EXPECT_EQ(-EACCES, rec[n_rec - 1].status);
	EXPECT_LT(1, rec[n_rec - 1].count);
	EXPECT_EQ(0, rec[n_rec - 1].op);
	EXPECT_NE(0, rec[n_rec - 1].principal.tgid);
}

TEST_F(refusal, another_uid_is_recorded_in_full_during_the_flood)
{
	uid_t flood = first_uid = 1100, uid = 1101;
	int i, n, found = 0;

	for (i = 0; i < 20; i++)
		ASSERT_EQ(EACCES, run(refused, &flood, false));
	ASSERT_EQ(EACCES, run(refused, &uid, false));
	EXPECT_EQ(21, wait_sum(KVAULT_AUDIT_DENIED, 21, 5000, &n));
	for (i = 0; i < n_rec; i++)
		found += rec[i].principal.uid == uid && rec[i].count == 1 &&
			 rec[i].op == KVAULT_OP_DECRYPT;
	EXPECT_EQ(1, found);
}

TEST_F(refusal, what_succeeds_is_never_counted_together)
{
	uid_t uid = first_uid = 1200;
	int i, n;

	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, kv_encrypt_gcm(fd, handle));
		EXPECT_EQ(EACCES, run(refused, &uid, false));
	}
	EXPECT_EQ(20, wait_sum(KVAULT_AUDIT_SINGLE, 20, 5000, &n));
	EXPECT_EQ(20, n);
	EXPECT_EQ(20, wait_sum(KVAULT_AUDIT_DENIED, 20, 5000, &n));
	EXPECT_GT(10, n);
	for (i = 1; i < n_rec; i++)
		EXPECT_EQ(rec[i - 1].seq + 1, rec[i].seq);
	/* the lease's count has them all: IVs that it does not have are given out again */
	EXPECT_EQ(20, wait_sum(KVAULT_AUDIT_USE, 20, 5000, &n));
}

/* Nothing has happened, and to say so would cost the caller nothing. */
TEST_F(refusal, what_never_left_the_caller_leaves_no_record)
{
	struct kvault_crypt c = { .handle = handle, .alg = KVAULT_ALG_A256GCM };
	size_t len = 16;
	uint8_t out[16];
	int n;

	EXPECT_EQ(-EFAULT, kv_op(fd, KVAULT_ENCRYPT, &c, (void *)8, sizeof(out), out, &len));
	EXPECT_EQ(0, kv_encrypt_gcm(fd, handle));
	EXPECT_EQ(1, wait_sum(KVAULT_AUDIT_SINGLE, 1, 5000, &n));
	EXPECT_EQ(1, n);
}

#define UIDS	72	/* more than kinds of refusals are kept apart */

TEST_F_TIMEOUT(refusal, the_first_refusal_of_every_uid_is_recorded_in_full, 60)
{
	uid_t uid;
	int i, n, lost, full = 0;

	first_uid = 1300;
	for (uid = first_uid; uid < first_uid + UIDS; uid++)
		ASSERT_EQ(EACCES, run(refused, &uid, false));
	EXPECT_EQ(UIDS, wait_sum(KVAULT_AUDIT_DENIED, UIDS, 3000, &n));
	EXPECT_EQ(UIDS, n);
	EXPECT_EQ(0, sum(KVAULT_AUDIT_LOST, &lost));
	for (i = 0; i < n_rec; i++)
		full += rec[i].type == KVAULT_AUDIT_DENIED && rec[i].op == KVAULT_OP_DECRYPT;
	EXPECT_EQ(UIDS, full);
}

TEST_F(refusal, a_foreigners_refusal_is_in_his_own_tenants_log)
{
	int i, n, found = 0;

	first_uid = 0;
	ASSERT_EQ(EACCES, run(refused_twice_elsewhere, NULL, true));
	kv_sleep_ms(1500);
	read_all();
	EXPECT_EQ(0, sum(KVAULT_AUDIT_DENIED, &n));
	for (i = 0; i < n_rec; i++)
		found += rec[i].type == KVAULT_AUDIT_DENIED && rec[i].status == -EACCES &&
			 memcmp(rec[i].tenant, kv_host, 16);
	EXPECT_EQ(2, found);
}

TEST_F(refusal, the_records_of_a_tenant_that_ended_are_delivered_before_it_is_gone)
{
	uint8_t tenant[16] = { 0 };
	int i;

	ASSERT_EQ(EACCES, run(refused_twice_elsewhere, NULL, true));
	/* its end takes a second at most; nobody has read by then */
	kv_sleep_ms(1500);
	EXPECT_EQ(-ETIME, kv_daemon_next(&d, 200));
	read_all();
	for (i = 0; i < n_rec; i++)
		if (memcmp(rec[i].tenant, kv_host, 16)) {
			memcpy(tenant, rec[i].tenant, 16);
			ASSERT_EQ(0, kv_audit_ack(&d, tenant, rec[i].seq));
		}
	ASSERT_NE(0, tenant[0] | tenant[1] | tenant[2] | tenant[3]);
	ASSERT_EQ(0, kv_daemon_next(&d, 5000));
	EXPECT_EQ(KVAULT_MSG_TENANT_GONE, d.msg.type);
	EXPECT_EQ(0, memcmp(tenant, d.msg.tenant, 16));
	EXPECT_EQ(-ENOENT, kv_audit_ack(&d, tenant, 1));
	EXPECT_EQ(-ENOENT, kv_policy_set(&d, tenant, 1));
	n_rec = 0;
}

static int only_open(void *arg)
{
	return kv_dev() < 0;
}

TEST_F(refusal, a_tenant_that_ended_without_records_is_gone_at_once)
{
	ASSERT_EQ(0, run(only_open, NULL, true));
	ASSERT_EQ(0, kv_daemon_next(&d, 5000));
	EXPECT_EQ(KVAULT_MSG_TENANT_GONE, d.msg.type);
}

TEST_HARNESS_MAIN
