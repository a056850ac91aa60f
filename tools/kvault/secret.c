// SPDX-License-Identifier: GPL-2.0-only
/*
 * secret set, get, show, update. A value comes from a file, standard input or
 * a prompt, goes to the kernel as secret_in and comes from it as secret_out; it
 * is in locked memory here, and never in JSON but for 'get --json'.
 */
#include <unistd.h>

#include "cli.h"

static void what_of(const struct kvault_address *a, const char *verb, char out[256])
{
	snprintf(out, 256, "%s the secret %s/%s", verb, a->vault, a->name);
}

/* A prompt, where somebody would have to type it blindly twice to be sure. */
static int ask(const struct kvault_address *a, struct kvault_secret *ret)
{
	struct kvault_secret again = { 0 };
	char text[256];
	int n, m, r;

	r = kvault_secret_new(KVAULT_SECRET_MAX + 1, ret);
	if (!r)
		r = kvault_secret_new(KVAULT_SECRET_MAX + 1, &again);
	if (r)
		return cli_fail(CLI_INTERNAL, "out of memory");
	snprintf(text, sizeof(text), "Value of %s/%s", a->vault, a->name);
	n = cli_prompt(text, (char *)ret->data, KVAULT_SECRET_MAX + 1);
	m = n < 0 ? n : cli_prompt("Once more", (char *)again.data, KVAULT_SECRET_MAX + 1);
	if (n < 0 || m < 0)
		r = cli_fail(CLI_USAGE, "the value cannot be asked for: give --in FILE");
	else if (n != m || memcmp(ret->data, again.data, (size_t)n))
		r = cli_fail(CLI_USAGE, "the two are not the same; nothing was set");
	else
		ret->len = (size_t)n;
	kvault_secret_done(&again);
	return r;
}

static int read_value(const struct cli *c, const struct kvault_address *a,
		      struct kvault_secret *ret)
{
	const char *name = cli_value(c, OPT_IN);
	bool is_stdin = !name || !strcmp(name, "-");
	int r;

	if (!name && isatty(STDIN_FILENO))
		return ask(a, ret);
	r = cli_read(name, KVAULT_SECRET_MAX, ret);
	/* What 'echo' adds is part of a value that is kept byte by byte. */
	if (!r && is_stdin && ret->len && ret->data[ret->len - 1] == '\n' &&
	    !cli_has(c, OPT_QUIET))
		cli_fail(0, "warning: the value ends with a line feed, which is kept; "
			 "'printf %%s' and 'echo -n' add none");
	return r;
}

/* contentType, attributes and tags of the options. */
static int add_members(struct cli *c, bool is_new, json_t *body)
{
	const char *type = cli_value(c, OPT_CONTENT_TYPE);

	if (type && json_object_set_new(body, "contentType", json_string(type)))
		return cli_usage(c, "--content-type is not UTF-8");
	return cli_attributes(c, is_new, body);
}

static int print_bundle(struct cli *c, const json_t *j)
{
	struct kvault_address a = { 0 };
	const char *id = cli_str(j, "id");
	int r;

	if (!cli_for_people(c, j, &r))
		return r;
	if (id && !kvault_address_parse_as(KVAULT_OBJECT_SECRET, id, &a, NULL))
		cli_note(c, "%s/%s: secret, version %s", a.vault, a.name, a.version);
	return 0;
}

static int change(struct cli *c, enum kvault_method method, const struct kvault_address *a,
		  const char *verb, const json_t *body, const struct kvault_secret *value)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { method, path, body, value, what };
	json_t *j = NULL;
	int r;

	cli_key_path(a, "", path, sizeof(path));
	what_of(a, verb, what);
	if (cli_dry_run(c, &call))
		return CLI_DONE;
	r = cli_call(c, &call, &j);
	if (!r)
		r = print_bundle(c, j);
	json_decref(j);
	return r;
}

int cli_secret_set(struct cli *c)
{
	struct kvault_secret value = { 0 };
	json_t *body = json_object();
	struct kvault_address a;
	int r;

	r = cli_address(c, 0, &a);
	if (!r && a.version[0])
		r = cli_usage(c, "a version is made by the vault and cannot be named");
	if (!r)
		r = add_members(c, true, body);
	if (!r)
		r = read_value(c, &a, &value);
	if (!r)
		r = change(c, KVAULT_METHOD_PUT, &a, "set", body, &value);
	kvault_secret_done(&value);
	json_decref(body);
	return r;
}

int cli_secret_update(struct cli *c)
{
	json_t *body = json_object();
	struct kvault_address a;
	int r;

	r = cli_address(c, 0, &a);
	if (!r)
		r = add_members(c, false, body);
	if (!r && !json_object_size(body))
		r = cli_usage(c, "there is nothing to change; a new value is set with "
			      "'kvault secret set'");
	if (!r)
		r = change(c, KVAULT_METHOD_PATCH, &a, "update", body, NULL);
	json_decref(body);
	return r;
}

int cli_secret_value(struct cli *c, const struct kvault_address *a, struct kvault_secret *ret,
		     json_t **ret_json)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { KVAULT_METHOD_GET, path, NULL, NULL, what };

	cli_key_path(a, "", path, sizeof(path));
	what_of(a, "get", what);
	return cli_call_value(c, &call, ret, ret_json);
}

int cli_secret_get(struct cli *c)
{
	struct kvault_secret value = { 0 };
	struct kvault_address a;
	json_t *j = NULL, *text;
	int r;

	r = cli_address(c, 0, &a);
	if (!r)
		r = cli_secret_value(c, &a, &value, &j);
	if (r)
		return r;
	if (cli_has(c, OPT_JSON) || cli_has(c, OPT_FIELD)) {
		text = json_stringn((const char *)value.data, value.len);
		if (!text)
			r = cli_fail(CLI_USAGE, "the value is not UTF-8, which JSON has to be: "
				     "get it without --json and --field");
		else if (!json_object_set_new(j, "value", text))
			cli_for_people(c, j, &r);
	} else {
		r = cli_write(cli_value(c, OPT_OUT), CLI_SECRET | CLI_TEXT, value.data, value.len);
	}
	kvault_secret_done(&value);
	json_decref(j);
	return r;
}

static void print_secret(const json_t *j)
{
	const char *id = cli_str(j, "id"), *type = cli_str(j, "contentType");
	struct kvault_address a = { 0 };
	char address[KVAULT_PATH_MAX];

	snprintf(address, sizeof(address), "%s", id ? id : "?");
	if (id && !kvault_address_parse_as(KVAULT_OBJECT_SECRET, id, &a, NULL))
		snprintf(address, sizeof(address), "%s/%s", a.vault, a.name);
	printf("%-12s%s\n%-12s%s\n", "secret", address, "version", a.version);
	if (type)
		printf("%-12s%s\n", "type", type);
	cli_print_attributes(j);
	printf("%-12s%s\n", "id", id ? id : "?");
}

/* All but the value: who may see this need not be allowed to get that. */
int cli_secret_show(struct cli *c)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct kvault_address a;
	json_t *j = NULL;
	int r;

	r = cli_address(c, 0, &a);
	if (r)
		return r;
	cli_key_path(&a, "?value=none", path, sizeof(path));
	what_of(&a, "show", what);
	r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, path, NULL, NULL, what }, &j);
	if (!r && cli_for_people(c, j, &r))
		print_secret(j);
	json_decref(j);
	return r;
}
