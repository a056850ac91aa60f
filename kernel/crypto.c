// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symmetric cryptography over the kernel's crypto API. The only file that
 * calls crypto_*(). Algorithms are chosen here, by number; no name comes from
 * a user. All data is in kernel buffers, in place.
 *
 * Transforms are made at a key's first use and keep the key set, because
 * setting it costs far more than a small operation. Where the accelerated
 * implementation is asynchronous by declaration (AES-GCM on these kernels),
 * it is asked for all the same and waited for: it completes at once in
 * process context.
 */
#include <crypto/aead.h>
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <crypto/internal/cipher.h>
#include <crypto/skcipher.h>
#include <linux/kvault_alg.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "compat.h"
#include "crypto.h"
#include "object.h"

/**
 * struct kv_ciphers - transforms of one key; each NULL until it is used
 * @gcm: gcm(aes)
 * @cbc: cbc(aes)
 * @block: aes, for key wrap: its steps depend on each other, and a request to a mode
 *	would cost ten times the block
 * @hmac: hmac(sha256), (sha384), (sha512)
 *
 * A pointer is published once with release semantics under object->lock and
 * stays until the object is wiped, which excludes users by the object's state
 * and references.
 */
struct kv_ciphers {
	struct crypto_aead *gcm;
	struct crypto_skcipher *cbc;
	struct crypto_cipher *block;
	struct crypto_shash *hmac[3];
};

static struct crypto_shash *kv_sha;
static bool kv_has_tables;

/* Which key and operation an algorithm goes with; 0 bits and 0 curve: any. */
struct kv_fit {
	u32 alg;
	u32 kty;
	u32 bits;
	u32 curve;
	u32 ops;
};

#define KV_FIT(id, kty, bits, curve, ops, ...) \
	((struct kv_fit){ KVAULT_ALG_##id, kty, bits, curve, ops })
static const struct kv_fit kv_fits[] = { KVAULT_ALGORITHMS(KV_FIT) };

/**
 * kv_crypto_fits() - do key, operation and algorithm go together?
 * @kty: KVAULT_KTY_*
 * @bits: size of an oct or RSA key
 * @curve: KVAULT_CURVE_*
 * @op: one of KVAULT_OP_*
 * @alg: enum kvault_alg
 *
 * Return: 0; -EOPNOTSUPP.
 */
int kv_crypto_fits(u32 kty, u32 bits, u32 curve, u32 op, u32 alg)
{
	const struct kv_fit *f;

	for (f = kv_fits; f < kv_fits + ARRAY_SIZE(kv_fits); f++)
		if (f->alg == alg)
			return f->kty == kty && (!f->bits || f->bits == bits) &&
			       (!f->curve || f->curve == curve) && (f->ops & op) ?
			       0 : -EOPNOTSUPP;
	return -EOPNOTSUPP;
}

static bool is_gcm(u32 alg)
{
	return alg >= KVAULT_ALG_A128GCM && alg <= KVAULT_ALG_A256GCM;
}

static bool is_padded(u32 alg)
{
	return alg >= KVAULT_ALG_A128CBCPAD && alg <= KVAULT_ALG_A256CBCPAD;
}

/**
 * kv_crypto_overhead() - by how much an output can exceed its input
 * @op: one of KVAULT_OP_*
 * @alg: enum kvault_alg, of a symmetric key
 *
 * Return: bytes.
 */
u32 kv_crypto_overhead(u32 op, u32 alg)
{
	if (op == KVAULT_OP_ENCRYPT && is_padded(alg))
		return 16;
	if (op == KVAULT_OP_WRAP)
		return 16;
	if (op == KVAULT_OP_SIGN)
		return 64;
	return 0;
}

static void *publish(void **slot, void *tfm)
{
	if (IS_ERR(tfm))
		return tfm;
	/* pairs with the acquire in get_*(): the key is set before it is seen */
	smp_store_release(slot, tfm);
	return tfm;
}

/*
 * The state is looked at again under the lock: nothing is made of a key that
 * was wiped in between.
 */
static struct kv_ciphers *ciphers_locked(struct kv_object *obj)
{
	struct kv_ciphers *c;

	lockdep_assert_held(&obj->lock);
	if (!obj->material)
		return ERR_PTR(-EKEYREVOKED);
	if (!obj->ciphers) {
		c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
		/* pairs with the acquire in get_*(): all pointers are NULL before */
		smp_store_release(&obj->ciphers, c);
	}
	return obj->ciphers ? obj->ciphers : ERR_PTR(-ENOMEM);
}

static struct crypto_aead *get_gcm(struct kv_object *obj)
{
	struct crypto_aead *tfm = NULL;
	struct kv_ciphers *c;
	int ret;

	/* pairs with ciphers_locked() and publish() */
	c = smp_load_acquire(&obj->ciphers);
	if (c)	/* likewise */
		tfm = smp_load_acquire(&c->gcm);
	if (tfm)
		return tfm;
	mutex_lock(&obj->lock);
	c = ciphers_locked(obj);
	tfm = IS_ERR(c) ? ERR_CAST(c) : c->gcm;
	if (tfm)
		goto out_unlock;
	tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (!IS_ERR(tfm)) {
		ret = crypto_aead_setkey(tfm, obj->material, obj->material_len);
		if (!ret)
			ret = crypto_aead_setauthsize(tfm, KVAULT_TAG_SIZE);
		if (ret) {
			crypto_free_aead(tfm);
			tfm = ERR_PTR(ret);
		}
	}
	publish((void **)&c->gcm, tfm);
out_unlock:
	mutex_unlock(&obj->lock);
	return tfm;
}

static struct crypto_skcipher *get_cbc(struct kv_object *obj)
{
	struct crypto_skcipher *tfm = NULL;
	struct kv_ciphers *c;
	int ret;

	/* pairs with ciphers_locked() and publish() */
	c = smp_load_acquire(&obj->ciphers);
	if (c)	/* likewise */
		tfm = smp_load_acquire(&c->cbc);
	if (tfm)
		return tfm;
	mutex_lock(&obj->lock);
	c = ciphers_locked(obj);
	tfm = IS_ERR(c) ? ERR_CAST(c) : c->cbc;
	if (tfm)
		goto out_unlock;
	tfm = crypto_alloc_skcipher("cbc(aes)", 0, 0);
	if (!IS_ERR(tfm)) {
		ret = crypto_skcipher_setkey(tfm, obj->material, obj->material_len);
		if (ret) {
			crypto_free_skcipher(tfm);
			tfm = ERR_PTR(ret);
		}
	}
	publish((void **)&c->cbc, tfm);
out_unlock:
	mutex_unlock(&obj->lock);
	return tfm;
}

static struct crypto_cipher *get_block(struct kv_object *obj)
{
	struct crypto_cipher *tfm = NULL;
	struct kv_ciphers *c;
	int ret;

	/* pairs with ciphers_locked() and publish() */
	c = smp_load_acquire(&obj->ciphers);
	if (c)	/* likewise */
		tfm = smp_load_acquire(&c->block);
	if (tfm)
		return tfm;
	mutex_lock(&obj->lock);
	c = ciphers_locked(obj);
	tfm = IS_ERR(c) ? ERR_CAST(c) : c->block;
	if (tfm)
		goto out_unlock;
	tfm = crypto_alloc_cipher("aes", 0, 0);
	if (!IS_ERR(tfm)) {
		ret = crypto_cipher_setkey(tfm, obj->material, obj->material_len);
		if (ret) {
			crypto_free_cipher(tfm);
			tfm = ERR_PTR(ret);
		}
	}
	publish((void **)&c->block, tfm);
out_unlock:
	mutex_unlock(&obj->lock);
	return tfm;
}

static struct crypto_shash *get_hmac(struct kv_object *obj, u32 alg)
{
	static const char *const names[] = { "hmac(sha256)", "hmac(sha384)", "hmac(sha512)" };
	u32 i = alg - KVAULT_ALG_HS256;
	struct crypto_shash *tfm = NULL;
	struct kv_ciphers *c;
	int ret;

	/* pairs with ciphers_locked() and publish() */
	c = smp_load_acquire(&obj->ciphers);
	if (c)	/* likewise */
		tfm = smp_load_acquire(&c->hmac[i]);
	if (tfm)
		return tfm;
	mutex_lock(&obj->lock);
	c = ciphers_locked(obj);
	tfm = IS_ERR(c) ? ERR_CAST(c) : c->hmac[i];
	if (tfm)
		goto out_unlock;
	tfm = crypto_alloc_shash(names[i], 0, 0);
	if (!IS_ERR(tfm)) {
		ret = crypto_shash_setkey(tfm, obj->material, obj->material_len);
		if (ret) {
			crypto_free_shash(tfm);
			tfm = ERR_PTR(ret);
		}
	}
	publish((void **)&c->hmac[i], tfm);
out_unlock:
	mutex_unlock(&obj->lock);
	return tfm;
}

/**
 * kv_ciphers_free() - free transforms, which wipes their keys
 * @c: transforms, or NULL
 */
void kv_ciphers_free(struct kv_ciphers *c)
{
	int i;

	if (!c)
		return;
	crypto_free_aead(c->gcm);
	crypto_free_skcipher(c->cbc);
	if (c->block)
		crypto_free_cipher(c->block);
	for (i = 0; i < ARRAY_SIZE(c->hmac); i++)
		crypto_free_shash(c->hmac[i]);
	kfree_sensitive(c);
}

static int gcm_run(struct crypto_aead *tfm, bool encrypt, const u8 *iv, u8 *aad, u32 aad_len,
		   u8 *data, u32 len, u8 *tag)
{
	struct scatterlist sg[3];
	struct aead_request *req;
	DECLARE_CRYPTO_WAIT(wait);
	u8 niv[KVAULT_IV_GCM_SIZE];
	u8 *t;
	int ret, n = 0;

	/* scatterlists need linear memory, and the tag's buffer is a caller's */
	req = kzalloc(sizeof(*req) + crypto_aead_reqsize(tfm) + KVAULT_TAG_SIZE, GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	t = (u8 *)req + sizeof(*req) + crypto_aead_reqsize(tfm);
	if (!encrypt)
		memcpy(t, tag, KVAULT_TAG_SIZE);
	memcpy(niv, iv, sizeof(niv));
	sg_init_table(sg, 1 + !!aad_len + !!len);
	if (aad_len)
		sg_set_buf(&sg[n++], aad, aad_len);
	if (len)
		sg_set_buf(&sg[n++], data, len);
	sg_set_buf(&sg[n], t, KVAULT_TAG_SIZE);

	aead_request_set_tfm(req, tfm);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &wait);
	aead_request_set_ad(req, aad_len);
	aead_request_set_crypt(req, sg, sg, len + (encrypt ? 0 : KVAULT_TAG_SIZE), niv);
	ret = crypto_wait_req(encrypt ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req),
			      &wait);
#ifdef KVAULT_MUTANT_NO_TAG_CHECK
	if (ret == -EBADMSG)
		ret = 0;
#endif
	if (!ret && encrypt)
		memcpy(tag, t, KVAULT_TAG_SIZE);
	kfree_sensitive(req);
	return ret;
}

static int skcipher_run(struct crypto_skcipher *tfm, bool encrypt, u8 *data, u32 len, u8 *iv)
{
	struct skcipher_request *req;
	struct scatterlist sg;
	DECLARE_CRYPTO_WAIT(wait);
	int ret;

	req = skcipher_request_alloc(tfm, GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	sg_init_one(&sg, data, len);
	skcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				      crypto_req_done, &wait);
	skcipher_request_set_crypt(req, &sg, &sg, len, iv);
	ret = crypto_wait_req(encrypt ? crypto_skcipher_encrypt(req) :
			      crypto_skcipher_decrypt(req), &wait);
	skcipher_request_free(req);
	return ret;
}

static int run_gcm(struct kv_object *obj, struct kv_op *op)
{
	struct crypto_aead *tfm = get_gcm(obj);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	return gcm_run(tfm, op->op == KVAULT_OP_ENCRYPT, op->iv, op->aux, op->aux_len,
		       op->data, op->len, op->tag);
}

/*
 * Length of the PKCS#7 padding at the end of the last block, 0 when there is
 * none. Takes the same time whatever the block holds.
 */
static u32 padding_of(const u8 block[16])
{
	u32 pad = block[15], bad, i;

	bad = ((pad - 1) >> 8 | (16 - pad) >> 8) & 1;
	for (i = 0; i < 16; i++) {
		/* all ones for the bytes that belong to the padding */
		u32 in = (u32)((s32)(15 - i - pad) >> 31);

		bad |= in & (block[i] ^ pad);
	}
	/* bad is 8 bits wide: 0 becomes a mask of ones, anything else one of zeros */
	return pad & ((bad - 1) >> 8);
}

static int run_cbc(struct kv_object *obj, struct kv_op *op)
{
	bool encrypt = op->op == KVAULT_OP_ENCRYPT, padded = is_padded(op->alg);
	struct crypto_skcipher *tfm = get_cbc(obj);
	u8 iv[KVAULT_IV_CBC_SIZE];
	u32 pad;
	int ret;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	if (encrypt && padded) {
		pad = 16 - op->len % 16;
		if (op->size - op->len < pad)
			return -EINVAL;
		memset(op->data + op->len, pad, pad);
		op->len += pad;
	}
	if (!op->len || op->len % 16)
		return -EINVAL;
	memcpy(iv, op->iv, sizeof(iv));
	ret = skcipher_run(tfm, encrypt, op->data, op->len, iv);
	memzero_explicit(iv, sizeof(iv));
	if (ret || encrypt || !padded)
		return ret;
	pad = padding_of(op->data + op->len - 16);
	op->len -= pad;
#ifdef KVAULT_MUTANT_NO_PADDING_CHECK
	return 0;
#endif
	return pad ? 0 : -EBADMSG;
}

static const u8 kw_iv[8] = { 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6 };
static const u8 kwp_iv[4] = { 0xa6, 0x59, 0x59, 0xa6 };

/* W of RFC 3394 2.2.1: @data is A followed by @n semiblocks, in place. */
static void kw_wrap(struct crypto_cipher *tfm, u8 *data, u32 n, u8 *block)
{
	u64 t = 0;
	u32 i, j;

	memcpy(block, data, 8);
	for (j = 0; j < 6; j++)
		for (i = 1; i <= n; i++) {
			memcpy(block + 8, data + 8 * i, 8);
			crypto_cipher_encrypt_one(tfm, block, block);
			t++;
			*(__be64 *)block ^= cpu_to_be64(t);
			memcpy(data + 8 * i, block + 8, 8);
		}
	memcpy(data, block, 8);
}

static void kw_unwrap(struct crypto_cipher *tfm, u8 *data, u32 n, u8 *block)
{
	u64 t = 6ull * n;
	u32 i, j;

	memcpy(block, data, 8);
	for (j = 0; j < 6; j++)
		for (i = n; i >= 1; i--) {
			*(__be64 *)block ^= cpu_to_be64(t);
			t--;
			memcpy(block + 8, data + 8 * i, 8);
			crypto_cipher_decrypt_one(tfm, block, block);
			memcpy(data + 8 * i, block + 8, 8);
		}
	memcpy(data, block, 8);
}

/* RFC 3394, or RFC 5649 with @padded; the result is 8 bytes longer, at least. */
static int wrap(struct crypto_cipher *tfm, struct kv_op *op, bool padded, u8 *block)
{
	u32 n = DIV_ROUND_UP(op->len, 8), len = op->len;

	if (padded ? !len || len > KVAULT_AUX_MAX : len < 16 || len % 8 || len > KVAULT_AUX_MAX)
		return -EINVAL;
	if (op->size < 8 * (n + 1))
		return -EINVAL;
	memmove(op->data + 8, op->data, len);
	memset(op->data + 8 + len, 0, 8 * n - len);
	memcpy(op->data, kw_iv, 8);
	if (padded) {
		memcpy(op->data, kwp_iv, 4);
		*(__be32 *)(op->data + 4) = cpu_to_be32(len);
	}
	if (padded && n == 1)
		crypto_cipher_encrypt_one(tfm, op->data, op->data);
	else
		kw_wrap(tfm, op->data, n, block);
	op->len = 8 * (n + 1);
	return 0;
}

/* Checks all of what was unwrapped before it says what was wrong: nothing. */
static int check_unwrapped(struct kv_op *op, u32 n, bool padded)
{
	static const u8 zeros[8];
	u32 len, bad;

	if (!padded) {
		op->len = 8 * n;
#ifdef KVAULT_MUTANT_NO_WRAP_CHECK
		return 0;
#endif
		return crypto_memneq(op->data, kw_iv, 8) ? -EBADMSG : 0;
	}
	len = be32_to_cpup((__be32 *)(op->data + 4));
	bad = !!crypto_memneq(op->data, kwp_iv, 4);
	bad |= len > 8 * n || len + 8 <= 8 * n || !len;
	len = bad ? 8 * n : len;
	bad |= !!crypto_memneq(op->data + 8 + len, zeros, 8 * n - len);
	op->len = len;
	return bad ? -EBADMSG : 0;
}

static int unwrap(struct crypto_cipher *tfm, struct kv_op *op, bool padded, u8 *block)
{
	u32 n = op->len / 8 - 1;
	int ret;

	if (op->len % 8 || op->len < (padded ? 16 : 24) || op->len > KVAULT_AUX_MAX + 16)
		return -EINVAL;
	if (padded && n == 1)
		crypto_cipher_decrypt_one(tfm, op->data, op->data);
	else
		kw_unwrap(tfm, op->data, n, block);
	ret = check_unwrapped(op, n, padded);
	if (!ret)
		memmove(op->data, op->data + 8, op->len);
	return ret;
}

static int run_kw(struct kv_object *obj, struct kv_op *op)
{
	struct crypto_cipher *tfm = get_block(obj);
	bool padded = op->alg == KVAULT_ALG_KWP;
	u8 block[16] __aligned(16);
	int ret;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	if (op->op == KVAULT_OP_WRAP)
		ret = wrap(tfm, op, padded, block);
	else
		ret = unwrap(tfm, op, padded, block);
	memzero_explicit(block, sizeof(block));
	return ret;
}

static int run_hmac(struct kv_object *obj, struct kv_op *op)
{
	struct crypto_shash *tfm = get_hmac(obj, op->alg);
	u8 mac[64];
	u32 size;
	int ret;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	size = crypto_shash_digestsize(tfm);
	ret = crypto_shash_tfm_digest(tfm, op->data, op->len, mac);
	if (!ret && op->op == KVAULT_OP_VERIFY)
		ret = op->aux_len != size || crypto_memneq(mac, op->aux, size) ?
		      -EKEYREJECTED : 0;
	if (!ret && op->op == KVAULT_OP_SIGN) {
		memcpy(op->data, mac, size);
		op->len = size;
	}
	memzero_explicit(mac, sizeof(mac));
	return ret;
}

/**
 * kv_crypto_run() - one symmetric operation, in place
 * @obj: oct key, whose ops and state were checked
 * @op: what to do; fits the key
 *
 * Return: 0; -EBADMSG or -EKEYREJECTED for what does not check, -EINVAL for a
 * length, -EKEYREVOKED, -ENOMEM.
 */
int kv_crypto_run(struct kv_object *obj, struct kv_op *op)
{
	if (is_gcm(op->alg))
		return run_gcm(obj, op);
	if (op->alg <= KVAULT_ALG_A256CBCPAD)
		return run_cbc(obj, op);
	if (op->alg <= KVAULT_ALG_KWP)
		return run_kw(obj, op);
	return run_hmac(obj, op);
}

/**
 * kv_gcm_once() - AES-256-GCM under a key that is used once
 * @key: the key
 * @encrypt: or decrypt and check
 * @iv: 12 bytes
 * @aad: additional data, in linear kernel memory
 * @aad_len: bytes of it
 * @data: in place, in linear kernel memory
 * @len: bytes of it
 * @tag: 16 bytes, out or in
 *
 * Return: 0; -EBADMSG, -ENOMEM.
 */
int kv_gcm_once(const u8 key[32], bool encrypt, const u8 iv[12], u8 *aad, u32 aad_len,
		u8 *data, u32 len, u8 tag[16])
{
	struct crypto_aead *tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	int ret;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	ret = crypto_aead_setkey(tfm, key, 32);
	if (!ret)
		ret = crypto_aead_setauthsize(tfm, KVAULT_TAG_SIZE);
	if (!ret)
		ret = gcm_run(tfm, encrypt, iv, aad, aad_len, data, len, tag);
	crypto_free_aead(tfm);
	return ret;
}

/**
 * kv_kdf() - SP 800-108 in counter mode with HMAC-SHA-256, 256 bits of output
 * @key: key-derivation key
 * @key_len: bytes of it
 * @label: what the result is for; one per purpose
 * @context: whom it is for
 * @context_len: bytes of it
 * @out: the result
 *
 * Return: 0; -ENOMEM.
 */
int kv_kdf(const u8 *key, u32 key_len, const char *label, const u8 *context,
	   u32 context_len, u8 out[32])
{
	__be32 one = cpu_to_be32(1), bits = cpu_to_be32(256);
	struct shash_desc *desc;
	struct crypto_shash *tfm;
	int ret = -ENOMEM;

	/* the tfm holds the key: one of its own for each call */
	tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	desc = kzalloc(sizeof(*desc) + crypto_shash_descsize(tfm), GFP_KERNEL);
	if (!desc)
		goto out_free;
	desc->tfm = tfm;
	ret = crypto_shash_setkey(tfm, key, key_len) ?:
	      crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, (u8 *)&one, sizeof(one)) ?:
	      crypto_shash_update(desc, label, strlen(label) + 1) ?:
	      crypto_shash_update(desc, context, context_len) ?:
	      crypto_shash_finup(desc, (u8 *)&bits, sizeof(bits), out);
	kfree_sensitive(desc);
out_free:
	crypto_free_shash(tfm);
	return ret;
}

/**
 * kv_sha256() - SHA-256
 * @data: input
 * @len: bytes of it
 * @out: digest
 *
 * Return: 0; -ENOMEM.
 */
int kv_sha256(const u8 *data, u32 len, u8 out[32])
{
	return crypto_shash_tfm_digest(kv_sha, data, len, out);
}

/**
 * kv_crypto_is_constant_time() - is AES done without table look-ups?
 *
 * Return: true if the implementation in use is an accelerated one.
 */
bool kv_crypto_is_constant_time(void)
{
	return !kv_has_tables;
}

/**
 * kv_crypto_init() - allocate what is used without a key object
 *
 * Return: 0; -errno of the crypto API.
 */
int kv_crypto_init(void)
{
	struct crypto_cipher *tfm = crypto_alloc_cipher("aes", 0, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	kv_has_tables = strstr(crypto_tfm_alg_driver_name(crypto_cipher_tfm(tfm)), "generic");
	crypto_free_cipher(tfm);
	kv_sha = crypto_alloc_shash("sha256", 0, 0);
	return PTR_ERR_OR_ZERO(kv_sha);
}

/**
 * kv_crypto_exit() - free it
 */
void kv_crypto_exit(void)
{
	crypto_free_shash(kv_sha);
}

KV_IMPORT_NS(CRYPTO_INTERNAL);	/* for a block of AES */

/* Without these a first user would get, and keep, the generic versions. */
MODULE_SOFTDEP("pre: aesni_intel ghash_clmulni_intel sha256_ssse3 sha512_ssse3");
