// SPDX-License-Identifier: GPL-2.0-only
#include <openssl/evp.h>

#include "core/audit.h"
#include "core/budget.h"
#include "core/unit.h"
#include "util/hex.h"
#include "util/json.h"
#include "util/time.h"

void kvd_audit_hash(uint8_t out[static KVD_HASH_SIZE], const uint8_t prev[static KVD_HASH_SIZE],
		    const char *json, size_t len)
{
	static const uint8_t domain;
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	/* A hash that could not be made breaks the chain, visibly: all zeros. */
	memset(out, 0, KVD_HASH_SIZE);
	if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	    EVP_DigestUpdate(md, &domain, 1) && EVP_DigestUpdate(md, prev, KVD_HASH_SIZE) &&
	    EVP_DigestUpdate(md, json, len) && !EVP_DigestFinal_ex(md, out, NULL))
		memset(out, 0, KVD_HASH_SIZE);
	EVP_MD_CTX_free(md);
}

static json_t *text_of(const uint8_t *p, size_t size)
{
	return kvd_json_bytes(p, strnlen((const char *)p, size));
}

static json_t *hex_of(const uint8_t *id)
{
	char hex[2 * KVAULT_ID_SIZE + 1];

	kvd_hex_encode(hex, id, KVAULT_ID_SIZE);
	return json_string(hex);
}

static int add_names(json_t *j, const struct kvault_principal *p)
{
	char unit[128];
	int r = 0;

	if (p->cgroup[0])
		r |= kvd_json_set(j, "cgroup", text_of(p->cgroup, sizeof(p->cgroup)));
	/* What was cut off cannot change the unit: it stands at the front. */
	if (kvd_unit_of((const char *)p->cgroup, unit, sizeof(unit)))
		r |= kvd_json_set(j, "unit", kvd_json_bytes(unit, strlen(unit)));
	if (p->exe[0])
		r |= kvd_json_set(j, "exe", text_of(p->exe, sizeof(p->exe)));
	if (p->comm[0])
		r |= kvd_json_set(j, "comm", text_of(p->comm, sizeof(p->comm)));
	return r;
}

json_t *kvd_audit_principal(const struct kvault_principal *p)
{
	json_t *j = json_object();
	int r = 0;

	if (!j)
		return NULL;
	r |= kvd_json_set(j, "uid", json_integer(p->uid));
	r |= kvd_json_set(j, "gid", json_integer(p->gid));
	if (p->ns_uid != p->uid)
		r |= kvd_json_set(j, "nsUid", json_integer(p->ns_uid));
	if (p->ns_gid != p->gid)
		r |= kvd_json_set(j, "nsGid", json_integer(p->ns_gid));
	if (p->login_uid != UINT32_MAX)
		r |= kvd_json_set(j, "loginUid", json_integer(p->login_uid));
	if (p->tgid)
		r |= kvd_json_set(j, "pid", json_integer(p->tgid));
	if (p->flags & KVAULT_PRINCIPAL_ADMIN)
		r |= kvd_json_set(j, "admin", json_true());
	r |= add_names(j, p);
	if (r) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int set_str(json_t *j, const char *name, const char *value)
{
	return value ? kvd_json_set(j, name, kvd_json_bytes(value, strlen(value))) : 0;
}

static int set_number(json_t *j, const char *name, uint64_t value)
{
	return value ? kvd_json_set(j, name, json_integer((json_int_t)value)) : 0;
}

static json_t *build(const struct kvd_event *ev, const uint8_t *tenant, uint64_t seq)
{
	_cleanup_json_ json_t *j = json_object();
	char when[KVD_RFC3339_SIZE];
	int r = 0;

	if (!j)
		return NULL;
	kvd_time_rfc3339(when, ev->time ? ev->time : kvd_time_now(CLOCK_REALTIME));
	if (ev->more)
		r |= json_object_update(j, ev->more);
	r |= set_number(j, "seq", seq);
	r |= set_str(j, "time", when);
	r |= set_str(j, "category", "AuditEvent");
	r |= kvd_json_set(j, "tenant", hex_of(tenant));
	r |= set_str(j, "operationName", ev->operation);
	r |= set_str(j, "object", ev->object);
	r |= set_str(j, "face", ev->face);
	r |= set_str(j, "resultType", ev->result);
	r |= set_str(j, "resultSignature", ev->signature);
	r |= set_str(j, "resultDescription", ev->reason);
	r |= set_str(j, "alg", ev->alg);
	r |= set_number(j, "count", ev->count);
	r |= set_number(j, "kernelSeq", ev->kernel_seq);
	if (ev->who)
		r |= kvd_json_set(j, "principal", kvd_audit_principal(ev->who));
	if (ev->request_id && !kvd_id_is_zero(ev->request_id))
		r |= kvd_json_set(j, "requestId", hex_of(ev->request_id));
	if (ev->lease && !kvd_id_is_zero(ev->lease))
		r |= kvd_json_set(j, "lease", hex_of(ev->lease));
	return r ? NULL : TAKE_PTR(j);
}

static int mirror(struct kvd_context *ctx, const uint8_t *tenant, uint64_t seq, char *json)
{
	struct kvd_mirror *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->json = json;
	m->seq = seq;
	memcpy(m->tenant, tenant, sizeof(m->tenant));
	*ctx->mirror_end = m;
	ctx->mirror_end = &m->next;
	return 0;
}

int kvd_audit_append(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant,
		     const struct kvd_event *ev)
{
	uint8_t prev[KVD_HASH_SIZE], hash[KVD_HASH_SIZE];
	_cleanup_json_ json_t *j = NULL;
	_cleanup_free_ char *json = NULL;
	uint64_t seq = 0;
	int r;

	r = kvd_store_log_head(st, tenant, &seq, prev);
	if (r < 0)
		return r;
	seq++;
	j = build(ev, tenant, seq);
	json = j ? kvd_json_canonical(j) : NULL;
	if (!json)
		return -ENOMEM;
	kvd_audit_hash(hash, prev, json, strlen(json));
	r = kvd_store_log_add(st, tenant, seq, json, hash);
	if (!r && st == ctx->ephemeral)
		r = kvd_budget_charge(st, tenant, strlen(json));
	if (r < 0)
		return r;
	r = mirror(ctx, tenant, seq, json);
	if (!r)
		json = NULL;	/* the mirror has it */
	return r;
}

void kvd_audit_object(char out[static KVD_OBJECT_ADDRESS_MAX], const struct kvd_version *v)
{
	char hex[2 * KVAULT_ID_SIZE + 1];

	kvd_hex_encode(hex, v->id.b, sizeof(v->id.b));
	snprintf(out, KVD_OBJECT_ADDRESS_MAX, "%s/%s/%s/%s", v->vault_name,
		 kvd_type_collection(v->type), v->name, hex);
}
