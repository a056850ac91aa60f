// SPDX-License-Identifier: GPL-2.0-only
/*
 * A worker at the device: attach, then one ioctl for each message, which
 * gives the last answer and waits for the next request; two when the answer is
 * secret.
 *
 * A timer ticks all the time; it only sets numbers, and its signal ends a wait
 * in the kernel, so that no further system call is needed for each message.
 * Idle for five minutes: the worker ends. Busy with one message for longer
 * than anybody waits (a token that hangs): the worker ends too.
 */
#include "engine/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "engine/process.h"
#include "engine/worker.h"
#include "util/io.h"
#include "util/log.h"

#define TICK_SECONDS	10
#define IDLE_TICKS	30	/* 5 minutes */
#define BUSY_TICKS	66	/* 11 minutes: beyond KVAULT_TIMEOUT_MS_MAX */

static volatile sig_atomic_t ticks;	/* since the last message came or was answered */
static volatile sig_atomic_t is_busy;
static volatile sig_atomic_t is_told;	/* to end when there is nothing to do */
static volatile sig_atomic_t is_bound;	/* belongs to a tenant; a spare waits for ever */

static uint8_t in[KVAULT_MSG_MAX] __attribute__((aligned(8)));
static uint8_t out[KVE_ANSWER_MAX];

static void on_tick(int sig)
{
	(void)sig;
	ticks++;
	if (is_busy && ticks > BUSY_TICKS)
		_exit(KVE_EXIT_FAILED);
}

static void on_told(int sig)
{
	/* SIGUSR1: room is needed; who had nothing to do for two ticks goes. */
	if (sig == SIGTERM || (is_bound && !is_busy && ticks >= 2))
		is_told = 1;
}

static int start_signals(void)
{
	static const struct itimerval tick = { { TICK_SECONDS, 0 }, { TICK_SECONDS, 0 } };
	struct sigaction sa = { .sa_handler = on_tick };	/* no SA_RESTART */

	if (sigaction(SIGALRM, &sa, NULL) < 0)
		return -errno;
	sa.sa_handler = on_told;
	if (sigaction(SIGTERM, &sa, NULL) < 0 || sigaction(SIGUSR1, &sa, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	return setitimer(ITIMER_REAL, &tick, NULL) < 0 ? -errno : 0;
}

static int attach(const struct kve_backend *backend)
{
	struct kvault_attach a = { .size = sizeof(a), .kind = backend->kind };
	_cleanup_close_ int dev = open(backend->device, O_RDWR | O_CLOEXEC);

	if (dev < 0 || ioctl(dev, KVAULT_ENG_ATTACH, &a) < 0)
		return -errno;
	return TAKE_FD(dev);
}

/* Gives an answer without waiting for anything, and wipes it. */
static void give(int dev, size_t reply_len)
{
	struct kvault_exchange x = {
		.size = sizeof(x), .reply = (uintptr_t)out, .reply_len = (uint32_t)reply_len,
	};

	/* An error is that nobody waits for it any more, or shows in the next call. */
	ioctl(dev, KVAULT_ENG_EXCHANGE, &x);
	kvd_wipe(out, reply_len);
}

/*
 * Gives an answer of reply_len bytes, if any, and waits for a message. Returns
 * its length; 0 when the worker shall end; negative errno.
 */
static ssize_t exchange(int dev, size_t reply_len)
{
	while (!is_told && !(is_bound && ticks >= IDLE_TICKS)) {
		struct kvault_exchange x = {
			.size = sizeof(x),
			.flags = KVAULT_EXCHANGE_WAIT,
			.reply = (uintptr_t)out,
			.reply_len = (uint32_t)reply_len,
			.next = (uintptr_t)in,
			.next_len = sizeof(in),
		};

		if (ioctl(dev, KVAULT_ENG_EXCHANGE, &x) == 0) {
			if (x.next_len)
				return x.next_len;
		} else if (errno == ESHUTDOWN) {
			return 0;
		} else if (errno != EINTR && errno != ENOENT && errno != ESTALE) {
			return -errno;
		}
		/* Taken, or wanted no more: either way not given twice. */
		kvd_wipe(out, reply_len);
		reply_len = 0;
	}
	/* Told to end during a message: its answer is still given. */
	if (reply_len)
		give(dev, reply_len);
	return 0;
}

static void note(int notes, char what)
{
	if (notes >= 0 && kvd_io_write_full(notes, &what, 1) < 0)
		kvd_log(LOG_WARNING, "The parent cannot be told");
}

/* Whose the worker is, by its first message. */
static char bound_note(void)
{
	const struct kvault_msg *msg = (const struct kvault_msg *)in;

	return msg->tenant_kind == KVAULT_TENANT_HOST ? KVE_NOTE_BOUND : KVE_NOTE_GUEST;
}

/* Messages, until there is a reason to end. */
static int serve(struct kve_worker *w, int dev, int notes)
{
	ssize_t len, reply_len = 0;

	for (;;) {
		is_busy = 0;
		len = exchange(dev, (size_t)reply_len);
		kvd_wipe(out, (size_t)reply_len);
		if (len <= 0)
			break;
		ticks = 0;
		is_busy = 1;
		if (!is_bound)
			note(notes, bound_note());
		is_bound = 1;
		reply_len = kve_worker_handle(w, in, (size_t)len, out, sizeof(out));
		kvd_wipe(in, (size_t)len);
		ticks = 0;
		if (reply_len < 0) {
			kvd_log(LOG_ERR, "The kernel's message of %zd bytes is not one that "
				"this engine reads: kvault.ko is of another version", len);
			return KVE_EXIT_FAILED;
		}
		/* Nothing secret lies about while the next message is waited for. */
		if (w->is_secret) {
			give(dev, (size_t)reply_len);
			reply_len = 0;
		}
	}
	if (len < 0)
		kvd_log(LOG_ERR, "Cannot take messages from %s: %s", w->backend->device,
			strerror((int)-len));
	return len < 0 ? KVE_EXIT_FAILED : KVE_EXIT_DONE;
}

static int open_backend(struct kve_worker *w, const char *config)
{
	struct kve_reply reply = { 0 };
	int r = w->backend->open(config, &w->state, &reply);

	if (r == 0)
		return 0;
	kvd_log(r == -EKEYREJECTED ? LOG_CRIT : LOG_ERR, "The %s engine cannot start: %s",
		w->backend->name, reply.why[0] ? reply.why : strerror(-r));
	if (r == -EKEYREJECTED)
		return KVE_EXIT_PIN;
	return r == -EINVAL ? KVE_EXIT_CONFIG : KVE_EXIT_UNAVAILABLE;
}

int kve_loop_run(const struct kve_backend *backend, const char *config, int notes)
{
	struct kve_worker w = { .backend = backend };
	_cleanup_close_ int dev = -1;
	int r = open_backend(&w, config);

	if (r)
		return r;
	dev = attach(backend);
	if (dev < 0) {
		kvd_log(LOG_ERR, "Cannot attach to %s: %s", backend->device,
			strerror(-dev));
		r = KVE_EXIT_UNAVAILABLE;
		goto out_close;
	}
	r = start_signals();
	if (r == 0)
		r = kve_process_confine(dev, backend->is_local);
	if (r < 0) {
		kvd_log(LOG_ERR, "The sandbox cannot be closed: %s", strerror(-r));
		r = KVE_EXIT_FAILED;
		goto out_close;
	}
	note(notes, KVE_NOTE_SPARE);
	r = serve(&w, dev, notes);
	kve_worker_done(&w);
out_close:
	backend->close(w.state);
	return r;
}
