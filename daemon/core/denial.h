/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is refused again and again must not fill the log: of one kind of refusal
 * of one user, so many in a second get a record each; the others are counted,
 * and one record says how many they were.
 */
#ifndef KVD_CORE_DENIAL_H
#define KVD_CORE_DENIAL_H

#include "core/audit.h"

#define KVD_DENIALS_EACH	20	/* records in a second */
#define KVD_DENIALS_KINDS	64

struct kvd_denial {
	uint8_t tenant[KVAULT_ID_SIZE];
	struct kvd_store *st;
	struct kvault_principal who;	/* of the newest */
	char operation[32];
	char signature[24];
	uint64_t since;			/* CLOCK_BOOTTIME nanoseconds; 0: not used */
	uint64_t seen;
	uint64_t uncounted;		/* without a record */
};

struct kvd_denials {
	struct kvd_denial kinds[KVD_DENIALS_KINDS];
};

/* A refusal: true when it shall get a record of its own. */
bool kvd_denial_note(struct kvd_denials *d, struct kvd_store *st, const uint8_t *tenant,
		     const struct kvd_event *ev);

/* Writes down what was counted and is over a second old; 0 or negative errno. */
int kvd_denial_flush(struct kvd_denials *d, struct kvd_context *ctx);

#endif /* KVD_CORE_DENIAL_H */
