// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everybody at once, on two CPUs: processes of two threads each, which share a
 * file, while the daemon looks after the log. Every call succeeds or says that
 * time ran out. What races in the kernel meanwhile is for the kernels of ours
 * to see, kcsan first of all.
 * vm: --init script --smp 2
 * libs: -lpthread
 * timeout: 60
 */
#include <pthread.h>
#include <sys/wait.h>
#include "kv_serve.h"
#include "kselftest_harness.h"

#define CALLERS	4
#define MS	4000

static int shared = -1;
static uint64_t end;

static bool is_fine(int ret)
{
	return !ret || ret == -ETIMEDOUT || ret == -ETIME;
}

static int use(int fd)
{
	uint8_t sig[64], digest[32] = { 1 };
	size_t len = sizeof(sig);
	struct kvault_open aes, ec;
	int ret;

	ret = kv_open_path(fd, kv_serve_paths[KV_AES], 0, kv_patience(5000), &aes);
	if (ret)
		return ret;
	ret = kv_encrypt_gcm(fd, aes.handle);
	ret = kv_close_handle(fd, aes.handle) ?: ret;
	if (ret)
		return ret;
	ret = kv_open_path(fd, kv_serve_paths[KV_EC], 0, kv_patience(5000), &ec);
	if (ret)
		return ret;
	ret = kv_sign(fd, ec.handle, KVAULT_ALG_ES256, digest, sizeof(digest), sig, &len);
	return kv_close_handle(fd, ec.handle) ?: ret;
}

static void *caller(void *arg)
{
	int *worst = arg, ret, fd;
	struct kvault_info info;

	while (kv_now_ms() < end) {
		fd = kv_dev();
		ret = kv_info(fd, &info);
		ret = ret ?: use(fd);
		close(fd);
		ret = is_fine(ret) ? use(shared) : ret;
		if (!is_fine(ret))
			*worst = ret;
	}
	return NULL;
}

/* One process: its errno as exit status. */
static int callers(void)
{
	int worst[2] = { 0 };
	pthread_t other;

	if (pthread_create(&other, NULL, caller, &worst[1]))
		return EAGAIN;
	caller(&worst[0]);
	pthread_join(other, NULL);
	return -(worst[0] ?: worst[1]);
}

TEST(everybody_at_once_is_served)
{
	int i, status, left = CALLERS;
	pid_t pid;

	ASSERT_EQ(0, kv_serve_start());
	shared = kv_dev();
	ASSERT_LE(0, shared);
	end = kv_now_ms() + MS;
	for (i = 0; i < CALLERS; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(callers());
	}
	/* as long as somebody may wait for an answer */
	while (left) {
		EXPECT_EQ(-ETIME, kv_serve_until(NULL, 40));
		EXPECT_EQ(0, kv_serve_audit());
		pid = waitpid(-1, &status, WNOHANG);
		ASSERT_LE(0, pid);
		if (!pid)
			continue;
		left--;
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(0, WEXITSTATUS(status));
	}
	close(shared);
	kv_serve_stop();
}

TEST_HARNESS_MAIN
