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
/* That are told before it is somebody else's turn. */
#ifndef KVAULT_MUTANT_RECORDS_HOG
#define KVD_RECORDS_TURN	16
#else
#define KVD_RECORDS_TURN	KVD_RECORDS_MAX
#endif
#define KVD_ACKS_MAX	64

struct kvd_ack {
	struct kvd_store *st;
	uint8_t tenant[KVAULT_ID_SIZE];
	uint64_t seq;
};

struct kvd_records {
	struct kvault_audit_rec *rec;	/* KVD_RECORDS_MAX */
	size_t n;
	size_t n_told;			/* the first so many, in transactions that are open */
	bool is_more;			/* the kernel had more than we took */
	struct kvd_ack acks[KVD_ACKS_MAX];
	size_t n_acks;
};

int kvd_records_init(struct kvd_records *rs);
void kvd_records_done(struct kvd_records *rs);

/*
 * Tells a few records, within the transactions that are open; false when there
 * are none. A store that cannot be written gets its error: its transaction
 * must not be committed.
 */
bool kvd_records_tell(struct kvd_records *rs, struct kvd_context *ctx, struct kvd_link *link,
		      int *host_error, int *ephemeral_error);

/* After the commits, with their results: acknowledges what is durable. */
void kvd_records_settle(struct kvd_records *rs, struct kvd_context *ctx, struct kvd_link *link,
			int host, int ephemeral);

/* Whether all that the kernel has reported so far was told. */
static inline bool kvd_records_are_told(const struct kvd_records *rs)
{
	return rs->n_told == rs->n && !rs->is_more;
}

#endif /* KVD_RECORDS_H */
