// SPDX-License-Identifier: GPL-2.0-only
/* The files of the root slots: owners, order, refusals. */
#include "root/files.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include "util/io.h"

#define SLOTS_SIZE_MAX	65536
#define OPEN_DIR	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* The folder is the user's, or becomes it: new, or root's own (a mount point). */
static int check_owner(int fd, const struct passwd *pw, int may_give)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == pw->pw_uid)
		return 0;
	if (!may_give || st.st_uid != 0)
		return -EPERM;
	if (fchmod(fd, 0700) < 0 || fchown(fd, pw->pw_uid, pw->pw_gid) < 0)
		return -errno;
	return 0;
}

int kvr_files_open_store(const char *path, const char *user, int create)
{
	const struct passwd *pw = getpwnam(user);
	_cleanup_close_ int fd = -1;
	int r;

	if (!pw)
		return -ESRCH;
	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, OPEN_DIR);
	if (fd < 0)
		return -errno;
	r = check_owner(fd, pw, create);
	return r < 0 ? r : TAKE_FD(fd);
}

int kvr_files_become(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	if (!pw)
		return -ESRCH;
	if (geteuid() == pw->pw_uid && getuid() == pw->pw_uid)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return -errno;
	return 0;
}

int kvr_files_open_root(int store, int create)
{
	int fd;

	if (create && mkdirat(store, "root", 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(store, "root", OPEN_DIR);
	return fd < 0 ? -errno : fd;
}

const char *kvr_files_find_any(int store)
{
	static const char *const names[] = {
		"root/" KVR_SLOTS_FILE, "root/" KVR_CREDENTIAL_FILE, "kvault.db",
		"store-was-made",
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (fstatat(store, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
			return names[i];
	return NULL;
}

int kvr_files_read_slots(int root, struct kvr_slots *ret)
{
	_cleanup_bytes_ struct kvd_bytes b = { 0 };
	int r = kvd_io_read_file(root, KVR_SLOTS_FILE, SLOTS_SIZE_MAX, &b);

	return r < 0 ? r : kvr_slots_parse(b.data, b.len, ret);
}

int kvr_files_write(int root, const struct kvd_bytes *credential, const struct kvr_slots *slots,
		    unsigned int flags)
{
	static const struct kvd_io_owner private = { (uid_t)-1, (gid_t)-1, 0600 };
	static const struct kvd_io_owner shared = { (uid_t)-1, (gid_t)-1, 0640 };
	_cleanup_free_ char *text = kvr_slots_text(slots);
	int r;

	if (!text)
		return -ENOMEM;
	r = kvd_io_write_atomic(root, KVR_CREDENTIAL_FILE, credential->data, credential->len,
				&private, flags);
	if (r == 0)
		r = kvd_io_write_atomic(root, KVR_SLOTS_FILE, text, strlen(text), &shared, flags);
	return r;
}
