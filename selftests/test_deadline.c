// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a call takes: as long as its caller allows, however often the
 * kernel has to ask for it and whoever was away in between.
 * vm: --init script
 * timeout: 180
 */
#include "kv_serve.h"
#include "kselftest_harness.h"

#define ALLOWED_MS	4000	/* by callers; an answer comes in a part of it */

static int call_control(void *arg)
{
	int fd, ret;

	kv_serve_stop();	/* our copies of its files */
	fd = kv_dev();
	ret = kv_control(fd, KVAULT_METHOD_GET, "/x", NULL, NULL, 0);
	return ret == 200 ? 0 : kv_status(ret);
}

/* Opens a key of the test's and signs with it. */
static int call_sign(void *arg)
{
	struct kvault_crypt c = { .alg = KVAULT_ALG_ES256, .timeout_ms = ALLOWED_MS };
	uint8_t in[32] = { 0 }, out[64];
	size_t len = sizeof(out);
	struct kvault_open o;
	int fd, ret;

	kv_serve_stop();
	fd = kv_dev();
	ret = kv_open_path(fd, kv_serve_paths[KV_EC], 0, 20000, &o);
	if (ret || write(*(int *)arg, "o", 1) != 1)
		return kv_status(ret);
	if (setgid(77))		/* another principal, who has no grant yet */
		return 99;
	c.handle = o.handle;
	return kv_status(kv_op(fd, KVAULT_SIGN, &c, in, sizeof(in), out, &len));
}

static int call_open(void *arg)
{
	struct kvault_open o;

	kv_serve_stop();
	return kv_status(kv_open_path(kv_dev(), kv_serve_paths[KV_AES], 0, ALLOWED_MS, &o));
}

FIXTURE(deadline)
{
	struct kv_child c;
};

FIXTURE_SETUP(deadline)
{
	ASSERT_EQ(0, kv_serve_start());
}

FIXTURE_TEARDOWN(deadline)
{
	kv_serve_stop();
}

/* First the daemon, who has to grant it, and then an engine, that does not answer. */
TEST_F(deadline, the_engines_time_is_what_the_daemon_has_left)
{
	const struct kv_want access = { .type = KVAULT_MSG_ACCESS };
	const struct kv_want crypt = {
		.is_engine = true, .type = KVAULT_MSG_ENGINE, .op = KVAULT_ENGINE_OP_CRYPT,
	};
	uint64_t start, took;
	int opened[2];
	char b;

	ASSERT_EQ(0, pipe2(opened, O_CLOEXEC));
	ASSERT_EQ(0, kv_child_start(&self->c, false, false, call_sign, &opened[1]));
	kv_child_go(&self->c);
	ASSERT_EQ(0, kv_serve_until(&access, 5000));
	ASSERT_EQ(0, kv_serve_answer(false));
	ASSERT_EQ(1, read(opened[0], &b, 1));
	start = kv_now_ms();
	ASSERT_EQ(0, kv_serve_until(&access, 5000));
	kv_sleep_ms(ALLOWED_MS / 4 * 3);
	ASSERT_EQ(0, kv_serve_answer(false));
	ASSERT_EQ(0, kv_serve_until(&crypt, 5000));
	EXPECT_EQ(ETIMEDOUT, kv_child_end(&self->c));
	took = kv_now_ms() - start;
	EXPECT_GT(ALLOWED_MS / 4 * 6, took) TH_LOG("%llu ms", (unsigned long long)took);
}

/* A daemon that is away is waited for 10 s; one that is back, as long as the caller says. */
TEST_F_TIMEOUT(deadline, a_daemon_that_came_back_has_the_callers_time, 60)
{
	const struct kv_want control = { .type = KVAULT_MSG_CONTROL };

	kv_serve_stop();
	ASSERT_EQ(0, kv_child_start(&self->c, false, false, call_control, NULL));
	kv_child_go(&self->c);
	kv_sleep_ms(500);	/* it waits */
	ASSERT_EQ(0, kv_daemon_start(&kv_srv.d, KV_SERVE_REVISION));
	ASSERT_EQ(0, kv_serve_until(&control, 8000));
	kv_sleep_ms(11000);
	ASSERT_EQ(0, kv_serve_answer(false));
	EXPECT_EQ(0, kv_child_end(&self->c));
}

/* What waits for the daemon is not helped by an engine that comes and goes. */
TEST_F_TIMEOUT(deadline, an_engine_that_is_lost_does_not_prolong_the_wait_for_the_daemon, 60)
{
	const struct kv_want control = { .type = KVAULT_MSG_CONTROL };
	uint64_t start, took;

	ASSERT_EQ(0, kv_child_start(&self->c, false, false, call_control, NULL));
	kv_child_go(&self->c);
	ASSERT_EQ(0, kv_serve_until(&control, 8000));
	start = kv_now_ms();
	kv_serve_stop();
	kv_sleep_ms(6000);
	ASSERT_EQ(0, kv_engine_attach());
	close(kv_srv.eng);
	EXPECT_EQ(EHOSTDOWN, kv_child_end(&self->c));
	took = kv_now_ms() - start;
	EXPECT_LE(9000, took);
	EXPECT_GT(14000, took) TH_LOG("%llu ms", (unsigned long long)took);
}

/* The policy is newer than what the daemon says; the last test, for it is so for good. */
TEST_F(deadline, answers_that_are_stale_take_no_longer_than_the_caller_allows)
{
	const struct kv_want access = { .type = KVAULT_MSG_ACCESS };
	uint64_t start = kv_now_ms(), took;
	struct kv_reply *r;

	ASSERT_EQ(0, kv_policy_set(&kv_srv.d, kv_host, KV_SERVE_REVISION + 10));
	ASSERT_EQ(0, kv_child_start(&self->c, false, false, call_open, NULL));
	kv_child_go(&self->c);
	/* the caller's time is the same on every kernel */
	while (!kv_serve_until(&access, ALLOWED_MS / (int)kv_factor())) {
		kv_sleep_ms(ALLOWED_MS / 4 * 3);
		r = kv_reply_to(&kv_srv.d, -ESTALE);
		r->msg.revision = 1;
		kv_reply_send(&kv_srv.d, r);
	}
	EXPECT_EQ(ETIMEDOUT, kv_child_end(&self->c));
	took = kv_now_ms() - start;
	EXPECT_GT(4 * ALLOWED_MS, took) TH_LOG("%llu ms", (unsigned long long)took);
}

TEST_HARNESS_MAIN
