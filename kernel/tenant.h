/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_TENANT_H
#define _KV_TENANT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/kvault_control.h>
#include "turn.h"

struct kv_owner;
struct user_namespace;

/* Who takes requests: the daemon, or an engine of one kind. */
enum kv_queue_id {
	KV_QUEUE_DAEMON,
	KV_QUEUE_OPENSSL = KVAULT_ENGINE_OPENSSL,
	KV_QUEUE_PKCS11 = KVAULT_ENGINE_PKCS11,
	KV_QUEUES
};

/**
 * struct kv_tenant_queue - a tenant's requests to one kind of server
 * @t: the tenant; immutable
 * @turn: among the owner's tenants, for what is urgent and for what is asked:
 *	of lines (kv_upcall_lock)
 * @taken: the daemon decides one of them (kv_upcall_lock)
 * @engines: engines that are attached to the tenant (kv_upcall_lock)
 * @idle: those of them that ask for work just now (kv_upcall_lock)
 */
struct kv_tenant_queue {
	struct kv_tenant *t;
	struct kv_turn turn[2];	/* by enum kv_urgency */
	bool taken;
	u32 engines;
	u32 idle;
};

/* Things that a tenant can have only so many of. */
enum kv_charge {
	KV_CHARGE_OBJECT,
	KV_CHARGE_HANDLE,
	KV_CHARGE_REQUEST,
	KV_CHARGE_ADMIN_REQUEST,
	KV_CHARGES
};

/**
 * struct kv_kek - key-encryption key of a tenant
 * @id: names it in blobs
 * @key: wiped when the tenant ends
 * @is_set: false for the host until there is a root key and a store
 */
struct kv_kek {
	u8 id[KVAULT_ID_SIZE];
	u8 key[32];
	bool is_set;
};

/**
 * struct kv_tenant - a user namespace, and all namespaces below it
 * @refs: references: the tenant list, open files, objects, requests, principals' users
 * @link: in the list of tenants: live ones, and dead ones that have records
 *	for the daemon (kv_tenants_lock)
 * @by_ns: of a live ephemeral one: in the hash by @ns (kv_tenants_lock)
 * @kind: enum kvault_tenant_kind, immutable
 * @generation: counts tenants since the module was loaded, immutable
 * @id: random; the host's is the store's and set once (kv_tenants_lock)
 * @ns: topmost namespace; a reference until the tenant is dead (kv_tenants_lock)
 * @owner: whom quota of an ephemeral tenant is charged to, a reference; immutable
 * @is_dead: nothing of the tenant can be used any more; never goes back
 * @is_ended: what was to be done at its end is done; but for its records it
 *	could be forgotten (kv_tenants_lock)
 * @is_seen: used by the task walk alone
 * @policy: highest policy revision that was heard of; only grows
 * @changes: counts changes of keys that were pushed; see kv_object_accept()
 * @end: what remains to be done when it has ended; a reference while it is queued
 * @charge: what is used of each quota
 * @kek: written once before @kek.is_set, wiped when the tenant ends; @kek_lock
 * @kek_lock: protects @kek; a leaf
 * @objects: key versions by version id (kv_objects_lock in object.c)
 * @queue: requests, by who takes them (kv_upcall_lock)
 * @lines: requests, by whom they are charged to (kv_upcall_lock)
 * @audit_lock: protects the audit_ fields; a leaf
 * @audit: records that the daemon has not acknowledged, by number
 * @audit_seq: number of the newest record
 * @audit_count: records in @audit and reservations
 * @audit_lost: what could not be recorded; told in a record of its own
 * @audit_refusals: kinds of refusals that are counted just now (refusal.c)
 * @audit_kinds: how many kinds
 * @audit_flush: records counts of refusals; a reference while it is queued
 */
struct kv_tenant {
	refcount_t refs;
	struct list_head link;
	struct hlist_node by_ns;
	u32 kind;
	u64 generation;
	u8 id[KVAULT_ID_SIZE];
	struct user_namespace *ns;
	struct kv_owner *owner;
	bool is_dead;
	bool is_ended;
	bool is_seen;
	atomic64_t policy;
	atomic64_t changes;
	struct work_struct end;
	atomic_t charge[KV_CHARGES];
	struct kv_kek kek;
	spinlock_t kek_lock;	/* protects kek */
	struct list_head objects;
	struct kv_tenant_queue queue[KV_QUEUES];
	struct list_head lines;
	spinlock_t audit_lock;	/* protects audit_* */
	struct list_head audit;
	u64 audit_seq;
	u32 audit_count;
	u64 audit_lost;
	struct list_head audit_refusals;
	u32 audit_kinds;
	struct delayed_work audit_flush;
};

int kv_tenant_init(void);
void kv_tenant_exit(void);

struct kv_tenant *kv_tenant_of(struct user_namespace *ns);
struct kv_tenant *kv_tenant_of_current(void);
struct kv_tenant *kv_tenant_find(const u8 *id);
struct kv_tenant *kv_tenant_find_log(const u8 *id);
struct kv_tenant *kv_tenant_host(void);
struct kv_tenant *kv_tenant_next(struct kv_tenant *t);
struct kv_tenant *kv_tenant_next_log(struct kv_tenant *t);
struct kv_tenant *kv_tenant_after_log(u64 generation);
void kv_tenant_settled(struct kv_tenant *t);
struct kv_tenant *kv_tenant_get(struct kv_tenant *t);
void kv_tenant_put(struct kv_tenant *t);
struct user_namespace *kv_tenant_ns(const struct kv_tenant *t);
bool kv_tenant_is_callers(const struct kv_tenant *t);
int kv_tenant_set_host_id(const u8 *id);
void kv_tenant_raise_policy(struct kv_tenant *t, u64 revision);
int kv_tenant_charge(struct kv_tenant *t, enum kv_charge what);
void kv_tenant_uncharge(struct kv_tenant *t, enum kv_charge what);
u32 kv_tenant_limit(const struct kv_tenant *t, enum kv_charge what);

static inline bool kv_tenant_is_dead(const struct kv_tenant *t)
{
	return READ_ONCE(t->is_dead);
}

/**
 * struct kv_tenant_ops - what others do when a tenant ends
 * @wipe: destroy all objects of the tenant; may sleep
 * @gone: tell the daemon
 */
struct kv_tenant_ops {
	void (*wipe)(struct kv_tenant *t);
	void (*gone)(struct kv_tenant *t);
};

void kv_tenant_set_ops(const struct kv_tenant_ops *ops);

#endif /* _KV_TENANT_H */
