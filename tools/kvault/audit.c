// SPDX-License-Identifier: GPL-2.0-only
/* audit show and export: the caller's tenant's log, page by page. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

#define PAGE		1000
#define FOLLOW_S	1

int cli_audit_each(struct cli *c, int64_t after,
		   int (*fn)(struct cli *c, json_t *record, void *data), void *data)
{
	json_t *page = NULL, *next, *v;
	char path[96];
	int r = 0;
	size_t i;

	do {
		snprintf(path, sizeof(path), "/audit?after=%lld&limit=%d", (long long)after, PAGE);
		r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, path, NULL, NULL,
						    "read the log" }, &page);
		if (r)
			return r;
		json_array_foreach(json_object_get(page, "value"), i, v) {
			r = fn(c, v, data);
			if (r)
				break;
		}
		next = json_object_get(page, "next");
		/* A page that does not get on would be asked for for ever. */
		if (json_is_integer(next) && json_integer_value(next) > after)
			after = json_integer_value(next);
		else
			after = -1;
		json_decref(page);
	} while (!r && after >= 0);
	return r;
}

struct show {
	int64_t since, until, login, last;
	const char *op;
	char key[KVAULT_PATH_MAX], principal[320];
	size_t count;
	json_t *list;
};

/* "payroll/keys/signing/VERSION" is of payroll/keys/signing and of that version. */
static bool is_of_key(const struct show *s, const json_t *v)
{
	const char *object = cli_str(v, "object");
	size_t len = strlen(s->key);

	return object && !strncasecmp(object, s->key, len) && (!object[len] || object[len] == '/');
}

static bool is_of_principal(const struct show *s, const json_t *v)
{
	const json_t *p = json_object_get(v, "principal");
	const char *text = s->principal, *value;

	if (!strncmp(text, "uid:", 4) || !strncmp(text, "gid:", 4)) {
		char name[4] = { text[0], text[1], text[2], 0 };

		return p && json_object_get(p, name) &&
		       cli_int(p, name) == (long long)strtoul(text + 4, NULL, 10);
	}
	value = cli_str(p, !strncmp(text, "exe:", 4) ? "exe" : "unit");
	return value && !strcmp(value, strchr(text, ':') + 1);
}

static bool is_wanted(const struct cli *c, const struct show *s, const json_t *v)
{
	int64_t t = cli_time_rfc3339(cli_str(v, "time"));
	const char *op = cli_str(v, "operationName"), *result = cli_str(v, "resultType");
	const json_t *who = json_object_get(v, "principal");

	if ((s->since && t < s->since) || (s->until && t >= s->until))
		return false;
	if (s->op && (!op || strcasecmp(op, s->op)))
		return false;
	if (cli_has(c, OPT_DENIED) && (!result || strcmp(result, "Denied")))
		return false;
	if (cli_has(c, OPT_LOGIN) && (!json_object_get(who, "loginUid") ||
				      cli_int(who, "loginUid") != s->login))
		return false;
	if (s->principal[0] && !is_of_principal(s, v))
		return false;
	return !s->key[0] || is_of_key(s, v);
}

static int keep(struct cli *c, json_t *v, void *data)
{
	struct show *s = data;

	s->last = cli_int(v, "seq");
	if (!is_wanted(c, s, v))
		return 0;
	if (s->count && json_array_size(s->list) >= s->count)
		json_array_remove(s->list, 0);
	return json_array_append(s->list, v) ? CLI_INTERNAL : 0;
}

static int parse_principal(const struct cli *c, struct show *s)
{
	static const char digits[] = "0123456789";
	const char *text = cli_value(c, OPT_PRINCIPAL);
	const struct passwd *pw;

	if (!text)
		return 0;
	if (!strncmp(text, "user:", 5)) {
		pw = getpwnam(text + 5);
		if (!pw)
			return cli_usage(c, "there is no user '%.100s'", text + 5);
		snprintf(s->principal, sizeof(s->principal), "uid:%lu", (unsigned long)pw->pw_uid);
		return 0;
	}
	if (strncmp(text, "uid:", 4) && strncmp(text, "gid:", 4) && strncmp(text, "unit:", 5) &&
	    strncmp(text, "exe:", 4))
		return cli_usage(c, "--principal takes uid:N, user:NAME, gid:N, unit:NAME or "
				 "exe:PATH, not '%.100s'", text);
	if (!strncmp(text + 1, "id:", 3) && (!text[4] || text[4 + strspn(text + 4, digits)]))
		return cli_usage(c, "--principal %.4s takes a number, not '%.100s'", text,
				 text + 4);
	snprintf(s->principal, sizeof(s->principal), "%s", text);
	return 0;
}

static int parse_time(const struct cli *c, enum cli_opt opt, int64_t *ret)
{
	const char *text = cli_value(c, opt);

	if (text && cli_time_parse(text, (int64_t)time(NULL), ret))
		return cli_usage(c, "--%s takes RFC 3339, Unix seconds or -2h, not '%.60s'",
				 cli_options[opt].name, text);
	return 0;
}

static int parse(struct cli *c, struct show *s)
{
	unsigned long n = 0, login = 0;
	struct kvault_address a;
	const char *why;
	int r;

	r = cli_number(c, OPT_COUNT, 1, 1000000, &n);
	if (!r)
		r = cli_number(c, OPT_LOGIN, 0, UINT32_MAX, &login);
	if (!r)
		r = parse_time(c, OPT_SINCE, &s->since);
	if (!r)
		r = parse_time(c, OPT_UNTIL, &s->until);
	if (!r)
		r = parse_principal(c, s);
	if (r)
		return r;
	s->count = n;
	s->login = (int64_t)login;
	s->op = cli_value(c, OPT_OP);
	if (!cli_has(c, OPT_KEY))
		return 0;
	if (kvault_address_parse(cli_value(c, OPT_KEY), &a, &why) &&
	    kvault_address_parse_as(KVAULT_OBJECT_SECRET, cli_value(c, OPT_KEY), &a, NULL))
		return cli_usage(c, "'%.200s' is not the address of a key: %s",
				 cli_value(c, OPT_KEY), why);
	kvault_address_format(&a, s->key, sizeof(s->key));
	return 0;
}

static const char *base(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

/* An address without its version: people look for the key. */
static void cell_object(const json_t *v, char *out, size_t size)
{
	const char *object = cli_str(v, "object");
	struct kvault_address a;

	if (object && strchr(object, '/') && !kvault_address_parse(object, &a, NULL))
		snprintf(out, size, "%s/%s", a.vault, a.name);
	else if (object && !kvault_address_parse_as(KVAULT_OBJECT_SECRET, object, &a, NULL))
		snprintf(out, size, "%s/secrets/%s", a.vault, a.name);
	else
		snprintf(out, size, "%s", object ? object : "-");
}

static void add_row(struct cli_table *t, const json_t *v)
{
	const json_t *p = json_object_get(v, "principal");
	const char *result = cli_str(v, "resultType"), *why = cli_str(v, "resultSignature");
	char seq[24], when[CLI_TIME_SIZE], object[320], outcome[96];
	char count[24] = "", uid[24] = "", login[24] = "";

	snprintf(seq, sizeof(seq), "%lld", (long long)cli_int(v, "seq"));
	cli_time_format(cli_time_rfc3339(cli_str(v, "time")), when);
	cell_object(v, object, sizeof(object));
	if (cli_int(v, "count") > 1)
		snprintf(count, sizeof(count), "%lld x ", (long long)cli_int(v, "count"));
	if (p)
		snprintf(uid, sizeof(uid), "%lld", (long long)cli_int(p, "uid"));
	if (json_object_get(p, "loginUid"))
		snprintf(login, sizeof(login), "%lld", (long long)cli_int(p, "loginUid"));
	result = result ? result : "?";
	if (!strcmp(result, "Success") || !why)
		why = "";
	snprintf(outcome, sizeof(outcome), "%s%s%s%s", count, result, *why ? " " : "", why);
	cli_table_row(t, (const char *[]){ seq, when, cli_str(v, "operationName"), object, outcome,
					   uid, login, cli_str(p, "unit"),
					   base(cli_str(p, "exe")) });
}

static void print(const struct cli *c, const json_t *list)
{
	static const char *const columns[] = { "SEQ", "TIME", "OPERATION", "OBJECT", "RESULT",
					       "UID", "LOGIN", "UNIT", "EXECUTABLE" };
	struct cli_table *t = NULL;
	json_t *v;
	size_t i;

	if (!cli_has(c, OPT_JSON))
		t = cli_table_new(columns, ARRAY_SIZE(columns));
	json_array_foreach(list, i, v) {
		char *text = t ? NULL : json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);

		if (t)
			add_row(t, v);
		else
			puts(text ? text : "");
		free(text);
	}
	cli_table_print(t);
	fflush(stdout);
}

static int follow(struct cli *c, struct show *s)
{
	int r;

	s->count = 0;
	for (;;) {
		print(c, s->list);
		json_array_clear(s->list);
		sleep(FOLLOW_S);
		r = cli_audit_each(c, s->last, keep, s);
		if (r)
			return r;
	}
}

int cli_audit_show(struct cli *c)
{
	struct show s = { .list = json_array() };
	json_t *all = NULL;
	int r;

	r = parse(c, &s);
	if (!r)
		r = cli_audit_each(c, 0, keep, &s);
	if (!r && cli_has(c, OPT_FOLLOW)) {
		r = follow(c, &s);
	} else if (!r) {
		all = json_pack("{s:O}", "value", s.list);
		if (cli_for_people(c, all, &r))
			print(c, s.list);
	}
	json_decref(all);
	json_decref(s.list);
	return r;
}

static int export_one(struct cli *c, json_t *v, void *data)
{
	char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	int r;

	(void)c;
	if (!text)
		return cli_fail(CLI_INTERNAL, "out of memory");
	r = cli_put(data, text, strlen(text));
	free(text);
	return r ? r : cli_put(data, "\n", 1);
}

/* The first line says what the rest is checked with. */
static int export_head(struct cli *c, struct cli_file *f)
{
	json_t *status = NULL, *who = NULL, *key = NULL, *head = NULL;
	int r;

	r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/status", NULL, NULL,
					    "ask how long the log is" }, &status);
	if (!r)
		r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/whoami", NULL, NULL,
						    "ask whose log it is" }, &who);
	if (!r && cli_str(who, "kind") && !strcmp(cli_str(who, "kind"), "host"))
		r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/audit/key", NULL, NULL,
						    "get the key of the log's checkpoints" }, &key);
	if (!r) {
		head = json_pack("{s:i, s:O*, s:O*, s:O?}", "kvaultAuditExport", 1, "tenant",
				 json_object_get(who, "tenant"), "audit",
				 json_object_get(status, "audit"), "key", key);
		r = head ? export_one(c, head, f) : cli_fail(CLI_INTERNAL, "out of memory");
	}
	json_decref(status);
	json_decref(who);
	json_decref(key);
	json_decref(head);
	return r;
}

int cli_audit_export(struct cli *c)
{
	struct cli_file f;
	int r;

	r = cli_open(c);
	if (!r)
		r = cli_out(cli_value(c, OPT_OUT), CLI_SECRET | CLI_TEXT, &f);
	if (r)
		return r;
	r = export_head(c, &f);
	if (!r)
		r = cli_audit_each(c, 0, export_one, &f);
	if (!r)
		return cli_out_commit(&f);
	cli_out_abort(&f);
	return r;
}
