// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a tenant leaves on its way to an engine when it ends: nothing. A key
 * that is imported waits for an engine, and is with one, in the clear; no
 * engine is given it once its tenant is gone.
 * vm: --init script
 * timeout: 120
 */
#include "kv_daemon.h"
#include "kselftest_harness.h"

#define SECRET	"PKCS#8 of a tenant that is gone"

FIXTURE(end)
{
	struct kv_child tenant;
	uint8_t id[KVAULT_ID_SIZE];
};

static struct kv_daemon d;
static union {
	struct kvault_msg msg;
	uint8_t buf[KVAULT_MSG_MAX];
} e;

static int attach(void)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = KVAULT_ENGINE_OPENSSL };
	int fd = open(KV_ENGINE_DEV, O_RDWR | O_CLOEXEC);
	int ret = fd < 0 ? -errno : kv_ioctl(fd, KVAULT_ENG_ATTACH, &a);

	return ret ? ret : fd;
}

/* Length of the message that an engine takes within @ms; -ETIME, -errno. */
static int engine_next(int fd, unsigned int ms)
{
	uint64_t end = kv_now_ms() + ms;

	do {
		struct kvault_exchange x = {
			.size = sizeof(x), .next = kv_ptr(e.buf), .next_len = sizeof(e.buf),
		};
		int ret = kv_ioctl(fd, KVAULT_ENG_EXCHANGE, &x);

		if (ret || x.next_len)
			return ret ? ret : (int)x.next_len;
		kv_sleep_ms(20);
	} while (kv_now_ms() < end);
	return -ETIME;
}

/* In the tenant: its key goes to the daemon, sealed for that request. */
static int give_key(void *arg)
{
	int fd;

	kv_daemon_stop(&d);
	fd = kv_dev();
	return kv_status(kv_control(fd, KVAULT_METHOD_PUT, "/vaults/v/keys/k", "{}", SECRET,
				    sizeof(SECRET)));
}

static int next_of(uint32_t type, int ms)
{
	int ret;

	do {
		ret = kv_daemon_next(&d, ms);
	} while (!ret && d.msg.type != type);
	return ret;
}

/* The daemon hands the key that it was given on to an engine. */
static int import(void)
{
	struct kvault_binding b = kv_binding(9);
	struct kvault_submit s = {
		.size = sizeof(s), .cookie = 7, .engine = KVAULT_ENGINE_OPENSSL,
		.op = KVAULT_ENGINE_OP_IMPORT, .timeout_ms = 60000, .binding = kv_ptr(&b),
		.blob = kv_ptr(kv_daemon_seg(&d, 3)), .blob_len = d.msg.len[3],
	};

	b.kty = KVAULT_KTY_RSA;
	b.bits = 2048;
	b.ops = KVAULT_OP_SIGN;
	memcpy(b.tenant, d.msg.tenant, sizeof(b.tenant));
	memcpy(s.request_id, d.msg.request_id, sizeof(s.request_id));
	return kv_ioctl(d.ctl, KVAULT_CTL_SUBMIT, &s);
}

FIXTURE_SETUP(end)
{
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
	ASSERT_EQ(0, kv_child_start(&self->tenant, true, true, give_key, NULL));
	kv_child_go(&self->tenant);
	ASSERT_EQ(0, next_of(KVAULT_MSG_CONTROL, 8000));
	memcpy(self->id, d.msg.tenant, sizeof(self->id));
}

FIXTURE_TEARDOWN(end)
{
	kv_bye(&d);
	kv_daemon_stop(&d);
}

/* Until the daemon hears of it. */
static int end_tenant(struct kv_child *tenant, const uint8_t *id)
{
	int ret;

	kill(tenant->pid, SIGKILL);
	ret = kv_child_end(tenant);
	if (ret != 128 + SIGKILL)
		return -EPROTO;
	do {
		ret = next_of(KVAULT_MSG_TENANT_GONE, 8000);
	} while (!ret && memcmp(d.msg.tenant, id, KVAULT_ID_SIZE));
	return ret;
}

TEST_F_TIMEOUT(end, a_key_that_waits_for_an_engine_ends_with_its_tenant, 60)
{
	const uint8_t *id = self->id;
	int fd;

	/* one that is attached, so that it is waited for; it is not asked */
	fd = attach();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import());
	ASSERT_EQ(0, end_tenant(&self->tenant, id));
	EXPECT_EQ(-ETIME, engine_next(fd, 1000)) TH_LOG("op %u", e.msg.op);
	close(fd);
}

/* Takes the key, and hangs with it. */
static int engine(void *arg)
{
	int fd = attach();

	if (engine_next(fd, 8000) > 0 && write(*(int *)arg, "t", 1) == 1)
		pause();
	return 1;
}

TEST_F_TIMEOUT(end, a_key_that_an_engine_has_is_not_given_to_another, 60)
{
	const uint8_t *id = self->id;
	int taken[2], fd;
	struct kv_child c;
	char b;

	ASSERT_EQ(0, pipe2(taken, O_CLOEXEC));
	ASSERT_EQ(0, kv_child_start(&c, false, false, engine, &taken[1]));
	kv_child_go(&c);
	ASSERT_EQ(0, import());
	ASSERT_EQ(1, read(taken[0], &b, 1));
	fd = attach();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, end_tenant(&self->tenant, id));
	EXPECT_EQ(128 + SIGKILL, kv_child_end(&c));
	EXPECT_EQ(-ETIME, engine_next(fd, 1000)) TH_LOG("op %u", e.msg.op);
	close(fd);
}

TEST_HARNESS_MAIN
