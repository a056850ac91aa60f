/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_PROCESS_H
#define KVE_PROCESS_H

/* No core, no ptrace, no /proc/PID/mem, not even for the same user: first thing in main(). */
int kve_process_hide(void);

/*
 * Makes this process one that may hold keys: locked memory, a secure heap, and
 * libraries that wipe what they free. In main(), before any library has
 * allocated. Returns 0 or negative errno.
 */
int kve_process_init(void);

/* Ends with the parent, even if that dies this very moment. */
int kve_process_follow(int parent_pid);

/*
 * The last step before the first message: from here on only what an engine
 * does is possible. dev is the engine's file; with is_local no file can be
 * opened and no socket made.
 */
int kve_process_confine(int dev, int is_local);

#endif /* KVE_PROCESS_H */
