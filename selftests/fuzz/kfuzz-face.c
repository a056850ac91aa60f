// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: keys of type "kvault" in keyrings that all actors share, and
 * xts(paes) through AF_ALG.
 */
#include <linux/if_alg.h>
#include <linux/keyctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "kfuzz.h"

static long keyctl(int cmd, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	long ret = syscall(SYS_keyctl, cmd, a, b, c, d);

	return ret < 0 ? -errno : ret;
}

/* The short form of a name too; @buf has room for 600 bytes. */
static void describe(char *buf, uint64_t choice)
{
	uint32_t len;

	if (choice < KF_KEYS) {
		sprintf(buf, "v/k%u", (unsigned int)choice);
		return;
	}
	len = kf_path(buf, choice, "");
	buf[len] = '\0';
}

/* key, callout, keyring */
long kf_request_key(struct kf_lane *l, const uint64_t *a)
{
	static const char *const callouts[] = {
		"", "sign", "sign,verify", "encrypt,decrypt", "sign,", "x", NULL,
		"encrypt,decrypt,sign,verify,encrypt,decrypt,sign,verify,encrypt,decrypt,sign,"
		"verify,encrypt,decrypt,sign,verify,encrypt,decrypt,sign,verify,encrypt",
	};
	char desc[600];
	long ret;

	describe(desc, a[0]);
	ret = syscall(SYS_request_key, "kvault", desc, callouts[a[1] % 8], kf_serial(l, a[2]));
	if (ret < 0)
		return -errno;
	kf_serial_add(l, ret);
	return 0;
}

/* key, type, length of the payload, keyring */
long kf_add_key(struct kf_lane *l, const uint64_t *a)
{
	const char *type = a[1] & 1 ? "user" : a[1] & 2 ? "keyring" : "kvault";
	uint8_t payload[64] = { 1 };
	char desc[600];
	long ret;

	describe(desc, a[0]);
	ret = syscall(SYS_add_key, type, desc, a[1] & 2 ? NULL : payload,
		      a[1] & 2 ? 0 : a[2] % 64, kf_serial(l, a[3]));
	if (ret < 0)
		return -errno;
	kf_serial_add(l, ret);
	return 0;
}

/* Operations on a key that need no buffer. operation, key, another, number */
long kf_keyctl(struct kf_lane *l, const uint64_t *a)
{
	int32_t key = kf_serial(l, a[1]), other = kf_serial(l, a[2]);
	char desc[600];

	switch (a[0] % 14) {
	case 0:
		return keyctl(KEYCTL_REVOKE, (uint64_t)key, 0, 0, 0);
	case 1:
		return keyctl(KEYCTL_UNLINK, (uint64_t)key, (uint64_t)other, 0, 0);
	case 2:
		return keyctl(KEYCTL_LINK, (uint64_t)key, (uint64_t)other, 0, 0);
	case 3:
		return keyctl(KEYCTL_SETPERM, (uint64_t)key, a[3] & 0x3f3f3f3f, 0, 0);
	case 4:
		return keyctl(KEYCTL_INVALIDATE, (uint64_t)key, 0, 0, 0);
	case 5:
		return keyctl(KEYCTL_SET_TIMEOUT, (uint64_t)key, a[3] & 3, 0, 0);
	case 6:
		return keyctl(KEYCTL_CHOWN, (uint64_t)key, a[3] & 1000, (uint64_t)-1, 0);
	case 7:
		return keyctl(KEYCTL_CLEAR, (uint64_t)key, 0, 0, 0);
	case 8:
		describe(desc, a[3] % 32);
		return keyctl(KEYCTL_SEARCH, (uint64_t)other, kv_ptr("kvault"), kv_ptr(desc), 0);
	case 9:
		return keyctl(KEYCTL_INSTANTIATE, (uint64_t)key, kv_ptr("payload"), 7,
			      (uint64_t)other);
	case 10:
		return keyctl(KEYCTL_NEGATE, (uint64_t)key, a[3] & 3, (uint64_t)other, 0);
	case 11:
		return keyctl(KEYCTL_UPDATE, (uint64_t)key, kv_ptr("payload"), 7, 0);
	case 12:
		return keyctl(KEYCTL_ASSUME_AUTHORITY, (uint64_t)key, 0, 0, 0);
	default:
		return keyctl(KEYCTL_GET_PERSISTENT, (uint64_t)-1, (uint64_t)other, 0, 0);
	}
}

/* what, key, length, pointer */
long kf_key_read(struct kf_lane *l, const uint64_t *a)
{
	static const int what[] = { KEYCTL_READ, KEYCTL_DESCRIBE, KEYCTL_GET_SECURITY };
	uint32_t len = (uint32_t)a[2] & 0xfffff;

	return keyctl(what[a[0] % 3], (uint64_t)kf_serial(l, a[1]), kf_buf(l, KF_OUT, a[3], len),
		      len, 0);
}

static const char *const pkey_info[] = {
	"enc=raw hash=sha256", "enc=raw", "enc=pkcs1 hash=sha256", "enc=pkcs1",
	"enc=pss hash=sha512", "enc=oaep", "enc=oaep hash=sha256", "enc= hash=",
	"enc=x962 hash=sha256", "hash=sha256", "", "enc=raw hash=sha256 x=y",
};

#define PKEY_INFOS	(sizeof(pkey_info) / sizeof(pkey_info[0]))

/* operation, key, info, length of in, of out, pointers */
long kf_pkey(struct kf_lane *l, const uint64_t *a)
{
	static const int what[] = {
		KEYCTL_PKEY_SIGN, KEYCTL_PKEY_VERIFY, KEYCTL_PKEY_ENCRYPT, KEYCTL_PKEY_DECRYPT,
	};
	struct keyctl_pkey_params p = {
		.key_id = kf_serial(l, a[1]), .in_len = (uint32_t)a[3], .out_len = (uint32_t)a[4],
	};

	return keyctl(what[a[0] % 4], kf_put(l, KF_STRUCT, a[7], &p, sizeof(p)),
		      kv_ptr(pkey_info[a[2] % PKEY_INFOS]),
		      kf_buf(l, KF_IN, a[5], p.in_len), kf_buf(l, KF_OUT, a[6], p.out_len));
}

long kf_pkey_query(struct kf_lane *l, const uint64_t *a)
{
	return keyctl(KEYCTL_PKEY_QUERY, (uint64_t)kf_serial(l, a[0]), 0,
		      kv_ptr(pkey_info[a[1] % PKEY_INFOS]),
		      kf_buf(l, KF_OUT, a[2], sizeof(struct keyctl_pkey_query)));
}

/* Describes every key that can be seen, in atomic context. */
long kf_proc_keys(struct kf_lane *l, const uint64_t *a)
{
	int fd = open(a[0] & 1 ? "/proc/key-users" : "/proc/keys", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, l->area[KF_OUT].start, 16384);
	int error = errno;

	close(fd);
	return n < 0 ? -error : 0;
}

/* --- AF_ALG ---------------------------------------------------------------------------- */

long kf_alg_open(struct kf_lane *l, const uint64_t *a)
{
	struct sockaddr_alg sa = { .salg_family = AF_ALG, .salg_type = "skcipher" };
	int fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), error;

	strcpy((char *)sa.salg_name, a[0] & 1 ? "xts-paes-kvault" : "xts(paes)");
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		error = errno;
		close(fd);
		return -error;
	}
	kf_fd_add(l, KF_ALG, fd);
	return 0;
}

/* socket, key, change of the token, length, pointer */
long kf_alg_key(struct kf_lane *l, const uint64_t *a)
{
	uint32_t at = (uint32_t)(a[2] >> 8) % 124, len = (uint32_t)a[3];
	int fd = kf_fd(l, KF_ALG, a[0]);
	union {
		struct kvault_token t;
		uint8_t bytes[256];
	} u = { .bytes = { 0 } };
	uint32_t value = (uint32_t)(a[2] >> 32);
	long ret;

	kf_token(l, &u.t, a[1]);
	if (a[2] & 0xff)
		memcpy(u.bytes + at, &value, sizeof(value));
	if (!len || len > sizeof(u))
		len = KVAULT_TOKEN_SIZE;
	ret = setsockopt(fd, SOL_ALG, ALG_SET_KEY,
			 (void *)(uintptr_t)kf_put(l, KF_IN, a[4], &u, len), len);
	return ret ? -errno : 0;
}

long kf_alg_accept(struct kf_lane *l, const uint64_t *a)
{
	int fd = accept4(kf_fd(l, KF_ALG, a[0]), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -errno;
	kf_fd_add(l, KF_ALGOP, fd);
	return 0;
}

/* socket, direction, length, length of the iv, pointers */
long kf_alg_crypt(struct kf_lane *l, const uint64_t *a)
{
	int fd = kf_fd(l, KF_ALGOP, a[0]);
	uint32_t len = (uint32_t)a[2] & 0x1ffff, op = a[1] & 1, n = (uint32_t)a[3] % 24;
	union {
		char buf[CMSG_SPACE(4) + CMSG_SPACE(32)];
		struct cmsghdr align;
	} u = { .buf = { 0 } };
	struct iovec io = { (void *)(uintptr_t)kf_buf(l, KF_IN, a[4], len), len };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = u.buf };
	struct cmsghdr *c = &u.align;
	uint32_t iv_len = n ? n : 16;

	c->cmsg_level = SOL_ALG;
	c->cmsg_type = ALG_SET_OP;
	c->cmsg_len = CMSG_LEN(4);
	memcpy(CMSG_DATA(c), &op, 4);
	m.msg_controllen = CMSG_SPACE(4) + CMSG_SPACE(4 + iv_len);
	c = (struct cmsghdr *)(u.buf + CMSG_SPACE(4));
	c->cmsg_level = SOL_ALG;
	c->cmsg_type = ALG_SET_IV;
	c->cmsg_len = CMSG_LEN(4 + iv_len);
	memcpy(CMSG_DATA(c), &iv_len, 4);
	if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return read(fd, (void *)(uintptr_t)kf_buf(l, KF_OUT, a[5], len), len) < 0 ? -errno : 0;
}
