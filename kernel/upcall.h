/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_UPCALL_H
#define _KV_UPCALL_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <linux/kvault_control.h>
#include "tenant.h"

struct kv_caller;
struct kv_line;
struct kv_object;
struct kv_server;

/**
 * struct kv_seg - one segment of a message
 * @p: bytes; borrowed
 * @len: how many
 */
struct kv_seg {
	const void *p;
	u32 len;
};

/**
 * struct kv_answer - what came back; kv_answer_done() wipes and frees
 * @status: HTTP status or 0; negative errno
 * @revision: policy revision under which it was decided
 * @seg: segments, pointing into @buf
 * @buf: all of it
 * @size: bytes of @buf
 */
struct kv_answer {
	s32 status;
	u64 revision;
	struct kv_seg seg[KVAULT_MSG_SEGMENTS];
	void *buf;
	u32 size;
};

enum kv_request_state {
	KV_REQUEST_NEW,
	KV_REQUEST_QUEUED,
	KV_REQUEST_TAKEN,
	KV_REQUEST_DONE,
	KV_REQUEST_DEAD,
};

/**
 * struct kv_request - one message on its way, and its answer
 * @refs: references: who waits (or the expiry), and queue or server
 * @link: in a queue, or with a server (kv_upcall_lock)
 * @state: enum kv_request_state; upcall.c has the transitions (kv_upcall_lock)
 * @queue: who shall take it, immutable
 * @tenant: whose it is, a reference; immutable
 * @line: to which it is charged, and in which it waits; NULL for what is told
 *	to one server alone; immutable
 * @object: key that an engine needs for it, a reference; may be NULL; immutable
 * @msg: header; attempts under kv_upcall_lock, the rest immutable once queued
 * @payload: segments, one after another; immutable, wiped at the end
 * @payload_len: bytes of them
 * @is_noted: nobody answers it
 * @is_own: it is for one server, and is never given to another
 * @timeout_ms: of a request for which nobody waits
 * @is_parked: the daemon decides others of the tenant meanwhile (kv_upcall_lock)
 * @done: who waits
 * @ans: valid when DONE
 * @finish: instead of @done; called once when DONE, without locks
 * @ctx: of @finish
 * @expire: ends a request for which nobody waits
 */
struct kv_request {
	refcount_t refs;
	struct list_head link;
	enum kv_request_state state;
	enum kv_queue_id queue;
	struct kv_tenant *tenant;
	struct kv_line *line;
	struct kv_object *object;
	struct kvault_msg msg;
	void *payload;
	u32 payload_len;
	bool is_noted;
	bool is_own;
	u32 timeout_ms;
	bool is_parked;
	struct completion done;
	struct kv_answer ans;
	void (*finish)(struct kv_request *req);
	void *ctx;
	struct delayed_work expire;
};

int kv_upcall_init(void);
void kv_upcall_exit(void);

struct kv_request *kv_request_new(enum kv_queue_id queue, struct kv_tenant *t,
				  struct kv_line *line, u32 type, u32 op,
				  const struct kv_seg *seg, u32 timeout_ms);
void kv_request_put(struct kv_request *req);
int kv_request_queue(struct kv_request *req);
int kv_request_wait(struct kv_request *req, u32 timeout_ms, struct kv_answer *ans);
void kv_request_note(struct kv_request *req);
int kv_answer_error(s32 status);
void kv_upcall_lost(enum kv_queue_id queue);
void kv_answer_done(struct kv_answer *ans);

int kv_upcall_daemon(struct kv_caller *who, u32 type, u32 op,
		     const struct kv_seg *seg, struct kv_answer *ans);
int kv_upcall_engine(struct kv_object *obj, struct kv_caller *who, u32 op, u32 alg,
		     const void *in, u32 in_len, const void *aux, u32 aux_len,
		     struct kv_answer *ans);
void kv_upcall_tenant_gone(struct kv_tenant *t);
void kv_upcall_fail_tenant(struct kv_tenant *t);
void kv_upcall_fail_all(enum kv_queue_id queue, int error);
void kv_upcall_park(const u8 *request_id);
u32 kv_upcall_servers(enum kv_queue_id queue);

/**
 * struct kv_server - an open file that takes requests
 * @link: in the list of all servers (kv_upcall_lock)
 * @queue: what it takes, immutable
 * @generation: of the claim or attachment, immutable
 * @tenant: an engine's, a reference; NULL until the first message
 * @taken: requests that it has (kv_upcall_lock); an engine has one at most
 * @own: messages for this server alone (kv_upcall_lock)
 * @exchange_lock: one exchange at a time; taken before kv_upcall_lock
 * @loading: the key of the request in @taken was sent, its answer is missing
 * @is_ready: the key of the request in @taken is loaded
 * @is_delivered: what is in @taken was copied out, so it can be answered
 * @is_idle: an attached engine that asks for work (kv_upcall_lock)
 * @is_dead: it was told to end (kv_upcall_lock)
 * @loaded: slot -> key that the engine holds, a reference each
 * @pid: of an engine; to end it
 * @served: answers so far
 */
struct kv_server {
	struct list_head link;
	enum kv_queue_id queue;
	u64 generation;
	struct kv_tenant *tenant;
	struct list_head taken;
	struct list_head own;
	struct mutex exchange_lock;	/* one exchange at a time */
	bool loading;
	bool is_ready;
	bool is_delivered;
	bool is_idle;
	bool is_dead;
	struct xarray loaded;
	struct pid *pid;
	u32 served;
};

struct kv_server *kv_server_new(enum kv_queue_id queue, u64 generation);
void kv_server_free(struct kv_server *s);
int kv_server_exchange(struct kv_server *s, struct kvault_exchange *arg);
bool kv_server_has_admin_request(struct kv_server *s, const u8 *request_id);
bool kv_server_has_work(struct kv_server *s);
wait_queue_head_t *kv_server_wq(enum kv_queue_id queue);

/* engine.c: what is special about engines */
#define KV_FORGET_MS	500	/* they have to forget all versions of a key */

int kv_engine_load_msg(struct kv_server *s, struct kv_request *req, struct kvault_msg *msg,
		       void **ret_payload, u32 *ret_len);
void kv_engine_forget(struct kv_object *obj, unsigned long until);
void kv_engine_kill_all(struct kv_tenant *t);
int kv_engine_submit(struct kvault_submit *arg);

/* upcall.c, for engine.c */
int kv_server_for_each(int (*fn)(struct kv_server *s, void *ctx), void *ctx);
int kv_server_tell(struct kv_server *s, struct kv_request *req);

#endif /* _KV_UPCALL_H */
