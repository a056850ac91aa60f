// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants and audit leases. A grant says what one principal may do with one
 * key version; the daemon decides it, here it is enforced. It carries a lease:
 * a durable record, written beforehand, of how many operations the principal
 * may do until when. Operations under it are counted exactly, and the counts
 * are reported when the principal pauses and when the lease ends. Every lease
 * that begins here ends here, with a record of its total: the daemon holds what
 * a lease has that nobody told it the end of for used up.
 *
 * A grant that was decided under an older policy, or whose lease is used up,
 * is not used until the daemon has confirmed it. In good time before that the
 * lease is renewed in the background, so that the daemon may be gone for half
 * a lease and nobody notices.
 *
 * References: the object's list, handles that used it last, the list of
 * grants with an open lease and the renewal hold one each. A grant holds its object, and
 * the object's list holds the grant: kv_grant_drop_all() cuts that circle
 * when the object goes, and idle grants are dropped when new ones are made.
 *
 * Locks: object->lock (the list, and that a grant is as new as the object) ->
 * grant->lock -> kv_active_lock, all but the first spinlocks.
 */
#include <linux/bitops.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include "audit.h"
#include "grant.h"
#include "live.h"
#include "object.h"
#include "principal.h"
#include "tenant.h"
#include "upcall.h"
#include "visible.h"

#define KV_REPORT_MS		250	/* how often we look for pauses */
#define KV_PAUSE_MS		500	/* so long without an operation is one */
#define KV_LEASE_MS_MAX		3600000
#define KV_GRANTS_MAX		4096	/* of one key version */

static DEFINE_SPINLOCK(kv_active_lock);
static LIST_HEAD(kv_active);
static struct workqueue_struct *kv_grant_wq;

static void report(struct work_struct *work);
KV_STATIC struct delayed_work kv_reporter = __DELAYED_WORK_INITIALIZER(kv_reporter, report, 0);

/* What a grant that does not check becomes: nothing that looks like the caller's. */
static int access_error(int ret)
{
	return ret == -EINVAL || ret == -EPERM || ret == -EBADMSG || ret == -EMSGSIZE ? -EIO : ret;
}

static int check_answer(const struct kv_answer *ans)
{
	if (ans->status)
		return kv_answer_error(ans->status);
	if (ans->seg[0].len != sizeof(struct kvault_grant) || ans->seg[1].len)
		return -EIO;
	return 0;
}

/* Nothing is done under this lease. Without room for the record it stays reserved. */
static void granted_in_vain(const struct kv_caller *who, const struct kv_decision *d)
{
	const struct kvault_grant *w = &d->grant;

	if (memchr_inv(w->lease, 0, sizeof(w->lease)))
		kv_audit_emit(who->tenant, &(struct kv_event){
			.type = KVAULT_AUDIT_LEASE_END, .face = who->face, .who = who->caller,
			.key = w->binding.object, .version = w->binding.version,
			.lease = w->lease });
}

static int access_once(struct kv_caller *who, u32 purpose, const struct kv_seg *seg,
		       struct kv_decision *ret_d)
{
	/* both before the daemon is asked: what happens meanwhile counts as later */
	u64 policy = atomic64_read(&who->tenant->policy);
	u64 changes = atomic64_read(&who->tenant->changes);
	struct kv_answer ans = {};
	struct kv_object *obj;
	int ret;

	ret_d->is_yes = false;
	ret_d->asked = ktime_get_boottime_ns();
	ret = kv_upcall_daemon(who, KVAULT_MSG_ACCESS, purpose, seg, &ans);
	if (ret)
		return ret;
	ret = check_answer(&ans);
	ret_d->is_yes = !ans.status;
	if (ret)
		goto out_done;
	memcpy(&ret_d->grant, ans.seg[0].p, sizeof(ret_d->grant));
	ret_d->policy = ans.revision;
	if (ans.revision < policy) {
		ret = -ESTALE;
		goto out_vain;
	}
	obj = kv_object_accept(who->tenant, &ret_d->grant, ans.seg[2].p, ans.seg[2].len,
			       ans.seg[3].p, ans.seg[3].len, changes);
	if (!IS_ERR(obj)) {
		ret_d->object = obj;
		goto out_done;
	}
	ret = access_error(PTR_ERR(obj));
out_vain:
	/* who asked for a volume takes it back himself */
	if (purpose != KVAULT_PURPOSE_VOLUME)
		granted_in_vain(who, ret_d);
out_done:
	kv_answer_done(&ans);
	return ret;
}

/**
 * kv_access() - ask the daemon whether a principal may use a key
 * @who: in whose name
 * @purpose: enum kvault_purpose
 * @path: names the key, or NULL
 * @path_len: bytes of it
 * @access: what is asked for
 * @ret: out: the answer; its object only on success
 *
 * Sleeps, killable. A volume is asked for once: the daemon's yes is in the log,
 * and has to be taken back before the next one.
 *
 * Return: 0; what the daemon says; -EIO for nonsense; -ESTALE when its answers
 * stay older than what the kernel knows; see kv_request_wait().
 */
int kv_access(struct kv_caller *who, u32 purpose, const void *path, u32 path_len,
	      const struct kvault_access *access, struct kv_decision *ret)
{
	const struct kv_seg seg[KVAULT_MSG_SEGMENTS] = {
		[1] = { path, path_len },
		[2] = { access, sizeof(*access) },
	};
	int r, i = 0;

	do {
		r = access_once(who, purpose, seg, ret);
	} while (r == -ESTALE && purpose != KVAULT_PURPOSE_VOLUME && ++i < KV_STALE_TRIES);
	return r;
}

/**
 * kv_grant_free() - the last reference is gone; see kv_grant_put()
 * @g: grant
 */
void kv_grant_free(struct kv_grant *g)
{
	kv_principal_put(g->caller);
	kv_principal_put(g->opener);
	kv_object_put(g->object);
	kv_live_dec(KV_LIVE_GRANT);
	kfree_rcu(g, rcu);
}

static struct kv_grant *grant_get(struct kv_grant *g)
{
	refcount_inc(&g->refs);
	return g;
}

static void make_active(struct kv_grant *g)
{
	lockdep_assert_held(&g->lock);
	grant_get(g);
	g->is_active = true;
	spin_lock(&kv_active_lock);
	list_add_tail(&g->active, &kv_active);
	spin_unlock(&kv_active_lock);
	schedule_delayed_work(&kv_reporter, msecs_to_jiffies(KV_REPORT_MS));
}

/* Everything about a grant that the daemon decides. */
static void install(struct kv_grant *g, const struct kv_decision *d)
{
	const struct kvault_grant *w = &d->grant;
	u64 ns = (u64)min_t(u32, w->lease_ms, KV_LEASE_MS_MAX) * NSEC_PER_MSEC;

	lockdep_assert_held(&g->lock);
	g->ops = w->ops;
	g->policy = d->policy;
	g->not_after = w->not_after;
	g->is_limited = w->uses;
	g->uses = w->uses;
	memcpy(g->lease, w->lease, sizeof(g->lease));
	g->lease_left = w->lease_ops;
	g->lease_half = w->lease_ops / 2;
	g->lease_end = d->asked + ns;
	g->lease_renew = d->asked + ns / 2;
	memset(g->used, 0, sizeof(g->used));
	memset(g->reported, 0, sizeof(g->reported));
	g->is_open = true;
	if (!g->is_active)
		make_active(g);
}

/* The records of each operation, of those that have their own, and of the lease's end. */
struct settlement {
	struct kv_record *rec[KV_USES + 1];
	u64 delta[KV_USES];
	u64 total;
	bool is_end;
	u8 lease[KVAULT_ID_SIZE];
};

static int reserve_all(struct kv_tenant *t, struct settlement *s)
{
	int i, ret;

	for (i = 0; i <= KV_USES; i++) {
		s->rec[i] = kv_audit_reserve(t);
		ret = PTR_ERR_OR_ZERO(s->rec[i]);
		if (!ret)
			continue;
		while (i--)
			kv_audit_cancel(t, s->rec[i]);
		return ret;
	}
	return 0;
}

static void commit_all(struct kv_grant *g, struct settlement *s)
{
	/*
	 * A lease of a symmetric key has IVs, and those that are not counted here
	 * are given out again: so it is, also where each operation has a record.
	 * Their sum names no operation, as those records do.
	 */
	bool is_counted = !kv_object_is_engine(g->object);
	struct kv_tenant *t = g->object->tenant;
	struct kv_event ev = {
		.type = KVAULT_AUDIT_USE, .face = g->face, .who = g->caller,
		.object = g->object, .lease = s->lease,
	};
	int i;

	for (i = 0; i < KV_USES; i++) {
		ev.op = i < KV_OPS ? 1u << i : 0;
		ev.count = s->delta[i];
#ifdef KVAULT_MUTANT_EACH_UNCOUNTED
		is_counted &= !(READ_ONCE(g->object->flags) & KVAULT_KEY_AUDIT_EACH);
#endif
		if (ev.count && is_counted && ev.op != KVAULT_OP_VOLUME)
			kv_audit_commit(t, s->rec[i], &ev);
		else
			kv_audit_cancel(t, s->rec[i]);
	}
	ev.type = KVAULT_AUDIT_LEASE_END;
	ev.op = 0;
	ev.count = s->total;
	if (s->is_end)
		kv_audit_commit(t, s->rec[KV_USES], &ev);
	else
		kv_audit_cancel(t, s->rec[KV_USES]);
}

static bool is_over(const struct kv_grant *g)
{
	lockdep_assert_held(&g->lock);
#ifdef KVAULT_MUTANT_LEASE_OPEN
	return false;
#endif
	return ktime_get_boottime_ns() >= g->lease_end;
}

static void take_counts(struct kv_grant *g, struct settlement *s)
{
	int i;

	lockdep_assert_held(&g->lock);
	for (i = 0; i < KV_USES; i++) {
		s->delta[i] = g->used[i] - g->reported[i];
		s->total += g->used[i];
		g->reported[i] = g->used[i];
	}
	g->has_news = false;
	memcpy(s->lease, g->lease, sizeof(s->lease));
}

/*
 * Reports what was done under the lease and not yet reported, and the lease's
 * end if that is now or its time is over. With @next that one begins; nothing
 * is counted under the wrong one.
 */
static int settle(struct kv_grant *g, const struct kv_decision *next, bool is_end)
{
	struct settlement *s;
	int ret;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	ret = reserve_all(g->object->tenant, s);
	if (ret)
		goto out_free;
	spin_lock(&g->lock);
	take_counts(g, s);
	s->is_end = g->is_open && (is_end || is_over(g));
	if (next) {
		install(g, next);
	} else if (s->is_end) {
		g->lease_left = 0;
		g->is_open = false;
	}
	spin_unlock(&g->lock);
	commit_all(g, s);
out_free:
	kfree(s);
	return ret;
}

static void renew(struct work_struct *work);

static struct kv_grant *grant_new(struct kv_object *obj, struct kv_caller *who, u32 purpose,
				  const struct kv_decision *d)
{
	struct kv_grant *g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);

	if (!g)
		return NULL;
	kv_live_inc(KV_LIVE_GRANT);
	refcount_set(&g->refs, 1);
	INIT_LIST_HEAD(&g->link);
	INIT_LIST_HEAD(&g->active);
	INIT_WORK(&g->renew, renew);
	spin_lock_init(&g->lock);
	g->object = kv_object_get(obj);
	g->caller = kv_principal_get(who->caller);
	g->opener = kv_principal_get(who->opener);
	g->face = who->face;
	g->purpose = purpose;
	spin_lock(&g->lock);
	install(g, d);
	spin_unlock(&g->lock);
	return g;
}

static struct kv_grant *find_grant(struct kv_object *obj, const struct kv_caller *who)
{
	struct kv_grant *g;

	lockdep_assert_held(&obj->lock);
	list_for_each_entry(g, &obj->grants, link)
		if (kv_grant_is_for(g, who))
			return grant_get(g);
	return NULL;
}

/* Principals come and go: drops grants that nobody holds, and counts the rest. */
static u32 prune(struct kv_object *obj)
{
	u64 now = ktime_get_boottime_ns();
	struct kv_grant *g, *n;
	u32 count = 0;

	lockdep_assert_held(&obj->lock);
	list_for_each_entry_safe(g, n, &obj->grants, link) {
		/* while its lease is open the list of those has a reference as well */
		if (refcount_read(&g->refs) == 1 && READ_ONCE(g->lease_end) < now) {
			list_del_init(&g->link);
			/* obj is held by who called */
			kv_grant_put(g);
		} else {
			count++;
		}
	}
	return count;
}

static int add_grant(struct kv_object *obj, struct kv_grant *g)
{
	lockdep_assert_held(&obj->lock);
	if (prune(obj) >= KV_GRANTS_MAX)
		return -EDQUOT;
	list_add(&grant_get(g)->link, &obj->grants);
	return 0;
}

static struct kv_grant *adopt_locked(struct kv_object *obj, struct kv_caller *who, u32 purpose,
				     const struct kv_decision *d)
{
	struct kv_grant *g;
	int ret;

	lockdep_assert_held(&obj->lock);
	if (obj->state == KVAULT_OBJECT_GONE)
		return ERR_PTR(-EKEYREVOKED);
	/* the key changed since it was accepted: what was decided is void */
	if (obj->accepted != obj->revision)
		return ERR_PTR(-ESTALE);
	g = find_grant(obj, who);
	if (g) {
		ret = settle(g, d, true);
	} else {
		g = grant_new(obj, who, purpose, d);
		ret = g ? add_grant(obj, g) : -ENOMEM;
	}
	if (ret) {
		kv_grant_put(g);
		return ERR_PTR(ret);
	}
	return g;
}

/* Asks, and renews the principal's grant or makes it. @obj: the key that it must be. */
static struct kv_grant *ask(struct kv_object *obj, struct kv_caller *who, u32 purpose,
			    const void *path, u32 path_len, const struct kvault_access *access)
{
	struct kv_decision d;
	struct kv_grant *g;
	int ret, i = 0;

	do {
		ret = kv_access(who, obj ? KVAULT_PURPOSE_RENEW : purpose, path, path_len,
				access, &d);
		if (ret)
			return ERR_PTR(ret);
		if (obj && obj != d.object) {
			g = ERR_PTR(-EIO);
		} else {
			mutex_lock(&d.object->lock);
			g = adopt_locked(d.object, who, purpose, &d);
			mutex_unlock(&d.object->lock);
		}
		if (IS_ERR(g))
			granted_in_vain(who, &d);
		kv_object_put(d.object);
	} while (g == ERR_PTR(-ESTALE) && ++i < KV_STALE_TRIES);
	return g;
}

/**
 * kv_grant_open() - get a grant on the key that a path names
 * @who: for whom
 * @purpose: enum kvault_purpose
 * @path: VAULT/keys/NAME[/VERSION]
 * @path_len: bytes of it
 *
 * Sleeps, killable.
 *
 * Return: the grant with a reference; see kv_access().
 */
struct kv_grant *kv_grant_open(struct kv_caller *who, u32 purpose, const void *path,
			       u32 path_len)
{
	const struct kvault_access access = { .size = sizeof(access), .purpose = purpose };

	return ask(NULL, who, purpose, path, path_len, &access);
}

static struct kv_grant *renew_now(struct kv_object *obj, struct kv_caller *who, u32 purpose)
{
	struct kvault_access access = { .size = sizeof(access), .purpose = purpose };

	memcpy(access.key, obj->key, sizeof(access.key));
	memcpy(access.version, obj->version, sizeof(access.version));
	return ask(obj, who, purpose, NULL, 0, &access);
}

static bool is_usable(const struct kv_grant *g, u64 now)
{
	lockdep_assert_held(&g->lock);
#ifdef KVAULT_MUTANT_NO_REVISION_CHECK
	return g->lease_left && now < g->lease_end;
#endif
	return g->policy >= atomic64_read(&g->object->tenant->policy) &&
	       g->lease_left && now < g->lease_end;
}

/**
 * kv_grant_for() - a grant on a known key for a principal; asks if it must
 * @obj: key version
 * @who: for whom
 * @purpose: enum kvault_purpose of the holder
 *
 * Sleeps, killable.
 *
 * Return: the grant with a reference; see kv_access().
 */
struct kv_grant *kv_grant_for(struct kv_object *obj, struct kv_caller *who, u32 purpose)
{
	struct kv_grant *g;
	bool usable = false;

	mutex_lock(&obj->lock);
	g = find_grant(obj, who);
	mutex_unlock(&obj->lock);
	/* a key that was disabled comes back with the daemon's answer only */
	if (g && READ_ONCE(obj->state) == KVAULT_OBJECT_LIVE) {
		spin_lock(&g->lock);
		usable = is_usable(g, ktime_get_boottime_ns());
		spin_unlock(&g->lock);
	}
	if (usable)
		return g;
	kv_grant_put(g);
	return renew_now(obj, who, purpose);
}

/* In the background, in the name of those for whom the grant was made. */
static void renew(struct work_struct *work)
{
	struct kv_grant *g = container_of(work, struct kv_grant, renew);
	struct kv_caller who = {
		.tenant = g->object->tenant, .caller = g->caller, .opener = g->opener,
		.face = g->face, .timeout_ms = KVAULT_TIMEOUT_MS, .is_kernel = true,
	};
	struct kv_grant *same = ERR_PTR(-EKEYREVOKED);

	if (!kv_tenant_is_dead(g->object->tenant))
		same = renew_now(g->object, &who, g->purpose);
	spin_lock(&g->lock);
	g->is_renewing = false;
	if (IS_ERR(same))	/* not again at once: the daemon may be away */
		g->lease_renew = ktime_get_boottime_ns() + NSEC_PER_SEC;
	spin_unlock(&g->lock);
	kv_grant_put(same);
	kv_grant_put(g);
}

/**
 * kv_grant_take() - count one operation under a grant
 * @g: grant
 * @op: one of KVAULT_OP_*, which is counted
 * @rights: all of KVAULT_OP_* that have to be granted
 * @ret_each: out: the operation is to have a record of its own, and is counted
 *	as one that has
 *
 * Does not sleep.
 *
 * Return: 0; -ESTALE when the daemon has to confirm the grant first; -EACCES,
 * -EKEYEXPIRED.
 */
int kv_grant_take(struct kv_grant *g, u32 op, u32 rights, bool *ret_each)
{
	bool is_each = READ_ONCE(g->object->flags) & KVAULT_KEY_AUDIT_EACH;
	u64 now = ktime_get_coarse_boottime_ns();
	bool do_renew = false;
	int ret = 0;

	spin_lock(&g->lock);
	if (!is_usable(g, now))
		ret = -ESTALE;
	else if (rights & ~g->ops)
		ret = -EACCES;
	else if ((g->not_after && ktime_get_real_seconds() >= g->not_after) ||
		 (g->is_limited && !g->uses))
		ret = -EKEYEXPIRED;
	if (ret)
		goto out_unlock;
	g->uses -= g->is_limited;
	g->lease_left--;
#ifndef KVAULT_MUTANT_NO_USE_COUNT
	g->used[is_each ? KV_OPS : __ffs(op)]++;
#endif
	*ret_each = is_each;
	g->last_use = jiffies;
	g->has_news = true;
	/* below the half, and half of the rest when the daemon was away before */
	do_renew = !g->is_renewing && (g->lease_left == g->lease_half ||
				       now >= g->lease_renew);
	if (do_renew) {
		g->is_renewing = true;
		grant_get(g);
	}
out_unlock:
	spin_unlock(&g->lock);
	if (do_renew)
		queue_work(kv_grant_wq, &g->renew);
	return ret;
}

/* Reports a pause, or the end of the lease; true when there is no more to come. */
static bool report_one(struct kv_grant *g)
{
	bool is_due, is_done;

	spin_lock(&g->lock);
	is_due = (g->is_open && is_over(g)) ||
		 (g->has_news &&
		  time_after(jiffies, g->last_use + msecs_to_jiffies(KV_PAUSE_MS)));
	spin_unlock(&g->lock);
	if (is_due)	/* without room for the records: again in a moment */
		settle(g, NULL, false);
	spin_lock(&g->lock);
	is_done = !g->is_open && !g->has_news;
	if (is_done)
		g->is_active = false;
	spin_unlock(&g->lock);
	return is_done;
}

static void report(struct work_struct *work)
{
	struct kv_grant *g, *n;
	LIST_HEAD(later);
	LIST_HEAD(todo);
	bool is_empty;

	spin_lock(&kv_active_lock);
	list_splice_init(&kv_active, &todo);
	spin_unlock(&kv_active_lock);
	/* is_active keeps others from linking what is on our list */
	list_for_each_entry_safe(g, n, &todo, active) {
		list_del_init(&g->active);
		if (report_one(g))
			kv_grant_put(g);
		else
			list_add_tail(&g->active, &later);
	}
	spin_lock(&kv_active_lock);
	list_splice_tail(&later, &kv_active);
	is_empty = list_empty(&kv_active);
	spin_unlock(&kv_active_lock);
	if (!is_empty)
		schedule_delayed_work(&kv_reporter, msecs_to_jiffies(KV_REPORT_MS));
}

/**
 * kv_grant_expire_all() - the key changed: every grant on it is asked for anew
 * @obj: key version, with obj->lock held
 */
void kv_grant_expire_all(struct kv_object *obj)
{
	struct kv_grant *g;

	lockdep_assert_held(&obj->lock);
	list_for_each_entry(g, &obj->grants, link) {
		spin_lock(&g->lock);
		g->lease_left = 0;
		spin_unlock(&g->lock);
	}
}

/**
 * kv_grant_drop_all() - the key is gone, and so are all grants on it
 * @obj: key version, which the caller holds
 */
void kv_grant_drop_all(struct kv_object *obj)
{
	struct kv_grant *g, *n;
	LIST_HEAD(gone);

	mutex_lock(&obj->lock);
	list_splice_init(&obj->grants, &gone);
	mutex_unlock(&obj->lock);
	list_for_each_entry_safe(g, n, &gone, link) {
		list_del_init(&g->link);
		settle(g, NULL, true);
		kv_grant_put(g);
	}
}

/**
 * kv_grant_init() - start the renewals' queue
 *
 * Return: 0 or -ENOMEM.
 */
int kv_grant_init(void)
{
	kv_grant_wq = alloc_workqueue("kvault", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return kv_grant_wq ? 0 : -ENOMEM;
}

/**
 * kv_grant_exit() - end what runs in the background; nobody can reach the module
 */
void kv_grant_exit(void)
{
	struct kv_grant *g, *n;

	destroy_workqueue(kv_grant_wq);
	cancel_delayed_work_sync(&kv_reporter);
	list_for_each_entry_safe(g, n, &kv_active, active) {
		list_del_init(&g->active);
		kv_grant_put(g);
	}
	rcu_barrier();
}
