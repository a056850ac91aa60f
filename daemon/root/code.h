/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVR_CODE_H
#define KVR_CODE_H

#include <stdint.h>

/*
 * A recovery code as people type it: 52 characters of Crockford's base32 for
 * 32 bytes, then 4 for the first 20 bits of their SHA-256. Either case, I and
 * L for 1, O for 0, hyphens and blanks anywhere. Returns 0; -EINVAL for what
 * has another length or other characters; -EBADMSG when the last four do not
 * fit the rest, as with a slip of the finger.
 */
int kvr_code_parse(const char *typed, uint8_t ret[32]);

#endif /* KVR_CODE_H */
