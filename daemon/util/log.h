/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVD_UTIL_LOG_H
#define KVD_UTIL_LOG_H

#include <syslog.h>

#include "util/cleanup.h"

enum kvd_log_target {
	KVD_LOG_AUTO = 0,	/* the journal when stderr leads there, else stderr */
	KVD_LOG_JOURNAL,	/* with fields, by the journal's socket */
	KVD_LOG_STREAM,		/* stderr, "<level>" before each line, for systemd */
	KVD_LOG_STDERR,		/* stderr, for people */
};

/*
 * Names the program and decides once where lines go. A process that is about
 * to lose its sockets (seccomp) asks for KVD_LOG_STREAM when stderr is the
 * journal's; kvd_log_is_journal() tells.
 */
void kvd_log_init(const char *name, enum kvd_log_target target);
int kvd_log_is_journal(void);

/* What is less important than level is dropped; LOG_INFO at the start. */
void kvd_log_set_level(int level);

/*
 * One line: which thing, what is wrong, what mends it. No secret, no bare
 * errno. kvd_log_fields() adds "KEY=value" strings, up to a NULL, which only
 * the journal gets.
 */
void kvd_log(int level, const char *fmt, ...) _printf_(2, 3);
void kvd_log_fields(int level, const char *const *fields, const char *fmt, ...)
	_printf_(3, 4);

#endif /* KVD_UTIL_LOG_H */
