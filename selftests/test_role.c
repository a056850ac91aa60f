// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of the host who are not root: nothing by default, and what a role
 * assignment gives, until it is taken away.
 * timeout: 120
 */
#include "kv_test.h"
#include "kselftest_harness.h"

static char vault[64], key_path[128];

/* A child's exit status: which of its claims did not hold, 0 for none. */
#define CLAIM(_n, _cond) \
	do { \
		if (!(_cond)) { \
			printf("# claim %d does not hold: %s; errno %d, %s\n", _n, #_cond, errno, \
			       kv_json); \
			fflush(stdout); \
			return _n; \
		} \
	} while (0)

FIXTURE(host)
{
	int fd;
	uint32_t h;
	struct kvault_info info;
};

FIXTURE_SETUP(host)
{
	struct kvault_open o;

	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	snprintf(vault, sizeof(vault), "%s", kv_unique("tenant"));
	snprintf(key_path, sizeof(key_path), "%s/keys/key", vault);
	ASSERT_EQ(0, kv_vault(self->fd, vault));
	ASSERT_EQ(200, kv_create(self->fd, vault, "key", "\"kty\":\"oct\",\"key_size\":256"));
	ASSERT_EQ(0, kv_open_path(self->fd, key_path, 0, 0, &o));
	self->h = o.handle;
	ASSERT_EQ(0, kv_info(self->fd, &self->info));
	ASSERT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

FIXTURE_TEARDOWN(host)
{
	close(self->fd);
}

struct two_pipes {
	int from[2], to[2];
};

static int as_user_without_role(void *arg)
{
	int fd;
	struct kvault_open o;

	CLAIM(1, !setgid(1000) && !setuid(1000));
	fd = kv_dev();
	CLAIM(2, fd >= 0);
	CLAIM(3, kv_open_path(fd, key_path, 0, 0, &o) < 0);
	CLAIM(4, kv_control(fd, KVAULT_METHOD_PUT, "/vaults/users", "{}", NULL, 0) == 403);
	CLAIM(5, kv_enable(fd, vault, "key", false) >= 403);
	return 0;
}

TEST_F(host, a_user_of_the_host_without_a_role_can_do_nothing)
{
	struct kv_child c;

	ASSERT_EQ(0, kv_child_start(&c, false, false, as_user_without_role, NULL));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

static int as_user_with_role(void *arg)
{
	int fd;
	struct kvault_open o;

	CLAIM(1, !setgid(1000) && !setuid(1000));
	fd = kv_dev();
	CLAIM(2, fd >= 0 && !kv_open_path(fd, key_path, 0, 0, &o));
	CLAIM(3, !kv_encrypt_gcm(fd, o.handle));
	CLAIM(4, kv_enable(fd, vault, "key", false) >= 403);
	CLAIM(5, kv_control(fd, KVAULT_METHOD_DELETE, arg, NULL, NULL, 0) == 403);
	return 0;
}

TEST_F(host, a_role_gives_a_user_what_it_says_and_no_more)
{
	char role[96], body[256];
	struct kv_child c;
	int status;

	snprintf(role, sizeof(role), "/roleAssignments/0e9a1c3e-0000-4000-8000-%012x",
		 getpid());
	snprintf(body, sizeof(body), "{\"properties\":{\"scope\":\"/%s/keys/key\","
		 "\"roleDefinitionId\":\"crypto-user\",\"principalId\":\"uid:1000\"}}", vault);
	status = kv_control(self->fd, KVAULT_METHOD_PUT, role, body, NULL, 0);
	ASSERT_TRUE(status == 200 || status == 201) TH_LOG("%d %s", status, kv_json);
	ASSERT_EQ(0, kv_child_start(&c, false, false, as_user_with_role, role));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
	status = kv_control(self->fd, KVAULT_METHOD_DELETE, role, NULL, NULL, 0);
	EXPECT_TRUE(status == 200 || status == 204);
	ASSERT_EQ(0, kv_child_start(&c, false, false, as_user_without_role, NULL));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
}

static int use_before_and_after(void *arg)
{
	struct two_pipes *p = arg;
	struct kvault_open o;
	char b = 'x';
	int fd;

	CLAIM(1, !setgid(1000) && !setuid(1000));
	fd = kv_dev();
	CLAIM(2, fd >= 0 && !kv_open_path(fd, key_path, 0, 0, &o));
	CLAIM(3, !kv_encrypt_gcm(fd, o.handle));
	CLAIM(4, write(p->from[1], &b, 1) == 1 && read(p->to[0], &b, 1) == 1);
	CLAIM(5, kv_encrypt_gcm(fd, o.handle) == -EACCES);
	return 0;
}

TEST_F(host, a_role_that_is_taken_away_bites_a_live_handle_at_once)
{
	char role[96], body[256], b;
	struct two_pipes p;
	struct kv_child c;
	int status;

	ASSERT_EQ(0, pipe(p.from));
	ASSERT_EQ(0, pipe(p.to));
	snprintf(role, sizeof(role), "/roleAssignments/0e9a1c3e-0000-4000-8000-%012x", getpid());
	snprintf(body, sizeof(body), "{\"properties\":{\"scope\":\"/%s\","
		 "\"roleDefinitionId\":\"crypto-user\",\"principalId\":\"uid:1000\"}}", vault);
	status = kv_control(self->fd, KVAULT_METHOD_PUT, role, body, NULL, 0);
	ASSERT_TRUE(status == 200 || status == 201);
	ASSERT_EQ(0, kv_child_start(&c, false, false, use_before_and_after, &p));
	kv_child_go(&c);
	close(p.from[1]);
	if (read(p.from[0], &b, 1) == 1) {
		status = kv_control(self->fd, KVAULT_METHOD_DELETE, role, NULL, NULL, 0);
		EXPECT_TRUE(status == 200 || status == 204);
		EXPECT_EQ(1, write(p.to[1], &b, 1));
	}
	EXPECT_EQ(0, kv_child_end(&c));
}

TEST_HARNESS_MAIN
