// SPDX-License-Identifier: GPL-2.0-only
#include "core/audit.h"
#include "core/budget.h"
#include "core/lease.h"
#include "outcome.h"
#include "util/json.h"

#define GUEST_RECORDS	20000	/* of an ephemeral tenant; its log is in memory */

static const char *face_of(const struct kvd_request *req)
{
	uint32_t purpose = req->msg.op;

	if (req->is_own)
		return "timer";
	if (kvd_request_is_control(req))
		return "control";
	if (purpose == KVAULT_PURPOSE_RENEW)
		purpose = req->access.purpose;
	return purpose == KVAULT_PURPOSE_KEYRING ? "keyring" :
	       purpose == KVAULT_PURPOSE_VOLUME ? "paes" : "ioctl";
}

/* A guest's log is bounded: what the kernel did is told still, nothing new is begun. */
static int check_log_room(struct kvd_request *req)
{
	uint8_t hash[KVD_HASH_SIZE];
	uint64_t seq = 0;
	int r;

	if (req->msg.tenant_kind != KVAULT_TENANT_EPHEMERAL)
		return 0;
	r = kvd_store_log_head(req->st, req->msg.tenant, &seq, hash);
	if (r < 0)
		return r;
	if (seq >= GUEST_RECORDS)
		return kvd_refuse(&req->why, KVD_E_THROTTLED, "The audit log of this tenant is "
				  "full: go on in a new user namespace");
	return kvd_budget_check(req->ctx, req->msg.tenant, &req->why);
}

/* What an administrator does is in the log, always. */
static enum kvd_denial_verdict note_refusal(struct kvd_denials *d, const struct kvd_request *req)
{
	if (req->who.caller->flags & req->who.opener->flags & KVAULT_PRINCIPAL_ADMIN)
		return KVD_DENIAL_RECORD;
	return kvd_denial_note(d, req->ctx, req->st, req->msg.tenant, req->who.caller);
}

int kvd_outcome_record(struct kvd_denials *d, struct kvd_request *req, int r)
{
	enum kvd_denial_verdict verdict = KVD_DENIAL_RECORD;
	const struct kvd_error *e = kvd_error_of(r);
	_cleanup_json_ json_t *more = NULL;
	const char *name = NULL;
	char http[12];
	struct kvd_event ev = {
		.operation = req->operation,
		.object = req->object[0] ? req->object : NULL,
		.face = face_of(req),
		.result = "Success",
		.who = req->is_own ? NULL : req->who.caller,
		.request_id = req->msg.request_id,
		.reason = r ? req->why.text : NULL,
	};

	if (r)
		ev.result = e->http == 403 || e->http == 404 ? "Denied" : "Failed";
	if (kvd_request_is_control(req)) {
		snprintf(http, sizeof(http), "%d", r ? e->http : req->status ? req->status : 200);
		ev.signature = http;
	} else {
		if (r)
			name = strerrorname_np(-e->err);
		ev.signature = name ? name : "OK";
		if (!r && !kvd_id_is_zero(req->grant.lease)) {
			ev.lease = req->grant.lease;
			ev.count = req->grant.lease_ops;
		}
	}
	if (r || req->is_empty)
		verdict = note_refusal(d, req);
	if (verdict == KVD_DENIAL_COUNTED)
		return 0;
	more = json_object();
	ev.more = more;
	if (!more || (req->context && json_object_set(more, "context", req->context)) ||
	    (verdict == KVD_DENIAL_LAST &&
	     kvd_json_set(more, "furtherRefusals", json_string("counted"))))
		return -ENOMEM;
	r = check_log_room(req);
	return r ? r : kvd_audit_append(req->ctx, req->st, req->msg.tenant, &ev);
}

/*
 * A guest's answer is kept without tags, which are nearly all of it and which
 * any later question gives; what a change stores is about what it answers.
 */
static int keep_small(struct kvd_request *req)
{
	_cleanup_json_ json_t *small = req->reply ? json_copy(req->reply) : NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	if (json_is_object(small))
		json_object_del(small, "tags");
	text = small ? kvd_json_canonical(small) : NULL;
	if (!text)
		return -ENOMEM;
	r = kvd_store_request_add(req->st, req->msg.tenant, req->msg.request_id, req->status,
				  text, req->ctx->now);
	if (!r)
		r = kvd_budget_charge(req->st, req->msg.tenant, strlen(text));
	if (!r)
		r = kvd_budget_charge(req->st, req->msg.tenant,
				      strlen(req->reply_text) + req->secret_len);
	return r;
}

int kvd_outcome_keep(struct kvd_request *req)
{
	if (req->is_unchanged || req->is_own)
		return 0;
	if (req->st == req->ctx->ephemeral)
		return keep_small(req);
	return kvd_store_request_add(req->st, req->msg.tenant, req->msg.request_id, req->status,
				     req->reply_text, req->ctx->now);
}

static int take_back(struct kvd_request *req)
{
	struct kvd_event ev = {
		.operation = "VolumeClose",
		.object = req->object,
		.face = "paes",
		.result = "Success",
		.signature = "OK",
		.reason = "Nobody waited for the answer any more: it was never open",
		.who = req->who.caller,
		.request_id = req->msg.request_id,
	};
	int r;

	r = kvd_audit_append(req->ctx, req->st, req->msg.tenant, &ev);
	return r ? r : kvd_store_version_note_volume(req->st, req->msg.tenant,
						     req->grant.binding.version, false,
						     req->ctx->now);
}

/* The kernel does not have it, so it will not tell of its end. */
static int end_lease(struct kvd_request *req)
{
	struct kvd_event ev = {
		.operation = "LeaseEnd",
		.object = req->object,
		.face = face_of(req),
		.result = "Success",
		.signature = "OK",
		.reason = "Nobody waited for the answer any more: it was never used",
		.who = req->who.caller,
		.request_id = req->msg.request_id,
		.lease = req->grant.lease,
	};
	int r;

	r = kvd_audit_append(req->ctx, req->st, req->msg.tenant, &ev);
	return r ? r : kvd_lease_end(req->st, req->msg.tenant, req->grant.lease, 0);
}

int kvd_outcome_take_back(struct kvd_request *req)
{
	bool is_volume = req->msg.op == KVAULT_PURPOSE_VOLUME;
	int r;

#ifdef KVAULT_MUTANT_VOLUME_IN_VAIN
	return 0;
#endif
	if (kvd_request_is_control(req) || req->status ||
	    (!is_volume && kvd_id_is_zero(req->grant.lease)))
		return 0;
	r = kvd_store_mark(req->st);
	if (r)
		return r;
	r = is_volume ? take_back(req) : end_lease(req);
	if (r) {
		kvd_store_undo(req->st);
		return r;
	}
	r = kvd_store_keep(req->st);
	return r ? r : 1;
}
