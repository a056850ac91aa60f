/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A daemon of our own for tests of what the kernel makes of a bad one: it
 * claims, says HELLO by raw netlink, takes messages and answers as the test
 * likes. Works only where no kvaultd runs and no other root key is loaded.
 */
#ifndef KV_DAEMON_H
#define KV_DAEMON_H

#include <poll.h>
#include <sys/socket.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/kvault_control.h>
#include <linux/kvault_netlink.h>
#include "kv_test.h"

#define KV_CONTROL_DEV	"/dev/kvault-control"
#define KV_ENGINE_DEV	"/dev/kvault-engine"
#define KV_TOKEN_DEV	"/dev/kvault-engine-pkcs11"

static const uint8_t kv_store[KVAULT_ID_SIZE] = "store of a test";
static const uint8_t kv_host[KVAULT_ID_SIZE] = "host of a test.";
static const uint8_t kv_root[32] = "root key of the test in a guest";

struct kv_daemon {
	int ctl;
	int nl;
	uint16_t family;
	uint32_t seq;
	uint64_t generation;
	uint8_t nonce[KVAULT_ID_SIZE];
	union {
		struct kvault_msg msg;		/* the newest, from kv_daemon_next() */
		uint8_t buf[KVAULT_MSG_MAX];
	};
};

/* --- netlink -------------------------------------------------------------- */

struct kv_nl {
	struct nlmsghdr h;
	struct genlmsghdr g;
	uint8_t attrs[512];
};

static KV_MAYBE void kv_nl_begin(struct kv_nl *m, uint16_t type, uint8_t cmd, uint16_t flags)
{
	memset(m, 0, sizeof(*m));
	m->h.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->h.nlmsg_type = type;
	m->h.nlmsg_flags = NLM_F_REQUEST | flags;
	m->g.cmd = cmd;
	m->g.version = 1;
}

static KV_MAYBE void kv_nl_put(struct kv_nl *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)((uint8_t *)m + NLMSG_ALIGN(m->h.nlmsg_len));

	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((uint8_t *)a + NLA_HDRLEN, data, len);
	m->h.nlmsg_len = NLMSG_ALIGN(m->h.nlmsg_len) + (uint32_t)NLA_ALIGN(a->nla_len);
}

static KV_MAYBE void kv_nl_put_u32(struct kv_nl *m, uint16_t type, uint32_t v)
{
	kv_nl_put(m, type, &v, sizeof(v));
}

static KV_MAYBE void kv_nl_put_u64(struct kv_nl *m, uint16_t type, uint64_t v)
{
	kv_nl_put(m, type, &v, sizeof(v));
}

/*
 * Sends and reads up to the acknowledgement or the end of the list. The first
 * answer that is none of both is left in @answer. 0 or -errno of the kernel.
 */
static KV_MAYBE int kv_nl_call(int nl, struct kv_nl *m, void *answer, size_t size)
{
	static uint32_t seq;
	uint8_t buf[8192];
	struct nlmsghdr *h;
	bool has_answer = false;
	ssize_t n;

	m->h.nlmsg_seq = ++seq;
	if (!(m->h.nlmsg_flags & NLM_F_DUMP))
		m->h.nlmsg_flags |= NLM_F_ACK;
	if (send(nl, m, m->h.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		n = recv(nl, buf, sizeof(buf), 0);
		if (n < 0)
			return -errno;
		for (h = (struct nlmsghdr *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == NLMSG_DONE)
				return *(int *)NLMSG_DATA(h);
			if (answer && !has_answer && h->nlmsg_len <= size)
				memcpy(answer, h, h->nlmsg_len);
			has_answer = true;
		}
	}
}

/* Sends what is answered when it is done, unless it is refused at once. */
static KV_MAYBE int kv_nl_send(int nl, struct kv_nl *m, uint32_t seq)
{
	m->h.nlmsg_seq = seq;
	return send(nl, m, m->h.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* The next message with that number, 0 for any. 0 for an answer; what an error says. */
static KV_MAYBE int kv_nl_receive(int nl, uint32_t seq, struct kv_nl *answer)
{
	union {
		struct nlmsghdr h;
		struct kv_nl nl;
		uint8_t buf[8192];
	} u;
	ssize_t n;

	do {
		n = recv(nl, &u, sizeof(u), 0);
		if (n < 0)
			return -errno;
	} while (seq && u.h.nlmsg_seq != seq);
	*answer = u.nl;
	return u.h.nlmsg_type == NLMSG_ERROR ? ((struct nlmsgerr *)NLMSG_DATA(&u.h))->error : 0;
}

/* Data of an attribute of an answer, or NULL. */
static KV_MAYBE const void *kv_nl_find(const struct kv_nl *m, uint16_t type)
{
	const uint8_t *p = m->attrs, *end = (const uint8_t *)m + m->h.nlmsg_len;

	while (p + NLA_HDRLEN <= end) {
		const struct nlattr *a = (const struct nlattr *)p;

		if (a->nla_len < NLA_HDRLEN)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return p + NLA_HDRLEN;
		p += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

static KV_MAYBE int kv_nl_socket(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (nl < 0)
		return -errno;
	return bind(nl, (struct sockaddr *)&a, sizeof(a)) ? -errno : nl;
}

/* Number of the family, or -errno: -ENOENT where it does not exist. */
static KV_MAYBE int kv_nl_family(int nl)
{
	struct kv_nl m, answer = { 0 };
	const uint16_t *id;
	int ret;

	kv_nl_begin(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	kv_nl_put(&m, CTRL_ATTR_FAMILY_NAME, KVAULT_FAMILY_NAME, sizeof(KVAULT_FAMILY_NAME));
	/* the answer is longer than our attributes: all that is wanted comes early */
	{
		struct {
			struct kv_nl nl;
			uint8_t more[4096];
		} big = { .nl = answer };

		ret = kv_nl_call(nl, &m, &big, sizeof(big));
		if (ret)
			return ret;
		id = kv_nl_find(&big.nl, CTRL_ATTR_FAMILY_ID);
		return id ? *id : -ENOENT;
	}
}

/* --- the daemon ----------------------------------------------------------- */

static KV_MAYBE int kv_root_load(const uint8_t *store, const uint8_t *key)
{
	struct kvault_root_set r = { .size = sizeof(r) };
	int fd = open(KV_CONTROL_DEV, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	memcpy(r.store, store, sizeof(r.store));
	memcpy(r.key, key, sizeof(r.key));
	ret = kv_ioctl(fd, KVAULT_CTL_ROOT_SET, &r);
	close(fd);
	return ret;
}

static KV_MAYBE int kv_claim(int ctl, struct kv_daemon *d)
{
	struct kvault_claim c = { .size = sizeof(c) };
	int ret = kv_ioctl(ctl, KVAULT_CTL_CLAIM, &c);

	if (!ret) {
		memcpy(d->nonce, c.nonce, sizeof(d->nonce));
		d->generation = c.generation;
	}
	return ret;
}

struct kv_hello {
	const uint8_t *nonce, *store, *tenant;
	uint32_t abi, abi_min;
	uint64_t epoch, revision;
};

static KV_MAYBE int kv_hello(int nl, uint16_t family, const struct kv_hello *h)
{
	struct kv_nl m;

	kv_nl_begin(&m, family, KVAULT_CMD_HELLO, 0);
	if (h->nonce)
		kv_nl_put(&m, KVAULT_A_NONCE, h->nonce, 16);
	kv_nl_put_u32(&m, KVAULT_A_ABI, h->abi);
	kv_nl_put_u32(&m, KVAULT_A_ABI_MIN, h->abi_min);
	if (h->store)
		kv_nl_put(&m, KVAULT_A_STORE, h->store, 16);
	if (h->tenant)
		kv_nl_put(&m, KVAULT_A_TENANT, h->tenant, 16);
	kv_nl_put_u64(&m, KVAULT_A_EPOCH, h->epoch);
	kv_nl_put_u64(&m, KVAULT_A_REVISION, h->revision);
	return kv_nl_call(nl, &m, NULL, 0);
}

static KV_MAYBE struct kv_hello kv_hello_of(const struct kv_daemon *d, uint64_t revision)
{
	return (struct kv_hello){ d->nonce, kv_store, kv_host, KVAULT_ABI, KVAULT_ABI_MIN, 1,
				  revision };
}

/* Claims and says HELLO; another test's daemon may take a moment to be gone. */
static KV_MAYBE int kv_daemon_start(struct kv_daemon *d, uint64_t revision)
{
	uint64_t end = kv_now_ms() + kv_patience(5000);
	struct kv_hello h;
	int ret;

	ret = kv_root_load(kv_store, kv_root);
	if (ret)
		return ret;
	d->ctl = open(KV_CONTROL_DEV, O_RDWR | O_CLOEXEC);
	d->nl = kv_nl_socket();
	if (d->ctl < 0 || d->nl < 0)
		return -errno;
	ret = kv_nl_family(d->nl);
	if (ret < 0)
		return ret;
	d->family = (uint16_t)ret;
	while ((ret = kv_claim(d->ctl, d)) == -EBUSY && kv_now_ms() < end)
		kv_sleep_ms(10);
	if (ret)
		return ret;
	h = kv_hello_of(d, revision);
	return kv_hello(d->nl, d->family, &h);
}

static KV_MAYBE void kv_daemon_stop(struct kv_daemon *d)
{
	close(d->ctl);
	close(d->nl);
}

static KV_MAYBE int kv_bye(struct kv_daemon *d)
{
	struct kv_nl m;

	kv_nl_begin(&m, d->family, KVAULT_CMD_BYE, 0);
	return kv_nl_call(d->nl, &m, NULL, 0);
}

static KV_MAYBE int kv_policy_set(struct kv_daemon *d, const uint8_t *tenant, uint64_t revision)
{
	struct kv_nl m;

	kv_nl_begin(&m, d->family, KVAULT_CMD_POLICY_SET, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, tenant, 16);
	kv_nl_put_u64(&m, KVAULT_A_REVISION, revision);
	return kv_nl_call(d->nl, &m, NULL, 0);
}

static KV_MAYBE uint32_t kv_object_seq = 1u << 30;	/* not kv_nl_call()'s */

static KV_MAYBE struct kv_nl kv_object_msg(struct kv_daemon *d, const uint8_t *tenant,
					   const uint8_t *key, uint64_t revision, uint32_t state)
{
	struct kv_nl m;

	kv_nl_begin(&m, d->family, KVAULT_CMD_OBJECT_SET, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, tenant, 16);
	kv_nl_put(&m, KVAULT_A_KEY, key, 16);
	kv_nl_put_u64(&m, KVAULT_A_REVISION, revision);
	kv_nl_put_u32(&m, KVAULT_A_STATE, state);
	return m;
}

/* Waits until it is done. */
static KV_MAYBE int kv_object_answer(struct kv_daemon *d, uint32_t seq)
{
	struct kv_nl answer;
	const uint32_t *error;
	int ret = kv_nl_receive(d->nl, seq, &answer);

	if (ret)
		return ret;
	error = kv_nl_find(&answer, KVAULT_A_ERROR);
	return error ? -(int)*error : -EPROTO;
}

static KV_MAYBE int kv_object_set(struct kv_daemon *d, const uint8_t *tenant, const uint8_t *key,
				  uint64_t revision, uint32_t state)
{
	struct kv_nl m;
	int ret;

	m = kv_object_msg(d, tenant, key, revision, state);
	ret = kv_nl_send(d->nl, &m, ++kv_object_seq);
	return ret ? ret : kv_object_answer(d, kv_object_seq);
}

static KV_MAYBE int kv_exchange(int fd, const void *reply, size_t reply_len, void *next,
				size_t *next_len)
{
	struct kvault_exchange x = {
		.size = sizeof(x), .reply = kv_ptr(reply), .reply_len = (uint32_t)reply_len,
		.next = kv_ptr(next), .next_len = next_len ? (uint32_t)*next_len : 0,
	};
	unsigned long cmd = KVAULT_CTL_EXCHANGE;
	int ret = kv_ioctl(fd, cmd, &x);

	if (next_len)
		*next_len = x.next_len;
	return ret;
}

/* Takes the next message within @ms; 0, -ETIME, or -errno. */
static KV_MAYBE int kv_daemon_next(struct kv_daemon *d, int ms)
{
	uint64_t end = kv_now_ms() + kv_patience((unsigned int)ms);
	size_t len;
	int ret;

	do {
		struct pollfd p = { .fd = d->ctl, .events = POLLIN };

		if (poll(&p, 1, 100) < 0)
			return -errno;
		len = sizeof(d->buf);
		ret = kv_exchange(d->ctl, NULL, 0, d->buf, &len);
		if (ret || len)
			return ret;
	} while (kv_now_ms() < end);
	return -ETIME;
}

/* Records that were not read before, up to @max; their number or -errno. */
static KV_MAYBE int kv_audit_read(struct kv_daemon *d, struct kvault_audit_rec *rec, size_t max)
{
	struct kvault_audit_read r = {
		.size = sizeof(r), .buf = kv_ptr(rec), .len = (uint32_t)(max * sizeof(*rec)),
	};
	int ret = kv_ioctl(d->ctl, KVAULT_CTL_AUDIT_READ, &r);

	return ret ? ret : (int)(r.len / sizeof(*rec));
}

static KV_MAYBE int kv_audit_ack(struct kv_daemon *d, const uint8_t *tenant, uint64_t seq)
{
	struct kv_nl m;

	kv_nl_begin(&m, d->family, KVAULT_CMD_AUDIT_ACK, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, tenant, 16);
	kv_nl_put_u64(&m, KVAULT_A_SEQ, seq);
	return kv_nl_call(d->nl, &m, NULL, 0);
}

/* Start of a segment of the newest message. */
static KV_MAYBE const uint8_t *kv_daemon_seg(const struct kv_daemon *d, int n)
{
	const uint8_t *p = d->buf + sizeof(d->msg);
	int i;

	for (i = 0; i < n; i++)
		p += d->msg.len[i];
	return p;
}

/* An answer to the newest message, to be spoilt and sent. */
struct kv_reply {
	struct kvault_msg msg;
	uint8_t data[KVAULT_MSG_MAX];
	size_t len;
};

static KV_MAYBE struct kv_reply *kv_reply_to(const struct kv_daemon *d, int32_t status)
{
	static struct kv_reply r;

	memset(&r, 0, sizeof(r));
	r.msg.size = sizeof(r.msg);
	r.msg.type = d->msg.type;
	r.msg.generation = d->msg.generation;
	r.msg.cookie = d->msg.cookie;
	memcpy(r.msg.request_id, d->msg.request_id, sizeof(r.msg.request_id));
	memcpy(r.msg.tenant, d->msg.tenant, sizeof(r.msg.tenant));
	r.msg.revision = d->msg.revision;
	r.msg.op = d->msg.op;
	r.msg.status = status;
	return &r;
}

/* Segments in their order. */
static KV_MAYBE void kv_reply_seg(struct kv_reply *r, int n, const void *data, size_t len)
{
	memcpy(r->data + r->len, data, len);
	r->msg.len[n] = (uint32_t)len;
	r->len += len;
}

static KV_MAYBE int kv_reply_send(const struct kv_daemon *d, const struct kv_reply *r)
{
	return kv_exchange(d->ctl, &r->msg, sizeof(r->msg) + r->len, NULL, NULL);
}

/* --- keys ----------------------------------------------------------------- */

static KV_MAYBE struct kvault_binding kv_binding(uint8_t nr)
{
	struct kvault_binding b = {
		.type = KVAULT_TYPE_KEY, .kty = KVAULT_KTY_OCT, .bits = 256,
		.ops = KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT, .flags = KVAULT_KEY_ENABLED,
		.name_len = 3, .name = "key",
	};

	memcpy(b.store, kv_store, 16);
	memcpy(b.tenant, kv_host, 16);
	memset(b.container, 0xc0, 16);
	memset(b.object, 0x0b, 16);
	memset(b.version, 0xee, 16);
	b.object[0] = b.version[0] = nr;
	return b;
}

static KV_MAYBE int kv_seal(int ctl, uint32_t source, const struct kvault_binding *b, void *blob,
			    size_t *len)
{
	struct kvault_seal s = {
		.size = sizeof(s), .source = source, .binding = kv_ptr(b), .out = kv_ptr(blob),
		.out_len = (uint32_t)*len,
	};
	int ret = kv_ioctl(ctl, KVAULT_CTL_SEAL, &s);

	*len = s.out_len;
	return ret;
}

static KV_MAYBE struct kvault_grant kv_grant(const struct kvault_binding *b)
{
	struct kvault_grant g = {
		.size = sizeof(g), .ops = b->ops, .revision = 1, .lease_ops = 1000,
		.lease_ms = 60000, .binding = *b,
	};

	memset(g.lease, 0x1e, sizeof(g.lease));
	return g;
}

#endif /* KV_DAEMON_H */
