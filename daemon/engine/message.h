/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_MESSAGE_H
#define KVE_MESSAGE_H

#include "engine/engine.h"

/* A KVAULT_MSG_ENGINE, taken apart; pointers lead into the buffer it came in. */
struct kve_request {
	struct kvault_msg msg;
	struct kvault_engine_req req;
	struct kve_type type;
	const uint8_t *in;
	size_t in_len;
	struct kve_material material;
};

/*
 * Takes a message apart. Returns 0; -EBADMSG when not even the header can be
 * believed, so that there is nothing to answer; -EINVAL or -EOPNOTSUPP when
 * the request is wrong, ret->msg holds then what an answer needs.
 */
int kve_message_parse(const uint8_t *buf, size_t len, struct kve_request *ret,
		      struct kve_reply *reply);

/*
 * Where in a buffer for answers the output of an operation goes, and how the
 * answer around it is completed: header in front, material behind. Returns
 * the length of the answer.
 */
void kve_message_prepare(uint8_t *buf, size_t size, struct kve_reply *ret);
size_t kve_message_finish(uint8_t *buf, const struct kvault_msg *request, int status,
			  const struct kve_reply *reply);

#endif /* KVE_MESSAGE_H */
