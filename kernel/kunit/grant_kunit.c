// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants and leases: what the daemon may answer, what one operation takes, and
 * when the daemon is asked again.
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include "audit.h"
#include "principal.h"
#include "tenant.h"
#include "visible.h"
#include "fixture.h"

#define STALE_TRIES	8
#define PATH		"vault/keys/name"
#define ENC		(KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT)

struct grant_test {
	struct kv_tenant *t;
	struct kv_test_key *k;
	struct kv_test_server *d;
	struct kv_caller who;
};

static int grant_init(struct kunit *test)
{
	struct grant_test *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);

	if (!g)
		return -ENOMEM;
	g->t = kv_test_tenant(test);
	g->k = kv_test_key(test, g->t, 256, ENC);
	g->d = kv_test_daemon(test, g->k);
	g->who = kv_test_caller(test, g->t);
	test->priv = g;
	return 0;
}

static struct kv_grant *open(struct grant_test *g)
{
	return kv_grant_open(&g->who, KVAULT_PURPOSE_HANDLE, PATH, strlen(PATH));
}

/* What opening says, without keeping what is opened. */
static int open_error(struct grant_test *g)
{
	struct kv_grant *grant = open(g);
	int ret = PTR_ERR_OR_ZERO(grant);

	kv_grant_put(grant);
	return ret;
}

KUNIT_DEFINE_ACTION_WRAPPER(put_grant, kv_grant_put, struct kv_grant *);

static struct kv_grant *hold(struct kunit *test, struct kv_grant *grant)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, grant);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_grant, grant), 0);
	return grant;
}

static struct kv_grant *opened(struct kunit *test)
{
	return hold(test, open(test->priv));
}

static bool eventually(bool (*is)(struct kv_grant *grant), struct kv_grant *grant)
{
	int i;

	for (i = 0; i < 250 && !is(grant); i++)
		msleep(20);
	return is(grant);
}

/* --- answers --- */

static void nobody_is_asked_without_a_daemon(struct kunit *test)
{
	struct grant_test *g = test->priv;

	kv_test_unlink(test);
	KUNIT_EXPECT_EQ(test, open_error(g), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, g->d->asked, 0);
}

static void a_refusal_is_passed_on(struct kunit *test)
{
	static const struct {
		s32 status;
		int ret;
	} said[] = {
		{ -EACCES, -EACCES }, { -ENOKEY, -ENOKEY }, { -EKEYREVOKED, -EKEYREVOKED },
		{ -EDQUOT, -EDQUOT }, { -EPERM, -EIO }, { -ERESTARTSYS, -EIO }, { 200, -EIO },
		{ 1, -EIO }, { S32_MIN, -EIO },
	};
	struct grant_test *g = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(said); i++) {
		g->d->status = said[i].status;
		KUNIT_EXPECT_EQ_MSG(test, open_error(g), said[i].ret, "%d", said[i].status);
	}
	KUNIT_EXPECT_EQ(test, g->d->asked, ARRAY_SIZE(said));
}

/* Shapes of an answer: lengths of the grant and of segments that are not used. */
static void answer_misshapen(struct kv_test_server *s, struct kvault_msg *msg, struct kv_seg *seg)
{
	const struct kv_seg grant = { &s->key->grant, sizeof(s->key->grant) };

	msg->revision = s->revision;
	seg[0] = grant;
	seg[3] = (struct kv_seg){ s->key->blob, s->key->blob_len };
	switch (s->asked) {
	case 0:
		seg[0].len = 0;
		break;
	case 1:
		seg[0].len--;
		break;
	case 2:
		seg[1] = (struct kv_seg){ "path", 4 };
		break;
	case 3:
		seg[3].len = 0;
		break;
	case 4:
		seg[2] = (struct kv_seg){ s->payload, sizeof(s->payload) };
		seg[1] = (struct kv_seg){ s->payload, sizeof(s->payload) };
		break;
	}
}

static void a_misshapen_answer_is_nonsense(struct kunit *test)
{
	struct grant_test *g = test->priv;
	int i;

	g->d->answer = answer_misshapen;
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ_MSG(test, open_error(g), -EIO, "shape %d", i);
		KUNIT_EXPECT_EQ(test, atomic_read(&g->t->charge[KV_CHARGE_OBJECT]), 0);
	}
	KUNIT_EXPECT_EQ(test, open_error(g), 0);
}

/* What the caller could not have done wrong does not look as if he had. */
static void a_grant_that_does_not_check_is_nonsense(struct kunit *test)
{
	struct grant_test *g = test->priv;
	const struct kv_test_key good = *g->k;
	struct kv_tenant *other = kv_test_tenant(test);

#define EXPECT_NONSENSE(...) \
	do { \
		*g->k = good; \
		__VA_ARGS__; \
		KUNIT_EXPECT_EQ_MSG(test, open_error(g), -EIO, #__VA_ARGS__); \
	} while (0)

	EXPECT_NONSENSE(g->k->grant.size = 0);
	EXPECT_NONSENSE(g->k->grant.binding.type = KVAULT_TYPE_CERT);
	EXPECT_NONSENSE(g->k->blob[0] ^= 1);
	EXPECT_NONSENSE(g->k->grant.binding.ops |= KVAULT_OP_SIGN);
	EXPECT_NONSENSE(memcpy(g->k->grant.binding.tenant, other->id, KVAULT_ID_SIZE));
#undef EXPECT_NONSENSE
	*g->k = good;
	KUNIT_EXPECT_EQ(test, open_error(g), 0);
}

static void an_older_policy_is_asked_for_again(struct kunit *test)
{
	struct grant_test *g = test->priv;

	kv_tenant_raise_policy(g->t, 5);
	g->d->revision = 4;
	KUNIT_EXPECT_EQ(test, open_error(g), -ESTALE);
	KUNIT_EXPECT_EQ(test, g->d->asked, STALE_TRIES);
	g->d->revision = 5;
	KUNIT_EXPECT_EQ(test, open_error(g), 0);
	g->d->revision = 6;
	KUNIT_EXPECT_EQ(test, open_error(g), 0);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&g->t->policy), 6);
}

static void another_key_than_asked_for_is_nonsense(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);

	grant->lease_left = 0;
	g->d->key = kv_test_key(test, g->t, 256, ENC);
	KV_EXPECT_ERR(test, kv_grant_for(grant->object, &g->who, KVAULT_PURPOSE_HANDLE), -EIO);
	KUNIT_EXPECT_EQ(test, grant->lease_left, 0);
}

static u32 renewed_purpose;

static void answer_and_look(struct kv_test_server *s, struct kvault_msg *msg, struct kv_seg *seg)
{
	const struct kvault_access *access =
		(void *)s->payload + s->msg.len[0] + s->msg.len[1];

	renewed_purpose = s->msg.op == KVAULT_PURPOSE_RENEW ? access->purpose : 0;
	msg->revision = s->revision;
	seg[0] = (struct kv_seg){ &s->key->grant, sizeof(s->key->grant) };
	seg[3] = (struct kv_seg){ s->key->blob, s->key->blob_len };
}

static void a_renewal_says_what_it_renews(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test), *again;

	g->d->answer = answer_and_look;
	grant->lease_left = 0;
	again = hold(test, kv_grant_for(grant->object, &g->who, KVAULT_PURPOSE_KEYRING));
	KUNIT_EXPECT_PTR_EQ(test, again, grant);
	KUNIT_EXPECT_EQ(test, renewed_purpose, KVAULT_PURPOSE_KEYRING);
	KUNIT_EXPECT_EQ(test, grant->lease_left, 1000);
}

/* --- one operation --- */

static int take(struct kv_grant *grant, u32 op)
{
	bool is_each;

	return kv_grant_take(grant, op, op, &is_each);
}

static void what_is_not_granted_is_not_taken(struct kunit *test)
{
	struct kv_grant *grant = opened(test);
	u64 left = grant->lease_left;
	bool is_each;

	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_SIGN), -EACCES);
	grant->ops = KVAULT_OP_DECRYPT;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -EACCES);
	KUNIT_EXPECT_EQ(test, kv_grant_take(grant, KVAULT_OP_DECRYPT,
					    KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT, &is_each),
			-EACCES);
	grant->not_after = KV_LONG_AGO;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_DECRYPT), -EKEYEXPIRED);
	grant->not_after = KV_FAR_AWAY;
	grant->is_limited = true;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_DECRYPT), -EKEYEXPIRED);
	/* what was refused was not counted */
	KUNIT_EXPECT_EQ(test, grant->lease_left, left);
	KUNIT_EXPECT_EQ(test, grant->used[0] + grant->used[1] + grant->used[2], 0);
	KUNIT_EXPECT_FALSE(test, grant->has_news);
	grant->is_limited = false;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_DECRYPT), 0);
}

static void a_grant_that_is_old_must_be_confirmed(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);
	u64 end = grant->lease_end;

	/* it would find the lease at its end */
	cancel_delayed_work_sync(&kv_reporter);
	grant->lease_left = 0;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -ESTALE);
	grant->lease_left = 1000;
	grant->lease_end = 1;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -ESTALE);
	grant->lease_end = end;
	kv_tenant_raise_policy(g->t, 2);
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -ESTALE);
	/* that comes before what the old grant says */
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_SIGN), -ESTALE);
	grant->policy = 2;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	mutex_lock(&grant->object->lock);
	kv_grant_expire_all(grant->object);
	mutex_unlock(&grant->object->lock);
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -ESTALE);
}

static void uses_run_out(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant;
	int i;

	g->k->grant.uses = 3;
	grant = opened(test);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -EKEYEXPIRED);
	KUNIT_EXPECT_EQ(test, grant->uses, 0);
	KUNIT_EXPECT_EQ(test, grant->lease_left, 997);
}

static void every_operation_is_counted(struct kunit *test)
{
	struct kv_grant *grant = opened(test);
	int i;

	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_DECRYPT), 0);
	KUNIT_EXPECT_EQ(test, grant->used[0], 5);
	KUNIT_EXPECT_EQ(test, grant->used[1], 1);
	KUNIT_EXPECT_EQ(test, grant->lease_left, 994);
	KUNIT_EXPECT_TRUE(test, grant->has_news);
}

/* --- leases --- */

static void a_lease_is_an_hour_at_most(struct kunit *test)
{
	struct grant_test *g = test->priv;
	u64 now = ktime_get_boottime_ns();
	struct kv_grant *grant;

	g->k->grant.lease_ms = U32_MAX;
	g->k->grant.lease_ops = U32_MAX;
	grant = opened(test);
	KUNIT_EXPECT_GE(test, grant->lease_end, now + 3600ull * NSEC_PER_SEC);
	/* it begins when the daemon was asked, not when it answered */
	KUNIT_EXPECT_LE(test, grant->lease_end,
			ktime_get_boottime_ns() + 3600ull * NSEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, grant->lease_left, U32_MAX);
	KUNIT_EXPECT_EQ(test, grant->lease_half, U32_MAX / 2);
}

static void a_lease_of_nothing_allows_nothing(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant;

	g->k->grant.lease_ops = 0;
	KUNIT_EXPECT_EQ(test, take(opened(test), KVAULT_OP_ENCRYPT), -ESTALE);
	g->k->grant.lease_ops = 10;
	g->k->grant.lease_ms = 0;
	grant = opened(test);
	msleep(20);	/* an operation looks at a clock of ticks */
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -ESTALE);
}

static bool is_not_renewing(struct kv_grant *grant)
{
	return !READ_ONCE(grant->is_renewing);
}

static void a_lease_is_renewed_at_its_half(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant;
	int i;

	g->k->grant.lease_ops = 10;
	grant = opened(test);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_FALSE(test, grant->is_renewing);
	KUNIT_EXPECT_EQ(test, g->d->asked, 1);
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_TRUE(test, eventually(is_not_renewing, grant));
	KUNIT_EXPECT_EQ(test, g->d->asked, 2);
	KUNIT_EXPECT_EQ(test, grant->lease_left, 10);
	KUNIT_EXPECT_EQ(test, grant->used[0], 0);
}

static void a_lease_is_renewed_in_half_its_time(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);

	grant->lease_renew = 1;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_TRUE(test, eventually(is_not_renewing, grant));
	KUNIT_EXPECT_EQ(test, g->d->asked, 2);
	KUNIT_EXPECT_GT(test, grant->lease_renew, ktime_get_boottime_ns());
}

/* The daemon is away: half a lease is left for that, and it is not asked in a loop. */
static void a_renewal_that_fails_takes_nothing_away(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);
	int i;

	g->d->status = -EHOSTDOWN;
	grant->lease_renew = 1;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_TRUE(test, eventually(is_not_renewing, grant));
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_TRUE(test, eventually(is_not_renewing, grant));
	KUNIT_EXPECT_EQ(test, g->d->asked, 2);
	KUNIT_EXPECT_EQ(test, grant->lease_left, 989);
}

static bool is_inactive(struct kv_grant *grant)
{
	kv_reporter.work.func(&kv_reporter.work);
	return !READ_ONCE(grant->is_active);
}

/* --- whose it is --- */

static void equals_share_a_grant_and_others_do_not(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test), *other;
	struct kv_caller stranger = g->who, borrowed = g->who;

	KUNIT_EXPECT_PTR_EQ(test, opened(test), grant);
	stranger.caller = kv_test_stranger(test, g->t);
	borrowed.opener = stranger.caller;
	KUNIT_EXPECT_TRUE(test, kv_grant_is_for(grant, &g->who));
	KUNIT_EXPECT_FALSE(test, kv_grant_is_for(grant, &stranger));
	KUNIT_EXPECT_FALSE(test, kv_grant_is_for(grant, &borrowed));
	other = hold(test, kv_grant_for(grant->object, &stranger, KVAULT_PURPOSE_HANDLE));
	KUNIT_EXPECT_PTR_NE(test, other, grant);
	KUNIT_EXPECT_PTR_EQ(test, other->object, grant->object);
	KUNIT_EXPECT_EQ(test, g->d->asked, 3);
	/* what is fresh needs no daemon */
	hold(test, kv_grant_for(grant->object, &g->who, KVAULT_PURPOSE_HANDLE));
	hold(test, kv_grant_for(grant->object, &stranger, KVAULT_PURPOSE_HANDLE));
	KUNIT_EXPECT_EQ(test, g->d->asked, 3);
}

static void a_disabled_key_is_asked_for(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);
	u32 volumes;

	KUNIT_ASSERT_EQ(test, kv_object_set_state(g->t, grant->object->key, NULL, 2,
						  KVAULT_OBJECT_DISABLED, &volumes), 0);
	/* its grants are fresh, and say nothing any more */
	g->d->status = -EKEYREVOKED;
	KV_EXPECT_ERR(test, kv_grant_for(grant->object, &g->who, KVAULT_PURPOSE_HANDLE),
		      -EKEYREVOKED);
	KUNIT_EXPECT_EQ(test, g->d->asked, 2);
	g->d->status = 0;	/* and an older answer is stale */
	KV_EXPECT_ERR(test, kv_grant_for(grant->object, &g->who, KVAULT_PURPOSE_HANDLE),
		      -ESTALE);
	KUNIT_EXPECT_EQ(test, g->d->asked, 2 + STALE_TRIES);
}

static void a_key_that_goes_takes_its_grants_along(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);

	KUNIT_EXPECT_EQ(test, refcount_read(&grant->refs), 3);
	kv_grant_drop_all(grant->object);
	KUNIT_EXPECT_TRUE(test, list_empty(&grant->object->grants));
	KUNIT_EXPECT_TRUE(test, eventually(is_inactive, grant));
	KUNIT_EXPECT_EQ(test, refcount_read(&grant->refs), 1);
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -ESTALE);
	KUNIT_EXPECT_EQ(test, g->t->audit_seq, 1);	/* the end of its lease */
}

/* --- records --- */

static bool is_paused(struct kv_grant *grant)
{
	grant->last_use = jiffies - 10 * HZ;
	kv_reporter.work.func(&kv_reporter.work);
	return !READ_ONCE(grant->has_news);
}

static struct kvault_audit_rec *records(struct kunit *test, u32 n)
{
	u32 len = n * sizeof(struct kvault_audit_rec), more;
	u64 __user *buf = kv_test_user(test, len);

	KUNIT_EXPECT_EQ(test, kv_audit_read(7, buf, &len, &more), 0);
	KUNIT_EXPECT_EQ(test, len, n * sizeof(struct kvault_audit_rec));
	KUNIT_EXPECT_EQ(test, more, 0);
	return kv_test_get(test, buf, n * sizeof(struct kvault_audit_rec));
}

static void a_pause_is_reported_once(struct kunit *test)
{
	struct kv_grant *grant = opened(test);
	struct kvault_audit_rec *r;
	int i;

	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_DECRYPT), 0);
	KUNIT_EXPECT_TRUE(test, eventually(is_paused, grant));
	r = records(test, 2);
	KUNIT_EXPECT_EQ(test, r[0].type, KVAULT_AUDIT_USE);
	KUNIT_EXPECT_EQ(test, r[0].op, KVAULT_OP_ENCRYPT);
	KUNIT_EXPECT_EQ(test, r[0].count, 5);
	KUNIT_EXPECT_EQ(test, r[1].op, KVAULT_OP_DECRYPT);
	KUNIT_EXPECT_EQ(test, r[1].count, 1);
	KUNIT_EXPECT_MEMEQ(test, r[0].lease, grant->lease, KVAULT_ID_SIZE);
	KUNIT_EXPECT_EQ(test, r[0].principal.uid, grant->caller->wire.uid);
	/* only what is new */
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_TRUE(test, eventually(is_paused, grant));
	r = records(test, 1);
	KUNIT_EXPECT_EQ(test, r[0].count, 1);
}

static void a_lease_that_ends_is_settled(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);
	struct kvault_audit_rec *r;
	u8 lease[KVAULT_ID_SIZE];

	memcpy(lease, grant->lease, sizeof(lease));
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	g->k->grant.lease[0] ^= 1;
	opened(test);
	r = records(test, 2);
	KUNIT_EXPECT_EQ(test, r[0].type, KVAULT_AUDIT_USE);
	KUNIT_EXPECT_EQ(test, r[0].count, 2);
	KUNIT_EXPECT_EQ(test, r[1].type, KVAULT_AUDIT_LEASE_END);
	KUNIT_EXPECT_EQ(test, r[1].count, 2);
	KUNIT_EXPECT_MEMEQ(test, r[0].lease, lease, sizeof(lease));
	KUNIT_EXPECT_MEMEQ(test, r[1].lease, lease, sizeof(lease));
	KUNIT_EXPECT_EQ(test, grant->used[0], 0);
	KUNIT_EXPECT_MEMNEQ(test, grant->lease, lease, sizeof(lease));
}

static void a_lease_that_runs_out_ends_with_its_count(struct kunit *test)
{
	struct kv_grant *grant = opened(test);
	struct kvault_audit_rec *r;

	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_FALSE(test, is_inactive(grant));
	grant->lease_end = 1;
	KUNIT_EXPECT_TRUE(test, eventually(is_inactive, grant));
	r = records(test, 2);
	KUNIT_EXPECT_EQ(test, r[0].type, KVAULT_AUDIT_USE);
	KUNIT_EXPECT_EQ(test, r[1].type, KVAULT_AUDIT_LEASE_END);
	KUNIT_EXPECT_EQ(test, r[1].count, 1);
	KUNIT_EXPECT_MEMEQ(test, r[1].lease, grant->lease, KVAULT_ID_SIZE);
	/* once, and nothing is done under it afterwards, whatever the clock says */
	grant->lease_end = U64_MAX;
	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), -ESTALE);
	kv_grant_drop_all(grant->object);
	KUNIT_EXPECT_EQ(test, grant->object->tenant->audit_seq, 2);
}

static void a_lease_is_open_until_there_is_room_for_its_end(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);

	grant->lease_end = 1;
	g->t->audit_count += 4096;
	KUNIT_EXPECT_FALSE(test, is_inactive(grant));
	KUNIT_EXPECT_FALSE(test, is_inactive(grant));
	g->t->audit_count -= 4096;
	KUNIT_EXPECT_TRUE(test, eventually(is_inactive, grant));
	KUNIT_EXPECT_EQ(test, records(test, 1)->type, KVAULT_AUDIT_LEASE_END);
}

static void a_lease_that_nobody_gets_ends_unused(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kvault_audit_rec *r;

	g->k->blob[0] ^= 1;
	KUNIT_EXPECT_EQ(test, open_error(g), -EIO);
	r = records(test, 1);
	KUNIT_EXPECT_EQ(test, r[0].type, KVAULT_AUDIT_LEASE_END);
	KUNIT_EXPECT_EQ(test, r[0].count, 0);
	KUNIT_EXPECT_MEMEQ(test, r[0].lease, g->k->grant.lease, KVAULT_ID_SIZE);
	KUNIT_EXPECT_MEMEQ(test, r[0].version, g->k->grant.binding.version, KVAULT_ID_SIZE);
}

/* What an operation is counted as is decided once: when it begins. */
static void each_or_together_is_decided_when_it_is_taken(struct kunit *test)
{
	struct kv_grant *grant = opened(test);
	struct kvault_audit_rec *r;
	bool is_each = true;
	int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, kv_grant_take(grant, KVAULT_OP_ENCRYPT, KVAULT_OP_ENCRYPT,
						    &is_each), 0);
	KUNIT_EXPECT_FALSE(test, is_each);
	grant->object->flags |= KVAULT_KEY_AUDIT_EACH;
	KUNIT_EXPECT_EQ(test, kv_grant_take(grant, KVAULT_OP_ENCRYPT, KVAULT_OP_ENCRYPT,
					    &is_each), 0);
	KUNIT_EXPECT_TRUE(test, is_each);
	KUNIT_EXPECT_TRUE(test, eventually(is_paused, grant));
	r = records(test, 2);
	KUNIT_EXPECT_EQ(test, r[0].op, KVAULT_OP_ENCRYPT);
	KUNIT_EXPECT_EQ(test, r[0].count, 3);
	KUNIT_EXPECT_EQ(test, r[1].type, KVAULT_AUDIT_USE);
	KUNIT_EXPECT_EQ(test, r[1].op, 0);
	KUNIT_EXPECT_EQ(test, r[1].count, 1);
}

static void no_lease_begins_without_room_for_records(struct kunit *test)
{
	struct grant_test *g = test->priv;
	struct kv_grant *grant = opened(test);

	KUNIT_EXPECT_EQ(test, take(grant, KVAULT_OP_ENCRYPT), 0);
	g->t->audit_count += 4096;
	KUNIT_EXPECT_EQ(test, open_error(g), -EAGAIN);
	KUNIT_EXPECT_EQ(test, g->t->audit_count, 4096);
	KUNIT_EXPECT_EQ(test, grant->used[0], 1);	/* and nothing is forgotten */
	g->t->audit_count -= 4096;
	KUNIT_EXPECT_EQ(test, open_error(g), 0);
	KUNIT_EXPECT_EQ(test, g->t->audit_count, 2);
}

static struct kunit_case grant_cases[] = {
	KUNIT_CASE(nobody_is_asked_without_a_daemon),
	KUNIT_CASE(a_refusal_is_passed_on),
	KUNIT_CASE(a_misshapen_answer_is_nonsense),
	KUNIT_CASE(a_grant_that_does_not_check_is_nonsense),
	KUNIT_CASE(an_older_policy_is_asked_for_again),
	KUNIT_CASE(another_key_than_asked_for_is_nonsense),
	KUNIT_CASE(a_renewal_says_what_it_renews),
	KUNIT_CASE(what_is_not_granted_is_not_taken),
	KUNIT_CASE(a_grant_that_is_old_must_be_confirmed),
	KUNIT_CASE(uses_run_out),
	KUNIT_CASE(every_operation_is_counted),
	KUNIT_CASE(a_lease_is_an_hour_at_most),
	KUNIT_CASE(a_lease_of_nothing_allows_nothing),
	KUNIT_CASE(a_lease_is_renewed_at_its_half),
	KUNIT_CASE(a_lease_is_renewed_in_half_its_time),
	KUNIT_CASE(a_renewal_that_fails_takes_nothing_away),
	KUNIT_CASE(equals_share_a_grant_and_others_do_not),
	KUNIT_CASE(a_disabled_key_is_asked_for),
	KUNIT_CASE(a_key_that_goes_takes_its_grants_along),
	KUNIT_CASE(a_pause_is_reported_once),
	KUNIT_CASE(a_lease_that_ends_is_settled),
	KUNIT_CASE(a_lease_that_runs_out_ends_with_its_count),
	KUNIT_CASE(a_lease_is_open_until_there_is_room_for_its_end),
	KUNIT_CASE(a_lease_that_nobody_gets_ends_unused),
	KUNIT_CASE(each_or_together_is_decided_when_it_is_taken),
	KUNIT_CASE(no_lease_begins_without_room_for_records),
	{}
};

static struct kunit_suite grant_suite = {
	.name = "kvault_grant",
	.init = grant_init,
	.test_cases = grant_cases,
};

kunit_test_suite(grant_suite);
