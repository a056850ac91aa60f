/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A daemon and an engine in one, which answer well: for tests that want a call
 * to wait, or to fail, at a place of their choice. kv_serve_until() answers
 * everything up to one message and keeps that; what happens next is the test's.
 * Works where kv_daemon.h does.
 */
#ifndef KV_SERVE_H
#define KV_SERVE_H

#include "kv_daemon.h"

#define KV_MATERIAL	"what an engine made of a private key"
#define KV_JWK		"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}"

enum kv_serve_key {
	KV_AES,			/* all that a symmetric key can do */
	KV_EC,
	KV_RSA,
	KV_DISK,
	KV_KEYS,
};

static const char *const kv_serve_paths[KV_KEYS] = {
	"v/keys/aes", "v/keys/ec", "v/keys/rsa", "v/keys/disk",
};

/* SHA-256 of the nonce in the token of the disk: 32 times 0x5a */
static const uint8_t kv_nonce_hash[32] = {
	0x60, 0xbf, 0x07, 0xc4, 0x88, 0xaa, 0xd1, 0x8f, 0xda, 0x33, 0x9d,
	0xf0, 0x7e, 0x4f, 0xbc, 0x47, 0xb4, 0xf0, 0x0b, 0xe7, 0x17, 0x11,
	0x93, 0x6f, 0x18, 0xd0, 0x4d, 0x35, 0x2a, 0xd0, 0x18, 0x90,
};

static struct kv_serve {
	struct kv_daemon d;
	int eng;
	union {
		struct kvault_msg msg;		/* the engine's newest */
		uint8_t buf[KVAULT_MSG_MAX];
	} e;
	struct kv_sealed_key {
		struct kvault_binding b;
		uint8_t blob[640 + KVAULT_BLOB_OVERHEAD];
		size_t blob_len;
	} key[KV_KEYS], secret;			/* secret: the value that was put last */
	uint64_t acked;				/* audit records */
	int wake;				/* ends a wait for messages; or -1 */
} kv_srv = { .wake = -1 };

static uint8_t kv_token[KVAULT_TOKEN_SIZE];

/* --- taking ---------------------------------------------------------------- */

/* Who gets a message, and which: an engine's by its operation. */
struct kv_want {
	bool is_engine;
	uint32_t type;
	uint32_t op;		/* 0 any */
};

static KV_MAYBE int kv_engine_attach(void)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = KVAULT_ENGINE_OPENSSL };

	kv_srv.eng = open(KV_ENGINE_DEV, O_RDWR | O_CLOEXEC);
	return kv_srv.eng < 0 ? -errno : kv_ioctl(kv_srv.eng, KVAULT_ENG_ATTACH, &a);
}

static KV_MAYBE int kv_engine_exchange(const struct kv_reply *r, bool take)
{
	struct kvault_exchange x = {
		.size = sizeof(x), .reply = kv_ptr(r),
		.reply_len = r ? (uint32_t)(sizeof(r->msg) + r->len) : 0,
		.next = kv_ptr(kv_srv.e.buf), .next_len = take ? sizeof(kv_srv.e.buf) : 0,
	};
	int ret = kv_ioctl(kv_srv.eng, KVAULT_ENG_EXCHANGE, &x);

	return ret ? ret : (int)x.next_len;
}

/* 1: one for the daemon, 2: one for the engine, 0: none; -errno. */
static KV_MAYBE int kv_serve_take(int ms)
{
	struct pollfd p[3] = {
		{ .fd = kv_srv.d.ctl, .events = POLLIN },
		{ .fd = kv_srv.eng, .events = POLLIN },
		{ .fd = kv_srv.wake, .events = POLLIN },
	};
	size_t len = sizeof(kv_srv.d.buf);
	int ret;

	if (poll(p, 3, ms) < 0)
		return -errno;
	if (p[0].revents & POLLIN) {
		ret = kv_exchange(kv_srv.d.ctl, NULL, 0, kv_srv.d.buf, &len);
		if (ret || len)
			return ret ? ret : 1;
	}
	if (p[1].revents & POLLIN) {
		ret = kv_engine_exchange(NULL, true);
		if (ret)
			return ret < 0 ? ret : 2;
	}
	return 0;
}

/* --- answering ------------------------------------------------------------- */

static KV_MAYBE enum kv_serve_key kv_asked_key(void)
{
	const struct kvault_access *a = (const void *)kv_daemon_seg(&kv_srv.d, 2);
	const char *path = (const char *)kv_daemon_seg(&kv_srv.d, 1);
	enum kv_serve_key k;

	for (k = 0; k < KV_KEYS; k++)
		if (kv_srv.d.msg.len[1] ? kv_srv.d.msg.len[1] == strlen(kv_serve_paths[k]) &&
		    !memcmp(path, kv_serve_paths[k], kv_srv.d.msg.len[1]) :
		    !memcmp(a->version, kv_srv.key[k].b.version, 16))
			break;
	return k;
}

static KV_MAYBE int kv_answer_access(void)
{
	enum kv_serve_key k = kv_asked_key();
	struct kvault_grant g;
	struct kv_reply *r;

	if (k == KV_KEYS)
		return kv_reply_send(&kv_srv.d, kv_reply_to(&kv_srv.d, -ENOKEY));
	g = kv_grant(&kv_srv.key[k].b);
	memcpy(g.token_hash, kv_nonce_hash, sizeof(g.token_hash));
	r = kv_reply_to(&kv_srv.d, 0);
	kv_reply_seg(r, 0, &g, sizeof(g));
	if (k == KV_EC || k == KV_RSA)
		kv_reply_seg(r, 2, KV_JWK, strlen(KV_JWK));
	kv_reply_seg(r, 3, kv_srv.key[k].blob, kv_srv.key[k].blob_len);
	return kv_reply_send(&kv_srv.d, r);
}

#define KV_SECRET_PATH	"/secret"	/* what is put there can be got */

static KV_MAYBE int kv_keep_value(struct kv_sealed_key *k)
{
	struct kvault_seal s = {
		.size = sizeof(s), .source = KVAULT_SEAL_TRANSIT, .binding = kv_ptr(&k->b),
		.in = kv_ptr(kv_daemon_seg(&kv_srv.d, 3)), .in_len = kv_srv.d.msg.len[3],
		.out = kv_ptr(k->blob), .out_len = sizeof(k->blob),
	};
	int ret;

	k->b = kv_binding(0x70);
	k->b.type = KVAULT_TYPE_SECRET;
	k->b.kty = 0;
	k->b.bits = 0;
	k->b.ops = 0;
	memcpy(s.request_id, kv_srv.d.msg.request_id, sizeof(s.request_id));
	ret = kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_SEAL, &s);
	k->blob_len = ret ? 0 : s.out_len;
	return ret;
}

static KV_MAYBE int kv_answer_control(void)
{
	bool is_secret = kv_srv.d.msg.len[1] == strlen(KV_SECRET_PATH) &&
			 !memcmp(kv_daemon_seg(&kv_srv.d, 1), KV_SECRET_PATH,
				 strlen(KV_SECRET_PATH));
	bool is_get = kv_srv.d.msg.op == KVAULT_METHOD_GET;
	struct kv_sealed_key *k = &kv_srv.secret;
	struct kv_reply *r;
	int ret;

	if (is_secret && !is_get) {
		ret = kv_keep_value(k);
		if (ret)
			return ret;
	}
	r = kv_reply_to(&kv_srv.d, 200);
	if (is_secret && is_get)
		kv_reply_seg(r, 0, &k->b, sizeof(k->b));
	kv_reply_seg(r, 2, "{}", 2);
	if (is_secret && is_get)
		kv_reply_seg(r, 3, k->blob, k->blob_len);
	return kv_reply_send(&kv_srv.d, r);
}

static KV_MAYBE int kv_answer_daemon(void)
{
	switch (kv_srv.d.msg.type) {
	case KVAULT_MSG_ACCESS:
		return kv_answer_access();
	case KVAULT_MSG_CONTROL:
		return kv_answer_control();
	default:
		return 0;	/* noted */
	}
}

static KV_MAYBE int kv_answer_engine(int32_t status)
{
	const struct kvault_engine_req *req = (const void *)(kv_srv.e.buf + sizeof(kv_srv.e.msg));
	const struct kvault_msg *m = &kv_srv.e.msg;
	static struct kv_reply r;
	uint8_t out[256];
	int ret;

	memset(&r, 0, sizeof(r));
	memset(out, 0x77, sizeof(out));
	r.msg = (struct kvault_msg){
		.size = sizeof(r.msg), .type = m->type, .generation = m->generation,
		.cookie = m->cookie, .op = m->op, .status = status,
	};
	memcpy(r.msg.request_id, m->request_id, sizeof(m->request_id));
	memcpy(r.msg.tenant, m->tenant, sizeof(m->tenant));
	if (!status && (m->op == KVAULT_ENGINE_OP_GENERATE || m->op == KVAULT_ENGINE_OP_IMPORT)) {
		kv_reply_seg(&r, 2, KV_JWK, strlen(KV_JWK));
		kv_reply_seg(&r, 3, KV_MATERIAL, sizeof(KV_MATERIAL));
	} else if (!status && m->op == KVAULT_ENGINE_OP_CRYPT &&
		   req->operation != KVAULT_OP_VERIFY) {
		kv_reply_seg(&r, 2, out, req->operation == KVAULT_OP_DECRYPT ? 16 :
					 req->kty == KVAULT_KTY_EC ? 64 : 256);
	}
	ret = kv_engine_exchange(&r, false);
	return ret < 0 ? ret : 0;
}

static KV_MAYBE bool kv_is_wanted(const struct kv_want *w, bool is_engine)
{
	const struct kvault_msg *m = is_engine ? &kv_srv.e.msg : &kv_srv.d.msg;

	return w && w->is_engine == is_engine && w->type == m->type && (!w->op || w->op == m->op);
}

/* What the newest message of either would get from an honest one. */
static KV_MAYBE int kv_serve_answer(bool is_engine)
{
	return is_engine ? kv_answer_engine(0) : kv_answer_daemon();
}

/* Answers until @want has come, which is not answered, or for @ms; 0, -ETIME or -errno. */
static KV_MAYBE int kv_serve_until(const struct kv_want *want, int ms)
{
	uint64_t end = kv_now_ms() + (want ? kv_patience((unsigned int)ms) : (unsigned int)ms);
	int ret;

	do {
		ret = kv_serve_take(20);
		if (ret > 0 && kv_is_wanted(want, ret == 2))
			return 0;
		if (ret > 0)
			ret = kv_serve_answer(ret == 2);
		/* who asked may have left */
		if (ret < 0 && ret != -ENOENT)
			return ret;
	} while (kv_now_ms() < end);
	return -ETIME;
}

/* Takes all records and says that they are durable, so that there is room. */
static KV_MAYBE int kv_serve_audit(void)
{
	static struct kvault_audit_rec rec[32];
	struct kvault_audit_read a;
	struct kv_nl m;
	uint32_t i;
	int ret;

	do {
		a = (struct kvault_audit_read){
			.size = sizeof(a), .buf = kv_ptr(rec), .len = sizeof(rec),
		};
		ret = kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_AUDIT_READ, &a);
		if (ret)
			return ret;
		for (i = 0; i < a.len / sizeof(rec[0]); i++)
			if (!memcmp(rec[i].tenant, kv_host, 16) && rec[i].seq > kv_srv.acked)
				kv_srv.acked = rec[i].seq;
	} while (a.more);
	kv_nl_begin(&m, kv_srv.d.family, KVAULT_CMD_AUDIT_ACK, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, kv_host, 16);
	kv_nl_put_u64(&m, KVAULT_A_SEQ, kv_srv.acked);
	return kv_nl_call(kv_srv.d.nl, &m, NULL, 0);
}

/* --- beginning and end ----------------------------------------------------- */

static KV_MAYBE int kv_serve_seal(struct kv_sealed_key *k)
{
	k->blob_len = sizeof(k->blob);
	return kv_seal(kv_srv.d.ctl, KVAULT_SEAL_GENERATE, &k->b, k->blob, &k->blob_len);
}

/* The engine makes it; the daemon gets it sealed. */
static KV_MAYBE int kv_serve_generate(struct kv_sealed_key *k)
{
	const struct kv_want done = { .type = KVAULT_MSG_ENGINE_DONE };
	struct kvault_submit s = {
		.size = sizeof(s), .engine = KVAULT_ENGINE_OPENSSL,
		.timeout_ms = kv_patience(10000),
		.op = KVAULT_ENGINE_OP_GENERATE, .binding = kv_ptr(&k->b),
	};
	int ret = kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_SUBMIT, &s);

	ret = ret ? ret : kv_serve_until(&done, 5000);
	if (ret || kv_srv.d.msg.status || kv_srv.d.msg.len[3] > sizeof(k->blob))
		return ret ? ret : -EPROTO;
	k->blob_len = kv_srv.d.msg.len[3];
	memcpy(k->blob, kv_daemon_seg(&kv_srv.d, 3), k->blob_len);
	return 0;
}

/* Ids of this process, so that no test knows the keys of another one. */
static KV_MAYBE void kv_serve_bind(void)
{
	static const uint32_t ops[KV_KEYS] = {
		KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT | KVAULT_OP_SIGN | KVAULT_OP_VERIFY |
		KVAULT_OP_WRAP | KVAULT_OP_UNWRAP,
		KVAULT_OP_SIGN | KVAULT_OP_VERIFY,
		KVAULT_OP_SIGN | KVAULT_OP_VERIFY | KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT,
		KVAULT_OP_VOLUME,
	};
	static const uint32_t kty[KV_KEYS] = {
		KVAULT_KTY_OCT, KVAULT_KTY_EC, KVAULT_KTY_RSA, KVAULT_KTY_OCT,
	};
	static const uint32_t bits[KV_KEYS] = { 256, 0, 2048, 512 };
	pid_t pid = getpid();
	enum kv_serve_key k;

	for (k = 0; k < KV_KEYS; k++) {
		struct kvault_binding *b = &kv_srv.key[k].b;

		*b = kv_binding((uint8_t)(0x80 + k));
		memcpy(b->object + 1, &pid, sizeof(pid));
		memcpy(b->version + 1, &pid, sizeof(pid));
		b->ops = ops[k];
		b->kty = kty[k];
		b->bits = bits[k];
		b->curve = k == KV_EC ? KVAULT_CURVE_P256 : 0;
	}
}

static KV_MAYBE void kv_serve_make_token(void)
{
	struct kvault_token *t = (void *)kv_token;

	memset(t, 0, sizeof(*t));
	memcpy(t->magic, KVAULT_TOKEN_MAGIC, sizeof(t->magic));
	t->format[0] = 1;
	memcpy(t->tenant, kv_host, sizeof(t->tenant));
	memcpy(t->key, kv_srv.key[KV_DISK].b.object, sizeof(t->key));
	memcpy(t->version, kv_srv.key[KV_DISK].b.version, sizeof(t->version));
	memset(t->nonce, 0x5a, sizeof(t->nonce));
}

/* The policy's revision that a HELLO says never goes back in one load of the module. */
#define KV_SERVE_REVISION	1000

static KV_MAYBE int kv_serve_start(void)
{
	int ret;

	kv_serve_bind();
	kv_serve_make_token();
	ret = kv_daemon_start(&kv_srv.d, KV_SERVE_REVISION);
	ret = ret ? ret : kv_engine_attach();
	ret = ret ? ret : kv_serve_seal(&kv_srv.key[KV_AES]);
	ret = ret ? ret : kv_serve_seal(&kv_srv.key[KV_DISK]);
	ret = ret ? ret : kv_serve_generate(&kv_srv.key[KV_EC]);
	return ret ? ret : kv_serve_generate(&kv_srv.key[KV_RSA]);
}

/* Its files are closed, as when it dies. */
static KV_MAYBE void kv_serve_stop(void)
{
	kv_daemon_stop(&kv_srv.d);
	close(kv_srv.eng);
	kv_srv.d.ctl = kv_srv.d.nl = kv_srv.eng = -1;
}

#endif /* KV_SERVE_H */
