// SPDX-License-Identifier: GPL-2.0-only
/* What is left of an engine once its sandbox is closed, tried in a child of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvault_control.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/process.h"

static int dev = -1;		/* stands for the device */

/* 0: it ran; an errno; 1000 and a signal. */
static int confined(int is_local, long (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (kve_process_confine(dev, is_local) < 0)
			_exit(255);
		errno = 0;
		_exit(fn() < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int other = -1;		/* another file, as a module of a token may have */

static long exchange_on_the_device(void)
{
	return ioctl(dev, KVAULT_ENG_EXCHANGE, NULL);
}

static long attach_on_the_device(void)
{
	return ioctl(dev, KVAULT_ENG_ATTACH, NULL);
}

static long attach_on_another(void)
{
	return ioctl(other, KVAULT_ENG_ATTACH, NULL);
}

static long exchange_on_another(void)
{
	return ioctl(other, KVAULT_ENG_EXCHANGE, NULL);
}

/* The kernel looks at 32 bits of the number, the filter at 64. */
static long attach_with_a_high_bit(void)
{
	return syscall(SYS_ioctl, other, (1ul << 32) | KVAULT_ENG_ATTACH, NULL);
}

static long ask_how_much_there_is(void)
{
	int n = 0;

	return ioctl(other, FIONREAD, &n);
}

static long signal_itself(void)
{
	return syscall(SYS_tgkill, getpid(), getpid(), 0);
}

static long signal_the_parent(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

/* Whom a file signals when it is ready; F_SETSIG chooses the signal. */
static long own_by_the_parent(void)
{
	return fcntl(other, F_SETOWN, getppid());
}

static long own_by_the_parent_too(void)
{
	struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = getppid() };

	return fcntl(other, F_SETOWN_EX, &owner);
}

static long own_by_an_ioctl(void)
{
	int pid = getppid();

	return ioctl(other, FIOSETOWN, &pid);
}

static long choose_the_signal(void)
{
	return fcntl(other, F_SETSIG, SIGKILL);
}

static long set_flags(void)
{
	return fcntl(other, F_SETFL, O_NONBLOCK);
}

static long duplicate(void)
{
	return fcntl(other, F_DUPFD_CLOEXEC, 0);
}

static long limit_the_parent(void)
{
	return syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, NULL, NULL);
}

static long limit_itself(void)
{
	struct rlimit now;

	return getrlimit(RLIMIT_NOFILE, &now);
}

static long run_a_program(void)
{
	return execl("/bin/true", "true", NULL);
}

static int setup(void **state)
{
	int fds[2];

	(void)state;
	if (pipe(fds))
		return -1;
	dev = fds[0];
	other = fds[1];
	return 0;
}

static void the_device_takes_messages_alone(void **state)
{
	(void)state;
	assert_int_equal(confined(1, exchange_on_the_device), ENOTTY);	/* it got through */
	assert_int_equal(confined(0, exchange_on_the_device), ENOTTY);
	assert_int_equal(confined(1, attach_on_the_device), EPERM);
	assert_int_equal(confined(0, attach_on_the_device), EPERM);
}

/* Whoever took over the module of a token may open the node anew: of no use. */
static void a_token_does_not_attach_as_another_engine(void **state)
{
	(void)state;
	assert_int_equal(confined(0, attach_on_another), EPERM);
	assert_int_equal(confined(0, exchange_on_another), EPERM);
	assert_int_equal(confined(0, attach_with_a_high_bit), EPERM);
	assert_int_equal(confined(1, attach_on_another), EPERM);
}

static void a_token_has_its_own_ioctls(void **state)
{
	(void)state;
	assert_int_equal(confined(0, ask_how_much_there_is), 0);
	assert_int_equal(confined(1, ask_how_much_there_is), EPERM);
}

static void what_only_an_attacker_tries_is_the_end(void **state)
{
	(void)state;
	assert_int_equal(confined(0, run_a_program), 1000 + SIGSYS);
	assert_int_equal(confined(1, run_a_program), 1000 + SIGSYS);
}

static void no_call_names_another_process(void **state)
{
	(void)state;
	assert_int_equal(confined(0, signal_itself), 0);
	assert_int_equal(confined(1, signal_itself), 0);
	assert_int_equal(confined(0, signal_the_parent), EPERM);
	assert_int_equal(confined(1, signal_the_parent), EPERM);
	assert_int_equal(confined(0, own_by_the_parent), EPERM);
	assert_int_equal(confined(0, own_by_the_parent_too), EPERM);
	assert_int_equal(confined(0, own_by_an_ioctl), EPERM);
	assert_int_equal(confined(0, choose_the_signal), EPERM);
	assert_int_equal(confined(0, set_flags), 0);
	assert_int_equal(confined(0, duplicate), 0);
	assert_int_equal(confined(0, limit_the_parent), EPERM);
	assert_int_equal(confined(0, limit_itself), 0);
}

static volatile int is_confined;

static void *signals(void *arg)
{
	while (!is_confined)
		usleep(1000);
	*(int *)arg = signal_the_parent() < 0 ? errno : 0;
	return NULL;
}

/* A module starts threads when it is opened, which is before the filter. */
static void a_thread_is_confined_as_well(void **state)
{
	int status = 0, seen = -1;
	pthread_t thread;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		if (pthread_create(&thread, NULL, signals, &seen) ||
		    kve_process_confine(dev, 0) < 0)
			_exit(255);
		is_confined = 1;
		_exit(pthread_join(thread, NULL) ? 254 : seen);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, EPERM << 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_device_takes_messages_alone),
		cmocka_unit_test(a_token_does_not_attach_as_another_engine),
		cmocka_unit_test(a_token_has_its_own_ioctls),
		cmocka_unit_test(no_call_names_another_process),
		cmocka_unit_test(a_thread_is_confined_as_well),
		cmocka_unit_test(what_only_an_attacker_tries_is_the_end),
	};

	return cmocka_run_group_tests_name("sandbox", tests, setup, NULL);
}
