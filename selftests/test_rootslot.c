// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root key and a hostile kvaultd. An administrator imports a key, whose
 * bytes the daemon's accomplice knows or is to learn; the daemon must neither
 * get it out of the kernel again nor wrap the root key under it. That is for
 * requests with KVAULT_CONTROL_ROOT_SLOT alone, while they are under way, of
 * an administrator. Freshly loaded module, no kvaultd.
 * vm: --init script
 * timeout: 60
 */
#include "kv_daemon.h"
#include "kselftest_harness.h"

#define SECRET_LEN	32

static struct kv_daemon d;
static uint8_t blob[512], sealed[512];
static size_t blob_len;

struct request {
	uint32_t flags;
	uid_t uid;
};

/* Gives 32 bytes to the daemon and asks for a secret in return: what comes, or errno. */
static int call_with_secret(void *arg)
{
	const struct request *r = arg;
	uint8_t secret[SECRET_LEN], out[256] = { 0 };
	char reply[256];
	struct kvault_control c = {
		.size = sizeof(c), .method = KVAULT_METHOD_PUT, .flags = r->flags,
		.path = kv_ptr("/vaults/v/keys/k"), .path_len = 16,
		.reply = kv_ptr(reply), .reply_len = sizeof(reply),
		.secret_in = kv_ptr(secret), .secret_in_len = sizeof(secret),
		.secret_out = kv_ptr(out), .secret_out_len = sizeof(out),
	};
	int fd, ret;

	kv_daemon_stop(&d);	/* our copy of its files */
	memset(secret, 0x5e, sizeof(secret));
	if (r->uid && (setgid(r->uid) || setuid(r->uid)))
		return 250;
	fd = kv_dev();
	ret = kv_ioctl(fd, KVAULT_CONTROL, &c);
	if (c.secret_out_len || out[0])
		return 251;
	return ret ? -ret : c.status - 200;
}

FIXTURE(rootslot)
{
	struct kv_child c;
	struct request r;
};

FIXTURE_SETUP(rootslot)
{
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
	self->r = (struct request) { 0 };
}

FIXTURE_TEARDOWN(rootslot)
{
	kv_daemon_stop(&d);
}

/* The request is with the daemon, and its sealed secret in blob. */
#define ASK(_flags, _uid) \
	do { \
		self->r = (struct request) { _flags, _uid }; \
		ASSERT_EQ(0, kv_child_start(&self->c, false, false, call_with_secret, &self->r)); \
		kv_child_go(&self->c); \
		ASSERT_EQ(0, kv_daemon_next(&d, 10000)); \
		blob_len = d.msg.len[3]; \
		ASSERT_EQ(SECRET_LEN + KVAULT_BLOB_OVERHEAD, blob_len); \
		memcpy(blob, kv_daemon_seg(&d, 3), blob_len); \
	} while (0)

#define ANSWER(_want) \
	do { \
		EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200))); \
		EXPECT_EQ(_want, kv_child_end(&self->c)); \
	} while (0)

static int seal_transit(const struct kvault_binding *b)
{
	struct kvault_seal s = {
		.size = sizeof(s), .source = KVAULT_SEAL_TRANSIT, .binding = kv_ptr(b),
		.in = kv_ptr(blob), .in_len = (uint32_t)blob_len,
		.out = kv_ptr(sealed), .out_len = sizeof(sealed),
	};

	memcpy(s.request_id, d.msg.request_id, sizeof(s.request_id));
	return kv_ioctl(d.ctl, KVAULT_CTL_SEAL, &s);
}

static int submit_import(const struct kvault_binding *b)
{
	struct kvault_submit s = {
		.size = sizeof(s), .engine = KVAULT_ENGINE_OPENSSL, .op = KVAULT_ENGINE_OP_IMPORT,
		.timeout_ms = 1000, .binding = kv_ptr(b), .blob = kv_ptr(blob),
		.blob_len = (uint32_t)blob_len,
	};

	memcpy(s.request_id, d.msg.request_id, sizeof(s.request_id));
	return kv_ioctl(d.ctl, KVAULT_CTL_SUBMIT, &s);
}

static int root_wrap(void)
{
	struct kvault_root_wrap w = {
		.size = sizeof(w), .secret = kv_ptr(blob), .secret_len = (uint32_t)blob_len,
	};
	static const uint8_t none[sizeof(w.wrapped)];
	int ret;

	memcpy(w.request_id, d.msg.request_id, sizeof(w.request_id));
	memset(w.slot, 0x55, sizeof(w.slot));
	ret = kv_ioctl(d.ctl, KVAULT_CTL_ROOT_WRAP, &w);
	/* what is written back without success must be nothing */
	if (ret && memcmp(w.wrapped, none, sizeof(none)))
		return -ENOTRECOVERABLE;
	return ret;
}

TEST_F(rootslot, an_imported_key_becomes_nothing_but_a_key)
{
	static const uint32_t types[] = {
		KVAULT_TYPE_SECRET, KVAULT_TYPE_CERT, KVAULT_TYPE_TRANSIT, 77,
	};
	struct kvault_binding b = kv_binding(1);
	size_t i;

	ASK(0, 0);
	EXPECT_EQ(0, seal_transit(&b)) TH_LOG("the control: it is a key");
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		b = kv_binding(1);
		b.type = types[i];
		EXPECT_GT(0, seal_transit(&b)) TH_LOG("type %u", types[i]);
		b.kty = b.bits = b.ops = 0;
		EXPECT_GT(0, seal_transit(&b)) TH_LOG("type %u, as a value", types[i]);
	}
	ANSWER(0);
}

TEST_F(rootslot, the_root_key_is_not_wrapped_under_an_imported_key)
{
	ASK(0, 0);
	EXPECT_EQ(-EBADMSG, root_wrap());
	ANSWER(0);
}

TEST_F(rootslot, nobody_gets_a_value_out_of_the_kernel_by_secret_out)
{
	struct kvault_binding b = kv_binding(2);
	struct kv_reply *r;

	ASK(0, 0);
	ASSERT_EQ(0, seal_transit(&b));
	r = kv_reply_to(&d, 200);
	kv_reply_seg(r, 0, &b, sizeof(b));
	kv_reply_seg(r, 2, "{}", 2);
	kv_reply_seg(r, 3, sealed, blob_len);
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
	/* nor the sealed secret itself, in the answer to somebody else */
	ASK(0, 65534);
	r = kv_reply_to(&d, 200);
	kv_reply_seg(r, 3, blob, blob_len);
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

TEST_F(rootslot, a_root_slots_secret_wraps_the_root_key_while_its_request_is_under_way)
{
	ASK(KVAULT_CONTROL_ROOT_SLOT, 0);
	EXPECT_EQ(0, root_wrap());
	ANSWER(0);
	EXPECT_EQ(-EPERM, root_wrap());
}

TEST_F(rootslot, a_root_slots_secret_is_no_key)
{
	struct kvault_binding b = kv_binding(3);

	ASK(KVAULT_CONTROL_ROOT_SLOT, 0);
	EXPECT_EQ(-EBADMSG, seal_transit(&b));
	b.kty = KVAULT_KTY_EC;
	b.bits = 0;
	b.curve = KVAULT_CURVE_P256;
	b.ops = KVAULT_OP_SIGN;
	EXPECT_EQ(-EBADMSG, submit_import(&b));
	ANSWER(0);
}

TEST_F(rootslot, who_is_no_administrator_gets_no_root_slot)
{
	ASK(KVAULT_CONTROL_ROOT_SLOT, 65534);
	EXPECT_EQ(-EPERM, root_wrap());
	ANSWER(0);
}

TEST_HARNESS_MAIN
