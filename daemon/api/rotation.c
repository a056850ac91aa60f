// SPDX-License-Identifier: GPL-2.0-only
/* /vaults/V/keys/K/rotationpolicy: spec.md 2.6 */
#include "api/keyjson.h"
#include "core/rotation.h"

static int find(struct kvd_request *req, uint64_t action, struct kvd_version *v)
{
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r)
		r = kvd_api_object_name(req, req->seg[3]);
	if (!r)
		r = kvd_api_may(req, req->seg[1], req->seg[3], action);
	if (!r)
		r = kvd_store_version_find(req->st, req->msg.tenant, req->seg[1], req->type,
					   req->seg[3], NULL, v);
	return r == KVD_E_KEY_NOT_FOUND ? kvd_keyjson_not_found(req) : r;
}

static int add_times(json_t *j, const struct kvd_rotation *row)
{
	json_t *attributes = json_object_get(j, "attributes"), *next = json_object();
	int r = 0;

	r |= kvd_json_set(attributes, "created", json_integer(row->created));
	r |= kvd_json_set(attributes, "updated", json_integer(row->updated));
	if (row->rotate)
		r |= kvd_json_set(next, "rotate", json_integer(row->rotate));
	if (row->notify)
		r |= kvd_json_set(next, "notify", json_integer(row->notify));
	return r | kvd_json_set(j, "next", next);
}

/*
 * A key without a policy has an empty one: the cloud service answers one that
 * notifies 30 days before, which would be said here and not done.
 */
static int answer(struct kvd_request *req, const struct kvd_version *v)
{
	_cleanup_(kvd_rotation_done) struct kvd_rotation row = { 0 };
	const struct kvd_policy none = { 0 };
	_cleanup_json_ json_t *j = NULL;
	int r;

	r = kvd_store_rotation_get(req->st, req->msg.tenant, &v->object, &row);
	if (r < 0)
		return r;
	j = r ? kvd_policy_json(&none) : json_loads(row.json, 0, NULL);
	if (!j || (!r && add_times(j, &row)) ||
	    kvd_json_set(j, "id", json_sprintf("https://%s.%s/keys/%s/rotationpolicy",
					       v->vault_name, req->ctx->suffix, v->name)))
		return -ENOMEM;
	req->reply = TAKE_PTR(j);
	return 0;
}

int kvd_api_policy_get(struct kvd_request *req)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	int r;

	r = find(req, KVD_MAY_READ, &v);
	return r ? r : answer(req, &v);
}

static int keep(struct kvd_request *req, const struct kvd_version *v, const struct kvd_policy *p)
{
	_cleanup_json_ json_t *j = kvd_policy_json(p);
	_cleanup_free_ char *text = j ? kvd_json_canonical(j) : NULL;
	int r;

	if (!text)
		return -ENOMEM;
	if (kvd_policy_is_empty(p))
		return kvd_store_rotation_drop(req->st, req->msg.tenant, &v->object);
	r = kvd_store_rotation_set(req->st, req->msg.tenant, &v->object, text, req->ctx->now);
	return r ? r : kvd_rotation_plan(req->st, req->msg.tenant, v);
}

int kvd_api_policy_set(struct kvd_request *req)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	struct kvd_policy p;
	int r;

	r = find(req, KVD_MAY_KEY_ROTATE, &v);
	if (!r)
		r = kvd_policy_parse(req->body, v.exp, &p, &req->why);
	if (!r)
		r = keep(req, &v, &p);
	return r ? r : answer(req, &v);
}
