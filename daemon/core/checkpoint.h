/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checkpoints of the host's log: now and then an engine signs the newest
 * hash with a key that is no vault's. It is made at the first chance.
 */
#ifndef KVD_CORE_CHECKPOINT_H
#define KVD_CORE_CHECKPOINT_H

#include "core/context.h"

#define KVD_CHECKPOINT_RECORDS	1000
#define KVD_CHECKPOINT_S	60
#define KVD_CHECKPOINT_COOKIE	(1ull << 63)	/* no request has it */

struct kvd_checkpoint {
	bool is_busy;			/* an engine was asked */
	uint64_t not_before;		/* CLOCK_BOOTTIME nanoseconds: when to try again */
	uint64_t last;			/* likewise: when the newest was made */
	uint64_t seq;			/* what is being signed; 0: the key is being made */
	uint8_t digest[32];		/* likewise */
	uint64_t give_up;
	uint64_t cookie;
	struct kvd_audit_key key;	/* that is being made */
};

int kvd_checkpoint_load(struct kvd_context *ctx);

/* Asks an engine when it is time to; never fails for good. */
void kvd_checkpoint_tick(struct kvd_context *ctx, struct kvd_checkpoint *cp);

/* The engine is done; in a transaction of the host's store. 0 or negative errno. */
int kvd_checkpoint_done(struct kvd_context *ctx, struct kvd_checkpoint *cp, int status,
			const uint8_t *text, size_t text_len, const uint8_t *blob,
			size_t blob_len);

#endif /* KVD_CORE_CHECKPOINT_H */
