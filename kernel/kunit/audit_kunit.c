// SPDX-License-Identifier: GPL-2.0-only
/*
 * The audit queue: room, floods of refusals, what a claim reads, and what is
 * kept until it is durable.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "audit.h"
#include "principal.h"
#include "refusal.h"
#include "tenant.h"
#include "fixture.h"

#define RECORDS_MAX	4096	/* of one tenant */
#define KEPT		256	/* that leases and volumes alone may take */
#define USER_MAX	512	/* of one user */
#define DENIED_MAX	1024	/* of which refusals may take so many */
#define READ_MAX	8
#define EACH		4	/* refusals of a kind with a record each */
#define KINDS		64	/* that are counted at once */
#define UID_KINDS	4	/* of one uid */

static struct kv_event denied(struct kv_principal *who)
{
	return (struct kv_event){ .type = KVAULT_AUDIT_DENIED, .face = KVAULT_FACE_IOCTL,
				  .who = who, .op = KVAULT_OP_SIGN, .alg = KVAULT_ALG_HS256,
				  .status = -EACCES, .count = 1 };
}

static struct kv_event use(void)
{
	return (struct kv_event){ .type = KVAULT_AUDIT_USE, .op = KVAULT_OP_SIGN, .count = 3 };
}

struct audit_test {
	struct kv_tenant *t;
	struct kv_principal *who;
	u64 generation;
	u64 __user *buf;
};

static int audit_init(struct kunit *test)
{
	struct audit_test *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	a->t = kv_test_tenant(test);
	a->who = kv_test_stranger(test, a->t);
	a->generation = 1;
	a->buf = kv_test_user(test, READ_MAX * sizeof(struct kvault_audit_rec));
	test->priv = a;
	return 0;
}

static void emit(struct kunit *test, u32 n)
{
	struct audit_test *a = test->priv;
	const struct kv_event ev = use();

	while (n--)
		KUNIT_ASSERT_EQ(test, kv_audit_emit(a->t, &ev), 0);
}

/* Reads what there is, as claim @generation; tells how many records. */
static u32 read_as(struct kunit *test, u64 generation, struct kvault_audit_rec **ret)
{
	struct audit_test *a = test->priv;
	u32 len = READ_MAX * sizeof(**ret), more;

	KUNIT_ASSERT_EQ(test, kv_audit_read(generation, a->buf, &len, &more), 0);
	*ret = kv_test_get(test, a->buf, READ_MAX * sizeof(**ret));
	return len / sizeof(**ret);
}

/* --- room --- */

static void a_full_queue_takes_nothing(struct kunit *test)
{
	struct audit_test *a = test->priv;
	const struct kv_event ev = use(), no = denied(a->who);
	struct kv_record *rec;
	u32 i;

	for (i = 0; i < RECORDS_MAX - 1; i++)
		if (kv_audit_emit(a->t, &ev))
			break;
	KUNIT_EXPECT_EQ(test, i, RECORDS_MAX - 1);
	rec = kv_audit_reserve(a->t);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	/* what is reserved takes room already */
	KV_EXPECT_ERR(test, kv_audit_reserve(a->t), -EAGAIN);
	KUNIT_EXPECT_EQ(test, kv_audit_emit(a->t, &ev), -EAGAIN);
	kv_audit_denied(a->t, &no);
	KUNIT_EXPECT_EQ(test, a->t->audit_lost, 1);
	/* others have theirs */
	KUNIT_EXPECT_EQ(test, kv_audit_emit(kv_test_tenant(test), &ev), 0);
	kv_audit_cancel(a->t, rec);
	rec = kv_audit_reserve(a->t);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	kv_audit_commit(a->t, rec, &ev);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, RECORDS_MAX);
	KUNIT_EXPECT_EQ(test, a->t->audit_seq, RECORDS_MAX);
}

/* Who floods is refused alone, until what he did is durable. */
static void a_user_has_his_part_of_the_room(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_principal *other = kv_test_stranger(test, a->t);
	struct kv_principal *admin = kv_test_stranger(test, a->t);
	struct kvault_audit_rec *r;
	struct kv_record *rec;
	u32 i;

	a->who->wire.flags &= ~KVAULT_PRINCIPAL_ADMIN;
	other->wire.flags &= ~KVAULT_PRINCIPAL_ADMIN;
	other->wire.uid++;
	for (i = 0; i < USER_MAX; i++) {
		const struct kv_event ev = use();

		rec = kv_audit_reserve_for(a->t, a->who);
		if (IS_ERR(rec))
			break;
		kv_audit_commit(a->t, rec, &ev);
	}
	KUNIT_EXPECT_EQ(test, i, USER_MAX);
	KV_EXPECT_ERR(test, kv_audit_reserve_for(a->t, a->who), -EAGAIN);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, USER_MAX);
	for (i = 0; i < 2; i++) {
		rec = kv_audit_reserve_for(a->t, i ? admin : other);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
		kv_audit_cancel(a->t, rec);
	}
	while (read_as(test, 1, &r))
		;
	kv_audit_ack(a->t, U64_MAX);
	rec = kv_audit_reserve_for(a->t, a->who);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	kv_audit_cancel(a->t, rec);
}

static void what_is_counted_has_room_that_nothing_else_takes(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_record *rec;

	emit(test, RECORDS_MAX - KEPT);
	KV_EXPECT_ERR(test, kv_audit_reserve_for(a->t, a->who), -EAGAIN);
	rec = kv_audit_reserve(a->t);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	kv_audit_cancel(a->t, rec);
}

/* Refusals leave room for what is done, and none goes uncounted. */
static void without_room_refusals_are_counted(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_event no = denied(a->who);
	struct kvault_audit_rec *r;
	u32 i;

	emit(test, DENIED_MAX);
	for (i = 0; i < 3; i++)
		kv_audit_denied(a->t, &no);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, DENIED_MAX);
	KUNIT_EXPECT_EQ(test, a->t->audit_lost, 3);
	emit(test, 1);
	while (read_as(test, 1, &r))
		;
	/* with the room that this makes the loss is told */
	kv_audit_ack(a->t, U64_MAX);
	KUNIT_EXPECT_EQ(test, a->t->audit_lost, 0);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), 1);
	KUNIT_EXPECT_EQ(test, r->type, KVAULT_AUDIT_LOST);
	KUNIT_EXPECT_EQ(test, r->count, 3);
	KUNIT_EXPECT_EQ(test, r->principal.uid, 0);
	KUNIT_EXPECT_EQ(test, r->seq, DENIED_MAX + 2);
}

static void a_cancelled_record_leaves_no_gap(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kvault_audit_rec *r;
	struct kv_record *rec;

	emit(test, 1);
	rec = kv_audit_reserve(a->t);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	emit(test, 1);
	kv_audit_cancel(a->t, rec);
	emit(test, 1);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), 3);
	KUNIT_EXPECT_EQ(test, r[0].seq, 1);
	KUNIT_EXPECT_EQ(test, r[1].seq, 2);
	KUNIT_EXPECT_EQ(test, r[2].seq, 3);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 3);
}

/* --- floods --- */

/* The first say all, of the others there is a count when the window is over. */
static void a_flood_costs_a_few_records(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_event no = denied(a->who);
	struct kvault_audit_rec *r;
	u32 i;

	for (i = 0; i < 1000; i++) {
		no.alg = i;	/* no two are alike */
		kv_audit_denied(a->t, &no);
	}
	KUNIT_EXPECT_EQ(test, a->t->audit_count, EACH);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), EACH);
	KUNIT_EXPECT_EQ(test, r[EACH - 1].alg, EACH - 1);
	KUNIT_EXPECT_EQ(test, r[EACH - 1].count, 1);
	msleep(1100);
	for (i = 0; i < 20 && !read_as(test, 1, &r); i++)
		msleep(100);
	KUNIT_EXPECT_EQ(test, r->type, KVAULT_AUDIT_DENIED);
	KUNIT_EXPECT_EQ(test, r->count, 1000 - EACH);
	KUNIT_EXPECT_EQ(test, r->status, -EACCES);
	KUNIT_EXPECT_EQ(test, r->op, 0);
	KUNIT_EXPECT_EQ(test, r->principal.uid, a->who->wire.uid);
	KUNIT_EXPECT_EQ(test, a->t->audit_lost, 0);
}

static void uids_and_errors_are_kinds_of_their_own(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_principal *other = kv_test_stranger(test, a->t);
	struct kv_event no = denied(a->who);
	u32 i;

	for (i = 0; i < 100; i++)
		kv_audit_denied(a->t, &no);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, EACH);
	no.status = -EKEYREVOKED;
	kv_audit_denied(a->t, &no);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, EACH + 1);
	other->wire.uid++;
	no = denied(other);
	kv_audit_denied(a->t, &no);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, EACH + 2);
	KUNIT_EXPECT_EQ(test, a->t->audit_kinds, 3);
}

static void of_more_kinds_of_one_uid_only_the_number_is_known(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_event no = denied(a->who);
	u32 i;

	for (i = 0; i < UID_KINDS + 5; i++) {
		no.status = -1 - (int)i;
		kv_audit_denied(a->t, &no);
	}
	KUNIT_EXPECT_EQ(test, a->t->audit_count, UID_KINDS);
	KUNIT_EXPECT_EQ(test, a->t->audit_lost, 5);
	kv_refusals_flush(a->t);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, UID_KINDS + 1);
	KUNIT_EXPECT_EQ(test, a->t->audit_lost, 0);
}

static void kinds_of_many_uids_hide_nobodys_first_refusal(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_event no;
	u32 i;

	for (i = 0; i < KINDS + 5; i++) {
		a->who->wire.uid++;
		no = denied(a->who);
		kv_audit_denied(a->t, &no);
	}
	KUNIT_EXPECT_EQ(test, a->t->audit_kinds, KINDS);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, KINDS + 5);
	KUNIT_EXPECT_EQ(test, a->t->audit_lost, 0);
}

static void what_was_done_never_becomes_one(struct kunit *test)
{
	struct audit_test *a = test->priv;

	emit(test, 2);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 2);
}

/* --- reading --- */

static void no_room_for_a_record_is_said(struct kunit *test)
{
	struct audit_test *a = test->priv;
	u32 len = sizeof(struct kvault_audit_rec) - 1, more;

	emit(test, 1);
	KUNIT_EXPECT_EQ(test, kv_audit_read(1, a->buf, &len, &more), -EMSGSIZE);
	len = 0;
	KUNIT_EXPECT_EQ(test, kv_audit_read(1, a->buf, &len, &more), -EMSGSIZE);
	KUNIT_EXPECT_TRUE(test, kv_audit_pending(1));
}

static void a_bad_address_loses_nothing(struct kunit *test)
{
	struct kvault_audit_rec *r;
	u32 len = sizeof(*r), more;

	emit(test, 1);
	KUNIT_EXPECT_EQ(test, kv_audit_read(1, NULL, &len, &more), -EFAULT);
	KUNIT_EXPECT_EQ(test, len, 0);
	KUNIT_EXPECT_TRUE(test, kv_audit_pending(1));
	KUNIT_EXPECT_EQ(test, read_as(test, 1, &r), 1);
}

/* The second does not fit into memory: the first is there, the second waits. */
static void a_fault_in_the_middle_loses_nothing(struct kunit *test)
{
	struct audit_test *a = test->priv;
	const size_t size = READ_MAX * sizeof(struct kvault_audit_rec);
	u8 __user *end = (u8 __user *)a->buf + PAGE_ALIGN(size);
	u32 len = 2 * sizeof(struct kvault_audit_rec), more;
	struct kvault_audit_rec *r;

	emit(test, 3);
	KUNIT_EXPECT_EQ(test, kv_audit_read(1, (u64 __user *)(end - sizeof(*r)), &len, &more), 0);
	KUNIT_EXPECT_EQ(test, len, sizeof(*r));
	KUNIT_EXPECT_EQ(test, more, 1);
	/* a higher number frees what was read, and no more */
	kv_audit_ack(a->t, U64_MAX);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 2);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), 2);
	KUNIT_EXPECT_EQ(test, r[0].seq, 2);
}

static void what_was_not_said_to_be_read_is_read_again(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kvault_audit_rec *r;

	emit(test, 2);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), 2);
	kv_audit_unread(2);	/* another claim's affair */
	KUNIT_EXPECT_FALSE(test, kv_audit_pending(1));
	kv_audit_unread(1);
	kv_audit_ack(a->t, U64_MAX);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 2);
	KUNIT_EXPECT_EQ(test, read_as(test, 1, &r), 2);
}

static void a_claim_reads_a_record_once(struct kunit *test)
{
	struct kvault_audit_rec *r;

	KUNIT_EXPECT_FALSE(test, kv_audit_pending(1));
	KUNIT_EXPECT_EQ(test, read_as(test, 1, &r), 0);
	emit(test, 2);
	KUNIT_EXPECT_TRUE(test, kv_audit_pending(1));
	KUNIT_EXPECT_EQ(test, read_as(test, 1, &r), 2);
	KUNIT_EXPECT_FALSE(test, kv_audit_pending(1));
	KUNIT_EXPECT_EQ(test, read_as(test, 1, &r), 0);
	/* the next one begins anew, with all that is not durable */
	KUNIT_EXPECT_TRUE(test, kv_audit_pending(2));
	KUNIT_EXPECT_EQ(test, read_as(test, 2, &r), 2);
	KUNIT_EXPECT_EQ(test, r[0].seq, 1);
}

static void what_is_left_is_said(struct kunit *test)
{
	struct audit_test *a = test->priv;
	u32 len = 2 * sizeof(struct kvault_audit_rec) + 5, more = 7;

	emit(test, 3);
	KUNIT_ASSERT_EQ(test, kv_audit_read(1, a->buf, &len, &more), 0);
	KUNIT_EXPECT_EQ(test, len, 2 * sizeof(struct kvault_audit_rec));
	KUNIT_EXPECT_EQ(test, more, 1);
	KUNIT_ASSERT_EQ(test, kv_audit_read(1, a->buf, &len, &more), 0);
	KUNIT_EXPECT_EQ(test, len, sizeof(struct kvault_audit_rec));
	KUNIT_EXPECT_EQ(test, more, 0);
}

static void a_record_says_what_happened(struct kunit *test)
{
	struct audit_test *a = test->priv;
	static const u8 id[KVAULT_ID_SIZE] = { 1 }, lease[KVAULT_ID_SIZE] = { 2 };
	struct kv_object *obj = kv_test_object(test, a->t, 128, KVAULT_OP_ENCRYPT);
	struct kv_event ev = denied(a->who);
	struct kvault_audit_rec *r;

	ev.object = obj;
	ev.request_id = id;
	ev.lease = lease;
	KUNIT_ASSERT_EQ(test, kv_audit_emit(a->t, &ev), 0);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), 1);
	KUNIT_EXPECT_EQ(test, r->size, sizeof(*r));
	KUNIT_EXPECT_EQ(test, r->type, KVAULT_AUDIT_DENIED);
	KUNIT_EXPECT_EQ(test, r->op, KVAULT_OP_SIGN);
	KUNIT_EXPECT_EQ(test, r->alg, KVAULT_ALG_HS256);
	KUNIT_EXPECT_EQ(test, r->status, -EACCES);
	KUNIT_EXPECT_EQ(test, r->face, KVAULT_FACE_IOCTL);
	KUNIT_EXPECT_EQ(test, r->count, 1);
	KUNIT_EXPECT_NE(test, r->time, 0);
	KUNIT_EXPECT_NE(test, r->boottime, 0);
	KUNIT_EXPECT_MEMEQ(test, r->tenant, a->t->id, sizeof(r->tenant));
	KUNIT_EXPECT_MEMEQ(test, r->request_id, id, sizeof(id));
	KUNIT_EXPECT_MEMEQ(test, r->lease, lease, sizeof(lease));
	KUNIT_EXPECT_MEMEQ(test, r->key, obj->key, sizeof(r->key));
	KUNIT_EXPECT_MEMEQ(test, r->version, obj->version, sizeof(r->version));
	KUNIT_EXPECT_MEMEQ(test, &r->principal, &a->who->wire, sizeof(r->principal));
}

/* One who fills his queue keeps nobody else's from being read. */
static void tenants_are_read_in_turn(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_tenant *b = kv_test_tenant(test);
	const struct kv_event ev = use();
	struct kvault_audit_rec *r;
	u32 i, n = 0;

	emit(test, 3 * READ_MAX);
	KUNIT_ASSERT_EQ(test, kv_audit_emit(b, &ev), 0);
	KUNIT_ASSERT_EQ(test, kv_audit_emit(b, &ev), 0);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), READ_MAX);
	for (i = 0; i < READ_MAX; i++)
		n += !memcmp(r[i].tenant, b->id, sizeof(b->id));
	KUNIT_EXPECT_EQ(test, n, 2);
	/* who was not at all served before is first */
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, kv_audit_emit(b, &ev), 0);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), READ_MAX);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), READ_MAX);
	KUNIT_EXPECT_EQ(test, a->t->audit_seq, 3 * READ_MAX);
	KUNIT_EXPECT_TRUE(test, kv_audit_pending(1));
	while (read_as(test, 1, &r))
		;
	KUNIT_EXPECT_FALSE(test, kv_audit_pending(1));
}

/* ... and it goes on behind the one that was served last. */
static void a_small_buffer_serves_all(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_tenant *b = kv_test_tenant(test);
	const struct kv_event ev = use();
	u32 len, more, i, n = 0;
	struct kvault_audit_rec *r;

	emit(test, 6);
	KUNIT_ASSERT_EQ(test, kv_audit_emit(b, &ev), 0);
	for (i = 0; i < 2; i++) {
		len = sizeof(*r);
		KUNIT_ASSERT_EQ(test, kv_audit_read(1, a->buf, &len, &more), 0);
		KUNIT_EXPECT_EQ(test, more, 1);
		r = kv_test_get(test, a->buf, sizeof(*r));
		n += !memcmp(r->tenant, b->id, sizeof(b->id));
	}
	KUNIT_EXPECT_EQ(test, n, 1);
}

/* --- what is durable --- */

static void only_what_was_read_is_durable(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kvault_audit_rec *r;
	u32 len = 2 * sizeof(*r), more;

	emit(test, 3);
	kv_audit_ack(a->t, U64_MAX);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 3);
	KUNIT_ASSERT_EQ(test, kv_audit_read(1, a->buf, &len, &more), 0);
	kv_audit_ack(a->t, 0);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 3);
	kv_audit_ack(a->t, 1);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 2);
	kv_audit_ack(a->t, U64_MAX);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 1);
	KUNIT_EXPECT_EQ(test, read_as(test, 2, &r), 1);
	KUNIT_EXPECT_EQ(test, r->seq, 3);
	kv_audit_ack(a->t, 3);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 0);
	/* numbers go on */
	emit(test, 1);
	KUNIT_EXPECT_EQ(test, a->t->audit_seq, 4);
}

static void tenants_have_numbers_of_their_own(struct kunit *test)
{
	struct audit_test *a = test->priv;
	struct kv_tenant *b = kv_test_tenant(test);
	const struct kv_event ev = use();
	struct kvault_audit_rec *r;

	emit(test, 2);
	KUNIT_ASSERT_EQ(test, kv_audit_emit(b, &ev), 0);
	KUNIT_ASSERT_EQ(test, read_as(test, 1, &r), 3);
	KUNIT_EXPECT_EQ(test, r[2].seq, 1);
	KUNIT_EXPECT_MEMEQ(test, r[2].tenant, b->id, sizeof(b->id));
	kv_audit_ack(b, U64_MAX);
	KUNIT_EXPECT_EQ(test, b->audit_count, 0);
	KUNIT_EXPECT_EQ(test, a->t->audit_count, 2);
}

static struct kunit_case audit_cases[] = {
	KUNIT_CASE(a_full_queue_takes_nothing),
	KUNIT_CASE(a_user_has_his_part_of_the_room),
	KUNIT_CASE(what_is_counted_has_room_that_nothing_else_takes),
	KUNIT_CASE(without_room_refusals_are_counted),
	KUNIT_CASE(a_cancelled_record_leaves_no_gap),
	KUNIT_CASE(a_flood_costs_a_few_records),
	KUNIT_CASE(uids_and_errors_are_kinds_of_their_own),
	KUNIT_CASE(of_more_kinds_of_one_uid_only_the_number_is_known),
	KUNIT_CASE(kinds_of_many_uids_hide_nobodys_first_refusal),
	KUNIT_CASE(what_was_done_never_becomes_one),
	KUNIT_CASE(no_room_for_a_record_is_said),
	KUNIT_CASE(a_bad_address_loses_nothing),
	KUNIT_CASE(a_fault_in_the_middle_loses_nothing),
	KUNIT_CASE(what_was_not_said_to_be_read_is_read_again),
	KUNIT_CASE(a_claim_reads_a_record_once),
	KUNIT_CASE(what_is_left_is_said),
	KUNIT_CASE(a_record_says_what_happened),
	KUNIT_CASE(tenants_are_read_in_turn),
	KUNIT_CASE(a_small_buffer_serves_all),
	KUNIT_CASE(only_what_was_read_is_durable),
	KUNIT_CASE(tenants_have_numbers_of_their_own),
	{}
};

static struct kunit_suite audit_suite = {
	.name = "kvault_audit",
	.init = audit_init,
	.test_cases = audit_cases,
};

kunit_test_suite(audit_suite);
