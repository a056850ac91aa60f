/* SPDX-License-Identifier: GPL-2.0-only */
/* What is deleted and not recovered within its vault's retention is destroyed. */
#ifndef KVD_CORE_PURGE_H
#define KVD_CORE_PURGE_H

#include "core/context.h"

/* Up to max objects, each with its record; how many, or negative errno. */
int kvd_purge_overdue(struct kvd_context *ctx, struct kvd_store *st, unsigned int max);

#endif /* KVD_CORE_PURGE_H */
