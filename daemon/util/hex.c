// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hexadecimal, strict: no white space, no prefix, no odd digit. Values are not
 * looked up in a table by their digits, since some of them are secret.
 */
#include "util/hex.h"

#include <errno.h>
#include <string.h>

static char digit(unsigned int v)
{
	return (char)('0' + v + ((9 - v) >> 8 & ('a' - '0' - 10)));
}

/* Returns 0..15, or something negative for what is no digit. */
static int value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

void kvd_hex_encode(char *dst, const void *src, size_t len)
{
	const uint8_t *p = src;

	for (size_t i = 0; i < len; i++) {
		dst[2 * i] = digit(p[i] >> 4);
		dst[2 * i + 1] = digit(p[i] & 15);
	}
	dst[2 * len] = '\0';
}

int kvd_hex_decode(void *dst, size_t len, const char *hex)
{
	uint8_t *p = dst;

	if (!hex || strlen(hex) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < 2 * len; i++)
		if (value((unsigned char)hex[i]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < len; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.*): digits, all of them, see above */
		p[i] = (uint8_t)(value((unsigned char)hex[2 * i]) << 4 |
				 value((unsigned char)hex[2 * i + 1]));
	return 0;
}
