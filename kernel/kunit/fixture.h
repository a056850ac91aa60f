/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share: tenants, keys, callers, and servers that answer what
 * a test tells them to. All of it ends with the test, and is then looked at:
 * what a tenant still holds fails the test.
 *
 * The suites run when the module is loaded. They want a module that nobody
 * uses: no daemon, no engines, no tenants but their own.
 */
#ifndef _KV_KUNIT_FIXTURE_H
#define _KV_KUNIT_FIXTURE_H

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/kvault_control.h>
#include "grant.h"
#include "object.h"
#include "upcall.h"

#define KV_EXPECT_ERR(test, p, error) \
	KUNIT_EXPECT_EQ(test, (int)PTR_ERR_OR_ZERO(p), error)

/* Unix seconds that are over for good, and such as do not come. */
#define KV_LONG_AGO	1ull
#define KV_FAR_AWAY	0x10000000000ull

/**
 * struct kv_test_key - a key as the daemon would grant it
 * @grant: what it says
 * @material: in the clear
 * @blob: the same, sealed to @grant.binding
 * @blob_len: bytes of it
 */
struct kv_test_key {
	struct kvault_grant grant;
	u8 material[64];
	u8 blob[64 + KVAULT_BLOB_OVERHEAD];
	u32 blob_len;
};

/**
 * struct kv_test_server - a process that takes messages, without the process
 * @test: whose it is
 * @s: what it is to the module
 * @msg: header of the message that it took last; size 0 when there was none
 * @payload: beginning of its segments
 * @room: what it says that it has room for
 * @next: memory of a user, for messages
 * @reply: likewise, for answers
 * @answer: of kv_test_daemon(): makes an answer, which begins as an empty one
 * @key: for @answer
 * @status: for @answer
 * @revision: for @answer
 * @asked: how many messages @answer was called for
 * @mm: of the test's thread
 * @ended: kv_test_daemon()'s thread has
 */
struct kv_test_server {
	struct kunit *test;
	struct kv_server *s;
	struct kvault_msg msg;
	u8 payload[2048];
	u32 room;
	u8 __user *next;
	u8 __user *reply;
	void (*answer)(struct kv_test_server *s, struct kvault_msg *msg, struct kv_seg *seg);
	const struct kv_test_key *key;
	s32 status;
	u64 revision;
	u32 asked;
	struct mm_struct *mm;
	struct completion ended;
};

void __user *kv_test_user(struct kunit *test, size_t len);
void *kv_test_get(struct kunit *test, const void __user *from, size_t len);
void kv_test_set(struct kunit *test, void __user *to, const void *from, size_t len);
u32 kv_test_hex(struct kunit *test, u8 *to, const char *hex);

struct kv_tenant *kv_test_tenant(struct kunit *test);
struct kv_tenant *kv_test_tenant_of(struct kunit *test, u32 uid);
struct kv_caller kv_test_caller(struct kunit *test, struct kv_tenant *t);
struct kv_principal *kv_test_stranger(struct kunit *test, struct kv_tenant *t);
void kv_test_link(struct kunit *test);
void kv_test_unlink(struct kunit *test);

struct kv_test_key *kv_test_key(struct kunit *test, struct kv_tenant *t, u32 bits, u32 ops);
void kv_test_seal(struct kunit *test, struct kv_tenant *t, struct kv_test_key *k);
struct kv_object *kv_test_accept(struct kv_tenant *t, const struct kv_test_key *k);
struct kv_object *kv_test_object(struct kunit *test, struct kv_tenant *t, u32 bits, u32 ops);

struct kv_test_server *kv_test_server(struct kunit *test, enum kv_queue_id queue);
void kv_test_close(struct kv_test_server *s);
int kv_test_take(struct kv_test_server *s);
struct kvault_msg kv_test_answer_to(const struct kv_test_server *s);
int kv_test_reply(struct kv_test_server *s, const struct kvault_msg *msg,
		  const struct kv_seg *seg);
struct kv_test_server *kv_test_daemon(struct kunit *test, const struct kv_test_key *key);

#endif /* _KV_KUNIT_FIXTURE_H */
