// SPDX-License-Identifier: GPL-2.0-only
/* The page for secrets, and a process that leaves none of them behind. */
#include "root/secret.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "util/cleanup.h"
#include "util/log.h"

#define PAGE	4096

_Static_assert(sizeof(struct kvr_secret) <= PAGE, "one page");

struct kvr_secret *kvr_secret_new(void)
{
	static const struct rlimit no_core = { 0, 0 };
	void *page;

	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return NULL;
	/* What libraries copy on their way shall not get to swap either. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		kvd_log(LOG_DEBUG, "Only one page of memory is locked: %s", strerror(errno));
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	if (mlock(page, PAGE) < 0 || madvise(page, PAGE, MADV_DONTDUMP) < 0 ||
	    madvise(page, PAGE, MADV_WIPEONFORK) < 0) {
		munmap(page, PAGE);
		return NULL;
	}
	return page;
}

void kvr_secret_free(struct kvr_secret *s)
{
	if (!s)
		return;
	kvd_wipe(s, PAGE);
	munmap(s, PAGE);
}
