/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two kinds of results: a negative errno means that something is broken; a
 * positive KVD_E_* is an expected outcome. One table says for each what the
 * caller of a control operation gets (HTTP status, code, inner code) and what
 * errno an ACCESS is answered with.
 */
#ifndef KVD_UTIL_ERROR_H
#define KVD_UTIL_ERROR_H

#include "util/cleanup.h"

enum kvd_e {
	KVD_E_OK = 0,
	KVD_E_PENDING = 1,	/* an engine was asked; the answer comes later */
	KVD_E_BAD_PARAMETER,
	KVD_E_NOT_SUPPORTED,
	KVD_E_METHOD,
	KVD_E_FORBIDDEN,	/* no role allows it */
	KVD_E_KEY_DISABLED,
	KVD_E_KEY_OPERATION,	/* key_ops do not have it */
	KVD_E_KEY_NOT_YET_VALID,
	KVD_E_KEY_EXPIRED,
	KVD_E_KEY_EXHAUSTED,	/* the ivs of a key are used up */
	KVD_E_KEY_NOT_FOUND,
	KVD_E_SECRET_DISABLED,
	KVD_E_SECRET_NOT_FOUND,
	KVD_E_VAULT_NOT_FOUND,
	KVD_E_NOT_FOUND,
	KVD_E_CONFLICT,
	KVD_E_DELETED,		/* the name is that of something deleted */
	KVD_E_PURGE_PROTECTED,	/* the vault destroys nothing before its time */
	KVD_E_THROTTLED,
	KVD_E_UNAVAILABLE,	/* no root key, no engine */
	KVD_E_LOG_BROKEN,	/* the tenant's audit log does not check */
	KVD_E_TIMEOUT,
	KVD_E_INTERNAL,
	KVD_E_MAX
};

struct kvd_error {
	int http;
	const char *code;
	const char *inner;	/* may be NULL */
	int err;		/* negative errno for an ACCESS */
};

/* Of a KVD_E_* or a negative errno; never NULL. */
const struct kvd_error *kvd_error_of(int r);

/* Whether a negative errno of the kernel has a meaning of its own as KVD_E_*. */
int kvd_error_from_kernel(int err);

/* Why something was refused, in one line for the caller. */
struct kvd_why {
	char text[256];
};

/* Writes the line and returns r. */
int kvd_refuse(struct kvd_why *why, int r, const char *fmt, ...) _printf_(3, 4);

#endif /* KVD_UTIL_ERROR_H */
