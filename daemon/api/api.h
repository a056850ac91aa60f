/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control operations: method, path and JSON in, status and JSON out, one file
 * for each kind of resource. Handlers return 0 with req->reply set,
 * KVD_E_PENDING with req->resume set, another KVD_E_* with req->why, or a
 * negative errno. They run inside a mark of the store: whatever is not 0 is
 * undone by the caller.
 */
#ifndef KVD_API_API_H
#define KVD_API_API_H

#include "api/request.h"
#include "util/json.h"

/*
 * Decides one CONTROL: finds the handler, checks the body, runs it. Sets
 * req->operation and req->object for the log.
 */
int kvd_api_control(struct kvd_request *req);

/* Decides one ACCESS: fills req->grant, req->public_jwk and req->blob. */
int kvd_api_access(struct kvd_request *req);

/* Sets req->reply_text and req->status from the outcome r. */
int kvd_api_render(struct kvd_request *req, int r);

/* {"error":{…}} */
json_t *kvd_api_error(const struct kvd_request *req, int r);

/* What handlers share. */
int kvd_api_may(struct kvd_request *req, const char *vault, const char *name, uint64_t action);
int kvd_api_vault_name(struct kvd_request *req, const char *name);
int kvd_api_object_name(struct kvd_request *req, const char *name);

/* status, in its own file for it looks at everything */
int kvd_api_status(struct kvd_request *req);
int kvd_api_whoami(struct kvd_request *req);

int kvd_api_vault_put(struct kvd_request *req);
int kvd_api_vault_get(struct kvd_request *req);
int kvd_api_vault_list(struct kvd_request *req);

int kvd_api_key_create(struct kvd_request *req);
int kvd_api_key_import(struct kvd_request *req);
int kvd_api_key_get(struct kvd_request *req);
int kvd_api_key_rotate(struct kvd_request *req);
/* Of a request of a timer's; old is the newest version, which has to be that still. */
int kvd_api_key_rotate_due(struct kvd_request *req, const struct kvd_version *old);
int kvd_api_policy_get(struct kvd_request *req);
int kvd_api_policy_set(struct kvd_request *req);
int kvd_api_key_token(struct kvd_request *req);
int kvd_api_users(struct kvd_request *req);

int kvd_api_secret_set(struct kvd_request *req);
int kvd_api_secret_get(struct kvd_request *req);

/* Keys and secrets alike: req->type says which. */
int kvd_api_patch(struct kvd_request *req);
int kvd_api_list(struct kvd_request *req);
int kvd_api_versions(struct kvd_request *req);
int kvd_api_delete(struct kvd_request *req);
int kvd_api_deleted_get(struct kvd_request *req);
int kvd_api_deleted_list(struct kvd_request *req);
int kvd_api_recover(struct kvd_request *req);
int kvd_api_purge(struct kvd_request *req);

int kvd_api_role_put(struct kvd_request *req);
int kvd_api_role_get(struct kvd_request *req);
int kvd_api_role_delete(struct kvd_request *req);
int kvd_api_role_list(struct kvd_request *req);

int kvd_api_audit_list(struct kvd_request *req);
int kvd_api_audit_key(struct kvd_request *req);
int kvd_api_audit_accept(struct kvd_request *req);
/* The one change that a broken log does not refuse. */
bool kvd_api_is_accept(const struct kvd_request *req);

int kvd_api_root_get(struct kvd_request *req);
int kvd_api_root_recovery(struct kvd_request *req);

#endif /* KVD_API_API_H */
