// SPDX-License-Identifier: GPL-2.0-only
/* kvault-engine: options, and which of its two lives this process has. */
#include <getopt.h>
#include <sys/prctl.h>

#include "engine/loop.h"
#include "engine/parent.h"
#include "engine/process.h"
#include "util/log.h"

#define WORKERS_MAX	64

static const struct kve_backend *const backends[] = { &kve_openssl, &kve_pkcs11 };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "max-workers", required_argument, NULL, 'm' },
	{ "worker", required_argument, NULL, 'w' },	/* by the parent */
	{ "parent", required_argument, NULL, 'p' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	struct kve_parent_options parent;
	int worker_fd;		/* -1: this is the parent */
	int parent_pid;
};

static int usage(FILE *to, int status)
{
	fputs("usage: kvault-engine openssl|pkcs11 [--config FILE] [--max-workers N]\n", to);
	return status;
}

static int number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *text && !*end && n > 0 && n <= max ? (int)n : -1;
}

static const struct kve_backend *find_backend(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	return NULL;
}

/* Returns 0 to go on, or an exit status behind a 1 << 8. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c, n = 0;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0 && n >= 0) {
		switch (c) {
		case 'c':
			a->parent.config = optarg;
			break;
		case 'm':
			n = number(optarg, 4096);
			a->parent.workers_max = (unsigned int)n;
			break;
		case 'w':
			a->worker_fd = n = number(optarg, 1 << 20);
			break;
		case 'p':
			a->parent_pid = n = number(optarg, 1 << 30);
			break;
		case 'V':
			puts("kvault-engine " KVAULT_VERSION);
			return 1 << 8;
		case 'h':
			return 1 << 8 | usage(stdout, 0);
		default:
			n = -1;
		}
	}
	a->parent.backend = n >= 0 && optind + 1 == argc ? find_backend(argv[optind]) : NULL;
	return a->parent.backend ? 0 : 1 << 8 | usage(stderr, KVE_EXIT_CONFIG);
}

static int run_worker(const struct arguments *a)
{
	int r;

	prctl(PR_SET_NAME, "kvault-engine");	/* it was started as /proc/self/exe */
	/* Soon there is no socket to the journal any more. */
	kvd_log_init("kvault-engine", kvd_log_is_journal() ? KVD_LOG_STREAM : KVD_LOG_STDERR);
	r = kve_process_follow(a->parent_pid);
	if (r == 0)
		r = kve_process_init();
	if (r < 0) {
		kvd_log(LOG_ERR, "A worker cannot protect its memory: %s", strerror(-r));
		return KVE_EXIT_FAILED;
	}
	return kve_loop_run(a->parent.backend, a->parent.config, a->worker_fd);
}

int main(int argc, char **argv)
{
	struct arguments a = { .parent.workers_max = WORKERS_MAX, .worker_fd = -1 };
	int r;

	/*
	 * A worker that was taken over shall not write into the parent, which starts
	 * the next ones. The program's file is not readable, so that the kernel did
	 * this already; here it does not depend on how it was installed.
	 */
	if (kve_process_hide() < 0)
		return KVE_EXIT_FAILED;
	r = parse(argc, argv, &a);
	if (r)
		return r & 0xff;
	if (a.worker_fd >= 0)
		return run_worker(&a);
	kvd_log_init("kvault-engine", KVD_LOG_AUTO);
	return kve_parent_run(&a.parent);
}
