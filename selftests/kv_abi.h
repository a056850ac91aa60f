/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ABI in figures, written by hand: a header that changes, or that differs
 * between 32 and 64 bits, does not compile.
 */
#ifndef KV_ABI_H
#define KV_ABI_H

#include <assert.h>
#include <stddef.h>
#include <linux/kvault.h>
#include <linux/kvault_control.h>
#include <linux/kvault_netlink.h>

#define KV_SIZE(_struct, _size) \
	static_assert(sizeof(struct _struct) == (_size), #_struct)
#define KV_AT(_struct, _member, _offset) \
	static_assert(offsetof(struct _struct, _member) == (_offset), #_struct "." #_member)
#define KV_IS(_constant, _value) \
	static_assert((_constant) == (_value), #_constant)

KV_SIZE(kvault_info, 80);
KV_AT(kvault_info, features, 16);
KV_AT(kvault_info, tenant, 24);
KV_AT(kvault_info, uid, 52);
KV_AT(kvault_info, pkcs11_engines, 76);
KV_SIZE(kvault_control, 96);
KV_AT(kvault_control, path, 16);
KV_AT(kvault_control, status, 28);
KV_AT(kvault_control, reply_len, 52);
KV_AT(kvault_control, secret_in, 56);
KV_AT(kvault_control, request_id, 80);
KV_SIZE(kvault_open, 80);
KV_AT(kvault_open, path, 8);
KV_AT(kvault_open, handle, 28);
KV_AT(kvault_open, version, 48);
KV_AT(kvault_open, request_id, 64);
KV_SIZE(kvault_close, 16);
KV_SIZE(kvault_crypt, 104);
KV_AT(kvault_crypt, in, 24);
KV_AT(kvault_crypt, out_len, 40);
KV_AT(kvault_crypt, aux, 48);
KV_AT(kvault_crypt, iv, 56);
KV_AT(kvault_crypt, tag, 72);
KV_AT(kvault_crypt, request_id, 88);
KV_SIZE(kvault_random, 24);
KV_SIZE(kvault_project, 40);
KV_AT(kvault_project, desc, 24);
KV_SIZE(kvault_token, 128);
KV_AT(kvault_token, tenant, 8);
KV_AT(kvault_token, nonce, 72);
KV_SIZE(kvault_binding, 256);
KV_AT(kvault_binding, type, 80);
KV_AT(kvault_binding, nbf, 104);
KV_AT(kvault_binding, name, 124);
KV_SIZE(kvault_principal, 592);
KV_AT(kvault_principal, start, 32);
KV_AT(kvault_principal, comm, 64);
KV_AT(kvault_principal, exe, 336);
KV_SIZE(kvault_msg, 104);
KV_AT(kvault_msg, generation, 8);
KV_AT(kvault_msg, request_id, 24);
KV_AT(kvault_msg, status, 84);
KV_AT(kvault_msg, len, 88);
KV_SIZE(kvault_access, 64);
KV_SIZE(kvault_grant, 344);
KV_AT(kvault_grant, token_hash, 56);
KV_AT(kvault_grant, binding, 88);
KV_SIZE(kvault_engine_req, 48);
KV_SIZE(kvault_claim, 32);
KV_SIZE(kvault_exchange, 32);
KV_SIZE(kvault_seal, 72);
KV_SIZE(kvault_submit, 80);
KV_SIZE(kvault_root_set, 56);
KV_SIZE(kvault_root_wrap, 120);
KV_SIZE(kvault_audit_rec, 728);
KV_SIZE(kvault_audit_read, 24);
KV_SIZE(kvault_attach, 16);

/* Numbers have neither a size nor a direction in them. */
KV_IS(KVAULT_INFO, 0xe900);
KV_IS(KVAULT_CONTROL, 0xe901);
KV_IS(KVAULT_OPEN, 0xe902);
KV_IS(KVAULT_CLOSE, 0xe903);
KV_IS(KVAULT_ENCRYPT, 0xe904);
KV_IS(KVAULT_DECRYPT, 0xe905);
KV_IS(KVAULT_SIGN, 0xe906);
KV_IS(KVAULT_VERIFY, 0xe907);
KV_IS(KVAULT_WRAP, 0xe908);
KV_IS(KVAULT_UNWRAP, 0xe909);
KV_IS(KVAULT_NOOP, 0xe90a);
KV_IS(KVAULT_RANDOM, 0xe90b);
KV_IS(KVAULT_PROJECT, 0xe90c);
KV_IS(KVAULT_CTL_CLAIM, 0xe940);
KV_IS(KVAULT_CTL_EXCHANGE, 0xe941);
KV_IS(KVAULT_CTL_SEAL, 0xe942);
KV_IS(KVAULT_CTL_SUBMIT, 0xe943);
KV_IS(KVAULT_CTL_AUDIT_READ, 0xe944);
KV_IS(KVAULT_CTL_ROOT_SET, 0xe945);
KV_IS(KVAULT_CTL_ROOT_WRAP, 0xe946);
KV_IS(KVAULT_ENG_ATTACH, 0xe960);
KV_IS(KVAULT_ENG_EXCHANGE, 0xe961);
KV_IS(KVAULT_ALG_A256GCM, 3);
KV_IS(KVAULT_ALG_KWP, 20);
KV_IS(KVAULT_ALG_HS512, 34);
KV_IS(KVAULT_ALG_RSNULL, 54);
KV_IS(KVAULT_ALG_ES256K, 67);
KV_IS(KVAULT_ALG_RSA_OAEP_256, 82);
KV_IS(KVAULT_A_MAX, 19);
KV_IS(KVAULT_CMD_MAX, 7);

#endif /* KV_ABI_H */
