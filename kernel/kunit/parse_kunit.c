// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes from outside and is not payload: structs of ioctls, buffers,
 * paths, descriptions of keys, callout info, tokens, netlink attributes.
 */
#include <linux/kvault_netlink.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/netlink.h>
#include "ioctl.h"
#include "visible.h"
#include "fixture.h"

/* --- structs of ioctls --- */

#define CMD	_IO(KVAULT_IOC_TYPE, 0x7e)
#define CMD_IN	_IO(KVAULT_IOC_TYPE, 0x7f)

/* What the handler was given, and what it shall say. */
static struct kvault_crypt seen;
static u32 calls, undone;
static int say;

static int handler(struct file *file, void *arg)
{
	struct kvault_crypt *c = arg;

	calls++;
	seen = *c;
	c->out_len = 0x1234;
	c->request_id[15] = 0x56;
	return say;
}

static void undo(struct file *file, void *arg)
{
	undone++;
}

/* The first version of the struct ended with aux. */
static const struct kv_ioctl ioctls[] = {
	{ .cmd = CMD, .size = sizeof(struct kvault_crypt),
	  .min_size = offsetofend(struct kvault_crypt, aux), .fn = handler, .undo = undo },
	KV_IOCTL_IN(CMD_IN, kvault_crypt, request_id, handler),
};

static long call(u32 cmd, const void __user *arg)
{
	calls = 0;
	undone = 0;
	return kv_ioctl_dispatch(NULL, cmd, (unsigned long)arg, ioctls, ARRAY_SIZE(ioctls));
}

static void an_unknown_ioctl_is_none(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, call(CMD + 0x100, NULL), -ENOTTY);
	KUNIT_EXPECT_EQ(test, call(CMD | 0xffff0000, NULL), -ENOTTY);
	KUNIT_EXPECT_EQ(test, call(0, NULL), -ENOTTY);
	KUNIT_EXPECT_EQ(test, calls, 0);
}

static void a_bad_size_is_refused(struct kunit *test)
{
	static const struct {
		u32 size;
		int ret;
	} bad[] = {
		{ 0, -EINVAL }, { 4, -EINVAL },
		{ offsetofend(struct kvault_crypt, aux) - 1, -EINVAL },
		{ PAGE_SIZE + 1, -E2BIG }, { U32_MAX, -E2BIG }, { 0x80000000, -E2BIG },
	};
	void __user *arg = kv_test_user(test, PAGE_SIZE);
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		kv_test_set(test, arg, &bad[i].size, sizeof(bad[i].size));
		KUNIT_EXPECT_EQ_MSG(test, call(CMD, arg), bad[i].ret, "size %u", bad[i].size);
		KUNIT_EXPECT_EQ(test, calls, 0);
	}
}

static void a_bad_address_is_refused(struct kunit *test)
{
	u8 __user *page = kv_test_user(test, PAGE_SIZE);
	u32 size = sizeof(struct kvault_crypt);

	KUNIT_EXPECT_EQ(test, call(CMD, NULL), -EFAULT);
	/* a size that can be read, of a struct that cannot */
	kv_test_set(test, page + PAGE_SIZE - sizeof(size), &size, sizeof(size));
	KUNIT_EXPECT_EQ(test, call(CMD, page + PAGE_SIZE - sizeof(size)), -EFAULT);
	KUNIT_EXPECT_EQ(test, calls, 0);
}

/* A caller of a newer kernel: what we do not know must be 0. */
static void a_tail_that_we_do_not_know_is_zero(struct kunit *test)
{
	struct kvault_crypt c = { .size = PAGE_SIZE, .alg = 7 };
	u8 __user *arg = kv_test_user(test, PAGE_SIZE);
	static const u32 at[] = { sizeof(c), sizeof(c) + 1, PAGE_SIZE - 1 };
	const u8 zero = 0, one = 1;
	int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		kv_test_set(test, arg, &c, sizeof(c));
		kv_test_set(test, arg + at[i], &one, 1);
		KUNIT_EXPECT_EQ_MSG(test, call(CMD, arg), -E2BIG, "at %u", at[i]);
		KUNIT_EXPECT_EQ(test, calls, 0);
		kv_test_set(test, arg + at[i], &zero, 1);
	}
	say = 0;
	KUNIT_EXPECT_EQ(test, call(CMD, arg), 0);
	KUNIT_EXPECT_EQ(test, calls, 1);
	KUNIT_EXPECT_EQ(test, seen.size, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, seen.alg, 7);
}

/* A caller of an older one: what he does not know is 0, and is not written. */
static void a_tail_that_he_does_not_know_is_zero(struct kunit *test)
{
	struct kvault_crypt c, *back;
	u8 __user *arg = kv_test_user(test, PAGE_SIZE);

	memset(&c, 0xaa, sizeof(c));
	c.size = offsetofend(struct kvault_crypt, aux);
	kv_test_set(test, arg, &c, sizeof(c));
	say = 0;
	KUNIT_EXPECT_EQ(test, call(CMD, arg), 0);
	KUNIT_EXPECT_EQ(test, seen.aux, 0xaaaaaaaaaaaaaaaa);
	KUNIT_EXPECT_NULL(test, memchr_inv(seen.iv, 0, sizeof(seen.iv)));
	KUNIT_EXPECT_NULL(test, memchr_inv(seen.request_id, 0, sizeof(seen.request_id)));
	back = kv_test_get(test, arg, sizeof(*back));
	KUNIT_EXPECT_EQ(test, back->out_len, 0x1234);
	KUNIT_EXPECT_MEMEQ(test, back->iv, c.iv, sizeof(*back) - offsetof(typeof(*back), iv));
}

static void an_error_is_written_back_too(struct kunit *test)
{
	struct kvault_crypt c = { .size = sizeof(c) }, *back;
	u8 __user *arg = kv_test_user(test, PAGE_SIZE);

	kv_test_set(test, arg, &c, sizeof(c));
	say = -EMSGSIZE;
	KUNIT_EXPECT_EQ(test, call(CMD, arg), -EMSGSIZE);
	back = kv_test_get(test, arg, sizeof(*back));
	KUNIT_EXPECT_EQ(test, back->out_len, 0x1234);
	KUNIT_EXPECT_EQ(test, back->request_id[15], 0x56);
	KUNIT_EXPECT_EQ(test, undone, 0);
}

static void nothing_is_written_to_what_is_only_read(struct kunit *test)
{
	struct kvault_crypt c = { .size = sizeof(c) };
	u8 __user *arg = kv_test_user(test, PAGE_SIZE);

	kv_test_set(test, arg, &c, sizeof(c));
	say = 0;
	KUNIT_EXPECT_EQ(test, call(CMD_IN, arg), 0);
	KUNIT_EXPECT_EQ(test, calls, 1);
	KUNIT_EXPECT_MEMEQ(test, kv_test_get(test, arg, sizeof(c)), &c, sizeof(c));
}

/* --- buffers and paths --- */

static void a_buffer_has_a_limit(struct kunit *test)
{
	u8 __user *page = kv_test_user(test, PAGE_SIZE);
	u64 at = (u64)(unsigned long)page;
	u8 *p;

	KV_EXPECT_ERR(test, kv_copy_in(at, 11, 10), -EMSGSIZE);
	KV_EXPECT_ERR(test, kv_copy_in(at, U32_MAX, KVAULT_BODY_MAX), -EMSGSIZE);
	KV_EXPECT_ERR(test, kv_copy_in(0, 1, 10), -EFAULT);
	KV_EXPECT_ERR(test, kv_copy_in(at + PAGE_SIZE - 5, 10, 10), -EFAULT);
	kv_test_set(test, page, "0123456789", 10);
	p = kv_copy_in(at, 10, 10);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	KUNIT_EXPECT_MEMEQ(test, p, "0123456789", 10);
	kvfree(p);
	p = kv_copy_in(0, 0, 10);	/* nothing is nowhere */
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, p);
	kvfree(p);
}

static void a_path_has_no_nul(struct kunit *test)
{
	u8 __user *page = kv_test_user(test, PAGE_SIZE);
	u64 at = (u64)(unsigned long)page;
	char *path;

	kv_test_set(test, page, "vault/keys/a", 13);
	KV_EXPECT_ERR(test, copy_path(at, 0), -EINVAL);
	KV_EXPECT_ERR(test, copy_path(at, 13), -EINVAL);
	KV_EXPECT_ERR(test, copy_path(at, KVAULT_PATH_MAX + 1), -EMSGSIZE);
	KV_EXPECT_ERR(test, copy_path(0, 3), -EFAULT);
	path = copy_path(at, 12);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
	KUNIT_EXPECT_MEMEQ(test, path, "vault/keys/a", 12);
	kvfree(path);
}

static void an_output_is_as_long_as_that(struct kunit *test)
{
	static const struct {
		u32 op, alg, in, out;
	} len[] = {
		{ KVAULT_OP_ENCRYPT, KVAULT_ALG_A128GCM, 0, 0 },
		{ KVAULT_OP_ENCRYPT, KVAULT_ALG_A256GCM, 17, 17 },
		{ KVAULT_OP_DECRYPT, KVAULT_ALG_A256GCM, 17, 17 },
		{ KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBC, 32, 32 },
		{ KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBCPAD, 0, 16 },
		{ KVAULT_OP_ENCRYPT, KVAULT_ALG_A128CBCPAD, 15, 16 },
		{ KVAULT_OP_ENCRYPT, KVAULT_ALG_A256CBCPAD, 16, 32 },
		{ KVAULT_OP_ENCRYPT, KVAULT_ALG_A256CBCPAD, KVAULT_PAYLOAD_MAX,
		  KVAULT_PAYLOAD_MAX + 16 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KW, 16, 24 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KWP, 1, 16 },
		{ KVAULT_OP_WRAP, KVAULT_ALG_KWP, 9, 24 },
		{ KVAULT_OP_SIGN, KVAULT_ALG_HS256, 7, 32 },
		{ KVAULT_OP_SIGN, KVAULT_ALG_HS384, 7, 48 },
		{ KVAULT_OP_SIGN, KVAULT_ALG_HS512, 7, 64 },
		{ KVAULT_OP_VERIFY, KVAULT_ALG_HS512, 7, 0 },
	};
	struct kvault_crypt arg = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		arg.alg = len[i].alg;
		arg.in_len = len[i].in;
		KUNIT_EXPECT_EQ_MSG(test, output_len(&arg, len[i].op), len[i].out, "row %d", i);
	}
	KUNIT_EXPECT_FALSE(test, is_output_exact(KVAULT_OP_UNWRAP, KVAULT_ALG_KWP));
	KUNIT_EXPECT_FALSE(test, is_output_exact(KVAULT_OP_DECRYPT, KVAULT_ALG_A128CBCPAD));
	KUNIT_EXPECT_FALSE(test, is_output_exact(KVAULT_OP_DECRYPT, KVAULT_ALG_A256CBCPAD));
	KUNIT_EXPECT_TRUE(test, is_output_exact(KVAULT_OP_DECRYPT, KVAULT_ALG_A256CBC));
	KUNIT_EXPECT_TRUE(test, is_output_exact(KVAULT_OP_ENCRYPT, KVAULT_ALG_A256CBCPAD));
}

/* --- keys in keyrings --- */

#define ID32	"0123456789abcdefABCDEF0123456789"

static void a_bad_description_is_refused(struct kunit *test)
{
	static const char *const bad[] = {
		"", "/", "vault", "vault/", "/name", "vault//name", "vault/name/", "//",
		"vault/na me", "vault/na.me", "vault/na_me", "vault/n\xc3\xa4me", "vault/na:me",
		"vault/name\n", "../name", "vault/..", "vault/name/version",
		"vault/name/0123456789abcdefABCDEF012345678",
		"vault/name/0123456789abcdefABCDEF01234567890",
		"vault/name/0123456789abcdefABCDEF012345678g",
		"vault/name/" ID32 "/more", "vault/keys/name/" ID32 "/more",
		"vault/keys/name/version",
	};
	char path[KVAULT_PATH_MAX], *long_one;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ_MSG(test, vet_description(bad[i]), -EINVAL, "%s", bad[i]);
		KUNIT_EXPECT_EQ_MSG(test, desc_to_path(bad[i], path), -EINVAL, "%s", bad[i]);
	}
	long_one = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, long_one);
	memset(long_one, 'a', PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, vet_description(long_one), -EINVAL);
	long_one[KVAULT_NAME_MAX + 1] = '/';	/* one more than a name may have */
	long_one[KVAULT_NAME_MAX + 3] = 0;
	KUNIT_EXPECT_EQ(test, vet_description(long_one), -EINVAL);
	long_one[KVAULT_NAME_MAX] = '/';
	long_one[KVAULT_NAME_MAX + 1] = 'a';
	KUNIT_EXPECT_EQ(test, vet_description(long_one), 0);
}

static void a_description_becomes_a_path(struct kunit *test)
{
	static const struct {
		const char *desc, *path;
	} good[] = {
		{ "vault/name", "vault/keys/name" },
		{ "a/b", "a/keys/b" },
		{ "Va-1/na-2", "Va-1/keys/na-2" },
		{ "vault/name/" ID32, "vault/keys/name/" ID32 },
		{ "vault/keys/name", "vault/keys/name" },
		{ "vault/keys/name/" ID32, "vault/keys/name/" ID32 },
		/* a key that is called so */
		{ "vault/keys", "vault/keys/keys" },
		{ "vault/keys/keys", "vault/keys/keys" },
		{ "vault/KEYS/" ID32, "vault/keys/KEYS/" ID32 },
	};
	char path[KVAULT_PATH_MAX];
	int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_EXPECT_EQ_MSG(test, vet_description(good[i].desc), 0, "%s", good[i].desc);
		KUNIT_EXPECT_EQ(test, desc_to_path(good[i].desc, path), strlen(good[i].path));
		KUNIT_EXPECT_STREQ(test, path, good[i].path);
	}
}

static void bad_callout_info_is_refused(struct kunit *test)
{
	static const char *const bad[] = {
		",", "sign,", ",sign", "sign,,verify", "Sign", "sign ", " sign", "wrap", "export",
		"volume", "sign;verify", "signverify", "sig", "signs",
	};
	char long_one[130];
	u32 ops;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, callout_ops(bad[i], strlen(bad[i]), &ops), -EINVAL,
				    "%s", bad[i]);
	/* a NUL ends nothing: what follows it is not read over */
	KUNIT_EXPECT_EQ(test, callout_ops("sign\0,verif", 11, &ops), 0);
	KUNIT_EXPECT_EQ(test, ops, KVAULT_OP_SIGN);
	for (i = 0; i < sizeof(long_one); i += 5)
		memcpy(long_one + i, "sign,", 5);
	KUNIT_EXPECT_EQ(test, callout_ops(long_one, 129, &ops), -EINVAL);
	KUNIT_EXPECT_EQ(test, callout_ops(long_one, 124, &ops), 0);
	KUNIT_EXPECT_EQ(test, callout_ops(NULL, 0, &ops), 0);
	KUNIT_EXPECT_EQ(test, ops, 0);
	KUNIT_EXPECT_EQ(test, callout_ops("verify,sign,decrypt,encrypt", 27, &ops), 0);
	KUNIT_EXPECT_EQ(test, ops, KVAULT_OP_SIGN | KVAULT_OP_VERIFY | KVAULT_OP_ENCRYPT |
				   KVAULT_OP_DECRYPT);
}

/* --- tokens of volumes --- */

static void a_token_has_nothing_but_its_fields(struct kunit *test)
{
	struct kvault_token good = { .magic = KVAULT_TOKEN_MAGIC, .format = { 1 } }, t;
	static const struct {
		u32 from, len;
	} fixed[] = {
		{ offsetof(typeof(t), magic), sizeof(t.magic) },
		{ offsetof(typeof(t), format), sizeof(t.format) },
		{ offsetof(typeof(t), reserved), sizeof(t.reserved) },
		{ offsetof(typeof(t), pad), sizeof(t.pad) },
	};
	u8 *p = (u8 *)&t;
	u32 i, at;

	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		for (at = fixed[i].from; at < fixed[i].from + fixed[i].len; at++) {
			t = good;
			p[at] ^= 0x80;
			KUNIT_EXPECT_FALSE_MSG(test, token_is_valid(&t), "byte %u", at);
		}
	t = good;
	KUNIT_EXPECT_TRUE(test, token_is_valid(&t));
	at = offsetof(typeof(t), tenant);
	memset(p + at, 0xff, offsetof(typeof(t), pad) - at);
	KUNIT_EXPECT_TRUE(test, token_is_valid(&t));
}

/* --- netlink --- */

struct attr {
	u32 type, len;
	u64 value;
};

/* Parses one attribute as the family does. */
static int parse_attr(struct kunit *test, const struct nla_policy *policy, const struct attr *a)
{
	struct nlattr *tb[KVAULT_A_MAX + 1];
	struct {
		struct nlattr nla;
		u8 value[64];
	} *msg = kunit_kzalloc(test, sizeof(*msg), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	msg->nla.nla_type = a->type;
	msg->nla.nla_len = NLA_HDRLEN + a->len;
	memcpy(msg->value, &a->value, sizeof(a->value));
	return nla_parse(tb, KVAULT_A_MAX, &msg->nla, NLA_ALIGN(msg->nla.nla_len), policy, NULL);
}

static void attributes_have_their_lengths(struct kunit *test)
{
	static const struct attr bad[] = {
		{ KVAULT_A_TENANT, 0 }, { KVAULT_A_TENANT, KVAULT_ID_SIZE - 1 },
		{ KVAULT_A_TENANT, KVAULT_ID_SIZE + 1 }, { KVAULT_A_KEY, 15 },
		{ KVAULT_A_VERSION, 17 }, { KVAULT_A_REVISION, 4 }, { KVAULT_A_REVISION, 9 },
		{ KVAULT_A_STATE, 3, KVAULT_OBJECT_LIVE },
		{ KVAULT_A_STATE, 8, KVAULT_OBJECT_LIVE },
		{ KVAULT_A_STATE, 4, KVAULT_OBJECT_UNSPEC },
		{ KVAULT_A_STATE, 4, KVAULT_OBJECT_GONE + 1 }, { KVAULT_A_STATE, 4, U32_MAX },
		/* good, but not for this one */
		{ KVAULT_A_NONCE, KVAULT_ID_SIZE }, { KVAULT_A_EPOCH, 8 },
		{ KVAULT_A_MAX + 1, 4 },
	};
	static const struct attr good[] = {
		{ KVAULT_A_TENANT, KVAULT_ID_SIZE }, { KVAULT_A_KEY, KVAULT_ID_SIZE },
		{ KVAULT_A_VERSION, KVAULT_ID_SIZE }, { KVAULT_A_REVISION, 8, U64_MAX },
		{ KVAULT_A_STATE, 4, KVAULT_OBJECT_LIVE },
		{ KVAULT_A_STATE, 4, KVAULT_OBJECT_GONE },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_LT_MSG(test, parse_attr(test, kv_object_policy, &bad[i]), 0,
				    "attribute %d", i);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_EXPECT_EQ_MSG(test, parse_attr(test, kv_object_policy, &good[i]), 0,
				    "attribute %d", i);
		KUNIT_EXPECT_LT_MSG(test, parse_attr(test, kv_none_policy, &good[i]), 0,
				    "attribute %d", i);
	}
}

static struct kunit_case parse_cases[] = {
	KUNIT_CASE(an_unknown_ioctl_is_none),
	KUNIT_CASE(a_bad_size_is_refused),
	KUNIT_CASE(a_bad_address_is_refused),
	KUNIT_CASE(a_tail_that_we_do_not_know_is_zero),
	KUNIT_CASE(a_tail_that_he_does_not_know_is_zero),
	KUNIT_CASE(an_error_is_written_back_too),
	KUNIT_CASE(nothing_is_written_to_what_is_only_read),
	KUNIT_CASE(a_buffer_has_a_limit),
	KUNIT_CASE(a_path_has_no_nul),
	KUNIT_CASE(an_output_is_as_long_as_that),
	KUNIT_CASE(a_bad_description_is_refused),
	KUNIT_CASE(a_description_becomes_a_path),
	KUNIT_CASE(bad_callout_info_is_refused),
	KUNIT_CASE(a_token_has_nothing_but_its_fields),
	KUNIT_CASE(attributes_have_their_lengths),
	{}
};

static struct kunit_suite parse_suite = {
	.name = "kvault_parse",
	.test_cases = parse_cases,
};

kunit_test_suite(parse_suite);
