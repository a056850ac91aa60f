// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blobs, what they are bound to, and the root key. The known answers were
 * computed by another implementation from what uapi/linux/kvault_control.h says.
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "crypto.h"
#include "link.h"
#include "object.h"
#include "power.h"
#include "seal.h"
#include "tenant.h"
#include "fixture.h"

/* What is sealed to what. */
struct seal_test {
	struct kv_tenant *t;
	struct kvault_binding b;
	u8 plain[64];
	u8 out[64];
	u8 blob[64 + KVAULT_BLOB_OVERHEAD];
	u32 blob_len;
	u32 out_len;
};

static int seal_init(struct kunit *test)
{
	struct seal_test *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	u32 i;

	if (!s)
		return -ENOMEM;
	s->t = kv_test_tenant(test);
	s->b = kv_test_key(test, s->t, 256, KVAULT_OP_ENCRYPT)->grant.binding;
	for (i = 0; i < sizeof(s->plain); i++)
		s->plain[i] = i + 1;
	test->priv = s;
	return 0;
}

static void seal(struct kunit *test, u32 len)
{
	struct seal_test *s = test->priv;

	KUNIT_ASSERT_EQ(test, kv_seal(s->t, &s->b, s->plain, len, s->blob), 0);
	s->blob_len = len + KVAULT_BLOB_OVERHEAD;
}

static int unseal(struct seal_test *s)
{
	memset(s->out, 0xaa, sizeof(s->out));
	s->out_len = sizeof(s->out);
	return kv_unseal(s->t, &s->b, s->blob, s->blob_len, s->out, &s->out_len);
}

/* --- blobs --- */

static void every_changed_byte_is_found(struct kunit *test)
{
	struct seal_test *s = test->priv;
	u32 at;

	seal(test, 32);
	for (at = 0; at < s->blob_len; at++) {
		s->blob[at] ^= 0x10;
		KUNIT_EXPECT_EQ_MSG(test, unseal(s), -EBADMSG, "byte %u", at);
		KUNIT_EXPECT_EQ(test, s->out_len, sizeof(s->out));
		KUNIT_EXPECT_EQ(test, s->out[0], 0xaa);	/* nothing was written */
		s->blob[at] ^= 0x10;
	}
	KUNIT_EXPECT_EQ(test, unseal(s), 0);
}

/* Each in memory of its own, with a header that agrees with the length. */
static void every_other_length_is_found(struct kunit *test)
{
	struct seal_test *s = test->priv;
	u32 len = 32 + KVAULT_BLOB_OVERHEAD, out_len = sizeof(s->out);
	u8 *blob;
	int ret;

	seal(test, 32);
	for (s->blob_len = 0; s->blob_len < sizeof(s->blob); s->blob_len++) {
		if (s->blob_len == len)
			continue;
		put_unaligned_le32(s->blob_len - KVAULT_BLOB_OVERHEAD, s->blob + 52);
		blob = kmemdup(s->blob, s->blob_len, GFP_KERNEL);
		ret = kv_unseal(s->t, &s->b, blob, s->blob_len, s->out, &out_len);
		KUNIT_EXPECT_EQ_MSG(test, ret, -EBADMSG, "length %u", s->blob_len);
		kfree(blob);
	}
	s->blob_len = U32_MAX;
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
	s->blob_len = KVAULT_BLOB_MAX + 1;
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
}

/* Each attribute, from its first byte to its last: but name, all of them. */
static void every_changed_attribute_is_found(struct kunit *test)
{
	struct seal_test *s = test->priv;
	u8 *b = (u8 *)&s->b;
	u32 at;

	seal(test, 32);
	for (at = 0; at < offsetof(struct kvault_binding, name_len); at++) {
		b[at] ^= 1;
		KUNIT_EXPECT_EQ_MSG(test, unseal(s), -EBADMSG, "byte %u", at);
		b[at] ^= 1;
	}
	s->b.name[0] ^= 1;
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
	s->b.name[0] ^= 1;
	s->b.name_len--;
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
	s->b.name_len += 2;
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
	s->b.name_len--;
	KUNIT_EXPECT_EQ(test, unseal(s), 0);
}

static void a_blob_is_no_other_tenants(struct kunit *test)
{
	struct seal_test *s = test->priv;
	struct kv_tenant *mine = s->t;

	seal(test, 32);
	s->t = kv_test_tenant(test);
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
	/* nor when it says whose it is: the id of a KEK is not the KEK */
	memcpy(s->t->kek.id, mine->kek.id, sizeof(mine->kek.id));
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
}

static void too_little_room_is_said(struct kunit *test)
{
	struct seal_test *s = test->priv;

	seal(test, 32);
	s->out_len = 31;
	KUNIT_EXPECT_EQ(test, kv_unseal(s->t, &s->b, s->blob, s->blob_len, s->out, &s->out_len),
			-EMSGSIZE);
}

static void nothing_is_sealed_without_a_key(struct kunit *test)
{
	struct seal_test *s = test->priv;

	seal(test, 32);
	memset(&s->t->kek, 0, sizeof(s->t->kek));
	KUNIT_EXPECT_EQ(test, kv_seal(s->t, &s->b, s->plain, 32, s->blob), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, unseal(s), -EHOSTDOWN);
	/* the host has none before there is a root key */
	KUNIT_EXPECT_EQ(test, kv_seal(kv_tenant_host(), &s->b, s->plain, 32, s->blob), -EHOSTDOWN);
}

static void every_length_comes_back(struct kunit *test)
{
	struct seal_test *s = test->priv;
	u32 len;

	for (len = 0; len <= sizeof(s->plain); len++) {
		seal(test, len);
		KUNIT_EXPECT_EQ(test, unseal(s), 0);
		KUNIT_EXPECT_EQ(test, s->out_len, len);
		KUNIT_EXPECT_TRUE(test, !memcmp(s->out, s->plain, len));
	}
}

static void no_two_blobs_are_alike(struct kunit *test)
{
	struct seal_test *s = test->priv;
	u8 first[sizeof(s->blob)];

	seal(test, 32);
	memcpy(first, s->blob, sizeof(first));
	seal(test, 32);
	KUNIT_EXPECT_MEMNEQ(test, first + 24, s->blob + 24, 16);	/* id of the blob */
	KUNIT_EXPECT_MEMNEQ(test, first + 40, s->blob + 40, 12);	/* iv */
	KUNIT_EXPECT_MEMNEQ(test, first + 56, s->blob + 56, 32);
}

static void count_up(u8 *p, u32 len, u8 from)
{
	while (len--)
		*(p++) = from++;
}

static void the_format_is_what_the_header_says(struct kunit *test)
{
	static const char known[] =
		"4b56423101000100101112131415161718191a1b1c1d1e1f2021222324252627"
		"28292a2b2c2d2e2f303132333435363738393a3b10000000048daf55215cec4c"
		"e3088d9e935051fd4970f8a76c8269b72f0b18f751b96a26";
	struct seal_test *s = test->priv;

	count_up(s->t->kek.key, 32, 0x40);
	count_up(s->t->kek.id, 16, 0x10);
	memset(&s->b, 0, sizeof(s->b));
	memset(s->b.store, 0xa1, 16);
	memset(s->b.tenant, 0xa2, 16);
	memset(s->b.container, 0xa3, 16);
	memset(s->b.object, 0xa4, 16);
	memset(s->b.version, 0xa5, 16);
	s->b.type = KVAULT_TYPE_KEY;
	s->b.kty = KVAULT_KTY_OCT;
	s->b.bits = 128;
	s->b.ops = KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT;
	s->b.flags = KVAULT_KEY_ENABLED;
	s->b.nbf = 0x0102030405060708;
	s->b.exp = 0x1112131415161718;
	s->b.name_len = 4;
	memcpy(s->b.name, "name", 4);
	s->blob_len = kv_test_hex(test, s->blob, known);
	KUNIT_ASSERT_EQ(test, unseal(s), 0);
	KUNIT_EXPECT_EQ(test, s->out_len, 16);
	KUNIT_EXPECT_MEMEQ(test, s->out, "sixteen byte key", 16);
}

/* --- bindings --- */

static void a_binding_that_is_malformed_is_refused(struct kunit *test)
{
	struct seal_test *s = test->priv;
	const struct kvault_binding good = s->b;
	u32 type;

#define EXPECT_REFUSED(...) \
	do { \
		s->b = good; \
		__VA_ARGS__; \
		KUNIT_EXPECT_EQ_MSG(test, kv_binding_check(s->t, &s->b), -EINVAL, #__VA_ARGS__); \
	} while (0)

	EXPECT_REFUSED(s->b.name_len = KVAULT_NAME_MAX + 1);
	EXPECT_REFUSED(s->b.name_len = U32_MAX);
	EXPECT_REFUSED(s->b.pad = 1);
	EXPECT_REFUSED(s->b.type = KVAULT_TYPE_UNSPEC);
	EXPECT_REFUSED(s->b.type = KVAULT_TYPE_TRANSIT);
	EXPECT_REFUSED(s->b.type = KVAULT_TYPE_TRANSIT + 1);
	EXPECT_REFUSED(s->b.ops |= KVAULT_OP_ALL + 1);
	EXPECT_REFUSED(s->b.flags |= KVAULT_KEY_FLAGS_ALL + 1);
	EXPECT_REFUSED(s->b.name[s->b.name_len] = 'x');
	EXPECT_REFUSED(s->b.name[KVAULT_NAME_MAX] = 'x');
	/* one key, one purpose */
	EXPECT_REFUSED(s->b.ops = KVAULT_OP_VOLUME | KVAULT_OP_ENCRYPT);
	EXPECT_REFUSED(s->b.ops = KVAULT_OP_IMPORT | KVAULT_OP_EXPORT);
	EXPECT_REFUSED(s->b.ops = KVAULT_OP_IMPORT | KVAULT_OP_VOLUME);
#undef EXPECT_REFUSED
	s->b = good;
	for (type = KVAULT_TYPE_KEY; type <= KVAULT_TYPE_CERT; type++) {
		s->b.type = type;
		KUNIT_EXPECT_EQ(test, kv_binding_check(s->t, &s->b), 0);
	}
	s->b.ops = KVAULT_OP_VOLUME;
	KUNIT_EXPECT_EQ(test, kv_binding_check(s->t, &s->b), 0);
	memset(s->b.name, 'x', KVAULT_NAME_MAX);
	s->b.name_len = KVAULT_NAME_MAX;
	KUNIT_EXPECT_EQ(test, kv_binding_check(s->t, &s->b), 0);
}

static void a_binding_is_one_tenants(struct kunit *test)
{
	struct seal_test *s = test->priv;

	KUNIT_EXPECT_EQ(test, kv_binding_check(kv_test_tenant(test), &s->b), -EPERM);
	KUNIT_EXPECT_EQ(test, kv_binding_check(s->t, &s->b), 0);
	/* only the host's keys are of a store */
	memset(s->b.store, 1, sizeof(s->b.store));
	KUNIT_EXPECT_EQ(test, kv_binding_check(s->t, &s->b), 0);
	memcpy(s->b.tenant, kv_tenant_host()->id, sizeof(s->b.tenant));
	KUNIT_EXPECT_EQ(test, kv_binding_check(kv_tenant_host(), &s->b), -EPERM);
}

/* A secret opens for the request that brought it, and for what that was. */
static void transit_is_of_one_request(struct kunit *test)
{
	static const u8 one[KVAULT_ID_SIZE] = { 1 }, two[KVAULT_ID_SIZE] = { 2 };
	struct seal_test *s = test->priv;

	kv_binding_transit(&s->b, s->t, one, KVAULT_CONTROL_ROOT_SLOT);
	seal(test, 32);
	kv_binding_transit(&s->b, s->t, two, KVAULT_CONTROL_ROOT_SLOT);
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
	kv_binding_transit(&s->b, s->t, one, 0);
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
	kv_binding_transit(&s->b, kv_test_tenant(test), one, KVAULT_CONTROL_ROOT_SLOT);
	KUNIT_EXPECT_EQ(test, unseal(s), -EBADMSG);
	kv_binding_transit(&s->b, s->t, one, KVAULT_CONTROL_ROOT_SLOT);
	KUNIT_EXPECT_EQ(test, unseal(s), 0);
	/* and nobody can come with such a binding */
	KUNIT_EXPECT_EQ(test, kv_binding_check(s->t, &s->b), -EINVAL);
}

/* --- the root key --- */

static void root_forget(void *test)
{
	kv_test_unlink(test);
}

static void root_begin(struct kunit *test)
{
	KUNIT_ASSERT_FALSE(test, kv_root_is_set());
	KUNIT_ASSERT_EQ(test, kunit_add_action(test, root_forget, test), 0);
}

static void root_is_set_once(struct kunit *test)
{
	u8 store[KVAULT_ID_SIZE] = {}, key[32] = { 1 };

	root_begin(test);
	KUNIT_EXPECT_EQ(test, kv_root_set(store, key), -EINVAL);
	KUNIT_EXPECT_FALSE(test, kv_root_is_set());
	store[0] = 1;
	KUNIT_EXPECT_EQ(test, kv_root_set(store, key), 0);
	KUNIT_EXPECT_TRUE(test, kv_root_is_set());
	KUNIT_EXPECT_EQ(test, kv_root_set(store, key), 0);
	key[31] = 1;
	KUNIT_EXPECT_EQ(test, kv_root_set(store, key), -EEXIST);
	key[31] = 0;
	store[1] = 1;
	KUNIT_EXPECT_EQ(test, kv_root_set(store, key), -EEXIST);
	store[1] = 0;
	KUNIT_EXPECT_EQ(test, kv_root_set(store, key), 0);
}

static void root_belongs_to_one_store(struct kunit *test)
{
	u8 store[KVAULT_ID_SIZE], other[KVAULT_ID_SIZE], host[KVAULT_ID_SIZE], zeros[16] = {};
	struct kv_kek *kek = &kv_tenant_host()->kek;
	u8 key[32], expect[32], id[16];

	root_begin(test);
	memset(store, 0xb1, sizeof(store));
	memset(host, 0xb2, sizeof(host));
	memset(other, 0xb3, sizeof(other));
	KUNIT_EXPECT_EQ(test, kv_root_adopt_store(store, host), -EHOSTDOWN);
	count_up(key, sizeof(key), 0x80);
	KUNIT_ASSERT_EQ(test, kv_root_set(store, key), 0);
	KUNIT_EXPECT_EQ(test, kv_root_adopt_store(other, host), -ESTALE);
	KUNIT_EXPECT_EQ(test, kv_root_adopt_store(store, zeros), -EINVAL);
	KUNIT_EXPECT_FALSE(test, kek->is_set);
	KUNIT_EXPECT_EQ(test, kv_root_adopt_store(store, host), 0);
	KUNIT_EXPECT_EQ(test, kv_root_adopt_store(store, other), -ESTALE);
	KUNIT_EXPECT_EQ(test, kv_root_adopt_store(store, host), 0);
	KUNIT_EXPECT_TRUE(test, kek->is_set);
	kv_test_hex(test, expect,
		    "22d97cd311db5629b08dac84d2425319a00c3614a28bac4d3cb55e38358b19b1");
	kv_test_hex(test, id, "70a6994db9fe4b646f0f6e168b641a30");
	KUNIT_EXPECT_MEMEQ(test, kek->key, expect, sizeof(expect));
	KUNIT_EXPECT_MEMEQ(test, kek->id, id, sizeof(id));
}

static void root_is_wrapped_for_a_slot(struct kunit *test)
{
	struct kvault_root_wrap arg = { .size = sizeof(arg) };
	u8 *mem = kunit_kzalloc(test, 64, GFP_KERNEL), *aad = mem, *data = mem + 32;
	u8 store[KVAULT_ID_SIZE], key[32], secret[32], kek[32];

	KUNIT_ASSERT_NOT_NULL(test, mem);
	root_begin(test);
	memset(store, 0xb1, sizeof(store));
	memset(arg.slot, 0xb3, sizeof(arg.slot));
	count_up(key, sizeof(key), 0x80);
	count_up(secret, sizeof(secret), 0);
	KUNIT_EXPECT_EQ(test, kv_root_wrap(&arg, secret, 31), -EINVAL);
	KUNIT_EXPECT_EQ(test, kv_root_wrap(&arg, secret, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, kv_root_wrap(&arg, secret, 32), -EHOSTDOWN);
	KUNIT_ASSERT_EQ(test, kv_root_set(store, key), 0);
	KUNIT_ASSERT_EQ(test, kv_root_wrap(&arg, secret, 32), 0);
	KUNIT_EXPECT_MEMNEQ(test, arg.wrapped, key, sizeof(key));
	kv_test_hex(test, kek,
		    "a4b12f41175b1c0a2a2b8967c1efa9ce295f1c9faf4114afcf307465bcd20253");
	memcpy(aad, store, 16);
	memcpy(aad + 16, arg.slot, 16);
	memcpy(data, arg.wrapped, 32);
	KUNIT_EXPECT_EQ(test, kv_gcm_once(kek, false, arg.iv, aad, 32, data, 32, arg.tag), 0);
	KUNIT_EXPECT_MEMEQ(test, data, key, sizeof(key));
}

/* Before a restart; the link's end wipes the root key once more. */
static void a_wipe_leaves_no_key(struct kunit *test)
{
	struct kv_tenant *t = kv_test_tenant(test);
	struct kv_object *obj;

	kv_test_link(test);
	obj = kv_test_object(test, t, 256, KVAULT_OP_ENCRYPT);
	KUNIT_ASSERT_NOT_NULL(test, obj->material);
	KUNIT_ASSERT_TRUE(test, kv_tenant_host()->kek.is_set);
	kv_power_wipe();
	KUNIT_EXPECT_NULL(test, obj->material);
	KUNIT_EXPECT_FALSE(test, kv_root_is_set());
	KUNIT_EXPECT_FALSE(test, t->kek.is_set);
	KUNIT_EXPECT_NULL(test, memchr_inv(&t->kek, 0, sizeof(t->kek)));
	KUNIT_EXPECT_NULL(test, memchr_inv(&kv_tenant_host()->kek, 0, sizeof(t->kek)));
}

static struct kunit_case seal_cases[] = {
	KUNIT_CASE(every_changed_byte_is_found),
	KUNIT_CASE(every_other_length_is_found),
	KUNIT_CASE(every_changed_attribute_is_found),
	KUNIT_CASE(a_blob_is_no_other_tenants),
	KUNIT_CASE(too_little_room_is_said),
	KUNIT_CASE(nothing_is_sealed_without_a_key),
	KUNIT_CASE(every_length_comes_back),
	KUNIT_CASE(no_two_blobs_are_alike),
	KUNIT_CASE(the_format_is_what_the_header_says),
	KUNIT_CASE(a_binding_that_is_malformed_is_refused),
	KUNIT_CASE(a_binding_is_one_tenants),
	KUNIT_CASE(transit_is_of_one_request),
	KUNIT_CASE(root_is_set_once),
	KUNIT_CASE(root_belongs_to_one_store),
	KUNIT_CASE(root_is_wrapped_for_a_slot),
	KUNIT_CASE(a_wipe_leaves_no_key),
	{}
};

static struct kunit_suite seal_suite = {
	.name = "kvault_seal",
	.init = seal_init,
	.test_cases = seal_cases,
};

kunit_test_suite(seal_suite);
