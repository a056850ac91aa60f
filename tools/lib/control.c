// SPDX-License-Identifier: LGPL-2.1-or-later
/* Control operations. */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "internal.h"

#define SECRET_OUT_MAX	(KVAULT_PAYLOAD_MAX / 2)

/* The next part of a path, behind its '/'; NULL behind the last one. */
static const char *next_part(const char *path)
{
	path = strchr(path, '/');
	return path ? path + 1 : NULL;
}

static bool is_part(const char *part, const char *word)
{
	size_t len = strlen(word);

	return part && !strncmp(part, word, len) && (!part[len] || strchr("/?", part[len]));
}

/* What the secret buffers are for is said to the kernel, which does not look at paths. */
static uint32_t flags_of(enum kvault_method method, const char *path)
{
	const char *name, *last;
	unsigned int i;

	if (!strcmp(path, "/root/recovery"))
		return KVAULT_CONTROL_ROOT_SLOT;
	/* /vaults/V/secrets/NAME[/VERSION] */
	name = next_part(path);
	for (i = 0; name && i < 2; i++)
		name = next_part(name);
	if (!is_part(next_part(path), "vaults") || !is_part(name, "secrets"))
		return 0;
	name = next_part(name);
	if (!name)
		return 0;
	last = next_part(name);
	if (method == KVAULT_METHOD_PUT && !last)
		return KVAULT_CONTROL_SECRET_SET;
	if (method == KVAULT_METHOD_GET && !strchr(path, '?') && !is_part(last, "versions"))
		return KVAULT_CONTROL_SECRET_GET;
	return 0;
}

int kvault_control(struct kvault *kv, enum kvault_method method, const char *path,
		   const char *body, const void *secret, size_t secret_len,
		   struct kvault_reply *ret)
{
	struct kvault_reply reply = { .body = malloc(KVAULT_BODY_MAX + 1) };
	struct kvault_secret value = { 0 };
	struct kvault_control arg = {
		.size = sizeof(arg),
		.flags = flags_of(method, path),
		.method = method,
		.timeout_ms = kv->timeout_ms,
		.path = (uintptr_t)path,
		.path_len = (uint32_t)strlen(path),
		.body = (uintptr_t)body,
		.body_len = body ? (uint32_t)strlen(body) : 0,
		.reply = (uintptr_t)reply.body,
		.reply_len = KVAULT_BODY_MAX,
		.secret_in = (uintptr_t)secret,
		.secret_in_len = secret ? (uint32_t)secret_len : 0,
	};
	int r = 0;

	memset(kv->request_id, 0, sizeof(kv->request_id));
	if (!reply.body ||
	    (arg.flags == KVAULT_CONTROL_SECRET_GET && kvault_secret_new(SECRET_OUT_MAX, &value))) {
		r = -ENOMEM;
		goto out;
	}
	arg.secret_out = (uintptr_t)value.data;
	arg.secret_out_len = (uint32_t)value.size;
	if (ioctl(kv->fd, KVAULT_CONTROL, &arg))
		r = -errno;
	memcpy(kv->request_id, arg.request_id, sizeof(kv->request_id));
	if (r || arg.reply_len > KVAULT_BODY_MAX || arg.secret_out_len > value.size) {
		r = r ? r : -EIO;
		goto out;
	}
	reply.status = arg.status;
	reply.body[arg.reply_len] = '\0';
	reply.body_len = arg.reply_len;
	/* a refusal has none; and one that is empty is there */
	if (value.data && arg.status == 200) {
		reply.secret = value.data;
		reply.secret_len = arg.secret_out_len;
	} else {
		kvault_secret_done(&value);
	}
	memcpy(reply.request_id, arg.request_id, sizeof(reply.request_id));
	*ret = reply;
	return 0;
out:
	kvault_secret_done(&value);
	kvault_reply_done(&reply);
	return r;
}

void kvault_reply_done(struct kvault_reply *reply)
{
	struct kvault_secret value = { reply->secret, reply->secret_len, SECRET_OUT_MAX };

	free(reply->body);
	kvault_secret_done(&value);
	memset(reply, 0, sizeof(*reply));
}
