// SPDX-License-Identifier: GPL-2.0
/*
 * Linked into every program of a coverage build, and into libkvault: writes
 * what was executed to a file of its own below /run/vm/gcov (a guest) or
 * $KVAULT_GCOV. gcov's own way opens files at exit, which a confined service
 * cannot, and loses all when the process is killed. This one opens its file
 * before the process confines itself, and in services a thread writes it every
 * second, outside their filter of system calls.
 *
 * The file: for each object its name, '\0', four bytes of length, a .gcda.
 */
#include <errno.h>
#include <fcntl.h>
#include <gcov.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROOM	(8u << 20)

/* What -fprofile-info-section=kv_gcov has collected of this program or library. */
extern const struct gcov_info *const __start_kv_gcov[] __attribute__((visibility("hidden")));
extern const struct gcov_info *const __stop_kv_gcov[] __attribute__((visibility("hidden")));

static int out = -1;
static unsigned char *room;
static size_t used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t owner;

static void put(const void *p, unsigned int len, void *unused)
{
	(void)unused;
	if (used + len <= ROOM)
		memcpy(room + used, p, len);
	used += len;
}

static void put_name(const char *name, void *start)
{
	static const unsigned int zero;

	put(name, (unsigned int)strlen(name) + 1, NULL);
	put(&zero, sizeof(zero), NULL);
	*(size_t *)start = used;
}

static void *get_memory(unsigned int len, void *unused)
{
	(void)unused;
	return malloc(len);
}

static void write_all(void)
{
	const struct gcov_info *const *info;
	unsigned int len;
	size_t start;

	if (out < 0 || getpid() != owner)
		return;
	pthread_mutex_lock(&lock);
	used = 0;
	/* cppcheck-suppress comparePointers ; the linker makes one array of them */
	for (info = __start_kv_gcov; info < __stop_kv_gcov; info++) {
		start = 0;
		__gcov_info_to_gcda(*info, put_name, put, get_memory, &start);
		len = (unsigned int)(used - start);
		if (used <= ROOM)
			memcpy(room + start - sizeof(len), &len, sizeof(len));
	}
	if (used > ROOM || pwrite(out, room, used, 0) != (ssize_t)used)
		(void)ftruncate(out, 0);
	pthread_mutex_unlock(&lock);
}

static void *write_always(void *unused)
{
	for (;;) {
		sleep(1);
		write_all();
	}
	return unused;
}

static void start_thread(void)
{
	sigset_t all, before;
	pthread_t thread;

	/* signals are for the program's own thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_create(&thread, NULL, write_always, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int is_service(void)
{
	const char *name = program_invocation_short_name;

	/* a worker is started as /proc/self/exe */
	return !strcmp(name, "kvaultd") || !strcmp(name, "kvault-engine") || !strcmp(name, "exe");
}

__attribute__((constructor)) static void begin(void)
{
	const char *dir = getenv("KVAULT_GCOV");
	char path[256];
	struct timespec now;
	int high;

	clock_gettime(CLOCK_REALTIME, &now);
	owner = getpid();
	snprintf(path, sizeof(path), "%s/%s.%d.%lld%09ld.%p", dir ? dir : "/run/vm/gcov",
		 program_invocation_short_name, (int)owner, (long long)now.tv_sec, now.tv_nsec,
		 (const void *)&lock);
	out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (out < 0)
		return;
	/* out of the way of programs that count on the number of the next file */
	high = fcntl(out, F_DUPFD_CLOEXEC, 200);
	if (high >= 0) {
		close(out);
		out = high;
	}
	room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED) {
		close(out);
		out = -1;
		return;
	}
	if (is_service())
		start_thread();
}

__attribute__((destructor)) static void end(void)
{
	write_all();
}
