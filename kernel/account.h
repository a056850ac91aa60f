/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_ACCOUNT_H
#define _KV_ACCOUNT_H

#include <linux/types.h>

struct kv_account;
struct kv_principal;
struct kv_tenant;

/* What one uid of a tenant can have only so much of. */
enum kv_account_of {
	KV_ACCOUNT_RECORD,
	KV_ACCOUNTS
};

struct kv_account *kv_account_charge(const struct kv_tenant *t, const struct kv_principal *who,
				     enum kv_account_of what);
void kv_account_uncharge(struct kv_account *a, enum kv_account_of what);

#endif /* _KV_ACCOUNT_H */
