/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests in kernel/kunit/ call though nobody else does. Such a function is
 * KV_STATIC where it is defined: static, but in a build with KVAULT_KUNIT=y.
 */
#ifndef _KV_VISIBLE_H
#define _KV_VISIBLE_H

#ifndef KVAULT_KUNIT
#define KV_STATIC static
#else
#define KV_STATIC

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <net/netlink.h>
#include <linux/kvault_netlink.h>

struct kv_object;
struct kv_tenant;
struct kvault_crypt;
struct kvault_token;
struct user_namespace;

/* tenant.c */
extern struct mutex kv_tenants_lock;
extern struct list_head kv_tenants;
extern struct delayed_work kv_reaper;
struct kv_tenant *tenant_new(u32 kind, struct user_namespace *ns, u32 owner);

/* grant.c */
extern struct delayed_work kv_reporter;

/* keytype.c */
int vet_description(const char *desc);
int desc_to_path(const char *desc, char *path);
int callout_ops(const void *info, size_t len, u32 *ret_ops);

/* ops.c */
u32 output_len(const struct kvault_crypt *arg, u32 op);
bool is_output_exact(u32 op, u32 alg);
void *copy_path(u64 uptr, u32 len);

/* object.c */
void unlink_object(struct kv_object *obj);
int change_state(struct kv_object *obj, u64 revision, u32 state, unsigned long until,
		 u32 *ret_volumes);

/* netlink.c */
extern const struct nla_policy kv_hello_policy[KVAULT_A_MAX + 1];
extern const struct nla_policy kv_none_policy[KVAULT_A_MAX + 1];
extern const struct nla_policy kv_object_policy[KVAULT_A_MAX + 1];

/* paes.c */
bool token_is_valid(const struct kvault_token *t);

#endif /* KVAULT_KUNIT */

#endif /* _KV_VISIBLE_H */
