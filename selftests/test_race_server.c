// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to the daemon, or an engine, while it waits for work in
 * EXCHANGE: killed, stopped, replaced by exec, forked, its file closed or its
 * memory taken away by another thread. Callers are served by it or by the
 * next one; the claim is free when the last file is closed, and not before.
 * vm: --init script --smp 2
 * libs: -lpthread
 * timeout: 120
 */
#include <pthread.h>
#include <sys/mman.h>
#include "kv_serve.h"
#include "kselftest_harness.h"

#define MESSAGE	(sizeof(struct kvault_msg) + 65536)

enum how {
	NOTHING,
	CLOSE,
	MUNMAP,
	FORK,
	EXEC,
};

FIXTURE(server)
{
	struct kv_child c, caller;
};

FIXTURE_VARIANT(server)
{
	bool is_engine;
};

FIXTURE_VARIANT_ADD(server, daemon)
{
	.is_engine = false,
};

FIXTURE_VARIANT_ADD(server, engine)
{
	.is_engine = true,
};

static bool is_engine;
static enum how how;
static int go[2], ready[2], hold[2];
static uint8_t *buf;

/* --- the server's process ------------------------------------------------------------- */

/* Waits for a message, which lands in @buf; its length or -errno. */
static int wait_for_message(void)
{
	struct kvault_exchange x = {
		.size = sizeof(x), .flags = KVAULT_EXCHANGE_WAIT, .next = kv_ptr(buf),
		.next_len = MESSAGE,
	};
	int ret = is_engine ? kv_ioctl(kv_srv.eng, KVAULT_ENG_EXCHANGE, &x) :
		  kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_EXCHANGE, &x);

	return ret ? ret : (int)x.next_len;
}

static void *wait_thread(void *result)
{
	*(int *)result = wait_for_message();
	return NULL;
}

static int disturb(void)
{
	char c;

	switch (how) {
	case NOTHING:
		return 0;
	case CLOSE:
		return close(is_engine ? kv_srv.eng : kv_srv.d.ctl);
	case MUNMAP:
		return munmap(buf, MESSAGE);
	case FORK:
		if (fork())
			return 0;
		_exit(read(hold[0], &c, 1) == 1 ? 0 : 1);
	case EXEC:
		execl("/bin/sleep", "sleep", "30", NULL);
	}
	return -1;
}

static int answer(int len)
{
	if (len <= 0)
		return 70;
	memcpy(is_engine ? kv_srv.e.buf : kv_srv.d.buf, buf, (size_t)len);
	return kv_serve_answer(is_engine) ? 71 : 0;
}

/* Sits with what it has, or answers it and all that follows. */
static int serve_on(int result)
{
	int ret = 0;

	if (how == CLOSE)
		return result > 0 ? 0 : 72;	/* the file is gone when the wait is over */
	if (how == MUNMAP) {
		if (result != -EFAULT)
			return 73;
		buf = mmap(NULL, MESSAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
		result = wait_for_message();
		/* what could not be copied was not delivered */
		if (result > 0 && ((struct kvault_msg *)buf)->attempts != 1)
			return 74;
	}
	while (!ret) {
		ret = answer(result);
		if (!ret)
			result = wait_for_message();
	}
	return ret;
}

static int serve_child(void *arg)
{
	pthread_t thread;
	int result = 0;
	char c;

	if (is_engine)
		kv_daemon_stop(&kv_srv.d);
	if (is_engine ? kv_engine_attach() : kv_daemon_start(&kv_srv.d, KV_SERVE_REVISION))
		return 75;
	buf = mmap(NULL, MESSAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED || pthread_create(&thread, NULL, wait_thread, &result))
		return 76;
	kv_sleep_ms(50);
	if (write(ready[1], "r", 1) != 1 || read(go[0], &c, 1) != 1 || disturb() ||
	    write(ready[1], "d", 1) != 1)
		return 77;
	pthread_join(thread, NULL);
	return serve_on(result);
}

/* --- the caller -------------------------------------------------------------------------- */

static int call(void *arg)
{
	uint8_t digest[32] = { 1 }, sig[64];
	size_t len = sizeof(sig);
	struct kvault_open o;
	int fd, ret;

	kv_daemon_stop(&kv_srv.d);
	fd = kv_dev();
	if (!is_engine)
		return (ret = kv_control(fd, KVAULT_METHOD_GET, "/x", NULL, NULL, 0)) == 200 ?
		       0 : ret < 0 ? -ret : 1;
	ret = kv_open_path(fd, kv_serve_paths[KV_EC], 0, kv_patience(20000), &o);
	ret = ret ? ret : kv_sign(fd, o.handle, KVAULT_ALG_ES256, digest, 32, sig, &len);
	return -ret;
}

/* --- the test ------------------------------------------------------------------------------ */

/*
 * Keys are made by a server of our own. For the engine's variant we stay the
 * daemon, for the other one the child becomes it.
 */
FIXTURE_SETUP(server)
{
	is_engine = variant->is_engine;
	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	ASSERT_EQ(0, pipe(hold));
	ASSERT_EQ(0, kv_serve_start());
	close(kv_srv.eng);
	kv_srv.eng = -1;
	if (!is_engine)
		kv_serve_stop();
}

FIXTURE_TEARDOWN(server)
{
	kill(self->c.pid, SIGKILL);
	waitpid(self->c.pid, NULL, 0);
	kv_serve_stop();
}

/* It waits; then it is disturbed. */
static int begin(struct kv_child *c, enum how what)
{
	char b;

	how = what;
	if (kv_child_start(c, false, false, serve_child, NULL))
		return -ECHILD;
	kv_child_go(c);
	if (read(ready[0], &b, 1) != 1 || write(go[1], "g", 1) != 1)
		return -errno;
	return what == EXEC || read(ready[0], &b, 1) == 1 ? 0 : -errno;
}

/* The caller ends well, with our help as the daemon in the engine's variant. */
static int call_ends(struct kv_child *c)
{
	uint64_t end = kv_now_ms() + kv_patience(15000);
	int status, ret = -ETIME;

	while (kv_now_ms() < end) {
		if (waitpid(c->pid, &status, WNOHANG) == c->pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (kv_srv.d.ctl < 0)
			kv_sleep_ms(10);
		else if ((ret = kv_serve_until(NULL, 10)) != -ETIME)
			break;
	}
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	return ret;
}

static int begin_call(struct kv_child *c)
{
	int ret = kv_child_start(c, false, false, call, NULL);

	if (!ret)
		kv_child_go(c);
	return ret;
}

/* Ours again, within a second: nobody else holds it. */
static int take_over(void)
{
	uint64_t start = kv_now_ms();
	int ret = is_engine ? kv_engine_attach() :
		  kv_daemon_start(&kv_srv.d, KV_SERVE_REVISION);

	return ret ? ret : kv_now_ms() - start > kv_patience(2000) ? -ETIME : 0;
}

TEST_F(server, one_that_waits_serves)
{
	ASSERT_EQ(0, begin(&self->c, NOTHING));
	ASSERT_EQ(0, begin_call(&self->caller));
	EXPECT_EQ(0, call_ends(&self->caller));
}

TEST_F(server, SIGKILL_frees_its_place_at_once)
{
	ASSERT_EQ(0, begin(&self->c, NOTHING));
	ASSERT_EQ(0, kill(self->c.pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, kv_child_end(&self->c));
	EXPECT_EQ(0, take_over());
	ASSERT_EQ(0, begin_call(&self->caller));
	EXPECT_EQ(0, call_ends(&self->caller));
}

TEST_F(server, SIGSTOP_makes_callers_wait_and_SIGCONT_serves_them)
{
	int status;

	ASSERT_EQ(0, begin(&self->c, NOTHING));
	ASSERT_EQ(0, kill(self->c.pid, SIGSTOP));
	ASSERT_EQ(self->c.pid, waitpid(self->c.pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, begin_call(&self->caller));
	if (is_engine) {
		EXPECT_EQ(-ETIME, kv_serve_until(NULL, 300));
	} else {
		kv_sleep_ms(300);
	}
	EXPECT_EQ(0, waitpid(self->caller.pid, &status, WNOHANG));
	ASSERT_EQ(0, kill(self->c.pid, SIGCONT));
	EXPECT_EQ(0, call_ends(&self->caller));
}

/* The wait has the file; when it ends with a message, the message goes to the next one. */
TEST_F(server, a_file_that_is_closed_lasts_as_long_as_the_wait)
{
	ASSERT_EQ(0, begin(&self->c, CLOSE));
	ASSERT_EQ(0, begin_call(&self->caller));
	if (is_engine) {
		EXPECT_EQ(-ETIME, kv_serve_until(NULL, 300));
	}
	EXPECT_EQ(0, kv_child_end(&self->c));
	EXPECT_EQ(0, take_over());
	EXPECT_EQ(0, call_ends(&self->caller));
}

TEST_F(server, memory_that_is_gone_loses_no_message)
{
	ASSERT_EQ(0, begin(&self->c, MUNMAP));
	ASSERT_EQ(0, begin_call(&self->caller));
	EXPECT_EQ(0, call_ends(&self->caller));
}

TEST_F(server, a_fork_that_outlives_it_keeps_its_place)
{
	struct kv_daemon two;

	ASSERT_EQ(0, begin(&self->c, FORK));
	ASSERT_EQ(0, kill(self->c.pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, kv_child_end(&self->c));
	if (!is_engine) {
		two.ctl = open(KV_CONTROL_DEV, O_RDWR | O_CLOEXEC);
		EXPECT_EQ(-EBUSY, kv_claim(two.ctl, &two));
		close(two.ctl);
	}
	EXPECT_EQ(1, write(hold[1], "h", 1));	/* it ends now */
	EXPECT_EQ(0, take_over());
	ASSERT_EQ(0, begin_call(&self->caller));
	EXPECT_EQ(0, call_ends(&self->caller));
}

TEST_F(server, exec_by_another_thread_frees_its_place)
{
	ASSERT_EQ(0, begin(&self->c, EXEC));
	EXPECT_EQ(0, take_over());
	ASSERT_EQ(0, begin_call(&self->caller));
	EXPECT_EQ(0, call_ends(&self->caller));
}

TEST_HARNESS_MAIN
