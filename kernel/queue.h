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
#include "upcall.h"

/**
 * struct kv_queue - requests of all tenants to one kind of server
 * @tenants: lines that wait (kv_upcall_lock)
 * @servers: open files that take from it (kv_upcall_lock)
 * @was_served: there was one since the module was loaded, so it is worth while
 *	to wait for the next (kv_upcall_lock)
 * @wq: where servers wait
 */
struct kv_queue {
	struct list_head tenants;
	u32 servers;
	bool was_served;
	wait_queue_head_t wq;
};

/* Protects queues, servers and the states of requests; a leaf. */
extern spinlock_t kv_upcall_lock;
extern struct kv_queue kv_queues[KV_QUEUES];
extern struct list_head kv_servers;

void kv_request_enqueue(struct kv_request *req, bool first);
void kv_request_unqueue(struct kv_request *req);
void kv_request_finish(struct kv_request *req);
u64 kv_request_cookie(void);

#endif /* _KV_QUEUE_H */
