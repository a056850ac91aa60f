// SPDX-License-Identifier: GPL-2.0-only
/* The provider "systemd-credential": systemd-creds and LoadCredentialEncrypted=. */
#include "root/creds.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "util/io.h"

#define CREDENTIAL_MAX	65536

static _Noreturn void child_exec(const char *program, int in, int out)
{
	static const char *const argv[] = {
		/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one word */
		"systemd-creds", "encrypt", "--name=" KVR_CREDS_NAME, "-", "-", NULL,
	};
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin", "LANG=C.UTF-8", NULL };

	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execve(program, (char *const *)argv, (char *const *)env);
	_exit(127);
}

/* The child's end: 0 when it succeeded. */
static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int read_all(int fd, struct kvd_bytes *ret)
{
	_cleanup_bytes_ struct kvd_bytes b = { malloc(CREDENTIAL_MAX), CREDENTIAL_MAX };
	ssize_t n;

	if (!b.data)
		return -ENOMEM;
	n = kvd_io_read_full(fd, b.data, CREDENTIAL_MAX);
	if (n <= 0 || n == CREDENTIAL_MAX)
		return n < 0 ? (int)n : -EIO;
	ret->len = (size_t)n;
	ret->data = TAKE_PTR(b.data);
	return 0;
}

int kvr_creds_encrypt(const char *program, const struct kvr_secret *secret,
		      struct kvd_bytes *ret)
{
	_cleanup_close_ int in_r = -1, in_w = -1, out_r = -1, out_w = -1;
	_cleanup_bytes_ struct kvd_bytes b = { 0 };
	int fds[2], r, ended;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in_r = fds[0];
	in_w = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	out_r = fds[0];
	out_w = fds[1];
	signal(SIGPIPE, SIG_IGN);	/* a child that does not read is seen by its status */
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_exec(program, in_r, out_w);
	close(TAKE_FD(in_r));
	close(TAKE_FD(out_w));
	r = kvd_io_write_full(in_w, secret->root, sizeof(secret->root));
	close(TAKE_FD(in_w));
	if (r == 0)
		r = read_all(out_r, &b);
	ended = reap(pid);
	if (ended < 0 || r < 0)
		return ended < 0 ? ended : r;
	ret->len = b.len;
	ret->data = TAKE_PTR(b.data);
	return 0;
}

int kvr_creds_read(struct kvr_secret *secret)
{
	const char *path = getenv("CREDENTIALS_DIRECTORY");
	_cleanup_close_ int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	_cleanup_close_ int fd = dir < 0 ? -1 : openat(dir, KVR_CREDS_NAME, O_RDONLY | O_CLOEXEC);
	uint8_t one_more;
	ssize_t n;

	if (fd < 0)
		return -ENOENT;
	n = kvd_io_read_full(fd, secret->root, sizeof(secret->root));
	if (n < 0)
		return (int)n;
	return n == sizeof(secret->root) && read(fd, &one_more, 1) == 0 ? 0 : -EINVAL;
}
