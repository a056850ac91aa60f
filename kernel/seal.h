/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_SEAL_H
#define _KV_SEAL_H

#include <linux/types.h>
#include <linux/kvault_control.h>

struct kv_tenant;

void kv_seal_exit(void);

int kv_root_set(const u8 *store, const u8 *key);
int kv_root_wrap(struct kvault_root_wrap *arg, const u8 *secret, u32 secret_len);
bool kv_root_is_set(void);
int kv_root_adopt_store(const u8 *store, const u8 *tenant);
int kv_kek_ephemeral(struct kv_tenant *t);
void kv_kek_wipe(struct kv_tenant *t);

int kv_seal(struct kv_tenant *t, const struct kvault_binding *b,
	    const void *plain, u32 len, void *blob);
int kv_unseal(struct kv_tenant *t, const struct kvault_binding *b,
	      const void *blob, u32 blob_len, void *plain, u32 *ret_len);
int kv_binding_check(const struct kv_tenant *t, const struct kvault_binding *b);
void kv_binding_transit(struct kvault_binding *b, const struct kv_tenant *t,
			const u8 *request_id, u32 flags);

#endif /* _KV_SEAL_H */
