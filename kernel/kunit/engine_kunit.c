// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines: keys are loaded before they are used and forgotten when they must
 * not be used any more; what the daemon submits is checked, and what an engine
 * makes comes back sealed.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include "queue.h"
#include "seal.h"
#include "tenant.h"
#include "fixture.h"

struct engine_test {
	struct kv_tenant *t;
	struct kv_test_key *k;
	struct kv_object *obj;
	struct kv_caller who;
};

KUNIT_DEFINE_ACTION_WRAPPER(put_object, kv_object_put, struct kv_object *);

static int engine_init(struct kunit *test)
{
	struct engine_test *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);

	if (!e)
		return -ENOMEM;
	e->t = kv_test_tenant(test);
	e->k = kv_test_key(test, e->t, 2048, KVAULT_OP_SIGN);
	e->k->grant.binding.kty = KVAULT_KTY_RSA;
	kv_test_seal(test, e->t, e->k);
	e->obj = kv_test_accept(e->t, e->k);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, e->obj);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_object, e->obj), 0);
	test->priv = e;
	return 0;
}

static void request_end(void *ctx)
{
	struct kv_request *req = ctx;
	struct kv_answer ans = {};

	kv_request_wait(req, 0, &ans);
	kv_answer_done(&ans);
	kv_request_put(req);
}

/* A signature that waits for an engine. */
static struct kv_request *sign(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kvault_engine_req er = { .size = sizeof(er), .slot = e->obj->slot,
					.operation = KVAULT_OP_SIGN, .alg = KVAULT_ALG_RS256 };
	const struct kv_seg seg[KVAULT_MSG_SEGMENTS] = { { &er, sizeof(er) }, {}, { "digest", 6 } };
	struct kv_request *req;

	req = kv_request_new(KV_QUEUE_OPENSSL, e->t, kv_line_charge(e->t, 0, KV_LINE_URGENT),
			     KVAULT_MSG_ENGINE, KVAULT_ENGINE_OP_CRYPT, seg, 5000);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, req);
	req->object = kv_object_get(e->obj);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, request_end, req), 0);
	KUNIT_ASSERT_EQ(test, kv_request_queue(req), 0);
	return req;
}

static void expect_op(struct kv_test_server *s, u32 op)
{
	KUNIT_EXPECT_EQ(s->test, kv_test_take(s), 0);
	KUNIT_EXPECT_EQ(s->test, s->msg.type, KVAULT_MSG_ENGINE);
	KUNIT_EXPECT_EQ(s->test, s->msg.op, op);
}

static int say(struct kv_test_server *s, s32 status)
{
	struct kvault_msg a = kv_test_answer_to(s);

	a.status = status;
	return kv_test_reply(s, &a, NULL);
}

static int end_of(struct kv_request *req)
{
	struct kv_answer ans = {};
	int ret = kv_request_wait(req, 20, &ans);

	kv_answer_done(&ans);
	return ret;
}

/* An engine that has the key. */
static struct kv_test_server *loaded(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = sign(test);

	expect_op(s, KVAULT_ENGINE_OP_LOAD);
	KUNIT_ASSERT_EQ(test, say(s, 0), 0);
	expect_op(s, KVAULT_ENGINE_OP_CRYPT);
	KUNIT_ASSERT_EQ(test, say(s, 0), 0);
	KUNIT_EXPECT_EQ(test, end_of(req), 0);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&s->s->loaded, e->obj->slot), e->obj);
	return s;
}

/* --- keys in engines --- */

static void a_key_that_cannot_be_loaded_ends_the_request(struct kunit *test)
{
	static const struct {
		s32 status;
		int ret;
	} said[] = { { -EKEYREJECTED, -EKEYREJECTED }, { 5, -EIO } };
	struct engine_test *e = test->priv;
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req;
	int i;

	for (i = 0; i < ARRAY_SIZE(said); i++) {
		req = sign(test);
		expect_op(s, KVAULT_ENGINE_OP_LOAD);
		KUNIT_EXPECT_EQ(test, say(s, said[i].status), 0);
		KUNIT_EXPECT_EQ(test, end_of(req), said[i].ret);
		KUNIT_EXPECT_NULL(test, xa_load(&s->s->loaded, e->obj->slot));
	}
}

static void a_key_is_loaded_once(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kvault_engine_req *er = (void *)s->payload;
	struct kv_request *req = sign(test);

	expect_op(s, KVAULT_ENGINE_OP_LOAD);
	KUNIT_EXPECT_EQ(test, er->slot, e->obj->slot);
	KUNIT_EXPECT_EQ(test, er->operation, 0);
	KUNIT_EXPECT_EQ(test, s->msg.len[2], 0);	/* not the input yet */
	KUNIT_EXPECT_EQ(test, s->msg.len[3], 64);
	KUNIT_EXPECT_MEMEQ(test, s->payload + sizeof(*er), e->k->material, 64);
	KUNIT_EXPECT_EQ(test, say(s, 0), 0);
	KUNIT_EXPECT_EQ(test, req->state, KV_REQUEST_TAKEN);
	expect_op(s, KVAULT_ENGINE_OP_CRYPT);
	KUNIT_EXPECT_EQ(test, er->operation, KVAULT_OP_SIGN);
	KUNIT_EXPECT_EQ(test, s->msg.len[3], 0);
	KUNIT_EXPECT_MEMEQ(test, s->payload + sizeof(*er), "digest", 6);
	KUNIT_EXPECT_EQ(test, say(s, 0), 0);
	KUNIT_EXPECT_EQ(test, end_of(req), 0);
	req = sign(test);
	expect_op(s, KVAULT_ENGINE_OP_CRYPT);
	KUNIT_EXPECT_EQ(test, say(s, 0), 0);
	KUNIT_EXPECT_EQ(test, end_of(req), 0);
}

/* Neither who could not read the key counts as one that has it. */
static void a_key_that_did_not_fit_is_loaded_again(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);

	sign(test);
	s->room = sizeof(struct kvault_msg);
	KUNIT_EXPECT_EQ(test, kv_test_take(s), -EMSGSIZE);
	KUNIT_EXPECT_NULL(test, xa_load(&s->s->loaded, e->obj->slot));
	s->room = KVAULT_MSG_MAX;
	expect_op(s, KVAULT_ENGINE_OP_LOAD);
}

static void a_key_that_was_disabled_is_not_given_out(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kv_test_server *s = kv_test_server(test, KV_QUEUE_OPENSSL);
	struct kv_request *req = sign(test);
	u32 volumes;

	KUNIT_EXPECT_EQ(test, kv_object_set_state(e->t, e->obj->key, NULL, 2,
						  KVAULT_OBJECT_DISABLED, &volumes), 0);
	KUNIT_EXPECT_EQ(test, kv_test_take(s), 0);
	KUNIT_EXPECT_EQ(test, s->msg.size, 0);
	KUNIT_EXPECT_EQ(test, end_of(req), -EKEYREVOKED);
}

static void who_does_not_forget_is_ended(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kv_test_server *s = loaded(test), *innocent = kv_test_server(test, KV_QUEUE_PKCS11);
	u32 volumes;

	KUNIT_EXPECT_EQ(test, kv_object_set_state(e->t, e->obj->key, NULL, 2,
						  KVAULT_OBJECT_DISABLED, &volumes), 0);
	KUNIT_EXPECT_TRUE(test, s->s->is_dead);
	KUNIT_EXPECT_EQ(test, kv_test_take(s), -ESHUTDOWN);
	KUNIT_EXPECT_FALSE(test, innocent->s->is_dead);
}

struct disabling {
	struct engine_test *e;
	struct completion ended;
	int ret;
};

static int disable(void *ctx)
{
	struct disabling *d = ctx;
	u32 volumes;

	d->ret = kv_object_set_state(d->e->t, d->e->obj->key, NULL, 2, KVAULT_OBJECT_DISABLED,
				     &volumes);
	kthread_complete_and_exit(&d->ended, 0);
}

static void who_forgets_goes_on(struct kunit *test)
{
	struct kv_test_server *s = loaded(test);
	struct engine_test *e = test->priv;
	struct disabling d = { .e = e };

	init_completion(&d.ended);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(disable, &d, "kvault-test"));
	wait_event_interruptible_timeout(*kv_server_wq(KV_QUEUE_OPENSSL),
					 kv_server_has_work(s->s), HZ);
	expect_op(s, KVAULT_ENGINE_OP_FORGET);
	KUNIT_EXPECT_EQ(test, ((struct kvault_engine_req *)s->payload)->slot, e->obj->slot);
	KUNIT_EXPECT_EQ(test, say(s, 0), 0);
	wait_for_completion(&d.ended);
	KUNIT_EXPECT_EQ(test, d.ret, 0);
	KUNIT_EXPECT_FALSE(test, s->s->is_dead);
	KUNIT_EXPECT_NULL(test, xa_load(&s->s->loaded, e->obj->slot));
}

static void a_tenant_that_ends_takes_its_engines_along(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kv_test_server *s = loaded(test), *idle = kv_test_server(test, KV_QUEUE_OPENSSL);

	kv_engine_kill_all(e->t);
	KUNIT_EXPECT_TRUE(test, s->s->is_dead);
	KUNIT_EXPECT_FALSE(test, idle->s->is_dead);
}

/* One that takes its time for each version has it for all of them together. */
static void all_versions_are_forgotten_in_one_time(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kv_test_server *s = loaded(test);
	struct kvault_binding *b = &e->k->grant.binding;
	struct xarray *has = &s->s->loaded;
	struct kv_object *obj;
	unsigned long begin;
	u32 volumes, i;

	for (i = 0; i < 3; i++) {
		b->version[0]++;
		kv_test_seal(test, e->t, e->k);
		obj = kv_test_accept(e->t, e->k);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
		/* the reference is the engine's */
		KUNIT_ASSERT_EQ(test, xa_err(xa_store(has, obj->slot, obj, GFP_KERNEL)), 0);
	}
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, kv_object_set_state(e->t, e->obj->key, NULL, 2,
						  KVAULT_OBJECT_DISABLED, &volumes), 0);
	KUNIT_EXPECT_GE(test, jiffies - begin, msecs_to_jiffies(KV_FORGET_MS - 20));
	KUNIT_EXPECT_LT(test, jiffies - begin, msecs_to_jiffies(3 * KV_FORGET_MS));
	KUNIT_EXPECT_TRUE(test, s->s->is_dead);
}

/* --- what the daemon submits --- */

struct submitting {
	struct kvault_submit arg;
	u8 __user *user;
};

/* A key to be made, of which the binding is in a user's memory. */
static void submission(struct kunit *test, struct submitting *s)
{
	struct engine_test *e = test->priv;

	s->user = kv_test_user(test, PAGE_SIZE);
	e->k->grant.binding.version[0] ^= 1;
	kv_test_set(test, s->user, &e->k->grant.binding, sizeof(e->k->grant.binding));
	s->arg = (struct kvault_submit){
		.size = sizeof(s->arg), .cookie = 42, .engine = KVAULT_ENGINE_OPENSSL,
		.op = KVAULT_ENGINE_OP_GENERATE, .timeout_ms = 5000,
		.binding = (u64)(unsigned long)s->user,
		.blob = (u64)(unsigned long)s->user, .in = (u64)(unsigned long)s->user,
	};
}

static void a_submission_that_is_nonsense_is_refused(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kvault_binding b;
	struct submitting s;
	struct kvault_submit good;

	submission(test, &s);
	kv_test_server(test, KV_QUEUE_OPENSSL);
	good = s.arg;
#define EXPECT_REFUSED(error, ...) \
	do { \
		s.arg = good; \
		b = e->k->grant.binding; \
		__VA_ARGS__; \
		kv_test_set(test, s.user, &b, sizeof(b)); \
		KUNIT_EXPECT_EQ_MSG(test, kv_engine_submit(&s.arg), error, #__VA_ARGS__); \
	} while (0)

	EXPECT_REFUSED(-EOPNOTSUPP, s.arg.flags = 1);
	EXPECT_REFUSED(-EINVAL, s.arg.engine = KVAULT_ENGINE_UNSPEC);
	EXPECT_REFUSED(-EINVAL, s.arg.engine = KVAULT_ENGINE_PKCS11 + 1);
	EXPECT_REFUSED(-EINVAL, s.arg.timeout_ms = 0);
	EXPECT_REFUSED(-EINVAL, s.arg.timeout_ms = KVAULT_TIMEOUT_MS_MAX + 1);
	EXPECT_REFUSED(-EINVAL, s.arg.blob_len = KVAULT_BLOB_MAX + 1);
	EXPECT_REFUSED(-EINVAL, s.arg.in_len = KVAULT_AUX_MAX + 1);
	EXPECT_REFUSED(-EOPNOTSUPP, s.arg.op = KVAULT_ENGINE_OP_UNSPEC);
	EXPECT_REFUSED(-EOPNOTSUPP, s.arg.op = KVAULT_ENGINE_OP_LOAD);
	EXPECT_REFUSED(-EOPNOTSUPP, s.arg.op = KVAULT_ENGINE_OP_FORGET);
	EXPECT_REFUSED(-EINVAL, s.arg.blob_len = 1);
	EXPECT_REFUSED(-EINVAL, s.arg.in_len = 1);
	EXPECT_REFUSED(-EINVAL, s.arg.op = KVAULT_ENGINE_OP_IMPORT);
	EXPECT_REFUSED(-EINVAL, s.arg.op = KVAULT_ENGINE_OP_DESTROY);
	EXPECT_REFUSED(-EINVAL, s.arg.op = KVAULT_ENGINE_OP_CRYPT, s.arg.blob_len = 100);
	EXPECT_REFUSED(-EINVAL, s.arg.op = KVAULT_ENGINE_OP_CRYPT, s.arg.in_len = 32);
	EXPECT_REFUSED(-EFAULT, s.arg.binding = 0);
	EXPECT_REFUSED(-ENOKEY, b.tenant[0] ^= 1);
	EXPECT_REFUSED(-EINVAL, b.pad = 1);
	EXPECT_REFUSED(-EINVAL, b.type = KVAULT_TYPE_CERT);
	/* a key goes to the kind of engine that it is made for */
	EXPECT_REFUSED(-EINVAL, b.flags |= KVAULT_KEY_HSM);
	EXPECT_REFUSED(-EINVAL, s.arg.engine = KVAULT_ENGINE_PKCS11);
	/* a secret that does not open */
	EXPECT_REFUSED(-EBADMSG, s.arg.op = KVAULT_ENGINE_OP_IMPORT, s.arg.blob_len = 100);
#undef EXPECT_REFUSED
	KUNIT_EXPECT_EQ(test, atomic_read(&e->t->charge[KV_CHARGE_REQUEST]), 0);
}

/* Submits, and lets the engine answer with what it made; the daemon is told. */
static struct kv_test_server *made(struct kunit *test, s32 status, const char *material, u32 len)
{
	struct kv_seg seg[KVAULT_MSG_SEGMENTS] = { {}, {}, { "{}", 2 }, { material, len } };
	struct kv_test_server *daemon, *s;
	struct submitting sub;
	struct kvault_msg a;

	kv_test_link(test);
	daemon = kv_test_server(test, KV_QUEUE_DAEMON);
	s = kv_test_server(test, KV_QUEUE_OPENSSL);
	submission(test, &sub);
	KUNIT_ASSERT_EQ(test, kv_engine_submit(&sub.arg), 0);
	expect_op(s, KVAULT_ENGINE_OP_GENERATE);
	a = kv_test_answer_to(s);
	a.status = status;
	a.len[2] = 2;
	a.len[3] = len;
	KUNIT_ASSERT_EQ(test, kv_test_reply(s, &a, seg), 0);
	KUNIT_ASSERT_EQ(test, kv_test_take(daemon), 0);
	KUNIT_EXPECT_EQ(test, daemon->msg.type, KVAULT_MSG_ENGINE_DONE);
	KUNIT_EXPECT_EQ(test, daemon->msg.cookie, 42);
	KUNIT_EXPECT_EQ(test, daemon->msg.op, KVAULT_ENGINE_OP_GENERATE);
	return daemon;
}

static void an_engine_that_makes_nothing_has_failed(struct kunit *test)
{
	struct kv_test_server *daemon = made(test, 0, NULL, 0);

	KUNIT_EXPECT_EQ(test, daemon->msg.status, -EIO);
	KUNIT_EXPECT_EQ(test, daemon->msg.len[3], 0);
}

static void what_comes_with_an_error_is_not_sealed(struct kunit *test)
{
	struct kv_test_server *daemon = made(test, -EINVAL, "a key", 5);

	KUNIT_EXPECT_EQ(test, daemon->msg.status, -EINVAL);
	KUNIT_EXPECT_EQ(test, daemon->msg.len[3], 0);
}

static void what_an_engine_makes_comes_back_sealed(struct kunit *test)
{
	struct engine_test *e = test->priv;
	struct kv_test_server *daemon = made(test, 0, "what is in the key", 18);
	u32 len = 64;
	u8 plain[64];

	KUNIT_EXPECT_EQ(test, daemon->msg.status, 0);
	KUNIT_EXPECT_EQ(test, daemon->msg.len[2], 2);
	KUNIT_ASSERT_EQ(test, daemon->msg.len[3], 18 + KVAULT_BLOB_OVERHEAD);
	KUNIT_EXPECT_EQ(test, kv_unseal(e->t, &e->k->grant.binding, daemon->payload + 2,
					daemon->msg.len[3], plain, &len), 0);
	KUNIT_EXPECT_EQ(test, len, 18);
	KUNIT_EXPECT_MEMEQ(test, plain, "what is in the key", 18);
}

static struct kunit_case engine_cases[] = {
	KUNIT_CASE(a_key_that_cannot_be_loaded_ends_the_request),
	KUNIT_CASE(a_key_is_loaded_once),
	KUNIT_CASE(a_key_that_did_not_fit_is_loaded_again),
	KUNIT_CASE(a_key_that_was_disabled_is_not_given_out),
	KUNIT_CASE(who_does_not_forget_is_ended),
	KUNIT_CASE(who_forgets_goes_on),
	KUNIT_CASE(all_versions_are_forgotten_in_one_time),
	KUNIT_CASE(a_tenant_that_ends_takes_its_engines_along),
	KUNIT_CASE(a_submission_that_is_nonsense_is_refused),
	KUNIT_CASE(an_engine_that_makes_nothing_has_failed),
	KUNIT_CASE(what_comes_with_an_error_is_not_sealed),
	KUNIT_CASE(what_an_engine_makes_comes_back_sealed),
	{}
};

static struct kunit_suite engine_suite = {
	.name = "kvault_engine",
	.init = engine_init,
	.test_cases = engine_cases,
};

kunit_test_suite(engine_suite);
