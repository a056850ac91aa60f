// SPDX-License-Identifier: GPL-2.0-only
/* list, deleted and versions, of keys and of secrets. */
#include <stdlib.h>
#include <time.h>

#include "cli.h"

struct list {
	json_t *value;
	int64_t before;		/* --expiring: 0 for all */
	int64_t unused;		/* --unused-for: since then; 0 for all */
};

static int collect(struct cli *c, json_t *item, void *data)
{
	struct list *l = data;
	int64_t exp = cli_int(item, "attributes.exp");

	(void)c;
	if (l->before && (!exp || exp >= l->before))
		return 0;
	/* What was never used counts from its making. */
	if (l->unused && (cli_int(item, "lastUsed") >= l->unused ||
			  cli_int(item, "attributes.created") >= l->unused))
		return 0;
	return json_array_append(l->value, item) ? CLI_INTERNAL : 0;
}

static bool parse_id(const struct cli *c, const json_t *item, struct kvault_address *ret,
		     const char **ret_id)
{
	bool is_secret = cli_is_secret(c);

	*ret_id = cli_str(item, is_secret ? "id" : "kid");
	return *ret_id && !kvault_address_parse_as(is_secret ? KVAULT_OBJECT_SECRET :
						   KVAULT_OBJECT_KEY, *ret_id, ret, NULL);
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

static void add_row(struct cli *c, struct cli_table *t, const json_t *item, bool by_version)
{
	const json_t *attributes = json_object_get(item, "attributes");
	char address[KVAULT_PATH_MAX], type[64], created[CLI_TIME_SIZE], expires[CLI_TIME_SIZE];
	const char *state = json_is_true(json_object_get(attributes, "enabled")) ? "enabled" :
										  "disabled";
	char *ops = cli_join(json_object_get(item, "key_ops"));
	const char *content = cli_str(item, "contentType"), *id;
	struct kvault_address a = { 0 };

	if (!parse_id(c, item, &a, &id))
		snprintf(address, sizeof(address), "%s", id ? id : "?");
	else if (by_version)
		snprintf(address, sizeof(address), "%s", a.version);
	else
		snprintf(address, sizeof(address), "%s/%s", a.vault, a.name);
	if (cli_is_secret(c))
		snprintf(type, sizeof(type), "%s", content ? content : "-");
	else
		cell_type(item, type, sizeof(type));
	if (cli_is_deleted(c)) {
		cli_time_format(cli_int(item, "deletedDate"), created);
		cli_time_format(cli_int(item, "scheduledPurgeDate"), expires);
	} else {
		cli_time_format(cli_int(attributes, "created"), created);
		cli_time_format(cli_int(attributes, "exp"), expires);
	}
	if (cli_is_secret(c))
		cli_table_row(t, (const char *[]){ address, type, state, created, expires });
	else
		cli_table_row(t, (const char *[]){ address, type, state, ops, created, expires });
	free(ops);
}

static void print_quiet(struct cli *c, const json_t *list)
{
	char text[KVAULT_PATH_MAX];
	struct kvault_address a;
	const char *id;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		if (!parse_id(c, json_array_get(list, i), &a, &id))
			continue;
		kvault_address_format(&a, text, sizeof(text));
		puts(text);
	}
}

static int print(struct cli *c, const json_t *list, bool by_version)
{
	const char *first = by_version ? "VERSION" : cli_is_secret(c) ? "SECRET" : "KEY";
	const char *begin = cli_is_deleted(c) ? "DELETED" : "CREATED";
	const char *end = cli_is_deleted(c) ? "PURGED" : "EXPIRES";
	const char *of_keys[] = { first, "TYPE", "STATE", "OPERATIONS", begin, end };
	const char *of_secrets[] = { first, "TYPE", "STATE", begin, end };
	json_t *all = json_pack("{s:O}", "value", list);
	struct cli_table *t;
	size_t i;
	int r;

	if (cli_for_people(c, all, &r)) {
		if (cli_has(c, OPT_QUIET)) {
			print_quiet(c, list);
		} else {
			t = cli_is_secret(c) ? cli_table_new(of_secrets, ARRAY_SIZE(of_secrets)) :
					       cli_table_new(of_keys, ARRAY_SIZE(of_keys));
			for (i = 0; i < json_array_size(list); i++)
				add_row(c, t, json_array_get(list, i), by_version);
			cli_table_print(t);
		}
	}
	json_decref(all);
	return r;
}

static int list_vault(struct cli *c, const char *vault, struct list *l)
{
	char path[128], what[128];

	snprintf(path, sizeof(path), "/vaults/%s/%s%s", vault, cli_is_deleted(c) ? "deleted" : "",
		 cli_is_secret(c) ? "secrets" : "keys");
	snprintf(what, sizeof(what), "list the %s%s of the vault %s",
		 cli_is_deleted(c) ? "deleted " : "", cli_is_secret(c) ? "secrets" : "keys", vault);
	return cli_list(c, path, what, collect, l);
}

static int add_vault(struct cli *c, json_t *item, void *data)
{
	const char *name = cli_str(item, "name");

	return name && kvault_name_is_vault(name) ? list_vault(c, name, data) : 0;
}

int cli_object_list(struct cli *c)
{
	const char *expiring = cli_value(c, OPT_EXPIRING), *unused = cli_value(c, OPT_UNUSED_FOR);
	int64_t now = (int64_t)time(NULL), within = 0, since = 0;
	struct list l = { 0 };
	int r;

	if (expiring && cli_duration_parse(expiring, &within))
		return cli_usage(c, "--expiring takes 30d, 12h and the like, not '%.40s'",
				 expiring);
	if (unused && cli_duration_parse(unused, &since))
		return cli_usage(c, "--unused-for takes 90d, 12h and the like, not '%.40s'",
				 unused);
	l.before = expiring ? now + within : 0;
	l.unused = unused ? now - since : 0;
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

int cli_object_versions(struct cli *c)
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
