// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every wait of a caller: it ends by SIGKILL and by its time-out, with the
 * daemon and the engines stopped; and what goes on while they are away.
 *
 *   call                          waits for
 *   KVAULT_CONTROL                daemon
 *   KVAULT_OPEN                   daemon
 *   ENCRYPT of another principal  daemon, who has to grant it
 *   request_key()                 daemon
 *   setkey of xts(paes)           daemon
 *   KVAULT_SIGN, EC               an engine
 *
 * timeout: 500
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/if_alg.h>
#include <linux/keyctl.h>
#include "kv_test.h"
#include "kselftest_harness.h"

static char vault[64];
static int dev;
static uint32_t aes, ec;
static uint8_t token[KVAULT_TOKEN_SIZE];

/* --- services ------------------------------------------------------------- */

static int run(const char *fmt, const char *arg)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), fmt, arg);
	return system(cmd);
}

static pid_t main_pid(const char *unit)
{
	char cmd[128];
	int pid = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "systemctl show -P MainPID %s", unit);
	f = popen(cmd, "r");
	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		pclose(f);
	return pid;
}

/* All processes of a service, so that workers are reached, too. */
static void signal_unit(const char *unit, int sig)
{
	char cmd[160];

	snprintf(cmd, sizeof(cmd), "systemctl kill --kill-who=all -s %d %s", sig, unit);
	if (system(cmd))
		printf("# %s failed\n", cmd);
}

/* --- the calls, in processes of their own --------------------------------- */

static uint32_t call_timeout;

static int call_control(void *arg)
{
	struct kvault_control c = {
		.size = sizeof(c), .method = KVAULT_METHOD_GET, .timeout_ms = call_timeout,
		.path = kv_ptr("/whoami"), .path_len = 7,
		.reply = kv_ptr(kv_json), .reply_len = KVAULT_BODY_MAX,
	};

	return kv_status(kv_ioctl(dev, KVAULT_CONTROL, &c));
}

static int call_open(void *arg)
{
	struct kvault_open o;
	char path[128];

	snprintf(path, sizeof(path), "%s/keys/aes", vault);
	return kv_status(kv_open_path(dev, path, 0, call_timeout, &o));
}

static int call_encrypt_as_other(void *arg)
{
	struct kvault_crypt c = {
		.handle = aes, .alg = KVAULT_ALG_A256GCM, .timeout_ms = call_timeout,
	};
	uint8_t in[16] = { 0 }, out[16];
	size_t len = 16;

	/* still an administrator, but another principal: uid 0, gid 77 */
	if (setgid(77))
		return 99;
	return kv_status(kv_op(dev, KVAULT_ENCRYPT, &c, in, 16, out, &len));
}

static int call_request_key(void *arg)
{
	char desc[128];

	snprintf(desc, sizeof(desc), "%s/ec", vault);
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		return 99;
	return syscall(SYS_request_key, "kvault", desc, "", KEY_SPEC_SESSION_KEYRING) < 0 ?
	       errno : 0;
}

static int call_setkey(void *arg)
{
	struct sockaddr_alg sa = {
		.salg_family = AF_ALG, .salg_type = "skcipher", .salg_name = "xts(paes)",
	};
	int s = socket(AF_ALG, SOCK_SEQPACKET, 0);

	if (s < 0 || bind(s, (struct sockaddr *)&sa, sizeof(sa)))
		return 99;
	return setsockopt(s, SOL_ALG, ALG_SET_KEY, token, sizeof(token)) ? errno : 0;
}

static int call_sign(void *arg)
{
	struct kvault_crypt c = {
		.handle = ec, .alg = KVAULT_ALG_ES256, .timeout_ms = call_timeout,
	};
	uint8_t in[32] = { 0 }, out[64];
	size_t len = sizeof(out);

	return kv_status(kv_op(dev, KVAULT_SIGN, &c, in, 32, out, &len));
}

/* --- the fixture ---------------------------------------------------------- */

FIXTURE(wait)
{
	bool is_restored;
};

FIXTURE_VARIANT(wait)
{
	int (*call)(void *arg);
	const char *unit;	/* who is to be stopped */
	bool has_timeout;	/* the caller says how long */
};

FIXTURE_VARIANT_ADD(wait, for_control)
{
	.call = call_control, .unit = "kvaultd", .has_timeout = true,
};

FIXTURE_VARIANT_ADD(wait, for_open)
{
	.call = call_open, .unit = "kvaultd", .has_timeout = true,
};

FIXTURE_VARIANT_ADD(wait, for_a_grant)
{
	.call = call_encrypt_as_other, .unit = "kvaultd", .has_timeout = true,
};

FIXTURE_VARIANT_ADD(wait, for_request_key)
{
	.call = call_request_key, .unit = "kvaultd",
};

FIXTURE_VARIANT_ADD(wait, for_setkey)
{
	.call = call_setkey, .unit = "kvaultd",
};

FIXTURE_VARIANT_ADD(wait, for_an_engine)
{
	.call = call_sign, .unit = "kvault-engine-openssl", .has_timeout = true,
};

static int get_ready(void)
{
	char path[192];
	int ret;

	dev = kv_dev();
	ret = dev < 0 ? dev : kv_wait_daemon(dev, 5000);
	snprintf(vault, sizeof(vault), "%s", kv_unique("wait"));
	ret = ret ? ret : kv_vault(dev, vault);
	ret = ret ? ret : kv_create(dev, vault, "aes", "\"kty\":\"oct\",\"key_size\":256") - 200;
	ret = ret ? ret : kv_create(dev, vault, "ec", "\"kty\":\"EC\"") - 200;
	ret = ret ? ret : kv_create(dev, vault, "disk", "\"kty\":\"oct\","
				    "\"key_size\":512,\"key_ops\":[\"volume\"]") - 200;
	snprintf(path, sizeof(path), "/vaults/%s/keys/disk/token", vault);
	ret = ret ? ret : kv_control(dev, KVAULT_METHOD_POST, path, "{}", NULL, 0) - 200;
	if (!ret && kv_json_bytes("token", token, sizeof(token)) != sizeof(token))
		ret = -EBADMSG;
	ret = ret ? ret : kv_open_key(dev, vault, "aes", 0, &aes);
	ret = ret ? ret : kv_encrypt_gcm(dev, aes);
	ret = ret ? ret : kv_open_key(dev, vault, "ec", 0, &ec);
	call_timeout = kv_patience(30000);
	return ret ? ret : -call_sign(NULL);	/* an engine has the key now */
}

FIXTURE_SETUP(wait)
{
	ASSERT_EQ(0, get_ready()) TH_LOG("%s", kv_json);
}

FIXTURE_TEARDOWN(wait)
{
	signal_unit(variant->unit, SIGCONT);
	close(dev);
}

/* A caller that sleeps in the kernel has not got its answer yet. */
static bool is_asleep(pid_t pid)
{
	char path[64], text[512] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return strchr("SD", text[strlen(text) ? strcspn(text, ")") + 2 : 0]);
}

TEST_F_TIMEOUT(wait, it_is_answered_when_all_is_well, 60)
{
	struct kv_child c;

	ASSERT_EQ(0, kv_child_start(&c, false, false, variant->call, NULL));
	kv_child_go(&c);
	EXPECT_EQ(0, kv_child_end(&c));
}

TEST_F_TIMEOUT(wait, SIGKILL_ends_it, 60)
{
	struct kv_child c;
	uint64_t start;

	call_timeout = 60000;
	signal_unit(variant->unit, SIGSTOP);
	ASSERT_EQ(0, kv_child_start(&c, false, false, variant->call, NULL));
	kv_child_go(&c);
	kv_sleep_ms(500);
	EXPECT_TRUE(is_asleep(c.pid));
	start = kv_now_ms();
	ASSERT_EQ(0, kill(c.pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, kv_child_end(&c));
	EXPECT_GT(kv_patience(2000), kv_now_ms() - start);
}

TEST_F_TIMEOUT(wait, its_timeout_ends_it, 60)
{
	struct kv_child c;
	uint64_t start, took;

	call_timeout = 700;
	signal_unit(variant->unit, SIGSTOP);
	start = kv_now_ms();
	ASSERT_EQ(0, kv_child_start(&c, false, false, variant->call, NULL));
	kv_child_go(&c);
	EXPECT_EQ(ETIMEDOUT, kv_child_end(&c));
	took = kv_now_ms() - start;
	EXPECT_LE(variant->has_timeout ? 600 : KVAULT_TIMEOUT_MS - 1000, took);
	EXPECT_GT(kv_patience(4000) + (variant->has_timeout ? 0 : KVAULT_TIMEOUT_MS), took);
}

TEST_F_TIMEOUT(wait, it_is_answered_when_who_was_stopped_goes_on, 60)
{
	struct kv_child c;

	call_timeout = kv_patience(30000);
	signal_unit(variant->unit, SIGSTOP);
	ASSERT_EQ(0, kv_child_start(&c, false, false, variant->call, NULL));
	kv_child_go(&c);
	kv_sleep_ms(500);
	EXPECT_TRUE(is_asleep(c.pid));
	signal_unit(variant->unit, SIGCONT);
	EXPECT_EQ(0, kv_child_end(&c));
}

/* --- away altogether ------------------------------------------------------ */

FIXTURE(away)
{
	int unused;
};

/* No restarts until the teardown. */
static int keep_down(const char *unit)
{
	char path[192], dir[128];
	int fd;

	snprintf(dir, sizeof(dir), "/run/systemd/system/%s.service.d", unit);
	run("mkdir -p %s", dir);
	snprintf(path, sizeof(path), "%s/test-wait.conf", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return kv_write_file(path, "[Service]\nRestart=no\n") ?:
	       run("systemctl %s", "daemon-reload");
}

static void let_up(void)
{
	run("rm -rf %s /run/systemd/system/kvault-engine-openssl.service.d",
	    "/run/systemd/system/kvaultd.service.d");
	run("systemctl daemon-reload; systemctl reset-failed 'kvault*'; systemctl start %s",
	    "kvaultd kvault-engine-openssl");
}

static int wait_state(uint32_t state, unsigned int ms)
{
	uint64_t end = kv_now_ms() + kv_patience(ms);
	struct kvault_info info;

	do {
		if (!kv_info(dev, &info) && info.daemon == state)
			return 0;
		kv_sleep_ms(20);
	} while (kv_now_ms() < end);
	return -ETIME;
}

FIXTURE_SETUP(away)
{
	ASSERT_EQ(0, get_ready()) TH_LOG("%s", kv_json);
	ASSERT_EQ(0, keep_down("kvaultd"));
	ASSERT_EQ(0, keep_down("kvault-engine-openssl"));
}

FIXTURE_TEARDOWN(away)
{
	let_up();
	EXPECT_EQ(0, wait_state(KVAULT_DAEMON_PRESENT, 20000));
	close(dev);
}

TEST_F_TIMEOUT(away, symmetric_operations_go_on_without_a_daemon, 120)
{
	int i;

	/* on a slow machine the set-up took more than half of the lease: a renewal */
	ASSERT_EQ(0, kv_encrypt_gcm(dev, aes));
	kv_sleep_ms(500 * kv_factor());
	signal_unit("kvaultd", SIGKILL);
	ASSERT_EQ(0, wait_state(KVAULT_DAEMON_LOST, 5000));
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, kv_encrypt_gcm(dev, aes)) TH_LOG("operation %d", i);
}

TEST_F_TIMEOUT(away, a_disabled_key_is_refused_at_once_while_the_daemon_hangs, 120)
{
	uint64_t start;
	int ret;

	ASSERT_EQ(200, kv_enable(dev, vault, "aes", false));
	signal_unit("kvaultd", SIGSTOP);
	start = kv_now_ms();
	ret = kv_encrypt_gcm(dev, aes);
	signal_unit("kvaultd", SIGCONT);
	EXPECT_EQ(-EKEYREVOKED, ret);
	EXPECT_GT(kv_patience(3000), kv_now_ms() - start);
	ASSERT_EQ(200, kv_enable(dev, vault, "aes", true));
	EXPECT_EQ(0, kv_encrypt_gcm(dev, aes));
}

TEST_F_TIMEOUT(away, a_crashed_daemon_is_waited_for_up_to_the_callers_timeout, 120)
{
	uint64_t start, took;

	signal_unit("kvaultd", SIGKILL);
	ASSERT_EQ(0, wait_state(KVAULT_DAEMON_LOST, 5000));
	call_timeout = 1000;
	start = kv_now_ms();
	EXPECT_EQ(EHOSTDOWN, call_control(NULL));
	took = kv_now_ms() - start;
	EXPECT_LE(900, took);
	EXPECT_GT(kv_patience(4000), took);
	call_timeout = 60000;
	start = kv_now_ms();
	EXPECT_EQ(EHOSTDOWN, call_open(NULL));
	took = kv_now_ms() - start;
	EXPECT_LE(8000, took);	/* ten seconds from the loss, of which one and a bit are over */
	EXPECT_GT(kv_patience(14000), took);
}

TEST_F_TIMEOUT(away, what_waited_for_a_crashed_daemon_is_answered_by_the_next, 120)
{
	struct kv_child c, o;

	signal_unit("kvaultd", SIGKILL);
	ASSERT_EQ(0, wait_state(KVAULT_DAEMON_LOST, 5000));
	call_timeout = 60000;
	ASSERT_EQ(0, kv_child_start(&c, false, false, call_control, NULL));
	ASSERT_EQ(0, kv_child_start(&o, false, false, call_open, NULL));
	kv_child_go(&c);
	kv_child_go(&o);
	EXPECT_EQ(0, run("systemctl start %s", "kvaultd"));
	EXPECT_EQ(0, kv_child_end(&c));
	EXPECT_EQ(0, kv_child_end(&o));
}

TEST_F_TIMEOUT(away, a_daemon_that_left_in_order_is_EHOSTDOWN_at_once, 120)
{
	uint64_t start;

	ASSERT_EQ(0, run("systemctl stop %s", "kvaultd"));
	ASSERT_EQ(0, wait_state(KVAULT_DAEMON_ABSENT, 5000));
	call_timeout = 60000;
	start = kv_now_ms();
	EXPECT_EQ(EHOSTDOWN, call_control(NULL));
	EXPECT_EQ(EHOSTDOWN, call_open(NULL));
	EXPECT_GT(kv_patience(2000), kv_now_ms() - start);
	EXPECT_EQ(0, kv_encrypt_gcm(dev, aes));
}

TEST_F_TIMEOUT(away, a_private_key_waits_for_a_killed_engine_and_not_longer_than_told, 120)
{
	uint64_t start, took;
	struct kv_child c;
	int ret;

	signal_unit("kvault-engine-openssl", SIGKILL);
	kv_sleep_ms(300);
	call_timeout = 1000;
	start = kv_now_ms();
	EXPECT_EQ(EHOSTDOWN, call_sign(NULL));
	took = kv_now_ms() - start;
	EXPECT_GT(kv_patience(4000), took);
	EXPECT_EQ(0, kv_encrypt_gcm(dev, aes));
	call_timeout = 60000;
	ASSERT_EQ(0, kv_child_start(&c, false, false, call_sign, NULL));
	kv_child_go(&c);
	run("systemctl reset-failed %s; systemctl start kvault-engine-openssl",
	    "kvault-engine-openssl");
	/* on a slow kernel the engine takes longer to start than a call waits for one */
	ret = kv_child_end(&c);
	EXPECT_TRUE(!ret || (ret == EHOSTDOWN && kv_factor() > 1)) TH_LOG("%d", ret);
}

TEST_F_TIMEOUT(away, a_key_that_lives_in_nobody_works_again_after_a_crash_of_all, 120)
{
	signal_unit("kvaultd", SIGKILL);
	signal_unit("kvault-engine-openssl", SIGKILL);
	ASSERT_EQ(0, wait_state(KVAULT_DAEMON_LOST, 5000));
	let_up();
	ASSERT_EQ(0, wait_state(KVAULT_DAEMON_PRESENT, 20000));
	call_timeout = kv_patience(30000);
	EXPECT_EQ(0, call_sign(NULL));
	EXPECT_EQ(0, call_open(NULL));
	EXPECT_EQ(0, kv_encrypt_gcm(dev, aes));
}

/* Of the kernel's own threads some always are. */
TEST_F_TIMEOUT(away, nobody_is_left_in_an_uninterruptible_sleep, 60)
{
	char line[64] = "";
	FILE *f;

	kv_sleep_ms(500);
	f = popen("ps -eo stat=,pid=,comm= --ppid 2 -p 2 -N | grep '^D'", "r");
	ASSERT_NE(NULL, f);
	EXPECT_EQ(NULL, fgets(line, sizeof(line), f)) TH_LOG("%s", line);
	pclose(f);
	EXPECT_LT(0, main_pid("kvaultd"));
}

TEST_HARNESS_MAIN
