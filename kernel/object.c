// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key objects: the material of one version of a key, once per tenant, however
 * many handles, keyrings and volumes use it.
 *
 *   (daemon's grant) -> LIVE <--> DISABLED
 *                         `---------`---> GONE, never back
 *
 * Only kv_object_set_state() changes the state, and only to a revision that
 * is not lower than the one before. Leaving LIVE it stops volumes, takes the
 * key out of the engines, and waits for operations under way before it frees
 * the material: they hold the object's in-flight count.
 *
 * An object that is disabled keeps its place, so that "disabled" is an answer
 * that needs no daemon; its material is gone and comes back with the next
 * grant.
 *
 * Locks: kv_objects_lock (mutex) protects all tenants' lists and the table; no
 * lock of an object nests inside it: an object is found and referenced first.
 * Then object->state_lock -> object->lock. Whoever unlinks an object drops the
 * list's reference; who finds it unlinked already leaves that to him who did.
 */
#include <crypto/algapi.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "crypto.h"
#include "grant.h"
#include "live.h"
#include "object.h"
#include "seal.h"
#include "tenant.h"
#include "upcall.h"
#include "visible.h"

static DEFINE_MUTEX(kv_objects_lock);
static DEFINE_IDA(kv_slots);
static u64 kv_objects_seq;	/* of the object that was listed last (kv_objects_lock) */

/* What the table goes by: a key of a tenant; all versions of it are one list. */
struct kv_object_id {
	struct kv_tenant *tenant;
	u8 key[KVAULT_ID_SIZE];
};

static_assert(offsetof(struct kv_object, key) - offsetof(struct kv_object, tenant) ==
	      offsetof(struct kv_object_id, key));

static struct rhltable kv_objects;
static const struct rhashtable_params kv_objects_params = {
	.key_len = sizeof(struct kv_object_id),
	.key_offset = offsetof(struct kv_object, tenant),
	.head_offset = offsetof(struct kv_object, node),
	.automatic_shrinking = true,
};

/**
 * kv_object_is_engine() - does the key live in engines?
 * @obj: key version
 *
 * Return: true for RSA, EC, and whatever is in an HSM.
 */
bool kv_object_is_engine(const struct kv_object *obj)
{
	return obj->kty != KVAULT_KTY_OCT || obj->flags & KVAULT_KEY_HSM;
}

static void free_material(struct kv_object *obj)
{
	kv_ciphers_free(obj->ciphers);
	obj->ciphers = NULL;
	kfree_sensitive(obj->material);
	obj->material = NULL;
	obj->material_len = 0;
	kfree(obj->sealed);
	obj->sealed = NULL;
}

/**
 * kv_object_get() - take a reference
 * @obj: key version
 *
 * Return: @obj.
 */
struct kv_object *kv_object_get(struct kv_object *obj)
{
	refcount_inc(&obj->refs);
	return obj;
}

/**
 * kv_object_put() - drop a reference
 * @obj: key version, or NULL or an error pointer
 */
void kv_object_put(struct kv_object *obj)
{
	if (IS_ERR_OR_NULL(obj) || !refcount_dec_and_test(&obj->refs))
		return;
	free_material(obj);
	percpu_ref_exit(&obj->inflight);
	kfree(obj->public);
	ida_free(&kv_slots, obj->slot);
	kv_tenant_uncharge(obj->tenant, KV_CHARGE_OBJECT);
	kv_tenant_put(obj->tenant);
	kv_live_dec(KV_LIVE_OBJECT);
	kfree(obj);
}

static void inflight_zero(struct percpu_ref *ref)
{
	complete_all(&container_of(ref, struct kv_object, inflight)->quiet);
}

static struct kv_object *object_new(struct kv_tenant *t, const struct kvault_binding *b)
{
	struct kv_object *obj;
	int slot, ret;

	ret = kv_tenant_charge(t, KV_CHARGE_OBJECT);
	if (ret)
		return ERR_PTR(ret);
	slot = ida_alloc_min(&kv_slots, 1, GFP_KERNEL);
	ret = slot;
	if (slot < 0)
		goto out_uncharge;
	ret = -ENOMEM;
	obj = kzalloc(sizeof(*obj), GFP_KERNEL_ACCOUNT);
	if (!obj)
		goto out_slot;
	ret = percpu_ref_init(&obj->inflight, inflight_zero, PERCPU_REF_ALLOW_REINIT, GFP_KERNEL);
	if (ret)
		goto out_free;
	kv_live_inc(KV_LIVE_OBJECT);
	init_completion(&obj->quiet);
	refcount_set(&obj->refs, 1);
	mutex_init(&obj->state_lock);
	mutex_init(&obj->lock);
	INIT_LIST_HEAD(&obj->link);
	INIT_LIST_HEAD(&obj->volumes);
	INIT_LIST_HEAD(&obj->grants);
	obj->tenant = kv_tenant_get(t);
	obj->slot = slot;
	memcpy(obj->key, b->object, sizeof(obj->key));
	memcpy(obj->version, b->version, sizeof(obj->version));
	obj->kty = b->kty;
	obj->bits = b->bits;
	obj->curve = b->curve;
	obj->flags = b->flags;
	return obj;

out_free:
	kfree(obj);
out_slot:
	ida_free(&kv_slots, slot);
out_uncharge:
	kv_tenant_uncharge(t, KV_CHARGE_OBJECT);
	return ERR_PTR(ret);
}

/* The oldest object of a key that was listed after @seq; one version, or any. */
static struct kv_object *find_locked(struct kv_tenant *t, const u8 *key, const u8 *version, u64 seq)
{
	struct kv_object_id id = { .tenant = t };
	struct kv_object *obj, *found = NULL;
	struct rhlist_head *list, *node;

	lockdep_assert_held(&kv_objects_lock);
	memcpy(id.key, key, sizeof(id.key));
	rcu_read_lock();	/* for the table, which may be growing */
	list = rhltable_lookup(&kv_objects, &id, kv_objects_params);
	rhl_for_each_entry_rcu(obj, node, list, node)
		if (obj->seq > seq && (!found || obj->seq < found->seq) &&
		    (!version || !memcmp(obj->version, version, KVAULT_ID_SIZE)))
			found = obj;
	rcu_read_unlock();
	return found;
}

static struct kv_object *find(struct kv_tenant *t, const u8 *key, const u8 *version, u64 seq)
{
	struct kv_object *obj;

	mutex_lock(&kv_objects_lock);
	obj = find_locked(t, key, version, seq);
	if (obj)
		kv_object_get(obj);
	mutex_unlock(&kv_objects_lock);
	return obj;
}

/**
 * kv_object_find() - a key version that the kernel holds
 * @t: tenant
 * @key: id of the key
 * @version: id of the version
 *
 * Return: it with a reference, or NULL.
 */
struct kv_object *kv_object_find(struct kv_tenant *t, const u8 *key, const u8 *version)
{
	return find(t, key, version, 0);
}

/* The list's reference is the one that @obj was made with. */
static int link_locked(struct kv_tenant *t, struct kv_object *obj)
{
	lockdep_assert_held(&kv_objects_lock);
	/* -EBUSY and -E2BIG are words of the table's: it cannot grow now */
	if (rhltable_insert(&kv_objects, &obj->node, kv_objects_params))
		return -ENOMEM;
	obj->seq = ++kv_objects_seq;
	list_add_tail(&obj->link, &t->objects);
	return 0;
}

/* Whether it was linked: then its reference is the caller's now. */
static bool unlink_locked(struct kv_object *obj)
{
	lockdep_assert_held(&kv_objects_lock);
	if (list_empty(&obj->link))
		return false;
	rhltable_remove(&kv_objects, &obj->node, kv_objects_params);
	list_del_init(&obj->link);
	return true;
}

static struct kv_object *find_or_new(struct kv_tenant *t, const struct kvault_binding *b)
{
	struct kv_object *obj;
	int ret;

	mutex_lock(&kv_objects_lock);
	obj = find_locked(t, b->object, b->version, 0);
	if (!obj && !kv_tenant_is_dead(t)) {
		obj = object_new(t, b);
		ret = IS_ERR(obj) ? 0 : link_locked(t, obj);
		if (ret) {
			kv_object_put(obj);
			obj = ERR_PTR(ret);
		}
	}
	if (!IS_ERR_OR_NULL(obj))
		kv_object_get(obj);
	mutex_unlock(&kv_objects_lock);
	return obj ?: ERR_PTR(-ENOKEY);
}

/* Drops the tenant's list's reference; the object ends with the last user's. */
KV_STATIC void unlink_object(struct kv_object *obj)
{
	bool was_linked;

	mutex_lock(&kv_objects_lock);
	was_linked = unlink_locked(obj);
	mutex_unlock(&kv_objects_lock);
	if (was_linked)
		kv_object_put(obj);
}

static bool is_weak_xts(const u8 *material, u32 len)
{
	return !crypto_memneq(material, material + len / 2, len / 2);
}

/* The key in the clear, for one that works here. */
static int load_symmetric(struct kv_object *obj, const struct kvault_binding *b,
			  const void *blob, u32 blob_len)
{
	u32 len = b->bits / 8, got = len;
	u8 *material;
	int ret;

	if (b->bits % 8 || !len || len > 64)
		return -EINVAL;
	material = kzalloc(len, GFP_KERNEL_ACCOUNT);
	if (!material)
		return -ENOMEM;
	ret = kv_unseal(obj->tenant, b, blob, blob_len, material, &got);
	if (!ret && (got != len || (obj->material && crypto_memneq(obj->material, material, len))))
		ret = -EBADMSG;
	if (!ret && b->ops & KVAULT_OP_VOLUME && is_weak_xts(material, len))
		ret = -EKEYREJECTED;
	if (!ret && !obj->material) {
		obj->material = material;
		obj->material_len = len;
		return 0;
	}
	kfree_sensitive(material);
	return ret;
}

/* The blob, for an engine. It is opened here too: its attributes must be true. */
static int load_engine(struct kv_object *obj, const struct kvault_binding *b,
		       const void *blob, u32 blob_len)
{
	u32 len = KVAULT_MATERIAL_MAX;
	struct kv_sealed *s;
	u8 *material;
	int ret;

	if (blob_len > KVAULT_MATERIAL_MAX + KVAULT_BLOB_OVERHEAD)
		return -EINVAL;
	material = kzalloc(len, GFP_KERNEL_ACCOUNT);
	s = kmalloc(struct_size(s, blob, blob_len), GFP_KERNEL_ACCOUNT);
	ret = material && s ? kv_unseal(obj->tenant, b, blob, blob_len, material, &len) : -ENOMEM;
	kfree_sensitive(material);
	if (ret) {
		kfree(s);
		return ret;
	}
	s->binding = *b;
	s->len = blob_len;
	memcpy(s->blob, blob, blob_len);
	kfree(obj->sealed);
	obj->sealed = s;
	return 0;
}

static void resume(struct kv_object *obj)
{
	obj->state = KVAULT_OBJECT_LIVE;
	if (percpu_ref_is_dying(&obj->inflight))
		percpu_ref_reinit(&obj->inflight);
}

/* So that a bad first grant leaves nothing behind that a good one must fit. */
static bool is_empty(const struct kv_object *obj)
{
	return !obj->was_accepted && !obj->revision;
}

static int accept_locked(struct kv_object *obj, const struct kvault_grant *g, u64 changes,
			 const void *public, u32 public_len, const void *blob, u32 blob_len)
{
	const struct kvault_binding *b = &g->binding;
	u8 *jwk = NULL;
	int ret;

	lockdep_assert_held(&obj->lock);
	if (obj->kty != b->kty || obj->bits != b->bits || obj->curve != b->curve ||
	    (obj->flags ^ b->flags) & KVAULT_KEY_HSM)
		return -EINVAL;
	if (obj->state == KVAULT_OBJECT_GONE)
		return is_empty(obj) ? -ESTALE : -EKEYREVOKED;
	/*
	 * A change that was pushed while the grant was on its way has not seen
	 * this object, if it is new; from here on it does.
	 */
	if (g->revision < obj->revision || changes != atomic64_read(&obj->tenant->changes))
		return -ESTALE;
	if (obj->state == KVAULT_OBJECT_LIVE && g->revision == obj->accepted &&
	    (obj->material || obj->sealed))
		return 0;
	if (!(b->flags & KVAULT_KEY_ENABLED))
		return -EKEYREVOKED;
	if (public_len && !obj->public) {
		jwk = kmemdup(public, public_len, GFP_KERNEL_ACCOUNT);
		if (!jwk)
			return -ENOMEM;
	}
	if (kv_object_is_engine(obj))
		ret = load_engine(obj, b, blob, blob_len);
	else
		ret = load_symmetric(obj, b, blob, blob_len);
	if (ret) {
		kfree(jwk);
		return ret;
	}
	/* only now: until the blob has opened, these are words of the daemon */
	obj->ops = b->ops;
	obj->flags = b->flags;
	obj->nbf = b->nbf;
	obj->exp = b->exp;
	if (jwk) {
		obj->public = jwk;
		obj->public_len = public_len;
	}
	obj->revision = g->revision;
	obj->accepted = g->revision;
	obj->was_accepted = true;
	resume(obj);
	return 0;
}

/**
 * kv_object_accept() - take what the daemon says a key version is
 * @t: tenant whose it must be
 * @g: the daemon's grant; hostile
 * @public: public JWK
 * @public_len: bytes of it
 * @blob: the material, sealed
 * @blob_len: bytes of it
 * @changes: tenant's count of changes when the daemon was asked
 *
 * Return: the key version with a reference; -EINVAL, -EPERM for one that is
 * not the tenant's, -EBADMSG for a blob that does not check, -ESTALE for a
 * revision that is lower than one seen before, -EKEYREVOKED, -EDQUOT, -ENOMEM.
 */
struct kv_object *kv_object_accept(struct kv_tenant *t, const struct kvault_grant *g,
				   const void *public, u32 public_len,
				   const void *blob, u32 blob_len, u64 changes)
{
	struct kv_object *obj;
	bool unused;
	int ret;

	if (g->size != sizeof(*g) || public_len > KVAULT_PUBLIC_MAX || g->ops & ~KVAULT_OP_ALL)
		return ERR_PTR(-EINVAL);
	ret = kv_binding_check(t, &g->binding);
	if (!ret && g->binding.type != KVAULT_TYPE_KEY)
		ret = -EINVAL;
	if (ret)
		return ERR_PTR(ret);
	obj = find_or_new(t, &g->binding);
	if (IS_ERR(obj))
		return obj;
	mutex_lock(&obj->state_lock);
	mutex_lock(&obj->lock);
	ret = accept_locked(obj, g, changes, public, public_len, blob, blob_len);
	unused = ret && is_empty(obj);
	if (unused)	/* whoever found it meanwhile looks again */
		obj->state = KVAULT_OBJECT_GONE;
	mutex_unlock(&obj->lock);
	mutex_unlock(&obj->state_lock);
	if (ret) {
		if (unused)
			unlink_object(obj);
		kv_object_put(obj);
		return ERR_PTR(ret);
	}
	return obj;
}

/**
 * kv_object_refuses() - why may this key not do that, now?
 * @obj: key version
 * @rights: KVAULT_OP_*
 *
 * Outside nbf..exp a key does not protect anything new; what it protected
 * before can still be opened (spec.md 2.4).
 *
 * Return: 0 if it may; -EKEYREVOKED, -EKEYEXPIRED, -EACCES.
 */
int kv_object_refuses(const struct kv_object *obj, u32 rights)
{
	const u32 timed = KVAULT_OP_ENCRYPT | KVAULT_OP_WRAP | KVAULT_OP_SIGN | KVAULT_OP_VOLUME;
	u64 now;

	if (READ_ONCE(obj->state) != KVAULT_OBJECT_LIVE)
		return -EKEYREVOKED;
	if (rights & ~READ_ONCE(obj->ops))
		return -EACCES;
	if (!(rights & timed))
		return 0;
	now = ktime_get_real_seconds();
#ifdef KVAULT_MUTANT_NO_EXPIRY_CHECK
	return 0;
#endif
	if (now < READ_ONCE(obj->nbf) || (READ_ONCE(obj->exp) && now >= READ_ONCE(obj->exp)))
		return -EKEYEXPIRED;
	return 0;
}

static u32 stop_volumes(struct kv_object *obj)
{
	struct kv_volume *v;
	u32 n = 0;

	lockdep_assert_held(&obj->lock);
	list_for_each_entry(v, &obj->volumes, link) {
		if (v->is_stopped)
			continue;
		v->is_stopped = true;
		v->stop(v);
		n++;
	}
	return n;
}

/* Nothing begins any more; what is under way completes @quiet. */
static u32 stop(struct kv_object *obj, u32 state)
{
	u32 n;

	lockdep_assert_held(&obj->state_lock);
	lockdep_assert_held(&obj->lock);
	WRITE_ONCE(obj->state, state);
	n = stop_volumes(obj);
	if (!percpu_ref_is_dying(&obj->inflight)) {
		reinit_completion(&obj->quiet);
		percpu_ref_kill(&obj->inflight);
	}
	return n;
}

/* Somebody has stopped it. Who is in flight may need the lock to make a transform. */
static void wipe_stopped(struct kv_object *obj)
{
	wait_for_completion(&obj->quiet);
	mutex_lock(&obj->lock);
	free_material(obj);
	mutex_unlock(&obj->lock);
}

KV_STATIC int change_state(struct kv_object *obj, u64 revision, u32 state, unsigned long until,
			   u32 *ret_volumes)
{
	bool was_engine;
	int ret = 0;

#ifdef KVAULT_MUTANT_LOCK_ORDER
	mutex_lock(&obj->lock);
	mutex_lock(&obj->state_lock);
	mutex_unlock(&obj->lock);
#else
	mutex_lock(&obj->state_lock);
#endif
	mutex_lock(&obj->lock);
	if (obj->state == KVAULT_OBJECT_GONE && is_empty(obj))
		goto out_unlock;	/* its first grant was bad; it is leaving the list */
	if (revision < obj->revision || (obj->state == KVAULT_OBJECT_GONE &&
					 state != KVAULT_OBJECT_GONE)) {
		ret = -ESTALE;
		goto out_unlock;
	}
	obj->revision = revision;
#ifdef KVAULT_MUTANT_NO_SUSPEND
	state = KVAULT_OBJECT_LIVE;
#endif
	if (state == KVAULT_OBJECT_LIVE) {
		/* attributes changed: the next grant brings them */
		if (revision != obj->accepted)
			kv_grant_expire_all(obj);
		goto out_unlock;
	}
	was_engine = obj->sealed;
#ifdef KVAULT_MUTANT_NO_QUIET
	if (percpu_ref_is_dying(&obj->inflight))
		complete_all(&obj->quiet);
#endif
	*ret_volumes += stop(obj, state);
	obj->accepted = revision;
	mutex_unlock(&obj->lock);
	wipe_stopped(obj);
	if (was_engine)
		kv_engine_forget(obj, until);
	mutex_unlock(&obj->state_lock);
	return 0;

out_unlock:
	mutex_unlock(&obj->lock);
	mutex_unlock(&obj->state_lock);
	return ret;
}

/**
 * kv_object_set_state() - the daemon says what became of a key
 * @t: tenant
 * @key: id of the key
 * @version: id of one version, or NULL for all that the kernel holds
 * @revision: of the change
 * @state: enum kvault_object_state
 * @ret_volumes: out: standing grants that were stopped
 *
 * Sleeps until nothing uses the key any more: operations under way, which are
 * short, and engines, for KV_FORGET_MS in all.
 *
 * Return: 0, also when the kernel holds none; -ESTALE, -EINVAL.
 */
int kv_object_set_state(struct kv_tenant *t, const u8 *key, const u8 *version,
			u64 revision, u32 state, u32 *ret_volumes)
{
	unsigned long until = jiffies + msecs_to_jiffies(KV_FORGET_MS);
	struct kv_object *obj;
	int ret = 0, r;
	u64 seq = 0;

	*ret_volumes = 0;
	if (state == KVAULT_OBJECT_UNSPEC || state > KVAULT_OBJECT_GONE)
		return -EINVAL;
	atomic64_inc(&t->changes);	/* before the walk: see accept_locked() */
	while ((obj = find(t, key, version, seq))) {
		seq = obj->seq;
		r = change_state(obj, revision, state, until, ret_volumes);
#ifdef KVAULT_MUTANT_WALK_BY_PLACE
		if (list_empty(&obj->link))
			seq = U64_MAX;
#endif
		ret = ret ?: r;
		if (!r && state == KVAULT_OBJECT_GONE) {
			kv_grant_drop_all(obj);
			unlink_object(obj);
		}
		kv_object_put(obj);
	}
	return ret;
}

static struct kv_object *take_first(struct kv_tenant *t)
{
	struct kv_object *obj;

	mutex_lock(&kv_objects_lock);
	obj = list_first_entry_or_null(&t->objects, struct kv_object, link);
	if (obj)
		unlink_locked(obj);
	mutex_unlock(&kv_objects_lock);
	return obj;
}

/* Does not wait for what is under way. */
static void condemn(struct kv_object *obj)
{
	mutex_lock(&obj->state_lock);
	mutex_lock(&obj->lock);
	stop(obj, KVAULT_OBJECT_GONE);
	mutex_unlock(&obj->lock);
	mutex_unlock(&obj->state_lock);
}

static void bury(struct kv_object *obj)
{
	wipe_stopped(obj);
	kv_grant_drop_all(obj);
	kv_object_put(obj);
}

/**
 * kv_object_wipe_all() - the tenant has ended: so do its keys
 * @t: tenant, dead
 *
 * All keys are stopped before one is waited for, so that it takes one grace
 * period and not one for each. Its engines serve nobody else and are killed;
 * what waits for one may hold a key in the clear, and ends.
 */
void kv_object_wipe_all(struct kv_tenant *t)
{
	struct kv_object *obj;
	LIST_HEAD(condemned);

	kv_engine_kill_all(t);
#ifndef KVAULT_MUTANT_REQUESTS_OF_THE_DEAD
	kv_upcall_fail_tenant(t);
#endif
	while ((obj = take_first(t))) {
		condemn(obj);
		list_add_tail(&obj->condemned, &condemned);
	}
	while ((obj = list_first_entry_or_null(&condemned, struct kv_object, condemned))) {
		list_del(&obj->condemned);
		bury(obj);
	}
}

/**
 * kv_object_attach() - a standing grant begins
 * @obj: key version
 * @v: user of it, with @v->stop set; takes a reference
 *
 * Return: 0; -EKEYREVOKED.
 */
int kv_object_attach(struct kv_object *obj, struct kv_volume *v)
{
	int ret = 0;

	mutex_lock(&obj->lock);
	if (obj->state == KVAULT_OBJECT_LIVE && obj->material) {
		v->object = kv_object_get(obj);
		v->is_stopped = false;
		list_add_tail(&v->link, &obj->volumes);
	} else {
		ret = -EKEYREVOKED;
	}
	mutex_unlock(&obj->lock);
	return ret;
}

/**
 * kv_object_detach() - a standing grant ends
 * @v: user; nothing happens if it is not attached
 */
void kv_object_detach(struct kv_volume *v)
{
	struct kv_object *obj = v->object;

	if (!obj)
		return;
	mutex_lock(&obj->lock);
	list_del_init(&v->link);
	v->object = NULL;
	mutex_unlock(&obj->lock);
	kv_object_put(obj);
}

/**
 * kv_object_init() - make the table of objects
 *
 * Return: 0; -ENOMEM.
 */
int __init kv_object_init(void)
{
	return rhltable_init(&kv_objects, &kv_objects_params);
}

/**
 * kv_object_exit() - free the table, and what remains of the slots
 */
void kv_object_exit(void)
{
	rhltable_destroy(&kv_objects);
	ida_destroy(&kv_slots);
}
