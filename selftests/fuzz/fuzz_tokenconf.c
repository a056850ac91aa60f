// SPDX-License-Identifier: GPL-2.0-only
/*
 * engine-pkcs11.conf.
 * pkgs: inih jansson libcrypto p11-kit-1
 */
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz.h"
#include "engine/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kve_reply reply = { .why = "" };
	struct kve_token_config c;
	char path[64];
	int fd = memfd_create("conf", MFD_CLOEXEC);

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (kve_token_config_read(path, &c, &reply)) {
		MUST(reply.why[0] && memchr(reply.why, 0, sizeof(reply.why)) &&
		     !strchr(reply.why, '\n'));
	} else {
		MUST(c.module[0] == '/' && c.token[0] && c.pin_credential[0]);
		MUST(!strchr(c.pin_credential, '/') && !strstr(c.token, "pin-"));
	}
	close(fd);
	return 0;
}
