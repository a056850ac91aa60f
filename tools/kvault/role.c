// SPDX-License-Identifier: GPL-2.0-only
/*
 * role assign, unassign, list, definitions. The name of an assignment is made
 * of what it says, so that making it twice makes one.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <openssl/sha.h>
#include <pwd.h>
#include <stdlib.h>

#include "cli.h"

/* The built-in roles, as kvaultd has them. */
static const struct {
	const char *slug, *name, *guid, *text;
} roles[] = {
	{ "administrator", "Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483",
	  "everything but the root key" },
	{ "crypto-officer", "Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
	  "make, change and use keys" },
	{ "crypto-user", "Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424",
	  "use keys: encrypt, decrypt, sign, verify, wrap, unwrap" },
	{ "reader", "Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2",
	  "see vaults, keys and secrets, use none and get no value" },
	{ "secrets-officer", "Key Vault Secrets Officer", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
	  "set, change and get secrets" },
	{ "secrets-user", "Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6",
	  "get secrets" },
};

static const char *slug_of(const char *role)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcasecmp(role, roles[i].slug) || !strcasecmp(role, roles[i].name) ||
		    !strcasecmp(role, roles[i].guid))
			return roles[i].slug;
	return NULL;
}

/* Names become numbers here: the vault knows none. */
static int principal(const struct cli *c, char *out, size_t size)
{
	const char *to = cli_value(c, OPT_TO);
	const struct passwd *pw;
	const struct group *gr;
	unsigned long n;
	char *end = NULL;

	if (!to)
		return cli_usage(c, "--to is missing");
	if (!strncmp(to, "user:", 5)) {
		pw = getpwnam(to + 5);
		if (!pw)
			return cli_usage(c, "there is no user '%.100s'", to + 5);
		snprintf(out, size, "uid:%lu", (unsigned long)pw->pw_uid);
		return 0;
	}
	if (!strncmp(to, "group:", 6)) {
		gr = getgrnam(to + 6);
		if (!gr)
			return cli_usage(c, "there is no group '%.100s'", to + 6);
		snprintf(out, size, "gid:%lu", (unsigned long)gr->gr_gid);
		return 0;
	}
	errno = 0;
	n = (!strncmp(to, "uid:", 4) || !strncmp(to, "gid:", 4)) && to[4] >= '0' && to[4] <= '9' ?
	    strtoul(to + 4, &end, 10) : ULONG_MAX;
	if (n >= UINT32_MAX || errno || !end || *end)
		return cli_usage(c, "--to takes uid:N, user:NAME, gid:N or group:NAME, "
				 "not '%.100s'", to);
	snprintf(out, size, "%.4s%lu", to, n);
	return 0;
}

static int scope(const struct cli *c, char *out, size_t size)
{
	const char *text = cli_value(c, OPT_SCOPE);
	struct kvault_address a;

	if (!text)
		return cli_usage(c, "--scope is missing: it is always said");
	snprintf(out, size, "%s", text);
	if (!strcmp(text, "/") || (*text == '/' && kvault_name_is_vault(text + 1)))
		return 0;
	if (*text != '/' ||
	    (kvault_address_parse(text, &a, NULL) &&
	     kvault_address_parse_as(KVAULT_OBJECT_SECRET, text, &a, NULL)) || a.version[0])
		return cli_usage(c, "--scope takes /, /VAULT, /VAULT/keys/NAME or "
				 "/VAULT/secrets/NAME, not '%.200s'", text);
	*out = '/';
	kvault_address_format(&a, out + 1, size - 1);
	return 0;
}

/* A GUID (RFC 9562, version 8) of what the assignment says. */
static void guid_of(const char *role, const char *to, const char *at, char out[37])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char text[768], hex[33];

	snprintf(text, sizeof(text), "%s\n%s\n%s", role, to, at);
	SHA256((const uint8_t *)text, strlen(text), hash);
	hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x80);
	hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);
	kvault_hex_encode(hex, hash, 16);
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
}

static int parse(struct cli *c, const char **role, char *to, char *at, size_t size)
{
	int r;

	*role = slug_of(c->args[0]);
	if (!*role)
		return cli_usage(c, "there is no role '%.100s'; 'kvault role definitions' lists "
				 "them", c->args[0]);
	r = principal(c, to, size);
	return r ? r : scope(c, at, size);
}

int cli_role_assign(struct cli *c)
{
	char to[320], at[320], guid[37], path[64], what[768];
	struct cli_call call = { KVAULT_METHOD_PUT, path, NULL, NULL, what };
	json_t *body, *j = NULL;
	const char *role;
	int r;

	r = parse(c, &role, to, at, sizeof(to));
	if (r)
		return r;
	guid_of(role, to, at, guid);
	body = json_pack("{s:{s:s, s:s, s:s}}", "properties", "scope", at, "roleDefinitionId",
			 role, "principalId", to);
	if (!body)
		return cli_usage(c, "--scope or --to is not UTF-8");
	call.body = body;
	snprintf(path, sizeof(path), "/roleAssignments/%s", guid);
	snprintf(what, sizeof(what), "assign %s to %s at %s", role, to, at);
	if (!cli_dry_run(c, &call)) {
		r = cli_call(c, &call, &j);
		if (!r && cli_for_people(c, j, &r))
			cli_note(c, "%s may act as %s at %s", to, role, at);
	}
	json_decref(j);
	json_decref(body);
	return r;
}

struct search {
	const char *role, *to, *at;
	char id[64];
};

static int search_one(struct cli *c, json_t *item, void *data)
{
	const char *role = cli_str(item, "properties.roleDefinitionId");
	const char *to = cli_str(item, "properties.principalId");
	const char *at = cli_str(item, "properties.scope"), *name = cli_str(item, "name");
	struct search *s = data;

	(void)c;
	if (role && to && at && name && !strcmp(role, s->role) && !strcmp(to, s->to) &&
	    !strcasecmp(at, s->at))
		snprintf(s->id, sizeof(s->id), "%s", name);
	return 0;
}

int cli_role_unassign(struct cli *c)
{
	char to[320], at[320], path[96], what[768];
	struct cli_call call = { KVAULT_METHOD_DELETE, path, NULL, NULL, what };
	struct search s = { .to = to, .at = at };
	int r;

	r = parse(c, &s.role, to, at, sizeof(to));
	if (r)
		return r;
	snprintf(what, sizeof(what), "take %s at %s from %s", s.role, at, to);
	r = cli_list(c, "/roleAssignments", what, search_one, &s);
	if (!r && !s.id[0])
		r = cli_fail(CLI_REFUSED, "cannot %s: there is no such assignment; "
			     "see 'kvault role list'", what);
	snprintf(path, sizeof(path), "/roleAssignments/%s", s.id);
	if (r || cli_dry_run(c, &call))
		return r;
	r = cli_call(c, &call, NULL);
	if (!r)
		cli_note(c, "%s may no longer act as %s at %s", to, s.role, at);
	return r;
}

static int collect(struct cli *c, json_t *item, void *data)
{
	(void)c;
	return json_array_append(data, item) ? CLI_INTERNAL : 0;
}

int cli_role_list(struct cli *c)
{
	static const char *const columns[] = { "ROLE", "PRINCIPAL", "SCOPE" };
	json_t *list = json_array(), *all = json_pack("{s:O}", "value", list), *v;
	struct cli_table *t;
	size_t i;
	int r;

	r = cli_list(c, "/roleAssignments", "list the roles", collect, list);
	if (!r && cli_for_people(c, all, &r)) {
		t = cli_table_new(columns, ARRAY_SIZE(columns));
		json_array_foreach(list, i, v) {
			const char *cells[] = { cli_str(v, "properties.roleDefinitionId"),
						cli_str(v, "properties.principalId"),
						cli_str(v, "properties.scope") };

			cli_table_row(t, cells);
		}
		cli_table_print(t);
	}
	json_decref(all);
	json_decref(list);
	return r;
}

int cli_role_definitions(struct cli *c)
{
	static const char *const columns[] = { "ROLE", "AZURE'S NAME", "MAY" };
	json_t *list = json_array(), *all = json_pack("{s:O}", "value", list);
	struct cli_table *t;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "slug", roles[i].slug,
						      "roleName", roles[i].name, "name",
						      roles[i].guid, "description", roles[i].text));
	if (cli_for_people(c, all, &r)) {
		t = cli_table_new(columns, ARRAY_SIZE(columns));
		for (i = 0; i < ARRAY_SIZE(roles); i++)
			cli_table_row(t, (const char *[]){ roles[i].slug, roles[i].name,
							   roles[i].text });
		cli_table_print(t);
	}
	json_decref(all);
	json_decref(list);
	return r;
}
