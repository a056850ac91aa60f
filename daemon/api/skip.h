/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The $skiptoken of a list: where its next page begins. It is sealed, for the
 * name in it may be of something that the caller may not see, and bound to the
 * tenant and the list. Its key ends with this process: a list that was begun
 * before is asked for from the start.
 */
#ifndef KVD_API_SKIP_H
#define KVD_API_SKIP_H

#include "api/request.h"

#define KVD_SKIP_TEXT_MAX	KVAULT_NAME_MAX

/* For behind "%24skiptoken="; NULL: no memory. Free with free(). */
char *kvd_skip_seal(const struct kvd_request *req, const char *list, const char *at);

/* 0 with "" when there is none; KVD_E_BAD_PARAMETER for what is not of this list. */
int kvd_skip_open(struct kvd_request *req, const char *list,
		  char at[static KVD_SKIP_TEXT_MAX + 1]);

#endif /* KVD_API_SKIP_H */
