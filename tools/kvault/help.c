// SPDX-License-Identifier: GPL-2.0-only
/* Help, completion and the manual's synopsis, all of the table of verbs. */
#include "cli.h"

static const char *space(const char *text)
{
	return text[0] ? " " : "";
}

static void print_verbs(const char *noun, FILE *f)
{
	const struct cli_verb *v;
	char line[128];

	for (v = cli_verbs; v->noun; v++) {
		size_t len = noun ? strlen(noun) : 0;

		if (noun && (strncmp(v->noun, noun, len) || (v->noun[len] && v->noun[len] != ' ')))
			continue;
		snprintf(line, sizeof(line), "%s%s%s%s%s", v->noun, space(v->verb), v->verb,
			 space(v->args), v->args);
		fprintf(f, "  %-28s %s\n", line, v->summary);
	}
}

static bool is_noun(const char *noun)
{
	const struct cli_verb *v;
	size_t len = strlen(noun);

	for (v = cli_verbs; v->noun; v++)
		if (!strncmp(v->noun, noun, len) && (!v->noun[len] || v->noun[len] == ' '))
			return true;
	return false;
}

void cli_help(int argc, char **argv, FILE *f)
{
	const char *noun = argc > 0 && is_noun(argv[0]) ? argv[0] : NULL;

	fprintf(f, "usage: kvault %s [OPTION]...\n", noun ? noun : "NOUN VERB [ADDRESS]");
	if (!noun)
		fprintf(f, "Keys that anything on this host can use and nobody can see.\n");
	fprintf(f, "\n");
	print_verbs(noun, f);
	fprintf(f, "\nADDRESS is VAULT/NAME[/VERSION], VAULT/keys/NAME[/VERSION] or a kid.\n"
		"'kvault NOUN VERB --help' says more; so does kvault(1).\n");
}

static void print_options(uint64_t opts, FILE *f)
{
	size_t i;

	for (i = 0; i < OPT_MAX; i++) {
		const struct cli_option *o = &cli_options[i];
		char line[64], letter[8] = "    ";

		if (!(opts & OPT_BIT(i)))
			continue;
		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(line, sizeof(line), "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		fprintf(f, "  %-28s %s%s\n", line, o->help, o->is_repeated ? " (repeated)" : "");
	}
}

void cli_help_verb(const struct cli_verb *v, FILE *f)
{
	fprintf(f, "usage: kvault %s%s%s%s%s [OPTION]...\n%s\n\n", v->noun, space(v->verb), v->verb,
		space(v->args), v->args, v->summary);
	print_options(v->opts, f);
	if (v->opts)
		fprintf(f, "\n");
	print_options(OPTS_COMMON, f);
	if (v->opts & (OPT_BIT(OPT_EXPIRES) | OPT_BIT(OPT_SINCE)))
		fprintf(f, "\nTIME is RFC 3339, Unix seconds, +90d, -2h or never.\n");
}

int cli_version(struct cli *c)
{
	printf("kvault %s, ABI %d to %d\n", KVAULT_VERSION, KVAULT_ABI_MIN, KVAULT_ABI);
	(void)c;
	return CLI_DONE;
}

static void print_words(uint64_t opts)
{
	size_t i;

	for (i = 0; i < OPT_MAX; i++)
		if (opts & OPT_BIT(i))
			printf(" --%s", cli_options[i].name);
}

static void complete_verb(const struct cli_verb *v)
{
	printf("\t'%s%s%s')\n\t\twords='", v->noun, space(v->verb), v->verb);
	print_words(v->opts | OPTS_COMMON);
	printf("'\n");
	if (!strcmp(v->args, "ADDRESS"))
		printf("\t\t[[ $cur == -* ]] || words=$(kvault %s list --quiet 2>/dev/null)\n",
		       strcmp(v->noun, "secret") ? "key" : "secret");
	else if (!strcmp(v->args, "DELETED"))
		printf("\t\t[[ $cur == -* ]] || words=$(kvault %s deleted --quiet 2>/dev/null)\n",
		       v->noun);
	else if (!strcmp(v->args, "VAULT") || !strcmp(v->args, "[VAULT]"))
		printf("\t\t[[ $cur == -* ]] || words=$(kvault vault list --quiet 2>/dev/null)\n");
	else if (!strcmp(v->args, "ROLE"))
		printf("\t\t[[ $cur == -* ]] || words='administrator crypto-officer crypto-user "
		       "reader secrets-officer secrets-user'\n");
	printf("\t\t;;\n");
}

/* The words of a command line come one after the other; then options and addresses. */
static void complete_start(void)
{
	static const char *const starts[] = { "", "vault", "key", "key rotation-policy", "secret",
					      "volume", "role", "audit", "root", "root slot",
					      "root recovery" };
	const struct cli_verb *v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		size_t len = strlen(starts[i]);
		char seen[64] = "";

		printf("\t'%s')\n\t\twords='", starts[i]);
		for (v = cli_verbs; v->noun; v++) {
			char all[64], *word = all;

			snprintf(all, sizeof(all), "%s%s%s", v->noun, space(v->verb), v->verb);
			if (strncmp(all, starts[i], len) || (len && all[len] != ' '))
				continue;
			word += len + !!len;
			word[strcspn(word, " ")] = '\0';
			if (strcmp(seen, word))
				printf("%s ", word);
			snprintf(seen, sizeof(seen), "%s", word);
		}
		printf("'\n\t\t;;\n");
	}
}

int cli_completion(struct cli *c)
{
	const struct cli_verb *v;

	if (strcmp(c->args[0], "bash"))
		return cli_usage(c, "there is completion for bash only");
	printf("# SPDX-License-Identifier: GPL-2.0-only\n"
	       "# Made by 'kvault completion bash'.\n"
	       "_kvault() {\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	       "\tlocal i command='' words=''\n"
	       "\tCOMPREPLY=()\n"
	       "\tcase $prev in\n"
	       "\t--in | --out | --sig | --iv | --aad | -i | -o)\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	       "\t\treturn\n"
	       "\t\t;;\n"
	       "\tesac\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase \"${command:+$command }${COMP_WORDS[i]}\" in\n");
	for (v = cli_verbs; v->noun; v++) {
		char noun[32];
		size_t len = strcspn(v->noun, " ");

		printf("\t\t'%.*s'%s", (int)len, v->noun, v->verb[0] || v->noun[len] ? " | " : "");
		snprintf(noun, sizeof(noun), "%s", v->noun);
		if (v->noun[len])
			printf("'%s' | ", noun);
		if (v->verb[0])
			printf("'%s %s'", v->noun, v->verb);
		printf(") ;;\n");
	}
	printf("\t\t*) break ;;\n"
	       "\t\tesac\n"
	       "\t\tcommand=${command:+$command }${COMP_WORDS[i]}\n"
	       "\tdone\n"
	       "\tcase $command in\n");
	complete_start();
	for (v = cli_verbs; v->noun; v++)
		complete_verb(v);
	printf("\tesac\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	       "}\n"
	       "complete -F _kvault kvault\n");
	return CLI_DONE;
}
