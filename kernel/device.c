// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kvault: who may open it, in whose name a call is made, and the table
 * of its ioctls. Everyone may open it; an open file belongs to the opener's
 * tenant for good, and from any other tenant it can be closed and no more.
 *
 * read() and write() do nothing here, so that a file that is passed to a
 * program as its standard output cannot make it do anything.
 */
#include <linux/cred.h>
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "audit.h"
#include "device.h"
#include "handle.h"
#include "ioctl.h"
#include "live.h"
#include "principal.h"
#include "refusal.h"
#include "tenant.h"

static int device_open(struct inode *inode, struct file *file)
{
	struct kv_file *f;
	int ret;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->tenant = kv_tenant_of(file->f_cred->user_ns);
	if (IS_ERR(f->tenant)) {
		ret = PTR_ERR(f->tenant);
		goto out_free;
	}
	f->opener = kv_principal_new(f->tenant);
	if (IS_ERR(f->opener)) {
		ret = PTR_ERR(f->opener);
		goto out_put;
	}
	spin_lock_init(&f->last_lock);
	xa_init_flags(&f->handles, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->private_data = f;
	kv_live_inc(KV_LIVE_FILE);
	return 0;

out_put:
	kv_tenant_put(f->tenant);
out_free:
	kfree(f);
	return ret;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct kv_file *f = file->private_data;
	struct kv_handle *h;
	unsigned long nr;

	xa_for_each(&f->handles, nr, h)
		kv_handle_put(h);
	xa_destroy(&f->handles);
	if (f->buf)
		free_pages_exact(f->buf, f->buf_size);
	kv_principal_put(f->last);
#ifndef KVAULT_MUTANT_REFERENCE_LEAK
	kv_principal_put(f->opener);
#endif
	kv_tenant_put(f->tenant);
	kv_live_dec(KV_LIVE_FILE);
	kfree(f);
	return 0;
}

/**
 * kv_file_buf_new() - what kv_file_buf_get() does when the file has none that fits
 * @f: open file
 * @size: bytes
 *
 * Return: the memory, or NULL.
 */
void *kv_file_buf_new(struct kv_file *f, u32 size)
{
	void *buf, *old;

	if (test_and_set_bit_lock(KV_FILE_BUF_TAKEN, &f->flags))
		return alloc_pages_exact(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	buf = alloc_pages_exact(PAGE_ALIGN(size), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buf) {
		clear_bit_unlock(KV_FILE_BUF_TAKEN, &f->flags);
		return NULL;
	}
	/* before the old memory is free, and may be what another thread gets */
	old = f->buf;
	WRITE_ONCE(f->buf, buf);
	if (old)
		free_pages_exact(old, f->buf_size);
	f->buf_size = PAGE_ALIGN(size);
	return buf;
}

/* The principal of a task that is not the opener, a reference; captured when it is new. */
static struct kv_principal *other_principal(struct kv_file *f)
{
	struct kv_principal *p, *old;

	spin_lock(&f->last_lock);
	p = f->last && kv_principal_is_current(f->last) ? kv_principal_get(f->last) : NULL;
	spin_unlock(&f->last_lock);
	if (p)
		return p;
	p = kv_principal_new(f->tenant);
	if (IS_ERR(p))
		return p;
	spin_lock(&f->last_lock);
	old = f->last;
	f->last = kv_principal_get(p);
	spin_unlock(&f->last_lock);
	kv_principal_put(old);
	return p;
}

/* In the caller's log: what he does takes no room of those whose file it is. */
static void denied_foreigner(void)
{
	struct kv_tenant *t = kv_tenant_of_current();
	struct kv_principal *p = kv_principal_new(t);

	if (!IS_ERR(p))
		kv_audit_denied(t, &(struct kv_event){
			.type = KVAULT_AUDIT_DENIED, .face = KVAULT_FACE_IOCTL, .who = p,
			.status = -EACCES, .count = 1 });
	kv_principal_put(p);
	kv_tenant_put(t);
}

/*
 * Who calls. A file that came from another tenant is of no use here, whatever
 * way it came. The file holds its opener for as long as the call lasts; of
 * anybody else the call has a reference.
 */
static struct kv_principal *caller_get(struct kv_file *f)
{
#ifndef KVAULT_MUTANT_NO_TENANT_CHECK
	if (!kv_tenant_is_callers(f->tenant)) {
		denied_foreigner();
		return ERR_PTR(-EACCES);
	}
#endif
	return kv_principal_is_current(f->opener) ? f->opener : other_principal(f);
}

static int call(struct file *file, void *arg,
		int (*fn)(struct kv_file *f, struct kv_caller *who, void *arg))
{
	struct kv_file *f = file->private_data;
	struct kv_principal *caller = caller_get(f);
	int ret;

	if (IS_ERR(caller))
		return PTR_ERR(caller);
	ret = fn(f, &(struct kv_caller) {
		.tenant = f->tenant, .caller = caller, .opener = f->opener,
		.face = KVAULT_FACE_IOCTL, .timeout_ms = KVAULT_TIMEOUT_MS }, arg);
	if (caller != f->opener)
		kv_principal_put(caller);
	return ret;
}

static int do_info(struct file *file, void *arg)
{
	return call(file, arg, kv_op_info);
}

static int do_control(struct file *file, void *arg)
{
	return call(file, arg, kv_op_control);
}

static int do_open(struct file *file, void *arg)
{
	return call(file, arg, kv_op_open);
}

static int do_noop(struct file *file, void *arg)
{
	return call(file, arg, kv_op_noop);
}

static int do_random(struct file *file, void *arg)
{
	return call(file, arg, kv_op_random);
}

static int do_project(struct file *file, void *arg)
{
	return call(file, arg, kv_op_project);
}

static int do_encrypt(struct file *file, void *arg)
{
	return call(file, arg, kv_op_encrypt);
}

static int do_decrypt(struct file *file, void *arg)
{
	return call(file, arg, kv_op_decrypt);
}

static int do_sign(struct file *file, void *arg)
{
	return call(file, arg, kv_op_sign);
}

static int do_verify(struct file *file, void *arg)
{
	return call(file, arg, kv_op_verify);
}

static int do_wrap(struct file *file, void *arg)
{
	return call(file, arg, kv_op_wrap);
}

static int do_unwrap(struct file *file, void *arg)
{
	return call(file, arg, kv_op_unwrap);
}

/* To close is allowed to everyone who has the file. */
static int do_close(struct file *file, void *arg)
{
	/* cocci tenant: see above */
	return kv_op_close(file->private_data, NULL, arg);
}

/* A handle whose number the caller does not know would stay until the file is closed. */
static void undo_open(struct file *file, void *arg)
{
	const struct kvault_open *o = arg;

	/* cocci tenant: the handle is one that this call has made */
	kv_op_close(file->private_data, NULL, &(struct kvault_close){ .handle = o->handle });
}

static const struct kv_ioctl device_ioctls[] = {
	KV_IOCTL(KVAULT_ENCRYPT, kvault_crypt, request_id, do_encrypt),
	KV_IOCTL(KVAULT_DECRYPT, kvault_crypt, request_id, do_decrypt),
	KV_IOCTL(KVAULT_NOOP, kvault_crypt, request_id, do_noop),
	KV_IOCTL(KVAULT_SIGN, kvault_crypt, request_id, do_sign),
	KV_IOCTL(KVAULT_VERIFY, kvault_crypt, request_id, do_verify),
	KV_IOCTL(KVAULT_WRAP, kvault_crypt, request_id, do_wrap),
	KV_IOCTL(KVAULT_UNWRAP, kvault_crypt, request_id, do_unwrap),
	{ .cmd = KV_IOCTL_NR(KVAULT_OPEN), .size = sizeof(struct kvault_open),
	  .min_size = offsetofend(struct kvault_open, request_id),
	  .fn = do_open, .undo = undo_open },
	KV_IOCTL_IN(KVAULT_CLOSE, kvault_close, reserved, do_close),
	KV_IOCTL(KVAULT_CONTROL, kvault_control, request_id, do_control),
	KV_IOCTL(KVAULT_INFO, kvault_info, pkcs11_engines, do_info),
	KV_IOCTL(KVAULT_RANDOM, kvault_random, reserved, do_random),
	KV_IOCTL(KVAULT_PROJECT, kvault_project, reserved, do_project),
};

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long uptr)
{
	return kv_ioctl_dispatch(file, cmd, uptr, device_ioctls, ARRAY_SIZE(device_ioctls));
}

static const struct file_operations device_fops = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.release	= device_release,
	.unlocked_ioctl	= device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice device_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "kvault", .fops = &device_fops, .mode = 0666,
};

/**
 * kv_device_init() - make the node; from here on anyone can call
 *
 * Return: 0; -errno of the misc core.
 */
int kv_device_init(void)
{
	return misc_register(&device_misc);
}

/**
 * kv_device_exit() - remove it
 */
void kv_device_exit(void)
{
	misc_deregister(&device_misc);
}
