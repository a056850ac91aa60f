// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a caller while it waits in the kernel. The test is daemon and
 * engine at once, and holds the message that the call waits for; then the
 * caller is killed, stopped, forked, replaced by exec, loses its file or its
 * memory, or the daemon dies; then the message is answered.
 *
 *   call                       waits for
 *   KVAULT_CONTROL, _OPEN      daemon
 *   ENCRYPT by another         daemon, who has to grant it
 *   SIGN with EC, DECRYPT/RSA  engine
 *   request_key(), pkey_sign   daemon, engine
 *   setkey of xts(paes)        daemon: by AF_ALG and by dm-crypt
 *
 * Afterwards there are as many handles as before, and calls are served. How
 * servers themselves are interrupted is in test_race_server.c, two threads on
 * one buffer in test_race_fetch.c, modules that come and go in test_modrace.c.
 * vm: --init script --smp 2
 * libs: -lpthread
 * timeout: 120
 */
#include <pthread.h>
#include <sys/mman.h>
#include "kv_serve.h"
#include "kv_calls.h"
#include "kselftest_harness.h"

#define PAGE	4096
#define TIMEOUT	kv_patience(20000)

/* All memory of one call, so that it can be taken away or scribbled over. */
struct mem {
	union {
		struct kvault_control control;
		struct kvault_open open;
		struct kvault_crypt crypt;
		struct keyctl_pkey_params pkey;
		struct kv_dm dm;
	};
	char text[64];
	uint8_t in[256];
	uint8_t out[512];
	uint8_t token[KVAULT_TOKEN_SIZE];
};

static struct mem *mem;
static int call_fd = -1;
static uint32_t handle, call_timeout;
static long key;

/* --- the calls -------------------------------------------------------------- */

static int prepare_dev(void)
{
	call_fd = kv_dev();
	return call_fd < 0 ? call_fd : 0;
}

static int prepare_key(enum kv_serve_key k)
{
	struct kvault_open o;
	int ret = prepare_dev();

	ret = ret ? ret : kv_open_path(call_fd, kv_serve_paths[k], 0, TIMEOUT, &o);
	handle = o.handle;
	return ret;
}

static int enter_control(void)
{
	strcpy(mem->text, "/whoami");
	mem->control = (struct kvault_control){
		.size = sizeof(mem->control), .method = KVAULT_METHOD_GET,
		.timeout_ms = call_timeout, .path = kv_ptr(mem->text), .path_len = 7,
		.reply = kv_ptr(mem->out), .reply_len = sizeof(mem->out),
	};
	return kv_ioctl(call_fd, KVAULT_CONTROL, &mem->control);
}

static int check_control(void)
{
	return mem->control.status == 200 && mem->control.reply_len == 2 &&
	       !memcmp(mem->out, "{}", 2) ? 0 : -EILSEQ;
}

static int enter_open(void)
{
	strcpy(mem->text, kv_serve_paths[KV_AES]);
	return kv_open_path(call_fd, mem->text, 0, call_timeout, &mem->open);
}

static int check_open(void)
{
	return mem->open.bits == 256 && mem->open.handle &&
	       !memcmp(mem->open.version, kv_srv.key[KV_AES].b.version, 16) ? 0 : -EILSEQ;
}

/* Still an administrator, but another principal than the one who opened. */
static int prepare_renewal(void)
{
	int ret = prepare_key(KV_AES);

	return ret ? ret : setgid(77) ? -errno : 0;
}

static int enter_crypt(unsigned long cmd, uint32_t alg, uint32_t in_len)
{
	mem->crypt = (struct kvault_crypt){
		.size = sizeof(mem->crypt), .handle = handle, .alg = alg,
		.timeout_ms = call_timeout, .in = kv_ptr(mem->in), .in_len = in_len,
		.out = kv_ptr(mem->out), .out_len = sizeof(mem->out),
	};
	return kv_ioctl(call_fd, cmd, &mem->crypt);
}

static int enter_renewal(void)
{
	return enter_crypt(KVAULT_ENCRYPT, KVAULT_ALG_A256GCM, 16);
}

static int check_renewal(void)
{
	return mem->crypt.out_len == 16 ? 0 : -EILSEQ;
}

static int prepare_ec(void)
{
	return prepare_key(KV_EC);
}

static int enter_sign(void)
{
	return enter_crypt(KVAULT_SIGN, KVAULT_ALG_ES256, 32);
}

static int check_sign(void)
{
	return mem->crypt.out_len == 64 && mem->out[0] == 0x77 && mem->out[63] == 0x77 ?
	       0 : -EILSEQ;
}

static int prepare_rsa(void)
{
	return prepare_key(KV_RSA);
}

static int enter_decrypt(void)
{
	return enter_crypt(KVAULT_DECRYPT, KVAULT_ALG_RSA_OAEP_256, 256);
}

static int check_decrypt(void)
{
	return mem->crypt.out_len == 16 && mem->out[15] == 0x77 ? 0 : -EILSEQ;
}

static int prepare_keyring(void)
{
	return kv_new_session() < 0 ? -errno : 0;
}

static int enter_request(void)
{
	strcpy(mem->text, "v/ec");
	key = kv_request_key(mem->text, "");
	return key < 0 ? (int)key : 0;
}

static int check_request(void)
{
	uint8_t jwk[128];

	return kv_keyctl(KEYCTL_READ, (unsigned long)key, (unsigned long)jwk, sizeof(jwk), 0) ==
	       strlen(KV_JWK) ? 0 : -EILSEQ;
}

static int prepare_pkey(void)
{
	int ret = prepare_keyring();

	return ret ? ret : enter_request();
}

static int enter_pkey(void)
{
	long ret;

	strcpy(mem->text, "enc=raw hash=sha256");
	mem->pkey = (struct keyctl_pkey_params){ .key_id = (int)key, .in_len = 32, .out_len = 64 };
	ret = kv_keyctl(KEYCTL_PKEY_SIGN, kv_ptr(&mem->pkey), kv_ptr(mem->text), kv_ptr(mem->in),
			kv_ptr(mem->out));
	return ret < 0 ? (int)ret : 0;
}

static int check_pkey(void)
{
	return mem->out[0] == 0x77 && mem->out[63] == 0x77 ? 0 : -EILSEQ;
}

static int prepare_alg(void)
{
	call_fd = kv_alg_bind();
	return call_fd < 0 ? call_fd : 0;
}

static int enter_alg(void)
{
	memcpy(mem->token, kv_token, sizeof(mem->token));
	return kv_alg_setkey(call_fd, mem->token);
}

static int check_nothing(void)
{
	return 0;
}

static const char dm_on[] = "kvrace-on", dm_crypt[] = "kvrace-crypt";
static dev_t dm_dev;

static void dm_clean(void)
{
	int fd = kv_dm_open();

	kv_dm_do(fd, DM_DEV_REMOVE, dm_crypt, NULL);
	kv_dm_do(fd, DM_DEV_REMOVE, dm_on, NULL);
	close(fd);
}

static int prepare_dm(void)
{
	int ret;

	dm_clean();
	call_fd = kv_dm_open();
	ret = call_fd < 0 ? call_fd : kv_dm_backing(call_fd, dm_on, &dm_dev);
	return ret ? ret : kv_dm_do(call_fd, DM_DEV_CREATE, dm_crypt, NULL);
}

static int enter_dm(void)
{
	kv_dm_crypt(&mem->dm, dm_crypt, dm_dev, kv_token);
	return kv_ioctl(call_fd, DM_TABLE_LOAD, &mem->dm);
}

/* --- what is done to them ----------------------------------------------------- */

static int open_other(void)
{
	return kv_dev();
}

static int kv_forked(void)
{
	struct kvault_info info;
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(call_fd < 0 || kv_info(call_fd, &info) ? 1 : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return 0;
}

enum how {
	NOTHING,
	CLOSE,
	DUP2,
	MUNMAP,
	SCRIBBLE,
	FORK,
	EXEC,
};

static int disturb(enum how how)
{
	int fd;

	switch (how) {
	case NOTHING:
		return 0;
	case CLOSE:
		if (call_fd < 0)
			return (int)kv_keyctl(KEYCTL_CLEAR, (unsigned long)KEY_SPEC_SESSION_KEYRING,
					      0, 0, 0);
		return close(call_fd) ? -errno : 0;
	case DUP2:
		fd = open_other();
		return call_fd >= 0 && dup2(fd, call_fd) < 0 ? -errno : 0;
	case MUNMAP:
		return munmap(mem, 2 * PAGE) ? -errno : 0;
	case SCRIBBLE:
		memset(mem, 0xff, 2 * PAGE);
		return 0;
	case FORK:
		return kv_forked();
	case EXEC:
		execl("/bin/true", "true", NULL);
		return -errno;
	}
	return -EINVAL;
}

/* --- the caller's process ------------------------------------------------------- */

FIXTURE_VARIANT(race)
{
	struct kv_want want;		/* the message that is held */
	int (*prepare)(void);
	int (*enter)(void);
	int (*check)(void);
	int unmapped;			/* what it ends with when its memory is gone */
	bool has_timeout;
};


static const FIXTURE_VARIANT(race) *call;
static enum how how;
static int go[2], done[2];

static void *enter(void *result)
{
	*(int *)result = call->enter();
	return NULL;
}

static uint32_t handles_here(void)
{
	int fd = kv_dev();
	struct kvault_info info = { 0 };

	kv_info(fd, &info);
	close(fd);
	return info.handles;
}

static int caller(void *arg)
{
	pthread_t thread;
	int result = 0, ret;
	uint32_t handles;
	char c;

	kv_serve_stop();	/* our copies of its files */
	mem = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ret = mem == MAP_FAILED ? -ENOMEM : call->prepare();
	handles = handles_here();
	if (ret || pthread_create(&thread, NULL, enter, &result))
		return 90;
	if (read(go[0], &c, 1) != 1 || disturb(how) || write(done[1], "d", 1) != 1)
		return 91;
	pthread_join(thread, NULL);
	/* what failed has left nothing */
	if (result)
		return handles_here() == handles ? -result : 92;
	return how == MUNMAP ? 0 : -call->check();
}

/* --- the test: daemon, engine, and whoever disturbs ------------------------------ */

FIXTURE(race)
{
	struct kv_child c;
	uint32_t handles;
};

FIXTURE_VARIANT_ADD(race, control)
{
	.want = { false, KVAULT_MSG_CONTROL }, .prepare = prepare_dev, .enter = enter_control,
	.check = check_control, .unmapped = EFAULT, .has_timeout = true,
};

FIXTURE_VARIANT_ADD(race, open)
{
	.want = { false, KVAULT_MSG_ACCESS, KVAULT_PURPOSE_HANDLE }, .prepare = prepare_dev,
	.enter = enter_open, .check = check_open, .unmapped = EFAULT, .has_timeout = true,
};

FIXTURE_VARIANT_ADD(race, renewal)
{
	.want = { false, KVAULT_MSG_ACCESS, KVAULT_PURPOSE_RENEW }, .prepare = prepare_renewal,
	.enter = enter_renewal, .check = check_renewal, .unmapped = EFAULT, .has_timeout = true,
};

FIXTURE_VARIANT_ADD(race, sign)
{
	.want = { true, KVAULT_MSG_ENGINE, KVAULT_ENGINE_OP_CRYPT }, .prepare = prepare_ec,
	.enter = enter_sign, .check = check_sign, .unmapped = EFAULT, .has_timeout = true,
};

FIXTURE_VARIANT_ADD(race, decrypt)
{
	.want = { true, KVAULT_MSG_ENGINE, KVAULT_ENGINE_OP_CRYPT }, .prepare = prepare_rsa,
	.enter = enter_decrypt, .check = check_decrypt, .unmapped = EFAULT, .has_timeout = true,
};

FIXTURE_VARIANT_ADD(race, load)
{
	.want = { true, KVAULT_MSG_ENGINE, KVAULT_ENGINE_OP_LOAD }, .prepare = prepare_ec,
	.enter = enter_sign, .check = check_sign, .unmapped = EFAULT, .has_timeout = true,
};

FIXTURE_VARIANT_ADD(race, request_key)
{
	.want = { false, KVAULT_MSG_ACCESS, KVAULT_PURPOSE_KEYRING }, .prepare = prepare_keyring,
	.enter = enter_request, .check = check_request,
};

FIXTURE_VARIANT_ADD(race, pkey_sign)
{
	.want = { true, KVAULT_MSG_ENGINE, KVAULT_ENGINE_OP_CRYPT }, .prepare = prepare_pkey,
	.enter = enter_pkey, .check = check_pkey, .unmapped = EFAULT,
};

FIXTURE_VARIANT_ADD(race, alg_setkey)
{
	.want = { false, KVAULT_MSG_ACCESS, KVAULT_PURPOSE_VOLUME }, .prepare = prepare_alg,
	.enter = enter_alg, .check = check_nothing,
};

FIXTURE_VARIANT_ADD(race, dm_setkey)
{
	.want = { false, KVAULT_MSG_ACCESS, KVAULT_PURPOSE_VOLUME }, .prepare = prepare_dm,
	.enter = enter_dm, .check = check_nothing, .unmapped = EFAULT,
};

FIXTURE_SETUP(race)
{
	call = variant;
	call_timeout = TIMEOUT;
	/* nobody loads it for us without udev; it may be built in */
	if (variant->enter == enter_dm && access("/dev/mapper/control", F_OK))
		EXPECT_EQ(0, system("modprobe -q dm-mod"));
	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(done, O_CLOEXEC));
	ASSERT_EQ(0, kv_serve_start());
	self->handles = handles_here();
}

/* The keyrings' collector takes its time. */
static int handles_are(uint32_t n)
{
	uint64_t end = kv_now_ms() + kv_patience(5000);

	while (handles_here() != n) {
		if (kv_now_ms() > end)
			return -EBUSY;
		kv_sleep_ms(20);
	}
	return 0;
}

static int caller_ends(struct kv_child *c, int ms)
{
	uint64_t end = kv_now_ms() + kv_patience((unsigned int)ms);
	int status, ret;

	do {
		ret = waitpid(c->pid, &status, WNOHANG);
		if (ret == c->pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		ret = kv_serve_until(NULL, 10);
		if (ret != -ETIME)
			return ret;
	} while (kv_now_ms() < end);
	kill(c->pid, SIGKILL);
	kv_child_end(c);
	return -ETIME;
}

/* A key that is loaded is loaded, whoever it was for. */
static int late(const struct kv_want *w)
{
	return w->is_engine && w->op == KVAULT_ENGINE_OP_LOAD ? 0 : -ENOENT;
}

/* Nobody waits any more, and who comes next is served. */
FIXTURE_TEARDOWN(race)
{
	how = NOTHING;
	call_timeout = TIMEOUT;
	ASSERT_EQ(0, kv_child_start(&self->c, false, false, caller, NULL));
	kv_child_go(&self->c);
	EXPECT_EQ(1, write(go[1], "g", 1));
	EXPECT_EQ(0, caller_ends(&self->c, 10000));
	if (variant->enter == enter_dm)
		dm_clean();
	EXPECT_EQ(0, handles_are(self->handles));
	kv_serve_stop();
}

/* A caller waits, and its message is held. */
static int begin(struct kv_child *c, enum how what)
{
	int ret;

	how = what;
	ret = kv_child_start(c, false, false, caller, NULL);
	if (ret)
		return ret;
	kv_child_go(c);
	return kv_serve_until(&call->want, 10000);
}

/* Now it is disturbed. */
static int let_disturb(void)
{
	char c;

	if (write(go[1], "g", 1) != 1 || read(done[0], &c, 1) != 1)
		return -errno;
	return 0;
}

TEST_F(race, SIGKILL_ends_it_and_the_answer_comes_too_late)
{
	uint64_t start;

	ASSERT_EQ(0, begin(&self->c, NOTHING));
	start = kv_now_ms();
	ASSERT_EQ(0, kill(self->c.pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, kv_child_end(&self->c));
	EXPECT_GT(kv_patience(2000), kv_now_ms() - start);
	EXPECT_EQ(late(&variant->want), kv_serve_answer(variant->want.is_engine));
	EXPECT_NE(0, kv_serve_answer(variant->want.is_engine));
}

TEST_F(race, SIGSTOP_does_not_lose_the_answer)
{
	int status;

	ASSERT_EQ(0, begin(&self->c, NOTHING));
	ASSERT_EQ(0, let_disturb());
	ASSERT_EQ(0, kill(self->c.pid, SIGSTOP));
	kv_sleep_ms(20);
	EXPECT_EQ(0, kv_serve_answer(variant->want.is_engine));
	ASSERT_EQ(0, kv_serve_until(NULL, 200) == -ETIME ? 0 : 1);
	EXPECT_EQ(0, waitpid(self->c.pid, &status, WNOHANG));
	ASSERT_EQ(0, kill(self->c.pid, SIGCONT));
	EXPECT_EQ(0, caller_ends(&self->c, 10000));
}

TEST_F(race, it_may_lose_its_file)
{
	ASSERT_EQ(0, begin(&self->c, CLOSE));
	ASSERT_EQ(0, let_disturb());
	EXPECT_EQ(0, kv_serve_answer(variant->want.is_engine));
	EXPECT_EQ(0, caller_ends(&self->c, 10000));
}

TEST_F(race, another_file_may_take_its_number)
{
	ASSERT_EQ(0, begin(&self->c, DUP2));
	ASSERT_EQ(0, let_disturb());
	EXPECT_EQ(0, kv_serve_answer(variant->want.is_engine));
	EXPECT_EQ(0, caller_ends(&self->c, 10000));
}

TEST_F(race, memory_that_is_gone_is_EFAULT_and_leaves_nothing)
{
	ASSERT_EQ(0, begin(&self->c, MUNMAP));
	ASSERT_EQ(0, let_disturb());
	EXPECT_EQ(0, kv_serve_answer(variant->want.is_engine));
	EXPECT_EQ(variant->unmapped, caller_ends(&self->c, 10000));
}

/* Nothing is read twice: not the struct, the path, the payload, nor a pointer. */
TEST_F(race, memory_that_changes_changes_nothing)
{
	ASSERT_EQ(0, begin(&self->c, SCRIBBLE));
	ASSERT_EQ(0, let_disturb());
	EXPECT_EQ(0, kv_serve_answer(variant->want.is_engine));
	EXPECT_EQ(0, caller_ends(&self->c, 10000));
}

TEST_F(race, fork_shares_its_file_and_takes_nothing)
{
	ASSERT_EQ(0, begin(&self->c, FORK));
	ASSERT_EQ(0, let_disturb());
	EXPECT_EQ(0, kv_serve_answer(variant->want.is_engine));
	EXPECT_EQ(0, caller_ends(&self->c, 10000));
}

TEST_F(race, exec_ends_it)
{
	uint64_t start;

	ASSERT_EQ(0, begin(&self->c, EXEC));
	start = kv_now_ms();
	ASSERT_EQ(1, write(go[1], "g", 1));
	EXPECT_EQ(0, kv_child_end(&self->c));	/* the new program's */
	EXPECT_GT(kv_patience(3000), kv_now_ms() - start);
	EXPECT_EQ(late(&variant->want), kv_serve_answer(variant->want.is_engine));
}

/* Who had the message dies; the next one gets it and answers. */
TEST_F(race, death_of_who_should_answer_is_made_good_by_the_next)
{
	ASSERT_EQ(0, begin(&self->c, NOTHING));
	ASSERT_EQ(0, let_disturb());
	if (variant->want.is_engine) {
		close(kv_srv.eng);
		ASSERT_EQ(0, kv_engine_attach());
	} else {
		close(kv_srv.d.ctl);
		close(kv_srv.d.nl);
		ASSERT_EQ(0, kv_daemon_start(&kv_srv.d, KV_SERVE_REVISION));
	}
	ASSERT_EQ(0, kv_serve_until(&variant->want, 5000));
	EXPECT_EQ(0, kv_serve_answer(variant->want.is_engine));
	EXPECT_EQ(0, caller_ends(&self->c, 10000));
}

TEST_F(race, an_answer_after_the_timeout_is_ENOENT_and_does_no_harm)
{
	if (!variant->has_timeout)
		return;		/* ten seconds, which test_wait.c waits */
	call_timeout = kv_patience(300);
	ASSERT_EQ(0, begin(&self->c, NOTHING));
	ASSERT_EQ(0, let_disturb());
	EXPECT_EQ(ETIMEDOUT, kv_child_end(&self->c));
	EXPECT_EQ(late(&variant->want), kv_serve_answer(variant->want.is_engine));
	EXPECT_NE(0, kv_serve_answer(variant->want.is_engine));
}

TEST_F(race, a_second_answer_is_ENOENT)
{
	ASSERT_EQ(0, begin(&self->c, NOTHING));
	ASSERT_EQ(0, let_disturb());
	EXPECT_EQ(0, kv_serve_answer(variant->want.is_engine));
	EXPECT_EQ(-ENOENT, kv_serve_answer(variant->want.is_engine));
	EXPECT_EQ(0, caller_ends(&self->c, 10000));
}

TEST_HARNESS_MAIN
