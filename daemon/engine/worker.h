/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_WORKER_H
#define KVE_WORKER_H

#include "engine/engine.h"

#define KVE_SLOTS_MAX	4096	/* keys that one worker holds */
#define KVE_SLOT_LINES	256

struct kve_slot;

/* The keys of one attachment, by the kernel's number. */
struct kve_slots {
	struct kve_slot *line[KVE_SLOT_LINES];
	size_t used;
};

/* One process, one tenant: a backend and the keys that it holds. */
struct kve_worker {
	const struct kve_backend *backend;
	void *state;
	struct kve_slots slots;
	int is_secret;		/* the last answer: material or something decrypted */
};

/* Bytes that an answer may take. */
#define KVE_ANSWER_MAX	(sizeof(struct kvault_msg) + KVAULT_PAYLOAD_MAX + KVAULT_MATERIAL_MAX)

/*
 * Carries out one message and writes the answer. Returns its length, or
 * -EBADMSG when the message is not one.
 */
ssize_t kve_worker_handle(struct kve_worker *w, const uint8_t *in, size_t in_len,
			  uint8_t *out, size_t out_size);

/* Forgets all keys. */
void kve_worker_done(struct kve_worker *w);

#endif /* KVE_WORKER_H */
