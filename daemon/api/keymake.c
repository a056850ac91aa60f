// SPDX-License-Identifier: GPL-2.0-only
/*
 * New versions of keys: made or imported. Symmetric ones are born in or go
 * through the kernel; for others an engine is asked and the request waits.
 * No material is ever here: blobs alone.
 */
#include "api/keyjson.h"
#include "core/rotation.h"
#include "util/base64.h"

/* What is being made, while an engine works. */
struct making {
	struct kvd_version v;
	struct kvd_id from;		/* of a timer's: the newest has to be this one still */
	bool is_new_object;
};

static void making_free(void *data)
{
	struct making *m = data;

	kvd_version_done(&m->v);
	free(m);
}

static int explain(struct kvd_request *req, int err, const struct kvd_version *v)
{
	const char *unit = v->kty == KVAULT_KTY_OCT ? "kvault-root.service" :
			   v->flags & KVAULT_KEY_HSM ? "kvault-engine-pkcs11.service" :
						       "kvault-engine-openssl.service";
	int r = kvd_error_from_kernel(err);

	switch (r) {
	case KVD_E_UNAVAILABLE:
		return kvd_fail(req, r, "Nothing serves that could make this key: start %s", unit);
	case KVD_E_BAD_PARAMETER:
		return kvd_fail(req, r, "The material is no valid key of this type and size");
	case KVD_E_TIMEOUT:
		return kvd_fail(req, r, "Making the key took too long; there is none");
	case KVD_E_NOT_SUPPORTED:
		return kvd_fail(req, r, "The engine does not support keys of this type and size");
	case KVD_E_THROTTLED:
		return kvd_fail(req, r, "This is over the tenant's quota or rate");
	default:
		return kvd_fail(req, r, "The key could not be made: %s", strerror(-err));
	}
}

static int seal(struct kvd_request *req, uint32_t source, struct kvd_version *v)
{
	const struct kvd_kernel *k = req->ctx->kernel;
	size_t room = KVAULT_BLOB_OVERHEAD + v->bits / 8;
	struct kvault_binding binding;
	struct kvault_seal arg = { .source = source, .binding = (uintptr_t)&binding };
	int r;

	kvd_keyjson_binding(req->ctx, req->msg.tenant, v, &binding);
	v->blob = malloc(room);
	v->jwk = strdup("{}");
	if (!v->blob || !v->jwk)
		return -ENOMEM;
	if (source == KVAULT_SEAL_TRANSIT) {
		arg.in = (uintptr_t)req->secret;
		arg.in_len = (uint32_t)req->secret_len;
		memcpy(arg.request_id, req->msg.request_id, KVAULT_ID_SIZE);
	}
	arg.out = (uintptr_t)v->blob;
	arg.out_len = (uint32_t)room;
	r = k->seal(k->data, &arg);
	if (r < 0)
		return explain(req, r, v);
	if (arg.out_len <= KVAULT_BLOB_OVERHEAD || arg.out_len > room)
		return -EIO;
	v->blob_len = arg.out_len;
	return 0;
}

/*
 * Why an engine refused stands in one line beside the error. Printable ASCII
 * or nothing: engines are not believed more than callers.
 */
static int explain_done(struct kvd_request *req, const struct kvd_done *done)
{
	const struct making *m = req->state;
	int r = kvd_error_from_kernel(done->status);
	size_t i;

	for (i = 0; i < done->text_len; i++)
		if (done->text[i] < ' ' || done->text[i] > '~')
			break;
	if (!i || i < done->text_len || i > 200 ||
	    (r != KVD_E_BAD_PARAMETER && r != KVD_E_NOT_SUPPORTED))
		return explain(req, done->status, &m->v);
	return kvd_fail(req, r, "The engine refuses this key: %.*s", (int)i,
			(const char *)done->text);
}

/*
 * What was sent as the public half of an imported key is that of the private
 * one, or somebody would verify with another key than he thinks.
 */
static int check_halves(struct kvd_request *req, const struct kvd_version *v)
{
	static const char *const names[] = { "n", "e", "x", "y", NULL };
	_cleanup_json_ json_t *made = json_loads(v->jwk, 0, NULL);
	const json_t *sent = json_object_get(req->body, "key");
	size_t i;

	if (!made)
		return -ENOMEM;
	for (i = 0; sent && names[i]; i++) {
		const json_t *a = json_object_get(sent, names[i]);
		const json_t *b = json_object_get(made, names[i]);

#ifndef KVAULT_MUTANT_NO_HALVES_CHECK
		if (json_is_string(a) && b && !json_equal(a, b))
			return kvd_fail(req, KVD_E_BAD_PARAMETER,
					"'%s' does not belong to the private part", names[i]);
#endif
	}
	return 0;
}

/* Whoever made a version meanwhile has rotated the key: two at once would be one too many. */
static int check_newest(struct kvd_request *req, const struct kvd_id *from)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	int r;

#ifdef KVAULT_MUTANT_ROTATE_TWICE
	return 0;
#endif
	r = kvd_keyjson_find(req, &v);
	if (r || !memcmp(&v.id, from, sizeof(v.id)))
		return r;
	return kvd_fail(req, KVD_E_CONFLICT, "Key %s got a new version meanwhile", v.name);
}

/* The engine is done, in a transaction of its own: what was found before is asked anew. */
static int made(struct kvd_request *req, const struct kvd_done *done)
{
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	struct making *m = req->state;
	struct kvd_object o = { 0 };
	int r;

	if (done->status < 0)
		return explain_done(req, done);
	if (!done->blob_len || done->blob_len > KVAULT_BLOB_MAX)
		return kvd_fail(req, KVD_E_INTERNAL, "The engine made a key without material");
	r = kvd_keyjson_public(req, done->text, done->text_len, &m->v);
	if (!r)
		r = check_halves(req, &m->v);
	if (!r)
		r = kvd_keyjson_vault(req, &vault);
	if (r)
		return r;
	m->v.blob = malloc(done->blob_len);
	if (!m->v.blob)
		return -ENOMEM;
	memcpy(m->v.blob, done->blob, done->blob_len);
	m->v.blob_len = done->blob_len;
	r = kvd_store_object_find(req->st, req->msg.tenant, &vault.id, KVAULT_TYPE_KEY, m->v.name,
				  &o);
	if (r < 0)
		return r;
	if (!r && memcmp(&o.id, &m->v.object, sizeof(o.id)))
		return kvd_fail(req, KVD_E_CONFLICT,
				"Key %s was made by somebody else meanwhile: try again", m->v.name);
	m->is_new_object = r == KVD_E_KEY_NOT_FOUND;
	r = kvd_new_check_name(req, &o);
	if (!r && req->is_own)
		r = check_newest(req, &m->from);
	if (r)
		return r;
	return kvd_new_keep(req, &vault, &m->v, m->is_new_object);
}

static int ask_engine(struct kvd_request *req, uint32_t op, struct making *m)
{
	const struct kvd_kernel *k = req->ctx->kernel;
	struct kvault_binding binding;
	struct kvault_submit arg = {
		.cookie = req->cookie,
		.engine = m->v.flags & KVAULT_KEY_HSM ? KVAULT_ENGINE_PKCS11 :
							KVAULT_ENGINE_OPENSSL,
		.op = op,
		.timeout_ms = kvd_request_left_ms(req),
		.binding = (uintptr_t)&binding,
	};
	int r;

	kvd_keyjson_binding(req->ctx, req->msg.tenant, &m->v, &binding);
	memcpy(arg.request_id, req->msg.request_id, KVAULT_ID_SIZE);
	if (op == KVAULT_ENGINE_OP_IMPORT) {
		arg.blob = (uintptr_t)req->secret;
		arg.blob_len = (uint32_t)req->secret_len;
	}
	r = k->submit(k->data, &arg);
	return r < 0 ? explain(req, r, &m->v) : KVD_E_PENDING;
}

static int make(struct kvd_request *req, struct kvd_key_spec *key, bool is_import,
		struct making *m)
{
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	struct kvd_version *v = &m->v;
	int r;

	r = kvd_key_spec_settle(key, &req->why);
	if (r)
		return r;
	v->type = KVAULT_TYPE_KEY;
	v->kty = key->kty;
	v->bits = key->bits;
	v->curve = key->curve;
	v->ops = key->ops;
	v->flags = KVAULT_KEY_ENABLED | (key->is_hsm ? KVAULT_KEY_HSM : 0);
	r = kvd_keyjson_attributes(req, v);
	if (!r)
		r = kvd_new_place(req, &vault, v, &m->is_new_object);
	if (r)
		return r;
	if (v->kty != KVAULT_KTY_OCT)
		return ask_engine(req, is_import ? KVAULT_ENGINE_OP_IMPORT :
						   KVAULT_ENGINE_OP_GENERATE, m);
	r = seal(req, is_import ? KVAULT_SEAL_TRANSIT : KVAULT_SEAL_GENERATE, v);
	return r ? r : kvd_new_keep(req, &vault, v, m->is_new_object);
}

/* The policy of a key says how long its new versions live. */
static int set_expiry(struct kvd_request *req, const struct kvd_id *object, struct kvd_version *v)
{
	struct kvd_policy p = { 0 };
	int r;

	r = kvd_rotation_get(req->st, req->msg.tenant, object, &p);
	if (r)
		return r == KVD_E_NOT_FOUND ? 0 : r;
	if (p.has_expiry)
		v->exp = (uint64_t)kvd_period_add(req->ctx->now, &p.expiry, 1);
	return 0;
}

/* Type, size, curve, operations and tags stay; what limits the old version does not. */
static int make_next(struct kvd_request *req, const struct kvd_version *old, struct making *m)
{
	_cleanup_vault_ struct kvd_vault vault = { 0 };
	struct kvd_version *v = &m->v;
	int r;

	v->type = KVAULT_TYPE_KEY;
	v->kty = old->kty;
	v->bits = old->bits;
	v->curve = old->curve;
	v->ops = old->ops;
	v->flags = KVAULT_KEY_ENABLED | (old->flags & (KVAULT_KEY_HSM | KVAULT_KEY_AUDIT_EACH));
	v->tags = strdup(old->tags);
	if (!v->tags)
		return -ENOMEM;
	r = set_expiry(req, &old->object, v);
	if (!r)
		r = kvd_new_place(req, &vault, v, &m->is_new_object);
	if (r)
		return r;
	if (v->kty != KVAULT_KTY_OCT)
		return ask_engine(req, KVAULT_ENGINE_OP_GENERATE, m);
	r = seal(req, KVAULT_SEAL_GENERATE, v);
	return r ? r : kvd_new_keep(req, &vault, v, m->is_new_object);
}

static int start_next(struct kvd_request *req, const struct kvd_version *old)
{
	struct making *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->from = old->id;
	req->state = m;
	req->state_free = making_free;
	req->resume = made;
	return make_next(req, old, m);
}

int kvd_api_key_rotate_due(struct kvd_request *req, const struct kvd_version *old)
{
	req->operation = "KeyRotateIfDue";
	kvd_audit_object(req->object, old);
	return start_next(req, old);
}

int kvd_api_key_rotate(struct kvd_request *req)
{
	static const char *const known[] = { NULL };
	_cleanup_version_ struct kvd_version old = { 0 };
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r)
		r = kvd_api_object_name(req, req->seg[3]);
	if (!r)
		r = kvd_api_may(req, req->seg[1], req->seg[3], KVD_MAY_KEY_ROTATE);
	if (!r)
		r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = kvd_keyjson_find(req, &old);
	return r ? r : start_next(req, &old);
}

static int start(struct kvd_request *req, struct kvd_key_spec *key, bool is_import)
{
	struct making *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	req->state = m;
	req->state_free = making_free;
	req->resume = made;
	return make(req, key, is_import, m);
}

static int may_make(struct kvd_request *req)
{
	int r;

	r = kvd_api_vault_name(req, req->seg[1]);
	if (!r)
		r = kvd_api_object_name(req, req->seg[3]);
	return r ? r : kvd_api_may(req, req->seg[1], req->seg[3], KVD_MAY_KEY_WRITE);
}

static int parse_shape(struct kvd_request *req, const json_t *j, struct kvd_key_spec *key)
{
	const char *kty = NULL, *crv = NULL;
	uint64_t bits = 0;
	int r;

	r = kvd_json_str(j, "kty", &kty, &req->why);
	if (!r)
		r = kvd_json_str(j, "crv", &crv, &req->why);
	if (!r)
		r = kvd_json_uint(j, "key_size", 65536, &bits, &req->why);
	if (!r)
		r = kvd_keyjson_ops(req, j, &key->ops);
	if (r)
		return r;
	if (!kty || !kvd_kty_parse(kty, &key->kty, &key->is_hsm))
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"'kty' is not one of RSA, EC, oct, RSA-HSM, EC-HSM");
	if (crv && !kvd_curve_parse(crv, &key->curve))
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"'crv' is not one of P-256, P-384, P-521, P-256K");
	key->bits = (uint32_t)bits;
	return 0;
}

int kvd_api_key_create(struct kvd_request *req)
{
	static const char *const known[] = { "kty", "key_size", "crv", "public_exponent",
					     "key_ops", "attributes", "tags", NULL };
	struct kvd_key_spec key = { 0 };
	uint64_t e = 65537;
	int r;

	r = may_make(req);
	if (!r)
		r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = parse_shape(req, req->body, &key);
	if (!r)
		r = kvd_json_uint(req->body, "public_exponent", UINT32_MAX, &e, &req->why);
	if (!r && e != 65537)
		return kvd_fail(req, KVD_E_NOT_SUPPORTED, "'public_exponent' is always 65537");
	return r ? r : start(req, &key, false);
}

/* Private members must never reach this process; who sends one is told so. */
static int refuse_private(struct kvd_request *req, const json_t *jwk)
{
	static const char *const secret[] = { "k", "d", "p", "q", "dp", "dq", "qi", "oth", NULL };
	size_t i;

	for (i = 0; secret[i]; i++)
		if (json_object_get(jwk, secret[i]))
			return kvd_fail(req, KVD_E_BAD_PARAMETER,
					"Private members do not belong into the JSON: "
					"pass the material as secret_in");
	return 0;
}

static int size_of_rsa(struct kvd_request *req, const json_t *jwk, struct kvd_key_spec *key)
{
	const char *n = NULL;
	uint8_t bytes[1024];
	ssize_t len;
	int r;

	r = kvd_json_str(jwk, "n", &n, &req->why);
	if (r)
		return r;
	if (!n && !key->bits)
		return kvd_fail(req, KVD_E_BAD_PARAMETER,
				"The JWK of an RSA key to import has 'n', or 'key_size'");
	if (!n)
		return 0;
	/* RFC 7518, 6.3.1.1: as short as it can be. */
	len = kvd_base64url_decode(bytes, sizeof(bytes), n, strlen(n));
	if (len <= 0 || !bytes[0])
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'n' is no number in base64url");
	if (key->bits && key->bits != (uint32_t)len * 8)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'key_size' is not that of 'n'");
	key->bits = (uint32_t)len * 8;
	return 0;
}

static int size_of_oct(struct kvd_request *req, struct kvd_key_spec *key)
{
	size_t len = req->secret_len - KVAULT_BLOB_OVERHEAD;

	if (req->secret_len <= KVAULT_BLOB_OVERHEAD || len > KVAULT_MATERIAL_MAX)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "The material is empty or too long");
	if (key->bits && key->bits != len * 8)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'key_size' is not the material's");
	key->bits = (uint32_t)len * 8;
	return 0;
}

int kvd_api_key_import(struct kvd_request *req)
{
	static const char *const known[] = { "key", "attributes", "tags", "Hsm", NULL };
	static const char *const members[] = { "kid", "kty", "key_ops", "key_size", "crv", "n", "e",
					       "x", "y", "alg", "use", "ext", NULL };
	struct kvd_key_spec key = { 0 };
	json_t *jwk = NULL;
	bool is_hsm = false;
	int r;

	r = may_make(req);
	if (!r)
		r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = kvd_json_obj(req->body, "key", &jwk, &req->why);
	if (!r && !jwk)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'key' is missing");
	if (!r)
		r = refuse_private(req, jwk);
	if (!r)
		r = kvd_json_only(jwk, members, "key", &req->why);
	if (!r)
		r = kvd_json_bool(req->body, "Hsm", &is_hsm, &req->why);
	if (!r)
		r = parse_shape(req, jwk, &key);
	if (r)
		return r;
	if (!req->secret_len)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "There is no material in secret_in");
	key.is_hsm |= is_hsm;
	if (key.kty == KVAULT_KTY_OCT)
		r = size_of_oct(req, &key);
	else if (key.kty == KVAULT_KTY_RSA)
		r = size_of_rsa(req, jwk, &key);
	else if (!key.curve)
		r = kvd_fail(req, KVD_E_BAD_PARAMETER, "'crv' is missing");
	return r ? r : start(req, &key, true);
}
