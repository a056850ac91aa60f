// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon's claim: ABSENT, PRESENT, LOST, and who is the daemon.
 */
#include <linux/slab.h>
#include "link.h"
#include "queue.h"
#include "seal.h"
#include "tenant.h"
#include "fixture.h"

#define PORT	0xffffff00u

/* Compared only. */
static int file_a, file_b, sock_a, sock_b;

#define A	((struct file *)&file_a)
#define B	((struct file *)&file_b)
#define SK_A	((struct sock *)&sock_a)
#define SK_B	((struct sock *)&sock_b)

static const u8 store[KVAULT_ID_SIZE] = "a store of tests";
static const u8 other_store[KVAULT_ID_SIZE] = "another of them.";
static const u8 host[KVAULT_ID_SIZE] = "the host's id...";

static void link_end(void *test)
{
	kv_link_bye();
	kv_link_port_gone(PORT);
	kv_link_release(A);
	kv_link_release(B);
	kv_test_unlink(test);
}

static int link_init(struct kunit *test)
{
	return kunit_add_action(test, link_end, test);
}

static void set_root(struct kunit *test)
{
	static const u8 key[32] = { 1 };

	KUNIT_ASSERT_EQ(test, kv_root_set(store, key), 0);
}

static struct kvault_claim claimed(struct kunit *test, struct file *file)
{
	struct kvault_claim claim = {};

	KUNIT_ASSERT_EQ(test, kv_link_claim(file, &claim), 0);
	return claim;
}

/* Epoch and revision never go back, so all have the highest. */
static int hello(const struct kvault_claim *claim)
{
	return kv_link_hello(claim->nonce, PORT, SK_A, store, host, U64_MAX, U64_MAX);
}

static struct kvault_claim present(struct kunit *test)
{
	struct kvault_claim claim = claimed(test, A);

	set_root(test);
	KUNIT_ASSERT_EQ(test, hello(&claim), 0);
	KUNIT_ASSERT_EQ(test, kv_link_state(), KVAULT_DAEMON_PRESENT);
	return claim;
}

static void only_one_claims(struct kunit *test)
{
	struct kvault_claim claim = {}, next;
	u64 before;

	present(test);
	before = kv_link_generation();
	KUNIT_EXPECT_EQ(test, kv_link_claim(A, &claim), -EBUSY);
	KUNIT_EXPECT_EQ(test, kv_link_claim(B, &claim), -EBUSY);
	kv_link_release(B);	/* which has none */
	KUNIT_EXPECT_EQ(test, kv_link_claim(B, &claim), -EBUSY);
	/* who lost one of file and socket cannot be half replaced */
	kv_link_release(A);
	KUNIT_EXPECT_EQ(test, kv_link_claim(B, &claim), -EBUSY);
	KUNIT_EXPECT_EQ(test, kv_link_generation(), before);
	kv_link_port_gone(PORT + 1);
	KUNIT_EXPECT_EQ(test, kv_link_claim(B, &claim), -EBUSY);
	kv_link_port_gone(PORT);
	next = claimed(test, B);
	KUNIT_EXPECT_EQ(test, next.generation, before + 1);
	KUNIT_EXPECT_MEMNEQ(test, next.nonce, claim.nonce, sizeof(next.nonce));
}

static void a_nonce_is_good_once(struct kunit *test)
{
	struct kvault_claim claim = claimed(test, A), wrong = claim, next;

	set_root(test);
	wrong.nonce[15] ^= 1;
	KUNIT_EXPECT_EQ(test, hello(&wrong), -EPERM);
	memset(wrong.nonce, 0, sizeof(wrong.nonce));
	KUNIT_EXPECT_EQ(test, hello(&wrong), -EPERM);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_ABSENT);
	KUNIT_EXPECT_EQ(test, hello(&claim), 0);
	KUNIT_EXPECT_EQ(test, hello(&claim), -EPERM);
	kv_link_port_gone(PORT);
	kv_link_release(A);
	KUNIT_EXPECT_EQ(test, hello(&claim), -EPERM);
	/* nor does an older one do for a newer claim */
	next = claimed(test, A);
	KUNIT_EXPECT_EQ(test, hello(&claim), -EPERM);
	KUNIT_EXPECT_EQ(test, hello(&next), 0);
}

static void a_store_that_is_not_ours_is_refused(struct kunit *test)
{
	struct kvault_claim c = present(test);

	kv_link_port_gone(PORT);
	kv_link_release(A);
	c = claimed(test, A);
	KUNIT_EXPECT_EQ(test, kv_link_hello(c.nonce, PORT, SK_A, store, host, U64_MAX - 1, U64_MAX),
			-ESTALE);
	KUNIT_EXPECT_EQ(test, kv_link_hello(c.nonce, PORT, SK_A, store, host, U64_MAX, U64_MAX - 1),
			-ESTALE);
	KUNIT_EXPECT_EQ(test, kv_link_hello(c.nonce, PORT, SK_A, other_store, host, U64_MAX,
					    U64_MAX), -ESTALE);
	KUNIT_EXPECT_EQ(test, kv_link_hello(c.nonce, PORT, SK_A, store, other_store, U64_MAX,
					    U64_MAX), -ESTALE);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_LOST);
	/* none of which used up the nonce */
	KUNIT_EXPECT_EQ(test, hello(&c), 0);
}

static void without_a_root_key_there_is_no_daemon(struct kunit *test)
{
	struct kvault_claim claim = claimed(test, A);

	KUNIT_EXPECT_EQ(test, hello(&claim), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_ABSENT);
	set_root(test);
	KUNIT_EXPECT_EQ(test, hello(&claim), 0);
}

static void a_claim_alone_is_no_daemon(struct kunit *test)
{
	struct kvault_claim claim = claimed(test, A);

	KUNIT_EXPECT_FALSE(test, kv_link_is_claimant(A));
	set_root(test);
	KUNIT_EXPECT_EQ(test, hello(&claim), 0);
	KUNIT_EXPECT_TRUE(test, kv_link_is_claimant(A));
	KUNIT_EXPECT_FALSE(test, kv_link_is_claimant(B));
	kv_link_port_gone(PORT);
	KUNIT_EXPECT_FALSE(test, kv_link_is_claimant(A));
}

static void a_socket_is_the_one_that_said_hello(struct kunit *test)
{
	KUNIT_EXPECT_LT(test, kv_link_check(0, NULL), 0);
	present(test);
	KUNIT_EXPECT_EQ(test, kv_link_check(0, SK_A), -EPERM);
	KUNIT_EXPECT_EQ(test, kv_link_check(PORT + 1, SK_A), -EPERM);
	/* a port number that is free again is another's */
	KUNIT_EXPECT_EQ(test, kv_link_check(PORT, SK_B), -EPERM);
	KUNIT_EXPECT_EQ(test, kv_link_check(PORT, SK_A), 0);
	kv_link_release(A);
	KUNIT_EXPECT_EQ(test, kv_link_check(PORT, SK_A), -ESTALE);
	kv_link_port_gone(PORT);
	KUNIT_EXPECT_EQ(test, kv_link_check(PORT, SK_A), -EPERM);
}

static void a_file_that_is_closed_is_lost_and_a_goodbye_is_not(struct kunit *test)
{
	struct kvault_claim claim;

	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_ABSENT);
	present(test);
	kv_link_release(A);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_LOST);
	kv_link_port_gone(PORT);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_LOST);
	claim = claimed(test, B);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_LOST);
	KUNIT_EXPECT_EQ(test, hello(&claim), 0);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_PRESENT);
	kv_link_port_gone(PORT);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_LOST);
	kv_link_bye();
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_ABSENT);
	kv_link_release(B);
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_ABSENT);
}

/* Who is lost may come back: that is worth waiting for. Who left is not. */
static void requests_wait_for_the_lost_only(struct kunit *test)
{
	struct kv_tenant *t = kv_test_tenant(test);
	struct kv_request *waits, *late;
	struct kv_answer ans = {};

	waits = kv_request_new(KV_QUEUE_DAEMON, t, kv_line_charge(t, 0, KV_LINE_USER),
			       KVAULT_MSG_CONTROL, 1, NULL, 1000);
	late = kv_request_new(KV_QUEUE_DAEMON, t, kv_line_charge(t, 0, KV_LINE_USER),
			      KVAULT_MSG_CONTROL, 1, NULL, 1000);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, waits);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, late);
	present(test);
	kv_link_release(A);
	KUNIT_EXPECT_EQ(test, kv_request_queue(waits), 0);
	kv_link_bye();
	KUNIT_EXPECT_EQ(test, waits->state, KV_REQUEST_DONE);
	KUNIT_EXPECT_EQ(test, kv_request_wait(waits, 1000, &ans), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, kv_request_queue(late), -EHOSTDOWN);
	kv_request_put(waits);
	kv_request_put(late);
}

static struct kunit_case link_cases[] = {
	KUNIT_CASE(only_one_claims),
	KUNIT_CASE(a_nonce_is_good_once),
	KUNIT_CASE(a_store_that_is_not_ours_is_refused),
	KUNIT_CASE(without_a_root_key_there_is_no_daemon),
	KUNIT_CASE(a_claim_alone_is_no_daemon),
	KUNIT_CASE(a_socket_is_the_one_that_said_hello),
	KUNIT_CASE(a_file_that_is_closed_is_lost_and_a_goodbye_is_not),
	KUNIT_CASE(requests_wait_for_the_lost_only),
	{}
};

static struct kunit_suite link_suite = {
	.name = "kvault_link",
	.init = link_init,
	.test_cases = link_cases,
};

kunit_test_suite(link_suite);
