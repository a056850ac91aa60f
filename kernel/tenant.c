// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tenants: user namespaces, by identity. The initial namespace is the tenant
 * "host". Any other namespace belongs to the topmost one below the initial
 * namespace, which is an ephemeral tenant with a random id.
 *
 *   init_user_ns ............ host
 *     +- A .................. ephemeral tenant 1
 *     |   +- A1 ............. still tenant 1
 *     +- B .................. ephemeral tenant 2
 *
 * An ephemeral tenant lives while a process lives in its namespace or below.
 * That is decided by one walk over all tasks every KV_REAP_MS while there are
 * any, not by references: a file that was passed out pins a namespace, and
 * shall not prolong its tenant. When the tenant has ended, whoever enters the
 * namespace later finds a new, empty tenant.
 *
 *   live -> dead -> ended	[reap, tenant_end], never back
 *
 * Its keys are wiped at once. What it leaves is records for the audit log: it
 * stays in the list, dead, until the daemon has acknowledged them; only then
 * the daemon is told that it is gone. Of all dead tenants together so many
 * records are kept (KV_DEAD_RECORDS_MAX), then the oldest tenant's are dropped
 * and counted as lost in the host's log.
 *
 * Locks: kv_tenants_lock protects the list, the hash, every tenant's @ns and the
 * host's id. It is a mutex, taken before any other lock of the module, and held for
 * short: nothing waits for the daemon under it.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include "audit.h"
#include "live.h"
#include "owner.h"
#include "refusal.h"
#include "seal.h"
#include "tenant.h"
#include "visible.h"

#define KV_REAP_MS	500
#define KV_TENANTS_MAX	16384	/* ephemeral ones at once */
#define KV_TENANTS_OWNER_MAX 1024	/* of one uid */
#define KV_DEAD_RECORDS_MAX 8192	/* of all tenants that have ended */

static const u32 limits_host[KV_CHARGES] = {
	[KV_CHARGE_OBJECT] = 1 << 20,
	[KV_CHARGE_HANDLE] = 1 << 20,
	[KV_CHARGE_REQUEST] = 1024,
	[KV_CHARGE_ADMIN_REQUEST] = 256,
};

static const u32 limits_ephemeral[KV_CHARGES] = {
	[KV_CHARGE_OBJECT] = 256,
	[KV_CHARGE_HANDLE] = 4096,
	[KV_CHARGE_REQUEST] = 64,
	[KV_CHARGE_ADMIN_REQUEST] = 64,
};

KV_STATIC struct mutex kv_tenants_lock = __MUTEX_INITIALIZER(kv_tenants_lock);
KV_STATIC struct list_head kv_tenants = LIST_HEAD_INIT(kv_tenants);
/* live ephemeral ones, by namespace: each look around asks it for every task */
static DEFINE_HASHTABLE(kv_tenants_by_ns, 10);
static u64 kv_tenants_made;
static u32 kv_tenants_count;
static struct kv_tenant *kv_host;
static const struct kv_tenant_ops *kv_ops;
static bool kv_is_exiting;

static struct workqueue_struct *kv_end_wq;

static void tenant_end(struct work_struct *work);
static void reap(struct work_struct *work);
KV_STATIC struct delayed_work kv_reaper = __DELAYED_WORK_INITIALIZER(kv_reaper, reap, 0);

static void queue_init(struct kv_tenant_queue *tq, struct kv_tenant *t, enum kv_queue_id queue)
{
	int k;

	BUILD_BUG_ON(ARRAY_SIZE(tq->turn) != KV_URGENCIES);
	tq->t = t;
	for (k = 0; k < KV_URGENCIES; k++) {
		kv_turn_init(&tq->turn[k], &t->owner->queue[queue].kind[k]);
		tq->turn[k].tenant = tq;
	}
}

KV_STATIC struct kv_tenant *tenant_new(u32 kind, struct user_namespace *ns, u32 owner)
{
	struct kv_tenant *t;
	int i;

	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	t->owner = kv_owner_get(owner, kind == KVAULT_TENANT_HOST);
	if (!t->owner) {
		kfree_sensitive(t);	/* holds no key yet, but it is what holds keys */
		return NULL;
	}
	kv_live_inc(KV_LIVE_TENANT);
	refcount_set(&t->refs, 1);
	t->kind = kind;
	t->generation = ++kv_tenants_made;
	t->ns = get_user_ns(ns);
	spin_lock_init(&t->kek_lock);
	INIT_WORK(&t->end, tenant_end);
	INIT_LIST_HEAD(&t->objects);
	for (i = 0; i < KV_QUEUES; i++)
		queue_init(&t->queue[i], t, i);
	INIT_LIST_HEAD(&t->lines);
	spin_lock_init(&t->audit_lock);
	INIT_LIST_HEAD(&t->audit);
	kv_refusals_init(t);
	return t;
}

static struct user_namespace *topmost(struct user_namespace *ns)
{
	while (ns != &init_user_ns && ns->parent != &init_user_ns)
		ns = ns->parent;
	return ns;
}

static struct kv_tenant *find_ephemeral(struct user_namespace *top)
{
	struct kv_tenant *t;

	lockdep_assert_held(&kv_tenants_lock);
	hash_for_each_possible(kv_tenants_by_ns, t, by_ns, (unsigned long)top)
		if (t->ns == top)
			return t;
	return NULL;
}

static struct kv_tenant *ephemeral_new(struct user_namespace *ns)
{
	u32 owner = from_kuid(&init_user_ns, ns->owner), owned = 0;
	struct kv_tenant *t;
	int ret;

	lockdep_assert_held(&kv_tenants_lock);
	list_for_each_entry(t, &kv_tenants, link)
		owned += t->kind == KVAULT_TENANT_EPHEMERAL && !t->is_dead &&
			 t->owner->uid == owner;
	if (kv_tenants_count >= KV_TENANTS_MAX || owned >= KV_TENANTS_OWNER_MAX)
		return ERR_PTR(-EDQUOT);
	t = tenant_new(KVAULT_TENANT_EPHEMERAL, ns, owner);
	if (!t)
		return ERR_PTR(-ENOMEM);
	get_random_bytes(t->id, sizeof(t->id));
	ret = kv_kek_ephemeral(t);
	if (ret) {
		put_user_ns(t->ns);
		kv_owner_put(t->owner);
		kv_live_dec(KV_LIVE_TENANT);
		kfree_sensitive(t);
		return ERR_PTR(ret);
	}
	list_add_tail(&t->link, &kv_tenants);
	hash_add(kv_tenants_by_ns, &t->by_ns, (unsigned long)ns);
	kv_tenants_count++;
	schedule_delayed_work(&kv_reaper, msecs_to_jiffies(KV_REAP_MS));
	return t;
}

/**
 * kv_tenant_of() - the tenant to which a user namespace belongs
 * @ns: namespace; must be that of a live task, or referenced
 *
 * Makes an ephemeral tenant at the first use of a namespace.
 *
 * Return: the tenant with a reference; -ENOKEY while the namespace has no uid
 * map, -EDQUOT, -ENOMEM.
 */
struct kv_tenant *kv_tenant_of(struct user_namespace *ns)
{
	struct user_namespace *top = topmost(ns);
	struct kv_tenant *t;

	if (top == &init_user_ns)
		return kv_tenant_get(kv_host);
#ifndef KVAULT_MUTANT_NO_MAP_CHECK
	if (!READ_ONCE(ns->uid_map.nr_extents))
		return ERR_PTR(-ENOKEY);
#endif
	if (!rng_is_initialized() && wait_for_random_bytes())
		return ERR_PTR(-EINTR);

	mutex_lock(&kv_tenants_lock);
	t = find_ephemeral(top) ?: ephemeral_new(top);
	if (!IS_ERR(t))
		kv_tenant_get(t);
	mutex_unlock(&kv_tenants_lock);
	return t;
}

/**
 * kv_tenant_of_current() - in whose log a refusal of the current task belongs
 *
 * A namespace that has no tenant yet, or can have none, is its parent's affair.
 *
 * Return: the tenant with a reference.
 */
struct kv_tenant *kv_tenant_of_current(void)
{
	struct user_namespace *ns = current_user_ns();
	struct kv_tenant *t;

	do {
		t = kv_tenant_of(ns);
		ns = ns->parent;
	} while (IS_ERR(t));	/* the initial one always has */
	return t;
}

/**
 * kv_tenant_ns() - the topmost namespace of a tenant
 * @t: tenant
 *
 * Return: it with a reference; of a dead tenant the initial one.
 */
struct user_namespace *kv_tenant_ns(const struct kv_tenant *t)
{
	struct user_namespace *ns;

	mutex_lock(&kv_tenants_lock);
	ns = get_user_ns(t->ns ?: &init_user_ns);
	mutex_unlock(&kv_tenants_lock);
	return ns;
}

/**
 * kv_tenant_is_callers() - is this the tenant of the current task?
 * @t: tenant
 *
 * Return: true if it is, and is alive.
 */
bool kv_tenant_is_callers(const struct kv_tenant *t)
{
	/* ns is compared only: it may be NULL or gone when the tenant is dead */
	return !kv_tenant_is_dead(t) &&
	       topmost(current_user_ns()) == READ_ONCE(t->ns);
}

static struct kv_tenant *find(const u8 *id, bool with_dead)
{
	struct kv_tenant *t, *found = NULL;

	mutex_lock(&kv_tenants_lock);
	list_for_each_entry(t, &kv_tenants, link)
		if ((with_dead || !t->is_dead) && !memcmp(t->id, id, KVAULT_ID_SIZE)) {
			found = kv_tenant_get(t);
			break;
		}
	mutex_unlock(&kv_tenants_lock);
	return found;
}

/**
 * kv_tenant_find() - a live tenant by its id
 * @id: KVAULT_ID_SIZE bytes
 *
 * Return: the tenant with a reference, or NULL.
 */
struct kv_tenant *kv_tenant_find(const u8 *id)
{
	return find(id, false);
}

/**
 * kv_tenant_find_log() - a tenant by its id, live or with records for the daemon
 * @id: KVAULT_ID_SIZE bytes
 *
 * Return: the tenant with a reference, or NULL.
 */
struct kv_tenant *kv_tenant_find_log(const u8 *id)
{
	return find(id, true);
}

/**
 * kv_tenant_host() - the tenant of the initial namespace
 *
 * Return: it, borrowed; it lives as long as the module.
 */
struct kv_tenant *kv_tenant_host(void)
{
	return kv_host;
}

/* Behind @n, @n itself included, the first that counts; a reference. */
static struct kv_tenant *first_from(struct kv_tenant *n, bool with_dead)
{
	lockdep_assert_held(&kv_tenants_lock);
	list_for_each_entry_from(n, &kv_tenants, link)
		if (!n->is_dead || with_dead)
			return kv_tenant_get(n);
	return NULL;
}

/* The list is in the order of generations. */
static struct kv_tenant *after(u64 generation)
{
	struct kv_tenant *n;

	lockdep_assert_held(&kv_tenants_lock);
	list_for_each_entry(n, &kv_tenants, link)
		if (n->generation > generation)
			break;
	return n;
}

static struct kv_tenant *next(struct kv_tenant *t, bool with_dead)
{
	struct kv_tenant *n, *found;

	mutex_lock(&kv_tenants_lock);
	if (t && !list_empty(&t->link))
		n = list_next_entry(t, link);
	else	/* it was forgotten meanwhile */
		n = after(t ? t->generation : 0);
	found = first_from(n, with_dead);
	mutex_unlock(&kv_tenants_lock);
	kv_tenant_put(t);
	return found;
}

/**
 * kv_tenant_next() - walk over the live tenants
 * @t: the one before, whose reference is dropped; NULL to begin
 *
 * Return: the next with a reference, or NULL.
 */
struct kv_tenant *kv_tenant_next(struct kv_tenant *t)
{
	return next(t, false);
}

/**
 * kv_tenant_next_log() - walk over all tenants that can have records
 * @t: the one before, whose reference is dropped; NULL to begin
 *
 * Return: the next with a reference, or NULL.
 */
struct kv_tenant *kv_tenant_next_log(struct kv_tenant *t)
{
	return next(t, true);
}

/**
 * kv_tenant_after_log() - begin such a walk somewhere else
 * @generation: of the tenant behind which it begins
 *
 * Return: the next with a reference, or NULL.
 */
struct kv_tenant *kv_tenant_after_log(u64 generation)
{
	struct kv_tenant *found;

	mutex_lock(&kv_tenants_lock);
	found = first_from(after(generation), true);
	mutex_unlock(&kv_tenants_lock);
	return found;
}

/**
 * kv_tenant_get() - take a reference
 * @t: tenant
 *
 * Return: @t.
 */
struct kv_tenant *kv_tenant_get(struct kv_tenant *t)
{
	refcount_inc(&t->refs);
	return t;
}

/**
 * kv_tenant_put() - drop a reference
 * @t: tenant, or NULL or an error pointer
 */
void kv_tenant_put(struct kv_tenant *t)
{
	if (IS_ERR_OR_NULL(t) || !refcount_dec_and_test(&t->refs))
		return;
	kv_audit_drop_all(t);
	kv_refusals_free(t);
	kv_owner_put(t->owner);
	kv_live_dec(KV_LIVE_TENANT);
	kfree_sensitive(t);
}

/**
 * kv_tenant_set_host_id() - the store says what the host is called
 * @id: KVAULT_ID_SIZE bytes, not all 0
 *
 * Return: 0; -ESTALE if it was called otherwise before; -EINVAL.
 */
int kv_tenant_set_host_id(const u8 *id)
{
	int ret = 0;

	if (!memchr_inv(id, 0, KVAULT_ID_SIZE))
		return -EINVAL;
	mutex_lock(&kv_tenants_lock);
	if (!memchr_inv(kv_host->id, 0, KVAULT_ID_SIZE))
		memcpy(kv_host->id, id, KVAULT_ID_SIZE);
	else if (memcmp(kv_host->id, id, KVAULT_ID_SIZE))
		ret = -ESTALE;
	mutex_unlock(&kv_tenants_lock);
	return ret;
}

/**
 * kv_tenant_raise_policy() - remember a policy revision, never a lower one
 * @t: tenant
 * @revision: what was heard
 */
void kv_tenant_raise_policy(struct kv_tenant *t, u64 revision)
{
	u64 old = atomic64_read(&t->policy), seen;

	while (revision > old) {
		seen = atomic64_cmpxchg(&t->policy, old, revision);
		if (seen == old)
			break;
		old = seen;
	}
}

/**
 * kv_tenant_limit() - a quota
 * @t: tenant
 * @what: of what
 *
 * Return: how many the tenant may have.
 */
u32 kv_tenant_limit(const struct kv_tenant *t, enum kv_charge what)
{
	return t->kind == KVAULT_TENANT_HOST ? limits_host[what] : limits_ephemeral[what];
}

/**
 * kv_tenant_charge() - one more of something
 * @t: tenant
 * @what: of what
 *
 * Return: 0; -EDQUOT when the tenant has as many as it may.
 */
int kv_tenant_charge(struct kv_tenant *t, enum kv_charge what)
{
	return atomic_add_unless(&t->charge[what], 1, kv_tenant_limit(t, what)) ? 0 : -EDQUOT;
}

/**
 * kv_tenant_uncharge() - one less of something
 * @t: tenant
 * @what: of what
 */
void kv_tenant_uncharge(struct kv_tenant *t, enum kv_charge what)
{
	atomic_dec(&t->charge[what]);
}

static void mark_seen(struct user_namespace *ns)
{
	struct kv_tenant *t;

	t = find_ephemeral(topmost(ns));
	if (t)
		t->is_seen = true;
}

/* A zombie has left its namespace for all that it can do. */
static void mark_all_seen(void)
{
	struct user_namespace *last = &init_user_ns, *ns;
	struct task_struct *p, *t;

	lockdep_assert_held(&kv_tenants_lock);
	rcu_read_lock();
	for_each_process_thread(p, t) {
		if (READ_ONCE(t->exit_state))
			continue;
		ns = __task_cred(t)->user_ns;
		if (ns == last)
			continue;
		last = ns;
		mark_seen(ns);
	}
	rcu_read_unlock();
}

/* Takes a tenant that has ended from the list, with the list's reference. */
static bool unlink_ended(struct kv_tenant *t, bool with_records)
{
	bool was_linked;

	mutex_lock(&kv_tenants_lock);
	was_linked = t->is_ended && !list_empty(&t->link) &&
		     (with_records || !READ_ONCE(t->audit_count));
	if (was_linked)
		list_del_init(&t->link);
	mutex_unlock(&kv_tenants_lock);
	return was_linked;
}

static void forget(struct kv_tenant *t, bool with_records)
{
	if (!unlink_ended(t, with_records))
		return;
	kv_refusals_lost(kv_host, kv_audit_drop_all(t));
	kv_ops->gone(t);
	kv_tenant_put(t);
}

/* The oldest tenant that has ended, if all such have too many records; a reference. */
static struct kv_tenant *over_limit(void)
{
	struct kv_tenant *t, *oldest = NULL;
	u32 records = 0;

	mutex_lock(&kv_tenants_lock);
	list_for_each_entry(t, &kv_tenants, link)
		if (t->is_ended) {
			oldest = oldest ?: t;
			records += READ_ONCE(t->audit_count);
		}
	oldest = records > KV_DEAD_RECORDS_MAX ? kv_tenant_get(oldest) : NULL;
	mutex_unlock(&kv_tenants_lock);
	return oldest;
}

/*
 * In a work item of its own: one tenant's end delays nobody else's. Runs
 * again when something of a tenant that has ended is settled.
 */
static void tenant_end(struct work_struct *work)
{
	struct kv_tenant *t = container_of(work, struct kv_tenant, end), *oldest;

	kv_kek_wipe(t);
	kv_ops->wipe(t);
	kv_refusals_end(t);
	mutex_lock(&kv_tenants_lock);
	t->is_ended = true;
	mutex_unlock(&kv_tenants_lock);
#ifdef KVAULT_MUTANT_DEAD_RECORDS
	forget(t, true);
#else
	forget(t, READ_ONCE(kv_is_exiting));
#endif
	kv_tenant_put(t);
	while ((oldest = over_limit())) {
		forget(oldest, true);
		kv_tenant_put(oldest);
	}
}

static void queue_end(struct kv_tenant *t)
{
	kv_tenant_get(t);
	if (!queue_work(kv_end_wq, &t->end))
		kv_tenant_put(t);
}

/**
 * kv_tenant_settled() - a dead tenant has fewer records; perhaps none
 * @t: tenant
 */
void kv_tenant_settled(struct kv_tenant *t)
{
	if (!READ_ONCE(t->audit_count) && !READ_ONCE(kv_is_exiting))
		queue_end(t);
}

static void reap(struct work_struct *work)
{
	struct kv_tenant *t;

	mutex_lock(&kv_tenants_lock);
	list_for_each_entry(t, &kv_tenants, link)
		t->is_seen = t->kind != KVAULT_TENANT_EPHEMERAL || t->is_dead;
	mark_all_seen();
	list_for_each_entry(t, &kv_tenants, link) {
		if (t->is_seen)
			continue;
		WRITE_ONCE(t->is_dead, true);
		hash_del(&t->by_ns);
		put_user_ns(t->ns);
		WRITE_ONCE(t->ns, NULL);
		kv_tenants_count--;
		queue_end(t);
	}
	if (kv_tenants_count)
		schedule_delayed_work(&kv_reaper, msecs_to_jiffies(KV_REAP_MS));
	mutex_unlock(&kv_tenants_lock);
}

/**
 * kv_tenant_set_ops() - who is told when a tenant ends
 * @ops: callbacks; set once, before anyone can reach the module
 */
void kv_tenant_set_ops(const struct kv_tenant_ops *ops)
{
	kv_ops = ops;
}

/**
 * kv_tenant_init() - make the host
 *
 * Return: 0 or -ENOMEM.
 */
int kv_tenant_init(void)
{
	kv_end_wq = alloc_workqueue("kvault-end", WQ_UNBOUND, 0);
	if (!kv_end_wq)
		return -ENOMEM;
	kv_host = tenant_new(KVAULT_TENANT_HOST, &init_user_ns, 0);
	if (!kv_host) {
		destroy_workqueue(kv_end_wq);
		return -ENOMEM;
	}
	list_add_tail(&kv_host->link, &kv_tenants);
	return 0;
}

/**
 * kv_tenant_exit() - end all tenants; nobody can reach the module any more
 */
void kv_tenant_exit(void)
{
	struct kv_tenant *t;

	cancel_delayed_work_sync(&kv_reaper);
	mutex_lock(&kv_tenants_lock);
	WRITE_ONCE(kv_is_exiting, true);
	kv_tenant_get(kv_host);	/* others tell their losses in its log until they have ended */
	list_for_each_entry(t, &kv_tenants, link) {
		if (t->ns)
			put_user_ns(t->ns);
		hash_del(&t->by_ns);
		WRITE_ONCE(t->is_dead, true);
		WRITE_ONCE(t->ns, NULL);
		queue_end(t);
	}
	mutex_unlock(&kv_tenants_lock);
#ifdef KVAULT_MUTANT_HOST_ENDS_FIRST
	kv_tenant_put(kv_host);
	destroy_workqueue(kv_end_wq);
#else
	destroy_workqueue(kv_end_wq);
	kv_tenant_put(kv_host);
#endif
	kv_host = NULL;
}
