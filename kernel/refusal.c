// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refusals in the audit log. Anyone can be refused as often as he likes, so a
 * flood of refusals must not cost a flood of records:
 *
 *   kind	a uid of a tenant and an errno
 *   the first	KV_REFUSALS_EACH of a kind have a record each
 *   the rest	is counted, and a record with the count tells of it when the
 *		window is over; while the flood lasts windows get longer, from
 *		KV_WINDOW_MS to KV_WINDOW_MS_MAX
 *
 * A kind without a refusal for a window is forgotten. When there are too many
 * kinds a refusal has a record of its own, whatever its kind, so that nobody's
 * first refusal is hidden behind those of others; but a uid with many kinds of
 * its own is counted only. What has no room for a record is lost, too; how many
 * that were is told by a record of its own as soon as there is room.
 *
 * Lock: tenant->audit_lock. Kinds are removed by the flush alone, of which
 * there is one at a time, so it may look at one without the lock.
 */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "audit.h"
#include "principal.h"
#include "refusal.h"
#include "tenant.h"

#define KV_REFUSALS_EACH	4
#define KV_KINDS_MAX		64	/* of one tenant at once */
#define KV_KINDS_UID_MAX	4	/* of one uid */
#define KV_WINDOW_MS		1000
#define KV_WINDOW_MS_MAX	10000

/**
 * struct kv_kind - refusals of one uid with one errno
 * @link: in tenant->audit_refusals
 * @uid: in the initial user namespace
 * @status: negative errno
 * @seen: how many have a record of their own
 * @window_ms: length of the window
 * @end: of the window, jiffies
 * @count: refusals that have no record yet
 * @who: the newest one's principal, a reference; NULL while @count is 0
 */
struct kv_kind {
	struct list_head link;
	u32 uid;
	s32 status;
	u32 seen;
	u32 window_ms;
	unsigned long end;
	u64 count;
	struct kv_principal *who;
};

static void schedule_flush(struct kv_tenant *t, u32 ms)
{
	kv_tenant_get(t);
	if (!schedule_delayed_work(&t->audit_flush, msecs_to_jiffies(ms)))
		kv_tenant_put(t);
}

static void begin_window(struct kv_kind *k, u32 ms)
{
	k->window_ms = min_t(u32, ms, KV_WINDOW_MS_MAX);
	k->end = jiffies + msecs_to_jiffies(k->window_ms);
}

static struct kv_kind *find_kind(struct kv_tenant *t, u32 uid, s32 status)
{
	struct kv_kind *k;

	lockdep_assert_held(&t->audit_lock);
	list_for_each_entry(k, &t->audit_refusals, link)
		if (k->uid == uid && k->status == status)
			return k;
	return NULL;
}

static u32 uid_of(const struct kv_event *ev)
{
	return ev->who ? ev->who->wire.uid : 0;
}

static bool has_many_kinds(struct kv_tenant *t, u32 uid)
{
	struct kv_kind *k;
	u32 n = 0;

	lockdep_assert_held(&t->audit_lock);
	list_for_each_entry(k, &t->audit_refusals, link)
		n += k->uid == uid;
	return n >= KV_KINDS_UID_MAX;
}

/*
 * The kind of a refusal, with the lock; @spare becomes it when it is a new one.
 * NULL when there is none, and no room for it.
 */
static struct kv_kind *kind_of(struct kv_tenant *t, const struct kv_event *ev,
			       struct kv_kind **spare)
{
	u32 uid = uid_of(ev);
	struct kv_kind *k = find_kind(t, uid, ev->status);

	if (k || !*spare || t->audit_kinds >= KV_KINDS_MAX || has_many_kinds(t, uid))
		return k;
	k = *spare;
	*spare = NULL;
	k->uid = uid;
	k->status = ev->status;
	begin_window(k, KV_WINDOW_MS);
	list_add_tail(&k->link, &t->audit_refusals);
	t->audit_kinds++;
	return k;
}

enum verdict { IN_FULL, COUNTED, LOST };

static enum verdict note(struct kv_tenant *t, const struct kv_event *ev, struct kv_kind **spare)
{
	enum verdict verdict = IN_FULL;
	struct kv_principal *old = NULL;
	struct kv_kind *k;

	spin_lock(&t->audit_lock);
	if (kv_tenant_is_dead(t)) {
		spin_unlock(&t->audit_lock);
		return LOST;
	}
	schedule_flush(t, KV_WINDOW_MS);
	k = kind_of(t, ev, spare);
	if (!k) {
#ifdef KVAULT_MUTANT_NO_KIND_NO_RECORD
		verdict = LOST;
#else
		verdict = has_many_kinds(t, uid_of(ev)) ? LOST : IN_FULL;
#endif
#ifndef KVAULT_MUTANT_DENIED_FLOOD
	} else if (k->seen >= KV_REFUSALS_EACH) {
		k->count += ev->count;
		old = k->who;
		k->who = ev->who ? kv_principal_get(ev->who) : NULL;
		verdict = COUNTED;
#endif
	} else {
		k->seen++;
	}
	spin_unlock(&t->audit_lock);
	kv_principal_put(old);
	return verdict;
}

/**
 * kv_audit_denied() - a refusal; never fails, may be counted only
 * @t: tenant
 * @ev: what was refused
 */
void kv_audit_denied(struct kv_tenant *t, const struct kv_event *ev)
{
	enum verdict verdict;
	struct kv_kind *spare;

#ifdef KVAULT_MUTANT_NO_DENIED_RECORD
	return;
#endif
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	verdict = note(t, ev, &spare);
	kfree(spare);
	if (verdict == LOST ||
	    (verdict == IN_FULL && (!kv_audit_has_room(t) || kv_audit_emit(t, ev))))
		kv_refusals_lost(t, ev->count);
}

/**
 * kv_refusals_lost() - records that could not be kept
 * @t: whose they were; when it is dead they are told in the host's log
 * @count: how many
 */
void kv_refusals_lost(struct kv_tenant *t, u64 count)
{
	if (!count)
		return;
	if (kv_tenant_is_dead(t))
		t = kv_tenant_host();
	spin_lock(&t->audit_lock);
	t->audit_lost += count;
	if (!kv_tenant_is_dead(t))	/* else the module goes */
		schedule_flush(t, KV_WINDOW_MS);
	spin_unlock(&t->audit_lock);
}

/* The next kind whose window is over. */
static struct kv_kind *next_due(struct kv_tenant *t)
{
	struct kv_kind *k;

	lockdep_assert_held(&t->audit_lock);
	list_for_each_entry(k, &t->audit_refusals, link)
		if (time_after_eq(jiffies, k->end))
			return k;
	return NULL;
}

/* Records the count of a kind; without room it goes on counting. */
static bool tell_kind(struct kv_tenant *t, struct kv_kind *k)
{
	struct kv_event ev = { .type = KVAULT_AUDIT_DENIED, .status = k->status };
	struct kv_principal *who;
	bool told;

	spin_lock(&t->audit_lock);
	ev.count = k->count;
	who = k->who;
	k->count = 0;
	k->who = NULL;
	spin_unlock(&t->audit_lock);
	ev.who = who;
	told = kv_audit_has_room(t) && !kv_audit_emit(t, &ev);
	spin_lock(&t->audit_lock);
	if (!told) {
		k->count += ev.count;
		if (!k->who)
			swap(k->who, who);
	}
	spin_unlock(&t->audit_lock);
	kv_principal_put(who);
	return told;
}

static void tell_lost(struct kv_tenant *t)
{
	struct kv_event ev = { .type = KVAULT_AUDIT_LOST };

	spin_lock(&t->audit_lock);
	swap(ev.count, t->audit_lost);
	spin_unlock(&t->audit_lock);
	if (!ev.count || (kv_audit_has_room(t) && !kv_audit_emit(t, &ev)))
		return;
	spin_lock(&t->audit_lock);
	t->audit_lost += ev.count;
	spin_unlock(&t->audit_lock);
}

/* One window of one kind is over. */
static void end_window(struct kv_tenant *t, struct kv_kind *k, bool is_last)
{
	bool is_over;

	if (READ_ONCE(k->count))
		tell_kind(t, k);
	else
		is_last = true;
	spin_lock(&t->audit_lock);
	/* one more may have come in between: then it is not over */
	is_over = is_last && !k->count;
	if (is_over) {
		list_del(&k->link);
		t->audit_kinds--;
	} else {
		begin_window(k, 2 * k->window_ms);
		list_move_tail(&k->link, &t->audit_refusals);
	}
	spin_unlock(&t->audit_lock);
	if (is_over) {
		kv_principal_put(k->who);
		kfree(k);
	}
}

static void flush(struct work_struct *work)
{
	struct kv_tenant *t = container_of(to_delayed_work(work), struct kv_tenant, audit_flush);
	struct kv_kind *k;
	bool again;

	do {
		spin_lock(&t->audit_lock);
		k = next_due(t);
		spin_unlock(&t->audit_lock);
		if (k)
			end_window(t, k, false);
	} while (k);
	tell_lost(t);
	spin_lock(&t->audit_lock);
	again = !kv_tenant_is_dead(t) && (t->audit_kinds || t->audit_lost);
	if (again)
		schedule_flush(t, KV_WINDOW_MS);
	spin_unlock(&t->audit_lock);
	kv_tenant_put(t);
}

/**
 * kv_refusals_init() - a new tenant
 * @t: tenant
 */
void kv_refusals_init(struct kv_tenant *t)
{
	INIT_LIST_HEAD(&t->audit_refusals);
	INIT_DELAYED_WORK(&t->audit_flush, flush);
}

/**
 * kv_refusals_flush() - there is room again for what was lost
 * @t: live tenant
 */
void kv_refusals_flush(struct kv_tenant *t)
{
	if (READ_ONCE(t->audit_lost))
		tell_lost(t);
}

/**
 * kv_refusals_end() - the tenant is dead: record what is counted
 * @t: tenant; no refusal of it is counted any more
 */
void kv_refusals_end(struct kv_tenant *t)
{
	struct kv_kind *k, *n;
	u64 lost;

	/* who saw it alive has scheduled before this */
	spin_lock(&t->audit_lock);
	spin_unlock(&t->audit_lock);
	if (cancel_delayed_work_sync(&t->audit_flush))
		kv_tenant_put(t);
	list_for_each_entry_safe(k, n, &t->audit_refusals, link) {
		if (k->count && !tell_kind(t, k)) {
			t->audit_lost += k->count;
			k->count = 0;
		}
		end_window(t, k, true);
	}
	tell_lost(t);
	spin_lock(&t->audit_lock);
	lost = t->audit_lost;
	t->audit_lost = 0;
	spin_unlock(&t->audit_lock);
	kv_refusals_lost(t, lost);
}

/**
 * kv_refusals_free() - the last reference to the tenant is gone
 * @t: tenant
 */
void kv_refusals_free(struct kv_tenant *t)
{
	struct kv_kind *k, *n;

	list_for_each_entry_safe(k, n, &t->audit_refusals, link) {
		kv_principal_put(k->who);
		kfree(k);
	}
}
