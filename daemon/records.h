/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's audit records on their way into the log. The kernel gives each
 * once to a claim: what was taken is kept here until it is durable, and told
 * again when a commit failed.
 */
#ifndef KVD_RECORDS_H
#define KVD_RECORDS_H

#include "link.h"

#define KVD_RECORDS_MAX	4096
#define KVD_ACKS_MAX	64

struct kvd_ack {
	struct kvd_store *st;
	uint8_t tenant[KVAULT_ID_SIZE];
	uint64_t seq;
};

struct kvd_records {
	struct kvault_audit_rec *rec;	/* KVD_RECORDS_MAX */
	size_t n;
	struct kvd_ack acks[KVD_ACKS_MAX];
	size_t n_acks;
};

int kvd_records_init(struct kvd_records *rs);
void kvd_records_done(struct kvd_records *rs);

/*
 * Takes what there is and tells it, within the transactions that are open. A
 * store that cannot be written gets its error: its transaction must not be
 * committed.
 */
void kvd_records_tell(struct kvd_records *rs, struct kvd_context *ctx, struct kvd_link *link,
		      int *host_error, int *ephemeral_error);

/* After the commits, with their results: acknowledges what is durable. */
void kvd_records_settle(struct kvd_records *rs, struct kvd_context *ctx, struct kvd_link *link,
			int host, int ephemeral);

#endif /* KVD_RECORDS_H */
