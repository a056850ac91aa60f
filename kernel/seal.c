// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys at rest. root key -> tenant KEK -> key of one blob, by SP 800-108 with
 * one label per purpose; the blob's layout is in uapi/linux/kvault_control.h.
 *
 * The root key comes once per load of the module and is never given out again
 * but wrapped (kv_root_wrap). An ephemeral tenant's KEK is random and has
 * nothing to do with the root key.
 *
 * Lock: kv_root_lock protects kv_root; tenant->kek_lock the KEK. Both are
 * leaves; keys are copied out under them and wiped after use.
 */
#include <crypto/algapi.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "crypto.h"
#include "seal.h"
#include "tenant.h"

#define KV_BLOB_FORMAT	1
#define KV_BLOB_AESGCM	1

struct kv_blob {
	u8 magic[4];
	__le16 format;
	__le16 alg;
	u8 kek_id[16];
	u8 blob_id[16];
	u8 iv[12];
	__le32 len;
	u8 ct[];
};

static_assert(sizeof(struct kv_blob) == KVAULT_BLOB_HEADER);

/* Header and binding, each field with its length before it. */
#define KV_AAD_MAX	(KVAULT_BLOB_HEADER + 5 * 18 + 6 * 6 + 2 * 10 + 2 + KVAULT_NAME_MAX)

static DEFINE_SPINLOCK(kv_root_lock);
static struct {
	bool is_set;
	u8 store[KVAULT_ID_SIZE];
	u8 key[32];
} kv_root;

/**
 * kv_root_set() - load the root key
 * @store: id of its store
 * @key: 32 bytes
 *
 * Return: 0, also when it is the one that is loaded; -EEXIST when another is;
 * -EINVAL for an id of zeros.
 */
int kv_root_set(const u8 *store, const u8 *key)
{
	int ret = 0;

	if (!memchr_inv(store, 0, KVAULT_ID_SIZE))
		return -EINVAL;
	spin_lock(&kv_root_lock);
	if (!kv_root.is_set) {
		memcpy(kv_root.store, store, sizeof(kv_root.store));
		memcpy(kv_root.key, key, sizeof(kv_root.key));
		kv_root.is_set = true;
	} else if (crypto_memneq(kv_root.key, key, sizeof(kv_root.key)) ||
		   memcmp(kv_root.store, store, sizeof(kv_root.store))) {
		ret = -EEXIST;
	}
	spin_unlock(&kv_root_lock);
	return ret;
}

static int root_get(u8 store[16], u8 key[32])
{
	bool is_set;

	spin_lock(&kv_root_lock);
	is_set = kv_root.is_set;
	memcpy(store, kv_root.store, 16);
	memcpy(key, kv_root.key, 32);
	spin_unlock(&kv_root_lock);
	return is_set ? 0 : -EHOSTDOWN;
}

/**
 * kv_root_is_set() - is a root key loaded?
 *
 * Return: true if one is.
 */
bool kv_root_is_set(void)
{
	return READ_ONCE(kv_root.is_set);
}

/* One buffer for all that must be wiped. */
struct kv_wrapping {
	u8 aad[2 * KVAULT_ID_SIZE];
	u8 key[32];
	u8 kek[32];
};

/**
 * kv_root_wrap() - wrap the root key under a secret, for another slot
 * @arg: slot id in; iv, wrapped key and tag out
 * @secret: full-entropy secret
 * @secret_len: bytes of it, 32 at least
 *
 * Return: 0; -EHOSTDOWN without a root key, -EINVAL for a short secret, -ENOMEM.
 */
int kv_root_wrap(struct kvault_root_wrap *arg, const u8 *secret, u32 secret_len)
{
	struct kv_wrapping *w;
	int ret;

	if (secret_len < 32)
		return -EINVAL;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	ret = root_get(w->aad, w->key);
	memcpy(w->aad + KVAULT_ID_SIZE, arg->slot, KVAULT_ID_SIZE);
	if (!ret)
		ret = kv_kdf(secret, secret_len, "kvault/1/root-slot", arg->slot,
			     KVAULT_ID_SIZE, w->kek);
	get_random_bytes(arg->iv, sizeof(arg->iv));
	if (!ret)
		ret = kv_gcm_once(w->kek, true, arg->iv, w->aad, sizeof(w->aad),
				  w->key, sizeof(w->key), arg->tag);
	if (!ret)
		memcpy(arg->wrapped, w->key, sizeof(arg->wrapped));
	kfree_sensitive(w);
	return ret;
}

static int kek_derive(const u8 *root, const u8 *store, const u8 *tenant, struct kv_kek *kek)
{
	u8 context[2 * KVAULT_ID_SIZE], id[32];
	int ret;

	memcpy(context, store, KVAULT_ID_SIZE);
	memcpy(context + KVAULT_ID_SIZE, tenant, KVAULT_ID_SIZE);
	ret = kv_kdf(root, 32, "kvault/1/tenant-kek", context, sizeof(context), kek->key) ?:
	      kv_kdf(root, 32, "kvault/1/tenant-kek-id", context, sizeof(context), id);
	memcpy(kek->id, id, sizeof(kek->id));
	memzero_explicit(id, sizeof(id));
	kek->is_set = !ret;
	return ret;
}

static void kek_set(struct kv_tenant *t, struct kv_kek *kek)
{
	spin_lock(&t->kek_lock);
	if (!t->kek.is_set && !kv_tenant_is_dead(t))
		t->kek = *kek;
	spin_unlock(&t->kek_lock);
	memzero_explicit(kek, sizeof(*kek));
}

/**
 * kv_root_adopt_store() - the daemon says which store it serves
 * @store: id of the store
 * @tenant: its id for the host
 *
 * Return: 0; -ESTALE when it is not the store of the root key or not the one
 * before; -EHOSTDOWN without a root key; -ENOMEM.
 */
int kv_root_adopt_store(const u8 *store, const u8 *tenant)
{
	struct kv_kek kek = {};
	u8 mine[16], key[32];
	int ret;

	ret = root_get(mine, key);
	if (!ret && memcmp(mine, store, sizeof(mine)))
		ret = -ESTALE;
	if (!ret)
		ret = kek_derive(key, store, tenant, &kek);
	/* last of what can fail: an id is for good */
	if (!ret)
		ret = kv_tenant_set_host_id(tenant);
	memzero_explicit(key, sizeof(key));
	if (!ret)
		kek_set(kv_tenant_host(), &kek);
	memzero_explicit(&kek, sizeof(kek));
	return ret;
}

/**
 * kv_kek_ephemeral() - a random KEK for a tenant that is never stored
 * @t: tenant, not yet known to others
 *
 * Return: 0.
 */
int kv_kek_ephemeral(struct kv_tenant *t)
{
	get_random_bytes(t->kek.id, sizeof(t->kek.id));
	get_random_bytes(t->kek.key, sizeof(t->kek.key));
	t->kek.is_set = true;
	return 0;
}

/**
 * kv_kek_wipe() - nothing of the tenant can be sealed or opened any more
 * @t: tenant
 */
void kv_kek_wipe(struct kv_tenant *t)
{
	spin_lock(&t->kek_lock);
	memzero_explicit(&t->kek, sizeof(t->kek));
	spin_unlock(&t->kek_lock);
}

static int kek_get(struct kv_tenant *t, struct kv_kek *kek)
{
	spin_lock(&t->kek_lock);
	*kek = t->kek;
	spin_unlock(&t->kek_lock);
	return kek->is_set ? 0 : -EHOSTDOWN;
}

static u8 *put_field(u8 *to, const void *p, u16 len)
{
	*(to++) = len & 0xff;
	*(to++) = len >> 8;
	memcpy(to, p, len);
	return to + len;
}

static u8 *put_u32(u8 *to, u32 v)
{
	__le32 le = cpu_to_le32(v);

	return put_field(to, &le, sizeof(le));
}

static u8 *put_u64(u8 *to, u64 v)
{
	__le64 le = cpu_to_le64(v);

	return put_field(to, &le, sizeof(le));
}

static u32 make_aad(u8 *aad, const struct kv_blob *blob, const struct kvault_binding *b)
{
	u8 *p = aad;

	memcpy(p, blob, sizeof(*blob));
	p += sizeof(*blob);
	p = put_field(p, b->store, sizeof(b->store));
	p = put_field(p, b->tenant, sizeof(b->tenant));
	p = put_field(p, b->container, sizeof(b->container));
	p = put_field(p, b->object, sizeof(b->object));
	p = put_field(p, b->version, sizeof(b->version));
	p = put_u32(p, b->type);
	p = put_u32(p, b->kty);
	p = put_u32(p, b->bits);
	p = put_u32(p, b->curve);
	p = put_u32(p, b->ops);
	p = put_u32(p, b->flags);
	p = put_u64(p, b->nbf);
	p = put_u64(p, b->exp);
	p = put_field(p, b->name, b->name_len);
	return p - aad;
}

/* The work of sealing and opening: one buffer for all that must be wiped. */
struct kv_sealing {
	struct kv_kek kek;
	u8 key[32];
	u8 tag[KVAULT_TAG_SIZE];
	u8 aad[KV_AAD_MAX];
};

static int blob_key(struct kv_sealing *w, const struct kv_blob *blob)
{
	return kv_kdf(w->kek.key, sizeof(w->kek.key), "kvault/1/blob", blob->blob_id,
		      sizeof(blob->blob_id), w->key);
}

/**
 * kv_seal() - make a blob
 * @t: tenant whose KEK it is under
 * @b: what it is bound to; was checked
 * @plain: what is sealed, in linear memory
 * @len: bytes of it
 * @blob: out: @len + KVAULT_BLOB_OVERHEAD bytes
 *
 * Return: 0; -EHOSTDOWN without a KEK, -ENOMEM.
 */
int kv_seal(struct kv_tenant *t, const struct kvault_binding *b,
	    const void *plain, u32 len, void *blob)
{
	struct kv_blob *hdr;
	struct kv_sealing *w;
	int ret;

	w = kzalloc(sizeof(*w), GFP_KERNEL);
	/* linear memory for the cipher, whatever the caller's is */
	hdr = kmalloc(sizeof(*hdr) + len, GFP_KERNEL_ACCOUNT);
	ret = w && hdr ? kek_get(t, &w->kek) : -ENOMEM;
	if (ret)
		goto out_free;
	memcpy(hdr->magic, KVAULT_BLOB_MAGIC, sizeof(hdr->magic));
	hdr->format = cpu_to_le16(KV_BLOB_FORMAT);
	hdr->alg = cpu_to_le16(KV_BLOB_AESGCM);
	memcpy(hdr->kek_id, w->kek.id, sizeof(hdr->kek_id));
	get_random_bytes(hdr->blob_id, sizeof(hdr->blob_id));
	get_random_bytes(hdr->iv, sizeof(hdr->iv));
	hdr->len = cpu_to_le32(len);
	memcpy(hdr->ct, plain, len);
	ret = blob_key(w, hdr);
	if (!ret)
		ret = kv_gcm_once(w->key, true, hdr->iv, w->aad, make_aad(w->aad, hdr, b),
				  hdr->ct, len, w->tag);
	if (!ret) {
		memcpy(blob, hdr, sizeof(*hdr) + len);
		memcpy(blob + sizeof(*hdr) + len, w->tag, sizeof(w->tag));
	}
out_free:
	kfree_sensitive(hdr);
	kfree_sensitive(w);
	return ret;
}

/**
 * kv_unseal() - open a blob
 * @t: tenant whose it must be
 * @b: what it must be bound to; was checked
 * @blob: the blob; hostile
 * @blob_len: bytes of it
 * @plain: out: room for *@ret_len bytes; written on success only
 * @ret_len: in: room; out: bytes
 *
 * Return: 0; -EBADMSG for one that does not check, whatever the cause;
 * -EMSGSIZE, -EHOSTDOWN without a KEK, -ENOMEM.
 */
int kv_unseal(struct kv_tenant *t, const struct kvault_binding *b,
	      const void *blob, u32 blob_len, void *plain, u32 *ret_len)
{
	const struct kv_blob *hdr = blob;
	struct kv_sealing *w;
	u8 *data = NULL;
	u32 len;
	int ret;

	if (blob_len < KVAULT_BLOB_OVERHEAD || blob_len > KVAULT_BLOB_MAX)
		return -EBADMSG;
	len = blob_len - KVAULT_BLOB_OVERHEAD;
	if (memcmp(hdr->magic, KVAULT_BLOB_MAGIC, sizeof(hdr->magic)) ||
	    hdr->format != cpu_to_le16(KV_BLOB_FORMAT) ||
	    hdr->alg != cpu_to_le16(KV_BLOB_AESGCM) || hdr->len != cpu_to_le32(len))
		return -EBADMSG;
	if (len > *ret_len)
		return -EMSGSIZE;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	data = kmalloc(len ?: 1, GFP_KERNEL_ACCOUNT);
	ret = w && data ? kek_get(t, &w->kek) : -ENOMEM;
	if (ret)
		goto out_free;
	if (memcmp(hdr->kek_id, w->kek.id, sizeof(hdr->kek_id))) {
		ret = -EBADMSG;
		goto out_free;
	}
	memcpy(data, hdr->ct, len);
	memcpy(w->tag, hdr->ct + len, sizeof(w->tag));
	ret = blob_key(w, hdr);
	if (!ret)
		ret = kv_gcm_once(w->key, false, hdr->iv, w->aad, make_aad(w->aad, hdr, b),
				  data, len, w->tag);
	if (!ret) {
		memcpy(plain, data, len);
		*ret_len = len;
	}
out_free:
	kfree_sensitive(data);
	kfree_sensitive(w);
	return ret;
}

/**
 * kv_binding_check() - is a binding that the daemon gave well-formed, and this tenant's?
 * @t: tenant
 * @b: binding; hostile
 *
 * Return: 0; -EINVAL; -EPERM when it is another tenant's or another store's.
 */
int kv_binding_check(const struct kv_tenant *t, const struct kvault_binding *b)
{
#ifndef KVAULT_MUTANT_NO_NAME_LENGTH
	if (b->name_len > KVAULT_NAME_MAX)
		return -EINVAL;
#endif
	if (b->pad || b->type == KVAULT_TYPE_UNSPEC ||
	    b->type >= KVAULT_TYPE_TRANSIT || b->ops & ~KVAULT_OP_ALL ||
	    b->flags & ~KVAULT_KEY_FLAGS_ALL)
		return -EINVAL;
	/* one key, one purpose */
	if ((b->ops & KVAULT_OP_VOLUME && b->ops != KVAULT_OP_VOLUME) ||
	    (b->ops & KVAULT_OP_IMPORT && b->ops != KVAULT_OP_IMPORT))
		return -EINVAL;
	if (memchr_inv(b->name + b->name_len, 0, sizeof(b->name) - b->name_len))
		return -EINVAL;
	if (memcmp(b->tenant, t->id, sizeof(b->tenant)))
		return -EPERM;
	if (t->kind == KVAULT_TENANT_HOST && memcmp(b->store, kv_root.store, sizeof(b->store)))
		return -EPERM;
	return 0;
}

/**
 * kv_binding_transit() - what the secret of one request is bound to
 * @b: out
 * @t: tenant
 * @request_id: of the request
 * @flags: of the request, KVAULT_CONTROL_*: what the secret is for
 */
void kv_binding_transit(struct kvault_binding *b, const struct kv_tenant *t,
			const u8 *request_id, u32 flags)
{
	memset(b, 0, sizeof(*b));
	b->flags = flags;
	b->type = KVAULT_TYPE_TRANSIT;
	memcpy(b->tenant, t->id, sizeof(b->tenant));
	memcpy(b->version, request_id, sizeof(b->version));
}

/**
 * kv_seal_exit() - wipe the root key
 */
void kv_seal_exit(void)
{
	spin_lock(&kv_root_lock);
	memzero_explicit(&kv_root, sizeof(kv_root));
	spin_unlock(&kv_root_lock);
}
