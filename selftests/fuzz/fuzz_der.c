// SPDX-License-Identifier: GPL-2.0-only
/*
 * PKCS#8 as an engine takes it: what is good is written again, reads the same,
 * and is what its JWK says.
 * pkgs: jansson libcrypto
 */
#include "fuzz.h"
#include "engine/alg.h"
#include "engine/jwk.h"
#include "engine/key.h"

static void round_trip(const EVP_PKEY *pkey, struct kve_reply *reply)
{
	uint8_t first[KVAULT_MATERIAL_MAX];
	size_t len;
	EVP_PKEY *again = NULL;
	struct kve_type a, b;

	if (kve_key_type(pkey, &a, reply) || kve_key_write(pkey, reply))
		return;
	len = reply->material_len;
	memcpy(first, reply->material, len);
	MUST(!kve_key_parse(first, len, 0, &again, reply));
	MUST(!kve_key_type(again, &b, reply) && !memcmp(&a, &b, sizeof(a)));
	reply->material_len = 0;
	MUST(!kve_key_write(again, reply) && reply->material_len == len &&
	     !memcmp(first, reply->material, len));
	MUST(!kve_jwk_write(again, reply));
	EVP_PKEY_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[8192], material[KVAULT_MATERIAL_MAX], flags = 0;
	struct kve_reply reply = {
		.out = out, .out_size = sizeof(out), .material = material,
		.material_size = sizeof(material),
	};
	EVP_PKEY *pkey = NULL;

	fuzz_take(&data, &size, &flags, 1);
	if (!kve_key_parse(data, size, flags & KVE_KEY_FOREIGN, &pkey, &reply))
		round_trip(pkey, &reply);
	MUST(memchr(reply.why, 0, sizeof(reply.why)));
	EVP_PKEY_free(pkey);
	return 0;
}
