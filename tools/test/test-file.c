// SPDX-License-Identifier: GPL-2.0-only
/* What is written where: whole or not at all, and never through what others have put there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"

static char said[512];

int cli_fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	return status;
}

static char dir[32];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kv-file-XXXXXX");
	umask(022);
	return !mkdtemp(dir) || chdir(dir);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") || system(command);
}

static void make(const char *name, mode_t mode, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

static void has(const char *name, const char *text)
{
	char buf[64] = "";
	int fd = open(name, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, text);
}

static unsigned int entries(void)
{
	char buf[16] = "";
	FILE *f = popen("ls -A | wc -l", "re");

	assert_non_null(f);
	assert_non_null(fgets(buf, sizeof(buf), f));
	pclose(f);
	return (unsigned int)atoi(buf);
}

static void a_file_has_its_name_when_it_is_whole(void **state)
{
	struct cli_file f;

	(void)state;
	assert_int_equal(cli_out("out", 0, &f), 0);
	assert_int_equal(cli_put(&f, "text", 4), 0);
	assert_int_equal(access("out", F_OK), -1);
	assert_int_equal(cli_out_commit(&f), 0);
	has("out", "text");
	assert_int_equal(mode_of("out"), 0644);
	assert_int_equal(entries(), 1);
}

static void what_is_given_up_leaves_nothing(void **state)
{
	struct cli_file f;

	(void)state;
	make("old", 0644, "old");
	assert_int_equal(cli_out("old", 0, &f), 0);
	assert_int_equal(cli_put(&f, "text", 4), 0);
	cli_out_abort(&f);
	has("old", "old");
	assert_int_equal(entries(), 1);
}

static void a_secret_is_its_owners(void **state)
{
	(void)state;
	make("wide", 0666, "old");
	assert_int_equal(cli_write("new", CLI_SECRET, "text", 4), 0);
	assert_int_equal(mode_of("new"), 0600);
	assert_int_equal(cli_write("wide", CLI_SECRET, "text", 4), 0);
	assert_int_equal(mode_of("wide"), 0600);
}

static void a_mode_is_not_widened(void **state)
{
	(void)state;
	make("narrow", 0600, "old");
	assert_int_equal(cli_write("narrow", 0, "text", 4), 0);
	assert_int_equal(mode_of("narrow"), 0600);
	has("narrow", "text");
	make("group", 0640, "old");
	assert_int_equal(cli_write("group", 0, "text", 4), 0);
	assert_int_equal(mode_of("group"), 0640);
}

static void refused(const char *name, const char *why)
{
	said[0] = '\0';
	assert_int_equal(cli_write(name, 0, "text", 4), CLI_USAGE);
	if (!strstr(said, why))
		fail_msg("'%s' does not say '%s'", said, why);
}

static void links_are_not_followed(void **state)
{
	(void)state;
	make("victim", 0644, "old");
	assert_int_equal(symlink("victim", "link"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	refused("link", "symbolic link");
	refused("dangling", "symbolic link");
	has("victim", "old");
	assert_int_equal(access("nowhere", F_OK), -1);
	assert_int_equal(entries(), 3);
}

/* Opened without a reader a pipe would wait, and with one give all of it away. */
static void pipes_and_sockets_are_refused(void **state)
{
	struct sockaddr_un a = { AF_UNIX, "sock" };
	int fd, s = socket(AF_UNIX, SOCK_STREAM, 0);
	char c;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0666), 0);
	fd = open("pipe", O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	refused("pipe", "no regular file");
	assert_true(read(fd, &c, 1) <= 0);
	close(fd);
	assert_int_equal(bind(s, (void *)&a, sizeof(a)), 0);
	refused("sock", "no regular file");
	close(s);
	refused(".", "directory");
}

static void devices_are_written(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(cli_write("/dev/null", CLI_SECRET, "text", 4), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void another_users_file_is_refused_where_users_share(void **state)
{
	(void)state;
	if (geteuid())
		skip();		/* only root can give a file away */
	make("planted", 0666, "old");
	assert_int_equal(chown("planted", 65534, 65534), 0);
	assert_int_equal(chmod(".", 01777), 0);
	refused("planted", "another user's file");
	has("planted", "old");
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(cli_write("planted", 0, "text", 4), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_file_has_its_name_when_it_is_whole),
		T(what_is_given_up_leaves_nothing),
		T(a_secret_is_its_owners),
		T(a_mode_is_not_widened),
		T(links_are_not_followed),
		T(pipes_and_sockets_are_refused),
		T(devices_are_written),
		T(another_users_file_is_refused_where_users_share),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
