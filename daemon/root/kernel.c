// SPDX-License-Identifier: GPL-2.0-only
/* The one call to the module. */
#include "root/kernel.h"

#include <fcntl.h>
#include <linux/kvault_control.h>
#include <sys/ioctl.h>
#include <time.h>

#include "util/cleanup.h"

#define TRIES		100
#define TRY_MS		50

/* udev gives the node its owner a moment after the module made it. */
static int open_device(void)
{
	static const struct timespec pause = { 0, TRY_MS * 1000000L };
	int fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = open(KVR_DEVICE, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || (errno != ENOENT && errno != EACCES))
			break;
		nanosleep(&pause, NULL);
	}
	return fd < 0 ? -errno : fd;
}

int kvr_kernel_set_root(const uint8_t store[KVR_ID_SIZE], const struct kvr_secret *secret)
{
	struct kvault_root_set set = { .size = sizeof(set) };
	_cleanup_close_ int fd = open_device();
	int r;

	if (fd < 0)
		return fd;
	memcpy(set.store, store, sizeof(set.store));
	memcpy(set.key, secret->root, sizeof(set.key));
	r = ioctl(fd, KVAULT_CTL_ROOT_SET, &set) < 0 ? -errno : 0;
	kvd_wipe(&set, sizeof(set));
	return r;
}
