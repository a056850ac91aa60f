// SPDX-License-Identifier: GPL-2.0-only
#include <sys/random.h>

#include "api/request.h"
#include "util/json.h"
#include "util/time.h"

struct kvd_request *kvd_request_free(struct kvd_request *req)
{
	if (!req)
		return NULL;
	if (req->state_free)
		req->state_free(req->state);
	free(req->query);
	free(req->body_text);
	json_decref(req->body);
	free(req->secret);
	free(req->public_jwk);
	json_decref(req->context);
	free(req->blob);
	json_decref(req->reply);
	free(req->reply_text);
	free(req);
	return NULL;
}

int kvd_message_parse(const uint8_t *data, size_t len, struct kvd_message *ret)
{
	struct kvault_msg msg;
	size_t at = sizeof(msg), i;

	if (len < sizeof(msg) || len > KVAULT_MSG_MAX)
		return -EBADMSG;
	memcpy(&msg, data, sizeof(msg));
	if (msg.size != sizeof(msg))
		return -EBADMSG;
	for (i = 0; i < KVAULT_MSG_SEGMENTS; i++) {
		if (msg.len[i] > len - at)
			return -EBADMSG;
		ret->seg[i] = data + at;
		at += msg.len[i];
	}
	if (at != len)
		return -EBADMSG;
	ret->msg = msg;
	return 0;
}

static char *copy(const uint8_t *p, size_t len)
{
	char *text = malloc(len + 1);

	if (text) {
		memcpy(text, p, len);
		text[len] = '\0';
	}
	return text;
}

/* Splits the path in place; empty parts do not count: "/keys/k1/" has two. */
static int split_path(struct kvd_request *req)
{
	char *mark = strchr(req->path, '?'), *p, *save = NULL;

	if (mark) {
		*mark = '\0';
		req->query = strdup(mark + 1);
		if (!req->query)
			return -ENOMEM;
	}
	for (p = strtok_r(req->path, "/", &save); p; p = strtok_r(NULL, "/", &save)) {
		if (req->n_seg == KVD_SEGMENTS_MAX) {
			req->n_seg = 0;		/* there is no such resource */
			return 0;
		}
		req->seg[req->n_seg++] = p;
	}
	return 0;
}

static int take_control(struct kvd_request *req, const struct kvd_message *m)
{
	const uint32_t *len = m->msg.len;
	int r;

	if (!len[1] || len[2] > KVAULT_BODY_MAX || len[3] > KVAULT_BLOB_MAX ||
	    m->msg.op == KVAULT_METHOD_UNSPEC || m->msg.op > KVAULT_METHOD_DELETE)
		return -EBADMSG;
	/* A NUL is no part of any path; text behind it must not be lost silently. */
	if (!memchr(m->seg[1], 0, len[1])) {
		r = split_path(req);
		if (r < 0)
			return r;
	}
	req->body_text = copy(m->seg[2], len[2]);
	req->body_len = len[2];
	if (!req->body_text)
		return -ENOMEM;
	if (len[3]) {
		req->secret = (uint8_t *)copy(m->seg[3], len[3]);
		req->secret_len = len[3];
		if (!req->secret)
			return -ENOMEM;
	}
	return 0;
}

static int take_access(struct kvd_request *req, const struct kvd_message *m)
{
	if (m->msg.len[2] != sizeof(req->access) || m->msg.len[3] ||
	    m->msg.op == KVAULT_PURPOSE_UNSPEC || m->msg.op > KVAULT_PURPOSE_RENEW)
		return -EBADMSG;
	memcpy(&req->access, m->seg[2], sizeof(req->access));
	if (req->access.size != sizeof(req->access) ||
	    (req->access.ops & ~KVAULT_OP_ALL) || req->access.purpose > KVAULT_PURPOSE_RENEW)
		return -EBADMSG;
	return 0;
}

static int take(struct kvd_request *req, const struct kvd_message *m)
{
	if (m->msg.len[0] != sizeof(req->principals) || m->msg.len[1] > KVAULT_PATH_MAX)
		return -EBADMSG;
	memcpy(req->principals, m->seg[0], sizeof(req->principals));
	if (!kvd_principal_is_valid(&req->principals[0]) ||
	    !kvd_principal_is_valid(&req->principals[1]))
		return -EBADMSG;
	memcpy(req->path, m->seg[1], m->msg.len[1]);
	req->who.caller = &req->principals[0];
	req->who.opener = &req->principals[1];
	req->who.tenant_kind = m->msg.tenant_kind;
	switch (m->msg.type) {
	case KVAULT_MSG_CONTROL:
		return take_control(req, m);
	case KVAULT_MSG_ACCESS:
		return take_access(req, m);
	default:
		return -EBADMSG;
	}
}

int kvd_request_parse(struct kvd_context *ctx, const uint8_t *data, size_t len,
		      struct kvd_request **ret)
{
	struct kvd_request *req;
	struct kvd_message m;
	int r;

	r = kvd_message_parse(data, len, &m);
	if (r < 0)
		return r;
	req = calloc(1, sizeof(*req));
	if (!req)
		return -ENOMEM;
	req->ctx = ctx;
	req->msg = m.msg;
	r = take(req, &m);
	if (r < 0) {
		kvd_request_free(req);
		return r;
	}
	*ret = req;
	return 0;
}

struct kvd_request *kvd_request_own(struct kvd_context *ctx, struct kvd_store *st,
				    const uint8_t *tenant, const char *path, uint32_t timeout_ms)
{
	struct kvd_request *req = calloc(1, sizeof(*req));
	size_t i;

	if (!req)
		return NULL;
	req->ctx = ctx;
	req->st = st;
	req->is_own = true;
	req->msg.type = KVAULT_MSG_CONTROL;
	req->msg.op = KVAULT_METHOD_POST;
	req->msg.tenant_kind = st == ctx->host ? KVAULT_TENANT_HOST : KVAULT_TENANT_EPHEMERAL;
	req->msg.deadline = kvd_time_now(CLOCK_BOOTTIME) + timeout_ms * 1000000ull;
	memcpy(req->msg.tenant, tenant, KVAULT_ID_SIZE);
	for (i = 0; i < ARRAY_SIZE(req->principals); i++)
		req->principals[i].flags = KVAULT_PRINCIPAL_ADMIN;
	req->who.caller = &req->principals[0];
	req->who.opener = &req->principals[1];
	req->who.tenant_kind = req->msg.tenant_kind;
	req->type = KVAULT_TYPE_KEY;
	req->body = json_object();
	snprintf(req->path, sizeof(req->path), "%s", path);
	if (!req->body || split_path(req) < 0 ||
	    getrandom(req->msg.request_id, KVAULT_ID_SIZE, 0) != KVAULT_ID_SIZE)
		return kvd_request_free(req);
	return req;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of one name or value; -EINVAL for a bad escape, -EMSGSIZE when it is too long. */
static int percent_decode(const char *p, size_t len, char *ret, size_t size)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++) {
		int c = (unsigned char)p[i];

		if (c == '%') {
			if (len - i < 3 || hex_digit(p[i + 1]) < 0 || hex_digit(p[i + 2]) < 0)
				return -EINVAL;
			c = hex_digit(p[i + 1]) << 4 | hex_digit(p[i + 2]);
			i += 2;
		}
		if (!c)
			return -EINVAL;
		if (n + 1 >= size)
			return -EMSGSIZE;
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return 0;
}

int kvd_request_query_nth(const struct kvd_request *req, size_t n, char *name, size_t name_size,
			  char *ret, size_t size)
{
	const char *p = req->query;
	size_t len, eq;
	int r;

	for (; p && *p; p += len, p += *p == '&') {
		len = strcspn(p, "&");
		eq = strcspn(p, "=&");
		if (n--)
			continue;
		*ret = '\0';
		r = percent_decode(p, eq, name, name_size);
		if (!r && eq < len)
			r = percent_decode(p + eq + 1, len - eq - 1, ret, size);
		return r < 0 ? r : 1;
	}
	return 0;
}

int kvd_request_query(const struct kvd_request *req, const char *name, char *ret, size_t size)
{
	const char *p = req->query;
	char found[64];

	while (p && *p) {
		size_t len = strcspn(p, "&"), eq = strcspn(p, "=&");
		int r;

		if (percent_decode(p, eq, found, sizeof(found)) == 0 && !strcmp(found, name)) {
			r = eq < len ? percent_decode(p + eq + 1, len - eq - 1, ret, size) : 0;
			if (eq == len)
				*ret = '\0';
			return r < 0 ? r : 1;
		}
		p += len;
		p += *p == '&';
	}
	return 0;
}

uint32_t kvd_request_left_ms(const struct kvd_request *req)
{
	uint64_t now = kvd_time_now(CLOCK_BOOTTIME), left;

	if (req->msg.deadline <= now)
		return 1;
	left = (req->msg.deadline - now) / 1000000;
	if (left > KVAULT_TIMEOUT_MS_MAX)
		left = KVAULT_TIMEOUT_MS_MAX;
	return left ? (uint32_t)left : 1;
}
