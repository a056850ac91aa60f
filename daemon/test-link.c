// SPDX-License-Identifier: GPL-2.0-only
#include "test-link.h"

struct test_link test_link;

static struct test_event *note(enum test_event_kind kind)
{
	struct test_event *e = &test_link.events[test_link.n_events];

	if (test_link.n_events == TEST_EVENTS)
		abort();
	test_link.n_events++;
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	return e;
}

static void wake(void)
{
	if (write(test_link.fds[1], "x", 1) != 1)
		abort();
}

void test_link_put(const struct kvault_msg *msg, const void *const seg[4])
{
	size_t len = sizeof(*msg), i;
	uint8_t *p;

	for (i = 0; i < 4; i++)
		len += msg->len[i];
	p = malloc(len);
	if (!p || test_link.n_queue == TEST_EVENTS)
		abort();
	memcpy(p, msg, sizeof(*msg));
	len = sizeof(*msg);
	for (i = 0; i < 4; i++) {
		if (msg->len[i])
			memcpy(p + len, seg[i], msg->len[i]);
		len += msg->len[i];
	}
	test_link.queue_len[test_link.n_queue] = len;
	test_link.queue[test_link.n_queue++] = p;
	wake();
}

struct test_event *test_link_last(enum test_event_kind kind)
{
	size_t i = test_link.n_events;

	while (i--)
		if (test_link.events[i].kind == kind)
			return &test_link.events[i];
	return NULL;
}

size_t test_link_count(enum test_event_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < test_link.n_events; i++)
		n += test_link.events[i].kind == kind;
	return n;
}

/* As long as the material: nothing here opens it. */
static int seal(void *data, struct kvault_seal *arg)
{
	const struct kvault_binding *b = (void *)(uintptr_t)arg->binding;
	uint32_t len = b->type == KVAULT_TYPE_SECRET ? arg->in_len :
						       b->bits / 8 + KVAULT_BLOB_OVERHEAD;

	(void)data;
	if (test_link.n_seals_fail)
		return -EHOSTDOWN;
	if (arg->out_len < len)
		return -EMSGSIZE;
	memset((void *)(uintptr_t)arg->out, 0x5a, len);
	arg->out_len = len;
	return 0;
}

static int submit(void *data, struct kvault_submit *arg)
{
	struct test_event *e;

	(void)data;
	if (test_link.submit_result)
		return test_link.submit_result;
	e = note(TEST_SUBMIT);
	e->cookie = arg->cookie;
	e->bits = ((struct kvault_binding *)(uintptr_t)arg->binding)->bits;
	e->op = arg->op;
	memcpy(e->msg.request_id, arg->request_id, sizeof(e->msg.request_id));
	return 0;
}

static int root_wrap(void *data, struct kvault_root_wrap *arg)
{
	(void)data;
	memset(arg->wrapped, 1, sizeof(arg->wrapped));
	return 0;
}

static int policy_set(void *data, const uint8_t *tenant, uint64_t revision)
{
	(void)data;
	(void)tenant;
	note(TEST_POLICY_SET)->revision = revision;
	return 0;
}

static int object_set(void *data, const uint8_t *tenant, const uint8_t *key,
		      const uint8_t *version, uint64_t revision, uint32_t state)
{
	struct test_event *e = note(TEST_OBJECT_SET);

	(void)data;
	(void)tenant;
	(void)key;
	(void)version;
	e->revision = revision;
	e->state = state;
	return test_link.object_set_result;
}

static int tenants(void *data, int (*fn)(const struct kvd_kernel_tenant *t, void *udata),
		   void *udata)
{
	size_t i;
	int r = 0;

	(void)data;
	for (i = 0; !r && i < test_link.n_live; i++)
		r = fn(&test_link.live[i], udata);
	return r;
}

static int engines(void *data, int (*fn)(const struct kvd_kernel_engine *e, void *udata),
		   void *udata)
{
	(void)data;
	(void)fn;
	(void)udata;
	return 0;
}

void test_link_reset(void)
{
	test_link_done();
	memset(&test_link, 0, sizeof(test_link));
	test_link.kernel = (struct kvd_kernel){ NULL, seal, submit, root_wrap, policy_set,
						object_set, tenants, engines };
	test_link.generation = 1;
	test_link.submit_result = -EHOSTDOWN;
	if (pipe(test_link.fds) < 0)
		abort();
}

void test_link_done(void)
{
	size_t i;

	for (i = 0; i < test_link.n_queue; i++)
		free(test_link.queue[i]);
	for (i = 0; i < test_link.n_events; i++)
		free(test_link.events[i].json);
	if (test_link.fds[0]) {
		close(test_link.fds[0]);
		close(test_link.fds[1]);
	}
	memset(&test_link, 0, sizeof(test_link));
}

/* --- link.h ------------------------------------------------------------------- */

int kvd_link_open(const char *device, struct kvd_link **ret, struct kvd_why *why)
{
	(void)device;
	(void)why;
	*ret = (struct kvd_link *)&test_link;
	return 0;
}

struct kvd_link *kvd_link_close(struct kvd_link *link)
{
	(void)link;
	return NULL;
}

int kvd_link_claim(struct kvd_link *link, uint64_t *ret_generation, struct kvd_why *why)
{
	(void)link;
	(void)why;
	*ret_generation = test_link.generation++;
	return 0;
}

int kvd_link_hello(struct kvd_link *link, const struct kvd_meta *meta, bool *ret_has_root,
		   struct kvd_why *why)
{
	(void)link;
	(void)meta;
	(void)why;
	*ret_has_root = true;
	return 0;
}

int kvd_link_bye(struct kvd_link *link)
{
	(void)link;
	note(TEST_BYE);
	return 0;
}

int kvd_link_fd(const struct kvd_link *link)
{
	(void)link;
	return test_link.fds[0];
}

ssize_t kvd_link_next(struct kvd_link *link, uint8_t *buf)
{
	size_t i = test_link.next;
	char c;

	(void)link;
	if (i == test_link.n_queue)
		return 0;
	if (read(test_link.fds[0], &c, 1) != 1)
		abort();
	memcpy(buf, test_link.queue[i], test_link.queue_len[i]);
	return (ssize_t)test_link.queue_len[test_link.next++];
}

int kvd_link_reply(struct kvd_link *link, const void *msg, size_t len)
{
	const struct kvault_msg *m = msg;
	const char *p = (const char *)(m + 1);
	struct test_event *e = note(TEST_REPLY);

	(void)link;
	if (len != sizeof(*m) + m->len[0] + m->len[1] + m->len[2] + m->len[3])
		abort();
	e->msg = *m;
	e->n_endless = test_link.n_endless;
	if (m->len[0] == sizeof(e->grant))
		memcpy(&e->grant, p, sizeof(e->grant));
	e->json = strndup(p + m->len[0], m->len[2]);
	return test_link.reply_result;
}

static size_t make_records(struct kvault_audit_rec *rec, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		memset(&rec[i], 0, sizeof(rec[i]));
		rec[i].size = sizeof(rec[i]);
		rec[i].type = KVAULT_AUDIT_SINGLE;
		rec[i].seq = ++test_link.n_endless;
		rec[i].op = KVAULT_OP_SIGN;
		rec[i].count = 1;
		memcpy(rec[i].tenant, test_link.endless, sizeof(rec[i].tenant));
	}
	return n * sizeof(*rec);
}

ssize_t kvd_link_audit(struct kvd_link *link, void *buf, size_t size, bool *ret_more)
{
	(void)link;
	*ret_more = test_link.endless;
	if (test_link.endless)
		return (ssize_t)make_records(buf, size / sizeof(test_link.audit[0]));
	if (test_link.next_audit == test_link.n_audit)
		return 0;
	memcpy(buf, &test_link.audit[test_link.next_audit++], sizeof(test_link.audit[0]));
	*ret_more = test_link.next_audit < test_link.n_audit;
	return sizeof(test_link.audit[0]);
}

int kvd_link_audit_ack(struct kvd_link *link, const uint8_t *tenant, uint64_t seq)
{
	(void)link;
	(void)tenant;
	note(TEST_ACK)->revision = seq;
	return 0;
}

const struct kvd_kernel *kvd_link_kernel(struct kvd_link *link)
{
	(void)link;
	return &test_link.kernel;
}
