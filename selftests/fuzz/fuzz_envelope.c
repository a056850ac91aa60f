// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvault-envelope(5): the header reads as it is written; a stream that opens
 * is one that was sealed. The cipher is a stand-in that everybody can forge,
 * so that the fuzzer gets beyond the first tag.
 * pkgs: jansson libcrypto
 * options: -max_len=20000
 */
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz.h"
#include "../../tools/lib/internal.h"

static void sum(const uint8_t *p, size_t len, uint8_t tag[16])
{
	size_t i;

	for (i = 0; i < len; i++)
		tag[i % 16] = (uint8_t)((tag[i % 16] << 1 | tag[i % 16] >> 7) ^ p[i]);
}

static void make_tag(const void *aad, size_t aad_len, const uint8_t *data, size_t len,
		     uint8_t tag[16])
{
	memset(tag, 0, 16);
	sum(aad, aad_len, tag);
	sum(data, len, tag);
	tag[1] = tag[2] = tag[3] = 0;
	memset(tag + 4, 0, 12);
}

static int seal(const struct kvl_aead *a, const void *aad, size_t aad_len, uint8_t *data,
		size_t len, uint8_t iv[12], uint8_t tag[16])
{
	(void)a;
	memset(iv, 0, 12);
	make_tag(aad, aad_len, data, len, tag);
	return 0;
}

static int open_it(const struct kvl_aead *a, const void *aad, size_t aad_len, uint8_t *data,
		   size_t len, const uint8_t iv[12], const uint8_t tag[16])
{
	uint8_t want[16];

	(void)a;
	(void)iv;
	make_tag(aad, aad_len, data, len, want);
	return memcmp(want, tag, 16) ? -EBADMSG : 0;
}

static const struct kvl_aead aead = { .seal = seal, .open = open_it };

static int file_of(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0 && !kvl_write_full(fd, data, size) && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Made of what was read, the header is the same, byte by byte. */
static void build_again(const struct kvault_envelope *env)
{
	struct kvault_envelope again = { 0 };

	MUST(!kvl_envelope_build(&env->key, env->alg, env->chunk, env->message_id, env->context,
				 env->n_context, &again));
	MUST(again.raw_len == env->raw_len && !memcmp(again.raw, env->raw, env->raw_len));
	kvault_envelope_done(&again);
}

/* What was opened and is sealed again opens to the same. */
static void round_trip(const struct kvault_envelope *env, int plain)
{
	int sealed = file_of("", 0), again = file_of("", 0);
	off_t size = lseek(plain, 0, SEEK_END);
	void *a, *b;

	MUST(lseek(plain, 0, SEEK_SET) == 0);
	MUST(!kvl_envelope_seal(&aead, env, plain, sealed, NULL, NULL));
	/* it begins with the header, which whoever opens has read before */
	MUST(lseek(sealed, (off_t)env->raw_len, SEEK_SET) >= 0);
	MUST(!kvl_envelope_open(&aead, env, sealed, again, NULL, NULL));
	MUST(lseek(again, 0, SEEK_END) == size);
	if (size) {
		a = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, plain, 0);
		b = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, again, 0);
		MUST(a != MAP_FAILED && b != MAP_FAILED && !memcmp(a, b, (size_t)size));
		munmap(a, (size_t)size);
		munmap(b, (size_t)size);
	}
	close(sealed);
	close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvault_envelope env = { 0 };
	int in = file_of(data, size), plain = file_of("", 0);

	if (!kvault_envelope_read(in, &env)) {
		build_again(&env);
		if (!kvl_envelope_open(&aead, &env, in, plain, NULL, NULL))
			round_trip(&env, plain);
	}
	kvault_envelope_done(&env);
	close(in);
	close(plain);
	return 0;
}
