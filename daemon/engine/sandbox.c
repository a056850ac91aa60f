// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system calls of an engine. Three classes: what it needs; what only an
 * attacker would try, which ends the process; and all the rest, which fails,
 * so that a C library that tries a newer call first finds its way.
 */
#include "engine/process.h"

#include <fcntl.h>
#include <linux/kvault_control.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/cleanup.h"

/* Memory, time, random numbers, threads' locks, the end. */
static const char *const base[] = {
	"brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock",
	"clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
	"getrandom", "futex", "sched_yield", "rseq", "set_robust_list", "membarrier",
	"getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "setitimer",
	"read", "write", "writev", "close", "fstat", "lseek", "poll", "ppoll", "restart_syscall",
	"exit", "exit_group",
	NULL
};

/* What the module of a token needs: its files, its daemon or network, threads. */
static const char *const token[] = {
	"openat", "open", "newfstatat", "stat", "lstat", "statx", "access", "faccessat",
	"faccessat2", "readlink", "readlinkat", "getcwd", "getdents64", "flock",
	"pread64", "pwrite64", "readv", "fsync", "fdatasync", "ftruncate", "fallocate",
	"rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir",
	"umask", "fchmod", "chmod", "fchmodat", "dup", "dup2", "dup3", "pipe2", "eventfd2",
	"socket", "connect", "sendto", "recvfrom", "sendmsg", "recvmsg", "shutdown",
	"getsockopt", "setsockopt", "getsockname", "getpeername", "select", "pselect6",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "clone", "clone3",
	"sched_getaffinity", "uname", "sysinfo", "getrusage", "statfs", "fstatfs",
	"set_tid_address",
	NULL
};

static const char *const hostile[] = {
	"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev",
	"pidfd_getfd", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key",
	"request_key", "mount", "umount2", "unshare", "setns", "init_module",
	"finit_module", "delete_module", "kexec_load", "io_uring_setup", "open_by_handle_at",
	NULL
};

static int add_names(scmp_filter_ctx ctx, uint32_t action, const char *const *names)
{
	for (; *names; names++) {
		int nr = seccomp_syscall_resolve_name(*names);
		int r;

		if (nr == __NR_SCMP_ERROR)	/* younger than the library */
			continue;
		r = seccomp_rule_add(ctx, action, nr, 0);
		if (r < 0 && r != -EDOM)
			return r;
	}
	return 0;
}

/* Memory is data or code, not both; a token's module may still be mapped in parts. */
static int add_memory(scmp_filter_ctx ctx, int is_local)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0 && !is_local)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC,
					     PROT_EXEC));
	return r;
}

/*
 * Of the calls that name a process, only on this one: others of the same user
 * are the parent, which starts what is not confined yet, and other tenants'
 * workers. tgkill() is abort()'s, and prlimit64() with a pid could end another
 * process as well, by a limit.
 */
static int add_process(scmp_filter_ctx ctx, int is_local)
{
	int r;

#ifdef KVAULT_MUTANT_SIGNAL_OTHERS
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0);
#endif
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (r == 0 && !is_local)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A0(SCMP_CMP_EQ, 0));
	return r;
}

/* Not F_SETOWN, F_SETSIG and F_SETOWN_EX: by them a file sends signals to any process. */
static int add_fcntl(scmp_filter_ctx ctx)
{
	static const int locks[] = { F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW };
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				 SCMP_A1(SCMP_CMP_LT, F_SETOWN));

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(locks); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				     SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)locks[i]));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				     SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC));
	return r;
}

/*
 * On the device: messages, and nothing else. A module of a token has its own
 * ioctls: the numbers of terminals, FIONREAD, and what sockets
 * say of interfaces, but not SIOCSPGRP, which is F_SETOWN by another name, and
 * nothing of ours, so that who took it over cannot open its node anew and attach
 * for another tenant. A module that talks to USB by itself needs more, and a
 * daemon such as pcscd instead.
 */
#ifndef KVAULT_MUTANT_TOKEN_ATTACH
#define IOCTL_END	0x8901			/* FIOSETOWN */
#else
#define IOCTL_END	(1ull << 40)
#endif
#define SIOC_FIRST	0x8910
#define SIOC_LAST	0x8940
#define SIOC_STEP	0x10

static int add_ioctl(scmp_filter_ctx ctx, int dev, int is_local)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
				 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)dev),
				 SCMP_A1(SCMP_CMP_EQ, KVAULT_ENG_EXCHANGE));

	if (r == 0 && !is_local)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_LT, IOCTL_END));
	for (scmp_datum_t n = SIOC_FIRST; r == 0 && !is_local && n <= SIOC_LAST; n += SIOC_STEP)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ,
					     ~(scmp_datum_t)(SIOC_STEP - 1), n));
	return r;
}

int kve_process_confine(int dev, int is_local)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = 0;

	if (!ctx)
		return -ENOMEM;
#ifndef KVAULT_MUTANT_THREADS_FREE
	/* A token's module may have threads already. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
#endif
	if (r == 0)
		r = add_names(ctx, SCMP_ACT_ALLOW, base);
	if (r == 0 && !is_local)
		r = add_names(ctx, SCMP_ACT_ALLOW, token);
	if (r == 0)
		r = add_names(ctx, SCMP_ACT_KILL_PROCESS, hostile);
	if (r == 0)
		r = add_process(ctx, is_local);
	if (r == 0 && !is_local)
		r = add_fcntl(ctx);
	if (r == 0)
		r = add_memory(ctx, is_local);
	if (r == 0)
		r = add_ioctl(ctx, dev, is_local);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}
