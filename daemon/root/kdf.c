// SPDX-License-Identifier: GPL-2.0-only
/* The two primitives around the root key, by OpenSSL. */
#include "root/kdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "util/cleanup.h"

KVD_DEFINE_CLEANUP(EVP_KDF, EVP_KDF_free);
KVD_DEFINE_CLEANUP(EVP_KDF_CTX, EVP_KDF_CTX_free);
KVD_DEFINE_CLEANUP(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free);

static OSSL_PARAM text(const char *name, const char *value)
{
	return OSSL_PARAM_construct_utf8_string(name, (char *)value, 0);
}

static OSSL_PARAM bytes(const char *name, const void *p, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)p, len);
}

int kvr_kdf(const uint8_t *key, size_t key_len, const char *label, const void *context,
	    size_t context_len, uint8_t out[32])
{
	_cleanup_(EVP_KDF_free_cleanup) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
	_cleanup_(EVP_KDF_CTX_free_cleanup) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		text(OSSL_KDF_PARAM_MODE, "counter"),
		text(OSSL_KDF_PARAM_MAC, "HMAC"),
		text(OSSL_KDF_PARAM_DIGEST, "SHA256"),
		bytes(OSSL_KDF_PARAM_KEY, key, key_len),
		bytes(OSSL_KDF_PARAM_SALT, label, strlen(label)),	/* OpenSSL's name for it */
		bytes(OSSL_KDF_PARAM_INFO, context, context_len),
		OSSL_PARAM_construct_end(),
	};

	return ctx && EVP_KDF_derive(ctx, out, 32, params) == 1 ? 0 : -EIO;
}

int kvr_gcm_open(const uint8_t key[32], const uint8_t iv[12], const void *aad, size_t aad_len,
		 const uint8_t *in, size_t len, const uint8_t tag[16], uint8_t *out)
{
	_cleanup_(EVP_CIPHER_CTX_free_cleanup) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	if (ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1 &&
	    EVP_DecryptUpdate(ctx, out, &n, in, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, 16, (void *)tag) == 1 &&
	    EVP_DecryptFinal_ex(ctx, out + n, &n) == 1)
		return 0;
	kvd_wipe(out, len);
	return ctx ? -EBADMSG : -ENOMEM;
}
