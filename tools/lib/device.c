// SPDX-License-Identifier: LGPL-2.1-or-later
/* The device itself, and what all calls share. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

int kvault_open(struct kvault **ret)
{
	struct kvault *kv = calloc(1, sizeof(*kv));
	int r;

	if (!kv)
		return -ENOMEM;
	kv->fd = open("/dev/kvault", O_RDWR | O_CLOEXEC);
	if (kv->fd < 0) {
		r = -errno;
		free(kv);
		return r;
	}
	*ret = kv;
	return 0;
}

void kvault_close(struct kvault *kv)
{
	if (!kv)
		return;
	close(kv->fd);
	free(kv);
}

int kvault_fd(const struct kvault *kv)
{
	return kv->fd;
}

void kvault_set_timeout(struct kvault *kv, uint32_t ms)
{
	kv->timeout_ms = ms < KVAULT_TIMEOUT_MS_MAX ? ms : KVAULT_TIMEOUT_MS_MAX;
}

const uint8_t *kvault_request_id(const struct kvault *kv)
{
	return kv->request_id;
}

int kvault_get_info(struct kvault *kv, struct kvault_info *ret)
{
	struct kvault_info info = { .size = sizeof(info) };

	if (ioctl(kv->fd, KVAULT_INFO, &info))
		return -errno;
	*ret = info;
	return 0;
}

int kvault_random(struct kvault *kv, void *out, size_t len)
{
	struct kvault_random arg = { .size = sizeof(arg) };
	uint8_t *p = out;

	while (len) {
		arg.out = (uintptr_t)p;
		arg.out_len = len < KVAULT_RANDOM_MAX ? (uint32_t)len : KVAULT_RANDOM_MAX;
		if (ioctl(kv->fd, KVAULT_RANDOM, &arg))
			return -errno;
		p += arg.out_len;
		len -= arg.out_len;
	}
	return 0;
}

static const struct {
	int err;
	const char *text;
} messages[] = {
	{ ENOENT, "there is no /dev/kvault; load the module with 'modprobe kvault'" },
	{ ENXIO, "there is no /dev/kvault; load the module with 'modprobe kvault'" },
	{ ENODEV, "there is no /dev/kvault; load the module with 'modprobe kvault'" },
	{ ENOTTY, "the kernel does not know this call: module and tools do not fit" },
	{ EINVAL, "a length or value that does not fit the algorithm or the key" },
	{ E2BIG, "it is too big" },
	{ EOPNOTSUPP, "this key does not do this with this algorithm; see 'kvault key show'" },
	{ EMSGSIZE, "it is too long" },
	{ ENOKEY, "there is no such key here; see 'kvault key list'" },
	{ EACCES, "no role of yours allows it, or the key's operations do not" },
	{ EKEYREVOKED, "the key is disabled or deleted" },
	{ EKEYEXPIRED, "the key is expired, not valid yet, or used up" },
	{ EKEYREJECTED, "the signature does not verify" },
	{ EBADMSG, "it does not verify: changed, cut off, or made with another key" },
	{ EDQUOT, "the quota of this tenant is used up" },
	{ EAGAIN, "too many requests of this tenant; try again later" },
	{ EHOSTDOWN, "nobody serves: no daemon, no engine or no root key; see 'kvault status'" },
	{ ETIMEDOUT, "no answer in time; see 'kvault status', or give a longer --timeout" },
	{ ESTALE, "it was changed meanwhile; try again" },
	{ EIO, "kvaultd or an engine failed; see 'journalctl -u \"kvault*\"'" },
	{ EINTR, "interrupted; the request may have been carried out" },
};

const char *kvault_strerror(int err)
{
	size_t i;

	err = err < 0 ? -err : err;
	for (i = 0; i < KVL_SIZE(messages); i++)
		if (messages[i].err == err)
			return messages[i].text;
	return strerror(err);
}

ssize_t kvl_read_full(int fd, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, (char *)buf + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int kvl_write_full(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
