// SPDX-License-Identifier: GPL-2.0-only
/*
 * delete, recover, purge, of keys and of secrets; key users. What
 * cuts somebody off shows whom before it asks.
 */
#include <stdlib.h>

#include "cli.h"

static const char *noun(const struct cli *c)
{
	return cli_is_secret(c) ? "secret" : "key";
}

static void deleted_path(const struct kvault_address *a, const char *suffix, char *out, size_t size)
{
	snprintf(out, size, "/vaults/%s/deleted%s/%s%s", a->vault,
		 a->type == KVAULT_OBJECT_SECRET ? "secrets" : "keys", a->name, suffix);
}

/* The object of argument 0; all of these verbs are of all its versions. */
static int whole(struct cli *c, const char *verb, struct kvault_address *a, char what[256])
{
	int r;

	r = cli_address(c, 0, a);
	if (!r && a->version[0])
		r = cli_usage(c, "a %s is one with all its versions: name none", noun(c));
	snprintf(what, 256, "%s the %s %s/%s", verb, noun(c), a->vault, a->name);
	return r;
}

static int count(struct cli *c, json_t *item, void *data)
{
	(void)c;
	(void)item;
	++*(unsigned int *)data;
	return 0;
}

static void who_is(const json_t *lease, char *out, size_t size)
{
	const char *unit = cli_str(lease, "principal.unit"), *exe = cli_str(lease, "principal.exe");
	long long uid = cli_int(lease, "principal.uid"), pid = cli_int(lease, "principal.pid");

	snprintf(out, size, "uid %lld, %s%s%s, process %lld", uid, unit ? unit : "",
		 unit ? ", " : "", exe ? exe : "?", pid);
}

static int get_users(struct cli *c, const struct kvault_address *a, json_t **ret)
{
	char path[KVAULT_PATH_MAX], what[256];

	cli_key_path(a, "/users", path, sizeof(path));
	snprintf(what, sizeof(what), "see who uses %s/%s", a->vault, a->name);
	return cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, path, NULL, NULL, what }, ret);
}

static int show_users(struct cli *c, const struct kvault_address *a)
{
	json_t *j = NULL, *lease;
	long long volumes;
	char who[512];
	size_t i;
	int r;

	r = get_users(c, a, &j);
	if (r)
		return r;
	volumes = cli_int(j, "volumes");
	if (volumes)
		fprintf(stderr, "  %lld volume%s open with it: every access to what is on %s fails "
			"from now on\n", volumes, volumes == 1 ? " is" : "s are",
			volumes == 1 ? "it" : "them");
	json_array_foreach(json_object_get(j, "leases"), i, lease) {
		who_is(lease, who, sizeof(who));
		fprintf(stderr, "  in use by ");
		cli_put_text(stderr, who);	/* a path is whatever somebody made of it */
		fputc('\n', stderr);
	}
	if (!volumes && !i)
		fprintf(stderr, "  nobody uses it now\n");
	json_decref(j);
	return 0;
}

static int show_loss(struct cli *c, const struct kvault_address *a)
{
	char path[KVAULT_PATH_MAX], what[256];
	unsigned int n = 0;
	int r;

	cli_key_path(a, "/versions", path, sizeof(path));
	snprintf(what, sizeof(what), "list the versions of %s/%s", a->vault, a->name);
	r = cli_list(c, path, what, count, &n);
	if (r)
		return r;
	fprintf(stderr, "%s %s/%s, %u version%s:\n", noun(c), a->vault, a->name, n,
		n == 1 ? "" : "s");
	if (!cli_is_secret(c))
		return show_users(c, a);
	fprintf(stderr, "  who gets it from the vault is refused from now on\n");
	return 0;
}

static int tell_deleted(struct cli *c, const struct kvault_address *a, const json_t *j)
{
	char until[CLI_TIME_SIZE];
	int r;

	if (!cli_for_people(c, j, &r))
		return r;
	cli_time_format(cli_int(j, "scheduledPurgeDate"), until);
	cli_note(c, "%s/%s is deleted; 'kvault %s recover' brings it back until %s", a->vault,
		 a->name, noun(c), until);
	return 0;
}

int cli_object_delete(struct cli *c)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { KVAULT_METHOD_DELETE, path, NULL, NULL, what };
	struct kvault_address a;
	json_t *j = NULL;
	int r;

	r = whole(c, "delete", &a, what);
	if (r)
		return r;
	cli_key_path(&a, "", path, sizeof(path));
	if (cli_dry_run(c, &call))
		return CLI_DONE;
	r = cli_askable(c);
	if (!r && !cli_has(c, OPT_YES))
		r = show_loss(c, &a);
	if (!r)
		r = cli_confirm(c, "Delete it? It can be recovered until it is purged.");
	if (!r)
		r = cli_call(c, &call, &j);
	if (!r)
		r = tell_deleted(c, &a, j);
	json_decref(j);
	return r;
}

int cli_object_recover(struct cli *c)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { KVAULT_METHOD_POST, path, NULL, NULL, what };
	struct kvault_address a;
	json_t *j = NULL;
	int r;

	r = whole(c, "recover", &a, what);
	if (r)
		return r;
	deleted_path(&a, "/recover", path, sizeof(path));
	if (cli_dry_run(c, &call))
		return CLI_DONE;
	r = cli_call(c, &call, &j);
	if (!r && cli_for_people(c, j, &r))
		cli_note(c, "%s/%s is back", a.vault, a.name);
	json_decref(j);
	return r;
}

static int show_deleted(struct cli *c, const struct kvault_address *a)
{
	char path[KVAULT_PATH_MAX], what[256], since[CLI_TIME_SIZE];
	json_t *j = NULL;
	int r;

	deleted_path(a, "", path, sizeof(path));
	snprintf(what, sizeof(what), "show the deleted %s %s/%s", noun(c), a->vault, a->name);
	r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, path, NULL, NULL, what }, &j);
	if (r)
		return r;
	cli_time_format(cli_int(j, "deletedDate"), since);
	fprintf(stderr, "%s %s/%s, deleted %s:\n  all its versions are destroyed, and nothing "
		"brings them back; what only it opens is lost\n", noun(c), a->vault, a->name,
		since);
	json_decref(j);
	return 0;
}

int cli_object_purge(struct cli *c)
{
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { KVAULT_METHOD_DELETE, path, NULL, NULL, what };
	struct kvault_address a;
	json_t *j = NULL;
	int r;

	r = whole(c, "purge", &a, what);
	if (r)
		return r;
	deleted_path(&a, "", path, sizeof(path));
	if (cli_dry_run(c, &call))
		return CLI_DONE;
	r = cli_askable(c);
	if (!r && !cli_has(c, OPT_YES))
		r = show_deleted(c, &a);
	if (!r)
		r = cli_confirm_name(c, a.name);
	if (!r)
		r = cli_call(c, &call, &j);
	if (!r && cli_for_people(c, j, &r))
		cli_note(c, "%s/%s is destroyed", a.vault, a.name);
	json_decref(j);
	return r;
}

static void print_users(const json_t *j)
{
	static const char *const columns[] = { "VERSION", "UID", "PROCESS", "UNIT", "EXECUTABLE",
					       "SINCE" };
	struct cli_table *t = cli_table_new(columns, ARRAY_SIZE(columns));
	char uid[24], pid[24], since[CLI_TIME_SIZE];
	json_t *lease, *v;
	size_t i;

	json_array_foreach(json_object_get(j, "leases"), i, lease) {
		snprintf(uid, sizeof(uid), "%lld", (long long)cli_int(lease, "principal.uid"));
		snprintf(pid, sizeof(pid), "%lld", (long long)cli_int(lease, "principal.pid"));
		cli_time_format(cli_int(lease, "since"), since);
		cli_table_row(t, (const char *[]){ cli_str(lease, "version"), uid, pid,
			      cli_str(lease, "principal.unit"), cli_str(lease, "principal.exe"),
			      since });
	}
	cli_table_print(t);
	printf("%-12s%lld\n", "volumes", (long long)cli_int(j, "volumes"));
	json_array_foreach(json_object_get(j, "versions"), i, v) {
		cli_time_format(cli_int(v, "lastUsed"), since);
		printf("%-12s%s, version %s\n", "last used", since, cli_str(v, "version"));
	}
}

int cli_key_users(struct cli *c)
{
	struct kvault_address a;
	json_t *j = NULL;
	char what[256];
	int r;

	r = whole(c, "see who uses", &a, what);
	if (!r)
		r = get_users(c, &a, &j);
	if (!r && cli_for_people(c, j, &r))
		print_users(j);
	json_decref(j);
	return r;
}
