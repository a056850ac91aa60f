// SPDX-License-Identifier: GPL-2.0-only
/* kvaultd: what exists, who may do what, what is recorded and stored. */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "manager.h"
#include "root/files.h"
#include "util/log.h"

static const char help[] =
	"kvaultd - the daemon of kvault\n\n"
	"Started by kvaultd.service. It takes its requests from the kernel module.\n\n"
	"  --device=PATH       control node (/dev/kvault-control)\n"
	"  --state-dir=DIR     store and root slots (/var/lib/kvault)\n"
	"  --runtime-dir=DIR   what ends with this boot (/run/kvault)\n"
	"  --ephemeral-max=MIB memory for ephemeral tenants (64, at most a quarter of /run)\n"
	"  --suffix=NAME       host name's suffix in key identifiers (vault.kvault.internal)\n"
	"  --debug             log more\n"
	"  --help, --version\n";

enum {
	OPT_DEVICE = 256, OPT_STATE, OPT_RUNTIME, OPT_MAX, OPT_SUFFIX, OPT_DEBUG, OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "state-dir", required_argument, NULL, OPT_STATE },
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME },
	{ "ephemeral-max", required_argument, NULL, OPT_MAX },
	{ "suffix", required_argument, NULL, OPT_SUFFIX },
	{ "debug", no_argument, NULL, OPT_DEBUG },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int parse_mib(const char *text, uint64_t *ret)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || *text < '1' || *text > '9' || n > 1024 * 1024) {
		fprintf(stderr, "kvaultd: '%s' is no number of MiB\n", text);
		return -EINVAL;
	}
	*ret = (uint64_t)n << 20;
	return 0;
}

/* Returns -1 to go on, else the exit status. */
static int parse(int argc, char **argv, struct kvd_config *config)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case OPT_DEVICE:
			config->device = optarg;
			break;
		case OPT_STATE:
			config->state_dir = optarg;
			break;
		case OPT_RUNTIME:
			config->runtime_dir = optarg;
			break;
		case OPT_MAX:
			if (parse_mib(optarg, &config->ephemeral_max) < 0)
				return 2;
			break;
		case OPT_SUFFIX:
			config->suffix = optarg;
			break;
		case OPT_DEBUG:
			kvd_log_set_level(LOG_DEBUG);
			break;
		case OPT_HELP:
			fputs(help, stdout);
			return EXIT_SUCCESS;
		case OPT_VERSION:
			puts("kvaultd " KVAULT_VERSION);
			return EXIT_SUCCESS;
		default:
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "kvaultd: unexpected argument '%s'; see --help\n", argv[optind]);
	return 2;
}

static int serve(const struct kvd_config *config)
{
	struct kvd_manager *manager = NULL;
	struct sd_event *event = NULL;
	struct kvd_why why = { "" };
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = sd_event_default(&event);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = sd_event_set_watchdog(event, true);
	if (r >= 0)
		r = kvd_manager_new(event, config, &manager, &why);
	if (r < 0) {
		kvd_log(LOG_ERR, "%s", why.text[0] ? why.text : strerror(-r));
		sd_notifyf(0, "STATUS=%s\nERRNO=%d", why.text, -r);
	} else {
		sd_notify(0, "READY=1\nSTATUS=Serving requests of the kernel");
		r = sd_event_loop(event);
		sd_notify(0, "STOPPING=1\nSTATUS=Ending");
	}
	kvd_manager_free(manager);
	sd_event_unref(event);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct kvd_config config = {
		.device = "/dev/kvault-control",
		.state_dir = "/var/lib/kvault",
		.runtime_dir = "/run/kvault",
		.root_mark = KVR_FAILED_MARK,
	};
	int r;

	kvd_log_init("kvaultd", KVD_LOG_AUTO);
	r = parse(argc, argv, &config);
	if (r >= 0)
		return r;
	umask(0077);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return serve(&config);
}
