// SPDX-License-Identifier: GPL-2.0-only
/*
 * seal KEY and unseal: encrypt standard input to standard output with a key of
 * the vault, of any length, and back. What comes out is kvault-envelope(5),
 * which says by itself which key opens it: 'kvault key decrypt' takes it too.
 *
 *	cc -o seal seal.c $(pkg-config --cflags --libs libkvault)
 *	tar c /srv | ./seal payroll/files >srv.kv
 *	./seal <srv.kv >srv.tar
 */
#include <kvault.h>
#include <stdio.h>
#include <unistd.h>

static int encrypt(struct kvault *kv, const struct kvault_address *address)
{
	static const struct kvault_pair context[] = { { "made-by", "seal" } };
	struct kvault_envelope env;
	struct kvault_key key;
	char path[KVAULT_PATH_MAX];
	int r;

	kvault_address_format(address, path, sizeof(path));
	r = kvault_key_open(kv, path, KVAULT_OP_ENCRYPT, &key);
	if (r)
		return r;
	r = kvault_envelope_new(kv, address, &key, kvault_alg_default(&key, KVAULT_OP_ENCRYPT),
				context, 1, &env);
	if (r)
		return r;
	r = kvault_envelope_seal(kv, &key, &env, STDIN_FILENO, STDOUT_FILENO, NULL, NULL);
	kvault_envelope_done(&env);
	return r;
}

/* What was written before an error is no more than a part of a message. */
static int decrypt(struct kvault *kv)
{
	struct kvault_envelope env;
	struct kvault_key key;
	char path[KVAULT_PATH_MAX];
	int r = kvault_envelope_read(STDIN_FILENO, &env);

	if (r)
		return r;
	kvault_address_format(&env.key, path, sizeof(path));
	r = kvault_key_open(kv, path, KVAULT_OP_DECRYPT, &key);
	if (!r)
		r = kvault_envelope_open(kv, &key, &env, STDIN_FILENO, STDOUT_FILENO, NULL, NULL);
	kvault_envelope_done(&env);
	return r;
}

int main(int argc, char **argv)
{
	struct kvault_address address;
	struct kvault *kv = NULL;
	int r;

	if (argc > 2 || (argc == 2 && kvault_address_parse(argv[1], &address, NULL))) {
		fprintf(stderr, "usage: seal [VAULT/KEY] <IN >OUT\n");
		return 2;
	}
	r = kvault_open(&kv);
	if (!r)
		r = argc == 2 ? encrypt(kv, &address) : decrypt(kv);
	if (r)
		fprintf(stderr, "seal: %s\n", kvault_strerror(r));
	kvault_close(kv);
	return r ? 3 : 0;
}
