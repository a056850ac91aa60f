/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slots.json: the store's id and who wraps its root key. Nothing in it is
 * secret; all of it is distrusted, since the daemon may write it too.
 */
#ifndef KVR_SLOTS_H
#define KVR_SLOTS_H

#include <jansson.h>

#include "root/secret.h"
#include "util/cleanup.h"

#define KVR_SLOTS_MAX	32

enum kvr_provider {
	KVR_OTHER = 0,		/* of a later version: kept, not used */
	KVR_CREDENTIAL,
	KVR_RECOVERY,
};

struct kvr_slot {
	uint8_t id[KVR_ID_SIZE];
	enum kvr_provider provider;
	uint8_t check[32];	/* CREDENTIAL */
	uint8_t iv[12];		/* RECOVERY: this and the next two */
	uint8_t wrapped[KVR_KEY_SIZE];
	uint8_t tag[16];
};

struct kvr_slots {
	uint8_t store[KVR_ID_SIZE];
	struct kvr_slot slot[KVR_SLOTS_MAX];
	size_t count;
	json_t *json;		/* as it was read, for what is not known here */
};

/* An empty one for a new store. -EIO, -ENOMEM. */
int kvr_slots_new(struct kvr_slots *ret);

/* Reads a text. -EUCLEAN when it is not what it should be. */
int kvr_slots_parse(const void *text, size_t len, struct kvr_slots *ret);

/* The text, to be freed; NULL without memory. */
char *kvr_slots_text(const struct kvr_slots *s);
void kvr_slots_done(struct kvr_slots *s);

/*
 * One slot "systemd-credential" for this root key, in place of all there were:
 * there is one credential, and it is this machine's.
 */
int kvr_slots_set_credential(struct kvr_slots *s, const uint8_t root[KVR_KEY_SIZE],
			     int64_t now);

/* Is this the root key of the store? 0; -EKEYREJECTED; -ENOENT without such a slot. */
int kvr_slots_check(const struct kvr_slots *s, const uint8_t root[KVR_KEY_SIZE]);

/*
 * Opens the recovery slot that the code in secret->code fits, to secret->root.
 * -ENOENT without a recovery slot, -EKEYREJECTED when the code fits none.
 */
int kvr_slots_recover(const struct kvr_slots *s, struct kvr_secret *secret);

#endif /* KVR_SLOTS_H */
