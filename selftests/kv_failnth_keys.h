/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of the other faces: keyrings, AF_ALG, device-mapper. KEYCTL_REVOKE,
 * _INVALIDATE and _UNLINK copy and allocate nothing: there is no fault to meet.
 */
#ifndef KV_FAILNTH_KEYS_H
#define KV_FAILNTH_KEYS_H

#include "kv_failnth_dev.h"

/* --- keyrings --------------------------------------------------------------------------- */

static const char ec_info[] = "enc=raw hash=sha256", rsa_info[] = "enc=oaep hash=sha256";
static const char *desc = "v/ec";
static long key;

/* Revoked first: that gives its handle back at once. */
static void drop_key(void)
{
	if (key > 0)
		kv_keyctl(KEYCTL_REVOKE, (unsigned long)key, 0, 0, 0);
	kv_keyctl(KEYCTL_CLEAR, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0, 0, 0);
	key = 0;
}

static int get_key(void)
{
	key = kv_request_key(desc, "");
	return key < 0 ? (int)key : 0;
}

static int prepare_request(void)
{
	desc = "v/ec";
	drop_key();
	return count_handles();
}

static int prepare_request_new(void)
{
	drop_key();
	return prepare_open_ec();
}

/* It has a public part, or it is not there. */
static int call_request(void)
{
	int ret = get_key();

	if (!ret && kv_keyctl(KEYCTL_READ, (unsigned long)key, (unsigned long)out, sizeof(out),
			      0) == -EOPNOTSUPP)
		ret = -ENOMSG;
	return ret;
}

static int prepare_key(void)
{
	desc = "v/ec";
	drop_key();
	return served(get_key);
}

static int prepare_rsa_key(void)
{
	desc = "v/rsa";
	drop_key();
	return served(get_key);
}

static int call_add_key(void)
{
	long ret = syscall(SYS_add_key, "kvault", "v/own", "x", 1, KEY_SPEC_SESSION_KEYRING);

	return ret < 0 ? -errno : 0;
}

static int keyctl_key(int cmd, unsigned long b, unsigned long c)
{
	return (int)kv_keyctl(cmd, (unsigned long)key, b, c, 0);
}

static int call_read(void)
{
	return keyctl_key(KEYCTL_READ, (unsigned long)out, sizeof(out));
}

static int call_describe(void)
{
	return keyctl_key(KEYCTL_DESCRIBE, (unsigned long)out, sizeof(out));
}

static int call_search(void)
{
	return (int)kv_keyctl(KEYCTL_SEARCH, (unsigned long)KEY_SPEC_SESSION_KEYRING,
			      (unsigned long)"kvault", (unsigned long)desc, 0);
}

static int call_update(void)
{
	return keyctl_key(KEYCTL_UPDATE, (unsigned long)in, 16);
}

static int call_link(void)
{
	return keyctl_key(KEYCTL_LINK, (unsigned long)KEY_SPEC_PROCESS_KEYRING, 0);
}

static int call_pkey_query(void)
{
	struct keyctl_pkey_query q;

	return (int)kv_keyctl(KEYCTL_PKEY_QUERY, (unsigned long)key, 0, (unsigned long)ec_info,
			      (unsigned long)&q);
}

static int call_pkey_sign(void)
{
	return (int)kv_pkey(KEYCTL_PKEY_SIGN, key, ec_info, in, 32, out, 64);
}

static int call_pkey_verify(void)
{
	return (int)kv_pkey(KEYCTL_PKEY_VERIFY, key, ec_info, in, 32, out, 64);
}

static int call_pkey_encrypt(void)
{
	return (int)kv_pkey(KEYCTL_PKEY_ENCRYPT, key, rsa_info, in, 32, out, 256);
}

static int call_pkey_decrypt(void)
{
	return (int)kv_pkey(KEYCTL_PKEY_DECRYPT, key, rsa_info, in, 256, out, 256);
}

static int call_proc_keys(void)
{
	int fd = open("/proc/keys", O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = read(fd, out, sizeof(out)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* --- AF_ALG ------------------------------------------------------------------------------ */

static int call_alg_bind(void)
{
	other = kv_alg_bind();
	return other < 0 ? other : 0;
}

static int call_alg_setkey(void)
{
	return kv_alg_setkey(other, kv_token);
}

static int set_alg_key(void)
{
	return call_alg_setkey();
}

static int prepare_alg_keyed(void)
{
	int ret = call_alg_bind();

	return ret ? ret : served(set_alg_key);
}

static int alg_crypt(int op)
{
	uint8_t control[CMSG_SPACE(4) + CMSG_SPACE(20)] = { 0 };
	struct iovec iov = { .iov_base = in, .iov_len = 64 };
	struct msghdr m = {
		.msg_control = control, .msg_controllen = sizeof(control), .msg_iov = &iov,
		.msg_iovlen = 1,
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_ALG;
	c->cmsg_type = ALG_SET_OP;
	c->cmsg_len = CMSG_LEN(4);
	*(uint32_t *)CMSG_DATA(c) = ALG_OP_ENCRYPT;
	c = CMSG_NXTHDR(&m, c);
	c->cmsg_level = SOL_ALG;
	c->cmsg_type = ALG_SET_IV;
	c->cmsg_len = CMSG_LEN(20);
	*(uint32_t *)CMSG_DATA(c) = 16;
	if (sendmsg(op, &m, 0) < 0 || read(op, out, 64) < 0)
		return -errno;
	return 0;
}

static int call_alg_crypt(void)
{
	int op = accept(other, NULL, NULL), ret;

	if (op < 0)
		return -errno;
	ret = alg_crypt(op);
	close(op);
	return ret;
}

/* --- device-mapper ------------------------------------------------------------------------- */

static const char dm_on[] = "kvfail-on", dm_name[] = "kvfail-crypt";
static int dm = -1;
static dev_t dm_dev;

static bool has_dm(void)
{
	return !access("/dev/mapper/control", F_OK) || !system("modprobe -q dm-mod");
}

static int prepare_dm(void)
{
	int ret = 0;

	if (dm < 0) {
		dm = kv_dm_open();
		ret = dm < 0 ? dm : kv_dm_backing(dm, dm_on, &dm_dev);
	}
	return ret ? ret : kv_dm_do(dm, DM_DEV_CREATE, dm_name, NULL);
}

static int call_dm(void)
{
	static struct kv_dm m;

	kv_dm_crypt(&m, dm_name, dm_dev, kv_token);
	return kv_ioctl(dm, DM_TABLE_LOAD, &m);
}

static void undo_dm(void)
{
	kv_dm_do(dm, DM_DEV_REMOVE, dm_name, NULL);
}

#define KEY_ROWS \
	{ "add_key", 0, drain, call_add_key, .says = -EOPNOTSUPP }, \
	{ "request_key", 0, prepare_request, call_request, check_handles, drop_key, \
	  .has_server = true, .empty = 1 }, \
	{ "request_key of a new key", 0, prepare_request_new, call_request, check_handles, \
	  drop_key, .has_server = true, .empty = 1 }, \
	{ "keyctl read", 0, prepare_key, call_read }, \
	{ "keyctl describe", 0, prepare_key, call_describe }, \
	{ "keyctl search", 0, prepare_key, call_search }, \
	{ "keyctl update", 0, prepare_key, call_update, .says = -EACCES }, \
	{ "keyctl link", 0, prepare_key, call_link }, \
	{ "pkey_query", 0, prepare_key, call_pkey_query }, \
	{ "pkey_sign", 0, prepare_key, call_pkey_sign, .has_server = true }, \
	{ "pkey_verify", 0, prepare_key, call_pkey_verify, .has_server = true }, \
	{ "pkey_encrypt", 0, prepare_rsa_key, call_pkey_encrypt, .has_server = true }, \
	{ "pkey_decrypt", 0, prepare_rsa_key, call_pkey_decrypt, .has_server = true }, \
	{ "/proc/keys", 0, prepare_key, call_proc_keys }, \
	{ "bind of xts(paes)", 0, NULL, call_alg_bind, NULL, close_other, \
	  .also = { ENFILE } }, \
	{ "setkey by AF_ALG", 0, call_alg_bind, call_alg_setkey, NULL, close_other, \
	  .has_server = true }, \
	{ "encryption by AF_ALG", 0, prepare_alg_keyed, call_alg_crypt, NULL, close_other, \
	  .also = { ENFILE, ENOBUFS } }, \
	{ "setkey by dm-crypt", 0, prepare_dm, call_dm, NULL, undo_dm, .is_inner = true, \
	  .has_server = true, .is_there = has_dm },

#endif /* KV_FAILNTH_KEYS_H */
