// SPDX-License-Identifier: GPL-2.0-only
/*
 * key sign and verify. RSA and EC sign a digest, which is made here of a file
 * of any size; HS* sign the bytes, of which one operation takes so many.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "cli.h"

struct message {
	struct kvault_key key;
	uint32_t alg;
	bool is_der;
	struct kvault_secret data;	/* the digest, or the bytes */
};

static bool is_ecdsa(uint32_t alg)
{
	return alg >= KVAULT_ALG_ES256 && alg <= KVAULT_ALG_ES256K;
}

static int hash_file(const struct cli *c, const char *digest, struct kvault_secret *ret)
{
	const char *name = cli_value(c, OPT_IN);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	static uint8_t buf[65536];
	unsigned int len = 0;
	ssize_t n = -1;
	int fd, r;

	r = cli_in(name, &fd);
	if (!r && kvault_secret_new(EVP_MAX_MD_SIZE, ret))
		r = cli_fail(CLI_INTERNAL, "out of memory");
	if (r)
		goto out_free;
	if (md && EVP_DigestInit_ex(md, EVP_get_digestbyname(digest), NULL)) {
		while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
			if (n > 0)
				EVP_DigestUpdate(md, buf, (size_t)n);
		if (n < 0)
			r = cli_fail(CLI_USAGE, "cannot read %s: %m",
				     name ? name : "standard input");
		else if (!EVP_DigestFinal_ex(md, ret->data, &len))
			n = -1;
	}
	ret->len = len;
	if (!r && n < 0)
		r = cli_fail(CLI_INTERNAL, "%s cannot be computed here", digest);
	if (fd != STDIN_FILENO)
		close(fd);
out_free:
	explicit_bzero(buf, sizeof(buf));
	EVP_MD_CTX_free(md);
	return r;
}

static int read_message(const struct cli *c, struct message *m)
{
	const char *digest = kvault_alg_digest(m->alg);
	int r, size;

	if (!digest && m->alg != KVAULT_ALG_RSNULL && cli_has(c, OPT_DIGEST))
		return cli_usage(c, "%s is over the bytes, there is no --digest",
				 kvault_alg_name(m->alg));
	if (digest && !cli_has(c, OPT_DIGEST))
		return hash_file(c, digest, &m->data);
	r = cli_read_in(c, KVAULT_PAYLOAD_MAX, &m->data);
	if (r || !digest)
		return r;
	size = EVP_MD_get_size(EVP_get_digestbyname(digest));
	if (m->data.len != (size_t)size)
		return cli_fail(CLI_USAGE, "a digest of %s has %d bytes, and the input has %zu",
				digest, size, m->data.len);
	return 0;
}

static int start(struct cli *c, uint32_t op, struct message *m)
{
	const char *format = cli_value(c, OPT_FORMAT);
	struct kvault_address a;
	int r;

	if (format && strcmp(format, "der") && strcmp(format, "raw"))
		return cli_usage(c, "--format takes der or raw, not '%.40s'", format);
	if (cli_value(c, OPT_ALG) && !kvault_alg_parse(cli_value(c, OPT_ALG)))
		return cli_usage(c, "there is no algorithm '%.40s'", cli_value(c, OPT_ALG));
	r = cli_address(c, 0, &a);
	if (!r)
		r = cli_key(c, &a, op, &m->key);
	if (!r)
		r = cli_alg(c, &m->key, op, &m->alg);
	if (r)
		return r;
	m->is_der = is_ecdsa(m->alg) && !(format && !strcmp(format, "raw"));
	if (format && !strcmp(format, "der") && !is_ecdsa(m->alg))
		return cli_usage(c, "%s has no DER form: its signature is bare bytes",
				 kvault_alg_name(m->alg));
	return read_message(c, m);
}

int cli_key_sign(struct cli *c)
{
	uint8_t sig[KVAULT_AUX_MAX], der[KVAULT_SIGNATURE_MAX];
	size_t len = sizeof(sig), der_len = sizeof(der);
	struct message m = { 0 };
	int r;

	r = start(c, KVAULT_OP_SIGN, &m);
	if (!r) {
		r = kvault_sign(c->kv, &m.key, m.alg, m.data.data, m.data.len, sig, &len);
		if (r)
			r = cli_errno(c, r, "sign with %s by %s", c->args[0],
				      kvault_alg_name(m.alg));
	}
	kvault_secret_done(&m.data);
	if (r)
		return r;
	if (!m.is_der)
		return cli_write(cli_value(c, OPT_OUT), 0, sig, len);
	if (kvault_signature_to_der(m.alg, sig, len, der, &der_len))
		return cli_fail(CLI_INTERNAL, "the vault's signature cannot be read");
	return cli_write(cli_value(c, OPT_OUT), 0, der, der_len);
}

static int say(const struct cli *c, bool is_valid)
{
	json_t *j = json_pack("{s:b}", "value", (int)is_valid);
	int r;

	if (cli_for_people(c, j, &r))
		cli_note(c, is_valid ? "valid" : "not valid");
	json_decref(j);
	return r ? r : is_valid ? CLI_DONE : CLI_NO;
}

int cli_key_verify(struct cli *c)
{
	struct kvault_secret file = { 0 };
	struct message m = { 0 };
	uint8_t sig[KVAULT_AUX_MAX];
	size_t len = sizeof(sig);
	int r;

	if (!cli_has(c, OPT_SIG))
		return cli_usage(c, "--sig is missing");
	r = cli_read(cli_value(c, OPT_SIG), sizeof(sig), &file);
	if (!r)
		r = start(c, KVAULT_OP_VERIFY, &m);
	if (r)
		goto out;
	if (!m.is_der) {
		len = file.len;
		memcpy(sig, file.data, len);
	} else if (kvault_signature_to_raw(m.alg, file.data, file.len, sig, &len)) {
		r = say(c, false);
		goto out;
	}
	r = kvault_verify(c->kv, &m.key, m.alg, m.data.data, m.data.len, sig, len);
	if (!r || r == -EKEYREJECTED)
		r = say(c, !r);
	else
		r = cli_errno(c, r, "verify with %s by %s", c->args[0], kvault_alg_name(m.alg));
out:
	kvault_secret_done(&file);
	kvault_secret_done(&m.data);
	return r;
}
