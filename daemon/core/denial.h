/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is refused again and again must not fill the log, and neither must who
 * asks for what costs nothing and gives nothing. Each user of a tenant has so
 * many records in store, and gets a new one every few seconds; the others are
 * counted, and a record a minute says how many they were. The last record
 * before that says that counting begins: should we end before it does, the log
 * shows that a count is missing.
 */
#ifndef KVD_CORE_DENIAL_H
#define KVD_CORE_DENIAL_H

#include "core/audit.h"

#define KVD_DENIALS_BURST	64	/* records at once */
#define KVD_DENIALS_REFILL_S	10	/* a further one after so long */
#define KVD_DENIALS_TELL_S	60	/* a count after so long */

#define KVD_DENIALS_HOST	64	/* users of the host that are told apart */
#define KVD_DENIALS_GUEST	16	/* of another tenant */
#define KVD_DENIALS_SLOTS	(KVD_DENIALS_HOST + 12 * KVD_DENIALS_GUEST)

struct kvd_denial {
	uint8_t tenant[KVAULT_ID_SIZE];
	struct kvd_store *st;		/* NULL: not used */
	struct kvault_principal who;	/* of the newest */
	uint32_t uid;
	bool is_shared;			/* more users than there are slots */
	uint32_t left;			/* records that are in store */
	uint64_t refilled;		/* CLOCK_BOOTTIME nanoseconds */
	uint64_t counted;		/* without a record */
	uint64_t since;			/* likewise: when counting began */
	uint64_t told;			/* of counted, in a transaction that is open */
};

struct kvd_denials {
	struct kvd_denial slots[KVD_DENIALS_SLOTS];
	unsigned int n_told;
};

enum kvd_denial_verdict {
	KVD_DENIAL_RECORD,		/* it gets a record of its own */
	KVD_DENIAL_LAST,		/* likewise, which says that counting begins */
	KVD_DENIAL_COUNTED,
};

/* One refusal of ev->who; ctx tells the host's tenant from others. */
enum kvd_denial_verdict kvd_denial_note(struct kvd_denials *d, const struct kvd_context *ctx,
					struct kvd_store *st, const uint8_t *tenant,
					const struct kvault_principal *who);

/*
 * Writes down counts that are a minute old, or all of them; in transactions of
 * their stores, which it begins. 0 or negative errno.
 */
int kvd_denial_flush(struct kvd_denials *d, struct kvd_context *ctx, bool all);

/* After the commits, with their results: what was not durable is told again. */
void kvd_denial_settle(struct kvd_denials *d, const struct kvd_context *ctx, int host,
		       int ephemeral);

#endif /* KVD_CORE_DENIAL_H */
