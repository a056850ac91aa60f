// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests: what the kernel asks of the daemon and of the engines. Submit,
 * wait, finish, abort. This file knows neither what a request is about nor
 * how a server came to be one (link.c, engine.c).
 *
 *               .------- server's file closed, tried less than allowed --.
 *               v                                                         |
 *   NEW ---> QUEUED --[pick]--> TAKEN --[server_reply]--> DONE            |
 *               |                 |  `--------------------------[requeue]-'
 *               |                 |                          `--> DONE (EIO)
 *               `--[abandon]------+--> DEAD
 *
 * Who waits for a request leaves by answer, time-out or fatal signal, and
 * only one of them wins, under kv_upcall_lock. A request that dies while a
 * server has it stays with the server until that answers (ENOENT) or closes.
 *
 * References: one for who made it and waits, one for the expiry timer while it
 * runs, one for the queue, which passes to the server with the request.
 *
 * Locks: server->exchange_lock -> kv_upcall_lock (spinlock, a leaf). Payload
 * is copied without a lock; it does not change once a request is queued.
 *
 * Every wait of the module, and what ends it besides the event itself:
 *
 *   where                     waits for                ends by
 *   kv_request_wait()         daemon or engine         time-out, fatal signal
 *     KVAULT_CONTROL, _OPEN, operations, request_key(), pkey_*, setkey of paes
 *   kv_server_exchange()      a message to take        any signal, end of the file
 *   kv_engine_forget()        engines to forget a key  500 ms in all, then a kill
 *     in a work item of OBJECT_SET's, not in a system call
 *   suspend() in object.c     operations under way     they do not wait themselves
 *   paes: stop of a volume    I/O under way            the device's own time-outs
 *   get_random_bytes_wait()   the first entropy        any signal
 *
 * Nothing waits while it holds a lock that one of these takes to end; what
 * runs in the background (renewal of leases) waits as kv_request_wait() does.
 *
 * Fairness: line.c has the order. The daemon decides one request of a tenant
 * at a time, unless it parked that one to wait for an engine.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "grant.h"
#include "link.h"
#include "live.h"
#include "object.h"
#include "principal.h"
#include "queue.h"
#include "upcall.h"

#define KV_LOST_MS		10000	/* how long the return of a server is waited for */

DEFINE_SPINLOCK(kv_upcall_lock);
struct kv_queue kv_queues[KV_QUEUES];
LIST_HEAD(kv_servers);
static u64 kv_cookies;
static struct workqueue_struct *kv_expire_wq;

/**
 * kv_answer_done() - wipe and free what an answer holds
 * @ans: answer; may be empty
 */
void kv_answer_done(struct kv_answer *ans)
{
	if (ans->buf)
		memzero_explicit(ans->buf, ans->size);
	kvfree(ans->buf);
	memset(ans, 0, sizeof(*ans));
}

/**
 * kv_answer_error() - what a server's error becomes for the caller
 * @status: what the server said, not 0
 *
 * Return: a negative errno of the contract in kvault.h; -EIO for any other.
 */
int kv_answer_error(s32 status)
{
	static const int known[] = {
		EINVAL, EOPNOTSUPP, EMSGSIZE, ENOKEY, EACCES, EKEYREVOKED, EKEYEXPIRED,
		EKEYREJECTED, EBADMSG, EDQUOT, EAGAIN, EHOSTDOWN, ETIMEDOUT, ESTALE, ENOMEM,
	};
	int i;

#ifdef KVAULT_MUTANT_RAW_ERRNO
	return status;
#endif
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (status == -known[i])
			return status;
	return -EIO;
}

static void request_expire(struct work_struct *work);

/**
 * kv_request_new() - make a request
 * @queue: who shall take it
 * @t: whose it is
 * @line: where it was charged, the request's from here on; NULL for one that
 *	is told to one server alone
 * @type: enum kvault_msg_type
 * @op: see struct kvault_msg
 * @seg: KVAULT_MSG_SEGMENTS segments, copied
 * @timeout_ms: for the deadline that the server is told
 *
 * Return: the request with one reference; -ENOMEM, -EMSGSIZE.
 */
struct kv_request *kv_request_new(enum kv_queue_id queue, struct kv_tenant *t,
				  struct kv_line *line, u32 type, u32 op,
				  const struct kv_seg *seg, u32 timeout_ms)
{
	struct kv_request *req = NULL;
	u8 *to = NULL;
	u64 len = 0;
	int i;

	for (i = 0; seg && i < KVAULT_MSG_SEGMENTS; i++)
		len += seg[i].len;
	if (len <= KVAULT_MSG_MAX - sizeof(struct kvault_msg)) {
		req = kzalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);
		to = kvmalloc(len ?: 1, GFP_KERNEL_ACCOUNT);
	}
	if (!req || !to) {
		kfree(req);
		kvfree(to);
		kv_line_uncharge(t, line);
		return ERR_PTR(len > KVAULT_MSG_MAX - sizeof(struct kvault_msg) ? -EMSGSIZE :
			       -ENOMEM);
	}
	req->is_noted = type == KVAULT_MSG_ENGINE_DONE || type == KVAULT_MSG_TENANT_GONE;
	req->line = line;
	kv_live_inc(KV_LIVE_REQUEST);
	refcount_set(&req->refs, 1);
	INIT_LIST_HEAD(&req->link);
	INIT_DELAYED_WORK(&req->expire, request_expire);
	init_completion(&req->done);
	req->queue = queue;
	req->tenant = kv_tenant_get(t);
	req->payload = to;
	req->payload_len = len;
	req->msg.size = sizeof(req->msg);
	req->msg.type = type;
	req->msg.op = op;
	get_random_bytes(req->msg.request_id, sizeof(req->msg.request_id));
	memcpy(req->msg.tenant, t->id, sizeof(req->msg.tenant));
	req->msg.revision = atomic64_read(&t->policy);
	req->msg.deadline = ktime_get_boottime_ns() + (u64)timeout_ms * NSEC_PER_MSEC;
	req->msg.tenant_kind = t->kind;
	for (i = 0; seg && i < KVAULT_MSG_SEGMENTS; i++) {
		req->msg.len[i] = seg[i].len;
		memcpy(to, seg[i].p, seg[i].len);
		to += seg[i].len;
	}
	return req;
}

/**
 * kv_request_put() - drop a reference
 * @req: request
 */
void kv_request_put(struct kv_request *req)
{
	if (!refcount_dec_and_test(&req->refs))
		return;
	kv_answer_done(&req->ans);
	memzero_explicit(req->payload, req->payload_len);
	kvfree(req->payload);
	kv_object_put(req->object);
	kv_line_uncharge(req->tenant, req->line);
	kv_tenant_put(req->tenant);
	kv_live_dec(KV_LIVE_REQUEST);
	kfree(req);
}

/**
 * kv_request_cookie() - a number for a request on its way; with the lock
 *
 * Return: one that was not used before.
 */
u64 kv_request_cookie(void)
{
	lockdep_assert_held(&kv_upcall_lock);
	return ++kv_cookies;
}

static bool is_served(enum kv_queue_id queue)
{
	if (queue == KV_QUEUE_DAEMON)
		return kv_link_state() == KVAULT_DAEMON_PRESENT;
	return kv_queues[queue].servers;
}

static bool is_hopeless(enum kv_queue_id queue)
{
	if (queue == KV_QUEUE_DAEMON)
		return kv_link_state() == KVAULT_DAEMON_ABSENT;
	return !kv_queues[queue].was_served;
}

/**
 * kv_request_queue() - hand a request in
 * @req: request; the queue takes a reference of its own
 *
 * From here on a request with @req->finish ends by itself after
 * @req->timeout_ms.
 *
 * Return: 0; -EHOSTDOWN when nobody serves the queue or is expected back;
 * -EKEYREVOKED when the tenant is dead.
 */
int kv_request_queue(struct kv_request *req)
{
	spin_lock(&kv_upcall_lock);
	if (kv_tenant_is_dead(req->tenant)) {
		spin_unlock(&kv_upcall_lock);
		return -EKEYREVOKED;
	}
	if (is_hopeless(req->queue)) {
		spin_unlock(&kv_upcall_lock);
		return -EHOSTDOWN;
	}
	refcount_inc(&req->refs);
	req->msg.cookie = kv_request_cookie();
	kv_line_add(req, false);
	if (req->finish) {
		refcount_inc(&req->refs);
		queue_delayed_work(kv_expire_wq, &req->expire, msecs_to_jiffies(req->timeout_ms));
	}
	spin_unlock(&kv_upcall_lock);
	wake_up_interruptible_poll(&kv_queues[req->queue].wq, EPOLLIN);
	return 0;
}

/* The one who waits leaves. Tells whether an answer was there before. */
static bool abandon(struct kv_request *req)
{
	bool was_queued = false, is_done;

	spin_lock(&kv_upcall_lock);
	is_done = req->state == KV_REQUEST_DONE;
	if (req->state == KV_REQUEST_QUEUED) {
		kv_line_remove(req);
		was_queued = true;
	}
	if (!is_done)
		req->state = KV_REQUEST_DEAD;
	spin_unlock(&kv_upcall_lock);
	if (was_queued)
		kv_request_put(req);
	return is_done;
}

/**
 * kv_request_wait() - wait for the answer to a queued request
 * @req: request
 * @timeout_ms: how long; shorter while no server is there
 * @ans: out: the answer, the caller's to release; written on success only
 *
 * Return: 0; -ETIMEDOUT; -EHOSTDOWN when nobody served until the end; -EINTR
 * when a fatal signal came; what the request was aborted with.
 */
int kv_request_wait(struct kv_request *req, u32 timeout_ms, struct kv_answer *ans)
{
	u32 ms = is_served(req->queue) ? timeout_ms : min_t(u32, timeout_ms, KV_LOST_MS);
	long left;

	left = wait_for_completion_killable_timeout(&req->done, msecs_to_jiffies(ms));
#ifndef KVAULT_MUTANT_SHORT_WAIT
	/* one has come back, and may be at it: the caller's own time is not over */
	if (!left && ms < timeout_ms && is_served(req->queue))
		left = wait_for_completion_killable_timeout(&req->done,
							    msecs_to_jiffies(timeout_ms - ms));
#endif
	if (!abandon(req)) {
		if (left < 0)
			return -EINTR;
		return is_served(req->queue) ? -ETIMEDOUT : -EHOSTDOWN;
	}
	if (!req->ans.buf && req->ans.status < 0)
		return req->ans.status;
	*ans = req->ans;
	memset(&req->ans, 0, sizeof(req->ans));
	return 0;
}

/**
 * kv_request_finish() - a request is DONE: tell who waits for it
 * @req: request; the caller has a reference and no lock
 */
void kv_request_finish(struct kv_request *req)
{
	if (!req->finish) {
		complete(&req->done);
		return;
	}
	req->finish(req);
	if (cancel_delayed_work(&req->expire))
		kv_request_put(req);
}

static void request_expire(struct work_struct *work)
{
	struct kv_request *req = container_of(to_delayed_work(work), struct kv_request, expire);

	if (!abandon(req)) {
		req->ans.status = -ETIMEDOUT;
		req->finish(req);
	}
	kv_request_put(req);
}

/**
 * kv_request_note() - tell the daemon something that needs no answer
 * @req: request of a type that is noted, passed over
 *
 * Without a daemon it is dropped: the next one asks for the state.
 */
void kv_request_note(struct kv_request *req)
{
	struct kv_server *s;
	bool sent = false;

	spin_lock(&kv_upcall_lock);
	list_for_each_entry(s, &kv_servers, link)
		if (s->queue == KV_QUEUE_DAEMON && !sent) {
			list_add_tail(&req->link, &s->own);
			sent = true;
		}
	spin_unlock(&kv_upcall_lock);
	if (sent)
		wake_up_interruptible_poll(&kv_queues[KV_QUEUE_DAEMON].wq, EPOLLIN);
	else
		kv_request_put(req);
}

/**
 * kv_upcall_tenant_gone() - tell the daemon that an ephemeral tenant ended
 * @t: tenant
 */
void kv_upcall_tenant_gone(struct kv_tenant *t)
{
	struct kv_request *req;

	req = kv_request_new(KV_QUEUE_DAEMON, t, NULL, KVAULT_MSG_TENANT_GONE, 0, NULL, 0);
	if (!IS_ERR(req))
		kv_request_note(req);
}

/*
 * What is left of the caller's time, in ms. Most calls ask nobody, so it does
 * not begin to run before the first question.
 */
static u32 time_left(struct kv_caller *who)
{
	u64 now = ktime_get_boottime_ns();

#ifdef KVAULT_MUTANT_TIME_EACH
	return who->timeout_ms;
#endif
	if (!who->deadline)
		who->deadline = now + (u64)who->timeout_ms * NSEC_PER_MSEC;
	return now < who->deadline ? DIV_ROUND_UP_ULL(who->deadline - now, NSEC_PER_MSEC) : 0;
}

/* The line of who asks. */
static struct kv_line *line_of(const struct kv_caller *who)
{
	const struct kvault_principal *w = &who->caller->wire;

	enum kv_line_kind kind = w->flags & KVAULT_PRINCIPAL_ADMIN ? KV_LINE_ADMIN : KV_LINE_USER;

#ifndef KVAULT_MUTANT_NOT_URGENT
	if (who->is_kernel)
		kind = KV_LINE_URGENT;
#endif
	return kv_line_charge(who->tenant, w->uid, kind);
}

/**
 * kv_upcall_daemon() - ask the daemon and wait
 * @who: in whose name; gets the request's id
 * @type: enum kvault_msg_type
 * @op: see struct kvault_msg
 * @seg: KVAULT_MSG_SEGMENTS segments, of which the first is filled in here
 * @ans: out: the answer, to be released; written on success only
 *
 * Sleeps, killable, as long as the caller's time is not over: it is for all that
 * one call asks. Raises the tenant's policy revision to the answer's.
 *
 * Return: 0 when there is an answer, whatever it says; see kv_request_wait().
 */
int kv_upcall_daemon(struct kv_caller *who, u32 type, u32 op,
		     const struct kv_seg *seg, struct kv_answer *ans)
{
	struct kvault_principal *both;
	struct kv_seg full[KVAULT_MSG_SEGMENTS];
	u32 ms = time_left(who);
	struct kv_request *req;
	struct kv_line *line;
	int ret;

	if (!ms)
		return -ETIMEDOUT;
	line = line_of(who);
	if (IS_ERR(line))
		return PTR_ERR(line);
	both = kmalloc_array(2, sizeof(*both), GFP_KERNEL);
	if (!both) {
		kv_line_uncharge(who->tenant, line);
		return -ENOMEM;
	}
	both[0] = who->caller->wire;
	both[1] = who->opener->wire;
	memcpy(full, seg, sizeof(full));
	full[0] = (struct kv_seg){ both, 2 * sizeof(*both) };
	req = kv_request_new(KV_QUEUE_DAEMON, who->tenant, line, type, op, full, ms);
	kfree(both);
	if (IS_ERR(req))
		return PTR_ERR(req);
	/* the secret of a control operation is bound to the id already */
	if (type == KVAULT_MSG_CONTROL)
		memcpy(req->msg.request_id, who->request_id, sizeof(who->request_id));
	else
		memcpy(who->request_id, req->msg.request_id, sizeof(who->request_id));
	ret = kv_request_queue(req);
	if (!ret)
		ret = kv_request_wait(req, ms, ans);
	if (!ret)
		kv_tenant_raise_policy(who->tenant, ans->revision);
	kv_request_put(req);
	return ret;
}

/**
 * kv_upcall_engine() - let an engine do one operation and wait
 * @obj: key version that lives in engines
 * @who: in whose name; gets the request's id
 * @op: one of KVAULT_OP_*
 * @alg: enum kvault_alg; fits the key
 * @in: input
 * @in_len: bytes of it
 * @aux: signature to verify, or NULL
 * @aux_len: bytes of it
 * @ans: out: the answer, to be released; written on success only
 *
 * Sleeps, killable, as long as the caller's time is not over.
 *
 * Return: 0 when the engine did it; its negative errno; see kv_request_wait().
 */
int kv_upcall_engine(struct kv_object *obj, struct kv_caller *who, u32 op, u32 alg,
		     const void *in, u32 in_len, const void *aux, u32 aux_len,
		     struct kv_answer *ans)
{
	enum kv_queue_id queue = obj->flags & KVAULT_KEY_HSM ? KV_QUEUE_PKCS11 : KV_QUEUE_OPENSSL;
	struct kvault_engine_req er = {
		.size = sizeof(er), .slot = obj->slot, .kty = obj->kty, .bits = obj->bits,
		.curve = obj->curve, .operation = op, .alg = alg, .aux_len = aux_len,
	};
	struct kv_seg seg[KVAULT_MSG_SEGMENTS] = { { &er, sizeof(er) } };
	u32 ms = time_left(who);
	struct kv_request *req;
	struct kv_line *line;
	u8 *both;
	int ret;

	if (!ms)
		return -ETIMEDOUT;
	line = line_of(who);
	if (IS_ERR(line))
		return PTR_ERR(line);
	memcpy(er.version, obj->version, sizeof(er.version));
	both = kvmalloc(in_len + aux_len ?: 1, GFP_KERNEL);
	if (!both) {
		kv_line_uncharge(obj->tenant, line);
		return -ENOMEM;
	}
	memcpy(both, in, in_len);
	if (aux_len)
		memcpy(both + in_len, aux, aux_len);
	seg[2] = (struct kv_seg){ both, in_len + aux_len };
	req = kv_request_new(queue, obj->tenant, line, KVAULT_MSG_ENGINE, KVAULT_ENGINE_OP_CRYPT,
			     seg, ms);
	memzero_explicit(both, in_len + aux_len);
	kvfree(both);
	if (IS_ERR(req))
		return PTR_ERR(req);
	req->object = kv_object_get(obj);
	memcpy(who->request_id, req->msg.request_id, sizeof(who->request_id));
	ret = kv_request_queue(req);
	if (!ret)
		ret = kv_request_wait(req, ms, ans);
	kv_request_put(req);
	if (!ret && ans->status) {
		ret = kv_answer_error(ans->status);
		kv_answer_done(ans);
	}
	return ret;
}

/* With the lock: takes a request out of its line, to be ended by fail_listed(). */
static void fail_locked(struct kv_request *req, int error, struct list_head *failed)
{
	kv_line_remove(req);
	req->state = KV_REQUEST_DONE;
	req->ans.status = error;
	list_add_tail(&req->link, failed);
}

static void fail_listed(struct list_head *failed)
{
	struct kv_request *req, *n;

	list_for_each_entry_safe(req, n, failed, link) {
		list_del_init(&req->link);
		kv_request_finish(req);
		kv_request_put(req);
	}
}

/**
 * kv_upcall_fail_all() - nobody will serve this queue: end all that waits
 * @queue: which
 * @error: negative errno
 */
void kv_upcall_fail_all(enum kv_queue_id queue, int error)
{
	struct kv_queue *q = &kv_queues[queue];
	struct kv_turn *next;
	LIST_HEAD(failed);

	spin_lock(&kv_upcall_lock);
	while ((next = kv_turn_tenant(&q->turn, NULL)))
		fail_locked(kv_line_first(next->tenant), error, &failed);
	spin_unlock(&kv_upcall_lock);
	fail_listed(&failed);
}

/**
 * kv_upcall_fail_tenant() - the tenant's keys are wiped: end all of its that waits
 * @t: tenant
 *
 * A request for an engine may hold a key in the clear. What comes later of a
 * dead tenant is refused, and what a server had taken is not given to another.
 */
void kv_upcall_fail_tenant(struct kv_tenant *t)
{
	struct kv_request *req;
	LIST_HEAD(failed);
	int i;

	spin_lock(&kv_upcall_lock);
	for (i = 0; i < KV_QUEUES; i++)
		while ((req = kv_line_first(&t->queue[i])))
			fail_locked(req, -EKEYREVOKED, &failed);
	spin_unlock(&kv_upcall_lock);
	fail_listed(&failed);
}

static void give_up(struct work_struct *work)
{
	struct kv_queue *q = container_of(to_delayed_work(work), struct kv_queue, give_up);
	enum kv_queue_id queue = q - kv_queues;

	if (!is_served(queue))
		kv_upcall_fail_all(queue, -EHOSTDOWN);
}

/**
 * kv_upcall_lost() - a server is gone; what waits does so for its return, for a while
 * @queue: which it served; the others' time goes on
 */
void kv_upcall_lost(enum kv_queue_id queue)
{
#ifdef KVAULT_MUTANT_ONE_LOSS
	queue = KV_QUEUE_DAEMON;
#endif
	mod_delayed_work(kv_expire_wq, &kv_queues[queue].give_up, msecs_to_jiffies(KV_LOST_MS));
}

/**
 * kv_upcall_park() - the daemon waits for an engine on behalf of a request
 * @request_id: of the request; unknown ones do no harm
 */
void kv_upcall_park(const u8 *request_id)
{
	struct kv_request *req;
	struct kv_server *s;

	spin_lock(&kv_upcall_lock);
	list_for_each_entry(s, &kv_servers, link) {
		if (s->queue != KV_QUEUE_DAEMON)
			continue;
		list_for_each_entry(req, &s->taken, link)
			if (!req->is_parked &&
			    !memcmp(req->msg.request_id, request_id, KVAULT_ID_SIZE)) {
				req->is_parked = true;
				req->tenant->queue[KV_QUEUE_DAEMON].taken = false;
			}
	}
	spin_unlock(&kv_upcall_lock);
	wake_up_interruptible_poll(&kv_queues[KV_QUEUE_DAEMON].wq, EPOLLIN);
}

/**
 * kv_upcall_init() - empty queues
 *
 * Return: 0; -ENOMEM.
 */
int kv_upcall_init(void)
{
	int i;

	for (i = 0; i < KV_QUEUES; i++) {
		kv_turn_init(&kv_queues[i].turn, NULL);
		kv_turn_init(&kv_queues[i].host, &kv_queues[i].turn);
		kv_turn_init(&kv_queues[i].guests, &kv_queues[i].turn);
		/* of both, the host begins */
		kv_queues[i].guests.last = ++kv_queues[i].turn.turns;
		init_waitqueue_head(&kv_queues[i].wq);
		INIT_DELAYED_WORK(&kv_queues[i].give_up, give_up);
	}
	kv_expire_wq = alloc_workqueue("kvault-expire", WQ_UNBOUND, 0);
	return kv_expire_wq ? 0 : -ENOMEM;
}

/**
 * kv_upcall_exit() - end what nobody waits for; all files are closed
 */
void kv_upcall_exit(void)
{
	int i;

	for (i = 0; i < KV_QUEUES; i++) {
		kv_upcall_fail_all(i, -EHOSTDOWN);
		cancel_delayed_work_sync(&kv_queues[i].give_up);
	}
	destroy_workqueue(kv_expire_wq);
}
