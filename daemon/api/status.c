// SPDX-License-Identifier: GPL-2.0-only
/* /status and /whoami: what serves here, and who the kernel says one is. */
#include "api/api.h"
#include "api/slots.h"
#include "core/head.h"
#include "util/hex.h"
#include "util/time.h"

static const char *const kinds[] = {
	[KVAULT_TENANT_HOST] = "host",
	[KVAULT_TENANT_EPHEMERAL] = "ephemeral",
	[KVAULT_TENANT_PERSISTENT] = "persistent",
};

static bool is_admin(const struct kvd_request *req)
{
	return req->who.caller->flags & req->who.opener->flags & KVAULT_PRINCIPAL_ADMIN;
}

static bool is_host_admin(const struct kvd_request *req)
{
	return req->msg.tenant_kind == KVAULT_TENANT_HOST && is_admin(req);
}

static int engine_one(const struct kvd_kernel_engine *e, void *data)
{
	char tenant[2 * KVAULT_ID_SIZE + 1];
	json_t *j;

	kvd_hex_encode(tenant, e->tenant, sizeof(e->tenant));
	j = json_pack("{s:s, s:i, s:s, s:i}", "kind",
		      e->kind == KVAULT_ENGINE_PKCS11 ? "pkcs11" : "openssl", "pid", (int)e->pid,
		      "tenant", tenant, "served", (int)e->served);
	return json_array_append_new(data, j) ? -ENOMEM : 0;
}

static int add_host_parts(struct kvd_request *req, json_t *reply)
{
	_cleanup_json_ json_t *engines = json_array(), *slots = NULL;
	const struct kvd_kernel *k = req->ctx->kernel;
	bool has_recovery = false;
	char store[2 * KVAULT_ID_SIZE + 1];
	int r = 0;

	if (!engines)
		return -ENOMEM;
	/* That the kernel cannot be asked just now must not hide the rest. */
	k->engines(k->data, engine_one, engines);
	slots = kvd_slots_public(req->ctx, &has_recovery);
	kvd_hex_encode(store, req->ctx->meta.store.b, KVAULT_ID_SIZE);
	r |= json_object_set(reply, "engines", engines);
	r |= kvd_json_set(reply, "root", json_pack("{s:b, s:O*, s:b}", "loaded",
						   (int)req->ctx->has_root, "slots", slots,
						   "recovery", (int)has_recovery));
	r |= kvd_json_set(reply, "store", json_pack("{s:s, s:I, s:I}", "id", store, "epoch",
						    (json_int_t)req->ctx->meta.epoch, "revision",
						    (json_int_t)req->ctx->meta.revision));
	return r ? -ENOMEM : 0;
}

static json_t *warnings(struct kvd_request *req)
{
	uint64_t broken = kvd_head_broken(req->ctx, req->msg.tenant);
	json_t *list = json_array();
	bool has_recovery = false;
	char text[192];

	if (list && is_admin(req) && broken) {
		snprintf(text, sizeof(text), "The audit log does not check at record %llu: nothing "
			 "is granted or changed. Restore the store from a backup, or see "
			 "'kvault audit accept'", (unsigned long long)broken);
		json_array_append_new(list, json_string(text));
	}
	if (!list || !is_host_admin(req))
		return list;
	json_decref(kvd_slots_public(req->ctx, &has_recovery));
	if (!req->ctx->has_root)
		json_array_append_new(list, json_string(
			"No root key is loaded: keys cannot be opened. Start kvault-root.service"));
	else if (req->ctx->root_mark && !access(req->ctx->root_mark, F_OK))
		json_array_append_new(list, json_string(
			"The root key is in the kernel, but could not be loaded again: after a "
			"restart of this machine no key can be opened. See 'systemctl status "
			"kvault-root'"));
	if (!has_recovery)
		json_array_append_new(list, json_string(
			"No recovery kit: lose this machine and lose every key. "
			"Make one with 'kvault root recovery create'"));
	if (!req->ctx->audit_key.jwk)
		json_array_append_new(list, json_string(
			"The audit log has no key for checkpoints yet: it needs an engine"));
	return list;
}

static json_t *audit_json(struct kvd_request *req)
{
	uint8_t hash[32];
	char hex[65];
	uint64_t seq = 0;
	uint64_t may = 0;

	if (kvd_access_actions(req->st, req->msg.tenant, &req->who, &(struct kvd_place){ 0 },
			       &may))
		return NULL;
	/* How much happens here, and what, is for who may read the log. */
	if (!(may & KVD_MAY_AUDIT))
		return json_object();
	if (kvd_store_log_head(req->st, req->msg.tenant, &seq, hash))
		return NULL;
	kvd_hex_encode(hex, hash, sizeof(hash));
	return json_pack("{s:I, s:s, s:I}", "records", (json_int_t)seq, "head", hex,
			 "checkpoint", req->msg.tenant_kind == KVAULT_TENANT_HOST ?
			 (json_int_t)req->ctx->checkpoint_seq : (json_int_t)0);
}

/* Anybody may ask whether it works; what the host consists of is its administrator's. */
int kvd_api_status(struct kvd_request *req)
{
	_cleanup_json_ json_t *reply = json_object();
	uint64_t up = (kvd_time_now(CLOCK_BOOTTIME) - req->ctx->started) / KVD_NSEC_PER_SEC;
	int r = 0;

	if (!reply)
		return -ENOMEM;
	r |= kvd_json_set(reply, "daemon", json_pack("{s:s, s:i, s:I}", "version", KVAULT_VERSION,
						     "pid", (int)getpid(), "uptime",
						     (json_int_t)up));
	r |= kvd_json_set(reply, "audit", audit_json(req));
	r |= kvd_json_set(reply, "warnings", warnings(req));
	if (!r && is_host_admin(req))
		r = add_host_parts(req, reply);
	if (r)
		return -ENOMEM;
	req->reply = TAKE_PTR(reply);
	return 0;
}

static int role_one(const struct kvd_assignment *a, void *data)
{
	json_t *j = json_pack("{s:s, s:s}", "role", a->role, "scope", a->scope);

	return json_array_append_new(data, j) ? -ENOMEM : 0;
}

int kvd_api_whoami(struct kvd_request *req)
{
	_cleanup_json_ json_t *roles = json_array(), *who = NULL;
	const struct kvault_principal *p = req->who.caller;
	char tenant[2 * KVAULT_ID_SIZE + 1];
	int r;

	who = kvd_audit_principal(p);
	if (!roles || !who)
		return -ENOMEM;
	r = kvd_access_roles(req->st, req->msg.tenant, &req->who, role_one, roles);
	if (r)
		return r;
	kvd_hex_encode(tenant, req->msg.tenant, KVAULT_ID_SIZE);
	if (json_object_set_new(who, "login_uid", p->login_uid == UINT32_MAX ?
				json_null() : json_integer(p->login_uid)) ||
	    json_object_set_new(who, "admin", json_boolean(p->flags & KVAULT_PRINCIPAL_ADMIN)))
		return -ENOMEM;
	json_object_del(who, "loginUid");
	req->reply = json_pack("{s:s, s:s, s:O, s:O}", "tenant", tenant, "kind",
			       kinds[req->msg.tenant_kind], "principal", who, "roles", roles);
	return req->reply ? 0 : -ENOMEM;
}
