/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_PKEY_H
#define _KV_PKEY_H

#include <linux/key.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "tenant.h"

struct kernel_pkey_params;
struct kernel_pkey_query;
struct kv_handle;
struct kv_principal;

/**
 * struct kv_payload - what a finished key holds
 * @tenant: whose it is, a reference; immutable
 * @opener: who requested it, a reference; immutable
 * @lock: protects @handle; a leaf
 * @handle: NULL once the key is revoked
 * @kty: KVAULT_KTY_*, immutable
 * @bits: of an RSA key, immutable
 * @curve: KVAULT_CURVE_*, immutable
 * @ops: KVAULT_OP_* that were asked for and granted, immutable
 * @public_len: bytes of @public, immutable
 * @public: public JWK, immutable
 */
struct kv_payload {
	struct kv_tenant *tenant;
	struct kv_principal *opener;
	spinlock_t lock;	/* protects handle; a leaf */
	struct kv_handle *handle;
	u32 kty;
	u32 bits;
	u32 curve;
	u32 ops;
	u32 public_len;
	u8 public[];
};

static inline struct kv_payload *kv_payload_of(const struct key *key)
{
	return key->payload.data[0];
}

/* Keyrings pass between namespaces: checked by every callback, first of all. */
static inline bool kv_payload_is_callers(const struct kv_payload *p)
{
#ifdef KVAULT_MUTANT_KEYRING_TENANT
	return p;
#endif
	return p && kv_tenant_is_callers(p->tenant);
}

int kv_pkey_query(const struct kernel_pkey_params *params, struct kernel_pkey_query *info);
int kv_pkey_eds(struct kernel_pkey_params *params, const void *in, void *out);
int kv_pkey_verify(struct kernel_pkey_params *params, const void *in, const void *in2);

#endif /* _KV_PKEY_H */
