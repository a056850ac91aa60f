// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private-key operations on a key of type "kvault": keyctl pkey_query,
 * pkey_encrypt, pkey_decrypt, pkey_sign, pkey_verify. How the key came to be
 * is in keytype.c.
 *
 *	RSA	enc=pkcs1 [hash=sha256|sha384|sha512], enc=pss hash=...,
 *		enc=oaep [hash=sha1|sha256]
 *	EC	enc=raw [hash=...]: the signature is r||s, as in RFC 7518
 *
 * A signature is made of a digest. The ABI has two flaws that no key type can
 * mend: the length of the caller's output buffer is not passed on, so it must
 * have the size that pkey_query tells; and a signature to verify is read with
 * its largest size, so only encodings of one size are offered, which X9.62 is
 * not.
 */
#include <linux/keyctl.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "audit.h"
#include "handle.h"
#include "pkey.h"
#include "principal.h"
#include "tenant.h"
#include "upcall.h"

#define OPS_SIGN	(KVAULT_OP_SIGN | KVAULT_OP_VERIFY)
#define OPS_CRYPT	(KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT)

/*
 * struct kv_scheme - what enc= and hash= mean for one sort of key. digest: the
 * length that a signature's input must have, 0 for any.
 */
struct kv_scheme {
	u32 kty;
	u32 curve;
	const char *enc;
	const char *hash;
	u32 ops;
	u32 alg;
	u32 digest;
};

static const struct kv_scheme kv_schemes[] = {
	{ KVAULT_KTY_RSA, 0, "pkcs1", "sha256", OPS_SIGN, KVAULT_ALG_RS256, 32 },
	{ KVAULT_KTY_RSA, 0, "pkcs1", "sha384", OPS_SIGN, KVAULT_ALG_RS384, 48 },
	{ KVAULT_KTY_RSA, 0, "pkcs1", "sha512", OPS_SIGN, KVAULT_ALG_RS512, 64 },
	{ KVAULT_KTY_RSA, 0, "pkcs1", NULL, OPS_SIGN, KVAULT_ALG_RSNULL, 0 },
	{ KVAULT_KTY_RSA, 0, "pkcs1", NULL, OPS_CRYPT, KVAULT_ALG_RSA1_5, 0 },
	{ KVAULT_KTY_RSA, 0, "pss", "sha256", OPS_SIGN, KVAULT_ALG_PS256, 32 },
	{ KVAULT_KTY_RSA, 0, "pss", "sha384", OPS_SIGN, KVAULT_ALG_PS384, 48 },
	{ KVAULT_KTY_RSA, 0, "pss", "sha512", OPS_SIGN, KVAULT_ALG_PS512, 64 },
	{ KVAULT_KTY_RSA, 0, "oaep", NULL, OPS_CRYPT, KVAULT_ALG_RSA_OAEP, 0 },
	{ KVAULT_KTY_RSA, 0, "oaep", "sha1", OPS_CRYPT, KVAULT_ALG_RSA_OAEP, 0 },
	{ KVAULT_KTY_RSA, 0, "oaep", "sha256", OPS_CRYPT, KVAULT_ALG_RSA_OAEP_256, 0 },
	{ KVAULT_KTY_EC, KVAULT_CURVE_P256, "raw", "sha256", OPS_SIGN, KVAULT_ALG_ES256, 32 },
	{ KVAULT_KTY_EC, KVAULT_CURVE_P256, "raw", NULL, OPS_SIGN, KVAULT_ALG_ES256, 32 },
	{ KVAULT_KTY_EC, KVAULT_CURVE_P384, "raw", "sha384", OPS_SIGN, KVAULT_ALG_ES384, 48 },
	{ KVAULT_KTY_EC, KVAULT_CURVE_P384, "raw", NULL, OPS_SIGN, KVAULT_ALG_ES384, 48 },
	{ KVAULT_KTY_EC, KVAULT_CURVE_P521, "raw", "sha512", OPS_SIGN, KVAULT_ALG_ES512, 64 },
	{ KVAULT_KTY_EC, KVAULT_CURVE_P521, "raw", NULL, OPS_SIGN, KVAULT_ALG_ES512, 64 },
	{ KVAULT_KTY_EC, KVAULT_CURVE_P256K, "raw", "sha256", OPS_SIGN, KVAULT_ALG_ES256K, 32 },
	{ KVAULT_KTY_EC, KVAULT_CURVE_P256K, "raw", NULL, OPS_SIGN, KVAULT_ALG_ES256K, 32 },
};

static bool scheme_fits(const struct kv_scheme *s, const struct kv_payload *p,
			const struct kernel_pkey_params *params)
{
	return s->kty == p->kty && (s->kty != KVAULT_KTY_EC || s->curve == p->curve) &&
	       !strcmp(s->enc, params->encoding) &&
	       !strcmp(s->hash ?: "", params->hash_algo ?: "");
}

static const struct kv_scheme *scheme_find(const struct kv_payload *p,
					   const struct kernel_pkey_params *params, u32 op)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kv_schemes); i++)
		if (kv_schemes[i].ops & op && scheme_fits(&kv_schemes[i], p, params))
			return &kv_schemes[i];
	return NULL;
}

/* 0 when there is no such pairing. */
static u32 scheme_ops(const struct kv_payload *p, const struct kernel_pkey_params *params)
{
	u32 ops = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(kv_schemes); i++)
		if (scheme_fits(&kv_schemes[i], p, params))
			ops |= kv_schemes[i].ops;
	return ops;
}

static u32 ops_to_keyctl(u32 ops)
{
	return (ops & KVAULT_OP_ENCRYPT ? KEYCTL_SUPPORTS_ENCRYPT : 0) |
	       (ops & KVAULT_OP_DECRYPT ? KEYCTL_SUPPORTS_DECRYPT : 0) |
	       (ops & KVAULT_OP_SIGN ? KEYCTL_SUPPORTS_SIGN : 0) |
	       (ops & KVAULT_OP_VERIFY ? KEYCTL_SUPPORTS_VERIFY : 0);
}

static void query_ec(const struct kv_payload *p, struct kernel_pkey_query *info)
{
	switch (p->curve) {
	case KVAULT_CURVE_P384:
		info->key_size = 384;
		info->max_data_size = 48;
		break;
	case KVAULT_CURVE_P521:
		info->key_size = 521;
		info->max_data_size = 64;
		break;
	default:
		info->key_size = 256;
		info->max_data_size = 32;
		break;
	}
	info->max_sig_size = 2 * DIV_ROUND_UP(info->key_size, 8);
}

static void query_rsa(const struct kv_payload *p, struct kernel_pkey_query *info)
{
	info->key_size = p->bits;
	info->max_data_size = p->bits / 8;
	info->max_sig_size = p->bits / 8;
	info->max_enc_size = p->bits / 8;
	info->max_dec_size = p->bits / 8;
}

/**
 * kv_pkey_query() - what a key can do with an encoding and a hash, and the sizes
 * @params: key, encoding, hash
 * @info: out
 *
 * Called before every operation, so it asks nobody. The operations are those
 * that enc= and hash= leave; a query of an RSA key that names neither is told
 * all that the key can do.
 *
 * Return: 0; -ENOKEY for a foreign key, -EOPNOTSUPP.
 */
int kv_pkey_query(const struct kernel_pkey_params *params, struct kernel_pkey_query *info)
{
	const struct kv_payload *p = kv_payload_of(params->key);
	u32 ops;

	if (!kv_payload_is_callers(p))
		return -ENOKEY;
	memset(info, 0, sizeof(*info));
	if (p->kty == KVAULT_KTY_RSA)
		query_rsa(p, info);
	else if (p->kty == KVAULT_KTY_EC)
		query_ec(p, info);
	else
		return -EOPNOTSUPP;
	ops = scheme_ops(p, params);
	if (!ops && p->kty == KVAULT_KTY_RSA && !strcmp(params->encoding, "raw") &&
	    !params->hash_algo)
		ops = OPS_SIGN | OPS_CRYPT;
	if (!ops)
		return -EOPNOTSUPP;
	info->supported_ops = ops_to_keyctl(ops & p->ops);
	return 0;
}

static struct kv_handle *payload_handle(struct kv_payload *p)
{
	struct kv_handle *h = NULL;

	spin_lock(&p->lock);
	if (p->handle)
		h = kv_handle_get(p->handle);
	spin_unlock(&p->lock);
	return h;
}

/* Moves a result, which must fit into what the kernel allocated for it. */
static int take_answer(struct kv_answer *ans, void *out, u32 out_len)
{
	u32 len = ans->seg[2].len;

	if (!len || len > out_len)
		return -EIO;
	memcpy(out, ans->seg[2].p, len);
	return len;
}

/* What is done with a key, and with what. out: NULL when there is no output. */
struct kv_pkey_op {
	u32 op;
	const struct kv_scheme *scheme;
	const void *in;
	u32 in_len;
	const void *sig;
	u32 sig_len;
	void *out;
	u32 out_len;
};

/* Nothing is done for whose record there is no room. */
static int operate_recorded(struct kv_object *obj, struct kv_caller *who,
			    const struct kv_pkey_op *o)
{
	struct kv_record *rec = kv_audit_reserve_for(who->tenant, who->caller);
	u32 alg = o->scheme->alg;
	struct kv_answer ans = {};
	int ret;

	if (IS_ERR(rec))
		return PTR_ERR(rec);
	ret = kv_upcall_engine(obj, who, o->op, alg, o->in, o->in_len, o->sig, o->sig_len, &ans);
	if (!ret && o->out)
		ret = take_answer(&ans, o->out, o->out_len);
	kv_answer_done(&ans);
	kv_audit_commit(who->tenant, rec, &(struct kv_event){
		.type = KVAULT_AUDIT_SINGLE, .face = who->face, .who = who->caller,
		.object = obj, .request_id = who->request_id, .op = o->op, .alg = alg,
		.status = min(ret, 0), .count = 1 });
	return ret;
}

/* Killable; may wait for the daemon and for an engine. */
static int operate(struct kv_payload *p, const struct kv_pkey_op *o)
{
	struct kv_handle *h = payload_handle(p);
	struct kv_caller who = {
		.tenant = p->tenant,
		.opener = p->opener,
		.face = KVAULT_FACE_KEYRING,
		.timeout_ms = KVAULT_TIMEOUT_MS,
	};
	int ret;

	if (!h)
		return -EKEYREVOKED;
	who.caller = kv_principal_new(p->tenant);
	if (IS_ERR(who.caller)) {
		ret = PTR_ERR(who.caller);
		goto out_put;
	}
	ret = kv_handle_begin(h, &who, o->op, o->scheme->alg);
	if (!ret)
		ret = operate_recorded(h->object, &who, o);
	kv_principal_put(who.caller);
out_put:
	kv_handle_put(h);
	return ret;
}

static int check_and_operate(struct kernel_pkey_params *params, struct kv_pkey_op *o)
{
	struct kv_payload *p = kv_payload_of(params->key);

	if (!kv_payload_is_callers(p))
		return -ENOKEY;
	o->scheme = scheme_find(p, params, o->op);
	if (!o->scheme)
		return -EOPNOTSUPP;
	o->in_len = params->in_len;
	if (o->scheme->digest && o->in_len != o->scheme->digest)
		return -EINVAL;
	return operate(p, o);
}

/**
 * kv_pkey_eds() - encrypt, decrypt, or sign a digest
 * @params: key, operation, encoding, hash
 * @in: input
 * @out: output, with room for what kv_pkey_query() told
 *
 * Sleeps, killable.
 *
 * Return: bytes of output; -ENOKEY for a foreign key, -EOPNOTSUPP, -EINVAL for
 * a digest of another length, -EKEYREVOKED, -EIO for nonsense of an engine; see
 * kv_handle_begin() and kv_upcall_engine().
 */
int kv_pkey_eds(struct kernel_pkey_params *params, const void *in, void *out)
{
	struct kv_pkey_op o = { .in = in, .out = out, .out_len = params->out_len };

	switch (params->op) {
	case kernel_pkey_encrypt:
		o.op = KVAULT_OP_ENCRYPT;
		break;
	case kernel_pkey_decrypt:
		o.op = KVAULT_OP_DECRYPT;
		break;
	case kernel_pkey_sign:
		o.op = KVAULT_OP_SIGN;
		break;
	default:
		return -EOPNOTSUPP;
	}
	return check_and_operate(params, &o);
}

/**
 * kv_pkey_verify() - verify the signature of a digest
 * @params: key, encoding, hash; in2_len is the largest size, not the user's
 * @in: digest
 * @in2: signature
 *
 * Sleeps, killable.
 *
 * Return: 0; -EKEYREJECTED when it does not verify; see kv_pkey_eds().
 */
int kv_pkey_verify(struct kernel_pkey_params *params, const void *in, const void *in2)
{
	struct kv_pkey_op o = {
		.op = KVAULT_OP_VERIFY, .in = in, .sig = in2, .sig_len = params->in2_len,
	};

	return check_and_operate(params, &o);
}
