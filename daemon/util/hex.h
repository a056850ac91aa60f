/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVD_UTIL_HEX_H
#define KVD_UTIL_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len lower-case digits and a NUL. */
void kvd_hex_encode(char *dst, const void *src, size_t len);

/*
 * Reads exactly len bytes from a string of exactly 2 * len digits, of either
 * case. Returns 0 or -EINVAL; dst is written only on success.
 */
int kvd_hex_decode(void *dst, size_t len, const char *hex);

#endif /* KVD_UTIL_HEX_H */
