// SPDX-License-Identifier: LGPL-2.1-or-later
/* Control operations. */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "internal.h"

#define SECRET_OUT_MAX	(KVAULT_PAYLOAD_MAX / 2)

int kvault_control(struct kvault *kv, enum kvault_method method, const char *path,
		   const char *body, const void *secret, size_t secret_len,
		   struct kvault_reply *ret)
{
	struct kvault_reply reply = { .body = malloc(KVAULT_BODY_MAX + 1),
				      .secret = malloc(SECRET_OUT_MAX),
				      .secret_len = SECRET_OUT_MAX };
	struct kvault_control arg = {
		.size = sizeof(arg),
		/* said to the kernel, which does not look at paths */
		.flags = strcmp(path, "/root/recovery") ? 0 : KVAULT_CONTROL_ROOT_SLOT,
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
		.secret_out = (uintptr_t)reply.secret,
		.secret_out_len = SECRET_OUT_MAX,
	};
	int r = 0;

	memset(kv->request_id, 0, sizeof(kv->request_id));
	if (!reply.body || !reply.secret) {
		r = -ENOMEM;
		goto out;
	}
	if (ioctl(kv->fd, KVAULT_CONTROL, &arg))
		r = -errno;
	memcpy(kv->request_id, arg.request_id, sizeof(kv->request_id));
	if (r || arg.reply_len > KVAULT_BODY_MAX || arg.secret_out_len > SECRET_OUT_MAX) {
		r = r ? r : -EIO;
		goto out;
	}
	reply.status = arg.status;
	reply.body[arg.reply_len] = '\0';
	reply.body_len = arg.reply_len;
	reply.secret_len = arg.secret_out_len;
	memcpy(reply.request_id, arg.request_id, sizeof(reply.request_id));
	*ret = reply;
	return 0;
out:
	kvault_reply_done(&reply);
	return r;
}

void kvault_reply_done(struct kvault_reply *reply)
{
	free(reply->body);
	if (reply->secret)
		explicit_bzero(reply->secret, reply->secret_len);
	free(reply->secret);
	memset(reply, 0, sizeof(*reply));
}
