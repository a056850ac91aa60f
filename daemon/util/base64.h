/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVD_UTIL_BASE64_H
#define KVD_UTIL_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Characters of len bytes in base64url without padding, without a NUL. */
#define KVD_BASE64_LEN(len)	(((len) * 4 + 2) / 3)

/* base64url without padding (RFC 4648, 5); writes a NUL behind it. */
void kvd_base64url_encode(char *dst, const void *src, size_t len);

/*
 * Strict: no padding, no other characters, no stray bits. Returns the number
 * of bytes, -EINVAL, or -EMSGSIZE when they are more than max.
 */
ssize_t kvd_base64url_decode(void *dst, size_t max, const char *src, size_t len);

#endif /* KVD_UTIL_BASE64_H */
