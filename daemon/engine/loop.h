/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_LOOP_H
#define KVE_LOOP_H

#include "engine/engine.h"

/* What a worker tells its parent, one byte each. */
#define KVE_NOTE_SPARE	'S'	/* attached, waits for its first message */
#define KVE_NOTE_BOUND	'B'	/* had one: belongs to the host now */
#define KVE_NOTE_GUEST	'G'	/* ... to another tenant */

/* How a worker ends; others are failures to be logged. */
#define KVE_EXIT_DONE		0	/* idle, or told to */
#define KVE_EXIT_FAILED		1
#define KVE_EXIT_UNAVAILABLE	75	/* no device or no token: try again later */
#define KVE_EXIT_PIN		77	/* the token refused the PIN: do not try again */
#define KVE_EXIT_CONFIG		78

/*
 * The life of a worker, from the open device to its exit status. notes is the
 * pipe to the parent.
 */
int kve_loop_run(const struct kve_backend *backend, const char *config, int notes);

#endif /* KVE_LOOP_H */
