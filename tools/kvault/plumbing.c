// SPDX-License-Identifier: GPL-2.0-only
/* random, volume token, key project. */
#include <errno.h>
#include <stdlib.h>

#include "cli.h"

#define RANDOM_MAX	(1ul << 30)

int cli_random(struct cli *c)
{
	static uint8_t buf[65536];
	unsigned long left;
	struct cli_file out;
	char *end;
	int r;

	left = strtoul(c->args[0], &end, 10);
	if (c->args[0][0] < '0' || c->args[0][0] > '9' || *end || !left || left > RANDOM_MAX)
		return cli_usage(c, "'%.40s' is not a number of bytes from 1 to %lu", c->args[0],
				 RANDOM_MAX);
	r = cli_open(c);
	if (!r)
		r = cli_out(cli_value(c, OPT_OUT), CLI_SECRET, &out);
	if (r)
		return r;
	while (!r && left) {
		size_t len = left < sizeof(buf) ? left : sizeof(buf);

		r = kvault_random(c->kv, buf, len);
		r = r ? cli_errno(c, r, "make random bytes") : cli_put(&out, buf, len);
		left -= len;
	}
	explicit_bzero(buf, sizeof(buf));
	if (!r)
		return cli_out_commit(&out);
	cli_out_abort(&out);
	return r;
}

/* 128 bytes that name a key and authorise nothing; the file is private all the same. */
int cli_volume_token(struct cli *c)
{
	uint8_t token[KVAULT_TOKEN_SIZE];
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { KVAULT_METHOD_POST, path, NULL, NULL, what };
	const char *text, *out = cli_value(c, OPT_OUT);
	struct kvault_address a;
	json_t *j = NULL;
	size_t len = 0;
	int r;

	r = cli_address(c, 0, &a);
	if (r)
		return r;
	if (!out)
		return cli_usage(c, "--out is missing");
	cli_key_path(&a, "/token", path, sizeof(path));
	snprintf(what, sizeof(what), "make a token of %s/%s", a.vault, a.name);
	if (cli_dry_run(c, &call))
		return CLI_DONE;
	r = cli_call(c, &call, &j);
	if (r)
		return r;
	text = cli_str(j, "token");
	if (!text || kvault_base64url_decode(token, sizeof(token), text, strlen(text), &len) ||
	    len != sizeof(token))
		r = cli_fail(CLI_INTERNAL, "cannot %s: kvaultd's answer is not a token", what);
	if (!r)
		r = cli_write(out, CLI_SECRET, token, sizeof(token));
	if (!r && strcmp(out, "-") && cli_for_people(c, j, &r))
		cli_note(c, "%s: token of %s/%s, %d bytes", out, a.vault, a.name,
			 KVAULT_TOKEN_SIZE);
	json_decref(j);
	return r;
}

/* As keyctl(1) writes them. */
static int parse_keyring(const struct cli *c, int32_t *ret)
{
	static const char *const names[] = { NULL, "@t", "@p", "@s", "@u", "@us" };
	const char *text = cli_value(c, OPT_KEYRING);
	long serial;
	char *end;
	size_t i;

	text = text ? text : "@s";
	for (i = 1; i < ARRAY_SIZE(names); i++)
		if (!strcmp(text, names[i])) {
			*ret = -(int32_t)i;	/* KEY_SPEC_* of <linux/keyctl.h> */
			return 0;
		}
	errno = 0;
	serial = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || serial < 1 || serial > INT32_MAX)
		return cli_usage(c, "--keyring takes @t, @p, @s, @u, @us or a serial, not '%.40s'",
				 text);
	*ret = (int32_t)serial;
	return 0;
}

int cli_key_project(struct cli *c)
{
	const char *desc = cli_value(c, OPT_DESC);
	int32_t keyring = 0, serial = 0;
	struct kvault_address a;
	struct kvault_key key;
	int r;

	r = cli_address(c, 0, &a);
	if (!r)
		r = parse_keyring(c, &keyring);
	if (!r && !cli_has(c, OPT_FSCRYPT))
		r = cli_usage(c, "--fscrypt is missing: there is no other kind yet");
	if (!r && (!desc || !*desc || strlen(desc) > KVAULT_PATH_MAX))
		r = cli_usage(c, "--desc is missing, or has not 1 to %d bytes", KVAULT_PATH_MAX);
	if (!r)
		r = cli_key(c, &a, KVAULT_OP_VOLUME, &key);
	if (r)
		return r;
	r = kvault_project(c->kv, &key, KVAULT_PROJECT_FSCRYPT, keyring, desc, &serial);
	if (r)
		return cli_errno(c, r, "put what is derived of %s into the keyring", c->args[0]);
	printf("%d\n", serial);
	return CLI_DONE;
}
