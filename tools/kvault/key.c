// SPDX-License-Identifier: GPL-2.0-only
/* key create, show, update, public; what create and import have in common. */
#include <stdlib.h>
#include <time.h>

#include "cli.h"

/* --for: what makes a sensible key for a purpose. */
static const struct preset {
	const char *name, *kty, *curve;
	int size;
	const char *ops[3];
} presets[] = {
	{ "sign", "EC", "P-256", 0, { "sign", "verify", NULL } },
	{ "encrypt", "oct", NULL, 256, { "encrypt", "decrypt", NULL } },
	{ "wrap", "oct", NULL, 256, { "wrapKey", "unwrapKey", NULL } },
	{ "mac", "oct", NULL, 256, { "sign", "verify", NULL } },
	{ "volume", "oct", NULL, 512, { "volume", NULL } },
};

static int find_preset(const struct cli *c, const struct preset **ret)
{
	const char *name = cli_value(c, OPT_FOR);
	size_t i;

	*ret = NULL;
	for (i = 0; name && i < ARRAY_SIZE(presets); i++)
		if (!strcmp(name, presets[i].name))
			*ret = &presets[i];
	if (name && !*ret)
		return cli_usage(c, "--for takes sign, encrypt, wrap, mac or volume, not '%.40s'",
				 name);
	return 0;
}

/* --ops may be repeated, and one value may have commas. */
static int add_ops(const struct cli *c, const struct preset *preset, json_t *key)
{
	json_t *ops = json_array();
	unsigned int i;

	for (i = 0; i < c->n_values[OPT_OPS]; i++) {
		const char *p = c->values[OPT_OPS][i];

		for (;;) {
			size_t len = strcspn(p, ",");
			char name[16];

			snprintf(name, sizeof(name), "%.*s", len < 15 ? (int)len : 15, p);
			if (len > 15 || !kvault_op_parse(name)) {
				json_decref(ops);
				return cli_usage(c, "there is no operation '%.*s'",
						 (int)(len < 40 ? len : 40), p);
			}
			json_array_append_new(ops, json_string(name));
			if (!p[len])
				break;
			p += len + 1;
		}
	}
	for (i = 0; !c->n_values[OPT_OPS] && preset && preset->ops[i]; i++)
		json_array_append_new(ops, json_string(preset->ops[i]));
	if (json_array_size(ops))
		json_object_set(key, "key_ops", ops);
	json_decref(ops);
	return 0;
}

static int set_time(const struct cli *c, enum cli_opt opt, const char *name, bool is_new,
		    json_t *attributes)
{
	const char *text = cli_value(c, opt);
	int64_t t = 0;

	if (!text)
		return 0;
	if (cli_time_parse(text, (int64_t)time(NULL), &t))
		return cli_usage(c, "--%s takes RFC 3339, Unix seconds, +90d or never, not '%.60s'",
				 cli_options[opt].name, text);
	/* 0 is what the vault understands as none, and a new key has none. */
	if (t || !is_new)
		json_object_set_new(attributes, name, json_integer(t));
	return 0;
}

static int add_tags(const struct cli *c, json_t *body)
{
	json_t *tags = cli_labels(c);

	if (!tags)
		return CLI_USAGE;
	if (json_object_size(tags))
		json_object_set(body, "tags", tags);
	json_decref(tags);
	return 0;
}

static int add_attributes(const struct cli *c, bool is_new, json_t *body)
{
	json_t *a = json_object();
	int r;

	r = set_time(c, OPT_NOT_BEFORE, "nbf", is_new, a);
	if (!r)
		r = set_time(c, OPT_EXPIRES, "exp", is_new, a);
	if (!r && cli_has(c, OPT_DISABLED))
		json_object_set_new(a, "enabled", json_false());
	if (!r && cli_has(c, OPT_ENABLED))
		json_object_set_new(a, "enabled", json_true());
	if (!r && cli_has(c, OPT_EXPORTABLE))
		json_object_set_new(a, "exportable", json_true());
	if (!r && json_object_size(a))
		json_object_set(body, "attributes", a);
	json_decref(a);
	return r;
}

int cli_attributes(struct cli *c, bool is_new, json_t *body)
{
	int r = add_attributes(c, is_new, body);

	return r ? r : add_tags(c, body);
}

int cli_key_body(struct cli *c, json_t *key, json_t *body, bool is_new)
{
	const struct preset *preset;
	int r;

	r = find_preset(c, &preset);
	if (!r)
		r = add_ops(c, preset, key);
	return r ? r : cli_attributes(c, is_new, body);
}

static int add_shape(struct cli *c, json_t *body)
{
	const char *kty = cli_value(c, OPT_KTY), *curve = cli_value(c, OPT_CURVE);
	static const char *const ktys[] = { "RSA", "EC", "oct", "RSA-HSM", "EC-HSM", "oct-HSM" };
	const struct preset *preset;
	unsigned long size = 0;
	size_t i;
	int r;

	r = find_preset(c, &preset);
	if (!r)
		r = cli_number(c, OPT_SIZE, 1, 65536, &size);
	if (r)
		return r;
	if (!kty && preset)
		kty = preset->kty;
	if (!kty)
		return cli_usage(c, "--kty or --for is missing");
	for (i = 0; i < ARRAY_SIZE(ktys) && strcmp(kty, ktys[i]); i++)
		;
	if (i == ARRAY_SIZE(ktys))
		return cli_usage(c, "there is no type of keys '%.40s'", kty);
	if (curve && !kvault_curve_parse(curve))
		return cli_usage(c, "--curve takes P-256, P-384, P-521 or P-256K, not '%.40s'",
				 curve);
	if (preset && !strncmp(kty, preset->kty, strlen(preset->kty))) {
		curve = curve ? curve : preset->curve;
		size = size ? size : (unsigned long)preset->size;
	}
	if (curve && strncmp(kty, "EC", 2))
		return cli_usage(c, "--curve is for keys of type EC");
	if (size && !strncmp(kty, "EC", 2))
		return cli_usage(c, "--size is not for keys of type EC: they have a --curve");
	if (!strcmp(kty, "oct") && !size)
		size = 256;
	json_object_set_new(body, "kty", json_string(kty));
	if (curve)
		json_object_set_new(body, "crv",
				    json_string(kvault_curve_name(kvault_curve_parse(curve))));
	if (size)
		json_object_set_new(body, "key_size", json_integer((json_int_t)size));
	return 0;
}

/* "EC P-256", "oct 256"; RSA by the length of its modulus. */
static void shape(const json_t *key, char *out, size_t size)
{
	const char *kty = cli_str(key, "kty"), *crv = cli_str(key, "crv"), *n = cli_str(key, "n");
	int64_t bits = cli_int(key, "key_size");

	if (!bits && n)
		bits = (int64_t)(strlen(n) * 6 / 8 * 8);
	if (crv)
		snprintf(out, size, "%s %s", kty ? kty : "?", crv);
	else if (bits)
		snprintf(out, size, "%s %lld", kty ? kty : "?", (long long)bits);
	else
		snprintf(out, size, "%s", kty ? kty : "?");
}

static void address_of(const json_t *key, struct kvault_address *a, char *out, size_t size)
{
	const char *kid = cli_str(key, "kid");

	memset(a, 0, sizeof(*a));
	if (kid && !kvault_address_parse(kid, a, NULL))
		snprintf(out, size, "%s/%s", a->vault, a->name);
	else
		snprintf(out, size, "%s", kid ? kid : "?");
}

int cli_key_print(struct cli *c, const json_t *bundle)
{
	const json_t *key = json_object_get(bundle, "key");
	char address[KVAULT_PATH_MAX], kind[64];
	struct kvault_address a;
	int r;

	if (!cli_for_people(c, bundle, &r))
		return r;
	address_of(key, &a, address, sizeof(address));
	shape(key, kind, sizeof(kind));
	cli_note(c, "%s: %s, version %s", address, kind, a.version);
	return 0;
}

static int change(struct cli *c, enum kvault_method method, const char *suffix,
		  const struct kvault_address *a, const char *verb, const json_t *body)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { method, path, body, NULL, what };
	json_t *j = NULL;
	int r;

	cli_key_path(a, suffix, path, sizeof(path));
	snprintf(what, sizeof(what), "%s the key %s/%s", verb, a->vault, a->name);
	if (cli_dry_run(c, &call))
		return CLI_DONE;
	r = cli_call(c, &call, &j);
	if (!r)
		r = cli_key_print(c, j);
	json_decref(j);
	return r;
}

int cli_key_create(struct cli *c)
{
	json_t *body = json_object();
	struct kvault_address a;
	int r;

	r = cli_address(c, 0, &a);
	if (!r && a.version[0])
		r = cli_usage(c, "a version is made by the vault and cannot be named");
	if (!r)
		r = add_shape(c, body);
	if (!r)
		r = cli_key_body(c, body, body, true);
	if (!r)
		r = change(c, KVAULT_METHOD_POST, "/create", &a, "create", body);
	json_decref(body);
	return r;
}

int cli_key_rotate(struct cli *c)
{
	struct kvault_address a;
	int r;

	r = cli_address(c, 0, &a);
	if (!r && a.version[0])
		r = cli_usage(c, "a version cannot be rotated: a key gets a new one");
	return r ? r : change(c, KVAULT_METHOD_POST, "/rotate", &a, "rotate", NULL);
}

static int count_enabled(struct cli *c, json_t *item, void *data)
{
	unsigned int *n = data;

	(void)c;
	*n += json_is_true(json_object_get(json_object_get(item, "attributes"), "enabled"));
	return 0;
}

/* Each version is switched off by itself; who believes otherwise should know. */
static void tell_others(struct cli *c, const struct kvault_address *a)
{
	char path[KVAULT_PATH_MAX];
	unsigned int n = 0;

	cli_key_path(a, "/versions", path, sizeof(path));
	if (!cli_list(c, path, "look at the other versions", count_enabled, &n) && n)
		cli_note(c, "only the latest version is disabled: %u older %s still enabled, and "
			 "'kvault key versions %s/%s' names them", n, n == 1 ? "is" : "are",
			 a->vault, a->name);
}

int cli_key_update(struct cli *c)
{
	json_t *body = json_object();
	struct kvault_address a;
	int r;

	r = cli_address(c, 0, &a);
	if (!r)
		r = cli_key_body(c, body, body, false);
	if (!r && !json_object_size(body))
		r = cli_usage(c, "there is nothing to change");
	if (!r)
		r = change(c, KVAULT_METHOD_PATCH, "", &a, "update", body);
	if (!r && cli_has(c, OPT_DISABLED) && !a.version[0] && !cli_has(c, OPT_DRY_RUN) &&
	    !cli_has(c, OPT_QUIET))
		tell_others(c, &a);
	json_decref(body);
	return r;
}

static int get(struct cli *c, const char *verb, struct kvault_address *a, json_t **ret)
{
	char path[KVAULT_PATH_MAX], what[256];
	int r;

	r = cli_address(c, 0, a);
	if (r)
		return r;
	cli_key_path(a, "", path, sizeof(path));
	snprintf(what, sizeof(what), "%s the key %s/%s", verb, a->vault, a->name);
	return cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, path, NULL, NULL, what }, ret);
}

static void print_time(const char *name, int64_t t)
{
	char text[CLI_TIME_SIZE];

	if (!t)
		return;
	cli_time_format(t, text);
	printf("%-12s%s\n", name, text);
}

void cli_print_attributes(const json_t *bundle)
{
	const json_t *attributes = json_object_get(bundle, "attributes"), *v;
	json_t *tags = json_object_get(bundle, "tags");
	const char *name;

	printf("%-12s%s\n", "state", json_is_true(json_object_get(attributes, "enabled")) ?
	       "enabled" : "disabled");
	print_time("created", cli_int(attributes, "created"));
	print_time("updated", cli_int(attributes, "updated"));
	print_time("not before", cli_int(attributes, "nbf"));
	print_time("expires", cli_int(attributes, "exp"));
	json_object_foreach(tags, name, v) {
		printf("%-12s", "tag");
		cli_put_text(stdout, name);
		putchar('=');
		cli_put_text(stdout, json_string_value(v));
		putchar('\n');
	}
}

static void print_key(const json_t *j)
{
	const json_t *key = json_object_get(j, "key");
	char address[KVAULT_PATH_MAX], kind[64];
	char *ops = cli_join(json_object_get(key, "key_ops"));
	struct kvault_address a;

	address_of(key, &a, address, sizeof(address));
	shape(key, kind, sizeof(kind));
	printf("%-12s%s\n%-12s%s\n%-12s%s\n%-12s%s\n", "key", address, "version", a.version,
	       "type", kind, "operations", ops ? ops : "?");
	cli_print_attributes(j);
	printf("%-12s%s\n", "kid", cli_str(key, "kid"));
	free(ops);
}

int cli_key_show(struct cli *c)
{
	struct kvault_address a;
	json_t *j = NULL;
	int r;

	r = get(c, "show", &a, &j);
	if (!r && cli_for_people(c, j, &r))
		print_key(j);
	json_decref(j);
	return r;
}

static int print_public(struct cli *c, const json_t *key, bool is_jwk)
{
	char *text = NULL, *jwk = json_dumps(key, JSON_SORT_KEYS | (is_jwk ? JSON_INDENT(2) : 0));
	int r;

	if (!jwk)
		return cli_fail(CLI_INTERNAL, "out of memory");
	if (is_jwk)
		r = asprintf(&text, "%s\n", jwk) < 0 ? -1 : 0;
	else
		r = kvault_public_pem(jwk, &text);
	free(jwk);
	if (r)
		return cli_fail(CLI_INTERNAL, "the vault's public key cannot be read");
	r = cli_write(cli_value(c, OPT_OUT), CLI_TEXT, text, strlen(text));
	free(text);
	return r;
}

int cli_key_public(struct cli *c)
{
	const char *format = cli_value(c, OPT_FORMAT), *kty;
	bool is_jwk = format && !strcmp(format, "jwk");
	struct kvault_address a;
	json_t *j = NULL, *key;
	int r;

	if (format && !is_jwk && strcmp(format, "pem"))
		return cli_usage(c, "--format takes pem or jwk, not '%.40s'", format);
	r = get(c, "get the public half of", &a, &j);
	if (r)
		return r;
	key = json_object_get(j, "key");
	kty = cli_str(key, "kty");
	if (!kty || !strncmp(kty, "oct", 3))
		r = cli_fail(CLI_REFUSED, "%s/%s is a symmetric key and has no public half",
			     a.vault, a.name);
	else if (cli_for_people(c, key, &r))
		r = print_public(c, key, is_jwk);
	json_decref(j);
	return r;
}
