// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys for other parts of the kernel: what is derived from a volume key goes
 * into a keyring as a key of their type, and userspace never has a byte of it.
 *
 * Only fscrypt is supplied so. Whoever has a key that was handed over can not
 * be made to give it back, which is why dm-crypt gets tokens (paes.c).
 */
#include <linux/fscrypt.h>
#include <linux/key.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "audit.h"
#include "crypto.h"
#include "handle.h"
#include "supply.h"

#define KV_FSCRYPT_LABEL	"kvault/1/fscrypt"
#define KV_FSCRYPT_HALF		32

/* struct fscrypt_provisioning_key_payload, with the size of our keys */
struct kv_fscrypt_payload {
	u32 type;
	u32 reserved;
	u8 raw[2 * KV_FSCRYPT_HALF];
};

/*
 * SP 800-108 in counter mode gives 32 bytes a call here, so the halves are told
 * apart by their context: one byte, 1 or 2.
 */
static int derive(struct kv_object *obj, u8 *raw)
{
	int ret = -EKEYREVOKED;
	u8 half;

	mutex_lock(&obj->lock);
	if (obj->state == KVAULT_OBJECT_LIVE && obj->material)
		for (ret = 0, half = 1; !ret && half <= 2; half++, raw += KV_FSCRYPT_HALF)
			ret = kv_kdf(obj->material, obj->material_len, KV_FSCRYPT_LABEL,
				     &half, sizeof(half), raw);
	mutex_unlock(&obj->lock);
	return ret;
}

/*
 * A key that its possessor may see, use and unlink. There is none of the rights
 * that go by uid, since tenants may share one.
 */
static int publish(s32 keyring, const char *desc, const struct kv_fscrypt_payload *payload,
		   s32 *ret_serial)
{
	const key_perm_t perm = KEY_POS_VIEW | KEY_POS_SEARCH | KEY_POS_LINK | KEY_POS_SETATTR;
	key_ref_t ring, ref;

	ring = lookup_user_key(keyring, 0, KEY_NEED_WRITE);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	ref = key_create_or_update(ring, "fscrypt-provisioning", desc, payload, sizeof(*payload),
				   perm, KEY_ALLOC_IN_QUOTA);
	key_ref_put(ring);
	if (IS_ERR(ref))	/* ENODEV: a kernel without fscrypt */
		return PTR_ERR(ref) == -ENODEV ? -EOPNOTSUPP : PTR_ERR(ref);
	*ret_serial = key_ref_to_ptr(ref)->serial;
	key_ref_put(ref);
	return 0;
}

static int project(struct kv_handle *h, s32 keyring, const char *desc, u32 desc_len,
		   s32 *ret_serial)
{
	struct kv_fscrypt_payload payload = { .type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER };
	char *name = kmemdup_nul(desc, desc_len, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!name)
		return -ENOMEM;
	ret = derive(h->object, payload.raw);
	if (!ret)
		ret = publish(keyring, name, &payload, ret_serial);
	memzero_explicit(&payload, sizeof(payload));
	kfree(name);
	return ret;
}

/**
 * kv_supply_project() - put a key where another part of the kernel finds it
 * @who: in whose name
 * @h: handle of a volume key
 * @kind: KVAULT_PROJECT_*
 * @keyring: serial of a keyring that the caller may write
 * @desc: description of the key to make
 * @desc_len: bytes of it
 * @ret_serial: out: serial of the key that was made
 *
 * The record is reserved beforehand: without room for it nothing is made.
 *
 * Return: 0; -EOPNOTSUPP for another kind, -EINVAL for a description with a
 * NUL in it, -EAGAIN without room for the record; see kv_handle_begin(),
 * lookup_user_key() and key_create_or_update().
 */
int kv_supply_project(struct kv_caller *who, struct kv_handle *h, u32 kind, s32 keyring,
		      const char *desc, u32 desc_len, s32 *ret_serial)
{
	struct kv_event ev = {
		.type = KVAULT_AUDIT_PROJECT, .face = who->face, .who = who->caller,
		.object = h->object, .request_id = who->request_id, .op = KVAULT_OP_VOLUME,
		.count = 1,
	};
	struct kv_record *rec;
	int ret;

	if (kind != KVAULT_PROJECT_FSCRYPT)
		return -EOPNOTSUPP;
	if (!desc_len || memchr(desc, 0, desc_len))
		return -EINVAL;
	rec = kv_audit_reserve_for(who->tenant, who->caller);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	ret = kv_handle_begin(h, who, KVAULT_OP_VOLUME, KVAULT_ALG_UNSPEC);
	if (ret) {	/* a refusal is recorded there */
		kv_audit_cancel(who->tenant, rec);
		return ret;
	}
	ret = project(h, keyring, desc, desc_len, ret_serial);
	ev.status = ret;
	kv_audit_commit(who->tenant, rec, &ev);
	return ret;
}
