/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that is secret here lives in one page that is locked, left out of cores
 * and wiped at the end.
 */
#ifndef KVR_SECRET_H
#define KVR_SECRET_H

#include <stdint.h>

#define KVR_KEY_SIZE	32
#define KVR_ID_SIZE	16
#define KVR_CODE_TEXT	128	/* a recovery code as it is typed, with room for mistakes */

struct kvr_secret {
	uint8_t root[KVR_KEY_SIZE];
	uint8_t code[KVR_KEY_SIZE];
	uint8_t kek[KVR_KEY_SIZE];
	char typed[KVR_CODE_TEXT];
};

/* NULL when there is no page that can be locked; done() takes NULL. */
struct kvr_secret *kvr_secret_new(void);
void kvr_secret_free(struct kvr_secret *s);

#endif /* KVR_SECRET_H */
