// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines for the journal, or for stderr where there is none. The name and the
 * target are the only state of a process here, set once at its start.
 */
#include "util/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#define LINE_SIZE	2048
#define FIELDS_MAX	16

static const char *log_name = "kvault";
static enum kvd_log_target log_target = KVD_LOG_STDERR;
static int log_level = LOG_INFO;

int kvd_log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;

	/* NOLINTNEXTLINE(cert-err34-c): a number that is too large is no file's */
	if (!stream || sscanf(stream, "%ju:%ju", &dev, &ino) != 2)
		return 0;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void kvd_log_init(const char *name, enum kvd_log_target target)
{
	log_name = name;
	if (target == KVD_LOG_AUTO)
		target = kvd_log_is_journal() ? KVD_LOG_JOURNAL : KVD_LOG_STDERR;
	log_target = target;
}

void kvd_log_set_level(int level)
{
	log_level = level;
}

static int send_to_journal(int level, const char *const *fields, const char *line)
{
	struct iovec iov[FIELDS_MAX + 3];
	char priority[16], id[80], message[LINE_SIZE + 8];
	int n = 0;

	snprintf(priority, sizeof(priority), "PRIORITY=%d", level);
	snprintf(id, sizeof(id), "SYSLOG_IDENTIFIER=%s", log_name);
	snprintf(message, sizeof(message), "MESSAGE=%s", line);
	iov[n++] = (struct iovec) { priority, strlen(priority) };
	iov[n++] = (struct iovec) { id, strlen(id) };
	iov[n++] = (struct iovec) { message, strlen(message) };
	for (; fields && *fields && n < FIELDS_MAX + 3; fields++)
		iov[n++] = (struct iovec) { (void *)*fields, strlen(*fields) };
	return sd_journal_sendv(iov, n);
}

static void emit(int level, const char *const *fields, const char *fmt, va_list ap)
{
	int saved = errno;
	char line[LINE_SIZE];

	if (level > log_level)
		return;
	vsnprintf(line, sizeof(line), fmt, ap);
	if (log_target == KVD_LOG_JOURNAL && send_to_journal(level, fields, line) >= 0)
		goto out_errno;
	if (log_target == KVD_LOG_STDERR)
		dprintf(STDERR_FILENO, "%s: %s\n", log_name, line);
	else
		dprintf(STDERR_FILENO, "<%d>%s\n", level, line);
out_errno:
	errno = saved;
}

void kvd_log(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(level, NULL, fmt, ap);
	va_end(ap);
}

void kvd_log_fields(int level, const char *const *fields, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(level, fields, fmt, ap);
	va_end(ap);
}
