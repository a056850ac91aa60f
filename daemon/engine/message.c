// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages between kernel and engine: header, four segments, no padding
 * between. A kernel of a later ABI may send longer structs; what this engine
 * does not know of them must be zero.
 *
 *	request  [kvault_msg][kvault_engine_req][ ][input][material]
 *	answer   [kvault_msg]                  [ ][ ][output][material]
 */
#include "engine/message.h"

enum { SEG_REQ, SEG_UNUSED, SEG_DATA, SEG_MATERIAL };

#define STRUCT_MAX	4096

static int is_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	while (len--)
		any |= *p++;
	return !any;
}

/* Copies a struct whose sender may know more fields, or fewer behind min. */
static int copy_struct(void *dst, size_t known, const uint8_t *src, size_t size, size_t min)
{
	if (size < min || size > STRUCT_MAX)
		return -EINVAL;
	if (size > known && !is_zero(src + known, size - known))
		return -EOPNOTSUPP;
	memset(dst, 0, known);
	memcpy(dst, src, size < known ? size : known);
	return 0;
}

static int parse_header(const uint8_t *buf, size_t len, struct kvault_msg *msg)
{
	uint64_t sum;
	uint32_t size;

	if (len < sizeof(*msg) || len > KVAULT_MSG_MAX)
		return -EBADMSG;
	memcpy(&size, buf, sizeof(size));
	if (size > len || copy_struct(msg, sizeof(*msg), buf, size, sizeof(*msg)) < 0)
		return -EBADMSG;
	sum = size;
	for (int i = 0; i < KVAULT_MSG_SEGMENTS; i++)
		sum += msg->len[i];
	return sum == len ? 0 : -EBADMSG;
}

static int parse_req(const uint8_t *p, size_t len, struct kvault_engine_req *req,
		     struct kve_reply *reply)
{
	uint32_t size;
	int r;

	if (len < sizeof(size))
		return kve_refuse(reply, -EINVAL, "the request is too short");
	memcpy(&size, p, sizeof(size));
	if (size != len)
		return kve_refuse(reply, -EINVAL, "the request's size is not its length");
	r = copy_struct(req, sizeof(*req), p, len, sizeof(*req));
	if (r < 0)
		return kve_refuse(reply, r, "the request has a wrong size or unknown fields");
	return 0;
}

/* Which of input and material an operation must have. */
static int check_segments(const struct kve_request *q, struct kve_reply *reply)
{
	size_t max_material = KVAULT_MATERIAL_MAX;
	int wants_in = 0, wants_material = 0;

	switch (q->msg.op) {
	case KVAULT_ENGINE_OP_IMPORT:
		max_material = KVAULT_PAYLOAD_MAX / 2;
		wants_material = 1;
		break;
	case KVAULT_ENGINE_OP_LOAD:
	case KVAULT_ENGINE_OP_DESTROY:
		wants_material = 1;
		break;
	case KVAULT_ENGINE_OP_CRYPT:
		wants_in = 1;
		break;
	case KVAULT_ENGINE_OP_GENERATE:
	case KVAULT_ENGINE_OP_FORGET:
		break;
	default:
		return kve_refuse(reply, -EOPNOTSUPP, "engines do not know this request");
	}
	if (q->msg.len[SEG_UNUSED] || (!wants_in && q->in_len))
		return kve_refuse(reply, -EINVAL, "the request has an input that it cannot use");
	if (q->in_len > KVAULT_PAYLOAD_MAX + KVAULT_AUX_MAX)
		return kve_refuse(reply, -EINVAL, "the input is too long");
	if (!!q->material.len != wants_material || q->material.len > max_material)
		return kve_refuse(reply, -EINVAL, "the request has %s",
				  !wants_material ? "material that it cannot use" :
				  q->material.len ? "too much material" : "no material");
	return 0;
}

static int check_crypt(const struct kve_request *q, struct kve_reply *reply)
{
	uint32_t op = q->req.operation;

	if (q->msg.op != KVAULT_ENGINE_OP_CRYPT)
		return 0;
	if (!op || op & (op - 1) || op & ~KVAULT_OP_ALL)
		return kve_refuse(reply, -EINVAL, "the request names not one operation");
	if (q->req.aux_len > q->in_len || (q->req.aux_len && op != KVAULT_OP_VERIFY))
		return kve_refuse(reply, -EINVAL, "the signature's length is wrong");
	return 0;
}

int kve_message_parse(const uint8_t *buf, size_t len, struct kve_request *ret,
		      struct kve_reply *reply)
{
	const uint8_t *p = buf;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = parse_header(buf, len, &ret->msg);
	if (r < 0)
		return r;
	p += ret->msg.size;
	if (ret->msg.type != KVAULT_MSG_ENGINE)
		return kve_refuse(reply, -EOPNOTSUPP, "engines do not know this type of message");
	r = parse_req(p, ret->msg.len[SEG_REQ], &ret->req, reply);
	if (r < 0)
		return r;
	p += ret->msg.len[SEG_REQ] + ret->msg.len[SEG_UNUSED];
	ret->in = p;
	ret->in_len = ret->msg.len[SEG_DATA];
	ret->material.data = p + ret->in_len;
	ret->material.len = ret->msg.len[SEG_MATERIAL];
	ret->type = (struct kve_type) { ret->req.kty, ret->req.bits, ret->req.curve };
	r = check_segments(ret, reply);
	return r < 0 ? r : check_crypt(ret, reply);
}

void kve_message_prepare(uint8_t *buf, size_t size, struct kve_reply *ret)
{
	size_t header = sizeof(struct kvault_msg);

	memset(ret, 0, sizeof(*ret));
	ret->out = buf + header;
	ret->out_size = KVAULT_PAYLOAD_MAX;
	/* The output's length is not known yet; finish() closes the gap. */
	ret->material = buf + header + KVAULT_PAYLOAD_MAX;
	ret->material_size = KVAULT_MATERIAL_MAX;
	if (size < header + KVAULT_PAYLOAD_MAX + KVAULT_MATERIAL_MAX)
		ret->out_size = ret->material_size = 0;
}

/* The material was moved, or is not wanted: what is left where it was made goes. */
static void wipe_behind(uint8_t *buf, size_t len, const struct kve_reply *reply)
{
	uint8_t *from = reply->material > buf + len ? reply->material : buf + len;
	uint8_t *end = reply->material + reply->material_size;

	if (from < end)
		kvd_wipe(from, (size_t)(end - from));
}

size_t kve_message_finish(uint8_t *buf, const struct kvault_msg *request, int status,
			  const struct kve_reply *reply)
{
	struct kvault_msg msg = {
		.size = sizeof(msg),
		.type = KVAULT_MSG_ENGINE,
		.generation = request->generation,
		.cookie = request->cookie,
		.revision = request->revision,
		.deadline = request->deadline,
		.tenant_kind = request->tenant_kind,
		.attempts = request->attempts,
		.op = request->op,
		.status = status,
	};
	size_t len;

	memcpy(msg.request_id, request->request_id, sizeof(msg.request_id));
	memcpy(msg.tenant, request->tenant, sizeof(msg.tenant));
	if (status == 0) {
		msg.len[SEG_DATA] = (uint32_t)reply->out_len;
		msg.len[SEG_MATERIAL] = (uint32_t)reply->material_len;
		memmove(buf + sizeof(msg) + reply->out_len, reply->material, reply->material_len);
	} else {
		kvd_wipe(reply->out, reply->out_size);
		msg.len[SEG_DATA] = (uint32_t)strnlen(reply->why, sizeof(reply->why));
		memcpy(buf + sizeof(msg), reply->why, msg.len[SEG_DATA]);
	}
	memcpy(buf, &msg, sizeof(msg));
	len = sizeof(msg) + msg.len[SEG_DATA] + msg.len[SEG_MATERIAL];
	wipe_behind(buf, len, reply);
	return len;
}
