/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVD_UTIL_TIME_H
#define KVD_UTIL_TIME_H

#include <stdint.h>
#include <time.h>

#define KVD_NSEC_PER_SEC	1000000000ull
#define KVD_RFC3339_SIZE	31	/* 2026-11-22T15:48:10.123456789Z and a NUL */

/* Nanoseconds of a clock. */
uint64_t kvd_time_now(clockid_t clock);

/* UTC with nanoseconds; ns since 1970. */
void kvd_time_rfc3339(char out[static KVD_RFC3339_SIZE], uint64_t ns);

#endif /* KVD_UTIL_TIME_H */
