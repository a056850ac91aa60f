// SPDX-License-Identifier: GPL-2.0-only
/*
 * init: a new root key, wrapped for this machine. load: what systemd unwrapped
 * goes to the kernel. recover: a recovery code opens the root key on a machine
 * that has the store's files and not its host key, and wraps it for that one.
 */
#include "root/verbs.h"

#include <fcntl.h>
#include <sys/random.h>
#include <termios.h>
#include <time.h>

#include "root/code.h"
#include "root/creds.h"
#include "root/files.h"
#include "root/kernel.h"
#include "root/slots.h"
#include "util/io.h"
#include "util/log.h"

#define SLOTS_PATH	KVR_STORE_DIR "/root/" KVR_SLOTS_FILE

static int fail(int status, const char *what, int r)
{
	kvd_log(LOG_ERR, "%s: %s", what, strerror(-r));
	return status;
}

static int need_root(void)
{
	if (geteuid() == 0)
		return 0;
	kvd_log(LOG_ERR, "This needs root: systemd-creds encrypts with the key of this machine");
	return KVR_EXIT_REFUSED;
}

static int open_store(int create)
{
	int fd = kvr_files_open_store(KVR_STORE_DIR, KVR_USER, create);

	if (fd == -ESRCH)
		kvd_log(LOG_ERR, "There is no user " KVR_USER ": run systemd-sysusers");
	else if (fd == -EPERM)
		kvd_log(LOG_ERR, KVR_STORE_DIR " does not belong to the user " KVR_USER);
	else if (fd < 0)
		fail(0, KVR_STORE_DIR, fd);
	return fd;
}

/* The credential of this machine for secret->root. */
static int wrap(const struct kvr_secret *secret, struct kvd_bytes *ret)
{
	int r = kvr_creds_encrypt(KVR_CREDS_PROGRAM, secret, ret);

	if (r < 0)
		kvd_log(LOG_ERR, KVR_CREDS_PROGRAM " could not encrypt the root key");
	return r;
}

/* Tells the kernel; what it says in words. */
static int hand_over(const uint8_t store[KVR_ID_SIZE], const struct kvr_secret *secret)
{
	int r = kvr_kernel_set_root(store, secret);

	if (r == 0)
		return 0;
	if (r == -EEXIST)
		kvd_log(LOG_ERR, "The kernel has another root key, of another store: that stays "
			"until the module is loaded anew");
	else if (r == -ENOENT || r == -ENXIO || r == -ENODEV)
		kvd_log(LOG_ERR, "There is no " KVR_DEVICE ": load the module, 'modprobe kvault'");
	else
		fail(0, KVR_DEVICE " took no root key", r);
	return KVR_EXIT_FAILED;
}

/* --- init ---------------------------------------------------------------------------- */

static int store_new(int store, const struct kvd_bytes *credential, const struct kvr_secret *secret)
{
	_cleanup_(kvr_slots_done) struct kvr_slots slots = { 0 };
	_cleanup_close_ int root = -1;
	int r;

	r = kvr_slots_new(&slots);
	if (r == 0)
		r = kvr_slots_set_credential(&slots, secret->root, time(NULL));
	if (r < 0)
		return fail(KVR_EXIT_FAILED, "The slot cannot be made", r);
	r = kvr_files_become(KVR_USER);
	if (r < 0)
		return fail(KVR_EXIT_FAILED, "Cannot become the user " KVR_USER, r);
	root = kvr_files_open_root(store, 1);
	r = root < 0 ? root : kvr_files_write(root, credential, &slots, KVD_IO_NEW);
	if (r < 0)
		return fail(KVR_EXIT_FAILED, "The root slots cannot be written", r);
	return 0;
}

int kvr_verb_init(struct kvr_secret *secret)
{
	_cleanup_bytes_ struct kvd_bytes credential = { 0 };
	_cleanup_close_ int store = -1;
	const char *there;
	int r = need_root();

	if (r)
		return r;
	store = open_store(1);
	if (store < 0)
		return KVR_EXIT_FAILED;
	there = kvr_files_find_any(store);
	if (there) {
		kvd_log(LOG_ERR, "There is a store already (" KVR_STORE_DIR "/%s): with its files "
			"but another machine, use 'kvault-root recover'", there);
		return KVR_EXIT_REFUSED;
	}
	/* Blocks until the generator is seeded; 32 bytes come whole. */
	if (getrandom(secret->root, sizeof(secret->root), 0) != sizeof(secret->root))
		return fail(KVR_EXIT_FAILED, "No random bytes", -errno);
	if (wrap(secret, &credential) < 0)
		return KVR_EXIT_FAILED;
	r = store_new(store, &credential, secret);
	if (r == 0)
		kvd_log(LOG_NOTICE, "A root key was made for this machine. Lose this machine and "
			"lose every key: 'kvault root recovery create' makes a recovery code");
	return r;
}

/* --- load ----------------------------------------------------------------------------- */

static int read_slots(int store, struct kvr_slots *ret)
{
	_cleanup_close_ int root = kvr_files_open_root(store, 0);
	int r = root < 0 ? root : kvr_files_read_slots(root, ret);

	if (r == -ENOENT)
		kvd_log(LOG_ERR, "There is no " SLOTS_PATH ": start kvault-root-init.service for "
			"a new store, or bring back the file");
	else if (r == -EUCLEAN)
		kvd_log(LOG_ERR, SLOTS_PATH " is damaged: bring it back from a backup");
	else if (r < 0)
		fail(0, SLOTS_PATH, r);
	return r;
}

int kvr_verb_load(struct kvr_secret *secret)
{
	_cleanup_(kvr_slots_done) struct kvr_slots slots = { 0 };
	_cleanup_close_ int store = open_store(0);
	int r;

	if (store < 0 || read_slots(store, &slots) < 0)
		return KVR_EXIT_FAILED;
	r = kvr_creds_read(secret);
	if (r < 0) {
		kvd_log(LOG_ERR, "The credential " KVR_CREDS_NAME " is %s: start "
			"kvault-root.service, or use 'kvault-root recover' on another machine",
			r == -ENOENT ? "not there" : "not a root key");
		return KVR_EXIT_FAILED;
	}
	r = kvr_slots_check(&slots, secret->root);
	if (r < 0) {
		kvd_log(LOG_ERR, "The credential " KVR_CREDS_NAME " does not belong to the store "
			"that is here: bring back credential and slots.json of one store");
		return KVR_EXIT_REFUSED;
	}
	r = hand_over(slots.store, secret);
	if (r == 0)
		unlink(KVR_FAILED_MARK);
	return r;
}

/* --- explain -------------------------------------------------------------------------- */

#define EXIT_CREDENTIALS	"243"	/* systemd.exec(5): it could not decrypt them */

/* systemd says of the unit that failed what it would say to its ExecStopPost=. */
int kvr_verb_explain(struct kvr_secret *secret)
{
	const char *status = getenv("MONITOR_EXIT_STATUS");
	_cleanup_close_ int mark = open(KVR_FAILED_MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)secret;
	if (mark < 0)
		kvd_log(LOG_WARNING, KVR_FAILED_MARK " cannot be made: %s", strerror(errno));
	if (status && strcmp(status, EXIT_CREDENTIALS)) {
		kvd_log(LOG_ERR, "kvault-root.service failed: with no root key in the kernel no "
			"key can be opened; 'journalctl -u kvault-root' says why");
		return 0;
	}
	kvd_log(LOG_ERR, "The root key of this store cannot be decrypted on this machine: it was "
		"encrypted on another one, or this one's host key or TPM was changed. No key can "
		"be opened. With a recovery code: '/usr/libexec/kvault/kvault-root recover', then "
		"'systemctl restart kvault-root kvaultd'. Without one: bring back "
		"/var/lib/systemd/credential.secret of the machine that made the store");
	return 0;
}

/* --- recover ---------------------------------------------------------------------------- */

/* A line from a terminal without echo, or from standard input. */
static int read_line(char *buf, size_t size)
{
	struct termios old, quiet;
	int is_terminal = tcgetattr(STDIN_FILENO, &old) == 0;
	ssize_t n;

	if (is_terminal) {
		quiet = old;
		/* Nor signals: they would leave the terminal without echo. */
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		dprintf(STDERR_FILENO, "Recovery code: ");
		n = read(STDIN_FILENO, buf, size - 1);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		dprintf(STDERR_FILENO, "\n");
	} else {
		n = kvd_io_read_full(STDIN_FILENO, buf, size - 1);
	}
	if (n < 0)
		return -EIO;
	buf[n] = '\0';
	return 0;
}

static int read_code(struct kvr_secret *secret)
{
	int r = read_line(secret->typed, sizeof(secret->typed));

	if (r == 0)
		r = kvr_code_parse(secret->typed, secret->code);
	kvd_wipe(secret->typed, sizeof(secret->typed));
	if (r == -EBADMSG)
		kvd_log(LOG_ERR, "There is a slip in this recovery code: its last four characters "
			"do not fit the rest");
	else if (r < 0)
		kvd_log(LOG_ERR, "This is no recovery code: it has 14 groups of 4 characters");
	return r;
}

static int open_by_code(const struct kvr_slots *slots, struct kvr_secret *secret)
{
	int r = kvr_slots_recover(slots, secret);

	kvd_wipe(secret->code, sizeof(secret->code));
	if (r == -ENOENT)
		kvd_log(LOG_ERR, "This store has no recovery code");
	else if (r == -EKEYREJECTED)
		kvd_log(LOG_ERR, "This recovery code is not of this store, or was removed");
	else if (r < 0)
		fail(0, "The recovery slot cannot be opened", r);
	return r;
}

static int adopt(int store, struct kvr_slots *slots, const struct kvr_secret *secret)
{
	_cleanup_bytes_ struct kvd_bytes credential = { 0 };
	_cleanup_close_ int root = -1;
	int r;

	if (wrap(secret, &credential) < 0)
		return KVR_EXIT_FAILED;
	r = kvr_slots_set_credential(slots, secret->root, time(NULL));
	if (r < 0)
		return fail(KVR_EXIT_FAILED, "The slot cannot be made", r);
	r = kvr_files_become(KVR_USER);
	if (r < 0)
		return fail(KVR_EXIT_FAILED, "Cannot become the user " KVR_USER, r);
	root = kvr_files_open_root(store, 0);
	r = root < 0 ? root : kvr_files_write(root, &credential, slots, 0);
	if (r < 0)
		return fail(KVR_EXIT_FAILED, "The root slots cannot be written", r);
	kvd_log(LOG_NOTICE, "The root key is this machine's now; the recovery code stays valid");
	return hand_over(slots->store, secret);
}

int kvr_verb_recover(struct kvr_secret *secret)
{
	_cleanup_(kvr_slots_done) struct kvr_slots slots = { 0 };
	_cleanup_close_ int store = -1;
	int r = need_root();

	if (r)
		return r;
	store = open_store(0);
	if (store < 0 || read_slots(store, &slots) < 0)
		return KVR_EXIT_FAILED;
	if (read_code(secret) < 0)
		return KVR_EXIT_USAGE;
	if (open_by_code(&slots, secret) < 0)
		return KVR_EXIT_REFUSED;
	return adopt(store, &slots, secret);
}
