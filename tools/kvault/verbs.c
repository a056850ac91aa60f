// SPDX-License-Identifier: GPL-2.0-only
/* The table of verbs. */
#include <limits.h>

#include "cli.h"

#define B(id)		OPT_BIT(OPT_##id)
#define IN_OUT		(B(IN) | B(OUT))
#define ATTRIBUTES_OF_ALL (B(NOT_BEFORE) | B(EXPIRES) | B(DISABLED) | B(LABEL))
#define ATTRIBUTES	(B(OPS) | ATTRIBUTES_OF_ALL)

const struct cli_verb cli_verbs[] = {
	{ "status", "", "", 0, 0, B(CHECK), "what serves here, and what is not protected",
	  cli_status },
	{ "whoami", "", "", 0, 0, 0, "who the kernel says I am, and my roles", cli_whoami },
	{ "vault", "create", "VAULT", 1, 1, B(SKU) | B(RETENTION) | B(PURGE_PROTECTION) | B(LABEL),
	  "make a vault", cli_vault_create },
	{ "vault", "list", "", 0, 0, 0, "the vaults that I may see", cli_vault_list },
	{ "vault", "show", "VAULT", 1, 1, 0, "one vault", cli_vault_show },
	{ "key", "create", "ADDRESS", 1, 1,
	  ATTRIBUTES | B(KTY) | B(SIZE) | B(CURVE) | B(FOR) | B(ENABLED) | B(EXPORTABLE),
	  "make a key, or a new version of one", cli_key_create },
	{ "key", "import", "ADDRESS", 1, 1, ATTRIBUTES | B(KTY) | B(FOR) | B(IN) | B(ENABLED),
	  "take in a key: JWK, PEM, DER, or bytes with --kty oct", cli_key_import },
	{ "key", "list", "[VAULT]", 0, 1, B(EXPIRING) | B(UNUSED_FOR),
	  "the keys of a vault, or of all", cli_object_list },
	{ "key", "show", "ADDRESS", 1, 1, 0, "one key, its latest version or a named one",
	  cli_key_show },
	{ "key", "versions", "ADDRESS", 1, 1, 0, "all versions of a key", cli_object_versions },
	{ "key", "update", "ADDRESS", 1, 1, ATTRIBUTES | B(ENABLED), "change attributes of a key",
	  cli_key_update },
	{ "key", "rotate", "ADDRESS", 1, 1, 0, "make a new version like the latest",
	  cli_key_rotate },
	{ "key rotation-policy", "show", "ADDRESS", 1, 1, 0, "when a key is rotated by itself",
	  cli_policy_show },
	{ "key rotation-policy", "set", "ADDRESS", 1, 1, B(IN),
	  "say when a key is rotated, and who is told: JSON", cli_policy_set },
	{ "key", "users", "ADDRESS", 1, 1, 0, "who uses a key right now", cli_key_users },
	{ "key", "delete", "ADDRESS", 1, 1, 0, "delete a key; it can be recovered",
	  cli_object_delete },
	{ "key", "deleted", "[VAULT]", 0, 1, 0, "the deleted keys of a vault, or of all",
	  cli_object_list },
	{ "key", "recover", "DELETED", 1, 1, 0, "bring a deleted key back", cli_object_recover },
	{ "key", "purge", "DELETED", 1, 1, 0, "destroy a deleted key", cli_object_purge },
	{ "key", "public", "ADDRESS", 1, 1, B(FORMAT) | B(OUT), "the public half of a key",
	  cli_key_public },
	{ "key", "sign", "ADDRESS", 1, 1, IN_OUT | B(ALG) | B(DIGEST) | B(FORMAT),
	  "sign a file", cli_key_sign },
	{ "key", "verify", "ADDRESS", 1, 1, B(IN) | B(SIG) | B(ALG) | B(DIGEST) | B(FORMAT),
	  "check a signature: exit 0 valid, 1 not", cli_key_verify },
	{ "key", "encrypt", "ADDRESS", 1, 1,
	  IN_OUT | B(ALG) | B(CONTEXT) | B(RAW) | B(IV) | B(GCM_TAG) | B(AAD), "encrypt a file",
	  cli_key_encrypt },
	{ "key", "decrypt", "ADDRESS", 1, 1,
	  IN_OUT | B(ALG) | B(CONTEXT) | B(RAW) | B(IV) | B(GCM_TAG) | B(AAD), "decrypt a file",
	  cli_key_decrypt },
	{ "key", "wrap", "ADDRESS", 1, 1, IN_OUT | B(ALG),
	  "encrypt another key (RFC 3394, RFC 5649, RSA)", cli_key_wrap },
	{ "key", "unwrap", "ADDRESS", 1, 1, IN_OUT | B(ALG), "decrypt another key",
	  cli_key_unwrap },
	{ "key", "project", "ADDRESS", 1, 1, B(FSCRYPT) | B(DESC) | B(KEYRING),
	  "plumbing: put what is derived from a volume key into a keyring", cli_key_project },
	{ "secret", "set", "ADDRESS", 1, 1,
	  ATTRIBUTES_OF_ALL | B(IN) | B(ENABLED) | B(CONTENT_TYPE),
	  "make a secret, or a new version of one", cli_secret_set },
	{ "secret", "get", "ADDRESS", 1, 1, B(OUT), "the value of a secret", cli_secret_get },
	{ "secret", "list", "[VAULT]", 0, 1, B(EXPIRING), "the secrets of a vault, or of all",
	  cli_object_list },
	{ "secret", "show", "ADDRESS", 1, 1, 0, "one secret, without its value", cli_secret_show },
	{ "secret", "versions", "ADDRESS", 1, 1, 0, "all versions of a secret",
	  cli_object_versions },
	{ "secret", "update", "ADDRESS", 1, 1, ATTRIBUTES_OF_ALL | B(ENABLED) | B(CONTENT_TYPE),
	  "change attributes of a secret", cli_secret_update },
	{ "secret", "delete", "ADDRESS", 1, 1, 0, "delete a secret; it can be recovered",
	  cli_object_delete },
	{ "secret", "deleted", "[VAULT]", 0, 1, 0, "the deleted secrets of a vault, or of all",
	  cli_object_list },
	{ "secret", "recover", "DELETED", 1, 1, 0, "bring a deleted secret back",
	  cli_object_recover },
	{ "secret", "purge", "DELETED", 1, 1, 0, "destroy a deleted secret", cli_object_purge },
	{ "run", "", "COMMAND [ARGUMENT]...", 1, UINT_MAX, B(SECRET) | B(ENV),
	  "run a command with secrets, in files that only it can read", cli_run },
	{ "random", "", "BYTES", 1, 1, B(OUT), "random bytes from the kernel", cli_random },
	{ "volume", "token", "ADDRESS", 1, 1, B(OUT),
	  "the token that cryptsetup takes for the key of xts(paes)", cli_volume_token },
	{ "role", "assign", "ROLE", 1, 1, B(TO) | B(SCOPE), "allow somebody something",
	  cli_role_assign },
	{ "role", "unassign", "ROLE", 1, 1, B(TO) | B(SCOPE), "take it back", cli_role_unassign },
	{ "role", "list", "", 0, 0, 0, "who may do what", cli_role_list },
	{ "role", "definitions", "", 0, 0, 0, "the roles there are", cli_role_definitions },
	{ "audit", "show", "", 0, 0,
	  B(SINCE) | B(UNTIL) | B(KEY) | B(PRINCIPAL) | B(LOGIN) | B(OP) | B(DENIED) | B(COUNT) |
	  B(FOLLOW), "the log of my tenant", cli_audit_show },
	{ "audit", "verify", "", 0, 0, 0, "check the log: exit 0 whole, 1 broken",
	  cli_audit_verify },
	{ "audit", "export", "", 0, 0, B(OUT), "all of the log, one record a line",
	  cli_audit_export },
	{ "audit", "accept", "RECORD", 1, 1, 0, "go on with a log that does not check",
	  cli_audit_accept },
	{ "root", "status", "", 0, 0, 0, "the root key of the store", cli_root_status },
	{ "root slot", "list", "", 0, 0, 0, "what can open the root key", cli_root_slot_list },
	{ "root recovery", "create", "", 0, 0, 0, "make a recovery code, and show it once",
	  cli_root_recovery_create },
	{ "version", "", "", 0, 0, 0, "release and ABI", cli_version },
	{ "completion", "", "bash", 1, 1, 0, "completion for a shell", cli_completion },
	{ NULL, NULL, NULL, 0, 0, 0, NULL, NULL },
};

/* Words of a string that are at the start of argv; 0: not there. */
static int match(const char *words, int argc, char **argv)
{
	int n = 0;

	while (*words) {
		size_t len = strcspn(words, " ");

		if (n == argc || strlen(argv[n]) != len || memcmp(argv[n], words, len))
			return 0;
		n++;
		words += len;
		words += *words == ' ';
	}
	return n;
}

const struct cli_verb *cli_verb_find(int argc, char **argv, int *ret_used)
{
	const struct cli_verb *v;
	int noun, verb;

	for (v = cli_verbs; v->noun; v++) {
		noun = match(v->noun, argc, argv);
		if (!noun)
			continue;
		verb = v->verb[0] ? match(v->verb, argc - noun, argv + noun) : 0;
		if (v->verb[0] && !verb)
			continue;
		*ret_used = noun + verb;
		return v;
	}
	return NULL;
}
