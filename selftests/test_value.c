// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values of secrets and a hostile kvaultd. What a caller gives as a value is
 * sealed for the daemon, and what the daemon answers is opened for a caller
 * who asked for a value: if it is a secret, an enabled one, of his tenant.
 * Nothing else that the daemon has, or can have sealed, gets out of the kernel.
 * Freshly loaded module, no kvaultd.
 * vm: --init script
 * timeout: 60
 */
#include <stddef.h>
#include "kv_daemon.h"
#include "kselftest_harness.h"

#define VALUE_LEN	40
#define ROOM		(KVAULT_PAYLOAD_MAX / 2)
#define NO_VALUE	250	/* of call(): the answer was fine, and no value came */

static struct kv_daemon d;
static uint8_t transit[KVAULT_BLOB_MAX], sealed[KVAULT_BLOB_MAX];
static size_t transit_len, sealed_len;

struct request {
	uint32_t flags;
	uint32_t in_len;
	uint32_t room;
	bool foreign;
};

static void fill(uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + 1);
}

/* One operation: 0 when the value of in_len bytes came back, NO_VALUE, or an errno. */
static int call(void *arg)
{
	static uint8_t in[KVAULT_SECRET_MAX], out[ROOM];
	const struct request *r = arg;
	char reply[256];
	struct kvault_control c = {
		.size = sizeof(c), .flags = r->flags,
		.method = r->flags & KVAULT_CONTROL_SECRET_GET ? KVAULT_METHOD_GET :
								 KVAULT_METHOD_PUT,
		.path = kv_ptr("/vaults/v/secrets/s"), .path_len = 19,
		.reply = kv_ptr(reply), .reply_len = sizeof(reply), .secret_in = kv_ptr(in),
		.secret_out = kv_ptr(out), .secret_out_len = r->room,
	};
	int ret;

	kv_daemon_stop(&d);	/* our copy of its files */
	fill(in, sizeof(in));
	if (!(r->flags & KVAULT_CONTROL_SECRET_GET))
		c.secret_in_len = r->in_len;
	ret = kv_ioctl(kv_dev(), KVAULT_CONTROL, &c);
	if (ret == -EMSGSIZE && c.secret_out_len != r->in_len)
		return 252;
	if (ret)	/* and nothing was written */
		return !out[0] && (ret == -EMSGSIZE || !c.secret_out_len) ? -ret : 251;
	if (!c.secret_out_len && !out[0])
		return r->flags & KVAULT_CONTROL_SECRET_GET && !r->in_len ? 0 : NO_VALUE;
	return c.secret_out_len == r->in_len && !memcmp(in, out, r->in_len) ? 0 : 253;
}

FIXTURE(secret)
{
	struct kv_child c;
	struct request r;
};

FIXTURE_SETUP(secret)
{
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
}

FIXTURE_TEARDOWN(secret)
{
	kv_daemon_stop(&d);
}

/* The request is with the daemon. */
#define ASK(_flags, _in_len, ...) \
	do { \
		self->r = (struct request) { _flags, _in_len, ROOM, __VA_ARGS__ }; \
		ASSERT_EQ(0, kv_child_start(&self->c, self->r.foreign, self->r.foreign, call, \
					    &self->r)); \
		kv_child_go(&self->c); \
		ASSERT_EQ(0, kv_daemon_next(&d, 10000)); \
	} while (0)

/* What the daemon would answer with, and what the caller makes of it. */
#define ANSWER(_b, _blob, _len, _want) \
	do { \
		struct kv_reply *_r = kv_reply_to(&d, 200); \
		kv_reply_seg(_r, 0, _b, sizeof(struct kvault_binding)); \
		kv_reply_seg(_r, 2, "{}", 2); \
		kv_reply_seg(_r, 3, _blob, _len); \
		EXPECT_EQ(0, kv_reply_send(&d, _r)); \
		EXPECT_EQ(_want, kv_child_end(&self->c)); \
	} while (0)

static struct kvault_binding secret_binding(uint8_t nr)
{
	struct kvault_binding b = kv_binding(nr);

	b.type = KVAULT_TYPE_SECRET;
	b.kty = 0;
	b.bits = 0;
	b.ops = 0;
	return b;
}

static int seal(uint32_t source, const struct kvault_binding *b,
		const struct kvault_binding *old, const void *in, size_t len)
{
	struct kvault_seal s = {
		.size = sizeof(s), .source = source, .binding = kv_ptr(b),
		.old_binding = kv_ptr(old), .in = kv_ptr(in), .in_len = (uint32_t)len,
		.out = kv_ptr(sealed), .out_len = sizeof(sealed),
	};
	int ret;

	memcpy(s.request_id, d.msg.request_id, sizeof(s.request_id));
	ret = kv_ioctl(d.ctl, KVAULT_CTL_SEAL, &s);
	sealed_len = ret ? 0 : s.out_len;
	return ret;
}

/* A caller sets a value of that many bytes; its blob is in sealed then. */
#define SET(_b, _len) \
	do { \
		ASK(KVAULT_CONTROL_SECRET_SET, _len); \
		transit_len = d.msg.len[3]; \
		ASSERT_EQ((_len) + KVAULT_BLOB_OVERHEAD, transit_len); \
		memcpy(transit, kv_daemon_seg(&d, 3), transit_len); \
		ASSERT_EQ(0, seal(KVAULT_SEAL_TRANSIT, _b, NULL, transit, transit_len)); \
		ASSERT_EQ((_len) + KVAULT_BLOB_OVERHEAD, sealed_len); \
		EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200))); \
		EXPECT_EQ(NO_VALUE, kv_child_end(&self->c)); \
	} while (0)

TEST_F(secret, a_value_comes_back_as_it_was_given)
{
	static const uint32_t lens[] = { VALUE_LEN, 0, 1, KVAULT_SECRET_MAX };
	struct kvault_binding b = secret_binding(1);
	size_t i;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		SET(&b, lens[i]);
		ASK(KVAULT_CONTROL_SECRET_GET, lens[i]);
		EXPECT_EQ(0, d.msg.len[3]);
		ANSWER(&b, sealed, sealed_len, 0);
	}
}

TEST_F(secret, what_the_daemon_sees_is_sealed)
{
	uint8_t value[VALUE_LEN];
	struct kvault_binding b = secret_binding(2);

	fill(value, sizeof(value));
	SET(&b, VALUE_LEN);
	EXPECT_EQ(NULL, memmem(transit, transit_len, value, 8));
	EXPECT_EQ(NULL, memmem(sealed, sealed_len, value, 8));
	EXPECT_NE(NULL, memmem(value, sizeof(value), value + 8, 8)) TH_LOG("the control");
}

TEST_F(secret, a_buffer_that_is_too_small_gets_nothing_and_the_length)
{
	struct kvault_binding b = secret_binding(3);

	SET(&b, VALUE_LEN);
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&b, sealed, sealed_len, 0);
	self->r = (struct request) { KVAULT_CONTROL_SECRET_GET, VALUE_LEN, VALUE_LEN - 1, false };
	ASSERT_EQ(0, kv_child_start(&self->c, false, false, call, &self->r));
	kv_child_go(&self->c);
	ASSERT_EQ(0, kv_daemon_next(&d, 10000));
	ANSWER(&b, sealed, sealed_len, EMSGSIZE);
}

TEST_F(secret, a_value_is_for_who_asked_for_one)
{
	struct kvault_binding b = secret_binding(4);
	struct kv_reply *r;

	SET(&b, VALUE_LEN);
	ASK(KVAULT_CONTROL_SECRET_SET, VALUE_LEN);
	ANSWER(&b, sealed, sealed_len, EIO);
	ASK(0, VALUE_LEN);
	ANSWER(&b, sealed, sealed_len, EIO);
	/* nor with a refusal */
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	r = kv_reply_to(&d, 403);
	kv_reply_seg(r, 0, &b, sizeof(b));
	kv_reply_seg(r, 3, sealed, sealed_len);
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

TEST_F(secret, the_material_of_a_key_is_no_value)
{
	struct kvault_binding key = kv_binding(5), b = secret_binding(5);

	/* as it is, and under the name of a secret */
	ASSERT_EQ(0, seal(KVAULT_SEAL_GENERATE, &key, NULL, NULL, 0));
	ASK(KVAULT_CONTROL_SECRET_GET, 0);
	ANSWER(&key, sealed, sealed_len, EIO);
	ASK(KVAULT_CONTROL_SECRET_GET, 0);
	ANSWER(&b, sealed, sealed_len, EIO);
	/* nor can it be made one */
	memcpy(transit, sealed, sealed_len);
	transit_len = sealed_len;
	EXPECT_EQ(-EINVAL, seal(KVAULT_SEAL_RESEAL, &b, &key, transit, transit_len));
	EXPECT_EQ(-EBADMSG, seal(KVAULT_SEAL_RESEAL, &b, &b, transit, transit_len));
	EXPECT_EQ(-EINVAL, seal(KVAULT_SEAL_GENERATE, &b, NULL, NULL, 0));
	b.kty = KVAULT_KTY_OCT;
	b.bits = 256;
	EXPECT_EQ(-EINVAL, seal(KVAULT_SEAL_GENERATE, &b, NULL, NULL, 0));
}

TEST_F(secret, an_engine_makes_no_value)
{
	struct kvault_binding b = secret_binding(6);
	struct kvault_submit s = {
		.size = sizeof(s), .engine = KVAULT_ENGINE_OPENSSL,
		.op = KVAULT_ENGINE_OP_GENERATE, .timeout_ms = 1000, .binding = kv_ptr(&b),
	};

	EXPECT_EQ(-EINVAL, kv_ioctl(d.ctl, KVAULT_CTL_SUBMIT, &s));
	b.kty = KVAULT_KTY_EC;
	b.curve = KVAULT_CURVE_P256;
	EXPECT_EQ(-EINVAL, kv_ioctl(d.ctl, KVAULT_CTL_SUBMIT, &s));
}

TEST_F(secret, a_value_is_no_key)
{
	struct kvault_binding key = kv_binding(7);

	ASK(KVAULT_CONTROL_SECRET_SET, 32);
	transit_len = d.msg.len[3];
	memcpy(transit, kv_daemon_seg(&d, 3), transit_len);
	EXPECT_EQ(-EBADMSG, seal(KVAULT_SEAL_TRANSIT, &key, NULL, transit, transit_len));
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(NO_VALUE, kv_child_end(&self->c));
}

TEST_F(secret, the_sealed_request_of_another_is_no_value)
{
	struct kvault_binding b = secret_binding(8), other = b;

	ASK(KVAULT_CONTROL_SECRET_SET, VALUE_LEN);
	transit_len = d.msg.len[3];
	memcpy(transit, kv_daemon_seg(&d, 3), transit_len);
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(NO_VALUE, kv_child_end(&self->c));
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&b, transit, transit_len, EIO);
	memset(&other, 0, sizeof(other));
	other.type = KVAULT_TYPE_TRANSIT;
	memcpy(other.tenant, d.msg.tenant, sizeof(other.tenant));
	memcpy(other.version, d.msg.request_id, sizeof(other.version));
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&other, transit, transit_len, EIO);
}

TEST_F(secret, a_disabled_secret_is_not_opened)
{
	struct kvault_binding b = secret_binding(9), off = b;

	off.flags = 0;
	SET(&b, VALUE_LEN);
	/* a row that was edited does not open */
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&off, sealed, sealed_len, EIO);
	memcpy(transit, sealed, sealed_len);
	transit_len = sealed_len;
	ASSERT_EQ(0, seal(KVAULT_SEAL_RESEAL, &off, &b, transit, transit_len));
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&off, sealed, sealed_len, EIO);
	/* and with its state put back it comes as before */
	memcpy(transit, sealed, sealed_len);
	ASSERT_EQ(0, seal(KVAULT_SEAL_RESEAL, &b, &off, transit, transit_len));
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&b, sealed, sealed_len, 0);
}

TEST_F(secret, every_byte_of_the_answer_counts)
{
	struct kvault_binding b = secret_binding(10), bad;
	static const size_t at[] = {
		offsetof(struct kvault_binding, store), offsetof(struct kvault_binding, container),
		offsetof(struct kvault_binding, object), offsetof(struct kvault_binding, version),
		offsetof(struct kvault_binding, nbf), offsetof(struct kvault_binding, exp),
		offsetof(struct kvault_binding, name), offsetof(struct kvault_binding, tenant),
	};
	struct kv_reply *r;
	size_t i;

	SET(&b, VALUE_LEN);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		bad = b;
		((uint8_t *)&bad)[at[i]] ^= 1;
		ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
		ANSWER(&bad, sealed, sealed_len, EIO);
	}
	for (i = 0; i < sealed_len; i += 5) {
		sealed[i] ^= 1;
		ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
		ANSWER(&b, sealed, sealed_len, EIO);
		sealed[i] ^= 1;
	}
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&b, sealed, sealed_len - 1, EIO);
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&b, sealed, 0, EIO);
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	r = kv_reply_to(&d, 200);
	kv_reply_seg(r, 0, &b, sizeof(b) - 1);
	kv_reply_seg(r, 3, sealed, sealed_len);
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN);
	ANSWER(&b, sealed, sealed_len, 0);
}

TEST_F(secret, a_secret_of_one_tenant_is_nothing_to_another)
{
	struct kvault_binding b = secret_binding(11), theirs;

	SET(&b, VALUE_LEN);
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN, true);
	EXPECT_NE(0, memcmp(d.msg.tenant, kv_host, sizeof(kv_host)));
	ANSWER(&b, sealed, sealed_len, EIO);
	/* nor when it is said to be his */
	ASK(KVAULT_CONTROL_SECRET_GET, VALUE_LEN, true);
	theirs = b;
	memcpy(theirs.tenant, d.msg.tenant, sizeof(theirs.tenant));
	ANSWER(&theirs, sealed, sealed_len, EIO);
}

TEST_F(secret, a_secret_has_nothing_of_a_key)
{
	struct kvault_binding b = secret_binding(12);

	ASK(KVAULT_CONTROL_SECRET_SET, VALUE_LEN);
	transit_len = d.msg.len[3];
	memcpy(transit, kv_daemon_seg(&d, 3), transit_len);
	b.kty = KVAULT_KTY_OCT;
	EXPECT_EQ(-EINVAL, seal(KVAULT_SEAL_TRANSIT, &b, NULL, transit, transit_len));
	b = secret_binding(12);
	b.ops = KVAULT_OP_ENCRYPT;
	EXPECT_EQ(-EINVAL, seal(KVAULT_SEAL_TRANSIT, &b, NULL, transit, transit_len));
	b = secret_binding(12);
	b.flags |= KVAULT_KEY_EXPORTABLE;
	EXPECT_EQ(-EINVAL, seal(KVAULT_SEAL_TRANSIT, &b, NULL, transit, transit_len));
	b.type = KVAULT_TYPE_CERT;
	EXPECT_EQ(-EOPNOTSUPP, seal(KVAULT_SEAL_TRANSIT, &b, NULL, transit, transit_len));
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(NO_VALUE, kv_child_end(&self->c));
}

TEST_F(secret, a_request_has_one_purpose)
{
	struct kvault_control c = {
		.size = sizeof(c), .method = KVAULT_METHOD_GET, .path = kv_ptr("/x"),
		.path_len = 2,
	};
	int fd = kv_dev();

	c.flags = KVAULT_CONTROL_SECRET_GET | KVAULT_CONTROL_SECRET_SET;
	EXPECT_EQ(-EINVAL, kv_ioctl(fd, KVAULT_CONTROL, &c));
	c.flags = KVAULT_CONTROL_SECRET_GET | KVAULT_CONTROL_ROOT_SLOT;
	EXPECT_EQ(-EINVAL, kv_ioctl(fd, KVAULT_CONTROL, &c));
	c.flags = KVAULT_CONTROL_FLAGS_ALL + 1;
	EXPECT_EQ(-EOPNOTSUPP, kv_ioctl(fd, KVAULT_CONTROL, &c));
	close(fd);
}

TEST_HARNESS_MAIN
