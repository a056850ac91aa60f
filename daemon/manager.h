/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVD_MANAGER_H
#define KVD_MANAGER_H

#include "util/error.h"

struct sd_event;

struct kvd_config {
	const char *device;		/* /dev/kvault-control */
	const char *state_dir;		/* /var/lib/kvault */
	const char *runtime_dir;	/* /run/kvault */
	const char *root_mark;		/* there when the root key could not be loaded */
	const char *suffix;		/* of vaults' host names */
	uint64_t ephemeral_max;		/* bytes for ephemeral tenants; 0: the default */
};

struct kvd_manager;

/* Opens stores and link, claims, brings both in line; serves from the event loop. */
int kvd_manager_new(struct sd_event *event, const struct kvd_config *config,
		    struct kvd_manager **ret, struct kvd_why *why);

/* Says goodbye to the module and closes everything; NULL is nothing. */
struct kvd_manager *kvd_manager_free(struct kvd_manager *m);

#endif /* KVD_MANAGER_H */
