/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What leaves its scope is given back. Destructors take NULL and -1; secrets
 * are wiped before their memory is freed.
 */
#ifndef KVD_UTIL_CLEANUP_H
#define KVD_UTIL_CLEANUP_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(func)		__attribute__((cleanup(func)))
#define _printf_(fmt, args)	__attribute__((format(printf, fmt, args)))
#define _unused_		__attribute__((unused))

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

/* Gives a pointer or an fd away: what is left behind needs no cleaning. */
#define TAKE_PTR(p) ({ __typeof__(p) *_pp = &(p), _p = *_pp; *_pp = NULL; _p; })
#define TAKE_FD(fd) ({ int *_pf = &(fd), _f = *_pf; *_pf = -1; _f; })

/* Makes func_cleanup(), for _cleanup_(), of a destructor that takes a pointer. */
#define KVD_DEFINE_CLEANUP(type, func)					\
	/* NOLINTNEXTLINE(bugprone-macro-parentheses): a type */	\
	_unused_ static inline void func##_cleanup(type **p)		\
	{								\
		if (*p)							\
			func(*p);					\
	}								\
	struct kvd_swallow_the_semicolon

static inline void kvd_free_cleanup(void *p)
{
	free(*(void **)p);
}

static inline void kvd_close_cleanup(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

KVD_DEFINE_CLEANUP(FILE, fclose);

#define _cleanup_free_		_cleanup_(kvd_free_cleanup)
#define _cleanup_close_		_cleanup_(kvd_close_cleanup)
#define _cleanup_fclose_	_cleanup_(fclose_cleanup)

/* Not optimised away, even when nobody reads the memory again. */
static inline void kvd_wipe(void *p, size_t n)
{
	if (p && n)
		explicit_bzero(p, n);
}

static inline void kvd_wipe_free(void *p, size_t n)
{
	kvd_wipe(p, n);
	free(p);
}

/* Bytes on the heap that may be secret: wiped and freed at the end of the scope. */
struct kvd_bytes {
	uint8_t *data;
	size_t len;
};

static inline void kvd_bytes_done(struct kvd_bytes *b)
{
	kvd_wipe_free(b->data, b->len);
	b->data = NULL;
	b->len = 0;
}

#define _cleanup_bytes_		_cleanup_(kvd_bytes_done)

#endif /* KVD_UTIL_CLEANUP_H */
