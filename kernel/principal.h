/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_PRINCIPAL_H
#define _KV_PRINCIPAL_H

#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/kvault_control.h>

struct kv_tenant;

/*
 * A principal lives as long as grants and keys in keyrings that were made for
 * it. It must not hold credentials: they hold the session keyring, and that
 * may hold the key.
 */

/**
 * struct kv_principal - who asks, captured once and immutable after
 * @refs: references
 * @euid: effective uid at the time
 * @egid: effective gid
 * @user_ns: namespace; compared only
 * @is_capable: CAP_SYS_ADMIN was effective there
 * @tgid: the process; the reference makes the pointer unique
 * @exec_id: tells one executable of the process from the next
 * @wire: what the daemon and the audit log are told
 */
struct kv_principal {
	refcount_t refs;
	kuid_t euid;
	kgid_t egid;
	const struct user_namespace *user_ns;
	bool is_capable;
	struct pid *tgid;
	u32 exec_id;
	struct kvault_principal wire;
};

struct kv_principal *kv_principal_new(const struct kv_tenant *t);
struct kv_principal *kv_principal_get(struct kv_principal *p);
void kv_principal_put(struct kv_principal *p);
bool kv_principal_is_current(const struct kv_principal *p);
bool kv_principal_is_like(const struct kv_principal *a, const struct kv_principal *b);

/**
 * kv_principal_same() - would policy treat both alike?
 * @a: principal
 * @b: principal
 *
 * Return: true if they differ in nothing but process and thread.
 */
static inline bool kv_principal_same(const struct kv_principal *a, const struct kv_principal *b)
{
	return a == b || kv_principal_is_like(a, b);
}

#endif /* _KV_PRINCIPAL_H */
