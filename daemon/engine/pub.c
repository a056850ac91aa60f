// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verifying, encrypting, wrapping: the public half of every algorithm, by
 * OpenSSL, for software keys and for keys in a token alike.
 */
#include "engine/pub.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "engine/ossl.h"

static int setup_pss(EVP_PKEY_CTX *ctx, const EVP_MD *md)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static int setup_oaep(EVP_PKEY_CTX *ctx, const EVP_MD *md)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

int kve_pub_setup(EVP_PKEY_CTX *ctx, const struct kve_alg *alg)
{
	const EVP_MD *md = alg->md ? EVP_get_digestbyname(alg->md) : NULL;

	if (alg->md && !md)
		return 0;
	switch (alg->scheme) {
	case KVE_SCHEME_PKCS1_SIGN:
		/* Without a hash no DigestInfo is put around the bytes: RSNULL. */
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		       (!md || EVP_PKEY_CTX_set_signature_md(ctx, md) == 1);
	case KVE_SCHEME_PKCS1_CRYPT:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	case KVE_SCHEME_PSS:
		return setup_pss(ctx, md);
	case KVE_SCHEME_OAEP:
		return setup_oaep(ctx, md);
	case KVE_SCHEME_ECDSA:
		return EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
	}
	return 0;
}

EVP_PKEY_CTX *kve_ctx_get(EVP_PKEY *pkey, struct kve_ctx_cache *cache, const struct kve_op *op,
			  int (*init)(EVP_PKEY_CTX *))
{
	_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = NULL;

	if (cache->ctx && cache->alg == op->alg->alg && cache->operation == op->operation)
		return cache->ctx;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (!ctx || init(ctx) != 1 || !kve_pub_setup(ctx, op->alg))
		return NULL;
	kve_ctx_done(cache);
	cache->alg = op->alg->alg;
	cache->operation = op->operation;
	cache->ctx = TAKE_PTR(ctx);
	return cache->ctx;
}

void kve_ctx_done(struct kve_ctx_cache *cache)
{
	EVP_PKEY_CTX_free(cache->ctx);
	memset(cache, 0, sizeof(*cache));
}

static int verify(EVP_PKEY *pkey, struct kve_ctx_cache *cache, const struct kve_op *op,
		  struct kve_reply *reply)
{
	EVP_PKEY_CTX *ctx = kve_ctx_get(pkey, cache, op, EVP_PKEY_verify_init);
	const uint8_t *sig = op->sig;
	size_t sig_len = op->sig_len;
	uint8_t der[KVE_ECDSA_DER_MAX];
	int r;

	if (!ctx)
		return kve_refuse(reply, -EIO, "%s cannot be set up", op->alg->name);
	if (op->alg->scheme == KVE_SCHEME_ECDSA) {
		if (kve_ecdsa_to_der(sig, sig_len / 2, der, sizeof(der), &sig_len) < 0)
			return kve_refuse(reply, -EIO, "the signature cannot be read");
		sig = der;
	}
	r = EVP_PKEY_verify(ctx, sig, sig_len, op->in, op->in_len);
	ERR_clear_error();
	if (r != 1)
		return kve_refuse(reply, -EKEYREJECTED, "the signature does not verify");
	return 0;
}

static int encrypt(EVP_PKEY *pkey, struct kve_ctx_cache *cache, const struct kve_op *op,
		   struct kve_reply *reply)
{
	EVP_PKEY_CTX *ctx = kve_ctx_get(pkey, cache, op, EVP_PKEY_encrypt_init);
	size_t len = reply->out_size;

	if (!ctx || EVP_PKEY_encrypt(ctx, reply->out, &len, op->in, op->in_len) != 1) {
		ERR_clear_error();
		return kve_refuse(reply, -EIO, "%s failed", op->alg->name);
	}
	reply->out_len = len;
	return 0;
}

int kve_pub_crypt(EVP_PKEY *pkey, struct kve_ctx_cache *cache, const struct kve_op *op,
		  struct kve_reply *reply)
{
	if (op->operation == KVAULT_OP_VERIFY)
		return verify(pkey, cache, op, reply);
	return encrypt(pkey, cache, op, reply);
}

int kve_ecdsa_to_raw(const uint8_t *der, size_t der_len, size_t size, uint8_t *raw)
{
	const unsigned char *p = der;
	_cleanup_ecdsa_sig_ ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der_len);

	if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)size) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + size, (int)size) < 0)
		return -EINVAL;
	return 0;
}

int kve_ecdsa_to_der(const uint8_t *raw, size_t size, uint8_t *der, size_t max, size_t *ret_len)
{
	_cleanup_ecdsa_sig_ ECDSA_SIG *sig = ECDSA_SIG_new();
	_cleanup_bn_ BIGNUM *r = BN_bin2bn(raw, (int)size, NULL);
	_cleanup_bn_ BIGNUM *s = BN_bin2bn(raw + size, (int)size, NULL);
	unsigned char *p = der;
	int len;

	if (!sig || !r || !s || !ECDSA_SIG_set0(sig, r, s))
		return -EINVAL;
	r = s = NULL;	/* transferred */
	len = i2d_ECDSA_SIG(sig, NULL);
	if (len <= 0 || (size_t)len > max)
		return -EINVAL;
	*ret_len = (size_t)i2d_ECDSA_SIG(sig, &p);
	return 0;
}
