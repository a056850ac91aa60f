// SPDX-License-Identifier: GPL-2.0-only
#include <linux/delay.h>
#include <linux/hex.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include "link.h"
#include "principal.h"
#include "queue.h"
#include "seal.h"
#include "tenant.h"
#include "visible.h"
#include "fixture.h"

#define KV_TEST_SETTLE_MS	3000	/* how long what runs in the background may take */
#define KV_TEST_PORT		0xfffffff0u

/* --- memory of a user --- */

/*
 * @len bytes that a call can be pointed at, zeros. KUnit gives the thread an mm
 * for it and takes a reference more than the thread's end drops.
 */
void __user *kv_test_user(struct kunit *test, size_t len)
{
	bool is_first = !current->mm;
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, PAGE_ALIGN(len), PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	if (is_first && current->mm)
		mmdrop(current->mm);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return (void __user *)addr;
}

void *kv_test_get(struct kunit *test, const void __user *from, size_t len)
{
	void *p = kunit_kzalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, copy_from_user(p, from, len), 0);
	return p;
}

void kv_test_set(struct kunit *test, void __user *to, const void *from, size_t len)
{
	KUNIT_ASSERT_EQ(test, copy_to_user(to, from, len), 0);
}

/* Digits to bytes; tells how many. */
u32 kv_test_hex(struct kunit *test, u8 *to, const char *hex)
{
	u32 len = strlen(hex) / 2;

	KUNIT_ASSERT_EQ(test, hex2bin(to, hex, len), 0);
	return len;
}

/* --- tenants and callers --- */

struct tenant_of_test {
	struct kunit *test;
	struct kv_tenant *t;
};

/* So that the next look for pauses finds one: no test waits for it. */
static void age_grants(struct kv_tenant *t)
{
	struct kv_object *obj;
	struct kv_grant *g;

	list_for_each_entry(obj, &t->objects, link)
		list_for_each_entry(g, &obj->grants, link)
			g->last_use = jiffies - 10 * HZ;
}

static void tenant_end(void *ctx)
{
	struct tenant_of_test *of = ctx;
	struct kv_tenant *t = of->t;
	int i;

	mutex_lock(&kv_tenants_lock);
	WRITE_ONCE(t->is_dead, true);
	list_del_init(&t->link);
	put_user_ns(t->ns);
	t->ns = NULL;
	mutex_unlock(&kv_tenants_lock);
	age_grants(t);
	kv_object_wipe_all(t);
	for (i = 0; refcount_read(&t->refs) > 1 && i < KV_TEST_SETTLE_MS / 20; i++) {
		kv_reporter.work.func(&kv_reporter.work);
		msleep(20);
	}
	KUNIT_EXPECT_EQ_MSG(of->test, refcount_read(&t->refs), 1, "references to the tenant");
	for (i = 0; i < KV_CHARGES; i++)
		KUNIT_EXPECT_EQ_MSG(of->test, atomic_read(&t->charge[i]), 0, "charge %d", i);
	for (i = 0; i < KV_QUEUES; i++)
		KUNIT_EXPECT_TRUE_MSG(of->test, list_empty(&t->queue[i].turn[KV_URGENT].below) &&
				      list_empty(&t->queue[i].turn[KV_ASKED].below),
				      "queue %d", i);
	kv_tenant_put(t);
}

/*
 * A tenant of the initial namespace that is not the host. It is of the kind
 * that has the quotas of an ephemeral one and does not end by itself.
 */
struct kv_tenant *kv_test_tenant(struct kunit *test)
{
	return kv_test_tenant_of(test, 0);
}

/* One that belongs to @uid. */
struct kv_tenant *kv_test_tenant_of(struct kunit *test, u32 uid)
{
	struct tenant_of_test *of = kunit_kzalloc(test, sizeof(*of), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, of);
	of->test = test;
	mutex_lock(&kv_tenants_lock);
	of->t = tenant_new(KVAULT_TENANT_PERSISTENT, &init_user_ns, uid);
	if (of->t) {
		get_random_bytes(of->t->id, sizeof(of->t->id));
		kv_kek_ephemeral(of->t);
		list_add_tail(&of->t->link, &kv_tenants);
	}
	mutex_unlock(&kv_tenants_lock);
	KUNIT_ASSERT_NOT_NULL(test, of->t);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, tenant_end, of), 0);
	return of->t;
}

KUNIT_DEFINE_ACTION_WRAPPER(principal_end, kv_principal_put, struct kv_principal *);

static struct kv_principal *principal(struct kunit *test, struct kv_tenant *t)
{
	struct kv_principal *p = kv_principal_new(t);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, principal_end, p), 0);
	return p;
}

/* The test's thread. */
struct kv_caller kv_test_caller(struct kunit *test, struct kv_tenant *t)
{
	struct kv_principal *p = principal(test, t);

	return (struct kv_caller){ .tenant = t, .caller = p, .opener = p,
				   .face = KVAULT_FACE_IOCTL, .timeout_ms = 60000 };
}

/* Somebody else. */
struct kv_principal *kv_test_stranger(struct kunit *test, struct kv_tenant *t)
{
	struct kv_principal *p = principal(test, t);

	p->wire.uid += 4711;
	return p;
}

/* --- the daemon's claim --- */

/* Compared only, as the real ones are. */
static struct file *claimant_file(void)
{
	static int file;

	return (struct file *)&file;
}

/* What cannot be taken back is what no test needs: epoch, generation. */
void kv_test_unlink(struct kunit *test)
{
	struct kv_tenant *host = kv_tenant_host();
	enum kv_queue_id i;

	kv_link_bye();
	kv_link_port_gone(KV_TEST_PORT);
	kv_link_release(claimant_file());
	kv_seal_exit();
	memset(host->id, 0, sizeof(host->id));
	memset(&host->kek, 0, sizeof(host->kek));
	for (i = 0; i < KV_QUEUES; i++)
		kv_queues[i].was_served = false;
	KUNIT_EXPECT_EQ(test, kv_link_state(), KVAULT_DAEMON_ABSENT);
}

static void unlink_end(void *ctx)
{
	kv_test_unlink(ctx);
}

/* Somebody has claimed and said HELLO, so requests to the daemon wait. */
void kv_test_link(struct kunit *test)
{
	static const u8 store[KVAULT_ID_SIZE] = "a store of tests";
	static const u8 host[KVAULT_ID_SIZE] = "the host's id...";
	struct kvault_claim claim = {};
	u8 key[32];

	get_random_bytes(key, sizeof(key));
	KUNIT_ASSERT_EQ(test, kv_root_set(store, key), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unlink_end, test), 0);
	KUNIT_ASSERT_EQ(test, kv_link_claim(claimant_file(), &claim), 0);
	KUNIT_ASSERT_EQ(test, kv_link_hello(claim.nonce, KV_TEST_PORT, NULL, store, host,
					    U64_MAX, U64_MAX), 0);
	KUNIT_ASSERT_EQ(test, kv_link_state(), KVAULT_DAEMON_PRESENT);
}

/* --- keys --- */

/* Seals the material anew, to what the binding says now. */
void kv_test_seal(struct kunit *test, struct kv_tenant *t, struct kv_test_key *k)
{
	u32 len = min_t(u32, k->grant.binding.bits / 8, sizeof(k->material));

	KUNIT_ASSERT_EQ(test, kv_seal(t, &k->grant.binding, k->material, len, k->blob), 0);
	k->blob_len = len + KVAULT_BLOB_OVERHEAD;
}

/* An enabled oct key with an id of its own and everything granted. */
struct kv_test_key *kv_test_key(struct kunit *test, struct kv_tenant *t, u32 bits, u32 ops)
{
	struct kv_test_key *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);
	struct kvault_binding *b;

	KUNIT_ASSERT_NOT_NULL(test, k);
	b = &k->grant.binding;
	k->grant.size = sizeof(k->grant);
	k->grant.ops = ops;
	k->grant.revision = 1;
	k->grant.lease_ops = 1000;
	k->grant.lease_ms = 60000;
	get_random_bytes(k->grant.lease, sizeof(k->grant.lease));
	get_random_bytes(k->material, sizeof(k->material));
	memcpy(b->tenant, t->id, sizeof(b->tenant));
	get_random_bytes(b->container, sizeof(b->container));
	get_random_bytes(b->object, sizeof(b->object));
	get_random_bytes(b->version, sizeof(b->version));
	b->type = KVAULT_TYPE_KEY;
	b->kty = KVAULT_KTY_OCT;
	b->bits = bits;
	b->ops = ops;
	b->flags = KVAULT_KEY_ENABLED;
	b->name_len = 4;
	memcpy(b->name, "name", 4);
	kv_test_seal(test, t, k);
	return k;
}

struct kv_object *kv_test_accept(struct kv_tenant *t, const struct kv_test_key *k)
{
	return kv_object_accept(t, &k->grant, NULL, 0, k->blob, k->blob_len,
				atomic64_read(&t->changes));
}

KUNIT_DEFINE_ACTION_WRAPPER(object_end, kv_object_put, struct kv_object *);

struct kv_object *kv_test_object(struct kunit *test, struct kv_tenant *t, u32 bits, u32 ops)
{
	struct kv_object *obj = kv_test_accept(t, kv_test_key(test, t, bits, ops));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, object_end, obj), 0);
	return obj;
}

/* --- servers --- */

static void server_end(void *ctx)
{
	struct kv_test_server *s = ctx;

	if (s->s)
		kv_server_free(s->s);
	s->s = NULL;
}

/* The process ends. */
void kv_test_close(struct kv_test_server *s)
{
	server_end(s);
}

struct kv_test_server *kv_test_server(struct kunit *test, enum kv_queue_id queue)
{
	struct kv_test_server *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->test = test;
	s->room = KVAULT_MSG_MAX;
	s->next = kv_test_user(test, KVAULT_MSG_MAX);
	s->reply = kv_test_user(test, KVAULT_MSG_MAX);
	init_completion(&s->ended);
	s->s = kv_server_new(queue, 77);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s->s);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, server_end, s), 0);
	return s;
}

static int exchange(struct kv_test_server *s, u32 flags, u32 reply_len, u32 room)
{
	struct kvault_exchange arg = {
		.size = sizeof(arg), .flags = flags, .next = (u64)(unsigned long)s->next,
		.next_len = room, .reply = (u64)(unsigned long)s->reply, .reply_len = reply_len,
	};
	int ret = kv_server_exchange(s->s, &arg);
	u32 len;

	memset(&s->msg, 0, sizeof(s->msg));
	if (ret || !arg.next_len)
		return ret;
	len = min_t(u32, arg.next_len - sizeof(s->msg), sizeof(s->payload));
	if (copy_from_user(&s->msg, s->next, sizeof(s->msg)) ||
	    copy_from_user(s->payload, s->next + sizeof(s->msg), len))
		return -EFAULT;
	return 0;
}

/* The next message, without waiting for one. */
int kv_test_take(struct kv_test_server *s)
{
	return exchange(s, 0, 0, s->room);
}

/* The header of a good answer to the message that was taken last. */
struct kvault_msg kv_test_answer_to(const struct kv_test_server *s)
{
	struct kvault_msg a = s->msg;

	memset(a.len, 0, sizeof(a.len));
	a.status = 0;
	return a;
}

/* Gives an answer, and takes nothing. */
int kv_test_reply(struct kv_test_server *s, const struct kvault_msg *msg,
		  const struct kv_seg *seg)
{
	u32 len = sizeof(*msg);
	int i;

	if (copy_to_user(s->reply, msg, sizeof(*msg)))
		return -EFAULT;
	for (i = 0; seg && i < KVAULT_MSG_SEGMENTS; i++) {
		if (copy_to_user(s->reply + len, seg[i].p, seg[i].len))
			return -EFAULT;
		len += seg[i].len;
	}
	return exchange(s, 0, len, 0);
}

/* Grants @key, or says @status. */
static void answer_key(struct kv_test_server *s, struct kvault_msg *msg, struct kv_seg *seg)
{
	msg->status = s->status;
	msg->revision = s->revision;
	if (s->status)
		return;
	seg[0] = (struct kv_seg){ &s->key->grant, sizeof(s->key->grant) };
	seg[3] = (struct kv_seg){ s->key->blob, s->key->blob_len };
}

static int serve(void *ctx)
{
	struct kv_test_server *s = ctx;
	int ret, i;

	kthread_use_mm(s->mm);
	while (!(ret = exchange(s, KVAULT_EXCHANGE_WAIT, 0, KVAULT_MSG_MAX))) {
		struct kvault_msg msg = kv_test_answer_to(s);
		struct kv_seg seg[KVAULT_MSG_SEGMENTS] = {};

		s->answer(s, &msg, seg);
		WRITE_ONCE(s->asked, s->asked + 1);
		for (i = 0; i < KVAULT_MSG_SEGMENTS; i++)
			msg.len[i] = seg[i].len;
		kv_test_reply(s, &msg, seg);
	}
	kthread_unuse_mm(s->mm);
	kthread_complete_and_exit(&s->ended, ret);
}

static void daemon_end(void *ctx)
{
	struct kv_test_server *s = ctx;

	spin_lock(&kv_upcall_lock);
	s->s->is_dead = true;
	spin_unlock(&kv_upcall_lock);
	wake_up_interruptible_all(kv_server_wq(KV_QUEUE_DAEMON));
	wait_for_completion(&s->ended);
	mmput(s->mm);
}

/*
 * A daemon that grants @key to everybody until the end of the test, or does
 * what its fields say by then: a test may change them while it asks nothing.
 */
struct kv_test_server *kv_test_daemon(struct kunit *test, const struct kv_test_key *key)
{
	struct kv_test_server *s;
	struct task_struct *task;

	kv_test_link(test);
	s = kv_test_server(test, KV_QUEUE_DAEMON);
	s->answer = answer_key;
	s->key = key;
	s->revision = 1;
	s->mm = current->mm;
	mmget(s->mm);
	task = kthread_run(serve, s, "kvault-test");
	if (IS_ERR(task))
		mmput(s->mm);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, daemon_end, s), 0);
	return s;
}
