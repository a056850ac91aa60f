// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvault(1) and a daemon that answers as it likes: all commands that read
 * answers, among them 'audit verify'. The input is a command line, and the
 * bodies of the answers, one a line, given in turn.
 * pkgs: jansson libcrypto smartcols
 * options: -close_fd_mask=3
 */
#include <getopt.h>
#include "fuzz.h"
#include "../../tools/kvault/cli.h"
#include "../../tools/lib/internal.h"

static char *answers;		/* what is left of them */
static unsigned int calls;

/* In place of the device. */
int kvault_control(struct kvault *kv, enum kvault_method method, const char *path,
		   const char *body, const void *secret, size_t secret_len,
		   struct kvault_reply *ret)
{
	struct kvault_reply reply = { .status = 200 };
	char *line = answers ? strsep(&answers, "\n") : NULL;
	json_t *j;

	(void)kv;
	(void)secret;
	MUST(method && method <= KVAULT_METHOD_DELETE && strlen(path) <= KVAULT_PATH_MAX);
	MUST(!secret_len || secret);
	if (body) {
		j = json_loads(body, 0, NULL);
		MUST(j);
		json_decref(j);
	}
	if (++calls > 20 || !line)
		return -EHOSTDOWN;
	if (*line >= '3' && *line <= '5')
		reply.status = (uint32_t)(*line++ - '0') * 100 + 4;
	reply.body = strdup(line);
	MUST(reply.body);
	reply.body_len = strlen(line);
	*ret = reply;
	return 0;
}

void kvault_reply_done(struct kvault_reply *reply)
{
	free(reply->body);
	memset(reply, 0, sizeof(*reply));
}

/* Those that ask the daemon and no one else, and do not write files. */
static bool is_reading(const struct cli_verb *v)
{
	return v->fn == cli_status || v->fn == cli_whoami || v->fn == cli_vault_list ||
	       v->fn == cli_vault_show || v->fn == cli_object_list || v->fn == cli_key_show ||
	       v->fn == cli_object_versions || v->fn == cli_key_public || v->fn == cli_role_list ||
	       v->fn == cli_audit_show || v->fn == cli_audit_verify ||
	       v->fn == cli_audit_export || v->fn == cli_root_status ||
	       v->fn == cli_root_slot_list || v->fn == cli_key_create ||
	       v->fn == cli_vault_create || v->fn == cli_key_update ||
	       v->fn == cli_role_assign || v->fn == cli_volume_token;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text, *line, *word;
	static struct kvault device = { .fd = -1 };
	char *argv[20] = { "kvault" };
	struct cli c = { 0 };
	int argc = 1, used = 0;

	line = strsep(&rest, "\n");
	while ((word = strsep(&line, " ")) && argc < 19)
		argv[argc++] = word;
	argv[argc] = NULL;
	answers = rest;
	calls = 0;
	optind = 0;
	c.kv = &device;
	c.verb = cli_verb_find(argc - 1, argv + 1, &used);
	if (c.verb && !cli_parse(&c, argc - used, argv + used) && !cli_has(&c, OPT_HELP) &&
	    is_reading(c.verb) && !cli_has(&c, OPT_OUT) && !cli_has(&c, OPT_FOLLOW) &&
	    !cli_has(&c, OPT_IN))
		c.verb->fn(&c);
	free(text);
	return 0;
}
