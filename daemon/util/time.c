// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "util/time.h"

uint64_t kvd_time_now(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * KVD_NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

void kvd_time_rfc3339(char out[static KVD_RFC3339_SIZE], uint64_t ns)
{
	time_t sec = (time_t)(ns / KVD_NSEC_PER_SEC);
	struct tm tm;
	char day[20];

	gmtime_r(&sec, &tm);
	/* Until the year 9999, which 64 bits of nanoseconds do not reach. */
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, KVD_RFC3339_SIZE, "%s.%09uZ", day, (unsigned int)(ns % KVD_NSEC_PER_SEC));
}
