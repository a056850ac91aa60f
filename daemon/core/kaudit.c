// SPDX-License-Identifier: GPL-2.0-only
/* Records of the kernel's, told in the words of the audit log; and the journal's copy. */
#include "core/access.h"
#include "core/audit.h"
#include "core/keyrule.h"
#include "core/lease.h"
#include "util/hex.h"
#include "util/journal.h"
#include "util/json.h"

static const char *operation_of(const struct kvault_audit_rec *rec)
{
	switch (rec->type) {
	case KVAULT_AUDIT_LEASE_END:
		return "LeaseEnd";
	case KVAULT_AUDIT_VOLUME_OPEN:
		return "VolumeOpen";
	case KVAULT_AUDIT_VOLUME_CLOSE:
		return "VolumeClose";
	case KVAULT_AUDIT_PROJECT:
		return "KeyProject";
	case KVAULT_AUDIT_LOST:
		return "AuditLost";
	case KVAULT_AUDIT_USE:
		/* of operations that have a record each: their sum */
		if (!rec->op)
			return "LeaseUse";
		break;
	case KVAULT_AUDIT_DENIED:
		/* a count: nothing is said of what was wanted */
		if (rec->count > 1)
			return KVD_REFUSALS;
		break;
	default:
		break;
	}
	switch (rec->op) {
	case KVAULT_OP_ENCRYPT:
		return "KeyEncrypt";
	case KVAULT_OP_DECRYPT:
		return "KeyDecrypt";
	case KVAULT_OP_SIGN:
		return "KeySign";
	case KVAULT_OP_VERIFY:
		return "KeyVerify";
	case KVAULT_OP_WRAP:
		return "KeyWrap";
	case KVAULT_OP_UNWRAP:
		return "KeyUnwrap";
	case KVAULT_OP_VOLUME:
		return "VolumeOpen";
	default:
		return "KeyOpen";
	}
}

static const char *face_of(uint32_t face)
{
	switch (face) {
	case KVAULT_FACE_IOCTL:
		return "ioctl";
	case KVAULT_FACE_KEYRING:
		return "keyring";
	case KVAULT_FACE_PAES:
		return "paes";
	default:
		return NULL;
	}
}

static bool is_valid(const struct kvault_audit_rec *rec)
{
	return rec->size == sizeof(*rec) && rec->type > KVAULT_AUDIT_UNSPEC &&
	       rec->type <= KVAULT_AUDIT_LOST && rec->seq && rec->status <= 0 &&
	       rec->status > -4096 && !(rec->op & (rec->op - 1)) &&
	       rec->seq <= INT64_MAX && rec->count <= INT64_MAX &&
	       kvd_principal_is_valid(&rec->principal);
}

/* Numbers that are missing were lost in the kernel: said in a record of its own. */
static int tell_gap(struct kvd_context *ctx, struct kvd_store *st,
		    const struct kvault_audit_rec *rec, uint64_t last)
{
	struct kvd_event ev = {
		.operation = "AuditGap",
		.result = "Failed",
		.signature = "ENODATA",
		.reason = "The kernel's records before this one are missing",
		.count = rec->seq - last - 1,
		.kernel_seq = rec->seq,
	};

	return kvd_audit_append(ctx, st, rec->tenant, &ev);
}

static const char *reason_of(const struct kvault_audit_rec *rec)
{
	if (rec->type == KVAULT_AUDIT_LOST)
		return "The kernel had no room for so many records";
	if (rec->type == KVAULT_AUDIT_DENIED && rec->count > 1)
		return "Further refusals of this user, counted; the newest one's principal";
	return NULL;
}

static const char *result_of(const struct kvault_audit_rec *rec)
{
	if (rec->type == KVAULT_AUDIT_DENIED)
		return "Denied";
	return rec->status || rec->type == KVAULT_AUDIT_LOST ? "Failed" : "Success";
}

static const char *signature_of(const struct kvault_audit_rec *rec)
{
	if (rec->type == KVAULT_AUDIT_LOST)
		return "ENODATA";
	return rec->status ? strerrorname_np(-rec->status) : "OK";
}

static int tell(struct kvd_context *ctx, struct kvd_store *st,
		const struct kvault_audit_rec *rec)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	char object[KVD_OBJECT_ADDRESS_MAX] = "";
	struct kvd_event ev = {
		.operation = operation_of(rec),
		.face = face_of(rec->face),
		.result = result_of(rec),
		.signature = signature_of(rec),
		.reason = reason_of(rec),
		.who = rec->type == KVAULT_AUDIT_LOST ? NULL : &rec->principal,
		.request_id = rec->request_id,
		.lease = rec->lease,
		.alg = rec->alg ? kvd_alg_name(rec->alg) : NULL,
		.count = rec->count,
		.kernel_seq = rec->seq,
		.time = rec->time,
	};
	int r;

	if (!kvd_id_is_zero(rec->version)) {
		r = kvd_store_version_by_id(st, rec->tenant, rec->key, rec->version, &v);
		if (r < 0)
			return r;
		if (!r)
			kvd_audit_object(object, &v);
		if (r)
			kvd_hex_encode(object, rec->version, sizeof(rec->version));
		ev.object = object;
	}
	return kvd_audit_append(ctx, st, rec->tenant, &ev);
}

int kvd_audit_from_kernel(struct kvd_context *ctx, struct kvd_store *st,
			  const struct kvault_audit_rec *rec)
{
	struct kvd_tenant t = { 0 };
	int r;

	if (!is_valid(rec))
		return -EBADMSG;
	r = kvd_store_tenant_find(st, rec->tenant, &t);
	if (r)
		return r;
#ifndef KVAULT_MUTANT_AUDIT_TWICE
	if (rec->seq <= t.kernel_seq)
		return 0;	/* given again: we had not acknowledged it */
#endif
	if (rec->seq != t.kernel_seq + 1) {
		r = tell_gap(ctx, st, rec, t.kernel_seq);
		if (r < 0)
			return r;
	}
	r = tell(ctx, st, rec);
	/* A close for each yes of ours, which is where it began to count. */
	if (!r && rec->type == KVAULT_AUDIT_VOLUME_CLOSE)
		r = kvd_store_version_note_volume(st, rec->tenant, rec->version, false, ctx->now);
	if (r < 0)
		return r;
	if (rec->type == KVAULT_AUDIT_LEASE_END)
		r = kvd_lease_end(st, rec->tenant, rec->lease, rec->count);
	else if (rec->type == KVAULT_AUDIT_USE)
		r = kvd_lease_use(st, rec->tenant, rec->lease, rec->count);
	if (r < 0)
		return r;
	return kvd_store_tenant_set_kernel_seq(st, rec->tenant, rec->seq);
}

static const char *str(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s ? s : "";
}

/* A mirror, not the log: that the journal is full or gone stops nothing. */
static void send_one(const struct kvd_mirror *m)
{
	_cleanup_json_ json_t *j = json_loads(m->json, 0, NULL);
	const json_t *who = json_object_get(j, "principal");
	char tenant[2 * KVAULT_ID_SIZE + 1], seq[24], line[1024];
	bool is_good = !strcmp(str(j, "resultType"), "Success");
	const struct kvd_field fields[] = {
		{ "MESSAGE", line },
		{ "MESSAGE_ID", "6b7661756c74417564697452656330a1" },
		{ "PRIORITY", is_good ? "6" : "5" },
		{ "SYSLOG_IDENTIFIER", "kvaultd" },
		{ "KVAULT_TENANT", tenant },
		{ "KVAULT_SEQ", seq },
		{ "KVAULT_OP", str(j, "operationName") },
		{ "KVAULT_OBJECT", str(j, "object") },
		{ "KVAULT_RESULT", str(j, "resultType") },
		{ "KVAULT_UNIT", str(who, "unit") },
		{ "KVAULT_EXE", str(who, "exe") },
		{ "KVAULT_REQUEST", str(j, "requestId") },
		{ "KVAULT_RECORD", m->json },
	};

	if (!j)
		return;
	kvd_hex_encode(tenant, m->tenant, sizeof(m->tenant));
	snprintf(seq, sizeof(seq), "%llu", (unsigned long long)m->seq);
	snprintf(line, sizeof(line), "%s%s%s: %s %s", str(j, "operationName"),
		 *str(j, "object") ? " " : "", str(j, "object"), str(j, "resultType"),
		 str(j, "resultSignature"));
	kvd_journal_send(fields, ARRAY_SIZE(fields));
}

static struct kvd_mirror *take(struct kvd_context *ctx)
{
	struct kvd_mirror *m = ctx->mirror;

	if (!m)
		return NULL;
	ctx->mirror = m->next;
	if (!ctx->mirror)
		ctx->mirror_end = &ctx->mirror;
	return m;
}

void kvd_audit_mirror_send(struct kvd_context *ctx)
{
	struct kvd_mirror *m;

	while ((m = take(ctx))) {
		send_one(m);
		free(m->json);
		free(m);
	}
}

void kvd_audit_mirror_drop(struct kvd_context *ctx)
{
	struct kvd_mirror *m;

	while ((m = take(ctx))) {
		free(m->json);
		free(m);
	}
}
