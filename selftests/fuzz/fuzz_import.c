// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys that come from elsewhere, JWK, PEM and DER, as kvault(1) splits them:
 * nothing secret in the JWK, and the engine takes the DER and finds the same
 * public half.
 * pkgs: jansson libcrypto
 */
#include <jansson.h>
#include "fuzz.h"
#include "engine/alg.h"
#include "engine/jwk.h"
#include "engine/key.h"
#include "../../tools/lib/kvault.h"

static int passphrase(char *buf, size_t size, void *data)
{
	(void)data;
	return snprintf(buf, size, "secret");
}

static void has_nothing_secret(const json_t *jwk)
{
	static const char *const names[] = { "k", "d", "p", "q", "dp", "dq", "qi", "oth" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		MUST(!json_object_get(jwk, names[i]));
}

static void is_same(const json_t *a, const json_t *b, const char *name)
{
	const json_t *x = json_object_get(a, name), *y = json_object_get(b, name);

	MUST((!x && !y) || json_equal(x, y));
}

/* What kvault(1) calls good, an engine that takes it calls the same key. */
static void ask_engine(const json_t *jwk, const struct kvault_secret *der)
{
	uint8_t out[8192], material[KVAULT_MATERIAL_MAX];
	struct kve_reply reply = {
		.out = out, .out_size = sizeof(out), .material = material,
		.material_size = sizeof(material),
	};
	EVP_PKEY *pkey = NULL;
	json_t *theirs;

	if (!kve_key_parse(der->data, der->len, KVE_KEY_FOREIGN, &pkey, &reply)) {
		MUST(!kve_jwk_write(pkey, &reply));
		theirs = json_loadb((char *)reply.out, reply.out_len, 0, NULL);
		MUST(theirs);
		is_same(jwk, theirs, "kty");
		is_same(jwk, theirs, "n");
		is_same(jwk, theirs, "x");
		is_same(jwk, theirs, "y");
		json_decref(theirs);
	}
	EVP_PKEY_free(pkey);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvault_import in = { 0 };
	char why[200] = "", *pem = NULL;
	json_t *jwk;
	const char *kty;

	if (kvault_import_parse(data, size, KVAULT_FORM_AUTO, passphrase, NULL, &in, why,
				sizeof(why))) {
		MUST(!in.jwk && memchr(why, 0, sizeof(why)));
		return 0;
	}
	jwk = json_loads(in.jwk, 0, NULL);
	MUST(jwk);
	has_nothing_secret(jwk);
	kty = json_string_value(json_object_get(jwk, "kty"));
	MUST(kty && in.secret.len);
	if (strcmp(kty, "oct")) {
		MUST(!kvault_public_pem(in.jwk, &pem));
		ask_engine(jwk, &in.secret);
	}
	free(pem);
	json_decref(jwk);
	kvault_import_done(&in);
	return 0;
}
