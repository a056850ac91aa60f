// SPDX-License-Identifier: GPL-2.0-only
/* vault create, list, show. */
#include <stdlib.h>

#include "cli.h"

static int check_name(const struct cli *c)
{
	if (kvault_name_is_vault(c->args[0]))
		return 0;
	return cli_usage(c, "'%.100s' is not the name of a vault, which has 1 to 63 of 0-9 A-Z a-z "
			 "and '-', no '-' at an end", c->args[0]);
}

static void print_vault(const json_t *v)
{
	char created[CLI_TIME_SIZE];

	cli_time_format(cli_int(v, "created"), created);
	printf("%-12s%s\n%-12s%s\n%-12s%lld days%s\n%-12s%s\n", "name", cli_str(v, "name"), "sku",
	       cli_str(v, "properties.sku"), "retention",
	       (long long)cli_int(v, "properties.softDeleteRetentionInDays"),
	       json_is_true(json_object_get(json_object_get(v, "properties"),
					    "enablePurgeProtection")) ?
	       ", protected from purging" : "", "created", created);
}

int cli_vault_create(struct cli *c)
{
	const char *sku = cli_value(c, OPT_SKU);
	char path[128], what[128];
	struct cli_call call = { KVAULT_METHOD_PUT, path, NULL, NULL, what };
	unsigned long days = 90;
	json_t *tags, *body, *j = NULL;
	int r;

	r = check_name(c);
	if (!r)
		r = cli_number(c, OPT_RETENTION, 7, 90, &days);
	if (r)
		return r;
	if (sku && strcmp(sku, "standard") && strcmp(sku, "premium"))
		return cli_usage(c, "--sku takes standard or premium, not '%.40s'", sku);
	tags = cli_labels(c);
	if (!tags)
		return CLI_USAGE;
	body = json_pack("{s:{s:s, s:I, s:b}, s:o}", "properties", "sku", sku ? sku : "standard",
			 "softDeleteRetentionInDays", (json_int_t)days, "enablePurgeProtection",
			 (int)cli_has(c, OPT_PURGE_PROTECTION), "tags", tags);
	call.body = body;
	snprintf(path, sizeof(path), "/vaults/%s", c->args[0]);
	snprintf(what, sizeof(what), "create the vault %s", c->args[0]);
	if (!cli_dry_run(c, &call)) {
		r = cli_call(c, &call, &j);
		if (!r && cli_for_people(c, j, &r))
			cli_note(c, "vault %s, %s", cli_str(j, "name"),
				 cli_str(j, "properties.sku"));
	}
	json_decref(j);
	json_decref(body);
	return r;
}

int cli_vault_show(struct cli *c)
{
	char path[128], what[128];
	json_t *j = NULL;
	int r;

	r = check_name(c);
	if (r)
		return r;
	snprintf(path, sizeof(path), "/vaults/%s", c->args[0]);
	snprintf(what, sizeof(what), "show the vault %s", c->args[0]);
	r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, path, NULL, NULL, what }, &j);
	if (!r && cli_for_people(c, j, &r))
		print_vault(j);
	json_decref(j);
	return r;
}

static int collect(struct cli *c, json_t *item, void *data)
{
	(void)c;
	return json_array_append(data, item) ? CLI_INTERNAL : 0;
}

static void print_table(const json_t *list)
{
	static const char *const columns[] = { "VAULT", "SKU", "RETENTION", "CREATED" };
	struct cli_table *t = cli_table_new(columns, ARRAY_SIZE(columns));
	char created[CLI_TIME_SIZE], days[16];
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		cli_time_format(cli_int(v, "created"), created);
		snprintf(days, sizeof(days), "%lld days",
			 (long long)cli_int(v, "properties.softDeleteRetentionInDays"));
		cli_table_row(t, (const char *[]){ cli_str(v, "name"), cli_str(v, "properties.sku"),
						   days, created });
	}
	cli_table_print(t);
}

int cli_vault_list(struct cli *c)
{
	json_t *list = json_array(), *all, *v;
	size_t i;
	int r;

	r = cli_list(c, "/vaults", "list the vaults", collect, list);
	all = json_pack("{s:o}", "value", list);
	if (!r && cli_for_people(c, all, &r)) {
		if (cli_has(c, OPT_QUIET))
			json_array_foreach(list, i, v) {
				puts(cli_str(v, "name"));
			}
		else
			print_table(list);
	}
	json_decref(all);
	return r;
}
