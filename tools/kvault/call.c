// SPDX-License-Identifier: GPL-2.0-only
/* The device: control operations with their errors told, keys, algorithms. */
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "cli.h"

int cli_open(struct cli *c)
{
	unsigned long seconds = 0;
	int r;

	if (c->kv)
		return 0;
	r = kvault_open(&c->kv);
	if (r)
		return cli_fail(r == -EACCES || r == -EPERM ? CLI_REFUSED : CLI_UNAVAILABLE,
				"cannot open /dev/kvault: %s", r == -EACCES || r == -EPERM ?
				"permission denied; its mode should be 0666" : kvault_strerror(r));
	/* The primes of an RSA key take their time. */
	if (c->verb->fn == cli_key_create || c->verb->fn == cli_key_import ||
	    c->verb->fn == cli_key_rotate)
		seconds = 60;
	r = cli_number(c, OPT_TIMEOUT, 1, KVAULT_TIMEOUT_MS_MAX / 1000, &seconds);
	kvault_set_timeout(c->kv, (uint32_t)seconds * 1000);
	return r;
}

static int exit_of_http(uint32_t status)
{
	switch (status) {
	case 400:
	case 405:
		return CLI_USAGE;
	case 503:
	case 504:
		return CLI_UNAVAILABLE;
	default:
		return status >= 500 ? CLI_INTERNAL : CLI_REFUSED;
	}
}

/* What would mend it, where the daemon's line does not say so itself. */
static const char *mend(const char *code)
{
	static const struct {
		const char *code, *text;
	} mends[] = {
		{ "KeyDisabled", "enable it with 'kvault key update ADDRESS --enabled'" },
		{ "ForbiddenByRbac", "an administrator can allow it with 'kvault role assign'" },
		{ "KeyOperationForbidden", "'kvault key show ADDRESS' says what it is for" },
		{ "KeyExpired", "make a new version with 'kvault key create'" },
		{ "KeyNotYetValid", "change it with 'kvault key update ADDRESS --not-before'" },
		{ "KeyNotFound", "'kvault key list' shows what there is" },
		{ "SecretDisabled", "enable it with 'kvault secret update ADDRESS --enabled'" },
		{ "SecretNotFound", "'kvault secret list' shows what there is" },
		{ "VaultNotFound", "'kvault vault list' shows what there is" },
		{ "ObjectIsDeletedButRecoverable", "'recover' and 'purge' free the name" },
		{ "Throttled", "try again later" },
	};
	size_t i;

	for (i = 0; code && i < ARRAY_SIZE(mends); i++)
		if (!strcmp(code, mends[i].code))
			return mends[i].text;
	return NULL;
}

static int refused(const struct cli_call *call, const struct kvault_reply *reply, const json_t *j)
{
	const char *message = cli_str(j, "error.message");
	const char *inner = cli_str(j, "error.innererror.code");
	const char *code = cli_str(j, "error.code");
	const char *hint = mend(inner ? inner : code);
	char hex[2 * KVAULT_ID_SIZE + 1];

	kvault_hex_encode(hex, reply->request_id, KVAULT_ID_SIZE);
	return cli_fail(exit_of_http(reply->status), "cannot %s: %s%s%s (%s, request %s)",
			call->what, message ? message : "kvaultd gave no reason",
			hint ? "; " : "", hint ? hint : "",
			inner ? inner : code ? code : "no code", hex);
}

static const char *method_name(enum kvault_method method)
{
	static const char *const names[] = {
		[KVAULT_METHOD_GET] = "GET", [KVAULT_METHOD_PUT] = "PUT",
		[KVAULT_METHOD_POST] = "POST", [KVAULT_METHOD_PATCH] = "PATCH",
		[KVAULT_METHOD_DELETE] = "DELETE",
	};

	return names[method];
}

bool cli_dry_run(const struct cli *c, const struct cli_call *call)
{
	char *text = NULL;

	if (!cli_has(c, OPT_DRY_RUN))
		return false;
	if (call->body)
		text = json_dumps(call->body, JSON_COMPACT | JSON_SORT_KEYS);
	printf("%s %s%s%s", method_name(call->method), call->path, text ? " " : "",
	       text ? text : "");
	if (call->secret)
		printf(" + %zu secret bytes", call->secret->len);
	putchar('\n');
	free(text);
	return true;
}

/* The value passes from the answer to who asked. */
static int take_value(const struct cli_call *call, struct kvault_reply *reply,
		      struct kvault_secret *ret)
{
	if (!reply->secret)
		return cli_fail(CLI_INTERNAL, "cannot %s: the answer has no value", call->what);
	*ret = (struct kvault_secret){ reply->secret, reply->secret_len, KVAULT_PAYLOAD_MAX / 2 };
	reply->secret = NULL;
	return 0;
}

int cli_call_value(struct cli *c, const struct cli_call *call, struct kvault_secret *ret_value,
		   json_t **ret)
{
	struct kvault_reply reply;
	char *text = NULL;
	json_t *j;
	int r;

	r = cli_open(c);
	if (r)
		return r;
	if (call->body)
		text = json_dumps(call->body, JSON_COMPACT);
	if (strlen(call->path) > KVAULT_PATH_MAX || (text && strlen(text) > KVAULT_BODY_MAX)) {
		free(text);
		return cli_fail(CLI_USAGE, "cannot %s: it is too long", call->what);
	}
	r = kvault_control(c->kv, call->method, call->path, text,
			   call->secret ? call->secret->data : NULL,
			   call->secret ? call->secret->len : 0, &reply);
	free(text);
	if (r)
		return cli_errno(c, r, "%s", call->what);
	j = json_loadb(reply.body, reply.body_len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (reply.status < 200 || reply.status > 299)
		r = refused(call, &reply, j);
	else if (!j)
		r = cli_fail(CLI_INTERNAL, "cannot %s: kvaultd's answer is not JSON", call->what);
	else if (ret_value)
		r = take_value(call, &reply, ret_value);
	kvault_reply_done(&reply);
	if (r) {
		json_decref(j);
		return r;
	}
	if (ret)
		*ret = j;
	else
		json_decref(j);
	return 0;
}

int cli_call(struct cli *c, const struct cli_call *call, json_t **ret)
{
	return cli_call_value(c, call, NULL, ret);
}

int cli_list(struct cli *c, const char *path, const char *what,
	     int (*fn)(struct cli *c, json_t *item, void *data), void *data)
{
	char at[KVAULT_PATH_MAX + 1];
	json_t *page = NULL, *item;
	const char *next;
	size_t i;
	int r;

	snprintf(at, sizeof(at), "%s", path);
	do {
		r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, at, NULL, NULL, what },
			     &page);
		if (r)
			return r;
		json_array_foreach(json_object_get(page, "value"), i, item) {
			r = fn(c, item, data);
			if (r)
				break;
		}
		next = cli_str(page, "nextLink");
		snprintf(at, sizeof(at), "%s", next ? next : "");
		json_decref(page);
	} while (!r && at[0]);
	return r;
}

int cli_address(struct cli *c, unsigned int n, struct kvault_address *ret)
{
	enum kvault_object type = cli_is_secret(c) ? KVAULT_OBJECT_SECRET : KVAULT_OBJECT_KEY;
	const char *why;

	if (kvault_address_parse_as(type, c->args[n], ret, &why))
		return cli_usage(c, "'%.200s' is not the address of a %s: %s", c->args[n],
				 cli_is_secret(c) ? "secret" : "key", why);
	return 0;
}

void cli_key_path(const struct kvault_address *a, const char *suffix, char *out, size_t size)
{
	snprintf(out, size, "/vaults/%s/%s/%s%s%s%s", a->vault,
		 a->type == KVAULT_OBJECT_SECRET ? "secrets" : "keys", a->name,
		 a->version[0] ? "/" : "", a->version, suffix);
}

const char *cli_action(uint32_t op)
{
	switch (op) {
	case CLI_RIGHTS_CBC:
		return "encrypt";
	case KVAULT_OP_WRAP:
		return "wrap";
	case KVAULT_OP_UNWRAP:
		return "unwrap";
	default:
		return kvault_op_name(op);
	}
}

/* What was refused names the action of spec.md 5.1 that a role would have to allow. */
static int key_refused(struct cli *c, int r, uint32_t op, const char *path)
{
	char hex[2 * KVAULT_ID_SIZE + 1];

	kvault_hex_encode(hex, kvault_request_id(c->kv), KVAULT_ID_SIZE);
	switch (r) {
	case -EACCES:
		if (op == CLI_RIGHTS_CBC)
			return cli_fail(CLI_REFUSED, "cannot encrypt with %s by CBC: it takes "
					"keys/encrypt/action and keys/decrypt/action, in a role "
					"and in the key: who chooses the iv reads what GCM "
					"encrypted; take A*GCM (request %s)", path, hex);
		return cli_fail(CLI_REFUSED, "cannot %s with %s: no role of yours has "
				"keys/%s/action, or the key does not do it; an administrator "
				"can allow it with 'kvault role assign' (request %s)",
				cli_action(op), path, cli_action(op), hex);
	case -EKEYREVOKED:
		return cli_fail(CLI_REFUSED, "cannot %s with %s: the key is disabled; enable it "
				"with 'kvault key update %s --enabled' (request %s)",
				cli_action(op), path, path, hex);
	default:
		return cli_errno(c, r, "%s with %s", cli_action(op), path);
	}
}

/* Behind what is there; false: it does not fit. */
static bool put_escaped(char *path, const char *text)
{
	size_t n = strlen(path);

	for (; *text; text++) {
		bool is_plain = isalnum((unsigned char)*text) || strchr("-._", *text);

		if (n + 4 > KVAULT_PATH_MAX)
			return false;
		n += (size_t)sprintf(path + n, is_plain ? "%c" : "%%%02X", (unsigned char)*text);
	}
	return true;
}

/* Of all pairs: NAME=VALUE and a NUL each. */
static int put_hash(char *path, const struct kvault_pair *pairs, size_t n)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	char hex[65] = "";
	uint8_t hash[32];
	size_t i;
	int ok;

	ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	for (i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(md, pairs[i].name, strlen(pairs[i].name)) &&
		     EVP_DigestUpdate(md, "=", 1) &&
		     EVP_DigestUpdate(md, pairs[i].value, strlen(pairs[i].value) + 1);
	ok = ok && EVP_DigestFinal_ex(md, hash, NULL);
	EVP_MD_CTX_free(md);
	if (!ok)
		return cli_fail(CLI_INTERNAL, "out of memory");
	kvault_hex_encode(hex, hash, sizeof(hash));
	strcat(strcat(path, "?contextSha256="), hex);
	return 0;
}

/* What the key is used for, for the log; a context that is too long by its hash. */
static int put_context(char *path, const struct kvault_pair *pairs, size_t n)
{
	size_t len = strlen(path), i;
	bool fits = true;

	for (i = 0; fits && i < n; i++)
		fits = strlen(path) + 16 < KVAULT_PATH_MAX &&
		       put_escaped(strcat(path, i ? "&context=" : "?context="), pairs[i].name) &&
		       put_escaped(path, "=") && put_escaped(path, pairs[i].value);
	if (fits)
		return 0;
	path[len] = '\0';
	return put_hash(path, pairs, n);
}

int cli_key_for(struct cli *c, const struct kvault_address *a, uint32_t op,
		const struct kvault_pair *pairs, size_t n, struct kvault_key *ret)
{
	char address[KVAULT_PATH_MAX + 1], path[KVAULT_PATH_MAX + 1];
	int r;

	r = cli_open(c);
	if (r)
		return r;
	kvault_address_format(a, address, sizeof(address));
	memcpy(path, address, sizeof(path));
	r = put_context(path, pairs, n);
	if (r)
		return r;
	r = kvault_key_open(c->kv, path, op, ret);
	/* What the answer said was overtaken by a change: asked once more. */
	if (r == -ESTALE)
		r = kvault_key_open(c->kv, path, op, ret);
	return r ? key_refused(c, r, op, address) : 0;
}

int cli_key(struct cli *c, const struct kvault_address *a, uint32_t op, struct kvault_key *ret)
{
	return cli_key_for(c, a, op, NULL, 0, ret);
}

/* All that would have done. */
static void name_algorithms(const struct kvault_key *key, uint32_t op, char *out, size_t size)
{
	uint32_t alg = 0;
	size_t len = 0;

	out[0] = '\0';
	while ((alg = kvault_alg_next(alg)) && len < size)
		if (kvault_alg_fits(key, op, alg))
			len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
						kvault_alg_name(alg));
}

int cli_alg(struct cli *c, const struct kvault_key *key, uint32_t op, uint32_t *ret)
{
	char fitting[256];
	const char *name = cli_value(c, OPT_ALG);
	uint32_t alg = name ? kvault_alg_parse(name) : kvault_alg_default(key, op);

	if (name && !alg)
		return cli_usage(c, "there is no algorithm '%.40s'; for one that fits the key, "
				 "give none", name);
	if (name && !kvault_alg_fits(key, op, alg)) {
		name_algorithms(key, op, fitting, sizeof(fitting));
		return cli_fail(CLI_REFUSED, "%s does not %s with this key%s%s", name,
				cli_action(op), fitting[0] ? ": it takes " : ", and nothing does",
				fitting);
	}
	if (!alg)
		return cli_fail(CLI_USAGE, "a key of type %s cannot %s",
				kvault_kty_name(key->kty), cli_action(op));
	*ret = alg;
	return 0;
}
