// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounts: what one uid of a tenant holds of what all its uids share. Who
 * holds his part is refused alone. Administrators have no account: the tenant
 * is theirs, and its own bounds are what holds them.
 *
 * An account exists while something is charged to it.
 *
 * Lock: kv_accounts_lock, a leaf.
 */
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "account.h"
#include "principal.h"
#include "tenant.h"

/**
 * struct kv_account - of one uid of one tenant; all by kv_accounts_lock
 * @link: in the hash
 * @tenant: its generation; immutable
 * @uid: in the initial user namespace; immutable
 * @count: what is charged, by enum kv_account_of
 */
struct kv_account {
	struct hlist_node link;
	u64 tenant;
	u32 uid;
	u32 count[KV_ACCOUNTS];
};

static const u32 limits_host[KV_ACCOUNTS] = {
	[KV_ACCOUNT_RECORD] = 512,
};

static const u32 limits_other[KV_ACCOUNTS] = {
	[KV_ACCOUNT_RECORD] = 512,
};

static DEFINE_SPINLOCK(kv_accounts_lock);
static DEFINE_HASHTABLE(kv_accounts, 8);

static struct kv_account *find(u64 tenant, u32 uid)
{
	struct kv_account *a;

	lockdep_assert_held(&kv_accounts_lock);
	hash_for_each_possible(kv_accounts, a, link, tenant ^ uid)
		if (a->tenant == tenant && a->uid == uid)
			return a;
	return NULL;
}

/**
 * kv_account_charge() - one more of something
 * @t: tenant
 * @who: for whom
 * @what: of what
 *
 * Return: the account, charged; NULL for an administrator, who has none;
 * -EDQUOT, -ENOMEM.
 */
struct kv_account *kv_account_charge(const struct kv_tenant *t, const struct kv_principal *who,
				     enum kv_account_of what)
{
	const u32 *limits = t->kind == KVAULT_TENANT_HOST ? limits_host : limits_other;
	struct kv_account *spare, *a;

#ifndef KVAULT_MUTANT_NO_ACCOUNTS
	if (who->wire.flags & KVAULT_PRINCIPAL_ADMIN)
#endif
		return NULL;
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return ERR_PTR(-ENOMEM);
	spin_lock(&kv_accounts_lock);
	a = find(t->generation, who->wire.uid);
	if (!a) {
		a = spare;
		spare = NULL;
		a->tenant = t->generation;
		a->uid = who->wire.uid;
		hash_add(kv_accounts, &a->link, a->tenant ^ a->uid);
	}
	if (a->count[what] < limits[what])
		a->count[what]++;
	else
		a = ERR_PTR(-EDQUOT);
	spin_unlock(&kv_accounts_lock);
	kfree(spare);
	return a;
}

/**
 * kv_account_uncharge() - one less of something
 * @a: what kv_account_charge() returned, may be NULL
 * @what: of what
 */
void kv_account_uncharge(struct kv_account *a, enum kv_account_of what)
{
	bool is_last;

	if (!a)
		return;
	spin_lock(&kv_accounts_lock);
	a->count[what]--;
	is_last = !memchr_inv(a->count, 0, sizeof(a->count));
	if (is_last)
		hash_del(&a->link);
	spin_unlock(&kv_accounts_lock);
	if (is_last)
		kfree(a);
}
