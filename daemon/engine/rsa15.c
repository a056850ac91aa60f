// SPDX-License-Identifier: GPL-2.0-only
/*
 * RSA1_5 decryption that rejects implicitly. OpenSSL 3.0 says "padding error",
 * and whoever may ask that question often enough decrypts anything with it
 * (Bleichenbacher). The construction is that of draft-irtf-cfrg-rsa-guidance,
 * which OpenSSL has from 3.2 on, so answers are the same before and after an
 * upgrade of the library:
 *
 *	kdk  = HMAC-SHA-256(key = SHA-256(d), ciphertext)
 *	prf(label, n bytes) = HMAC-SHA-256(kdk, be16(i) | label | be16(8 n)), i = 0..
 *	message = prf("message", size), length from 128 candidates of
 *	prf("length", 256): the last one below size - 10, masked to its bits
 *
 * One ciphertext always gives the same message, of the same length. All below
 * runs for the same time and touches the same memory whether the padding was
 * right or not; only the length of what comes out decides on the last copy.
 */
#include "engine/rsa15.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "util/cleanup.h"

#define CANDIDATES	128
#define PADDING_MIN	8	/* bytes of non-zero padding, at least */

KVD_DEFINE_CLEANUP(EVP_MAC, EVP_MAC_free);
KVD_DEFINE_CLEANUP(EVP_MAC_CTX, EVP_MAC_CTX_free);

/*
 * Masks, all ones or zero. The empty asm keeps a compiler from finding out
 * that a mask has two values only and branching on it.
 */
static uint32_t mask_of_bit31(uint32_t v)
{
	v = (uint32_t)-(int32_t)(v >> 31);
	__asm__("" : "+r"(v));
	return v;
}

static uint32_t mask_lt(uint32_t a, uint32_t b)
{
	return mask_of_bit31(a ^ ((a ^ b) | ((a - b) ^ b)));
}

static uint32_t mask_zero(uint32_t a)
{
	return mask_of_bit31(~a & (a - 1));
}

static uint32_t mask_eq(uint32_t a, uint32_t b)
{
	return mask_zero(a ^ b);
}

static uint32_t choose(uint32_t mask, uint32_t a, uint32_t b)
{
	return (mask & a) | (~mask & b);
}


static int prf_start(EVP_MAC_CTX *ctx, const uint8_t *key, size_t key_len)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_init(ctx, key, key_len, params);
}

static int prf(EVP_MAC_CTX *ctx, const uint8_t kdk[KVE_RSA15_HASH], const char *label,
	       uint8_t *out, size_t len)
{
	uint8_t block[KVE_RSA15_HASH], n[2];
	uint16_t bits = (uint16_t)(len * 8);
	int ok = 1;

	for (size_t i = 0; ok && i * sizeof(block) < len; i++) {
		size_t part = len - i * sizeof(block);

		ok = prf_start(ctx, kdk, KVE_RSA15_HASH);
		n[0] = (uint8_t)(i >> 8);
		n[1] = (uint8_t)i;
		ok = ok && EVP_MAC_update(ctx, n, sizeof(n));
		ok = ok && EVP_MAC_update(ctx, (const uint8_t *)label, strlen(label));
		n[0] = (uint8_t)(bits >> 8);
		n[1] = (uint8_t)bits;
		ok = ok && EVP_MAC_update(ctx, n, sizeof(n));
		ok = ok && EVP_MAC_final(ctx, block, NULL, sizeof(block));
		memcpy(out + i * sizeof(block), block, part < sizeof(block) ? part : sizeof(block));
	}
	kvd_wipe(block, sizeof(block));
	return ok;
}

/* The last candidate that fits, of enough that one does but for odds of 2^-128. */
static uint32_t synthetic_length(const uint8_t *candidates, size_t size)
{
	uint32_t limit = (uint32_t)size - 2 - PADDING_MIN, bits = limit, len = 0;

	for (int shift = 1; shift < 16; shift *= 2)
		bits |= bits >> shift;
	for (size_t i = 0; i < CANDIDATES; i++) {
		uint32_t c = ((uint32_t)candidates[2 * i] << 8 | candidates[2 * i + 1]) & bits;

		len = choose(mask_lt(c, limit), c, len);
	}
	return len;
}

/* Where the message begins; *good is a mask that says whether there is one. */
static uint32_t find_message(const uint8_t *em, size_t size, uint32_t *good)
{
	uint32_t found = 0, zero = 0;

	*good = mask_zero(em[0]) & mask_eq(em[1], 2);
	for (size_t i = 2; i < size; i++) {
		uint32_t here = mask_zero(em[i]) & ~found;

		zero = choose(here, (uint32_t)i, zero);
		found |= here;
	}
	*good &= found & ~mask_lt(zero, 2 + PADDING_MIN);
	return zero + 1;
}

int kve_rsa15_unpad(const uint8_t *em, const uint8_t *ct, size_t size,
		    const uint8_t d_hash[KVE_RSA15_HASH], uint8_t *out, size_t *ret_len)
{
	_cleanup_(EVP_MAC_free_cleanup) EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	_cleanup_(EVP_MAC_CTX_free_cleanup) EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	uint8_t kdk[KVE_RSA15_HASH], lengths[2 * CANDIDATES], message[KVE_RSA15_MAX];
	uint32_t good, start;
	int r = -EIO;

	if (!ctx || size > sizeof(message) || size < 2 + PADDING_MIN + 2)
		return -EIO;
	if (!prf_start(ctx, d_hash, KVE_RSA15_HASH) || !EVP_MAC_update(ctx, ct, size) ||
	    !EVP_MAC_final(ctx, kdk, NULL, sizeof(kdk)) ||
	    !prf(ctx, kdk, "length", lengths, sizeof(lengths)) ||
	    !prf(ctx, kdk, "message", message, size))
		goto out_wipe;
	start = find_message(em, size, &good);
	start = choose(good, start, (uint32_t)size - synthetic_length(lengths, size));
	for (size_t i = 0; i < size; i++)
		message[i] = (uint8_t)choose(good, em[i], message[i]);
	*ret_len = size - start;
	memcpy(out, message + start, size - start);
	r = 0;
out_wipe:
	kvd_wipe(kdk, sizeof(kdk));
	kvd_wipe(lengths, sizeof(lengths));
	kvd_wipe(message, sizeof(message));
	return r;
}
