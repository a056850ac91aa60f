// SPDX-License-Identifier: GPL-2.0-only
#include "core/address.h"
#include "core/audit.h"
#include "core/purge.h"

static int purge_one(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant,
		     const struct kvd_version *v)
{
	const struct kvd_kernel *k = ctx->kernel;
	char object[KVD_OBJECT_ADDRESS_MAX];
	struct kvd_event ev = {
		.operation = v->type == KVAULT_TYPE_SECRET ? "SecretPurge" : "KeyPurge",
		.object = object,
		.face = "timer",
		.result = "Success",
		.signature = "204",
		.reason = "It was deleted, and its retention is over",
	};
	uint64_t revision = 0;
	int r;

	snprintf(object, sizeof(object), "%s/%s/%s", v->vault_name, kvd_type_collection(v->type),
		 v->name);
	r = kvd_store_revision_next(st, &revision);
	if (!r)
		r = kvd_store_object_drop(st, tenant, v);
	if (!r)
		r = kvd_audit_append(ctx, st, tenant, &ev);
	if (r < 0 || v->type != KVAULT_TYPE_KEY)
		return r;
	/* It was disabled when it was deleted; what is left are the names of handles. */
	k->object_set(k->data, tenant, v->object.b, NULL, revision, KVAULT_OBJECT_GONE);
	return 0;
}

int kvd_purge_overdue(struct kvd_context *ctx, struct kvd_store *st, unsigned int max)
{
	struct kvd_id tenant;
	unsigned int n;
	int r;

	for (n = 0; n < max; n++) {
		_cleanup_version_ struct kvd_version v = { 0 };

		r = kvd_store_deleted_overdue(st, ctx->now, &tenant, &v);
		if (r == KVD_E_KEY_NOT_FOUND)
			break;
		if (!r)
			r = purge_one(ctx, st, tenant.b, &v);
		if (r < 0)
			return r;
	}
	return (int)n;
}
