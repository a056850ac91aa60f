/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Room for ephemeral tenants. Their store is in /run, where a full file system
 * hurts the whole machine, and anybody may have a thousand of them. So all of
 * it has a limit, and nobody may hold more than what is left free: whoever
 * comes next finds as much room as the one who has the most.
 */
#ifndef KVD_CORE_BUDGET_H
#define KVD_CORE_BUDGET_H

#include "core/context.h"

/* A row with len bytes of text or blob was written for the tenant. */
int kvd_budget_charge(struct kvd_store *st, const uint8_t *tenant, size_t len);

/* Whether more may be begun for the tenant: KVD_E_THROTTLED and why. */
int kvd_budget_check(struct kvd_context *ctx, const uint8_t *tenant, struct kvd_why *why);

#endif /* KVD_CORE_BUDGET_H */
