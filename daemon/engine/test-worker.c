// SPDX-License-Identifier: GPL-2.0-only
/* Messages, right and wrong, into a worker with the openssl backend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/test-keys.h"
#include "engine/worker.h"

/* A message under construction and the answer to it. */
struct talk {
	struct kve_worker worker;
	struct kvault_msg msg;
	struct kvault_engine_req req;
	uint8_t in[8192];
	size_t in_len;
	uint8_t material[KVAULT_PAYLOAD_MAX];
	size_t material_len;
	uint8_t wire[KVAULT_MSG_MAX];
	size_t wire_len;
	uint8_t answer_wire[KVE_ANSWER_MAX];
	struct kvault_msg answer;
	const uint8_t *out;
};

static struct talk talk;

static void begin(uint32_t op)
{
	struct kve_worker w = talk.worker;

	memset(&talk, 0, sizeof(talk));
	talk.worker = w;
	talk.worker.backend = &kve_openssl;
	talk.msg = (struct kvault_msg) {
		.size = sizeof(talk.msg), .type = KVAULT_MSG_ENGINE, .generation = 7,
		.cookie = 0x1122334455667788, .request_id = { 1, 2 }, .tenant = { 3 },
		.revision = 5, .deadline = 99, .tenant_kind = KVAULT_TENANT_HOST,
		.attempts = 1, .op = op,
	};
	talk.req = (struct kvault_engine_req) {
		.size = sizeof(talk.req), .kty = KVAULT_KTY_EC, .curve = KVAULT_CURVE_P256,
	};
}

static void append(const void *p, size_t len)
{
	memcpy(talk.wire + talk.wire_len, p, len);
	talk.wire_len += len;
}

static void assemble(void)
{
	talk.msg.len[0] = sizeof(talk.req);
	talk.msg.len[2] = (uint32_t)talk.in_len;
	talk.msg.len[3] = (uint32_t)talk.material_len;
	talk.wire_len = 0;
	append(&talk.msg, sizeof(talk.msg));
	append(&talk.req, sizeof(talk.req));
	append(talk.in, talk.in_len);
	append(talk.material, talk.material_len);
}

/* Sends what was assembled; returns the status in the answer. */
static int send_wire(void)
{
	ssize_t n = kve_worker_handle(&talk.worker, talk.wire, talk.wire_len, talk.answer_wire,
				      sizeof(talk.answer_wire));
	uint64_t sum = sizeof(talk.answer);

	if (n < 0)
		return (int)n;
	memcpy(&talk.answer, talk.answer_wire, sizeof(talk.answer));
	for (int i = 0; i < KVAULT_MSG_SEGMENTS; i++)
		sum += talk.answer.len[i];
	assert_int_equal(sum, n);
	assert_int_equal(talk.answer.size, sizeof(talk.answer));
	assert_true(talk.answer.generation == talk.msg.generation);
	assert_true(talk.answer.cookie == talk.msg.cookie);
	assert_memory_equal(talk.answer.request_id, talk.msg.request_id, KVAULT_ID_SIZE);
	assert_int_equal(talk.answer.len[0] + talk.answer.len[1], 0);
	talk.out = talk.answer_wire + sizeof(talk.answer);
	for (size_t i = (size_t)n; talk.answer.len[3] && i < sizeof(talk.answer_wire); i++)
		assert_int_equal(talk.answer_wire[i], 0);	/* no second copy of a key */
	if (talk.answer.status) {
		assert_in_range(talk.answer.len[2], 1, KVE_WHY_MAX);
		assert_null(memchr(talk.out, '\n', talk.answer.len[2]));
		assert_int_equal(talk.answer.len[3], 0);
	}
	return talk.answer.status;
}

static int send_it(void)
{
	assemble();
	return send_wire();
}

static int reset(void **state)
{
	(void)state;
	kve_worker_done(&talk.worker);
	assert_int_equal(talk.worker.slots.used, 0);
	return 0;
}

/* Generates a P-256 key and loads it. */
static void load(uint32_t slot)
{
	uint8_t material[KVAULT_MATERIAL_MAX];
	size_t len;

	begin(KVAULT_ENGINE_OP_GENERATE);
	assert_int_equal(send_it(), 0);
	len = talk.answer.len[3];
	memcpy(material, talk.out + talk.answer.len[2], len);
	begin(KVAULT_ENGINE_OP_LOAD);
	talk.req.slot = slot;
	memcpy(talk.material, material, len);
	talk.material_len = len;
	assert_int_equal(send_it(), 0);
	assert_int_equal(talk.answer.len[2] + talk.answer.len[3], 0);
}

static int sign(uint32_t slot)
{
	begin(KVAULT_ENGINE_OP_CRYPT);
	talk.req.slot = slot;
	talk.req.operation = KVAULT_OP_SIGN;
	talk.req.alg = KVAULT_ALG_ES256;
	talk.in_len = 32;
	return send_it();
}

static void key_is_made_loaded_used_and_forgotten(void **state)
{
	uint8_t sig[64];

	(void)state;
	load(0xffffffff);
	assert_int_equal(sign(0xffffffff), 0);
	assert_int_equal(talk.answer.len[2], 64);
	assert_int_equal(talk.answer.len[3], 0);
	memcpy(sig, talk.out, sizeof(sig));

	begin(KVAULT_ENGINE_OP_CRYPT);
	talk.req.slot = 0xffffffff;
	talk.req.operation = KVAULT_OP_VERIFY;
	talk.req.alg = KVAULT_ALG_ES256;
	talk.req.aux_len = 64;
	talk.in_len = 96;
	memcpy(talk.in + 32, sig, 64);
	assert_int_equal(send_it(), 0);
	assert_int_equal(talk.answer.len[2], 0);
	talk.in[0] ^= 1;
	assert_int_equal(send_it(), -EKEYREJECTED);

	begin(KVAULT_ENGINE_OP_FORGET);
	talk.req.slot = 0xffffffff;
	assert_int_equal(send_it(), 0);
	assert_int_equal(sign(0xffffffff), -ENOKEY);
	begin(KVAULT_ENGINE_OP_FORGET);
	talk.req.slot = 0xffffffff;
	assert_int_equal(send_it(), 0);
}

static void slots_do_not_mix(void **state)
{
	(void)state;
	/* Three that share a line of the table, one beside them. */
	load(1);
	load(1 + KVE_SLOT_LINES);
	load(1 + 2 * KVE_SLOT_LINES);
	load(2);
	begin(KVAULT_ENGINE_OP_FORGET);
	talk.req.slot = 1 + KVE_SLOT_LINES;
	assert_int_equal(send_it(), 0);
	assert_int_equal(sign(1 + KVE_SLOT_LINES), -ENOKEY);
	assert_int_equal(sign(1), 0);
	assert_int_equal(sign(1 + 2 * KVE_SLOT_LINES), 0);
	assert_int_equal(sign(2), 0);
}

static void loading_twice_replaces(void **state)
{
	(void)state;
	load(9);
	load(9);
	assert_int_equal(talk.worker.slots.used, 1);
	assert_int_equal(sign(9), 0);
}

static void bad_load_leaves_no_key(void **state)
{
	(void)state;
	load(9);
	begin(KVAULT_ENGINE_OP_LOAD);
	talk.req.slot = 9;
	talk.material_len = 100;
	assert_int_equal(send_it(), -EINVAL);
	assert_int_equal(sign(9), -ENOKEY);
}

static void import_answers_with_public_key_and_material(void **state)
{
	static const struct kve_type ec = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P384 };
	_cleanup_bytes_ struct kvd_bytes der = test_key_der(&ec);

	(void)state;
	begin(KVAULT_ENGINE_OP_IMPORT);
	talk.req.curve = 0;
	memcpy(talk.material, der.data, der.len);
	talk.material_len = der.len;
	assert_int_equal(send_it(), 0);
	assert_in_range(talk.answer.len[2], 1, KVAULT_PUBLIC_MAX);
	assert_in_range(talk.answer.len[3], 1, KVAULT_MATERIAL_MAX);
	assert_int_equal(talk.out[0], '{');
	talk.material_len = der.len - 1;
	assert_int_equal(send_it(), -EINVAL);
}

static void destroying_a_software_key_succeeds(void **state)
{
	(void)state;
	begin(KVAULT_ENGINE_OP_DESTROY);
	talk.material_len = 10;
	assert_int_equal(send_it(), 0);
}

/* Nothing of it can be believed, so nothing is answered. */
static void broken_headers_are_not_answered(void **state)
{
	(void)state;
	load(1);
	begin(KVAULT_ENGINE_OP_FORGET);
	assemble();
	for (size_t len = 0; len < talk.wire_len; len++) {
		size_t whole = talk.wire_len;

		talk.wire_len = len;
		assert_int_equal(send_wire(), -EBADMSG);
		talk.wire_len = whole;
	}
	assemble();
	talk.wire[talk.wire_len++] = 0;		/* a byte too many */
	assert_int_equal(send_wire(), -EBADMSG);
	for (int i = 0; i < KVAULT_MSG_SEGMENTS; i++) {
		begin(KVAULT_ENGINE_OP_FORGET);
		assemble();
		talk.msg.len[i] += 0xfffffff0;	/* a sum that wraps */
		memcpy(talk.wire, &talk.msg, sizeof(talk.msg));
		assert_int_equal(send_wire(), -EBADMSG);
	}
	begin(KVAULT_ENGINE_OP_FORGET);
	talk.msg.size = sizeof(talk.msg) - 1;
	assert_int_equal(send_it(), -EBADMSG);
	begin(KVAULT_ENGINE_OP_FORGET);
	talk.msg.size = 0xffffffff;
	assert_int_equal(send_it(), -EBADMSG);
	assert_int_equal(sign(1), 0);
}

static void wrong_requests_are_answered_with_a_reason(void **state)
{
	(void)state;
	load(1);
	begin(KVAULT_ENGINE_OP_FORGET);
	talk.msg.type = KVAULT_MSG_CONTROL;
	assert_int_equal(send_it(), -EOPNOTSUPP);
	begin(0);
	assert_int_equal(send_it(), -EOPNOTSUPP);
	begin(99);
	assert_int_equal(send_it(), -EOPNOTSUPP);
	begin(KVAULT_ENGINE_OP_FORGET);
	talk.req.size = 4;
	assert_int_equal(send_it(), -EINVAL);
	begin(KVAULT_ENGINE_OP_GENERATE);
	talk.material_len = 1;
	assert_int_equal(send_it(), -EINVAL);
	begin(KVAULT_ENGINE_OP_GENERATE);
	talk.in_len = 1;
	assert_int_equal(send_it(), -EINVAL);
	begin(KVAULT_ENGINE_OP_LOAD);
	assert_int_equal(send_it(), -EINVAL);
	begin(KVAULT_ENGINE_OP_LOAD);
	talk.material_len = KVAULT_MATERIAL_MAX + 1;
	assert_int_equal(send_it(), -EINVAL);
	begin(KVAULT_ENGINE_OP_IMPORT);
	talk.material_len = KVAULT_PAYLOAD_MAX / 2 + 1;
	assert_int_equal(send_it(), -EINVAL);
	begin(KVAULT_ENGINE_OP_FORGET);
	talk.req.slot = 1;
	talk.in_len = 1;
	assert_int_equal(send_it(), -EINVAL);
	assert_int_equal(sign(1), 0);
}

static void wrong_operations_are_refused(void **state)
{
	static const uint32_t operations[] = {
		0, KVAULT_OP_SIGN | KVAULT_OP_VERIFY, 1u << 31, KVAULT_OP_ALL,
	};

	(void)state;
	load(1);
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		sign(1);
		talk.req.operation = operations[i];
		assert_int_equal(send_it(), -EINVAL);
	}
	sign(1);
	talk.req.aux_len = 1;			/* only with VERIFY */
	assert_int_equal(send_it(), -EINVAL);
	sign(1);
	talk.req.operation = KVAULT_OP_VERIFY;
	talk.req.aux_len = 33;			/* more than there is */
	assert_int_equal(send_it(), -EINVAL);
	talk.req.aux_len = 0xffffffff;
	assert_int_equal(send_it(), -EINVAL);
	talk.req.aux_len = 0;
	assert_int_equal(send_it(), -EKEYREJECTED);
	sign(1);
	talk.req.operation = KVAULT_OP_EXPORT;
	assert_int_equal(send_it(), -EOPNOTSUPP);
}

/* A later kernel: larger structs are understood as far as the rest is zero. */
static void larger_structs_are_understood(void **state)
{
	static const uint8_t tail[8];

	(void)state;
	begin(KVAULT_ENGINE_OP_GENERATE);
	for (int value = 0; value < 2; value++) {
		talk.req.size = sizeof(talk.req) + sizeof(tail);
		talk.msg.size = sizeof(talk.msg) + sizeof(tail);
		talk.msg.len[0] = talk.req.size;
		talk.wire_len = 0;
		append(&talk.msg, sizeof(talk.msg));
		append(tail, sizeof(tail));
		append(&talk.req, sizeof(talk.req));
		append(tail, sizeof(tail));
		talk.wire[talk.wire_len - 1] = (uint8_t)value;
		assert_int_equal(send_wire(), value ? -EOPNOTSUPP : 0);
	}
	talk.wire[talk.wire_len - 1] = 0;
	talk.wire[sizeof(talk.msg)] = 1;
	assert_int_equal(send_wire(), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(key_is_made_loaded_used_and_forgotten, reset),
		cmocka_unit_test_teardown(slots_do_not_mix, reset),
		cmocka_unit_test_teardown(loading_twice_replaces, reset),
		cmocka_unit_test_teardown(bad_load_leaves_no_key, reset),
		cmocka_unit_test_teardown(import_answers_with_public_key_and_material, reset),
		cmocka_unit_test_teardown(destroying_a_software_key_succeeds, reset),
		cmocka_unit_test_teardown(broken_headers_are_not_answered, reset),
		cmocka_unit_test_teardown(wrong_requests_are_answered_with_a_reason, reset),
		cmocka_unit_test_teardown(wrong_operations_are_refused, reset),
		cmocka_unit_test_teardown(larger_structs_are_understood, reset),
	};

	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
