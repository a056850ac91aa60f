// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owners: who answers for tenants. The host is its own. An ephemeral tenant is
 * its namespace's owner's, whose uid in the initial user namespace nobody has
 * without being let, while a thousand namespaces are to be had for nothing. So
 * what many tenants could take together is theirs as one.
 *
 * An owner exists while it has tenants.
 */
#include <linux/slab.h>
#include "owner.h"
#include "queue.h"

#define KV_OWNER_REQUESTS_MAX	256	/* of all its tenants */

static LIST_HEAD(kv_owners);

static struct kv_owner *owner_new(u32 uid, bool is_host)
{
	struct kv_owner *o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	int i, k;

	if (!o)
		return NULL;
	o->refs = 1;
	o->uid = uid;
	o->is_host = is_host;
	for (i = 0; i < KV_QUEUES; i++) {
		struct kv_turn *turn = &o->queue[i].turn;

#ifndef KVAULT_MUTANT_HOST_AS_OTHERS
		kv_turn_init(turn, is_host ? &kv_queues[i].host : &kv_queues[i].guests);
#else
		kv_turn_init(turn, &kv_queues[i].guests);
#endif
		for (k = 0; k < KV_URGENCIES; k++)
			kv_turn_init(&o->queue[i].kind[k], turn);
		/* of both, what is urgent begins */
		o->queue[i].kind[KV_ASKED].last = ++turn->turns;
	}
	return o;
}

static struct kv_owner *find(u32 uid, bool is_host)
{
	struct kv_owner *o;

	lockdep_assert_held(&kv_upcall_lock);
#ifndef KVAULT_MUTANT_OWNER_EACH
	list_for_each_entry(o, &kv_owners, link)
		if (o->uid == uid && o->is_host == is_host)
			return o;
#endif
	return NULL;
}

/**
 * kv_owner_get() - one more tenant
 * @uid: of its owner
 * @is_host: the tenant is the host
 *
 * Return: the owner with a reference; NULL without memory.
 */
struct kv_owner *kv_owner_get(u32 uid, bool is_host)
{
	struct kv_owner *spare = owner_new(uid, is_host), *o;

	if (!spare)
		return NULL;
	spin_lock(&kv_upcall_lock);
	o = find(uid, is_host);
	if (o) {
		o->refs++;
	} else {
		o = spare;
		spare = NULL;
		list_add(&o->link, &kv_owners);
	}
	spin_unlock(&kv_upcall_lock);
	kfree(spare);
	return o;
}

/**
 * kv_owner_put() - a tenant is freed
 * @o: its owner
 */
void kv_owner_put(struct kv_owner *o)
{
	bool is_last;

	spin_lock(&kv_upcall_lock);
	is_last = !--o->refs;
	if (is_last)
		list_del(&o->link);
	spin_unlock(&kv_upcall_lock);
	if (is_last)
		kfree(o);
}

/**
 * kv_owner_charge() - one more request; with kv_upcall_lock
 * @o: owner
 *
 * The host has bounds of its own, by uid: what it takes is nobody else's.
 *
 * Return: 0 or -EDQUOT.
 */
int kv_owner_charge(struct kv_owner *o)
{
	lockdep_assert_held(&kv_upcall_lock);
#ifndef KVAULT_MUTANT_OWNER_HOG
	if (!o->is_host && o->requests >= KV_OWNER_REQUESTS_MAX)
		return -EDQUOT;
#endif
	o->requests++;
	return 0;
}

/**
 * kv_owner_uncharge() - one request less; with kv_upcall_lock
 * @o: owner
 */
void kv_owner_uncharge(struct kv_owner *o)
{
	lockdep_assert_held(&kv_upcall_lock);
	o->requests--;
}
