/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_GRANT_H
#define _KV_GRANT_H

#include <linux/err.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/kvault_control.h>
#include "principal.h"

struct kv_object;
struct kv_tenant;

#define KV_OPS	9	/* bits of KVAULT_OP_ALL */
#define KV_USES	(KV_OPS + 1)	/* and, counted apart, all that have a record of their own */
#define KV_STALE_TRIES	8	/* questions, while what the kernel knows is newer */

/**
 * struct kv_caller - in whose name something is asked
 * @tenant: whose keys
 * @caller: who calls now
 * @opener: who opened the file or made the key in the keyring
 * @face: enum kvault_face
 * @timeout_ms: how long the caller is prepared to wait in all
 * @deadline: when that is over, CLOCK_BOOTTIME nanoseconds; 0 until it waits first
 * @is_kernel: nobody asked for it just now, or the host's storage depends on it:
 *	it goes before what callers ask, and is charged to nobody
 * @is_each: out: what was begun is to have a record of its own
 * @request_id: out: names what was asked of the daemon or an engine
 *
 * All borrowed, for the time of one call.
 */
struct kv_caller {
	struct kv_tenant *tenant;
	struct kv_principal *caller;
	struct kv_principal *opener;
	u32 face;
	u32 timeout_ms;
	u64 deadline;
	bool is_kernel;
	bool is_each;
	u8 request_id[KVAULT_ID_SIZE];
};

/**
 * struct kv_grant - what one principal may do with one key version
 * @refs: references: the object's list, handles, the renewal
 * @link: in object->grants (object->lock)
 * @object: the key version, a reference; immutable
 * @caller: for whom it was decided; immutable
 * @opener: likewise; immutable
 * @face: through which face it was asked for first; immutable
 * @purpose: likewise; immutable
 * @lock: protects what follows; a leaf
 * @ops: KVAULT_OP_* granted
 * @policy: revision under which it was decided
 * @not_after: Unix seconds, 0 none
 * @uses: how many are left of a limited grant
 * @is_limited: @uses counts
 * @lease: id of the audit lease
 * @lease_left: operations left under it
 * @lease_half: renew in the background below this
 * @lease_end: CLOCK_BOOTTIME nanoseconds
 * @lease_renew: renew in the background after this
 * @used: operations under this lease, by operation; the last: all that have a
 *	record each
 * @reported: those of @used that the audit log has
 * @last_use: jiffies of the newest
 * @has_news: there are such as it has not
 * @is_open: the lease's end is not in the log
 * @is_renewing: the work is under way
 * @is_active: in the list of those with something to report: @is_open or @has_news
 * @active: link in that list (kv_active_lock)
 * @renew: asks the daemon for more, in the background
 * @rcu: handles look at their grant under RCU
 */
struct kv_grant {
	refcount_t refs;
	struct list_head link;
	struct kv_object *object;
	struct kv_principal *caller;
	struct kv_principal *opener;
	u32 face;
	u32 purpose;
	spinlock_t lock;	/* protects what the daemon decides, and counts */
	u32 ops;
	u64 policy;
	u64 not_after;
	u64 uses;
	bool is_limited;
	bool is_renewing;
	bool is_active;
	bool is_open;
	bool has_news;
	u8 lease[KVAULT_ID_SIZE];
	u64 lease_left;
	u64 lease_half;
	u64 lease_end;
	u64 lease_renew;
	u64 used[KV_USES];
	u64 reported[KV_USES];
	unsigned long last_use;
	struct list_head active;
	struct work_struct renew;
	struct rcu_head rcu;
};

/**
 * struct kv_decision - what the daemon decided
 * @grant: what it granted; checked
 * @policy: revision under which it did
 * @asked: when it was asked, CLOCK_BOOTTIME nanoseconds: leases begin there
 * @object: the key version, a reference
 * @is_yes: the daemon agreed, whatever became of it then
 */
struct kv_decision {
	struct kvault_grant grant;
	u64 policy;
	u64 asked;
	struct kv_object *object;
	bool is_yes;
};

/**
 * kv_grant_get() - take a reference to a grant that was found under RCU
 * @g: grant
 *
 * Return: true; false when it is on its way out.
 */
static inline bool kv_grant_get(struct kv_grant *g)
{
	return refcount_inc_not_zero(&g->refs);
}

/**
 * kv_grant_is_for() - was this grant decided for these principals?
 * @g: grant
 * @who: caller and opener
 *
 * Return: true if policy sees no difference.
 */
static inline bool kv_grant_is_for(const struct kv_grant *g, const struct kv_caller *who)
{
	return kv_principal_same(g->caller, who->caller) &&
	       kv_principal_same(g->opener, who->opener);
}

int kv_grant_init(void);
void kv_grant_exit(void);

int kv_access(struct kv_caller *who, u32 purpose, const void *path, u32 path_len,
	      const struct kvault_access *access, struct kv_decision *ret);
struct kv_grant *kv_grant_open(struct kv_caller *who, u32 purpose, const void *path,
			       u32 path_len);
struct kv_grant *kv_grant_for(struct kv_object *obj, struct kv_caller *who, u32 purpose);
void kv_grant_free(struct kv_grant *g);
int kv_grant_take(struct kv_grant *g, u32 op, u32 rights, bool *ret_each);

/**
 * kv_grant_put() - drop a reference
 * @g: grant, or NULL or an error pointer
 */
static inline void kv_grant_put(struct kv_grant *g)
{
	if (!IS_ERR_OR_NULL(g) && refcount_dec_and_test(&g->refs))
		kv_grant_free(g);
}

void kv_grant_expire_all(struct kv_object *obj);
void kv_grant_drop_all(struct kv_object *obj);

#endif /* _KV_GRANT_H */
