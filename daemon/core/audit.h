/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The audit log: one chain of records for each tenant.
 *
 *	hash(n) = SHA-256(0x00 || hash(n-1) || canonical JSON of record n)
 *
 * with 32 zeros before the first. Canonical: sorted keys, compact, UTF-8, no
 * numbers but whole ones. A checkpoint is a record with an ES256 signature of
 * an earlier one, see core/head.h.
 *
 * A record is appended in the transaction of what it tells of. When it cannot
 * be written, that must not happen either: callers undo it.
 */
#ifndef KVD_CORE_AUDIT_H
#define KVD_CORE_AUDIT_H

#include "core/context.h"

#define KVD_HASH_SIZE	32

#define KVD_CHECKPOINT	"AuditCheckpoint"	/* operation of a record that signs another */

/* Operation of a record that counts refusals, of whatever was wanted. */
#define KVD_REFUSALS	"Refusals"

void kvd_audit_hash(uint8_t out[static KVD_HASH_SIZE], const uint8_t prev[static KVD_HASH_SIZE],
		    const char *json, size_t len);

/* {uid, gid, unit, …} of a principal; NULL: no memory. */
json_t *kvd_audit_principal(const struct kvault_principal *p);

/* What a record says besides; all borrowed, NULL or 0 leaves a member out. */
struct kvd_event {
	const char *operation;
	const char *object;
	const char *face;
	const char *result;		/* Success, Denied, Failed */
	const char *signature;		/* 200, EACCES */
	const char *reason;		/* one line */
	const struct kvault_principal *who;
	const uint8_t *request_id;
	const uint8_t *lease;
	const char *alg;
	uint64_t count;
	uint64_t kernel_seq;
	uint64_t time;			/* nanoseconds since 1970; 0 is now */
	json_t *more;			/* further members; borrowed */
};

/* Appends one record to the chain of a tenant; 0 or negative errno. */
int kvd_audit_append(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant,
		     const struct kvd_event *ev);

/* A record of the kernel's: checked, numbered against gaps, told. */
int kvd_audit_from_kernel(struct kvd_context *ctx, struct kvd_store *st,
			  const struct kvault_audit_rec *rec);

/* "payroll/keys/signing/0123…" */
#define KVD_OBJECT_ADDRESS_MAX	(KVD_VAULT_NAME_MAX + KVAULT_NAME_MAX + 48)
void kvd_audit_object(char out[static KVD_OBJECT_ADDRESS_MAX], const struct kvd_version *v);

/* The journal's copies of what was appended: once it is durable, or never. */
void kvd_audit_mirror_send(struct kvd_context *ctx);
void kvd_audit_mirror_drop(struct kvd_context *ctx);

#endif /* KVD_CORE_AUDIT_H */
