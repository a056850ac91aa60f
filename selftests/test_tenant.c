// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tenants. The host has a vault with a key; what is below tries to get at it,
 * and at what its siblings have:
 *
 *   initial user namespace        host: vault, key, open file with a handle
 *     +- A                        ephemeral tenant
 *     |   +- A1                   the same tenant
 *     +- B                        another one
 *
 * timeout: 400
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

/* --- before and after the uid map ----------------------------------------- */

struct two_pipes {
	int from[2], to[2];
};

static int open_before_and_after_map(void *arg)
{
	struct two_pipes *p = arg;
	char b = 'x';
	int fd;

	CLAIM(1, kv_dev() == -ENOKEY);
	CLAIM(2, kv_dev() == -ENOKEY);
	CLAIM(3, write(p->from[1], &b, 1) == 1 && read(p->to[0], &b, 1) == 1);
	fd = kv_dev();
	CLAIM(4, fd >= 0);
	CLAIM(5, kv_vault(fd, "mine") == 0);
	return 0;
}

TEST_F(host, a_namespace_is_nobody_until_it_has_a_uid_map)
{
	struct two_pipes p;
	struct kv_child c;
	char b;

	ASSERT_EQ(0, pipe(p.from));
	ASSERT_EQ(0, pipe(p.to));
	ASSERT_EQ(0, kv_child_start(&c, true, false, open_before_and_after_map, &p));
	kv_child_go(&c);
	close(p.from[1]);
	if (read(p.from[0], &b, 1) == 1) {
		EXPECT_EQ(0, kv_map_root(c.pid));
		EXPECT_EQ(1, write(p.to[1], &b, 1));
	}
	EXPECT_EQ(0, kv_child_end(&c));
}

/* --- an empty vault of its own -------------------------------------------- */

static int see_nothing(void *arg)
{
	struct kvault_info *host = arg, info;
	int fd = kv_dev();
	struct kvault_open o;
	char path[160];

	CLAIM(1, fd >= 0);
	CLAIM(2, !kv_info(fd, &info) && info.tenant_kind == KVAULT_TENANT_EPHEMERAL);
	CLAIM(3, memcmp(info.tenant, host->tenant, sizeof(info.tenant)));
	CLAIM(4, kv_control(fd, KVAULT_METHOD_GET, "/vaults", NULL, NULL, 0) == 200);
	CLAIM(5, strstr(kv_json, "\"value\":[]") || strstr(kv_json, "\"value\": []"));
	snprintf(path, sizeof(path), "/vaults/%s", vault);
	CLAIM(6, kv_control(fd, KVAULT_METHOD_GET, path, NULL, NULL, 0) == 404);
	snprintf(path, sizeof(path), "/vaults/%s/keys/key", vault);
	CLAIM(7, kv_control(fd, KVAULT_METHOD_GET, path, NULL, NULL, 0) == 404);
	CLAIM(8, kv_open_path(fd, key_path, 0, 0, &o) == -ENOKEY);
	CLAIM(9, kv_control(fd, KVAULT_METHOD_PATCH, path, "{\"attributes\":{\"enabled\":false}}",
			    NULL, 0) == 404);
	CLAIM(10, info.objects == 0 && info.handles == 0);
	return 0;
}

TEST_F(host, a_new_namespace_sees_nothing_of_the_host)
{
	EXPECT_EQ(0, kv_in_ns(see_nothing, &self->info));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

static int answers_are_alike(void *arg)
{
	int fd = kv_dev(), there, absent;
	static char foreign[sizeof(kv_json)];
	char path[160], *p, *end;

	CLAIM(1, fd >= 0);
	snprintf(path, sizeof(path), "/vaults/%s/keys/key", vault);
	there = kv_control(fd, KVAULT_METHOD_GET, path, NULL, NULL, 0);
	memcpy(foreign, kv_json, sizeof(kv_json));
	memset(path + 8, 'x', strlen(vault));	/* a name as long that nobody has */
	absent = kv_control(fd, KVAULT_METHOD_GET, path, NULL, NULL, 0);
	CLAIM(2, there == 404 && there == absent);
	p = strstr(foreign, vault);
	if (p)
		memset(p, 'x', strlen(vault));
	p = strstr(foreign, "requestId");	/* its own, each time */
	end = strstr(kv_json, "requestId");
	CLAIM(4, !p == !end);
	if (p)
		*p = *end = '\0';
	CLAIM(3, !strcmp(foreign, kv_json));
	return 0;
}

TEST_F(host, what_is_foreign_answers_exactly_as_what_is_absent)
{
	EXPECT_EQ(0, kv_in_ns(answers_are_alike, NULL));
}

static int use_own_key(void *arg)
{
	int fd = kv_dev();
	uint32_t h;

	CLAIM(1, fd >= 0);
	CLAIM(2, !kv_vault(fd, "mine"));
	CLAIM(3, kv_create(fd, "mine", "key", "\"kty\":\"oct\",\"key_size\":256") == 200);
	CLAIM(4, !kv_open_key(fd, "mine", "key", 0, &h));
	CLAIM(5, !kv_encrypt_gcm(fd, h));
	CLAIM(6, kv_enable(fd, "mine", "key", false) == 200);
	CLAIM(7, kv_encrypt_gcm(fd, h) == -EKEYREVOKED);
	CLAIM(8, kv_create(fd, "mine", "ec", "\"kty\":\"EC\",\"crv\":\"P-256\"") == 200);
	CLAIM(9, !kv_open_key(fd, "mine", "ec", 0, &h));
	return 0;
}

TEST_F_TIMEOUT(host, a_new_namespace_makes_and_uses_a_key_of_its_own_at_once, 60)
{
	EXPECT_EQ(0, kv_in_ns(use_own_key, NULL));
	EXPECT_EQ(404, kv_control(self->fd, KVAULT_METHOD_GET, "/vaults/mine", NULL, NULL, 0));
}

/* --- ways of passing a file ----------------------------------------------- */

/* With a file of the host, from elsewhere: every ioctl but CLOSE is EACCES. */
static int every_ioctl_fails(int fd, uint32_t h)
{
	static const unsigned long cmds[] = {
		KVAULT_INFO, KVAULT_CONTROL, KVAULT_OPEN, KVAULT_ENCRYPT, KVAULT_DECRYPT,
		KVAULT_SIGN, KVAULT_VERIFY, KVAULT_WRAP, KVAULT_UNWRAP, KVAULT_NOOP,
		KVAULT_RANDOM, KVAULT_PROJECT,
	};
	static const uint32_t sizes[] = {
		sizeof(struct kvault_info), sizeof(struct kvault_control),
		sizeof(struct kvault_open), 104, 104, 104, 104, 104, 104, 104,
		sizeof(struct kvault_random), sizeof(struct kvault_project),
	};
	uint64_t arg[32];
	struct kvault_open o;
	size_t i;

	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		memset(arg, 0, sizeof(arg));
		((uint32_t *)arg)[0] = sizes[i];
		((uint32_t *)arg)[2] = h;
		CLAIM(20 + (int)i, kv_ioctl(fd, cmds[i], arg) == -EACCES);
	}
	CLAIM(40, kv_encrypt_gcm(fd, h) == -EACCES);
	CLAIM(41, kv_open_path(fd, key_path, 0, 0, &o) == -EACCES);
	CLAIM(42, kv_control(fd, KVAULT_METHOD_GET, "/vaults", NULL, NULL, 0) == -EACCES);
	return 0;
}

static int use_inherited(void *arg)
{
	uint32_t *fd_and_handle = arg;

	return every_ioctl_fails((int)fd_and_handle[0], fd_and_handle[1]);
}

TEST_F(host, an_inherited_file_is_of_no_use)
{
	uint32_t arg[2] = { (uint32_t)self->fd, self->h };

	EXPECT_EQ(0, kv_in_ns(use_inherited, arg));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

static int close_inherited(void *arg)
{
	uint32_t *fd_and_handle = arg;

	CLAIM(1, !kv_close_handle((int)fd_and_handle[0], fd_and_handle[1]));
	return 0;
}

TEST_F(host, closing_is_all_that_an_inherited_file_allows)
{
	uint32_t arg[2] = { (uint32_t)self->fd, self->h };

	EXPECT_EQ(0, kv_in_ns(close_inherited, arg));
	EXPECT_EQ(-ENOKEY, kv_encrypt_gcm(self->fd, self->h));
}

static int send_fd(int sock, int fd)
{
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(sizeof(int))];
	} u = { .h = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		       .cmsg_len = CMSG_LEN(sizeof(int)) } };
	char b = 'f';
	struct iovec v = { &b, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf),
	};

	memcpy(CMSG_DATA(&u.h), &fd, sizeof(fd));
	return sendmsg(sock, &m, 0) == 1 ? 0 : -errno;
}

static int recv_fd(int sock)
{
	char buf[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))), b;
	struct iovec v = { &b, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = buf, .msg_controllen = sizeof(buf),
	};
	int fd;

	if (recvmsg(sock, &m, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&m))
		return -EIO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

struct sock_arg {
	int sock;
	uint32_t h;
};

static int use_received(void *arg)
{
	struct sock_arg *a = arg;
	int fd = recv_fd(a->sock);

	CLAIM(1, fd >= 0);
	return every_ioctl_fails(fd, a->h);
}

TEST_F(host, a_file_that_was_sent_over_a_socket_is_of_no_use)
{
	struct sock_arg a = { .h = self->h };
	struct kv_child c;
	int sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	a.sock = sv[1];
	ASSERT_EQ(0, kv_child_start(&c, true, true, use_received, &a));
	kv_child_go(&c);
	EXPECT_EQ(0, send_fd(sv[0], self->fd));
	EXPECT_EQ(0, kv_child_end(&c));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

static int make_and_send(void *arg)
{
	struct sock_arg *a = arg;
	int fd = kv_dev();
	uint32_t h;
	char b;

	CLAIM(1, fd >= 0 && !kv_vault(fd, "mine"));
	CLAIM(2, kv_create(fd, "mine", "key", "\"kty\":\"oct\",\"key_size\":256") == 200);
	CLAIM(3, !kv_open_key(fd, "mine", "key", 0, &h));
	CLAIM(4, !kv_encrypt_gcm(fd, h) && !send_fd(a->sock, fd));
	CLAIM(5, write(a->sock, &h, sizeof(h)) == sizeof(h));
	CLAIM(6, write(a->sock, &fd, sizeof(fd)) == sizeof(fd) && read(a->sock, &b, 1) == 1);
	CLAIM(7, !kv_encrypt_gcm(fd, h));
	return 0;
}

TEST_F(host, root_of_the_host_has_no_use_of_a_tenants_file_either)
{
	struct sock_arg a = { 0 };
	struct kv_child c;
	int sv[2], fd, pidfd;
	uint32_t h = 0;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	a.sock = sv[1];
	ASSERT_EQ(0, kv_child_start(&c, true, true, make_and_send, &a));
	kv_child_go(&c);
	close(sv[1]);
	fd = recv_fd(sv[0]);
	if (fd >= 0 && read(sv[0], &h, sizeof(h)) == sizeof(h)) {
		EXPECT_EQ(-EACCES, kv_encrypt_gcm(fd, h));
		EXPECT_EQ(-EACCES, kv_control(fd, KVAULT_METHOD_GET, "/vaults", NULL, NULL, 0));
		close(fd);
		/* by pidfd_getfd(), which root may */
		ASSERT_EQ(sizeof(fd), read(sv[0], &fd, sizeof(fd)));
		pidfd = (int)syscall(SYS_pidfd_open, c.pid, 0);
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		EXPECT_LE(0, fd);
		EXPECT_EQ(-EACCES, kv_encrypt_gcm(fd, h));
		close(fd);
		EXPECT_EQ(1, write(sv[0], "x", 1));
	}
	EXPECT_EQ(0, kv_child_end(&c));
}

struct steal {
	pid_t parent;
	int fd;
	uint32_t h;
};

static int steal_from_parent(void *arg)
{
	struct steal *s = arg;
	char path[64];
	int pidfd, fd;

	close(s->fd);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", s->parent, s->fd);
	fd = open(path, O_RDWR);
	CLAIM(1, fd < 0 || kv_encrypt_gcm(fd, s->h) == -ENOKEY);
	pidfd = (int)syscall(SYS_pidfd_open, s->parent, 0);
	CLAIM(2, pidfd >= 0);
	CLAIM(3, syscall(SYS_pidfd_getfd, pidfd, s->fd, 0) < 0 && errno == EPERM);
	return 0;
}

TEST_F(host, neither_proc_nor_pidfd_getfd_gives_a_tenant_the_hosts_file)
{
	struct steal s = { getpid(), self->fd, self->h };

	EXPECT_EQ(0, kv_in_ns(steal_from_parent, &s));
}

static int enter_and_use(void *arg)
{
	uint32_t *fd_and_handle = arg;

	/* the positive control: before it leaves, the file works */
	CLAIM(1, !kv_encrypt_gcm((int)fd_and_handle[0], fd_and_handle[1]));
	CLAIM(2, !unshare(CLONE_NEWUSER));
	CLAIM(3, kv_encrypt_gcm((int)fd_and_handle[0], fd_and_handle[1]) == -EACCES);
	CLAIM(4, kv_dev() == -ENOKEY);
	return 0;
}

TEST_F(host, who_leaves_for_another_namespace_leaves_his_open_files_behind)
{
	uint32_t arg[2] = { (uint32_t)self->fd, self->h };
	struct kv_child c;

	ASSERT_EQ(0, kv_child_start(&c, false, false, enter_and_use, arg));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, self->h));
}

static int guess_handles(void *arg)
{
	int fd = kv_dev();
	uint32_t i;

	CLAIM(1, fd >= 0);
	for (i = 0; i < 8192; i++)
		CLAIM(2, kv_noop(fd, i, KVAULT_ALG_A256GCM) == -ENOKEY);
	return 0;
}

TEST_F_TIMEOUT(host, no_handle_is_found_by_trying_numbers, 60)
{
	EXPECT_EQ(0, kv_in_ns(guess_handles, NULL));
}

/* --- below, beside -------------------------------------------------------- */

static int nested_is_same(void *arg)
{
	struct kvault_info *outer = arg, info;
	int fd = kv_dev();
	struct kvault_open o;

	CLAIM(50, fd >= 0 && !kv_info(fd, &info));
	CLAIM(51, !memcmp(info.tenant, outer->tenant, sizeof(info.tenant)));
	CLAIM(52, info.tenant_kind == KVAULT_TENANT_EPHEMERAL);
	CLAIM(53, !kv_open_path(fd, "mine/keys/key", 0, 0, &o));
	CLAIM(54, !kv_encrypt_gcm(fd, o.handle));
	/* root of the inner namespace is no administrator of the tenant */
	CLAIM(55, kv_control(fd, KVAULT_METHOD_PUT, "/vaults/inner", "{}", NULL, 0) == 403);
	return 0;
}

static int nest(void *arg)
{
	static const char role[] =
		"{\"properties\":{\"scope\":\"/mine\",\"roleDefinitionId\":\"crypto-user\","
		"\"principalId\":\"uid:0\"}}";
	int fd = kv_dev(), status;
	struct kvault_info info;

	CLAIM(1, fd >= 0 && !kv_info(fd, &info) && !kv_vault(fd, "mine"));
	CLAIM(2, kv_create(fd, "mine", "key", "\"kty\":\"oct\",\"key_size\":256") == 200);
	status = kv_control(fd, KVAULT_METHOD_PUT,
			    "/roleAssignments/0e9a1c3e-0000-4000-8000-000000000001", role, NULL, 0);
	CLAIM(3, status == 200 || status == 201);
	return kv_in_ns(nested_is_same, &info);
}

TEST_F(host, a_nested_namespace_belongs_to_the_same_tenant)
{
	EXPECT_EQ(0, kv_in_ns(nest, NULL));
}

struct sibling {
	int out, in;		/* pipes to the test */
	uint8_t id[KVAULT_ID_SIZE];
	uint8_t iv[16], tag[16], ct[16];
};

static int sibling_writes(void *arg)
{
	struct sibling *s = arg;
	struct kvault_crypt c = { .alg = KVAULT_ALG_A256GCM };
	int fd = kv_dev();
	struct kvault_info info;
	uint8_t in[16] = "secret of mine.";
	size_t len = sizeof(s->ct);
	char b;

	CLAIM(1, fd >= 0 && !kv_info(fd, &info) && !kv_vault(fd, "same"));
	CLAIM(2, kv_create(fd, "same", "name", "\"kty\":\"oct\",\"key_size\":256") == 200);
	CLAIM(3, !kv_open_key(fd, "same", "name", 0, &c.handle));
	CLAIM(4, !kv_op(fd, KVAULT_ENCRYPT, &c, in, 16, s->ct, &len));
	memcpy(s->id, info.tenant, sizeof(s->id));
	memcpy(s->iv, c.iv, 16);
	memcpy(s->tag, c.tag, 16);
	CLAIM(5, write(s->out, s, sizeof(*s)) == sizeof(*s));
	CLAIM(6, read(s->in, &b, 1) == 1);
	CLAIM(7, !kv_encrypt_gcm(fd, c.handle));
	return 0;
}

static int sibling_reads(void *arg)
{
	struct sibling *s = arg;
	struct kvault_crypt c = { .alg = KVAULT_ALG_A256GCM };
	int fd = kv_dev();
	struct kvault_info info;
	size_t len = 16;
	uint8_t out[16];

	CLAIM(1, fd >= 0 && !kv_info(fd, &info));
	CLAIM(2, memcmp(info.tenant, s->id, sizeof(s->id)));
	CLAIM(3, kv_open_key(fd, "same", "name", 0, &c.handle) == -ENOKEY);
	CLAIM(4, !kv_vault(fd, "same"));
	CLAIM(5, kv_create(fd, "same", "name", "\"kty\":\"oct\",\"key_size\":256") == 200);
	CLAIM(6, !kv_open_key(fd, "same", "name", 0, &c.handle));
	memcpy(c.iv, s->iv, 16);
	memcpy(c.tag, s->tag, 16);
	CLAIM(7, kv_op(fd, KVAULT_DECRYPT, &c, s->ct, 16, out, &len) == -EBADMSG);
	CLAIM(8, kv_enable(fd, "same", "name", false) == 200);
	return 0;
}

TEST_F(host, two_siblings_have_nothing_in_common_but_names)
{
	int out[2], in[2];
	struct sibling s = { 0 };
	struct kv_child a;

	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(0, pipe(in));
	s.out = out[1];
	s.in = in[0];
	ASSERT_EQ(0, kv_child_start(&a, true, true, sibling_writes, &s));
	kv_child_go(&a);
	close(out[1]);
	if (read(out[0], &s, sizeof(s)) == sizeof(s)) {
		EXPECT_EQ(0, kv_in_ns(sibling_reads, &s));
		EXPECT_EQ(1, write(in[1], "x", 1));
	}
	EXPECT_EQ(0, kv_child_end(&a));
}

/* --- the end of a tenant -------------------------------------------------- */

static int enter_as_new(void *arg)
{
	struct sibling *s = arg;
	int fd;
	struct kvault_info info;

	CLAIM(1, !setns(s->in, CLONE_NEWUSER));
	fd = kv_dev();
	CLAIM(2, fd >= 0 && !kv_info(fd, &info));
	CLAIM(3, info.tenant_kind == KVAULT_TENANT_EPHEMERAL);
	CLAIM(4, memcmp(info.tenant, s->id, sizeof(s->id)));
	CLAIM(5, info.objects == 0);
	CLAIM(6, kv_control(fd, KVAULT_METHOD_GET, "/vaults/same", NULL, NULL, 0) == 404);
	return 0;
}

TEST_F(host, one_second_after_its_last_process_a_tenant_is_gone)
{
	int out[2], in[2], ns;
	struct sibling s = { 0 };
	struct kv_child a, b;
	char path[64];

	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(0, pipe(in));
	s.out = out[1];
	s.in = in[0];
	ASSERT_EQ(0, kv_child_start(&a, true, true, sibling_writes, &s));
	/* the namespace is pinned, and so does not go with its process */
	snprintf(path, sizeof(path), "/proc/%d/ns/user", a.pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, ns);
	kv_child_go(&a);
	close(out[1]);
	ASSERT_EQ(sizeof(s), read(out[0], &s, sizeof(s)));
	ASSERT_EQ(1, write(in[1], "x", 1));
	ASSERT_EQ(0, kv_child_end(&a));
	kv_sleep_ms(1000);
	s.in = ns;
	ASSERT_EQ(0, kv_child_start(&b, false, false, enter_as_new, &s));
	kv_child_go(&b);
	EXPECT_EQ(0, kv_child_end(&b));
	close(ns);
}

static int keep_and_die(void *arg)
{
	struct sock_arg *a = arg;
	int fd = kv_dev();
	struct kvault_info info;

	CLAIM(1, fd >= 0 && !kv_vault(fd, "mine") && !kv_info(fd, &info));
	CLAIM(2, !send_fd(a->sock, fd));
	CLAIM(3, write(a->sock, info.tenant, 16) == 16);
	return 0;
}

TEST_F(host, a_file_that_was_passed_out_does_not_keep_a_tenant_alive)
{
	struct sibling s = { 0 };
	struct sock_arg a = { 0 };
	struct kv_child c, b;
	char path[64];
	int sv[2], fd, ns;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	a.sock = sv[1];
	ASSERT_EQ(0, kv_child_start(&c, true, true, keep_and_die, &a));
	snprintf(path, sizeof(path), "/proc/%d/ns/user", c.pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	kv_child_go(&c);
	fd = recv_fd(sv[0]);
	ASSERT_LE(0, fd);
	ASSERT_EQ(16, read(sv[0], s.id, 16));
	ASSERT_EQ(0, kv_child_end(&c));
	kv_sleep_ms(1000);
	s.in = ns;
	ASSERT_EQ(0, kv_child_start(&b, false, false, enter_as_new, &s));
	kv_child_go(&b);
	EXPECT_EQ(0, kv_child_end(&b));
	EXPECT_EQ(-EACCES, kv_control(fd, KVAULT_METHOD_GET, "/vaults", NULL, NULL, 0));
	close(fd);
	close(ns);
}

static int first_of_its_name(void *arg)
{
	int fd = kv_dev(), out = *(int *)arg;
	struct kvault_info info;

	CLAIM(1, fd >= 0 && !kv_info(fd, &info));
	CLAIM(2, kv_control(fd, KVAULT_METHOD_PUT, "/vaults/reused", "{}", NULL, 0) == 201);
	CLAIM(3, write(out, info.tenant, 16) == 16);
	return 0;
}

#define MANY 100

TEST_F_TIMEOUT(host, a_namespace_never_inherits_from_one_before_it, 180)
{
	static uint8_t ids[MANY][16];
	int out[2], i, j;

	ASSERT_EQ(0, pipe(out));
	/* what goes wrong once in a hundred times is for the fast kernels to find */
	for (i = 0; i < MANY / (int)kv_factor(); i++) {
		ASSERT_EQ(0, kv_in_ns(first_of_its_name, &out[1]));
		ASSERT_EQ(16, read(out[0], ids[i], 16));
		for (j = 0; j < i; j++)
			ASSERT_NE(0, memcmp(ids[i], ids[j], 16));
	}
	EXPECT_EQ(404, kv_control(self->fd, KVAULT_METHOD_GET, "/vaults/reused", NULL, NULL, 0));
}

/* --- quota, and users who are not root ------------------------------------ */

static int fill_objects(void *arg)
{
	int fd = kv_dev(), ret = 0;
	struct kvault_info info;
	char name[32];
	uint32_t h, i;

	CLAIM(1, fd >= 0 && !kv_info(fd, &info) && !kv_vault(fd, "mine"));
	for (i = 0; i <= info.objects_max; i++) {
		snprintf(name, sizeof(name), "k%u", i);
		ret = kv_create(fd, "mine", name, "\"kty\":\"oct\",\"key_size\":256");
		if (ret == 429)
			return 0;
		CLAIM(2, ret == 200);
		ret = kv_open_key(fd, "mine", name, 0, &h);
		if (ret)
			break;
	}
	CLAIM(3, ret == -EDQUOT);
	/* what it has goes on working */
	CLAIM(4, !kv_encrypt_gcm(fd, 1));
	return 0;
}

TEST_F_TIMEOUT(host, a_tenant_that_used_up_its_quota_disturbs_nobody, 180)
{
	struct kvault_open o;

	EXPECT_EQ(0, kv_in_ns(fill_objects, NULL));
	EXPECT_EQ(0, kv_open_path(self->fd, key_path, 0, 0, &o));
	EXPECT_EQ(0, kv_encrypt_gcm(self->fd, o.handle));
}

static int as_user(void *arg)
{
	char map[32];

	CLAIM(1, !setgid(1000) && !setuid(1000));
	prctl(PR_SET_DUMPABLE, 1);
	CLAIM(2, !unshare(CLONE_NEWUSER));
	CLAIM(3, !kv_write_file("/proc/self/setgroups", "deny"));
	snprintf(map, sizeof(map), "0 1000 1");
	CLAIM(4, !kv_write_file("/proc/self/gid_map", map));
	CLAIM(5, !kv_write_file("/proc/self/uid_map", map));
	return use_own_key(NULL);
}

TEST_F_TIMEOUT(host, an_unprivileged_user_gets_a_tenant_just_so, 60)
{
	struct kv_child c;

	ASSERT_EQ(0, kv_child_start(&c, false, false, as_user, NULL));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
}

TEST_HARNESS_MAIN
