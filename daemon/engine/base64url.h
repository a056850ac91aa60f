/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_BASE64URL_H
#define KVE_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

/* Characters for len bytes, without a NUL. */
#define KVE_BASE64URL_LEN(len)	(((len) * 4 + 2) / 3)

/* RFC 4648 5, without padding; writes a NUL behind. Of public bytes only: not constant-time. */
void kve_base64url_encode(char *dst, const uint8_t *src, size_t len);

/*
 * Strict: no padding, no white space, no bits left over. Returns how many
 * bytes, or -EINVAL, also when they are more than max.
 */
int kve_base64url_decode(uint8_t *dst, size_t max, const char *text);

#endif /* KVE_BASE64URL_H */
