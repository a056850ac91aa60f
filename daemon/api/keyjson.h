/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys and secrets between JSON, the store and the kernel's binding. */
#ifndef KVD_API_KEYJSON_H
#define KVD_API_KEYJSON_H

#include "api/api.h"
#include "core/audit.h"
#include "core/keyrule.h"

#define KVD_VERSIONS_MAX_EPHEMERAL	256
#define KVD_VERSIONS_MAX_HOST		1000000

/* key_ops: a list of names; absent leaves *ops. */
int kvd_keyjson_ops(struct kvd_request *req, const json_t *obj, uint32_t *ops);

/* attributes and tags of a body, over what v has. */
int kvd_keyjson_attributes(struct kvd_request *req, struct kvd_version *v);

/* contentType of a body, over what v has; absent leaves it. */
int kvd_keyjson_content_type(struct kvd_request *req, struct kvd_version *v);

/* What an engine says of a new key, checked against its shape: v->jwk. */
int kvd_keyjson_public(struct kvd_request *req, const char *text, size_t len,
		       struct kvd_version *v);

/* {"kid", "kty", "key_ops", …} and the whole bundle; NULL: no memory. */
json_t *kvd_keyjson_key(const struct kvd_context *ctx, const struct kvd_version *v);
json_t *kvd_keyjson_bundle(const struct kvd_context *ctx, const struct kvd_vault *vault,
			   const struct kvd_version *v);
/* An item of a list; its kid names the version only with_version. */
json_t *kvd_keyjson_item(const struct kvd_context *ctx, const struct kvd_vault *vault,
			 const struct kvd_version *v, bool with_version);

/* What the blob of v is bound to. */
void kvd_keyjson_binding(const struct kvd_context *ctx, const uint8_t *tenant,
			 const struct kvd_version *v, struct kvault_binding *ret);

/* 32 hex digits, or KVD_E_BAD_PARAMETER. */
int kvd_keyjson_version(struct kvd_request *req, const char *text, struct kvd_id *ret);

/* The vault of the path; a reason when there is none. */
int kvd_keyjson_vault(struct kvd_request *req, struct kvd_vault *ret);
/* The version that the path names, or the newest. */
int kvd_keyjson_find(struct kvd_request *req, struct kvd_version *ret);
/* KVD_E_KEY_NOT_FOUND or KVD_E_SECRET_NOT_FOUND, of what the path names. */
int kvd_keyjson_not_found(struct kvd_request *req);

/*
 * A new version: its place in the vault of the path, with ids; and into the
 * store, when it has its blob, with the answer. api/newversion.c
 */
/* KVD_E_DELETED */
int kvd_new_check_name(struct kvd_request *req, const struct kvd_object *o);
int kvd_new_place(struct kvd_request *req, struct kvd_vault *vault, struct kvd_version *v,
		  bool *ret_is_new);
int kvd_new_keep(struct kvd_request *req, const struct kvd_vault *vault, struct kvd_version *v,
		 bool is_new);

#endif /* KVD_API_KEYJSON_H */
