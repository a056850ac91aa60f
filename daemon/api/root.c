// SPDX-License-Identifier: GPL-2.0-only
/*
 * /root: slots of the root key. The key itself is never here: the kernel
 * wraps it with what the caller's recovery code derives, which it unseals
 * itself.
 */
#include <fcntl.h>

#include "api/api.h"
#include "api/slots.h"
#include "util/hex.h"
#include "util/io.h"

#define SLOTS_SIZE_MAX	65536

int kvd_slots_read(const char *dir, json_t **ret, struct kvd_why *why)
{
	_cleanup_bytes_ struct kvd_bytes text = { 0 };
	_cleanup_close_ int fd = -1;
	struct kvd_id id;
	json_t *j = NULL;
	int r;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return kvd_refuse(why, -errno, "%s cannot be opened: %s", dir, strerror(errno));
	r = kvd_io_read_file(fd, KVD_SLOTS_FILE, SLOTS_SIZE_MAX, &text);
	if (r < 0)
		return kvd_refuse(why, r, "%s/%s cannot be read: %s", dir, KVD_SLOTS_FILE,
				  strerror(-r));
	r = kvd_json_parse(text.data, text.len, &j, NULL);
	if (r < 0)
		return r;
	if (r || json_integer_value(json_object_get(j, "format")) != 1 ||
	    kvd_slots_store_id(j, &id) || !json_is_array(json_object_get(j, "slots"))) {
		json_decref(j);
		return kvd_refuse(why, -EUCLEAN, "%s/%s is damaged: restore it from a backup", dir,
				  KVD_SLOTS_FILE);
	}
	*ret = j;
	return 0;
}

int kvd_slots_store_id(const json_t *slots, struct kvd_id *ret)
{
	const char *hex = json_string_value(json_object_get(slots, "store"));

	return hex ? kvd_hex_decode(ret->b, sizeof(ret->b), hex) : -EINVAL;
}

int kvd_slots_write(const char *dir, const json_t *slots)
{
	static const struct kvd_io_owner owner = { (uid_t)-1, (gid_t)-1, 0640 };
	_cleanup_free_ char *text = json_dumps(slots, JSON_INDENT(2));
	_cleanup_close_ int fd = -1;

	if (!text)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return kvd_io_write_atomic(fd, KVD_SLOTS_FILE, text, strlen(text), &owner, 0);
}

json_t *kvd_slots_public(const struct kvd_context *ctx, bool *ret_has_recovery)
{
	static const char *const shown[] = { "id", "provider", "created" };
	_cleanup_json_ json_t *slots = NULL, *list = json_array();
	json_t *slot, *copy;
	const char *provider;
	size_t i, k;

	if (!list || kvd_slots_read(ctx->root_dir, &slots, NULL))
		return NULL;
	json_array_foreach(json_object_get(slots, "slots"), i, slot) {
		copy = json_object();
		for (k = 0; k < ARRAY_SIZE(shown); k++)
			json_object_set(copy, shown[k], json_object_get(slot, shown[k]));
		if (json_array_append_new(list, copy))
			return NULL;
		provider = json_string_value(json_object_get(slot, "provider"));
		*ret_has_recovery |= provider && !strcmp(provider, "recovery-code");
	}
	return TAKE_PTR(list);
}

static int may_root(struct kvd_request *req)
{
	if (req->msg.tenant_kind != KVAULT_TENANT_HOST)
		return kvd_fail(req, KVD_E_NOT_FOUND, "There is no such resource");
	return kvd_api_may(req, NULL, NULL, KVD_MAY_ROOT);
}

int kvd_api_root_get(struct kvd_request *req)
{
	bool has_recovery = false;
	json_t *slots;
	int r;

	r = may_root(req);
	if (r)
		return r;
	slots = kvd_slots_public(req->ctx, &has_recovery);
	if (!slots)
		return kvd_fail(req, KVD_E_UNAVAILABLE, "%s/%s cannot be read", req->ctx->root_dir,
				KVD_SLOTS_FILE);
	req->reply = json_pack("{s:b, s:o, s:b}", "loaded", (int)req->ctx->has_root, "slots", slots,
			       "recovery", (int)has_recovery);
	return req->reply ? 0 : -ENOMEM;
}

static json_t *hex_json(const void *p, size_t len)
{
	char hex[65];

	kvd_hex_encode(hex, p, len);
	return json_string(hex);
}

static json_t *slot_json(struct kvd_request *req, const struct kvault_root_wrap *arg)
{
	return json_pack("{s:o, s:s, s:I, s:o, s:o, s:o}", "id",
			 hex_json(arg->slot, sizeof(arg->slot)), "provider", "recovery-code",
			 "created", (json_int_t)req->ctx->now, "iv",
			 hex_json(arg->iv, sizeof(arg->iv)), "wrapped",
			 hex_json(arg->wrapped, sizeof(arg->wrapped)), "tag",
			 hex_json(arg->tag, sizeof(arg->tag)));
}

/* A repeated request finds its slot there: the file is no part of a transaction. */
static bool has_slot(const json_t *slots, const char *id)
{
	const char *have;
	json_t *slot;
	size_t i;

	json_array_foreach(json_object_get(slots, "slots"), i, slot) {
		have = json_string_value(json_object_get(slot, "id"));
		if (have && !strcmp(have, id))
			return true;
	}
	return false;
}

static int wrap(struct kvd_request *req, struct kvault_root_wrap *arg)
{
	const struct kvd_kernel *k = req->ctx->kernel;
	int r;

	arg->secret = (uintptr_t)req->secret;
	arg->secret_len = (uint32_t)req->secret_len;
	memcpy(arg->request_id, req->msg.request_id, KVAULT_ID_SIZE);
	r = k->root_wrap(k->data, arg);
	if (r == -EHOSTDOWN || r == -ENOKEY)
		return kvd_fail(req, KVD_E_UNAVAILABLE,
				"The root key is not loaded: see kvault-root.service");
	if (r < 0)
		return kvd_fail(req, kvd_error_from_kernel(r), "The kernel refused the code");
	return 0;
}

static int add_slot(struct kvd_request *req, json_t *slots, struct kvault_root_wrap *arg)
{
	json_t *list = json_object_get(slots, "slots");
	int r;

	if (json_array_size(list) >= KVD_SLOTS_MAX)
		return kvd_fail(req, KVD_E_THROTTLED, "The root key has its %d slots",
				KVD_SLOTS_MAX);
	r = wrap(req, arg);
	if (r)
		return r;
	if (json_array_append_new(list, slot_json(req, arg)))
		return -ENOMEM;
	r = kvd_slots_write(req->ctx->root_dir, slots);
	if (r < 0)
		return kvd_fail(req, KVD_E_UNAVAILABLE, "%s/%s cannot be written: %s",
				req->ctx->root_dir, KVD_SLOTS_FILE, strerror(-r));
	return 0;
}

int kvd_api_root_recovery(struct kvd_request *req)
{
	static const char *const known[] = { "slot", NULL };
	struct kvault_root_wrap arg = { 0 };
	_cleanup_json_ json_t *slots = NULL;
	const char *id = NULL;
	int r;

	r = may_root(req);
	if (!r)
		r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = kvd_json_str(req->body, "slot", &id, &req->why);
	if (r)
		return r;
	if (!id || kvd_hex_decode(arg.slot, sizeof(arg.slot), id))
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'slot' has not 32 hexadecimal digits");
	if (req->secret_len != KVAULT_BLOB_OVERHEAD + 32)
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"The recovery code in secret_in has not 32 bytes");
	r = kvd_slots_read(req->ctx->root_dir, &slots, &req->why);
	if (r < 0)
		return KVD_E_UNAVAILABLE;
	if (has_slot(slots, id)) {
		if (req->msg.attempts < 2)
			return kvd_fail(req, KVD_E_CONFLICT, "There is a slot %s", id);
	} else {
		r = add_slot(req, slots, &arg);
		if (r)
			return r;
	}
	req->status = 201;
	req->reply = json_pack("{s:s, s:s}", "id", id, "provider", "recovery-code");
	return req->reply ? 0 : -ENOMEM;
}
