// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing whole things. Nothing here logs.
 */
#include "util/io.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "util/hex.h"

ssize_t kvd_io_read_full(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (uint8_t *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int kvd_io_write_full(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, (const uint8_t *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

int kvd_io_read_file(int dirfd, const char *path, size_t max, struct kvd_bytes *ret)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_bytes_ struct kvd_bytes b = { 0 };
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* Sizes of pipes and of /proc say nothing, so room is made for the most. */
	b.data = malloc(max + 1);
	if (!b.data)
		return -ENOMEM;
	b.len = max + 1;
	n = kvd_io_read_full(fd, b.data, max + 1);
	if (n < 0)
		return (int)n;
	if ((size_t)n > max)
		return -EFBIG;
	b.data[n] = '\0';
	ret->len = (size_t)n;
	ret->data = TAKE_PTR(b.data);
	return 0;
}

static int fill_and_sync(int fd, const void *data, size_t len,
			 const struct kvd_io_owner *owner)
{
	int r;

	if (owner->uid != (uid_t)-1 || owner->gid != (gid_t)-1)
		if (fchown(fd, owner->uid, owner->gid) < 0)
			return -errno;
	if (fchmod(fd, owner->mode) < 0)
		return -errno;
	r = kvd_io_write_full(fd, data, len);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

int kvd_io_write_atomic(int dirfd, const char *name, const void *data, size_t len,
			const struct kvd_io_owner *owner, unsigned int flags)
{
	char tmp[256], suffix[17];
	_cleanup_close_ int fd = -1;
	uint8_t rnd[8];
	int r;

	if (getrandom(rnd, sizeof(rnd), 0) != sizeof(rnd))
		return -EIO;
	kvd_hex_encode(suffix, rnd, sizeof(rnd));
	r = snprintf(tmp, sizeof(tmp), ".%s.%s", name, suffix);
	if (r < 0 || (size_t)r >= sizeof(tmp))
		return -ENAMETOOLONG;
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fill_and_sync(fd, data, len, owner);
	if (r < 0)
		goto out_unlink;
	/* A link, unlike a rename, never takes the place of what is there. */
	if (flags & KVD_IO_NEW)
		r = linkat(dirfd, tmp, dirfd, name, 0) < 0 ? -errno : 0;
	else
		r = renameat(dirfd, tmp, dirfd, name) < 0 ? -errno : 0;
	if (r < 0 || flags & KVD_IO_NEW)
		unlinkat(dirfd, tmp, 0);
	if (r < 0)
		return r;
	/* The file is there; that it stays there needs the folder on the disk too. */
	return fsync(dirfd) < 0 ? -errno : 0;
out_unlink:
	unlinkat(dirfd, tmp, 0);
	return r;
}
