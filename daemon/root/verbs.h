/* SPDX-License-Identifier: GPL-2.0-only */
/* What kvault-root can do; each logs what is wrong and returns an exit status. */
#ifndef KVR_VERBS_H
#define KVR_VERBS_H

#include "root/secret.h"
#include "util/cleanup.h"

#define KVR_EXIT_FAILED	1
#define KVR_EXIT_USAGE	2
#define KVR_EXIT_REFUSED 3	/* a wrong code, a store that is there already */

int kvr_verb_init(struct kvr_secret *secret);
int kvr_verb_load(struct kvr_secret *secret);
int kvr_verb_explain(struct kvr_secret *secret);
int kvr_verb_recover(struct kvr_secret *secret);

#endif /* KVR_VERBS_H */
