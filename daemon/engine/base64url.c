// SPDX-License-Identifier: GPL-2.0-only
/*
 * base64url by hand: libjose would do, but its constructors use OpenSSL before
 * main() can give that an allocator that wipes (process.c).
 */
#include "engine/base64url.h"

#include <errno.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void kve_base64url_encode(char *dst, const uint8_t *src, size_t len)
{
	uint32_t bits = 0;
	int held = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | src[i];
		for (held += 8; held >= 6; held -= 6)
			*dst++ = digits[bits >> (held - 6) & 63];
	}
	if (held)
		*dst++ = digits[bits << (6 - held) & 63];
	*dst = '\0';
}

int kve_base64url_decode(uint8_t *dst, size_t max, const char *text)
{
	uint32_t bits = 0;
	size_t n = 0;
	int held = 0;

	for (; *text; text++) {
		const char *at = strchr(digits, *text);

		if (!at)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(at - digits);
		held += 6;
		if (held < 8)
			continue;
		if (n == max)
			return -EINVAL;
		held -= 8;
		dst[n++] = (uint8_t)(bits >> held);
	}
	/* Six bits more than bytes are a digit too many; the others must be 0. */
	if (held >= 6 || bits & ((1u << held) - 1))
		return -EINVAL;
	return (int)n;
}
