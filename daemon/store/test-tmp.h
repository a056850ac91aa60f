/* SPDX-License-Identifier: GPL-2.0-only */
/* A folder for a test, gone with what is in it. */
#ifndef KVD_STORE_TEST_TMP_H
#define KVD_STORE_TEST_TMP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void test_tmp_make(char dir[static 32])
{
	strcpy(dir, "/tmp/kvd-test-XXXXXX");
	if (!mkdtemp(dir))
		abort();
}

static inline void test_tmp_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char *path;

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (asprintf(&path, "%s/%s", dir, e->d_name) < 0)
			abort();
		if (unlink(path) < 0)
			test_tmp_remove(path);
		free(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

#endif /* KVD_STORE_TEST_TMP_H */
