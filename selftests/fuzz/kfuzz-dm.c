// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: xts(paes) below dm-crypt, on /dev/loop0, which selftests/fuzz/run has
 * made. Devices are called kf0 to kf3.
 */
#include <linux/dm-ioctl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "kfuzz.h"

#define DM_NODE		"/dev/mapper/control"
#define DM_DISK		"/dev/loop0"
#define DM_SECTORS	2048

struct request {
	struct dm_ioctl d;
	union {
		struct dm_target_spec spec;
		struct dm_target_msg message;
		char bytes[1024];
	} u;
};

static void begin(struct request *r, uint64_t nr)
{
	memset(r, 0, sizeof(*r));
	r->d.version[0] = DM_VERSION_MAJOR;
	r->d.data_size = sizeof(*r);
	r->d.data_start = offsetof(struct request, u);
	snprintf(r->d.name, sizeof(r->d.name), "kf%u", (unsigned int)nr & 3);
}

static long dm(unsigned long cmd, struct request *r)
{
	static int node = -1;

	if (node < 0)
		node = open(DM_NODE, O_RDWR | O_CLOEXEC);
	return ioctl(node, cmd, r) < 0 ? -errno : 0;
}

static void hex_token(struct kf_lane *l, char *to, uint64_t key, uint64_t change)
{
	uint32_t value = (uint32_t)(change >> 32);
	struct kvault_token t;
	uint8_t *bytes = (uint8_t *)&t;
	size_t i;

	kf_token(l, &t, key);
	if (change & 0xff)
		memcpy(bytes + (change >> 8 & 0x7f) % 124, &value, sizeof(value));
	for (i = 0; i < sizeof(t); i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
}

/* device, key, change of the token, sectors' size */
long kf_dm_create(struct kf_lane *l, const uint64_t *a)
{
	char token[2 * KVAULT_TOKEN_SIZE + 1];
	struct request r;
	long ret;

	begin(&r, a[0]);
	ret = dm(DM_DEV_CREATE, &r);
	if (ret && ret != -EBUSY)
		return ret;
	begin(&r, a[0]);
	r.d.target_count = 1;
	r.u.spec.length = DM_SECTORS;
	strcpy(r.u.spec.target_type, "crypt");
	hex_token(l, token, a[1], a[2]);
	snprintf((char *)(&r.u.spec + 1), 512, "capi:xts(paes)-plain64 %s 0 %s 0%s", token,
		 DM_DISK, a[3] == 1 ? " 1 sector_size:4096" : "");
	r.u.spec.next = sizeof(r.u.spec) + 512;
	ret = dm(DM_TABLE_LOAD, &r);
	if (ret)
		return ret;
	begin(&r, a[0]);
	return dm(DM_DEV_SUSPEND, &r);
}

long kf_dm_remove(struct kf_lane *l, const uint64_t *a)
{
	struct request r;

	(void)l;
	begin(&r, a[0]);
	return dm(DM_DEV_REMOVE, &r);
}

/* device, suspend or resume */
long kf_dm_state(struct kf_lane *l, const uint64_t *a)
{
	struct request r;

	(void)l;
	begin(&r, a[0]);
	r.d.flags = a[1] & 1 ? DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG : 0;
	return dm(DM_DEV_SUSPEND, &r);
}

/* device, wipe or set, key, change of the token */
long kf_dm_message(struct kf_lane *l, const uint64_t *a)
{
	char token[2 * KVAULT_TOKEN_SIZE + 1];
	struct request r;

	begin(&r, a[0]);
	hex_token(l, token, a[2], a[3]);
	if (a[1] & 1)
		snprintf(r.u.message.message, 600, "key set %s", token);
	else
		strcpy(r.u.message.message, "key wipe");
	return dm(DM_TARGET_MSG, &r);
}

/* The node of a device: there is no udev here. */
static int open_disk(struct kf_lane *l, uint64_t nr, int flags)
{
	struct request r;
	char path[64];
	long ret;
	int fd;

	begin(&r, nr);
	ret = dm(DM_DEV_STATUS, &r);
	if (ret)
		return (int)ret;
	snprintf(path, sizeof(path), "/dev/kf-%d-%d-%u", getpid(), l->nr, (unsigned int)nr & 3);
	unlink(path);
	if (mknod(path, S_IFBLK | 0600, makedev((unsigned int)r.d.dev >> 8 & 0xfff,
						(unsigned int)r.d.dev & 0xff)))
		return -errno;
	fd = open(path, flags);
	if (fd < 0)
		fd = -errno;
	unlink(path);
	return fd;
}

/* device, write or read, sector, length */
long kf_dm_io(struct kf_lane *l, const uint64_t *a)
{
	size_t len = 512 * (1 + a[3] % 16);
	off_t at = (off_t)(a[2] % DM_SECTORS * 512);
	int fd = open_disk(l, a[0], O_RDWR | O_CLOEXEC);
	ssize_t n;
	int error;

	if (fd < 0)
		return fd;
	if (a[1] & 1)
		n = pwrite(fd, l->area[KF_IN].start, len, at);
	else
		n = pread(fd, l->area[KF_OUT].start, len, at);
	error = errno;
	if (n >= 0 && fsync(fd)) {
		error = errno;
		n = -1;
	}
	close(fd);
	return n < 0 ? -error : 0;
}
