// SPDX-License-Identifier: GPL-2.0-only
/* Recovery codes: base32 that survives handwriting. */
#include "root/code.h"

#include <ctype.h>
#include <openssl/evp.h>

#include "util/cleanup.h"

#define CODE_CHARS	52
#define CHECK_CHARS	4
#define CHECK_SHIFT	12	/* of 32 bits, the first 20 count */

/* 0..31; -1 for no character of the alphabet, which lacks I, L, O and U. */
static int value(char c)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	int v = -1;

	c = (char)toupper((unsigned char)c);
	if (c == 'I' || c == 'L')
		c = '1';
	if (c == 'O')
		c = '0';
	/* All of it each time: where a secret's digit stands takes no time to tell. */
	for (int i = 0; i < 32; i++)
		v = alphabet[i] == c ? i : v;
	return v;
}

static int check(const uint8_t code[32], uint32_t given)
{
	uint8_t hash[32];
	uint32_t want;

	if (EVP_Digest(code, 32, hash, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	want = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
	kvd_wipe(hash, sizeof(hash));
	return want >> CHECK_SHIFT == given ? 0 : -EBADMSG;
}

int kvr_code_parse(const char *typed, uint8_t ret[32])
{
	uint8_t code[32];
	uint32_t bits = 0, given = 0;
	int chars = 0, held = 0, n = 0, r;

	for (; *typed; typed++) {
		int v;

		if (*typed == '-' || isspace((unsigned char)*typed))
			continue;
		v = value(*typed);
		if (v < 0 || chars == CODE_CHARS + CHECK_CHARS)
			goto out_invalid;
		if (chars++ >= CODE_CHARS) {
			given = given << 5 | (uint32_t)v;
			continue;
		}
		bits = bits << 5 | (uint32_t)v;
		held += 5;
		if (held >= 8) {
			held -= 8;
			code[n++] = (uint8_t)(bits >> held);
		}
	}
	/* 52 characters hold 4 bits more than 32 bytes; they are 0. */
	if (chars != CODE_CHARS + CHECK_CHARS || bits & 15)
		goto out_invalid;
	r = check(code, given);
	if (r == 0)
		memcpy(ret, code, sizeof(code));
	kvd_wipe(code, sizeof(code));
	kvd_wipe(&bits, sizeof(bits));
	return r;

out_invalid:
	kvd_wipe(code, sizeof(code));
	kvd_wipe(&bits, sizeof(bits));
	return -EINVAL;
}
