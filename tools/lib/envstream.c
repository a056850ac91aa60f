// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The chunks of an envelope, behind its header:
 *
 *   off len
 *     0   4  length of the ciphertext; bit 31: this is the last chunk
 *     4  12  iv, made by the kernel
 *    16  16  tag
 *    32   n  ciphertext
 *
 * Each is one AES-GCM message. Its additional data say where it belongs:
 *
 *   SHA-256 of the header (32), message id (16), number of the chunk from 0
 *   (8, little-endian), 1 for the last and else 0 (1), the header's pairs from
 *   their number on
 *
 * so that a chunk that is dropped, repeated, moved, or taken from another
 * message does not open, and neither does one behind which others were cut off
 * or added. All chunks but the last are full; an empty one is the only one.
 */
#include <openssl/sha.h>
#include <stdlib.h>

#include "internal.h"

#define CHUNK_HEADER	32
#define LAST		0x80000000u
#define AAD_FIXED	(32 + 16 + 8 + 1)

struct stream {
	const struct kvl_aead *aead;
	const struct kvault_envelope *env;
	uint8_t aad[AAD_FIXED + KVAULT_CONTEXT_MAX];
	size_t aad_len;
	uint64_t index, done;
	uint8_t *buf[2];	/* CHUNK_HEADER and a chunk, each */
};

static void put_number(uint8_t *p, uint64_t v, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void stream_done(struct stream *s)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		if (s->buf[i])
			explicit_bzero(s->buf[i], CHUNK_HEADER + s->env->chunk);
		free(s->buf[i]);
	}
}

static int stream_init(struct stream *s, const struct kvl_aead *a,
		       const struct kvault_envelope *env)
{
	/* 34 bytes, the address, then the pairs to the end of the header */
	size_t pairs = 34 + ((size_t)env->raw[32] | (size_t)env->raw[33] << 8);

	s->aead = a;
	s->env = env;
	SHA256(env->raw, env->raw_len, s->aad);
	memcpy(s->aad + 32, env->message_id, 16);
	memcpy(s->aad + AAD_FIXED, env->raw + pairs, env->raw_len - pairs);
	s->aad_len = AAD_FIXED + env->raw_len - pairs;
	s->buf[0] = malloc(CHUNK_HEADER + env->chunk);
	s->buf[1] = malloc(CHUNK_HEADER + env->chunk);
	return s->buf[0] && s->buf[1] ? 0 : -ENOMEM;
}

static void set_place(struct stream *s, bool is_last)
{
	put_number(s->aad + 48, s->index, 8);
	s->aad[56] = is_last;
}

static int seal_chunk(struct stream *s, uint8_t *buf, size_t len, bool is_last, int out)
{
	int r;

	set_place(s, is_last);
	put_number(buf, (uint32_t)len | (is_last ? LAST : 0), 4);
	r = s->aead->seal(s->aead, s->aad, s->aad_len, buf + CHUNK_HEADER, len, buf + 4,
			  buf + 16);
	if (!r)
		r = kvl_write_full(out, buf, CHUNK_HEADER + len);
	s->index++;
	s->done += len;
	return r;
}

/* One chunk is read ahead: only then it is known whether this is the last. */
static int seal_all(struct stream *s, int in, int out, kvault_progress_fn progress, void *data)
{
	const size_t size = s->env->chunk;
	ssize_t len, next = 0;
	bool is_last = false;
	unsigned int k = 0;
	int r;

	r = kvl_write_full(out, s->env->raw, s->env->raw_len);
	len = r ? r : kvl_read_full(in, s->buf[0] + CHUNK_HEADER, size);
	while (len >= 0 && !is_last) {
		if ((size_t)len == size)
			next = kvl_read_full(in, s->buf[k ^ 1] + CHUNK_HEADER, size);
		if (next < 0)
			return (int)next;
		is_last = (size_t)len < size || !next;
		r = seal_chunk(s, s->buf[k], (size_t)len, is_last, out);
		if (r)
			return r;
		if (progress)
			progress(s->done, data);
		len = next;
		k ^= 1;
	}
	return len < 0 ? (int)len : 0;
}

static int open_chunk(struct stream *s, int in, int out, bool *ret_is_last)
{
	uint8_t *buf = s->buf[0];
	uint32_t len = 0;
	bool is_last;
	ssize_t n;
	int i, r;

	n = kvl_read_full(in, buf, CHUNK_HEADER);
	if (n != CHUNK_HEADER)
		return n < 0 ? (int)n : -EBADMSG;
	for (i = 3; i >= 0; i--)
		len = len << 8 | buf[i];
	is_last = len & LAST;
	len &= ~LAST;
	if (is_last ? len > s->env->chunk || (!len && s->index) : len != s->env->chunk)
		return -EBADMSG;
	n = kvl_read_full(in, buf + CHUNK_HEADER, len);
	if (n != (ssize_t)len)
		return n < 0 ? (int)n : -EBADMSG;
	set_place(s, is_last);
	r = s->aead->open(s->aead, s->aad, s->aad_len, buf + CHUNK_HEADER, len, buf + 4,
			  buf + 16);
	if (!r)
		r = kvl_write_full(out, buf + CHUNK_HEADER, len);
	s->index++;
	s->done += len;
	*ret_is_last = is_last;
	return r;
}

static int open_all(struct stream *s, int in, int out, kvault_progress_fn progress, void *data)
{
	bool is_last = false;
	uint8_t more;
	ssize_t n;
	int r;

	while (!is_last) {
		r = open_chunk(s, in, out, &is_last);
		if (r)
			return r;
		if (progress)
			progress(s->done, data);
	}
	n = kvl_read_full(in, &more, 1);
	return n > 0 ? -EBADMSG : (int)n;
}

int kvl_envelope_seal(const struct kvl_aead *a, const struct kvault_envelope *env, int in,
		      int out, kvault_progress_fn progress, void *data)
{
	struct stream s = { 0 };
	int r;

	r = stream_init(&s, a, env);
	if (!r)
		r = seal_all(&s, in, out, progress, data);
	stream_done(&s);
	return r;
}

int kvl_envelope_open(const struct kvl_aead *a, const struct kvault_envelope *env, int in,
		      int out, kvault_progress_fn progress, void *data)
{
	struct stream s = { 0 };
	int r;

	r = stream_init(&s, a, env);
	if (!r)
		r = open_all(&s, in, out, progress, data);
	stream_done(&s);
	return r;
}

static int device_seal(const struct kvl_aead *a, const void *aad, size_t aad_len, uint8_t *data,
		       size_t len, uint8_t iv[12], uint8_t tag[16])
{
	struct kvault_cipher c = { .aad = aad, .aad_len = aad_len };
	size_t out = len;
	int r;

	r = kvault_encrypt(a->kv, a->key, a->alg, data, len, data, &out, &c);
	if (r)
		return r;
	memcpy(iv, c.iv, 12);
	memcpy(tag, c.tag, 16);
	return out == len ? 0 : -EIO;
}

static int device_open(const struct kvl_aead *a, const void *aad, size_t aad_len, uint8_t *data,
		       size_t len, const uint8_t iv[12], const uint8_t tag[16])
{
	struct kvault_cipher c = { .aad = aad, .aad_len = aad_len };
	size_t out = len;
	int r;

	memcpy(c.iv, iv, 12);
	memcpy(c.tag, tag, 16);
	r = kvault_decrypt(a->kv, a->key, a->alg, data, len, data, &out, &c);
	return r ? r : out == len ? 0 : -EIO;
}

int kvault_envelope_seal(struct kvault *kv, const struct kvault_key *key,
			 const struct kvault_envelope *env, int in, int out,
			 kvault_progress_fn progress, void *data)
{
	const struct kvl_aead a = { .seal = device_seal, .kv = kv, .key = key, .alg = env->alg };

	return kvl_envelope_seal(&a, env, in, out, progress, data);
}

int kvault_envelope_open(struct kvault *kv, const struct kvault_key *key,
			 const struct kvault_envelope *env, int in, int out,
			 kvault_progress_fn progress, void *data)
{
	const struct kvl_aead a = { .open = device_open, .kv = kv, .key = key, .alg = env->alg };

	return kvl_envelope_open(&a, env, in, out, progress, data);
}
