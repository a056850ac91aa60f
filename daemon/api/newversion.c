// SPDX-License-Identifier: GPL-2.0-only
/* New versions of keys and secrets: where they belong, and into the store. */
#include "api/keyjson.h"
#include "core/rotation.h"

static int check_room(struct kvd_request *req)
{
	uint64_t max = req->msg.tenant_kind == KVAULT_TENANT_HOST ? KVD_VERSIONS_MAX_HOST :
								   KVD_VERSIONS_MAX_EPHEMERAL;
	uint64_t have = 0;
	int r;

	r = kvd_store_object_count(req->st, req->msg.tenant, &have);
	if (r)
		return r;
	if (have >= max)
		return kvd_fail(req, KVD_E_THROTTLED,
				"This tenant has its %llu versions of keys and secrets",
				(unsigned long long)max);
	return 0;
}

int kvd_new_check_name(struct kvd_request *req, const struct kvd_object *o)
{
#ifdef KVAULT_MUTANT_DELETED_NAME
	return 0;
#endif
	if (!o->deleted)
		return 0;
	return kvd_fail(req, KVD_E_DELETED, "A %s of the name %s is deleted and can be recovered",
			kvd_type_noun(req->type), o->name);
}

int kvd_new_place(struct kvd_request *req, struct kvd_vault *vault, struct kvd_version *v,
		  bool *ret_is_new)
{
	struct kvd_object o = { 0 };
	bool is_new = false;
	int r;

	r = kvd_keyjson_vault(req, vault);
	if (!r)
		r = check_room(req);
	if (r)
		return r;
	if ((v->flags & KVAULT_KEY_HSM) && !vault->is_premium)
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"Vault %s is standard: HSM keys need one with sku premium",
				vault->name);
	r = kvd_store_object_find(req->st, req->msg.tenant, &vault->id, v->type, req->seg[3], &o);
	if (r == KVD_E_KEY_NOT_FOUND) {
		is_new = true;
		snprintf(o.name, sizeof(o.name), "%s", req->seg[3]);
		r = kvd_id_new(&o.id);
	}
	if (!r)
		r = kvd_new_check_name(req, &o);
	if (!r)
		r = kvd_id_new(&v->id);
	if (r)
		return r;
	v->vault = vault->id;
	v->object = o.id;
	snprintf(v->vault_name, sizeof(v->vault_name), "%s", vault->name);
	snprintf(v->name, sizeof(v->name), "%s", o.name);
	v->created = req->ctx->now;
	v->updated = req->ctx->now;
	*ret_is_new = is_new;
	return 0;
}

int kvd_new_keep(struct kvd_request *req, const struct kvd_vault *vault, struct kvd_version *v,
		 bool is_new)
{
	struct kvd_object o = { .id = v->object, .type = v->type };
	int r = 0;

	if (is_new) {
		snprintf(o.name, sizeof(o.name), "%s", v->name);
		r = kvd_store_object_add(req->st, req->msg.tenant, &vault->id, &o, v->created);
	}
	if (r == KVD_E_CONFLICT)
		return kvd_fail(req, r, "The %s %s was made by somebody else meanwhile: try again",
				kvd_type_noun(v->type), v->name);
	if (!r)
		r = kvd_store_revision_next(req->st, &v->revision);
	if (!r)
		r = kvd_store_version_add(req->st, req->msg.tenant, v);
	if (!r)
		r = kvd_rotation_plan(req->st, req->msg.tenant, v);
	if (r)
		return r;
	kvd_audit_object(req->object, v);
	req->reply = kvd_keyjson_bundle(req->ctx, vault, v);
	return req->reply ? 0 : -ENOMEM;
}
