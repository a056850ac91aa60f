/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_DEVICE_H
#define _KV_DEVICE_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/xarray.h>
#include <linux/kvault_control.h>
#include "grant.h"

struct kv_handle;

/**
 * struct kv_file - an open /dev/kvault
 * @tenant: of the opener, a reference; immutable
 * @opener: who opened it, a reference; immutable
 * @last: who called last, if not the opener; a reference (last_lock)
 * @last_lock: protects @last; a leaf
 * @handles: number -> handle, a reference each; looked up under RCU
 * @buf_lock: who holds it may use @buf; only ever tried for
 * @buf: linear memory for payload, grown as needed, all zeros when not in use
 * @buf_size: bytes of it
 */
struct kv_file {
	struct kv_tenant *tenant;
	struct kv_principal *opener;
	struct kv_principal *last;
	spinlock_t last_lock;	/* protects last */
	struct xarray handles;
	struct mutex buf_lock;	/* protects buf, only tried for */
	void *buf;
	u32 buf_size;
};

int kv_device_init(void);
void kv_device_exit(void);

struct kv_handle *kv_file_handle(struct kv_file *f, u32 nr);
void *kv_file_buf_get(struct kv_file *f, u32 size, bool *ret_own);
void kv_file_buf_put(struct kv_file *f, void *buf, u32 size, u32 used, bool own);

int kv_op_info(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_control(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_open(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_close(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_crypt(struct kv_file *f, struct kv_caller *who, struct kvault_crypt *arg, u32 op);
int kv_op_noop(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_random(struct kv_file *f, struct kv_caller *who, void *p);
int kv_op_project(struct kv_file *f, struct kv_caller *who, void *p);

#endif /* _KV_DEVICE_H */
