// SPDX-License-Identifier: GPL-2.0-only
/*
 * The audit queue: records of what the kernel alone sees, kept until the
 * daemon says that they are durable. Control operations are recorded by the
 * daemon, which decides them.
 *
 * A record is reserved before the operation that it will tell of, so that
 * nothing happens for which there is no room: reserve -> commit or cancel.
 * Refusals are not reserved; refusal.c says what becomes of many.
 *
 * Each tenant has a queue and numbers of its own, so that one tenant's flood
 * takes nobody else's room; and of a tenant's room one user has an eighth, so
 * that one user's flood is refused alone. What is counted under leases has
 * some that nothing else takes: without it no lease is renewed. Numbers have
 * no gaps. The queue of a tenant that has ended stays until the daemon has
 * taken and acknowledged it (tenant.c).
 */
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include "account.h"
#include "audit.h"
#include "link.h"
#include "object.h"
#include "principal.h"
#include "refusal.h"
#include "tenant.h"

#define KV_AUDIT_MAX		4096	/* records of one tenant */
#define KV_AUDIT_DENIED_MAX	1024	/* of which refusals may take so many */
#define KV_AUDIT_KEPT		256	/* that only leases and volumes may take */
#define KV_AUDIT_TURN		4	/* are read before another tenant's */

/*
 * taken is the generation of the claim that has read the record; a record is
 * freed only when it is acknowledged.
 */
struct kv_record {
	struct list_head link;
	struct kv_account *account;
	u64 taken;
	struct kvault_audit_rec rec;
};

static void record_free(struct kv_record *r)
{
	if (r)
		kv_account_uncharge(r->account, KV_ACCOUNT_RECORD);
	kfree(r);
}

static struct kv_record *reserve(struct kv_tenant *t, u32 max)
{
	struct kv_record *r;
	bool full;

	spin_lock(&t->audit_lock);
	full = t->audit_count >= max;
	if (!full)
		t->audit_count++;
	spin_unlock(&t->audit_lock);
	if (full)
		return ERR_PTR(-EAGAIN);
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r) {
		kv_audit_cancel(t, NULL);
		return ERR_PTR(-ENOMEM);
	}
	return r;
}

/**
 * kv_audit_reserve() - room for a record
 * @t: tenant
 *
 * Return: a record to commit or cancel; -EAGAIN when the tenant's queue is
 * full, -ENOMEM.
 */
struct kv_record *kv_audit_reserve(struct kv_tenant *t)
{
	return reserve(t, KV_AUDIT_MAX);
}

/**
 * kv_audit_reserve_for() - room for a record of what somebody asks for
 * @t: tenant
 * @who: charged with it until it is acknowledged
 *
 * Return: a record to commit or cancel; -EAGAIN when that user has too many, or
 * the tenant's queue is full; -ENOMEM.
 */
struct kv_record *kv_audit_reserve_for(struct kv_tenant *t, const struct kv_principal *who)
{
	struct kv_account *a = kv_account_charge(t, who, KV_ACCOUNT_RECORD);
	struct kv_record *r;

	if (IS_ERR(a))
		return ERR_PTR(a == ERR_PTR(-EDQUOT) ? -EAGAIN : PTR_ERR(a));
#ifdef KVAULT_MUTANT_NOTHING_KEPT
	r = reserve(t, KV_AUDIT_MAX);
#else
	r = reserve(t, KV_AUDIT_MAX - KV_AUDIT_KEPT);
#endif
	if (IS_ERR(r))
		kv_account_uncharge(a, KV_ACCOUNT_RECORD);
	else
		r->account = a;
	return r;
}

/**
 * kv_audit_cancel() - give a reservation back
 * @t: tenant
 * @rec: what kv_audit_reserve() returned
 */
void kv_audit_cancel(struct kv_tenant *t, struct kv_record *rec)
{
	bool is_last;

	spin_lock(&t->audit_lock);
	is_last = !--t->audit_count;
	spin_unlock(&t->audit_lock);
	record_free(rec);
	if (is_last && kv_tenant_is_dead(t))
		kv_tenant_settled(t);
}

static void fill(struct kvault_audit_rec *rec, const struct kv_tenant *t,
		 const struct kv_event *ev)
{
	rec->size = sizeof(*rec);
	rec->type = ev->type;
	rec->time = ktime_get_real_ns();
	rec->boottime = ktime_get_boottime_ns();
	memcpy(rec->tenant, t->id, sizeof(rec->tenant));
	if (ev->request_id)
		memcpy(rec->request_id, ev->request_id, sizeof(rec->request_id));
	if (ev->lease)
		memcpy(rec->lease, ev->lease, sizeof(rec->lease));
	if (ev->object) {
		memcpy(rec->key, ev->object->key, sizeof(rec->key));
		memcpy(rec->version, ev->object->version, sizeof(rec->version));
	} else if (ev->key) {
		memcpy(rec->key, ev->key, sizeof(rec->key));
		memcpy(rec->version, ev->version, sizeof(rec->version));
	}
	rec->op = ev->op;
	rec->alg = ev->alg;
	rec->status = ev->status;
	rec->face = ev->face;
	rec->count = ev->count;
	if (ev->who)
		rec->principal = ev->who->wire;
}

/**
 * kv_audit_commit() - what was reserved has happened
 * @t: tenant
 * @r: what kv_audit_reserve() returned; not the caller's any more
 * @ev: what happened
 */
void kv_audit_commit(struct kv_tenant *t, struct kv_record *r, const struct kv_event *ev)
{
	fill(&r->rec, t, ev);
	spin_lock(&t->audit_lock);
	r->rec.seq = ++t->audit_seq;
	list_add_tail(&r->link, &t->audit);
	spin_unlock(&t->audit_lock);
	kv_link_audit_ready();
}

/**
 * kv_audit_emit() - a record of something that needs no reservation
 * @t: tenant
 * @ev: what happened
 *
 * Return: 0; -EAGAIN or -ENOMEM, and nothing is recorded.
 */
int kv_audit_emit(struct kv_tenant *t, const struct kv_event *ev)
{
	struct kv_record *r = kv_audit_reserve(t);

	if (IS_ERR(r))
		return PTR_ERR(r);
	kv_audit_commit(t, r, ev);
	return 0;
}

/**
 * kv_audit_has_room() - may a refusal have a record of its own?
 * @t: tenant
 *
 * Return: true while most of the room is left to what succeeds.
 */
bool kv_audit_has_room(struct kv_tenant *t)
{
	return READ_ONCE(t->audit_count) < KV_AUDIT_DENIED_MAX;
}

static struct kv_record *next_untaken(struct kv_tenant *t, u64 generation)
{
	struct kv_record *r;

	lockdep_assert_held(&t->audit_lock);
	list_for_each_entry(r, &t->audit, link)
		if (r->taken != generation)
			return r;
	return NULL;
}

/* Nobody has read these after all, so that none is freed before it is read. */
static void untake(struct kv_tenant *t, u64 generation, u64 first, u64 last)
{
	struct kv_record *r;

	spin_lock(&t->audit_lock);
	list_for_each_entry(r, &t->audit, link)
		if (r->taken == generation && r->rec.seq >= first && r->rec.seq <= last)
			r->taken = 0;
	spin_unlock(&t->audit_lock);
}

/* Copies one record out; the queue may change while the user's page is fetched. */
static int read_one(struct kv_tenant *t, u64 generation, void __user *to)
{
	struct kvault_audit_rec *copy;
	struct kv_record *r;
	int ret = 0;

	copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	spin_lock(&t->audit_lock);
	r = next_untaken(t, generation);
	if (r) {
		r->taken = generation;
		*copy = r->rec;
	}
	spin_unlock(&t->audit_lock);
	if (r)
		ret = copy_to_user(to, copy, sizeof(*copy)) ? -EFAULT : 1;
#ifndef KVAULT_MUTANT_FAULT_TAKES
	if (ret < 0)	/* by its number: the record itself may be gone */
		untake(t, generation, copy->seq, copy->seq);
#endif
	kfree(copy);
	return ret;
}

/**
 * kv_audit_pending() - is there a record that this claim has not read?
 * @generation: of the claim
 *
 * Return: true if there is.
 */
bool kv_audit_pending(u64 generation)
{
	struct kv_tenant *t = NULL;
	bool found = false;

	while (!found && (t = kv_tenant_next_log(t))) {
		spin_lock(&t->audit_lock);
		found = next_untaken(t, generation);
		spin_unlock(&t->audit_lock);
	}
	if (found)
		kv_tenant_put(t);
	return found;
}

/**
 * struct reading - records on their way to the daemon
 * @generation: of the claim
 * @to: where to
 * @room: for so many
 * @n: so many are there
 * @is_more: somebody's turn ended before his records did
 * @error: 0 or negative errno
 */
struct reading {
	u64 generation;
	struct kvault_audit_rec __user *to;
	u32 room;
	u32 n;
	bool is_more;
	int error;
};

/* The generation of the tenant whose turn was last. */
static u64 kv_audit_turn;

static bool is_over(const struct reading *rd)
{
	return rd->error || rd->n == rd->room;
}

/* A tenant's turn: it is the next one's then, so that a flood delays nobody else. */
static void read_turn(struct reading *rd, struct kv_tenant *t)
{
#ifdef KVAULT_MUTANT_AUDIT_NO_TURNS
	const u32 turn = U32_MAX;
#else
	const u32 turn = KV_AUDIT_TURN;
#endif
	const u32 n = rd->n;
	int ret;

	do {
		ret = read_one(t, rd->generation, rd->to + rd->n);
		rd->n += ret == 1;
		rd->error = min(ret, 0);
	} while (ret == 1 && !is_over(rd) && rd->n - n < turn);
	if (rd->n != n)
		WRITE_ONCE(kv_audit_turn, t->generation);
	rd->is_more |= ret == 1;
}

static void read_turns(struct reading *rd, u64 from, u64 to)
{
	struct kv_tenant *t = kv_tenant_after_log(from);

	while (t && t->generation <= to && !is_over(rd)) {
		read_turn(rd, t);
		t = kv_tenant_next_log(t);
	}
	kv_tenant_put(t);
}

/**
 * kv_audit_read() - copy records that this claim has not read
 * @generation: of the claim
 * @ubuf: where to
 * @len: in: room; out: bytes written
 * @ret_more: out: 1 when there are further ones
 *
 * Return: 0; -EMSGSIZE without room for one record; -EFAULT, -ENOMEM when not
 * one could be copied, and none counts as read.
 */
int kv_audit_read(u64 generation, u64 __user *ubuf, u32 *len, u32 *ret_more)
{
	struct reading rd = {
		.generation = generation, .to = (struct kvault_audit_rec __user *)ubuf,
		.room = *len / sizeof(struct kvault_audit_rec),
	};
	u64 last;

	if (!rd.room)
		return -EMSGSIZE;
	do {
		rd.is_more = false;
		last = READ_ONCE(kv_audit_turn);
		read_turns(&rd, last, U64_MAX);
		read_turns(&rd, 0, last);
	} while (rd.is_more && !is_over(&rd));
	*len = rd.n * sizeof(*rd.to);
	*ret_more = kv_audit_pending(generation);
	return rd.n ? 0 : rd.error;
}

/**
 * kv_audit_unread() - the daemon was not told what it has read
 * @generation: of the claim; reads all that is not acknowledged once more
 */
void kv_audit_unread(u64 generation)
{
	struct kv_tenant *t = NULL;

	while ((t = kv_tenant_next_log(t)))
		untake(t, generation, 0, U64_MAX);
}

/**
 * kv_audit_ack() - records are durable
 * @t: tenant
 * @seq: up to this number
 */
void kv_audit_ack(struct kv_tenant *t, u64 seq)
{
	struct kv_record *r, *n;
	LIST_HEAD(done);

	spin_lock(&t->audit_lock);
	list_for_each_entry_safe(r, n, &t->audit, link) {
		/* one that nobody has read cannot be durable */
		if (r->rec.seq > seq || !r->taken)
			break;
		list_move_tail(&r->link, &done);
		t->audit_count--;
	}
	spin_unlock(&t->audit_lock);
	list_for_each_entry_safe(r, n, &done, link)
		record_free(r);
	if (kv_tenant_is_dead(t))
		kv_tenant_settled(t);
	else
		kv_refusals_flush(t);
}

/**
 * kv_audit_drop_all() - forget what nobody has taken
 * @t: tenant
 *
 * Return: how many records are lost by it.
 */
u32 kv_audit_drop_all(struct kv_tenant *t)
{
	struct kv_record *r, *n;
	LIST_HEAD(lost);
	u32 count = 0;

	spin_lock(&t->audit_lock);
	list_splice_init(&t->audit, &lost);
	list_for_each_entry(r, &lost, link)
		count++;
	t->audit_count -= count;
	spin_unlock(&t->audit_lock);
	list_for_each_entry_safe(r, n, &lost, link)
		record_free(r);
	return count;
}
