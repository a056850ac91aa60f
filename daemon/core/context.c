// SPDX-License-Identifier: GPL-2.0-only
#include <sys/random.h>

#include "core/audit.h"
#include "core/context.h"
#include "util/time.h"

void kvd_context_init(struct kvd_context *ctx)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->mirror_end = &ctx->mirror;
	ctx->started = kvd_time_now(CLOCK_BOOTTIME);
	ctx->now = (int64_t)time(NULL);
	ctx->suffix = "vault.kvault.internal";
	/* 32 bytes come whole, and there are always some. */
	if (getrandom(ctx->skip_key, sizeof(ctx->skip_key), 0) != sizeof(ctx->skip_key))
		abort();
}

void kvd_context_done(struct kvd_context *ctx)
{
	struct kvd_broken *b;

	while ((b = ctx->broken)) {
		ctx->broken = b->next;
		free(b);
	}
	kvd_audit_mirror_drop(ctx);
	kvd_audit_key_done(&ctx->audit_key);
	ctx->host = kvd_store_close(ctx->host);
	ctx->ephemeral = kvd_store_close(ctx->ephemeral);
}

struct kvd_store *kvd_context_store(struct kvd_context *ctx, uint32_t kind)
{
	switch (kind) {
	case KVAULT_TENANT_HOST:
		return ctx->host;
	case KVAULT_TENANT_EPHEMERAL:
		return ctx->ephemeral;
	default:
		return NULL;
	}
}

int kvd_id_new(struct kvd_id *ret)
{
	if (getrandom(ret->b, sizeof(ret->b), 0) != sizeof(ret->b))
		return -EIO;
	return 0;
}

bool kvd_id_is_zero(const uint8_t *id)
{
	static const uint8_t zero[KVAULT_ID_SIZE];

	return !memcmp(id, zero, sizeof(zero));
}
