// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PKCS#11 module that was taken over: SoftHSM2, but for what it tries on the
 * way, in the real engine. It writes what came of it, a line for each,
 *
 *	PHASE ATTEMPT ERROR		ERROR is 'done' when it worked
 *
 * to the file that the environment calls KV_HOSTILE_REPORT. PHASE is 'init' as
 * long as the worker's system calls are free, 'sign' and 'thread' after.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvault_control.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOFTHSM		"/usr/lib/softhsm/libsofthsm2.so"

static CK_FUNCTION_LIST ours, *real;
static const char *report;
static volatile bool is_closed;		/* the filter is loaded */
static bool is_done;

static void say(const char *phase, const char *attempt, long ret)
{
	const char *error = ret < 0 ? strerrorname_np(errno) : "done";
	char line[128];
	int n = snprintf(line, sizeof(line), "%s %s %s\n", phase, attempt, error);
	int fd = open(report, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd >= 0 && write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

static long open_file(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd >= 0)
		close(fd);
	return fd;
}

static long open_mem(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open_file(path, O_RDWR);
}

/* Software keys, at the node that is ours to open. */
static long attach_for_software(void)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = KVAULT_ENGINE_OPENSSL };
	int fd = open("/dev/kvault-engine-pkcs11", O_RDWR);
	long ret = fd < 0 ? -1 : ioctl(fd, KVAULT_ENG_ATTACH, &a);

	if (fd >= 0)
		close(fd);
	return ret;
}

/* A worker of another tenant: any other process of this user. */
static long signal_by_file(void)
{
	int fds[2];

	return pipe(fds) ? -1 : fcntl(fds[0], F_SETOWN, getppid());
}

static long limit_parent(void)
{
	return syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, NULL, NULL);
}

static void try_reach(const char *phase)
{
	const char *pid = getenv("KV_HOSTILE_PID");	/* of an engine of software keys */

	say(phase, "node-of-software-keys", open_file("/dev/kvault-engine", O_RDWR));
	say(phase, "attach-for-software-keys", attach_for_software());
	say(phase, "memory-of-the-parent", open_mem(getppid()));
	say(phase, "memory-of-the-other-engine", open_mem(atoi(pid)));
	say(phase, "signal-to-the-other-engine", syscall(SYS_tgkill, atoi(pid), atoi(pid), 0));
}

static void try_own_user(const char *phase)
{
	say(phase, "signal-to-the-parent", syscall(SYS_tgkill, getppid(), getppid(), 0));
	say(phase, "signal-by-a-file", signal_by_file());
	say(phase, "limit-of-the-parent", limit_parent());
	say(phase, "signal-to-itself", syscall(SYS_tgkill, getpid(), getpid(), 0));
}

/* It is there before the filter is. */
static void *thread(void *arg)
{
	while (!is_closed)
		usleep(1000);
	say("thread", "prctl", prctl(PR_GET_DUMPABLE));
	say("thread", "signal-to-the-parent", syscall(SYS_tgkill, getppid(), getppid(), 0));
	return arg;
}

static CK_RV hostile_init(CK_VOID_PTR args)
{
	pthread_t t;

	try_reach("init");
	if (pthread_create(&t, NULL, thread, NULL))
		return CKR_GENERAL_ERROR;
	return real->C_Initialize(args);
}

static CK_RV hostile_sign(CK_SESSION_HANDLE s, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
			  CK_ULONG_PTR out_len)
{
	if (!is_done) {
		is_done = true;
		is_closed = true;
		try_reach("sign");
		try_own_user("sign");
	}
	return real->C_Sign(s, in, in_len, out, out_len);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
	void *softhsm = dlopen(SOFTHSM, RTLD_NOW);
	CK_C_GetFunctionList get = softhsm ? dlsym(softhsm, "C_GetFunctionList") : NULL;

	report = getenv("KV_HOSTILE_REPORT");
	if (!report || !getenv("KV_HOSTILE_PID") || !get || get(&real))
		return CKR_GENERAL_ERROR;
	ours = *real;
	ours.C_Initialize = hostile_init;
	ours.C_Sign = hostile_sign;
	*list = &ours;
	return CKR_OK;
}
