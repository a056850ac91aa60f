// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys in a token (HSM), over PKCS#11. Private keys are made there and stay
 * there; what needs only the public half is done here by OpenSSL.
 *
 * Material of such a key is a line of JSON without a secret, sealed by the
 * kernel like any other, so neither its id nor its public key can be swapped:
 *
 *	{"format":1,"token":"SERIAL","id":"CKA_ID in hex","public":"base64url SPKI"}
 */
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include "engine/alg.h"
#include "engine/jwk.h"
#include "engine/key.h"
#include "engine/ossl.h"
#include "engine/pub.h"
#include "engine/token.h"
#include "util/base64.h"
#include "util/hex.h"

#define CONFIG_DEFAULT	"/etc/kvault/engine-pkcs11.conf"
#define SPKI_MAX	1024

struct hsm_key {
	struct kve_key base;
	uint8_t id[KVAULT_ID_SIZE];
	EVP_PKEY *public_half;
	struct kve_ctx_cache cache;
	CK_OBJECT_HANDLE handle;
	uint64_t epoch;		/* of the session that the handle belongs to */
};

/* What the material says. */
struct reference {
	uint8_t id[KVAULT_ID_SIZE];
	EVP_PKEY *public_half;
};

static int hsm_open(const char *config, void **ret_state, struct kve_reply *reply)
{
	struct kve_token_config c;
	struct kve_token *t = NULL;
	int r;

	r = kve_token_config_read(config ? config : CONFIG_DEFAULT, &c, reply);
	if (r == -ENOENT)
		return -EINVAL;
	if (r == 0)
		r = kve_token_open(&c, &t, reply);
	if (r == 0)
		*ret_state = t;
	return r;
}

static void hsm_close(void *state)
{
	kve_token_close(state);
}

/* --- material ----------------------------------------------------------------------- */

static int write_reference(const struct kve_token *t, const uint8_t id[KVAULT_ID_SIZE],
			   const EVP_PKEY *pkey, struct kve_reply *reply)
{
	char hex[2 * KVAULT_ID_SIZE + 1], text[KVD_BASE64_LEN(SPKI_MAX) + 1] = "";
	unsigned char der[SPKI_MAX], *p = der;
	int der_len = i2d_PUBKEY(pkey, NULL);
	json_t *json;
	size_t len = 0;

	kvd_hex_encode(hex, id, KVAULT_ID_SIZE);
	if (der_len > 0 && der_len <= SPKI_MAX && i2d_PUBKEY(pkey, &p) == der_len)
		kvd_base64url_encode(text, der, (size_t)der_len);
	json = text[0] ? json_pack("{s:i, s:s, s:s, s:s}", "format", 1, "token", t->serial,
				   "id", hex, "public", text) : NULL;
	if (json)
		len = json_dumpb(json, (char *)reply->material, reply->material_size,
				 JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(json);
	if (!len || len > reply->material_size)
		return kve_refuse(reply, -EIO, "the key's reference cannot be written");
	reply->material_len = len;
	return 0;
}

static EVP_PKEY *read_spki(const char *text)
{
	uint8_t der[SPKI_MAX];
	const unsigned char *p = der;
	int len = (int)kvd_base64url_decode(der, sizeof(der), text, strlen(text));
	EVP_PKEY *pkey = len > 0 ? d2i_PUBKEY(NULL, &p, len) : NULL;

	ERR_clear_error();
	return pkey;
}

static int read_fields(const struct kve_token *t, const json_t *json, struct reference *ret,
		       struct kve_reply *reply)
{
	const char *token, *id, *public_half;
	int format;

	if (json_unpack((json_t *)json, "{s:i, s:s, s:s, s:s !}", "format", &format,
			"token", &token, "id", &id, "public", &public_half) < 0 ||
	    format != 1 || kvd_hex_decode(ret->id, sizeof(ret->id), id) < 0)
		return kve_refuse(reply, -EINVAL, "the material names no key in a token");
	if (strcmp(token, t->serial))
		return kve_refuse(reply, -EHOSTDOWN, "the key is in another token, serial %.32s",
				  token);
	ret->public_half = read_spki(public_half);
	if (!ret->public_half)
		return kve_refuse(reply, -EINVAL, "the material has no public key");
	return 0;
}

static int read_reference(const struct kve_token *t, const struct kve_material *m,
			  struct reference *ret, struct kve_reply *reply)
{
	json_t *json = json_loadb((const char *)m->data, m->len, JSON_REJECT_DUPLICATES, NULL);
	int r;

	if (!json)
		return kve_refuse(reply, -EINVAL, "the material names no key in a token");
	r = read_fields(t, json, ret, reply);
	json_decref(json);
	return r;
}

/* --- the public half ------------------------------------------------------------------ */

static int get_bytes(struct kve_token *t, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
		     uint8_t *buf, size_t size, size_t *ret_len)
{
	CK_ATTRIBUTE a = { type, buf, size };
	CK_RV rv = t->f->C_GetAttributeValue(t->session, obj, &a, 1);

	if (rv != CKR_OK || a.ulValueLen == CK_UNAVAILABLE_INFORMATION || a.ulValueLen > size)
		return -EIO;
	*ret_len = a.ulValueLen;
	return 0;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
	_cleanup_pkey_ctx_ EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *pkey = NULL;

	if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *read_rsa(struct kve_token *t, CK_OBJECT_HANDLE obj, OSSL_PARAM_BLD *build)
{
	_cleanup_bn_ BIGNUM *n = NULL, *e = NULL;
	uint8_t bytes[1024];
	size_t len;

	if (get_bytes(t, obj, CKA_MODULUS, bytes, sizeof(bytes), &len) == 0)
		n = BN_bin2bn(bytes, (int)len, NULL);
	if (get_bytes(t, obj, CKA_PUBLIC_EXPONENT, bytes, sizeof(bytes), &len) == 0)
		e = BN_bin2bn(bytes, (int)len, NULL);
	if (!n || !e || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
		return NULL;
	return from_params("RSA", build);
}

static EVP_PKEY *read_ec(struct kve_token *t, CK_OBJECT_HANDLE obj,
			 const struct kve_curve *curve, OSSL_PARAM_BLD *build)
{
	uint8_t bytes[256];
	size_t len, want = 1 + 2 * curve->size;

	if (get_bytes(t, obj, CKA_EC_POINT, bytes, sizeof(bytes), &len) < 0 || len < want)
		return NULL;
	/* The standard wants an OCTET STRING around the point, some tokens have none. */
	if (!OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
					      bytes + len - want, want))
		return NULL;
	return from_params("EC", build);
}

static EVP_PKEY *read_public(struct kve_token *t, CK_OBJECT_HANDLE obj,
			     const struct kve_type *type)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;

	if (build && type->kty == KVAULT_KTY_RSA)
		pkey = read_rsa(t, obj, build);
	else if (build)
		pkey = read_ec(t, obj, kve_curve_find(type->curve), build);
	OSSL_PARAM_BLD_free(build);
	ERR_clear_error();
	return pkey;
}

/* --- generating ------------------------------------------------------------------------- */

/* Object identifiers of the curves, DER, for CKA_EC_PARAMS. */
static int curve_params(const struct kve_curve *curve, uint8_t *der, size_t size)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(curve->group, 0);
	unsigned char *p = der;
	int len = oid ? i2d_ASN1_OBJECT(oid, NULL) : -1;

	if (len > 0 && (size_t)len <= size)
		len = i2d_ASN1_OBJECT(oid, &p);
	else
		len = -1;
	ASN1_OBJECT_free(oid);
	return len;
}

struct pair {
	CK_OBJECT_HANDLE public_half;
	CK_OBJECT_HANDLE private_half;
};

static CK_RV make_pair(struct kve_token *t, const struct kve_type *type,
		       const uint8_t id[KVAULT_ID_SIZE], struct pair *ret)
{
	static const uint8_t e[] = { 1, 0, 1 };
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BBOOL is_rsa = type->kty == KVAULT_KTY_RSA ? CK_TRUE : CK_FALSE;
	CK_ULONG bits = type->bits;
	char label[8 + 2 * KVAULT_ID_SIZE] = "kvault-";
	uint8_t oid[16];
	int oid_len = is_rsa ? 0 : curve_params(kve_curve_find(type->curve), oid, sizeof(oid));
	CK_MECHANISM mech = { is_rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE pub[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &no, sizeof(no) },
		{ CKA_ID, (void *)id, KVAULT_ID_SIZE },
		{ CKA_LABEL, label, 7 + 2 * KVAULT_ID_SIZE },
		{ CKA_VERIFY, &yes, sizeof(yes) },
		{ CKA_EC_PARAMS, oid, (CK_ULONG)oid_len },
		{ CKA_PUBLIC_EXPONENT, (void *)e, sizeof(e) },
	};
	CK_ATTRIBUTE priv[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SENSITIVE, &yes, sizeof(yes) },
		{ CKA_EXTRACTABLE, &no, sizeof(no) },
		{ CKA_ID, (void *)id, KVAULT_ID_SIZE },
		{ CKA_LABEL, label, 7 + 2 * KVAULT_ID_SIZE },
		{ CKA_SIGN, &yes, sizeof(yes) },
		{ CKA_DECRYPT, &is_rsa, sizeof(is_rsa) },
	};
	CK_ULONG pub_count = ARRAY_SIZE(pub) - 1;

	if (oid_len < 0)
		return CKR_DOMAIN_PARAMS_INVALID;
	kvd_hex_encode(label + 7, id, KVAULT_ID_SIZE);
	if (is_rsa) {
		pub[5] = (CK_ATTRIBUTE) { CKA_MODULUS_BITS, &bits, sizeof(bits) };
		pub_count++;
	}
	return t->f->C_GenerateKeyPair(t->session, &mech, pub, pub_count, priv, ARRAY_SIZE(priv),
				       &ret->public_half, &ret->private_half);
}

/* Some tokens take a template and do otherwise: is the key where it shall stay? */
static int stays_inside(struct kve_token *t, CK_OBJECT_HANDLE obj)
{
	CK_BBOOL sensitive = CK_FALSE, extractable = CK_TRUE, local = CK_FALSE;
	CK_ATTRIBUTE a[] = {
		{ CKA_SENSITIVE, &sensitive, sizeof(sensitive) },
		{ CKA_EXTRACTABLE, &extractable, sizeof(extractable) },
		{ CKA_LOCAL, &local, sizeof(local) },
	};

	return t->f->C_GetAttributeValue(t->session, obj, a, ARRAY_SIZE(a)) == CKR_OK &&
	       sensitive && !extractable && local;
}

static void destroy_pair(struct kve_token *t, const struct pair *pair)
{
	t->f->C_DestroyObject(t->session, pair->private_half);
	t->f->C_DestroyObject(t->session, pair->public_half);
}

/*
 * A request may come twice, if the engine died before its answer arrived. The
 * pair is there then, and nobody else's: ids of versions are random.
 */
static int find_pair(struct kve_token *t, const uint8_t id[KVAULT_ID_SIZE], struct pair *ret,
		     struct kve_reply *reply)
{
	int r = kve_token_find(t, CKO_PRIVATE_KEY, id, &ret->private_half, reply);

	return r < 0 ? r : kve_token_find(t, CKO_PUBLIC_KEY, id, &ret->public_half, reply);
}

static int obtain_pair(struct kve_token *t, const struct kve_type *type,
		       const uint8_t id[KVAULT_ID_SIZE], struct pair *ret,
		       struct kve_reply *reply)
{
	int r = find_pair(t, id, ret, reply);
	CK_RV rv;

	if (r != -ENOKEY)
		return r;
	rv = make_pair(t, type, id, ret);
	if (rv == CKR_OK)
		return 0;
	if (kve_token_is_lost(t, rv))
		return kve_refuse(reply, -EHOSTDOWN, "the token is gone");
	return kve_token_error(rv, "making the key", reply);
}

static int hsm_crypt(void *state, struct kve_key *base, const struct kve_op *op,
		     struct kve_reply *reply);

/* Signs in the token, verifies here: do the halves belong together? */
static int test_pair(struct kve_token *t, struct hsm_key *key, struct kve_reply *reply)
{
	static const uint32_t by_curve[] = {
		0, KVAULT_ALG_ES256, KVAULT_ALG_ES384, KVAULT_ALG_ES512, KVAULT_ALG_ES256K,
	};
	uint8_t digest[64], sig[512];
	struct kve_reply answer = { .out = sig, .out_size = sizeof(sig) };
	struct kve_op op = { .operation = KVAULT_OP_SIGN, .in = digest };
	int r;

	op.alg = kve_alg_find(key->base.type.kty == KVAULT_KTY_RSA ? KVAULT_ALG_RS256 :
			      by_curve[key->base.type.curve]);
	op.in_len = op.alg->md_len;
	if (RAND_bytes(digest, (int)op.in_len) != 1)
		return -EIO;
	r = hsm_crypt(t, &key->base, &op, &answer);
	if (r == 0) {
		op.operation = KVAULT_OP_VERIFY;
		op.sig = sig;
		op.sig_len = answer.out_len;
		r = kve_pub_crypt(key->public_half, &key->cache, &op, &answer);
	}
	return r < 0 ? kve_refuse(reply, -EIO, "the token's new key does not sign: %.120s",
				  answer.why) : 0;
}

static int check_pair(struct kve_token *t, const struct kve_type *type,
		      const uint8_t id[KVAULT_ID_SIZE], const struct pair *pair,
		      struct kve_reply *reply)
{
	struct hsm_key key = { .base.type = *type, .handle = pair->private_half,
			       .epoch = t->epoch };
	struct kve_type is;
	int r;

	if (!stays_inside(t, pair->private_half))
		return kve_refuse(reply, -EIO, "the token made a key that could leave it");
	memcpy(key.id, id, sizeof(key.id));
	key.public_half = read_public(t, pair->public_half, type);
	if (!key.public_half)
		return kve_refuse(reply, -EIO, "the token's public key cannot be read");
	r = kve_key_type(key.public_half, &is, reply);
	if (r == 0)
		r = kve_key_expect(&is, type, reply);
	if (r == 0)
		r = test_pair(t, &key, reply);
	if (r == 0)
		r = kve_jwk_write(key.public_half, reply);
	if (r == 0)
		r = write_reference(t, id, key.public_half, reply);
	kve_ctx_done(&key.cache);
	EVP_PKEY_free(key.public_half);
	return r;
}

static int hsm_generate(void *state, const struct kve_type *type,
			const uint8_t version[KVAULT_ID_SIZE], struct kve_reply *reply)
{
	struct kve_token *t = state;
	struct pair pair = { 0 };
	int r;

	r = kve_type_check(type, reply);
	if (r == 0)
		r = kve_token_ready(t, reply);
	if (r == 0)
		r = obtain_pair(t, type, version, &pair, reply);
	if (r < 0)
		return r;
	r = check_pair(t, type, version, &pair, reply);
	if (r < 0)
		destroy_pair(t, &pair);
	return r;
}

static int hsm_import(void *state, const struct kve_type *type, const struct kve_material *m,
		      struct kve_reply *reply)
{
	(void)state;
	(void)type;
	(void)m;
	return kve_refuse(reply, -EOPNOTSUPP,
			  "keys for a token are made in it: a key that was outside is no HSM key");
}

/* --- using ---------------------------------------------------------------------------------- */

static int hsm_load(void *state, const struct kve_type *type, const struct kve_material *m,
		    struct kve_key **ret_key, struct kve_reply *reply)
{
	struct kve_token *t = state;
	struct reference ref = { 0 };
	struct hsm_key *key;
	struct kve_type is = { 0 };
	CK_OBJECT_HANDLE handle = 0;
	int r;

	r = kve_token_ready(t, reply);
	if (r == 0)
		r = read_reference(t, m, &ref, reply);
	if (r == 0)
		r = kve_key_type(ref.public_half, &is, reply);
	if (r == 0)
		r = kve_key_expect(&is, type, reply);
	if (r == 0)
		r = kve_token_find(t, CKO_PRIVATE_KEY, ref.id, &handle, reply);
	key = r == 0 ? calloc(1, sizeof(*key)) : NULL;
	if (!key) {
		EVP_PKEY_free(ref.public_half);
		return r < 0 ? r : -ENOMEM;
	}
	key->base.type = is;
	memcpy(key->id, ref.id, sizeof(key->id));
	key->public_half = ref.public_half;
	key->handle = handle;
	key->epoch = t->epoch;
	*ret_key = &key->base;
	return 0;
}

/* DigestInfo (RFC 8017 9.2) in front of a digest; only its hash's name differs. */
static size_t put_digest_info(uint8_t *to, const struct kve_op *op)
{
	uint8_t prefix[] = {
		0x30, 0x11, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
		0x02, 0x00, 0x05, 0x00, 0x04, 0x00,
	};

	if (!op->alg->md) {
		memcpy(to, op->in, op->in_len);
		return op->in_len;
	}
	prefix[1] = (uint8_t)(sizeof(prefix) - 2 + op->in_len);
	prefix[14] = op->in_len == 32 ? 1 : op->in_len == 48 ? 2 : 3;	/* sha256, 384, 512 */
	prefix[sizeof(prefix) - 1] = (uint8_t)op->in_len;
	memcpy(to, prefix, sizeof(prefix));
	memcpy(to + sizeof(prefix), op->in, op->in_len);
	return sizeof(prefix) + op->in_len;
}

/* A mechanism with room for its parameters. */
struct mechanism {
	CK_MECHANISM m;
	CK_RSA_PKCS_PSS_PARAMS pss;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
};

static void hash_of(const struct kve_alg *alg, CK_MECHANISM_TYPE *hash, CK_ULONG *mgf)
{
	*hash = alg->md_len == 20 ? CKM_SHA_1 : alg->md_len == 32 ? CKM_SHA256 :
		alg->md_len == 48 ? CKM_SHA384 : CKM_SHA512;
	*mgf = alg->md_len == 20 ? CKG_MGF1_SHA1 : alg->md_len == 32 ? CKG_MGF1_SHA256 :
	       alg->md_len == 48 ? CKG_MGF1_SHA384 : CKG_MGF1_SHA512;
}

static int set_mechanism(struct mechanism *x, const struct kve_alg *alg, struct kve_reply *reply)
{
	memset(x, 0, sizeof(*x));
	switch (alg->scheme) {
	case KVE_SCHEME_PKCS1_SIGN:
		x->m.mechanism = CKM_RSA_PKCS;
		return 0;
	case KVE_SCHEME_ECDSA:
		x->m.mechanism = CKM_ECDSA;
		return 0;
	case KVE_SCHEME_PSS:
		hash_of(alg, &x->pss.hashAlg, &x->pss.mgf);
		x->pss.sLen = alg->md_len;
		x->m = (CK_MECHANISM) { CKM_RSA_PKCS_PSS, &x->pss, sizeof(x->pss) };
		return 0;
	case KVE_SCHEME_OAEP:
		hash_of(alg, &x->oaep.hashAlg, &x->oaep.mgf);
		x->oaep.source = CKZ_DATA_SPECIFIED;
		x->m = (CK_MECHANISM) { CKM_RSA_PKCS_OAEP, &x->oaep, sizeof(x->oaep) };
		return 0;
	case KVE_SCHEME_PKCS1_CRYPT:
		break;
	}
	return kve_refuse(reply, -EOPNOTSUPP, "RSA1_5 decryption by a token would tell right from "
			  "wrong paddings; use RSA-OAEP");
}

static CK_RV sign_once(struct kve_token *t, struct hsm_key *key, struct mechanism *mech,
		       const struct kve_op *op, struct kve_reply *reply)
{
	uint8_t in[512];
	size_t in_len = op->in_len;
	CK_ULONG len = reply->out_size;
	CK_RV rv;

	if (op->alg->scheme == KVE_SCHEME_PKCS1_SIGN)
		in_len = put_digest_info(in, op);
	else
		memcpy(in, op->in, in_len);
	rv = t->f->C_SignInit(t->session, &mech->m, key->handle);
	if (rv == CKR_OK)
		rv = t->f->C_Sign(t->session, in, in_len, reply->out, &len);
	if (rv == CKR_OK)
		reply->out_len = len;
	return rv;
}

static CK_RV decrypt_once(struct kve_token *t, struct hsm_key *key, struct mechanism *mech,
			  const struct kve_op *op, struct kve_reply *reply)
{
	CK_ULONG len = reply->out_size;
	CK_RV rv = t->f->C_DecryptInit(t->session, &mech->m, key->handle);

	if (rv != CKR_OK)
		return rv;
	rv = t->f->C_Decrypt(t->session, (CK_BYTE *)op->in, op->in_len, reply->out, &len);
	if (rv == CKR_OK)
		reply->out_len = len;
	/* Whatever a token calls a padding that is wrong, it is one thing here. */
	if (rv == CKR_GENERAL_ERROR || rv == CKR_DATA_INVALID || rv == CKR_FUNCTION_FAILED)
		rv = CKR_ENCRYPTED_DATA_INVALID;
	return rv;
}

static int is_stale_handle(CK_RV rv)
{
	return rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID;
}

/*
 * One operation, and once more with a new session or a new handle when the old
 * one turned out to be gone: tokens are unplugged and network HSMs fail over.
 */
static int use_private(struct kve_token *t, struct hsm_key *key, struct mechanism *mech,
		       const struct kve_op *op, struct kve_reply *reply)
{
	CK_RV rv = CKR_OK;
	int is_lost = 0, r;

	for (int attempt = 0; attempt < 2; attempt++) {
		r = kve_token_ready(t, reply);
		if (r == 0 && key->epoch != t->epoch)
			r = kve_token_find(t, CKO_PRIVATE_KEY, key->id, &key->handle, reply);
		if (r < 0)
			return r;
		key->epoch = t->epoch;
		rv = op->operation == KVAULT_OP_SIGN ? sign_once(t, key, mech, op, reply) :
						       decrypt_once(t, key, mech, op, reply);
		is_lost = kve_token_is_lost(t, rv);
		if (is_stale_handle(rv)) {
			key->epoch = 0;	/* no session has it */
			kve_token_check_login(t);
		} else if (!is_lost) {
			break;
		}
	}
	if (rv == CKR_OK)
		return 0;
	if (is_lost)
		return kve_refuse(reply, -EHOSTDOWN, "the token is gone");
	return kve_token_error(rv, op->alg->name, reply);
}

static int hsm_crypt(void *state, struct kve_key *base, const struct kve_op *op,
		     struct kve_reply *reply)
{
	struct hsm_key *key = (struct hsm_key *)base;	/* base is its first member */
	size_t size = kve_type_size(&base->type);
	struct mechanism mech;
	int r;

	if (kve_op_is_public(op))
		return kve_pub_crypt(key->public_half, &key->cache, op, reply);
	r = set_mechanism(&mech, op->alg, reply);
	if (r == 0)
		r = use_private(state, key, &mech, op, reply);
	if (r < 0)
		return r;
	if (base->type.kty == KVAULT_KTY_EC)
		size *= 2;
	if (op->operation == KVAULT_OP_SIGN && reply->out_len != size)
		return kve_refuse(reply, -EIO, "the token's signature has %zu bytes, not %zu",
				  reply->out_len, size);
	return 0;
}

static void hsm_forget(void *state, struct kve_key *base)
{
	struct hsm_key *key = (struct hsm_key *)base;

	(void)state;
	if (!key)
		return;
	kve_ctx_done(&key->cache);
	EVP_PKEY_free(key->public_half);
	free(key);
}

static int destroy_half(struct kve_token *t, CK_OBJECT_CLASS class,
			const uint8_t id[KVAULT_ID_SIZE], struct kve_reply *reply)
{
	CK_OBJECT_HANDLE handle;
	CK_RV rv;
	int r = kve_token_find(t, class, id, &handle, reply);

	if (r == -ENOKEY)	/* gone is what was asked for */
		return 0;
	if (r < 0)
		return r;
	rv = t->f->C_DestroyObject(t->session, handle);
	if (rv == CKR_OK)
		return 0;
	if (kve_token_is_lost(t, rv))
		return kve_refuse(reply, -EHOSTDOWN, "the token is gone");
	return kve_token_error(rv, "destroying the key", reply);
}

static int hsm_destroy(void *state, const struct kve_material *m, struct kve_reply *reply)
{
	struct kve_token *t = state;
	struct reference ref = { 0 };
	int r = kve_token_ready(t, reply);

	if (r == 0)
		r = read_reference(t, m, &ref, reply);
	if (r == 0)
		r = destroy_half(t, CKO_PRIVATE_KEY, ref.id, reply);
	if (r == 0)
		r = destroy_half(t, CKO_PUBLIC_KEY, ref.id, reply);
	EVP_PKEY_free(ref.public_half);
	return r;
}

const struct kve_backend kve_pkcs11 = {
	.name = "pkcs11",
	.kind = KVAULT_ENGINE_PKCS11,
	.device = "/dev/kvault-engine-pkcs11",
	.is_local = 0,
	.open = hsm_open,
	.close = hsm_close,
	.generate = hsm_generate,
	.import = hsm_import,
	.load = hsm_load,
	.crypt = hsm_crypt,
	.forget = hsm_forget,
	.destroy = hsm_destroy,
};
