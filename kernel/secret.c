// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values of secrets. They are with kvaultd as sealed blobs, and are opened for
 * who asked, after kvaultd has decided. What it says is hostile input here: a
 * blob opens only as what it was sealed for, so that no key and nothing of
 * another tenant gets out this way.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "seal.h"
#include "secret.h"
#include "tenant.h"

/* A secret that the caller's tenant has, and that is enabled. */
static int check_binding(const struct kv_tenant *t, const struct kvault_binding *b)
{
	if (kv_binding_check(t, b))
		return -EIO;
#ifndef KVAULT_MUTANT_ANSWER_TYPE
	if (b->type != KVAULT_TYPE_SECRET)
		return -EIO;
#endif
#ifndef KVAULT_MUTANT_ANSWER_DISABLED
	if (!(b->flags & KVAULT_KEY_ENABLED))
		return -EIO;
#endif
	return 0;
}

/**
 * kv_secret_is_valid() - has a binding the shape of a secret's?
 * @b: binding that was checked
 *
 * Return: true if it has nothing of a key.
 */
bool kv_secret_is_valid(const struct kvault_binding *b)
{
	return b->type == KVAULT_TYPE_SECRET && !b->kty && !b->bits && !b->curve && !b->ops &&
	       !(b->flags & ~KVAULT_KEY_ENABLED);
}

/**
 * kv_secret_open() - the value that an answer of the daemon's releases
 * @t: tenant of who asked
 * @binding: segment with a struct kvault_binding
 * @blob: segment with the blob
 * @ret_value: out: for kv_secret_free(); written on success only
 * @ret_len: out: its length, which may be 0
 *
 * Return: 0; -EIO for an answer that makes no sense, -EHOSTDOWN without a KEK, -ENOMEM.
 */
int kv_secret_open(struct kv_tenant *t, const struct kv_seg *binding, const struct kv_seg *blob,
		   void **ret_value, u32 *ret_len)
{
	struct kvault_binding b;
	u32 len;
	void *value;
	int ret;

	if (binding->len != sizeof(b) || blob->len < KVAULT_BLOB_OVERHEAD ||
	    blob->len > KVAULT_BLOB_MAX)
		return -EIO;
	/* segments lie as they come: this one need not be aligned */
	memcpy(&b, binding->p, sizeof(b));
	ret = check_binding(t, &b);
	if (ret)
		return ret;
	len = blob->len - KVAULT_BLOB_OVERHEAD;
	value = kvmalloc(len ?: 1, GFP_KERNEL_ACCOUNT);
	if (!value)
		return -ENOMEM;
	ret = kv_unseal(t, &b, blob->p, blob->len, value, &len);
	if (ret) {
		kvfree(value);
		return ret == -ENOMEM || ret == -EHOSTDOWN ? ret : -EIO;
	}
	*ret_value = value;
	*ret_len = len;
	return 0;
}

/**
 * kv_secret_free() - wipe and free a value
 * @value: from kv_secret_open(), or NULL
 * @len: its length
 */
void kv_secret_free(void *value, u32 len)
{
#ifndef KVAULT_MUTANT_NO_VALUE_WIPE
	if (value)
		memzero_explicit(value, len);
#endif
	kvfree(value);
}
