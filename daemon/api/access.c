// SPDX-License-Identifier: GPL-2.0-only
/*
 * May this principal use this key? Answered with a grant: operations, lease,
 * binding and blob. Everything that is not allowed is refused; what a caller
 * of another tenant asks about is not there, for it is looked up in his own.
 */
#include "api/keyjson.h"
#include "core/lease.h"
#include "util/json.h"

/* "context=NAME%3DVALUE", or the hash of more than fits: into the log, and nowhere else. */
static int take_pair(struct kvd_request *req, const char *name, char *value)
{
	char *eq = strchr(value, '=');
	json_t *text;

	if (!strcmp(name, "contextSha256")) {
		text = kvd_json_bytes(value, strlen(value));
		return kvd_json_set(req->context, "sha256", text);
	}
	if (strcmp(name, "context") || !eq || eq == value)
		return KVD_E_BAD_PARAMETER;
	*eq = '\0';
	text = kvd_json_bytes(eq + 1, strlen(eq + 1));
	/* a name need not be text, but is one in the log */
	if (json_object_set_new(req->context, value, text))
		return KVD_E_BAD_PARAMETER;
	return 0;
}

/* What is behind the '?' of a path says what the key is used for. */
static int take_context(struct kvd_request *req, size_t *ret_len)
{
	char *mark = memchr(req->path, '?', req->msg.len[1]);
	char name[16], value[KVAULT_PATH_MAX];
	size_t i;
	int r;

	*ret_len = req->msg.len[1];
	if (!mark || req->msg.op != KVAULT_PURPOSE_HANDLE)
		return 0;
	*ret_len = (size_t)(mark - req->path);
	req->query = strdup(mark + 1);
	req->context = json_object();
	if (!req->query || !req->context)
		return -ENOMEM;
	for (i = 0; (r = kvd_request_query_nth(req, i, name, sizeof(name), value,
					       sizeof(value))) > 0; i++) {
		r = take_pair(req, name, value);
		if (r)
			break;
	}
	return r == -EINVAL || r == -EMSGSIZE ? KVD_E_BAD_PARAMETER : r;
}

static int find(struct kvd_request *req, struct kvd_version *v)
{
	const struct kvault_access *a = &req->access;
	bool short_form = req->msg.op == KVAULT_PURPOSE_KEYRING;
	struct kvd_address at;
	size_t len;
	int r;

	r = take_context(req, &len);
	if (r)
		return kvd_fail(req, r, "The context is no list of NAME=VALUE");

	if (!kvd_id_is_zero(a->version) || !kvd_id_is_zero(a->key)) {
		r = kvd_store_version_by_id(req->st, req->msg.tenant, a->key, a->version, v);
		if (!r && v->deleted)
			return kvd_fail(req, KVD_E_KEY_DISABLED, "Key %s is deleted", v->name);
	} else {
		if (kvd_address_parse(req->path, len, short_form, &at) ||
		    at.type != KVAULT_TYPE_KEY)
			return kvd_fail(req, KVD_E_KEY_NOT_FOUND, "This is not a key's address");
		snprintf(req->object, sizeof(req->object), "%s/keys/%s", at.vault, at.name);
		r = kvd_store_version_find(req->st, req->msg.tenant, at.vault, at.type, at.name,
					   at.has_version ? at.version : NULL, v);
	}
	if (!r && v->type != KVAULT_TYPE_KEY)
		r = KVD_E_KEY_NOT_FOUND;
	if (r == KVD_E_KEY_NOT_FOUND)
		return kvd_fail(req, r, "There is no such key");
	if (!r)
		kvd_audit_object(req->object, v);
	return r;
}

/* Outside nbf..exp a key still undoes what it did before (spec.md 2.4). */
static int check_time(struct kvd_request *req, const struct kvd_version *v, uint32_t *ops)
{
	uint64_t now = (uint64_t)req->ctx->now;
	int r = 0;

	if (v->nbf && now < v->nbf)
		r = KVD_E_KEY_NOT_YET_VALID;
	else if (v->exp && now >= v->exp)
		r = KVD_E_KEY_EXPIRED;
	if (!r)
		return 0;
	if (!(*ops & KVD_OPS_WHEN_EXPIRED) ||
	    (req->access.ops & ~(uint32_t)KVD_OPS_WHEN_EXPIRED))
		return kvd_fail(req, r, "Key %s is %s", v->name, r == KVD_E_KEY_EXPIRED ?
				"expired" : "not valid yet");
	/* The rest is granted, and the kernel refuses it while the time is not right. */
	return 0;
}

/* A volume is opened by who may set up device-mapper, under a grant made before. */
static int check_volume(struct kvd_request *req, const struct kvd_version *v)
{
	struct kvd_volume_grant g;
	int r;

	r = kvd_store_volume_grant_find(req->st, req->msg.tenant, req->access.grant, &g);
	if (r < 0)
		return r;
	if (r || memcmp(&g.object, &v->object, sizeof(g.object)) ||
	    memcmp(&g.version, &v->id, sizeof(g.version)))
		return kvd_fail(req, KVD_E_KEY_NOT_FOUND, "There is no such token");
	memcpy(req->grant.token_hash, g.nonce_hash, sizeof(g.nonce_hash));
	return 0;
}

static bool is_volume(const struct kvd_request *req)
{
	return req->msg.op == KVAULT_PURPOSE_VOLUME ||
	       (req->msg.op == KVAULT_PURPOSE_RENEW &&
		req->access.purpose == KVAULT_PURPOSE_VOLUME);
}

static int decide(struct kvd_request *req, const struct kvd_version *v, uint32_t *ops)
{
	uint64_t may = 0;
	int r;

	if (is_volume(req)) {
		r = check_volume(req, v);
		may = KVAULT_OP_VOLUME;
	} else {
		r = kvd_access_actions(req->st, req->msg.tenant, &req->who,
				       &(struct kvd_place){ v->vault_name, v->type, v->name },
				       &may);
	}
	if (r)
		return r;
	may &= KVAULT_OP_ALL;
	if (!may || (req->access.ops & ~may))
		return kvd_fail(req, KVD_E_FORBIDDEN, "No role of yours allows %s on /%s/keys/%s",
				kvd_action_name(req->access.ops ? req->access.ops & ~may :
						v->ops), v->vault_name, v->name);
	if (!(v->flags & KVAULT_KEY_ENABLED))
		return kvd_fail(req, KVD_E_KEY_DISABLED, "Key %s is disabled", v->name);
	*ops = (uint32_t)may & v->ops;
	if (!*ops || (req->access.ops & ~*ops))
		return kvd_fail(req, KVD_E_KEY_OPERATION, "key_ops of %s do not allow this",
				v->name);
	r = check_time(req, v, ops);
	if (!r && req->access.ops)
		*ops = req->access.ops;
	return r;
}

static int fill(struct kvd_request *req, struct kvd_version *v, uint32_t ops,
		const struct kvd_lease *l)
{
	_cleanup_json_ json_t *jwk = kvd_keyjson_key(req->ctx, v);
	struct kvault_grant *g = &req->grant;

	req->public_jwk = jwk ? kvd_json_canonical(jwk) : NULL;
	if (!req->public_jwk)
		return -ENOMEM;
	if (strlen(req->public_jwk) > KVAULT_PUBLIC_MAX)
		return -EMSGSIZE;
	g->size = sizeof(*g);
	g->ops = ops;
	g->revision = v->revision;
	memcpy(g->lease, l->id.b, sizeof(g->lease));
	g->lease_ops = (uint32_t)l->ops;
	g->lease_ms = l->ops ? KVD_LEASE_MS : 0;
	kvd_keyjson_binding(req->ctx, req->msg.tenant, v, &g->binding);
	req->blob = TAKE_PTR(v->blob);
	req->blob_len = v->blob_len;
	return 0;
}

/* It counts as open from here on; a question that comes again is the same volume. */
static int note_volume(struct kvd_request *req, const struct kvd_version *v)
{
	_cleanup_free_ char *reply = NULL;
	int status, r;

	r = kvd_store_request_find(req->st, req->msg.tenant, req->msg.request_id, &status, &reply);
	if (!r)
		req->is_quiet = true;
	if (r != KVD_E_NOT_FOUND)
		return r;
	r = kvd_store_request_add(req->st, req->msg.tenant, req->msg.request_id, 0, "",
				  req->ctx->now);
	return r ? r : kvd_store_version_note_volume(req->st, req->msg.tenant, v->id.b, true,
						     req->ctx->now);
}

int kvd_api_access(struct kvd_request *req)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_(kvd_lease_done) struct kvd_lease l = { 0 };
	uint32_t ops = 0;
	int r;

	req->operation = is_volume(req) ? "VolumeOpen" : "KeyOpen";
	r = find(req, &v);
	if (!r)
		r = decide(req, &v, &ops);
	/* A standing grant needs no lease: it holds until it is closed or taken away. */
	if (!r && !is_volume(req))
		r = kvd_lease_make(req->ctx, req->st, req->msg.tenant, &v, req->who.caller, &ops,
				   &l);
	if (!r && req->msg.op == KVAULT_PURPOSE_VOLUME)
		r = note_volume(req, &v);
	if (r)
		return r;
	if (!ops)
		return kvd_fail(req, KVD_E_KEY_EXHAUSTED,
				"Key %s has used up its initialisation vectors: make a new version",
				v.name);
	if (l.ops)
		req->operation = "LeaseStart";
	return fill(req, &v, ops, &l);
}
