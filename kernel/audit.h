/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_AUDIT_H
#define _KV_AUDIT_H

#include <linux/types.h>
#include <linux/kvault_control.h>

struct kv_caller;
struct kv_object;
struct kv_principal;
struct kv_tenant;

/**
 * struct kv_event - what a record says; all borrowed
 * @type: enum kvault_audit_type
 * @face: enum kvault_face
 * @who: principal
 * @object: key version, may be NULL
 * @key: without @object: id of the key, may be NULL
 * @version: likewise: id of the version
 * @request_id: may be NULL
 * @lease: may be NULL
 * @op: one of KVAULT_OP_*
 * @alg: enum kvault_alg
 * @status: 0 or negative errno
 * @count: how many
 */
struct kv_event {
	u32 type;
	u32 face;
	struct kv_principal *who;
	const struct kv_object *object;
	const u8 *key;
	const u8 *version;
	const u8 *request_id;
	const u8 *lease;
	u32 op;
	u32 alg;
	s32 status;
	u64 count;
};

struct kv_record;

struct kv_record *kv_audit_reserve(struct kv_tenant *t);
struct kv_record *kv_audit_reserve_for(struct kv_tenant *t, const struct kv_principal *who);
void kv_audit_commit(struct kv_tenant *t, struct kv_record *rec, const struct kv_event *ev);
void kv_audit_cancel(struct kv_tenant *t, struct kv_record *rec);
bool kv_audit_has_room(struct kv_tenant *t);
int kv_audit_emit(struct kv_tenant *t, const struct kv_event *ev);
bool kv_audit_pending(u64 generation);
int kv_audit_read(u64 generation, u64 __user *ubuf, u32 *len, u32 *ret_more);
void kv_audit_unread(u64 generation);
void kv_audit_ack(struct kv_tenant *t, u64 seq);
u32 kv_audit_drop_all(struct kv_tenant *t);

#endif /* _KV_AUDIT_H */
