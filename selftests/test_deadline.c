// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a call takes: as long as its caller allows, whoever was away in between.
 * vm: --init script
 * timeout: 180
 */
#include "kv_serve.h"
#include "kselftest_harness.h"

static int call_control(void *arg)
{
	int fd, ret;

	kv_serve_stop();	/* our copies of its files */
	fd = kv_dev();
	ret = kv_control(fd, KVAULT_METHOD_GET, "/x", NULL, NULL, 0);
	return ret == 200 ? 0 : kv_status(ret);
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

TEST_HARNESS_MAIN
