// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests and servers: NEW, QUEUED, TAKEN, DONE, DEAD, and every way from one
 * to the next. Servers answer as hostile processes could.
 */
#include <linux/slab.h>
#include "link.h"
#include "queue.h"
#include "fixture.h"

#define REQUESTS_MAX	64	/* of one tenant */
#define LINE_MAX	32	/* of one uid */
#define SHORT_MS	20

static int queue_init(struct kunit *test)
{
	test->priv = kv_test_tenant(test);
	return 0;
}

/* Nobody waits for it any more. */
static void request_end(void *ctx)
{
	struct kv_request *req = ctx;
	struct kv_answer ans = {};

	if (req->state != KV_REQUEST_NEW && !req->finish) {
		kv_request_wait(req, 0, &ans);
		kv_answer_done(&ans);
	}
	kv_request_put(req);
}

/* Of a user whose uid is @uid. */
static struct kv_request *request_by(struct kunit *test, enum kv_queue_id queue,
				     struct kv_tenant *t, u32 uid)
{
	u32 type = queue == KV_QUEUE_DAEMON ? KVAULT_MSG_CONTROL : KVAULT_MSG_ENGINE;
	const struct kv_seg seg[KVAULT_MSG_SEGMENTS] = { { "one", 3 }, {}, { "three", 5 } };
	struct kv_line *line = kv_line_charge(t, uid, KV_LINE_USER);
	struct kv_request *req;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, line);
	req = kv_request_new(queue, t, line, type, KVAULT_METHOD_GET, seg, 5000);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, req);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, request_end, req), 0);
	return req;
}

static struct kv_request *request_of(struct kunit *test, enum kv_queue_id queue,
				     struct kv_tenant *t)
{
	return request_by(test, queue, t, 1000);
}

static struct kv_request *queued_of(struct kunit *test, enum kv_queue_id queue,
				    struct kv_tenant *t)
{
	struct kv_request *req = request_of(test, queue, t);

	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_NEW);
	KUNIT_ASSERT_EQ(test, kv_request_queue(req), 0);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_QUEUED);
	return req;
}

static struct kv_request *queued(struct kunit *test, enum kv_queue_id queue)
{
	return queued_of(test, queue, test->priv);
}

static int wait_for(struct kv_request *req, struct kv_answer *ans)
{
	memset(ans, 0, sizeof(*ans));
	return kv_request_wait(req, SHORT_MS, ans);
}

static int end_of(struct kv_request *req)
{
	struct kv_answer ans;
	int ret = wait_for(req, &ans);

	kv_answer_done(&ans);
	return ret;
}

static bool took(const struct kv_test_server *s, const struct kv_request *req)
{
	return !memcmp(s->msg.request_id, req->msg.request_id, KVAULT_ID_SIZE) && s->msg.size;
}

#define EXPECT_TAKES(test, srv, req) \
	do { \
		KUNIT_EXPECT_EQ(test, kv_test_take(srv), 0); \
		KUNIT_EXPECT_TRUE_MSG(test, took(srv, req), "not the one that was expected"); \
		KUNIT_EXPECT_EQ(test, (req)->state, KV_REQUEST_TAKEN); \
	} while (0)

#define EXPECT_NOTHING(test, srv) \
	do { \
		KUNIT_EXPECT_FALSE(test, kv_server_has_work((srv)->s)); \
		KUNIT_EXPECT_EQ(test, kv_test_take(srv), 0); \
		KUNIT_EXPECT_EQ_MSG(test, (srv)->msg.size, 0, "it took a message"); \
	} while (0)

static void answer(struct kunit *test, struct kv_test_server *s)
{
	struct kvault_msg a = kv_test_answer_to(s);

	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &a, NULL), 0);
}

/* --- NEW --- */

static void a_message_that_is_too_long_is_not_made(struct kunit *test)
{
	u32 max = KVAULT_MSG_MAX - sizeof(struct kvault_msg);
	struct kv_seg seg[KVAULT_MSG_SEGMENTS] = {};
	struct kv_tenant *t = test->priv;
	struct kv_request *req;
	void *p = kvzalloc(max, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	seg[0] = (struct kv_seg){ p, max };
	seg[3] = (struct kv_seg){ p, 1 };
	KV_EXPECT_ERR(test, kv_request_new(KV_QUEUE_DAEMON, t, NULL, 1, 1, seg, 1), -EMSGSIZE);
	seg[0].len = U32_MAX;	/* a sum of 32 bits would be 0 */
	KV_EXPECT_ERR(test, kv_request_new(KV_QUEUE_DAEMON, t, NULL, 1, 1, seg, 1), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->charge[KV_CHARGE_REQUEST]), 0);
	seg[0].len = max - 1;
	req = kv_request_new(KV_QUEUE_DAEMON, t, NULL, 1, 1, seg, 1);
	KV_EXPECT_ERR(test, req, 0);
	if (!IS_ERR(req))
		kv_request_put(req);
	kvfree(p);
}

static void a_tenant_has_so_many_and_no_more(struct kunit *test)
{
	struct kv_tenant *t = test->priv;
	struct kv_request *req;
	struct kv_line *line;
	u32 i;

	for (i = 0; i < REQUESTS_MAX; i++) {
		if (i == LINE_MAX)
			KV_EXPECT_ERR(test, kv_line_charge(t, 1000, KV_LINE_USER), -EDQUOT);
		request_by(test, KV_QUEUE_DAEMON, t, 1000 + i / LINE_MAX);
	}
	KV_EXPECT_ERR(test, kv_line_charge(t, 2000, KV_LINE_USER), -EDQUOT);
	/* an administrator is charged by uid alone */
	line = kv_line_charge(t, 1000, KV_LINE_ADMIN);
	KV_EXPECT_ERR(test, line, 0);
	kv_line_uncharge(t, line);
	/* what must be told is told nevertheless */
	req = kv_request_new(KV_QUEUE_DAEMON, t, NULL, KVAULT_MSG_TENANT_GONE, 0, NULL, 0);
	KV_EXPECT_ERR(test, req, 0);
	kv_request_put(req);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->charge[KV_CHARGE_REQUEST]), REQUESTS_MAX);
}

static void a_message_says_whose_it_is_and_until_when(struct kunit *test)
{
	u64 before = ktime_get_boottime_ns() + 5000ull * NSEC_PER_MSEC, after;
	struct kv_tenant *t = test->priv;
	struct kv_request *a, *b;

	kv_tenant_raise_policy(t, 42);
	a = request_of(test, KV_QUEUE_DAEMON, t);
	b = request_of(test, KV_QUEUE_DAEMON, t);
	after = ktime_get_boottime_ns() + 5000ull * NSEC_PER_MSEC;
	KUNIT_EXPECT_GE(test, a->msg.deadline, before);
	KUNIT_EXPECT_LE(test, a->msg.deadline, after);
	KUNIT_EXPECT_EQ(test, a->msg.revision, 42);
	KUNIT_EXPECT_EQ(test, a->msg.tenant_kind, t->kind);
	KUNIT_EXPECT_MEMEQ(test, a->msg.tenant, t->id, sizeof(t->id));
	KUNIT_EXPECT_MEMNEQ(test, a->msg.request_id, b->msg.request_id, KVAULT_ID_SIZE);
	KUNIT_EXPECT_EQ(test, a->msg.len[0], 3);
	KUNIT_EXPECT_EQ(test, a->msg.len[1], 0);
	KUNIT_EXPECT_EQ(test, a->msg.len[2], 5);
	KUNIT_EXPECT_EQ(test, a->payload_len, 8);
	KUNIT_EXPECT_MEMEQ(test, a->payload, "onethree", 8);
}

static void nobody_ever_served(struct kunit *test)
{
	struct kv_request *req = request_of(test, KV_QUEUE_OPENSSL, test->priv);

	KUNIT_EXPECT_EQ(test, kv_request_queue(req), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_NEW);
	req = request_of(test, KV_QUEUE_DAEMON, test->priv);
	KUNIT_EXPECT_EQ(test, kv_request_queue(req), -EHOSTDOWN);
}

/* --- QUEUED -> DEAD --- */

static void a_wait_ends_in_time(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = queued(test, KV_QUEUE_OPENSSL);

	KUNIT_EXPECT_TRUE(test, kv_server_has_work(s->s));
	KUNIT_EXPECT_EQ(test, end_of(req), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_DEAD);
	EXPECT_NOTHING(test, s);
}

static void a_wait_for_who_is_gone_says_so(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req;

	kv_test_close(s);
	req = queued(test, KV_QUEUE_OPENSSL);
	KUNIT_EXPECT_EQ(test, end_of(req), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_DEAD);
}

static void all_that_waits_can_be_failed(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *a = queued(test, KV_QUEUE_OPENSSL), *c;
	struct kv_request *b = queued_of(test, KV_QUEUE_OPENSSL, kv_test_tenant(test));

	kv_test_server(test, KV_QUEUE_PKCS11);
	c = queued(test, KV_QUEUE_PKCS11);
	kv_upcall_fail_all(KV_QUEUE_OPENSSL, -EPIPE);
	KUNIT_EXPECT_EQ(test, a->state, KV_REQUEST_DONE);
	KUNIT_EXPECT_EQ(test, end_of(a), -EPIPE);
	KUNIT_EXPECT_EQ(test, end_of(b), -EPIPE);
	KUNIT_EXPECT_EQ(test, c->state, KV_REQUEST_QUEUED);
	KUNIT_EXPECT_EQ(test, end_of(c), -ETIMEDOUT);
	EXPECT_NOTHING(test, s);
}

/* --- TAKEN -> DEAD: the answer comes too late --- */

static void a_late_answer_is_nobodys(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = queued(test, KV_QUEUE_OPENSSL);
	struct kvault_msg a;

	EXPECT_TAKES(test, s, req);
	KUNIT_EXPECT_EQ(test, end_of(req), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_DEAD);
	a = kv_test_answer_to(s);
	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &a, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_DEAD);
	/* which keeps nobody else from being served */
	req = queued(test, KV_QUEUE_OPENSSL);
	EXPECT_TAKES(test, s, req);
	answer(test, s);
	KUNIT_EXPECT_EQ(test, end_of(req), 0);
}

static void a_dead_request_is_not_tried_again(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = queued(test, KV_QUEUE_OPENSSL);

	EXPECT_TAKES(test, s, req);
	KUNIT_EXPECT_EQ(test, end_of(req), -ETIMEDOUT);
	kv_test_close(s);
	s = kv_test_server(test, KV_QUEUE_OPENSSL);
	EXPECT_NOTHING(test, s);
}

/* --- TAKEN -> DONE: answers, the bad ones first --- */

static void answers_that_do_not_fit_change_nothing(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = queued(test, KV_QUEUE_OPENSSL);
	struct kvault_exchange arg = { .size = sizeof(arg), .reply = (u64)(unsigned long)s->reply };
	struct kvault_msg good, a;

	EXPECT_TAKES(test, s, req);
	good = kv_test_answer_to(s);
#define EXPECT_REFUSED(error, ...) \
	do { \
		a = good; \
		__VA_ARGS__; \
		KUNIT_EXPECT_EQ_MSG(test, kv_test_reply(s, &a, NULL), error, #__VA_ARGS__); \
		KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_TAKEN); \
	} while (0)

	EXPECT_REFUSED(-EINVAL, a.size--);
	EXPECT_REFUSED(-EINVAL, a.size = 0);
	EXPECT_REFUSED(-EINVAL, a.len[0] = 1);
	EXPECT_REFUSED(-EINVAL, a.len[3] = U32_MAX);
	/* sums of 32 bits would fit */
	EXPECT_REFUSED(-EINVAL, a.len[0] = U32_MAX, a.len[1] = 1);
	EXPECT_REFUSED(-ESTALE, a.generation--);
	EXPECT_REFUSED(-ENOENT, a.cookie++);
	EXPECT_REFUSED(-ENOENT, a.request_id[15] ^= 1);
#undef EXPECT_REFUSED
	arg.reply_len = sizeof(good) - 1;
	KUNIT_EXPECT_EQ(test, kv_server_exchange(s->s, &arg), -EINVAL);
	arg.reply_len = KVAULT_MSG_MAX + 1;
	KUNIT_EXPECT_EQ(test, kv_server_exchange(s->s, &arg), -EINVAL);
	arg.reply_len = sizeof(good);
	arg.reply = 0;
	KUNIT_EXPECT_EQ(test, kv_server_exchange(s->s, &arg), -EFAULT);
	arg.reply = (u64)(unsigned long)s->reply;
	arg.flags = KVAULT_EXCHANGE_WAIT << 1;
	KUNIT_EXPECT_EQ(test, kv_server_exchange(s->s, &arg), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_TAKEN);
	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &good, NULL), 0);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_DONE);
	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &good, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, end_of(req), 0);
}

static void another_server_cannot_answer(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_test_server *other = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = queued(test, KV_QUEUE_OPENSSL);
	struct kvault_msg a;

	EXPECT_TAKES(test, s, req);
	a = kv_test_answer_to(s);
	KUNIT_EXPECT_EQ(test, kv_test_reply(other, &a, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_TAKEN);
}

static void what_was_not_delivered_cannot_be_answered(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = queued(test, KV_QUEUE_OPENSSL);
	struct kvault_msg a = req->msg;
	u32 i;

	a.generation = s->s->generation;
	memset(a.len, 0, sizeof(a.len));
	s->room = sizeof(struct kvault_msg) + 7;
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, kv_test_take(s), -EMSGSIZE);
		KUNIT_EXPECT_EQ(test, kv_test_reply(s, &a, NULL), -ENOENT);
		KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_QUEUED);
	}
	/* nor did those count */
	s->room = sizeof(struct kvault_msg) + 8;
	EXPECT_TAKES(test, s, req);
	KUNIT_EXPECT_EQ(test, s->msg.attempts, 1);
	KUNIT_EXPECT_MEMEQ(test, s->payload, "onethree", 8);
}

static void an_answer_arrives_whole(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = queued(test, KV_QUEUE_OPENSSL);
	const struct kv_seg seg[KVAULT_MSG_SEGMENTS] = { { "aaa", 3 }, { "bb", 2 }, {},
							 { "dddd", 4 } };
	struct kv_answer ans;
	struct kvault_msg a;

	EXPECT_TAKES(test, s, req);
	a = kv_test_answer_to(s);
	a.status = -EKEYREJECTED;
	a.revision = 99;
	a.len[0] = 3;
	a.len[1] = 2;
	a.len[3] = 4;
	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &a, seg), 0);
	KUNIT_ASSERT_EQ(test, wait_for(req, &ans), 0);
	KUNIT_EXPECT_EQ(test, ans.status, -EKEYREJECTED);
	KUNIT_EXPECT_EQ(test, ans.revision, 99);
	KUNIT_EXPECT_EQ(test, ans.size, 9);
	KUNIT_EXPECT_EQ(test, ans.seg[2].len, 0);
	KUNIT_EXPECT_MEMEQ(test, ans.seg[0].p, "aaa", 3);
	KUNIT_EXPECT_MEMEQ(test, ans.seg[1].p, "bb", 2);
	KUNIT_EXPECT_MEMEQ(test, ans.seg[3].p, "dddd", 4);
	kv_answer_done(&ans);
	KUNIT_EXPECT_NULL(test, ans.buf);
}

static void only_known_errors_pass(struct kunit *test)
{
	static const s32 passed[] = { -EINVAL, -ENOKEY, -EACCES, -EKEYREVOKED, -EKEYEXPIRED,
				      -EBADMSG, -EHOSTDOWN, -ETIMEDOUT, -ESTALE, -ENOMEM };
	static const s32 other[] = { -EPERM, -EFAULT, -EINTR, -ERESTARTSYS, -EEXIST, -4095, -4096,
				   S32_MIN, 1, EINVAL, S32_MAX };
	int i;

	for (i = 0; i < ARRAY_SIZE(other); i++)
		KUNIT_EXPECT_EQ_MSG(test, kv_answer_error(other[i]), -EIO, "%d", other[i]);
	for (i = 0; i < ARRAY_SIZE(passed); i++)
		KUNIT_EXPECT_EQ(test, kv_answer_error(passed[i]), passed[i]);
}

/* --- TAKEN -> QUEUED: the server ends --- */

static void tries_end(struct kunit *test)
{
	static const struct {
		enum kv_queue_id queue;
		u32 tries;
	} of[] = { { KV_QUEUE_DAEMON, 3 }, { KV_QUEUE_OPENSSL, 2 }, { KV_QUEUE_PKCS11, 2 } };
	struct kv_test_server *s;
	struct kv_request *req;
	u32 i, n;

	kv_test_link(test);
	for (i = 0; i < ARRAY_SIZE(of); i++) {
		s = kv_test_server(test, of[i].queue);
		req = queued(test, of[i].queue);
		for (n = 1; n <= of[i].tries; n++) {
			EXPECT_TAKES(test, s, req);
			KUNIT_EXPECT_EQ(test, s->msg.attempts, n);
			kv_test_close(s);
			s = kv_test_server(test, of[i].queue);
		}
		KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_DONE);
		KUNIT_EXPECT_EQ(test, end_of(req), -EIO);
		EXPECT_NOTHING(test, s);
	}
}

static void what_was_taken_goes_back_in_order(struct kunit *test)
{
	struct kv_tenant *b = kv_test_tenant(test);
	struct kv_request *a1, *a2, *b1;
	struct kv_test_server *s;

	kv_test_link(test);
	s = kv_test_server(test, KV_QUEUE_DAEMON);
	a1 = queued(test, KV_QUEUE_DAEMON);
	a2 = queued(test, KV_QUEUE_DAEMON);
	b1 = queued_of(test, KV_QUEUE_DAEMON, b);
	EXPECT_TAKES(test, s, a1);
	kv_upcall_park(a1->msg.request_id);
	EXPECT_TAKES(test, s, b1);
	EXPECT_TAKES(test, s, a2);
	kv_test_close(s);
	s = kv_test_server(test, KV_QUEUE_DAEMON);
	EXPECT_TAKES(test, s, b1);	/* a had the last turn */
	answer(test, s);
	EXPECT_TAKES(test, s, a1);
	EXPECT_NOTHING(test, s);
	KUNIT_EXPECT_EQ(test, end_of(b1), 0);
}

/* --- whose turn it is --- */

static void the_daemon_has_one_of_each_tenant(struct kunit *test)
{
	struct kv_tenant *b = kv_test_tenant(test);
	struct kv_request *a1, *a2, *a3, *b1;
	struct kv_test_server *s;
	struct kvault_msg first;

	kv_test_link(test);
	s = kv_test_server(test, KV_QUEUE_DAEMON);
	a1 = queued(test, KV_QUEUE_DAEMON);
	a2 = queued(test, KV_QUEUE_DAEMON);
	a3 = queued(test, KV_QUEUE_DAEMON);
	b1 = queued_of(test, KV_QUEUE_DAEMON, b);
	EXPECT_TAKES(test, s, a1);
	first = kv_test_answer_to(s);
	EXPECT_TAKES(test, s, b1);	/* before a2, which came earlier */
	EXPECT_NOTHING(test, s);
	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &first, NULL), 0);
	EXPECT_TAKES(test, s, a2);
	EXPECT_NOTHING(test, s);
	/* but while it waits for an engine others are decided */
	kv_upcall_park(first.request_id);
	EXPECT_NOTHING(test, s);
	kv_upcall_park(a2->msg.request_id);
	EXPECT_TAKES(test, s, a3);
	EXPECT_NOTHING(test, s);
	KUNIT_EXPECT_EQ(test, end_of(a1), 0);
}

static void an_engine_serves_one_tenant(struct kunit *test)
{
	struct kv_tenant *b = kv_test_tenant(test);
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_test_server *other = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *a1 = queued(test, KV_QUEUE_OPENSSL), *b1;

	EXPECT_TAKES(test, s, a1);
	KUNIT_EXPECT_PTR_EQ(test, s->s->tenant, a1->tenant);
	b1 = queued_of(test, KV_QUEUE_OPENSSL, b);
	answer(test, s);
	EXPECT_NOTHING(test, s);
	EXPECT_TAKES(test, other, b1);
	KUNIT_EXPECT_EQ(test, end_of(a1), 0);
}

static void an_engine_has_one_at_a_time(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *a = queued(test, KV_QUEUE_OPENSSL);
	struct kv_request *b = queued(test, KV_QUEUE_OPENSSL);
	struct kvault_msg first;

	EXPECT_TAKES(test, s, a);
	first = kv_test_answer_to(s);
	EXPECT_NOTHING(test, s);
	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &first, NULL), 0);
	EXPECT_TAKES(test, s, b);
}

static void a_tenant_has_four_engines(struct kunit *test)
{
	struct kv_test_server *s[5];
	struct kv_request *req[5];
	int i;

	for (i = 0; i < 5; i++)
		s[i] = kv_test_server(test, KV_QUEUE_OPENSSL);
	for (i = 0; i < 5; i++)
		req[i] = queued(test, KV_QUEUE_OPENSSL);
	for (i = 0; i < 4; i++)
		EXPECT_TAKES(test, s[i], req[i]);
	EXPECT_NOTHING(test, s[4]);
	answer(test, s[2]);
	EXPECT_TAKES(test, s[2], req[4]);
	/* one that ends makes room for another */
	kv_test_close(s[0]);
	EXPECT_TAKES(test, s[4], req[0]);
}

static void kinds_of_engines_stay_apart(struct kunit *test)
{
	struct kv_test_server *hsm = kv_test_server(test, KV_QUEUE_PKCS11), *s;
	struct kv_request *req;

	s = kv_test_server(test, KV_QUEUE_OPENSSL);
	req = queued(test, KV_QUEUE_OPENSSL);
	EXPECT_NOTHING(test, hsm);
	EXPECT_TAKES(test, s, req);
}

static void a_server_that_shall_end_is_told(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = queued(test, KV_QUEUE_OPENSSL);

	s->s->is_dead = true;
	KUNIT_EXPECT_TRUE(test, kv_server_has_work(s->s));
	KUNIT_EXPECT_EQ(test, kv_test_take(s), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_QUEUED);
}

/* --- requests for which nobody waits --- */

static atomic_t finished;
static int finished_status;

static void finish(struct kv_request *req)
{
	finished_status = req->ans.status;
	atomic_inc(&finished);
	complete(req->ctx);
}

static struct kv_request *unattended(struct kunit *test, struct completion *end, u32 ms)
{
	struct kv_request *req = request_of(test, KV_QUEUE_OPENSSL, test->priv);

	init_completion(end);
	atomic_set(&finished, 0);
	req->finish = finish;
	req->ctx = end;
	req->timeout_ms = ms;
	KUNIT_ASSERT_EQ(test, kv_request_queue(req), 0);
	return req;
}

static void what_nobody_waits_for_ends_by_itself(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct completion end;
	struct kv_request *req = unattended(test, &end, SHORT_MS);
	struct kvault_msg a;

	EXPECT_TAKES(test, s, req);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&end, 5 * HZ), 0);
	KUNIT_EXPECT_EQ(test, finished_status, -ETIMEDOUT);
	a = kv_test_answer_to(s);
	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &a, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, atomic_read(&finished), 1);
}

static void what_nobody_waits_for_is_finished_once(struct kunit *test)
{
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct completion end;
	struct kv_request *req = unattended(test, &end, 5000);

	EXPECT_TAKES(test, s, req);
	answer(test, s);
	KUNIT_EXPECT_TRUE(test, completion_done(&end));
	KUNIT_EXPECT_EQ(test, finished_status, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&finished), 1);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&req->expire));
}

static void a_note_needs_a_daemon(struct kunit *test)
{
	struct kv_tenant *t = test->priv;
	struct kv_test_server *s;
	struct kvault_msg a;

	kv_upcall_tenant_gone(t);	/* dropped: the tenant's end looks for it */
	kv_test_link(test);
	s = kv_test_server(test, KV_QUEUE_DAEMON);
	EXPECT_NOTHING(test, s);
	kv_upcall_tenant_gone(t);
	KUNIT_EXPECT_EQ(test, kv_test_take(s), 0);
	KUNIT_EXPECT_EQ(test, s->msg.type, KVAULT_MSG_TENANT_GONE);
	KUNIT_EXPECT_MEMEQ(test, s->msg.tenant, t->id, sizeof(t->id));
	/* it needs no answer, and gets none */
	a = kv_test_answer_to(s);
	KUNIT_EXPECT_EQ(test, kv_test_reply(s, &a, NULL), -ENOENT);
	EXPECT_NOTHING(test, s);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(a_message_that_is_too_long_is_not_made),
	KUNIT_CASE(a_tenant_has_so_many_and_no_more),
	KUNIT_CASE(a_message_says_whose_it_is_and_until_when),
	KUNIT_CASE(nobody_ever_served),
	KUNIT_CASE(a_wait_ends_in_time),
	KUNIT_CASE(a_wait_for_who_is_gone_says_so),
	KUNIT_CASE(all_that_waits_can_be_failed),
	KUNIT_CASE(a_late_answer_is_nobodys),
	KUNIT_CASE(a_dead_request_is_not_tried_again),
	KUNIT_CASE(answers_that_do_not_fit_change_nothing),
	KUNIT_CASE(another_server_cannot_answer),
	KUNIT_CASE(what_was_not_delivered_cannot_be_answered),
	KUNIT_CASE(an_answer_arrives_whole),
	KUNIT_CASE(only_known_errors_pass),
	KUNIT_CASE(tries_end),
	KUNIT_CASE(what_was_taken_goes_back_in_order),
	KUNIT_CASE(the_daemon_has_one_of_each_tenant),
	KUNIT_CASE(an_engine_serves_one_tenant),
	KUNIT_CASE(an_engine_has_one_at_a_time),
	KUNIT_CASE(a_tenant_has_four_engines),
	KUNIT_CASE(kinds_of_engines_stay_apart),
	KUNIT_CASE(a_server_that_shall_end_is_told),
	KUNIT_CASE(what_nobody_waits_for_ends_by_itself),
	KUNIT_CASE(what_nobody_waits_for_is_finished_once),
	KUNIT_CASE(a_note_needs_a_daemon),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "kvault_queue",
	.init = queue_init,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
