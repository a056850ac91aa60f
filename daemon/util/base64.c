// SPDX-License-Identifier: GPL-2.0-only
/* base64url for public values: numbers of JWKs, signatures, tokens. */
#include <errno.h>
#include <stdint.h>

#include "util/base64.h"

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void kvd_base64url_encode(char *dst, const void *src, size_t len)
{
	const uint8_t *p = src;
	uint32_t bits = 0;
	unsigned int n = 0;

	while (len--) {
		bits = bits << 8 | *p++;
		for (n += 8; n >= 6; n -= 6)
			*dst++ = digits[bits >> (n - 6) & 63];
	}
	if (n)
		*dst++ = digits[bits << (6 - n) & 63];
	*dst = '\0';
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

ssize_t kvd_base64url_decode(void *dst, size_t max, const char *src, size_t len)
{
	uint8_t *out = dst;
	uint32_t bits = 0;
	unsigned int n = 0;
	size_t used = 0, i;

	if (len % 4 == 1)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		int v = digit_value(src[i]);

		if (v < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)v;
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		if (used == max)
			return -EMSGSIZE;
		out[used++] = (uint8_t)(bits >> n);
	}
	if (bits & ((1u << n) - 1))
		return -EINVAL;
	return (ssize_t)used;
}
