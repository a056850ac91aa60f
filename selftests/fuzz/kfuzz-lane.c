// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: actors and their lanes, coverage of each call, the kernel log.
 *
 *   0  root, the daemon      2  root              4  root of a user namespace
 *   1  root, an engine       3  user 1000         5  root of a nested one
 */
#include <ctype.h>
#include <grp.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "kfuzz.h"

#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_SIZE	(64 << 10)	/* program counters of one call */
#define KCOV_FILE	"/sys/kernel/debug/kcov"

static struct kf_actor me;
static struct kf_lane lanes[KF_LANES];
static int kcov[KF_LANES];

static void futex_wait(_Atomic uint32_t *at, uint32_t value, unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	syscall(SYS_futex, at, FUTEX_WAIT, value, ms ? &t : NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *at)
{
	syscall(SYS_futex, at, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* --- coverage -------------------------------------------------------------------- */

bool kf_has_cover(void)
{
	return !access(KCOV_FILE, R_OK | W_OK);
}

bool kf_has_symbol(const char *name)
{
	char line[512], found[256];
	FILE *f = fopen("/proc/kallsyms", "r");
	bool has = false;

	while (f && !has && fgets(line, sizeof(line), f))
		has = sscanf(line, "%*s %*s %255s", found) == 1 && !strcmp(found, name);
	if (f)
		fclose(f);
	return has;
}

/* Where the module is: the kernel around it may be instrumented too. */
void kf_cover_range(void)
{
	char line[512], name[64];
	unsigned long size, start;
	FILE *f = fopen("/proc/modules", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lu %*s %*s %*s %lx", name, &size, &start) == 3 &&
		    !strcmp(name, "kvault")) {
			kf_shared->text_start = start;
			kf_shared->text_end = start + size;
		}
	if (f)
		fclose(f);
}

static uint64_t *cover_start(int fd)
{
	uint64_t *p;

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, KCOV_SIZE))
		return NULL;
	p = mmap(NULL, KCOV_SIZE * sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || ioctl(fd, KCOV_ENABLE, 0))
		return NULL;
	return p;
}

static bool is_first(uint64_t edge)
{
	uint32_t h = (uint32_t)(edge * 0x9e3779b97f4a7c15ull >> (64 - KF_MAP_BITS));
	uint32_t bit = 1u << (h & 31);

	if (atomic_load_explicit(&kf_shared->map[h >> 5], memory_order_relaxed) & bit)
		return false;
	return !(atomic_fetch_or(&kf_shared->map[h >> 5], bit) & bit);
}

/* Counts the edges of the last call that nobody reached before. */
static void cover_fold(uint64_t *cover)
{
	uint64_t n = cover[0], prev = 0, i;
	uint32_t fresh = 0;

	for (i = 1; i <= n && i < KCOV_SIZE; i++) {
		uint64_t pc = cover[i];

		if (pc < kf_shared->text_start || pc >= kf_shared->text_end)
			continue;
		fresh += is_first(prev * 31 + pc);
		prev = pc;
	}
	if (fresh)
		atomic_fetch_add(&kf_shared->edges, fresh);
}

/* --- lanes ------------------------------------------------------------------------- */

static void set_fail(struct kf_lane *l, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (l->fail_fd >= 0 && pwrite(l->fail_fd, text, (size_t)len, 0) == len && n)
		atomic_fetch_add(&kf_shared->failed_nth, 1);
}

static void run(struct kf_lane *l, struct kf_slot *s)
{
	struct kf_call c = s->call;
	long ret;

	if (l->cover)
		l->cover[0] = 0;
	if (c.fail)
		set_fail(l, c.fail);
	ret = kf_kinds[c.kind].run(l, c.arg);
	if (c.fail)
		set_fail(l, 0);
	kf_done(l);
	if (l->cover)
		cover_fold(l->cover);
	if (kf_shared->is_verbose)
		printf("  %x.%d %s%s: %ld\n", l->actor->nr, l->nr, kf_kinds[c.kind].name,
		       c.fail ? " (with a fault)" : "", ret);
	atomic_fetch_add(&kf_shared->calls[c.kind], 1);
	if (ret >= 0)
		atomic_fetch_add(&kf_shared->good[c.kind], 1);
}

static void *lane(void *arg)
{
	struct kf_lane *l = arg;
	struct kf_slot *s = &kf_shared->slot[l->actor->nr][l->nr];

	l->cover = cover_start(kcov[l->nr]);
	l->fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	atomic_fetch_add(&kf_shared->ready, 1);
	for (;;) {
		while (!atomic_load(&s->is_busy))
			futex_wait(&s->is_busy, 0, 0);
		run(l, s);
		atomic_store(&s->is_busy, 0);
		atomic_fetch_add(&kf_shared->done, 1);
		futex_wake(&kf_shared->done);
	}
	return NULL;
}

/* Changes the words that calls say shall change while the kernel reads them. */
static void *flipper(void *arg)
{
	struct timespec nap = { 0, 2000000 };
	bool any;
	int i;

	for (;;) {
		any = false;
		for (i = 0; i < KF_LANES; i++) {
			volatile uint32_t *at = atomic_load(&me.flip[i].at);
			uint32_t old;

			if (!at)
				continue;
			any = true;
			old = *at;
			*at = me.flip[i].other;
			for (volatile int spin = 0; spin < 50; spin++)
				;
			*at = old;
		}
		if (!any)
			nanosleep(&nap, NULL);
	}
	return NULL;
}

/* --- actors ------------------------------------------------------------------------- */

static void area_make(struct kf_area *a)
{
	a->start = mmap(NULL, KF_AREA_SIZE + 2 * 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->start == MAP_FAILED)
		_exit(97);
	a->end = a->start + KF_AREA_SIZE;
	mprotect(a->end, 4096, PROT_NONE);
	mprotect(a->end + 4096, 4096, PROT_READ);
}

static void area_make_all(struct kf_lane *l)
{
	int i;

	for (i = 0; i < KF_AREAS; i++)
		area_make(&l->area[i]);
}

static void namespace_enter(void)
{
	if (unshare(CLONE_NEWUSER))
		_exit(96);
	kv_write_file("/proc/self/setgroups", "deny");
	kv_write_file("/proc/self/gid_map", "0 0 1");
	if (kv_write_file("/proc/self/uid_map", "0 0 1"))
		_exit(95);
}

static void identity(int nr)
{
	if (nr == 3 && (setgroups(0, NULL) || setresgid(1000, 1000, 1000) ||
			setresuid(1000, 1000, 1000)))
		_exit(94);
	if (nr >= 4)
		namespace_enter();
	if (nr == 5)
		namespace_enter();
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void actor_run(int nr)
{
	static struct kf_lane attendant;
	pthread_t thread;
	int i;

	memset(&me, 0, sizeof(me));
	memset(me.fd, 0xff, sizeof(me.fd));
	me.nr = nr;
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < KF_LANES; i++)
		kcov[i] = open(KCOV_FILE, O_RDWR | O_CLOEXEC);
	identity(nr);
	for (i = 0; i < KF_LANES; i++) {
		lanes[i].actor = &me;
		lanes[i].nr = i;
		area_make_all(&lanes[i]);
		if (pthread_create(&thread, NULL, lane, &lanes[i]))
			_exit(93);
	}
	if (pthread_create(&thread, NULL, flipper, NULL))
		_exit(92);
	area_make_all(&attendant);
	attendant.actor = &me;
	attendant.nr = KF_LANES;
	for (;;)
		kf_attend(&attendant);
}

pid_t kf_actor_start(int nr)
{
	pid_t pid;

	memset(kf_shared->slot[nr], 0, sizeof(kf_shared->slot[nr]));
	pid = fork();
	if (!pid)
		actor_run(nr);
	return pid;
}

/* --- the supervisor's side of it ----------------------------------------------------- */

/* Hands a call to a lane of its actor that has nothing to do. */
bool kf_call_start(const struct kf_call *c, int *ret_lane)
{
	int i;

	for (i = 0; i < KF_LANES; i++) {
		struct kf_slot *s = &kf_shared->slot[c->actor][i];

		if (atomic_load(&s->is_busy))
			continue;
		s->call = *c;
		atomic_store(&s->is_busy, 1);
		futex_wake(&s->is_busy);
		*ret_lane = i;
		return true;
	}
	return false;
}

bool kf_call_wait(int actor, int lane, unsigned int ms)
{
	struct kf_slot *s = &kf_shared->slot[actor][lane];
	uint64_t end = kv_now_ms() + ms;
	uint32_t seen;

	for (;;) {
		seen = atomic_load(&kf_shared->done);
		if (!atomic_load(&s->is_busy))
			return true;
		if (kv_now_ms() >= end)
			return false;
		futex_wait(&kf_shared->done, seen, 5);
	}
}

/* --- the kernel log --------------------------------------------------------------------- */

static int kmsg = -1;

bool kf_log_open(void)
{
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return kmsg >= 0 && lseek(kmsg, 0, SEEK_END) >= 0;
}

/* The first line that says that something is wrong. */
bool kf_log_is_bad(char *line, size_t size)
{
	static const char *const bad[] = {
		"BUG: ", "WARNING: ", "UBSAN: ", "INFO: task ", "INFO: rcu", "INFO: trying to",
		"refcount_t", "general protection", "Oops", "sleeping function", "while atomic",
		"corruption", "kernel BUG", "soft lockup", "Bad page", "ODEBUG",
	};
	char buf[8192], *text;
	ssize_t n;
	size_t i;

	while ((n = read(kmsg, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		text = strchr(buf, ';');
		if (!text)
			continue;
		text[strcspn(text, "\n")] = '\0';
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			if (strstr(text, bad[i])) {
				snprintf(line, size, "%s", text + 1);
				return true;
			}
	}
	return false;
}
