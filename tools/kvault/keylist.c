// SPDX-License-Identifier: GPL-2.0-only
/* key list and versions. */
#include <stdlib.h>
#include <time.h>

#include "cli.h"

struct list {
	json_t *value;
	int64_t before;	/* --expiring: 0 for all */
};

static int collect(struct cli *c, json_t *item, void *data)
{
	struct list *l = data;
	int64_t exp = cli_int(item, "attributes.exp");

	(void)c;
	if (l->before && (!exp || exp >= l->before))
		return 0;
	return json_array_append(l->value, item) ? CLI_INTERNAL : 0;
}

static void cell_type(const json_t *item, char *out, size_t size)
{
	const char *kty = cli_str(item, "kty"), *crv = cli_str(item, "crv");
	int64_t bits = cli_int(item, "key_size");

	if (crv)
		snprintf(out, size, "%s %s", kty ? kty : "?", crv);
	else if (bits)
		snprintf(out, size, "%s %lld", kty ? kty : "?", (long long)bits);
	else
		snprintf(out, size, "%s", kty ? kty : "?");
}

static void add_row(struct cli_table *t, const json_t *item, bool by_version)
{
	const json_t *attributes = json_object_get(item, "attributes");
	char address[KVAULT_PATH_MAX], type[64], created[CLI_TIME_SIZE], expires[CLI_TIME_SIZE];
	char *ops = cli_join(json_object_get(item, "key_ops"));
	const char *kid = cli_str(item, "kid");
	struct kvault_address a = { 0 };

	if (!kid || kvault_address_parse(kid, &a, NULL))
		snprintf(address, sizeof(address), "%s", kid ? kid : "?");
	else if (by_version)
		snprintf(address, sizeof(address), "%s", a.version);
	else
		snprintf(address, sizeof(address), "%s/%s", a.vault, a.name);
	cell_type(item, type, sizeof(type));
	cli_time_format(cli_int(attributes, "created"), created);
	cli_time_format(cli_int(attributes, "exp"), expires);
	cli_table_row(t, (const char *[]){ address, type,
		json_is_true(json_object_get(attributes, "enabled")) ? "enabled" : "disabled",
		ops, created, expires });
	free(ops);
}

static void print_quiet(const json_t *list)
{
	char text[KVAULT_PATH_MAX];
	struct kvault_address a;
	const char *kid;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		kid = cli_str(json_array_get(list, i), "kid");
		if (!kid || kvault_address_parse(kid, &a, NULL))
			continue;
		kvault_address_format(&a, text, sizeof(text));
		puts(text);
	}
}

static int print(struct cli *c, const json_t *list, bool by_version)
{
	static const char *const columns[] = { "KEY", "TYPE", "STATE", "OPERATIONS", "CREATED",
					       "EXPIRES" };
	static const char *const versions[] = { "VERSION", "TYPE", "STATE", "OPERATIONS", "CREATED",
						"EXPIRES" };
	json_t *all = json_pack("{s:O}", "value", list);
	struct cli_table *t;
	size_t i;
	int r;

	if (cli_for_people(c, all, &r)) {
		if (cli_has(c, OPT_QUIET)) {
			print_quiet(list);
		} else {
			t = cli_table_new(by_version ? versions : columns, ARRAY_SIZE(columns));
			for (i = 0; i < json_array_size(list); i++)
				add_row(t, json_array_get(list, i), by_version);
			cli_table_print(t);
		}
	}
	json_decref(all);
	return r;
}

static int list_vault(struct cli *c, const char *vault, struct list *l)
{
	char path[128], what[128];

	snprintf(path, sizeof(path), "/vaults/%s/keys", vault);
	snprintf(what, sizeof(what), "list the keys of the vault %s", vault);
	return cli_list(c, path, what, collect, l);
}

static int add_vault(struct cli *c, json_t *item, void *data)
{
	const char *name = cli_str(item, "name");

	return name && kvault_name_is_vault(name) ? list_vault(c, name, data) : 0;
}

int cli_key_list(struct cli *c)
{
	const char *expiring = cli_value(c, OPT_EXPIRING);
	struct list l = { 0 };
	int64_t within = 0;
	int r;

	if (expiring && cli_duration_parse(expiring, &within))
		return cli_usage(c, "--expiring takes 30d, 12h and the like, not '%.40s'",
				 expiring);
	l.before = expiring ? (int64_t)time(NULL) + within : 0;
	if (c->n_args && !kvault_name_is_vault(c->args[0]))
		return cli_usage(c, "'%.100s' is not the name of a vault", c->args[0]);
	l.value = json_array();
	if (c->n_args)
		r = list_vault(c, c->args[0], &l);
	else
		r = cli_list(c, "/vaults", "list the vaults", add_vault, &l);
	if (!r)
		r = print(c, l.value, false);
	json_decref(l.value);
	return r;
}

int cli_key_versions(struct cli *c)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct kvault_address a;
	struct list l = { 0 };
	int r;

	r = cli_address(c, 0, &a);
	if (r)
		return r;
	a.version[0] = '\0';
	cli_key_path(&a, "/versions", path, sizeof(path));
	snprintf(what, sizeof(what), "list the versions of %s/%s", a.vault, a.name);
	l.value = json_array();
	r = cli_list(c, path, what, collect, &l);
	if (!r)
		r = print(c, l.value, true);
	json_decref(l.value);
	return r;
}
