/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that kvault is built for. The only file
 * that may look at LINUX_VERSION_CODE; nothing is probed at run time.
 */
#ifndef _KV_COMPAT_H
#define _KV_COMPAT_H

#include <linux/version.h>
#include <linux/fs.h>
#include <linux/mm_types.h>

/*
 * The running executable of @mm with a reference, or NULL. get_mm_exe_file()
 * is not exported.
 */
static inline struct file *kv_mm_exe_file(struct mm_struct *mm)
{
	struct file *file;

	rcu_read_lock();
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	file = rcu_dereference(mm->exe_file);
	if (file && !get_file_rcu(file))
		file = NULL;
#else
	file = get_file_rcu(&mm->exe_file);
#endif
	rcu_read_unlock();
	return file;
}

/* The name of a namespace of symbols has become a string. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define KV_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#else
#define KV_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#endif

/* What the completion of a crypto request is given, and the data in it. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define KV_CRYPTO_DONE_ARG	struct crypto_async_request
#define kv_crypto_done_data(arg) ((arg)->data)
#else
#define KV_CRYPTO_DONE_ARG	void
#define kv_crypto_done_data(arg) (arg)
#endif

#endif /* _KV_COMPAT_H */
