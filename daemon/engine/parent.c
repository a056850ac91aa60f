// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parent of the workers. It holds no key and touches neither the device
 * nor OpenSSL: it sees to it that one spare worker is always attached, and
 * starts anew what ended.
 *
 *	STARTING --[note S]--> SPARE --[note B, G]--> BOUND --> ended
 *	    `------------------- ended, back-off <-'
 *
 * Each worker is a new execution of this program, so that no two share the
 * layout of their memory. At most one is STARTING or SPARE.
 *
 * Anybody can have a thousand tenants, by namespaces. Tenants other than the
 * host share three quarters of the workers: one more, and the one that has had
 * its worker longest loses it. So the host finds a spare at any time.
 */
#include "engine/parent.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "engine/loop.h"
#include "util/log.h"

#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	30000
#define CROWDED_MS	1000	/* how often idle workers are asked to make room */
#define STOP_MS		5000	/* how long workers may take to end */
#define EARLY_US	1000000	/* a worker that crashes sooner is backed off */

enum worker_state {
	STARTING,
	SPARE,
	BOUND,
};

struct worker {
	struct worker *next;
	struct parent *parent;
	enum worker_state state;
	int is_guest;		/* BOUND, and not to the host */
	int is_told;		/* to end, for another tenant's sake */
	pid_t pid;
	int notes;
	uint64_t started;
	sd_event_source *on_note;
	sd_event_source *on_exit;
};

struct parent {
	const struct kve_parent_options *options;
	sd_event *event;
	sd_event_source *timer;
	struct worker *workers;
	unsigned int count;
	unsigned int backoff_ms;
	int is_ready;
	int is_stopping;
	int exit_status;
};

static uint64_t now_us(struct parent *p)
{
	uint64_t us = 0;

	sd_event_now(p->event, CLOCK_MONOTONIC, &us);
	return us;
}

static void worker_free(struct worker *w)
{
	struct worker **p = &w->parent->workers;

	while (*p && *p != w)
		p = &(*p)->next;
	if (*p) {
		*p = w->next;
		w->parent->count--;
	}
	sd_event_source_disable_unref(w->on_note);
	sd_event_source_disable_unref(w->on_exit);
	if (w->notes >= 0)
		close(w->notes);
	free(w);
}

static struct worker *find_unbound(const struct parent *p)
{
	struct worker *w = p->workers;

	while (w && w->state == BOUND)
		w = w->next;
	return w;
}

static void say_status(struct parent *p)
{
	unsigned int bound = 0;

	for (struct worker *w = p->workers; w; w = w->next)
		bound += w->state == BOUND;
	sd_notifyf(0, "STATUS=%u of %u workers serve a tenant", bound, p->options->workers_max);
}

/* --- starting ------------------------------------------------------------------- */

static _Noreturn void child_exec(const struct parent *p, int notes, pid_t parent)
{
	char fd_text[16], pid_text[16];
	const char *argv[] = {
		"kvault-engine", p->options->backend->name, "--worker", fd_text,
		"--parent", pid_text, p->options->config ? "--config" : NULL,
		p->options->config, NULL,
	};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	snprintf(fd_text, sizeof(fd_text), "%d", notes);
	snprintf(pid_text, sizeof(pid_text), "%d", (int)parent);
	if (fcntl(notes, F_SETFD, 0) == 0)
		execv("/proc/self/exe", (char *const *)argv);
	_exit(KVE_EXIT_FAILED);
}

static int on_note(sd_event_source *source, int fd, uint32_t revents, void *userdata);
static int on_exit_of(sd_event_source *source, const siginfo_t *si, void *userdata);

static int worker_start(struct parent *p)
{
	struct worker *w = calloc(1, sizeof(*w));
	pid_t self = getpid();
	int fds[2], r;

	if (!w || pipe2(fds, O_CLOEXEC) < 0) {
		free(w);
		return -ENOMEM;
	}
	w->parent = p;
	w->notes = fds[0];
	w->started = now_us(p);
	w->pid = fork();
	if (w->pid == 0)
		child_exec(p, fds[1], self);
	close(fds[1]);
	if (w->pid < 0) {
		r = -errno;
		worker_free(w);
		return r;
	}
	w->next = p->workers;
	p->workers = w;
	p->count++;
	r = sd_event_add_io(p->event, &w->on_note, w->notes, EPOLLIN, on_note, w);
	if (r >= 0)
		r = sd_event_add_child(p->event, &w->on_exit, w->pid, WEXITED, on_exit_of, w);
	if (r < 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
		worker_free(w);
		return r;
	}
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void arm(struct parent *p, unsigned int ms)
{
	sd_event_source_disable_unref(p->timer);
	p->timer = NULL;
	if (sd_event_add_time_relative(p->event, &p->timer, CLOCK_MONOTONIC,
				       (uint64_t)ms * 1000, 1000, on_timer, p) < 0)
		sd_event_exit(p->event, KVE_EXIT_FAILED);
}

static void back_off(struct parent *p)
{
	arm(p, p->backoff_ms);
	p->backoff_ms = p->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : p->backoff_ms * 2;
}

static void tell_all(struct parent *p, int sig)
{
	for (struct worker *w = p->workers; w; w = w->next)
		kill(w->pid, sig);
}

static void keep_spare(struct parent *p)
{
	int r;

	if (p->is_stopping || find_unbound(p))
		return;
	if (p->count >= p->options->workers_max) {
		/* A tenant that is idle gives its place to one that waits. */
		tell_all(p, SIGUSR1);
		arm(p, CROWDED_MS);
		return;
	}
	r = worker_start(p);
	if (r < 0) {
		kvd_log(LOG_ERR, "Cannot start a worker: %s", strerror(-r));
		back_off(p);
	}
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct parent *p = userdata;

	(void)source;
	(void)usec;
	if (p->is_stopping)
		tell_all(p, SIGKILL);
	else
		keep_spare(p);
	return 0;
}

/* --- what workers tell ------------------------------------------------------------ */

/* What it does now it still answers; its tenant gets another one, in turn. */
static void bound_guests(struct parent *p)
{
	unsigned int guests = 0, max = p->options->workers_max - (p->options->workers_max + 3) / 4;
	struct worker *oldest = NULL;

#ifdef KVAULT_MUTANT_GUESTS_ALL
	return;
#endif
	/* new ones come first in the list */
	for (struct worker *w = p->workers; w; w = w->next)
		if (w->is_guest && !w->is_told) {
			guests++;
			oldest = w;
		}
	if (!oldest || guests <= (max ? max : 1))
		return;
	oldest->is_told = 1;
	kill(oldest->pid, SIGTERM);
}

static int on_note(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct worker *w = userdata;
	struct parent *p = w->parent;
	char c;

	(void)revents;
	if (read(fd, &c, 1) != 1) {	/* it ends: on_exit_of() sees to it */
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		return 0;
	}
	if (c == KVE_NOTE_SPARE && w->state == STARTING) {
		w->state = SPARE;
		p->backoff_ms = BACKOFF_MIN_MS;
		if (!p->is_ready)
			sd_notify(0, "READY=1");
		p->is_ready = 1;
	} else if ((c == KVE_NOTE_BOUND || c == KVE_NOTE_GUEST) && w->state == SPARE) {
		w->state = BOUND;
		w->is_guest = c == KVE_NOTE_GUEST;
		bound_guests(p);
		keep_spare(p);
	}
	say_status(p);
	return 0;
}

static void log_end(const struct worker *w, const siginfo_t *si)
{
	/* The kernel ends the worker of a tenant that ended, or that does not confirm. */
	if (si->si_code == CLD_KILLED && si->si_status == SIGKILL && w->state == BOUND)
		kvd_log(LOG_INFO, "Worker %d was told to end at once", (int)w->pid);
	else if (si->si_code != CLD_EXITED)
		kvd_log(LOG_WARNING, "Worker %d was ended by signal %d (%s)", (int)w->pid,
			si->si_status, strsignal(si->si_status));
	else if (si->si_status == KVE_EXIT_FAILED)
		kvd_log(LOG_WARNING, "Worker %d failed", (int)w->pid);
}

static int on_exit_of(sd_event_source *source, const siginfo_t *si, void *userdata)
{
	struct worker *w = userdata;
	struct parent *p = w->parent;
	int has_exited = si->si_code == CLD_EXITED;
	int is_early = w->state != BOUND ||
		       (!has_exited && now_us(p) - w->started < EARLY_US);

	(void)source;
	if (!p->is_stopping)
		log_end(w, si);
	worker_free(w);
	say_status(p);
	if (p->is_stopping)
		return p->workers ? 0 : sd_event_exit(p->event, p->exit_status);
	if (has_exited && (si->si_status == KVE_EXIT_PIN || si->si_status == KVE_EXIT_CONFIG)) {
		/* One more try of a wrong PIN may lock the token for good. */
		p->exit_status = si->si_status;
		return sd_event_exit(p->event, p->exit_status);
	}
	if (is_early)
		back_off(p);
	else
		keep_spare(p);
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct parent *p = userdata;

	(void)source;
	(void)si;
	if (p->is_stopping)
		return 0;
	p->is_stopping = 1;
	sd_notify(0, "STOPPING=1");
	if (!p->workers)
		return sd_event_exit(p->event, 0);
	tell_all(p, SIGTERM);
	arm(p, STOP_MS);
	return 0;
}

static int setup(struct parent *p)
{
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	r = sd_event_new(&p->event);
	if (r >= 0)
		r = sd_event_add_signal(p->event, NULL, SIGTERM, on_stop, p);
	if (r >= 0)
		r = sd_event_add_signal(p->event, NULL, SIGINT, on_stop, p);
	if (r >= 0)
		r = sd_event_set_watchdog(p->event, 1);
	return r;
}

int kve_parent_run(const struct kve_parent_options *options)
{
	struct parent p = { .options = options, .backoff_ms = BACKOFF_MIN_MS };
	int r = setup(&p);

	if (r >= 0) {
		keep_spare(&p);
		r = sd_event_loop(p.event);
	}
	if (r < 0)
		kvd_log(LOG_ERR, "The event loop failed: %s", strerror(-r));
	tell_all(&p, SIGKILL);
	while (p.workers)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		worker_free(p.workers);
	sd_event_source_disable_unref(p.timer);
	sd_event_unref(p.event);
	return r < 0 ? KVE_EXIT_FAILED : r;
}
