// SPDX-License-Identifier: GPL-2.0-only
/*
 * key encrypt, decrypt, wrap, unwrap. A symmetric key makes an envelope; with
 * --raw, and with RSA, it is the bare primitive.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static bool is_gcm(uint32_t alg)
{
	return alg >= KVAULT_ALG_A128GCM && alg <= KVAULT_ALG_A256GCM;
}

static bool is_cbc(uint32_t alg)
{
	return alg >= KVAULT_ALG_A128CBC && alg <= KVAULT_ALG_A256CBCPAD;
}

static int read_exact(const struct cli *c, enum cli_opt opt, size_t len, uint8_t *out)
{
	struct kvault_secret s;
	int r;

	if (!cli_has(c, opt))
		return cli_usage(c, "--%s is missing", cli_options[opt].name);
	r = cli_read(cli_value(c, opt), 4096, &s);
	if (r)
		return r;
	if (s.len != len)
		r = cli_fail(CLI_USAGE, "%s has %zu bytes, and --%s takes %zu", cli_value(c, opt),
			     s.len, cli_options[opt].name, len);
	else
		memcpy(out, s.data, len);
	kvault_secret_done(&s);
	return r;
}

/* What --iv, --tag and --aad are for this algorithm and direction. */
static int read_cipher(const struct cli *c, uint32_t op, uint32_t alg,
		       struct kvault_cipher *cipher, struct kvault_secret *aad)
{
	int r = 0;

	if (!is_gcm(alg) && (cli_has(c, OPT_GCM_TAG) || cli_has(c, OPT_AAD)))
		return cli_usage(c, "--tag and --aad are for GCM");
	if (!is_gcm(alg) && !is_cbc(alg) && cli_has(c, OPT_IV))
		return cli_usage(c, "%s has no initialisation vector", kvault_alg_name(alg));
	if (cli_has(c, OPT_AAD)) {
		r = cli_read(cli_value(c, OPT_AAD), KVAULT_AUX_MAX, aad);
		cipher->aad = aad->data;
		cipher->aad_len = aad->len;
	}
	if (!r && is_cbc(alg))
		r = read_exact(c, OPT_IV, KVAULT_IV_CBC_SIZE, cipher->iv);
	if (!r && is_gcm(alg) && op == KVAULT_OP_DECRYPT)
		r = read_exact(c, OPT_IV, KVAULT_IV_GCM_SIZE, cipher->iv);
	if (!r && is_gcm(alg) && op == KVAULT_OP_DECRYPT)
		r = read_exact(c, OPT_GCM_TAG, KVAULT_TAG_SIZE, cipher->tag);
	if (!r && is_gcm(alg) && op == KVAULT_OP_ENCRYPT &&
	    (!cli_has(c, OPT_IV) || !cli_has(c, OPT_GCM_TAG)))
		r = cli_usage(c, "--raw with GCM writes --iv and --tag to files: give both");
	return r;
}

static int run(struct cli *c, const struct kvault_key *key, uint32_t op, uint32_t alg,
	       const struct kvault_secret *in, struct kvault_cipher *cipher,
	       struct kvault_secret *out)
{
	out->len = out->size;
	switch (op) {
	case KVAULT_OP_ENCRYPT:
		return kvault_encrypt(c->kv, key, alg, in->data, in->len, out->data, &out->len,
				      cipher);
	case KVAULT_OP_DECRYPT:
		return kvault_decrypt(c->kv, key, alg, in->data, in->len, out->data, &out->len,
				      cipher);
	case KVAULT_OP_WRAP:
		return kvault_wrap(c->kv, key, alg, in->data, in->len, out->data, &out->len);
	default:
		return kvault_unwrap(c->kv, key, alg, in->data, in->len, out->data, &out->len);
	}
}

static bool is_secret(uint32_t op)
{
	return op == KVAULT_OP_DECRYPT || op == KVAULT_OP_UNWRAP;
}

/* What comes out must go in again: padding and wrapping make it longer. */
static size_t input_max(uint32_t op, uint32_t alg)
{
	if (op == KVAULT_OP_ENCRYPT && alg >= KVAULT_ALG_A128CBCPAD && alg <= KVAULT_ALG_A256CBCPAD)
		return KVAULT_PAYLOAD_MAX - 1;
	return op == KVAULT_OP_WRAP ? KVAULT_PAYLOAD_MAX - 8 : KVAULT_PAYLOAD_MAX;
}

struct output {
	enum cli_opt opt;
	unsigned int flags;
	const void *data;
	size_t len;
};

/* All of them or none: each is written before the first one gets its name. */
static int write_all(const struct cli *c, const struct output *out, size_t n)
{
	struct cli_file f[3];
	size_t i, opened;
	int r = 0;

	for (opened = 0; !r && opened < n; opened += !r)
		r = cli_out(cli_value(c, out[opened].opt), out[opened].flags, &f[opened]);
	for (i = 0; !r && i < n; i++)
		r = cli_put(&f[i], out[i].data, out[i].len);
	for (i = 0; i < opened; i++) {
		if (r)
			cli_out_abort(&f[i]);
		else
			r = cli_out_commit(&f[i]);
	}
	return r;
}

/* --iv, --tag and --out of what was done. */
static int put_result(const struct cli *c, uint32_t op, bool is_gcm_out,
		      const struct kvault_cipher *cipher, const struct kvault_secret *out)
{
	const struct output all[] = {
		{ OPT_IV, 0, cipher->iv, KVAULT_IV_GCM_SIZE },
		{ OPT_GCM_TAG, 0, cipher->tag, sizeof(cipher->tag) },
		{ OPT_OUT, is_secret(op) ? CLI_SECRET : 0, out->data, out->len },
	};

	return is_gcm_out ? write_all(c, all, 3) : write_all(c, all + 2, 1);
}

/* One operation, one ioctl. */
static int bare(struct cli *c, const struct kvault_key *key, uint32_t op, uint32_t alg)
{
	struct kvault_secret in = { 0 }, out = { 0 }, aad = { 0 };
	struct kvault_cipher cipher = { 0 };
	int r;

	r = read_cipher(c, op, alg, &cipher, &aad);
	if (!r)
		r = cli_read_in(c, input_max(op, alg), &in);
	if (!r && kvault_secret_new(KVAULT_PAYLOAD_MAX + 64, &out))
		r = cli_fail(CLI_INTERNAL, "out of memory");
	if (!r) {
		r = run(c, key, op, alg, &in, &cipher, &out);
		if (r)
			r = cli_errno(c, r, "%s with %s by %s", cli_action(op), c->args[0],
				      kvault_alg_name(alg));
	}
	if (!r)
		r = put_result(c, op, is_gcm(alg) && op == KVAULT_OP_ENCRYPT, &cipher, &out);
	kvault_secret_done(&in);
	kvault_secret_done(&out);
	kvault_secret_done(&aad);
	return r;
}

/* --context, split at its '='; the copies are freed with the process. */
static int contexts(struct cli *c, struct kvault_pair *pairs)
{
	unsigned int i;

	for (i = 0; i < c->n_values[OPT_CONTEXT]; i++) {
		char *text = strdup(c->values[OPT_CONTEXT][i]);
		char *eq = text ? strchr(text, '=') : NULL;

		if (!eq || eq == text)
			return cli_usage(c, "--context takes NAME=VALUE, not '%.100s'",
					 c->values[OPT_CONTEXT][i]);
		*eq = '\0';
		pairs[i] = (struct kvault_pair){ text, eq + 1 };
	}
	return 0;
}

struct progress {
	const char *what;
	uint64_t all, shown;
};

static void progress(uint64_t done, void *data)
{
	struct progress *p = data;

	if (p->all < 8 << 20 || done - p->shown < 1 << 20)
		return;
	p->shown = done;
	cli_progress(p->what, done, p->all);
}

static uint64_t size_of(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static int finish(struct cli *c, int r, const char *what, int in, struct cli_file *out)
{
	cli_progress_end();
	if (in > STDERR_FILENO)
		close(in);
	if (!r)
		return cli_out_commit(out);
	if (r == -EIO || r == -ENOSPC || r == -EPIPE)
		r = cli_fail(CLI_INTERNAL, "cannot %s with %s: %s", what, c->args[0],
			     strerror(-r));
	else if (r == -EBADMSG && !out->tmp && out->fd == STDOUT_FILENO)
		r = cli_errno(c, r, "%s all of it with %s, do not use what was written", what,
			      c->args[0]);
	else
		r = cli_errno(c, r, "%s with %s", what, c->args[0]);
	cli_out_abort(out);
	return r;
}

static int seal(struct cli *c, const struct kvault_address *a, const struct kvault_key *key,
		uint32_t alg, const struct kvault_pair *pairs)
{
	struct kvault_envelope env = { 0 };
	struct progress p = { .what = "encrypting" };
	struct cli_file out;
	int in, r;

	r = cli_in(cli_value(c, OPT_IN), &in);
	if (r)
		return r;
	r = cli_out(cli_value(c, OPT_OUT), 0, &out);
	if (r)
		return r;
	p.all = size_of(in);
	r = kvault_envelope_new(c->kv, a, key, alg, pairs, c->n_values[OPT_CONTEXT], &env);
	if (r == -EINVAL || r == -E2BIG) {
		cli_out_abort(&out);
		return cli_usage(c, r == -E2BIG ? "the --context is too long: 2048 bytes in all" :
				 "a name of --context is there twice");
	}
	if (!r)
		r = kvault_envelope_seal(c->kv, key, &env, in, out.fd, progress, &p);
	kvault_envelope_done(&env);
	return finish(c, r, "encrypt", in, &out);
}

static uint32_t rights(const struct cli *c)
{
	const char *alg = cli_value(c, OPT_ALG);

	return alg && is_cbc(kvault_alg_parse(alg)) ? CLI_RIGHTS_CBC : KVAULT_OP_ENCRYPT;
}

int cli_key_encrypt(struct cli *c)
{
	struct kvault_pair pairs[CLI_VALUES_MAX];
	struct kvault_address a;
	struct kvault_key key;
	uint32_t alg;
	int r;

	r = cli_address(c, 0, &a);
	if (!r)
		r = contexts(c, pairs);
	if (!r)
		r = cli_key_for(c, &a, rights(c), pairs, c->n_values[OPT_CONTEXT], &key);
	if (!r)
		r = cli_alg(c, &key, KVAULT_OP_ENCRYPT, &alg);
	if (r)
		return r;
	if (key.kty != KVAULT_KTY_OCT || cli_has(c, OPT_RAW)) {
		if (cli_has(c, OPT_CONTEXT))
			return cli_usage(c, "--context is for envelopes: symmetric keys make them");
		return bare(c, &key, KVAULT_OP_ENCRYPT, alg);
	}
	if (!is_gcm(alg))
		return cli_usage(c, "an envelope is made by A*GCM; for %s give --raw",
				 kvault_alg_name(alg));
	if (cli_has(c, OPT_IV) || cli_has(c, OPT_GCM_TAG) || cli_has(c, OPT_AAD))
		return cli_usage(c, "--iv, --tag and --aad are for --raw");
	return seal(c, &a, &key, alg, pairs);
}

/* The envelope must be of the key that was named, and of the context that was. */
static int check_envelope(struct cli *c, const struct kvault_address *a,
			  const struct kvault_envelope *env)
{
	struct kvault_pair pairs[CLI_VALUES_MAX];
	char address[KVAULT_PATH_MAX];
	size_t i, k;
	int r;

	kvault_address_format(&env->key, address, sizeof(address));
	if (strcasecmp(a->vault, env->key.vault) || strcasecmp(a->name, env->key.name) ||
	    (a->version[0] && strcmp(a->version, env->key.version)))
		return cli_fail(CLI_REFUSED, "cannot decrypt with %s: the envelope is of %s",
				c->args[0], address);
	if (cli_value(c, OPT_ALG) && kvault_alg_parse(cli_value(c, OPT_ALG)) != env->alg)
		return cli_fail(CLI_REFUSED, "cannot decrypt with %s: the envelope is made by %s",
				c->args[0], kvault_alg_name(env->alg));
	r = contexts(c, pairs);
	for (i = 0; !r && i < c->n_values[OPT_CONTEXT]; i++) {
		for (k = 0; k < env->n_context; k++)
			if (!strcmp(pairs[i].name, env->context[k].name) &&
			    !strcmp(pairs[i].value, env->context[k].value))
				break;
		if (k == env->n_context)
			r = cli_fail(CLI_REFUSED, "cannot decrypt with %s: the envelope is not of "
				     "the context %s=%s", c->args[0], pairs[i].name,
				     pairs[i].value);
	}
	return r;
}

static int open_envelope(struct cli *c, const struct kvault_address *a, int in)
{
	struct progress p = { .what = "decrypting", .all = size_of(in) };
	struct kvault_envelope env;
	struct kvault_key key;
	struct cli_file out;
	int r;

	r = kvault_envelope_read(in, &env);
	if (r == -EBADMSG)
		return cli_fail(CLI_REFUSED, "cannot decrypt with %s: the input is no envelope, or "
				"its start is damaged; bare ciphertext takes --raw or an RSA key",
				c->args[0]);
	if (r)
		return cli_fail(CLI_USAGE, "cannot read %s: %s", cli_value(c, OPT_IN) ?
				cli_value(c, OPT_IN) : "standard input", strerror(-r));
	r = check_envelope(c, a, &env);
	if (!r)
		r = cli_key_for(c, &env.key, KVAULT_OP_DECRYPT, env.context, env.n_context, &key);
	if (!r)
		r = cli_out(cli_value(c, OPT_OUT), CLI_SECRET, &out);
	if (!r) {
		/* cppcheck-suppress uninitStructMember ; cli_out() has set it */
		r = kvault_envelope_open(c->kv, &key, &env, in, out.fd, progress, &p);
		r = finish(c, r, "decrypt", in, &out);
	}
	kvault_envelope_done(&env);
	return r;
}

int cli_key_decrypt(struct cli *c)
{
	const char *name = cli_value(c, OPT_ALG);
	uint32_t alg = name ? kvault_alg_parse(name) : 0;
	struct kvault_address a;
	struct kvault_key key;
	int in, r;

	if (name && !alg)
		return cli_usage(c, "there is no algorithm '%.40s'", name);
	r = cli_address(c, 0, &a);
	if (r)
		return r;
	if (cli_has(c, OPT_RAW) || alg >= KVAULT_ALG_RSA1_5) {
		r = cli_key(c, &a, KVAULT_OP_DECRYPT, &key);
		if (!r)
			r = cli_alg(c, &key, KVAULT_OP_DECRYPT, &alg);
		return r ? r : bare(c, &key, KVAULT_OP_DECRYPT, alg);
	}
	r = cli_in(cli_value(c, OPT_IN), &in);
	return r ? r : open_envelope(c, &a, in);
}

static int wrap(struct cli *c, uint32_t op)
{
	struct kvault_address a;
	struct kvault_key key;
	uint32_t alg;
	int r;

	r = cli_address(c, 0, &a);
	if (!r)
		r = cli_key(c, &a, op, &key);
	if (!r)
		r = cli_alg(c, &key, op, &alg);
	return r ? r : bare(c, &key, op, alg);
}

int cli_key_wrap(struct cli *c)
{
	return wrap(c, KVAULT_OP_WRAP);
}

int cli_key_unwrap(struct cli *c)
{
	return wrap(c, KVAULT_OP_UNWRAP);
}
