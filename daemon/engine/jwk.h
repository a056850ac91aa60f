/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_JWK_H
#define KVE_JWK_H

#include <openssl/evp.h>

#include "engine/engine.h"

/* The public half as a JWK, kty, n, e or kty, crv, x, y, into reply->out. */
int kve_jwk_write(const EVP_PKEY *pkey, struct kve_reply *reply);

#endif /* KVE_JWK_H */
