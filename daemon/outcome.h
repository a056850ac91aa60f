/* SPDX-License-Identifier: GPL-2.0-only */
/* What a request came to, in the words of the audit log. */
#ifndef KVD_OUTCOME_H
#define KVD_OUTCOME_H

#include "api/request.h"
#include "core/denial.h"

/*
 * Appends the record of a request with outcome r, or counts it when it is one
 * refusal of many. 0 or negative errno; KVD_E_THROTTLED and why when the tenant
 * has no room for it.
 */
int kvd_outcome_record(struct kvd_denials *d, struct kvd_request *req, int r);

/* Keeps the answer to a change, for the case that it is delivered again. */
int kvd_outcome_keep(struct kvd_request *req);

/*
 * A yes that nobody waited for any more: a volume that it opened is closed, a
 * lease ends, in the log and in what is counted. 1 when there is something to commit.
 */
int kvd_outcome_take_back(struct kvd_request *req);

#endif /* KVD_OUTCOME_H */
