// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module goes and comes again while others use whatever it has: open files,
 * ioctls, keys, tenants of user namespaces, netlink operations. Beside
 * them are readers of /proc/keys, /proc/crypto and of the family's policy, who
 * hold no reference of ours. delete_module() says EBUSY, or the module goes; the
 * kernel's log and the next load tell whether it went in one piece.
 * Nobody asks for xts(paes) here: while the module is away the crypto core tries
 * to make it of a cipher "paes", and holds what it finds for up to a minute.
 * vm: --init script --smp 2
 * timeout: 120
 */
#include <sys/mman.h>
#include <sys/utsname.h>
#include "kv_daemon.h"
#include "kv_calls.h"
#include "kselftest_harness.h"

#define LOADS		60	/* how often it goes, at least */
#define SECONDS		25	/* and no longer than that */

/* What the workers have done; shared. */
struct counts {
	bool stop;
	unsigned long done[16];
};

static struct counts *counts;

/* --- those who hold a reference for a moment ------------------------------------------- */

static int use_info(void)
{
	struct kvault_info info;
	int fd = kv_dev(), ret;

	ret = fd < 0 ? fd : kv_info(fd, &info);
	close(fd);
	return ret;
}

/* Nobody serves: EHOSTDOWN, with all that is made and freed on the way. */
static int use_open(void)
{
	struct kvault_open o;
	int fd = kv_dev(), ret;

	ret = fd < 0 ? fd : kv_open_path(fd, "v/keys/aes", 0, 1000, &o);
	close(fd);
	return ret == -EHOSTDOWN ? 0 : ret;
}

static int use_claim(void)
{
	struct kv_daemon d = { .nl = kv_nl_socket() };
	int ret;

	d.ctl = open(KV_CONTROL_DEV, O_RDWR | O_CLOEXEC);
	ret = d.ctl < 0 ? -errno : kv_claim(d.ctl, &d);
	kv_daemon_stop(&d);
	return ret;
}

static int use_engine(void)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = KVAULT_ENGINE_OPENSSL };
	int fd = open(KV_ENGINE_DEV, O_RDWR | O_CLOEXEC), ret;

	ret = fd < 0 ? -errno : kv_ioctl(fd, KVAULT_ENG_ATTACH, &a);
	close(fd);
	return ret;
}

/* Refused: the refusal is a key of our type, which the collector takes away. */
static int use_request_key(void)
{
	long ret = kv_request_key("v/none", "");

	kv_keyctl(KEYCTL_CLEAR, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0, 0, 0);
	return ret == -EHOSTDOWN ? 0 : (int)ret;
}

static int tenant(void *arg)
{
	return kv_status(use_info());
}

/* It is wiped half a second after its process has gone. */
static int use_tenant(void)
{
	return -kv_in_ns(tenant, NULL);
}

/* --- those who hold none ------------------------------------------------------------------ */

static int read_file(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf, sizeof(buf));
	} while (n > 0);
	close(fd);
	return n < 0 ? -errno : 0;
}

static int read_keys(void)
{
	return read_file("/proc/keys") ?: read_file("/proc/key-users");
}

static int read_crypto(void)
{
	return read_file("/proc/crypto");
}

static int dump(uint16_t type, uint8_t cmd, bool is_named)
{
	int nl = kv_nl_socket(), ret;
	struct kv_nl m;

	kv_nl_begin(&m, type, cmd, NLM_F_DUMP);
	if (is_named)
		kv_nl_put(&m, CTRL_ATTR_FAMILY_NAME, KVAULT_FAMILY_NAME,
			  sizeof(KVAULT_FAMILY_NAME));
	ret = kv_nl_call(nl, &m, NULL, 0);
	close(nl);
	return ret;
}

static int read_policy(void)
{
	return dump(GENL_ID_CTRL, CTRL_CMD_GETPOLICY, true);
}

static int read_families(void)
{
	return dump(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, false);
}

/* We are not the daemon: EPERM, if the family is there. */
static int use_family(void)
{
	int nl = kv_nl_socket(), family = kv_nl_family(nl), ret;

	close(nl);
	ret = family < 0 ? family : dump((uint16_t)family, KVAULT_CMD_TENANT_GET, false);
	return ret == -EPERM ? 0 : ret;
}

/* --- the workers ------------------------------------------------------------------------------ */

static const struct worker {
	const char *name;
	int (*use)(void);
} workers[] = {
	{ "INFO", use_info },
	{ "OPEN", use_open },
	{ "CLAIM", use_claim },
	{ "ATTACH", use_engine },
	{ "request_key", use_request_key },
	{ "tenants", use_tenant },
	{ "netlink", use_family },
	{ "/proc/keys", read_keys },
	{ "/proc/crypto", read_crypto },
	{ "policy dump", read_policy },
	{ "family dump", read_families },
};

#define WORKERS	(sizeof(workers) / sizeof(workers[0]))

/* Whatever fails does so because the module is not there, or about to go. */
static int work(void *arg)
{
	const struct worker *w = arg;

	if (kv_new_session() < 0)
		return 1;
	while (!__atomic_load_n(&counts->stop, __ATOMIC_RELAXED)) {
		if (!w->use())
			counts->done[w - workers]++;
		kv_sleep_ms(1);		/* or it would never go */
	}
	return 0;
}

static int module_file(void)
{
	struct utsname u;
	char path[256];

	uname(&u);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/kvault.ko", u.release);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int unload(unsigned int *busy)
{
	uint64_t end = kv_now_ms() + 10000;

	while (syscall(SYS_delete_module, "kvault", O_NONBLOCK)) {
		if ((errno != EAGAIN && errno != EBUSY) || kv_now_ms() > end)
			return -errno;
		++*busy;
	}
	return 0;
}

static int load(int fd)
{
	return syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
}

TEST(the_module_goes_and_comes_while_others_use_it)
{
	uint64_t end = kv_now_ms() + SECONDS * 1000;
	unsigned int loads = 0, busy = 0;
	struct kv_child c[WORKERS];
	int fd = module_file();
	size_t i;

	ASSERT_LE(0, fd);
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, counts);
	for (i = 0; i < WORKERS; i++) {
		ASSERT_EQ(0, kv_child_start(&c[i], false, false, work, (void *)&workers[i]));
		kv_child_go(&c[i]);
	}
	for (; loads < LOADS && kv_now_ms() < end; loads++) {
		ASSERT_EQ(0, unload(&busy)) TH_LOG("after %u", loads);
		ASSERT_EQ(0, load(fd)) TH_LOG("after %u", loads);
		kv_sleep_ms(loads % 8 * 10);
	}
	__atomic_store_n(&counts->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, kv_child_end(&c[i])) TH_LOG("%s", workers[i].name);
	printf("# went %u times, was busy %u times\n", loads, busy);
	/* a worker who never met the module has raced with nothing */
	for (i = 0; i < WORKERS; i++) {
		printf("# %s: %lu\n", workers[i].name, counts->done[i]);
		EXPECT_LT(0, counts->done[i]) TH_LOG("%s", workers[i].name);
	}
	EXPECT_LE(5, loads);
	EXPECT_EQ(0, use_info());
	close(fd);
}

/* Who has a file open keeps it, however often one tries. */
TEST(a_file_that_is_open_keeps_the_module)
{
	int fd = kv_dev(), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(-1, syscall(SYS_delete_module, "kvault", O_NONBLOCK));
		EXPECT_EQ(EAGAIN, errno);
	}
	close(fd);
}

TEST_HARNESS_MAIN
