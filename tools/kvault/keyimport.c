// SPDX-License-Identifier: GPL-2.0-only
/*
 * key import: what is secret goes to the kernel as secret_in, and the JSON that
 * kvaultd sees has only what anybody may know.
 */
#include "cli.h"

#define FILE_MAX	65536

static int passphrase(char *buf, size_t size, void *data)
{
	(void)data;
	return cli_prompt("Passphrase of the key", buf, size);
}

/* kty of the option, with -HSM or without: raw bytes are taken for oct only. */
static int form_of(const struct cli *c, const struct kvault_secret *file,
		   enum kvault_key_form *ret, bool *ret_is_hsm)
{
	const char *kty = cli_value(c, OPT_KTY);
	bool is_oct = kty && !strncmp(kty, "oct", 3);
	json_t *j;

	*ret_is_hsm = kty && strlen(kty) > 4 && !strcmp(kty + strlen(kty) - 4, "-HSM");
	*ret = KVAULT_FORM_AUTO;
	if (kty && !is_oct && strncmp(kty, "RSA", 3) && strncmp(kty, "EC", 2))
		return cli_usage(c, "there is no type of keys '%.40s'", kty);
	if (!is_oct)
		return 0;
	/* A JWK of a symmetric key may be said to be oct too; no key is such JSON by chance. */
	j = json_loadb((const char *)file->data, file->len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j))
		*ret = KVAULT_FORM_RAW;
	json_decref(j);
	return 0;
}

static int check_kty(const struct cli *c, const json_t *jwk, const char *name)
{
	const char *want = cli_value(c, OPT_KTY), *kty = cli_str(jwk, "kty");

	if (want && kty && strncmp(want, kty, strlen(kty)))
		return cli_fail(CLI_USAGE, "cannot import %s: it is a key of type %s, not %s", name,
				kty, want);
	return 0;
}

static int send(struct cli *c, const struct kvault_address *a, const struct kvault_import *in,
		bool is_hsm, const char *name)
{
	json_t *key = json_loads(in->jwk, 0, NULL), *body = NULL, *j = NULL;
	char path[KVAULT_PATH_MAX], what[256];
	struct cli_call call = { KVAULT_METHOD_PUT, path, NULL, &in->secret, what };
	int r;

	body = json_pack("{s:o}", "key", key);
	if (!body)
		return cli_fail(CLI_INTERNAL, "out of memory");
	r = check_kty(c, key, name);
	if (!r)
		r = cli_key_body(c, key, body, true);
	if (is_hsm)
		json_object_set_new(body, "Hsm", json_true());
	cli_key_path(a, "", path, sizeof(path));
	snprintf(what, sizeof(what), "import %s/%s", a->vault, a->name);
	call.body = body;
	if (!r && !cli_dry_run(c, &call)) {
		r = cli_call(c, &call, &j);
		if (!r)
			r = cli_key_print(c, j);
	}
	json_decref(j);
	json_decref(body);
	return r;
}

int cli_key_import(struct cli *c)
{
	const char *name = cli_value(c, OPT_IN);
	struct kvault_secret file = { 0 };
	struct kvault_import in = { 0 };
	enum kvault_key_form form;
	struct kvault_address a;
	char why[160] = "";
	bool is_hsm;
	int r;

	r = cli_address(c, 0, &a);
	if (!r && a.version[0])
		r = cli_usage(c, "a version is made by the vault and cannot be named");
	if (!r)
		r = cli_read(name, FILE_MAX, &file);
	if (r)
		return r;
	name = !name || !strcmp(name, "-") ? "standard input" : name;
	r = form_of(c, &file, &form, &is_hsm);
	if (!r && kvault_import_parse(file.data, file.len, form, passphrase, NULL, &in, why,
				      sizeof(why)))
		r = cli_fail(CLI_USAGE, "cannot import %s: %s", name,
			     why[0] ? why : "out of memory");
	/* The file's copy is not needed any more: the less of it, the better. */
	kvault_secret_done(&file);
	if (!r)
		r = send(c, &a, &in, is_hsm, name);
	kvault_import_done(&in);
	return r;
}
