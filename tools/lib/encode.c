// SPDX-License-Identifier: LGPL-2.1-or-later
/* Hexadecimal, base64url, ECDSA signatures, recovery codes. */
#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/sha.h>

#include "internal.h"

void kvault_hex_encode(char *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int kvault_hex_decode(void *out, size_t len, const char *hex)
{
	uint8_t *p = out;
	size_t i;

	if (strlen(hex) != 2 * len)
		return -EINVAL;
	for (i = 0; i < 2 * len; i++)
		if (digit(hex[i]) < 0)
			return -EINVAL;
	for (i = 0; i < len; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.*): digits, all of them, see above */
		p[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	return 0;
}

/*
 * Private members of a JWK pass here: without tables and branches on the value,
 * so that neither cache nor branch predictor learns them.
 */
static char encode64(unsigned int v)
{
	unsigned int c = 'A' + v;

	c += ((25 - v) >> 8) & 6;	/* 26: 'a' */
	c -= ((51 - v) >> 8) & 75;	/* 52: '0' */
	c -= ((61 - v) >> 8) & 13;	/* 62: '-' */
	c += ((62 - v) >> 8) & 49;	/* 63: '_' */
	return (char)(c & 0x7f);
}

static unsigned int in_range(unsigned int c, unsigned int first, unsigned int last)
{
	return (((first - 1 - c) & (c - last - 1)) >> 8) & 0xff;
}

static int decode64(unsigned char ch)
{
	unsigned int c = ch, v = 0, ok = 0, m;

	m = in_range(c, 'A', 'Z');
	v |= m & (c - 'A');
	ok |= m;
	m = in_range(c, 'a', 'z');
	v |= m & (c - 'a' + 26);
	ok |= m;
	m = in_range(c, '0', '9');
	v |= m & (c - '0' + 52);
	ok |= m;
	m = in_range(c, '-', '-');
	v |= m & 62;
	ok |= m;
	m = in_range(c, '_', '_');
	v |= m & 63;
	ok |= m;
	return ok ? (int)v : -1;
}

void kvault_base64url_encode(char *out, const void *data, size_t len)
{
	const uint8_t *p = data;
	unsigned int bits = 0, n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		for (n += 8; n >= 6; n -= 6)
			*out++ = encode64(bits >> (n - 6) & 63);
	}
	if (n)
		*out++ = encode64(bits << (6 - n) & 63);
	*out = '\0';
}

int kvault_base64url_decode(void *out, size_t max, const char *text, size_t text_len,
			    size_t *ret_len)
{
	unsigned int bits = 0, n = 0;
	uint8_t *p = out;
	size_t i, len = 0;
	int v;

	if (text_len % 4 == 1)
		return -EINVAL;
	if (text_len / 4 * 3 + text_len % 4 * 3 / 4 > max)
		return -EMSGSIZE;
	for (i = 0; i < text_len; i++) {
		v = decode64((unsigned char)text[i]);
		if (v < 0)
			return -EINVAL;
		bits = bits << 6 | (unsigned int)v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			p[len++] = (uint8_t)(bits >> n);
		}
	}
	if (bits & ((1u << n) - 1))
		return -EINVAL;
	*ret_len = len;
	return 0;
}

static size_t signature_half(uint32_t alg)
{
	switch (alg) {
	case KVAULT_ALG_ES256:
	case KVAULT_ALG_ES256K:
		return 32;
	case KVAULT_ALG_ES384:
		return 48;
	case KVAULT_ALG_ES512:
		return 66;
	default:
		return 0;
	}
}

int kvault_signature_to_der(uint32_t alg, const void *raw, size_t raw_len, void *out,
			    size_t *out_len)
{
	size_t half = signature_half(alg);
	uint8_t *p = out;
	ECDSA_SIG *sig;
	BIGNUM *r, *s;
	int n, ret = -ENOMEM;

	if (!half || raw_len != 2 * half)
		return -EINVAL;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(raw, (int)half, NULL);
	s = BN_bin2bn((const uint8_t *)raw + half, (int)half, NULL);
	if (!sig || !r || !s || !ECDSA_SIG_set0(sig, r, s)) {
		BN_free(r);
		BN_free(s);
		goto out_free;
	}
	n = i2d_ECDSA_SIG(sig, NULL);
	ret = n > 0 && (size_t)n <= *out_len ? 0 : -EMSGSIZE;
	if (!ret)
		i2d_ECDSA_SIG(sig, &p);
	*out_len = (size_t)n;
out_free:
	ECDSA_SIG_free(sig);
	return ret;
}

int kvault_signature_to_raw(uint32_t alg, const void *der, size_t der_len, void *out,
			    size_t *out_len)
{
	size_t half = signature_half(alg);
	const uint8_t *p = der;
	ECDSA_SIG *sig;
	int ret = -EINVAL;

	if (!half || der_len > KVAULT_SIGNATURE_MAX)
		return -EINVAL;
	if (*out_len < 2 * half) {
		*out_len = 2 * half;
		return -EMSGSIZE;
	}
	sig = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
	if (!sig || p != (const uint8_t *)der + der_len)
		goto out_free;
	if (BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)half) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), (uint8_t *)out + half, (int)half) < 0)
		goto out_free;
	*out_len = 2 * half;
	ret = 0;
out_free:
	ECDSA_SIG_free(sig);
	return ret;
}

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#define CODE_CHARS	52
#define CHECK_CHARS	4

/* n values of five bits: the code, padded with four zero bits, then the check. */
static void code_values(const uint8_t code[KVAULT_RECOVERY_SIZE], uint8_t out[56])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	unsigned int i, bit, v;

	SHA256(code, KVAULT_RECOVERY_SIZE, hash);
	for (i = 0; i < CODE_CHARS + CHECK_CHARS; i++) {
		const uint8_t *p = i < CODE_CHARS ? code : hash;
		unsigned int first = (i < CODE_CHARS ? i : i - CODE_CHARS) * 5;

		for (v = 0, bit = first; bit < first + 5; bit++)
			v = v << 1 | (bit < 256 ? p[bit / 8] >> (7 - bit % 8) & 1 : 0);
		out[i] = (uint8_t)v;
	}
	explicit_bzero(hash, sizeof(hash));
}

void kvault_recovery_format(const uint8_t code[KVAULT_RECOVERY_SIZE],
			    char out[KVAULT_RECOVERY_TEXT])
{
	uint8_t values[CODE_CHARS + CHECK_CHARS];
	unsigned int i;

	code_values(code, values);
	for (i = 0; i < sizeof(values); i++) {
		if (i && i % 4 == 0)
			*out++ = '-';
		*out++ = crockford[values[i]];
	}
	*out = '\0';
	explicit_bzero(values, sizeof(values));
}

static int crockford_value(char c)
{
	const char *p;

	c = (char)toupper((unsigned char)c);
	if (c == 'I' || c == 'L')
		return 1;
	if (c == 'O')
		return 0;
	p = c ? strchr(crockford, c) : NULL;
	return p ? (int)(p - crockford) : -1;
}

int kvault_recovery_parse(const char *text, uint8_t ret[KVAULT_RECOVERY_SIZE])
{
	uint8_t values[CODE_CHARS + CHECK_CHARS], want[CODE_CHARS + CHECK_CHARS];
	uint8_t code[KVAULT_RECOVERY_SIZE] = { 0 };
	unsigned int i, n = 0;
	int v, r = -EINVAL;

	for (; *text; text++) {
		if (*text == '-' || isspace((unsigned char)*text))
			continue;
		v = crockford_value(*text);
		if (v < 0 || n == sizeof(values))
			goto out;
		values[n++] = (uint8_t)v;
	}
	if (n != sizeof(values))
		goto out;
	for (i = 0; i < 256; i++)
		code[i / 8] |= (uint8_t)((values[i / 5] >> (4 - i % 5) & 1) << (7 - i % 8));
	code_values(code, want);
	r = memcmp(values, want, sizeof(want)) ? -EBADMSG : 0;
	if (!r)
		memcpy(ret, code, sizeof(code));
out:
	explicit_bzero(values, sizeof(values));
	explicit_bzero(want, sizeof(want));
	explicit_bzero(code, sizeof(code));
	return r;
}
