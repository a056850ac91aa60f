// SPDX-License-Identifier: GPL-2.0-only
/*
 * What deletion, recovery and purge do to handles that are open, and what many
 * threads do to one name: one consistent outcome, and nothing is lost.
 * libs: -lpthread
 * timeout: 240
 */
#include <pthread.h>

#include "kv_test.h"
#include "kselftest_harness.h"

#define THREADS	32
#define ROUNDS	6

static char vault[64];

__attribute__((constructor)) static void name_the_vault(void)
{
	snprintf(vault, sizeof(vault), "%s", kv_unique("delete"));
}

/* "/vaults/V/keys/K…" or "/vaults/V/deletedkeys/K…" */
static int call(int fd, uint32_t method, const char *where, const char *name, const char *suffix)
{
	char path[256];

	snprintf(path, sizeof(path), "/vaults/%s/%s/%s%s", vault, where, name, suffix);
	return kv_control(fd, method, path, NULL, NULL, 0);
}

static int remove_key(int fd, const char *name)
{
	return call(fd, KVAULT_METHOD_DELETE, "keys", name, "");
}

static int recover(int fd, const char *name)
{
	return call(fd, KVAULT_METHOD_POST, "deletedkeys", name, "/recover");
}

static int purge(int fd, const char *name)
{
	return call(fd, KVAULT_METHOD_DELETE, "deletedkeys", name, "");
}

FIXTURE(key)
{
	int fd;
	uint32_t h, old;
	char name[64];
};

FIXTURE_SETUP(key)
{
	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	ASSERT_EQ(0, kv_vault(self->fd, vault));
	snprintf(self->name, sizeof(self->name), "%s", kv_unique("k"));
	ASSERT_EQ(200, kv_create(self->fd, vault, self->name, "\"kty\":\"oct\""));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, 0, &self->old));
	ASSERT_EQ(200, kv_create(self->fd, vault, self->name, "\"kty\":\"oct\""));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, 0, &self->h));
}

FIXTURE_TEARDOWN(key)
{
	close(self->fd);
}

TEST_F(key, handles_of_all_versions_are_cut_and_work_again_after_recovery)
{
	uint32_t h;

	ASSERT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
	ASSERT_EQ(0, kv_encrypt_gcm(self->fd, self->old));
	ASSERT_EQ(200, remove_key(self->fd, self->name));
	EXPECT_EQ(-EKEYREVOKED, kv_encrypt_gcm(self->fd, self->h));
	EXPECT_EQ(-EKEYREVOKED, kv_encrypt_gcm(self->fd, self->old));
	EXPECT_EQ(-ENOKEY, kv_open_key(self->fd, vault, self->name, 0, &h));
	EXPECT_EQ(409, kv_create(self->fd, vault, self->name, "\"kty\":\"oct\""));
	ASSERT_EQ(200, recover(self->fd, self->name));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->old));
	EXPECT_EQ(0, kv_open_key(self->fd, vault, self->name, 0, &h));
}

TEST_F(key, a_version_that_is_disabled_stays_so_over_deletion_and_recovery)
{
	ASSERT_EQ(200, kv_enable(self->fd, vault, self->name, false));
	ASSERT_EQ(200, remove_key(self->fd, self->name));
	ASSERT_EQ(200, recover(self->fd, self->name));
	EXPECT_EQ(-EKEYREVOKED, kv_encrypt_gcm(self->fd, self->h));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->old));
}

TEST_F(key, a_purged_key_is_dead_for_its_handles_and_its_name_is_free)
{
	uint32_t h;

	ASSERT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
	ASSERT_EQ(404, purge(self->fd, self->name));	/* live */
	ASSERT_EQ(200, remove_key(self->fd, self->name));
	ASSERT_EQ(204, purge(self->fd, self->name));
	EXPECT_EQ(404, recover(self->fd, self->name));
	ASSERT_EQ(200, kv_create(self->fd, vault, self->name, "\"kty\":\"oct\""));
	ASSERT_EQ(0, kv_open_key(self->fd, vault, self->name, 0, &h));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, h));
	EXPECT_EQ(-EKEYREVOKED, kv_encrypt_gcm(self->fd, self->h));
	EXPECT_EQ(-EKEYREVOKED, kv_encrypt_gcm(self->fd, self->old));
}

static int use_until_cut(void *arg)
{
	const uint32_t *a = arg;
	int ret;

	do
		ret = kv_encrypt_gcm((int)a[0], a[1]);
	while (!ret);
	return -ret;
}

TEST_F(key, no_operation_succeeds_after_the_call_that_deleted_the_key)
{
	uint32_t arg[2] = { (uint32_t)self->fd, self->h };
	struct kv_child c[4];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, kv_child_start(&c[i], false, false, use_until_cut, arg));
	for (i = 0; i < 4; i++)
		kv_child_go(&c[i]);
	kv_sleep_ms(50);
	ASSERT_EQ(200, remove_key(self->fd, self->name));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(-EKEYREVOKED, kv_encrypt_gcm(self->fd, self->h));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(EKEYREVOKED, kv_child_end(&c[i]));
}

/* --- many threads, one name ------------------------------------------------ */

static struct {
	char name[64];
	int created, deleted, recovered;	/* that were answered with 200 */
	int wrong;				/* answers that no state explains */
} many;

static void *one_thread(void *arg)
{
	static const uint32_t methods[] = { KVAULT_METHOD_POST, KVAULT_METHOD_DELETE,
					    KVAULT_METHOD_POST };
	static const char *const where[] = { "keys", "keys", "deletedkeys" };
	static const char *const suffix[] = { "/create", "", "/recover" };
	int *const done[] = { &many.created, &many.deleted, &many.recovered };
	long n = (long)arg;
	struct kvault_control c;
	char path[256];
	char reply[8192];
	int fd = kv_dev(), i;
	uint32_t h;

	for (i = 0; i < ROUNDS; i++) {
		size_t what = (size_t)(n + i) % 4;
		int r;

		if (what == 3) {
			r = kv_open_key(fd, vault, many.name, 0, &h);
			if (!r)
				r = kv_encrypt_gcm(fd, h);
			if (r && r != -ENOKEY && r != -EKEYREVOKED && r != -ESTALE)
				__atomic_add_fetch(&many.wrong, 1, __ATOMIC_SEQ_CST);
			continue;
		}
		snprintf(path, sizeof(path), "/vaults/%s/%s/%s%s", vault, where[what], many.name,
			 suffix[what]);
		c = (struct kvault_control){
			.size = sizeof(c), .method = methods[what],
			.timeout_ms = 60000, .path = kv_ptr(path),
			.path_len = (uint32_t)strlen(path), .reply = kv_ptr(reply),
			.reply_len = sizeof(reply),
		};
		if (!what) {
			c.body = kv_ptr("{\"kty\":\"oct\"}");
			c.body_len = 13;
		}
		r = kv_ioctl(fd, KVAULT_CONTROL, &c);
		if (!r && c.status == 200)
			__atomic_add_fetch(done[what], 1, __ATOMIC_SEQ_CST);
		else if (r || c.status != (what ? 404 : 409))
			__atomic_add_fetch(&many.wrong, 1, __ATOMIC_SEQ_CST);
	}
	close(fd);
	return NULL;
}

static int count_versions(int fd)
{
	char path[KVAULT_PATH_MAX + 1];
	const char *p;
	int n = 0;

	snprintf(path, sizeof(path), "/vaults/%s/keys/%s/versions", vault, many.name);
	while (kv_control(fd, KVAULT_METHOD_GET, path, NULL, NULL, 0) == 200) {
		for (p = strstr(kv_json, "\"kid\""); p; p = strstr(p + 1, "\"kid\""))
			n++;
		if (!kv_json_str("nextLink", path, sizeof(path)))
			return n;
	}
	return -1;
}

TEST_F(key, of_32_threads_none_loses_a_version_or_sees_a_third_state)
{
	pthread_t t[THREADS];
	long i;

	snprintf(many.name, sizeof(many.name), "%s", self->name);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, one_thread, (void *)i));
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	EXPECT_EQ(0, many.wrong);
	/* deletions and recoveries take turns */
	EXPECT_LE(0, many.deleted - many.recovered);
	EXPECT_GE(1, many.deleted - many.recovered);
	if (many.deleted != many.recovered)
		ASSERT_EQ(200, recover(self->fd, many.name));
	EXPECT_EQ(2 + many.created, count_versions(self->fd));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

TEST_HARNESS_MAIN
