/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens once, before the first message: stores, and what became of their tenants. */
#ifndef KVD_STARTUP_H
#define KVD_STARTUP_H

#include "link.h"
#include "manager.h"

int kvd_startup_stores(struct kvd_context *ctx, const struct kvd_config *config,
		       struct kvd_why *why);

/*
 * After the claim: what the module and the stores know of each other is made
 * one. generation is that of the claim.
 */
int kvd_startup_resync(struct kvd_context *ctx, uint64_t generation, struct kvd_why *why);

#endif /* KVD_STARTUP_H */
