// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "core/head.h"
#include "util/base64.h"
#include "util/hex.h"
#include "util/json.h"
#include "util/log.h"

#define COORDINATE	32	/* of P-256 */

void kvd_head_digest(uint8_t out[static KVD_HASH_SIZE], const struct kvd_context *ctx,
		     const uint8_t *tenant, uint64_t seq, const uint8_t hash[static KVD_HASH_SIZE])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint64_t n = htobe64(seq);

	/* Zeros, which no record hashes to, when there is no memory: it will not verify. */
	memset(out, 0, KVD_HASH_SIZE);
	if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	    EVP_DigestUpdate(md, KVD_HEAD_LABEL, strlen(KVD_HEAD_LABEL)) &&
	    EVP_DigestUpdate(md, ctx->meta.store.b, KVAULT_ID_SIZE) &&
	    EVP_DigestUpdate(md, tenant, KVAULT_ID_SIZE) && EVP_DigestUpdate(md, &n, sizeof(n)) &&
	    EVP_DigestUpdate(md, hash, KVD_HASH_SIZE) && !EVP_DigestFinal_ex(md, out, NULL))
		memset(out, 0, KVD_HASH_SIZE);
	EVP_MD_CTX_free(md);
}

static bool coordinate(const json_t *jwk, const char *name, uint8_t *ret)
{
	const char *text = json_string_value(json_object_get(jwk, name));

	return text && kvd_base64url_decode(ret, COORDINATE, text, strlen(text)) == COORDINATE;
}

static EVP_PKEY *public_key(const char *text)
{
	_cleanup_json_ json_t *jwk = json_loads(text, 0, NULL);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t point[1 + 2 * COORDINATE] = { 4 };
	char group[] = "P-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;

	if (c && coordinate(jwk, "x", point + 1) && coordinate(jwk, "y", point + 1 + COORDINATE) &&
	    EVP_PKEY_fromdata_init(c) > 0 &&
	    EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		pkey = NULL;
	EVP_PKEY_CTX_free(c);
	return pkey;
}

static int to_der(const uint8_t *sig, uint8_t **ret)
{
	BIGNUM *r = BN_bin2bn(sig, COORDINATE, NULL), *s = BN_bin2bn(sig + COORDINATE, COORDINATE,
								   NULL);
	ECDSA_SIG *e = ECDSA_SIG_new();
	int len = -1;

	*ret = NULL;
	if (r && s && e && ECDSA_SIG_set0(e, r, s)) {
		r = NULL;	/* they are e's now */
		s = NULL;
		len = i2d_ECDSA_SIG(e, ret);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(e);
	return len;
}

int kvd_head_verify(const char *jwk, const uint8_t digest[static KVD_HASH_SIZE],
		    const uint8_t sig[static KVD_SIGNATURE_SIZE])
{
	EVP_PKEY *pkey = public_key(jwk);
	EVP_PKEY_CTX *c = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	uint8_t *der = NULL;
	int len = to_der(sig, &der), r = -EKEYREJECTED;

	if (c && len > 0 && EVP_PKEY_verify_init(c) > 0 &&
	    EVP_PKEY_verify(c, der, (size_t)len, digest, KVD_HASH_SIZE) == 1)
		r = 0;
	OPENSSL_free(der);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(pkey);
	return r;
}

/* --- what is known of each tenant ----------------------------------------------- */

static struct kvd_broken **find(struct kvd_context *ctx, const uint8_t *tenant)
{
	struct kvd_broken **p;

	for (p = &ctx->broken; *p; p = &(*p)->next)
		if (!memcmp((*p)->tenant, tenant, KVAULT_ID_SIZE))
			break;
	return p;
}

uint64_t kvd_head_broken(const struct kvd_context *ctx, const uint8_t *tenant)
{
	const struct kvd_broken *b = *find((struct kvd_context *)ctx, tenant);

	return b ? b->seq : 0;
}

int kvd_head_note(struct kvd_context *ctx, const uint8_t *tenant, uint64_t seq, const char *why)
{
	struct kvd_broken *b = *find(ctx, tenant);
	char hex[2 * KVAULT_ID_SIZE + 1];

	if (b)
		return 0;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	memcpy(b->tenant, tenant, KVAULT_ID_SIZE);
	b->seq = seq;
	b->next = ctx->broken;
	ctx->broken = b;
	kvd_hex_encode(hex, tenant, KVAULT_ID_SIZE);
	kvd_log(LOG_CRIT, "The audit log of tenant %s does not check at record %llu: %s. "
		"Nothing of this tenant is granted, changed or signed. Restore the store from a "
		"backup, or, when it is understood, go on with 'kvault audit accept %llu'",
		hex, (unsigned long long)seq, why, (unsigned long long)seq);
	return 0;
}

void kvd_head_forget(struct kvd_context *ctx, const uint8_t *tenant)
{
	struct kvd_broken **p = find(ctx, tenant), *b = *p;

	if (b) {
		*p = b->next;
		free(b);
	}
}

/* --- the check ---------------------------------------------------------------------- */

struct walk {
	struct kvd_context *ctx;
	struct kvd_store *st;
	const uint8_t *tenant;
	uint64_t seq;			/* of the record before */
	uint8_t hash[KVD_HASH_SIZE];
	uint64_t signed_seq;		/* this record must have this hash */
	uint8_t signed_hash[KVD_HASH_SIZE];
	const char *why;
};

static bool is_checkpoint(const char *text, size_t len)
{
	_cleanup_json_ json_t *j = NULL;
	const char *op;

	/* Most are none, and need not be parsed. */
	if (!memmem(text, len, KVD_CHECKPOINT, strlen(KVD_CHECKPOINT)))
		return false;
	j = json_loadb(text, len, 0, NULL);
	op = json_string_value(json_object_get(j, "operationName"));
	return op && !strcmp(op, KVD_CHECKPOINT);
}

/* NULL: the checkpoint is good, and says which record it signed, with which hash. */
static const char *check_checkpoint(struct walk *w, const char *text, size_t len,
				    uint64_t *ret_seq, uint8_t ret_hash[static KVD_HASH_SIZE],
				    int *error)
{
	_cleanup_json_ json_t *j = text ? json_loadb(text, len, 0, NULL) : NULL;
	const char *sig64 = json_string_value(json_object_get(j, "signature"));
	json_int_t n = json_integer_value(json_object_get(j, "signedSeq"));
	uint8_t sig[KVD_SIGNATURE_SIZE], digest[KVD_HASH_SIZE];

	if (!sig64 || n <= 0 ||
	    kvd_base64url_decode(sig, sizeof(sig), sig64, strlen(sig64)) != sizeof(sig))
		return "the checkpoint has no signature";
	if (!w->ctx->audit_key.jwk)
		return "there is a checkpoint, and no key to check it with";
	*error = kvd_store_log_hash(w->st, w->tenant, (uint64_t)n, ret_hash);
	if (*error)
		return "the record that the checkpoint signed is missing";
	kvd_head_digest(digest, w->ctx, w->tenant, (uint64_t)n, ret_hash);
	if (kvd_head_verify(w->ctx->audit_key.jwk, digest, sig))
		return "the signature of the checkpoint does not verify";
	*ret_seq = (uint64_t)n;
	return NULL;
}

static const char *check_row(struct walk *w, const struct kvd_log_row *row, int *error)
{
	uint8_t hash[KVD_HASH_SIZE], other[KVD_HASH_SIZE];
	uint64_t seq;

	if (row->seq != w->seq + 1)
		return "it is missing";
	if (!row->json)
		return "it is empty";
	kvd_audit_hash(hash, w->hash, row->json, row->len);
	if (memcmp(hash, row->hash, sizeof(hash)))
		return "its hash is another one";
	if (row->seq == w->signed_seq && memcmp(hash, w->signed_hash, sizeof(hash)))
		return "it is not the one that was signed";
	memcpy(w->hash, hash, sizeof(hash));
	if (!is_checkpoint(row->json, row->len))
		return NULL;
	return check_checkpoint(w, row->json, row->len, &seq, other, error);
}

static int walk_one(const struct kvd_log_row *row, void *data)
{
	struct walk *w = data;
	int error = 0;

	w->why = check_row(w, row, &error);
	if (error < 0)
		return error;
	if (w->why) {
		w->seq++;	/* the one that should be here */
		return 1;
	}
	w->seq = row->seq;
	return 0;
}

struct newest {
	struct walk *w;
	uint64_t seq;
	int error;
};

static int take_checkpoint(const struct kvd_log_row *row, void *data)
{
	struct newest *n = data;
	struct walk *w = n->w;

	if (row->seq != n->seq)
		w->why = "it is missing";
	else
		w->why = check_checkpoint(w, row->json, row->len, &w->signed_seq,
					  w->signed_hash, &n->error);
	return 1;
}

/* Where to begin: before the record that the newest checkpoint signed. */
static int begin_signed(struct walk *w, uint64_t checkpoint, uint64_t *ret_after)
{
	struct newest n = { w, checkpoint, 0 };
	int r;

	w->why = "it is missing";
	r = kvd_store_log_each(w->st, w->tenant, checkpoint - 1, take_checkpoint, &n);
	if (!r && n.error < 0)
		r = n.error;
	if (r < 0 || w->why) {
		w->seq = checkpoint;
		return r;
	}
	*ret_after = w->signed_seq - 1;
	return 0;
}

static int begin(struct walk *w, uint64_t *ret_after)
{
	bool is_host = !memcmp(w->tenant, w->ctx->meta.host.b, KVAULT_ID_SIZE);
	uint64_t head = 0;
	int r;

	*ret_after = 0;
	if (is_host && w->ctx->checkpoint_seq)
		return begin_signed(w, w->ctx->checkpoint_seq, ret_after);
	r = kvd_store_log_head(w->st, w->tenant, &head, w->hash);
	if (!r && !is_host && head > KVD_HEAD_UNSIGNED)
		*ret_after = head - KVD_HEAD_UNSIGNED;
	return r;
}

int kvd_head_check(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant)
{
	struct walk w = { .ctx = ctx, .st = st, .tenant = tenant };
	uint64_t after = 0;
	int r;

	r = begin(&w, &after);
	if (!r && !w.why) {
		memset(w.hash, 0, sizeof(w.hash));
		w.seq = after;
		if (after)
			r = kvd_store_log_hash(st, tenant, after, w.hash);
		if (r == KVD_E_NOT_FOUND) {
			w.why = "it is missing";
			r = 0;
		}
		if (!r && !w.why)
			r = kvd_store_log_each(st, tenant, after, walk_one, &w);
	}
#ifdef KVAULT_MUTANT_NO_HEAD_CHECK
	return 0;
#endif
	if (r < 0)
		return r;
	return w.why ? kvd_head_note(ctx, tenant, w.seq, w.why) : 0;
}
