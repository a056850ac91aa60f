// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines: the order in which requests are served, and whom they are charged to.
 *
 *   queue (daemon, OpenSSL, PKCS#11)
 *     host | guests	in turn: the host has every second one
 *       owner		in turn: who answers for many tenants has one owner's share
 *         urgent |	in turn: what the kernel asks of its own accord, which
 *         asked	is renewals of leases, and volumes; and what callers ask
 *           tenant	in turn
 *             line	of one uid, in turn: its requests, oldest first
 *
 * So what is urgent waits for one request that was asked, however many there
 * are, and for one of the guests; and it cannot be so much that nothing else
 * is served. turn.c has the rule, owner.c the owners.
 *
 * A request is charged to the line of its uid, to the tenant and to the owner.
 * Who has too many is refused alone: EDQUOT.
 *
 *	requests in flight	host		any other tenant
 *	a line			128		32
 *	lines of a tenant	1024		64
 *	those of administrators	256		64, apart from the others
 *	all of an owner		-		256 (owner.c)
 *
 * A tenant that is full by the sum of many uids still has room for its
 * administrators, whose sum is another one: with uids enough anybody is
 * administrator of a namespace of his own, many times. What an engine does for
 * a request that the daemon has stands in the same line there. What is urgent
 * is charged to nobody: it is bounded by the grants that exist.
 *
 * A line exists while requests are charged to it.
 *
 * Lock: kv_upcall_lock.
 */
#include <linux/list.h>
#include <linux/slab.h>
#include "queue.h"
#include "upcall.h"

#define KV_LINE_MAX_HOST	128	/* requests of one uid */
#define KV_LINE_MAX		32

static u32 line_max(const struct kv_tenant *t)
{
	return t->kind == KVAULT_TENANT_HOST ? KV_LINE_MAX_HOST : KV_LINE_MAX;
}

static struct kv_line *line_new(struct kv_tenant *t, u32 uid, enum kv_line_kind kind)
{
	enum kv_urgency urgency = kind == KV_LINE_URGENT ? KV_URGENT : KV_ASKED;
	struct kv_line *line = kzalloc(sizeof(*line), GFP_KERNEL_ACCOUNT);
	int i;

	if (!line)
		return NULL;
	line->uid = uid;
	line->kind = kind;
	for (i = 0; i < KV_QUEUES; i++)
		kv_turn_init(&line->turn[i], &t->queue[i].turn[urgency]);
	return line;
}

static struct kv_line *line_find(struct kv_tenant *t, u32 uid, enum kv_line_kind kind)
{
	struct kv_line *line;

	lockdep_assert_held(&kv_upcall_lock);
	list_for_each_entry(line, &t->lines, link)
		if (line->uid == uid && line->kind == kind)
			return line;
	return NULL;
}

/* The sum of the tenant in which a line's requests are counted. */
static enum kv_charge sum_of(const struct kv_line *line)
{
	return line->kind == KV_LINE_ADMIN ? KV_CHARGE_ADMIN_REQUEST : KV_CHARGE_REQUEST;
}

/* One more request in a line; a line that is refused its first one is not kept. */
static int charge(struct kv_tenant *t, struct kv_line *line)
{
	lockdep_assert_held(&kv_upcall_lock);
	if (line->kind == KV_LINE_URGENT)
		goto out_count;
#ifndef KVAULT_MUTANT_LINE_MAX
	if (line->count >= line_max(t))
		return -EDQUOT;
#endif
	if (kv_owner_charge(t->owner))
		return -EDQUOT;
#ifdef KVAULT_MUTANT_ADMIN_HOG
	if (line->kind == KV_LINE_ADMIN &&
	    atomic_inc_return(&t->charge[KV_CHARGE_ADMIN_REQUEST]))
		goto out_count;
#endif
	if (kv_tenant_charge(t, sum_of(line))) {
		kv_owner_uncharge(t->owner);
		return -EDQUOT;
	}
out_count:
	line->count++;
	return 0;
}

/**
 * kv_line_charge() - one more request of a uid
 * @t: tenant
 * @uid: in the initial user namespace, or KV_UID_DAEMON
 * @kind: of the request
 *
 * Return: its line, charged; -EDQUOT, -ENOMEM.
 */
struct kv_line *kv_line_charge(struct kv_tenant *t, u32 uid, enum kv_line_kind kind)
{
	struct kv_line *line, *spare = NULL;
	int ret;

#ifdef KVAULT_MUTANT_ONE_LINE
	uid = 0;
#endif
	spin_lock(&kv_upcall_lock);
	line = line_find(t, uid, kind);
	if (!line) {
		spin_unlock(&kv_upcall_lock);
		spare = line_new(t, uid, kind);
		if (!spare)
			return ERR_PTR(-ENOMEM);
		spin_lock(&kv_upcall_lock);
		line = line_find(t, uid, kind) ?: spare;
	}
	ret = charge(t, line);
	if (!ret && line == spare) {
		list_add(&line->link, &t->lines);
		spare = NULL;
	}
	spin_unlock(&kv_upcall_lock);
	kfree(spare);
	return ret ? ERR_PTR(ret) : line;
}

/**
 * kv_line_charge_as() - one more request in the line of one that the daemon has
 * @t: tenant
 * @request_id: names that; any other is charged to the daemon
 *
 * Return: the line, charged; -EDQUOT, -ENOMEM.
 */
struct kv_line *kv_line_charge_as(struct kv_tenant *t, const u8 *request_id)
{
	struct kv_line *line = NULL;
	struct kv_request *req;
	struct kv_server *s;
	int ret = 0;

	spin_lock(&kv_upcall_lock);
	list_for_each_entry(s, &kv_servers, link) {
		if (s->queue != KV_QUEUE_DAEMON)
			continue;
		list_for_each_entry(req, &s->taken, link)
			if (req->tenant == t && req->line &&
			    !memcmp(req->msg.request_id, request_id, KVAULT_ID_SIZE))
				line = req->line;
	}
	if (line)
		ret = charge(t, line);
	spin_unlock(&kv_upcall_lock);
	if (!line)
		return kv_line_charge(t, KV_UID_DAEMON, KV_LINE_USER);
	return ret ? ERR_PTR(ret) : line;
}

/**
 * kv_line_uncharge() - one request less
 * @t: tenant
 * @line: where it was charged, or NULL
 */
void kv_line_uncharge(struct kv_tenant *t, struct kv_line *line)
{
	if (!line)
		return;
	spin_lock(&kv_upcall_lock);
	if (line->kind != KV_LINE_URGENT) {
		kv_tenant_uncharge(t, sum_of(line));
		kv_owner_uncharge(t->owner);
	}
	if (!--line->count) {
		list_del(&line->link);
		kfree(line);
	}
	spin_unlock(&kv_upcall_lock);
}

/**
 * kv_line_add() - put a request into its line; with the lock
 * @req: request
 * @first: before all others of the line, rather than after
 */
void kv_line_add(struct kv_request *req, bool first)
{
	struct kv_turn *turn = &req->line->turn[req->queue];

	lockdep_assert_held(&kv_upcall_lock);
	req->state = KV_REQUEST_QUEUED;
	if (first)
		list_add(&req->link, &turn->below);
	else
		list_add_tail(&req->link, &turn->below);
	kv_turn_enter(turn);
}

static struct kv_request *first_of(struct kv_turn *tenant)
{
	struct kv_turn *line = list_first_entry(&tenant->below, struct kv_turn, link);

	return list_first_entry(&line->below, struct kv_request, link);
}

/**
 * kv_line_first() - any request of a tenant that waits; with the lock
 * @tq: tenant's part of a queue
 *
 * Return: it, or NULL.
 */
struct kv_request *kv_line_first(struct kv_tenant_queue *tq)
{
	int k;

	lockdep_assert_held(&kv_upcall_lock);
	for (k = 0; k < KV_URGENCIES; k++)
		if (!list_empty(&tq->turn[k].below))
			return first_of(&tq->turn[k]);
	return NULL;
}

/**
 * kv_line_remove() - take a request out of its line; with the lock
 * @req: request
 *
 * Nobody's turn comes or goes by it: who gives up must not cost others theirs.
 */
void kv_line_remove(struct kv_request *req)
{
	lockdep_assert_held(&kv_upcall_lock);
	list_del_init(&req->link);
	if (req->line)	/* else it was for one server alone */
		kv_turn_leave(&req->line->turn[req->queue]);
}

/**
 * kv_line_take() - the request of a tenant that is next, out of its line; with the lock
 * @tenant: what kv_turn_tenant() found
 *
 * Return: it.
 */
struct kv_request *kv_line_take(struct kv_turn *tenant)
{
	struct kv_request *req = first_of(tenant);

	lockdep_assert_held(&kv_upcall_lock);
	kv_line_remove(req);
	kv_turn_served(&req->line->turn[req->queue]);
	return req;
}
