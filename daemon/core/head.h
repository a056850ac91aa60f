/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a tenant's log: what a checkpoint signs, and whether what is
 * stored is what was signed. Nothing is signed or granted on top of a log that
 * does not check: else who can write to the store had us vouch for his version.
 *
 *	digest = SHA-256("kvault/1/audit-head" || store id (16) || tenant id (16) ||
 *			 seq (8, big-endian) || hash(seq) (32))
 */
#ifndef KVD_CORE_HEAD_H
#define KVD_CORE_HEAD_H

#include "core/audit.h"

#define KVD_HEAD_LABEL		"kvault/1/audit-head"
#define KVD_SIGNATURE_SIZE	64	/* ES256, r||s */
/* Of a log without checkpoints so many of the newest records are checked. */
#define KVD_HEAD_UNSIGNED	256

void kvd_head_digest(uint8_t out[static KVD_HASH_SIZE], const struct kvd_context *ctx,
		     const uint8_t *tenant, uint64_t seq, const uint8_t hash[static KVD_HASH_SIZE]);

/* ES256 by the key in a JWK: 0, -EKEYREJECTED, -ENOMEM. */
int kvd_head_verify(const char *jwk, const uint8_t digest[static KVD_HASH_SIZE],
		    const uint8_t sig[static KVD_SIGNATURE_SIZE]);

/*
 * The host's log from its newest checkpoint on, or all of it; another one's
 * newest records. A log that does not check is told in the journal and noted
 * in ctx. 0 or negative errno: it could not be looked at.
 */
int kvd_head_check(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant);

/* The first record that does not check; 0: the tenant's log is good, as far as we know. */
uint64_t kvd_head_broken(const struct kvd_context *ctx, const uint8_t *tenant);

int kvd_head_note(struct kvd_context *ctx, const uint8_t *tenant, uint64_t seq, const char *why);
void kvd_head_forget(struct kvd_context *ctx, const uint8_t *tenant);

#endif /* KVD_CORE_HEAD_H */
