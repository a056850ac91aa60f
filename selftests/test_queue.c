// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for the daemon, in what order, and who is refused. Callers are
 * threads of many uids; the daemon of our own takes nothing before they are
 * all there. Freshly loaded module, no kvaultd.
 * vm: --init script
 * libs: -lpthread
 * timeout: 180
 */
#include <pthread.h>
#include <linux/securebits.h>
#include <sys/syscall.h>
#include "kv_daemon.h"
#include "kselftest_harness.h"

#define LINE_MAX	128	/* requests of one uid of the host */
#define TENANT_MAX	1024	/* of all that are no administrators */
#define ADMIN_MAX	256	/* of all that are */
#define THREADS_MAX	1200

static struct kv_daemon d;
static int fd;

struct caller {
	pthread_t thread;
	uid_t uid;
	bool is_admin;		/* whatever the uid */
	int ret;		/* 1 as long as it waits */
};

static struct caller callers[THREADS_MAX];
static int n_callers;

/* Credentials are a thread's own, for who asks the kernel and not glibc. */
static void *call_control(void *arg)
{
	struct caller *c = arg;
	char reply[64];
	struct kvault_control k = {
		.size = sizeof(k), .method = KVAULT_METHOD_GET, .timeout_ms = 120000,
		.path = kv_ptr("/whoami"), .path_len = 7,
		.reply = kv_ptr(reply), .reply_len = sizeof(reply),
	};
	int ret;

	if (c->is_admin)
		prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP);
	if (c->uid && syscall(SYS_setresuid, c->uid, c->uid, c->uid))
		ret = -errno;
	else
		ret = kv_ioctl(fd, KVAULT_CONTROL, &k);
	__atomic_store_n(&c->ret, ret, __ATOMIC_SEQ_CST);
	return NULL;
}

static int start_as(uid_t uid, bool is_admin, int n)
{
	pthread_attr_t attr;
	int ret = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	while (n-- && !ret) {
		struct caller *c = &callers[n_callers++];

		*c = (struct caller) { .uid = uid, .is_admin = is_admin, .ret = 1 };
		ret = pthread_create(&c->thread, &attr, call_control, c);
	}
	return ret;
}

static int start(uid_t uid, int n)
{
	return start_as(uid, false, n);
}

/* How many of a uid came back with @ret; 1 for those that wait. */
static int count(uid_t uid, int ret)
{
	int i, n = 0;

	for (i = 0; i < n_callers; i++)
		n += callers[i].uid == uid &&
		     __atomic_load_n(&callers[i].ret, __ATOMIC_SEQ_CST) == ret;
	return n;
}

/* Threads that sleep in the kernel; this one does while others look. */
static int asleep(void)
{
	FILE *f = popen("cat /proc/$PPID/task/*/stat | grep -c ') [SD] '", "r");
	int n = 0;

	if (f && fscanf(f, "%d", &n) != 1)
		n = 0;
	if (f)
		pclose(f);
	return n;
}

/* Until whoever waits has asked: threads that were started are asleep or back. */
static void settle(void)
{
	uint64_t end = kv_now_ms() + 30000;
	int i, n;

	do {
		kv_sleep_ms(100);
		for (n = 0, i = 0; i < n_callers; i++)
			n += __atomic_load_n(&callers[i].ret, __ATOMIC_SEQ_CST) == 1;
	} while (asleep() < n + 1 && kv_now_ms() < end);
}

/* Takes and answers the next request; its uid, or -errno. */
static int serve(void)
{
	int ret = kv_daemon_next(&d, 5000);

	if (ret)
		return ret;
	ret = (int)((const struct kvault_principal *)kv_daemon_seg(&d, 0))->uid;
	return kv_reply_send(&d, kv_reply_to(&d, 200)) ?: ret;
}

FIXTURE(queue)
{
	int unused;
};

FIXTURE_SETUP(queue)
{
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
	fd = kv_dev();
	ASSERT_LE(0, fd);
	n_callers = 0;
}

FIXTURE_TEARDOWN(queue)
{
	int i;

	kv_bye(&d);
	kv_daemon_stop(&d);	/* what it had taken is EHOSTDOWN, too */
	for (i = 0; i < n_callers; i++)
		pthread_join(callers[i].thread, NULL);
	close(fd);
}

TEST_F_TIMEOUT(queue, a_uid_that_has_too_many_requests_is_refused_alone, 60)
{
	ASSERT_EQ(0, start(1000, LINE_MAX + 12));
	settle();
	EXPECT_EQ(12, count(1000, -EDQUOT));
	EXPECT_EQ(LINE_MAX, count(1000, 1));
	ASSERT_EQ(0, start(1001, 1));
	ASSERT_EQ(0, start(0, 1));
	settle();
	EXPECT_EQ(1, count(1001, 1));
	EXPECT_EQ(1, count(0, 1));
	/* and when one of his was answered he may ask again */
	EXPECT_EQ(1000, serve());
	kv_sleep_ms(200);
	ASSERT_EQ(0, start(1000, 1));
	settle();
	EXPECT_EQ(12, count(1000, -EDQUOT));
}

TEST_F_TIMEOUT(queue, uids_are_served_in_turn, 60)
{
	int i, seen[3] = { 0 };

	ASSERT_EQ(0, start(1000, 50));
	settle();
	ASSERT_EQ(0, start(1001, 2));
	settle();
	ASSERT_EQ(0, start(0, 2));
	settle();
	/* six of fifty-four: two of each */
	for (i = 0; i < 6; i++) {
		int uid = serve();

		ASSERT_LE(0, uid);
		seen[uid == 0 ? 2 : uid - 1000]++;
	}
	EXPECT_EQ(2, seen[0]);
	EXPECT_EQ(2, seen[1]);
	EXPECT_EQ(2, seen[2]);
}

static void *poll_daemon(void *arg)
{
	struct pollfd p = { .fd = d.ctl, .events = POLLIN };

	*(int *)arg = poll(&p, 1, 8000);
	return NULL;
}

/* A tenant has one request at a time with the daemon: an answer makes the next one ready. */
TEST_F_TIMEOUT(queue, an_answer_wakes_who_polls_for_the_next_request, 60)
{
	uint64_t begin;
	pthread_t t;
	int ret = 0;

	ASSERT_EQ(0, start(1000, 2));
	settle();
	ASSERT_EQ(0, kv_daemon_next(&d, 5000));
	ASSERT_EQ(0, pthread_create(&t, NULL, poll_daemon, &ret));
	kv_sleep_ms(500);
	begin = kv_now_ms();
	ASSERT_EQ(0, kv_reply_send(&d, kv_reply_to(&d, 200)));
	pthread_join(t, NULL);
	EXPECT_EQ(1, ret);
	EXPECT_GT(kv_patience(5000), kv_now_ms() - begin);
}

TEST_F_TIMEOUT(queue, a_tenant_that_many_uids_have_filled_has_room_for_its_administrator, 120)
{
	uid_t uid;

	for (uid = 2000; uid < 2000 + TENANT_MAX / LINE_MAX; uid++)
		ASSERT_EQ(0, start(uid, LINE_MAX));
	settle();
	ASSERT_EQ(0, start(3000, 1));
	settle();
	EXPECT_EQ(1, count(3000, -EDQUOT));
	ASSERT_EQ(0, start(0, 1));
	settle();
	EXPECT_EQ(1, count(0, 1));
}

TEST_F_TIMEOUT(queue, administrators_of_many_uids_are_no_more_than_others, 120)
{
	uid_t uid;

	for (uid = 4000; uid < 4000 + ADMIN_MAX / LINE_MAX; uid++)
		ASSERT_EQ(0, start_as(uid, true, LINE_MAX));
	settle();
	ASSERT_EQ(0, start_as(5000, true, 1));
	settle();
	EXPECT_EQ(1, count(5000, -EDQUOT));
	/* the sum is theirs alone */
	ASSERT_EQ(0, start(5001, 1));
	settle();
	EXPECT_EQ(1, count(5001, 1));
}

static struct kvault_binding key;
static struct kvault_grant grant;
static uint8_t blob[256];
static size_t blob_len = sizeof(blob);

static int send_grant(void)
{
	struct kv_reply *r = kv_reply_to(&d, 0);

	kv_reply_seg(r, 0, &grant, sizeof(grant));
	kv_reply_seg(r, 3, blob, blob_len);
	return kv_reply_send(&d, r);
}

static int answer_open(void *arg)
{
	int ret = kv_daemon_next(&d, 10000);

	return -(ret ? ret : send_grant());
}

TEST_F_TIMEOUT(queue, a_lease_is_renewed_before_all_that_callers_ask, 60)
{
	struct kvault_open o;
	struct kv_child c;

	key = kv_binding(1);
	grant = kv_grant(&key);
	grant.lease_ops = 4;
	ASSERT_EQ(0, kv_seal(d.ctl, KVAULT_SEAL_GENERATE, &key, blob, &blob_len));
	ASSERT_EQ(0, kv_child_start(&c, false, false, answer_open, NULL));
	kv_child_go(&c);
	ASSERT_EQ(0, kv_open_path(fd, "vault/keys/key", 0, 10000, &o));
	ASSERT_EQ(0, kv_child_end(&c));
	ASSERT_EQ(0, start(1000, 20));
	ASSERT_EQ(0, start(0, LINE_MAX + 1));
	settle();
	EXPECT_EQ(1, count(0, -EDQUOT));
	/* half of the lease: renewed in the background, though root's line is full */
	ASSERT_EQ(0, kv_encrypt_gcm(fd, o.handle));
	ASSERT_EQ(0, kv_encrypt_gcm(fd, o.handle));
	kv_sleep_ms(300);
	ASSERT_EQ(0, kv_daemon_next(&d, 5000));
	EXPECT_EQ(KVAULT_MSG_ACCESS, d.msg.type);
	EXPECT_EQ(KVAULT_PURPOSE_RENEW, d.msg.op);
	if (d.msg.type == KVAULT_MSG_ACCESS)
		EXPECT_EQ(0, send_grant());
	EXPECT_LE(0, serve());
}

TEST_HARNESS_MAIN
