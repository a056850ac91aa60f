/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_HANDLE_H
#define _KV_HANDLE_H

#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include "grant.h"
#include "object.h"

/**
 * struct kv_handle - one holder's hold on one key version
 * @refs: references: the file's table or the key in the keyring, calls under way
 * @object: the key version, a reference; immutable
 * @ops: what the holder asked for; a part of any grant it works under
 * @purpose: enum kvault_purpose, immutable
 * @grant: the grant that was used last; replaced when another principal calls
 * @lock: serialises the replacement; a leaf
 * @rcu: handles are looked up under RCU
 */
struct kv_handle {
	refcount_t refs;
	struct kv_object *object;
	u32 ops;
	u32 purpose;
	struct kv_grant __rcu *grant;
	spinlock_t lock;	/* serialises replacement of grant */
	struct rcu_head rcu;
};

/**
 * kv_handle_get() - take a reference to a handle that was found under RCU
 * @h: handle
 *
 * Return: @h, or NULL when it is on its way out.
 */
static inline struct kv_handle *kv_handle_get(struct kv_handle *h)
{
	return refcount_inc_not_zero(&h->refs) ? h : NULL;
}

void kv_handle_free(struct kv_handle *h);

/**
 * kv_handle_put() - drop a reference
 * @h: handle, or NULL or an error pointer
 */
static inline void kv_handle_put(struct kv_handle *h)
{
	if (!IS_ERR_OR_NULL(h) && refcount_dec_and_test(&h->refs))
		kv_handle_free(h);
}

struct kv_handle *kv_handle_open(struct kv_caller *who, u32 purpose, const void *path,
				 u32 path_len, u32 ops);
int kv_handle_begin(struct kv_handle *h, struct kv_caller *who, u32 op, u32 alg);

int kv_volume_open(struct kv_caller *who, const struct kvault_token *token,
		   struct kv_volume *v);
void kv_volume_close(struct kv_caller *who, struct kv_volume *v, u64 sectors);

#endif /* _KV_HANDLE_H */
