/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_REFUSAL_H
#define _KV_REFUSAL_H

#include <linux/types.h>

struct kv_event;
struct kv_tenant;

void kv_refusals_init(struct kv_tenant *t);
void kv_audit_denied(struct kv_tenant *t, const struct kv_event *ev);
void kv_refusals_lost(struct kv_tenant *t, u64 count);
void kv_refusals_flush(struct kv_tenant *t);
void kv_refusals_end(struct kv_tenant *t);
void kv_refusals_free(struct kv_tenant *t);

#endif /* _KV_REFUSAL_H */
