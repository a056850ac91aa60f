// SPDX-License-Identifier: GPL-2.0-only
/* root status, root slot list, root recovery create. */
#include <sys/random.h>
#include <unistd.h>

#include "cli.h"

static int get(struct cli *c, json_t **ret)
{
	return cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/root", NULL, NULL,
					       "look at the root key" }, ret);
}

static void print_slots(const struct cli *c, const json_t *slots)
{
	static const char *const columns[] = { "SLOT", "PROVIDER", "CREATED" };
	struct cli_table *t = cli_table_new(columns, ARRAY_SIZE(columns));
	char created[CLI_TIME_SIZE];
	const json_t *v;
	size_t i;

	for (i = 0; i < json_array_size(slots); i++) {
		v = json_array_get(slots, i);
		cli_time_format(cli_int(v, "created"), created);
		if (cli_has(c, OPT_QUIET))
			puts(cli_str(v, "id"));
		else
			cli_table_row(t, (const char *[]){ cli_str(v, "id"), cli_str(v, "provider"),
							   created });
	}
	cli_table_print(t);
}

int cli_root_slot_list(struct cli *c)
{
	json_t *j = NULL;
	int r;

	r = get(c, &j);
	if (!r && cli_for_people(c, j, &r))
		print_slots(c, json_object_get(j, "slots"));
	json_decref(j);
	return r;
}

int cli_root_status(struct cli *c)
{
	json_t *j = NULL;
	int r;

	r = get(c, &j);
	if (!r && cli_for_people(c, j, &r)) {
		printf("%-12s%s\n", "root key", json_is_true(json_object_get(j, "loaded")) ?
		       "loaded" : "not loaded; see 'systemctl status kvault-root'");
		printf("%-12s%s\n", "recovery", json_is_true(json_object_get(j, "recovery")) ?
		       "there is a code" : "none: lose this machine and lose every key; "
		       "see 'kvault root recovery create'");
		print_slots(c, json_object_get(j, "slots"));
	}
	json_decref(j);
	return r;
}

static void explain(void)
{
	fputs("\n"
	      "Whoever has this code and this machine's /var/lib/kvault has every key.\n"
	      "It is shown once. Write it on paper, read it back, and keep it away from\n"
	      "the machine and its backups. To open the store on another machine:\n"
	      "  /usr/libexec/kvault/kvault-root recover\n", stderr);
}

static int create(struct cli *c, struct kvault_secret *code)
{
	char text[KVAULT_RECOVERY_TEXT], id[2 * KVAULT_ID_SIZE + 1];
	struct cli_call call = { KVAULT_METHOD_POST, "/root/recovery", NULL, code,
				 "make a recovery code" };
	uint8_t slot[KVAULT_ID_SIZE];
	json_t *body, *j = NULL;
	int r;

	if (getrandom(code->data, KVAULT_RECOVERY_SIZE, 0) != KVAULT_RECOVERY_SIZE ||
	    getrandom(slot, sizeof(slot), 0) != sizeof(slot))
		return cli_fail(CLI_INTERNAL, "there are no random bytes: %m");
	code->len = KVAULT_RECOVERY_SIZE;
	kvault_hex_encode(id, slot, sizeof(slot));
	body = json_pack("{s:s}", "slot", id);
	call.body = body;
	if (cli_dry_run(c, &call)) {
		json_decref(body);
		return CLI_DONE;
	}
	r = cli_call(c, &call, &j);
	json_decref(body);
	if (r)
		return r;
	kvault_recovery_format(code->data, text);
	if (cli_has(c, OPT_JSON) || cli_has(c, OPT_FIELD))
		json_object_set_new(j, "code", json_string(text));
	if (cli_for_people(c, j, &r))
		puts(text);
	fflush(stdout);
	if (!cli_has(c, OPT_QUIET) && !cli_has(c, OPT_JSON) && !cli_has(c, OPT_FIELD))
		explain();
	explicit_bzero(text, sizeof(text));
	json_decref(j);
	return r;
}

int cli_root_recovery_create(struct cli *c)
{
	struct kvault_secret code;
	int r;

	r = cli_confirm(c, "A code that opens every key of this host will be shown here, once. "
			"Go on?");
	if (r)
		return r;
	if (kvault_secret_new(KVAULT_RECOVERY_SIZE, &code))
		return cli_fail(CLI_INTERNAL, "out of memory");
	r = create(c, &code);
	kvault_secret_done(&code);
	return r;
}
