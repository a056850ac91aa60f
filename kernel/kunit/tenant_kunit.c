// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which namespace is whose, when a tenant ends, quotas and policy revisions.
 *
 * The namespaces are made here: they have what tenant.c looks at and no more,
 * and a reference of their own, so that nobody frees them.
 */
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include "seal.h"
#include "tenant.h"
#include "visible.h"
#include "owner.h"
#include "fixture.h"

#define OWNER_MAX	1024	/* ephemeral tenants of one uid */
#define END_MS		3000

/* Outlives the test: credentials that name it are freed when RCU likes. */
static struct user_namespace worn;

static void ns_init(struct user_namespace *ns, struct user_namespace *parent, u32 owner)
{
	ns->parent = parent;
	ns->owner = KUIDT_INIT(owner);
	ns->uid_map.nr_extents = 1;
	refcount_set(&ns->ns.count, 1);
}

static struct user_namespace *ns_new(struct kunit *test, struct user_namespace *parent)
{
	struct user_namespace *ns = kunit_kzalloc(test, sizeof(*ns), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ns);
	ns_init(ns, parent, 4711);
	return ns;
}

struct tenant_hold {
	struct kunit *test;
	struct kv_tenant *t;
};

/* One look around ends the tenants in whose namespaces nobody lives. */
static void look_around(void)
{
	kv_reaper.work.func(&kv_reaper.work);
}

static void hold_end(void *ctx)
{
	struct tenant_hold *h = ctx;
	int i;

	look_around();
	for (i = 0; refcount_read(&h->t->refs) > 1 && i < END_MS / 20; i++)
		msleep(20);
	KUNIT_EXPECT_EQ_MSG(h->test, refcount_read(&h->t->refs), 1, "references to the tenant");
	kv_tenant_put(h->t);
}

/* The tenant of @ns, which the test holds until it ends. */
static struct kv_tenant *tenant_of(struct kunit *test, struct user_namespace *ns)
{
	struct tenant_hold *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->test = test;
	h->t = kv_tenant_of(ns);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, h->t);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, hold_end, h), 0);
	return h->t;
}

static bool is_tenant_of(struct kv_tenant *t, struct user_namespace *ns)
{
	struct kv_tenant *is = kv_tenant_of(ns);

	kv_tenant_put(is);
	return is == t;
}

/* --- whose is a namespace? --- */

static void a_namespace_without_a_map_has_no_tenant(struct kunit *test)
{
	struct user_namespace *a = ns_new(test, &init_user_ns), *b = ns_new(test, a);

	a->uid_map.nr_extents = 0;
	KV_EXPECT_ERR(test, kv_tenant_of(a), -ENOKEY);
	/* its own map counts, not that of the topmost */
	a->uid_map.nr_extents = 1;
	b->uid_map.nr_extents = 0;
	tenant_of(test, a);
	KV_EXPECT_ERR(test, kv_tenant_of(b), -ENOKEY);
}

static void one_uid_makes_so_many_and_no_more(struct kunit *test)
{
	struct user_namespace *ns;
	struct kv_tenant *t;
	int i;

	ns = kvcalloc(OWNER_MAX + 2, sizeof(*ns), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ns);
	for (i = 0; i < OWNER_MAX + 2; i++)
		ns_init(&ns[i], &init_user_ns, 4712);
	for (i = 0; i < OWNER_MAX; i++) {
		t = kv_tenant_of(&ns[i]);
		if (IS_ERR(t))
			break;
		kv_tenant_put(t);
	}
	KUNIT_EXPECT_EQ(test, i, OWNER_MAX);
	KV_EXPECT_ERR(test, kv_tenant_of(&ns[OWNER_MAX]), -EDQUOT);
	t = kv_tenant_of(&ns[0]);	/* no new one */
	KV_EXPECT_ERR(test, t, 0);
	kv_tenant_put(t);
	ns[OWNER_MAX + 1].owner = KUIDT_INIT(4713);
	t = kv_tenant_of(&ns[OWNER_MAX + 1]);
	KV_EXPECT_ERR(test, t, 0);
	kv_tenant_put(t);
	look_around();
	t = kv_tenant_of(&ns[OWNER_MAX]);
	KV_EXPECT_ERR(test, t, 0);
	kv_tenant_put(t);
	look_around();
	for (i = 0; i < OWNER_MAX + 2; i++)
		if (refcount_read(&ns[i].ns.count) != 1)
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, OWNER_MAX + 2, "a namespace is still held");
	kvfree(ns);
}

static void the_initial_namespace_is_the_host(struct kunit *test)
{
	struct kv_tenant *t = kv_tenant_of(&init_user_ns);

	KUNIT_EXPECT_PTR_EQ(test, t, kv_tenant_host());
	KUNIT_EXPECT_EQ(test, t->kind, KVAULT_TENANT_HOST);
	kv_tenant_put(t);
}

static void all_below_the_topmost_is_one_tenant(struct kunit *test)
{
	struct user_namespace *a = ns_new(test, &init_user_ns), *a1 = ns_new(test, a);
	struct user_namespace *a11 = ns_new(test, a1), *b = ns_new(test, &init_user_ns);
	struct kv_tenant *t = tenant_of(test, a11);

	KUNIT_EXPECT_PTR_EQ(test, t->ns, a);
	KUNIT_EXPECT_TRUE(test, is_tenant_of(t, a));
	KUNIT_EXPECT_TRUE(test, is_tenant_of(t, a1));
	KUNIT_EXPECT_TRUE(test, is_tenant_of(t, a11));
	KUNIT_EXPECT_FALSE(test, is_tenant_of(t, b));
	KUNIT_EXPECT_FALSE(test, is_tenant_of(t, &init_user_ns));
}

static void siblings_share_nothing(struct kunit *test)
{
	struct kv_tenant *a = tenant_of(test, ns_new(test, &init_user_ns));
	struct kv_tenant *b = tenant_of(test, ns_new(test, &init_user_ns));

	KUNIT_EXPECT_MEMNEQ(test, a->id, b->id, sizeof(a->id));
	KUNIT_EXPECT_MEMNEQ(test, a->kek.id, b->kek.id, sizeof(a->kek.id));
	KUNIT_EXPECT_MEMNEQ(test, a->kek.key, b->kek.key, sizeof(a->kek.key));
	KUNIT_EXPECT_TRUE(test, a->kek.is_set);
	KUNIT_EXPECT_NE(test, a->generation, b->generation);
	KUNIT_EXPECT_EQ(test, a->kind, KVAULT_TENANT_EPHEMERAL);
	KUNIT_EXPECT_EQ(test, a->owner->uid, 4711);
}

/* --- the end of a tenant --- */

static void a_tenant_that_ended_is_not_found(struct kunit *test)
{
	struct user_namespace *ns = ns_new(test, &init_user_ns);
	struct kv_tenant *t = tenant_of(test, ns), *next;
	struct user_namespace *top;
	const struct kv_kek none = {};
	int i;

	KUNIT_EXPECT_FALSE(test, kv_tenant_is_dead(t));
	next = kv_tenant_find(t->id);
	KUNIT_EXPECT_PTR_EQ(test, next, t);
	kv_tenant_put(next);
	look_around();
	KUNIT_EXPECT_TRUE(test, kv_tenant_is_dead(t));
	KUNIT_EXPECT_NULL(test, kv_tenant_find(t->id));
	KUNIT_EXPECT_EQ(test, refcount_read(&ns->ns.count), 1);
	for (i = 0; refcount_read(&t->refs) > 1 && i < END_MS / 20; i++)
		msleep(20);
	KUNIT_EXPECT_MEMEQ(test, &t->kek, &none, sizeof(none));
	top = kv_tenant_ns(t);
	KUNIT_EXPECT_PTR_EQ(test, top, &init_user_ns);
	put_user_ns(top);
	/* who enters the namespace later finds a new one */
	next = tenant_of(test, ns);
	KUNIT_EXPECT_PTR_NE(test, next, t);
	KUNIT_EXPECT_GT(test, next->generation, t->generation);
	KUNIT_EXPECT_MEMNEQ(test, next->id, t->id, sizeof(t->id));
}

/* This thread lives in @ns from now on. */
static void enter(struct kunit *test, struct user_namespace *ns)
{
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(test, cred);
	put_user_ns(cred->user_ns);
	cred->user_ns = get_user_ns(ns);
	commit_creds(cred);
}

static void a_tenant_lives_while_a_task_does(struct kunit *test)
{
	struct user_namespace *below = ns_new(test, &worn);
	struct kv_tenant *t, *other = tenant_of(test, ns_new(test, &init_user_ns));

	t = tenant_of(test, below);
	KUNIT_EXPECT_FALSE(test, kv_tenant_is_callers(t));
	enter(test, &worn);
	KUNIT_EXPECT_TRUE(test, kv_tenant_is_callers(t));
	KUNIT_EXPECT_FALSE(test, kv_tenant_is_callers(kv_tenant_host()));
	look_around();
	KUNIT_EXPECT_FALSE(test, kv_tenant_is_dead(t));
	KUNIT_EXPECT_TRUE(test, kv_tenant_is_dead(other));
	KUNIT_EXPECT_FALSE(test, kv_tenant_is_dead(kv_tenant_host()));
	enter(test, &init_user_ns);
	KUNIT_EXPECT_TRUE(test, kv_tenant_is_callers(kv_tenant_host()));
	KUNIT_EXPECT_FALSE(test, kv_tenant_is_callers(t));
	look_around();
	KUNIT_EXPECT_TRUE(test, kv_tenant_is_dead(t));
	/* nobody's, even for who is in its namespace */
	enter(test, &worn);
	KUNIT_EXPECT_FALSE(test, kv_tenant_is_callers(t));
	enter(test, &init_user_ns);
}

static void a_walk_goes_on_after_a_death(struct kunit *test)
{
	struct kv_tenant *a = tenant_of(test, ns_new(test, &init_user_ns));
	struct kv_tenant *t = NULL, *b;
	u32 seen = 0;

	while ((t = kv_tenant_next(t)) && t != a)
		;
	KUNIT_ASSERT_PTR_EQ(test, t, a);
	look_around();
	b = tenant_of(test, ns_new(test, &init_user_ns));
	while ((t = kv_tenant_next(t))) {
		KUNIT_EXPECT_FALSE(test, kv_tenant_is_dead(t));
		KUNIT_EXPECT_PTR_NE_MSG(test, t, kv_tenant_host(), "it begins anew");
		seen += t == b;
	}
	KUNIT_EXPECT_EQ(test, seen, 1);
}

/* --- what a tenant has --- */

static void quotas_end_where_they_end(struct kunit *test)
{
	struct kv_tenant *t = tenant_of(test, ns_new(test, &init_user_ns));
	static const u32 limits[KV_CHARGES] = {
		[KV_CHARGE_OBJECT] = 256, [KV_CHARGE_HANDLE] = 4096, [KV_CHARGE_REQUEST] = 64,
		[KV_CHARGE_ADMIN_REQUEST] = 64,
	};
	u32 what, i;

	for (what = 0; what < KV_CHARGES; what++) {
		KUNIT_EXPECT_EQ(test, kv_tenant_limit(t, what), limits[what]);
		KUNIT_EXPECT_GT(test, kv_tenant_limit(kv_tenant_host(), what), limits[what]);
		for (i = 0; i < limits[what]; i++)
			if (kv_tenant_charge(t, what))
				break;
		KUNIT_EXPECT_EQ(test, i, limits[what]);
		KUNIT_EXPECT_EQ(test, kv_tenant_charge(t, what), -EDQUOT);
		KUNIT_EXPECT_EQ(test, atomic_read(&t->charge[what]), limits[what]);
		kv_tenant_uncharge(t, what);
		KUNIT_EXPECT_EQ(test, kv_tenant_charge(t, what), 0);
		KUNIT_EXPECT_EQ(test, kv_tenant_charge(t, what), -EDQUOT);
	}
	/* which takes nothing from others */
	KUNIT_EXPECT_EQ(test, kv_tenant_charge(kv_tenant_host(), KV_CHARGE_OBJECT), 0);
	kv_tenant_uncharge(kv_tenant_host(), KV_CHARGE_OBJECT);
}

static void policy_never_goes_back(struct kunit *test)
{
	static const struct {
		u64 heard, is;
	} step[] = {
		{ 0, 0 }, { 5, 5 }, { 4, 5 }, { 5, 5 }, { 6, 6 }, { 0, 6 },
		{ 1ull << 40, 1ull << 40 }, { U32_MAX, 1ull << 40 },
	};
	struct kv_tenant *t = tenant_of(test, ns_new(test, &init_user_ns));
	int i;

	for (i = 0; i < ARRAY_SIZE(step); i++) {
		kv_tenant_raise_policy(t, step[i].heard);
		KUNIT_EXPECT_EQ_MSG(test, (u64)atomic64_read(&t->policy), step[i].is, "step %d", i);
	}
}

static void the_host_is_named_once(struct kunit *test)
{
	static const u8 zeros[KVAULT_ID_SIZE], one[KVAULT_ID_SIZE] = { 1 },
			two[KVAULT_ID_SIZE] = { 2 };
	struct kv_tenant *t;

	KUNIT_ASSERT_MEMEQ(test, kv_tenant_host()->id, zeros, sizeof(zeros));
	KUNIT_EXPECT_EQ(test, kv_tenant_set_host_id(zeros), -EINVAL);
	KUNIT_EXPECT_NULL(test, kv_tenant_find(one));
	KUNIT_EXPECT_EQ(test, kv_tenant_set_host_id(one), 0);
	KUNIT_EXPECT_EQ(test, kv_tenant_set_host_id(two), -ESTALE);
	KUNIT_EXPECT_EQ(test, kv_tenant_set_host_id(one), 0);
	t = kv_tenant_find(one);
	KUNIT_EXPECT_PTR_EQ(test, t, kv_tenant_host());
	kv_tenant_put(t);
	memset(kv_tenant_host()->id, 0, KVAULT_ID_SIZE);
}

static int tenant_suite_init(struct kunit_suite *suite)
{
	/* it would end tenants when it likes */
	disable_delayed_work_sync(&kv_reaper);
	ns_init(&worn, &init_user_ns, 4714);
	return 0;
}

/* What was worn is put away before the module may go, in which it is. */
static void tenant_suite_exit(struct kunit_suite *suite)
{
	int i;

	for (i = 0; refcount_read(&worn.ns.count) > 1 && i < END_MS / 20; i++)
		msleep(20);
	WARN_ON(refcount_read(&worn.ns.count) > 1);
	look_around();
	enable_delayed_work(&kv_reaper);
}

static struct kunit_case tenant_cases[] = {
	KUNIT_CASE(a_namespace_without_a_map_has_no_tenant),
	KUNIT_CASE(one_uid_makes_so_many_and_no_more),
	KUNIT_CASE(the_initial_namespace_is_the_host),
	KUNIT_CASE(all_below_the_topmost_is_one_tenant),
	KUNIT_CASE(siblings_share_nothing),
	KUNIT_CASE(a_tenant_that_ended_is_not_found),
	KUNIT_CASE(a_tenant_lives_while_a_task_does),
	KUNIT_CASE(a_walk_goes_on_after_a_death),
	KUNIT_CASE(quotas_end_where_they_end),
	KUNIT_CASE(policy_never_goes_back),
	KUNIT_CASE(the_host_is_named_once),
	{}
};

static struct kunit_suite tenant_suite = {
	.name = "kvault_tenant",
	.suite_init = tenant_suite_init,
	.suite_exit = tenant_suite_exit,
	.test_cases = tenant_cases,
};

kunit_test_suite(tenant_suite);
