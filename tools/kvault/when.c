// SPDX-License-Identifier: GPL-2.0-only
/* Times as people write and read them. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "cli.h"

#define TIME_MAX	253402300799ll	/* the end of 9999 */

int cli_duration_parse(const char *text, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
		{ 'y', 31536000 },
	};
	char *end;
	int64_t n;
	size_t i;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || !*end || end[1])
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (*end != units[i].unit)
			continue;
		if (n > TIME_MAX / units[i].seconds)
			return -ERANGE;
		*ret = n * units[i].seconds;
		return 0;
	}
	return -EINVAL;
}

/* +hh:mm, -hh:mm or Z, and nothing behind it. */
static int parse_zone(const char *p, long *ret)
{
	int sign = *p == '-' ? -1 : 1, h, m;

	if ((*p == 'Z' || *p == 'z') && !p[1]) {
		*ret = 0;
		return 0;
	}
	if ((*p != '+' && *p != '-') || strlen(p) != 6 || p[3] != ':' ||
	    !isdigit((unsigned char)p[1]) || !isdigit((unsigned char)p[2]) ||
	    !isdigit((unsigned char)p[4]) || !isdigit((unsigned char)p[5]))
		return -EINVAL;
	h = (p[1] - '0') * 10 + p[2] - '0';
	m = (p[4] - '0') * 10 + p[5] - '0';
	if (h > 23 || m > 59)
		return -EINVAL;
	*ret = sign * (h * 3600L + m * 60L);
	return 0;
}

static bool is_shape(const char *text, const char *shape)
{
	for (; *shape; shape++, text++)
		if (*shape == '0' ? !isdigit((unsigned char)*text) : *shape != *text)
			return false;
	return true;
}

/* RFC 3339; a date alone is its midnight here. */
static int parse_date(const char *text, int64_t *ret)
{
	struct tm tm = { 0 }, back;
	const char *p = text + 19;
	long zone = 0;
	time_t t;

	if (!is_shape(text, "0000-00-00"))
		return -EINVAL;
	/* NOLINTBEGIN(cert-err34-c): is_shape() has seen the digits */
	tm.tm_year = atoi(text) - 1900;
	tm.tm_mon = atoi(text + 5) - 1;
	tm.tm_mday = atoi(text + 8);
	tm.tm_isdst = -1;
	back = tm;
	if (!text[10]) {
		t = mktime(&tm);
	} else {
		char sep = text[10];

		if ((sep != 'T' && sep != 't' && sep != ' ') || !is_shape(text + 11, "00:00:00"))
			return -EINVAL;
		tm.tm_hour = atoi(text + 11);
		tm.tm_min = atoi(text + 14);
		tm.tm_sec = atoi(text + 17);
		/* NOLINTEND(cert-err34-c) */
		if (*p == '.')
			for (p++; isdigit((unsigned char)*p); p++)
				;
		if (parse_zone(p, &zone) || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
			return -EINVAL;
		t = timegm(&tm);
	}
	/* 31 February becomes a day of March: not what was written. */
	if (tm.tm_mon != back.tm_mon || (tm.tm_mday != back.tm_mday && !tm.tm_sec))
		return -EINVAL;
	*ret = (int64_t)t - zone;
	return *ret < 0 ? -ERANGE : 0;
}

int cli_time_parse(const char *text, int64_t now, int64_t *ret)
{
	int64_t n;
	char *end;
	int r;

	if (!strcmp(text, "never")) {
		*ret = 0;
		return 0;
	}
	if (*text == '+' || *text == '-') {
		r = cli_duration_parse(text + 1, &n);
		if (!r)
			*ret = *text == '+' ? now + n : now - n;
		return r ? r : *ret < 0 || *ret > TIME_MAX ? -ERANGE : 0;
	}
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (!*end) {
		*ret = n;
		return errno || n > TIME_MAX ? -ERANGE : 0;
	}
	return parse_date(text, ret);
}

void cli_time_format(int64_t t, char out[CLI_TIME_SIZE])
{
	time_t when = (time_t)t;
	struct tm tm;

	if (!t || !localtime_r(&when, &tm) ||
	    !strftime(out, CLI_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(out, CLI_TIME_SIZE, "-");
}

int64_t cli_time_rfc3339(const char *text)
{
	int64_t t = 0;

	return text && !parse_date(text, &t) ? t : 0;
}
