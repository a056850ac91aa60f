// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: calls on /dev/kvault, and what can be done to its open files.
 */
#include <poll.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include "kfuzz.h"

long kf_open_dev(struct kf_lane *l, const uint64_t *a)
{
	int fd = open(KV_DEV, a[0] & 1 ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	kf_fd_add(l, KF_DEV, fd);
	return 0;
}

/* Any sort of file, also while other lanes wait with it. */
long kf_close_fd(struct kf_lane *l, const uint64_t *a)
{
	int *fd = &l->actor->fd[a[0] % KF_FD_SORTS][a[1] % KF_FDS];
	int old = *fd;

	*fd = -1;
	return close(old) ? -errno : 0;
}

long kf_info(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_info i = { .flags = (uint32_t)a[1] };

	return kf_ioctl(l, kf_dev_fd(l, a[0]), KVAULT_INFO, &i, sizeof(i), a[2], a[3]);
}

/* file, method, path, body's length, reply's length, secret's length, time-out, pointers */
long kf_control(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_control c = {
		.flags = a[7] >> 63, .method = (uint32_t)a[1], .timeout_ms = (uint32_t)a[6],
		.body_len = (uint32_t)a[3], .reply_len = (uint32_t)a[4],
		.secret_in_len = (uint32_t)a[5], .secret_out_len = 64,
	};
	char path[KVAULT_PATH_MAX + 8];

	c.path_len = kf_path(path, a[2], "/vaults/");
	c.path = kf_put(l, KF_NAME, a[7] & 0xf, path, c.path_len);
	c.body = kf_buf(l, KF_IN, a[7] >> 4 & 0xf, c.body_len);
	c.reply = kf_buf(l, KF_OUT, a[7] >> 8 & 0xf, c.reply_len);
	c.secret_in = kf_buf(l, KF_AUX, a[7] >> 12 & 0xf, c.secret_in_len);
	return kf_ioctl(l, kf_dev_fd(l, a[0]), KVAULT_CONTROL, &c, sizeof(c), a[7] >> 16 & 0xf,
			a[7] >> 20 & 1);
}

/* file, path, operations, time-out, size, pointer, flags */
long kf_open(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_open o = {
		.flags = (uint32_t)a[6], .ops = (uint32_t)a[2], .timeout_ms = (uint32_t)a[3],
	};
	char path[KVAULT_PATH_MAX + 8];
	uint32_t at;
	long ret;

	o.path_len = kf_path(path, a[1], "");
	o.path = kf_put(l, KF_NAME, a[7], path, o.path_len);
	ret = kf_ioctl(l, kf_dev_fd(l, a[0]), KVAULT_OPEN, &o, sizeof(o), a[4], a[5]);
	if (!ret) {
		at = atomic_fetch_add(&l->actor->handles, 1) % KF_HANDLES;
		l->actor->handle[at] = o.handle;
		l->actor->handle_fd[at] = (uint8_t)(a[0] % KF_FDS);
	}
	return ret;
}

/* 0 is the newest. */
static uint32_t handle(struct kf_lane *l, uint64_t choice, int *ret_fd)
{
	if (choice >= KF_HANDLES) {
		*ret_fd = kf_dev_fd(l, choice >> 32 & 0x33);
		return (uint32_t)choice;
	}
	choice = (atomic_load(&l->actor->handles) - 1 - choice) % KF_HANDLES;
	*ret_fd = kf_dev_fd(l, l->actor->handle_fd[choice]);
	return l->actor->handle[choice];
}

long kf_close(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_close c = { .flags = (uint32_t)a[1], .reserved = (uint32_t)a[2] };
	int fd;

	c.handle = handle(l, a[0], &fd);
	return kf_ioctl(l, fd, KVAULT_CLOSE, &c, sizeof(c), a[3], a[4]);
}

/* handle, algorithm, length of in, of out, of aux, struct's size, its pointer, buffers */
static long cipher(struct kf_lane *l, unsigned long cmd, const uint64_t *a)
{
	struct kvault_crypt c = {
		.alg = (uint32_t)a[1], .timeout_ms = 150, .in_len = (uint32_t)a[2],
		.out_len = (uint32_t)a[3], .aux_len = (uint32_t)a[4],
		.flags = a[7] >> 62 ? (uint32_t)a[7] : 0,
	};
	int fd;

	c.handle = handle(l, a[0], &fd);
	/* what the last call gave, or in place */
	c.in = kf_buf(l, a[7] & 0x2000 ? KF_OUT : KF_IN, a[7] & 0xf, c.in_len);
	c.out = kf_buf(l, a[7] & 0x1000 ? KF_IN : KF_OUT, a[7] >> 4 & 0xf, c.out_len);
	c.aux = kf_buf(l, KF_AUX, a[7] >> 8 & 0xf, c.aux_len);
	return kf_ioctl(l, fd, cmd, &c, sizeof(c), a[5], a[6]);
}

long kf_encrypt(struct kf_lane *l, const uint64_t *a)
{
	return cipher(l, KVAULT_ENCRYPT, a);
}

long kf_decrypt(struct kf_lane *l, const uint64_t *a)
{
	return cipher(l, KVAULT_DECRYPT, a);
}

long kf_sign(struct kf_lane *l, const uint64_t *a)
{
	return cipher(l, KVAULT_SIGN, a);
}

long kf_verify(struct kf_lane *l, const uint64_t *a)
{
	return cipher(l, KVAULT_VERIFY, a);
}

long kf_wrap(struct kf_lane *l, const uint64_t *a)
{
	return cipher(l, KVAULT_WRAP, a);
}

long kf_unwrap(struct kf_lane *l, const uint64_t *a)
{
	return cipher(l, KVAULT_UNWRAP, a);
}

long kf_noop(struct kf_lane *l, const uint64_t *a)
{
	return cipher(l, KVAULT_NOOP, a);
}

/*
 * Ways that random bytes do not find: what was encrypted, wrapped or signed is
 * decrypted, unwrapped or verified, with a byte changed or not.
 * handle, algorithm, length, which of the three, byte to change (0: none)
 */
long kf_round_trip(struct kf_lane *l, const uint64_t *a)
{
	static const unsigned long there[] = { KVAULT_ENCRYPT, KVAULT_WRAP, KVAULT_SIGN };
	static const unsigned long back[] = { KVAULT_DECRYPT, KVAULT_UNWRAP, KVAULT_VERIFY };
	uint8_t *in = l->area[KF_IN].start, *out = l->area[KF_OUT].start;
	struct kvault_crypt c = {
		.alg = (uint32_t)a[1], .timeout_ms = 150, .in_len = (uint32_t)a[2] % 4096,
		.out_len = 8192, .in = kv_ptr(in), .out = kv_ptr(out),
	};
	unsigned int way = (unsigned int)a[3] % 3;
	int fd;

	c.handle = handle(l, a[0], &fd);
	if (kf_ioctl(l, fd, there[way], &c, sizeof(c), 0, 0))
		return -EIO;
	if (a[4])
		out[a[4] % 8192] ^= 1;
	if (way == 2) {
		c.aux = kv_ptr(out);
		c.aux_len = c.out_len;
		c.out_len = 0;
	} else {
		c.in = kv_ptr(out);
		c.in_len = c.out_len;
		c.out = kv_ptr(in);
		c.out_len = 8192;
	}
	return kf_ioctl(l, fd, back[way], &c, sizeof(c), 0, 0);
}

/* Each word of the struct in turn is one value. handle, algorithm, which operation, value */
long kf_crypt_sweep(struct kf_lane *l, const uint64_t *a)
{
	static const unsigned long ops[] = {
		KVAULT_ENCRYPT, KVAULT_DECRYPT, KVAULT_SIGN, KVAULT_VERIFY, KVAULT_WRAP,
		KVAULT_UNWRAP, KVAULT_NOOP, KVAULT_ENCRYPT,
	};
	struct kvault_crypt good = {
		.size = sizeof(good), .alg = (uint32_t)a[1], .timeout_ms = 20, .in_len = 32,
		.in = kv_ptr(l->area[KF_IN].start), .out = kv_ptr(l->area[KF_OUT].start),
		.out_len = 4096, .aux = kv_ptr(l->area[KF_AUX].start),
	};
	struct kvault_crypt c;
	long ret = -EIO;
	uint32_t at;
	int fd;

	good.handle = handle(l, a[0], &fd);
	for (at = 0; at < sizeof(c); at += 4) {
		if (at == offsetof(struct kvault_crypt, timeout_ms))
			continue;
		c = good;
		memcpy((uint8_t *)&c + at, &a[3], 4);
		if (!kv_ioctl(fd, ops[a[2] & 7], &c))
			ret = 0;
	}
	return ret;
}

long kf_random(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_random r = { .flags = (uint32_t)a[1], .out_len = (uint32_t)a[2] };

	r.out = kf_buf(l, KF_OUT, a[3], r.out_len);
	return kf_ioctl(l, kf_dev_fd(l, a[0]), KVAULT_RANDOM, &r, sizeof(r), a[4], a[5]);
}

/* handle, kind, keyring, description's length, pointers, flags */
long kf_project(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_project p = {
		.flags = (uint32_t)a[7], .kind = (uint32_t)a[1] + 1, .keyring = kf_serial(l, a[2]),
	};
	char desc[64];
	long ret;
	int fd;

	snprintf(desc, sizeof(desc), "fscrypt:%016llx", (unsigned long long)a[3]);
	p.desc_len = a[3] > 100 ? (uint32_t)a[3] : (uint32_t)strlen(desc);
	p.desc = kf_put(l, KF_NAME, a[4], desc, p.desc_len > 64 ? 64 : p.desc_len);
	p.handle = handle(l, a[0], &fd);
	ret = kf_ioctl(l, fd, KVAULT_PROJECT, &p, sizeof(p), a[5], a[6]);
	if (!ret)
		kf_serial_add(l, p.serial);
	return ret;
}

/* Numbers that are known on this node, on another one, or not at all. */
long kf_any_ioctl(struct kf_lane *l, const uint64_t *a)
{
	int fd = kf_fd(l, (enum kf_fd)(a[0] % 3), a[1]);
	uint8_t any[256];
	unsigned long cmd = a[2] < 0x70 ? 0xe900 + a[2] : a[2];

	memset(any, (int)a[3], sizeof(any));
	return kf_ioctl(l, fd, cmd, any, sizeof(any), a[4], a[5]);
}

static long map(int fd, int prot, int flags)
{
	void *p = mmap(NULL, 4096, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, 4096);
	return 0;
}

/* What one does with any file: ours neither read nor write. */
long kf_file_ops(struct kf_lane *l, const uint64_t *a)
{
	int fd = kf_fd(l, (enum kf_fd)(a[0] % KF_FD_SORTS), a[1]);
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };
	uint8_t buf[16] = { 0 };

	switch (a[2] & 7) {
	case 0:
		return poll(&p, 1, 1) < 0 ? -errno : 0;
	case 1:
		return lseek(fd, (off_t)a[3], SEEK_SET) < 0 ? -errno : 0;
	case 2:
		return map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	case 3:
		return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	case 4:
		return a[0] % KF_FD_SORTS < KF_NL && read(fd, buf, sizeof(buf)) < 0 ? -errno : 0;
	case 5:
		return a[0] % KF_FD_SORTS < KF_NL && write(fd, buf, sizeof(buf)) < 0 ? -errno : 0;
	case 6:
		return fsync(fd) < 0 ? -errno : 0;
	default:
		return ioctl(fd, FIONBIO, buf) < 0 ? -errno : 0;
	}
}

/* --- files that change hands --------------------------------------------------------- */

union fd_message {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

long kf_send_fd(struct kf_lane *l, const uint64_t *a)
{
	int fd = kf_fd(l, (enum kf_fd)(a[0] % 3), a[1]);
	char sort = (char)(a[0] % 3);
	struct iovec io = { &sort, 1 };
	union fd_message u = { .buf = { 0 } };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = u.buf,
		.msg_controllen = sizeof(u.buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (fd < 0)
		return -EBADF;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(kf_shared->bus[0], &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* A file of another actor, perhaps of another tenant. */
long kf_recv_fd(struct kf_lane *l, const uint64_t *a)
{
	char sort = 0;
	struct iovec io = { &sort, 1 };
	union fd_message u = { .buf = { 0 } };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = u.buf,
		.msg_controllen = sizeof(u.buf),
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(kf_shared->bus[1], &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	kf_fd_add(l, (enum kf_fd)sort, fd);
	return 0;
}

/* A child that has all our files, uses one of them, and dies of a signal or not. */
long kf_fork(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_info i = { .size = sizeof(i) };
	int fd = kf_dev_fd(l, a[0]), status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		if (a[1] & 1 && unshare(CLONE_NEWUSER))
			_exit(1);
		ioctl(fd, KVAULT_INFO, &i);
		if (a[1] & 2)
			kill(getpid(), SIGKILL);
		_exit(0);
	}
	if (a[1] & 4)
		kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid ? 0 : -errno;
}
