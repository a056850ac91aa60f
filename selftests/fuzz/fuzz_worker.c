// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of the kernel to an engine's worker. The input is one or more: two
 * bytes of length and the message; what it says of lengths may be wrong.
 * pkgs: jansson libcrypto
 * options: -max_len=9000
 */
#include "fuzz.h"
#include "engine/worker.h"

/* To find primes takes a second and tells us nothing. */
static bool is_slow(const uint8_t *data, size_t size)
{
	struct kvault_engine_req req;
	struct kvault_msg msg;

	if (size < sizeof(msg) + sizeof(req))
		return false;
	memcpy(&msg, data, sizeof(msg));
	memcpy(&req, data + sizeof(msg), sizeof(req));
	return msg.op == KVAULT_ENGINE_OP_GENERATE && req.kty == KVAULT_KTY_RSA;
}

static void one(struct kve_worker *w, const uint8_t *data, size_t size)
{
	static uint8_t out[KVE_ANSWER_MAX];
	struct kvault_msg in, msg;
	size_t sum = sizeof(msg);
	ssize_t n;
	int i;

	if (is_slow(data, size))
		return;
	n = kve_worker_handle(w, data, size, out, sizeof(out));
	if (n < 0)
		return;
	MUST((size_t)n >= sizeof(msg) && (size_t)n <= sizeof(out));
	memcpy(&in, data, sizeof(in));
	memcpy(&msg, out, sizeof(msg));
	for (i = 0; i < KVAULT_MSG_SEGMENTS; i++)
		sum += msg.len[i];
	/* what the kernel asks of an answer */
	MUST(sum == (size_t)n && msg.size == sizeof(msg) && msg.cookie == in.cookie &&
	     msg.generation == in.generation && msg.status <= 0 && !msg.len[0] && !msg.len[1]);
	MUST(!memcmp(msg.request_id, in.request_id, sizeof(msg.request_id)));
	if (msg.status)
		MUST(!msg.len[3] && msg.len[2] <= KVE_WHY_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kve_reply reply = { .why = "" };
	struct kve_worker w = { .backend = &kve_openssl };
	uint8_t *copy;
	size_t len;

	MUST(!kve_openssl.open(NULL, &w.state, &reply));
	while (size >= 2) {
		len = (size_t)data[0] | (size_t)data[1] << 8;
		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		/* of its own, so that a byte too much is seen */
		copy = malloc(len ? len : 1);
		MUST(copy);
		memcpy(copy, data, len);
		one(&w, copy, len);
		free(copy);
		data += len;
		size -= len;
	}
	kve_worker_done(&w);
	kve_openssl.close(w.state);
	return 0;
}
