// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads on one buffer: one calls, the other changes what the call is
 * about as fast as it can. Whatever is read is read once: the result is that of
 * one of the values, never of a mixture, and nothing is written beyond what was
 * said. One byte of a word changes, so that a single copy is never torn: a copy
 * may go byte by byte.
 * vm: --init script --smp 2
 * libs: -lpthread
 * timeout: 120
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include "kv_serve.h"
#include "kselftest_harness.h"

#define PAGE	4096
#define ROUNDS	1500

/* The word that flips, and its two values. */
static _Atomic uint64_t *word;
static uint64_t values[2];
static atomic_bool ends;

static void *flip(void *arg)
{
	unsigned int i;

	for (i = 0; !atomic_load(&ends); i++)
		atomic_store(word, values[i & 1]);
	return NULL;
}

static void flip_start(pthread_t *thread, void *at, uint64_t a, uint64_t b)
{
	word = at;
	atomic_store(word, a);
	values[0] = a;
	values[1] = b;
	atomic_store(&ends, false);
	pthread_create(thread, NULL, flip, NULL);
}

static void flip_end(pthread_t thread)
{
	atomic_store(&ends, true);
	pthread_join(thread, NULL);
}

static void *serve(void *arg)
{
	while (!atomic_load((atomic_bool *)arg))
		kv_serve_until(NULL, 20);
	return NULL;
}

FIXTURE(fetch)
{
	atomic_bool stops;
	pthread_t server, flipper;
	int fd;
	uint8_t *page;		/* with nothing mapped behind it */
	uint32_t handle;
};

FIXTURE_SETUP(fetch)
{
	struct kvault_open o;

	ASSERT_EQ(0, kv_serve_start());
	atomic_store(&self->stops, false);
	ASSERT_EQ(0, pthread_create(&self->server, NULL, serve, &self->stops));
	self->fd = kv_dev();
	ASSERT_EQ(0, kv_open_path(self->fd, kv_serve_paths[KV_AES], 0, kv_patience(10000), &o));
	self->handle = o.handle;
	self->page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, mprotect(self->page + PAGE, PAGE, PROT_NONE));
}

FIXTURE_TEARDOWN(fetch)
{
	atomic_store(&self->stops, true);
	pthread_join(self->server, NULL);
	close(self->fd);
	kv_serve_stop();
}

/* A good one, or one larger than a page: they differ in one byte. */
TEST_F(fetch, the_size_of_a_struct_is_read_once)
{
	struct kvault_info *info = (void *)(self->page + PAGE - sizeof(*info));
	int i, ret, good = 0, bad = 0;

	flip_start(&self->flipper, info, sizeof(*info), PAGE + sizeof(*info));
	for (i = 0; i < ROUNDS; i++) {
		ret = kv_ioctl(self->fd, KVAULT_INFO, info);
		/* a size that grew in between would be EFAULT: there is nothing behind */
		ASSERT_TRUE(ret == 0 || ret == -E2BIG || ret == -EFAULT) TH_LOG("%d", ret);
		good += !ret;
		bad += ret == -E2BIG;
	}
	flip_end(self->flipper);
	TH_LOG("%d good, %d E2BIG", good, bad);
	EXPECT_LT(0, good);
}

/* A byte in the middle changes; what comes back decrypts to one of both. */
TEST_F(fetch, what_is_encrypted_is_one_of_both_and_its_tag_fits)
{
	uint8_t *in = self->page, out[64], back[64];
	struct kvault_crypt c, u;
	size_t len;
	int i;

	flip_start(&self->flipper, in + 32, 0, 0xff);
	for (i = 0; i < ROUNDS; i++) {
		uint64_t got;

		c = (struct kvault_crypt){ .handle = self->handle, .alg = KVAULT_ALG_A256GCM };
		len = sizeof(out);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_ENCRYPT, &c, in, 64, out, &len));
		u = c;
		len = sizeof(back);
		ASSERT_EQ(0, kv_op(self->fd, KVAULT_DECRYPT, &u, out, 64, back, &len));
		memcpy(&got, back + 32, sizeof(got));
		ASSERT_TRUE(got == 0 || got == 0xff);
	}
	flip_end(self->flipper);
}

/* In place: input, output and the other thread's word are the same memory. */
TEST_F(fetch, a_signature_is_of_one_of_both)
{
	uint8_t *in = self->page, mac[2][32], got[32];
	size_t len;
	int i;

	for (i = 0; i < 2; i++) {
		in[8] = i ? 0xff : 0;
		len = 32;
		ASSERT_EQ(0, kv_sign(self->fd, self->handle, KVAULT_ALG_HS256, in, 64, mac[i],
				     &len));
	}
	flip_start(&self->flipper, in + 8, 0, 0xff);
	for (i = 0; i < ROUNDS; i++) {
		len = 32;
		ASSERT_EQ(0, kv_sign(self->fd, self->handle, KVAULT_ALG_HS256, in, 64, got, &len));
		ASSERT_TRUE(!memcmp(got, mac[0], 32) || !memcmp(got, mac[1], 32));
	}
	flip_end(self->flipper);
}

/* out_len is 16 or 64; the buffer has 16 bytes, and nothing behind them. */
TEST_F(fetch, the_room_for_a_result_is_read_once)
{
	uint8_t *out = self->page + PAGE - 16, *in = self->page + 1024;
	struct kvault_crypt *c = (void *)self->page;
	int i, ret, good = 0, small = 0;
	uint64_t lens[2];

	*c = (struct kvault_crypt){
		.size = sizeof(*c), .handle = self->handle, .alg = KVAULT_ALG_A256GCM,
		.in = kv_ptr(in), .in_len = 16, .out = kv_ptr(out), .out_len = 8,
	};
	memcpy(&lens[0], &c->out_len, 8);
	c->out_len = 16;
	memcpy(&lens[1], &c->out_len, 8);
	flip_start(&self->flipper, &c->out_len, lens[0], lens[1]);
	for (i = 0; i < ROUNDS; i++) {
		memset(out, 0xa5, 16);
		ret = kv_ioctl(self->fd, KVAULT_ENCRYPT, c);
		ASSERT_TRUE(ret == 0 || ret == -EMSGSIZE) TH_LOG("%d", ret);
		/* what was refused has written nothing */
		ASSERT_TRUE(!ret || (out[0] == 0xa5 && out[15] == 0xa5));
		good += !ret;
		small += ret == -EMSGSIZE;
	}
	flip_end(self->flipper);
	TH_LOG("%d good, %d EMSGSIZE", good, small);
}

/* The last letters of the path change: the answer is for the one that was asked for. */
TEST_F(fetch, the_path_that_was_asked_for_is_the_one_that_is_opened)
{
	char *path = (char *)self->page;
	uint64_t names[2];
	struct kvault_open o;
	int i, ret;

	memcpy(path, "v/keys/aes\0\0\0\0\0", 16);
	memcpy(&names[0], path + 8, 8);
	memcpy(path, "v/keys/rsa\0\0\0\0\0", 16);
	memcpy(&names[1], path + 8, 8);
	flip_start(&self->flipper, path + 8, names[0], names[1]);
	for (i = 0; i < ROUNDS / 10; i++) {
		path[7] = i & 1 ? 'a' : 'r';
		memset(&o, 0, sizeof(o));
		o.size = sizeof(o);
		o.path = kv_ptr(path);
		o.path_len = 10;
		o.timeout_ms = kv_patience(10000);
		ret = kv_ioctl(self->fd, KVAULT_OPEN, &o);
		/* a mixture of both names is nobody's key */
		ASSERT_TRUE(ret == 0 || ret == -ENOKEY) TH_LOG("%d", ret);
		if (ret)
			continue;
		ASSERT_EQ(o.kty == KVAULT_KTY_RSA ? 2048 : 256, o.bits);
		ASSERT_EQ(0, kv_close_handle(self->fd, o.handle));
	}
	flip_end(self->flipper);
}

/* Handles come and go under the operations of another thread. */
static void *close_and_open(void *arg)
{
	const int *fd = arg;
	struct kvault_open o;
	uint32_t nr;

	while (!atomic_load(&ends)) {
		for (nr = 1; nr < 4; nr++)
			kv_close_handle(*fd, nr);
		kv_open_path(*fd, kv_serve_paths[KV_AES], 0, kv_patience(10000), &o);
	}
	return NULL;
}

TEST_F(fetch, a_handle_may_be_closed_under_an_operation)
{
	struct kvault_info info;
	int i, ret, good = 0;
	uint32_t nr;

	atomic_store(&ends, false);
	ASSERT_EQ(0, pthread_create(&self->flipper, NULL, close_and_open, &self->fd));
	for (i = 0; i < ROUNDS; i++) {
		ret = kv_encrypt_gcm(self->fd, 1 + (uint32_t)i % 3);
		ASSERT_TRUE(ret == 0 || ret == -ENOKEY) TH_LOG("%d", ret);
		good += !ret;
	}
	flip_end(self->flipper);
	TH_LOG("%d of %d found a handle", good, ROUNDS);
	for (nr = 1; nr < 8; nr++)
		kv_close_handle(self->fd, nr);
	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(0, info.handles);
}

/* --- the daemon's own buffers -------------------------------------------------------- */

static int call_control(void *arg)
{
	int fd, ret, *count = arg;

	kv_serve_stop();	/* our copies of its files */
	fd = kv_dev();
	do {
		ret = kv_control(fd, KVAULT_METHOD_GET, "/x", NULL, NULL, 0);
		if (ret != 200 && ret != 404)
			return ret < 0 ? -ret : 1;
	} while (--*count);
	return 0;
}

/* Of an answer the header changes: its status and a length that no longer fits. */
TEST_F(fetch, an_answer_is_what_was_checked)
{
	const struct kv_want want = { .type = KVAULT_MSG_CONTROL };
	int i, ret, left = ROUNDS / 10;
	struct kv_reply *r = NULL;
	struct kv_child c;
	uint64_t word_of[2];

	atomic_store(&self->stops, true);
	pthread_join(self->server, NULL);
	ASSERT_EQ(0, kv_child_start(&c, false, false, call_control, &left));
	kv_child_go(&c);
	for (i = 0; i < ROUNDS / 10; i++) {
		ASSERT_EQ(0, kv_serve_until(&want, 10000));
		r = kv_reply_to(&kv_srv.d, 200);
		kv_reply_seg(r, 2, "{}", 2);
		/* op and status are one word */
		memcpy(&word_of[0], &r->msg.op, 8);
		r->msg.status = 404;
		memcpy(&word_of[1], &r->msg.op, 8);
		flip_start(&self->flipper, &r->msg.op, word_of[0], word_of[1]);
		ret = kv_reply_send(&kv_srv.d, r);
		flip_end(self->flipper);
		ASSERT_EQ(0, ret);
	}
	EXPECT_EQ(0, kv_child_end(&c));
	/* lengths that change are EINVAL or what they were; the sum is of what was copied */
	left = 1;
	ASSERT_EQ(0, kv_child_start(&c, false, false, call_control, &left));
	kv_child_go(&c);
	ASSERT_EQ(0, kv_serve_until(&want, 10000));
	for (i = 0, ret = -EINVAL; i < ROUNDS && ret == -EINVAL; i++) {
		r = kv_reply_to(&kv_srv.d, 200);
		kv_reply_seg(r, 2, "{}", 2);
		memcpy(&word_of[0], &r->msg.len[2], 8);
		r->msg.len[2] = 0x7fffffff;
		memcpy(&word_of[1], &r->msg.len[2], 8);
		flip_start(&self->flipper, &r->msg.len[2], word_of[0], word_of[1]);
		ret = kv_reply_send(&kv_srv.d, r);
		flip_end(self->flipper);
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, kv_child_end(&c));
	atomic_store(&self->stops, false);
	ASSERT_EQ(0, pthread_create(&self->server, NULL, serve, &self->stops));
}

TEST_HARNESS_MAIN
