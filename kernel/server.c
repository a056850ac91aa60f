// SPDX-License-Identifier: GPL-2.0-only
/*
 * Servers: open files that take requests and answer them, the daemon's and
 * the engines'. Which line is served next, what is copied out, and that what
 * comes back is looked at as hostile input. States and locks are upcall.c's.
 */
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "live.h"
#include "object.h"
#include "queue.h"
#include "upcall.h"

#define KV_ATTEMPTS_DAEMON	3
#define KV_ATTEMPTS_ENGINE	2
#define KV_ENGINES_TENANT_MAX	4

/**
 * kv_upcall_servers() - how many serve a queue
 * @queue: which
 *
 * Return: open files that take its requests.
 */
u32 kv_upcall_servers(enum kv_queue_id queue)
{
	return READ_ONCE(kv_queues[queue].servers);
}

/**
 * kv_server_wq() - where the servers of a queue wait
 * @queue: which
 *
 * Return: the wait queue; it is woken when there may be something to take.
 */
wait_queue_head_t *kv_server_wq(enum kv_queue_id queue)
{
	return &kv_queues[queue].wq;
}

/**
 * kv_server_new() - an open file begins to take requests
 * @queue: of which queue
 * @generation: of its claim or attachment
 *
 * Return: the server; -ENOMEM.
 */
struct kv_server *kv_server_new(enum kv_queue_id queue, u64 generation)
{
	struct kv_server *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return ERR_PTR(-ENOMEM);
	kv_live_inc(KV_LIVE_SERVER);
	s->queue = queue;
	s->generation = generation;
	INIT_LIST_HEAD(&s->taken);
	INIT_LIST_HEAD(&s->own);
	mutex_init(&s->exchange_lock);
	xa_init(&s->loaded);
	s->pid = get_pid(task_tgid(current));
	spin_lock(&kv_upcall_lock);
#ifdef KVAULT_MUTANT_ATOMIC_SLEEP
	kfree(kmalloc(sizeof(*s), GFP_KERNEL));
#endif
	list_add_tail(&s->link, &kv_servers);
	kv_queues[queue].servers++;
	kv_queues[queue].was_served = true;
	spin_unlock(&kv_upcall_lock);
	return s;
}

/* Another server may have it: not for ever, and not when its keys are to be wiped. */
static bool may_try_again(const struct kv_request *req)
{
	u32 max = req->queue == KV_QUEUE_DAEMON ? KV_ATTEMPTS_DAEMON : KV_ATTEMPTS_ENGINE;

#ifndef KVAULT_MUTANT_REQUEUE_OF_THE_DEAD
	if (kv_tenant_is_dead(req->tenant))
		return false;
#endif
	return req->msg.attempts < max && !req->is_own;
}

/* Puts what a server had taken back into the line, or else it is for end_request(). */
static bool requeue(struct kv_request *req)
{
	lockdep_assert_held(&kv_upcall_lock);
	list_del_init(&req->link);
	if (req->queue == KV_QUEUE_DAEMON && !req->is_parked)
		req->tenant->queue[KV_QUEUE_DAEMON].taken = false;
	req->is_parked = false;
	if (req->state == KV_REQUEST_DEAD)
		return false;
	if (may_try_again(req)) {
		kv_line_add(req, true);
		return true;
	}
	req->state = KV_REQUEST_DONE;
	req->ans.status = req->is_own ? -EPIPE : -EIO;
	return false;
}

/* One that requeue() did not put back; nobody else links or moves what is DONE or DEAD. */
static void end_request(struct kv_request *req)
{
	if (req->state == KV_REQUEST_DONE)
		kv_request_finish(req);
	kv_request_put(req);
}

/* What was meant for this server alone ends with it. */
static void end_own(struct kv_server *s, struct list_head *ended)
{
	struct kv_request *req, *n;

	lockdep_assert_held(&kv_upcall_lock);
	list_for_each_entry_safe(req, n, &s->own, link) {
		list_move_tail(&req->link, ended);
		if (req->is_noted)
			req->state = KV_REQUEST_DEAD;
		else
			req->state = KV_REQUEST_DONE;
		req->ans.status = -EPIPE;
	}
}

/**
 * kv_server_free() - the file is closed
 * @s: server
 *
 * What it had taken goes back into the line, unless it was tried often enough.
 */
void kv_server_free(struct kv_server *s)
{
	struct kv_request *req, *n;
	struct kv_object *obj;
	unsigned long slot;
	LIST_HEAD(ended);

	spin_lock(&kv_upcall_lock);
	list_del_init(&s->link);
	kv_queues[s->queue].servers--;
	if (s->tenant)
		s->tenant->queue[s->queue].engines--;
	list_for_each_entry_safe_reverse(req, n, &s->taken, link)
		if (!requeue(req))
			list_add(&req->link, &ended);
	end_own(s, &ended);
	spin_unlock(&kv_upcall_lock);
	wake_up_interruptible_poll(&kv_queues[s->queue].wq, EPOLLIN);

	list_for_each_entry_safe(req, n, &ended, link) {
		list_del_init(&req->link);
		end_request(req);
	}
	kv_upcall_lost(s->queue);
	xa_for_each(&s->loaded, slot, obj)
		kv_object_put(obj);
	xa_destroy(&s->loaded);
	kv_tenant_put(s->tenant);
	put_pid(s->pid);
	kv_live_dec(KV_LIVE_SERVER);
	kfree(s);
}

/**
 * kv_server_for_each() - visit all servers
 * @fn: called under the queue's lock; a value other than 0 ends the walk
 * @ctx: for @fn
 *
 * Return: what @fn returned last; 0 without servers.
 */
int kv_server_for_each(int (*fn)(struct kv_server *s, void *ctx), void *ctx)
{
	struct kv_server *s;
	int ret = 0;

	spin_lock(&kv_upcall_lock);
	list_for_each_entry(s, &kv_servers, link) {
		ret = fn(s, ctx);
		if (ret)
			break;
	}
	spin_unlock(&kv_upcall_lock);
	return ret;
}

/**
 * kv_server_tell() - queue a request for one server; only from kv_server_for_each()
 * @s: server
 * @req: request; the server takes a reference of its own
 *
 * Return: 0.
 */
int kv_server_tell(struct kv_server *s, struct kv_request *req)
{
	lockdep_assert_held(&kv_upcall_lock);
	refcount_inc(&req->refs);
	req->msg.cookie = kv_request_cookie();
	req->is_own = true;
	req->state = KV_REQUEST_QUEUED;
	list_add_tail(&req->link, &s->own);
	wake_up_interruptible_poll(&kv_queues[s->queue].wq, EPOLLIN);
	return 0;
}

/* May the daemon decide one more of a tenant? */
static bool is_free(const struct kv_tenant_queue *tq)
{
	return !tq->taken;
}

/* May a tenant have one more engine? */
static bool lacks_engine(const struct kv_tenant_queue *tq)
{
	return !tq->idle && tq->engines < KV_ENGINES_TENANT_MAX;
}

/* The tenant that this server may serve next, or NULL. */
static struct kv_turn *next_tenant(struct kv_server *s)
{
	struct kv_tenant_queue *tq;
	int k;

	lockdep_assert_held(&kv_upcall_lock);
	if (!s->tenant)
		return kv_turn_tenant(&kv_queues[s->queue].turn,
				      s->queue == KV_QUEUE_DAEMON ? is_free : lacks_engine);
	tq = &s->tenant->queue[s->queue];
	for (k = 0; k < KV_URGENCIES; k++)
		if (!list_empty(&tq->turn[k].below))
			return &tq->turn[k];
	return NULL;
}

static void set_idle(struct kv_server *s, bool is_idle)
{
	lockdep_assert_held(&kv_upcall_lock);
	if (s->tenant && s->is_idle != is_idle) {
		s->is_idle = is_idle;
		s->tenant->queue[s->queue].idle += is_idle ? 1 : -1;
	}
}

/* Chooses the next message of a server; it is the server's then. */
static struct kv_request *pick(struct kv_server *s)
{
	struct kv_tenant_queue *tq;
	struct kv_request *req;
	struct kv_turn *next;

	lockdep_assert_held(&kv_upcall_lock);
	if (s->is_dead)
		return NULL;
	if (s->queue != KV_QUEUE_DAEMON && !list_empty(&s->taken)) {
		req = list_first_entry(&s->taken, struct kv_request, link);
		return s->is_ready ? req : NULL;
	}
	if (!list_empty(&s->own)) {
		req = list_first_entry(&s->own, struct kv_request, link);
		goto out_take;
	}
	next = next_tenant(s);
	if (!next)
		return NULL;
	tq = next->tenant;
	req = kv_line_take(next);
	if (s->queue == KV_QUEUE_DAEMON) {
		tq->taken = true;
	} else if (!s->tenant) {
		s->tenant = kv_tenant_get(tq->t);
		tq->engines++;
	}
out_take:
	set_idle(s, false);
	s->is_delivered = false;
	req->state = KV_REQUEST_TAKEN;
	req->msg.attempts++;
	list_move_tail(&req->link, &s->taken);
	return req;
}

/**
 * kv_server_has_admin_request() - is an administrator's control operation under way here?
 * @s: the daemon's server
 * @request_id: which operation
 *
 * For what the daemon must not do of its own accord.
 *
 * Return: true if the host's administrator called and opened the file.
 */
bool kv_server_has_admin_request(struct kv_server *s, const u8 *request_id)
{
	const struct kvault_principal *both;
	struct kv_request *req;
	bool found = false;

	spin_lock(&kv_upcall_lock);
	list_for_each_entry(req, &s->taken, link) {
		if (req->msg.type != KVAULT_MSG_CONTROL || req->tenant != kv_tenant_host() ||
		    memcmp(req->msg.request_id, request_id, KVAULT_ID_SIZE))
			continue;
		both = req->payload;
		found = both[0].flags & both[1].flags & KVAULT_PRINCIPAL_ADMIN;
	}
	spin_unlock(&kv_upcall_lock);
	return found;
}

/**
 * kv_server_has_work() - is there a message to take?
 * @s: server
 *
 * Return: true if the next exchange would return one.
 */
bool kv_server_has_work(struct kv_server *s)
{
	bool has;

	spin_lock(&kv_upcall_lock);
	if (s->queue != KV_QUEUE_DAEMON && !list_empty(&s->taken))
		has = s->is_ready;
	else
		has = !list_empty(&s->own) || next_tenant(s);
	has = has || s->is_dead;
	spin_unlock(&kv_upcall_lock);
	return has;
}

static int copy_msg(const struct kvault_exchange *arg, const struct kvault_msg *msg,
		    const void *payload, u32 len)
{
	void __user *to = u64_to_user_ptr(arg->next);

	if (copy_to_user(to, msg, sizeof(*msg)) ||
	    copy_to_user(to + sizeof(*msg), payload, len))
		return -EFAULT;
	return 0;
}

/* Copies the picked request out, or first the key that an engine lacks for it. */
static int deliver(struct kv_server *s, struct kv_request *req, struct kvault_exchange *arg)
{
	struct kvault_msg msg = req->msg;
	void *payload = req->payload, *material = NULL;
	u32 len = req->payload_len;
	int ret;

	msg.generation = s->generation;
	/* it may have been revoked while it waited, or while it was loaded */
	if (req->object && READ_ONCE(req->object->state) != KVAULT_OBJECT_LIVE)
		return -EKEYREVOKED;
	if (req->object && !s->is_ready && !xa_load(&s->loaded, req->object->slot)) {
		ret = kv_engine_load_msg(s, req, &msg, &material, &len);
		if (ret)
			return ret;
		payload = material;
		s->loading = true;
	}
	if (arg->next_len < sizeof(msg) + len) {
		arg->next_len = sizeof(msg) + len;
		ret = -EMSGSIZE;
	} else {
		ret = copy_msg(arg, &msg, payload, len);
		arg->next_len = sizeof(msg) + len;
	}
	if (material) {
		memzero_explicit(material, len);
		kvfree(material);
		if (ret)	/* the engine does not have it after all */
			kv_object_put(xa_erase(&s->loaded, req->object->slot));
	}
	s->is_delivered = !ret;
	return ret;
}

static void end_taken(struct kv_server *s, struct kv_request *req, int error)
{
	bool is_dead;

	spin_lock(&kv_upcall_lock);
	list_del_init(&req->link);
	if (s->queue == KV_QUEUE_DAEMON && !req->is_parked && !req->is_noted)
		req->tenant->queue[KV_QUEUE_DAEMON].taken = false;
	is_dead = req->state == KV_REQUEST_DEAD;
	if (!is_dead) {
		req->state = KV_REQUEST_DONE;
		req->ans.status = error;
	}
	s->is_ready = false;
	s->loading = false;
	spin_unlock(&kv_upcall_lock);
	if (!is_dead && !req->is_noted)
		kv_request_finish(req);
	kv_request_put(req);
}

/* A message that could not be copied goes back to where it came from. */
static void put_back(struct kv_server *s, struct kv_request *req)
{
	bool is_ended = false;

	spin_lock(&kv_upcall_lock);
	s->loading = false;
	if (req->state == KV_REQUEST_DEAD) {
		s->is_ready = false;
		is_ended = !requeue(req);
	} else if (s->is_ready) {
		/* its key is loaded: it stays taken, and is picked again */
	} else if (req->is_noted || req->is_own) {
		req->msg.attempts--;
		req->state = KV_REQUEST_QUEUED;
		list_move(&req->link, &s->own);
	} else {
		req->msg.attempts--;
		is_ended = !requeue(req);
	}
	spin_unlock(&kv_upcall_lock);
	if (is_ended)
		end_request(req);
}

static int take_next(struct kv_server *s, struct kvault_exchange *arg)
{
	struct kv_request *req;
	int ret;

	do {
		spin_lock(&kv_upcall_lock);
		if (s->is_dead) {
			spin_unlock(&kv_upcall_lock);
			return -ESHUTDOWN;
		}
		req = pick(s);
		spin_unlock(&kv_upcall_lock);
		if (!req) {
			arg->next_len = 0;
			return 0;
		}
		ret = deliver(s, req, arg);
		if (ret == -EMSGSIZE || ret == -EFAULT) {
			put_back(s, req);
			return ret;
		}
		if (ret)	/* the key cannot be had: that is the answer */
			end_taken(s, req, ret);
		else if (req->is_noted)
			end_taken(s, req, 0);
	} while (ret);
	return 0;
}

static struct kv_request *find_taken(struct kv_server *s, u64 cookie)
{
	struct kv_request *req;

	spin_lock(&kv_upcall_lock);
	list_for_each_entry(req, &s->taken, link)
		if (req->msg.cookie == cookie)
			goto out_unlock;
	req = NULL;
out_unlock:
	spin_unlock(&kv_upcall_lock);
	return req;
}

/* Checks the header of an answer as what it is: hostile input. */
static int check_reply(const struct kv_server *s, const struct kvault_msg *msg, u32 reply_len)
{
	u64 sum = sizeof(*msg);
	int i;

	if (msg->size != sizeof(*msg))
		return -EINVAL;
	for (i = 0; i < KVAULT_MSG_SEGMENTS; i++)
		sum += msg->len[i];
	if (sum != reply_len)
		return -EINVAL;
#ifndef KVAULT_MUTANT_NO_GENERATION_CHECK
	if (msg->generation != s->generation)
		return -ESTALE;
#endif
	return 0;
}

static int read_answer(struct kv_answer *ans, const struct kvault_msg *msg,
		       const struct kvault_exchange *arg)
{
	u32 size = arg->reply_len - sizeof(*msg);
	u8 *p;
	int i;

	ans->status = msg->status;
	ans->revision = msg->revision;
	ans->size = size;
	ans->buf = kvmalloc(size ?: 1, GFP_KERNEL_ACCOUNT);
	if (!ans->buf)
		return -ENOMEM;
	if (copy_from_user(ans->buf, u64_to_user_ptr(arg->reply) + sizeof(*msg), size)) {
		kv_answer_done(ans);
		return -EFAULT;
	}
	for (p = ans->buf, i = 0; i < KVAULT_MSG_SEGMENTS; p += msg->len[i++])
		ans->seg[i] = (struct kv_seg){ p, msg->len[i] };
	return 0;
}

/* The key is loaded, or could not be: only then its operation goes on. */
static void loaded(struct kv_server *s, struct kv_request *req, int status)
{
	if (status) {
		kv_object_put(xa_erase(&s->loaded, req->object->slot));
		end_taken(s, req, kv_answer_error(status));
		return;
	}
	spin_lock(&kv_upcall_lock);
	s->loading = false;
	s->is_ready = true;
	spin_unlock(&kv_upcall_lock);
}

static void forgotten(struct kv_server *s, struct kv_request *req)
{
	const struct kvault_engine_req *er = req->payload;

	kv_object_put(xa_erase(&s->loaded, er->slot));
}

/* The answer is the one who waits' to release, if there still is one. */
static int end_answered(struct kv_server *s, struct kv_request *req, struct kv_answer *ans)
{
	struct kv_tenant_queue *tq = &req->tenant->queue[s->queue];
	bool is_dead, has_next = false;

	spin_lock(&kv_upcall_lock);
	list_del_init(&req->link);
	if (s->queue == KV_QUEUE_DAEMON && !req->is_parked) {
		tq->taken = false;
		has_next = kv_line_first(tq);
	}
	is_dead = req->state == KV_REQUEST_DEAD;
	if (!is_dead) {
		req->state = KV_REQUEST_DONE;
		req->ans = *ans;
	}
	s->is_ready = false;
	s->served++;
	spin_unlock(&kv_upcall_lock);
#ifndef KVAULT_MUTANT_NO_NEXT_WAKE
	/* it can be taken from now on, by another thread perhaps than by this one */
	if (has_next)
		wake_up_interruptible_poll(&kv_queues[s->queue].wq, EPOLLIN);
#endif
	if (is_dead)
		kv_answer_done(ans);
	else
		kv_request_finish(req);
	kv_request_put(req);
	return is_dead ? -ENOENT : 0;
}

static int server_reply(struct kv_server *s, const struct kvault_exchange *arg)
{
	struct kv_answer ans = {};
	struct kv_request *req;
	struct kvault_msg msg;
	int ret;

	if (arg->reply_len < sizeof(msg) || arg->reply_len > KVAULT_MSG_MAX)
		return -EINVAL;
	if (copy_from_user(&msg, u64_to_user_ptr(arg->reply), sizeof(msg)))
		return -EFAULT;
	ret = check_reply(s, &msg, arg->reply_len);
	if (ret)
		return ret;
	req = find_taken(s, msg.cookie);	/* exchange_lock keeps it with us */
	if (!req || memcmp(req->msg.request_id, msg.request_id, KVAULT_ID_SIZE))
		return -ENOENT;
	/* an engine has one at a time: what it has not got it cannot answer */
	if (s->queue != KV_QUEUE_DAEMON && !s->is_delivered)
		return -ENOENT;
	if (s->loading) {
		s->is_delivered = false;
		loaded(s, req, msg.status);
		return 0;
	}
	ret = read_answer(&ans, &msg, arg);
	if (ret)	/* it may be given again */
		return ret;
	s->is_delivered = false;
	if (req->msg.op == KVAULT_ENGINE_OP_FORGET && req->msg.type == KVAULT_MSG_ENGINE)
		forgotten(s, req);
	return end_answered(s, req, &ans);
}

static int wait_for_work(struct kv_server *s)
{
	int ret;

	spin_lock(&kv_upcall_lock);
	set_idle(s, true);
	spin_unlock(&kv_upcall_lock);
	mutex_unlock(&s->exchange_lock);
	ret = wait_event_interruptible(kv_queues[s->queue].wq, kv_server_has_work(s));
	mutex_lock(&s->exchange_lock);
	spin_lock(&kv_upcall_lock);
	set_idle(s, false);
	spin_unlock(&kv_upcall_lock);
	/* others left a line to us because we were idle: it is theirs again */
	if (ret)
		wake_up_interruptible_poll(&kv_queues[s->queue].wq, EPOLLIN);
	return ret;
}

/**
 * kv_server_exchange() - take an answer, give the next message
 * @s: server
 * @arg: what the server's process passed, checked for size only
 *
 * Return: 0; -ENOENT or -ESTALE for an answer that nobody waits for; -EINVAL,
 * -EMSGSIZE, -EFAULT, -ENOMEM; -ERESTARTSYS; -ESHUTDOWN when it was told to end.
 */
int kv_server_exchange(struct kv_server *s, struct kvault_exchange *arg)
{
	u32 room = arg->next_len;
	int ret = 0;

	if (arg->flags & ~KVAULT_EXCHANGE_WAIT)
		return -EOPNOTSUPP;
	mutex_lock(&s->exchange_lock);
	if (arg->reply_len)
		ret = server_reply(s, arg);
	arg->next_len = 0;
	while (!ret && room) {
		arg->next_len = room;
		ret = take_next(s, arg);
		if (ret || arg->next_len || !(arg->flags & KVAULT_EXCHANGE_WAIT))
			break;
		/* the answer is in: a restarted call must not give it again */
		ret = wait_for_work(s);
		if (ret) {
			arg->next_len = room;	/* as it was, should it be restarted */
			ret = arg->reply_len ? -EINTR : -ERESTARTSYS;
		}
	}
	mutex_unlock(&s->exchange_lock);
	return ret;
}

