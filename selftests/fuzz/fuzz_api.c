// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kvaultd makes of a request: message, path, query, body, and what the
 * handlers do with them on a store that is put back after each input.
 *
 * The input is a list of requests, one a line:
 *
 *	METHOD PATH BODY		a control operation: G, U (put), P (post),
 *					M (patch), D (delete)
 *	O PATH				a KVAULT_OPEN, with any operation
 *
 * A '!' before it: the caller is nobody; '+': with a secret; a '#' line is the
 * bytes of a whole message.
 * pkgs: jansson libsystemd sqlite3 libcrypto
 * options: -max_len=8192
 */
#include <sys/stat.h>
#include <unistd.h>
#include "fuzz.h"
#include "api/api.h"
#include "store/test-tmp.h"
#include "util/log.h"

static const struct kvd_id host = { { 1 } }, store = { { 2 } };
static struct kvd_context ctx;
static char dir[32];

/* --- a module that does as it is told -------------------------------------------- */

static int do_seal(void *data, struct kvault_seal *arg)
{
	const struct kvault_binding *b = (void *)(uintptr_t)arg->binding;
	uint32_t len = b->bits / 8 + KVAULT_BLOB_OVERHEAD;

	(void)data;
	MUST(b->name_len <= KVAULT_NAME_MAX && b->type == KVAULT_TYPE_KEY && !b->pad);
	MUST(!memcmp(b->tenant, host.b, sizeof(host)));
	if (arg->out_len < len)
		return -EMSGSIZE;
	memset((void *)(uintptr_t)arg->out, 0x5a, len);
	arg->out_len = len;
	return 0;
}

static int do_submit(void *data, struct kvault_submit *arg)
{
	(void)data;
	MUST(arg->op && arg->timeout_ms);
	return 0;
}

static int do_root_wrap(void *data, struct kvault_root_wrap *arg)
{
	(void)data;
	memset(arg->wrapped, 1, sizeof(arg->wrapped));
	return 0;
}

static int do_policy_set(void *data, const uint8_t *tenant, uint64_t revision)
{
	(void)data;
	(void)tenant;
	(void)revision;
	return 0;
}

static int do_object_set(void *data, const uint8_t *tenant, const uint8_t *key,
			 const uint8_t *version, uint64_t revision, uint32_t state)
{
	(void)key;
	(void)version;
	(void)state;
	return do_policy_set(data, tenant, revision);
}

static int do_tenants(void *data, int (*fn)(const struct kvd_kernel_tenant *t, void *udata),
		      void *udata)
{
	const struct kvd_kernel_tenant t = { .kind = KVAULT_TENANT_HOST };

	(void)data;
	return fn(&t, udata);
}

static int do_engines(void *data, int (*fn)(const struct kvd_kernel_engine *e, void *udata),
		      void *udata)
{
	const struct kvd_kernel_engine e = { .kind = KVAULT_ENGINE_OPENSSL };

	(void)data;
	return fn(&e, udata);
}

static const struct kvd_kernel kernel = {
	.seal = do_seal, .submit = do_submit, .root_wrap = do_root_wrap,
	.policy_set = do_policy_set, .object_set = do_object_set, .tenants = do_tenants,
	.engines = do_engines,
};

/* --- requests --------------------------------------------------------------------- */

static void clean_up(void)
{
	kvd_store_close(ctx.host);
	test_tmp_remove(dir);
}

static void handle(const uint8_t *data, size_t len)
{
	struct kvd_request *req = NULL;
	struct kvd_why why = { "" };
	json_t *j = NULL;
	int r;

	if (kvd_request_parse(&ctx, data, len, &req))
		return;
	req->st = kvd_context_store(&ctx, req->msg.tenant_kind);
	if (!req->st || memcmp(req->msg.tenant, host.b, sizeof(host))) {
		kvd_request_free(req);
		return;
	}
	MUST(!kvd_store_mark(req->st));
	if (kvd_request_is_control(req)) {
		r = kvd_api_control(req);
		if (!kvd_api_render(req, r)) {
			MUST(req->status >= 200 && req->status <= 599);
			MUST(!kvd_json_parse(req->reply_text, strlen(req->reply_text), &j, &why));
			MUST(!json_object_get(j, "error") == (req->status < 400));
		}
	} else {
		r = kvd_api_access(req);
		if (!r)
			MUST(req->blob_len && req->grant.size == sizeof(req->grant) &&
			     !(req->grant.ops & ~req->grant.binding.ops) &&
			     !memcmp(req->grant.binding.tenant, host.b, sizeof(host)));
	}
	/* what was refused is undone, as the daemon does it */
	if (r)
		kvd_store_undo(req->st);
	else
		kvd_store_keep(req->st);
	json_decref(j);
	kvd_request_free(req);
}

static void build(struct kvault_msg *msg, const struct kvault_principal *who, const char *path,
		  const void *body, size_t body_len, size_t secret)
{
	size_t path_len = strlen(path), len = sizeof(*msg) + 2 * sizeof(*who), at;
	uint8_t *p;

	len += path_len + body_len + secret;
	p = calloc(1, len);
	MUST(p);
	msg->len[0] = 2 * sizeof(*who);
	msg->len[1] = (uint32_t)path_len;
	msg->len[2] = (uint32_t)body_len;
	msg->len[3] = (uint32_t)secret;
	memcpy(p, msg, sizeof(*msg));
	at = sizeof(*msg);
	memcpy(p + at, who, sizeof(*who));
	memcpy(p + at + sizeof(*who), who, sizeof(*who));
	at += 2 * sizeof(*who);
	memcpy(p + at, path, path_len);
	if (body_len)
		memcpy(p + at + path_len, body, body_len);
	handle(p, len);
	free(p);
}

static void line(char *text, uint8_t nr)
{
	static const char methods[] = "?GUPMD";
	struct kvault_principal who = {
		.flags = KVAULT_PRINCIPAL_ADMIN | KVAULT_PRINCIPAL_INIT_PIDNS,
	};
	struct kvault_msg msg = {
		.size = sizeof(msg), .type = KVAULT_MSG_CONTROL, .generation = 1, .cookie = nr,
		.request_id = { nr, 1 }, .deadline = INT64_MAX, .revision = 1,
		.tenant_kind = KVAULT_TENANT_HOST, .attempts = 1,
	};
	struct kvault_access access = { .size = sizeof(access) };
	size_t secret = 0;
	char *path, *body;

	memcpy(msg.tenant, host.b, sizeof(msg.tenant));
	for (; *text == '!' || *text == '+'; text++) {
		if (*text == '!')
			who.flags = KVAULT_PRINCIPAL_INIT_PIDNS;
		else
			secret = 32 + KVAULT_BLOB_OVERHEAD;
	}
	path = strchr(text, ' ');
	if (!path)
		return;
	*path++ = '\0';
	body = strchr(path, ' ');
	if (body)
		*body++ = '\0';
	if (*text == 'O') {
		msg.type = KVAULT_MSG_ACCESS;
		msg.op = KVAULT_PURPOSE_HANDLE;
		build(&msg, &who, path, &access, sizeof(access), 0);
		return;
	}
	msg.op = *text && strchr(methods, *text) ?
		 (uint32_t)(strchr(methods, *text) - methods) : 0;
	build(&msg, &who, path, body, body ? strlen(body) : 0, secret);
}

static void start(void)
{
	struct kvd_tenant t = { .id = host, .kind = KVAULT_TENANT_HOST, .policy = 1 };
	struct kvd_why why = { "" };
	char path[64];

	kvd_log_set_level(LOG_EMERG);
	test_tmp_make(dir);
	atexit(clean_up);
	snprintf(path, sizeof(path), "%s/db", dir);
	kvd_context_init(&ctx);
	MUST(!kvd_store_open(path, KVD_STORE_CREATE, false, &ctx.host, &why));
	MUST(!kvd_store_begin(ctx.host) && !kvd_store_meta_init(ctx.host, &store, &host));
	MUST(!kvd_store_tenant_add(ctx.host, &t));
	MUST(!kvd_store_commit(ctx.host));
	MUST(!kvd_store_meta_get(ctx.host, &ctx.meta));
	ctx.kernel = &kernel;
	ctx.root_dir = dir;
	ctx.now = 1700000000;
	ctx.has_root = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *p, *save = NULL;
	uint8_t nr = 0;

	if (!ctx.kernel)
		start();
	MUST(!kvd_store_begin(ctx.host));
	if (size && data[0] == '#')
		handle(data + 1, size - 1);
	else
		for (p = strtok_r(text, "\n", &save); p && nr < 16; p = strtok_r(NULL, "\n", &save))
			line(p, ++nr);
	kvd_store_rollback(ctx.host);
	free(text);
	return 0;
}
