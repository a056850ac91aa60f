// SPDX-License-Identifier: GPL-2.0-only
/* The one table of outcomes: spec.md 2.11 and the errors of linux/kvault.h. */
#include <stdarg.h>

#include "util/error.h"

static const struct kvd_error errors[KVD_E_MAX] = {
	[KVD_E_OK]		= { 200, "", NULL, 0 },
	[KVD_E_PENDING]		= { 500, "InternalError", NULL, -EIO },
	[KVD_E_BAD_PARAMETER]	= { 400, "BadParameter", NULL, -EINVAL },
	[KVD_E_NOT_SUPPORTED]	= { 400, "NotSupported", NULL, -EOPNOTSUPP },
	[KVD_E_METHOD]		= { 405, "BadParameter", NULL, -EOPNOTSUPP },
	[KVD_E_FORBIDDEN]	= { 403, "Forbidden", "ForbiddenByRbac", -EACCES },
	[KVD_E_KEY_DISABLED]	= { 403, "Forbidden", "KeyDisabled", -EKEYREVOKED },
	[KVD_E_KEY_OPERATION]	= { 403, "Forbidden", "KeyOperationForbidden", -EACCES },
	[KVD_E_KEY_NOT_YET_VALID] = { 403, "Forbidden", "KeyNotYetValid", -EKEYEXPIRED },
	[KVD_E_KEY_EXPIRED]	= { 403, "Forbidden", "KeyExpired", -EKEYEXPIRED },
	[KVD_E_KEY_EXHAUSTED]	= { 403, "Forbidden", "KeyExpired", -EKEYEXPIRED },
	[KVD_E_KEY_NOT_FOUND]	= { 404, "KeyNotFound", NULL, -ENOKEY },
	[KVD_E_SECRET_DISABLED]	= { 403, "Forbidden", "SecretDisabled", -EKEYREVOKED },
	[KVD_E_SECRET_NOT_FOUND] = { 404, "SecretNotFound", NULL, -ENOKEY },
	[KVD_E_VAULT_NOT_FOUND]	= { 404, "VaultNotFound", NULL, -ENOKEY },
	[KVD_E_NOT_FOUND]	= { 404, "NotFound", NULL, -ENOKEY },
	[KVD_E_CONFLICT]	= { 409, "Conflict", NULL, -EEXIST },
	[KVD_E_DELETED]		= { 409, "Conflict", "ObjectIsDeletedButRecoverable", -EEXIST },
	[KVD_E_PURGE_PROTECTED]	= { 403, "Forbidden", "ForbiddenByPolicy", -EACCES },
	[KVD_E_THROTTLED]	= { 429, "Throttled", NULL, -EDQUOT },
	[KVD_E_UNAVAILABLE]	= { 503, "ServiceUnavailable", NULL, -EHOSTDOWN },
	[KVD_E_LOG_BROKEN]	= { 503, "ServiceUnavailable", "AuditLogBroken", -EHOSTDOWN },
	[KVD_E_TIMEOUT]		= { 504, "Timeout", NULL, -ETIMEDOUT },
	[KVD_E_INTERNAL]	= { 500, "InternalError", NULL, -EIO },
};

const struct kvd_error *kvd_error_of(int r)
{
	if (r < 0 || r >= KVD_E_MAX)
		r = KVD_E_INTERNAL;
	return &errors[r];
}

int kvd_error_from_kernel(int err)
{
	switch (err) {
	case 0:
		return KVD_E_OK;
	case -EINVAL:
	case -EBADMSG:
	case -EKEYREJECTED:
		return KVD_E_BAD_PARAMETER;
	case -EOPNOTSUPP:
		return KVD_E_NOT_SUPPORTED;
	case -EHOSTDOWN:
		return KVD_E_UNAVAILABLE;
	case -ETIMEDOUT:
		return KVD_E_TIMEOUT;
	case -EDQUOT:
	case -EAGAIN:
		return KVD_E_THROTTLED;
	default:
		return KVD_E_INTERNAL;
	}
}

int kvd_refuse(struct kvd_why *why, int r, const char *fmt, ...)
{
	va_list ap;

	if (why) {
		va_start(ap, fmt);
		vsnprintf(why->text, sizeof(why->text), fmt, ap);
		va_end(ap);
	}
	return r;
}
