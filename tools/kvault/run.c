// SPDX-License-Identifier: GPL-2.0-only
/*
 * run: another program with secrets. What it gets is a sealed file in memory
 * for each, open in it and read from there, and in the environment where to
 * find it; with --env the value itself. Nothing of it is on a command line or a
 * disk, and this process becomes the program: nobody stays behind with them.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#ifndef MFD_NOEXEC_SEAL		/* Linux 6.3 */
#define MFD_NOEXEC_SEAL	0x0008U
#endif

#define CANNOT_RUN	126	/* as sh and env have it */
#define NOT_FOUND	127

/* NAME=ADDRESS; the name is a variable's. */
static int parse(struct cli *c, const char *text, char name[128], struct kvault_address *a)
{
	size_t len = strcspn(text, "="), i;
	const char *why;

	for (i = 0; i < len; i++)
		if (!isascii((unsigned char)text[i]) ||
		    !(text[i] == '_' || (i ? isalnum : isalpha)((unsigned char)text[i])))
			break;
	if (!len || i < len || len > 127 || !text[len])
		return cli_usage(c, "--secret takes NAME=ADDRESS, with the name of a variable, "
				 "not '%.100s'", text);
	memcpy(name, text, len);
	name[len] = '\0';
	if (kvault_address_parse_as(KVAULT_OBJECT_SECRET, text + len + 1, a, &why))
		return cli_usage(c, "'%.200s' is not the address of a secret: %s", text + len + 1,
				 why);
	return 0;
}

static int memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

/* A file that the program can read and nobody can change. */
static int make_file(const char *name, const struct kvault_secret *value, int *ret_fd)
{
	struct cli_file f = { .fd = memory_file(name), .name = name, .dir = -1 };
	int r;

	if (f.fd < 0)
		return cli_fail(CLI_INTERNAL, "cannot make a file in memory: %m");
	r = cli_put(&f, value->data, value->len);
	if (!r && (fchmod(f.fd, 0400) || lseek(f.fd, 0, SEEK_SET) ||
		   fcntl(f.fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
			 F_SEAL_WRITE)))
		r = cli_fail(CLI_INTERNAL, "cannot seal a file in memory: %m");
	if (r)
		close(f.fd);
	else
		*ret_fd = f.fd;
	return r;
}

static int hand_file(const char *name, const struct kvault_secret *value)
{
	char path[32];
	int fd = -1, r;

	r = make_file(name, value, &fd);
	if (r)
		return r;
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	/* The only thing that the program gets open beside what it would have had. */
	if (fcntl(fd, F_SETFD, 0) || setenv(name, path, 1))
		return cli_fail(CLI_INTERNAL, "cannot hand %s over: %m", name);
	return 0;
}

static int hand_text(const char *name, const struct kvault_secret *value)
{
	if (memchr(value->data, 0, value->len))
		return cli_fail(CLI_USAGE, "the value for %s has a zero byte, which the "
				"environment cannot hold: run it without --env", name);
	/* read with a byte to spare, which is zero */
	if (setenv(name, (const char *)value->data, 1))
		return cli_fail(CLI_INTERNAL, "cannot hand %s over: %m", name);
	return 0;
}

static int hand_over(struct cli *c, unsigned int i)
{
	struct kvault_secret value = { 0 };
	struct kvault_address a;
	char name[128];
	json_t *j = NULL;
	int r;

	r = parse(c, c->values[OPT_SECRET][i], name, &a);
	if (!r)
		r = cli_secret_value(c, &a, &value, &j);
	if (!r)
		r = cli_has(c, OPT_ENV) ? hand_text(name, &value) : hand_file(name, &value);
	kvault_secret_done(&value);
	json_decref(j);
	return r;
}

int cli_run(struct cli *c)
{
	struct kvault_address a;
	char name[128];
	unsigned int i;
	int r = 0;

	if (!c->n_values[OPT_SECRET])
		return cli_usage(c, "--secret is missing");
	for (i = 0; !r && i < c->n_values[OPT_SECRET]; i++)
		r = parse(c, c->values[OPT_SECRET][i], name, &a);
	if (!r && cli_has(c, OPT_DRY_RUN))
		return cli_usage(c, "--dry-run is not for this");
	for (i = 0; !r && i < c->n_values[OPT_SECRET]; i++)
		r = hand_over(c, i);
	if (r)
		return r;
	/* the device is closed on exec */
	execvp(c->args[0], c->args);
	return cli_fail(errno == ENOENT ? NOT_FOUND : CANNOT_RUN, "cannot run %s: %m", c->args[0]);
}
