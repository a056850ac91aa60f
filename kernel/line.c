// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines: the order in which requests are served, and whom they are charged to.
 *
 *   queue (daemon, OpenSSL, PKCS#11)
 *     tenant		in turn
 *       urgent		what the kernel asks of its own accord: renewals of
 *			leases, and volumes. Before all lines; charged to
 *			nobody, for it is bounded by what exists
 *       line		of one uid, in turn: what callers ask, oldest first
 *
 * A request is charged to the line of its uid, and to the tenant. Who has too
 * many is refused alone: EDQUOT. A tenant that is full by the sum of many uids
 * still has room for its administrators, whose sum is another one: with uids
 * enough anybody is administrator of a namespace of his own, many times. What
 * an engine does for a request that the daemon has stands in the same line there.
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

static struct kv_line *line_new(u32 uid, bool is_admin)
{
	struct kv_line *line = kzalloc(sizeof(*line), GFP_KERNEL_ACCOUNT);
	int i;

	if (!line)
		return NULL;
	line->uid = uid;
	line->is_admin = is_admin;
	for (i = 0; i < KV_QUEUES; i++) {
		INIT_LIST_HEAD(&line->queue[i].link);
		INIT_LIST_HEAD(&line->queue[i].waiting);
	}
	return line;
}

static struct kv_line *line_find(struct kv_tenant *t, u32 uid, bool is_admin)
{
	struct kv_line *line;

	lockdep_assert_held(&kv_upcall_lock);
	list_for_each_entry(line, &t->lines, link)
		if (line->uid == uid && line->is_admin == is_admin)
			return line;
	return NULL;
}

/* The sum of the tenant in which a line's requests are counted. */
static enum kv_charge sum_of(const struct kv_line *line)
{
	return line->is_admin ? KV_CHARGE_ADMIN_REQUEST : KV_CHARGE_REQUEST;
}

/* One more request in a line; a line that is refused its first one is not kept. */
static int charge(struct kv_tenant *t, struct kv_line *line)
{
	lockdep_assert_held(&kv_upcall_lock);
#ifndef KVAULT_MUTANT_LINE_MAX
	if (line->count >= line_max(t))
		return -EDQUOT;
#endif
#ifdef KVAULT_MUTANT_ADMIN_HOG
	if (line->is_admin && atomic_inc_return(&t->charge[KV_CHARGE_ADMIN_REQUEST])) {
		line->count++;
		return 0;
	}
#endif
	if (kv_tenant_charge(t, sum_of(line)))
		return -EDQUOT;
	line->count++;
	return 0;
}

/**
 * kv_line_charge() - one more request of a uid
 * @t: tenant
 * @uid: in the initial user namespace, or KV_UID_DAEMON
 * @is_admin: it is an administrator of the tenant
 *
 * Return: its line, charged; -EDQUOT, -ENOMEM.
 */
struct kv_line *kv_line_charge(struct kv_tenant *t, u32 uid, bool is_admin)
{
	struct kv_line *line, *spare = NULL;
	int ret;

#ifdef KVAULT_MUTANT_ONE_LINE
	uid = 0;
#endif
	spin_lock(&kv_upcall_lock);
	line = line_find(t, uid, is_admin);
	if (!line) {
		spin_unlock(&kv_upcall_lock);
		spare = line_new(uid, is_admin);
		if (!spare)
			return ERR_PTR(-ENOMEM);
		spin_lock(&kv_upcall_lock);
		line = line_find(t, uid, is_admin) ?: spare;
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
		return kv_line_charge(t, KV_UID_DAEMON, false);
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
	kv_tenant_uncharge(t, sum_of(line));
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
	struct kv_tenant_queue *tq = &req->tenant->queue[req->queue];
	struct list_head *waiting = &tq->urgent;

	lockdep_assert_held(&kv_upcall_lock);
	req->state = KV_REQUEST_QUEUED;
	if (req->line) {
		waiting = &req->line->queue[req->queue].waiting;
		if (list_empty(waiting))
			list_add_tail(&req->line->queue[req->queue].link, &tq->lines);
	}
	if (first)
		list_add(&req->link, waiting);
	else
		list_add_tail(&req->link, waiting);
	if (list_empty(&tq->link))
		list_add_tail(&tq->link, &kv_queues[req->queue].tenants);
}

/**
 * kv_line_first() - the request of a tenant that is next; with the lock
 * @tq: tenant's part of a queue
 *
 * Return: it, or NULL.
 */
struct kv_request *kv_line_first(struct kv_tenant_queue *tq)
{
	struct kv_line_queue *lq;

	lockdep_assert_held(&kv_upcall_lock);
	if (!list_empty(&tq->urgent))
		return list_first_entry(&tq->urgent, struct kv_request, link);
	lq = list_first_entry_or_null(&tq->lines, struct kv_line_queue, link);
	return lq ? list_first_entry(&lq->waiting, struct kv_request, link) : NULL;
}

/**
 * kv_line_remove() - take a request out of its line; with the lock
 * @req: request
 *
 * Nobody's turn comes or goes by it: who gives up must not cost others theirs.
 */
void kv_line_remove(struct kv_request *req)
{
	struct kv_tenant_queue *tq = &req->tenant->queue[req->queue];
	struct kv_line_queue *lq = req->line ? &req->line->queue[req->queue] : NULL;

	lockdep_assert_held(&kv_upcall_lock);
	list_del_init(&req->link);
	if (lq && list_empty(&lq->waiting))
		list_del_init(&lq->link);
	if (!kv_line_first(tq))
		list_del_init(&tq->link);
}

/**
 * kv_line_take() - the request of a tenant that is next, out of its line; with the lock
 * @tq: tenant's part of a queue, with requests
 *
 * The next one of the tenant is another line's, and that of the queue another
 * tenant's, as far as there are any.
 *
 * Return: it.
 */
struct kv_request *kv_line_take(struct kv_tenant_queue *tq)
{
	struct kv_request *req = kv_line_first(tq);
	struct kv_line_queue *lq = req->line ? &req->line->queue[req->queue] : NULL;

	lockdep_assert_held(&kv_upcall_lock);
	kv_line_remove(req);
#ifndef KVAULT_MUTANT_NO_TURNS
	if (lq && !list_empty(&lq->link))
		list_move_tail(&lq->link, &tq->lines);
#endif
	if (!list_empty(&tq->link))
		list_move_tail(&tq->link, &kv_queues[req->queue].tenants);
	return req;
}
