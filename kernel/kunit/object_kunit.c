// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key versions: what is accepted from the daemon, revisions, LIVE, DISABLED and
 * GONE, and that nothing uses a key that is not live.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include "grant.h"
#include "object.h"
#include "tenant.h"
#include "visible.h"
#include "fixture.h"

#define OBJECTS_MAX	256	/* of one tenant */
#define ENC		(KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT)

struct object_test {
	struct kv_tenant *t;
	struct kv_test_key *k;
};

static int object_init(struct kunit *test)
{
	struct object_test *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);

	if (!o)
		return -ENOMEM;
	o->t = kv_test_tenant(test);
	o->k = kv_test_key(test, o->t, 256, ENC);
	test->priv = o;
	return 0;
}

static u32 objects_of(struct kv_tenant *t)
{
	return atomic_read(&t->charge[KV_CHARGE_OBJECT]);
}

/* What accepting says, without keeping what is accepted. */
static int accept(struct kv_tenant *t, const struct kv_test_key *k)
{
	struct kv_object *obj = kv_test_accept(t, k);
	int ret = PTR_ERR_OR_ZERO(obj);

	kv_object_put(obj);
	return ret;
}

KUNIT_DEFINE_ACTION_WRAPPER(put_object, kv_object_put, struct kv_object *);

static struct kv_object *accepted(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj = kv_test_accept(o->t, o->k);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_object, obj), 0);
	return obj;
}

static int set_state(struct kunit *test, u64 revision, u32 state)
{
	struct object_test *o = test->priv;
	u32 volumes;

	return kv_object_set_state(o->t, o->k->grant.binding.object, NULL, revision, state,
				   &volumes);
}

/* --- what is not accepted --- */

static void a_grant_that_is_nonsense_is_refused(struct kunit *test)
{
	struct object_test *o = test->priv;
	const struct kv_test_key good = *o->k;
	struct kv_tenant *other = kv_test_tenant(test);

#define EXPECT_REFUSED(error, ...) \
	do { \
		*o->k = good; \
		__VA_ARGS__; \
		KUNIT_EXPECT_EQ_MSG(test, accept(o->t, o->k), error, #__VA_ARGS__); \
		KUNIT_EXPECT_EQ_MSG(test, objects_of(o->t), 0, #__VA_ARGS__); \
	} while (0)

	EXPECT_REFUSED(-EINVAL, o->k->grant.size--);
	EXPECT_REFUSED(-EINVAL, o->k->grant.ops |= KVAULT_OP_ALL + 1);
	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.pad = 1);
	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.type = KVAULT_TYPE_SECRET);
	EXPECT_REFUSED(-EPERM, memcpy(o->k->grant.binding.tenant, other->id, KVAULT_ID_SIZE));
	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.bits = 0);
	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.bits = 255);
	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.bits = 520);
	/* not sealed so */
	EXPECT_REFUSED(-EBADMSG, o->k->grant.binding.ops |= KVAULT_OP_SIGN);
	EXPECT_REFUSED(-EBADMSG, o->k->grant.binding.flags |= KVAULT_KEY_EXPORTABLE);
	EXPECT_REFUSED(-EBADMSG, o->k->grant.binding.exp = 1);
	EXPECT_REFUSED(-EBADMSG, o->k->blob[60] ^= 1);
	EXPECT_REFUSED(-EBADMSG, o->k->blob_len--);
	EXPECT_REFUSED(-EBADMSG, o->k->blob_len = 0);
	/* sealed so, but of another length */
	EXPECT_REFUSED(-EMSGSIZE, o->k->grant.binding.bits = 128,
		       kv_test_seal(test, o->t, o->k), o->k->grant.binding.bits = 64);
	EXPECT_REFUSED(-EKEYREVOKED, o->k->grant.binding.flags = 0,
		       kv_test_seal(test, o->t, o->k));
	/* a volume key with equal halves is weak */
	EXPECT_REFUSED(-EKEYREJECTED, o->k->grant.binding.ops = KVAULT_OP_VOLUME,
		       memcpy(o->k->material + 16, o->k->material, 16),
		       kv_test_seal(test, o->t, o->k));
#undef EXPECT_REFUSED
	*o->k = good;
	KV_EXPECT_ERR(test, kv_object_accept(o->t, &o->k->grant, "", KVAULT_PUBLIC_MAX + 1,
					     o->k->blob, o->k->blob_len, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), 0);
	KUNIT_EXPECT_EQ(test, objects_of(o->t), 1);
}

static void a_version_is_one_key(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj = accepted(test);
	const struct kv_test_key good = *o->k;

#define EXPECT_REFUSED(error, ...) \
	do { \
		*o->k = good; \
		o->k->grant.revision = 2; \
		__VA_ARGS__; \
		kv_test_seal(test, o->t, o->k); \
		KUNIT_EXPECT_EQ_MSG(test, accept(o->t, o->k), error, #__VA_ARGS__); \
		KUNIT_EXPECT_EQ(test, obj->accepted, 1); \
		KUNIT_EXPECT_MEMEQ(test, obj->material, good.material, 32); \
	} while (0)

	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.kty = KVAULT_KTY_RSA);
	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.bits = 128);
	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.curve = KVAULT_CURVE_P256);
	EXPECT_REFUSED(-EINVAL, o->k->grant.binding.flags |= KVAULT_KEY_HSM);
	EXPECT_REFUSED(-EBADMSG, o->k->material[0] ^= 1);
#undef EXPECT_REFUSED
}

/* The daemon's own keys are accepted with revision 0; a bad grant does not end them. */
static void a_bad_grant_takes_nothing_from_a_good_one(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj;

	o->k->grant.revision = 0;
	obj = accepted(test);
	o->k->grant.binding.bits = 128;
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), -EINVAL);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_LIVE);
	KUNIT_EXPECT_FALSE(test, list_empty(&obj->link));
	KUNIT_EXPECT_EQ(test, set_state(test, 1, KVAULT_OBJECT_DISABLED), 0);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_DISABLED);
}

static void a_tenant_has_so_many_and_no_more(struct kunit *test)
{
	struct object_test *o = test->priv;
	u32 i;

	for (i = 0; i < OBJECTS_MAX; i++) {
		o->k->grant.binding.version[0] = i;
		kv_test_seal(test, o->t, o->k);
		if (accept(o->t, o->k))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, OBJECTS_MAX);
	o->k->grant.binding.version[1] ^= 1;
	kv_test_seal(test, o->t, o->k);
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), -EDQUOT);
	o->k->grant.binding.version[1] ^= 1;	/* one that is there */
	kv_test_seal(test, o->t, o->k);
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), 0);
}

static void a_dead_tenant_gets_no_keys(struct kunit *test)
{
	struct object_test *o = test->priv;

	o->t->is_dead = true;
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), -ENOKEY);
	KUNIT_EXPECT_EQ(test, objects_of(o->t), 0);
}

/* --- revisions --- */

static void an_older_revision_is_stale(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj;

	o->k->grant.revision = 5;
	obj = accepted(test);
	o->k->grant.revision = 4;
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), -ESTALE);
	KUNIT_EXPECT_EQ(test, set_state(test, 4, KVAULT_OBJECT_DISABLED), -ESTALE);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_LIVE);
	/* what was pushed counts as heard of */
	KUNIT_EXPECT_EQ(test, set_state(test, 7, KVAULT_OBJECT_LIVE), 0);
	KUNIT_EXPECT_EQ(test, obj->revision, 7);
	KUNIT_EXPECT_EQ(test, obj->accepted, 5);
	o->k->grant.revision = 6;
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), -ESTALE);
	o->k->grant.revision = 7;
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), 0);
	KUNIT_EXPECT_EQ(test, obj->accepted, 7);
}

static void a_change_on_the_way_makes_stale(struct kunit *test)
{
	struct object_test *o = test->priv;
	u64 changes = atomic64_read(&o->t->changes);

	/* of any key of the tenant: the grant's may be among them */
	KUNIT_EXPECT_EQ(test, set_state(test, 1, KVAULT_OBJECT_DISABLED), 0);
	KV_EXPECT_ERR(test, kv_object_accept(o->t, &o->k->grant, NULL, 0, o->k->blob,
					     o->k->blob_len, changes), -ESTALE);
	KUNIT_EXPECT_EQ(test, objects_of(o->t), 0);
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), 0);
}

static void attributes_come_with_a_revision(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj = accepted(test);

	o->k->grant.binding.ops = KVAULT_OP_DECRYPT;
	o->k->grant.binding.nbf = 11;
	o->k->grant.binding.exp = 22;
	o->k->grant.binding.flags |= KVAULT_KEY_AUDIT_EACH;
	kv_test_seal(test, o->t, o->k);
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), 0);	/* the same revision: nothing new */
	KUNIT_EXPECT_EQ(test, obj->ops, ENC);
	o->k->grant.revision = 2;
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), 0);
	KUNIT_EXPECT_EQ(test, obj->ops, KVAULT_OP_DECRYPT);
	KUNIT_EXPECT_EQ(test, obj->nbf, 11);
	KUNIT_EXPECT_EQ(test, obj->exp, 22);
	KUNIT_EXPECT_EQ(test, obj->flags, KVAULT_KEY_ENABLED | KVAULT_KEY_AUDIT_EACH);
	KUNIT_EXPECT_EQ(test, objects_of(o->t), 1);
}

/* --- what a key may do, now --- */

static void a_key_does_what_it_is_for(struct kunit *test)
{
	static const struct {
		u64 nbf, exp;
		u32 op;
		int ret;
	} now[] = {
		{ 0, 0, KVAULT_OP_SIGN, -EACCES },
		{ 0, 0, KVAULT_OP_VOLUME, -EACCES },
		{ 0, KV_LONG_AGO, KVAULT_OP_SIGN, -EACCES },
		{ 0, KV_LONG_AGO, KVAULT_OP_ENCRYPT, -EKEYEXPIRED },
		{ KV_FAR_AWAY, 0, KVAULT_OP_ENCRYPT, -EKEYEXPIRED },
		{ KV_FAR_AWAY, KV_FAR_AWAY + 1, KVAULT_OP_ENCRYPT, -EKEYEXPIRED },
		/* what was protected before can still be opened */
		{ 0, KV_LONG_AGO, KVAULT_OP_DECRYPT, 0 },
		{ KV_FAR_AWAY, 0, KVAULT_OP_DECRYPT, 0 },
		{ KV_LONG_AGO, KV_FAR_AWAY, KVAULT_OP_ENCRYPT, 0 },
		{ KV_LONG_AGO, 0, KVAULT_OP_ENCRYPT, 0 },
		{ 0, 0, KVAULT_OP_ENCRYPT, 0 },
	};
	struct kv_object *obj = accepted(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(now); i++) {
		obj->nbf = now[i].nbf;
		obj->exp = now[i].exp;
		KUNIT_EXPECT_EQ_MSG(test, kv_object_check(obj, now[i].op), now[i].ret, "row %d", i);
	}
	KUNIT_EXPECT_EQ(test, set_state(test, 2, KVAULT_OBJECT_DISABLED), 0);
	KUNIT_EXPECT_EQ(test, kv_object_check(obj, KVAULT_OP_DECRYPT), -EKEYREVOKED);
	KUNIT_EXPECT_EQ(test, kv_object_check(obj, KVAULT_OP_SIGN), -EKEYREVOKED);
}

/* --- states --- */

static void a_state_that_is_none_is_refused(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj = accepted(test);
	u32 volumes = 7;

	KUNIT_EXPECT_EQ(test, set_state(test, 2, KVAULT_OBJECT_UNSPEC), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_state(test, 2, KVAULT_OBJECT_GONE + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, obj->revision, 1);
	/* of a key that is not here it is none of our business */
	KUNIT_EXPECT_EQ(test, kv_object_set_state(o->t, "no such key.....", NULL, 9,
						  KVAULT_OBJECT_GONE, &volumes), 0);
	KUNIT_EXPECT_EQ(test, volumes, 0);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_LIVE);
}

static void a_disabled_key_is_not_in_memory(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj = accepted(test);

	KUNIT_EXPECT_EQ(test, set_state(test, 2, KVAULT_OBJECT_DISABLED), 0);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_DISABLED);
	KUNIT_EXPECT_NULL(test, obj->material);
	KUNIT_EXPECT_EQ(test, obj->material_len, 0);
	KUNIT_EXPECT_FALSE(test, percpu_ref_tryget_live(&obj->inflight));
	KUNIT_EXPECT_EQ(test, objects_of(o->t), 1);	/* it keeps its place */
	/* to say that it is live brings nothing back: its next grant does */
	KUNIT_EXPECT_EQ(test, set_state(test, 3, KVAULT_OBJECT_LIVE), 0);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_DISABLED);
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), -ESTALE);
	o->k->grant.revision = 3;
	KUNIT_EXPECT_EQ(test, accept(o->t, o->k), 0);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_LIVE);
	KUNIT_EXPECT_MEMEQ(test, obj->material, o->k->material, 32);
	KUNIT_ASSERT_TRUE(test, percpu_ref_tryget_live(&obj->inflight));
	percpu_ref_put(&obj->inflight);
}

static void what_is_gone_does_not_come_back(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj = accepted(test), *found;

	KUNIT_EXPECT_EQ(test, set_state(test, 2, KVAULT_OBJECT_GONE), 0);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_GONE);
	KUNIT_EXPECT_NULL(test, obj->material);
	found = kv_object_find(o->t, o->k->grant.binding.object,
			       o->k->grant.binding.version);
	KUNIT_EXPECT_NULL(test, found);
	kv_object_put(found);
	KUNIT_EXPECT_EQ(test, kv_object_check(obj, KVAULT_OP_DECRYPT), -EKEYREVOKED);
	KUNIT_EXPECT_EQ(test, kv_object_attach(obj, &(struct kv_volume){}), -EKEYREVOKED);
}

static void one_version_or_all_of_a_key(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *v1 = accepted(test), *v2, *other;
	u32 volumes;

	o->k->grant.binding.version[0] ^= 1;
	kv_test_seal(test, o->t, o->k);
	v2 = accepted(test);
	other = kv_test_object(test, o->t, 256, ENC);
	KUNIT_EXPECT_EQ(test, kv_object_set_state(o->t, v2->key, v2->version, 2,
						  KVAULT_OBJECT_DISABLED, &volumes), 0);
	KUNIT_EXPECT_EQ(test, v1->state, KVAULT_OBJECT_LIVE);
	KUNIT_EXPECT_EQ(test, v2->state, KVAULT_OBJECT_DISABLED);
	KUNIT_EXPECT_EQ(test, kv_object_set_state(o->t, v2->key, NULL, 3,
						  KVAULT_OBJECT_GONE, &volumes), 0);
	KUNIT_EXPECT_EQ(test, v1->state, KVAULT_OBJECT_GONE);
	KUNIT_EXPECT_EQ(test, v2->state, KVAULT_OBJECT_GONE);
	KUNIT_EXPECT_EQ(test, other->state, KVAULT_OBJECT_LIVE);
}

static void no_other_tenants_key_is_meant(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_tenant *other = kv_test_tenant(test);
	struct kv_object *obj = accepted(test);
	u32 volumes;

	KUNIT_EXPECT_NULL(test, kv_object_find(other, obj->key, obj->version));
	KUNIT_EXPECT_EQ(test, kv_object_set_state(other, obj->key, NULL, 9, KVAULT_OBJECT_GONE,
						  &volumes), 0);
	KUNIT_EXPECT_EQ(test, obj->state, KVAULT_OBJECT_LIVE);
	KUNIT_EXPECT_EQ(test, obj->revision, 1);
	KUNIT_EXPECT_EQ(test, objects_of(o->t), 1);
}

/* --- what uses a key --- */

static int stopped;

static void stop(struct kv_volume *v)
{
	stopped++;
}

static void volumes_are_stopped_once(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *obj = accepted(test);
	struct kv_volume a = { .stop = stop }, b = { .stop = stop };
	u32 volumes;

	stopped = 0;
	kv_object_detach(&a);	/* was not attached: nothing */
	KUNIT_ASSERT_EQ(test, kv_object_attach(obj, &a), 0);
	KUNIT_ASSERT_EQ(test, kv_object_attach(obj, &b), 0);
	KUNIT_EXPECT_EQ(test, kv_object_set_state(o->t, obj->key, NULL, 1, KVAULT_OBJECT_LIVE,
						  &volumes), 0);
	KUNIT_EXPECT_EQ(test, stopped, 0);
	KUNIT_EXPECT_EQ(test, kv_object_set_state(o->t, obj->key, NULL, 2,
						  KVAULT_OBJECT_DISABLED, &volumes), 0);
	KUNIT_EXPECT_EQ(test, volumes, 2);
	KUNIT_EXPECT_EQ(test, stopped, 2);
	KUNIT_EXPECT_TRUE(test, a.is_stopped);
	KUNIT_EXPECT_EQ(test, kv_object_set_state(o->t, obj->key, NULL, 3, KVAULT_OBJECT_GONE,
						  &volumes), 0);
	KUNIT_EXPECT_EQ(test, volumes, 0);
	KUNIT_EXPECT_EQ(test, stopped, 2);
	kv_object_detach(&a);
	kv_object_detach(&b);
	kv_object_detach(&b);
	KUNIT_EXPECT_NULL(test, b.object);
}

struct disabling {
	struct kunit *test;
	struct completion begun;
	struct completion ended;
	int ret;
};

/* Whether a thread is still on its way after a time in which it could have ended. */
static bool is_waiting(struct completion *ended)
{
	msleep(100);
	return !completion_done(ended);
}

static int disable(void *ctx)
{
	struct disabling *d = ctx;

	complete(&d->begun);
	d->ret = set_state(d->test, 2, KVAULT_OBJECT_DISABLED);
	kthread_complete_and_exit(&d->ended, 0);
}

/* The material is there for as long as an operation is under way. */
static void a_key_waits_for_what_is_under_way(struct kunit *test)
{
	struct kv_object *obj = accepted(test);
	struct disabling d = { .test = test };

	init_completion(&d.begun);
	init_completion(&d.ended);
	KUNIT_ASSERT_TRUE(test, percpu_ref_tryget_live(&obj->inflight));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(disable, &d, "kvault-test"));
	wait_for_completion(&d.begun);
	KUNIT_EXPECT_TRUE(test, is_waiting(&d.ended));
	KUNIT_EXPECT_NOT_NULL(test, obj->material);
	KUNIT_EXPECT_EQ(test, kv_object_check(obj, KVAULT_OP_ENCRYPT), -EKEYREVOKED);
	KUNIT_EXPECT_FALSE(test, percpu_ref_tryget_live(&obj->inflight));
	percpu_ref_put(&obj->inflight);
	wait_for_completion(&d.ended);
	KUNIT_EXPECT_EQ(test, d.ret, 0);
	KUNIT_EXPECT_NULL(test, obj->material);
}

struct walk {
	struct kunit *test;
	struct kv_object *obj;
	struct completion ended;
	int ret;
};

static int walk(void *ctx)
{
	struct walk *w = ctx;

	w->ret = set_state(w->test, 2, KVAULT_OBJECT_DISABLED);
	kthread_complete_and_exit(&w->ended, 0);
}

static void wait_for_references(struct kv_object *obj, unsigned int n)
{
	int i;

	for (i = 0; refcount_read(&obj->refs) < n && i < 100; i++)
		msleep(20);
}

/* While a change waits for one version, that one leaves the list: a bad first grant. */
static void a_change_reaches_all_versions(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *v1 = accepted(test), *v2;
	struct walk w = { .test = test };

	o->k->grant.binding.version[0] ^= 1;
	kv_test_seal(test, o->t, o->k);
	v2 = accepted(test);
	init_completion(&w.ended);
	mutex_lock(&v1->state_lock);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(walk, &w, "kvault-test"));
	wait_for_references(v1, 3);
	v1->state = KVAULT_OBJECT_GONE;
	v1->was_accepted = false;
	v1->revision = 0;
	unlink_object(v1);
	mutex_unlock(&v1->state_lock);
	wait_for_completion(&w.ended);
	KUNIT_EXPECT_EQ(test, w.ret, 0);
	KUNIT_EXPECT_EQ(test, v1->state, KVAULT_OBJECT_GONE);
	KUNIT_EXPECT_EQ(test, v2->state, KVAULT_OBJECT_DISABLED);
}

static int wipe(void *ctx)
{
	struct walk *w = ctx;
	struct object_test *o = w->test->priv;

	kv_object_wipe_all(o->t);
	kthread_complete_and_exit(&w->ended, 0);
}

/* As one does who found the object before it left the list. */
static int purge(void *ctx)
{
	struct walk *w = ctx;
	u32 volumes;

	w->ret = change_state(w->obj, 2, KVAULT_OBJECT_GONE, jiffies, &volumes);
	unlink_object(w->obj);
	kthread_complete_and_exit(&w->ended, 0);
}

/*
 * A tenant ends while its key is purged. Both wait for what is under way, the
 * one of two keys after the other, and neither takes from the other's list.
 */
static void the_end_of_a_tenant_meets_a_purge(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *a = accepted(test), *b;
	struct walk end = { .test = test }, p = { .test = test };

	o->k->grant.binding.version[0] ^= 1;
	kv_test_seal(test, o->t, o->k);
	b = accepted(test);
	p.obj = b;
	init_completion(&end.ended);
	init_completion(&p.ended);
	KUNIT_ASSERT_TRUE(test, percpu_ref_tryget_live(&a->inflight));
	KUNIT_ASSERT_TRUE(test, percpu_ref_tryget_live(&b->inflight));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(wipe, &end, "kvault-test"));
	KUNIT_EXPECT_TRUE(test, is_waiting(&end.ended));
	KUNIT_EXPECT_EQ(test, b->state, KVAULT_OBJECT_GONE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(purge, &p, "kvault-test"));
	KUNIT_EXPECT_TRUE(test, is_waiting(&p.ended));
	KUNIT_EXPECT_NOT_NULL(test, b->material);
	unlink_object(b);
	KUNIT_EXPECT_EQ(test, refcount_read(&b->refs), 2);
	percpu_ref_put(&b->inflight);
	wait_for_completion(&p.ended);
	KUNIT_EXPECT_EQ(test, p.ret, 0);
	KUNIT_EXPECT_NULL(test, b->material);
	percpu_ref_put(&a->inflight);
	wait_for_completion(&end.ended);
	KUNIT_EXPECT_NULL(test, a->material);
	KUNIT_EXPECT_EQ(test, refcount_read(&a->refs), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&b->refs), 1);
}

static void the_end_of_a_tenant_ends_its_keys(struct kunit *test)
{
	struct object_test *o = test->priv;
	struct kv_object *a = accepted(test), *b = kv_test_object(test, o->t, 128, ENC);
	struct kv_volume v = { .stop = stop };

	stopped = 0;
	KUNIT_ASSERT_EQ(test, kv_object_attach(b, &v), 0);
	kv_object_wipe_all(o->t);
	KUNIT_EXPECT_EQ(test, a->state, KVAULT_OBJECT_GONE);
	KUNIT_EXPECT_EQ(test, b->state, KVAULT_OBJECT_GONE);
	KUNIT_EXPECT_NULL(test, a->material);
	KUNIT_EXPECT_NULL(test, b->material);
	KUNIT_EXPECT_EQ(test, stopped, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&o->t->objects));
	kv_object_detach(&v);
	kv_object_wipe_all(o->t);
	KUNIT_EXPECT_EQ(test, stopped, 1);
}

static void who_lives_in_engines(struct kunit *test)
{
	struct kv_object *obj = accepted(test);

	KUNIT_EXPECT_FALSE(test, kv_object_is_engine(obj));
	obj->flags |= KVAULT_KEY_HSM;
	KUNIT_EXPECT_TRUE(test, kv_object_is_engine(obj));
	obj->flags = KVAULT_KEY_ENABLED;
	obj->kty = KVAULT_KTY_EC;
	KUNIT_EXPECT_TRUE(test, kv_object_is_engine(obj));
	obj->kty = KVAULT_KTY_RSA;
	KUNIT_EXPECT_TRUE(test, kv_object_is_engine(obj));
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(a_grant_that_is_nonsense_is_refused),
	KUNIT_CASE(a_version_is_one_key),
	KUNIT_CASE(a_bad_grant_takes_nothing_from_a_good_one),
	KUNIT_CASE(a_tenant_has_so_many_and_no_more),
	KUNIT_CASE(a_dead_tenant_gets_no_keys),
	KUNIT_CASE(an_older_revision_is_stale),
	KUNIT_CASE(a_change_on_the_way_makes_stale),
	KUNIT_CASE(attributes_come_with_a_revision),
	KUNIT_CASE(a_key_does_what_it_is_for),
	KUNIT_CASE(a_state_that_is_none_is_refused),
	KUNIT_CASE(a_disabled_key_is_not_in_memory),
	KUNIT_CASE(what_is_gone_does_not_come_back),
	KUNIT_CASE(one_version_or_all_of_a_key),
	KUNIT_CASE(no_other_tenants_key_is_meant),
	KUNIT_CASE(volumes_are_stopped_once),
	KUNIT_CASE(a_key_waits_for_what_is_under_way),
	KUNIT_CASE(a_change_reaches_all_versions),
	KUNIT_CASE(the_end_of_a_tenant_meets_a_purge),
	KUNIT_CASE(the_end_of_a_tenant_ends_its_keys),
	KUNIT_CASE(who_lives_in_engines),
	{}
};

static struct kunit_suite object_suite = {
	.name = "kvault_object",
	.init = object_init,
	.test_cases = object_cases,
};

kunit_test_suite(object_suite);
