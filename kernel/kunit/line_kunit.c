// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines: whom a request is charged to, and whose turn it is within a tenant.
 */
#include "queue.h"
#include "tenant.h"
#include "fixture.h"

#define LINE_MAX	32	/* requests of one uid */
#define REQUESTS_MAX	64	/* of one tenant, without its administrators */
#define OWNER_MAX	256	/* of all tenants of one owner */

struct line_test {
	struct kv_tenant *t;
	struct kv_test_server *s;
};

static int line_init(struct kunit *test)
{
	struct line_test *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	if (!l)
		return -ENOMEM;
	l->t = kv_test_tenant(test);
	kv_test_link(test);
	l->s = kv_test_server(test, KV_QUEUE_DAEMON);
	test->priv = l;
	return 0;
}

static u32 charged(struct line_test *l)
{
	return atomic_read(&l->t->charge[KV_CHARGE_REQUEST]);
}

static void request_end(void *ctx)
{
	struct kv_request *req = ctx;
	struct kv_answer ans = {};

	kv_request_wait(req, 0, &ans);
	kv_answer_done(&ans);
	kv_request_put(req);
}

/* A request that waits in @line. */
static struct kv_request *queued_in(struct kunit *test, struct kv_line *line)
{
	struct line_test *l = test->priv;
	struct kv_request *req;

	KUNIT_ASSERT_FALSE(test, IS_ERR(line));
	req = kv_request_new(KV_QUEUE_DAEMON, l->t, line, KVAULT_MSG_CONTROL, 1, NULL, 5000);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, req);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, request_end, req), 0);
	KUNIT_ASSERT_EQ(test, kv_request_queue(req), 0);
	return req;
}

static struct kv_request *queued_by(struct kunit *test, u32 uid)
{
	struct line_test *l = test->priv;

	return queued_in(test, kv_line_charge(l->t, uid, KV_LINE_USER));
}

/* The daemon takes the next one and leaves it, so that the one after it can be taken. */
static void expect_next(struct kunit *test, const struct kv_request *req)
{
	struct line_test *l = test->priv;

	KUNIT_EXPECT_EQ(test, kv_test_take(l->s), 0);
	KUNIT_EXPECT_MEMEQ(test, l->s->msg.request_id, req->msg.request_id, KVAULT_ID_SIZE);
	kv_upcall_park(l->s->msg.request_id);
}

/* Likewise, and it is answered: nothing keeps its tenant. */
static void expect_served(struct kunit *test, const struct kv_request *req)
{
	struct line_test *l = test->priv;
	struct kvault_msg a;

	expect_next(test, req);
	a = kv_test_answer_to(l->s);
	KUNIT_EXPECT_EQ(test, kv_test_reply(l->s, &a, NULL), 0);
}

/* --- charges --- */

static void a_uid_that_has_too_many_is_refused_alone(struct kunit *test)
{
	struct line_test *l = test->priv;
	struct kv_line *line;
	u32 i;

	for (i = 0; i < LINE_MAX; i++)
		queued_by(test, 1000);
	KV_EXPECT_ERR(test, kv_line_charge(l->t, 1000, KV_LINE_USER), -EDQUOT);
	KUNIT_EXPECT_EQ(test, charged(l), LINE_MAX);	/* what was refused is not charged */
	for (i = 0; i < LINE_MAX; i++)
		queued_by(test, 1001);
	KV_EXPECT_ERR(test, kv_line_charge(l->t, 1002, KV_LINE_USER), -EDQUOT);
	KUNIT_EXPECT_EQ(test, charged(l), REQUESTS_MAX);
	/* an administrator with that uid is somebody else, and is not in the sum */
	line = kv_line_charge(l->t, 1000, KV_LINE_ADMIN);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, line);
	KUNIT_EXPECT_EQ(test, charged(l), REQUESTS_MAX);
	kv_line_uncharge(l->t, line);
	KUNIT_EXPECT_EQ(test, charged(l), REQUESTS_MAX);
}

static void administrators_have_a_limit_too(struct kunit *test)
{
	struct line_test *l = test->priv;
	struct kv_line *line = NULL;
	u32 i;

	for (i = 0; i < LINE_MAX; i++)
		line = kv_line_charge(l->t, 0, KV_LINE_ADMIN);
	KV_EXPECT_ERR(test, line, 0);
	KV_EXPECT_ERR(test, kv_line_charge(l->t, 0, KV_LINE_ADMIN), -EDQUOT);
	KUNIT_EXPECT_EQ(test, charged(l), 0);
	for (i = 0; i < LINE_MAX; i++)
		kv_line_uncharge(l->t, line);
	KUNIT_EXPECT_TRUE(test, list_empty(&l->t->lines));
}

static void administrators_of_many_uids_have_one_together(struct kunit *test)
{
	struct line_test *l = test->priv;
	struct kv_line *line[REQUESTS_MAX];
	u32 i;

	for (i = 0; i < REQUESTS_MAX; i++) {
		line[i] = kv_line_charge(l->t, i, KV_LINE_ADMIN);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, line[i]);
	}
	KV_EXPECT_ERR(test, kv_line_charge(l->t, i, KV_LINE_ADMIN), -EDQUOT);
	KV_EXPECT_ERR(test, kv_line_charge(l->t, 0, KV_LINE_ADMIN), -EDQUOT);
	kv_line_uncharge(l->t, line[--i]);
	line[i] = kv_line_charge(l->t, 0, KV_LINE_ADMIN);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, line[i]);
	for (i = 0; i < REQUESTS_MAX; i++)
		kv_line_uncharge(l->t, line[i]);
	KUNIT_EXPECT_TRUE(test, list_empty(&l->t->lines));
}

static void a_line_is_as_long_as_its_charges(struct kunit *test)
{
	struct line_test *l = test->priv;
	struct kv_line *a, *b;

	KUNIT_EXPECT_TRUE(test, list_empty(&l->t->lines));
	a = kv_line_charge(l->t, 1000, KV_LINE_USER);
	b = kv_line_charge(l->t, 1000, KV_LINE_USER);
	KUNIT_EXPECT_PTR_EQ(test, a, b);
	KUNIT_EXPECT_EQ(test, charged(l), 2);
	kv_line_uncharge(l->t, a);
	KUNIT_EXPECT_FALSE(test, list_empty(&l->t->lines));
	kv_line_uncharge(l->t, b);
	KUNIT_EXPECT_TRUE(test, list_empty(&l->t->lines));
	kv_line_uncharge(l->t, NULL);
	KUNIT_EXPECT_EQ(test, charged(l), 0);
}

/* What is asked of an engine is charged to who asked the daemon, and to nobody else's tenant. */
static void a_request_stands_in_the_line_it_came_from(struct kunit *test)
{
	static const u8 unknown[KVAULT_ID_SIZE] = { 1 };
	struct line_test *l = test->priv;
	struct kv_tenant *other = kv_test_tenant(test);
	struct kv_request *req = queued_by(test, 1000);
	struct kv_line *line;

	/* one that the daemon has not got is the daemon's own */
	line = kv_line_charge_as(l->t, req->msg.request_id);
	KUNIT_EXPECT_PTR_NE(test, line, req->line);
	kv_line_uncharge(l->t, line);
	expect_next(test, req);
	line = kv_line_charge_as(l->t, req->msg.request_id);
	KUNIT_EXPECT_PTR_EQ(test, line, req->line);
	kv_line_uncharge(l->t, line);
	line = kv_line_charge_as(l->t, unknown);
	KUNIT_EXPECT_PTR_NE(test, line, req->line);
	kv_line_uncharge(l->t, line);
	line = kv_line_charge_as(other, req->msg.request_id);
	KUNIT_EXPECT_PTR_NE(test, line, req->line);
	kv_line_uncharge(other, line);
}

/* --- turns --- */

static void uids_are_served_in_turn(struct kunit *test)
{
	struct kv_request *a1 = queued_by(test, 1000), *a2 = queued_by(test, 1000);
	struct kv_request *a3 = queued_by(test, 1000), *b1 = queued_by(test, 1001);
	struct kv_request *b2 = queued_by(test, 1001), *c1 = queued_by(test, 1002);

	expect_next(test, a1);
	expect_next(test, b1);
	expect_next(test, c1);
	expect_next(test, a2);
	expect_next(test, b2);
	expect_next(test, a3);
}

static struct kv_request *urgent_by(struct kunit *test, u32 uid)
{
	struct line_test *l = test->priv;

	return queued_in(test, kv_line_charge(l->t, uid, KV_LINE_URGENT));
}

/* However many ask, and so that no flood of it keeps them waiting. */
static void what_is_urgent_has_every_second_turn(struct kunit *test)
{
	struct kv_request *a = queued_by(test, 1000), *b = queued_by(test, 1001);
	struct kv_request *u1 = urgent_by(test, 1000), *u2 = urgent_by(test, 1000);
	struct kv_request *v = urgent_by(test, 1001), *w;

	expect_next(test, u1);
	expect_next(test, a);
	expect_next(test, v);
	expect_next(test, b);
	expect_next(test, u2);
	/* who comes back has his turn where he left */
	w = urgent_by(test, 1000);
	a = queued_by(test, 1000);
	expect_next(test, a);
	expect_next(test, w);
}

static void what_is_urgent_is_charged_to_nobody(struct kunit *test)
{
	struct line_test *l = test->priv;
	u32 i;

	for (i = 0; i < LINE_MAX + 1; i++)
		urgent_by(test, 1000);
	KUNIT_EXPECT_EQ(test, charged(l), 0);
	KUNIT_EXPECT_EQ(test, l->t->owner->requests, 0);
}

/* A request of another tenant. */
static struct kv_request *queued_of(struct kunit *test, struct kv_tenant *t,
				    enum kv_line_kind kind)
{
	struct line_test *l = test->priv;
	struct kv_tenant *own = l->t;
	struct kv_request *req;

	l->t = t;
	req = queued_in(test, kv_line_charge(t, 0, kind));
	l->t = own;
	return req;
}

static void the_host_has_every_second_turn(struct kunit *test)
{
	struct kv_request *g1, *g2, *g3, *g4, *h1, *h2;

	g1 = queued_of(test, kv_test_tenant_of(test, 1000), KV_LINE_USER);
	g2 = queued_of(test, kv_test_tenant_of(test, 1001), KV_LINE_USER);
	g3 = queued_of(test, kv_test_tenant_of(test, 1002), KV_LINE_URGENT);
	g4 = queued_of(test, kv_test_tenant_of(test, 0), KV_LINE_USER);
	h1 = queued_of(test, kv_tenant_host(), KV_LINE_USER);
	h2 = queued_of(test, kv_tenant_host(), KV_LINE_USER);
	expect_served(test, h1);
	expect_served(test, g1);
	expect_served(test, h2);
	expect_served(test, g2);
	/* it was the host's turn when it had nothing: it still is */
	h1 = queued_of(test, kv_tenant_host(), KV_LINE_URGENT);
	h2 = queued_of(test, kv_tenant_host(), KV_LINE_ADMIN);
	expect_served(test, h1);
	expect_served(test, g3);
	expect_served(test, h2);
	expect_served(test, g4);
}

/* Many tenants of one owner have one owner's share. */
static void owners_are_served_in_turn(struct kunit *test)
{
	struct kv_request *a[3], *b[2];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = queued_of(test, kv_test_tenant_of(test, 1000), KV_LINE_USER);
	for (i = 0; i < ARRAY_SIZE(b); i++)
		b[i] = queued_of(test, kv_test_tenant_of(test, 1001), KV_LINE_USER);
	expect_served(test, a[0]);
	expect_served(test, b[0]);
	expect_served(test, a[1]);
	expect_served(test, b[1]);
	expect_served(test, a[2]);
}

static void an_owner_has_so_many_and_no_more(struct kunit *test)
{
	struct kv_tenant *t[OWNER_MAX / LINE_MAX + 1], *other = kv_test_tenant_of(test, 1001);
	struct kv_request *last = NULL;
	struct kv_line *line;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = kv_test_tenant_of(test, 1000);
	for (i = 0; i < OWNER_MAX; i++)
		last = queued_of(test, t[i / LINE_MAX], i % 2 ? KV_LINE_USER : KV_LINE_ADMIN);
	KUNIT_EXPECT_EQ(test, t[0]->owner->requests, OWNER_MAX);
	KV_EXPECT_ERR(test, kv_line_charge(t[i / LINE_MAX], 1, KV_LINE_USER), -EDQUOT);
	KV_EXPECT_ERR(test, kv_line_charge(t[0], 0, KV_LINE_ADMIN), -EDQUOT);
	KUNIT_EXPECT_EQ(test, t[0]->owner->requests, OWNER_MAX);
	/* it is nobody else's affair, nor that of what is urgent */
	queued_of(test, other, KV_LINE_USER);
	queued_of(test, t[0], KV_LINE_URGENT);
	kunit_release_action(test, request_end, last);
	line = kv_line_charge(t[0], 0, KV_LINE_ADMIN);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, line);
	kv_line_uncharge(t[0], line);
}

/* Who gives up costs nobody his turn, and gains none. */
static void giving_up_moves_nobody(struct kunit *test)
{
	struct kv_request *a1 = queued_by(test, 1000), *a2 = queued_by(test, 1000);
	struct kv_request *b1 = queued_by(test, 1001), *b2 = queued_by(test, 1001);
	struct kv_answer ans = {};

	KUNIT_EXPECT_EQ(test, kv_request_wait(a1, 0, &ans), -ETIMEDOUT);
	expect_next(test, a2);
	KUNIT_EXPECT_EQ(test, kv_request_wait(b1, 0, &ans), -ETIMEDOUT);
	expect_next(test, b2);
}

static void a_line_outlives_what_waits_in_it(struct kunit *test)
{
	struct line_test *l = test->priv;
	struct kv_request *a = queued_by(test, 1000);

	expect_next(test, a);
	KUNIT_EXPECT_TRUE(test, list_empty(&l->t->queue[KV_QUEUE_DAEMON].turn[KV_ASKED].below));
	KUNIT_EXPECT_TRUE(test, list_empty(&l->t->queue[KV_QUEUE_DAEMON].turn[KV_ASKED].link));
	KUNIT_EXPECT_FALSE(test, list_empty(&l->t->lines));
	expect_next(test, queued_by(test, 1000));
	KUNIT_EXPECT_EQ(test, charged(l), 2);
}

static struct kunit_case line_cases[] = {
	KUNIT_CASE(a_uid_that_has_too_many_is_refused_alone),
	KUNIT_CASE(administrators_have_a_limit_too),
	KUNIT_CASE(administrators_of_many_uids_have_one_together),
	KUNIT_CASE(a_line_is_as_long_as_its_charges),
	KUNIT_CASE(a_request_stands_in_the_line_it_came_from),
	KUNIT_CASE(uids_are_served_in_turn),
	KUNIT_CASE(what_is_urgent_has_every_second_turn),
	KUNIT_CASE(what_is_urgent_is_charged_to_nobody),
	KUNIT_CASE(the_host_has_every_second_turn),
	KUNIT_CASE(owners_are_served_in_turn),
	KUNIT_CASE(an_owner_has_so_many_and_no_more),
	KUNIT_CASE(giving_up_moves_nobody),
	KUNIT_CASE(a_line_outlives_what_waits_in_it),
	{}
};

static struct kunit_suite line_suite = {
	.name = "kvault_line",
	.init = line_init,
	.test_cases = line_cases,
};

kunit_test_suite(line_suite);
