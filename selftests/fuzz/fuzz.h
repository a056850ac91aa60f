/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the libFuzzer targets share. A target says in its first comment which
 * libraries it needs ("pkgs:") and which options of libFuzzer ("options:").
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must hold whatever the input is. */
#define MUST(_condition)						\
	do {								\
		if (!(_condition)) {					\
			fprintf(stderr, "%s:%d: does not hold: %s\n",	\
				__FILE__, __LINE__, #_condition);	\
			abort();					\
		}							\
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a string, which ends at its first NUL; to be freed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Takes bytes from the front of the input; fewer when there are no more. */
static inline size_t fuzz_take(const uint8_t **data, size_t *size, void *to, size_t len)
{
	size_t n = len < *size ? len : *size;

	memset(to, 0, len);
	memcpy(to, *data, n);
	*data += n;
	*size -= n;
	return n;
}

#endif /* FUZZ_H */
