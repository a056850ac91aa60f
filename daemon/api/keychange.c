// SPDX-License-Identifier: GPL-2.0-only
/* What changes what exists: attributes of keys and secrets, tokens for volumes. */
#include <openssl/sha.h>
#include <sys/random.h>

#include "api/keyjson.h"
#include "core/rotation.h"
#include "util/base64.h"

static int may_change(struct kvd_request *req, uint64_t action)
{
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r)
		r = kvd_api_object_name(req, req->seg[3]);
	return r ? r : kvd_api_may(req, req->seg[1], req->seg[3], action);
}

static int check_ops(struct kvd_request *req, const struct kvd_version *old, uint32_t ops)
{
	const uint32_t purpose = KVAULT_OP_VOLUME | KVAULT_OP_IMPORT;
	struct kvd_key_spec key = { .kty = old->kty, .is_hsm = old->flags & KVAULT_KEY_HSM,
				    .bits = old->bits, .curve = old->curve, .ops = ops };

	if ((ops ^ old->ops) & purpose)
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"A key keeps its purpose: volume and import cannot be changed");
	return kvd_key_spec_settle(&key, &req->why);
}

static bool gates_differ(const struct kvd_version *a, const struct kvd_version *b)
{
	return a->ops != b->ops || a->flags != b->flags || a->nbf != b->nbf || a->exp != b->exp;
}

/* The attributes are part of what the blob is bound to: it has to be sealed anew. */
static int reseal(struct kvd_request *req, const struct kvd_version *old, struct kvd_version *v)
{
	const struct kvd_kernel *k = req->ctx->kernel;
	struct kvault_binding from, to;
	struct kvault_seal arg = {
		.source = KVAULT_SEAL_RESEAL,
		.old_binding = (uintptr_t)&from,
		.binding = (uintptr_t)&to,
	};
	_cleanup_free_ uint8_t *blob = malloc(v->blob_len);
	int r;

	if (!blob)
		return -ENOMEM;
	kvd_keyjson_binding(req->ctx, req->msg.tenant, old, &from);
	kvd_keyjson_binding(req->ctx, req->msg.tenant, v, &to);
	arg.in = (uintptr_t)v->blob;
	arg.in_len = (uint32_t)v->blob_len;
	arg.out = (uintptr_t)blob;
	arg.out_len = (uint32_t)v->blob_len;
	r = k->seal(k->data, &arg);
	if (r == -EHOSTDOWN)
		return kvd_fail(req, KVD_E_UNAVAILABLE,
				"The root key is not loaded: see kvault-root.service");
	if (r == -EBADMSG)
		return kvd_fail(req, KVD_E_INTERNAL,
				"The stored %s does not open: its row was changed or damaged",
				kvd_type_noun(v->type));
	if (r < 0)
		return r;
	if (arg.out_len != v->blob_len)
		return -EIO;
	free(v->blob);
	v->blob = TAKE_PTR(blob);
	return 0;
}

static int apply(struct kvd_request *req, const struct kvd_version *old, struct kvd_version *v)
{
	int r;

	if (gates_differ(old, v)) {
		r = reseal(req, old, v);
		if (!r)
			r = kvd_store_revision_next(req->st, &v->revision);
		if (r)
			return r;
		req->has_push = true;
		req->push = (struct kvd_push){
			.is_object = true, .has_version = true, .key = v->object,
			.version = v->id, .revision = v->revision,
			.state = v->flags & KVAULT_KEY_ENABLED ? KVAULT_OBJECT_LIVE :
								 KVAULT_OBJECT_DISABLED,
		};
	}
	v->updated = req->ctx->now;
	return kvd_store_version_update(req->st, req->msg.tenant, v);
}

/* When it expires, or whether it is used, has changed: so may what is due. */
static int plan(struct kvd_request *req, const struct kvd_version *v)
{
	_cleanup_version_ struct kvd_version newest = { 0 };
	int r;

	if (!req->has_push || req->type != KVAULT_TYPE_KEY)
		return 0;
	r = kvd_store_version_find(req->st, req->msg.tenant, v->vault_name, v->type, v->name, NULL,
				   &newest);
	return r ? r : kvd_rotation_plan(req->st, req->msg.tenant, &newest);
}

/* What of the body is not attributes and tags. */
static int take_members(struct kvd_request *req, const struct kvd_version *old,
			struct kvd_version *v)
{
	int r;

	if (req->type == KVAULT_TYPE_SECRET)
		return kvd_keyjson_content_type(req, v);
	r = kvd_keyjson_ops(req, req->body, &v->ops);
	return r ? r : check_ops(req, old, v->ops);
}

int kvd_api_patch(struct kvd_request *req)
{
	static const char *const of_key[] = { "attributes", "key_ops", "tags", NULL };
	static const char *const of_secret[] = { "attributes", "contentType", "tags", NULL };
	bool is_secret = req->type == KVAULT_TYPE_SECRET;
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	struct kvd_version old;
	int r;

	r = may_change(req, is_secret ? KVD_MAY_SECRET_WRITE : KVD_MAY_KEY_WRITE);
	if (!r)
		r = kvd_json_only(req->body, is_secret ? of_secret : of_key, "the body",
				  &req->why);
	if (!r)
		r = kvd_keyjson_vault(req, &vault);
	if (!r)
		r = kvd_keyjson_find(req, &v);
	if (r)
		return r;
	kvd_audit_object(req->object, &v);
	old = v;	/* numbers and names only: v owns the rest */
	r = take_members(req, &old, &v);
	if (!r)
		r = kvd_keyjson_attributes(req, &v);
	if (!r)
		r = apply(req, &old, &v);
	if (!r)
		r = plan(req, &v);
	if (r)
		return r;
	req->reply = kvd_keyjson_bundle(req->ctx, &vault, &v);
	return req->reply ? 0 : -ENOMEM;
}

static int make_grant(struct kvd_request *req, const struct kvd_version *v,
		      struct kvault_token *token)
{
	struct kvd_volume_grant g = { .object = v->object, .version = v->id,
				      .created = req->ctx->now };
	int r;

	r = kvd_id_new(&g.id);
	if (r < 0)
		return r;
	memset(token, 0, sizeof(*token));
	memcpy(token->magic, KVAULT_TOKEN_MAGIC, sizeof(token->magic));
	token->format[0] = 1;
	memcpy(token->tenant, req->msg.tenant, KVAULT_ID_SIZE);
	memcpy(token->key, v->object.b, KVAULT_ID_SIZE);
	memcpy(token->version, v->id.b, KVAULT_ID_SIZE);
	memcpy(token->grant, g.id.b, KVAULT_ID_SIZE);
	if (getrandom(token->nonce, sizeof(token->nonce), 0) != sizeof(token->nonce))
		return -EIO;
	SHA256(token->nonce, sizeof(token->nonce), g.nonce_hash);
	return kvd_store_volume_grant_add(req->st, req->msg.tenant, &g);
}

int kvd_api_key_token(struct kvd_request *req)
{
	static const char *const known[] = { NULL };
	_cleanup_version_ struct kvd_version v = { 0 };
	char text[KVD_BASE64_LEN(sizeof(struct kvault_token)) + 1];
	_cleanup_json_ json_t *key = NULL;
	struct kvault_token token;
	int r;

	r = may_change(req, KVAULT_OP_VOLUME);
	if (!r)
		r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = kvd_keyjson_find(req, &v);
	if (r)
		return r;
	kvd_audit_object(req->object, &v);
	if (!(v.flags & KVAULT_KEY_ENABLED))
		return kvd_fail(req, KVD_E_KEY_DISABLED, "Key %s is disabled", v.name);
	if (v.ops != KVAULT_OP_VOLUME)
		return kvd_fail(req, KVD_E_KEY_OPERATION, "Key %s is not for volumes", v.name);
	r = make_grant(req, &v, &token);
	if (r)
		return r;
	kvd_base64url_encode(text, &token, sizeof(token));
	key = kvd_keyjson_key(req->ctx, &v);
	req->reply = json_pack("{s:O, s:s}", "kid", json_object_get(key, "kid"), "token", text);
	return req->reply ? 0 : -ENOMEM;
}
