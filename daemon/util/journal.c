// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal's native protocol, for libsystemd's call waits for a journal
 * that does not read: that must not stop who only mirrors something there.
 */
#include <endian.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/cleanup.h"
#include "util/journal.h"

#define ENTRY_MAX	16384

/* Name, length and value: as binary, so that a line feed in it is nothing special. */
static int put(uint8_t *buf, size_t *at, const struct kvd_field *f)
{
	size_t name = strlen(f->name), len = strlen(f->value);
	uint64_t le = htole64(len);

	if (*at + name + 1 + sizeof(le) + len + 1 > ENTRY_MAX)
		return -EMSGSIZE;
	memcpy(buf + *at, f->name, name);
	*at += name;
	buf[(*at)++] = '\n';
	memcpy(buf + *at, &le, sizeof(le));
	*at += sizeof(le);
	memcpy(buf + *at, f->value, len);
	*at += len;
	buf[(*at)++] = '\n';
	return 0;
}

int kvd_journal_send(const struct kvd_field *fields, size_t n)
{
	static const struct sockaddr_un journal = { AF_UNIX, "/run/systemd/journal/socket" };
	_cleanup_close_ int fd = -1;
	uint8_t buf[ENTRY_MAX];
	size_t at = 0, i;
	int r;

	for (i = 0; i < n; i++) {
		r = put(buf, &at, &fields[i]);
		if (r < 0)
			return r;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, buf, at, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&journal,
		   sizeof(journal)) < 0)
		return -errno;
	return 0;
}
