// SPDX-License-Identifier: GPL-2.0-only
/* What a checkpoint signs, and that a log which is not what was signed is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sqlite3.h>

#include "core/checkpoint.h"
#include "core/head.h"
#include "store/test-tmp.h"
#include "util/base64.h"
#include "util/hex.h"
#include "util/json.h"
#include "util/log.h"

static const struct kvd_id host = { { 1 } };

struct fixture {
	char dir[32], path[64];
	struct kvd_context ctx;
	EVP_PKEY *key;
};

static void add_coordinate(json_t *jwk, const char *name, EVP_PKEY *key, const char *param)
{
	uint8_t b[32];
	char text[KVD_BASE64_LEN(32) + 1];
	BIGNUM *n = NULL;

	assert_true(EVP_PKEY_get_bn_param(key, param, &n));
	assert_int_equal(BN_bn2binpad(n, b, sizeof(b)), 32);
	BN_free(n);
	kvd_base64url_encode(text, b, sizeof(b));
	json_object_set_new(jwk, name, json_string(text));
}

static char *jwk_of(EVP_PKEY *key)
{
	json_t *jwk = json_pack("{s:s, s:s}", "kty", "EC", "crv", "P-256");
	char *text;

	add_coordinate(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X);
	add_coordinate(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y);
	text = kvd_json_canonical(jwk);
	json_decref(jwk);
	return text;
}

static void open_store(struct fixture *f)
{
	struct kvd_why why = { "" };

	assert_int_equal(kvd_store_open(f->path, KVD_STORE_EXISTING, false, &f->ctx.host, &why),
			 0);
	assert_int_equal(kvd_store_begin(f->ctx.host), 0);
}

static int setup(void **state)
{
	struct kvd_tenant t = { .id = host, .kind = KVAULT_TENANT_HOST };
	struct fixture *f = calloc(1, sizeof(*f));
	struct kvd_why why = { "" };

	kvd_log_set_level(LOG_EMERG);
	kvd_context_init(&f->ctx);
	f->ctx.meta.host = host;
	memset(f->ctx.meta.store.b, 7, KVAULT_ID_SIZE);
	test_tmp_make(f->dir);
	snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	if (kvd_store_open(f->path, KVD_STORE_CREATE, false, &f->ctx.host, &why) ||
	    kvd_store_begin(f->ctx.host) || kvd_store_tenant_add(f->ctx.host, &t))
		return -1;
	f->key = EVP_EC_gen("P-256");
	f->ctx.audit_key.jwk = jwk_of(f->key);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	EVP_PKEY_free(f->key);
	kvd_context_done(&f->ctx);
	test_tmp_remove(f->dir);
	free(f);
	return 0;
}

static void append(struct fixture *f, const char *operation, json_t *more)
{
	struct kvd_event ev = { .operation = operation, .result = "Success", .signature = "OK",
				.more = more };

	assert_int_equal(kvd_audit_append(&f->ctx, f->ctx.host, host.b, &ev), 0);
}

static void sign(EVP_PKEY *key, const uint8_t digest[32], uint8_t sig[64])
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	uint8_t der[80];
	const uint8_t *p = der;
	size_t len = sizeof(der);
	ECDSA_SIG *e;

	assert_true(EVP_PKEY_sign_init(c) > 0 && EVP_PKEY_sign(c, der, &len, digest, 32) > 0);
	e = d2i_ECDSA_SIG(NULL, &p, (long)len);
	assert_non_null(e);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(e), sig, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(e), sig + 32, 32), 32);
	ECDSA_SIG_free(e);
	EVP_PKEY_CTX_free(c);
}

/* A checkpoint of the newest record; returns its own number. */
static uint64_t checkpoint(struct fixture *f, bool is_bare)
{
	uint8_t hash[32], digest[32], sig[64];
	char text[KVD_BASE64_LEN(64) + 1];
	json_t *more;
	uint64_t seq;

	assert_int_equal(kvd_store_log_head(f->ctx.host, host.b, &seq, hash), 0);
	kvd_head_digest(digest, &f->ctx, host.b, seq, hash);
	sign(f->key, is_bare ? hash : digest, sig);
	kvd_base64url_encode(text, sig, sizeof(sig));
	more = json_pack("{s:s, s:I}", "signature", text, "signedSeq", (json_int_t)seq);
	append(f, KVD_CHECKPOINT, more);
	json_decref(more);
	f->ctx.checkpoint_seq = seq + 1;
	return seq + 1;
}

static uint64_t check(struct fixture *f)
{
	uint64_t seq;

	kvd_head_forget(&f->ctx, host.b);
	assert_int_equal(kvd_head_check(&f->ctx, f->ctx.host, host.b), 0);
	seq = kvd_head_broken(&f->ctx, host.b);
	return seq;
}

static void run_sql(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static sqlite3 *take_store(struct fixture *f)
{
	sqlite3 *db;

	assert_int_equal(kvd_store_commit(f->ctx.host), 0);
	f->ctx.host = kvd_store_close(f->ctx.host);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	return db;
}

/* Changes the store behind our back, as who can write to its file can. */
static void tamper(struct fixture *f, const char *sql)
{
	sqlite3 *db = take_store(f);

	run_sql(db, sql);
	sqlite3_close(db);
	open_store(f);
}

/* Makes the hash of record n from the one before, as we do. */
static void hash_anew(sqlite3 *db, int n, uint8_t hash[32])
{
	char sql[160], hex[65];
	sqlite3_stmt *q;

	snprintf(sql, sizeof(sql), "SELECT json FROM audit WHERE seq = %d", n);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	kvd_audit_hash(hash, hash, (const char *)sqlite3_column_text(q, 0),
		       (size_t)sqlite3_column_bytes(q, 0));
	sqlite3_finalize(q);
	kvd_hex_encode(hex, hash, 32);
	snprintf(sql, sizeof(sql), "UPDATE audit SET hash = x'%s' WHERE seq = %d", hex, n);
	run_sql(db, sql);
}

static void fill(struct fixture *f)
{
	append(f, "One", NULL);
	append(f, "Two", NULL);
	append(f, "Three", NULL);
	assert_int_equal(checkpoint(f, false), 4);
	append(f, "Five", NULL);
	append(f, "Six", NULL);
}

/* The digest, put together by hand. */
static void what_is_signed_names_store_tenant_and_number(void **state)
{
	struct fixture *f = *state;
	uint8_t in[19 + 16 + 16 + 8 + 32] = "kvault/1/audit-head", want[32], got[32], hash[32];

	memset(in + 19, 7, 16);
	memcpy(in + 35, host.b, 16);
	in[51 + 6] = 1;		/* 258, big-endian */
	in[51 + 7] = 2;
	memset(in + 59, 0xab, 32);
	memset(hash, 0xab, 32);
	SHA256(in, sizeof(in), want);
	kvd_head_digest(got, &f->ctx, host.b, 258, hash);
	assert_memory_equal(got, want, 32);
}

static void a_good_log_checks(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(check(f), 0);	/* an empty one */
	fill(f);
	assert_int_equal(check(f), 0);
	assert_int_equal(checkpoint(f, false), 7);
	assert_int_equal(check(f), 0);
	append(f, "About AuditCheckpoint", NULL);	/* a record that only speaks of one */
	assert_int_equal(check(f), 0);
}

static void a_changed_record_is_noticed(void **state)
{
	struct fixture *f = *state;

	fill(f);
	tamper(f, "UPDATE audit SET json = replace(json, 'Five', 'Fife')");
	assert_int_equal(check(f), 5);
	tamper(f, "UPDATE audit SET json = replace(json, 'Fife', 'Five')");
	assert_int_equal(check(f), 0);
	tamper(f, "UPDATE audit SET json = replace(json, 'Three', 'Trhee')");
	assert_int_equal(check(f), 3);
}

static void a_record_that_is_gone_is_noticed(void **state)
{
	struct fixture *f = *state;

	fill(f);
	tamper(f, "DELETE FROM audit WHERE seq = 5");
	assert_int_equal(check(f), 5);
	tamper(f, "DELETE FROM audit WHERE seq >= 4");
	assert_int_equal(check(f), 4);	/* the checkpoint itself */
}

/* All hashes are made anew behind a changed record: the signature gives it away. */
static void a_chain_that_was_made_anew_is_noticed(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[32] = { 0 };
	sqlite3 *db;
	int i;

	fill(f);
	db = take_store(f);
	run_sql(db, "UPDATE audit SET json = replace(json, 'Two', 'Tow')");
	for (i = 1; i <= 6; i++)
		hash_anew(db, i, hash);
	sqlite3_close(db);
	open_store(f);
	assert_int_equal(check(f), 4);
}

static void another_signature_is_noticed(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY *key = f->key;

	append(f, "One", NULL);
	f->key = EVP_EC_gen("P-256");
	assert_int_equal(checkpoint(f, false), 2);
	EVP_PKEY_free(f->key);
	f->key = key;
	assert_int_equal(check(f), 2);
}

/* The bare hash, of whatever store and tenant, is not what we sign. */
static void a_signature_of_the_bare_hash_is_none(void **state)
{
	struct fixture *f = *state;

	append(f, "One", NULL);
	assert_int_equal(checkpoint(f, true), 2);
	assert_int_equal(check(f), 2);
}

static void a_signature_of_another_store_is_none(void **state)
{
	struct fixture *f = *state;

	fill(f);
	f->ctx.meta.store.b[3] ^= 1;
	assert_int_equal(check(f), 4);
}

static void a_checkpoint_without_a_key_is_noticed(void **state)
{
	struct fixture *f = *state;

	fill(f);
	free(f->ctx.audit_key.jwk);
	f->ctx.audit_key.jwk = NULL;
	assert_int_equal(check(f), 4);
	f->ctx.checkpoint_seq = 0;	/* the note of it is gone, too */
	assert_int_equal(check(f), 4);
}

static struct {
	unsigned int n;
	uint64_t cookie;
	uint8_t in[32];
} asked;

static int submit(void *data, struct kvault_submit *arg)
{
	(void)data;
	asked.n++;
	asked.cookie = arg->cookie;
	assert_int_equal(arg->in_len, 32);
	memcpy(asked.in, (void *)(uintptr_t)arg->in, 32);
	return 0;
}

static void a_checkpoint_is_kept_only_when_it_verifies(void **state)
{
	static const struct kvd_kernel kernel = { .submit = submit };
	struct kvd_checkpoint cp = { 0 };
	struct fixture *f = *state;
	uint8_t sig[64], hash[32];
	uint64_t seq;

	asked.n = 0;
	f->ctx.kernel = &kernel;
	append(f, "One", NULL);
	kvd_checkpoint_tick(&f->ctx, &cp);
	assert_int_equal(asked.n, 1);
	sign(f->key, asked.in, sig);
	sig[9] ^= 1;
	assert_int_equal(kvd_checkpoint_done(&f->ctx, &cp, 0, sig, sizeof(sig), NULL, 0),
			 -EKEYREJECTED);
	assert_int_equal(kvd_store_log_head(f->ctx.host, host.b, &seq, hash), 0);
	assert_int_equal(seq, 1);
	cp.not_before = cp.last = 0;
	kvd_checkpoint_tick(&f->ctx, &cp);
	assert_int_equal(asked.n, 2);
	sign(f->key, asked.in, sig);
	assert_int_equal(kvd_checkpoint_done(&f->ctx, &cp, 0, sig, sizeof(sig), NULL, 0), 0);
	assert_int_equal(f->ctx.checkpoint_seq, 2);
	assert_int_equal(check(f), 0);
}

static void nothing_is_signed_on_a_log_that_does_not_check(void **state)
{
	static const struct kvd_kernel kernel = { .submit = submit };
	struct kvd_checkpoint cp = { 0 };
	struct fixture *f = *state;

	asked.n = 0;
	f->ctx.kernel = &kernel;
	fill(f);
	assert_int_equal(kvd_head_note(&f->ctx, host.b, 5, "a test"), 0);
	kvd_checkpoint_tick(&f->ctx, &cp);
	assert_int_equal(asked.n, 0);
	kvd_head_forget(&f->ctx, host.b);
	kvd_checkpoint_tick(&f->ctx, &cp);
	assert_int_equal(asked.n, 1);
}

static void other_tenants_are_not_concerned(void **state)
{
	static const uint8_t other[KVAULT_ID_SIZE] = { 9 };
	struct fixture *f = *state;

	fill(f);
	tamper(f, "UPDATE audit SET json = replace(json, 'Five', 'Fife')");
	assert_int_equal(check(f), 5);
	assert_int_equal(kvd_head_broken(&f->ctx, other), 0);
	assert_int_equal(kvd_head_check(&f->ctx, f->ctx.host, other), 0);
	assert_int_equal(kvd_head_broken(&f->ctx, other), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(what_is_signed_names_store_tenant_and_number),
		T(a_good_log_checks),
		T(a_changed_record_is_noticed),
		T(a_record_that_is_gone_is_noticed),
		T(a_chain_that_was_made_anew_is_noticed),
		T(another_signature_is_noticed),
		T(a_signature_of_the_bare_hash_is_none),
		T(a_signature_of_another_store_is_none),
		T(a_checkpoint_without_a_key_is_noticed),
		T(a_checkpoint_is_kept_only_when_it_verifies),
		T(nothing_is_signed_on_a_log_that_does_not_check),
		T(other_tenants_are_not_concerned),
	};

	return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
