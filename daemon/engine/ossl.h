/* SPDX-License-Identifier: GPL-2.0-only */
/* Cleanup of what OpenSSL gives. Numbers are wiped, whether secret or not. */
#ifndef KVE_OSSL_H
#define KVE_OSSL_H

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "util/cleanup.h"

KVD_DEFINE_CLEANUP(EVP_PKEY, EVP_PKEY_free);
KVD_DEFINE_CLEANUP(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
KVD_DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free);
KVD_DEFINE_CLEANUP(BIGNUM, BN_clear_free);
KVD_DEFINE_CLEANUP(BN_CTX, BN_CTX_free);
KVD_DEFINE_CLEANUP(ECDSA_SIG, ECDSA_SIG_free);
KVD_DEFINE_CLEANUP(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);

#define _cleanup_pkey_		_cleanup_(EVP_PKEY_free_cleanup)
#define _cleanup_pkey_ctx_	_cleanup_(EVP_PKEY_CTX_free_cleanup)
#define _cleanup_md_ctx_	_cleanup_(EVP_MD_CTX_free_cleanup)
#define _cleanup_bn_		_cleanup_(BN_clear_free_cleanup)
#define _cleanup_bn_ctx_	_cleanup_(BN_CTX_free_cleanup)
#define _cleanup_ecdsa_sig_	_cleanup_(ECDSA_SIG_free_cleanup)
#define _cleanup_pkcs8_		_cleanup_(PKCS8_PRIV_KEY_INFO_free_cleanup)

#endif /* KVE_OSSL_H */
