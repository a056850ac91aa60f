/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_SUPPLY_H
#define _KV_SUPPLY_H

#include <linux/types.h>

struct kv_caller;
struct kv_handle;

int kv_supply_project(struct kv_caller *who, struct kv_handle *h, u32 kind, s32 keyring,
		      const char *desc, u32 desc_len, s32 *ret_serial);

#endif /* _KV_SUPPLY_H */
