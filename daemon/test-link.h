/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A double of the module for tests of the whole daemon: messages are put in,
 * answers, pushes and submissions are noted in order.
 */
#ifndef KVD_TEST_LINK_H
#define KVD_TEST_LINK_H

#include "link.h"

#define TEST_EVENTS	64

enum test_event_kind {
	TEST_REPLY,
	TEST_OBJECT_SET,
	TEST_POLICY_SET,
	TEST_SUBMIT,
	TEST_ACK,
	TEST_BYE,
};

struct test_event {
	enum test_event_kind kind;
	struct kvault_msg msg;		/* REPLY; SUBMIT: its request_id */
	char *json;			/* REPLY: segment 2 */
	struct kvault_grant grant;	/* REPLY: segment 0 */
	uint64_t revision;		/* pushes; ACK: the number */
	uint32_t state;
	uint64_t cookie;		/* SUBMIT */
	uint32_t bits;
	uint32_t op;
	uint64_t n_endless;		/* REPLY: records that were read before */
};

struct test_link {
	uint8_t *queue[TEST_EVENTS];	/* messages to be taken */
	size_t queue_len[TEST_EVENTS];
	size_t n_queue, next;
	struct kvault_audit_rec audit[TEST_EVENTS];
	size_t n_audit, next_audit;
	const uint8_t *endless;		/* tenant of which there are always more records */
	uint64_t n_endless;
	struct test_event events[TEST_EVENTS];
	size_t n_events;
	uint64_t generation;
	int object_set_result, submit_result, reply_result;
	bool n_seals_fail;
	struct kvd_kernel_tenant live[4];
	size_t n_live;
	int fds[2];
	struct kvd_kernel kernel;
};

/* The one that kvd_link_open() gives; made anew by test_link_reset(). */
extern struct test_link test_link;

void test_link_reset(void);
void test_link_done(void);

/* A message of four segments; wakes the daemon. */
void test_link_put(const struct kvault_msg *msg, const void *const seg[4]);

/* The last event of a kind, or NULL. */
struct test_event *test_link_last(enum test_event_kind kind);
size_t test_link_count(enum test_event_kind kind);

#endif /* KVD_TEST_LINK_H */
