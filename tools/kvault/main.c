// SPDX-License-Identifier: GPL-2.0-only
/* kvault(1): finds the verb, reads the options, runs it. */
#include <locale.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "cli.h"

/* JSON of a key to import passes through jansson: what it frees is wiped. */
static void wipe_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static bool is_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h") || !strcmp(arg, "help");
}

static int unknown(int argc, char **argv)
{
	if (argc < 2) {
		cli_help(0, NULL, stderr);
		return CLI_USAGE;
	}
	return cli_fail(CLI_USAGE, "there is no command '%s%s%s'; see 'kvault --help'", argv[1],
			argc > 2 && argv[2][0] != '-' ? " " : "",
			argc > 2 && argv[2][0] != '-' ? argv[2] : "");
}

int main(int argc, char **argv)
{
	static struct cli c;
	int used = 0, r;

	setlocale(LC_ALL, "");
	prctl(PR_SET_DUMPABLE, 0);
	json_set_alloc_funcs(malloc, wipe_free);
	c.verb = cli_verb_find(argc - 1, argv + 1, &used);
	if (!c.verb) {
		if (argc < 2 || !is_help(argv[argc - 1]))
			return unknown(argc, argv);
		cli_help(argc - 2, argv + 1, stdout);
		return CLI_DONE;
	}
	r = cli_parse(&c, argc - used, argv + used);
	if (!r && cli_has(&c, OPT_HELP))
		cli_help_verb(c.verb, stdout);
	else if (!r)
		r = c.verb->fn(&c);
	kvault_close(c.kv);
	if (fflush(stdout) || ferror(stdout))
		return r ? r : cli_fail(CLI_INTERNAL, "the output could not be written: %m");
	return r;
}
