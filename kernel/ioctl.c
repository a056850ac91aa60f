// SPDX-License-Identifier: GPL-2.0-only
/*
 * How all three nodes take their ioctls: a table per node, structs that begin
 * with their size, one place that copies them.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "ioctl.h"

static_assert(sizeof(struct kvault_info) == 80);
static_assert(sizeof(struct kvault_control) == 96);
static_assert(sizeof(struct kvault_open) == 80);
static_assert(sizeof(struct kvault_close) == 16);
static_assert(sizeof(struct kvault_crypt) == 104);
static_assert(sizeof(struct kvault_random) == 24);
static_assert(sizeof(struct kvault_project) == 40);
static_assert(sizeof(struct kvault_token) == KVAULT_TOKEN_SIZE);
static_assert(sizeof(struct kvault_binding) == 256);
static_assert(sizeof(struct kvault_principal) == 592);
static_assert(sizeof(struct kvault_msg) == 104);
static_assert(sizeof(struct kvault_access) == 64);
static_assert(sizeof(struct kvault_grant) == 344);
static_assert(sizeof(struct kvault_engine_req) == 48);
static_assert(sizeof(struct kvault_claim) == 32);
static_assert(sizeof(struct kvault_exchange) == 32);
static_assert(sizeof(struct kvault_seal) == 72);
static_assert(sizeof(struct kvault_submit) == 80);
static_assert(sizeof(struct kvault_root_set) == 56);
static_assert(sizeof(struct kvault_root_wrap) == 120);
static_assert(sizeof(struct kvault_audit_rec) == 728);
static_assert(sizeof(struct kvault_audit_read) == 24);
static_assert(sizeof(struct kvault_attach) == 16);

static const struct kv_ioctl *find(unsigned int cmd, const struct kv_ioctl *table, size_t n)
{
	const struct kv_ioctl *io;

	for (io = table; io < table + n; io++)
		if (io->cmd == cmd)
			return io;
	return NULL;
}

/*
 * The struct of all cipher operations is copied with a size that the compiler
 * knows: what hardening checks at run time of a copy by a variable's size costs
 * as much as the copy.
 */
static int copy_in(void *arg, size_t ksize, const void __user *uarg, u32 usize)
{
	if (ksize == sizeof(struct kvault_crypt) && usize == ksize)
		return copy_from_user(arg, uarg, sizeof(struct kvault_crypt)) ? -EFAULT : 0;
	return copy_struct_from_user(arg, ksize, uarg, usize);
}

static int copy_out(void __user *uarg, const void *arg, u32 size)
{
	if (size == sizeof(struct kvault_crypt))
		return copy_to_user(uarg, arg, sizeof(struct kvault_crypt)) ? -EFAULT : 0;
	return copy_to_user(uarg, arg, size) ? -EFAULT : 0;
}

/**
 * kv_ioctl_dispatch() - copy a struct in, call its handler, copy it out
 * @file: open file
 * @cmd: number of the ioctl
 * @uptr: pointer to the struct
 * @table: what the node knows
 * @n: entries of it
 *
 * The struct is written back when the handler fails too: it then says how
 * much room is needed, and which request it was.
 *
 * Return: what the handler returns; -ENOTTY, -EINVAL, -E2BIG, -EFAULT.
 */
long kv_ioctl_dispatch(struct file *file, unsigned int cmd, unsigned long uptr,
		       const struct kv_ioctl *table, size_t n)
{
	const struct kv_ioctl *io = find(cmd, table, n);
	void __user *uarg = (void __user *)uptr;
	/* what is read of it is written: hardening need not zero it at each call */
	u64 arg[KV_IOCTL_ARG_MAX / sizeof(u64)] __attribute__((uninitialized));
	u32 size;
	long ret;

	if (!io)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < io->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
#ifndef KVAULT_MUTANT_DOUBLE_FETCH
	ret = copy_in(arg, io->size, uarg, size);
#else
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	ret = copy_from_user(arg, uarg, size) ? -EFAULT : 0;
#endif
	if (ret)
		goto out_wipe;
	*(u32 *)arg = size;	/* the user may have changed it in between */
	ret = io->fn(file, arg);
	if (!io->is_in && copy_out(uarg, arg, min_t(u32, size, io->size))) {
#ifndef KVAULT_MUTANT_NO_UNDO
		if (!ret && io->undo)
			io->undo(file, arg);
#endif
		ret = -EFAULT;
	}
out_wipe:	/* a copy that failed has copied a part, of the root key perhaps */
	memzero_explicit(arg, sizeof(arg));
	return ret;
}

/**
 * kv_copy_in() - copy a buffer of the caller
 * @uptr: where it is
 * @len: how long it is
 * @max: how long it may be
 *
 * Return: a copy to be freed by kvfree(), not NULL even without a byte;
 * -EMSGSIZE, -EFAULT, -ENOMEM.
 */
void *kv_copy_in(u64 uptr, u32 len, u32 max)
{
	void *p;

	if (len > max)
		return ERR_PTR(-EMSGSIZE);
	p = kvmalloc(len ?: 1, GFP_KERNEL_ACCOUNT);
	if (!p)
		return ERR_PTR(-ENOMEM);
	if (len && copy_from_user(p, u64_to_user_ptr(uptr), len)) {
		memzero_explicit(p, len);	/* a part of it has come */
		kvfree(p);
		return ERR_PTR(-EFAULT);
	}
	return p;
}
