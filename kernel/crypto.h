/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_CRYPTO_H
#define _KV_CRYPTO_H

#include <linux/types.h>
#include <linux/kvault.h>

struct kv_object;
struct kv_ciphers;

int kv_crypto_init(void);
void kv_crypto_exit(void);
bool kv_crypto_is_constant_time(void);

int kv_kdf(const u8 *key, u32 key_len, const char *label, const u8 *context,
	   u32 context_len, u8 out[32]);
int kv_sha256(const u8 *data, u32 len, u8 out[32]);
int kv_gcm_once(const u8 key[32], bool encrypt, const u8 iv[12], u8 *aad, u32 aad_len,
		u8 *data, u32 len, u8 tag[16]);

/**
 * struct kv_op - one symmetric operation, in place
 * @op: one of KVAULT_OP_*
 * @alg: enum kvault_alg
 * @data: input and then output; room for @size bytes
 * @len: in: length of the input; out: length of the output
 * @size: bytes at @data
 * @aux: additional data, or the signature to compare with
 * @aux_len: bytes of it
 * @iv: of GCM or CBC
 * @tag: of GCM
 */
struct kv_op {
	u32 op;
	u32 alg;
	u8 *data;
	u32 len;
	u32 size;
	u8 *aux;
	u32 aux_len;
	u8 *iv;
	u8 *tag;
};

int kv_crypto_run(struct kv_object *obj, struct kv_op *op);
int kv_crypto_fits(u32 kty, u32 bits, u32 curve, u32 op, u32 alg);
u32 kv_crypto_overhead(u32 op, u32 alg);
void kv_ciphers_free(struct kv_ciphers *c);

#endif /* _KV_CRYPTO_H */
