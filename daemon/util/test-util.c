// SPDX-License-Identifier: GPL-2.0-only
/* hex, io and cleanup, as their headers promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "util/hex.h"
#include "util/io.h"

static const struct kvd_io_owner as_it_falls = { (uid_t)-1, (gid_t)-1, 0640 };

static void hex_goes_both_ways(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x09, 0x0a, 0x7f, 0x9f, 0xa0, 0xff };
	uint8_t back[sizeof(bytes)];
	char text[2 * sizeof(bytes) + 1];

	(void)state;
	kvd_hex_encode(text, bytes, sizeof(bytes));
	assert_string_equal(text, "00090a7f9fa0ff");
	assert_int_equal(kvd_hex_decode(back, sizeof(back), text), 0);
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_int_equal(kvd_hex_decode(back, sizeof(back), "00090A7F9FA0FF"), 0);
	assert_memory_equal(back, bytes, sizeof(bytes));
}

static void hex_refuses_what_is_not_hex(void **state)
{
	static const char *const bad[] = {
		"", "a", "abc", "abcde", "abcg", "0xab", " abc", "abc ", "ab-c", "ab\xc3\xa9", NULL,
	};
	uint8_t out[2] = { 1, 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(kvd_hex_decode(out, sizeof(out), bad[i]), -EINVAL);
	assert_int_equal(out[0], 1);
	assert_int_equal(out[1], 2);
}

static int open_folder(void **state)
{
	char path[] = "/tmp/kvault-test-XXXXXX";
	int *fd = malloc(sizeof(*fd));

	if (!fd || !mkdtemp(path))
		return -1;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = fd;
	return *fd < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
	char link[64], path[256];
	int *fd = *state;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", *fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		unlinkat(*fd, "file", 0);
		rmdir(path);
	}
	close(*fd);
	free(fd);
	return 0;
}

static void file_is_written_and_read(void **state)
{
	int dir = **(int **)state;
	_cleanup_bytes_ struct kvd_bytes b = { 0 };
	struct stat st;

	assert_int_equal(kvd_io_write_atomic(dir, "file", "one", 3, &as_it_falls, 0), 0);
	assert_int_equal(kvd_io_write_atomic(dir, "file", "second", 6, &as_it_falls, 0), 0);
	assert_int_equal(kvd_io_read_file(dir, "file", 6, &b), 0);
	assert_int_equal(b.len, 6);
	assert_string_equal((char *)b.data, "second");
	assert_int_equal(fstatat(dir, "file", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_nlink, 1);
}

static void file_that_exists_is_kept(void **state)
{
	int dir = **(int **)state;
	_cleanup_bytes_ struct kvd_bytes b = { 0 };

	assert_int_equal(kvd_io_write_atomic(dir, "file", "one", 3, &as_it_falls, KVD_IO_NEW), 0);
	assert_int_equal(kvd_io_write_atomic(dir, "file", "two", 3, &as_it_falls, KVD_IO_NEW),
			 -EEXIST);
	assert_int_equal(kvd_io_read_file(dir, "file", 100, &b), 0);
	assert_string_equal((char *)b.data, "one");
}

static void file_that_is_too_large_is_refused(void **state)
{
	int dir = **(int **)state;
	struct kvd_bytes b = { 0 };

	assert_int_equal(kvd_io_write_atomic(dir, "file", "12345", 5, &as_it_falls, 0), 0);
	assert_int_equal(kvd_io_read_file(dir, "file", 4, &b), -EFBIG);
	assert_null(b.data);
	assert_int_equal(kvd_io_read_file(dir, "absent", 4, &b), -ENOENT);
}

static void pipe_is_read_to_its_end(void **state)
{
	char buf[8] = "";
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(kvd_io_write_full(p[1], "abc", 3), 0);
	close(p[1]);
	assert_int_equal(kvd_io_read_full(p[0], buf, sizeof(buf)), 3);
	assert_string_equal(buf, "abc");
	close(p[0]);
	assert_int_equal(kvd_io_read_full(p[0], buf, 1), -EBADF);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(hex_refuses_what_is_not_hex),
		cmocka_unit_test_setup_teardown(file_is_written_and_read,
						open_folder, remove_folder),
		cmocka_unit_test_setup_teardown(file_that_exists_is_kept,
						open_folder, remove_folder),
		cmocka_unit_test_setup_teardown(file_that_is_too_large_is_refused,
						open_folder, remove_folder),
		cmocka_unit_test(pipe_is_read_to_its_end),
	};

	return cmocka_run_group_tests_name("util", tests, NULL, NULL);
}
