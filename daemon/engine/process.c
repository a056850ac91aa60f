// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that may hold private keys, and what is left of it for whoever
 * takes it over through a hole in a parser.
 */
#include "engine/process.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "util/log.h"

#define SECURE_HEAP	(4u << 20)	/* some 2000 RSA keys; locked as it is used */
#define SECURE_MIN	32

/* --- memory that is wiped when it is given back ------------------------------- */

static void wiping_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *wiping_realloc(void *p, size_t size)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *new;

	if (p && size && size <= old && size > old / 2)
		return p;
	new = size ? malloc(size) : NULL;
	if (size && !new)
		return NULL;
	if (p && new)
		memcpy(new, p, old < size ? old : size);
	wiping_free(p);
	return new;
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size ? malloc(size) : NULL;
}

static void *crypto_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return wiping_realloc(p, size);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wiping_free(p);
}

static int init_libraries(void)
{
	/* Parsers copy a key about on its way in; none of the copies shall stay. */
	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
		return -EINVAL;
	json_set_alloc_funcs(malloc, wiping_free);
	json_object_seed(0);
	/* What an administrator put into openssl.cnf is not for us. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return -EIO;
	return CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) == 1 ? 0 : -ENOMEM;
}

int kve_process_hide(void)
{
#ifdef KVAULT_MUTANT_DUMPABLE
	return prctl(PR_SET_DUMPABLE, 1);
#endif
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

int kve_process_init(void)
{
	static const struct rlimit no_core = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		kvd_log(LOG_WARNING, "Cannot lock memory, keys may get to swap (%s): "
			"raise LimitMEMLOCK=", strerror(errno));
	return init_libraries();
}

int kve_process_follow(int parent_pid)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == parent_pid ? 0 : -ESRCH;
}
