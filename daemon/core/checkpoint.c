// SPDX-License-Identifier: GPL-2.0-only
#include "core/audit.h"
#include "core/checkpoint.h"
#include "core/head.h"
#include "util/base64.h"
#include "util/json.h"
#include "util/log.h"
#include "util/time.h"

#define RETRY_S		10
#define TIMEOUT_MS	10000

static const char name[] = "audit-checkpoints";

static void bind_key(const struct kvd_context *ctx, const struct kvd_audit_key *key,
		     struct kvault_binding *b)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->store, ctx->meta.store.b, KVAULT_ID_SIZE);
	memcpy(b->tenant, ctx->meta.host.b, KVAULT_ID_SIZE);
	memcpy(b->object, key->object.b, KVAULT_ID_SIZE);
	memcpy(b->version, key->version.b, KVAULT_ID_SIZE);
	b->type = KVAULT_TYPE_KEY;
	b->kty = KVAULT_KTY_EC;
	b->curve = KVAULT_CURVE_P256;
	b->ops = KVAULT_OP_SIGN;
	b->flags = KVAULT_KEY_ENABLED;
	b->name_len = sizeof(name) - 1;
	memcpy(b->name, name, sizeof(name) - 1);
}

int kvd_checkpoint_load(struct kvd_context *ctx)
{
	int r;

	r = kvd_store_checkpoint_get(ctx->host, &ctx->checkpoint_seq);
	if (r < 0)
		return r;
	r = kvd_store_audit_key_get(ctx->host, &ctx->audit_key);
	return r < 0 ? r : 0;
}

static int ask(struct kvd_context *ctx, struct kvd_checkpoint *cp,
	       const struct kvault_submit *what, const struct kvd_audit_key *key)
{
	struct kvault_submit arg = *what;
	struct kvault_binding binding;
	int r;

	bind_key(ctx, key, &binding);
	arg.cookie = ++cp->cookie | KVD_CHECKPOINT_COOKIE;
	arg.engine = KVAULT_ENGINE_OPENSSL;
	arg.timeout_ms = TIMEOUT_MS;
	arg.binding = (uintptr_t)&binding;
	r = ctx->kernel->submit(ctx->kernel->data, &arg);
	if (!r) {
		cp->is_busy = true;
		cp->give_up = kvd_time_now(CLOCK_BOOTTIME) + 2 * TIMEOUT_MS * 1000000ull;
	}
	return r;
}

static int make_key(struct kvd_context *ctx, struct kvd_checkpoint *cp)
{
	struct kvault_submit arg = { .op = KVAULT_ENGINE_OP_GENERATE };
	int r;

	kvd_audit_key_done(&cp->key);
	r = kvd_id_new(&cp->key.object);
	if (!r)
		r = kvd_id_new(&cp->key.version);
	cp->seq = 0;
	return r ? r : ask(ctx, cp, &arg, &cp->key);
}

static int sign(struct kvd_context *ctx, struct kvd_checkpoint *cp)
{
	struct kvault_submit arg = { .op = KVAULT_ENGINE_OP_CRYPT, .alg = KVAULT_ALG_ES256 };
	uint64_t now = kvd_time_now(CLOCK_BOOTTIME), seq = 0;
	uint8_t hash[KVD_HASH_SIZE];
	int r;

#ifndef KVAULT_MUTANT_SIGN_BROKEN
	if (kvd_head_broken(ctx, ctx->meta.host.b))
		return 0;
#endif
	r = kvd_store_log_head(ctx->host, ctx->meta.host.b, &seq, hash);
	if (r < 0 || seq == ctx->checkpoint_seq)
		return r;
	if (seq - ctx->checkpoint_seq < KVD_CHECKPOINT_RECORDS &&
	    now - cp->last < KVD_CHECKPOINT_S * KVD_NSEC_PER_SEC)
		return 0;
	arg.blob = (uintptr_t)ctx->audit_key.blob;
	arg.blob_len = (uint32_t)ctx->audit_key.blob_len;
	kvd_head_digest(cp->digest, ctx, ctx->meta.host.b, seq, hash);
	arg.in = (uintptr_t)cp->digest;
	arg.in_len = sizeof(cp->digest);
	cp->seq = seq;
	return ask(ctx, cp, &arg, &ctx->audit_key);
}

void kvd_checkpoint_tick(struct kvd_context *ctx, struct kvd_checkpoint *cp)
{
	uint64_t now = kvd_time_now(CLOCK_BOOTTIME);
	int r;

	if (cp->is_busy && now > cp->give_up)
		cp->is_busy = false;	/* an answer that comes later has another cookie */
	if (cp->is_busy || now < cp->not_before)
		return;
	r = ctx->audit_key.jwk ? sign(ctx, cp) : make_key(ctx, cp);
	if (r < 0)
		cp->not_before = now + RETRY_S * KVD_NSEC_PER_SEC;
}

static int keep_key(struct kvd_context *ctx, struct kvd_checkpoint *cp, const uint8_t *text,
		    size_t text_len, const uint8_t *blob, size_t blob_len)
{
	_cleanup_json_ json_t *jwk = NULL, *out = NULL;
	struct kvd_audit_key *key = &cp->key;
	int r;

	r = kvd_json_parse(text, text_len, &jwk, NULL);
	if (r || !blob_len)
		return -EBADMSG;
	out = json_pack("{s:s, s:s, s:O, s:O}", "kty", "EC", "crv", "P-256", "x",
			json_object_get(jwk, "x"), "y", json_object_get(jwk, "y"));
	if (!out)
		return -EBADMSG;
	key->jwk = kvd_json_canonical(out);
	key->blob = malloc(blob_len);
	if (!key->jwk || !key->blob)
		return -ENOMEM;
	memcpy(key->blob, blob, blob_len);
	key->blob_len = blob_len;
	r = kvd_store_audit_key_set(ctx->host, key);
	if (r < 0)
		return r;
	ctx->audit_key = *key;
	memset(key, 0, sizeof(*key));
	return 0;
}

static int keep_signature(struct kvd_context *ctx, struct kvd_checkpoint *cp,
			  const uint8_t *text, size_t text_len)
{
	char signature[KVD_BASE64_LEN(KVD_SIGNATURE_SIZE) + 1];
	_cleanup_json_ json_t *more = NULL;
	struct kvd_event ev = { .operation = KVD_CHECKPOINT, .result = "Success",
				.signature = "OK" };
	uint8_t hash[KVD_HASH_SIZE];
	uint64_t seq = 0;
	int r;

	if (text_len != KVD_SIGNATURE_SIZE)
		return -EBADMSG;
#ifndef KVAULT_MUTANT_KEEP_ANY_SIGNATURE
	/* The blob is sealed and its public half is not: another one may stand beside it. */
	r = kvd_head_verify(ctx->audit_key.jwk, cp->digest, text);
	if (r < 0)
		return r;
#endif
	kvd_base64url_encode(signature, text, text_len);
	more = json_pack("{s:s, s:I, s:s}", "signature", signature, "signedSeq",
			 (json_int_t)cp->seq, "alg", "ES256");
	if (!more)
		return -ENOMEM;
	ev.more = more;
	r = kvd_audit_append(ctx, ctx->host, ctx->meta.host.b, &ev);
	if (!r)
		r = kvd_store_log_head(ctx->host, ctx->meta.host.b, &seq, hash);
	if (!r)
		r = kvd_store_checkpoint_set(ctx->host, seq);
	if (!r)
		ctx->checkpoint_seq = seq;
	return r;
}

int kvd_checkpoint_done(struct kvd_context *ctx, struct kvd_checkpoint *cp, int status,
			const uint8_t *text, size_t text_len, const uint8_t *blob,
			size_t blob_len)
{
	uint64_t now = kvd_time_now(CLOCK_BOOTTIME);
	int r = status;

	cp->is_busy = false;
	if (!r)
		r = cp->seq ? keep_signature(ctx, cp, text, text_len) :
			      keep_key(ctx, cp, text, text_len, blob, blob_len);
	cp->last = now;
	if (r < 0) {
		cp->not_before = now + RETRY_S * KVD_NSEC_PER_SEC;
		kvd_log(LOG_WARNING, "No checkpoint of the audit log: %s; tried again in %d s",
			strerror(-r), RETRY_S);
	}
	return r;
}
