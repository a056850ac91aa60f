// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input, and output that is there whole or not at all: a file is written
 * without a name (O_TMPFILE), and gets it when all of it is right.
 *
 * In a folder like /tmp somebody else may have put something under the name
 * that is asked for. Nothing is ever written through it: a link, a pipe or a
 * socket is refused, and so is another user's file where the sticky bit says
 * that users are kept apart. A character device, such as /dev/null, is written
 * as it comes: no user can make one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

int cli_in(const char *name, int *ret_fd)
{
	struct stat st;
	int fd;

	if (!name || !strcmp(name, "-")) {
		*ret_fd = STDIN_FILENO;
		return 0;
	}
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cli_fail(CLI_USAGE, "cannot read %s: %m", name);
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		close(fd);
		return cli_fail(CLI_USAGE, "cannot read %s: it is a directory", name);
	}
	*ret_fd = fd;
	return 0;
}

int cli_read(const char *name, size_t max, struct kvault_secret *ret)
{
	int fd, r;

	r = cli_in(name, &fd);
	if (r)
		return r;
	r = kvault_secret_read(fd, max, ret);
	if (fd != STDIN_FILENO)
		close(fd);
	if (!r)
		return 0;
	name = !name || !strcmp(name, "-") ? "standard input" : name;
	if (r == -EFBIG)
		return cli_fail(CLI_USAGE, "%s has more than %zu bytes, and this takes no more",
				name, max);
	return cli_fail(CLI_USAGE, "cannot read %s: %s", name, strerror(-r));
}

int cli_read_in(const struct cli *c, size_t max, struct kvault_secret *ret)
{
	return cli_read(cli_value(c, OPT_IN), max, ret);
}

/* The folder that name is in, and name in it. */
static int open_dir(const char *name, int *ret_dir, const char **ret_base)
{
	const char *slash = strrchr(name, '/');
	char *dir;
	int fd;

	dir = slash ? strndup(name, slash == name ? 1 : (size_t)(slash - name)) : strdup(".");
	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return -errno;
	*ret_dir = fd;
	*ret_base = slash ? slash + 1 : name;
	return 0;
}

static int make_name(struct cli_file *f, const char *base)
{
	unsigned int n;

	if (getentropy(&n, sizeof(n)) || asprintf(&f->tmp, ".%.200s.%08x", base, n) < 0) {
		f->tmp = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* As fs.protected_regular does it: whose file is it, where everybody may make some? */
static bool is_planted(int dir, const struct stat *st)
{
	struct stat d;

	if (fstat(dir, &d) || !(d.st_mode & S_ISVTX) || !(d.st_mode & (S_IWGRP | S_IWOTH)))
		return false;
	return st->st_uid != geteuid() && st->st_uid != d.st_uid;
}

static int open_new(struct cli_file *f, const struct stat *old, mode_t mode)
{
	struct stat st;
	int r;

	r = make_name(f, f->name);
	if (r)
		return r;
	f->fd = openat(f->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	f->is_unlinked = f->fd >= 0;
	/* Not every file system can do this. */
	if (f->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		f->fd = openat(f->dir, f->tmp, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
	if (f->fd < 0) {
		f->is_unlinked = true;	/* what has this name is not ours */
		return -errno;
	}
	/* Who could not read what is replaced cannot read what replaces it. */
#ifndef KVAULT_MUTANT_WIDER_MODE
	if (old && (fstat(f->fd, &st) || fchmod(f->fd, st.st_mode & old->st_mode & 0777)))
		return -errno;
#endif
	return 0;
}

/* Why it is not written to; NULL: it may be. */
static const char *refuse(int dir, const struct stat *st)
{
#ifdef KVAULT_MUTANT_FOLLOW_OUT
	return NULL;
#endif
	if (S_ISLNK(st->st_mode))
		return "it is a symbolic link: name the file itself";
	if (S_ISDIR(st->st_mode))
		return "it is a directory";
	if (!S_ISREG(st->st_mode) && !S_ISCHR(st->st_mode))
		return "it is no regular file: give - and redirect";
	if (S_ISREG(st->st_mode) && is_planted(dir, st))
		return "it is another user's file in a folder that users share";
	return NULL;
}

static int open_out(struct cli_file *f, const char *name, mode_t mode, const char **ret_why)
{
	struct stat st;
	bool is_there;
	int r;

	r = open_dir(name, &f->dir, &f->name);
	if (r)
		return r;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): open_dir() has set it */
	is_there = !fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW);
	*ret_why = is_there ? refuse(f->dir, &st) : NULL;
	if (*ret_why)
		return -EPERM;
	if (!is_there || S_ISREG(st.st_mode))
		return open_new(f, is_there ? &st : NULL, mode);
	f->fd = openat(f->dir, f->name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	/* it may have been another one meanwhile */
	if (f->fd >= 0 && (fstat(f->fd, &st) || !S_ISCHR(st.st_mode)))
		return -EPERM;
	return f->fd < 0 ? -errno : 0;
}

static bool is_stdout(const char *name)
{
	return !name || !strcmp(name, "-") || !strcmp(name, "/dev/stdout");
}

int cli_out(const char *name, unsigned int flags, struct cli_file *ret)
{
	struct cli_file f = { .fd = -1, .dir = -1 };
	const char *why = NULL;
	int r;

	if (is_stdout(name)) {
		if (!(flags & CLI_TEXT) && isatty(STDOUT_FILENO))
			return cli_fail(CLI_USAGE, "this is not for a terminal: give --out FILE");
		*ret = (struct cli_file){ .fd = STDOUT_FILENO, .dir = -1 };
		return 0;
	}
	r = open_out(&f, name, flags & CLI_SECRET ? 0600 : 0666, &why);
	if (r) {
		cli_out_abort(&f);
		return cli_fail(CLI_USAGE, "cannot write %s: %s", name, why ? why : strerror(-r));
	}
	*ret = f;
	return 0;
}

static int give_name(struct cli_file *f)
{
	char self[32];

	if (f->is_unlinked) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): with tmp */
		if (!linkat(AT_FDCWD, self, f->dir, f->name, AT_SYMLINK_FOLLOW)) {
			f->is_unlinked = false;
			return 0;
		}
		if (errno != EEXIST ||
		    linkat(AT_FDCWD, self, f->dir, f->tmp, AT_SYMLINK_FOLLOW))
			return -errno;
		f->is_unlinked = false;
	}
	return renameat(f->dir, f->tmp, f->dir, f->name) ? -errno : 0;
}

int cli_out_commit(struct cli_file *f)
{
	char name[256];
	int r = 0;

	snprintf(name, sizeof(name), "%s", f->name ? f->name : "standard output");
	/* The name stands for all of it, also after a loss of power. */
	if (f->tmp)
		r = fsync(f->fd) && errno != EINVAL ? -errno : give_name(f);
	if (!r && f->tmp)
		fsync(f->dir);
	if (!r && f->tmp) {
		free(f->tmp);
		f->tmp = NULL;
	}
	if (f->fd > STDERR_FILENO && close(f->fd) && !r)
		r = -errno;
	f->fd = -1;
	cli_out_abort(f);
	return r ? cli_fail(CLI_INTERNAL, "cannot write %s: %s", name, strerror(-r)) : 0;
}

void cli_out_abort(struct cli_file *f)
{
	if (f->tmp && !f->is_unlinked)
		unlinkat(f->dir, f->tmp, 0);
	free(f->tmp);
	f->tmp = NULL;
	if (f->fd > STDERR_FILENO)
		close(f->fd);
	if (f->dir >= 0)
		close(f->dir);
	f->fd = -1;
	f->dir = -1;
}

int cli_put(const struct cli_file *f, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(f->fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cli_fail(CLI_INTERNAL, "cannot write %s: %m",
					f->name ? f->name : "standard output");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int cli_write(const char *name, unsigned int flags, const void *data, size_t len)
{
	struct cli_file f;
	int r;

	r = cli_out(name, flags, &f);
	if (r)
		return r;
	r = cli_put(&f, data, len);
	if (!r)
		return cli_out_commit(&f);
	cli_out_abort(&f);
	return r;
}
