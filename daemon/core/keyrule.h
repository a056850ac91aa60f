/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keys can be: types, sizes, curves, operations, algorithms, names. One
 * table each, from spec.md 2; no I/O, no state.
 */
#ifndef KVD_CORE_KEYRULE_H
#define KVD_CORE_KEYRULE_H

#include <linux/kvault_control.h>
#include <stdbool.h>

#include "util/error.h"

/* Operations that go on outside nbf..exp (spec.md 2.4), in the kernel's bits. */
#define KVD_OPS_WHEN_EXPIRED	(KVAULT_OP_DECRYPT | KVAULT_OP_UNWRAP | KVAULT_OP_VERIFY)

/* The shape of a key, before and after it is made. */
struct kvd_key_spec {
	uint32_t kty;		/* KVAULT_KTY_* */
	bool is_hsm;
	uint32_t bits;		/* oct and RSA, else 0 */
	uint32_t curve;		/* EC, else 0 */
	uint32_t ops;		/* KVAULT_OP_*; 0 asks for the defaults */
};

/* "RSA-HSM" and the like; false when there is no such type. */
bool kvd_kty_parse(const char *name, uint32_t *kty, bool *is_hsm);
const char *kvd_kty_name(uint32_t kty, bool is_hsm);

bool kvd_curve_parse(const char *name, uint32_t *curve);
const char *kvd_curve_name(uint32_t curve);

/* One of key_ops; 0 when there is no such operation. */
uint32_t kvd_op_parse(const char *name);
/* Name of one bit; NULL when it is none. */
const char *kvd_op_name(uint32_t op);

/* The name of an algorithm, NULL when it is none. */
const char *kvd_alg_name(uint32_t alg);

/*
 * Fills in the defaults (size, curve, operations) and checks that all of it
 * goes together. KVD_E_BAD_PARAMETER or KVD_E_NOT_SUPPORTED with a reason.
 */
int kvd_key_spec_settle(struct kvd_key_spec *key, struct kvd_why *why);

/* Names of objects: 1 to 127 of 0-9 A-Z a-z and '-'. */
bool kvd_name_is_object(const char *name, size_t len);
/* Names of vaults are host names' labels: 1 to 63, no '-' at either end. */
bool kvd_name_is_vault(const char *name, size_t len);

#endif /* KVD_CORE_KEYRULE_H */
