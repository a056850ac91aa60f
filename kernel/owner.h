/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_OWNER_H
#define _KV_OWNER_H

#include <linux/list.h>
#include <linux/types.h>
#include "turn.h"
#include "tenant.h"

/* What goes by turns with an owner, so that neither keeps the other waiting. */
enum kv_urgency {
	KV_URGENT,	/* the kernel's own: renewals of leases, and volumes */
	KV_ASKED,	/* what callers ask */
	KV_URGENCIES
};

/**
 * struct kv_owner_queue - what waits for one kind of server; kv_upcall_lock
 * @turn: among the owners
 * @kind: of its tenants' requests
 */
struct kv_owner_queue {
	struct kv_turn turn;
	struct kv_turn kind[KV_URGENCIES];
};

/**
 * struct kv_owner - whose tenants they are; all by kv_upcall_lock
 * @link: in the list of owners
 * @refs: tenants
 * @uid: in the initial user namespace; immutable
 * @is_host: of the host, and of nothing else; immutable
 * @requests: those of its tenants that are charged to anybody
 * @queue: those that wait
 */
struct kv_owner {
	struct list_head link;
	u32 refs;
	u32 uid;
	bool is_host;
	u32 requests;
	struct kv_owner_queue queue[KV_QUEUES];
};

struct kv_owner *kv_owner_get(u32 uid, bool is_host);
void kv_owner_put(struct kv_owner *o);
int kv_owner_charge(struct kv_owner *o);
void kv_owner_uncharge(struct kv_owner *o);

#endif /* _KV_OWNER_H */
