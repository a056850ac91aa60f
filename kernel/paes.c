// SPDX-License-Identifier: GPL-2.0-only
/*
 * The skcipher "xts(paes)": AES-XTS for device-mapper, with a key that stays
 * in the kernel. What cryptsetup takes for the key is a token of 128 bytes
 * (struct kvault_token), which names a key version and a grant.
 *
 *                        setkey: daemon agrees
 *   no key --------------------------------------> keyed
 *     ^  ^                                           | |
 *     |  `--- setkey (good or bad), exit: close -----' | stop: key disabled,
 *     |                                                v purged, tenant ended
 *     `-------- setkey, exit: close ------------- stopped: I/O is EIO
 *
 * A tfm lives as long as the mapping. Each setkey makes a struct kv_paes_key
 * of its own, so that what ends a grant never meets what begins the next: the
 * reference count of a key is killed once and not revived. Stopping it waits
 * for requests in flight and frees the transform that has the key schedule.
 * The tfm itself keeps a transform without a key, for the size of requests
 * and so that its successors are of the same implementation.
 *
 * The I/O path takes a reference per request and nothing else: no lock, no
 * memory, no sleep, no look at current, no lease.
 *
 * setkey demands CAP_SYS_ADMIN in the initial user namespace. Device-mapper's
 * callers have it; a tenant on AF_ALG has not.
 *
 * Locks: object->lock, under which stop is called, protects a key's
 * is_stopped and its transform until it is published. tfm->key is RCU.
 */
#include <crypto/internal/skcipher.h>
#include <crypto/skcipher.h>
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/percpu-refcount.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "audit.h"
#include "compat.h"
#include "handle.h"
#include "live.h"
#include "paes.h"
#include "principal.h"
#include "refusal.h"
#include "tenant.h"
#include "visible.h"

#define KV_PAES_INNER	"xts(aes)"
#define KV_PAES_BLOCK	16
/* what device-mapper asks of us: no memory is allocated on the way to a disk */
#define KV_PAES_MASK	CRYPTO_ALG_ALLOCATES_MEMORY

/**
 * struct kv_paes_key - one standing grant, and the transform that has its key
 * @volume: the grant
 * @users: requests in flight; killed by stop
 * @is_idle: completed when @users is 0
 * @inner: transform; NULL once stopped
 * @opener: who set the key, a reference; for the record of the end
 * @bytes: that went through, per cpu
 * @rcu: requests find the key under RCU
 */
struct kv_paes_key {
	struct kv_volume volume;
	struct percpu_ref users;
	struct completion is_idle;
	struct crypto_skcipher *inner;
	struct kv_principal *opener;
	u64 __percpu *bytes;
	struct rcu_head rcu;
};

/**
 * struct kv_paes - context of a tfm
 * @model: transform without a key; immutable
 * @key: NULL without a key; changed by setkey and exit, which the crypto API's
 *	users do not call at the same time
 */
struct kv_paes {
	struct crypto_skcipher *model;
	struct kv_paes_key __rcu *key;
};

/**
 * struct kv_paes_request - context of a request
 * @key: that it holds
 * @sub: what the transform does; its context follows
 */
struct kv_paes_request {
	struct kv_paes_key *key;
	struct skcipher_request sub;
};

/* --- a key's life -------------------------------------------------------------- */

static void users_zero(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct kv_paes_key, users)->is_idle);
}

/* Under object->lock, once. In flight are transforms, not disks: it is short. */
static void key_stop(struct kv_volume *v)
{
	struct kv_paes_key *k = container_of(v, struct kv_paes_key, volume);

#ifdef KVAULT_MUTANT_PAES_STOP
	return;
#endif
	percpu_ref_kill(&k->users);
	wait_for_completion(&k->is_idle);
	/* wipes its context, and those of the transforms below it */
	crypto_free_skcipher(k->inner);
	k->inner = NULL;
}

static struct crypto_skcipher *inner_new(struct kv_paes *ctx)
{
	const char *driver = crypto_tfm_alg_driver_name(crypto_skcipher_tfm(ctx->model));
	struct crypto_skcipher *inner;

	inner = crypto_alloc_skcipher(driver, 0, KV_PAES_MASK);
	if (IS_ERR(inner))
		return inner;
	/* room for requests was promised when the tfm was made */
	if (crypto_skcipher_reqsize(inner) > crypto_skcipher_reqsize(ctx->model)) {
		crypto_free_skcipher(inner);
		return ERR_PTR(-EIO);
	}
	crypto_skcipher_set_flags(inner, CRYPTO_TFM_REQ_FORBID_WEAK_KEYS);
	return inner;
}

static struct kv_paes_key *key_new(struct kv_paes *ctx, struct kv_principal *opener)
{
	struct kv_paes_key *k;
	int ret = -ENOMEM;

	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!k)
		return ERR_PTR(ret);
	init_completion(&k->is_idle);
	INIT_LIST_HEAD(&k->volume.link);
	k->volume.stop = key_stop;
	k->bytes = alloc_percpu(u64);
	if (!k->bytes)
		goto out_free;
	k->inner = inner_new(ctx);
	if (IS_ERR(k->inner)) {
		ret = PTR_ERR(k->inner);
		goto out_bytes;
	}
	ret = percpu_ref_init(&k->users, users_zero, 0, GFP_KERNEL);
	if (ret)
		goto out_inner;
	k->opener = kv_principal_get(opener);
	kv_live_inc(KV_LIVE_VOLUME);
	return k;

out_inner:
	crypto_free_skcipher(k->inner);
out_bytes:
	free_percpu(k->bytes);
out_free:
	kfree(k);
	return ERR_PTR(ret);
}

static u64 key_sectors(const struct kv_paes_key *k)
{
	u64 bytes = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		bytes += *per_cpu_ptr(k->bytes, cpu);
	return bytes / 512;
}

/* Ends the grant, whether it was stopped before or not; nobody finds the key any more. */
static void key_drop(struct kv_paes_key *k)
{
	struct kv_object *obj = k->volume.object;
	struct kv_caller who = { .face = KVAULT_FACE_PAES };
	struct kv_principal *now;

	if (obj) {
		mutex_lock(&obj->lock);
		if (!k->volume.is_stopped) {
			k->volume.is_stopped = true;
			key_stop(&k->volume);
		}
		mutex_unlock(&obj->lock);
		now = kv_principal_new(kv_tenant_host());
		who.tenant = kv_tenant_host();
		who.caller = IS_ERR(now) ? k->opener : now;
		who.opener = k->opener;
		kv_volume_close(&who, &k->volume, key_sectors(k));
		kv_principal_put(now);
	}
	crypto_free_skcipher(k->inner);
	percpu_ref_exit(&k->users);
	free_percpu(k->bytes);
	kv_principal_put(k->opener);
	kv_live_dec(KV_LIVE_VOLUME);
	kfree_rcu(k, rcu);
}

/* Takes the material while it cannot go; the halves of a weak key do not differ. */
static int key_load(struct kv_paes_key *k)
{
	struct kv_object *obj = k->volume.object;
	int ret = -EKEYREVOKED;

	mutex_lock(&obj->lock);
	if (!k->volume.is_stopped && obj->material)
		ret = crypto_skcipher_setkey(k->inner, obj->material, obj->material_len);
	mutex_unlock(&obj->lock);
	return ret;
}

/* --- setkey ---------------------------------------------------------------------- */

KV_STATIC bool token_is_valid(const struct kvault_token *t)
{
	static const u8 format[sizeof(t->format)] = { 1, 0 };

#ifdef KVAULT_MUTANT_PAES_TOKEN
	return true;
#endif
	return !memcmp(t->magic, KVAULT_TOKEN_MAGIC, sizeof(t->magic)) &&
	       !memcmp(t->format, format, sizeof(format)) &&
	       !memchr_inv(t->reserved, 0, sizeof(t->reserved)) &&
	       !memchr_inv(t->pad, 0, sizeof(t->pad));
}

static void tfm_drop_key(struct kv_paes *ctx)
{
	struct kv_paes_key *k = rcu_replace_pointer(ctx->key, NULL, true);

	if (k)
		key_drop(k);
}

static bool may_show_token(void)
{
#ifdef KVAULT_MUTANT_PAES_CAPABLE
	return true;
#endif
	return capable(CAP_SYS_ADMIN);
}

/* What the daemon is not asked it does not record. */
static int refuse_caller(void)
{
	struct kv_tenant *t = kv_tenant_of_current();
	struct kv_principal *p = kv_principal_new(t);

	if (!IS_ERR(p))
		kv_audit_denied(t, &(struct kv_event){
			.type = KVAULT_AUDIT_DENIED, .face = KVAULT_FACE_PAES, .who = p,
			.op = KVAULT_OP_VOLUME, .status = -EPERM, .count = 1 });
	kv_principal_put(p);
	kv_tenant_put(t);
	return -EPERM;
}

/* Asks the daemon, killably; what it agreed to is in the log when this returns. */
static int tfm_set_token(struct kv_paes *ctx, const struct kvault_token *token)
{
	struct kv_caller who = {
		.tenant = kv_tenant_host(),
		.face = KVAULT_FACE_PAES,
		.timeout_ms = KVAULT_TIMEOUT_MS,
		.is_kernel = true,
	};
	struct kv_paes_key *k;
	int ret;

	who.caller = kv_principal_new(kv_tenant_host());
	if (IS_ERR(who.caller))
		return PTR_ERR(who.caller);
	who.opener = who.caller;
	k = key_new(ctx, who.caller);
	ret = PTR_ERR_OR_ZERO(k);
	if (ret)
		goto out_put;
	ret = kv_volume_open(&who, token, &k->volume) ?: key_load(k);
	if (ret)
		key_drop(k);
	else
		rcu_assign_pointer(ctx->key, k);
out_put:
	kv_principal_put(who.caller);
	return ret;
}

/*
 * The device may be one that is suspended and needs its key to go on, so no
 * memory is looked for by writing to it.
 */
static int setkey(struct crypto_skcipher *tfm, const u8 *key, unsigned int len)
{
	struct kv_paes *ctx = crypto_skcipher_ctx(tfm);
	const struct kvault_token *token = (const struct kvault_token *)key;
	unsigned int noio = memalloc_noio_save();
	int ret;

	BUILD_BUG_ON(sizeof(*token) != KVAULT_TOKEN_SIZE);
	tfm_drop_key(ctx);
	if (!may_show_token())
		ret = refuse_caller();
	else if (len != sizeof(*token) || !token_is_valid(token))
		ret = -EINVAL;
	else
		ret = tfm_set_token(ctx, token);
	memalloc_noio_restore(noio);
	return ret;
}

/* --- I/O --------------------------------------------------------------------------- */

static struct kv_paes_key *key_tryget(struct kv_paes *ctx)
{
	struct kv_paes_key *k;

	rcu_read_lock();
	k = rcu_dereference(ctx->key);
	if (k && !percpu_ref_tryget_live_rcu(&k->users))
		k = NULL;
	rcu_read_unlock();
	return k;
}

static void crypt_done(KV_CRYPTO_DONE_ARG *arg, int error)
{
	struct skcipher_request *req = kv_crypto_done_data(arg);
	struct kv_paes_request *r = skcipher_request_ctx(req);

	/* EINPROGRESS: it left the backlog and will be done later */
	if (error != -EINPROGRESS)
		percpu_ref_put(&r->key->users);
	skcipher_request_complete(req, error);
}

static int crypt(struct skcipher_request *req, int (*fn)(struct skcipher_request *))
{
	struct kv_paes *ctx = crypto_skcipher_ctx(crypto_skcipher_reqtfm(req));
	struct kv_paes_request *r = skcipher_request_ctx(req);
	struct kv_paes_key *k = key_tryget(ctx);
	int ret;

	if (!k)
		return -EIO;
	r->key = k;
	this_cpu_add(*k->bytes, req->cryptlen);
	skcipher_request_set_tfm(&r->sub, k->inner);
	skcipher_request_set_callback(&r->sub, req->base.flags, crypt_done, req);
	skcipher_request_set_crypt(&r->sub, req->src, req->dst, req->cryptlen, req->iv);
	ret = fn(&r->sub);
	if (ret != -EINPROGRESS && ret != -EBUSY)
		percpu_ref_put(&k->users);
	return ret;
}

static int encrypt(struct skcipher_request *req)
{
	return crypt(req, crypto_skcipher_encrypt);
}

static int decrypt(struct skcipher_request *req)
{
	return crypt(req, crypto_skcipher_decrypt);
}

/* --- the algorithm -------------------------------------------------------------------- */

static int init_tfm(struct crypto_skcipher *tfm)
{
	struct kv_paes *ctx = crypto_skcipher_ctx(tfm);

	ctx->model = crypto_alloc_skcipher(KV_PAES_INNER, 0, KV_PAES_MASK);
	if (IS_ERR(ctx->model))
		return PTR_ERR(ctx->model);
	crypto_skcipher_set_reqsize(tfm, sizeof(struct kv_paes_request) +
					 crypto_skcipher_reqsize(ctx->model));
	return 0;
}

static void exit_tfm(struct crypto_skcipher *tfm)
{
	struct kv_paes *ctx = crypto_skcipher_ctx(tfm);

	tfm_drop_key(ctx);
	crypto_free_skcipher(ctx->model);
}

static struct skcipher_alg kv_paes_alg = {
	.base = {
		.cra_name = "xts(paes)",
		.cra_driver_name = "xts-paes-kvault",
		.cra_priority = 300,
		/* the implementation below may or may not be */
		.cra_flags = CRYPTO_ALG_ASYNC,
		.cra_blocksize = KV_PAES_BLOCK,
		.cra_ctxsize = sizeof(struct kv_paes),
		.cra_module = THIS_MODULE,
	},
	.min_keysize = KVAULT_TOKEN_SIZE,
	.max_keysize = KVAULT_TOKEN_SIZE,
	.ivsize = KV_PAES_BLOCK,
	.walksize = 2 * KV_PAES_BLOCK,
	.setkey = setkey,
	.encrypt = encrypt,
	.decrypt = decrypt,
	.init = init_tfm,
	.exit = exit_tfm,
};

/**
 * kv_paes_init() - register the cipher
 *
 * Return: 0; -EEXIST when another module has the name.
 */
int kv_paes_init(void)
{
	return crypto_register_skcipher(&kv_paes_alg);
}

/**
 * kv_paes_exit() - take the cipher back
 *
 * No tfm is left, as each holds a reference to the module. When the module's
 * own start fails, nobody has asked for that: the crypto core may still be at
 * the test of the new cipher, in a thread of its own.
 */
void kv_paes_exit(void)
{
	while (refcount_read(&kv_paes_alg.base.cra_refcnt) > 1)
		msleep(20);
	crypto_unregister_skcipher(&kv_paes_alg);
}

MODULE_ALIAS_CRYPTO("xts(paes)");
MODULE_ALIAS_CRYPTO("xts-paes-kvault");
