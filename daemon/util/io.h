/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVD_UTIL_IO_H
#define KVD_UTIL_IO_H

#include <sys/types.h>

#include "util/cleanup.h"

/* Reads until len bytes or the end; returns how many, or negative errno. */
ssize_t kvd_io_read_full(int fd, void *buf, size_t len);

/* Writes all; returns 0 or negative errno. */
int kvd_io_write_full(int fd, const void *buf, size_t len);

/*
 * Reads a whole file of at most max bytes (else -EFBIG) and puts a NUL behind
 * it that does not count. dirfd as with openat().
 */
int kvd_io_read_file(int dirfd, const char *path, size_t max, struct kvd_bytes *ret);

/* Who shall own a new file; (uid_t)-1 and (gid_t)-1 leave it as it falls. */
struct kvd_io_owner {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/*
 * Makes or replaces name in dirfd so that a crash leaves the old file or the
 * new one, whole: temporary file, fsync, rename, fsync of the folder. With
 * KVD_IO_NEW an existing name is -EEXIST.
 */
#define KVD_IO_NEW	(1u << 0)

int kvd_io_write_atomic(int dirfd, const char *name, const void *data, size_t len,
			const struct kvd_io_owner *owner, unsigned int flags);

#endif /* KVD_UTIL_IO_H */
