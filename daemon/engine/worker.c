// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a message asks, done with a backend; and the keys that are loaded. No
 * device here: loop.c carries messages, tests call kve_worker_handle().
 *
 * The kernel may give a message a second time after it gave up waiting, so
 * LOAD replaces what a slot holds and FORGET of an empty slot succeeds.
 */
#include "engine/worker.h"

#include "engine/alg.h"
#include "engine/message.h"

struct kve_slot {
	struct kve_slot *next;
	uint32_t number;
	struct kve_key *key;
};

static struct kve_slot **slot_find(struct kve_slots *slots, uint32_t number)
{
	struct kve_slot **p = &slots->line[number % KVE_SLOT_LINES];

	while (*p && (*p)->number != number)
		p = &(*p)->next;
	return p;
}

static void slot_drop(struct kve_worker *w, uint32_t number)
{
	struct kve_slot **p = slot_find(&w->slots, number), *slot = *p;

	if (!slot)
		return;
	*p = slot->next;
	w->backend->forget(w->state, slot->key);
	free(slot);
	w->slots.used--;
}

static int slot_fill(struct kve_worker *w, uint32_t number, struct kve_key *key)
{
	struct kve_slot **line = &w->slots.line[number % KVE_SLOT_LINES];
	struct kve_slot *slot = malloc(sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = (struct kve_slot) { .next = *line, .number = number, .key = key };
	*line = slot;
	w->slots.used++;
	return 0;
}

static int do_load(struct kve_worker *w, const struct kve_request *q, struct kve_reply *reply)
{
	struct kve_key *key = NULL;
	int r;

	slot_drop(w, q->req.slot);
	if (w->slots.used >= KVE_SLOTS_MAX)
		return kve_refuse(reply, -ENOMEM, "an engine holds %d keys at most",
				  KVE_SLOTS_MAX);
	r = w->backend->load(w->state, &q->type, &q->material, &key, reply);
	if (r < 0)
		return r;
	r = slot_fill(w, q->req.slot, key);
	if (r < 0)
		w->backend->forget(w->state, key);
	return r;
}

static int do_crypt(struct kve_worker *w, const struct kve_request *q, struct kve_reply *reply)
{
	struct kve_slot *slot = *slot_find(&w->slots, q->req.slot);
	struct kve_op op = {
		.alg = kve_alg_find(q->req.alg),
		.operation = q->req.operation,
		.in = q->in,
		.in_len = q->in_len - q->req.aux_len,
		.sig = q->in + q->in_len - q->req.aux_len,
		.sig_len = q->req.aux_len,
	};
	int r;

	if (!slot)
		return kve_refuse(reply, -ENOKEY, "no key is loaded in this slot");
	r = kve_op_check(&slot->key->type, &op, reply);
	return r < 0 ? r : w->backend->crypt(w->state, slot->key, &op, reply);
}

static int carry_out(struct kve_worker *w, const struct kve_request *q, struct kve_reply *reply)
{
	const struct kve_backend *b = w->backend;

	switch (q->msg.op) {
	case KVAULT_ENGINE_OP_GENERATE:
		return b->generate(w->state, &q->type, q->req.version, reply);
	case KVAULT_ENGINE_OP_IMPORT:
		return b->import(w->state, &q->type, &q->material, reply);
	case KVAULT_ENGINE_OP_LOAD:
		return do_load(w, q, reply);
	case KVAULT_ENGINE_OP_CRYPT:
		return do_crypt(w, q, reply);
	case KVAULT_ENGINE_OP_FORGET:
		slot_drop(w, q->req.slot);
		return 0;
	case KVAULT_ENGINE_OP_DESTROY:
		return b->destroy(w->state, &q->material, reply);
	default:
		return -EOPNOTSUPP;
	}
}

ssize_t kve_worker_handle(struct kve_worker *w, const uint8_t *in, size_t in_len,
			  uint8_t *out, size_t out_size)
{
	struct kve_request q;
	struct kve_reply reply;
	int r;

	kve_message_prepare(out, out_size, &reply);
	r = kve_message_parse(in, in_len, &q, &reply);
	if (r == -EBADMSG)
		return r;
	if (r == 0)
		r = carry_out(w, &q, &reply);
	w->is_secret = reply.material_len ||
		       q.req.operation & (KVAULT_OP_DECRYPT | KVAULT_OP_UNWRAP);
	return (ssize_t)kve_message_finish(out, &q.msg, r, &reply);
}

void kve_worker_done(struct kve_worker *w)
{
	for (size_t i = 0; i < KVE_SLOT_LINES; i++)
		while (w->slots.line[i])
			slot_drop(w, w->slots.line[i]->number);
}
