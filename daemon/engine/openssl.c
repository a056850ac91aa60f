// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software keys, by OpenSSL: constant-time, blinded, and what comes out of a
 * CRT is checked against the public exponent (rsa_ossl_mod_exp() does, given
 * all five parameters, which key.c insists on).
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "engine/alg.h"
#include "engine/jwk.h"
#include "engine/key.h"
#include "engine/ossl.h"
#include "engine/pub.h"
#include "engine/rsa15.h"

struct soft_key {
	struct kve_key base;
	EVP_PKEY *pkey;
	struct kve_ctx_cache private;
	struct kve_ctx_cache public;
	uint8_t d_hash[KVE_RSA15_HASH];	/* see rsa15.h; made when it is first needed */
	int has_d_hash;
};

static struct soft_key *soft(struct kve_key *key)
{
	return (struct soft_key *)key;	/* base is its first member */
}

static int soft_open(const char *config, void **ret_state, struct kve_reply *reply)
{
	if (config)
		return kve_refuse(reply, -EINVAL, "the openssl engine has no configuration");
	*ret_state = NULL;
	return 0;
}

static void soft_close(void *state)
{
	(void)state;
}

static int soft_generate(void *state, const struct kve_type *type,
			 const uint8_t version[KVAULT_ID_SIZE], struct kve_reply *reply)
{
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	int r;

	(void)state;
	(void)version;
	r = kve_key_generate(type, &pkey, reply);
	if (r == 0)
		r = kve_jwk_write(pkey, reply);
	return r < 0 ? r : kve_key_write(pkey, reply);
}

static int soft_import(void *state, const struct kve_type *type, const struct kve_material *m,
		       struct kve_reply *reply)
{
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	struct kve_type is;
	int r;

	(void)state;
	r = kve_key_parse(m->data, m->len, KVE_KEY_FOREIGN, &pkey, reply);
	if (r == 0)
		r = kve_key_type(pkey, &is, reply);
	if (r == 0)
		r = kve_key_expect(&is, type, reply);
	if (r == 0)
		r = kve_jwk_write(pkey, reply);
	return r < 0 ? r : kve_key_write(pkey, reply);
}

static int soft_load(void *state, const struct kve_type *type, const struct kve_material *m,
		     struct kve_key **ret_key, struct kve_reply *reply)
{
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	struct soft_key *key;
	struct kve_type is;
	int r;

	(void)state;
	r = kve_key_parse(m->data, m->len, 0, &pkey, reply);
	if (r == 0)
		r = kve_key_type(pkey, &is, reply);
	if (r == 0)
		r = kve_key_expect(&is, type, reply);
	if (r < 0)
		return r;
	key = OPENSSL_secure_zalloc(sizeof(*key));
	if (!key)
		return kve_refuse(reply, -ENOMEM, "no locked memory is left for this key");
	key->base.type = is;
	key->pkey = TAKE_PTR(pkey);
	*ret_key = &key->base;
	return 0;
}

static int sign_ecdsa(EVP_PKEY_CTX *ctx, const struct kve_op *op, size_t size,
		      struct kve_reply *reply)
{
	uint8_t der[KVE_ECDSA_DER_MAX];
	size_t len = sizeof(der);

	if (2 * size > reply->out_size ||
	    EVP_PKEY_sign(ctx, der, &len, op->in, op->in_len) != 1 ||
	    kve_ecdsa_to_raw(der, len, size, reply->out) < 0)
		return -EIO;
	reply->out_len = 2 * size;
	return 0;
}

static int soft_sign(struct soft_key *key, const struct kve_op *op, struct kve_reply *reply)
{
	EVP_PKEY_CTX *ctx = kve_ctx_get(key->pkey, &key->private, op, EVP_PKEY_sign_init);
	size_t len = reply->out_size;
	int r = -EIO;

	if (ctx && op->alg->scheme == KVE_SCHEME_ECDSA) {
		r = sign_ecdsa(ctx, op, kve_type_size(&key->base.type), reply);
	} else if (ctx && EVP_PKEY_sign(ctx, reply->out, &len, op->in, op->in_len) == 1) {
		reply->out_len = len;
		r = 0;
	}
	ERR_clear_error();
	return r < 0 ? kve_refuse(reply, r, "%s failed", op->alg->name) : 0;
}

static int make_d_hash(struct soft_key *key)
{
	size_t size = kve_type_size(&key->base.type);
	_cleanup_bn_ BIGNUM *d = BN_secure_new();
	uint8_t bytes[KVE_RSA15_MAX];
	int ok;

	if (key->has_d_hash)
		return 0;
	if (!d || !EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_D, &d) ||
	    BN_bn2binpad(d, bytes, (int)size) < 0)
		return -EIO;
	ok = EVP_Digest(bytes, size, key->d_hash, NULL, EVP_sha256(), NULL);
	kvd_wipe(bytes, sizeof(bytes));
	key->has_d_hash = ok == 1;
	return ok == 1 ? 0 : -EIO;
}

/* Always an answer of some length: see rsa15.c. */
static int decrypt_rsa15(struct soft_key *key, const struct kve_op *op, struct kve_reply *reply)
{
	EVP_PKEY_CTX *ctx = kve_ctx_get(key->pkey, &key->private, op, EVP_PKEY_decrypt_init);
	size_t size = kve_type_size(&key->base.type), len = KVE_RSA15_MAX;
	uint8_t em[KVE_RSA15_MAX];
	int r = -EIO;

	if (!ctx || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1 ||
	    make_d_hash(key) < 0)
		goto out_wipe;
	/* Fails for a number that is no residue, which anyone can see. */
	r = -EBADMSG;
	if (EVP_PKEY_decrypt(ctx, em, &len, op->in, op->in_len) == 1 && len == size)
		r = kve_rsa15_unpad(em, op->in, size, key->d_hash, reply->out, &reply->out_len);
out_wipe:
	kvd_wipe(em, sizeof(em));
	ERR_clear_error();
	return r < 0 ? kve_refuse(reply, r, "the ciphertext cannot be decrypted") : 0;
}

static int decrypt_oaep(struct soft_key *key, const struct kve_op *op, struct kve_reply *reply)
{
	EVP_PKEY_CTX *ctx = kve_ctx_get(key->pkey, &key->private, op, EVP_PKEY_decrypt_init);
	size_t len = reply->out_size;
	int r;

	if (!ctx)
		return kve_refuse(reply, -EIO, "%s cannot be set up", op->alg->name);
	r = EVP_PKEY_decrypt(ctx, reply->out, &len, op->in, op->in_len);
	ERR_clear_error();
	if (r != 1)
		return kve_refuse(reply, -EBADMSG, "the ciphertext cannot be decrypted");
	reply->out_len = len;
	return 0;
}

static int soft_crypt(void *state, struct kve_key *base, const struct kve_op *op,
		      struct kve_reply *reply)
{
	struct soft_key *key = soft(base);

	(void)state;
	if (kve_op_is_public(op))
		return kve_pub_crypt(key->pkey, &key->public, op, reply);
	switch (op->alg->scheme) {
	case KVE_SCHEME_PKCS1_SIGN:
	case KVE_SCHEME_PSS:
	case KVE_SCHEME_ECDSA:
		return soft_sign(key, op, reply);
	case KVE_SCHEME_PKCS1_CRYPT:
		return decrypt_rsa15(key, op, reply);
	case KVE_SCHEME_OAEP:
		return decrypt_oaep(key, op, reply);
	}
	return -EOPNOTSUPP;
}

static void soft_forget(void *state, struct kve_key *base)
{
	struct soft_key *key = soft(base);

	(void)state;
	if (!key)
		return;
	kve_ctx_done(&key->private);
	kve_ctx_done(&key->public);
	EVP_PKEY_free(key->pkey);
	OPENSSL_secure_clear_free(key, sizeof(*key));
}

/* The material is all there is, and it is the kernel's to drop. */
static int soft_destroy(void *state, const struct kve_material *m, struct kve_reply *reply)
{
	(void)state;
	(void)m;
	(void)reply;
	return 0;
}

const struct kve_backend kve_openssl = {
	.name = "openssl",
	.kind = KVAULT_ENGINE_OPENSSL,
	.device = "/dev/kvault-engine",
	.is_local = 1,
	.open = soft_open,
	.close = soft_close,
	.generate = soft_generate,
	.import = soft_import,
	.load = soft_load,
	.crypt = soft_crypt,
	.forget = soft_forget,
	.destroy = soft_destroy,
};
