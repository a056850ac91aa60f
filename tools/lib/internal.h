/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libkvault's own files share; nothing of it is exported. */
#ifndef KVL_INTERNAL_H
#define KVL_INTERNAL_H

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "kvault.h"

#define KVL_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct kvault {
	int fd;
	uint32_t timeout_ms;
	uint8_t request_id[KVAULT_ID_SIZE];
};

/* Reads until len bytes or the end; how many, or negative errno. */
ssize_t kvl_read_full(int fd, void *buf, size_t len);
int kvl_write_full(int fd, const void *buf, size_t len);

/*
 * The authenticated cipher of an envelope: the device, or in unit tests a
 * stand-in. In place; len is that of plaintext and ciphertext.
 */
struct kvl_aead {
	int (*seal)(const struct kvl_aead *a, const void *aad, size_t aad_len, uint8_t *data,
		    size_t len, uint8_t iv[12], uint8_t tag[16]);
	int (*open)(const struct kvl_aead *a, const void *aad, size_t aad_len, uint8_t *data,
		    size_t len, const uint8_t iv[12], const uint8_t tag[16]);
	struct kvault *kv;
	const struct kvault_key *key;
	uint32_t alg;
};

int kvl_envelope_build(const struct kvault_address *key, uint32_t alg, uint32_t chunk,
		       const uint8_t message_id[16], const struct kvault_pair *context,
		       size_t n_context, struct kvault_envelope *ret);
int kvl_envelope_parse(const uint8_t *raw, size_t len, struct kvault_envelope *ret);
int kvl_envelope_seal(const struct kvl_aead *a, const struct kvault_envelope *env, int in,
		      int out, kvault_progress_fn progress, void *data);
int kvl_envelope_open(const struct kvl_aead *a, const struct kvault_envelope *env, int in,
		      int out, kvault_progress_fn progress, void *data);

/* An EVP_PKEY of a JWK: public, or with its private half too. */
struct evp_pkey_st;
struct json_t;
int kvl_jwk_to_pkey(const struct json_t *jwk, bool is_private, struct evp_pkey_st **ret, char *why,
		    size_t why_size);

#endif /* KVL_INTERNAL_H */
