// SPDX-License-Identifier: GPL-2.0-only
/* The table of control operations, and what all of them have in common. */
#include <strings.h>

#include "api/api.h"
#include "core/keyrule.h"
#include "util/hex.h"

static const struct {
	uint32_t method;
	const char *pattern;	/* '*' is one part of the path */
	const char *operation;	/* spec.md 8 */
	int (*fn)(struct kvd_request *req);
	bool is_quiet;		/* recorded only when it is refused */
	bool takes_secret;
} routes[] = {
	{ KVAULT_METHOD_GET, "status", "StatusGet", kvd_api_status, true, false },
	{ KVAULT_METHOD_GET, "whoami", "WhoAmI", kvd_api_whoami, true, false },
	{ KVAULT_METHOD_PUT, "vaults/*", "VaultPut", kvd_api_vault_put, false, false },
	{ KVAULT_METHOD_GET, "vaults/*", "VaultGet", kvd_api_vault_get, false, false },
	{ KVAULT_METHOD_GET, "vaults", "VaultList", kvd_api_vault_list, false, false },
	{ KVAULT_METHOD_POST, "vaults/*/keys/*/create", "KeyCreate", kvd_api_key_create, false,
	  false },
	{ KVAULT_METHOD_PUT, "vaults/*/keys/*", "KeyImport", kvd_api_key_import, false, true },
	{ KVAULT_METHOD_GET, "vaults/*/keys", "KeyList", kvd_api_list, false, false },
	{ KVAULT_METHOD_GET, "vaults/*/keys/*/versions", "KeyListVersions", kvd_api_versions,
	  false, false },
	{ KVAULT_METHOD_GET, "vaults/*/keys/*/users", "KeyUsers", kvd_api_users, false, false },
	{ KVAULT_METHOD_GET, "vaults/*/keys/*/rotationpolicy", "KeyRotationPolicyGet",
	  kvd_api_policy_get, false, false },
	{ KVAULT_METHOD_PUT, "vaults/*/keys/*/rotationpolicy", "KeyRotationPolicySet",
	  kvd_api_policy_set, false, false },
	{ KVAULT_METHOD_GET, "vaults/*/keys/*", "KeyGet", kvd_api_key_get, false, false },
	{ KVAULT_METHOD_GET, "vaults/*/keys/*/*", "KeyGet", kvd_api_key_get, false, false },
	{ KVAULT_METHOD_PATCH, "vaults/*/keys/*", "KeyUpdate", kvd_api_patch, false, false },
	{ KVAULT_METHOD_PATCH, "vaults/*/keys/*/*", "KeyUpdate", kvd_api_patch, false, false },
	{ KVAULT_METHOD_POST, "vaults/*/keys/*/rotate", "KeyRotate", kvd_api_key_rotate, false,
	  false },
	{ KVAULT_METHOD_POST, "vaults/*/keys/*/token", "KeyToken", kvd_api_key_token, false,
	  false },
	{ KVAULT_METHOD_POST, "vaults/*/keys/*/*/token", "KeyToken", kvd_api_key_token, false,
	  false },
	{ KVAULT_METHOD_DELETE, "vaults/*/keys/*", "KeyDelete", kvd_api_delete, false, false },
	{ KVAULT_METHOD_GET, "vaults/*/deletedkeys", "KeyListDeleted", kvd_api_deleted_list, false,
	  false },
	{ KVAULT_METHOD_GET, "vaults/*/deletedkeys/*", "KeyGetDeleted", kvd_api_deleted_get, false,
	  false },
	{ KVAULT_METHOD_POST, "vaults/*/deletedkeys/*/recover", "KeyRecover", kvd_api_recover,
	  false, false },
	{ KVAULT_METHOD_DELETE, "vaults/*/deletedkeys/*", "KeyPurge", kvd_api_purge, false, false },
	{ KVAULT_METHOD_PUT, "vaults/*/secrets/*", "SecretSet", kvd_api_secret_set, false, true },
	{ KVAULT_METHOD_GET, "vaults/*/secrets", "SecretList", kvd_api_list, false, false },
	{ KVAULT_METHOD_GET, "vaults/*/secrets/*/versions", "SecretListVersions",
	  kvd_api_versions, false, false },
	{ KVAULT_METHOD_GET, "vaults/*/secrets/*", "SecretGet", kvd_api_secret_get, false, false },
	{ KVAULT_METHOD_GET, "vaults/*/secrets/*/*", "SecretGet", kvd_api_secret_get, false,
	  false },
	{ KVAULT_METHOD_PATCH, "vaults/*/secrets/*", "SecretUpdate", kvd_api_patch, false, false },
	{ KVAULT_METHOD_PATCH, "vaults/*/secrets/*/*", "SecretUpdate", kvd_api_patch, false,
	  false },
	{ KVAULT_METHOD_DELETE, "vaults/*/secrets/*", "SecretDelete", kvd_api_delete, false,
	  false },
	{ KVAULT_METHOD_GET, "vaults/*/deletedsecrets", "SecretListDeleted", kvd_api_deleted_list,
	  false, false },
	{ KVAULT_METHOD_GET, "vaults/*/deletedsecrets/*", "SecretGetDeleted", kvd_api_deleted_get,
	  false, false },
	{ KVAULT_METHOD_POST, "vaults/*/deletedsecrets/*/recover", "SecretRecover",
	  kvd_api_recover, false, false },
	{ KVAULT_METHOD_DELETE, "vaults/*/deletedsecrets/*", "SecretPurge", kvd_api_purge, false,
	  false },
	{ KVAULT_METHOD_PUT, "roleAssignments/*", "RoleAssignmentPut", kvd_api_role_put, false,
	  false },
	{ KVAULT_METHOD_GET, "roleAssignments/*", "RoleAssignmentGet", kvd_api_role_get, false,
	  false },
	{ KVAULT_METHOD_DELETE, "roleAssignments/*", "RoleAssignmentDelete", kvd_api_role_delete,
	  false, false },
	{ KVAULT_METHOD_GET, "roleAssignments", "RoleAssignmentList", kvd_api_role_list, false,
	  false },
	/* Reading the log does not make it longer. */
	{ KVAULT_METHOD_GET, "audit", "AuditGet", kvd_api_audit_list, true, false },
	{ KVAULT_METHOD_GET, "audit/key", "AuditKeyGet", kvd_api_audit_key, true, false },
	{ KVAULT_METHOD_POST, "audit/accept", "AuditAccept", kvd_api_audit_accept, false, false },
	{ KVAULT_METHOD_GET, "root", "RootGet", kvd_api_root_get, true, false },
	{ KVAULT_METHOD_POST, "root/recovery", "RootRecoveryCreate", kvd_api_root_recovery, false,
	  true },
};

/* Collections compare without case, as clients write them both ways. */
static bool matches(const struct kvd_request *req, const char *pattern)
{
	size_t i = 0;

	while (*pattern) {
		size_t len = strcspn(pattern, "/");

		if (i == req->n_seg)
			return false;
		if (!(len == 1 && *pattern == '*') &&
		    (strlen(req->seg[i]) != len || strncasecmp(req->seg[i], pattern, len)))
			return false;
		i++;
		pattern += len;
		pattern += *pattern == '/';
	}
	return i == req->n_seg;
}

/* For the log: the path without what makes it a control operation. */
static void set_object(struct kvd_request *req)
{
	size_t i = !strcasecmp(req->seg[0], "vaults") ? 1 : 0, n = 0;

	for (; i < req->n_seg && n < sizeof(req->object) - 1; i++)
		n += (size_t)snprintf(req->object + n, sizeof(req->object) - n, "%s%s",
				      n ? "/" : "", req->seg[i]);
}

static uint32_t type_of(const struct kvd_request *req)
{
	bool is_secret = req->n_seg > 2 && (!strcasecmp(req->seg[2], "secrets") ||
					    !strcasecmp(req->seg[2], "deletedsecrets"));

	return is_secret ? KVAULT_TYPE_SECRET : KVAULT_TYPE_KEY;
}

static int parse_body(struct kvd_request *req)
{
	if (req->msg.op == KVAULT_METHOD_GET || req->msg.op == KVAULT_METHOD_DELETE) {
		if (req->body_len)
			return kvd_fail(req, KVD_E_BAD_PARAMETER, "This operation takes no body");
		return 0;
	}
	if (!req->body_len) {
		req->body = json_object();
		return req->body ? 0 : -ENOMEM;
	}
	return kvd_json_parse(req->body_text, req->body_len, &req->body, &req->why);
}

bool kvd_api_is_accept(const struct kvd_request *req)
{
	return req->msg.op == KVAULT_METHOD_POST && matches(req, "audit/accept");
}

int kvd_api_control(struct kvd_request *req)
{
	bool is_known = false;
	size_t i;
	int r;

	req->operation = "Unknown";
	if (!req->n_seg)
		return kvd_fail(req, KVD_E_NOT_FOUND, "There is no such resource");
	set_object(req);
	req->type = type_of(req);
	for (i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!matches(req, routes[i].pattern))
			continue;
		is_known = true;
		if (routes[i].method != req->msg.op)
			continue;
		req->operation = routes[i].operation;
		req->is_quiet = routes[i].is_quiet;
		if (req->secret_len && !routes[i].takes_secret)
			return kvd_fail(req, KVD_E_BAD_PARAMETER, "This operation takes no secret");
		r = parse_body(req);
		return r ? r : routes[i].fn(req);
	}
	if (is_known)
		return kvd_fail(req, KVD_E_METHOD, "This resource does not know this method");
	return kvd_fail(req, KVD_E_NOT_FOUND, "There is no such resource");
}

json_t *kvd_api_error(const struct kvd_request *req, int r)
{
	static const char no_reason[] =
		"The request could not be carried out; the journal of kvaultd says why";
	const char *why = req->why.text[0] ? req->why.text : no_reason;
	const struct kvd_error *e = kvd_error_of(r);
	char id[2 * KVAULT_ID_SIZE + 1];
	json_t *inner = NULL;

	kvd_hex_encode(id, req->msg.request_id, KVAULT_ID_SIZE);
	if (e->inner)
		inner = json_pack("{s:s}", "code", e->inner);
	return json_pack("{s:{s:s, s:o, s:s, s:o*}}", "error", "code", e->code, "message",
			 kvd_json_bytes(why, strlen(why)), "requestId", id, "innererror", inner);
}

int kvd_api_render(struct kvd_request *req, int r)
{
	char *text;

	if (req->is_replay)
		return 0;
	if (r) {
		json_decref(req->reply);
		req->reply = kvd_api_error(req, r);
		req->status = kvd_error_of(r)->http;
	} else if (!req->status) {
		req->status = 200;
	}
	text = req->reply ? kvd_json_canonical(req->reply) : NULL;
	if (!text)
		return -ENOMEM;
	if (strlen(text) > KVAULT_BODY_MAX) {
		free(text);
		return -EMSGSIZE;
	}
	free(req->reply_text);
	req->reply_text = text;
	return 0;
}

int kvd_api_may(struct kvd_request *req, const char *vault, const char *name, uint64_t action)
{
	return kvd_access_check(req->st, req->msg.tenant, &req->who,
				&(struct kvd_place){ vault, req->type, name }, action, &req->why);
}

int kvd_api_vault_name(struct kvd_request *req, const char *name)
{
	if (kvd_name_is_vault(name, strlen(name)))
		return 0;
	return kvd_fail(req, KVD_E_BAD_PARAMETER,
			"The name of a vault has 1 to 63 of 0-9 A-Z a-z and '-', no '-' at an end");
}

int kvd_api_object_name(struct kvd_request *req, const char *name)
{
	if (kvd_name_is_object(name, strlen(name)))
		return 0;
	return kvd_fail(req, KVD_E_BAD_PARAMETER,
			"The name of a %s has 1 to 127 of 0-9 A-Z a-z and '-'",
			kvd_type_noun(req->type));
}
