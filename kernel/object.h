/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_OBJECT_H
#define _KV_OBJECT_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/kvault_control.h>
#include <linux/kvault_netlink.h>

struct kv_tenant;
struct kv_ciphers;
struct kv_record;

/**
 * struct kv_sealed - material as the daemon stores it, and what it is bound to
 * @binding: checked against the tenant when it came
 * @len: of @blob
 * @blob: opened when an engine needs it
 */
struct kv_sealed {
	struct kvault_binding binding;
	u32 len;
	u8 blob[];
};

/**
 * struct kv_object - the material of one version of a key
 * @refs: references: the tenant's list, grants, volumes, requests
 * @link: in tenant->objects, or empty; nothing else is on it (kv_objects_lock)
 * @node: in the table of all objects while @link is in its list (likewise)
 * @seq: when it was listed: a later one is higher, immutable
 * @condemned: in the list of kv_object_wipe_all(), nobody else's
 * @tenant: owner, a reference; immutable
 * @key: id of the key, immutable; with @tenant that is what the table goes by
 * @version: id of the version, immutable
 * @slot: number of the object towards engines, immutable
 * @kty: KVAULT_KTY_*, immutable
 * @bits: of an oct or RSA key, immutable
 * @curve: KVAULT_CURVE_*, immutable
 * @state_lock: serialises changes of @state and of the material; taken before
 *	@lock, never by an operation
 * @inflight: operations under way; killed while the key is not live
 * @quiet: completed, for all who wait, from when @inflight is 0 until it is used again
 * @lock: protects what follows; taken before kv_upcall's lock; volumes are
 *	stopped under it, so the I/O path must not take it
 * @ops: key_ops
 * @flags: KVAULT_KEY_*
 * @nbf: not before, Unix seconds, 0 none
 * @exp: expires, Unix seconds, 0 none
 * @revision: highest that was heard of
 * @was_accepted: a grant on it was good once, be it of revision 0 (lock)
 * @accepted: revision of the attributes and the material that are here
 * @state: enum kvault_object_state; read without the lock, and again under it
 * @material: of an oct key of ours, in the clear; NULL when disabled or gone
 * @material_len: bytes of it
 * @ciphers: transforms with the key set, made when first used (crypto.c)
 * @sealed: of a key that an engine uses
 * @public: public JWK, NULL for oct
 * @public_len: bytes of it
 * @volumes: standing grants
 * @grants: grants of principals (grant.c)
 */
struct kv_object {
	refcount_t refs;
	struct list_head link;
	struct rhlist_head node;
	u64 seq;
	struct list_head condemned;
	struct kv_tenant *tenant;
	u8 key[KVAULT_ID_SIZE];
	u8 version[KVAULT_ID_SIZE];
	u32 slot;
	u32 kty;
	u32 bits;
	u32 curve;
	struct mutex state_lock;	/* serialises changes of state */
	struct percpu_ref inflight;
	struct completion quiet;
	struct mutex lock;		/* protects what follows */
	u32 ops;
	u32 flags;
	u64 nbf;
	u64 exp;
	u64 revision;
	bool was_accepted;
	u64 accepted;
	u32 state;
	u32 material_len;
	u8 *material;
	struct kv_ciphers *ciphers;
	struct kv_sealed *sealed;
	u8 *public;
	u32 public_len;
	struct list_head volumes;
	struct list_head grants;
};

/**
 * struct kv_volume - a standing grant: one user of a key that holds it until told
 * @link: in object->volumes (object->lock)
 * @object: the key, a reference
 * @stop: called with object->lock held; may sleep, must not fail; when it
 *	returns nothing uses the key any more. Called once at most.
 * @closing: room for the record of its end, from before the daemon is asked
 * @is_stopped: set under object->lock
 */
struct kv_volume {
	struct list_head link;
	struct kv_object *object;
	void (*stop)(struct kv_volume *v);
	struct kv_record *closing;
	bool is_stopped;
};

int kv_object_init(void);
void kv_object_exit(void);

struct kv_object *kv_object_accept(struct kv_tenant *t, const struct kvault_grant *grant,
				   const void *public, u32 public_len,
				   const void *blob, u32 blob_len, u64 changes);
struct kv_object *kv_object_find(struct kv_tenant *t, const u8 *key, const u8 *version);
struct kv_object *kv_object_get(struct kv_object *obj);
void kv_object_put(struct kv_object *obj);
int kv_object_refuses(const struct kv_object *obj, u32 rights);

/**
 * kv_object_check() - may this key do that, now?
 * @obj: key version
 * @rights: KVAULT_OP_*, all of which it must be able to do
 *
 * Return: 0; -EKEYREVOKED, -EKEYEXPIRED, -EACCES.
 */
static inline int kv_object_check(const struct kv_object *obj, u32 rights)
{
	if (READ_ONCE(obj->state) == KVAULT_OBJECT_LIVE && !(rights & ~READ_ONCE(obj->ops)) &&
	    !(READ_ONCE(obj->nbf) | READ_ONCE(obj->exp)))
		return 0;
	return kv_object_refuses(obj, rights);
}

int kv_object_set_state(struct kv_tenant *t, const u8 *key, const u8 *version,
			u64 revision, u32 state, u32 *ret_volumes);
void kv_object_wipe_all(struct kv_tenant *t);

int kv_object_attach(struct kv_object *obj, struct kv_volume *v);
void kv_object_detach(struct kv_volume *v);

bool kv_object_is_engine(const struct kv_object *obj);

#endif /* _KV_OBJECT_H */
