// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The header of an envelope; numbers are little-endian:
 *
 *   off len
 *     0   4  magic "KVE1"
 *     4   2  format: 1
 *     6   2  algorithm: KVAULT_ALG_A*GCM
 *     8   4  plaintext in each chunk but the last, 1..65536
 *    12   4  length of the header, all of it
 *    16  16  id of the message, random
 *    32   2  length of the address
 *    34   n  VAULT/keys/NAME/VERSION
 *  34+n   2  number of pairs
 *            for each: 2 length, name, 2 length, value
 *
 * It is not secret and is authenticated with each chunk: envstream.c.
 */
#include <stdlib.h>

#include "internal.h"

#define FIXED	34

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v & 0xffff);
	put16(p + 2, v >> 16);
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | get16(p + 2) << 16;
}

void kvault_envelope_done(struct kvault_envelope *env)
{
	free(env->context);
	free(env->raw);
	memset(env, 0, sizeof(*env));
}

static int context_size(const struct kvault_pair *context, size_t n, size_t *ret)
{
	size_t i, k, size = 2;

	/* NOLINTBEGIN(clang-analyzer-core.*): without context n is 0 */
	for (i = 0; i < n; i++) {
		if (!context[i].name[0])
			return -EINVAL;
		for (k = 0; k < i; k++)
			if (!strcmp(context[i].name, context[k].name))
				return -EINVAL;
		size += 4 + strlen(context[i].name) + strlen(context[i].value);
		if (size > KVAULT_CONTEXT_MAX)
			return -E2BIG;
	}
	/* NOLINTEND(clang-analyzer-core.*) */
	*ret = size;
	return 0;
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
	size_t len = strlen(text);

	put16(p, (uint32_t)len);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): its length is before it */
	memcpy(p + 2, text, len);
	return p + 2 + len;
}

int kvl_envelope_build(const struct kvault_address *key, uint32_t alg, uint32_t chunk,
		       const uint8_t message_id[16], const struct kvault_pair *context,
		       size_t n_context, struct kvault_envelope *ret)
{
	uint8_t raw[KVAULT_ENVELOPE_MAX], *p;
	char address[KVAULT_PATH_MAX];
	size_t i, size = 0;
	int r;

	r = context_size(context, n_context, &size);
	if (r)
		return r;
	kvault_address_format(key, address, sizeof(address));
	size += FIXED + strlen(address);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): four bytes */
	memcpy(raw, KVAULT_ENVELOPE_MAGIC, 4);
	put16(raw + 4, 1);
	put16(raw + 6, alg);
	put32(raw + 8, chunk);
	put32(raw + 12, (uint32_t)size);
	memcpy(raw + 16, message_id, 16);
	p = put_text(raw + 32, address);
	put16(p, (uint32_t)n_context);
	for (p += 2, i = 0; i < n_context; i++)
		p = put_text(put_text(p, context[i].name), context[i].value);
	return kvl_envelope_parse(raw, size, ret);
}

int kvault_envelope_new(struct kvault *kv, const struct kvault_address *address,
			const struct kvault_key *key, uint32_t alg,
			const struct kvault_pair *context, size_t n_context,
			struct kvault_envelope *ret)
{
	struct kvault_address a = *address;
	uint8_t id[16];
	int r;

	if (alg < KVAULT_ALG_A128GCM || alg > KVAULT_ALG_A256GCM)
		return -EOPNOTSUPP;
	r = kvault_random(kv, id, sizeof(id));
	if (r)
		return r;
	kvault_hex_encode(a.version, key->version, sizeof(key->version));
	return kvl_envelope_build(&a, alg, KVAULT_ENVELOPE_CHUNK, id, context, n_context, ret);
}

struct reader {
	const uint8_t *p;
	size_t len;
};

/* A text of the header, without a NUL in it. */
static int get_text(struct reader *rd, const uint8_t **ret, size_t *ret_len)
{
	size_t len;

	if (rd->len < 2)
		return -EBADMSG;
	len = get16(rd->p);
	if (len > rd->len - 2 || memchr(rd->p + 2, 0, len))
		return -EBADMSG;
	*ret = rd->p + 2;
	*ret_len = len;
	rd->p += 2 + len;
	rd->len -= 2 + len;
	return 0;
}

static int parse_key(struct reader *rd, struct kvault_address *ret)
{
	char text[KVAULT_PATH_MAX + 1], again[KVAULT_PATH_MAX + 1];
	const uint8_t *p;
	size_t len;

	if (get_text(rd, &p, &len) || len > KVAULT_PATH_MAX)
		return -EBADMSG;
	memcpy(text, p, len);
	text[len] = '\0';
	if (kvault_address_parse(text, ret, NULL) || !ret->version[0])
		return -EBADMSG;
	kvault_address_format(ret, again, sizeof(again));
	return strcmp(text, again) ? -EBADMSG : 0;
}

/* The copies stand behind the list, in the same piece of memory. */
static int parse_context(struct reader *rd, struct kvault_envelope *env)
{
	size_t i, n, len;
	const uint8_t *p;
	char *text;

	if (rd->len < 2 || rd->len > KVAULT_CONTEXT_MAX)
		return -EBADMSG;
	n = get16(rd->p);
	rd->p += 2;
	rd->len -= 2;
	if (n > rd->len / 4)
		return -EBADMSG;
	env->context = calloc(1, n * sizeof(*env->context) + rd->len + 1);
	if (!env->context)
		return -ENOMEM;
	text = (char *)&env->context[n];
	for (i = 0; i < 2 * n; i++) {
		if (get_text(rd, &p, &len))
			return -EBADMSG;
		memcpy(text, p, len);
		if (i % 2)
			env->context[i / 2].value = text;
		else
			env->context[i / 2].name = text;
		text += len + 1;
	}
	env->n_context = n;
	return rd->len || context_size(env->context, n, &len) ? -EBADMSG : 0;
}

int kvl_envelope_parse(const uint8_t *raw, size_t len, struct kvault_envelope *ret)
{
	struct kvault_envelope env = { 0 };
	struct reader rd = { raw + FIXED - 2, len - (FIXED - 2) };
	int r = -EBADMSG;

	if (len < FIXED + 2 || len > KVAULT_ENVELOPE_MAX || get32(raw + 12) != len ||
	    memcmp(raw, KVAULT_ENVELOPE_MAGIC, 4) || get16(raw + 4) != 1)
		return -EBADMSG;
	env.alg = get16(raw + 6);
	env.chunk = get32(raw + 8);
	memcpy(env.message_id, raw + 16, sizeof(env.message_id));
	if (env.alg >= KVAULT_ALG_A128GCM && env.alg <= KVAULT_ALG_A256GCM && env.chunk &&
	    env.chunk <= KVAULT_ENVELOPE_CHUNK)
		r = parse_key(&rd, &env.key);
	if (!r)
		r = parse_context(&rd, &env);
	if (!r) {
		env.raw = malloc(len);
		r = env.raw ? 0 : -ENOMEM;
	}
	if (r) {
		kvault_envelope_done(&env);
		return r;
	}
	memcpy(env.raw, raw, len);
	env.raw_len = len;
	*ret = env;
	return 0;
}

int kvault_envelope_read(int fd, struct kvault_envelope *ret)
{
	uint8_t raw[KVAULT_ENVELOPE_MAX];
	size_t len;
	ssize_t n;

	n = kvl_read_full(fd, raw, 16);
	if (n < 0)
		return (int)n;
	if (n != 16 || memcmp(raw, KVAULT_ENVELOPE_MAGIC, 4))
		return -EBADMSG;
	len = get32(raw + 12);
	if (len < FIXED || len > sizeof(raw))
		return -EBADMSG;
	n = kvl_read_full(fd, raw + 16, len - 16);
	if (n < 0)
		return (int)n;
	return (size_t)n == len - 16 ? kvl_envelope_parse(raw, len, ret) : -EBADMSG;
}
