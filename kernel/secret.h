/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_SECRET_H
#define _KV_SECRET_H

#include "upcall.h"

bool kv_secret_is_valid(const struct kvault_binding *b);
int kv_secret_open(struct kv_tenant *t, const struct kv_seg *binding, const struct kv_seg *blob,
		   void **ret_value, u32 *ret_len);
void kv_secret_free(void *value, u32 len);

#endif /* _KV_SECRET_H */
