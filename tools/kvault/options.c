// SPDX-License-Identifier: GPL-2.0-only
/* The table of options, and reading them. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "cli.h"

#define O(id, name, letter, arg, help)	[OPT_##id] = { OPT_##id, name, letter, arg, help, false }
#define OR(id, name, letter, arg, help) [OPT_##id] = { OPT_##id, name, letter, arg, help, true }

const struct cli_option cli_options[OPT_MAX] = {
	O(HELP, "help", 'h', NULL, "this text"),
	O(JSON, "json", 0, NULL, "the answer's JSON"),
	O(FIELD, "field", 0, "PATH", "one value of the JSON, raw: attributes.enabled, value.0.kid"),
	O(QUIET, "quiet", 'q', NULL, "only what was asked for; lists: one address a line"),
	O(YES, "yes", 'y', NULL, "do not ask"),
	O(DRY_RUN, "dry-run", 0, NULL, "say what would be asked of the vault, and do not"),
	O(TIMEOUT, "timeout", 0, "S", "wait at most S seconds (10; 60 for a key that is made)"),

	O(IN, "in", 'i', "FILE", "input; - or nothing is standard input"),
	O(OUT, "out", 'o', "FILE", "output; - or nothing is standard output"),
	O(FORMAT, "format", 0, "FORMAT", "pem or jwk of a public key; der or raw of a signature"),
	O(SIG, "sig", 0, "FILE", "the signature"),
	O(RAW, "raw", 0, NULL, "the bare primitive, at most 65536 bytes, instead of an envelope"),
	O(IV, "iv", 0, "FILE", "with --raw: initialisation vector; GCM writes it, CBC reads it"),
	O(GCM_TAG, "tag", 0, "FILE", "with --raw and GCM: the authentication tag"),
	O(AAD, "aad", 0, "FILE", "with --raw and GCM: additional data"),

	O(KTY, "kty", 0, "TYPE", "RSA, EC, oct, RSA-HSM, EC-HSM"),
	O(SIZE, "size", 0, "BITS", "RSA: 2048, 3072, 4096; oct: 128, 192, 256, 512"),
	O(CURVE, "curve", 0, "CURVE", "P-256, P-384, P-521, P-256K"),
	OR(OPS, "ops", 0, "OP", "encrypt, decrypt, sign, verify, wrapKey, unwrapKey, volume"),
	O(FOR, "for", 0, "PURPOSE",
	  "sign (EC P-256), encrypt, wrap, mac (oct 256) or volume (oct 512)"),
	O(NOT_BEFORE, "not-before", 0, "TIME", "not valid before"),
	O(EXPIRES, "expires", 0, "TIME", "not valid from then on"),
	O(DISABLED, "disabled", 0, NULL, "it cannot be used"),
	O(ENABLED, "enabled", 0, NULL, "it can be used"),
	O(EXPORTABLE, "exportable", 0, NULL, "it may leave the vault"),
	OR(LABEL, "tag", 0, "NAME=VALUE", "a label"),
	O(ALG, "alg", 'a', "ALG", "algorithm; if not given, one that fits the key"),
	O(DIGEST, "digest", 0, NULL, "the input is the digest"),
	OR(CONTEXT, "context", 0, "NAME=VALUE", "bound to the ciphertext; decrypt asks for it"),
	O(EXPIRING, "expiring", 0, "DURATION", "only what expires within it: 30d, 12h"),
	O(UNUSED_FOR, "unused-for", 0, "DURATION", "only what nobody has used for so long: 90d"),
	O(FSCRYPT, "fscrypt", 0, NULL, "a key of type fscrypt-provisioning"),
	O(DESC, "desc", 0, "TEXT", "description of the key that is made"),
	O(KEYRING, "keyring", 0, "RING", "@t, @p, @s, @u, @us or a serial (@s)"),

	O(SKU, "sku", 0, "SKU", "standard, or premium: also with keys in an HSM"),
	O(RETENTION, "retention", 0, "DAYS", "how long what is deleted can be recovered (90)"),
	O(PURGE_PROTECTION, "purge-protection", 0, NULL, "nothing is purged before that"),

	O(TO, "to", 0, "PRINCIPAL", "uid:N, user:NAME, gid:N or group:NAME"),
	O(SCOPE, "scope", 0, "SCOPE", "/, /VAULT, /VAULT/keys/NAME or /VAULT/secrets/NAME"),

	O(CONTENT_TYPE, "content-type", 0, "TYPE", "what the value is, in words of your own"),
	OR(SECRET, "secret", 0, "NAME=ADDRESS",
	   "hand this secret over: the variable NAME says which file it is in"),
	O(ENV, "env", 0, NULL, "the variables hold the values themselves"),

	O(SINCE, "since", 0, "TIME", "from then on"),
	O(UNTIL, "until", 0, "TIME", "before"),
	O(KEY, "key", 0, "ADDRESS", "of this key"),
	O(PRINCIPAL, "principal", 0, "PRINCIPAL",
	  "of uid:N, user:NAME, gid:N, unit:NAME, exe:PATH"),
	O(LOGIN, "login", 0, "UID", "of this login uid"),
	O(OP, "op", 0, "NAME", "of this operation: KeySign, VaultPut"),
	O(DENIED, "denied", 0, NULL, "only what was refused"),
	O(COUNT, "count", 'n', "N", "the last N"),
	O(FOLLOW, "follow", 'f', NULL, "go on with what comes"),

	O(CHECK, "check", 0, NULL, "say nothing, exit 0 good, 1 warning, 4 down"),
};

/* Two options share the name --tag: which one is meant, the verb says. */
static const struct cli_option *option_of(const struct cli *c, const char *name)
{
	uint64_t opts = c->verb->opts | OPTS_COMMON;
	size_t i;

	for (i = 0; i < OPT_MAX; i++)
		if ((opts & OPT_BIT(i)) && !strcmp(cli_options[i].name, name))
			return &cli_options[i];
	return NULL;
}

static int take(struct cli *c, const struct cli_option *o, const char *value)
{
	unsigned int n = c->n_values[o->id];

	if (n && o->arg && !o->is_repeated)
		return cli_usage(c, "--%s is there twice", o->name);
	if (n == CLI_VALUES_MAX)
		return cli_usage(c, "--%s is there more than %d times", o->name, CLI_VALUES_MAX);
	c->values[o->id][n] = value ? value : "";
	c->n_values[o->id] = n + 1;
	return 0;
}

static void options_of(const struct cli *c, struct option *longs, char *letters)
{
	uint64_t opts = c->verb->opts | OPTS_COMMON;
	size_t i, n = 0;

	*letters++ = ':';
	for (i = 0; i < OPT_MAX; i++) {
		const struct cli_option *o = &cli_options[i];

		if (!(opts & OPT_BIT(i)))
			continue;
		longs[n++] = (struct option){ o->name, o->arg ? required_argument : no_argument,
					      NULL, 256 + (int)i };
		if (o->letter)
			*letters++ = o->letter;
		if (o->letter && o->arg)
			*letters++ = ':';
	}
	longs[n] = (struct option){ 0 };
	*letters = '\0';
}

static const struct cli_option *by_letter(const struct cli *c, int letter)
{
	uint64_t opts = c->verb->opts | OPTS_COMMON;
	size_t i;

	for (i = 0; i < OPT_MAX; i++)
		if ((opts & OPT_BIT(i)) && cli_options[i].letter == letter)
			return &cli_options[i];
	return NULL;
}

static int check(struct cli *c)
{
	unsigned long seconds = 0;
	int r;

	if (cli_has(c, OPT_HELP))
		return 0;
	if (c->n_args < c->verb->min)
		return cli_usage(c, "%s is missing", c->n_args ? "an argument" : c->verb->args);
	if (c->n_args > c->verb->max)
		return cli_usage(c, "'%s' is too much", c->args[c->verb->max]);
	if (cli_has(c, OPT_ENABLED) && cli_has(c, OPT_DISABLED))
		return cli_usage(c, "--enabled and --disabled contradict each other");
	r = cli_number(c, OPT_TIMEOUT, 1, KVAULT_TIMEOUT_MS_MAX / 1000, &seconds);
	return r;
}

int cli_parse(struct cli *c, int argc, char **argv)
{
	struct option longs[OPT_MAX + 1];
	char letters[2 * OPT_MAX + 2];
	int k, r;

	options_of(c, longs, letters);
	opterr = 0;
	while ((k = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct cli_option *o;

		if (k == '?')
			return cli_usage(c, "there is no option '%s' here",
					 optopt && optopt < 256 ? (char[]){ '-', (char)optopt, 0 } :
					 argv[optind - 1]);
		if (k == ':')
			return cli_usage(c, "'%s' takes a value", argv[optind - 1]);
		o = k >= 256 ? option_of(c, cli_options[k - 256].name) : by_letter(c, k);
		r = o ? take(c, o, optarg) : CLI_INTERNAL;
		if (r)
			return r;
	}
	c->n_args = (unsigned int)(argc - optind);
	c->args = argv + optind;
	return check(c);
}

int cli_number(const struct cli *c, enum cli_opt opt, unsigned long min, unsigned long max,
	       unsigned long *ret)
{
	const char *text = cli_value(c, opt);
	unsigned long n;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		return cli_usage(c, "--%s takes a whole number from %lu to %lu, not '%s'",
				 cli_options[opt].name, min, max, text);
	*ret = n;
	return 0;
}

json_t *cli_labels(const struct cli *c)
{
	json_t *tags = json_object();
	unsigned int i;

	for (i = 0; tags && i < c->n_values[OPT_LABEL]; i++) {
		const char *text = c->values[OPT_LABEL][i], *eq = strchr(text, '=');
		char name[257];

		if (!eq || eq == text || eq - text >= (ptrdiff_t)sizeof(name)) {
			cli_usage(c, "--tag takes NAME=VALUE, not '%.100s'", text);
			json_decref(tags);
			return NULL;
		}
		memcpy(name, text, (size_t)(eq - text));
		name[eq - text] = '\0';
		if (json_object_set_new(tags, name, json_string(eq + 1))) {
			cli_usage(c, "--tag is not UTF-8");
			json_decref(tags);
			return NULL;
		}
	}
	return tags;
}
