/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of /dev/kvault, for test_failnth.c.
 */
#ifndef KV_FAILNTH_DEV_H
#define KV_FAILNTH_DEV_H

#include "kv_failnth_row.h"

/* --- /dev/kvault -------------------------------------------------------------------- */

static void close_other(void)
{
	if (other >= 0)
		close(other);
	other = -1;
}

static int call_open_node(void)
{
	other = kv_dev();
	return other;
}

static int call_open_control(void)
{
	other = open(KV_CONTROL_DEV, O_RDWR | O_CLOEXEC);
	return other < 0 ? -errno : other;
}

static int call_open_engine(void)
{
	other = open(KV_ENGINE_DEV, O_RDWR | O_CLOEXEC);
	return other < 0 ? -errno : other;
}

static int call_info(void)
{
	struct kvault_info info;

	return kv_info(dev, &info);
}

static int call_control(void)
{
	struct kvault_control c = {
		.size = sizeof(c), .method = KVAULT_METHOD_POST, .timeout_ms = 5000,
		.path = kv_ptr("/some/path"), .path_len = 10, .body = kv_ptr("{\"a\":1}"),
		.body_len = 7, .reply = kv_ptr(out), .reply_len = sizeof(out),
		.secret_in = kv_ptr(in), .secret_in_len = 32,
	};

	return kv_ioctl(dev, KVAULT_CONTROL, &c);
}

/* A value goes in, and comes out as it was. */
static int call_secret(void)
{
	struct kvault_control c = {
		.size = sizeof(c), .method = KVAULT_METHOD_PUT, .timeout_ms = 5000,
		.flags = KVAULT_CONTROL_SECRET_SET, .path = kv_ptr(KV_SECRET_PATH),
		.path_len = strlen(KV_SECRET_PATH), .reply = kv_ptr(out), .reply_len = sizeof(out),
		.secret_in = kv_ptr(in), .secret_in_len = 32,
	};
	uint8_t value[64] = { 0 };
	int ret = kv_ioctl(dev, KVAULT_CONTROL, &c);

	if (ret)
		return ret;
	c.method = KVAULT_METHOD_GET;
	c.flags = KVAULT_CONTROL_SECRET_GET;
	c.reply_len = sizeof(out);
	c.secret_in_len = 0;
	c.secret_out = kv_ptr(value);
	c.secret_out_len = sizeof(value);
	ret = kv_ioctl(dev, KVAULT_CONTROL, &c);
	return ret ? ret : c.secret_out_len != 32 || memcmp(value, in, 32) ? -EPROTO : 0;
}

static int prepare_open_aes(void)
{
	return no_object(KV_AES);
}

static int prepare_open_ec(void)
{
	return no_object(KV_EC);
}

static int prepare_reopen(void)
{
	int ret = get_handle(KV_AES);

	if (!ret)
		drop_handle();
	return ret ? ret : count_handles();
}

static int call_open(void)
{
	handle = 0;
	return open_wanted();
}

static int prepare_aes(void)
{
	return get_handle(KV_AES);
}

static int prepare_new_aes(void)
{
	return new_handle(KV_AES);
}

static int prepare_ec(void)
{
	return get_handle(KV_EC);
}

static int prepare_new_ec(void)
{
	return new_handle(KV_EC);
}

static int prepare_rsa(void)
{
	return get_handle(KV_RSA);
}

static int prepare_disk(void)
{
	return get_handle(KV_DISK);
}

static int call_close(void)
{
	return kv_close_handle(dev, handle);
}

/* It is there still, or it is gone: one of both. */
static int check_close(void)
{
	return handles_now() == handles_before ? 0 : 1;
}

static int crypt_call(unsigned long cmd, uint32_t alg, uint32_t in_len, const void *aux,
		      uint32_t aux_len)
{
	op.size = sizeof(op);
	op.handle = handle;
	op.alg = alg;
	op.timeout_ms = 5000;
	op.in = kv_ptr(in);
	op.in_len = in_len;
	op.out = kv_ptr(out);
	op.out_len = sizeof(out);
	op.aux = kv_ptr(aux);
	op.aux_len = aux_len;
	return kv_ioctl(dev, cmd, &op);
}

static int call_encrypt(void)
{
	memset(&op, 0, sizeof(op));
	return crypt_call(KVAULT_ENCRYPT, KVAULT_ALG_A256GCM, 64, in, 16);
}

/* Nothing is put out by what failed. */
static int prepare_encrypt(void)
{
	memset(out, 0xa5, sizeof(out));
	return prepare_new_aes();
}

static int prepare_decrypt(void)
{
	int ret = prepare_aes();

	ret = ret ? ret : call_encrypt();
	memcpy(in, out, 64);
	return ret;
}

static int call_decrypt(void)
{
	uint8_t aux[16] = { 0 };

	return crypt_call(KVAULT_DECRYPT, KVAULT_ALG_A256GCM, 64, aux, 16);
}

static void undo_decrypt(void)
{
	memset(in, 0, sizeof(in));
	memset(&op, 0, sizeof(op));
	drop_handle();
}

static int call_cbc(void)
{
	memset(&op, 0, sizeof(op));
	return crypt_call(KVAULT_ENCRYPT, KVAULT_ALG_A256CBC, 64, NULL, 0);
}

static int call_noop(void)
{
	static uint8_t big[8192];

	memset(&op, 0, sizeof(op));
	op.size = sizeof(op);
	op.handle = handle;
	op.alg = KVAULT_ALG_A256GCM;
	op.in = kv_ptr(big);
	op.in_len = sizeof(big);
	return kv_ioctl(dev, KVAULT_NOOP, &op);
}

static int call_hmac(void)
{
	return crypt_call(KVAULT_SIGN, KVAULT_ALG_HS256, 64, NULL, 0);
}

static int prepare_hmac_verify(void)
{
	int ret = prepare_aes();

	ret = ret ? ret : call_hmac();
	memcpy(sealed, out, 32);
	return ret;
}

static int call_hmac_verify(void)
{
	return crypt_call(KVAULT_VERIFY, KVAULT_ALG_HS256, 64, sealed, 32);
}

static int call_wrap(void)
{
	return crypt_call(KVAULT_WRAP, KVAULT_ALG_KWP, 20, NULL, 0);
}

static int prepare_unwrap(void)
{
	int ret = prepare_aes();

	ret = ret ? ret : call_wrap();
	memcpy(in, out, 32);
	return ret;
}

static int call_unwrap(void)
{
	return crypt_call(KVAULT_UNWRAP, KVAULT_ALG_KWP, 32, NULL, 0);
}

static int call_sign(void)
{
	return crypt_call(KVAULT_SIGN, KVAULT_ALG_ES256, 32, NULL, 0);
}

static int call_verify(void)
{
	return crypt_call(KVAULT_VERIFY, KVAULT_ALG_ES256, 32, out, 64);
}

static int call_rsa(void)
{
	return crypt_call(KVAULT_DECRYPT, KVAULT_ALG_RSA_OAEP_256, 256, NULL, 0);
}

/* Another principal than all before, for whom the daemon is asked. */
static int prepare_renewal(void)
{
	static gid_t gid = 1000;
	int ret = prepare_aes();

	return ret ? ret : syscall(SYS_setresgid, -1, ++gid, -1) ? -errno : 0;
}

static void undo_renewal(void)
{
	syscall(SYS_setresgid, -1, 0, -1);
	drop_handle();
}

static int call_random(void)
{
	struct kvault_random r = { .size = sizeof(r), .out = kv_ptr(out), .out_len = 64 };

	return kv_ioctl(dev, KVAULT_RANDOM, &r);
}

static bool has_fscrypt(void)
{
	return syscall(SYS_add_key, "fscrypt-provisioning", "x", "x", 1,
		       KEY_SPEC_SESSION_KEYRING) >= 0 || errno != ENODEV;
}

static int call_project(void)
{
	struct kvault_project p = {
		.size = sizeof(p), .handle = handle, .kind = KVAULT_PROJECT_FSCRYPT,
		.keyring = KEY_SPEC_SESSION_KEYRING, .desc = kv_ptr("fscrypt:failnth"),
		.desc_len = 15,
	};

	return kv_ioctl(dev, KVAULT_PROJECT, &p);
}

static void undo_project(void)
{
	kv_keyctl(KEYCTL_CLEAR, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0, 0, 0);
	drop_handle();
}

#define DEV_ROWS \
	{ "open of /dev/kvault", 0, NULL, call_open_node, check_handles, close_other }, \
	{ "open of the control node", 0, NULL, call_open_control, NULL, close_other }, \
	{ "open of the engine node", 0, NULL, call_open_engine, NULL, close_other }, \
	{ "INFO", KVAULT_INFO, NULL, call_info }, \
	{ "CONTROL", KVAULT_CONTROL, NULL, call_control, .has_server = true }, \
	{ "CONTROL, a value", KVAULT_CONTROL, NULL, call_secret, .has_server = true }, \
	{ "OPEN", KVAULT_OPEN, prepare_reopen, call_open, check_handles, drop_handle, \
	  .has_server = true }, \
	{ "OPEN of a new symmetric key", KVAULT_OPEN, prepare_open_aes, call_open, check_handles, \
	  drop_handle, .has_server = true }, \
	{ "OPEN of a new private key", KVAULT_OPEN, prepare_open_ec, call_open, check_handles, \
	  drop_handle, .has_server = true }, \
	{ "CLOSE", KVAULT_CLOSE, prepare_aes, call_close, check_close, drop_handle }, \
	{ "ENCRYPT, first", KVAULT_ENCRYPT, prepare_encrypt, call_encrypt, check_handles, \
	  drop_handle }, \
	{ "ENCRYPT", KVAULT_ENCRYPT, prepare_aes, call_encrypt, check_handles, drop_handle }, \
	{ "ENCRYPT CBC, first", KVAULT_ENCRYPT, prepare_new_aes, call_cbc, check_handles, \
	  drop_handle }, \
	{ "ENCRYPT of another principal", KVAULT_ENCRYPT, prepare_renewal, call_encrypt, \
	  check_handles, undo_renewal, .has_server = true }, \
	{ "DECRYPT", KVAULT_DECRYPT, prepare_decrypt, call_decrypt, check_handles, undo_decrypt }, \
	{ "DECRYPT by an engine", KVAULT_DECRYPT, prepare_rsa, call_rsa, check_handles, \
	  drop_handle, \
	  .has_server = true, .empty = 1 }, \
	{ "NOOP", KVAULT_NOOP, prepare_aes, call_noop, check_handles, drop_handle }, \
	{ "SIGN, first", KVAULT_SIGN, prepare_new_aes, call_hmac, check_handles, drop_handle }, \
	{ "SIGN by an engine, first", KVAULT_SIGN, prepare_new_ec, call_sign, check_handles, \
	  drop_handle, .has_server = true, .empty = 1 }, \
	{ "SIGN by an engine", KVAULT_SIGN, prepare_ec, call_sign, check_handles, drop_handle, \
	  .has_server = true, .empty = 1 }, \
	{ "VERIFY", KVAULT_VERIFY, prepare_hmac_verify, call_hmac_verify, check_handles, \
	  drop_handle, .empty = 1 }, \
	{ "VERIFY by an engine", KVAULT_VERIFY, prepare_ec, call_verify, check_handles, \
	  drop_handle, \
	  .has_server = true, .empty = 1 }, \
	{ "WRAP, first", KVAULT_WRAP, prepare_new_aes, call_wrap, check_handles, drop_handle }, \
	{ "UNWRAP", KVAULT_UNWRAP, prepare_unwrap, call_unwrap, check_handles, undo_decrypt }, \
	{ "RANDOM", KVAULT_RANDOM, NULL, call_random }, \
	{ "PROJECT", KVAULT_PROJECT, prepare_disk, call_project, check_handles, undo_project, \
	  .is_there = has_fscrypt },

#endif /* KV_FAILNTH_DEV_H */
