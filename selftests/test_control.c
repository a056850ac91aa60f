// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may be the daemon, and what the control nodes and the netlink family
 * refuse. The module is freshly loaded here and no kvaultd runs.
 * vm: --init script
 * timeout: 120
 */
#include <sys/stat.h>
#include "kv_daemon.h"
#include "kselftest_harness.h"

/* Netlink's own checks of an attribute say the one or the other. */
#define EXPECT_BAD_ATTR(_call) \
	do { \
		int _ret = _call; \
		EXPECT_TRUE(_ret == -EINVAL || _ret == -ERANGE) TH_LOG("%d", _ret); \
	} while (0)

static uint8_t other[16] = "something else.";
static struct kv_daemon d;

/* --- before there is anything: these come first, in this order ------------ */

TEST(a_0_nobody_ever_served_so_whatever_needs_the_daemon_is_EHOSTDOWN_at_once)
{
	int fd = kv_dev();
	uint64_t start = kv_now_ms();
	struct kvault_info info;
	struct kvault_open o;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EHOSTDOWN, kv_control(fd, KVAULT_METHOD_GET, "/whoami", NULL, NULL, 0));
	EXPECT_EQ(-EHOSTDOWN, kv_open_path(fd, "a/keys/b", 0, 0, &o));
	EXPECT_GT(kv_patience(2000), kv_now_ms() - start);
	ASSERT_EQ(0, kv_info(fd, &info));
	EXPECT_EQ(KVAULT_DAEMON_ABSENT, info.daemon);
	EXPECT_EQ(0, info.has_root);
	EXPECT_EQ(0, info.openssl_engines);
	close(fd);
}

TEST(a_1_without_a_root_key_hello_is_EHOSTDOWN_and_a_secret_is_not_taken)
{
	struct kv_hello h;
	int fd = kv_dev();

	d.ctl = open(KV_CONTROL_DEV, O_RDWR);
	d.nl = kv_nl_socket();
	ASSERT_LE(0, d.ctl);
	ASSERT_LE(0, d.nl);
	d.family = (uint16_t)kv_nl_family(d.nl);
	ASSERT_EQ(0, kv_claim(d.ctl, &d));
	h = kv_hello_of(&d, 1);
	EXPECT_EQ(-EHOSTDOWN, kv_hello(d.nl, d.family, &h));
	EXPECT_GT(0, kv_control(fd, KVAULT_METHOD_PUT, "/x", "{}", "secret", 6));
	kv_daemon_stop(&d);
}

TEST(a_2_the_root_key_is_set_once)
{
	uint8_t key[32];

	ASSERT_EQ(0, kv_root_load(kv_store, kv_root));
	EXPECT_EQ(0, kv_root_load(kv_store, kv_root));
	memcpy(key, kv_root, 32);
	key[31] ^= 1;
	EXPECT_EQ(-EEXIST, kv_root_load(kv_store, key));
	EXPECT_EQ(-EEXIST, kv_root_load(other, kv_root));
}

TEST(a_3_the_first_hello_says_which_store_and_no_other_is_taken_after_it)
{
	struct kv_hello h;

	ASSERT_EQ(0, kv_daemon_start(&d, 5));
	kv_daemon_stop(&d);
	d.ctl = open(KV_CONTROL_DEV, O_RDWR);
	d.nl = kv_nl_socket();
	ASSERT_EQ(0, kv_claim(d.ctl, &d));
	h = kv_hello_of(&d, 5);
	h.store = other;
	EXPECT_EQ(-ESTALE, kv_hello(d.nl, d.family, &h));
	h.store = kv_store;
	h.tenant = other;
	EXPECT_EQ(-ESTALE, kv_hello(d.nl, d.family, &h));
	h.tenant = kv_host;
	h.revision = 4;
	EXPECT_EQ(-ESTALE, kv_hello(d.nl, d.family, &h));
	h.revision = 5;
	h.epoch = 0;
	EXPECT_EQ(-ESTALE, kv_hello(d.nl, d.family, &h));
	h.epoch = 1;
	EXPECT_EQ(0, kv_hello(d.nl, d.family, &h));
	kv_daemon_stop(&d);
}

/* --- the claim ------------------------------------------------------------ */

FIXTURE(daemon)
{
	int fd;
};

FIXTURE_SETUP(daemon)
{
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(daemon)
{
	close(self->fd);
	kv_daemon_stop(&d);
}

TEST_F(daemon, a_second_claimant_is_EBUSY)
{
	int second = open(KV_CONTROL_DEV, O_RDWR);
	struct kv_daemon e;

	ASSERT_LE(0, second);
	EXPECT_EQ(-EBUSY, kv_claim(second, &e));
	EXPECT_EQ(-EBUSY, kv_claim(d.ctl, &e));
	close(second);
}

TEST_F(daemon, the_claim_is_free_only_when_file_and_socket_are_closed)
{
	int second = open(KV_CONTROL_DEV, O_RDWR);
	struct kv_daemon e;
	uint64_t first = d.generation;

	close(d.ctl);
	EXPECT_EQ(-EBUSY, kv_claim(second, &e));
	close(d.nl);
	EXPECT_EQ(0, kv_claim(second, &e));
	EXPECT_LT(first, e.generation);
	EXPECT_NE(0, memcmp(e.nonce, d.nonce, 16));
	close(second);
	d.ctl = d.nl = -1;
}

TEST_F(daemon, info_tells_present_lost_and_absent_apart)
{
	struct kvault_info info;

	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(KVAULT_DAEMON_PRESENT, info.daemon);
	EXPECT_EQ(0, memcmp(info.tenant, kv_host, 16));
	close(d.ctl);
	d.ctl = -1;
	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(KVAULT_DAEMON_LOST, info.daemon);
	close(d.nl);
	ASSERT_EQ(0, kv_daemon_start(&d, 1000));
	ASSERT_EQ(0, kv_bye(&d));
	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(KVAULT_DAEMON_ABSENT, info.daemon);
}

TEST_F(daemon, a_nonce_is_good_once_and_only_the_right_one)
{
	struct kv_hello h = kv_hello_of(&d, 1000);
	int nl = kv_nl_socket();

	EXPECT_EQ(-EPERM, kv_hello(nl, d.family, &h));
	h.nonce = other;
	EXPECT_EQ(-EPERM, kv_hello(nl, d.family, &h));
	EXPECT_EQ(-EPERM, kv_hello(d.nl, d.family, &h));
	close(nl);
}

TEST_F(daemon, hello_without_all_its_attributes_is_EINVAL)
{
	struct kv_hello h = kv_hello_of(&d, 1000);

	h.nonce = NULL;
	EXPECT_EQ(-EINVAL, kv_hello(d.nl, d.family, &h));
	h = kv_hello_of(&d, 1000);
	h.store = NULL;
	EXPECT_EQ(-EINVAL, kv_hello(d.nl, d.family, &h));
	h = kv_hello_of(&d, 1000);
	h.tenant = NULL;
	EXPECT_EQ(-EINVAL, kv_hello(d.nl, d.family, &h));
}

TEST_F(daemon, hello_of_another_age_is_EOPNOTSUPP)
{
	struct kv_hello h = kv_hello_of(&d, 1000);

	h.abi = h.abi_min = KVAULT_ABI + 1;
	EXPECT_EQ(-EOPNOTSUPP, kv_hello(d.nl, d.family, &h));
	h.abi = h.abi_min = 0;
	EXPECT_EQ(-EOPNOTSUPP, kv_hello(d.nl, d.family, &h));
}

/* --- netlink -------------------------------------------------------------- */

static int call_cmd(int nl, uint8_t cmd)
{
	bool dumps = cmd == KVAULT_CMD_TENANT_GET || cmd == KVAULT_CMD_ENGINE_GET;
	uint8_t key[16] = { 1 };
	struct kv_nl m;

	kv_nl_begin(&m, d.family, cmd, dumps ? NLM_F_DUMP : 0);
	if (cmd == KVAULT_CMD_POLICY_SET || cmd == KVAULT_CMD_OBJECT_SET ||
	    cmd == KVAULT_CMD_AUDIT_ACK)
		kv_nl_put(&m, KVAULT_A_TENANT, kv_host, 16);
	if (cmd == KVAULT_CMD_AUDIT_ACK)
		kv_nl_put_u64(&m, KVAULT_A_SEQ, 1);
	if (cmd == KVAULT_CMD_POLICY_SET || cmd == KVAULT_CMD_OBJECT_SET)
		kv_nl_put_u64(&m, KVAULT_A_REVISION, 1000);
	if (cmd == KVAULT_CMD_OBJECT_SET) {
		kv_nl_put(&m, KVAULT_A_KEY, key, 16);
		kv_nl_put_u32(&m, KVAULT_A_STATE, KVAULT_OBJECT_GONE);
	}
	return kv_nl_call(nl, &m, NULL, 0);
}

TEST_F(daemon, every_command_from_another_socket_is_EPERM)
{
	int nl = kv_nl_socket();
	uint8_t cmd;

	for (cmd = KVAULT_CMD_BYE; cmd <= KVAULT_CMD_MAX; cmd++)
		EXPECT_EQ(-EPERM, call_cmd(nl, cmd)) TH_LOG("command %u", cmd);
	/* the positive control: from the daemon's own they work */
	for (cmd = KVAULT_CMD_TENANT_GET; cmd <= KVAULT_CMD_MAX; cmd++)
		if (cmd != KVAULT_CMD_POLICY_SET && cmd != KVAULT_CMD_OBJECT_SET)
			EXPECT_EQ(0, call_cmd(d.nl, cmd)) TH_LOG("command %u", cmd);
	close(nl);
}

TEST_F(daemon, an_unknown_command_is_EOPNOTSUPP)
{
	EXPECT_EQ(-EOPNOTSUPP, call_cmd(d.nl, 0));
	EXPECT_EQ(-EOPNOTSUPP, call_cmd(d.nl, KVAULT_CMD_MAX + 1));
	EXPECT_EQ(-EOPNOTSUPP, call_cmd(d.nl, 255));
}

TEST_F(daemon, once_its_file_is_closed_the_socket_says_ESTALE)
{
	close(d.ctl);
	d.ctl = -1;
	EXPECT_EQ(-ESTALE, call_cmd(d.nl, KVAULT_CMD_BYE));
	EXPECT_EQ(-ESTALE, call_cmd(d.nl, KVAULT_CMD_AUDIT_ACK));
}

TEST_F(daemon, attributes_of_wrong_length_or_range_are_refused)
{
	uint8_t key[17] = { 1 };
	struct kv_nl m;

	kv_nl_begin(&m, d.family, KVAULT_CMD_POLICY_SET, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, kv_host, 15);
	kv_nl_put_u64(&m, KVAULT_A_REVISION, 9);
	EXPECT_BAD_ATTR(kv_nl_call(d.nl, &m, NULL, 0));
	kv_nl_begin(&m, d.family, KVAULT_CMD_POLICY_SET, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, key, 17);
	kv_nl_put_u64(&m, KVAULT_A_REVISION, 9);
	EXPECT_BAD_ATTR(kv_nl_call(d.nl, &m, NULL, 0));
	kv_nl_begin(&m, d.family, KVAULT_CMD_POLICY_SET, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, kv_host, 16);
	kv_nl_put_u32(&m, KVAULT_A_REVISION, 9);
	EXPECT_BAD_ATTR(kv_nl_call(d.nl, &m, NULL, 0));
	kv_nl_begin(&m, d.family, KVAULT_CMD_POLICY_SET, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, kv_host, 16);
	EXPECT_EQ(-EINVAL, kv_nl_call(d.nl, &m, NULL, 0));
	/* one that this command does not know */
	kv_nl_begin(&m, d.family, KVAULT_CMD_POLICY_SET, 0);
	kv_nl_put(&m, KVAULT_A_TENANT, kv_host, 16);
	kv_nl_put_u64(&m, KVAULT_A_REVISION, 9);
	kv_nl_put(&m, KVAULT_A_KEY, key, 16);
	EXPECT_BAD_ATTR(kv_nl_call(d.nl, &m, NULL, 0));
	EXPECT_BAD_ATTR(kv_object_set(&d, kv_host, key, 1, KVAULT_OBJECT_UNSPEC));
	EXPECT_BAD_ATTR(kv_object_set(&d, kv_host, key, 1, KVAULT_OBJECT_GONE + 1));
}

TEST_F(daemon, a_tenant_that_does_not_exist_is_ENOENT)
{
	uint8_t key[16] = { 1 };

	EXPECT_EQ(-ENOENT, kv_policy_set(&d, other, 1));
	EXPECT_EQ(-ENOENT, kv_object_set(&d, other, key, 1, KVAULT_OBJECT_LIVE));
}

TEST_F(daemon, a_policy_revision_never_goes_down)
{
	EXPECT_EQ(0, kv_policy_set(&d, kv_host, 100));
	EXPECT_EQ(0, kv_policy_set(&d, kv_host, 100));
	EXPECT_EQ(-ESTALE, kv_policy_set(&d, kv_host, 99));
}

static int netlink_from_below(void *arg)
{
	int nl = kv_nl_socket(), family;
	uint8_t cmd;

	if (nl < 0)
		return 1;
	family = kv_nl_family(nl);
	if (family < 0)
		return 2;
	for (cmd = KVAULT_CMD_BYE; cmd <= KVAULT_CMD_MAX; cmd++)
		if (call_cmd(nl, cmd) != -EPERM)
			return 10 + cmd;
	return 0;
}

TEST_F(daemon, root_of_a_container_is_EPERM_on_netlink)
{
	EXPECT_EQ(0, kv_in_ns(netlink_from_below, NULL));
}

static int family_in_other_netns(void *arg)
{
	if (unshare(CLONE_NEWNET))
		return 1;
	return kv_nl_family(kv_nl_socket()) == -ENOENT ? 0 : 2;
}

TEST_F(daemon, the_family_does_not_exist_in_other_network_namespaces)
{
	EXPECT_EQ(0, kv_in_ns(family_in_other_netns, NULL));
}

/* --- the nodes ------------------------------------------------------------ */

static int open_nodes(void *arg)
{
	if (open(KV_CONTROL_DEV, O_RDWR) >= 0 || errno != EPERM)
		return 1;
	if (open(KV_ENGINE_DEV, O_RDWR) >= 0 || errno != EPERM)
		return 2;
	if (open(KV_TOKEN_DEV, O_RDWR) >= 0 || errno != EPERM)
		return 3;
	return 0;
}

TEST_F(daemon, root_of_a_container_cannot_open_the_nodes_whatever_their_mode)
{
	struct stat c, e, t;

	ASSERT_EQ(0, stat(KV_CONTROL_DEV, &c));
	ASSERT_EQ(0, stat(KV_ENGINE_DEV, &e));
	ASSERT_EQ(0, stat(KV_TOKEN_DEV, &t));
	ASSERT_EQ(0, chmod(KV_CONTROL_DEV, 0666));
	ASSERT_EQ(0, chmod(KV_ENGINE_DEV, 0666));
	ASSERT_EQ(0, chmod(KV_TOKEN_DEV, 0666));
	EXPECT_EQ(0, kv_in_ns(open_nodes, NULL));
	chmod(KV_CONTROL_DEV, c.st_mode & 07777);
	chmod(KV_ENGINE_DEV, e.st_mode & 07777);
	chmod(KV_TOKEN_DEV, t.st_mode & 07777);
}

static const struct {
	unsigned long cmd;
	uint32_t size;
	bool is_engine;
	const char *name;
} node_ioctls[] = {
	{ KVAULT_CTL_CLAIM, sizeof(struct kvault_claim), false, "CLAIM" },
	{ KVAULT_CTL_EXCHANGE, sizeof(struct kvault_exchange), false, "EXCHANGE" },
	{ KVAULT_CTL_SEAL, sizeof(struct kvault_seal), false, "SEAL" },
	{ KVAULT_CTL_SUBMIT, sizeof(struct kvault_submit), false, "SUBMIT" },
	{ KVAULT_CTL_AUDIT_READ, sizeof(struct kvault_audit_read), false, "AUDIT_READ" },
	{ KVAULT_CTL_ROOT_SET, sizeof(struct kvault_root_set), false, "ROOT_SET" },
	{ KVAULT_CTL_ROOT_WRAP, sizeof(struct kvault_root_wrap), false, "ROOT_WRAP" },
	{ KVAULT_ENG_ATTACH, sizeof(struct kvault_attach), true, "ATTACH" },
	{ KVAULT_ENG_EXCHANGE, sizeof(struct kvault_exchange), true, "EXCHANGE" },
};

#define N_NODE_IOCTLS (sizeof(node_ioctls) / sizeof(node_ioctls[0]))

TEST_F(daemon, every_ioctl_of_the_nodes_checks_size_flags_and_pointer)
{
	int eng = open(KV_ENGINE_DEV, O_RDWR), fd;
	uint32_t arg[2048];
	size_t i;

	ASSERT_LE(0, eng);
	for (i = 0; i < N_NODE_IOCTLS; i++) {
		unsigned long cmd = node_ioctls[i].cmd;
		uint32_t size = node_ioctls[i].size;

		fd = node_ioctls[i].is_engine ? eng : d.ctl;
		memset(arg, 0, sizeof(arg));
		arg[0] = size - 1;
		EXPECT_EQ(-EINVAL, kv_ioctl(fd, cmd, arg)) TH_LOG("%s", node_ioctls[i].name);
		arg[0] = 4097;
		EXPECT_EQ(-E2BIG, kv_ioctl(fd, cmd, arg)) TH_LOG("%s", node_ioctls[i].name);
		arg[0] = size + 8;
		arg[size / 4 + 1] = 1;
		EXPECT_EQ(-E2BIG, kv_ioctl(fd, cmd, arg)) TH_LOG("%s", node_ioctls[i].name);
		EXPECT_EQ(-EFAULT, kv_ioctl(fd, cmd, NULL)) TH_LOG("%s", node_ioctls[i].name);
		EXPECT_EQ(-EFAULT, kv_ioctl(fd, cmd, (void *)0xffff888000000000ull));
		memset(arg, 0, sizeof(arg));
		arg[0] = size;
		arg[1] = 1u << 31;
		/* an engine that is not attached is told that first */
		if (cmd != KVAULT_ENG_EXCHANGE)
			EXPECT_EQ(-EOPNOTSUPP, kv_ioctl(fd, cmd, arg))
				TH_LOG("%s", node_ioctls[i].name);
	}
	EXPECT_EQ(-ENOTTY, kv_ioctl(d.ctl, KVAULT_ENG_ATTACH, arg));
	EXPECT_EQ(-ENOTTY, kv_ioctl(d.ctl, KVAULT_INFO, arg));
	EXPECT_EQ(-ENOTTY, kv_ioctl(eng, KVAULT_CTL_CLAIM, arg));
	EXPECT_EQ(-ENOTTY, kv_ioctl(eng, KVAULT_ENCRYPT, arg));
	close(eng);
}

TEST_F(daemon, without_the_claim_the_control_node_does_nothing)
{
	int fd = open(KV_CONTROL_DEV, O_RDWR);
	uint32_t arg[32];
	size_t i;

	ASSERT_LE(0, fd);
	for (i = 1; i < 7; i++) {
		if (node_ioctls[i].cmd == KVAULT_CTL_ROOT_SET)
			continue;
		memset(arg, 0, sizeof(arg));
		arg[0] = node_ioctls[i].size;
		EXPECT_EQ(-EPERM, kv_ioctl(fd, node_ioctls[i].cmd, arg))
			TH_LOG("%s", node_ioctls[i].name);
	}
	close(fd);
}

/* Who holds the node of tokens, a vendor's library, is not given software keys. */
TEST_F(daemon, a_node_attaches_engines_of_its_own_kind_alone)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = KVAULT_ENGINE_OPENSSL };
	int token = open(KV_TOKEN_DEV, O_RDWR), soft = open(KV_ENGINE_DEV, O_RDWR);
	struct kvault_info info;

	ASSERT_LE(0, token);
	ASSERT_LE(0, soft);
	EXPECT_EQ(-EPERM, kv_ioctl(token, KVAULT_ENG_ATTACH, &a));
	a.kind = KVAULT_ENGINE_PKCS11;
	EXPECT_EQ(-EPERM, kv_ioctl(soft, KVAULT_ENG_ATTACH, &a));
	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(0, info.openssl_engines);
	EXPECT_EQ(0, kv_ioctl(token, KVAULT_ENG_ATTACH, &a));
	a.kind = KVAULT_ENGINE_OPENSSL;
	EXPECT_EQ(0, kv_ioctl(soft, KVAULT_ENG_ATTACH, &a));
	close(soft);
	close(token);
}

TEST_F(daemon, an_engine_attaches_once_and_as_something_that_exists)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = 3 };
	struct kvault_info info;
	int eng = open(KV_ENGINE_DEV, O_RDWR);
	struct kvault_exchange x = { .size = sizeof(x) };

	ASSERT_LE(0, eng);
	EXPECT_EQ(-EPERM, kv_ioctl(eng, KVAULT_ENG_EXCHANGE, &x));
	EXPECT_EQ(-EINVAL, kv_ioctl(eng, KVAULT_ENG_ATTACH, &a));
	a.kind = 0;
	EXPECT_EQ(-EINVAL, kv_ioctl(eng, KVAULT_ENG_ATTACH, &a));
	a.kind = KVAULT_ENGINE_OPENSSL;
	a.reserved = 1;
	EXPECT_EQ(-EINVAL, kv_ioctl(eng, KVAULT_ENG_ATTACH, &a));
	a.reserved = 0;
	EXPECT_EQ(0, kv_ioctl(eng, KVAULT_ENG_ATTACH, &a));
	EXPECT_EQ(-EBUSY, kv_ioctl(eng, KVAULT_ENG_ATTACH, &a));
	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(1, info.openssl_engines);
	close(eng);
	ASSERT_EQ(0, kv_info(self->fd, &info));
	EXPECT_EQ(0, info.openssl_engines);
}

TEST_F(daemon, the_nodes_take_nothing_but_ioctls)
{
	char b = 'x';

	EXPECT_EQ(-1, write(d.ctl, &b, 1));
	EXPECT_EQ(-1, read(d.ctl, &b, 1));
}

TEST_F(daemon, the_list_of_tenants_has_the_host)
{
	struct kv_nl m, answer = { 0 };
	const void *id;

	kv_nl_begin(&m, d.family, KVAULT_CMD_TENANT_GET, NLM_F_DUMP);
	ASSERT_EQ(0, kv_nl_call(d.nl, &m, &answer, sizeof(answer)));
	id = kv_nl_find(&answer, KVAULT_A_TENANT);
	ASSERT_NE(NULL, id);
	EXPECT_EQ(0, memcmp(id, kv_host, 16));
}

TEST_HARNESS_MAIN
