// SPDX-License-Identifier: GPL-2.0-only
/* /vaults */
#include "api/api.h"
#include "api/skip.h"

#define RETENTION_DEFAULT	90

static json_t *vault_json(const struct kvd_vault *v)
{
	_cleanup_json_ json_t *tags = json_loads(v->tags, 0, NULL);

	if (!tags)
		return NULL;
	return json_pack("{s:s+, s:s, s:{s:s, s:i, s:b}, s:O, s:I}", "id", "/", v->name, "name",
			 v->name, "properties", "sku", v->is_premium ? "premium" : "standard",
			 "softDeleteRetentionInDays", (int)v->retention, "enablePurgeProtection",
			 v->has_purge_protection, "tags", tags, "created",
			 (json_int_t)v->created);
}

static int parse_properties(struct kvd_request *req, struct kvd_vault *v)
{
	static const char *const known[] = { "sku", "softDeleteRetentionInDays",
					     "enablePurgeProtection", NULL };
	const char *sku = "standard";
	uint64_t retention = RETENTION_DEFAULT;
	json_t *p = NULL;
	int r;

	r = kvd_json_obj(req->body, "properties", &p, &req->why);
	if (!r && p)
		r = kvd_json_only(p, known, "properties", &req->why);
	if (!r && p)
		r = kvd_json_str(p, "sku", &sku, &req->why);
	if (!r && p)
		r = kvd_json_uint(p, "softDeleteRetentionInDays", 90, &retention, &req->why);
	if (!r && p)
		r = kvd_json_bool(p, "enablePurgeProtection", &v->has_purge_protection, &req->why);
	if (r)
		return r;
	if (strcmp(sku, "standard") && strcmp(sku, "premium"))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'sku' is neither standard nor premium");
	if (retention < 7)
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"'softDeleteRetentionInDays' is not from 7 to 90");
	v->is_premium = !strcmp(sku, "premium");
	v->retention = (uint32_t)retention;
	return 0;
}

static int parse_vault(struct kvd_request *req, struct kvd_vault *v)
{
	static const char *const known[] = { "properties", "tags", NULL };
	_cleanup_json_ json_t *none = json_object();
	json_t *tags = none;
	int r;

	r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = parse_properties(req, v);
	if (!r)
		r = kvd_json_obj(req->body, "tags", &tags, &req->why);
	if (!r && tags)
		r = kvd_json_check_tags(tags, &req->why);
	if (r)
		return r;
	v->tags = tags ? kvd_json_canonical(tags) : NULL;
	return v->tags ? 0 : -ENOMEM;
}

static bool is_same(const struct kvd_vault *a, const struct kvd_vault *b)
{
	return a->is_premium == b->is_premium && a->retention == b->retention &&
	       a->has_purge_protection == b->has_purge_protection && !strcmp(a->tags, b->tags);
}

static int answer(struct kvd_request *req, const struct kvd_vault *v, int status)
{
	req->reply = vault_json(v);
	req->status = status;
	return req->reply ? 0 : -ENOMEM;
}

int kvd_api_vault_put(struct kvd_request *req)
{
	_cleanup_vault_ struct kvd_vault v = { 0 }, old = { 0 };
	const char *name = req->seg[1];
	int r;

	r = kvd_api_vault_name(req, name);
	if (!r)
		r = kvd_api_may(req, name, NULL, KVD_MAY_VAULT_WRITE);
	if (!r)
		r = parse_vault(req, &v);
	if (r)
		return r;
	r = kvd_store_vault_find(req->st, req->msg.tenant, name, &old);
	if (r < 0)
		return r;
	if (!r) {
		if (!is_same(&v, &old))
			return kvd_fail(req, KVD_E_CONFLICT,
					"Vault %s exists with other properties", old.name);
		req->is_unchanged = true;
		return answer(req, &old, 200);
	}
	snprintf(v.name, sizeof(v.name), "%s", name);
	v.created = req->ctx->now;
	r = kvd_id_new(&v.id);
	if (!r)
		r = kvd_store_vault_add(req->st, req->msg.tenant, &v);
	return r ? r : answer(req, &v, 201);
}

int kvd_api_vault_get(struct kvd_request *req)
{
	_cleanup_vault_ struct kvd_vault v = { 0 };
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r)
		r = kvd_api_may(req, req->seg[1], NULL, KVD_MAY_VAULT_READ);
	if (r)
		return r;
	r = kvd_store_vault_find(req->st, req->msg.tenant, req->seg[1], &v);
	if (r == KVD_E_VAULT_NOT_FOUND)
		return kvd_fail(req, r, "There is no vault %s", req->seg[1]);
	return r ? r : answer(req, &v, 200);
}

struct list {
	struct kvd_request *req;
	json_t *value;
	unsigned int seen;
	char last[KVD_VAULT_NAME_MAX + 1];
};

#define PAGE	25

static int list_one(const struct kvd_vault *v, void *data)
{
	struct list *l = data;
	uint64_t may = 0;
	int r;

	l->seen++;
	snprintf(l->last, sizeof(l->last), "%s", v->name);
	r = kvd_access_actions(l->req->st, l->req->msg.tenant, &l->req->who,
			       &(struct kvd_place){ .vault = v->name }, &may);
	if (r < 0)
		return r;
	if (!(may & KVD_MAY_VAULT_READ))
		return 0;
	return json_array_append_new(l->value, vault_json(v)) ? -ENOMEM : 0;
}

/* What the caller may see of it; nobody is refused an empty list. */
int kvd_api_vault_list(struct kvd_request *req)
{
	_cleanup_json_ json_t *value = json_array();
	struct list l = { .req = req, .value = value };
	_cleanup_free_ char *token = NULL;
	char after[KVD_SKIP_TEXT_MAX + 1];
	json_t *next = json_null();
	int r;

	if (!value)
		return -ENOMEM;
	r = kvd_skip_open(req, "/vaults", after);
	if (!r)
		r = kvd_store_vault_each(req->st, req->msg.tenant, after, PAGE, list_one, &l);
	if (r)
		return r;
	req->is_empty = !json_array_size(value);
	if (l.seen == PAGE) {
		token = kvd_skip_seal(req, "/vaults", l.last);
		next = token ? json_sprintf("/vaults?%%24skiptoken=%s", token) : NULL;
	}
	req->reply = json_pack("{s:O, s:o}", "value", value, "nextLink", next);
	return req->reply ? 0 : -ENOMEM;
}
