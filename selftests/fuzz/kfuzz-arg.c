// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: what the numbers of a call's arguments mean. Small numbers name
 * something that exists, or a usual case; others are taken as they are.
 */
#include <linux/keyctl.h>
#include "kfuzz.h"

enum how {
	AT_START, AT_END, HALF_GONE, NOWHERE, UNMAPPED, IN_KERNEL, READ_ONLY, RACING,
	NOT_CANONICAL, UNALIGNED, OVER_STRUCT,
};

static uint8_t *where(struct kf_lane *l, enum kf_area_use use, uint64_t how, uint32_t len)
{
	struct kf_area *a = &l->area[use];

	if (len > KF_AREA_SIZE)
		len = KF_AREA_SIZE;
	switch (how & 0xff) {
	case AT_END:
		return a->end - len;
	case HALF_GONE:
		return a->end - len / 2;
	case NOWHERE:
		return NULL;
	case UNMAPPED:
		return a->end;
	case IN_KERNEL:
		return (uint8_t *)0xffff888000001000;
	case READ_ONLY:
		return a->end + 4096;
	case NOT_CANONICAL:
		return (uint8_t *)0x8000000000000000;
	case UNALIGNED:
		return a->start + 1;
	case OVER_STRUCT:
		return l->area[KF_STRUCT].start;
	default:
		return a->start;
	}
}

static uint32_t writable(uint64_t how, uint32_t len)
{
	if (len > KF_AREA_SIZE - 1)
		len = KF_AREA_SIZE - 1;
	switch (how & 0xff) {
	case HALF_GONE:
		return len / 2;
	case NOWHERE:
	case UNMAPPED:
	case IN_KERNEL:
	case READ_ONLY:
	case NOT_CANONICAL:
		return 0;
	default:
		return len;
	}
}

/* One word flips, from now on until the call is made. */
static void race(struct kf_lane *l, uint8_t *at, uint64_t how)
{
	struct kf_flip *f = &l->actor->flip[l->nr];

	f->other = (uint32_t)(how >> 32);
	atomic_store(&f->at, (volatile uint32_t *)(at + (how >> 8 & 0xfffc)));
}

/* An address where @len bytes are, or are not. */
uint64_t kf_buf(struct kf_lane *l, enum kf_area_use use, uint64_t how, uint32_t len)
{
	uint8_t *at = where(l, use, how, len);

	if ((how & 0xff) == RACING)
		race(l, at, how);
	return kv_ptr(at);
}

/* The same with @data there, as far as it can be written. */
uint64_t kf_put(struct kf_lane *l, enum kf_area_use use, uint64_t how, const void *data,
		uint32_t len)
{
	uint8_t *at = where(l, use, how, len);

	memcpy(at, data, writable(how, len));
	return kf_buf(l, use, how, len);
}

void kf_done(struct kf_lane *l)
{
	atomic_store(&l->actor->flip[l->nr].at, NULL);
}

static uint32_t say_size(uint32_t size, uint64_t how)
{
	switch (how & 0xff) {
	case 1:
		return 0;
	case 2:
		return 4;
	case 3:
		return size - 1;
	case 4:
		return size - 8;
	case 5:
	case 6:
		return size + 8;
	case 7:
		return 4096;
	case 8:
		return 4097;
	case 9:
		return 0xffffffff;
	case 10:
		return size - 16;
	default:
		return size;
	}
}

/* An ioctl of ours: @arg begins with its size, which is made what @how_size says. */
long kf_ioctl(struct kf_lane *l, int fd, unsigned long cmd, void *arg, uint32_t size,
	      uint64_t how_size, uint64_t how)
{
	uint32_t said = say_size(size, how_size), room = said > 8192 ? 8192 : said;
	uint8_t all[8192] = { 0 };
	uint8_t *at;
	long ret;

	*(uint32_t *)arg = said;
	memcpy(all, arg, size);
	if ((how_size & 0xff) == 6)
		all[size + 4] = 1;
	if (room < size)
		room = size;
	at = (uint8_t *)(uintptr_t)kf_put(l, KF_STRUCT, how, all, room);
	ret = ioctl(fd, cmd, at) < 0 ? -errno : 0;
	kf_done(l);
	if (writable(how, room) == room)
		memcpy(arg, at, size);
	return ret;
}

/* --- files ----------------------------------------------------------------------- */

int kf_fd(struct kf_lane *l, enum kf_fd sort, uint64_t choice)
{
	if (choice & 0x20)
		return -1;
	if (choice & 0x10)
		sort = (sort + 1) % KF_FD_SORTS;
	return l->actor->fd[sort][choice % KF_FDS];
}

/* Files are not closed behind the back of a lane that uses them but by number. */
void kf_fd_add(struct kf_lane *l, enum kf_fd sort, int fd)
{
	int i;

	for (i = 0; i < KF_FDS; i++)
		if (l->actor->fd[sort][i] < 0) {
			l->actor->fd[sort][i] = fd;
			return;
		}
	i = (int)((unsigned int)fd % KF_FDS);
	close(l->actor->fd[sort][i]);
	l->actor->fd[sort][i] = fd;
}

/* There is always one: what comes after an open is worth more than EBADF. */
int kf_dev_fd(struct kf_lane *l, uint64_t choice)
{
	if (choice < KF_FDS && l->actor->fd[KF_DEV][choice] < 0)
		l->actor->fd[KF_DEV][choice] = open(KV_DEV, O_RDWR | O_CLOEXEC);
	return kf_fd(l, KF_DEV, choice);
}

/* --- names -------------------------------------------------------------------------- */

/* Bytes of the path in @buf, which has room for KVAULT_PATH_MAX + 8. */
uint32_t kf_path(char *buf, uint64_t choice, const char *before)
{
	memset(buf, 'a', KVAULT_PATH_MAX + 8);
	switch (choice) {
	case 16:
		return 0;
	case 17:
		return KVAULT_PATH_MAX;
	case 18:
		return KVAULT_PATH_MAX + 1;
	case 19:
		memcpy(buf, "v/keys/k0\0x", 11);
		return 11;
	case 20:
		memcpy(buf, "v/keys/k\xff\xfe", 10);
		return 10;
	case 21:
		return (uint32_t)sprintf(buf, "%sv/keys", before);
	case 22:
		return (uint32_t)sprintf(buf, "//");
	case 23:
		return (uint32_t)sprintf(buf, "%sv/keys/none", before);
	}
	if (choice & 8)
		return (uint32_t)sprintf(buf, "%sv/keys/k%u/%032x", before,
					 (unsigned int)choice & 7, 0xee);
	return (uint32_t)sprintf(buf, "%sv/keys/k%u", before, (unsigned int)choice & 7);
}

/* Ids that no session before has used. */
void kf_ids(uint8_t *object, uint8_t *version, const uint8_t *tenant, unsigned int key)
{
	uint64_t session = atomic_load(&kf_shared->session);

	memcpy(object, &session, 8);
	object[8] = (uint8_t)key;
	memcpy(object + 9, tenant, 7);
	memcpy(version, object, KVAULT_ID_SIZE);
	version[7] = 0xee;
}

void kf_token(struct kf_lane *l, struct kvault_token *t, uint64_t key)
{
	memset(t, 0, sizeof(*t));
	memcpy(t->magic, KVAULT_TOKEN_MAGIC, sizeof(t->magic));
	t->format[0] = 1;
	memcpy(t->tenant, kv_host, sizeof(t->tenant));
	kf_ids(t->key, t->version, kv_host, (unsigned int)key & 7);
}

/* --- keys in keyrings ----------------------------------------------------------------- */

/* 0 is the newest. */
int32_t kf_serial(struct kf_lane *l, uint64_t choice)
{
	if (choice < 0x100)
		return l->actor->serial[(atomic_load(&l->actor->serials) - 1 - choice) %
					KF_SERIALS];
	if (choice < 0x110)
		return -(int32_t)(choice & 15);	/* KEY_SPEC_* */
	return (int32_t)choice;
}

void kf_serial_add(struct kf_lane *l, long serial)
{
	if (serial > 0)
		l->actor->serial[atomic_fetch_add(&l->actor->serials, 1) % KF_SERIALS] =
			(int32_t)serial;
}
