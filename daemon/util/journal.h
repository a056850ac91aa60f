/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVD_UTIL_JOURNAL_H
#define KVD_UTIL_JOURNAL_H

#include <stddef.h>

struct kvd_field {
	const char *name;		/* A-Z and '_' */
	const char *value;
};

/*
 * One entry, whatever bytes are in the values. Never waits: when the journal
 * is stopped, full or not there, the entry is lost. 0 or negative errno.
 */
int kvd_journal_send(const struct kvd_field *fields, size_t n);

#endif /* KVD_UTIL_JOURNAL_H */
