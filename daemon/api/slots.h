/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slots.json: which providers wrap the root key of this store. kvault-root
 * makes it; this daemon reads it and adds recovery slots, as a whole or not
 * at all.
 */
#ifndef KVD_API_SLOTS_H
#define KVD_API_SLOTS_H

#include "core/context.h"

#define KVD_SLOTS_FILE	"slots.json"
#define KVD_SLOTS_MAX	32

/* -ENOENT when there is no file; -EUCLEAN when it is not what it should be. */
int kvd_slots_read(const char *dir, json_t **ret, struct kvd_why *why);
int kvd_slots_store_id(const json_t *slots, struct kvd_id *ret);
int kvd_slots_write(const char *dir, const json_t *slots);

/* id, provider and created of each; NULL when they cannot be read. */
json_t *kvd_slots_public(const struct kvd_context *ctx, bool *ret_has_recovery);

#endif /* KVD_API_SLOTS_H */
