// SPDX-License-Identifier: GPL-2.0-only
/* Keys and secrets as they are: get, list, versions. */
#include "api/keyjson.h"
#include "api/skip.h"

#define PAGE	25

static int may_read(struct kvd_request *req, const char *name)
{
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r && name)
		r = kvd_api_object_name(req, name);
	return r ? r : kvd_api_may(req, req->seg[1], name, req->type == KVAULT_TYPE_SECRET ?
				   KVD_MAY_SECRET_READ : KVD_MAY_READ);
}

int kvd_api_key_get(struct kvd_request *req)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	int r;

	r = may_read(req, req->seg[3]);
	if (!r)
		r = kvd_keyjson_vault(req, &vault);
	if (!r)
		r = kvd_keyjson_find(req, &v);
	if (r)
		return r;
	kvd_audit_object(req->object, &v);
	req->reply = kvd_keyjson_bundle(req->ctx, &vault, &v);
	return req->reply ? 0 : -ENOMEM;
}

struct list {
	const struct kvd_context *ctx;
	const struct kvd_vault *vault;
	json_t *value;
	bool with_version;
	unsigned int max;
	char token[KVAULT_NAME_MAX + 1];	/* of the last that was listed */
	bool has_more;
};

static int list_one(const struct kvd_version *v, void *data)
{
	struct list *l = data;

	if (json_array_size(l->value) == l->max) {
		l->has_more = true;
		return 0;
	}
	if (l->with_version)
		snprintf(l->token, sizeof(l->token), "%lld", (long long)v->order);
	else
		snprintf(l->token, sizeof(l->token), "%s", v->name);
	return json_array_append_new(l->value, kvd_keyjson_item(l->ctx, l->vault, v,
								l->with_version)) ? -ENOMEM : 0;
}

static int page_of(struct kvd_request *req, struct list *l, const char *where,
		   char token[static KVD_SKIP_TEXT_MAX + 1])
{
	char text[8] = "";
	unsigned long n;
	char *end;
	int r;

	l->max = PAGE;
	r = kvd_request_query(req, "maxresults", text, sizeof(text));
	if (r) {
		n = r < 0 ? 0 : strtoul(text, &end, 10);
		if (!n || n > PAGE || *end)
			return kvd_fail(req, KVD_E_BAD_PARAMETER,
					"'maxresults' is not from 1 to %d", PAGE);
		l->max = (unsigned int)n;
	}
	return kvd_skip_open(req, where, token);
}

static int answer(struct kvd_request *req, struct list *l, const char *where)
{
	_cleanup_free_ char *token = NULL;
	json_t *next = json_null();

	if (l->has_more) {
		token = kvd_skip_seal(req, where, l->token);
		next = token ? json_sprintf("%s?maxresults=%u&%%24skiptoken=%s", where, l->max,
					    token) : NULL;
	}
	req->reply = json_pack("{s:O, s:o}", "value", l->value, "nextLink", next);
	return req->reply ? 0 : -ENOMEM;
}

typedef int each_fn(struct kvd_store *st, const uint8_t *tenant, const char *vault, uint32_t type,
		    const char *after, unsigned int limit, kvd_version_fn *fn, void *data);

static int list(struct kvd_request *req, const char *prefix, each_fn *each)
{
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	_cleanup_json_ json_t *value = json_array();
	struct list l = { .ctx = req->ctx, .vault = &vault, .value = value };
	char after[KVD_SKIP_TEXT_MAX + 1] = "", where[KVAULT_PATH_MAX];
	int r;

	if (!value)
		return -ENOMEM;
	snprintf(where, sizeof(where), "/vaults/%s/%s%s", req->seg[1], prefix,
		 kvd_type_collection(req->type));
	r = may_read(req, NULL);
	if (!r)
		r = page_of(req, &l, where, after);
	if (!r)
		r = kvd_keyjson_vault(req, &vault);
	if (!r)
		r = each(req->st, req->msg.tenant, vault.name, req->type, after, l.max + 1,
			 list_one, &l);
	return r ? r : answer(req, &l, where);
}

int kvd_api_list(struct kvd_request *req)
{
	return list(req, "", kvd_store_object_each);
}

int kvd_api_deleted_list(struct kvd_request *req)
{
	return list(req, "deleted", kvd_store_deleted_each);
}

int kvd_api_versions(struct kvd_request *req)
{
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	_cleanup_json_ json_t *value = json_array();
	struct list l = { .ctx = req->ctx, .vault = &vault, .value = value, .with_version = true };
	char before[KVD_SKIP_TEXT_MAX + 1] = "", where[KVAULT_PATH_MAX];
	int r;

	if (!value)
		return -ENOMEM;
	snprintf(where, sizeof(where), "/vaults/%s/%s/%s/versions", req->seg[1],
		 kvd_type_collection(req->type), req->seg[3]);
	r = may_read(req, req->seg[3]);
	if (!r)
		r = page_of(req, &l, where, before);
	if (!r)
		r = kvd_keyjson_vault(req, &vault);
	if (r)
		return r;
	r = kvd_store_version_each(req->st, req->msg.tenant, vault.name, req->type, req->seg[3],
				   /* NOLINTNEXTLINE(cert-err34-c): we have sealed it */
				   atoll(before), l.max + 1, list_one, &l);
	if (r)
		return r;
	if (!json_array_size(value))
		return kvd_keyjson_not_found(req);
	return answer(req, &l, where);
}
