// SPDX-License-Identifier: GPL-2.0-only
/*
 * Secrets: set and get. The value comes as a blob and goes as one: the kernel
 * has sealed it before it is here, and opens it behind our answer. Whatever
 * else there is of a secret is as with keys.
 */
#include "api/keyjson.h"

static int may(struct kvd_request *req, uint64_t action)
{
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r)
		r = kvd_api_object_name(req, req->seg[3]);
	return r ? r : kvd_api_may(req, req->seg[1], req->seg[3], action);
}

static int explain(struct kvd_request *req, int err)
{
	int r = kvd_error_from_kernel(err);

	if (r == KVD_E_UNAVAILABLE)
		return kvd_fail(req, r, "The root key is not loaded: see kvault-root.service");
	if (err == -EBADMSG)
		return kvd_fail(req, r, "The value was not given as a secret's");
	return kvd_fail(req, r, "The value could not be sealed: %s", strerror(-err));
}

/* From what is of this request to what is of this version. */
static int seal(struct kvd_request *req, struct kvd_version *v)
{
	const struct kvd_kernel *k = req->ctx->kernel;
	struct kvault_binding binding;
	struct kvault_seal arg = {
		.source = KVAULT_SEAL_TRANSIT,
		.binding = (uintptr_t)&binding,
		.in = (uintptr_t)req->secret,
		.in_len = (uint32_t)req->secret_len,
		.out_len = (uint32_t)req->secret_len,
	};
	int r;

	kvd_keyjson_binding(req->ctx, req->msg.tenant, v, &binding);
	memcpy(arg.request_id, req->msg.request_id, KVAULT_ID_SIZE);
	v->blob = malloc(req->secret_len);
	if (!v->blob)
		return -ENOMEM;
	arg.out = (uintptr_t)v->blob;
	r = k->seal(k->data, &arg);
	if (r < 0)
		return explain(req, r);
	if (arg.out_len != req->secret_len)
		return -EIO;
	v->blob_len = arg.out_len;
	return 0;
}

static int check_value(struct kvd_request *req)
{
	if (json_object_get(req->body, "value"))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "A value does not belong into the JSON: "
				"pass it as secret_in");
	if (req->secret_len < KVAULT_BLOB_OVERHEAD)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "There is no value in secret_in");
#ifndef KVAULT_MUTANT_SECRET_SIZE
	if (req->secret_len > KVAULT_SECRET_MAX + KVAULT_BLOB_OVERHEAD)
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"A value has at most %d bytes, and this one has %zu",
				KVAULT_SECRET_MAX, req->secret_len - KVAULT_BLOB_OVERHEAD);
#endif
	return 0;
}

int kvd_api_secret_set(struct kvd_request *req)
{
	static const char *const known[] = { "contentType", "attributes", "tags", NULL };
	_cleanup_version_ struct kvd_version v = { .type = KVAULT_TYPE_SECRET,
						   .flags = KVAULT_KEY_ENABLED };
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	bool is_new = false;
	int r;

	r = may(req, KVD_MAY_SECRET_WRITE);
	if (!r)
		r = check_value(req);
	if (!r)
		r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = kvd_keyjson_content_type(req, &v);
	if (!r)
		r = kvd_keyjson_attributes(req, &v);
	if (!r)
		r = kvd_new_place(req, &vault, &v, &is_new);
	if (!r)
		r = seal(req, &v);
	return r ? r : kvd_new_keep(req, &vault, &v, is_new);
}

/* ?value=none asks for all but the value, which is another right. */
static int wants_value(struct kvd_request *req, bool *ret)
{
	char text[8];
	int r;

	*ret = true;
	r = kvd_request_query(req, "value", text, sizeof(text));
	if (!r)
		return 0;
	if (r < 0 || strcmp(text, "none"))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'value' can only be none");
	*ret = false;
	req->operation = "SecretGetMetadata";
	return 0;
}

/* The kernel opens it for who asked, if he asked for a value. */
static int release(struct kvd_request *req, struct kvd_version *v)
{
#ifndef KVAULT_MUTANT_SECRET_DISABLED
	if (!(v->flags & KVAULT_KEY_ENABLED))
		return kvd_fail(req, KVD_E_SECRET_DISABLED, "Secret %s is disabled", v->name);
#endif
	kvd_keyjson_binding(req->ctx, req->msg.tenant, v, &req->grant.binding);
	req->blob = TAKE_PTR(v->blob);
	req->blob_len = v->blob_len;
	return 0;
}

int kvd_api_secret_get(struct kvd_request *req)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	bool with_value = true;
	int r;

	r = wants_value(req, &with_value);
#ifdef KVAULT_MUTANT_SECRET_RIGHT
	if (!r)
		r = may(req, KVD_MAY_SECRET_READ);
#else
	if (!r)
		r = may(req, with_value ? KVD_MAY_SECRET_GET : KVD_MAY_SECRET_READ);
#endif
	if (!r)
		r = kvd_keyjson_vault(req, &vault);
	if (!r)
		r = kvd_keyjson_find(req, &v);
	if (r)
		return r;
	kvd_audit_object(req->object, &v);
	req->reply = kvd_keyjson_bundle(req->ctx, &vault, &v);
	if (!req->reply)
		return -ENOMEM;
	return with_value ? release(req, &v) : 0;
}
