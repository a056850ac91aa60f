/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_TURN_H
#define _KV_TURN_H

#include <linux/list.h>
#include <linux/types.h>

struct kv_tenant_queue;

/**
 * struct kv_turn - whoever takes turns with others of the same level; all by kv_upcall_lock
 * @link: among those of @above for whom something waits, the next one first
 * @below: who of the next level down waits; of a line its requests
 * @above: whose part it is; NULL at the top; immutable
 * @tenant: of a node that is a tenant's; NULL at the other levels; immutable
 * @turns: how many were given to those below
 * @last: @turns of @above when this one was served last
 */
struct kv_turn {
	struct list_head link;
	struct list_head below;
	struct kv_turn *above;
	struct kv_tenant_queue *tenant;
	u64 turns;
	u64 last;
};

void kv_turn_init(struct kv_turn *n, struct kv_turn *above);
void kv_turn_enter(struct kv_turn *n);
void kv_turn_leave(struct kv_turn *n);
void kv_turn_served(struct kv_turn *n);
struct kv_turn *kv_turn_tenant(struct kv_turn *top, bool (*may)(const struct kv_tenant_queue *tq));

#endif /* _KV_TURN_H */
