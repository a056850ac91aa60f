// SPDX-License-Identifier: GPL-2.0-only
/* /roleAssignments: who may do what; a change makes every grant be asked for again. */
#include <strings.h>

#include "api/api.h"

static bool is_guid(const char *text)
{
	size_t i;

	if (strlen(text) != KVD_GUID_SIZE - 1)
		return false;
	for (i = 0; text[i]; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	}
	return true;
}

/* Where an assignment takes effect, as the rights to make it are asked for there. */
static int may_at(struct kvd_request *req, const char *scope, uint64_t action)
{
	struct kvd_address a;
	char vault[KVD_VAULT_NAME_MAX + 1];

	if (!scope[1])
		return kvd_api_may(req, NULL, NULL, action);
	if (!kvd_address_parse(scope + 1, strlen(scope + 1), false, &a))
		return kvd_access_check(req->st, req->msg.tenant, &req->who,
					&(struct kvd_place){ a.vault, a.type, a.name }, action,
					&req->why);
	snprintf(vault, sizeof(vault), "%s", scope + 1);
	return kvd_api_may(req, vault, NULL, action);
}

static json_t *assignment_json(const struct kvd_assignment *a)
{
	return json_pack("{s:s+, s:s, s:s, s:{s:s, s:s, s:s}}", "id", "/roleAssignments/", a->id,
			 "name", a->id, "type", "Microsoft.Authorization/roleAssignments",
			 "properties", "scope", a->scope, "roleDefinitionId", a->role,
			 "principalId", a->principal);
}

static int raise_policy(struct kvd_request *req)
{
	uint64_t revision = 0;
	int r;

	r = kvd_store_revision_next(req->st, &revision);
	if (!r)
		r = kvd_store_tenant_set_policy(req->st, req->msg.tenant, revision);
	if (r)
		return r;
	req->policy = revision;
	req->has_push = true;
	req->push = (struct kvd_push){ .revision = revision };
	return 0;
}

static int parse(struct kvd_request *req, struct kvd_assignment *a)
{
	static const char *const top[] = { "properties", NULL };
	static const char *const known[] = { "scope", "roleDefinitionId", "principalId", NULL };
	const char *scope = NULL, *role = NULL, *principal = NULL;
	json_t *p = NULL;
	int r;

	r = kvd_json_only(req->body, top, "the body", &req->why);
	if (!r)
		r = kvd_json_obj(req->body, "properties", &p, &req->why);
	if (!r && !p)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'properties' is missing");
	if (!r)
		r = kvd_json_only(p, known, "properties", &req->why);
	if (!r)
		r = kvd_json_str(p, "scope", &scope, &req->why);
	if (!r)
		r = kvd_json_str(p, "roleDefinitionId", &role, &req->why);
	if (!r)
		r = kvd_json_str(p, "principalId", &principal, &req->why);
	if (r)
		return r;
	if (!scope || !kvd_scope_is_valid(scope))
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"'scope' is not one of /, /VAULT, /VAULT/keys/NAME");
	if (role && strrchr(role, '/'))
		role = strrchr(role, '/') + 1;	/* Azure's long form ends in the GUID */
	role = role ? kvd_role_slug(role) : NULL;
	if (!role)
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"'roleDefinitionId' is not a built-in role");
	if (!principal || !kvd_principal_parse(principal, a->principal, sizeof(a->principal)))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'principalId' is not uid:N or gid:N");
	snprintf(a->scope, sizeof(a->scope), "%s", scope);
	snprintf(a->role, sizeof(a->role), "%s", role);
	return 0;
}

static int answer(struct kvd_request *req, const struct kvd_assignment *a, int status)
{
	req->status = status;
	req->reply = assignment_json(a);
	return req->reply ? 0 : -ENOMEM;
}

int kvd_api_role_put(struct kvd_request *req)
{
	struct kvd_assignment a = { .created = req->ctx->now }, old;
	int r;

	if (!is_guid(req->seg[1]))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "The name of an assignment is a GUID");
	snprintf(a.id, sizeof(a.id), "%s", req->seg[1]);
	r = parse(req, &a);
	if (!r)
		r = may_at(req, a.scope, KVD_MAY_ROLE_WRITE);
	if (r)
		return r;
	r = kvd_store_role_find(req->st, req->msg.tenant, a.id, &old);
	if (r < 0)
		return r;
	if (!r) {
		if (strcmp(old.scope, a.scope) || strcmp(old.role, a.role) ||
		    strcmp(old.principal, a.principal))
			return kvd_fail(req, KVD_E_CONFLICT,
					"This assignment exists and says something else");
		req->is_unchanged = true;
		return answer(req, &old, 200);
	}
	r = kvd_store_role_set(req->st, req->msg.tenant, &a);
	if (!r)
		r = raise_policy(req);
	return r ? r : answer(req, &a, 201);
}

static int find(struct kvd_request *req, uint64_t action, struct kvd_assignment *a)
{
	int r;

	r = kvd_store_role_find(req->st, req->msg.tenant, req->seg[1], a);
	if (r < 0)
		return r;
	if (r) {
		int denied = kvd_api_may(req, NULL, NULL, action);

		return denied ? denied : kvd_fail(req, r, "There is no such assignment");
	}
	return may_at(req, a->scope, action);
}

int kvd_api_role_get(struct kvd_request *req)
{
	struct kvd_assignment a;
	int r;

	r = find(req, KVD_MAY_ROLE_READ, &a);
	return r ? r : answer(req, &a, 200);
}

int kvd_api_role_delete(struct kvd_request *req)
{
	struct kvd_assignment a;
	int r;

	r = find(req, KVD_MAY_ROLE_WRITE, &a);
	if (!r)
		r = kvd_store_role_drop(req->st, req->msg.tenant, a.id);
	if (!r)
		r = raise_policy(req);
	return r ? r : answer(req, &a, 200);
}

static int list_one(const struct kvd_assignment *a, void *data)
{
	return json_array_append_new(data, assignment_json(a)) ? -ENOMEM : 0;
}

/* The whole list, for who may see all of it. */
int kvd_api_role_list(struct kvd_request *req)
{
	_cleanup_json_ json_t *value = json_array();
	int r;

	r = kvd_api_may(req, NULL, NULL, KVD_MAY_ROLE_READ);
	if (!r)
		r = value ? kvd_store_role_each(req->st, req->msg.tenant, list_one, value) :
			    -ENOMEM;
	if (r)
		return r;
	req->reply = json_pack("{s:O, s:n}", "value", value, "nextLink");
	return req->reply ? 0 : -ENOMEM;
}
