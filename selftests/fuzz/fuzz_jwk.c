// SPDX-License-Identifier: GPL-2.0-only
/*
 * Public JWKs, which kvault(1) gets from the daemon: as PEM, and as what a
 * signature is verified with.
 * pkgs: jansson libcrypto
 */
#include "fuzz.h"
#include "../../tools/lib/kvault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t digest[32];
	uint8_t sig[64] = { 0 };
	char *text, *pem = NULL;

	fuzz_take(&data, &size, sig, 2);
	text = fuzz_text(data, size);
	if (!kvault_public_pem(text, &pem))
		MUST(strstr(pem, "BEGIN PUBLIC KEY"));
	MUST(kvault_public_verify(text, digest, sig, sizeof(sig)));
	free(pem);
	free(text);
	return 0;
}
