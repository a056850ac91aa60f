// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fail the n-th: for each call of the module the first allocation or user copy
 * fails, then the second, and so on until the call meets no fault. What fails
 * says ENOMEM or EFAULT, leaves nothing half done, and works when it is tried
 * again. Some memory can be done without; a copy cannot, so that a call whose
 * copy failed never says that all is well. The rows are in kv_failnth_*.h; an
 * ioctl that the nodes know or an operation of the netlink family without a row
 * fails the run, on stock kernels too, where there are no faults.
 * vm: --init script
 * libs: -lpthread
 * timeout: 900
 */
#include <sys/utsname.h>
#include "kselftest.h"
#include "kv_failnth_dev.h"
#include "kv_failnth_ctl.h"
#include "kv_failnth_keys.h"

#define MAX_NTH	3000

static unsigned long calls, faults, tolerated, copies;
static bool only_copies;
static unsigned int unsaid;	/* copies that failed without an error */

static int rows_begin(void)
{
	dev = kv_dev();
	if (dev < 0)
		return dev;
	return kv_new_session() < 0 ? -errno : 0;
}

static void rows_end(void)
{
	drop_key();
	close_other();
	if (dm >= 0) {
		undo_dm();
		kv_dm_do(dm, DM_DEV_REMOVE, dm_on, NULL);
	}
	close(dev);
}

static const struct row rows[] = {
	DEV_ROWS
	CTL_ROWS
	KEY_ROWS
};

#define ROWS	(sizeof(rows) / sizeof(rows[0]))

/* --- one row ----------------------------------------------------------------------- */

static bool is_expected(const struct row *r, int ret)
{
	return r->says ? ret == r->says : ret >= 0;
}

static int begin(const struct row *r)
{
	int ret = r->prepare ? r->prepare() : 0;

	if (ret < 0)
		ksft_print_msg("%s: cannot be prepared: %s\n", r->name, strerror(-ret));
	else if (r->has_server)
		server_go();
	return ret < 0 ? ret : 0;
}

static void end(const struct row *r)
{
	if (r->has_server)
		server_stop();
	if (r->undo)
		r->undo();
}

static bool is_fault(const struct row *r, int ret)
{
	return ret == -ENOMEM || ret == -EFAULT || (r->also[0] && ret == -r->also[0]) ||
	       (r->also[1] && ret == -r->also[1]);
}

/* After a fault: the right error, nothing half done, and the next try works. */
static int judge(const struct row *r, unsigned int n, int ret)
{
	int bad = 0, half;

	last_error = ret;
	if (is_expected(r, ret)) {
		tolerated++;
		unsaid += only_copies;
		return 0;
	}
	if (!is_fault(r, ret)) {
		ksft_print_msg("%s: fault %u became %s\n", r->name, n, strerror(-ret));
		bad = 1;
	}
	half = r->check ? r->check() : 0;
	if (half) {
		ksft_print_msg("%s: fault %u left something half done: %d\n", r->name, n, half);
		bad = 1;
	}
	if (r->is_fresh) {
		end(r);
		if (begin(r))
			return 1;
	}
	ret = r->call();
	if (!is_expected(r, ret)) {
		ksft_print_msg("%s: after fault %u it does not work: %s\n", r->name, n,
			       strerror(-ret));
		bad = 1;
	}
	return bad;
}

/* Number of the first fault that the call does not meet; negative when something is wrong. */
static int run(const struct row *r)
{
	unsigned int n, wrong = 0;
	int ret, met;

	for (n = 1; n < MAX_NTH && wrong < 10; n++) {
		if (begin(r))
			return -1;
		ret = kv_fault_arm(n);
		ret = ret ? ret : r->call();
		met = kv_fault_disarm();
		calls++;
		if (!met) {
			end(r);
			if (is_expected(r, ret))
				return wrong ? -1 : (int)n;
			ksft_print_msg("%s: without a fault: %s\n", r->name, strerror(-ret));
			return -1;
		}
		faults++;
		copies += only_copies;
		wrong += judge(r, n, ret);
		end(r);
	}
	ksft_print_msg("%s: still failing at %u\n", r->name, n);
	return -1;
}

static int run_copies(const struct row *r)
{
	int n = kv_fault_only_copies(true);

	only_copies = true;
	unsaid = 0;
	n = n ? -1 : run(r);
	only_copies = false;
	if (unsaid > r->empty) {
		ksft_print_msg("%s: %u copies failed, and nobody says so\n", r->name,
			       unsaid - r->empty);
		n = -1;
	}
	return kv_fault_only_copies(false) ? -1 : n;
}

static unsigned long module_at, module_size;

static int find_module(void)
{
	char name[64];
	FILE *f = fopen("/proc/modules", "r");

	while (f && fscanf(f, "%63s %lu %*[^\n]", name, &module_size) == 2)
		if (!strcmp(name, "kvault"))
			break;
	if (f)
		fclose(f);
	f = fopen("/sys/module/kvault/sections/.text", "r");
	if (!f || fscanf(f, "%lx", &module_at) != 1)
		module_at = 0;
	if (f)
		fclose(f);
	return module_at ? 0 : -ENOENT;
}

static void test_row(const struct row *r)
{
	unsigned long tolerated_before = tolerated, limit = r->is_inner ? module_at : 0;
	uint64_t start = kv_now_ms();
	int n, of_copies;

	n = limit ? kv_fault_require(limit, limit + module_size) : 0;
	n = n ? -1 : run(r);
	of_copies = run_copies(r);
	if (limit)
		kv_fault_require(0, 0);
	if (kv_srv.d.ctl >= 0 && kv_serve_audit())
		n = -1;
	ksft_print_msg("%s: %d faults, of which %lu did no harm; %d copies; %u ms\n",
		       r->name, n - 1, tolerated - tolerated_before, of_copies - 1,
		       (unsigned int)(kv_now_ms() - start));
	/* a call that meets no fault at all was not tested */
	ksft_test_result(n > 1 && of_copies > 0 && !server_error, "%s fails and works again\n",
			 r->name);
	if (server_error)
		ksft_print_msg("the server: %s\n", strerror(-server_error));
	server_error = 0;
}

/* --- a tenant's first call ----------------------------------------------------------- */

enum { NOT_MET = 20, HARMLESS, FAILED, WRONG };

/* In a user namespace of its own, which the module does not know yet. */
static int first_call(void *arg)
{
	unsigned int n = *(unsigned int *)arg;
	int ret, met;

	if (kv_fault_thread() || kv_fault_arm(n))
		return WRONG;
	ret = kv_dev();
	met = kv_fault_disarm();
	if (!met)
		return ret < 0 ? WRONG : NOT_MET;
	if (ret >= 0)
		return HARMLESS;
	if (ret != -ENOMEM && ret != -EFAULT)
		return WRONG;
	return kv_dev() < 0 ? WRONG : FAILED;
}

static void test_tenant(void)
{
	int ret = FAILED;
	unsigned int n;

	for (n = 1; n < MAX_NTH && (ret == FAILED || ret == HARMLESS); n++) {
		ret = kv_in_ns(first_call, &n);
		calls++;
		faults += ret != NOT_MET;
		tolerated += ret == HARMLESS;
	}
	ksft_print_msg("a tenant's first call: %u faults\n", n - 2);
	ksft_test_result(ret == NOT_MET && n > 2, "a tenant's first call fails and works again\n");
}

/* --- the module itself ------------------------------------------------------------------ */

/* The keyrings' collector lets go of the last keys. */
static int unload(void)
{
	uint64_t end = kv_now_ms() + 10000;

	while (syscall(SYS_delete_module, "kvault", O_NONBLOCK)) {
		if ((errno != EAGAIN && errno != EBUSY) || kv_now_ms() > end)
			return -errno;
		kv_sleep_ms(50);
	}
	return 0;
}

/* Everything of ours that holds the module. */
static void let_go(void)
{
	rows_end();
	kv_serve_stop();
}

static int module_file(void)
{
	struct utsname u;
	char path[256];

	uname(&u);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/kvault.ko", u.release);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Where a function of the kernel is. */
static int find_function(const char *name, unsigned long *start, unsigned long *end)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long at;
	char type, at_name[256];

	*start = *end = 0;
	while (f && !*end && fscanf(f, "%lx %c %255s%*[^\n]", &at, &type, at_name) == 3) {
		if (*start && at > *start)
			*end = at;
		if (!strcmp(name, at_name))
			*start = at;
	}
	if (f)
		fclose(f);
	return *end ? 0 : -ENOENT;
}

/*
 * What comes before the module's init is the kernel's. So is the test of a new
 * cipher: when there is no memory for that, the kernel warns and goes on.
 */
static int require_init(void)
{
	unsigned long start, end;
	int ret;

	ret = find_function("cryptomgr_notify", &start, &end);
	ret = ret ? ret : kv_fault_reject(start, end);
	ret = ret ? ret : find_function("do_one_initcall", &start, &end);
	return ret ? ret : kv_fault_require(start, end);
}

/* It is there or it is not, and what was refused can be loaded. */
static int load(int fd, unsigned int n)
{
	int ret, met;

	if (kv_fault_arm(n))
		return WRONG;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	met = kv_fault_disarm();
	calls++;
	faults += met;
	tolerated += met && !ret;
	if (!access("/sys/module/kvault", F_OK) == !!ret || !access(KV_DEV, F_OK) == !!ret)
		return WRONG;
	if (ret && (!met || (ret != -ENOMEM && ret != -EFAULT))) {
		ksft_print_msg("module: fault %u became %s\n", n, strerror(-ret));
		return WRONG;
	}
	if (ret && syscall(SYS_finit_module, fd, "", 0))
		return WRONG;
	if (unload())
		return WRONG;
	return !met ? NOT_MET : ret ? FAILED : HARMLESS;
}

static void test_module(void)
{
	int fd = module_file(), ret = FAILED;
	uint64_t start = kv_now_ms();
	unsigned int n;

	let_go();
	ret = unload();
	ksft_test_result(!ret, "nothing holds the module: %s\n", strerror(-ret));
	if (require_init()) {
		ksft_test_result_skip("module init: this kernel does not look at the stack\n");
		goto out_load;
	}
	for (n = 1, ret = FAILED; n < MAX_NTH && (ret == FAILED || ret == HARMLESS); n++)
		ret = load(fd, n);
	kv_fault_require(0, 0);
	kv_fault_reject(0, 0);
	ksft_print_msg("module init: %u faults; %u ms\n", n - 2,
		       (unsigned int)(kv_now_ms() - start));
	ksft_test_result(ret == NOT_MET && n > 2, "module init fails and works again\n");
out_load:
	if (syscall(SYS_finit_module, fd, "", 0))
		ksft_print_msg("the module is not loaded again: %s\n", strerror(errno));
	close(fd);
}

/* --- the lists --------------------------------------------------------------------- */

static bool has_row(unsigned long nr)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (rows[i].nr == nr)
			return true;
	return false;
}

/* The module itself says which ioctls it knows: EFAULT, and not ENOTTY. */
static int missing_ioctls(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC), missing = 0, known = 0;
	unsigned long nr;

	for (nr = 0; fd >= 0 && nr < 256; nr++) {
		if (kv_ioctl(fd, _IO(KVAULT_IOC_TYPE, nr), NULL) == -ENOTTY)
			continue;
		known++;
		if (!has_row(_IO(KVAULT_IOC_TYPE, nr))) {
			ksft_print_msg("%s: ioctl 0x%02lx has no row\n", node, nr);
			missing++;
		}
	}
	close(fd);
	return known ? missing : -ENODEV;
}

static int count_op(const struct nlattr *op)
{
	const struct nlattr *id = (const void *)((const uint8_t *)op + NLA_HDRLEN);
	uint32_t cmd = *(const uint32_t *)((const uint8_t *)id + NLA_HDRLEN);

	if (has_row(cmd))
		return 0;
	ksft_print_msg("netlink operation %u has no row\n", cmd);
	return 1;
}

/* The netlink core says which operations the family has. */
static int missing_operations(void)
{
	struct {
		struct kv_nl nl;
		uint8_t more[4096];
	} answer = { 0 };
	const struct nlattr *ops, *op;
	int nl = kv_nl_socket(), missing = 0;
	struct kv_nl m;

	kv_nl_begin(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	kv_nl_put(&m, CTRL_ATTR_FAMILY_NAME, KVAULT_FAMILY_NAME, sizeof(KVAULT_FAMILY_NAME));
	if (kv_nl_call(nl, &m, &answer, sizeof(answer)))
		return -EIO;
	close(nl);
	op = kv_nl_find(&answer.nl, CTRL_ATTR_OPS);
	if (!op)
		return -ENOENT;
	ops = (const void *)((const uint8_t *)op - NLA_HDRLEN);
	while ((const uint8_t *)op < (const uint8_t *)ops + ops->nla_len) {
		missing += count_op(op);
		op = (const void *)((const uint8_t *)op + NLA_ALIGN(op->nla_len));
	}
	return missing;
}

static void test_lists(void)
{
	int missing = missing_ioctls(KV_DEV) | missing_ioctls(KV_CONTROL_DEV) |
		      missing_ioctls(KV_ENGINE_DEV);

	ksft_test_result(!missing, "each ioctl has a row\n");
	ksft_test_result(!missing_operations(), "each netlink operation has a row\n");
}

static void set_up(void)
{
	int ret = server_start();

	if (ret)
		ksft_exit_fail_msg("the server does not start: %s\n", strerror(-ret));
	ret = rows_begin();
	if (ret)
		ksft_exit_fail_msg("the rows cannot begin: %s\n", strerror(-ret));
}

/* Names of rows as arguments: only those. */
static bool is_asked_for(const struct row *r, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, r->name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	size_t i;
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ret = kv_fault_init();
	ksft_set_plan(ret ? 3 : 5 + ROWS);
	test_lists();
	if (ret) {
		ksft_test_result_skip("faults: this kernel makes none\n");
		ksft_finished();
	}
	if (find_module() || kv_fault_thread())
		ksft_exit_fail_msg("no module, or no fail-nth\n");
	set_up();
	for (i = 0; i < ROWS; i++)
		if (!is_asked_for(&rows[i], argv + 1))
			ksft_test_result_skip("%s was not asked for\n", rows[i].name);
		else if (rows[i].is_there && !rows[i].is_there())
			ksft_test_result_skip("%s is not in this kernel\n", rows[i].name);
		else
			test_row(&rows[i]);
	test_tenant();
	test_module();
	ksft_print_msg("%lu calls, %lu faults, of which %lu did no harm; %lu of copies alone\n",
		       calls, faults, tolerated, copies);
	ksft_finished();
}
