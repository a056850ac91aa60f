// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who uses a key right now: the leases that have not ended, by version and
 * principal, and the volumes that are open.
 */
#include "api/keyjson.h"
#include "util/hex.h"

struct users {
	struct kvd_request *req;
	json_t *leases, *versions;
	size_t len;			/* of the address in req->object */
	uint64_t volumes;
};

static int add_lease(const struct kvd_lease *l, void *data)
{
	struct users *u = data;
	char hex[2 * KVAULT_ID_SIZE + 1];
	json_t *j;

	/* "VAULT/keys/NAME/VERSION" */
	if (strncmp(l->object, u->req->object, u->len) || l->object[u->len] != '/')
		return 0;
	kvd_hex_encode(hex, l->version.b, sizeof(l->version.b));
	j = json_pack("{s:s, s:o, s:I}", "version", hex, "principal", json_loads(l->who, 0, NULL),
		      "since", (json_int_t)l->created);
	return json_array_append_new(u->leases, j) ? -ENOMEM : 0;
}

static int add_version(const struct kvd_version *v, void *data)
{
	struct users *u = data;
	char hex[2 * KVAULT_ID_SIZE + 1];
	json_t *j;

	u->volumes += v->volumes;
	if (!v->used)
		return 0;
	kvd_hex_encode(hex, v->id.b, sizeof(v->id.b));
	j = json_pack("{s:s, s:I, s:I}", "version", hex, "lastUsed", (json_int_t)v->used,
		      "volumes", (json_int_t)v->volumes);
	return json_array_append_new(u->versions, j) ? -ENOMEM : 0;
}

int kvd_api_users(struct kvd_request *req)
{
	_cleanup_json_ json_t *leases = json_array(), *versions = json_array();
	struct users u = { .req = req, .leases = leases, .versions = versions };
	_cleanup_version_ struct kvd_version v = { 0 };
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r)
		r = kvd_api_object_name(req, req->seg[3]);
	if (!r)
		r = kvd_api_may(req, req->seg[1], req->seg[3], KVD_MAY_READ);
	if (r)
		return r;
	r = kvd_store_version_find(req->st, req->msg.tenant, req->seg[1], req->type, req->seg[3],
				   NULL, &v);
	if (r)
		return r == KVD_E_KEY_NOT_FOUND ? kvd_keyjson_not_found(req) : r;
	u.len = (size_t)snprintf(req->object, sizeof(req->object), "%s/keys/%s", v.vault_name,
				 v.name);
	r = kvd_store_lease_each(req->st, req->msg.tenant, add_lease, &u);
	if (!r)
		r = kvd_store_version_each(req->st, req->msg.tenant, v.vault_name, req->type,
					   v.name, 0, UINT32_MAX, add_version, &u);
	if (r)
		return r;
	req->reply = json_pack("{s:O, s:O, s:I}", "leases", leases, "versions", versions,
			       "volumes", (json_int_t)u.volumes);
	return req->reply ? 0 : -ENOMEM;
}
