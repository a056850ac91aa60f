// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deletion, recovery and purge, of keys and secrets alike. What is deleted can
 * be looked at, recovered and purged, and nothing else: its name is taken, and
 * handles and volumes of a key are cut before the deletion is answered. They
 * are only disabled, so that handles work again after a recovery.
 */
#include "api/keyjson.h"

#define DAY	86400

enum step { STEP_READ, STEP_DELETE, STEP_RECOVER, STEP_PURGE };

static uint64_t action_of(const struct kvd_request *req, enum step step)
{
	static const uint64_t of_key[] = { KVD_MAY_READ, KVD_MAY_KEY_DELETE, KVD_MAY_KEY_RECOVER,
					   KVD_MAY_KEY_PURGE };
	static const uint64_t of_secret[] = { KVD_MAY_SECRET_READ, KVD_MAY_SECRET_DELETE,
					      KVD_MAY_SECRET_RECOVER, KVD_MAY_SECRET_PURGE };

	return req->type == KVAULT_TYPE_SECRET ? of_secret[step] : of_key[step];
}

static int begin(struct kvd_request *req, enum step step, struct kvd_vault *vault)
{
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r)
		r = kvd_api_object_name(req, req->seg[3]);
	if (!r)
		r = kvd_api_may(req, req->seg[1], req->seg[3], action_of(req, step));
	return r ? r : kvd_keyjson_vault(req, vault);
}

static int find_deleted(struct kvd_request *req, const struct kvd_vault *vault,
			struct kvd_version *v)
{
	int r;

	r = kvd_store_deleted_find(req->st, req->msg.tenant, vault->name, req->type, req->seg[3],
				   v);
	if (r != KVD_E_KEY_NOT_FOUND)
		return r;
	r = kvd_keyjson_not_found(req);
	return kvd_fail(req, r, "There is no deleted %s %s in vault %s", kvd_type_noun(req->type),
			req->seg[3], vault->name);
}

/* Of all versions: the log has the name alone. */
static void set_object(struct kvd_request *req, const struct kvd_version *v)
{
	snprintf(req->object, sizeof(req->object), "%s/%s/%s", v->vault_name,
		 kvd_type_collection(v->type), v->name);
}

/* Secrets are nothing that the kernel holds. */
static void push(struct kvd_request *req, const struct kvd_version *v, uint32_t state)
{
	if (v->type != KVAULT_TYPE_KEY)
		return;
	req->has_push = true;
	req->push = (struct kvd_push){ .is_object = true, .key = v->object,
				       .revision = v->revision, .state = state };
}

static int answer(struct kvd_request *req, const struct kvd_vault *vault,
		  const struct kvd_version *v)
{
	req->reply = kvd_keyjson_bundle(req->ctx, vault, v);
	return req->reply ? 0 : -ENOMEM;
}

/* Deletes, or recovers with 0 and 0. */
static int set_deleted(struct kvd_request *req, struct kvd_version *v, int64_t deleted,
		       int64_t purge)
{
	int r;

	set_object(req, v);
	r = kvd_store_revision_next(req->st, &v->revision);
	if (!r)
		r = kvd_store_object_set_deleted(req->st, req->msg.tenant, &v->object, deleted,
						 purge, v->revision);
	v->deleted = deleted;
	v->purge = purge;
	return r;
}

int kvd_api_delete(struct kvd_request *req)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	int r;

	r = begin(req, STEP_DELETE, &vault);
	if (!r)
		r = kvd_keyjson_find(req, &v);
	if (!r)
		r = set_deleted(req, &v, req->ctx->now,
				req->ctx->now + (int64_t)vault.retention * DAY);
	if (r)
		return r;
#ifndef KVAULT_MUTANT_DELETE_KEEPS_HANDLES
	push(req, &v, KVAULT_OBJECT_DISABLED);
#endif
	return answer(req, &vault, &v);
}

int kvd_api_deleted_get(struct kvd_request *req)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	int r;

	r = begin(req, STEP_READ, &vault);
	if (!r)
		r = find_deleted(req, &vault, &v);
	if (r)
		return r;
	set_object(req, &v);
	return answer(req, &vault, &v);
}

int kvd_api_recover(struct kvd_request *req)
{
	static const char *const known[] = { NULL };
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	int r;

	r = begin(req, STEP_RECOVER, &vault);
	if (!r)
		r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = find_deleted(req, &vault, &v);
	if (!r)
		r = set_deleted(req, &v, 0, 0);
	if (r)
		return r;
	/* Versions that are disabled by themselves stay so: the next grant is refused. */
	push(req, &v, KVAULT_OBJECT_LIVE);
	return answer(req, &vault, &v);
}

int kvd_api_purge(struct kvd_request *req)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	int r;

	r = begin(req, STEP_PURGE, &vault);
	if (!r)
		r = find_deleted(req, &vault, &v);
	if (r)
		return r;
	set_object(req, &v);
#ifndef KVAULT_MUTANT_NO_PURGE_PROTECTION
	if (vault.has_purge_protection)
		return kvd_fail(req, KVD_E_PURGE_PROTECTED,
				"Vault %s is protected from purging: %s is destroyed when its time "
				"is over, and not before", vault.name, v.name);
#endif
	r = kvd_store_revision_next(req->st, &v.revision);
	if (!r)
		r = kvd_store_object_drop(req->st, req->msg.tenant, &v);
	if (r)
		return r;
	push(req, &v, KVAULT_OBJECT_GONE);
	req->status = 204;
	req->reply = json_object();
	return req->reply ? 0 : -ENOMEM;
}
