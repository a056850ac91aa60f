// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "core/unit.h"

static bool has_suffix(const char *p, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && !memcmp(p + len - n, suffix, n);
}

static bool is_trusted_top(const char *p, size_t len)
{
	static const char *const tops[] = { "system.slice", "user.slice", "machine.slice" };
	size_t i;

	for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		if (len == strlen(tops[i]) && !memcmp(p, tops[i], len))
			return true;
	return false;
}

bool kvd_unit_of(const char *cgroup, char *ret, size_t size)
{
	const char *p = cgroup;
	size_t len, depth;

	if (*p != '/')
		return false;
	for (depth = 0; *p == '/'; depth++, p += len) {
		p++;
		len = strcspn(p, "/");
		if (!depth && len == 10 && !memcmp(p, "init.scope", 10))
			break;
		if (!depth && !is_trusted_top(p, len))
			return false;
		if (!has_suffix(p, len, ".slice"))
			break;
	}
	len = strcspn(p, "/");
	if (!len || len >= size)
		return false;
	if (!has_suffix(p, len, ".service") && !has_suffix(p, len, ".scope"))
		return false;
	memcpy(ret, p, len);
	ret[len] = '\0';
	return true;
}
