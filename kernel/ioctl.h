/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_IOCTL_H
#define _KV_IOCTL_H

#include <linux/build_bug.h>
#include <linux/fs.h>
#include <linux/kvault_control.h>

/**
 * struct kv_ioctl - one ioctl of a node
 * @cmd: its number
 * @size: size of its struct as this kernel knows it
 * @min_size: size of the first version of the struct
 * @is_in: nothing is written back
 * @fn: handler; sees a kernel copy only, which is wiped afterwards
 * @undo: takes back what the handler did and the caller was not told; or NULL
 */
struct kv_ioctl {
	u32 cmd;
	u16 size;
	u16 min_size;
	bool is_in;
	int (*fn)(struct file *file, void *arg);
	void (*undo)(struct file *file, void *arg);
};

/* A number has no size in it: that is how tests ask a node which ones it knows. */
#define KV_IOCTL_NR(_cmd) \
	((_cmd) + BUILD_BUG_ON_ZERO((_cmd) != _IO(KVAULT_IOC_TYPE, _IOC_NR(_cmd))))

#define KV_IOCTL_ARG_MAX	128

/* Structs grow; one that the dispatcher has no room for is not built. */
#define KV_IOCTL_SIZE(_struct) \
	(sizeof(struct _struct) + BUILD_BUG_ON_ZERO(sizeof(struct _struct) > KV_IOCTL_ARG_MAX))

#define KV_IOCTL(_cmd, _struct, _last, _fn) \
	{ .cmd = KV_IOCTL_NR(_cmd), .size = KV_IOCTL_SIZE(_struct), \
	  .min_size = offsetofend(struct _struct, _last), .fn = _fn }

/* One that has nothing to say but its return value. */
#define KV_IOCTL_IN(_cmd, _struct, _last, _fn) \
	{ .cmd = KV_IOCTL_NR(_cmd), .size = KV_IOCTL_SIZE(_struct), .is_in = true, \
	  .min_size = offsetofend(struct _struct, _last), .fn = _fn }

long kv_ioctl_dispatch(struct file *file, unsigned int cmd, unsigned long uptr,
		       const struct kv_ioctl *table, size_t n);
void *kv_copy_in(u64 uptr, u32 len, u32 max);

int kv_control_init(void);
void kv_control_exit(void);

#endif /* _KV_IOCTL_H */
