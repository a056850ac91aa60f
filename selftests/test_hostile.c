// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile daemon: what it answers is as untrusted as what a user passes.
 * Each test spoils one thing; the caller gets a precise errno or goes on
 * waiting for a good answer, and nothing leaks. A good answer works: that is
 * the control. Freshly loaded module, no kvaultd.
 * vm: --init script
 * timeout: 180
 */
#include "kv_daemon.h"
#include "kselftest_harness.h"

#define OK_STATUS	200

static struct kv_daemon d;

/* --- callers, in processes of their own ----------------------------------- */

static int call_control(void *arg)
{
	int fd, ret;

	kv_daemon_stop(&d);	/* our copy of its files */
	fd = kv_dev();
	ret = kv_control(fd, KVAULT_METHOD_POST, "/some/path", "{\"a\":1}",
			 "SECRET-OF-THE-CALLER", 20);
	return ret > 0 ? (ret == 200 ? OK_STATUS : 201) : -ret;
}

/* Opens a key and uses it once. */
static int call_open(void *arg)
{
	struct kvault_open o;
	int fd, ret;

	kv_daemon_stop(&d);
	fd = kv_dev();
	ret = kv_open_path(fd, "vault/keys/key", arg ? *(uint32_t *)arg : 0, 20000, &o);
	if (ret)
		return -ret;
	ret = kv_encrypt_gcm(fd, o.handle);
	return ret ? -ret : OK_STATUS;
}

FIXTURE(hostile)
{
	struct kv_child c;
};

/* The policy's revision goes up for good: each test has its own. */
FIXTURE_SETUP(hostile)
{
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
}

FIXTURE_TEARDOWN(hostile)
{
	kv_daemon_stop(&d);
}

#define CALL(_fn, _arg) \
	do { \
		ASSERT_EQ(0, kv_child_start(&self->c, false, false, _fn, _arg)); \
		kv_child_go(&self->c); \
		ASSERT_EQ(0, kv_daemon_next(&d, 10000)); \
	} while (0)

/* --- what arrives --------------------------------------------------------- */

TEST_F(hostile, a_request_says_who_asks_and_its_secret_is_sealed)
{
	const struct kvault_principal *who;
	size_t i, len;

	CALL(call_control, NULL);
	EXPECT_EQ(KVAULT_MSG_CONTROL, d.msg.type);
	EXPECT_EQ(d.generation, d.msg.generation);
	EXPECT_EQ(1, d.msg.attempts);
	EXPECT_EQ(KVAULT_METHOD_POST, d.msg.op);
	EXPECT_EQ(0, memcmp(d.msg.tenant, kv_host, 16));
	ASSERT_EQ(2 * sizeof(*who), d.msg.len[0]);
	who = (const void *)kv_daemon_seg(&d, 0);
	EXPECT_EQ(0, who->uid);
	EXPECT_EQ(self->c.pid, who->tgid);
	EXPECT_EQ(KVAULT_PRINCIPAL_ADMIN | KVAULT_PRINCIPAL_INIT_PIDNS, who->flags);
	EXPECT_NE(NULL, strstr((const char *)who->exe, "test_hostile"));
	EXPECT_EQ(0, memcmp(kv_daemon_seg(&d, 1), "/some/path", d.msg.len[1]));
	EXPECT_EQ(0, memcmp(kv_daemon_seg(&d, 2), "{\"a\":1}", d.msg.len[2]));
	EXPECT_EQ(20 + KVAULT_BLOB_OVERHEAD, d.msg.len[3]);
	EXPECT_EQ(0, memcmp(kv_daemon_seg(&d, 3), KVAULT_BLOB_MAGIC, 4));
	len = sizeof(d.msg) + d.msg.len[0] + d.msg.len[1] + d.msg.len[2] + d.msg.len[3];
	for (i = 0; i + 6 <= len; i++)
		ASSERT_NE(0, memcmp(d.buf + i, "SECRET", 6));
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

TEST_F(hostile, a_buffer_that_is_too_small_loses_no_message)
{
	size_t len = sizeof(struct kvault_msg);
	uint8_t small[sizeof(struct kvault_msg)];
	struct pollfd p = { .fd = d.ctl, .events = POLLIN };

	ASSERT_EQ(0, kv_child_start(&self->c, false, false, call_control, NULL));
	kv_child_go(&self->c);
	ASSERT_EQ(1, poll(&p, 1, 10000));
	EXPECT_EQ(-EMSGSIZE, kv_exchange(d.ctl, NULL, 0, small, &len));
	EXPECT_LT(sizeof(small), len);
	len = 1 << 18;
	EXPECT_EQ(-EFAULT, kv_exchange(d.ctl, NULL, 0, NULL, &len));
	ASSERT_EQ(0, kv_daemon_next(&d, 1000));
	EXPECT_EQ(1, d.msg.attempts);
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

/* --- headers that lie: nothing happens to the caller, who gets the good one after  */

TEST_F(hostile, a_malformed_answer_changes_nothing)
{
	struct kv_reply *r;
	uint32_t i;

	CALL(call_control, NULL);
	r = kv_reply_to(&d, 200);
	r->msg.size--;
	EXPECT_EQ(-EINVAL, kv_reply_send(&d, r));
	for (i = 0; i < KVAULT_MSG_SEGMENTS; i++) {
		r = kv_reply_to(&d, 200);
		r->msg.len[i] = 1;
		EXPECT_EQ(-EINVAL, kv_reply_send(&d, r));
		r->msg.len[i] = UINT32_MAX;
		EXPECT_EQ(-EINVAL, kv_reply_send(&d, r));
		r->len = 100;
		EXPECT_EQ(-EINVAL, kv_reply_send(&d, r));
	}
	r = kv_reply_to(&d, 200);
	for (i = 0; i < KVAULT_MSG_SEGMENTS; i++)
		r->msg.len[i] = 0x40000000;	/* they sum to 0 in 32 bits */
	EXPECT_EQ(-EINVAL, kv_reply_send(&d, r));
	r = kv_reply_to(&d, 200);
	EXPECT_EQ(-EINVAL, kv_exchange(d.ctl, r, sizeof(r->msg) - 1, NULL, NULL));
	EXPECT_EQ(-EINVAL, kv_exchange(d.ctl, r, KVAULT_MSG_MAX + 1, NULL, NULL));
	EXPECT_EQ(-EINVAL, kv_exchange(d.ctl, r, UINT32_MAX, NULL, NULL));
	EXPECT_EQ(-EFAULT, kv_exchange(d.ctl, NULL, sizeof(r->msg), NULL, NULL));
	EXPECT_EQ(-EFAULT, kv_exchange(d.ctl, (void *)0xffff888000000000ull, sizeof(r->msg),
				       NULL, NULL));
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

TEST_F(hostile, an_answer_to_something_else_changes_nothing)
{
	struct kv_reply *r;

	CALL(call_control, NULL);
	r = kv_reply_to(&d, 200);
	r->msg.generation--;
	EXPECT_EQ(-ESTALE, kv_reply_send(&d, r));
	r->msg.generation += 2;
	EXPECT_EQ(-ESTALE, kv_reply_send(&d, r));
	r = kv_reply_to(&d, 200);
	r->msg.cookie++;
	EXPECT_EQ(-ENOENT, kv_reply_send(&d, r));
	r = kv_reply_to(&d, 200);
	r->msg.request_id[0] ^= 1;
	EXPECT_EQ(-ENOENT, kv_reply_send(&d, r));
	r = kv_reply_to(&d, 200);
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(-ENOENT, kv_reply_send(&d, r));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

TEST_F(hostile, an_answer_to_a_caller_who_was_killed_is_ENOENT)
{
	CALL(call_control, NULL);
	ASSERT_EQ(0, kill(self->c.pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, kv_child_end(&self->c));
	EXPECT_EQ(-ENOENT, kv_reply_send(&d, kv_reply_to(&d, 200)));
	/* and the next caller is served */
	CALL(call_control, NULL);
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

TEST_F(hostile, a_status_that_is_none_is_EIO)
{
	static const int32_t bad[] = {
		0, 1, 199, 600, INT32_MAX, -5000, INT32_MIN,
		-512, -516,	/* a call that begins again: it would be done twice */
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CALL(call_control, NULL);
		EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, bad[i])));
		EXPECT_EQ(EIO, kv_child_end(&self->c)) TH_LOG("status %d", bad[i]);
	}
	CALL(call_control, NULL);
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, -EDQUOT)));
	EXPECT_EQ(EDQUOT, kv_child_end(&self->c));
}

TEST_F(hostile, oversized_and_misplaced_segments_are_EIO)
{
	static uint8_t big[KVAULT_BODY_MAX + 1];
	struct kv_reply *r;

	CALL(call_control, NULL);
	r = kv_reply_to(&d, 200);
	kv_reply_seg(r, 2, big, sizeof(big));
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
	CALL(call_control, NULL);
	r = kv_reply_to(&d, 200);
	kv_reply_seg(r, 1, big, 1);
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

/* --- values that the kernel shall open ------------------------------------ */

TEST_F(hostile, nothing_but_a_sealed_value_of_the_callers_tenant_is_opened)
{
	struct kvault_binding b = kv_binding(1);
	uint8_t blob[256], junk[256];
	size_t len = sizeof(blob);
	struct kv_reply *r;
	int i;

	ASSERT_EQ(0, kv_seal(d.ctl, KVAULT_SEAL_GENERATE, &b, blob, &len));
	memset(junk, 0x41, sizeof(junk));
	for (i = 0; i < 6; i++) {
		struct kvault_binding bad = b;

		CALL(call_control, NULL);
		r = kv_reply_to(&d, 200);
		if (i == 2)
			bad.tenant[0] ^= 1;
		if (i == 3)
			bad.type = KVAULT_TYPE_SECRET;
		if (i == 4)
			bad.type = 77;
		/* 0: as it is, a key; 1: a binding of another size; 5: junk */
		kv_reply_seg(r, 0, &bad, i == 1 ? sizeof(bad) - 8 : sizeof(bad));
		kv_reply_seg(r, 2, "{}", 2);
		kv_reply_seg(r, 3, i == 5 ? junk : blob, len);
		EXPECT_EQ(0, kv_reply_send(&d, r));
		EXPECT_EQ(EIO, kv_child_end(&self->c)) TH_LOG("case %d", i);
	}
}

/* --- grants --------------------------------------------------------------- */

static uint8_t blob[256];
static size_t blob_len;
static struct kvault_binding key;
static struct kvault_grant grant;

/* A key of its own for each case, so that none is known from before. */
static int new_key(uint8_t nr)
{
	key = kv_binding(nr);
	grant = kv_grant(&key);
	blob_len = sizeof(blob);
	return kv_seal(d.ctl, KVAULT_SEAL_GENERATE, &key, blob, &blob_len);
}

static int send_grant(void)
{
	struct kv_reply *r = kv_reply_to(&d, 0);

	kv_reply_seg(r, 0, &grant, sizeof(grant));
	kv_reply_seg(r, 3, blob, blob_len);
	return kv_reply_send(&d, r);
}

TEST_F(hostile, a_good_grant_works)
{
	ASSERT_EQ(0, new_key(10));
	CALL(call_open, NULL);
	EXPECT_EQ(KVAULT_MSG_ACCESS, d.msg.type);
	EXPECT_EQ(KVAULT_PURPOSE_HANDLE, d.msg.op);
	EXPECT_EQ(sizeof(struct kvault_access), d.msg.len[2]);
	EXPECT_EQ(0, send_grant());
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

#define SPOILT(_nr, _name, _errno, ...) \
TEST_F(hostile, _name) \
{ \
	ASSERT_EQ(0, new_key(_nr)); \
	CALL(call_open, NULL); \
	__VA_ARGS__; \
	EXPECT_EQ(0, send_grant()); \
	EXPECT_EQ(_errno, kv_child_end(&self->c)); \
}

SPOILT(11, a_grant_of_another_size_is_EIO, EIO, grant.size--)
SPOILT(12, a_grant_for_a_foreign_tenants_key_is_EIO, EIO, grant.binding.tenant[0] ^= 1)
SPOILT(13, a_grant_of_another_store_is_EIO, EIO, grant.binding.store[0] ^= 1)
SPOILT(14, a_grant_with_another_keys_id_is_EIO, EIO, grant.binding.object[5] ^= 1)
SPOILT(15, a_grant_with_another_versions_id_is_EIO, EIO, grant.binding.version[5] ^= 1)
SPOILT(16, a_grant_with_another_vaults_id_is_EIO, EIO, grant.binding.container[5] ^= 1)
SPOILT(17, a_grant_with_wider_key_ops_is_EIO, EIO,
       grant.binding.ops |= KVAULT_OP_SIGN)
SPOILT(18, a_grant_with_another_size_of_key_is_EIO, EIO, grant.binding.bits = 128)
SPOILT(19, a_grant_with_another_type_of_key_is_EIO, EIO,
       (grant.binding.kty = KVAULT_KTY_RSA, grant.binding.bits = 2048))
SPOILT(20, a_grant_with_another_name_is_EIO, EIO, grant.binding.name[0] = 'K')
SPOILT(21, a_grant_with_a_name_that_overflows_is_EIO, EIO, grant.binding.name_len = 4000)
SPOILT(22, a_grant_with_an_end_taken_away_is_EIO, EIO, grant.binding.exp = 99)
SPOILT(23, a_grant_with_flags_that_do_not_exist_is_EIO, EIO, grant.binding.flags |= 1u << 30)
SPOILT(24, a_grant_on_a_secret_is_EIO, EIO, grant.binding.type = KVAULT_TYPE_SECRET)
SPOILT(25, a_truncated_blob_is_EIO, EIO, blob_len--)
SPOILT(26, a_blob_shorter_than_its_header_is_EIO, EIO, blob_len = 20)
SPOILT(27, no_blob_is_EIO, EIO, blob_len = 0)
SPOILT(28, a_blob_with_a_changed_tag_is_EIO, EIO, blob[blob_len - 1] ^= 1)
SPOILT(29, a_blob_with_a_changed_text_is_EIO, EIO, blob[KVAULT_BLOB_HEADER] ^= 1)
SPOILT(30, a_blob_with_another_kek_is_EIO, EIO, blob[8] ^= 1)
SPOILT(31, a_blob_of_another_format_is_EIO, EIO, blob[4] = 2)
SPOILT(32, a_blob_whose_length_lies_is_EIO, EIO, blob[52] ^= 0xff)
SPOILT(33, a_grant_with_bits_beyond_its_struct_is_EIO, EIO, grant.binding.pad = 1)

TEST_F(hostile, a_grant_gives_no_more_than_its_key_can)
{
	uint32_t want = KVAULT_OP_SIGN;

	ASSERT_EQ(0, new_key(40));
	CALL(call_open, &want);
	grant.ops = KVAULT_OP_ALL;
	EXPECT_EQ(0, send_grant());
	EXPECT_EQ(EIO, kv_child_end(&self->c) == EACCES ? EIO : 0)
		TH_LOG("a key without 'sign' was opened for it");
}

TEST_F(hostile, a_grant_segment_of_another_length_is_EIO)
{
	struct kv_reply *r;

	ASSERT_EQ(0, new_key(41));
	CALL(call_open, NULL);
	r = kv_reply_to(&d, 0);
	kv_reply_seg(r, 0, &grant, sizeof(grant) - 8);
	kv_reply_seg(r, 3, blob, blob_len);
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
	CALL(call_open, NULL);
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 0)));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
	CALL(call_open, NULL);
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 1)));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

TEST_F(hostile, a_public_key_over_the_limit_is_EIO)
{
	static uint8_t jwk[KVAULT_PUBLIC_MAX + 1];
	struct kv_reply *r;

	ASSERT_EQ(0, new_key(42));
	CALL(call_open, NULL);
	r = kv_reply_to(&d, 0);
	kv_reply_seg(r, 0, &grant, sizeof(grant));
	kv_reply_seg(r, 2, jwk, sizeof(jwk));
	kv_reply_seg(r, 3, blob, blob_len);
	EXPECT_EQ(0, kv_reply_send(&d, r));
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

TEST_F(hostile, what_the_daemon_refuses_is_what_the_caller_gets)
{
	static const int pass[] = { ENOKEY, EACCES, EKEYREVOKED, EKEYEXPIRED, EDQUOT };
	size_t i;

	for (i = 0; i < 5; i++) {
		CALL(call_open, NULL);
		EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, -pass[i])));
		EXPECT_EQ(pass[i], kv_child_end(&self->c));
	}
}

TEST_F(hostile, an_answer_under_an_older_policy_is_asked_for_again)
{
	struct kv_reply *r;
	int asked = 0;

	ASSERT_EQ(0, new_key(43));
	ASSERT_EQ(0, kv_policy_set(&d, kv_host, 50));
	CALL(call_open, NULL);
	/* for some times, and not for ever */
	do {
		EXPECT_EQ(50, d.msg.revision);
		r = kv_reply_to(&d, 0);
		r->msg.revision = 49;
		kv_reply_seg(r, 0, &grant, sizeof(grant));
		kv_reply_seg(r, 3, blob, blob_len);
		EXPECT_EQ(0, kv_reply_send(&d, r));
		asked++;
	} while (asked < 50 && !kv_daemon_next(&d, 1000));
	EXPECT_LT(1, asked);
	EXPECT_GT(50, asked);
	EXPECT_EQ(ESTALE, kv_child_end(&self->c));
}

TEST_F(hostile, an_object_older_than_what_was_seen_is_not_taken)
{
	ASSERT_EQ(0, new_key(44));
	grant.revision = 9;
	CALL(call_open, NULL);
	EXPECT_EQ(0, send_grant());
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
	/* disabled by a push; then the daemon plays an old enabled row back */
	ASSERT_EQ(0, kv_object_set(&d, kv_host, key.object, 10, KVAULT_OBJECT_DISABLED));
	EXPECT_EQ(-ESTALE, kv_object_set(&d, kv_host, key.object, 9, KVAULT_OBJECT_LIVE));
	CALL(call_open, NULL);
	EXPECT_EQ(0, send_grant());
	EXPECT_NE(OK_STATUS, kv_child_end(&self->c));
}

/* --- SEAL ----------------------------------------------------------------- */

TEST_F(hostile, seal_refuses_bindings_that_make_no_sense)
{
	struct kvault_binding b;
	uint8_t out[256];
	size_t len;

#define BAD_SEAL(_want, ...) \
	do { \
		b = kv_binding(60); \
		__VA_ARGS__; \
		len = sizeof(out); \
		EXPECT_EQ(_want, kv_seal(d.ctl, KVAULT_SEAL_GENERATE, &b, out, &len)); \
	} while (0)
	BAD_SEAL(0, (void)0);
	BAD_SEAL(-ENOKEY, b.tenant[0] ^= 1);
	BAD_SEAL(-EINVAL, b.bits = 0);
	BAD_SEAL(-EINVAL, b.bits = 255);
	BAD_SEAL(-EINVAL, b.bits = 1u << 31);
	BAD_SEAL(-EINVAL, b.kty = KVAULT_KTY_EC);
	BAD_SEAL(-EINVAL, b.name_len = 128);
	BAD_SEAL(-EINVAL, b.type = 0);
	b = kv_binding(60);
	len = sizeof(out);
	EXPECT_EQ(-EOPNOTSUPP, kv_seal(d.ctl, 77, &b, out, &len));
	len = 10;
	EXPECT_EQ(-EMSGSIZE, kv_seal(d.ctl, KVAULT_SEAL_GENERATE, &b, out, &len));
	EXPECT_EQ(32 + KVAULT_BLOB_OVERHEAD, len);
}

TEST_F(hostile, reseal_changes_attributes_but_never_what_a_key_is)
{
	struct kvault_binding nb;
	struct kvault_seal s = { .size = sizeof(s), .source = KVAULT_SEAL_RESEAL };
	uint8_t out[256];
	size_t i;

	ASSERT_EQ(0, new_key(61));
	s.in = kv_ptr(blob);
	s.in_len = (uint32_t)blob_len;
	s.old_binding = kv_ptr(&key);
	s.binding = kv_ptr(&nb);
	s.out = kv_ptr(out);
	s.out_len = sizeof(out);
	nb = key;
	nb.exp = 5000;
	EXPECT_EQ(0, kv_ioctl(d.ctl, KVAULT_CTL_SEAL, &s));
	for (i = 0; i < 7; i++) {
		nb = key;
		switch (i) {
		case 0:
			nb.container[0] ^= 1;
			break;
		case 1:
			nb.object[1] ^= 1;
			break;
		case 2:
			nb.version[1] ^= 1;
			break;
		case 3:
			nb.type = KVAULT_TYPE_SECRET;
			break;
		case 4:
			nb.kty = KVAULT_KTY_RSA;
			break;
		case 5:
			nb.bits = 128;
			break;
		case 6:
			nb.flags |= KVAULT_KEY_HSM;
			break;
		}
		s.out_len = sizeof(out);
		EXPECT_GT(0, kv_ioctl(d.ctl, KVAULT_CTL_SEAL, &s)) TH_LOG("case %zu", i);
	}
	nb = key;
	key.ops |= KVAULT_OP_WRAP;	/* the old binding lies */
	EXPECT_EQ(-EBADMSG, kv_ioctl(d.ctl, KVAULT_CTL_SEAL, &s));
}

TEST_F(hostile, a_secret_of_one_request_is_of_no_use_to_another)
{
	struct kvault_binding b = kv_binding(62);
	struct kvault_seal s = {
		.size = sizeof(s), .source = KVAULT_SEAL_TRANSIT, .binding = kv_ptr(&b),
	};
	uint8_t out[256];

	b.bits = 160;
	CALL(call_control, NULL);
	s.in = kv_ptr(kv_daemon_seg(&d, 3));
	s.in_len = d.msg.len[3];
	s.out = kv_ptr(out);
	s.out_len = sizeof(out);
	memcpy(s.request_id, d.msg.request_id, 16);
	EXPECT_EQ(0, kv_ioctl(d.ctl, KVAULT_CTL_SEAL, &s)) TH_LOG("the control");
	s.request_id[0] ^= 1;
	s.out_len = sizeof(out);
	EXPECT_EQ(-EBADMSG, kv_ioctl(d.ctl, KVAULT_CTL_SEAL, &s));
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

/* --- coming and going ----------------------------------------------------- */

TEST_F(hostile, bye_ends_what_waits_with_EHOSTDOWN)
{
	struct kv_child two;

	CALL(call_control, NULL);
	ASSERT_EQ(0, kv_child_start(&two, false, false, call_control, NULL));
	kv_child_go(&two);
	kv_sleep_ms(200);
	EXPECT_EQ(0, kv_bye(&d));
	EXPECT_EQ(EHOSTDOWN, kv_child_end(&two));
	kv_daemon_stop(&d);
	EXPECT_EQ(EHOSTDOWN, kv_child_end(&self->c));
	d.ctl = d.nl = -1;
}

TEST_F(hostile, who_takes_a_request_and_dies_thrice_makes_it_EIO)
{
	uint8_t id[16];
	uint32_t i;

	CALL(call_control, NULL);
	memcpy(id, d.msg.request_id, 16);
	for (i = 2; i <= 3; i++) {
		kv_daemon_stop(&d);
		ASSERT_EQ(0, kv_daemon_start(&d, 1000));
		ASSERT_EQ(0, kv_daemon_next(&d, 5000));
		EXPECT_EQ(i, d.msg.attempts);
		EXPECT_EQ(0, memcmp(id, d.msg.request_id, 16));
	}
	kv_daemon_stop(&d);
	d.ctl = d.nl = -1;
	EXPECT_EQ(EIO, kv_child_end(&self->c));
}

TEST_F(hostile, the_next_daemon_answers_what_the_last_had_taken)
{
	CALL(call_control, NULL);
	kv_daemon_stop(&d);
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
	ASSERT_EQ(0, kv_daemon_next(&d, 5000));
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
}

TEST_F(hostile, a_tenant_has_one_request_at_a_time_with_the_daemon)
{
	struct kv_child two;
	size_t len = sizeof(d.buf);
	struct kv_reply first;

	CALL(call_control, NULL);
	first = *kv_reply_to(&d, 200);
	ASSERT_EQ(0, kv_child_start(&two, false, false, call_control, NULL));
	kv_child_go(&two);
	kv_sleep_ms(200);
	EXPECT_EQ(0, kv_exchange(d.ctl, NULL, 0, d.buf, &len));
	EXPECT_EQ(0, len);
	EXPECT_EQ(0, kv_reply_send(&d, &first));
	EXPECT_EQ(OK_STATUS, kv_child_end(&self->c));
	ASSERT_EQ(0, kv_daemon_next(&d, 5000));
	EXPECT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	EXPECT_EQ(OK_STATUS, kv_child_end(&two));
}

TEST_HARNESS_MAIN
