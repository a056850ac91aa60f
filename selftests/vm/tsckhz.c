// SPDX-License-Identifier: GPL-2.0
/*
 * Print this machine's TSC frequency in kHz. TCG hands the host's TSC to the
 * guest, and a guest that calibrates it by itself under load may be wrong by a
 * factor of four: every timeout in it would be too.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The closest of many pairs, so that being preempted does no harm. */
static void sample(uint64_t *ns, uint64_t *tsc)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 50; i++) {
		uint64_t before = __rdtsc(), n = now_ns(), after = __rdtsc();

		if (after - before < best) {
			best = after - before;
			*ns = n;
			*tsc = before + best / 2;
		}
	}
}

int main(void)
{
	const struct timespec tenth = { 0, 100000000 };
	uint64_t n0, t0, n1, t1;

	sample(&n0, &t0);
	nanosleep(&tenth, NULL);
	sample(&n1, &t1);
	printf("%.0f\n", (t1 - t0) * 1e6 / (n1 - n0));
	return 0;
}
