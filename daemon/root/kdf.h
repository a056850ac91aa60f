/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVR_KDF_H
#define KVR_KDF_H

#include <stddef.h>
#include <stdint.h>

#define KVR_LABEL_CHECK	"kvault/1/root-check"	/* context: store id, slot id */
#define KVR_LABEL_SLOT	"kvault/1/root-slot"	/* context: slot id */

/*
 * SP 800-108 in counter mode with HMAC-SHA-256, 256 bits, the kernel's
 * kv_kdf(): HMAC(key, be32(1) | label | 0 | context | be32(256)). Returns 0 or
 * -EIO.
 */
int kvr_kdf(const uint8_t *key, size_t key_len, const char *label, const void *context,
	    size_t context_len, uint8_t out[32]);

/*
 * AES-256-GCM, as KVAULT_CTL_ROOT_WRAP wraps: opens len bytes in place to out.
 * -EBADMSG when the tag is wrong; out is zero then.
 */
int kvr_gcm_open(const uint8_t key[32], const uint8_t iv[12], const void *aad, size_t aad_len,
		 const uint8_t *in, size_t len, const uint8_t tag[16], uint8_t *out);

#endif /* KVR_KDF_H */
