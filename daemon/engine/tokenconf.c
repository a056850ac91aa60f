// SPDX-License-Identifier: GPL-2.0-only
/*
 * engine-pkcs11.conf:
 *
 *	[token]
 *	module = /usr/lib/softhsm/libsofthsm2.so
 *	token = pkcs11:token=payroll
 *	pin-credential = pin
 */
#include <ini.h>

#include "engine/token.h"

struct reading {
	struct kve_token_config *config;
	const char *why;	/* what is wrong in the line that ended it */
};

static int take(char *dst, size_t size, const char *value, struct reading *rd)
{
	if (*dst)
		rd->why = "is there twice";
	else if (!*value || strlen(value) >= size)
		rd->why = "is empty or too long";
	else
		strcpy(dst, value);
	return !rd->why;
}

static int on_line(void *user, const char *section, const char *name, const char *value)
{
	struct reading *rd = user;
	struct kve_token_config *c = rd->config;

	if (rd->why)
		return 1;	/* inih goes on to the end; the first error counts */
	if (strcmp(section, "token") == 0) {
		if (strcmp(name, "module") == 0)
			return take(c->module, sizeof(c->module), value, rd);
		if (strcmp(name, "token") == 0)
			return take(c->token, sizeof(c->token), value, rd);
		if (strcmp(name, "pin-credential") == 0)
			return take(c->pin_credential, sizeof(c->pin_credential), value, rd);
	}
	rd->why = "is not known here";
	return 0;
}

int kve_token_config_read(const char *path, struct kve_token_config *ret,
			  struct kve_reply *reply)
{
	struct kve_token_config c = { 0 };
	struct reading rd = { .config = &c };
	int line = ini_parse(path, on_line, &rd);

	if (line < 0)
		return kve_refuse(reply, -ENOENT, "%s cannot be read", path);
	if (line > 0)
		return kve_refuse(reply, -EINVAL, "%s line %d: %s", path, line,
				  rd.why ? rd.why : "is not 'key = value'");
	if (!c.module[0] || !c.token[0])
		return kve_refuse(reply, -EINVAL, "%s lacks module= or token= in [token]", path);
	if (c.module[0] != '/')
		return kve_refuse(reply, -EINVAL, "%s: module= is not an absolute path", path);
	if (strchr(c.pin_credential, '/') || strstr(c.token, "pin-"))
		return kve_refuse(reply, -EINVAL,
				  "%s: the PIN comes from a credential, by pin-credential=", path);
	if (!c.pin_credential[0])
		strcpy(c.pin_credential, "pin");
	*ret = c;
	return 0;
}
