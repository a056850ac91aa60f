// SPDX-License-Identifier: GPL-2.0-only
/* /audit: each tenant reads its own log, as it is stored. */
#include "api/api.h"
#include "core/head.h"
#include "util/hex.h"

#define PAGE_MAX	1000
#define PAGE_BYTES	(KVAULT_BODY_MAX - 4096)

struct list {
	json_t *value;
	char op[64];
	uint64_t max, last;
	size_t bytes;
	bool has_more;
};

static int number(struct kvd_request *req, const char *name, uint64_t *ret)
{
	char text[24] = "";
	char *end;
	int r;

	r = kvd_request_query(req, name, text, sizeof(text));
	if (!r)
		return 0;
	if (r > 0 && *text >= '0' && *text <= '9') {
		errno = 0;
		*ret = strtoull(text, &end, 10);
		if (!errno && !*end && *ret <= INT64_MAX)
			return 0;
	}
	return kvd_fail(req, KVD_E_BAD_PARAMETER, "'%s' is not a number", name);
}

static json_t *row_json(const struct kvd_log_row *row)
{
	char hash[65];
	json_t *j = row->json ? json_loadb(row->json, row->len, JSON_REJECT_DUPLICATES, NULL) :
				NULL;

	/* Not JSON any more: shown raw, so that who checks finds and names it. */
	if (!json_is_object(j)) {
		json_decref(j);
		j = json_pack("{s:I, s:o}", "seq", (json_int_t)row->seq, "damaged",
			      kvd_json_bytes(row->json ? row->json : "", row->len));
	}
	kvd_hex_encode(hash, row->hash, sizeof(row->hash));
	if (j && json_object_set_new(j, "hash", json_string(hash))) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static bool is_wanted(const struct list *l, const json_t *j)
{
	const char *op = json_string_value(json_object_get(j, "operationName"));

	return !l->op[0] || !op || !strcmp(op, l->op);
}

static int list_one(const struct kvd_log_row *row, void *data)
{
	struct list *l = data;
	json_t *j;

	if (json_array_size(l->value) == l->max || l->bytes + row->len + 128 > PAGE_BYTES) {
		l->has_more = true;
		return 1;
	}
	j = row_json(row);
	if (!j)
		return -ENOMEM;
	l->last = row->seq;
	if (!is_wanted(l, j)) {
		json_decref(j);
		return 0;
	}
	l->bytes += row->len + 128;
	return json_array_append_new(l->value, j) ? -ENOMEM : 0;
}

int kvd_api_audit_list(struct kvd_request *req)
{
	_cleanup_json_ json_t *value = json_array();
	struct list l = { .value = value, .max = 100 };
	uint64_t after = 0;
	int r;

	r = kvd_api_may(req, NULL, NULL, KVD_MAY_AUDIT);
	if (!r)
		r = number(req, "after", &after);
	if (!r)
		r = number(req, "limit", &l.max);
	if (!r && kvd_request_query(req, "op", l.op, sizeof(l.op)) < 0)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'op' is not an operation's name");
	if (r)
		return r;
	if (!l.max || l.max > PAGE_MAX)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'limit' is not from 1 to %d", PAGE_MAX);
	if (!value)
		return -ENOMEM;
	r = kvd_store_log_each(req->st, req->msg.tenant, after, list_one, &l);
	if (r < 0)
		return r;
	req->reply = json_pack("{s:O, s:o}", "value", value, "next",
			       l.has_more ? json_integer((json_int_t)l.last) : json_null());
	return req->reply ? 0 : -ENOMEM;
}

int kvd_api_audit_key(struct kvd_request *req)
{
	char store[2 * KVAULT_ID_SIZE + 1];
	json_t *jwk;
	int r;

	r = kvd_api_may(req, NULL, NULL, KVD_MAY_AUDIT);
	if (r)
		return r;
	if (req->msg.tenant_kind != KVAULT_TENANT_HOST || !req->ctx->audit_key.jwk)
		return kvd_fail(req, KVD_E_NOT_FOUND, "This tenant's log has no checkpoints");
	jwk = json_loads(req->ctx->audit_key.jwk, 0, NULL);
	kvd_hex_encode(store, req->ctx->meta.store.b, KVAULT_ID_SIZE);
	/* What is signed names the store: who verifies needs to know it. */
	if (!jwk || json_object_set_new(jwk, "kty", json_string("EC")) ||
	    json_object_set_new(jwk, "store", json_string(store))) {
		json_decref(jwk);
		return -ENOMEM;
	}
	req->reply = jwk;
	return 0;
}

/* The damage stays where it is, for all to see; what comes behind it is signed again. */
int kvd_api_audit_accept(struct kvd_request *req)
{
	static const char *const known[] = { "record", NULL };
	uint64_t broken = kvd_head_broken(req->ctx, req->msg.tenant), seq = 0;
	int r;

	r = kvd_api_may(req, NULL, NULL, KVD_MAY_ROOT);
	if (!r)
		r = kvd_json_only(req->body, known, "the body", &req->why);
	if (!r)
		r = kvd_json_uint(req->body, "record", INT64_MAX, &seq, &req->why);
	if (r)
		return r;
	if (!broken)
		return kvd_fail(req, KVD_E_CONFLICT, "This tenant's log checks: there is nothing "
				"to accept");
	if (seq != broken)
		return kvd_fail(req, KVD_E_BAD_PARAMETER, "'record' is not %llu, the first one "
				"that does not check", (unsigned long long)broken);
	snprintf(req->object, sizeof(req->object), "audit/%llu", (unsigned long long)broken);
	req->accepts_log = true;
	req->reply = json_pack("{s:I}", "record", (json_int_t)broken);
	return req->reply ? 0 : -ENOMEM;
}
