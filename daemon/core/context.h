/* SPDX-License-Identifier: GPL-2.0-only */
/* What every handler needs to know about the daemon it runs in. */
#ifndef KVD_CORE_CONTEXT_H
#define KVD_CORE_CONTEXT_H

#include <jansson.h>

#include "core/kernel.h"
#include "store/store.h"

/* A line for the journal, held back until its record is durable. */
struct kvd_mirror {
	struct kvd_mirror *next;
	char *json;
	uint64_t seq;
	uint8_t tenant[KVAULT_ID_SIZE];
};

/* A tenant whose log does not check: nothing new is done for it. */
struct kvd_broken {
	struct kvd_broken *next;
	uint8_t tenant[KVAULT_ID_SIZE];
	uint64_t seq;			/* the first record that does not check */
};

struct kvd_context {
	struct kvd_store *host;
	struct kvd_store *ephemeral;
	const struct kvd_kernel *kernel;
	struct kvd_meta meta;
	const char *suffix;		/* of vaults' host names */
	const char *root_dir;		/* folder of slots.json */
	const char *root_mark;		/* this file says that it was not loaded, or NULL */
	const char *runtime_dir;	/* folder of the ephemeral store */
	uint64_t ephemeral_max;		/* bytes of it; 0: as much as budget.c says */
	uint64_t started;		/* CLOCK_BOOTTIME */
	int64_t now;			/* Unix seconds, of the message in hand */
	bool has_root;
	bool is_root_stored;		/* slots.json was read and fits the store */

	struct kvd_audit_key audit_key;	/* jwk NULL: not made yet */
	uint64_t checkpoint_seq;	/* newest checkpoint of the host's log */

	uint8_t skip_key[32];		/* of the tokens in nextLink; ends with us */
	struct kvd_broken *broken;

	struct kvd_mirror *mirror, **mirror_end;
};

void kvd_context_init(struct kvd_context *ctx);
void kvd_context_done(struct kvd_context *ctx);

/* The store of a tenant of this kind; NULL when there is none (yet). */
struct kvd_store *kvd_context_store(struct kvd_context *ctx, uint32_t kind);

/* An id that nobody can guess. */
int kvd_id_new(struct kvd_id *ret);
bool kvd_id_is_zero(const uint8_t *id);

#endif /* KVD_CORE_CONTEXT_H */
