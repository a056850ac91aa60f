/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys for tests, good ones and ones that are wrong in one thing. */
#ifndef KVE_TEST_KEYS_H
#define KVE_TEST_KEYS_H

#include <openssl/evp.h>

#include "engine/engine.h"

extern const struct kve_type test_types[];
extern const size_t test_types_count;

void test_hex(uint8_t *dst, size_t len, const char *hex);

/* PKCS#8 DER; the first takes the key. */
struct kvd_bytes test_der_of(EVP_PKEY *pkey);
struct kvd_bytes test_key_der(const struct kve_type *type);
struct kvd_bytes test_der_explicit_curve(void);

enum test_rsa_wrong {
	TEST_RSA_N,
	TEST_RSA_D,
	TEST_RSA_DP,
	TEST_RSA_DQ,
	TEST_RSA_QI,
	TEST_RSA_NO_CRT,
	TEST_RSA_E3,
	TEST_RSA_E_LARGE,
	TEST_RSA_COMPOSITE,
};

EVP_PKEY *test_rsa_wrong(enum test_rsa_wrong what);
struct kvd_bytes test_rsa_der_wrong(enum test_rsa_wrong what);

enum test_ec_wrong {
	TEST_EC_OFF_CURVE,
	TEST_EC_OTHER_POINT,
	TEST_EC_ZERO,
	TEST_EC_TOO_LARGE,
};

/* P-256, numbers in hex. */
struct kvd_bytes test_ec_der(const char *d, const char *x, const char *y);
struct kvd_bytes test_ec_der_wrong(enum test_ec_wrong what);

#endif /* KVE_TEST_KEYS_H */
