// SPDX-License-Identifier: GPL-2.0-only
/*
 * audit verify: recomputes the chain and checks the signatures of checkpoints.
 *
 *	hash(n) = SHA-256(0x00 || hash(n-1) || canonical JSON of record n)
 *
 * with 32 zeros before the first; canonical JSON is compact, with sorted keys
 * and without the member "hash". A checkpoint's signature is ES256, r||s, with
 * the digest
 *
 *	SHA-256("kvault/1/audit-head" || store id (16) || tenant id (16) ||
 *		signedSeq (8, big-endian) || hash(signedSeq) (32))
 */
#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "cli.h"

#define HASH	32

struct check {
	uint8_t (*hashes)[HASH];	/* of record n at n; 32 zeros at 0 */
	size_t n, room;
	uint64_t all;
	char *key;			/* JWK of checkpoints, or NULL */
	uint8_t store[KVAULT_ID_SIZE];	/* whose log it is: signed with it */
	uint8_t tenant[KVAULT_ID_SIZE];
	unsigned int checkpoints;
	size_t signed_seq;		/* record that the last of them signed */
	char broken[512];
};

static int hash_record(const uint8_t *prev, const json_t *record, uint8_t *out)
{
	char *text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	static const uint8_t domain;
	int ok;

	ok = text && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(md, &domain, 1) && EVP_DigestUpdate(md, prev, HASH) &&
	     EVP_DigestUpdate(md, text, strlen(text)) && EVP_DigestFinal_ex(md, out, NULL);
	EVP_MD_CTX_free(md);
	free(text);
	return ok ? 0 : -1;
}

/* What a checkpoint of record seq signs; 0, or -1 without memory. */
static int head_digest(const struct check *k, uint64_t seq, uint8_t *out)
{
	static const char label[] = "kvault/1/audit-head";
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint64_t n = htobe64(seq);
	int ok;

	ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(md, label, sizeof(label) - 1) &&
	     EVP_DigestUpdate(md, k->store, sizeof(k->store)) &&
	     EVP_DigestUpdate(md, k->tenant, sizeof(k->tenant)) &&
	     EVP_DigestUpdate(md, &n, sizeof(n)) &&
	     EVP_DigestUpdate(md, k->hashes[seq], HASH) && EVP_DigestFinal_ex(md, out, NULL);
	EVP_MD_CTX_free(md);
	return ok ? 0 : -1;
}

static int broken(struct check *k, size_t seq, const json_t *v, const char *why)
{
	const char *when = cli_str(v, "time"), *op = cli_str(v, "operationName");
	const char *object = cli_str(v, "object");

	snprintf(k->broken, sizeof(k->broken), "record %zu (%s, %s%s%.200s): %s", seq,
		 when ? when : "no time", op ? op : "no operation", object ? " of " : "",
		 object ? object : "", why);
	return CLI_NO;
}

static const char *bad_checkpoint(struct check *k, const json_t *v)
{
	const char *text = cli_str(v, "signature");
	int64_t seq = cli_int(v, "signedSeq");
	uint8_t sig[64], digest[HASH];
	size_t len = 0;

	/* Whoever forgot which record it is of, meant the one before. */
	if (!json_object_get(v, "signedSeq"))
		seq = (int64_t)k->n - 1;
	if (seq < 0 || (size_t)seq >= k->n)
		return "the checkpoint is of a record that is not before it";
	/* else an old signature could stand in for one over what was changed */
	if ((size_t)seq <= k->signed_seq)
		return "the checkpoint is of a record that an earlier one has signed";
	if (!k->key)
		return "there is a checkpoint, and no key to check it with";
	if (!text || kvault_base64url_decode(sig, sizeof(sig), text, strlen(text), &len) ||
	    head_digest(k, (uint64_t)seq, digest) ||
	    kvault_public_verify(k->key, digest, sig, len))
		return "the checkpoint's signature does not verify";
	k->signed_seq = (size_t)seq;
	k->checkpoints++;
	return NULL;
}

static int make_room(struct check *k)
{
	void *p;

	if (k->n < k->room)
		return 0;
	k->room = k->room ? 2 * k->room : 1024;
	p = realloc(k->hashes, k->room * sizeof(*k->hashes));
	if (!p)
		return cli_fail(CLI_INTERNAL, "out of memory");
	k->hashes = p;
	return 0;
}

static int check_one(struct cli *c, json_t *v, void *data)
{
	const char *op = cli_str(v, "operationName"), *bad;
	uint8_t claimed[HASH];
	struct check *k = data;
	const char *hex;

	(void)c;
	if (make_room(k))
		return CLI_INTERNAL;
	if (cli_int(v, "seq") != (int64_t)k->n)
		return broken(k, k->n, v, "it is missing; this one is in its place");
	hex = cli_str(v, "hash");
	if (!hex || kvault_hex_decode(claimed, HASH, hex))
		return broken(k, k->n, v, "it has no hash");
	json_object_del(v, "hash");
	if (hash_record(k->hashes[k->n - 1], v, k->hashes[k->n]))
		return cli_fail(CLI_INTERNAL, "out of memory");
#ifndef KVAULT_MUTANT_NO_HASH_CHECK
	if (memcmp(claimed, k->hashes[k->n], HASH))
		return broken(k, k->n, v, "it was changed: its hash is another");
#endif
	bad = op && !strcmp(op, "AuditCheckpoint") ? bad_checkpoint(k, v) : NULL;
	if (bad)
		return broken(k, k->n, v, bad);
	k->n++;
	if (k->n % 256 == 0)
		cli_progress("verifying", k->n, k->all);
	return 0;
}

static int take_key(struct check *k, const json_t *key, const json_t *who)
{
	const char *store = cli_str(key, "store"), *tenant = cli_str(who, "tenant");

	k->key = json_dumps(key, JSON_COMPACT);
	if (!k->key || !store || !tenant || kvault_hex_decode(k->store, sizeof(k->store), store) ||
	    kvault_hex_decode(k->tenant, sizeof(k->tenant), tenant))
		return cli_fail(CLI_INTERNAL, "kvaultd does not say whose log it signs");
	return 0;
}

/* How long the log is, said before it is read: what is cut off at its end is missed. */
static int start(struct cli *c, struct check *k, json_t **ret_head)
{
	json_t *status = NULL, *who = NULL, *key = NULL;
	const char *kind;
	int r;

	r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/status", NULL, NULL,
					    "ask how long the log is" }, &status);
	if (!r)
		r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/whoami", NULL, NULL,
						    "ask whose log it is" }, &who);
	if (r)
		goto out;
	kind = cli_str(who, "kind");
	k->all = (uint64_t)cli_int(status, "audit.records");
	*ret_head = json_incref(json_object_get(status, "audit"));
	if (!kind || strcmp(kind, "host"))
		goto out;
	/* The host's log has no key until its first checkpoint: then this is a 404. */
	if (cli_int(status, "audit.checkpoint") > 0)
		r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/audit/key", NULL, NULL,
						    "get the key of the log's checkpoints" }, &key);
	if (!r && key)
		r = take_key(k, key, who);
out:
	json_decref(status);
	json_decref(who);
	json_decref(key);
	return r;
}

static int check_end(struct check *k, const json_t *head)
{
	const char *hex = cli_str(head, "head");
	uint8_t want[HASH];

	if (k->n - 1 < k->all) {
		snprintf(k->broken, sizeof(k->broken), "record %zu: it is missing, and all behind "
			 "it: the log should have %llu", k->n, (unsigned long long)k->all);
		return CLI_NO;
	}
	if (hex && k->all && !kvault_hex_decode(want, HASH, hex) &&
	    memcmp(want, k->hashes[k->all], HASH)) {
		snprintf(k->broken, sizeof(k->broken),
			 "record %llu: its hash is not the one that kvaultd goes on from",
			 (unsigned long long)k->all);
		return CLI_NO;
	}
	return 0;
}

static int report(struct cli *c, const struct check *k, int r)
{
	json_t *j;

	if (r && r != CLI_NO)
		return r;
	j = json_pack("{s:b, s:I, s:i, s:s*}", "valid", r == 0, "records",
		      (json_int_t)(k->n - 1), "checkpoints", (int)k->checkpoints, "broken",
		      r ? k->broken : NULL);
	if (cli_for_people(c, j, &r) && !k->broken[0])
		cli_note(c, "the log is whole: %zu records, %u signed checkpoints", k->n - 1,
			 k->checkpoints);
	json_decref(j);
	if (k->broken[0])
		return cli_fail(CLI_NO, "the log is broken at %s", k->broken);
	return r;
}

int cli_audit_verify(struct cli *c)
{
	struct check k = { .n = 0 };
	json_t *head = NULL;
	int r;

	r = make_room(&k);
	if (r || !k.hashes)
		return CLI_INTERNAL;
	memset(k.hashes[0], 0, HASH);
	k.n = 1;
	r = start(c, &k, &head);
	if (!r)
		r = cli_audit_each(c, 0, check_one, &k);
	if (!r)
		r = check_end(&k, head);
	cli_progress_end();
	r = report(c, &k, r);
	json_decref(head);
	free(k.hashes);
	free(k.key);
	return r;
}

int cli_audit_accept(struct cli *c)
{
	struct cli_call call = { KVAULT_METHOD_POST, "/audit/accept", NULL, NULL,
				 "go on with the log" };
	unsigned long long seq;
	json_t *body, *j = NULL;
	char *end;
	int r;

	errno = 0;
	seq = strtoull(c->args[0], &end, 10);
	if (c->args[0][0] < '0' || c->args[0][0] > '9' || *end || errno || !seq || seq > INT64_MAX)
		return cli_usage(c, "'%.60s' is not the number of a record", c->args[0]);
	r = cli_confirm(c, "The log does not check at record %llu: what is there may have been "
			"changed, and will go on being told. Go on with it?", seq);
	if (r)
		return r;
	body = json_pack("{s:I}", "record", (json_int_t)seq);
	call.body = body;
	if (!cli_dry_run(c, &call))
		r = cli_call(c, &call, &j);
	if (!r && j && cli_for_people(c, j, &r))
		cli_note(c, "the log goes on behind record %llu", seq);
	json_decref(body);
	json_decref(j);
	return r;
}
