/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_DEVICE_H
#define _KV_DEVICE_H

#include <linux/bitops.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include <linux/kvault_control.h>
#include "handle.h"

#define KV_FILE_BUF_TAKEN	0	/* a bit of flags */

/**
 * struct kv_file - an open /dev/kvault
 * @tenant: of the opener, a reference; immutable
 * @opener: who opened it, a reference; immutable
 * @last: who called last, if not the opener; a reference (last_lock)
 * @last_lock: protects @last; a leaf
 * @handles: number -> handle, a reference each; looked up under RCU
 * @flags: KV_FILE_BUF_TAKEN: who has set it may use @buf, others take memory of their own
 * @buf: linear memory for payload, grown as needed, all zeros when not in use
 * @buf_size: bytes of it
 */
struct kv_file {
	struct kv_tenant *tenant;
	struct kv_principal *opener;
	struct kv_principal *last;
	spinlock_t last_lock;	/* protects last */
	struct xarray handles;
	unsigned long flags;
	void *buf;
	u32 buf_size;
};

int kv_device_init(void);
void kv_device_exit(void);

/**
 * kv_file_handle() - look a handle up
 * @f: open file
 * @nr: its number there
 *
 * Return: the handle with a reference, or -ENOKEY.
 */
static inline struct kv_handle *kv_file_handle(struct kv_file *f, u32 nr)
{
	XA_STATE(xas, &f->handles, nr);
	struct kv_handle *h;

	rcu_read_lock();
	do {
		h = xas_load(&xas);
		if (xa_is_zero(h))	/* number 0, which nobody has */
			h = NULL;
	} while (xas_retry(&xas, h));
	if (h)
		h = kv_handle_get(h);
	rcu_read_unlock();
	return h ?: ERR_PTR(-ENOKEY);
}

void *kv_file_buf_new(struct kv_file *f, u32 size);

/**
 * kv_file_buf_get() - linear memory for the payload of one operation
 * @f: open file, whose own buffer is used when no other thread has it
 * @size: bytes
 *
 * Return: the memory, or NULL.
 */
static inline void *kv_file_buf_get(struct kv_file *f, u32 size)
{
	if (!test_and_set_bit_lock(KV_FILE_BUF_TAKEN, &f->flags)) {
		if (f->buf_size >= size)
			return f->buf;
		clear_bit_unlock(KV_FILE_BUF_TAKEN, &f->flags);
	}
	return kv_file_buf_new(f, size);
}

/**
 * kv_file_buf_put() - give it back
 * @f: open file
 * @buf: what kv_file_buf_get() returned
 * @size: as there
 * @used: bytes that have to be wiped
 */
static inline void kv_file_buf_put(struct kv_file *f, void *buf, u32 size, u32 used)
{
	if (used)
		memzero_explicit(buf, used);
	/* the file's is nobody else's while it is taken */
	if (buf == READ_ONCE(f->buf))
		clear_bit_unlock(KV_FILE_BUF_TAKEN, &f->flags);
	else
		free_pages_exact(buf, size);
}

int kv_op_info(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_control(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_open(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_close(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_encrypt(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_decrypt(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_sign(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_verify(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_wrap(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_unwrap(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_noop(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_random(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_project(struct kv_file *f, struct kv_caller *who, void *p);

#endif /* _KV_DEVICE_H */
