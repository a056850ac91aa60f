/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_RSA15_H
#define KVE_RSA15_H

#include <stddef.h>
#include <stdint.h>

#define KVE_RSA15_HASH	32
#define KVE_RSA15_MAX	512	/* bytes of a 4096-bit modulus */

/*
 * Takes the PKCS#1 v1.5 padding off em, the size bytes that ciphertext ct of
 * as many bytes decrypts to without padding. What is not padded rightly gives
 * a message too, one that nobody can foretell: there is no "wrong" to learn.
 * d_hash is SHA-256 of the private exponent, big-endian, on size bytes; out
 * has room for size bytes. Returns 0, or -EIO when nothing could be computed.
 */
int kve_rsa15_unpad(const uint8_t *em, const uint8_t *ct, size_t size,
		    const uint8_t d_hash[KVE_RSA15_HASH], uint8_t *out, size_t *ret_len);

#endif /* KVE_RSA15_H */
