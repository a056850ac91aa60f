// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: a hostile daemon and a hostile engine. Their answers are right, so
 * that something goes on in the kernel, but for what a call says is to be
 * changed in them.
 */
#include <pthread.h>
#include "kfuzz.h"

/* SHA-256 of a nonce of zeros, which is what the tokens have. */
static const uint8_t token_hash[32] = {
	0x66, 0x68, 0x7a, 0xad, 0xf8, 0x62, 0xbd, 0x77, 0x6c, 0x8f, 0xc1, 0x8b, 0x8e, 0x9f, 0x8e,
	0x20, 0x08, 0x97, 0x14, 0x85, 0x6e, 0xe2, 0x33, 0xb3, 0x90, 0x2a, 0x59, 0x1d, 0x0d, 0x5f,
	0x29, 0x25,
};

/* --- the claim -------------------------------------------------------------------- */

long kf_open_ctl(struct kf_lane *l, const uint64_t *a)
{
	int fd = open(KV_CONTROL_DEV, O_RDWR | O_CLOEXEC);

	(void)a;
	if (fd < 0)
		return -errno;
	kf_fd_add(l, KF_CTL, fd);
	return 0;
}

long kf_claim(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_claim c = { .flags = (uint32_t)a[1] };
	long ret = kf_ioctl(l, kf_fd(l, KF_CTL, a[0]), KVAULT_CTL_CLAIM, &c, sizeof(c), a[2],
			    a[3]);

	if (!ret)
		memcpy(l->actor->nonce, c.nonce, sizeof(c.nonce));
	return ret;
}

/* Becomes the daemon, from whatever state. */
long kf_prelude(struct kf_lane *l)
{
	static const uint64_t usual[KF_ARGS];
	int *ctl = &l->actor->fd[KF_CTL][0], *net = &l->actor->fd[KF_NL][0];
	long ret;

	close(*ctl);
	close(*net);
	*ctl = *net = -1;
	ret = kv_root_load(kv_store, kv_root);
	if (!ret)
		ret = kf_open_ctl(l, usual);
	if (!ret)
		ret = kf_net_ensure(l);
	if (!ret)
		ret = kf_claim(l, usual);
	return ret ? ret : kf_hello_now(l);
}

/* --- keys --------------------------------------------------------------------------- */

/* The keys that a path can name. */
static const struct {
	uint32_t kty, bits, curve, ops, flags;
} sorts[KF_KEYS] = {
	{ KVAULT_KTY_OCT, 256, 0, 0x3, KVAULT_KEY_ENABLED },
	{ KVAULT_KTY_OCT, 128, 0, 0xbf, KVAULT_KEY_ENABLED },
	{ KVAULT_KTY_OCT, 256, 0, 0x3f, KVAULT_KEY_ENABLED | KVAULT_KEY_AUDIT_EACH },
	{ KVAULT_KTY_OCT, 512, 0, KVAULT_OP_VOLUME, KVAULT_KEY_ENABLED },
	{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P256, 0xc, KVAULT_KEY_ENABLED },
	{ KVAULT_KTY_RSA, 2048, 0, 0x3f, KVAULT_KEY_ENABLED },
	{ KVAULT_KTY_OCT, 256, 0, 0x3f, KVAULT_KEY_ENABLED | KVAULT_KEY_HSM },
	{ KVAULT_KTY_OCT, 192, 0, 0x3f, KVAULT_KEY_ENABLED | KVAULT_KEY_STOP_ON_EXPIRY },
};

static void binding_of(struct kvault_binding *b, const uint8_t *tenant, unsigned int n)
{
	*b = (struct kvault_binding){
		.type = KVAULT_TYPE_KEY, .kty = sorts[n].kty, .bits = sorts[n].bits,
		.curve = sorts[n].curve, .ops = sorts[n].ops, .flags = sorts[n].flags,
		.name_len = 2, .name = { 'k', (uint8_t)('0' + n) },
	};
	memcpy(b->store, kv_store, sizeof(b->store));
	memcpy(b->tenant, tenant, sizeof(b->tenant));
	memset(b->container, 0xc0, sizeof(b->container));
	kf_ids(b->object, b->version, tenant, n);
}

/* Asks an engine for a key, and is the engine: the blob of an RSA or EC key. */
static int submit_generate(struct kf_lane *l, int ctl, struct kf_key *k)
{
	struct kvault_attach at = { .size = sizeof(at), .kind = KVAULT_ENGINE_OPENSSL };
	struct kvault_submit s = {
		.size = sizeof(s), .cookie = 0xfeed, .engine = KVAULT_ENGINE_OPENSSL,
		.op = KVAULT_ENGINE_OP_GENERATE, .timeout_ms = 1000, .binding = kv_ptr(&k->binding),
	};
	struct kvault_msg *m = (struct kvault_msg *)l->area[KF_OUT].start;
	struct kvault_exchange x = { .size = sizeof(x), .next = kv_ptr(m) };
	struct {
		struct kvault_msg msg;
		uint8_t data[80];
	} r = { .data = "{\"kty\":\"EC\"}" };
	int fd = open(KV_ENGINE_DEV, O_RDWR | O_CLOEXEC), ret, tries = 8;

	ret = fd < 0 ? -errno : kv_ioctl(fd, KVAULT_ENG_ATTACH, &at);
	ret = ret ? ret : kv_ioctl(ctl, KVAULT_CTL_SUBMIT, &s);
	x.next_len = KVAULT_MSG_MAX;
	ret = ret ? ret : kv_ioctl(fd, KVAULT_ENG_EXCHANGE, &x);
	if (!ret && x.next_len && m->op == KVAULT_ENGINE_OP_GENERATE) {
		r.msg = *m;
		r.msg.len[0] = r.msg.len[1] = 0;
		r.msg.len[2] = 12;
		r.msg.len[3] = 64;
		r.msg.status = 0;
		x.reply = kv_ptr(&r);
		x.reply_len = sizeof(r.msg) + 76;
		x.next_len = 0;
		ret = kv_ioctl(fd, KVAULT_ENG_EXCHANGE, &x);
	}
	close(fd);
	while (!ret && tries--) {
		x = (struct kvault_exchange){ .size = sizeof(x), .next = kv_ptr(m) };
		x.next_len = KVAULT_MSG_MAX;
		ret = kv_ioctl(ctl, KVAULT_CTL_EXCHANGE, &x);
		if (ret || !x.next_len)
			break;
		if (m->type != KVAULT_MSG_ENGINE_DONE || m->cookie != 0xfeed || m->status ||
		    m->len[3] > sizeof(k->blob))
			continue;
		k->blob_len = m->len[3];
		memcpy(k->blob, (uint8_t *)(m + 1) + m->len[2], k->blob_len);
		return 0;
	}
	return ret ? ret : -ENOKEY;
}

static struct kf_key *find_or_make(struct kf_lane *l, int ctl, const uint8_t *tenant,
				   unsigned int n)
{
	struct kf_actor *me = l->actor;
	struct kf_key *k;
	uint32_t i;
	size_t len;
	int ret;

	for (i = 0; i < me->keys && i < KF_KEY_CACHE; i++) {
		k = &me->key[i];
		if (!memcmp(k->tenant, tenant, KVAULT_ID_SIZE) &&
		    k->binding.name[1] == (uint8_t)('0' + n))
			return k;
	}
	k = &me->key[i % KF_KEY_CACHE];
	memcpy(k->tenant, tenant, KVAULT_ID_SIZE);
	binding_of(&k->binding, tenant, n);
	k->revision = 1;
	len = sizeof(k->blob);
	if (sorts[n].kty == KVAULT_KTY_OCT)
		ret = kv_seal(ctl, KVAULT_SEAL_GENERATE, &k->binding, k->blob, &len);
	else
		ret = submit_generate(l, ctl, k);
	if (ret)
		return NULL;
	if (sorts[n].kty == KVAULT_KTY_OCT)
		k->blob_len = (uint32_t)len;
	me->keys = i + 1;
	return k;
}

/* The n-th key of a tenant, sealed; made when it is asked for first. */
struct kf_key *kf_key_for(struct kf_lane *l, int ctl, const uint8_t *tenant, unsigned int n)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct kf_key *k;

	pthread_mutex_lock(&lock);
	k = find_or_make(l, ctl, tenant, n);
	pthread_mutex_unlock(&lock);
	return k;
}

/* --- messages ------------------------------------------------------------------------- */

static const uint8_t *segment(const struct kf_message *m, unsigned int n)
{
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		at += m->msg.len[i];
	return at + 128 < sizeof(m->head) ? m->head + at : m->head;
}

static bool remember(struct kf_lane *l, const struct kvault_msg *msg, uint32_t len,
		     struct kf_message *m)
{
	if (len < sizeof(*msg) || len > KVAULT_MSG_MAX)
		return false;
	m->msg = *msg;
	len -= (uint32_t)sizeof(*msg);
	memcpy(m->head, msg + 1, len < sizeof(m->head) ? len : sizeof(m->head));
	l->actor->message[atomic_fetch_add(&l->actor->messages, 1) % KF_FDS] = *m;
	return true;
}

/* 0 is the newest. */
static struct kf_message *message(struct kf_lane *l, uint64_t choice)
{
	return &l->actor->message[(atomic_load(&l->actor->messages) - 1 - choice) % KF_FDS];
}

/* An answer in the making. */
struct answer {
	struct kvault_msg *msg;
	uint32_t len;
};

static void add_segment(struct answer *r, unsigned int n, const void *data, uint32_t len)
{
	if (r->len + len > KF_AREA_SIZE)
		return;
	memcpy((uint8_t *)r->msg + r->len, data, len);
	r->msg->len[n] = len;
	r->len += len;
}

/* Which key a request is for: the path names it, or its id has the number. */
static unsigned int key_number(const struct kf_message *m)
{
	const struct kvault_access *want = (const void *)segment(m, 2);
	const uint8_t *path = segment(m, 1);
	uint32_t len = m->msg.len[1], i;

	for (i = 0; i + 7 < len && i < 100; i++)
		if (!memcmp(path + i, "/keys/k", 7))
			return path[i + 7] % KF_KEYS;
	return want->key[8] % KF_KEYS;
}

static void answer_access(struct kf_lane *l, int ctl, const struct kf_message *m,
			  struct answer *r)
{
	static const char public[] = "{\"kty\":\"EC\",\"x\":\"AA\"}";
	struct kf_key *k = kf_key_for(l, ctl, m->msg.tenant, key_number(m));
	struct kvault_grant g = {
		.size = sizeof(g), .revision = 1, .lease_ops = 1000, .lease_ms = 60000,
	};

	if (!k) {
		r->msg->status = -ENOKEY;
		return;
	}
	/* some leases are short, so that they are renewed */
	if (k->binding.name[1] == '2' || k->binding.name[1] == '7') {
		g.lease_ops = 6;
		g.lease_ms = 500;
	}
	g.ops = k->binding.ops;
	g.revision = k->revision;
	memset(g.lease, 0x1e, sizeof(g.lease));
	memcpy(g.token_hash, token_hash, sizeof(token_hash));
	g.binding = k->binding;
	add_segment(r, 0, &g, sizeof(g));
	add_segment(r, 2, public, sizeof(public) - 1);
	add_segment(r, 3, k->blob, k->blob_len);
}

static void answer_engine(const struct kf_message *m, struct answer *r)
{
	const struct kvault_engine_req *er = (const void *)m->head;
	uint8_t bytes[256] = "{\"kty\":\"EC\"}";

	switch (m->msg.op) {
	case KVAULT_ENGINE_OP_GENERATE:
	case KVAULT_ENGINE_OP_IMPORT:
		add_segment(r, 2, bytes, 12);
		add_segment(r, 3, bytes, 64);
		break;
	case KVAULT_ENGINE_OP_CRYPT:
		if (er->operation != KVAULT_OP_VERIFY)
			add_segment(r, 2, bytes, er->kty == KVAULT_KTY_RSA ? 256 : 64);
	}
}

static void answer_to(struct kf_lane *l, int ctl, const struct kf_message *m, struct answer *r)
{
	r->msg = (struct kvault_msg *)l->area[KF_AUX].start;
	*r->msg = m->msg;
	memset(r->msg->len, 0, sizeof(r->msg->len));
	r->msg->status = 0;
	r->len = sizeof(*r->msg);
	switch (m->msg.type) {
	case KVAULT_MSG_CONTROL:
		r->msg->status = 200;
		add_segment(r, 2, "{\"a\":1}", 7);
		break;
	case KVAULT_MSG_ACCESS:
		answer_access(l, ctl, m, r);
		break;
	case KVAULT_MSG_ENGINE:
		answer_engine(m, r);
	}
}

/* One change: low byte which, then where, upper half what. */
static void spoil(struct answer *r, uint64_t how)
{
	uint32_t at = (uint32_t)(how >> 8 & 0xffffff), value = (uint32_t)(how >> 32);
	uint32_t *word = (uint32_t *)((uint8_t *)r->msg + at % (r->len - 3));

	switch (how & 0xff) {
	case 1:
		*word = value;
		break;
	case 2:
		*word += value;
		break;
	case 3:
		*word ^= 1u << (value & 31);
		break;
	case 4:
		r->msg->len[at & 3] = value;
		break;
	case 5:
		r->len = value;
		break;
	case 6:
		value %= 80000;
		if (r->len + value < KF_AREA_SIZE) {
			memset((uint8_t *)r->msg + r->len, 'x', value);
			r->msg->len[3] += value;
			r->len += value;
		}
	}
}

/*
 * file, which message, two changes, status, pointer, segment to leave out, flags
 */
static long reply(struct kf_lane *l, int fd, unsigned long cmd, const struct kf_message *m,
		  const uint64_t *a)
{
	struct kvault_exchange x = { .flags = (uint32_t)a[7] & ~1u };
	struct answer r;

	answer_to(l, l->actor->fd[KF_CTL][0], m, &r);
	if (a[4])
		r.msg->status = (int32_t)a[4];
	if (a[6] & 4)
		memcpy(r.msg->tenant, message(l, a[1] + 1)->msg.tenant, 16);
	spoil(&r, a[2]);
	if (r.len >= 8 && r.len < KF_AREA_SIZE)
		spoil(&r, a[3]);
	x.reply_len = r.len;
	x.reply = kf_put(l, KF_IN, a[5], r.msg, r.len < KF_AREA_SIZE ? r.len : KF_AREA_SIZE);
	return kf_ioctl(l, fd, cmd, &x, sizeof(x), 0, 0);
}

/* Somebody may be about to ask: only then it is worth to wait. */
static bool is_anyone_busy(const struct kf_lane *l)
{
	int i, j;

	for (i = 0; i < KF_ACTORS; i++)
		for (j = 0; j < KF_LANES; j++)
			if ((i != l->actor->nr || j != l->nr) &&
			    atomic_load(&kf_shared->slot[i][j].is_busy))
				return true;
	return false;
}

/* file, flags, size of the buffer, pointer, size and pointer of the struct */
static long take(struct kf_lane *l, int fd, unsigned long cmd, const uint64_t *a,
		 struct kf_message *m)
{
	struct kvault_exchange x = { .flags = (uint32_t)a[1] & ~1u };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	long ret;

	poll(&p, 1, is_anyone_busy(l) ? (int)kf_shared->patience / 2 : 0);
	x.next_len = a[2] ? (uint32_t)a[2] : KVAULT_MSG_MAX;
	x.next = kf_buf(l, KF_OUT, a[3], x.next_len);
	ret = kf_ioctl(l, fd, cmd, &x, sizeof(x), a[4], a[5]);
	if (!ret && (a[3] & 0xff) == 0 &&
	    remember(l, (struct kvault_msg *)l->area[KF_OUT].start, x.next_len, m))
		return 1;
	return ret;
}

/* Takes a message that is there or comes soon, and answers it. */
static long serve(struct kf_lane *l, int fd, unsigned long cmd, const uint64_t *a)
{
	static const uint64_t usual[KF_ARGS];
	struct kf_message m;
	long ret;

	ret = take(l, fd, cmd, usual, &m);
	if (ret <= 0)
		return ret ? ret : -EAGAIN;
	return reply(l, fd, cmd, &m, a);
}

long kf_take(struct kf_lane *l, const uint64_t *a)
{
	struct kf_message m;

	return take(l, kf_fd(l, KF_CTL, a[0]), KVAULT_CTL_EXCHANGE, a, &m);
}

long kf_reply(struct kf_lane *l, const uint64_t *a)
{
	return reply(l, kf_fd(l, KF_CTL, a[0]), KVAULT_CTL_EXCHANGE, message(l, a[1]), a);
}

long kf_serve(struct kf_lane *l, const uint64_t *a)
{
	long ret = serve(l, kf_fd(l, KF_CTL, a[0]), KVAULT_CTL_EXCHANGE, a);

	if ((ret == -EPERM || ret == -EBADF) && a[0] < KF_FDS && !kf_prelude(l))
		ret = serve(l, kf_fd(l, KF_CTL, 0), KVAULT_CTL_EXCHANGE, a);
	return ret;
}

/* --- other calls of a daemon ------------------------------------------------------------ */

/* Changes a word of a struct, as spoil() does. */
static void spoil_struct(void *s, uint32_t len, uint64_t how)
{
	struct answer r = { s, len };

	if ((how & 0xff) >= 1 && (how & 0xff) <= 3)
		spoil(&r, how);
}

/* file, source, key, change of the binding, of the blob, room, pointers, flags */
long kf_seal(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_seal s = {
		.flags = (uint32_t)a[7] >> 16, .source = (uint32_t)a[1], .out_len = (uint32_t)a[5],
	};
	int fd = kf_fd(l, KF_CTL, a[0]);
	struct kf_key *k = kf_key_for(l, fd, kv_host, (unsigned int)a[2] % KF_KEYS);
	struct kvault_binding b, old;
	uint8_t blob[sizeof(k->blob)];

	if (!k)
		return -ENOKEY;
	if (a[1] >> 8 & 1)	/* what another process of ours has told about a request */
		memcpy(s.request_id, message(l, 0)->msg.request_id, 16);
	b = old = k->binding;
	spoil_struct(&b, sizeof(b), a[3]);
	if (a[1] >> 9 & 1)
		spoil_struct(&old, sizeof(old), a[3]);
	memcpy(blob, k->blob, sizeof(blob));
	spoil_struct(blob, k->blob_len, a[4]);
	if ((s.source &= 0xff) != KVAULT_SEAL_GENERATE)
		s.in_len = a[4] >> 60 ? (uint32_t)a[4] : k->blob_len;
	s.in = kf_put(l, KF_IN, a[6] & 0xf, blob, k->blob_len);
	s.binding = kf_put(l, KF_NAME, a[6] >> 4 & 0xf, &b, sizeof(b));
	memcpy(l->area[KF_AUX].start, &old, sizeof(old));
	s.old_binding = kv_ptr(l->area[KF_AUX].start);
	s.out = kf_buf(l, KF_OUT, a[6] >> 8 & 0xf, s.out_len);
	return kf_ioctl(l, fd, KVAULT_CTL_SEAL, &s, sizeof(s), a[7] & 0xf, a[7] >> 4 & 0xf);
}

/* Each word of a binding in turn is one value. file, key, value */
long kf_seal_sweep(struct kf_lane *l, const uint64_t *a)
{
	int fd = kf_fd(l, KF_CTL, a[0]);
	struct kf_key *k = kf_key_for(l, fd, kv_host, (unsigned int)a[1] % KF_KEYS);
	struct kvault_binding b;
	long ret = -ENOKEY;
	uint32_t at;

	for (at = 0; k && at < sizeof(b); at += 4) {
		struct kvault_seal s = {
			.size = sizeof(s), .source = KVAULT_SEAL_GENERATE, .binding = kv_ptr(&b),
			.out = kv_ptr(l->area[KF_OUT].start), .out_len = 4096,
		};

		b = k->binding;
		memcpy((uint8_t *)&b + at, &a[2], 4);
		if (!kv_ioctl(fd, KVAULT_CTL_SEAL, &s))
			ret = 0;
	}
	return ret;
}

/* file, operation, key, change of the binding, algorithm, input's length, pointers, engine */
long kf_submit(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_submit s = {
		.cookie = a[4], .engine = (uint32_t)a[7], .op = (uint32_t)a[1],
		.alg = (uint32_t)a[4], .timeout_ms = 50 + (uint32_t)(a[4] & 0xff),
		.in_len = (uint32_t)a[5],
	};
	int fd = kf_fd(l, KF_CTL, a[0]);
	struct kf_key *k = kf_key_for(l, fd, kv_host, (unsigned int)a[2] % KF_KEYS);
	struct kvault_binding b;

	if (!k)
		return -ENOKEY;
	b = k->binding;
	if (a[1] == KVAULT_ENGINE_OP_GENERATE)
		b.version[15] = (uint8_t)a[4];
	spoil_struct(&b, sizeof(b), a[3]);
	memcpy(s.request_id, message(l, a[2])->msg.request_id, 16);
	s.blob_len = a[1] == KVAULT_ENGINE_OP_GENERATE ? 0 : k->blob_len;
	s.binding = kf_put(l, KF_NAME, a[6] & 0xf, &b, sizeof(b));
	s.blob = kf_put(l, KF_AUX, a[6] >> 4 & 0xf, k->blob, k->blob_len);
	s.in = kf_buf(l, KF_IN, a[6] >> 8 & 0xf, s.in_len);
	return kf_ioctl(l, fd, KVAULT_CTL_SUBMIT, &s, sizeof(s), a[6] >> 12 & 0xf,
			a[6] >> 16 & 0xf);
}

long kf_audit_read(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_audit_read r = { .flags = (uint32_t)a[1], .len = (uint32_t)a[2] };

	r.buf = kf_buf(l, KF_OUT, a[3], r.len);
	return kf_ioctl(l, kf_fd(l, KF_CTL, a[0]), KVAULT_CTL_AUDIT_READ, &r, sizeof(r), a[4],
			a[5]);
}

long kf_root_set(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_root_set r = { .flags = (uint32_t)a[1] };

	memcpy(r.store, kv_store, sizeof(r.store));
	memcpy(r.key, kv_root, sizeof(r.key));
	r.key[31] ^= (uint8_t)a[2];
	return kf_ioctl(l, kf_fd(l, KF_CTL, a[0]), KVAULT_CTL_ROOT_SET, &r, sizeof(r), a[3], a[4]);
}

/* For a request that came with a secret: the transit blob is the message's last segment. */
long kf_root_wrap(struct kf_lane *l, const uint64_t *a)
{
	struct kf_message *m = message(l, a[1]);
	struct kvault_root_wrap w = { .flags = (uint32_t)a[2] };
	uint8_t blob[512];
	const uint8_t *from = segment(m, 3);

	memcpy(w.request_id, m->msg.request_id, sizeof(w.request_id));
	memcpy(blob, from, m->head + sizeof(m->head) - from > 512 ? 512 : 128);
	w.secret_len = a[3] ? (uint32_t)a[3] : m->msg.len[3];
	w.secret = kf_put(l, KF_IN, a[4], blob, w.secret_len < 512 ? w.secret_len : 512);
	return kf_ioctl(l, kf_fd(l, KF_CTL, a[0]), KVAULT_CTL_ROOT_WRAP, &w, sizeof(w), a[5],
			a[6]);
}

/* --- an engine ------------------------------------------------------------------------------ */

long kf_open_eng(struct kf_lane *l, const uint64_t *a)
{
	int fd = open(KV_ENGINE_DEV, O_RDWR | O_CLOEXEC);

	(void)a;
	if (fd < 0)
		return -errno;
	kf_fd_add(l, KF_ENG, fd);
	return 0;
}

long kf_attach(struct kf_lane *l, const uint64_t *a)
{
	struct kvault_attach at = {
		.flags = (uint32_t)a[1], .kind = (uint32_t)a[2], .reserved = (uint32_t)a[3],
	};

	return kf_ioctl(l, kf_fd(l, KF_ENG, a[0]), KVAULT_ENG_ATTACH, &at, sizeof(at), a[4], a[5]);
}

long kf_eng_take(struct kf_lane *l, const uint64_t *a)
{
	struct kf_message m;

	return take(l, kf_fd(l, KF_ENG, a[0]), KVAULT_ENG_EXCHANGE, a, &m);
}

long kf_eng_reply(struct kf_lane *l, const uint64_t *a)
{
	return reply(l, kf_fd(l, KF_ENG, a[0]), KVAULT_ENG_EXCHANGE, message(l, a[1]), a);
}

/* File 0 is an engine with software keys, file 1 one with HSM keys. */
long kf_eng_serve(struct kf_lane *l, const uint64_t *a)
{
	int *fd = &l->actor->fd[KF_ENG][a[0] % KF_FDS];
	struct kvault_attach at = { .size = sizeof(at), .kind = 1 + (a[0] & 1) };
	long ret = serve(l, *fd, KVAULT_ENG_EXCHANGE, a);

	if (ret != -EPERM && ret != -EBADF)
		return ret;
	if (*fd < 0)
		*fd = open(KV_ENGINE_DEV, O_RDWR | O_CLOEXEC);
	if (*fd < 0 || kv_ioctl(*fd, KVAULT_ENG_ATTACH, &at))
		return -EPERM;
	return serve(l, *fd, KVAULT_ENG_EXCHANGE, a);
}

/* --- who attends to what no call of a program has answered ------------------------------- */

#define RECORDS	32

static void attend_audit(struct kf_lane *l, int fd)
{
	struct kvault_audit_rec *rec = (struct kvault_audit_rec *)l->area[KF_OUT].start;
	struct kvault_audit_read r = {
		.size = sizeof(r), .buf = kv_ptr(rec), .len = RECORDS * sizeof(*rec),
	};
	uint32_t i, n;

	if (kv_ioctl(fd, KVAULT_CTL_AUDIT_READ, &r))
		return;
	n = r.len / sizeof(*rec);
	for (i = 0; i < n; i++)
		if (i + 1 == n || memcmp(rec[i].tenant, rec[i + 1].tenant, KVAULT_ID_SIZE))
			kf_ack_now(l, rec[i].tenant, rec[i].seq);
}

static void attend_file(struct kf_lane *l, int fd, unsigned long cmd)
{
	static const uint64_t usual[KF_ARGS];
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };

	if (fd < 0 || poll(&p, 1, 0) <= 0 || p.revents & (POLLERR | POLLNVAL))
		return;
	if (p.revents & POLLIN) {
		/* a program's own call comes first */
		kv_sleep_ms(10);
		if (poll(&p, 1, 0) > 0 && p.revents & POLLIN)
			serve(l, fd, cmd, usual);
	}
	if (p.revents & POLLPRI)
		attend_audit(l, fd);
}

/*
 * So that what waits for an answer does not do so for long, and leases are
 * renewed. Not a call: its coverage does not count.
 */
void kf_attend(struct kf_lane *l)
{
	struct kf_actor *me = l->actor;
	int i;

	if (me->nr > 1) {
		pause();
		return;
	}
	kv_sleep_ms(5);
	attend_file(l, me->fd[KF_CTL][0], KVAULT_CTL_EXCHANGE);
	for (i = 0; i < KF_FDS; i++)
		attend_file(l, me->fd[KF_ENG][i], KVAULT_ENG_EXCHANGE);
}
