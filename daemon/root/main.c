// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvault-root: the root key of the store, between its slots and the kernel. It
 * runs, hands over, and ends; no process that stays ever has the key.
 */
#include "root/verbs.h"

#include "util/log.h"

static const struct verb {
	const char *name;
	int (*run)(struct kvr_secret *secret);
} verbs[] = {
	{ "init", kvr_verb_init },
	{ "load", kvr_verb_load },
	{ "explain", kvr_verb_explain },
	{ "recover", kvr_verb_recover },
};

static int usage(FILE *to, int status)
{
	fputs("usage: kvault-root init|load|explain|recover\n"
	      "  init     make the root key of a new store, for this machine (root)\n"
	      "  load     hand it to the kernel (kvault-root.service)\n"
	      "  explain  say why kvault-root.service failed (kvault-root-explain.service)\n"
	      "  recover  by a recovery code from a prompt or standard input, make it this\n"
	      "           machine's and hand it to the kernel (root)\n", to);
	return status;
}

int main(int argc, char **argv)
{
	struct kvr_secret *secret;
	int r = KVR_EXIT_USAGE;

	kvd_log_init("kvault-root", KVD_LOG_AUTO);
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, 0);
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return puts("kvault-root " KVAULT_VERSION) < 0;
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		secret = kvr_secret_new();
		if (!secret) {
			kvd_log(LOG_ERR, "No memory can be locked: raise LimitMEMLOCK=");
			return KVR_EXIT_FAILED;
		}
		r = verbs[i].run(secret);
		kvr_secret_free(secret);
		return r;
	}
	return usage(stderr, r);
}
