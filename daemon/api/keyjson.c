// SPDX-License-Identifier: GPL-2.0-only
#include "api/keyjson.h"
#include "util/base64.h"
#include "util/hex.h"

#define TIME_MAX		253402300799ull		/* the end of 9999 */
#define CONTENT_TYPE_MAX	255

int kvd_keyjson_ops(struct kvd_request *req, const json_t *obj, uint32_t *ops)
{
	const json_t *list = json_object_get(obj, "key_ops");
	uint32_t all = 0, op;
	json_t *v;
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || !json_array_size(list))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'key_ops' is not a list of operations");
	json_array_foreach(list, i, v) {
		op = json_is_string(v) ? kvd_op_parse(json_string_value(v)) : 0;
		if (!op)
			return kvd_fail(req, KVD_E_BAD_PARAMETER,
					"'key_ops' has an operation that does not exist");
		all |= op;
	}
	*ops = all;
	return 0;
}

static int set_flag(struct kvd_request *req, const json_t *obj, const char *name, uint32_t flag,
		    uint32_t *flags)
{
	bool on = *flags & flag;
	int r;

	r = kvd_json_bool(obj, name, &on, &req->why);
	if (!r)
		*flags = on ? *flags | flag : *flags & ~flag;
	return r;
}

static int parse_attributes(struct kvd_request *req, const json_t *a, struct kvd_version *v)
{
	static const char *const known[] = { "enabled", "nbf", "exp", "exportable",
					     "auditEach", "onExpiry", NULL };
	static const char *const of_secret[] = { "enabled", "nbf", "exp", NULL };
	const char *on_expiry = NULL;
	int r;

	r = kvd_json_only(a, v->type == KVAULT_TYPE_SECRET ? of_secret : known, "attributes",
			  &req->why);
	if (!r)
		r = kvd_json_str(a, "onExpiry", &on_expiry, &req->why);
	if (!r)
		r = set_flag(req, a, "enabled", KVAULT_KEY_ENABLED, &v->flags);
	if (!r)
		r = set_flag(req, a, "exportable", KVAULT_KEY_EXPORTABLE, &v->flags);
	if (!r)
		r = set_flag(req, a, "auditEach", KVAULT_KEY_AUDIT_EACH, &v->flags);
	if (!r)
		r = kvd_json_uint(a, "nbf", TIME_MAX, &v->nbf, &req->why);
	if (!r)
		r = kvd_json_uint(a, "exp", TIME_MAX, &v->exp, &req->why);
	if (r)
		return r;
	if (on_expiry && !strcmp(on_expiry, "stop"))
		return kvd_fail(req, KVD_E_NOT_SUPPORTED, "A volume that is open goes on after "
				"'exp', which forbids opening it anew: disable the key to stop it");
	if (on_expiry && strcmp(on_expiry, "continue"))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'onExpiry' is not continue or stop");
	if (v->flags & KVAULT_KEY_EXPORTABLE)
		return kvd_fail(req, KVD_E_NOT_SUPPORTED, "There are no exportable keys");
	if (v->nbf && v->exp && v->exp <= v->nbf)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'exp' is not after 'nbf'");
	return 0;
}

int kvd_keyjson_attributes(struct kvd_request *req, struct kvd_version *v)
{
	json_t *a = NULL, *tags = NULL;
	char *text;
	int r;

	r = kvd_json_obj(req->body, "attributes", &a, &req->why);
	if (!r && a)
		r = parse_attributes(req, a, v);
	if (!r)
		r = kvd_json_obj(req->body, "tags", &tags, &req->why);
	if (!r && tags)
		r = kvd_json_check_tags(tags, &req->why);
	if (r || (!tags && v->tags))
		return r;
	text = tags ? kvd_json_canonical(tags) : strdup("{}");
	if (!text)
		return -ENOMEM;
	free(v->tags);
	v->tags = text;
	return 0;
}

int kvd_keyjson_content_type(struct kvd_request *req, struct kvd_version *v)
{
	const char *text = NULL;
	json_t *j;
	char *json;
	int r;

	r = kvd_json_str(req->body, "contentType", &text, &req->why);
	if (r || (!text && v->jwk))
		return r;
	if (text && strlen(text) > CONTENT_TYPE_MAX)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'contentType' has more than %d bytes",
				CONTENT_TYPE_MAX);
	j = text && *text ? json_pack("{s:s}", "contentType", text) : json_object();
	json = j ? kvd_json_canonical(j) : NULL;
	json_decref(j);
	if (!json)
		return -ENOMEM;
	free(v->jwk);
	v->jwk = json;
	return 0;
}

/* A big-endian number of exactly len bytes (of up to len when len is not exact). */
static int check_number(const json_t *jwk, const char *name, size_t len, bool is_exact)
{
	const char *text = json_string_value(json_object_get(jwk, name));
	uint8_t bytes[1024];
	ssize_t n;

	if (!text)
		return -EBADMSG;
	n = kvd_base64url_decode(bytes, sizeof(bytes), text, strlen(text));
	if (n <= 0 || (size_t)n > len || (is_exact && (size_t)n != len))
		return -EBADMSG;
	return 0;
}

static int check_public(const json_t *jwk, const struct kvd_version *v)
{
	static const size_t sizes[] = { [KVAULT_CURVE_P256] = 32, [KVAULT_CURVE_P384] = 48,
					[KVAULT_CURVE_P521] = 66, [KVAULT_CURVE_P256K] = 32 };
	const char *kty = json_string_value(json_object_get(jwk, "kty"));
	const char *crv = json_string_value(json_object_get(jwk, "crv"));

	if (!kty || (strcmp(kty, kvd_kty_name(v->kty, false)) &&
		     strcmp(kty, kvd_kty_name(v->kty, true))))
		return -EBADMSG;
	if (v->kty == KVAULT_KTY_RSA)
		return check_number(jwk, "n", v->bits / 8, true) ||
		       check_number(jwk, "e", 8, false) ? -EBADMSG : 0;
	if (!crv || strcmp(crv, kvd_curve_name(v->curve)))
		return -EBADMSG;
	return check_number(jwk, "x", sizes[v->curve], true) ||
	       check_number(jwk, "y", sizes[v->curve], true) ? -EBADMSG : 0;
}

int kvd_keyjson_public(struct kvd_request *req, const char *text, size_t len,
		       struct kvd_version *v)
{
	static const char *const rsa[] = { "n", "e", NULL };
	static const char *const ec[] = { "crv", "x", "y", NULL };
	const char *const *names = v->kty == KVAULT_KTY_RSA ? rsa : ec;
	_cleanup_json_ json_t *jwk = NULL, *out = json_object();
	int r;

	r = kvd_json_parse(text, len, &jwk, NULL);
	if (r < 0 || !out)
		return -ENOMEM;
	if (r || check_public(jwk, v))
		return kvd_fail(req, KVD_E_INTERNAL, "The engine made a key of another shape");
	for (; *names; names++)
		if (json_object_set(out, *names, json_object_get(jwk, *names)))
			return -ENOMEM;
	free(v->jwk);
	v->jwk = kvd_json_canonical(out);
	return v->jwk ? 0 : -ENOMEM;
}

static json_t *ops_json(uint32_t ops)
{
	json_t *list = json_array();
	uint32_t op;

	for (op = 1; list && op <= KVAULT_OP_VOLUME; op <<= 1)
		if ((ops & op) && json_array_append_new(list, json_string(kvd_op_name(op)))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *kid_json(const struct kvd_context *ctx, const struct kvd_version *v,
			bool with_version)
{
	char hex[2 * KVAULT_ID_SIZE + 1];

	kvd_hex_encode(hex, v->id.b, sizeof(v->id.b));
	return json_sprintf("https://%s.%s/%s/%s%s%s", v->vault_name, ctx->suffix,
			    kvd_type_collection(v->type), v->name, with_version ? "/" : "",
			    with_version ? hex : "");
}

json_t *kvd_keyjson_key(const struct kvd_context *ctx, const struct kvd_version *v)
{
	_cleanup_json_ json_t *j = json_loads(v->jwk, 0, NULL);
	bool is_hsm = v->flags & KVAULT_KEY_HSM;
	const char *kty = kvd_kty_name(v->kty, is_hsm);
	int r = 0;

	if (!j || !kty)
		return NULL;
	r |= kvd_json_set(j, "kid", kid_json(ctx, v, true));
	r |= kvd_json_set(j, "kty", json_string(kty));
	r |= kvd_json_set(j, "key_ops", ops_json(v->ops));
	if (v->kty == KVAULT_KTY_OCT)
		r |= kvd_json_set(j, "key_size", json_integer(v->bits));
	return r ? NULL : TAKE_PTR(j);
}

static const char *recovery_level(const struct kvd_vault *vault)
{
	if (vault->retention < 90)
		return vault->has_purge_protection ? "CustomizedRecoverable" :
						     "CustomizedRecoverable+Purgeable";
	return vault->has_purge_protection ? "Recoverable" : "Recoverable+Purgeable";
}

static json_t *attributes_json(const struct kvd_vault *vault, const struct kvd_version *v)
{
	_cleanup_json_ json_t *a = NULL;
	int r = 0;

	a = json_pack("{s:b, s:I, s:I, s:i, s:s}", "enabled",
		      !!(v->flags & KVAULT_KEY_ENABLED), "created", (json_int_t)v->created,
		      "updated", (json_int_t)v->updated, "recoverableDays", (int)vault->retention,
		      "recoveryLevel", recovery_level(vault));
	if (!a)
		return NULL;
	if (v->type == KVAULT_TYPE_KEY) {
		r |= kvd_json_set(a, "exportable", json_boolean(v->flags & KVAULT_KEY_EXPORTABLE));
		r |= kvd_json_set(a, "hsmPlatform",
				  json_string(v->flags & KVAULT_KEY_HSM ? "1" : "0"));
	}
	if (v->nbf)
		r |= kvd_json_set(a, "nbf", json_integer((json_int_t)v->nbf));
	if (v->exp)
		r |= kvd_json_set(a, "exp", json_integer((json_int_t)v->exp));
	if (v->flags & KVAULT_KEY_AUDIT_EACH)
		r |= kvd_json_set(a, "auditEach", json_true());
	return r ? NULL : TAKE_PTR(a);
}

static int add_deletion(json_t *j, const struct kvd_context *ctx, const struct kvd_version *v)
{
	int r = 0;

	r |= kvd_json_set(j, "recoveryId", json_sprintf("https://%s.%s/deleted%s/%s", v->vault_name,
							ctx->suffix, kvd_type_collection(v->type),
							v->name));
	r |= kvd_json_set(j, "deletedDate", json_integer((json_int_t)v->deleted));
	r |= kvd_json_set(j, "scheduledPurgeDate", json_integer((json_int_t)v->purge));
	return r;
}

static int add_common(json_t *j, const struct kvd_context *ctx, const struct kvd_vault *vault,
		      const struct kvd_version *v)
{
	int r = 0;

	r |= kvd_json_set(j, "attributes", attributes_json(vault, v));
	r |= kvd_json_set(j, "tags", json_loads(v->tags, 0, NULL));
	return v->deleted ? r | add_deletion(j, ctx, v) : r;
}

/* Bundle and item of a list: the same, as neither has the value. */
static json_t *secret_json(const struct kvd_context *ctx, const struct kvd_vault *vault,
			   const struct kvd_version *v, bool with_version)
{
	_cleanup_json_ json_t *j = json_loads(v->jwk, 0, NULL);
	int r = 0;

	if (!j)
		return NULL;
	r |= kvd_json_set(j, "id", kid_json(ctx, v, with_version));
	r |= add_common(j, ctx, vault, v);
	return r ? NULL : TAKE_PTR(j);
}

json_t *kvd_keyjson_bundle(const struct kvd_context *ctx, const struct kvd_vault *vault,
			   const struct kvd_version *v)
{
	_cleanup_json_ json_t *j = NULL;
	int r = 0;

	if (v->type == KVAULT_TYPE_SECRET)
		return secret_json(ctx, vault, v, true);
	j = json_object();
	if (!j)
		return NULL;
	r |= kvd_json_set(j, "key", kvd_keyjson_key(ctx, v));
	r |= add_common(j, ctx, vault, v);
	return r ? NULL : TAKE_PTR(j);
}

json_t *kvd_keyjson_item(const struct kvd_context *ctx, const struct kvd_vault *vault,
			 const struct kvd_version *v, bool with_version)
{
	_cleanup_json_ json_t *j = NULL;
	int r = 0;

	if (v->type == KVAULT_TYPE_SECRET)
		return secret_json(ctx, vault, v, with_version);
	j = json_object();
	if (!j)
		return NULL;
	r |= kvd_json_set(j, "kid", kid_json(ctx, v, with_version));
	/* Beyond spec.md 7: what a list for people shows without asking for each key. */
	r |= kvd_json_set(j, "kty", json_string(kvd_kty_name(v->kty, v->flags & KVAULT_KEY_HSM)));
	if (v->curve)
		r |= kvd_json_set(j, "crv", json_string(kvd_curve_name(v->curve)));
	if (v->bits)
		r |= kvd_json_set(j, "key_size", json_integer(v->bits));
	r |= kvd_json_set(j, "key_ops", ops_json(v->ops));
	if (with_version ? v->used : v->object_used)
		r |= kvd_json_set(j, "lastUsed", json_integer(with_version ? v->used :
								  v->object_used));
	r |= add_common(j, ctx, vault, v);
	return r ? NULL : TAKE_PTR(j);
}

void kvd_keyjson_binding(const struct kvd_context *ctx, const uint8_t *tenant,
			 const struct kvd_version *v, struct kvault_binding *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->store, ctx->meta.store.b, KVAULT_ID_SIZE);
	memcpy(ret->tenant, tenant, KVAULT_ID_SIZE);
	memcpy(ret->container, v->vault.b, KVAULT_ID_SIZE);
	memcpy(ret->object, v->object.b, KVAULT_ID_SIZE);
	memcpy(ret->version, v->id.b, KVAULT_ID_SIZE);
	ret->type = v->type;
	ret->kty = v->kty;
	ret->bits = v->bits;
	ret->curve = v->curve;
	ret->ops = v->ops;
	ret->flags = v->flags;
	ret->nbf = v->nbf;
	ret->exp = v->exp;
	ret->name_len = (uint32_t)strlen(v->name);
	memcpy(ret->name, v->name, ret->name_len);
}

int kvd_keyjson_version(struct kvd_request *req, const char *text, struct kvd_id *ret)
{
	if (kvd_hex_decode(ret->b, sizeof(ret->b), text))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "A version has 32 hexadecimal digits");
	return 0;
}

int kvd_keyjson_vault(struct kvd_request *req, struct kvd_vault *ret)
{
	int r;

	r = kvd_store_vault_find(req->st, req->msg.tenant, req->seg[1], ret);
	if (r == KVD_E_VAULT_NOT_FOUND)
		return kvd_fail(req, r, "There is no vault %s", req->seg[1]);
	return r;
}

int kvd_keyjson_not_found(struct kvd_request *req)
{
	bool is_secret = req->type == KVAULT_TYPE_SECRET;

	return kvd_fail(req, is_secret ? KVD_E_SECRET_NOT_FOUND : KVD_E_KEY_NOT_FOUND,
			"There is no %s %s in vault %s", kvd_type_noun(req->type), req->seg[3],
			req->seg[1]);
}

/* /vaults/V/keys|secrets/K[/VERSION][/token] */
int kvd_keyjson_find(struct kvd_request *req, struct kvd_version *ret)
{
	bool is_token = req->msg.op == KVAULT_METHOD_POST;
	bool has_version = req->n_seg > (is_token ? 5u : 4u);
	struct kvd_id version;
	int r;

	if (has_version) {
		r = kvd_keyjson_version(req, req->seg[4], &version);
		if (r)
			return r;
	}
	r = kvd_store_version_find(req->st, req->msg.tenant, req->seg[1], req->type, req->seg[3],
				   has_version ? version.b : NULL, ret);
	if (r != KVD_E_KEY_NOT_FOUND)
		return r;
	r = kvd_keyjson_not_found(req);
	if (!has_version)
		return r;
	return kvd_fail(req, r, "There is no %s %s/%s in vault %s", kvd_type_noun(req->type),
			req->seg[3], req->seg[4], req->seg[1]);
}
