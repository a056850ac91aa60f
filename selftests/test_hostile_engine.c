// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile engine, between a daemon of our own and a caller: it gets a private
 * key in the clear and answers as it likes. The caller gets a precise errno, the
 * key stays bound to what it is, and other requests go on.
 *
 *   caller --SIGN--> kernel --LOAD, CRYPT--> engine (this test)
 *                       `------ACCESS------> daemon (this test)
 * vm: --init script
 * timeout: 120
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include "kv_daemon.h"
#include "kselftest_harness.h"

#define OK_STATUS	200
#define MATERIAL	"what an engine made of a private key"
#define JWK		"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}"

static struct kv_daemon d;
static union {
	struct kvault_msg msg;
	uint8_t buf[KVAULT_MSG_MAX];
} e;				/* the engine's newest message */
static int eng = -1;

static int engine_attach(void)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = KVAULT_ENGINE_OPENSSL };

	eng = open(KV_ENGINE_DEV, O_RDWR | O_CLOEXEC);
	return eng < 0 ? -errno : kv_ioctl(eng, KVAULT_ENG_ATTACH, &a);
}

static int engine_exchange(const struct kv_reply *r, size_t reply_len, bool take)
{
	struct kvault_exchange x = {
		.size = sizeof(x), .reply = kv_ptr(r), .reply_len = (uint32_t)reply_len,
		.next = kv_ptr(e.buf), .next_len = take ? sizeof(e.buf) : 0,
	};
	int ret = kv_ioctl(eng, KVAULT_ENG_EXCHANGE, &x);

	return ret ? ret : (int)x.next_len;
}

static int engine_next(int ms)
{
	uint64_t end = kv_now_ms() + (uint64_t)ms;
	int ret;

	do {
		struct pollfd p = { .fd = eng, .events = POLLIN };

		if (poll(&p, 1, 100) < 0)
			return -errno;
		ret = engine_exchange(NULL, 0, true);
		if (ret)
			return ret < 0 ? ret : 0;
	} while (kv_now_ms() < end);
	return -ETIME;
}

static struct kv_reply *engine_reply(int32_t status)
{
	static struct kv_reply r;

	memset(&r, 0, sizeof(r));
	r.msg.size = sizeof(r.msg);
	r.msg.type = e.msg.type;
	r.msg.generation = e.msg.generation;
	r.msg.cookie = e.msg.cookie;
	memcpy(r.msg.request_id, e.msg.request_id, 16);
	memcpy(r.msg.tenant, e.msg.tenant, 16);
	r.msg.op = e.msg.op;
	r.msg.status = status;
	return &r;
}

static int engine_send(const struct kv_reply *r)
{
	return engine_exchange(r, sizeof(r->msg) + r->len, false);
}

static const uint8_t *engine_seg(int n)
{
	const uint8_t *p = e.buf + sizeof(e.msg);
	int i;

	for (i = 0; i < n; i++)
		p += e.msg.len[i];
	return p;
}

/* --- the caller ---------------------------------------------------------------- */

static int call_sign(void *arg)
{
	uint8_t digest[32] = { 1 }, sig[64];
	size_t len = sizeof(sig);
	struct kvault_open o;
	int fd, ret;

	kv_daemon_stop(&d);	/* our copies of their files */
	close(eng);
	fd = kv_dev();
	ret = kv_open_path(fd, "vault/keys/ec", 0, 20000, &o);
	if (!ret)
		ret = kv_sign(fd, o.handle, KVAULT_ALG_ES256, digest, 32, sig, &len);
	if (!ret && (len != 64 || sig[0] != 0x77))
		return 201;
	return ret ? -ret : OK_STATUS;
}

/* --- a key that an engine made ---------------------------------------------------- */

static uint8_t blob[512];
static size_t blob_len;
static struct kvault_binding key;

static int make_key(uint8_t nr)
{
	struct kvault_submit s = {
		.size = sizeof(s), .cookie = nr, .engine = KVAULT_ENGINE_OPENSSL,
		.op = KVAULT_ENGINE_OP_GENERATE, .timeout_ms = 10000, .binding = kv_ptr(&key),
	};
	struct kv_reply *r;
	int ret;

	key = kv_binding(nr);
	key.kty = KVAULT_KTY_EC;
	key.bits = 0;
	key.curve = KVAULT_CURVE_P256;
	key.ops = KVAULT_OP_SIGN | KVAULT_OP_VERIFY;
	ret = kv_ioctl(d.ctl, KVAULT_CTL_SUBMIT, &s);
	ret = ret ? ret : engine_next(5000);
	if (ret)
		return ret;
	if (e.msg.op != KVAULT_ENGINE_OP_GENERATE)
		return -EPROTO;
	r = engine_reply(0);
	kv_reply_seg(r, 2, JWK, strlen(JWK));
	kv_reply_seg(r, 3, MATERIAL, sizeof(MATERIAL));
	ret = engine_send(r);
	ret = ret ? ret : kv_daemon_next(&d, 5000);
	if (ret)
		return ret;
	if (d.msg.type != KVAULT_MSG_ENGINE_DONE || d.msg.cookie != nr || d.msg.status ||
	    d.msg.len[3] > sizeof(blob))
		return -EPROTO;
	blob_len = d.msg.len[3];
	memcpy(blob, kv_daemon_seg(&d, 3), blob_len);
	return 0;
}

FIXTURE(engine)
{
	struct kv_child c;
};

FIXTURE_SETUP(engine)
{
	static uint8_t nr;

	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
	ASSERT_EQ(0, engine_attach());
	nr = (uint8_t)(getpid() & 0x7f);
	ASSERT_EQ(0, make_key(nr));
}

FIXTURE_TEARDOWN(engine)
{
	close(eng);
	kv_daemon_stop(&d);
}

/* Opens the key for a caller and takes what the engine is asked first: LOAD. */
static int begin(struct kv_child *c)
{
	struct kvault_grant grant = kv_grant(&key);
	struct kv_reply *r;
	int ret;

	ret = kv_child_start(c, false, false, call_sign, NULL);
	if (ret)
		return ret;
	kv_child_go(c);
	ret = kv_daemon_next(&d, 10000);
	if (ret)
		return ret;
	r = kv_reply_to(&d, 0);
	kv_reply_seg(r, 0, &grant, sizeof(grant));
	kv_reply_seg(r, 2, JWK, strlen(JWK));
	kv_reply_seg(r, 3, blob, blob_len);
	ret = kv_reply_send(&d, r);
	return ret ? ret : engine_next(5000);
}

/* ... and lets it be loaded, so that the signature is asked for next. */
static int begin_loaded(struct kv_child *c)
{
	int ret = begin(c);

	ret = ret ? ret : engine_send(engine_reply(0));
	return ret ? ret : engine_next(5000);
}

static struct kv_reply *good_signature(void)
{
	struct kv_reply *r = engine_reply(0);
	uint8_t sig[64];

	memset(sig, 0x77, sizeof(sig));
	kv_reply_seg(r, 2, sig, sizeof(sig));
	return r;
}

TEST_F(engine, a_key_is_loaded_once_and_then_used)
{
	const struct kvault_engine_req *req = (const void *)(e.buf + sizeof(e.msg));
	size_t i;

	/* what the daemon got of it is sealed */
	for (i = 0; i + 8 <= blob_len; i++)
		ASSERT_NE(0, memcmp(blob + i, "what an ", 8));
	ASSERT_EQ(0, begin(&self->c));
	EXPECT_EQ(KVAULT_ENGINE_OP_LOAD, e.msg.op);
	ASSERT_EQ(sizeof(MATERIAL), e.msg.len[3]);
	EXPECT_EQ(0, memcmp(engine_seg(3), MATERIAL, sizeof(MATERIAL)));
	ASSERT_EQ(0, engine_send(engine_reply(0)));
	ASSERT_EQ(0, engine_next(5000));
	EXPECT_EQ(KVAULT_ENGINE_OP_CRYPT, e.msg.op);
	EXPECT_EQ(KVAULT_OP_SIGN, req->operation);
	EXPECT_EQ(KVAULT_ALG_ES256, req->alg);
	EXPECT_EQ(32, e.msg.len[2]);
	EXPECT_EQ(0, e.msg.len[3]);
	ASSERT_EQ(0, engine_send(good_signature()));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

TEST_F(engine, malformed_and_misplaced_answers_change_nothing)
{
	struct kv_reply *r;

	ASSERT_EQ(0, begin_loaded(&self->c));
	r = good_signature();
	r->msg.size++;
	EXPECT_EQ(-EINVAL, engine_send(r));
	r = good_signature();
	r->msg.len[0] = 0xffffff00;
	EXPECT_EQ(-EINVAL, engine_send(r));
	r = good_signature();
	r->msg.generation++;
	EXPECT_EQ(-ESTALE, engine_send(r));
	r = good_signature();
	r->msg.cookie += 100;
	EXPECT_EQ(-ENOENT, engine_send(r));
	r = good_signature();
	r->msg.request_id[3] ^= 1;
	EXPECT_EQ(-ENOENT, engine_send(r));
	EXPECT_EQ(0, engine_send(good_signature()));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

/* Of which the header can be read and the rest cannot. */
TEST_F(engine, an_answer_that_was_not_copied_may_be_given_again)
{
	struct kv_reply *r = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

	ASSERT_NE(MAP_FAILED, r);
	ASSERT_EQ(0, munmap((uint8_t *)r + 4096, 4096));
	r = (struct kv_reply *)((uint8_t *)r + 4096 - sizeof(r->msg));
	ASSERT_EQ(0, begin_loaded(&self->c));
	r->msg = good_signature()->msg;
	EXPECT_EQ(-EFAULT, engine_exchange(r, sizeof(r->msg) + 64, false));
	EXPECT_EQ(0, engine_send(good_signature()));
	EXPECT_EQ(-ENOENT, engine_send(good_signature()));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

/* The file may be passed on, by a socket or a fork: it gives nothing away there. */
TEST_F(engine, a_file_that_is_passed_on_takes_nothing)
{
	int status = 0;
	pid_t pid;

	ASSERT_EQ(0, begin(&self->c));
	pid = fork();
	if (!pid)
		_exit(engine_exchange(NULL, 0, true) == -EPERM ? 0 : 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* and its owner goes on */
	ASSERT_EQ(0, engine_send(engine_reply(0)));
	ASSERT_EQ(0, engine_next(5000));
	ASSERT_EQ(0, engine_send(good_signature()));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

TEST_F(engine, an_oversized_signature_is_EIO)
{
	static uint8_t big[KVAULT_AUX_MAX + 1];
	struct kv_reply *r;

	ASSERT_EQ(0, begin_loaded(&self->c));
	r = engine_reply(0);
	kv_reply_seg(r, 2, big, sizeof(big));
	EXPECT_EQ(0, engine_send(r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

TEST_F(engine, a_status_that_is_none_is_EIO)
{
	ASSERT_EQ(0, begin_loaded(&self->c));
	EXPECT_EQ(0, engine_send(engine_reply(7)));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

/* Opens the key for a caller whose LOAD the engine refuses; what he gets. */
static int refuse_load(struct kv_child *c, int32_t status)
{
	int ret = begin(c);

	ret = ret ? ret : engine_send(engine_reply(status));
	return ret ? ret : kv_child_end(c);
}

TEST_F(engine, a_key_that_it_cannot_load_is_an_error_of_the_caller)
{
	EXPECT_EQ(EBADMSG, refuse_load(&self->c, -EBADMSG));
}

TEST_F(engine, an_errno_that_is_none_is_EIO_for_a_key_that_it_cannot_load)
{
	static const int32_t bad[] = { 7, -5000, -512, INT32_MIN };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(EIO, refuse_load(&self->c, bad[i])) TH_LOG("status %d", bad[i]);
}

TEST_F(engine, one_that_dies_twice_with_a_request_makes_it_EIO)
{
	ASSERT_EQ(0, begin_loaded(&self->c));
	EXPECT_EQ(1, e.msg.attempts);
	close(eng);
	ASSERT_EQ(0, engine_attach());
	ASSERT_EQ(0, engine_next(5000));
	EXPECT_EQ(2, e.msg.attempts);
	close(eng);
	ASSERT_EQ(0, engine_attach());
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

TEST_F(engine, the_next_one_does_what_the_first_had_taken)
{
	ASSERT_EQ(0, begin_loaded(&self->c));
	close(eng);
	ASSERT_EQ(0, engine_attach());
	ASSERT_EQ(0, engine_next(5000));
	EXPECT_EQ(KVAULT_ENGINE_OP_LOAD, e.msg.op);
	ASSERT_EQ(0, engine_send(engine_reply(0)));
	ASSERT_EQ(0, engine_next(5000));
	EXPECT_EQ(0, engine_send(good_signature()));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

/* A process that does all it is asked, but forgets nothing: it will be killed. */
static pid_t hanging_engine(void)
{
	int ready[2];
	pid_t pid;
	char c;

	close(eng);
	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (engine_attach() || write(ready[1], "r", 1) != 1)
			_exit(1);
		while (!engine_next(20000) && e.msg.op != KVAULT_ENGINE_OP_FORGET)
			engine_send(e.msg.op == KVAULT_ENGINE_OP_LOAD ? engine_reply(0) :
				    good_signature());
		pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		return -ECHILD;
	close(ready[0]);
	eng = -1;
	return pid;
}

/* A signature, after which the engine has the key. */
static int sign_once(struct kv_child *c)
{
	struct kvault_grant grant = kv_grant(&key);
	struct kv_reply *r;
	int ret;

	ret = kv_child_start(c, false, false, call_sign, NULL);
	if (ret)
		return ret;
	kv_child_go(c);
	ret = kv_daemon_next(&d, 10000);
	if (ret)
		return ret;
	r = kv_reply_to(&d, 0);
	kv_reply_seg(r, 0, &grant, sizeof(grant));
	kv_reply_seg(r, 2, JWK, strlen(JWK));
	kv_reply_seg(r, 3, blob, blob_len);
	ret = kv_reply_send(&d, r);
	return ret ? ret : kv_child_end(c);
}

/*
 * Netlink is everybody's: the command is acknowledged, other commands go on,
 * and the answer comes when the engine is dead.
 */
TEST_F(engine, one_that_hangs_holds_nobody_up_but_the_answer)
{
	uint64_t begin_ms, end;
	struct kv_nl m, ack;
	int status = 0;
	pid_t pid;

	pid = hanging_engine();
	ASSERT_LT(0, pid);
	ASSERT_EQ(OK_STATUS, sign_once(&self->c));
	m = kv_object_msg(&d, kv_host, key.object, 1000, KVAULT_OBJECT_DISABLED);
	m.h.nlmsg_flags |= NLM_F_ACK;
	begin_ms = kv_now_ms();
	ASSERT_EQ(0, kv_nl_send(d.nl, &m, ++kv_object_seq));
	ASSERT_EQ(0, kv_nl_receive(d.nl, kv_object_seq, &ack));
	EXPECT_EQ(NLMSG_ERROR, ack.h.nlmsg_type);
	EXPECT_EQ(0, kv_policy_set(&d, kv_host, 1000));
	EXPECT_GT(begin_ms + 400, kv_now_ms());
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	ASSERT_EQ(0, kv_object_answer(&d, kv_object_seq));
	end = kv_now_ms();
	EXPECT_LE(begin_ms + 450, end);
	EXPECT_GT(begin_ms + 2000 * kv_factor(), end);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* So many and no more: each has memory and a thread of its own. */
TEST_F(engine, a_daemon_that_does_not_wait_for_answers_is_EAGAIN)
{
	int status, ret, done = 0, refused = 0, i;
	uint32_t first = kv_object_seq + 1;
	struct kv_nl m;
	pid_t pid;

	pid = hanging_engine();
	ASSERT_LT(0, pid);
	ASSERT_EQ(OK_STATUS, sign_once(&self->c));
	m = kv_object_msg(&d, kv_host, key.object, 1000, KVAULT_OBJECT_DISABLED);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, kv_nl_send(d.nl, &m, ++kv_object_seq));
	/* refusals are there, and answers come in any order */
	for (i = 0; i < 100; i++) {
		struct kv_nl answer;

		ret = kv_nl_receive(d.nl, 0, &answer);
		ASSERT_TRUE(answer.h.nlmsg_seq >= first && answer.h.nlmsg_seq < first + 100);
		done += !ret;
		refused += ret == -EAGAIN;
	}
	EXPECT_LE(64, done);
	EXPECT_LT(0, refused);
	EXPECT_EQ(100, done + refused);
	EXPECT_EQ(0, kv_object_set(&d, kv_host, key.object, 1000, KVAULT_OBJECT_DISABLED));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
}

TEST_HARNESS_MAIN
