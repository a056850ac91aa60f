// SPDX-License-Identifier: GPL-2.0-only
/*
 * Texts that name something: addresses, principals, scopes, units, codes,
 * encodings. The daemon's readers and those of libkvault agree.
 * pkgs: jansson libcrypto sqlite3
 */
#include "fuzz.h"
#include "core/access.h"
#include "core/address.h"
#include "core/keyrule.h"
#include "core/unit.h"
#include "root/code.h"
#include "../../tools/lib/kvault.h"

static void address(const char *text)
{
	struct kvault_address mine, again;
	char path[KVAULT_PATH_MAX];
	struct kvd_address daemons;
	const char *why = NULL;

	if (kvault_address_parse(text, &mine, &why)) {
		MUST(why);
		return;
	}
	kvault_address_format(&mine, path, sizeof(path));
	MUST(!kvault_address_parse(path, &again, NULL));
	MUST(!strcmp(mine.vault, again.vault) && !strcmp(mine.name, again.name) &&
	     !strcmp(mine.version, again.version));
	/* what is sent is understood */
	MUST(!kvd_address_parse(path, strlen(path), false, &daemons));
	MUST(!strcmp(mine.vault, daemons.vault) && !strcmp(mine.name, daemons.name));
	MUST(daemons.has_version == !!mine.version[0]);
}

static void rules(const char *text)
{
	char principal[64], again[64], unit[64];
	uint32_t kty, curve;
	bool is_hsm;

	if (kvd_principal_parse(text, principal, sizeof(principal)))
		MUST(kvd_principal_parse(principal, again, sizeof(again)) &&
		     !strcmp(principal, again));
	kvd_scope_is_valid(text);
	if (kvd_unit_of(text, unit, sizeof(unit)))
		MUST(strstr(text, unit) && !strchr(unit, '/'));
	if (kvd_kty_parse(text, &kty, &is_hsm))
		MUST(!strcmp(kvd_kty_name(kty, is_hsm), text));
	if (kvd_curve_parse(text, &curve))
		MUST(!strcmp(kvd_curve_name(curve), text) &&
		     !strcmp(kvault_curve_name(curve), text));
	kvd_role_slug(text);
	kvd_op_parse(text);
	kvault_alg_parse(text);
	kvault_op_parse(text);
	MUST(kvd_name_is_object(text, strlen(text)) == kvault_name_is_object(text));
	MUST(kvd_name_is_vault(text, strlen(text)) == kvault_name_is_vault(text));
}

static void recovery_code(const char *text)
{
	uint8_t mine[KVAULT_RECOVERY_SIZE], theirs[32], again[KVAULT_RECOVERY_SIZE];
	char printed[KVAULT_RECOVERY_TEXT];
	int r = kvault_recovery_parse(text, mine);

	MUST(!r == !kvr_code_parse(text, theirs));
	if (r)
		return;
	MUST(!memcmp(mine, theirs, sizeof(mine)));
	kvault_recovery_format(mine, printed);
	MUST(!kvault_recovery_parse(printed, again) && !memcmp(mine, again, sizeof(mine)));
}

static void encodings(const char *text, const uint8_t *data, size_t size)
{
	uint8_t bytes[256];
	char back[KVAULT_BASE64URL_LEN(sizeof(bytes))];
	size_t len;

	if (!kvault_base64url_decode(bytes, sizeof(bytes), text, strlen(text), &len)) {
		kvault_base64url_encode(back, bytes, len);
		MUST(!strcmp(back, text));
	}
	if (size > sizeof(bytes))
		size = sizeof(bytes);
	kvault_base64url_encode(back, data, size);
	MUST(!kvault_base64url_decode(bytes, sizeof(bytes), back, strlen(back), &len));
	MUST(len == size && !memcmp(bytes, data, size));
	if (!kvault_hex_decode(bytes, 16, text))
		MUST(strlen(text) == 32);
}

/* What is a signature in one form is the same one after a way through the other. */
static void signatures(const uint8_t *data, size_t size)
{
	static const uint32_t algs[] = {
		KVAULT_ALG_ES256, KVAULT_ALG_ES384, KVAULT_ALG_ES512, KVAULT_ALG_ES256K,
	};
	uint8_t raw[KVAULT_SIGNATURE_MAX], der[KVAULT_SIGNATURE_MAX], again[KVAULT_SIGNATURE_MAX];
	size_t i, raw_len, der_len, again_len;

	for (i = 0; i < 4; i++) {
		raw_len = sizeof(raw);
		if (kvault_signature_to_raw(algs[i], data, size, raw, &raw_len))
			continue;
		der_len = again_len = sizeof(der);
		MUST(!kvault_signature_to_der(algs[i], raw, raw_len, der, &der_len));
		MUST(!kvault_signature_to_raw(algs[i], der, der_len, again, &again_len));
		MUST(again_len == raw_len && !memcmp(raw, again, raw_len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	address(text);
	rules(text);
	recovery_code(text);
	encodings(text, data, size);
	signatures(data, size);
	free(text);
	return 0;
}
