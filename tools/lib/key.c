// SPDX-License-Identifier: LGPL-2.1-or-later
/* Handles, and one operation with one key: each function is one ioctl. */
#include <sys/ioctl.h>

#include "internal.h"

int kvault_key_open(struct kvault *kv, const char *path, uint32_t ops, struct kvault_key *ret)
{
	struct kvault_open arg = {
		.size = sizeof(arg),
		.path = (uintptr_t)path,
		.path_len = (uint32_t)strlen(path),
		.timeout_ms = kv->timeout_ms,
		.ops = ops,
	};
	int r = 0;

	if (ioctl(kv->fd, KVAULT_OPEN, &arg))
		r = -errno;
	memcpy(kv->request_id, arg.request_id, sizeof(kv->request_id));
	if (r)
		return r;
	*ret = (struct kvault_key){
		.handle = arg.handle,
		.ops = arg.ops,
		.kty = arg.kty,
		.bits = arg.bits,
		.curve = arg.curve,
		.flags = arg.key_flags,
	};
	memcpy(ret->version, arg.version, sizeof(ret->version));
	return 0;
}

int kvault_key_close(struct kvault *kv, struct kvault_key *key)
{
	struct kvault_close arg = { .size = sizeof(arg), .handle = key->handle };

	if (!key->handle)
		return 0;
	key->handle = 0;
	return ioctl(kv->fd, KVAULT_CLOSE, &arg) ? -errno : 0;
}

static int crypt(struct kvault *kv, unsigned long request, const struct kvault_key *key,
		 struct kvault_crypt *arg, size_t in_len, size_t *out_len)
{
	int r = 0;

	if (in_len > KVAULT_PAYLOAD_MAX)
		return -EMSGSIZE;
	arg->size = sizeof(*arg);
	arg->handle = key->handle;
	arg->timeout_ms = kv->timeout_ms;
	arg->in_len = (uint32_t)in_len;
	if (out_len)
		arg->out_len = *out_len < UINT32_MAX ? (uint32_t)*out_len : UINT32_MAX;
	if (ioctl(kv->fd, request, arg))
		r = -errno;
	memcpy(kv->request_id, arg->request_id, sizeof(kv->request_id));
	if (out_len && (!r || r == -EMSGSIZE))
		*out_len = arg->out_len;
	return r;
}

int kvault_encrypt(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		   size_t in_len, void *out, size_t *out_len, struct kvault_cipher *cipher)
{
	struct kvault_crypt arg = { .alg = alg, .in = (uintptr_t)in, .out = (uintptr_t)out };
	int r;

	if (cipher && cipher->aad_len > KVAULT_AUX_MAX)
		return -EMSGSIZE;
	if (cipher) {
		arg.aux = (uintptr_t)cipher->aad;
		arg.aux_len = (uint32_t)cipher->aad_len;
		if (alg > KVAULT_ALG_A256GCM)
			memcpy(arg.iv, cipher->iv, sizeof(arg.iv));
	}
	r = crypt(kv, KVAULT_ENCRYPT, key, &arg, in_len, out_len);
	if (!r && cipher) {
		memcpy(cipher->iv, arg.iv, sizeof(cipher->iv));
		memcpy(cipher->tag, arg.tag, sizeof(cipher->tag));
	}
	return r;
}

int kvault_decrypt(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		   size_t in_len, void *out, size_t *out_len, const struct kvault_cipher *cipher)
{
	struct kvault_crypt arg = { .alg = alg, .in = (uintptr_t)in, .out = (uintptr_t)out };

	if (cipher && cipher->aad_len > KVAULT_AUX_MAX)
		return -EMSGSIZE;
	if (cipher) {
		arg.aux = (uintptr_t)cipher->aad;
		arg.aux_len = (uint32_t)cipher->aad_len;
		memcpy(arg.iv, cipher->iv, sizeof(arg.iv));
		memcpy(arg.tag, cipher->tag, sizeof(arg.tag));
	}
	return crypt(kv, KVAULT_DECRYPT, key, &arg, in_len, out_len);
}

static int plain(struct kvault *kv, unsigned long request, const struct kvault_key *key,
		 uint32_t alg, const void *in, size_t in_len, void *out, size_t *out_len)
{
	struct kvault_crypt arg = { .alg = alg, .in = (uintptr_t)in, .out = (uintptr_t)out };

	return crypt(kv, request, key, &arg, in_len, out_len);
}

int kvault_wrap(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		size_t in_len, void *out, size_t *out_len)
{
	return plain(kv, KVAULT_WRAP, key, alg, in, in_len, out, out_len);
}

int kvault_unwrap(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		  size_t in_len, void *out, size_t *out_len)
{
	return plain(kv, KVAULT_UNWRAP, key, alg, in, in_len, out, out_len);
}

int kvault_sign(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		size_t in_len, void *sig, size_t *sig_len)
{
	return plain(kv, KVAULT_SIGN, key, alg, in, in_len, sig, sig_len);
}

int kvault_verify(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		  size_t in_len, const void *sig, size_t sig_len)
{
	struct kvault_crypt arg = {
		.alg = alg,
		.in = (uintptr_t)in,
		.aux = (uintptr_t)sig,
		.aux_len = (uint32_t)sig_len,
	};

	if (sig_len > KVAULT_AUX_MAX)
		return -EKEYREJECTED;
	return crypt(kv, KVAULT_VERIFY, key, &arg, in_len, NULL);
}

int kvault_noop(struct kvault *kv, const struct kvault_key *key, uint32_t alg, const void *in,
		size_t in_len)
{
	struct kvault_crypt arg = { .alg = alg, .in = (uintptr_t)in };

	return crypt(kv, KVAULT_NOOP, key, &arg, in_len, NULL);
}

int kvault_project(struct kvault *kv, const struct kvault_key *key, uint32_t kind, int32_t keyring,
		   const char *desc, int32_t *ret_serial)
{
	struct kvault_project arg = {
		.size = sizeof(arg),
		.handle = key->handle,
		.kind = kind,
		.keyring = keyring,
		.desc = (uintptr_t)desc,
		.desc_len = (uint32_t)strlen(desc),
	};

	if (ioctl(kv->fd, KVAULT_PROJECT, &arg))
		return -errno;
	*ret_serial = arg.serial;
	return 0;
}
