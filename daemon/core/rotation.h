/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rotation policies (spec.md 2.6): when a key gets its next version, when that
 * expires, and when somebody is told. Stored as canonical JSON beside the time
 * at which something is due, which is reckoned anew with each version and each
 * policy; what fell due while the daemon was away is done when it is back.
 */
#ifndef KVD_CORE_ROTATION_H
#define KVD_CORE_ROTATION_H

#include "core/context.h"

#define KVD_ROTATION_RETRY_S	120	/* what could not be done is tried again */

/* A period of the calendar: "P1Y6M10D". */
struct kvd_period {
	uint32_t years, months, days;
};

/* "P2Y", "P18M", "P30D" and together; false for anything else, and for nothing at all. */
bool kvd_period_parse(const char *text, struct kvd_period *ret);
/* In days, of 365 and 30 each: for comparing. */
uint32_t kvd_period_days(const struct kvd_period *p);
/* Unix seconds t moved by the period, forwards or (sign -1) backwards. */
int64_t kvd_period_add(int64_t t, const struct kvd_period *p, int sign);

struct kvd_trigger {
	bool is_set, is_before_expiry;
	struct kvd_period period;
};

struct kvd_policy {
	struct kvd_trigger rotate, notify;
	bool has_expiry;
	struct kvd_period expiry;	/* of versions that are made from now on */
};

/*
 * A policy as it is sent or stored. KVD_E_BAD_PARAMETER; exp is that of the
 * newest version, 0 for none.
 */
int kvd_policy_parse(const json_t *j, uint64_t exp, struct kvd_policy *ret, struct kvd_why *why);
/* {"lifetimeActions", "attributes"}, as it is stored; NULL: no memory. */
json_t *kvd_policy_json(const struct kvd_policy *p);
bool kvd_policy_is_empty(const struct kvd_policy *p);

/* When something is due for a version; 0 for never. */
int64_t kvd_policy_rotate_at(const struct kvd_policy *p, const struct kvd_version *v);
int64_t kvd_policy_notify_at(const struct kvd_policy *p, const struct kvd_version *v);

/* The policy of a key; KVD_E_NOT_FOUND. */
int kvd_rotation_get(struct kvd_store *st, const uint8_t *tenant, const struct kvd_id *object,
		     struct kvd_policy *ret);
/* Reckons anew when something is due; v is the newest version, as it is from now on. */
int kvd_rotation_plan(struct kvd_store *st, const uint8_t *tenant, const struct kvd_version *v);

/*
 * Tells of one key that it will expire, into the log, or finds one that is to
 * be rotated: then *ret is its newest version, and it is not due again before
 * a retry would be. KVD_E_NOT_FOUND when nothing is due.
 */
int kvd_rotation_next(struct kvd_context *ctx, struct kvd_store *st, struct kvd_id *ret_tenant,
		      struct kvd_version *ret, bool *ret_rotate);

#endif /* KVD_CORE_ROTATION_H */
