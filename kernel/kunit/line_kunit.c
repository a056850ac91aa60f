// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines: whom a request is charged to, and whose turn it is within a tenant.
 */
#include "queue.h"
#include "tenant.h"
#include "fixture.h"

#define LINE_MAX	32	/* requests of one uid */
#define REQUESTS_MAX	64	/* of one tenant, without its administrators */

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

/* A request that waits, in @line or before all lines. */
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

	return queued_in(test, kv_line_charge(l->t, uid, false));
}

/* The daemon takes the next one and leaves it, so that the one after it can be taken. */
static void expect_next(struct kunit *test, const struct kv_request *req)
{
	struct line_test *l = test->priv;

	KUNIT_EXPECT_EQ(test, kv_test_take(l->s), 0);
	KUNIT_EXPECT_MEMEQ(test, l->s->msg.request_id, req->msg.request_id, KVAULT_ID_SIZE);
	kv_upcall_park(l->s->msg.request_id);
}

/* --- charges --- */

static void a_uid_that_has_too_many_is_refused_alone(struct kunit *test)
{
	struct line_test *l = test->priv;
	struct kv_line *line;
	u32 i;

	for (i = 0; i < LINE_MAX; i++)
		queued_by(test, 1000);
	KV_EXPECT_ERR(test, kv_line_charge(l->t, 1000, false), -EDQUOT);
	KUNIT_EXPECT_EQ(test, charged(l), LINE_MAX);	/* what was refused is not charged */
	for (i = 0; i < LINE_MAX; i++)
		queued_by(test, 1001);
	KV_EXPECT_ERR(test, kv_line_charge(l->t, 1002, false), -EDQUOT);
	KUNIT_EXPECT_EQ(test, charged(l), REQUESTS_MAX);
	/* an administrator with that uid is somebody else, and is not in the sum */
	line = kv_line_charge(l->t, 1000, true);
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
		line = kv_line_charge(l->t, 0, true);
	KV_EXPECT_ERR(test, line, 0);
	KV_EXPECT_ERR(test, kv_line_charge(l->t, 0, true), -EDQUOT);
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
		line[i] = kv_line_charge(l->t, i, true);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, line[i]);
	}
	KV_EXPECT_ERR(test, kv_line_charge(l->t, i, true), -EDQUOT);
	KV_EXPECT_ERR(test, kv_line_charge(l->t, 0, true), -EDQUOT);
	kv_line_uncharge(l->t, line[--i]);
	line[i] = kv_line_charge(l->t, 0, true);
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
	a = kv_line_charge(l->t, 1000, false);
	b = kv_line_charge(l->t, 1000, false);
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

static void what_is_urgent_comes_first(struct kunit *test)
{
	struct kv_request *a = queued_by(test, 1000), *b = queued_by(test, 1001);
	struct kv_request *u1 = queued_in(test, NULL), *u2 = queued_in(test, NULL);

	expect_next(test, u1);
	expect_next(test, u2);
	expect_next(test, a);
	expect_next(test, b);
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
	KUNIT_EXPECT_TRUE(test, list_empty(&l->t->queue[KV_QUEUE_DAEMON].lines));
	KUNIT_EXPECT_TRUE(test, list_empty(&l->t->queue[KV_QUEUE_DAEMON].link));
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
	KUNIT_CASE(what_is_urgent_comes_first),
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
