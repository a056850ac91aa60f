// SPDX-License-Identifier: GPL-2.0-only
/* key rotation-policy show, set: when a key gets its next version. */
#include "cli.h"

#define FILE_MAX	16384

static int policy_of(struct cli *c, const char *verb, struct kvault_address *a, char *path,
		     size_t size, char what[256])
{
	int r;

	r = cli_address(c, 0, a);
	if (!r && a->version[0])
		r = cli_usage(c, "a policy is of a key with all its versions: name none");
	if (r)
		return r;
	cli_key_path(a, "/rotationpolicy", path, size);
	snprintf(what, 256, "%s the rotation policy of %s/%s", verb, a->vault, a->name);
	return 0;
}

static void print_next(const json_t *j, const char *name)
{
	char path[32], when[CLI_TIME_SIZE];

	snprintf(path, sizeof(path), "next.%s", name);
	cli_time_format(cli_int(j, path), when);
	if (cli_int(j, path))
		printf("; next %s", when);
	putchar('\n');
}

static void print_action(const json_t *j, const json_t *action)
{
	const char *type = cli_str(action, "action.type");
	const char *after = cli_str(action, "trigger.timeAfterCreate");
	const char *before = cli_str(action, "trigger.timeBeforeExpiry");
	bool is_rotate = type && !strcmp(type, "Rotate");

	printf("%-12s%s %s", is_rotate ? "rotate" : "notify", after ? after : before ? before : "?",
	       after ? "after a version was made" : "before it expires");
	print_next(j, is_rotate ? "rotate" : "notify");
}

static int print(const struct cli *c, const json_t *j)
{
	const char *expiry = cli_str(j, "attributes.expiryTime");
	const json_t *actions = json_object_get(j, "lifetimeActions"), *action;
	size_t i;
	int r = 0;

	if (!cli_for_people(c, j, &r))
		return r;
	json_array_foreach(actions, i, action) {
		print_action(j, action);
	}
	if (expiry)
		printf("%-12s%s after they were made\n", "versions", expiry);
	if (!json_array_size(actions) && !expiry)
		puts("no policy: the key is rotated when somebody does it");
	return 0;
}

int cli_policy_show(struct cli *c)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { KVAULT_METHOD_GET, path, NULL, NULL, what };
	struct kvault_address a;
	json_t *j = NULL;
	int r;

	r = policy_of(c, "show", &a, path, sizeof(path), what);
	if (!r)
		r = cli_call(c, &call, &j);
	if (!r)
		r = print(c, j);
	json_decref(j);
	return r;
}

static int read_policy(struct cli *c, json_t **ret)
{
	struct kvault_secret file = { 0 };
	json_error_t error;
	int r;

	r = cli_read_in(c, FILE_MAX, &file);
	if (r)
		return r;
	*ret = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &error);
	kvault_secret_done(&file);
	if (!json_is_object(*ret)) {
		json_decref(*ret);
		*ret = NULL;
		return cli_fail(CLI_USAGE, "this is no policy: a JSON object is wanted");
	}
	return 0;
}

int cli_policy_set(struct cli *c)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { KVAULT_METHOD_PUT, path, NULL, NULL, what };
	json_t *policy = NULL, *j = NULL;
	struct kvault_address a;
	int r;

	r = policy_of(c, "set", &a, path, sizeof(path), what);
	if (!r)
		r = read_policy(c, &policy);
	call.body = policy;
	if (!r && !cli_dry_run(c, &call)) {
		r = cli_call(c, &call, &j);
		if (!r)
			r = print(c, j);
	}
	json_decref(policy);
	json_decref(j);
	return r;
}
