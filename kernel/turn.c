// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns: one rule for who is next, applied at each level of a queue.
 *
 *   queue > host | guests > owner > urgent | asked > tenant > line of a uid
 *
 * Of the members of one level who have something waiting, the one is next that
 * was served least recently. So a level that has many members below it has no
 * more of its neighbour's time than one that has one: to be many helps against
 * one's own kind alone. Who has nothing waiting keeps his place, and who is
 * new has the last one.
 *
 * Lock: kv_upcall_lock.
 */
#include "queue.h"
#include "turn.h"

/**
 * kv_turn_init() - a member, for whom nothing waits
 * @n: it
 * @above: whose member it is, or NULL
 */
void kv_turn_init(struct kv_turn *n, struct kv_turn *above)
{
	INIT_LIST_HEAD(&n->link);
	INIT_LIST_HEAD(&n->below);
	n->above = above;
	n->last = above ? above->turns : 0;
}

/**
 * kv_turn_enter() - something waits for a member
 * @n: it; nothing happens if something did before
 */
void kv_turn_enter(struct kv_turn *n)
{
	struct kv_turn *at;

	lockdep_assert_held(&kv_upcall_lock);
	for (; n->above && list_empty(&n->link); n = n->above) {
		/* most were served a moment ago, so their place is near the end */
		list_for_each_entry_reverse(at, &n->above->below, link)
			if (at->last <= n->last)
				break;
		list_add(&n->link, &at->link);
	}
}

/**
 * kv_turn_leave() - something that waited for a member does no more
 * @n: it; nothing happens if there is more
 */
void kv_turn_leave(struct kv_turn *n)
{
	lockdep_assert_held(&kv_upcall_lock);
	for (; n->above && list_empty(&n->below); n = n->above)
		list_del_init(&n->link);
}

/**
 * kv_turn_served() - a member had its turn, and so had all above it
 * @n: it
 */
void kv_turn_served(struct kv_turn *n)
{
	lockdep_assert_held(&kv_upcall_lock);
	for (; n->above; n = n->above) {
#ifndef KVAULT_MUTANT_NO_TURNS
		n->last = ++n->above->turns;
		if (!list_empty(&n->link))
			list_move_tail(&n->link, &n->above->below);
#endif
	}
}

/* The next of the walk that is not below @n; NULL at its end. */
static struct kv_turn *after(struct kv_turn *n)
{
	for (; n->above; n = n->above)
		if (!list_is_last(&n->link, &n->above->below))
			return list_next_entry(n, link);
	return NULL;
}

/**
 * kv_turn_tenant() - the tenant that is next
 * @top: of what
 * @may: whether it may be this one; NULL for any
 *
 * Return: the tenant's node, with lines; NULL when nothing waits that may.
 */
struct kv_turn *kv_turn_tenant(struct kv_turn *top, bool (*may)(const struct kv_tenant_queue *tq))
{
	struct kv_turn *n = list_empty(&top->below) ? NULL : top;

	lockdep_assert_held(&kv_upcall_lock);
	while (n && !(n->tenant && (!may || may(n->tenant))))
		n = n->tenant ? after(n) : list_first_entry(&n->below, struct kv_turn, link);
	return n;
}
