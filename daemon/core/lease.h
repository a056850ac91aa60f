/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lease is a promise written down beforehand: this principal may do up to
 * so many operations with this key version until then. What was really done
 * the kernel reports; after a crash the lease says how much at most is
 * missing. For keys that can encrypt it also reserves ivs of GCM, of which a
 * key version has 2^32 (SP 800-38D, 8.3).
 */
#ifndef KVD_CORE_LEASE_H
#define KVD_CORE_LEASE_H

#include "core/context.h"

#define KVD_LEASE_OPS	65536
#define KVD_LEASE_MS	60000
/*
 * So long after a lease's time the report of its end is here: the kernel makes
 * it within a second, and what it reported is read before this is asked.
 */
#define KVD_LEASE_GRACE_S	30
#define KVD_IVS_MAX	(1ull << 32)

/*
 * Reserves for a grant of ops with v, or for less: encrypt is taken out of
 * *ops when no iv is left. Nothing is granted before this is durable.
 */
int kvd_lease_make(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant,
		   const struct kvd_version *v, const struct kvault_principal *who,
		   uint32_t *ops, struct kvd_lease *ret);

/* Operations under a lease were reported. */
int kvd_lease_use(struct kvd_store *st, const uint8_t *tenant, const uint8_t *lease,
		  uint64_t count);

/* The lease is over after used operations: ivs that were not used are given back. */
int kvd_lease_end(struct kvd_store *st, const uint8_t *tenant, const uint8_t *lease,
		  uint64_t used);

/* The clock of leases: seconds, also of those that the machine sleeps. */
int64_t kvd_lease_now(void);

/*
 * Closes up to max leases whose end was due before then and was not reported,
 * with a record each. What was done under them is not known, so that their ivs
 * are not given back. Returns how many.
 */
int kvd_lease_expire(struct kvd_context *ctx, struct kvd_store *st, int64_t before,
		     unsigned int max);

/*
 * The kernel that had these leases is gone and will not report: says so in
 * the log, for each, and keeps what they reserved.
 */
int kvd_lease_lose_all(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant);

#endif /* KVD_CORE_LEASE_H */
