// SPDX-License-Identifier: GPL-2.0-only
/*
 * slots.json: what is read is written so that it reads the same, and no slot
 * opens by accident.
 * pkgs: jansson libcrypto
 */
#include <errno.h>
#include "fuzz.h"
#include "root/slots.h"

static bool is_same(const struct kvr_slots *a, const struct kvr_slots *b)
{
	return a->count == b->count && !memcmp(a->store, b->store, sizeof(a->store)) &&
	       !memcmp(a->slot, b->slot, a->count * sizeof(a->slot[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvr_secret secret = { .code = { 1 } };
	static const uint8_t root[KVR_KEY_SIZE] = { 2 };
	struct kvr_slots s, again;
	char *text;
	int r;

	if (kvr_slots_parse(data, size, &s))
		return 0;
	MUST(s.count <= KVR_SLOTS_MAX);
	text = kvr_slots_text(&s);
	MUST(text && !kvr_slots_parse(text, strlen(text), &again));
	MUST(is_same(&s, &again));
	free(text);
	kvr_slots_done(&again);
	MUST(kvr_slots_check(&s, root));
	MUST(kvr_slots_recover(&s, &secret));
	/* a credential takes the place of the one that was there, and then it fits */
	r = kvr_slots_set_credential(&s, root, 1700000000);
	if (!r) {
		MUST(!kvr_slots_check(&s, root));
		text = kvr_slots_text(&s);
		MUST(text && !kvr_slots_parse(text, strlen(text), &again));
		MUST(is_same(&s, &again));
		free(text);
		kvr_slots_done(&again);
	} else {
		MUST(r == -ENOSPC);
	}
	kvr_slots_done(&s);
	return 0;
}
