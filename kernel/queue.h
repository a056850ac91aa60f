/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_QUEUE_H
#define _KV_QUEUE_H

/*
 * What the two halves of the queue share: upcall.c for those who ask, server.c
 * for those who answer.
 */
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "owner.h"
#include "upcall.h"

/**
 * struct kv_queue - requests of all tenants to one kind of server
 * @turn: the top of all that waits (kv_upcall_lock)
 * @host: has every second turn (kv_upcall_lock)
 * @guests: all other tenants, by owner (kv_upcall_lock)
 * @servers: open files that take from it (kv_upcall_lock)
 * @was_served: there was one since the module was loaded, so it is worth while
 *	to wait for the next (kv_upcall_lock)
 * @wq: where servers wait
 * @give_up: ends what waits, some time after the last server was lost
 */
struct kv_queue {
	struct kv_turn turn;
	struct kv_turn host;
	struct kv_turn guests;
	u32 servers;
	bool was_served;
	wait_queue_head_t wq;
	struct delayed_work give_up;
};

/* Whose requests a line has. */
enum kv_line_kind {
	KV_LINE_USER,
	KV_LINE_ADMIN,	/* of the tenant */
	KV_LINE_URGENT,	/* the kernel's, in a user's name; charged to nobody */
};

/**
 * struct kv_line - requests of one uid of a tenant; all by kv_upcall_lock
 * @link: in tenant->lines
 * @uid: in the initial user namespace
 * @kind: of the requests
 * @count: requests that belong to it
 * @turn: those that wait, oldest first
 */
struct kv_line {
	struct list_head link;
	u32 uid;
	enum kv_line_kind kind;
	u32 count;
	struct kv_turn turn[KV_QUEUES];
};

#define KV_UID_DAEMON	((u32)-1)	/* what it asks of engines for nobody's request */

/* Protects queues, lines, servers and the states of requests; a leaf. */
extern spinlock_t kv_upcall_lock;
extern struct kv_queue kv_queues[KV_QUEUES];
extern struct list_head kv_servers;

void kv_request_finish(struct kv_request *req);
u64 kv_request_cookie(void);

struct kv_line *kv_line_charge(struct kv_tenant *t, u32 uid, enum kv_line_kind kind);
struct kv_line *kv_line_charge_as(struct kv_tenant *t, const u8 *request_id);
void kv_line_uncharge(struct kv_tenant *t, struct kv_line *line);
void kv_line_add(struct kv_request *req, bool first);
void kv_line_remove(struct kv_request *req);
struct kv_request *kv_line_take(struct kv_turn *tenant);
struct kv_request *kv_line_first(struct kv_tenant_queue *tq);

#endif /* _KV_QUEUE_H */
