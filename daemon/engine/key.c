// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key pairs: made, read, checked, written. A key from outside is believed in
 * nothing: halves that do not match, a point off its curve or one wrong CRT
 * parameter turn the first signature into a gift.
 */
#include "engine/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "engine/alg.h"
#include "engine/ossl.h"

#define RSA_E_MIN	65537
#define RSA_E_BITS_MAX	64	/* what OpenSSL verifies with at every size */

/* The numbers of an RSA key; all but n and e are secret. */
struct rsa_numbers {
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
};

static void rsa_numbers_done(struct rsa_numbers *k)
{
	BN_clear_free(k->n);
	BN_clear_free(k->e);
	BN_clear_free(k->d);
	BN_clear_free(k->p);
	BN_clear_free(k->q);
	BN_clear_free(k->dp);
	BN_clear_free(k->dq);
	BN_clear_free(k->qi);
}

static int get_secret(const EVP_PKEY *pkey, const char *name, BIGNUM **ret)
{
	*ret = BN_secure_new();
	if (!*ret || !EVP_PKEY_get_bn_param(pkey, name, ret) || BN_is_zero(*ret))
		return -EINVAL;
	BN_set_flags(*ret, BN_FLG_CONSTTIME);
	return 0;
}

static int get_rsa_numbers(const EVP_PKEY *pkey, struct rsa_numbers *k, struct kve_reply *reply)
{
	BIGNUM *third = NULL;

	if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &k->n) ||
	    !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &k->e))
		return kve_refuse(reply, -EINVAL, "the RSA key has no modulus or no exponent");
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, &third)) {
		BN_clear_free(third);
		return kve_refuse(reply, -EOPNOTSUPP, "RSA keys of more than two primes");
	}
	if (get_secret(pkey, OSSL_PKEY_PARAM_RSA_D, &k->d) < 0)
		return kve_refuse(reply, -EINVAL, "the RSA key has no private exponent d");
	if (get_secret(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &k->p) < 0 ||
	    get_secret(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &k->q) < 0)
		return kve_refuse(reply, -EINVAL, "the RSA key lacks a prime, p or q");
	if (get_secret(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, &k->dp) < 0 ||
	    get_secret(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, &k->dq) < 0 ||
	    get_secret(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &k->qi) < 0)
		return kve_refuse(reply, -EINVAL,
				  "the RSA key lacks a CRT parameter, dp, dq or qi");
	return 0;
}

/* Is a * b = 1 modulo m? */
static int are_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *ctx)
{
	_cleanup_bn_ BIGNUM *t = BN_secure_new();

	return t && BN_mod_mul(t, a, b, m, ctx) && BN_is_one(t);
}

/* One prime's half of the CRT: dx = d mod x - 1, and it undoes e there. */
static int check_crt(const struct rsa_numbers *k, const BIGNUM *x, const BIGNUM *dx, BN_CTX *ctx)
{
	_cleanup_bn_ BIGNUM *m = BN_secure_new(), *t = BN_secure_new();

#ifdef KVAULT_MUTANT_NO_CRT_CHECK
	return 1;
#endif
	if (!m || !t || !BN_copy(m, x) || !BN_sub_word(m, 1))
		return 0;
	BN_set_flags(m, BN_FLG_CONSTTIME);
	return BN_mod(t, k->d, m, ctx) && BN_cmp(t, dx) == 0 && are_inverse(k->e, dx, m, ctx);
}

static int check_rsa_numbers(const struct rsa_numbers *k, struct kve_reply *reply)
{
	_cleanup_bn_ctx_ BN_CTX *ctx = BN_CTX_secure_new();
	_cleanup_bn_ BIGNUM *t = BN_secure_new();

	if (!ctx || !t)
		return -ENOMEM;
	if (!BN_is_odd(k->e) || BN_num_bits(k->e) > RSA_E_BITS_MAX ||
	    BN_get_word(k->e) < RSA_E_MIN)
		return kve_refuse(reply, -EINVAL,
				  "the RSA exponent e is not an odd number from 65537 to 2^64");
	if (!BN_mul(t, k->p, k->q, ctx) || BN_cmp(t, k->n) != 0)
		return kve_refuse(reply, -EINVAL, "the RSA modulus is not p times q");
	if (BN_cmp(k->d, k->n) >= 0)
		return kve_refuse(reply, -EINVAL, "the RSA exponent d is larger than the modulus");
	if (!check_crt(k, k->p, k->dp, ctx))
		return kve_refuse(reply, -EINVAL, "the RSA parameters d, dp, p and e do not match");
	if (!check_crt(k, k->q, k->dq, ctx))
		return kve_refuse(reply, -EINVAL, "the RSA parameters d, dq, q and e do not match");
	if (BN_cmp(k->qi, k->p) >= 0 || !are_inverse(k->qi, k->q, k->p, ctx))
		return kve_refuse(reply, -EINVAL, "the RSA parameter qi is not 1/q modulo p");
	return 0;
}

static int check_rsa(const EVP_PKEY *pkey, struct kve_reply *reply)
{
	_cleanup_(rsa_numbers_done) struct rsa_numbers k = { 0 };
	int r = get_rsa_numbers(pkey, &k, reply);

	return r < 0 ? r : check_rsa_numbers(&k, reply);
}

/* OpenSSL's own test: primality; point on the curve and of its order; d fits Q. */
static int check_fully(EVP_PKEY *pkey, struct kve_reply *reply)
{
	_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	if (!ctx)
		return -ENOMEM;
	if (EVP_PKEY_check(ctx) == 1)
		return 0;
	ERR_clear_error();
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return kve_refuse(reply, -EINVAL, "p or q of the RSA key is not prime");
	return kve_refuse(reply, -EINVAL, "the halves of the EC key do not match");
}

/* Why did OpenSSL not read it? The queue says it in several lines; one counts. */
static int why_unreadable(struct kve_reply *reply)
{
	const char *why = "the private key in the PKCS#8 structure cannot be read";
	unsigned long e;

	while ((e = ERR_get_error())) {
		if (ERR_GET_LIB(e) != ERR_LIB_EC)
			continue;
		switch (ERR_GET_REASON(e)) {
		case EC_R_POINT_IS_NOT_ON_CURVE:
		case EC_R_INVALID_ENCODING:
		case EC_R_INVALID_COMPRESSED_POINT:
			why = "the public point of the EC key is not on its curve";
			break;
		case EC_R_INVALID_PRIVATE_KEY:
			why = "the private number of the EC key is out of range";
			break;
		}
	}
	return kve_refuse(reply, -EINVAL, "%s", why);
}

static int check_oid(const PKCS8_PRIV_KEY_INFO *p8, struct kve_reply *reply)
{
	const ASN1_OBJECT *oid = NULL;

	if (!PKCS8_pkey_get0(&oid, NULL, NULL, NULL, p8))
		return kve_refuse(reply, -EINVAL, "the material is not PKCS#8 DER");
	switch (OBJ_obj2nid(oid)) {
	case NID_rsaEncryption:
	case NID_X9_62_id_ecPublicKey:
		return 0;
	default:
		return kve_refuse(reply, -EOPNOTSUPP,
				  "the PKCS#8 structure holds neither an RSA nor an EC key");
	}
}

static int check_named_curve(const EVP_PKEY *pkey, struct kve_reply *reply)
{
	int is_explicit = 0;

	if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				   &is_explicit) && is_explicit)
		return kve_refuse(reply, -EOPNOTSUPP, "EC keys whose curve is not named");
	return 0;
}

int kve_key_type(const EVP_PKEY *pkey, struct kve_type *ret, struct kve_reply *reply)
{
	const struct kve_curve *curve;
	char group[64];

	memset(ret, 0, sizeof(*ret));
	if (EVP_PKEY_is_a(pkey, "RSA")) {
		ret->kty = KVAULT_KTY_RSA;
		ret->bits = (uint32_t)EVP_PKEY_get_bits(pkey);
	} else if (EVP_PKEY_is_a(pkey, "EC")) {
		ret->kty = KVAULT_KTY_EC;
		curve = EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) ?
			kve_curve_find_group(group) : NULL;
		ret->curve = curve ? curve->curve : 0;
	}
	return kve_type_check(ret, reply);
}

int kve_key_expect(const struct kve_type *is, const struct kve_type *want,
		   struct kve_reply *reply)
{
	if (is->kty != want->kty)
		return kve_refuse(reply, -EINVAL, "the key is %s, not %s",
				  is->kty == KVAULT_KTY_RSA ? "an RSA key" : "an EC key",
				  want->kty == KVAULT_KTY_RSA ? "an RSA key" : "an EC key");
	if (want->bits && want->bits != is->bits)
		return kve_refuse(reply, -EINVAL, "the key has %u bits, not %u",
				  is->bits, want->bits);
	if (want->curve && want->curve != is->curve)
		return kve_refuse(reply, -EINVAL, "the key is on another curve, %s",
				  kve_curve_find(is->curve)->crv);
	return 0;
}

int kve_key_parse(const uint8_t *der, size_t len, unsigned int flags, EVP_PKEY **ret,
		  struct kve_reply *reply)
{
	_cleanup_pkcs8_ PKCS8_PRIV_KEY_INFO *p8 = NULL;
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	const unsigned char *p = der;
	struct kve_type type;
	int r;

	ERR_clear_error();
	p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)len);
	ERR_clear_error();
	if (!p8)
		return kve_refuse(reply, -EINVAL, "the material is not PKCS#8 DER");
	if (p != der + len)
		return kve_refuse(reply, -EINVAL, "bytes follow the PKCS#8 structure");
	r = check_oid(p8, reply);
	if (r < 0)
		return r;
	pkey = EVP_PKCS82PKEY(p8);
	if (!pkey)
		return why_unreadable(reply);
	ERR_clear_error();
	r = kve_key_type(pkey, &type, reply);
	if (r == 0)
		r = type.kty == KVAULT_KTY_RSA ? check_rsa(pkey, reply) :
						 check_named_curve(pkey, reply);
	if (r == 0 && flags & KVE_KEY_FOREIGN)
		r = check_fully(pkey, reply);
	if (r == 0)
		*ret = TAKE_PTR(pkey);
	return r;
}

/* Signs something and verifies it, so that a pair that is broken is never stored. */
static int test_pair(EVP_PKEY *pkey)
{
	_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	unsigned char digest[32], sig[1024];
	size_t len = sizeof(sig);

	if (!ctx || RAND_bytes(digest, sizeof(digest)) != 1)
		return -EIO;
	if (EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_sign(ctx, sig, &len, digest, sizeof(digest)) != 1 ||
	    EVP_PKEY_verify_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_verify(ctx, sig, len, digest, sizeof(digest)) != 1)
		return -EIO;
	return 0;
}

int kve_key_generate(const struct kve_type *type, EVP_PKEY **ret, struct kve_reply *reply)
{
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	int r = kve_type_check(type, reply);

	if (r < 0)
		return r;
	if (type->kty == KVAULT_KTY_RSA)	/* e is 65537 */
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)type->bits);
	else
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC",
					 kve_curve_find(type->curve)->group);
	if (!pkey || test_pair(pkey) < 0) {
		ERR_clear_error();
		return kve_refuse(reply, -EIO, "no key could be made");
	}
	*ret = TAKE_PTR(pkey);
	return 0;
}

int kve_key_write(const EVP_PKEY *pkey, struct kve_reply *reply)
{
	_cleanup_pkcs8_ PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	unsigned char *p = reply->material;
	int len = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, NULL) : -1;

	if (len <= 0 || (size_t)len > reply->material_size) {
		ERR_clear_error();
		return kve_refuse(reply, -EIO, "the key cannot be written as PKCS#8");
	}
	reply->material_len = (size_t)i2d_PKCS8_PRIV_KEY_INFO(p8, &p);
	return 0;
}
