/* SPDX-License-Identifier: GPL-2.0-only */
/* What a request came to, in the words of the audit log. */
#ifndef KVD_OUTCOME_H
#define KVD_OUTCOME_H

#include "api/request.h"
#include "core/denial.h"

/*
 * Appends the record of a request with outcome r, or counts it when it is one
 * refusal of many. 0 or negative errno; -EDQUOT when the tenant's log is full.
 */
int kvd_outcome_record(struct kvd_denials *d, struct kvd_request *req, int r);

#endif /* KVD_OUTCOME_H */
