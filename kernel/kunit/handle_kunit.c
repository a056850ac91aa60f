// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles and volumes: what is authorised before every single operation, the
 * token of a volume, and who a principal is.
 */
#include <linux/slab.h>
#include "audit.h"
#include "crypto.h"
#include "handle.h"
#include "principal.h"
#include "tenant.h"
#include "fixture.h"

#define HANDLES_MAX	4096	/* of one tenant */
#define PATH		"vault/keys/name"
#define ENC		(KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT)

struct handle_test {
	struct kv_tenant *t;
	struct kv_test_key *k;
	struct kv_test_server *d;
	struct kv_caller who;
};

static int begin_test(struct kunit *test, u32 ops)
{
	struct handle_test *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	if (!h)
		return -ENOMEM;
	h->t = kv_test_tenant(test);
	h->k = kv_test_key(test, h->t, 512, ops);
	h->d = kv_test_daemon(test, h->k);
	h->who = kv_test_caller(test, h->t);
	test->priv = h;
	return 0;
}

static int handle_init(struct kunit *test)
{
	return begin_test(test, ENC);
}

static struct kv_handle *open(struct handle_test *h, u32 ops)
{
	return kv_handle_open(&h->who, KVAULT_PURPOSE_HANDLE, PATH, strlen(PATH), ops);
}

KUNIT_DEFINE_ACTION_WRAPPER(put_handle, kv_handle_put, struct kv_handle *);

static struct kv_handle *opened(struct kunit *test, u32 ops)
{
	struct kv_handle *handle = open(test->priv, ops);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, handle);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_handle, handle), 0);
	return handle;
}

static int begin(struct handle_test *h, struct kv_handle *handle, u32 op)
{
	return kv_handle_begin(handle, &h->who, op, KVAULT_ALG_A256GCM);
}

/* --- handles --- */

static void more_than_is_granted_cannot_be_opened(struct kunit *test)
{
	struct handle_test *h = test->priv;

	h->k->grant.ops = KVAULT_OP_DECRYPT;
	KV_EXPECT_ERR(test, open(h, KVAULT_OP_ENCRYPT), -EACCES);
	KV_EXPECT_ERR(test, open(h, ENC), -EACCES);
	KV_EXPECT_ERR(test, open(h, KVAULT_OP_SIGN), -EACCES);
	KUNIT_EXPECT_EQ(test, atomic_read(&h->t->charge[KV_CHARGE_HANDLE]), 0);
	KUNIT_EXPECT_GE(test, h->t->audit_seq, 3);	/* refusals are recorded */
	KUNIT_EXPECT_EQ(test, opened(test, 0)->ops, KVAULT_OP_DECRYPT);
	KUNIT_EXPECT_EQ(test, opened(test, KVAULT_OP_DECRYPT)->ops, KVAULT_OP_DECRYPT);
	KUNIT_EXPECT_EQ(test, atomic_read(&h->t->charge[KV_CHARGE_HANDLE]), 2);
}

static void a_tenant_has_so_many_and_no_more(struct kunit *test)
{
	struct handle_test *h = test->priv;

	atomic_add(HANDLES_MAX, &h->t->charge[KV_CHARGE_HANDLE]);
	KV_EXPECT_ERR(test, open(h, 0), -EDQUOT);
	KUNIT_EXPECT_EQ(test, h->d->asked, 0);	/* before anyone is asked */
	atomic_sub(HANDLES_MAX, &h->t->charge[KV_CHARGE_HANDLE]);
}

static void a_handle_does_what_it_was_opened_for(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kv_handle *handle = opened(test, KVAULT_OP_DECRYPT);

	/* the grant would allow it, and the key too */
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_ENCRYPT), -EACCES);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_SIGN), -EACCES);
	KUNIT_EXPECT_EQ(test, h->t->audit_seq, 2);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_DECRYPT), 0);
	KUNIT_EXPECT_EQ(test, h->t->audit_seq, 2);
	KUNIT_EXPECT_EQ(test, h->d->asked, 1);
}

static void a_key_that_may_not_is_refused_and_recorded(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kv_handle *handle = opened(test, 0);
	u32 volumes;

	handle->object->exp = KV_LONG_AGO;
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_ENCRYPT), -EKEYEXPIRED);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_DECRYPT), 0);
	KUNIT_ASSERT_EQ(test, kv_object_set_state(h->t, handle->object->key, NULL, 2,
						  KVAULT_OBJECT_DISABLED, &volumes), 0);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_DECRYPT), -EKEYREVOKED);
	KUNIT_EXPECT_EQ(test, h->t->audit_seq, 2);
	KUNIT_EXPECT_EQ(test, h->d->asked, 1);	/* that is known without a daemon */
}

/* What was pushed since makes the next operation ask, before it is looked at. */
static void a_change_is_fetched_first(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kv_handle *handle = opened(test, 0);
	u32 volumes;

	KUNIT_ASSERT_EQ(test, kv_object_set_state(h->t, handle->object->key, NULL, 2,
						  KVAULT_OBJECT_LIVE, &volumes), 0);
	h->d->status = -EACCES;
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_DECRYPT), -EACCES);
	h->d->status = 0;
	h->k->grant.revision = 2;
	h->k->grant.binding.ops = KVAULT_OP_ENCRYPT;
	kv_test_seal(test, h->t, h->k);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_DECRYPT), -EACCES);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_EQ(test, h->d->asked, 3);
}

/* What is known of it is old: it must not be the reason to refuse. */
static void a_key_that_may_again_is_asked_for(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kv_handle *handle = opened(test, 0);
	u32 volumes;

	handle->object->exp = KV_LONG_AGO;
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_ENCRYPT), -EKEYEXPIRED);
	KUNIT_ASSERT_EQ(test, kv_object_set_state(h->t, handle->object->key, NULL, 2,
						  KVAULT_OBJECT_LIVE, &volumes), 0);
	h->k->grant.revision = 2;
	h->k->grant.binding.exp = KV_FAR_AWAY;
	kv_test_seal(test, h->t, h->k);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_EQ(test, h->d->asked, 2);
}

static void a_new_policy_is_asked_for_once(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kv_handle *handle = opened(test, 0);

	kv_tenant_raise_policy(h->t, 9);
	h->d->revision = 9;
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_ENCRYPT), 0);
	KUNIT_EXPECT_EQ(test, h->d->asked, 2);
}

static void another_caller_needs_a_grant_of_his_own(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kv_handle *handle = opened(test, 0);
	struct kv_caller stranger = h->who;

	stranger.caller = kv_test_stranger(test, h->t);
	h->d->status = -EACCES;
	KUNIT_EXPECT_EQ(test, kv_handle_begin(handle, &stranger, KVAULT_OP_DECRYPT, 0), -EACCES);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_DECRYPT), 0);
	h->d->status = 0;
	KUNIT_EXPECT_EQ(test, kv_handle_begin(handle, &stranger, KVAULT_OP_DECRYPT, 0), 0);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_DECRYPT), 0);
	KUNIT_EXPECT_EQ(test, h->d->asked, 3);
}

/* A lease of nothing, again and again: the operation gives up. */
static void a_lease_of_nothing_is_not_asked_for_ever(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kv_handle *handle;

	h->k->grant.lease_ops = 0;
	handle = opened(test, 0);
	KUNIT_EXPECT_EQ(test, begin(h, handle, KVAULT_OP_DECRYPT), -ESTALE);
	KUNIT_EXPECT_LE(test, h->d->asked, 5);
}

static struct kunit_case handle_cases[] = {
	KUNIT_CASE(more_than_is_granted_cannot_be_opened),
	KUNIT_CASE(a_tenant_has_so_many_and_no_more),
	KUNIT_CASE(a_handle_does_what_it_was_opened_for),
	KUNIT_CASE(a_key_that_may_not_is_refused_and_recorded),
	KUNIT_CASE(a_change_is_fetched_first),
	KUNIT_CASE(a_key_that_may_again_is_asked_for),
	KUNIT_CASE(a_new_policy_is_asked_for_once),
	KUNIT_CASE(another_caller_needs_a_grant_of_his_own),
	KUNIT_CASE(a_lease_of_nothing_is_not_asked_for_ever),
	{}
};

static struct kunit_suite handle_suite = {
	.name = "kvault_handle",
	.init = handle_init,
	.test_cases = handle_cases,
};

/* --- volumes --- */

static int volume_init(struct kunit *test)
{
	return begin_test(test, KVAULT_OP_VOLUME);
}

static void stop(struct kv_volume *v)
{
}

static struct kvault_token token_of(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kvault_token token = { .magic = KVAULT_TOKEN_MAGIC };

	token.format[0] = 1;
	memcpy(token.tenant, h->t->id, sizeof(token.tenant));
	memcpy(token.key, h->k->grant.binding.object, sizeof(token.key));
	memcpy(token.version, h->k->grant.binding.version, sizeof(token.version));
	memset(token.nonce, 0x5a, sizeof(token.nonce));
	KUNIT_ASSERT_EQ(test, kv_sha256(token.nonce, sizeof(token.nonce), h->k->grant.token_hash),
			0);
	return token;
}

static int volume_open(struct handle_test *h, const struct kvault_token *token)
{
	struct kv_volume v = { .stop = stop };
	int ret = kv_volume_open(&h->who, token, &v);

	if (!ret)
		kv_volume_close(&h->who, &v, 8);
	return ret;
}

static void a_token_of_another_tenant_is_no_key(struct kunit *test)
{
	struct handle_test *h = test->priv;
	struct kvault_token token = token_of(test);

	token.tenant[0] ^= 1;
	KUNIT_EXPECT_EQ(test, volume_open(h, &token), -ENOKEY);
	KUNIT_EXPECT_EQ(test, h->d->asked, 0);
}

static void a_token_that_was_not_given_out_is_refused(struct kunit *test)
{
	struct handle_test *h = test->priv;
	const struct kvault_token good = token_of(test);
	const struct kv_test_key key = *h->k;
	struct kvault_token token;

#define EXPECT_REFUSED(error, ...) \
	do { \
		u64 seq = h->t->audit_seq; \
		token = good; \
		*h->k = key; \
		__VA_ARGS__; \
		KUNIT_EXPECT_EQ_MSG(test, volume_open(h, &token), error, #__VA_ARGS__); \
		/* a refusal, and that the volume is not open after all */ \
		KUNIT_EXPECT_EQ_MSG(test, h->t->audit_seq, seq + 2, #__VA_ARGS__); \
	} while (0)

	EXPECT_REFUSED(-EKEYREJECTED, token.nonce[31] ^= 1);
	EXPECT_REFUSED(-EKEYREJECTED, h->k->grant.token_hash[0] ^= 1);
	EXPECT_REFUSED(-EKEYREJECTED, memset(h->k->grant.token_hash, 0, 32));
	/* the daemon answers with another key than the token names */
	EXPECT_REFUSED(-EIO, token.key[0] ^= 1);
	EXPECT_REFUSED(-EIO, token.version[0] ^= 1);
	EXPECT_REFUSED(-EACCES, h->k->grant.ops = KVAULT_OP_ENCRYPT);
	EXPECT_REFUSED(-EKEYEXPIRED, h->k->grant.revision = 2,
		       h->k->grant.binding.exp = KV_LONG_AGO, kv_test_seal(test, h->t, h->k));
#undef EXPECT_REFUSED
	*h->k = key;
	h->k->grant.revision = 3;
	KUNIT_EXPECT_EQ(test, volume_open(h, &good), 0);
}

/* It agreed, and the log has the volume open: but for memory it would be. */
static void what_the_daemon_agreed_to_in_vain_is_taken_back(struct kunit *test)
{
	struct handle_test *h = test->priv;
	const struct kvault_token token = token_of(test);

	h->k->blob[h->k->blob_len - 1] ^= 1;
	KUNIT_EXPECT_EQ(test, volume_open(h, &token), -EIO);
	KUNIT_EXPECT_EQ(test, h->t->audit_seq, 2);
	/* each time that it agreed */
	h->t->policy = (atomic64_t)ATOMIC64_INIT(5);
	KUNIT_EXPECT_EQ(test, volume_open(h, &token), -ESTALE);
	KUNIT_EXPECT_EQ(test, h->d->asked, 1 + KV_STALE_TRIES);
	KUNIT_EXPECT_GE(test, h->t->audit_seq, 2 + KV_STALE_TRIES);
	KUNIT_EXPECT_EQ(test, h->t->audit_count, h->t->audit_seq);
	/* what it refused it has in its log itself */
	h->d->status = -EACCES;
	KUNIT_EXPECT_EQ(test, volume_open(h, &token), -EACCES);
	KUNIT_EXPECT_EQ(test, h->t->audit_count, h->t->audit_seq);
}

static void a_full_log_does_not_lose_the_end_of_a_volume(struct kunit *test)
{
	const struct kv_event use = { .type = KVAULT_AUDIT_USE, .op = KVAULT_OP_SIGN, .count = 1 };
	struct handle_test *h = test->priv;
	const struct kvault_token token = token_of(test);
	struct kv_volume v = { .stop = stop };
	u64 seq;

	KUNIT_ASSERT_EQ(test, kv_volume_open(&h->who, &token, &v), 0);
	while (!kv_audit_emit(h->t, &use))
		;
	seq = h->t->audit_seq;
	KUNIT_EXPECT_EQ(test, volume_open(h, &token), -EAGAIN);
	KUNIT_EXPECT_EQ(test, h->d->asked, 1);
	kv_volume_close(&h->who, &v, 8);
	KUNIT_EXPECT_EQ(test, h->t->audit_seq, seq + 1);
}

static void a_volume_is_closed_once(struct kunit *test)
{
	struct handle_test *h = test->priv;
	const struct kvault_token token = token_of(test);
	struct kv_volume v = { .stop = stop };
	struct kv_object *obj;

	KUNIT_ASSERT_EQ(test, kv_volume_open(&h->who, &token, &v), 0);
	obj = v.object;
	KUNIT_EXPECT_FALSE(test, list_empty(&obj->volumes));
	kv_volume_close(&h->who, &v, 1234);
	KUNIT_EXPECT_EQ(test, h->t->audit_seq, 1);
	KUNIT_EXPECT_NULL(test, v.object);
	kv_volume_close(&h->who, &v, 1234);
	KUNIT_EXPECT_EQ(test, h->t->audit_seq, 1);
}

static struct kunit_case volume_cases[] = {
	KUNIT_CASE(a_token_of_another_tenant_is_no_key),
	KUNIT_CASE(a_token_that_was_not_given_out_is_refused),
	KUNIT_CASE(what_the_daemon_agreed_to_in_vain_is_taken_back),
	KUNIT_CASE(a_full_log_does_not_lose_the_end_of_a_volume),
	KUNIT_CASE(a_volume_is_closed_once),
	{}
};

static struct kunit_suite volume_suite = {
	.name = "kvault_volume",
	.init = volume_init,
	.test_cases = volume_cases,
};

/* --- principals --- */

static void every_difference_that_policy_sees_is_one(struct kunit *test)
{
	struct kv_tenant *t = kv_test_tenant(test);
	struct kv_principal *a = kv_test_caller(test, t).caller;
	struct kv_principal *b = kv_test_caller(test, t).caller;
	const struct kvault_principal same = b->wire;

	KUNIT_ASSERT_PTR_NE(test, a, b);
#define EXPECT_DIFFERS(...) \
	do { \
		b->wire = same; \
		__VA_ARGS__; \
		KUNIT_EXPECT_FALSE_MSG(test, kv_principal_same(a, b), #__VA_ARGS__); \
	} while (0)

	EXPECT_DIFFERS(b->wire.uid++);
	EXPECT_DIFFERS(b->wire.gid++);
	EXPECT_DIFFERS(b->wire.ns_uid++);
	EXPECT_DIFFERS(b->wire.ns_gid++);
	EXPECT_DIFFERS(b->wire.login_uid++);
	EXPECT_DIFFERS(b->wire.flags ^= KVAULT_PRINCIPAL_ADMIN);
	EXPECT_DIFFERS(b->wire.flags ^= KVAULT_PRINCIPAL_CGROUP_CUT);
	EXPECT_DIFFERS(b->wire.cgroup_id++);
	EXPECT_DIFFERS(b->wire.exe_ino++);
	EXPECT_DIFFERS(b->wire.exe_dev++);
#undef EXPECT_DIFFERS
	b->wire = same;
	b->wire.tgid++;
	b->wire.start++;
	KUNIT_EXPECT_TRUE(test, kv_principal_same(a, b));
}

static void a_task_is_who_it_was_until_it_changes(struct kunit *test)
{
	struct kv_tenant *t = kv_test_tenant(test);
	struct kv_principal *p = kv_test_caller(test, t).caller;
	const struct kv_principal was = *p;

	KUNIT_EXPECT_TRUE(test, kv_principal_is_current(p));
#define EXPECT_OTHER(...) \
	do { \
		__VA_ARGS__; \
		KUNIT_EXPECT_FALSE_MSG(test, kv_principal_is_current(p), #__VA_ARGS__); \
		*p = was; \
	} while (0)

	EXPECT_OTHER(p->euid = KUIDT_INIT(4711));
	EXPECT_OTHER(p->egid = KGIDT_INIT(4711));
	EXPECT_OTHER(p->user_ns = NULL);
	EXPECT_OTHER(p->is_capable ^= true);
	EXPECT_OTHER(p->tgid = NULL);
	EXPECT_OTHER(p->exec_id++);
	EXPECT_OTHER(p->wire.cgroup_id++);
#undef EXPECT_OTHER
	KUNIT_EXPECT_TRUE(test, kv_principal_is_current(p));
}

static void a_thread_of_the_kernel_has_no_program(struct kunit *test)
{
	struct kv_principal *p = kv_test_caller(test, kv_test_tenant(test)).caller;

	KUNIT_EXPECT_TRUE(test, p->wire.flags & KVAULT_PRINCIPAL_KERNEL);
	KUNIT_EXPECT_TRUE(test, p->wire.flags & KVAULT_PRINCIPAL_ADMIN);
	KUNIT_EXPECT_EQ(test, p->wire.exe_ino, 0);
	KUNIT_EXPECT_EQ(test, p->wire.exe[0], 0);
	KUNIT_EXPECT_EQ(test, p->wire.uid, 0);
	KUNIT_EXPECT_EQ(test, p->wire.tgid, task_tgid_nr(current));
}

static struct kunit_case principal_cases[] = {
	KUNIT_CASE(every_difference_that_policy_sees_is_one),
	KUNIT_CASE(a_task_is_who_it_was_until_it_changes),
	KUNIT_CASE(a_thread_of_the_kernel_has_no_program),
	{}
};

static struct kunit_suite principal_suite = {
	.name = "kvault_principal",
	.test_cases = principal_cases,
};

kunit_test_suites(&handle_suite, &volume_suite, &principal_suite);
