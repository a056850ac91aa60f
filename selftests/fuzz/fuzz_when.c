// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times and durations as people type them.
 * pkgs: jansson
 */
#include "fuzz.h"
#include "../../tools/kvault/cli.h"

#define NOW	1700000000
#define LAST	253402300799	/* the end of 9999 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), out[CLI_TIME_SIZE];
	int64_t t = -1, n = -1, again = -1;

	if (!cli_duration_parse(text, &n))
		MUST(n >= 0 && n <= LAST);
	if (!cli_time_parse(text, NOW, &t)) {
		MUST(t >= 0 && t <= LAST + 86400);
		cli_time_format(t, out);
		MUST(memchr(out, 0, sizeof(out)));
		/* a number of seconds is that moment */
		snprintf(out, sizeof(out), "%lld", (long long)t);
		if (t <= LAST)
			MUST(!cli_time_parse(out, NOW, &again) && again == t);
	}
	MUST(cli_time_rfc3339(text) >= 0);
	free(text);
	return 0;
}
