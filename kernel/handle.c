// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles: what a file or a key in a keyring holds of a key version, and
 * volumes, which hold it until they are told. This is where an operation is
 * authorised: kv_handle_begin() is called before every single one.
 */
#include <crypto/algapi.h>
#include <linux/slab.h>
#include "audit.h"
#include "crypto.h"
#include "handle.h"
#include "live.h"
#include "principal.h"
#include "refusal.h"
#include "tenant.h"
#include "upcall.h"

#define KV_BEGIN_TRIES	3

/**
 * kv_handle_open() - get a hold on the key that a path names
 * @who: for whom
 * @purpose: enum kvault_purpose
 * @path: VAULT/keys/NAME[/VERSION]
 * @path_len: bytes of it
 * @ops: KVAULT_OP_* wanted, 0 for all that are granted
 *
 * Sleeps, killable.
 *
 * Return: the handle with one reference; -EACCES when not all of @ops are
 * granted; -EDQUOT, -ENOMEM; see kv_access().
 */
struct kv_handle *kv_handle_open(struct kv_caller *who, u32 purpose, const void *path,
				 u32 path_len, u32 ops)
{
	struct kv_handle *h;
	struct kv_grant *g;
	int ret;

	ret = kv_tenant_charge(who->tenant, KV_CHARGE_HANDLE);
	if (ret)
		return ERR_PTR(ret);
	g = kv_grant_open(who, purpose, path, path_len);
	if (IS_ERR(g)) {
		ret = PTR_ERR(g);
		goto out_uncharge;
	}
	ret = -EACCES;
	if (ops & ~g->ops)
		goto out_denied;
	ret = -ENOMEM;
	h = kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);
	if (!h)
		goto out_put;
	kv_live_inc(KV_LIVE_HANDLE);
	refcount_set(&h->refs, 1);
	spin_lock_init(&h->lock);
	h->object = kv_object_get(g->object);
	h->ops = ops ?: g->ops;
	h->purpose = purpose;
	RCU_INIT_POINTER(h->grant, g);
	return h;

out_denied:
	kv_audit_denied(who->tenant, &(struct kv_event){
		.type = KVAULT_AUDIT_DENIED, .face = who->face, .who = who->caller,
		.object = g->object, .request_id = who->request_id, .op = ops & ~g->ops,
		.status = ret, .count = 1 });
out_put:
	kv_grant_put(g);
out_uncharge:
	kv_tenant_uncharge(who->tenant, KV_CHARGE_HANDLE);
	return ERR_PTR(ret);
}

/**
 * kv_handle_free() - the last reference is gone; see kv_handle_put()
 * @h: handle
 */
void kv_handle_free(struct kv_handle *h)
{
	kv_tenant_uncharge(h->object->tenant, KV_CHARGE_HANDLE);
	kv_grant_put(rcu_dereference_protected(h->grant, true));
	kv_object_put(h->object);
	kv_live_dec(KV_LIVE_HANDLE);
	kfree_rcu(h, rcu);
}

static int take(struct kv_handle *h, struct kv_caller *who, u32 op, u32 rights)
{
	struct kv_grant *g;
	int ret = -ESTALE;

	rcu_read_lock();
	g = rcu_dereference(h->grant);
	if (!kv_grant_get(g))
		g = NULL;	/* another caller has replaced it */
	rcu_read_unlock();
	if (g && kv_grant_is_for(g, who))
		ret = kv_grant_take(g, op, rights, &who->is_each);
	kv_grant_put(g);
	return ret;
}

static int regrant(struct kv_handle *h, struct kv_caller *who)
{
	struct kv_grant *g = kv_grant_for(h->object, who, h->purpose);

	if (IS_ERR(g))
		return PTR_ERR(g);
	spin_lock(&h->lock);
	g = rcu_replace_pointer(h->grant, g, lockdep_is_held(&h->lock));
	spin_unlock(&h->lock);
	kv_grant_put(g);
	return 0;
}

/*
 * What has to be allowed for an operation. With an iv of the caller's choice
 * CBC is the bare block cipher, and who has that reads all that GCM encrypted
 * under the key: to encrypt by CBC takes the right to decrypt as well.
 */
static u32 rights_for(u32 op, u32 alg)
{
#ifndef KVAULT_MUTANT_CBC_ORACLE
	if (op == KVAULT_OP_ENCRYPT && alg >= KVAULT_ALG_A128CBC && alg <= KVAULT_ALG_A256CBCPAD)
		return KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT;
#endif
	return op;
}

static int begin(struct kv_handle *h, struct kv_caller *who, u32 op, u32 rights)
{
	bool is_old = false;
	int ret, i;

#ifndef KVAULT_MUTANT_OLD_KEY
	/* what is known of the key is old: the next grant brings it */
	is_old = READ_ONCE(h->object->revision) != READ_ONCE(h->object->accepted);
#endif
	for (i = 0;; i++) {
		ret = is_old ? regrant(h, who) : 0;
		/* each time: a grant may have brought other attributes of the key */
		if (!ret)
			ret = kv_object_check(h->object, rights);
		if (ret)
			return ret;
#ifndef KVAULT_MUTANT_NO_OPS_CHECK
		if (rights & ~h->ops)
			return -EACCES;
#endif
		ret = take(h, who, op, rights);
		if (ret != -ESTALE || i == KV_BEGIN_TRIES)
			return ret;
		is_old = true;
	}
}

static noinline void record_refusal(const struct kv_handle *h, struct kv_caller *who, u32 op,
				    u32 alg, int error)
{
	if (error == -EACCES || error == -EKEYREVOKED || error == -EKEYEXPIRED)
		kv_audit_denied(who->tenant, &(struct kv_event){
			.type = KVAULT_AUDIT_DENIED, .face = who->face, .who = who->caller,
			.object = h->object, .op = op, .alg = alg, .status = error, .count = 1 });
}

/**
 * kv_handle_begin() - authorise and count one operation
 * @h: handle
 * @who: who does it
 * @op: one of KVAULT_OP_*
 * @alg: enum kvault_alg, for the record of a refusal
 *
 * Does not sleep while the grant is fresh; else asks the daemon, killable.
 * @who->is_each says whether a symmetric key's operation needs a record.
 *
 * Return: 0; -EACCES, -EKEYREVOKED, -EKEYEXPIRED, which are recorded; see
 * kv_access().
 */
int kv_handle_begin(struct kv_handle *h, struct kv_caller *who, u32 op, u32 alg)
{
	int ret = begin(h, who, op, rights_for(op, alg));

	if (ret)
		record_refusal(h, who, op, alg, ret);
	return ret;
}

static int check_token(const struct kvault_token *token, const struct kv_object *obj,
		       const struct kvault_grant *w)
{
	u8 hash[32];
	int ret;

	ret = kv_sha256(token->nonce, sizeof(token->nonce), hash);
	if (ret)
		return ret;
#ifndef KVAULT_MUTANT_NO_TOKEN_CHECK
	if (crypto_memneq(hash, w->token_hash, sizeof(hash)))
		return -EKEYREJECTED;
#endif
	if (memcmp(obj->key, token->key, sizeof(obj->key)) ||
	    memcmp(obj->version, token->version, sizeof(obj->version)))
		return -EIO;
	if (!(w->ops & obj->ops & KVAULT_OP_VOLUME))
		return -EACCES;
	return kv_object_check(obj, KVAULT_OP_VOLUME);
}

/* The daemon has the volume in its log as open, and has to learn that it is not. */
static void volume_refused(struct kv_caller *who, const struct kvault_access *access,
			   struct kv_volume *v, int error)
{
	struct kv_event ev = {
		.type = KVAULT_AUDIT_DENIED, .face = who->face, .who = who->caller,
		.key = access->key, .version = access->version,
		.request_id = who->request_id, .op = KVAULT_OP_VOLUME,
		.status = error, .count = 1,
	};

	kv_audit_denied(who->tenant, &ev);
	ev.type = KVAULT_AUDIT_VOLUME_CLOSE;
	ev.count = 0;
	kv_audit_commit(who->tenant, v->closing, &ev);
	v->closing = NULL;
}

static int open_once(struct kv_caller *who, const struct kvault_token *token,
		     const struct kvault_access *access, struct kv_volume *v)
{
	struct kv_decision d = {};
	int ret;

	v->closing = kv_audit_reserve(who->tenant);
	if (IS_ERR(v->closing)) {
		ret = PTR_ERR(v->closing);
		v->closing = NULL;
		return ret;
	}
	/* cocci tenant: kv_volume_open() has compared it */
	ret = kv_access(who, KVAULT_PURPOSE_VOLUME, NULL, 0, access, &d);
	if (!ret) {
		ret = check_token(token, d.object, &d.grant) ?: kv_object_attach(d.object, v);
		kv_object_put(d.object);
	}
	if (!ret)
		return 0;
#ifdef KVAULT_MUTANT_OPEN_STAYS
	d.is_yes = d.object;
#endif
	if (d.is_yes) {
		volume_refused(who, access, v, ret);
	} else {
		kv_audit_cancel(who->tenant, v->closing);
		v->closing = NULL;
	}
	return ret;
}

/**
 * kv_volume_open() - get a standing grant on the key that a token names
 * @who: in whose name
 * @token: well-formed; who shows it is checked by the caller
 * @v: to attach, with @v->stop set
 *
 * The daemon has a durable record of it before this returns, and there is room
 * for the record of its end. Sleeps, killable.
 *
 * Return: 0; -ENOKEY for a token of another tenant, -EKEYREJECTED for one that
 * was not given out; -EACCES, -EKEYREVOKED, -EKEYEXPIRED; see kv_access() and
 * kv_audit_reserve().
 */
int kv_volume_open(struct kv_caller *who, const struct kvault_token *token,
		   struct kv_volume *v)
{
	struct kvault_access access = {
		.size = sizeof(access), .ops = KVAULT_OP_VOLUME,
		.purpose = KVAULT_PURPOSE_VOLUME,
	};
	int ret, i = 0;

	if (memcmp(token->tenant, who->tenant->id, sizeof(token->tenant)))
		return -ENOKEY;
	memcpy(access.key, token->key, sizeof(access.key));
	memcpy(access.version, token->version, sizeof(access.version));
	memcpy(access.grant, token->grant, sizeof(access.grant));
	do {
		ret = open_once(who, token, &access, v);
	} while (ret == -ESTALE && ++i < KV_STALE_TRIES);
	return ret;
}

/**
 * kv_volume_close() - a standing grant ends
 * @who: who had it; only tenant, caller and face count
 * @v: the volume; nothing happens if it is not attached
 * @sectors: of 512 bytes that were read and written
 */
void kv_volume_close(struct kv_caller *who, struct kv_volume *v, u64 sectors)
{
	struct kv_object *obj = v->object;

	if (!obj)
		return;
	kv_audit_commit(obj->tenant, v->closing, &(struct kv_event){
		.type = KVAULT_AUDIT_VOLUME_CLOSE, .face = who->face, .who = who->caller,
		.object = obj, .op = KVAULT_OP_VOLUME, .count = sectors });
	v->closing = NULL;
	kv_object_detach(v);
}
