/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module does for us, as a table of calls, so that the rules can be
 * tested without it. link.c is the real one. All return 0 or negative errno.
 */
#ifndef KVD_CORE_KERNEL_H
#define KVD_CORE_KERNEL_H

#include <linux/kvault_control.h>
#include <linux/kvault_netlink.h>
#include <stdint.h>

struct kvd_kernel_tenant {
	uint8_t id[KVAULT_ID_SIZE];
	uint32_t kind;
	uint64_t generation;
	uint64_t revision;
	uint32_t uid;
	uint32_t objects;
};

struct kvd_kernel_engine {
	uint32_t kind;
	uint8_t tenant[KVAULT_ID_SIZE];
	uint32_t pid;
	uint64_t generation;
	uint32_t served;
};

struct kvd_kernel {
	void *data;
	/* size is filled in by these */
	int (*seal)(void *data, struct kvault_seal *arg);
	int (*submit)(void *data, struct kvault_submit *arg);
	int (*root_wrap)(void *data, struct kvault_root_wrap *arg);
	int (*policy_set)(void *data, const uint8_t *tenant, uint64_t revision);
	/* version NULL: all of the key's. Returns the number of volumes that were stopped. */
	int (*object_set)(void *data, const uint8_t *tenant, const uint8_t *key,
			  const uint8_t *version, uint64_t revision, uint32_t state);
	int (*tenants)(void *data, int (*fn)(const struct kvd_kernel_tenant *t, void *udata),
		       void *udata);
	int (*engines)(void *data, int (*fn)(const struct kvd_kernel_engine *e, void *udata),
		       void *udata);
};

#endif /* KVD_CORE_KERNEL_H */
