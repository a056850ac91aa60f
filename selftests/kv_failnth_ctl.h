/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of the daemon's and the engine's side: their nodes and the netlink
 * family. Here the thread that meets the faults is the daemon or the engine,
 * and another one is the caller who waits for it.
 */
#ifndef KV_FAILNTH_CTL_H
#define KV_FAILNTH_CTL_H

#include "kv_failnth_dev.h"

/* --- a caller who waits -------------------------------------------------------------- */

static pthread_t helper;
static int (*helper_fn)(void);
static int helper_result;
static bool has_helper;

static void *help(void *arg KV_MAYBE)
{
	helper_result = helper_fn();
	return NULL;
}

static int wait_for_message(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 5000) == 1 && p.revents & POLLIN ? 0 : -ETIME;
}

static int helper_start(int (*fn)(void), int fd)
{
	helper_fn = fn;
	if (pthread_create(&helper, NULL, help, NULL))
		return -EAGAIN;
	has_helper = true;
	return wait_for_message(fd);
}

/* The caller is served whatever happened; or it is told that there was no memory. */
static void helper_end(void)
{
	if (!has_helper)
		return;
	server_go();
	pthread_join(helper, NULL);
	server_stop();
	has_helper = false;
	if (helper_result && helper_result != -ENOMEM)
		server_error = helper_result;
}

/* --- the daemon's node ---------------------------------------------------------------- */

static void restart(void)
{
	int ret;

	kv_daemon_stop(&kv_srv.d);
	ret = kv_daemon_start(&kv_srv.d, KV_SERVE_REVISION);
	if (ret)
		server_error = ret;
}

/* No claim, but a file and a socket that may make one. */
static int prepare_claim(void)
{
	kv_daemon_stop(&kv_srv.d);
	kv_srv.d.ctl = open(KV_CONTROL_DEV, O_RDWR | O_CLOEXEC);
	kv_srv.d.nl = kv_nl_socket();
	return kv_srv.d.ctl < 0 || kv_srv.d.nl < 0 ? -errno : 0;
}

static int call_claim(void)
{
	return kv_claim(kv_srv.d.ctl, &kv_srv.d);
}

static int prepare_take(void)
{
	return helper_start(call_control, kv_srv.d.ctl);
}

static int call_take(void)
{
	size_t len = sizeof(kv_srv.d.buf);
	int ret = kv_exchange(kv_srv.d.ctl, NULL, 0, kv_srv.d.buf, &len);

	return ret ? ret : len ? 0 : -ENODATA;
}

/* A message whose length could not be told has come nevertheless. */
static void undo_take(void)
{
	kv_serve_answer(false);
	helper_end();
}

static bool was_tried;

static int prepare_reply(void)
{
	int ret = prepare_take();

	was_tried = false;
	return ret ? ret : call_take();
}

/* An answer that was taken, though that could not be told, is not taken twice. */
static int call_reply(void)
{
	int ret = kv_serve_answer(false);

	if (ret == -ENOENT && was_tried)
		ret = 0;
	was_tried = true;
	return ret;
}

static int call_seal(void)
{
	sealed_len = sizeof(sealed);
	return kv_seal(kv_srv.d.ctl, KVAULT_SEAL_GENERATE, &kv_srv.key[KV_AES].b, sealed,
		       &sealed_len);
}

static int call_reseal(void)
{
	const struct kv_sealed_key *k = &kv_srv.key[KV_AES];
	struct kvault_seal s = {
		.size = sizeof(s), .source = KVAULT_SEAL_RESEAL, .in = kv_ptr(k->blob),
		.in_len = (uint32_t)k->blob_len, .old_binding = kv_ptr(&k->b),
		.binding = kv_ptr(&k->b), .out = kv_ptr(sealed), .out_len = sizeof(sealed),
	};

	return kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_SEAL, &s);
}

/* The secret of the request that was taken. */
static int call_transit(void)
{
	struct kvault_seal s = {
		.size = sizeof(s), .source = KVAULT_SEAL_TRANSIT,
		.in = kv_ptr(kv_daemon_seg(&kv_srv.d, 3)), .in_len = kv_srv.d.msg.len[3],
		.binding = kv_ptr(&kv_srv.key[KV_AES].b), .out = kv_ptr(sealed),
		.out_len = sizeof(sealed),
	};

	memcpy(s.request_id, kv_srv.d.msg.request_id, sizeof(s.request_id));
	return kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_SEAL, &s);
}

static int call_submit(void)
{
	struct kvault_submit s = {
		.size = sizeof(s), .engine = KVAULT_ENGINE_OPENSSL, .timeout_ms = 5000,
		.op = KVAULT_ENGINE_OP_GENERATE, .binding = kv_ptr(&kv_srv.key[KV_EC].b),
	};

	return kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_SUBMIT, &s);
}

static int call_submit_sign(void)
{
	const struct kv_sealed_key *k = &kv_srv.key[KV_EC];
	struct kvault_submit s = {
		.size = sizeof(s), .engine = KVAULT_ENGINE_OPENSSL, .timeout_ms = 5000,
		.op = KVAULT_ENGINE_OP_CRYPT, .alg = KVAULT_ALG_ES256, .binding = kv_ptr(&k->b),
		.blob = kv_ptr(k->blob), .blob_len = (uint32_t)k->blob_len, .in = kv_ptr(in),
		.in_len = 32,
	};

	return kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_SUBMIT, &s);
}

static int prepare_record(void)
{
	int ret = prepare_ec();

	ret = ret ? ret : served(call_sign);
	drop_handle();
	return ret;
}

static int call_audit_read(void)
{
	/* one: of two the first is read when the second cannot be copied */
	struct kvault_audit_rec rec;
	struct kvault_audit_read a = {
		.size = sizeof(a), .buf = kv_ptr(&rec), .len = sizeof(rec),
	};
	int ret = kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_AUDIT_READ, &a);

	return ret ? ret : a.len ? 0 : -ENODATA;
}

static int call_root_set(void)
{
	struct kvault_root_set r = { .size = sizeof(r) };

	memcpy(r.store, kv_store, sizeof(r.store));
	memcpy(r.key, kv_root, sizeof(r.key));
	return kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_ROOT_SET, &r);
}

/* An administrator who asks for a slot. */
static int call_control_slot(void)
{
	struct kvault_control c = {
		.size = sizeof(c), .method = KVAULT_METHOD_POST, .timeout_ms = 5000,
		.flags = KVAULT_CONTROL_ROOT_SLOT, .path = kv_ptr("/root"), .path_len = 5,
		.reply = kv_ptr(out), .reply_len = sizeof(out), .secret_in = kv_ptr(in),
		.secret_in_len = 32,
	};

	return kv_ioctl(dev, KVAULT_CONTROL, &c);
}

static int prepare_wrap(void)
{
	int ret = helper_start(call_control_slot, kv_srv.d.ctl);

	return ret ? ret : call_take();
}

static int call_root_wrap(void)
{
	struct kvault_root_wrap w = {
		.size = sizeof(w), .secret = kv_ptr(kv_daemon_seg(&kv_srv.d, 3)),
		.secret_len = kv_srv.d.msg.len[3],
	};

	memcpy(w.request_id, kv_srv.d.msg.request_id, sizeof(w.request_id));
	return kv_ioctl(kv_srv.d.ctl, KVAULT_CTL_ROOT_WRAP, &w);
}

/* --- the engine's node ------------------------------------------------------------------ */

static int prepare_attach(void)
{
	return call_open_engine() < 0 ? -errno : 0;
}

static int call_attach(void)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = KVAULT_ENGINE_OPENSSL };

	return kv_ioctl(other, KVAULT_ENG_ATTACH, &a);
}

/* The first message is the key, which the engine has not got. */
static int prepare_take_key(void)
{
	int ret = prepare_new_ec();

	return ret ? ret : helper_start(call_sign, kv_srv.eng);
}

/* None: there was no memory for the key, which the caller is told. */
static int call_engine_take(void)
{
	return kv_engine_exchange(NULL, true);
}

static void undo_engine_take(void)
{
	kv_serve_answer(true);
	helper_end();
	drop_handle();
}

static int prepare_engine_reply(void)
{
	int ret = prepare_take_key();

	was_tried = false;
	ret = ret ? ret : call_engine_take() <= 0 ? -ENODATA : kv_serve_answer(true);
	return ret ? ret : call_engine_take() <= 0 ? -ENODATA : 0;
}

static int call_engine_reply(void)
{
	int ret = kv_serve_answer(true);

	if (ret == -ENOENT && was_tried)
		ret = 0;
	was_tried = true;
	return ret;
}

/* --- netlink ----------------------------------------------------------------------------- */

/* What a call left that met a fault while it read. */
static int drain(void)
{
	uint8_t buf[8192];

	while (recv(kv_srv.d.nl, buf, sizeof(buf), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
	return 0;
}

static int prepare_hello(void)
{
	int ret = prepare_claim();

	return ret ? ret : call_claim();
}

static int call_hello(void)
{
	struct kv_hello h = kv_hello_of(&kv_srv.d, KV_SERVE_REVISION);

	return kv_hello(kv_srv.d.nl, kv_srv.d.family, &h);
}

/* Who is told that there was no memory is not the daemon. */
static int check_hello(void)
{
	struct kvault_info info;

	return last_error == -ENOMEM && !kv_info(dev, &info) &&
	       info.daemon == KVAULT_DAEMON_PRESENT;
}

static int call_bye(void)
{
	return kv_bye(&kv_srv.d);
}

static int call_dump(uint8_t cmd)
{
	struct kv_nl m;

	kv_nl_begin(&m, kv_srv.d.family, cmd, NLM_F_DUMP);
	return kv_nl_call(kv_srv.d.nl, &m, NULL, 0);
}

static int call_tenant_get(void)
{
	return call_dump(KVAULT_CMD_TENANT_GET);
}

static int call_engine_get(void)
{
	return call_dump(KVAULT_CMD_ENGINE_GET);
}

static int call_policy_set(void)
{
	return kv_policy_set(&kv_srv.d, kv_host, 1);
}

static int prepare_object_set(void)
{
	int ret = prepare_aes();

	drop_handle();
	return ret ? ret : drain();
}

/* An engine that cannot be asked to forget a key is killed: it needs a process of its own. */
static pid_t engine;

static void serve_as_engine(int ready)
{
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (kv_engine_attach() || write(ready, "r", 1) != 1)
		_exit(1);
	do {
		if (wait_for_message(kv_srv.eng))
			continue;
		ret = kv_engine_exchange(NULL, true);
		if (ret > 0)
			kv_answer_engine(0);
	} while (ret >= 0);
	_exit(0);
}

static int prepare_forget(void)
{
	int ready[2];
	char c;

	close(kv_srv.eng);
	kv_srv.eng = -1;
	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	engine = fork();
	if (!engine)
		serve_as_engine(ready[1]);
	if (engine < 0 || read(ready[0], &c, 1) != 1)
		return -ECHILD;
	close(ready[0]);
	close(ready[1]);
	return prepare_record() ?: drain();
}

/* By then it has forgotten the key, or it is dead. */
static void undo_forget(void)
{
	int ret;

	kill(engine, SIGKILL);
	if (waitpid(engine, NULL, 0) != engine)
		server_error = -ECHILD;
	ret = kv_engine_attach();
	if (ret)
		server_error = ret;
}

static int call_object_set(void)
{
	return forget();
}

static int call_audit_ack(void)
{
	struct kv_nl m;

	kv_nl_begin(&m, kv_srv.d.family, KVAULT_CMD_AUDIT_ACK, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, kv_host, 16);
	kv_nl_put_u64(&m, KVAULT_A_SEQ, kv_srv.acked);
	return kv_nl_call(kv_srv.d.nl, &m, NULL, 0);
}

/* The netlink core says ENOBUFS where there is no memory for its own. */
#define CTL_ROWS \
	{ "CLAIM", KVAULT_CTL_CLAIM, prepare_claim, call_claim, NULL, restart, \
	  .is_fresh = true }, \
	{ "EXCHANGE, to take", KVAULT_CTL_EXCHANGE, prepare_take, call_take, NULL, undo_take, \
	  .is_fresh = true }, \
	{ "EXCHANGE, to answer", KVAULT_CTL_EXCHANGE, prepare_reply, call_reply, NULL, \
	  helper_end }, \
	{ "SEAL of a new key", KVAULT_CTL_SEAL, NULL, call_seal, .empty = 1 }, \
	{ "SEAL of a secret", KVAULT_CTL_SEAL, prepare_reply, call_transit, NULL, undo_take }, \
	{ "SEAL of a blob", KVAULT_CTL_SEAL, NULL, call_reseal }, \
	{ "SUBMIT, to generate", KVAULT_CTL_SUBMIT, NULL, call_submit, .has_server = true, \
	  .empty = 2 }, \
	{ "SUBMIT, to sign", KVAULT_CTL_SUBMIT, prepare_open_ec, call_submit_sign, \
	  .has_server = true }, \
	{ "AUDIT_READ", KVAULT_CTL_AUDIT_READ, prepare_record, call_audit_read, \
	  .is_fresh = true }, \
	{ "ROOT_SET", KVAULT_CTL_ROOT_SET, NULL, call_root_set }, \
	{ "ROOT_WRAP", KVAULT_CTL_ROOT_WRAP, prepare_wrap, call_root_wrap, NULL, undo_take }, \
	{ "ATTACH", KVAULT_ENG_ATTACH, prepare_attach, call_attach, NULL, close_other }, \
	{ "engine's EXCHANGE, to take a key", KVAULT_ENG_EXCHANGE, prepare_take_key, \
	  call_engine_take, NULL, undo_engine_take, .is_fresh = true }, \
	{ "engine's EXCHANGE, to answer", KVAULT_ENG_EXCHANGE, prepare_engine_reply, \
	  call_engine_reply, NULL, undo_engine_take }, \
	{ "HELLO", KVAULT_CMD_HELLO, prepare_hello, call_hello, check_hello, restart, \
	  .also = { ENOBUFS }, .is_fresh = true }, \
	{ "BYE", KVAULT_CMD_BYE, drain, call_bye, drain, restart, .also = { ENOBUFS } }, \
	{ "TENANT_GET", KVAULT_CMD_TENANT_GET, drain, call_tenant_get, drain, \
	  .also = { ENOBUFS } }, \
	{ "POLICY_SET", KVAULT_CMD_POLICY_SET, drain, call_policy_set, drain, \
	  .also = { ENOBUFS } }, \
	{ "OBJECT_SET", KVAULT_CMD_OBJECT_SET, prepare_object_set, call_object_set, drain, \
	  .also = { ENOBUFS } }, \
	{ "OBJECT_SET of a key that an engine has", KVAULT_CMD_OBJECT_SET, prepare_forget, \
	  call_object_set, drain, undo_forget, .also = { ENOBUFS } }, \
	{ "AUDIT_ACK", KVAULT_CMD_AUDIT_ACK, drain, call_audit_ack, drain, .also = { ENOBUFS } }, \
	{ "ENGINE_GET", KVAULT_CMD_ENGINE_GET, drain, call_engine_get, drain, .also = { ENOBUFS } },

#endif /* KV_FAILNTH_CTL_H */
