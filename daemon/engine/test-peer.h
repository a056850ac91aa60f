/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other side in a test: a program that has the public key only and uses
 * OpenSSL directly. Both backends are held against it.
 */
#ifndef KVE_TEST_PEER_H
#define KVE_TEST_PEER_H

#include <openssl/evp.h>

#include "engine/engine.h"

struct test_answer {
	struct kve_reply reply;
	uint8_t out[KVAULT_PAYLOAD_MAX];
	uint8_t material[KVAULT_MATERIAL_MAX];
};

void test_answer_init(struct test_answer *a);

/* The key that a JWK describes; NULL if it does not. */
EVP_PKEY *test_peer_from_jwk(const uint8_t *json, size_t len);

/* Gives a key back; returns it, for comparing with NULL only. */
void *test_peer_free(EVP_PKEY *pkey);

/* Fails unless the JSON has these members and no others. */
void test_peer_jwk_members(const uint8_t *json, size_t len, const char *const *names);

/*
 * With every algorithm that goes with the key: what the backend signs, the
 * peer verifies, and the backend too; of the peer's signature the backend
 * accepts only the right one. Likewise for ciphertexts.
 */
void test_peer_signing(const struct kve_backend *b, void *state, struct kve_key *key,
		       EVP_PKEY *pub);
void test_peer_crypting(const struct kve_backend *b, void *state, struct kve_key *key,
			EVP_PKEY *pub);

#endif /* KVE_TEST_PEER_H */
