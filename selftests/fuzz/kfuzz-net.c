// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: the netlink family, from sockets that are the daemon's and others.
 */
#include "kfuzz.h"

/* A socket in the first place, and the family's number. */
int kf_net_ensure(struct kf_lane *l)
{
	struct kf_actor *me = l->actor;
	struct timeval limit = { 2, 0 };
	int ret;

	if (me->fd[KF_NL][0] < 0) {
		ret = kv_nl_socket();
		if (ret < 0)
			return ret;
		setsockopt(ret, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		me->fd[KF_NL][0] = ret;
	}
	if (!me->family) {
		ret = kv_nl_family(me->fd[KF_NL][0]);
		if (ret < 0)
			return ret;
		me->family = (uint16_t)ret;
	}
	return 0;
}

long kf_net_open(struct kf_lane *l, const uint64_t *a)
{
	int fd;

	(void)a;
	if (!l->actor->family)
		return kf_net_ensure(l);
	fd = kv_nl_socket();
	if (fd < 0)
		return fd;
	kf_fd_add(l, KF_NL, fd);
	return 0;
}

static void seen(uint64_t revision)
{
	uint64_t old = atomic_load(&kf_shared->revision);

	while (revision > old &&
	       !atomic_compare_exchange_weak(&kf_shared->revision, &old, revision))
		;
}

static long say_hello(struct kf_lane *l, int fd, uint64_t epoch, uint64_t revision)
{
	struct kv_hello h = {
		l->actor->nonce, kv_store, kv_host, KVAULT_ABI, KVAULT_ABI_MIN, epoch, revision,
	};
	long ret = kv_hello(fd, l->actor->family, &h);

	if (!ret)
		seen(revision);
	return ret;
}

/* With a revision that is not older than any that the kernel has heard of. */
long kf_hello_now(struct kf_lane *l)
{
	int fd = l->actor->fd[KF_NL][0];
	long ret = say_hello(l, fd, 1, atomic_load(&kf_shared->revision));

	return ret == -ESTALE ? say_hello(l, fd, ~0ull, ~0ull) : ret;
}

long kf_hello(struct kf_lane *l, const uint64_t *a)
{
	int fd = kf_fd(l, KF_NL, a[0]);

	return fd < 0 ? -EBADF : say_hello(l, fd, a[1], a[2]);
}

/* Without an acknowledgement: a lane may be waiting for its own on that socket. */
void kf_ack_now(struct kf_lane *l, const uint8_t *tenant, uint64_t seq)
{
	struct kv_nl m;

	kv_nl_begin(&m, l->actor->family, KVAULT_CMD_AUDIT_ACK, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, tenant, KVAULT_ID_SIZE);
	kv_nl_put_u64(&m, KVAULT_A_SEQ, seq);
	m.h.nlmsg_seq = 0xacc;
	send(l->actor->fd[KF_NL][0], &m, m.h.nlmsg_len, MSG_DONTWAIT);
}

/* What every operation has in common; an attribute can be left out, spoilt or doubled. */
struct request {
	struct kv_nl m;
	uint32_t left_out;
	uint64_t how;
};

static void begin(struct kf_lane *l, struct request *r, uint8_t cmd, uint16_t flags, uint64_t how)
{
	kv_nl_begin(&r->m, l->actor->family, cmd, flags);
	r->left_out = (how & 0xff) == 1 ? (uint32_t)(how >> 8 & 0x1f) : 0;
	r->how = how;
}

static void put(struct request *r, uint16_t type, const void *data, size_t len)
{
	uint8_t longer[64] = { 0 };

	if (type == r->left_out)
		return;
	memcpy(longer, data, len);
	if ((r->how & 0xff) == 2 && (r->how >> 8 & 0x1f) == type)
		len = r->how >> 32 & 0x3f;
	kv_nl_put(&r->m, type, longer, len);
	if ((r->how & 0xff) == 3)
		kv_nl_put(&r->m, type, longer, len);
}

static void put_u64(struct request *r, uint16_t type, uint64_t v)
{
	put(r, type, &v, sizeof(v));
}

static void put_u32(struct request *r, uint16_t type, uint32_t v)
{
	put(r, type, &v, sizeof(v));
}

static long send_it(struct kf_lane *l, struct request *r, uint64_t choice)
{
	int fd = kf_fd(l, KF_NL, choice);

	if (fd < 0)
		return -EBADF;
	if ((r->how & 0xff) == 4)
		put_u32(r, (uint16_t)(r->how >> 8), (uint32_t)(r->how >> 32));
	if ((r->how & 0xff) == 5)
		r->m.h.nlmsg_len -= (uint32_t)(r->how >> 32) & 7;
	if ((r->how & 0xff) == 6)
		r->m.g.version = (uint8_t)(r->how >> 8);
	return kv_nl_call(fd, &r->m, NULL, 0);
}

long kf_bye(struct kf_lane *l, const uint64_t *a)
{
	struct request r;

	begin(l, &r, KVAULT_CMD_BYE, 0, a[1]);
	return send_it(l, &r, a[0]);
}

long kf_tenant_get(struct kf_lane *l, const uint64_t *a)
{
	struct request r;

	begin(l, &r, KVAULT_CMD_TENANT_GET, a[2] & 1 ? 0 : NLM_F_DUMP, a[1]);
	return send_it(l, &r, a[0]);
}

long kf_engine_get(struct kf_lane *l, const uint64_t *a)
{
	struct request r;

	begin(l, &r, KVAULT_CMD_ENGINE_GET, a[2] & 1 ? 0 : NLM_F_DUMP, a[1]);
	return send_it(l, &r, a[0]);
}

/* The host, or whose request came last. */
static const uint8_t *tenant(struct kf_lane *l, uint64_t choice)
{
	return choice & 1 ? l->actor->message[choice % KF_FDS].msg.tenant : kv_host;
}

/* A host whose policy is far ahead is of no use for what comes after. */
static uint64_t near(uint64_t revision)
{
	return revision < 1ull << 32 ? atomic_load(&kf_shared->revision) + revision : revision;
}

long kf_policy_set(struct kf_lane *l, const uint64_t *a)
{
	struct request r;
	long ret;

	begin(l, &r, KVAULT_CMD_POLICY_SET, 0, a[1]);
	put(&r, KVAULT_A_TENANT, tenant(l, a[2]), KVAULT_ID_SIZE);
	put_u64(&r, KVAULT_A_REVISION, near(a[3]));
	ret = send_it(l, &r, a[0]);
	if (!ret && !(a[2] & 1))
		seen(near(a[3]));
	return ret;
}

/* socket, change, tenant, key, state, revision, version too? */
long kf_object_set(struct kf_lane *l, const uint64_t *a)
{
	const uint8_t *t = tenant(l, a[2]);
	uint8_t object[KVAULT_ID_SIZE], version[KVAULT_ID_SIZE];
	struct request r;
	uint32_t i;
	long ret;

	kf_ids(object, version, t, (unsigned int)a[3] & 7);
	begin(l, &r, KVAULT_CMD_OBJECT_SET, 0, a[1]);
	put(&r, KVAULT_A_TENANT, t, KVAULT_ID_SIZE);
	put(&r, KVAULT_A_KEY, object, sizeof(object));
	if (a[6] & 1)
		put(&r, KVAULT_A_VERSION, version, sizeof(version));
	put_u64(&r, KVAULT_A_REVISION, 1 + a[5]);
	put_u32(&r, KVAULT_A_STATE, (uint32_t)a[4]);
	ret = send_it(l, &r, a[0]);
	if (ret)
		return ret;
	if (!(a[2] & 1))
		seen(1 + a[5]);
	/* from now on a grant must be as new as that */
	for (i = 0; i < l->actor->keys && i < KF_KEY_CACHE; i++)
		if (!memcmp(l->actor->key[i].binding.object, object, sizeof(object)))
			l->actor->key[i].revision = 1 + a[5];
	return 0;
}

long kf_audit_ack(struct kf_lane *l, const uint64_t *a)
{
	struct request r;

	begin(l, &r, KVAULT_CMD_AUDIT_ACK, 0, a[1]);
	put(&r, KVAULT_A_TENANT, tenant(l, a[2]), KVAULT_ID_SIZE);
	put_u64(&r, KVAULT_A_SEQ, a[3]);
	return send_it(l, &r, a[0]);
}

/* Any operation with any attributes, of any length. */
long kf_net_any(struct kf_lane *l, const uint64_t *a)
{
	uint8_t data[64];
	struct request r;
	int i;

	memset(data, (int)a[4], sizeof(data));
	begin(l, &r, (uint8_t)a[1], a[2] & 1 ? NLM_F_DUMP : 0, 0);
	for (i = 0; i < (int)(a[3] & 7); i++)
		kv_nl_put(&r.m, (uint16_t)(a[5] >> 5 * i & 0x1f), data, a[6] >> 6 * i & 0x3f);
	return send_it(l, &r, a[0]);
}
