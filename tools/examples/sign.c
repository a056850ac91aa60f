// SPDX-License-Identifier: GPL-2.0-only
/*
 * sign KEY FILE: sign a file with an EC or RSA key of the vault and write the
 * signature to standard output, so that 'openssl dgst -verify' takes it.
 *
 *	cc -o sign sign.c $(pkg-config --cflags --libs libkvault libcrypto)
 *	./sign payroll/signing contract >contract.sig
 */
#include <errno.h>
#include <kvault.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* The digest that the key's algorithm wants of the file; 0 or negative errno. */
static int digest_of(const char *path, const char *hash, uint8_t *digest, unsigned int *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	FILE *f = fopen(path, "rb");
	int r = f && ctx && EVP_DigestInit(ctx, EVP_get_digestbyname(hash)) == 1 ? 0 : -EIO;
	uint8_t part[4096];
	size_t n;

	if (!f)
		r = -errno;
	while (!r && (n = fread(part, 1, sizeof(part), f)) > 0)
		EVP_DigestUpdate(ctx, part, n);
	if (!r && (ferror(f) || EVP_DigestFinal(ctx, digest, len) != 1))
		r = -EIO;
	EVP_MD_CTX_free(ctx);
	if (f)
		fclose(f);
	return r;
}

/* The signature as everybody but JOSE has it: ECDSA in DER, RSA as it is. */
static int sign(struct kvault *kv, const struct kvault_key *key, const char *path, uint8_t *sig,
		size_t *sig_len)
{
	uint32_t alg = kvault_alg_default(key, KVAULT_OP_SIGN);
	const char *hash = kvault_alg_digest(alg);
	uint8_t digest[EVP_MAX_MD_SIZE], raw[512];
	size_t raw_len = sizeof(raw);
	unsigned int len;
	int r;

	if (!hash)
		return -EOPNOTSUPP;
	r = digest_of(path, hash, digest, &len);
	if (!r)
		r = kvault_sign(kv, key, alg, digest, len, raw, &raw_len);
	if (r)
		return r;
	if (key->kty == KVAULT_KTY_EC)
		return kvault_signature_to_der(alg, raw, raw_len, sig, sig_len);
	memcpy(sig, raw, raw_len);
	*sig_len = raw_len;
	return 0;
}

int main(int argc, char **argv)
{
	struct kvault_address address;
	struct kvault_key key;
	struct kvault *kv = NULL;
	char path[KVAULT_PATH_MAX];
	uint8_t sig[512];
	size_t len = sizeof(sig);
	const char *why;
	int r;

	if (argc != 3 || kvault_address_parse(argv[1], &address, &why)) {
		fprintf(stderr, "usage: sign VAULT/KEY FILE%s%s\n", argc == 3 ? ": " : "",
			argc == 3 ? why : "");
		return 2;
	}
	kvault_address_format(&address, path, sizeof(path));
	r = kvault_open(&kv);
	if (!r)
		r = kvault_key_open(kv, path, KVAULT_OP_SIGN, &key);
	if (!r)
		r = sign(kv, &key, argv[2], sig, &len);
	if (!r && fwrite(sig, 1, len, stdout) != len)
		r = -EIO;
	if (r)
		fprintf(stderr, "sign: %s: %s\n", argv[1], kvault_strerror(r));
	kvault_close(kv);	/* gives the handle back too; NULL is allowed */
	return r ? 3 : 0;
}
