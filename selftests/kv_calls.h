/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faces that are not ours, by their raw calls: the keyrings, AF_ALG, and
 * device-mapper without its library.
 */
#ifndef KV_CALLS_H
#define KV_CALLS_H

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <linux/dm-ioctl.h>
#include <linux/if_alg.h>
#include <linux/keyctl.h>
#include "kv_test.h"

/* --- keyrings -------------------------------------------------------------- */

static KV_MAYBE long kv_keyctl(int cmd, unsigned long a, unsigned long b, unsigned long c,
			       unsigned long d)
{
	long ret = syscall(SYS_keyctl, cmd, a, b, c, d);

	return ret < 0 ? -errno : ret;
}

static KV_MAYBE long kv_request_key(const char *desc, const char *callout)
{
	long ret = syscall(SYS_request_key, "kvault", desc, callout, KEY_SPEC_SESSION_KEYRING);

	return ret < 0 ? -errno : ret;
}

static KV_MAYBE long kv_new_session(void)
{
	return kv_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);
}

static KV_MAYBE long kv_pkey(int cmd, long key, const char *info, const void *in, uint32_t in_len,
			     void *out, uint32_t out_len)
{
	struct keyctl_pkey_params p = {
		.key_id = (int)key, .in_len = in_len, .out_len = out_len,
	};

	return kv_keyctl(cmd, (unsigned long)&p, (unsigned long)info, (unsigned long)in,
			 (unsigned long)out);
}

/* --- AF_ALG ---------------------------------------------------------------- */

static KV_MAYBE int kv_alg_bind(void)
{
	struct sockaddr_alg sa = {
		.salg_family = AF_ALG, .salg_type = "skcipher", .salg_name = "xts(paes)",
	};
	int s = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ret;

	if (s < 0)
		return -errno;
	if (!bind(s, (struct sockaddr *)&sa, sizeof(sa)))
		return s;
	ret = -errno;
	close(s);
	return ret;
}

static KV_MAYBE int kv_alg_setkey(int s, const void *token)
{
	return setsockopt(s, SOL_ALG, ALG_SET_KEY, token, KVAULT_TOKEN_SIZE) ? -errno : 0;
}

/* --- device-mapper ---------------------------------------------------------- */

struct kv_dm {
	struct dm_ioctl io;
	struct dm_target_spec target;
	char params[512];
};

static KV_MAYBE void kv_dm_init(struct kv_dm *m, const char *name)
{
	memset(m, 0, sizeof(*m));
	m->io.version[0] = DM_VERSION_MAJOR;
	m->io.data_size = sizeof(*m);
	m->io.data_start = sizeof(m->io);
	snprintf(m->io.name, sizeof(m->io.name), "%s", name);
}

static KV_MAYBE int kv_dm_open(void)
{
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static KV_MAYBE int kv_dm_do(int dm, unsigned long cmd, const char *name, dev_t *dev)
{
	struct kv_dm m;
	int ret;

	kv_dm_init(&m, name);
	ret = kv_ioctl(dm, cmd, &m);
	if (!ret && dev)
		*dev = (dev_t)m.io.dev;
	return ret;
}

static KV_MAYBE void kv_dm_table(struct kv_dm *m, const char *name, const char *target)
{
	kv_dm_init(m, name);
	m->io.target_count = 1;
	m->target.length = 2048;
	snprintf(m->target.target_type, sizeof(m->target.target_type), "%s", target);
}

/* A device to put dm-crypt on; none of it is ever read. */
static KV_MAYBE int kv_dm_backing(int dm, const char *name, dev_t *dev)
{
	struct kv_dm m;
	int ret = kv_dm_do(dm, DM_DEV_CREATE, name, dev);

	kv_dm_table(&m, name, "error");
	ret = ret ? ret : kv_ioctl(dm, DM_TABLE_LOAD, &m);
	return ret ? ret : kv_dm_do(dm, DM_DEV_SUSPEND, name, NULL);	/* resume */
}

static KV_MAYBE void kv_dm_crypt(struct kv_dm *m, const char *name, dev_t on, const uint8_t *token)
{
	char *to;
	int i;

	kv_dm_table(m, name, "crypt");
	to = m->params + snprintf(m->params, sizeof(m->params), "capi:xts(paes)-plain64 ");
	for (i = 0; i < KVAULT_TOKEN_SIZE; i++)
		to += sprintf(to, "%02x", token[i]);
	sprintf(to, " 0 %u:%u 0", major(on), minor(on));
}

#endif /* KV_CALLS_H */
