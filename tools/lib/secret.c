// SPDX-License-Identifier: LGPL-2.1-or-later
/* Memory for secrets: mappings of their own, locked, not dumped, wiped. */
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

int kvault_secret_new(size_t size, struct kvault_secret *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t all = (size + page - 1) / page * page;
	void *p;

	if (all < size)
		return -ENOMEM;
	all = all ? all : page;
	p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	/* A limit on locked memory must not keep a key from getting into the vault. */
	(void)mlock(p, all);
	(void)madvise(p, all, MADV_DONTDUMP);
	(void)madvise(p, all, MADV_WIPEONFORK);
	*ret = (struct kvault_secret){ .data = p, .len = 0, .size = all };
	return 0;
}

void kvault_secret_done(struct kvault_secret *s)
{
	if (!s->data)
		return;
	explicit_bzero(s->data, s->size);
	munmap(s->data, s->size);
	memset(s, 0, sizeof(*s));
}

int kvault_secret_read(int fd, size_t max, struct kvault_secret *ret)
{
	struct kvault_secret s;
	ssize_t n;
	int r;

	r = kvault_secret_new(max + 1, &s);
	if (r)
		return r;
	n = kvl_read_full(fd, s.data, max + 1);
	if (n < 0 || (size_t)n > max) {
		kvault_secret_done(&s);
		return n < 0 ? (int)n : -EFBIG;
	}
	s.len = (size_t)n;
	*ret = s;
	return 0;
}
