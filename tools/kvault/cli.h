/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvault(1). One table of verbs (verbs.c) and one of options (options.c) give
 * parsing, help, completion and the manual's synopsis. A verb is a function
 * that returns the exit status; whoever finds out that something is wrong says
 * so, in one line, and nobody else does.
 */
#ifndef KVAULT_CLI_H
#define KVAULT_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kvault.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

/* Exit statuses; scripts depend on them. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_NO = 1,		/* the answer is no */
	CLI_USAGE = 2,		/* what makes no sense; a confirmation that could not be asked */
	CLI_REFUSED = 3,	/* absent, forbidden, disabled, expired, conflict, quota */
	CLI_UNAVAILABLE = 4,	/* no module, daemon, HSM; time-out */
	CLI_INTERNAL = 5,
};

enum cli_opt {
	/* common */
	OPT_HELP, OPT_JSON, OPT_FIELD, OPT_QUIET, OPT_YES, OPT_DRY_RUN, OPT_TIMEOUT,
	/* files */
	OPT_IN, OPT_OUT, OPT_FORMAT, OPT_SIG, OPT_RAW, OPT_IV, OPT_GCM_TAG, OPT_AAD,
	/* keys */
	OPT_KTY, OPT_SIZE, OPT_CURVE, OPT_OPS, OPT_FOR, OPT_NOT_BEFORE, OPT_EXPIRES,
	OPT_DISABLED, OPT_ENABLED, OPT_EXPORTABLE, OPT_LABEL, OPT_ALG, OPT_DIGEST, OPT_CONTEXT,
	OPT_EXPIRING, OPT_UNUSED_FOR, OPT_FSCRYPT, OPT_DESC, OPT_KEYRING,
	/* vaults */
	OPT_SKU, OPT_RETENTION, OPT_PURGE_PROTECTION,
	/* roles */
	OPT_TO, OPT_SCOPE,
	/* secrets */
	OPT_CONTENT_TYPE, OPT_SECRET, OPT_ENV,
	/* audit */
	OPT_SINCE, OPT_UNTIL, OPT_KEY, OPT_PRINCIPAL, OPT_LOGIN, OPT_OP, OPT_DENIED, OPT_COUNT,
	OPT_FOLLOW,
	/* status */
	OPT_CHECK,
	OPT_MAX
};

#define OPT_BIT(opt)	(1ull << (opt))
#define OPTS_COMMON	(OPT_BIT(OPT_HELP) | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_FIELD) |	\
			 OPT_BIT(OPT_QUIET) | OPT_BIT(OPT_YES) | OPT_BIT(OPT_DRY_RUN) |	\
			 OPT_BIT(OPT_TIMEOUT))

struct cli_option {
	enum cli_opt id;
	const char *name;
	char letter;		/* or 0 */
	const char *arg;	/* what it takes, or NULL */
	const char *help;
	bool is_repeated;
};

struct cli;

struct cli_verb {
	const char *noun;	/* may have two words: "root slot" */
	const char *verb;	/* "" if the noun is all */
	const char *args;	/* "ADDRESS" */
	unsigned int min, max;	/* how many */
	uint64_t opts;		/* beside the common ones */
	const char *summary;
	int (*fn)(struct cli *c);
};

#define CLI_VALUES_MAX	32	/* of an option that is repeated */

struct cli {
	const struct cli_verb *verb;
	unsigned int n_args;
	char **args;
	const char *values[OPT_MAX][CLI_VALUES_MAX];
	unsigned int n_values[OPT_MAX];
	struct kvault *kv;
};

/* verbs.c, options.c, help.c */
extern const struct cli_verb cli_verbs[];
extern const struct cli_option cli_options[OPT_MAX];
const struct cli_verb *cli_verb_find(int argc, char **argv, int *ret_used);
int cli_parse(struct cli *c, int argc, char **argv);
static inline bool cli_has(const struct cli *c, enum cli_opt opt)
{
	return c->n_values[opt];
}

/* Value of an option, or NULL. */
static inline const char *cli_value(const struct cli *c, enum cli_opt opt)
{
	return c->n_values[opt] ? c->values[opt][0] : NULL;
}

/* A whole number of an option that is given; CLI_USAGE when it is none. */
int cli_number(const struct cli *c, enum cli_opt opt, unsigned long min, unsigned long max,
	       unsigned long *ret);
/* --tag NAME=VALUE as an object; NULL: it was said what is wrong. */
json_t *cli_labels(const struct cli *c);
void cli_help(int argc, char **argv, FILE *f);
void cli_help_verb(const struct cli_verb *v, FILE *f);
int cli_completion(struct cli *c);
int cli_version(struct cli *c);

/* say.c: what people and scripts read */
int cli_fail(int status, const char *fmt, ...) _printf_(2, 3);
int cli_usage(const struct cli *c, const char *fmt, ...) _printf_(2, 3);
#ifdef __clang_analyzer__	/* it has to know what comes back; not where they are defined */
#define cli_fail(status, ...) (status)
#define cli_usage(c, ...) CLI_USAGE
#endif
int cli_errno(const struct cli *c, int err, const char *fmt, ...) _printf_(3, 4);
int cli_exit_of(int err);
/* false: --json or --field was asked for, and the JSON is printed, or *status says why not */
bool cli_for_people(const struct cli *c, const json_t *j, int *status);
void cli_note(const struct cli *c, const char *fmt, ...) _printf_(2, 3);
/* Asks; 0 for yes, else the exit status. */
int cli_confirm(const struct cli *c, const char *fmt, ...) _printf_(2, 3);
/* Text from elsewhere, with '?' for what controls a terminal. */
void cli_put_text(FILE *to, const char *text);
/* Whether it can be asked at all; CLI_USAGE. Before anything is shown or done. */
int cli_askable(const struct cli *c);
/* For what cannot be undone: the name is to be typed. */
int cli_confirm_name(const struct cli *c, const char *name);
/* A line from the terminal, without echo; its length or negative errno. */
int cli_prompt(const char *text, char *buf, size_t size);
void cli_progress(const char *what, uint64_t done, uint64_t all);
void cli_progress_end(void);

/* A table: columns, then cells row by row; NULL shows as "-". */
struct cli_table;
struct cli_table *cli_table_new(const char *const *columns, size_t n);
int cli_table_row(struct cli_table *t, const char *const *cells);
void cli_table_print(struct cli_table *t);

const char *cli_str(const json_t *j, const char *name);
int64_t cli_int(const json_t *j, const char *name);
/* Strings of a list, with ", " between; free with free(). */
char *cli_join(const json_t *list);

/* when.c */
#define CLI_TIME_SIZE	32
int cli_time_parse(const char *text, int64_t now, int64_t *ret);
int cli_duration_parse(const char *text, int64_t *ret);
/* Local time, or "-" for 0. */
void cli_time_format(int64_t t, char out[CLI_TIME_SIZE]);
int64_t cli_time_rfc3339(const char *text);

/* call.c: the device */
int cli_open(struct cli *c);
/* What the caller wants, for messages: "create the key payroll/x". */
struct cli_call {
	enum kvault_method method;
	const char *path;
	const json_t *body;
	const struct kvault_secret *secret;
	const char *what;
};
int cli_call(struct cli *c, const struct cli_call *call, json_t **ret);
/* The same, with the value that the answer releases; CLI_INTERNAL if there is none. */
int cli_call_value(struct cli *c, const struct cli_call *call, struct kvault_secret *ret_value,
		   json_t **ret);
/* Calls fn for each element of all pages of a list. */
int cli_list(struct cli *c, const char *path, const char *what,
	     int (*fn)(struct cli *c, json_t *item, void *data), void *data);
/* With --dry-run: says what would be sent, and true. */
bool cli_dry_run(const struct cli *c, const struct cli_call *call);
/* Parses the address in argument n: of a secret if that is the noun, else of a key. */
int cli_address(struct cli *c, unsigned int n, struct kvault_address *ret);
static inline bool cli_is_secret(const struct cli *c)
{
	return !strcmp(c->verb->noun, "secret");
}

static inline bool cli_is_deleted(const struct cli *c)
{
	return !strcmp(c->verb->verb, "deleted");
}

/* "/vaults/V/keys|secrets/K[/VERSION]" and then suffix */
void cli_key_path(const struct kvault_address *a, const char *suffix, char *out, size_t size);
/* Opens a key for one operation. */
int cli_key(struct cli *c, const struct kvault_address *a, uint32_t op, struct kvault_key *ret);
/* The same, and for what: into the log. */
/* To encrypt by CBC: see KVAULT_ALG_A128CBC. */
#define CLI_RIGHTS_CBC	(KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT)

int cli_key_for(struct cli *c, const struct kvault_address *a, uint32_t op,
		const struct kvault_pair *pairs, size_t n, struct kvault_key *ret);
/* "encrypt", "wrap": as messages and roles call an operation. */
const char *cli_action(uint32_t op);
/* --alg, or what fits the key. */
int cli_alg(struct cli *c, const struct kvault_key *key, uint32_t op, uint32_t *ret);

/* file.c */
struct cli_file {
	int fd;
	const char *name;
	char *tmp;		/* what is renamed to name at the end, or NULL */
	int dir;
	bool is_unlinked;	/* made with O_TMPFILE */
};

#define CLI_SECRET	1	/* mode 0600, whatever the umask */
#define CLI_TEXT	2	/* may go to a terminal */

int cli_in(const char *name, int *ret_fd);
int cli_read(const char *name, size_t max, struct kvault_secret *ret);
/* --in, or standard input */
int cli_read_in(const struct cli *c, size_t max, struct kvault_secret *ret);
/* What is written appears under its name at cli_out_commit() and not before. */
int cli_out(const char *name, unsigned int flags, struct cli_file *ret);
int cli_put(const struct cli_file *f, const void *data, size_t len);
int cli_out_commit(struct cli_file *f);
void cli_out_abort(struct cli_file *f);
int cli_write(const char *name, unsigned int flags, const void *data, size_t len);

/* one file per noun */
int cli_status(struct cli *c);
int cli_whoami(struct cli *c);
int cli_vault_create(struct cli *c);
int cli_vault_list(struct cli *c);
int cli_vault_show(struct cli *c);
int cli_key_create(struct cli *c);
int cli_key_import(struct cli *c);
int cli_object_list(struct cli *c);
int cli_key_show(struct cli *c);
int cli_object_versions(struct cli *c);
int cli_key_update(struct cli *c);
int cli_key_public(struct cli *c);
int cli_key_sign(struct cli *c);
int cli_key_verify(struct cli *c);
int cli_key_encrypt(struct cli *c);
int cli_key_decrypt(struct cli *c);
int cli_key_wrap(struct cli *c);
int cli_key_unwrap(struct cli *c);
int cli_key_project(struct cli *c);
int cli_key_rotate(struct cli *c);
int cli_policy_show(struct cli *c);
int cli_policy_set(struct cli *c);
int cli_key_users(struct cli *c);
int cli_object_delete(struct cli *c);
int cli_object_recover(struct cli *c);
int cli_object_purge(struct cli *c);
int cli_volume_token(struct cli *c);
int cli_secret_set(struct cli *c);
int cli_secret_get(struct cli *c);
int cli_secret_show(struct cli *c);
int cli_secret_update(struct cli *c);
int cli_run(struct cli *c);
int cli_random(struct cli *c);
int cli_role_assign(struct cli *c);
int cli_role_unassign(struct cli *c);
int cli_role_list(struct cli *c);
int cli_role_definitions(struct cli *c);
int cli_audit_show(struct cli *c);
int cli_audit_verify(struct cli *c);
int cli_audit_export(struct cli *c);
int cli_audit_accept(struct cli *c);
int cli_root_status(struct cli *c);
int cli_root_slot_list(struct cli *c);
int cli_root_recovery_create(struct cli *c);

/* key.c, for import: kty, key_ops, attributes and tags of the options */
int cli_key_body(struct cli *c, json_t *key, json_t *body, bool is_new);
int cli_key_print(struct cli *c, const json_t *bundle);
/* attributes and tags of the options, into body; and of an answer, for people */
int cli_attributes(struct cli *c, bool is_new, json_t *body);
void cli_print_attributes(const json_t *bundle);

/* secret.c: the value and the bundle; the caller frees both */
int cli_secret_value(struct cli *c, const struct kvault_address *a, struct kvault_secret *ret,
		     json_t **ret_json);

/* audit.c: all records after seq; fn as for cli_list() */
int cli_audit_each(struct cli *c, int64_t after,
		   int (*fn)(struct cli *c, json_t *record, void *data), void *data);

#endif /* KVAULT_CLI_H */
