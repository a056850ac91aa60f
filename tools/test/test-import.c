// SPDX-License-Identifier: GPL-2.0-only
/* Private keys are split; nothing secret is in the JSON, and bad ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "internal.h"

/* RFC 7515, A.3 */
#define X	"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y	"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define D	"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define EC_OF(crv, x, y, d) "{\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y \
			    "\",\"d\":\"" d "\"}"
#define EC_JWK	EC_OF("P-256", X, Y, D)

static char why[200];

static int import(const void *data, size_t len, enum kvault_key_form form,
		  struct kvault_import *ret)
{
	memset(ret, 0, sizeof(*ret));
	return kvault_import_parse(data, len, form, NULL, NULL, ret, why, sizeof(why));
}

static int import_text(const char *text, struct kvault_import *ret)
{
	return import(text, strlen(text), KVAULT_FORM_AUTO, ret);
}

static void has_no_secret(const struct kvault_import *in)
{
	static const char *const names[] = { "k", "d", "p", "q", "dp", "dq", "qi", "oth" };
	json_t *j = json_loads(in->jwk, 0, NULL);
	size_t i;

	assert_non_null(j);
	for (i = 0; i < KVL_SIZE(names); i++)
		assert_null(json_object_get(j, names[i]));
	json_decref(j);
}

static void jwk_of_ec_is_split(void **state)
{
	const uint8_t *p;
	struct kvault_import in;
	EVP_PKEY *pkey;

	(void)state;
	assert_int_equal(import_text(EC_JWK, &in), 0);
	has_no_secret(&in);
	assert_non_null(strstr(in.jwk, X));
	assert_non_null(strstr(in.jwk, Y));
	assert_null(strstr(in.jwk, D));
	p = in.secret.data;
	pkey = d2i_AutoPrivateKey(NULL, &p, (long)in.secret.len);
	assert_non_null(pkey);
	assert_ptr_equal(p, in.secret.data + in.secret.len);
	EVP_PKEY_free(pkey);
	kvault_import_done(&in);
}

static char *pem_of(EVP_PKEY *pkey, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	PEM_write_bio_PKCS8PrivateKey(bio, pkey, passphrase ? EVP_aes_256_cbc() : NULL, NULL, 0,
				      NULL, (void *)passphrase);
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	BIO_free(bio);
	return copy;
}

static void pem_of_each_type_is_split(void **state)
{
	static const char *const groups[] = { "P-256", "P-384", "P-521", "secp256k1" };
	struct kvault_import in;
	EVP_PKEY *pkey;
	size_t i;

	(void)state;
	for (i = 0; i <= KVL_SIZE(groups); i++) {
		char *pem, *public = NULL, *want;
		BIO *bio = BIO_new(BIO_s_mem());
		long len;

		pkey = i < KVL_SIZE(groups) ? EVP_EC_gen(groups[i]) : EVP_RSA_gen(2048);
		pem = pem_of(pkey, NULL);
		assert_int_equal(import_text(pem, &in), 0);
		has_no_secret(&in);
		assert_int_equal(kvault_public_pem(in.jwk, &public), 0);
		PEM_write_bio_PUBKEY(bio, pkey);
		len = BIO_get_mem_data(bio, &want);
		assert_int_equal(strlen(public), len);
		assert_memory_equal(public, want, len);
		kvault_import_done(&in);
		BIO_free(bio);
		free(public);
		free(pem);
		EVP_PKEY_free(pkey);
	}
}

/* As 'openssl ecparam -genkey' writes it: parameters, then the key. */
static void pem_may_begin_with_something_else(void **state)
{
	static const char before[] = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
				     "-----END EC PARAMETERS-----\n";
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	char *pem = pem_of(pkey, NULL), *all = NULL;
	struct kvault_import in;

	(void)state;
	assert_true(asprintf(&all, "%s%s", before, pem) > 0);
	assert_int_equal(import_text(all, &in), 0);
	kvault_import_done(&in);
	assert_int_equal(import_text(before, &in), -EINVAL);
	free(all);
	free(pem);
	EVP_PKEY_free(pkey);
}

static void a_cut_pem_is_refused_wherever_it_is_cut(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	char *pem = pem_of(pkey, NULL);
	struct kvault_import in;
	size_t len;

	(void)state;
	/* without the last line feed it is whole */
	for (len = 0; len < strlen(pem) - 1; len++) {
		assert_int_equal(import(pem, len, KVAULT_FORM_AUTO, &in), -EINVAL);
		assert_true(why[0]);
	}
	import(pem, 100, KVAULT_FORM_AUTO, &in);
	assert_non_null(strstr(why, "cut off"));
	free(pem);
	EVP_PKEY_free(pkey);
}

static int passphrase(char *buf, size_t size, void *data)
{
	return snprintf(buf, size, "%s", (const char *)data);
}

static void encrypted_pem_asks(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	char *pem = pem_of(pkey, "secret");
	struct kvault_import in = { 0 };

	(void)state;
	assert_int_equal(import_text(pem, &in), -EINVAL);
	assert_non_null(strstr(why, "nobody to ask"));
	assert_int_equal(kvault_import_parse(pem, strlen(pem), KVAULT_FORM_AUTO, passphrase,
					     (void *)"wrong", &in, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "does not open"));
	assert_int_equal(kvault_import_parse(pem, strlen(pem), KVAULT_FORM_AUTO, passphrase,
					     (void *)"secret", &in, why, sizeof(why)), 0);
	kvault_import_done(&in);
	free(pem);
	EVP_PKEY_free(pkey);
}

static void keys_of_bytes_have_a_size(void **state)
{
	uint8_t bytes[65] = { '{' };
	struct kvault_import in;
	size_t len;

	(void)state;
	for (len = 0; len <= sizeof(bytes); len++) {
		bool good = len == 16 || len == 24 || len == 32 || len == 64;

		assert_int_equal(import(bytes, len, KVAULT_FORM_RAW, &in), good ? 0 : -EINVAL);
		if (!good)
			continue;
		assert_string_equal(in.jwk, "{\"kty\":\"oct\"}");
		assert_int_equal(in.secret.len, len);
		assert_memory_equal(in.secret.data, bytes, len);
		kvault_import_done(&in);
	}
}

/* RFC 7517, A.3 */
static void jwk_of_oct_is_split(void **state)
{
	struct kvault_import in;

	(void)state;
	assert_int_equal(import_text("{\"kty\":\"oct\",\"key_ops\":[\"wrapKey\"],"
				     "\"k\":\"GawgguFyGrWKav7AX4VKUg\"}", &in), 0);
	has_no_secret(&in);
	assert_non_null(strstr(in.jwk, "wrapKey"));
	assert_int_equal(in.secret.len, 16);
	assert_int_equal(in.secret.data[0], 0x19);
	kvault_import_done(&in);
}

static void bad_jwks_are_refused(void **state)
{
	static const char *const bad[] = {
		"{", "{}", "{\"kty\":1}", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"AA\"}",
		"{\"kty\":\"oct\"}", "{\"kty\":\"oct\",\"k\":1}", "{\"kty\":\"oct\",\"k\":\"A\"}",
		"{\"kty\":\"oct\",\"k\":\"GawgguFyGrWKav7AX4VKUg==\"}",
		"{\"kty\":\"oct\",\"k\":\"AA\"}",
		"{\"kty\":\"oct\",\"kty\":\"oct\",\"k\":\"GawgguFyGrWKav7AX4VKUg\"}",
		"{\"kty\":\"oct\",\"k\":\"GawgguFyGrWKav7AX4VKUg\"} x",
		"{\"kty\":\"oct\",\"k\":\"\xff\xfe\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
		EC_OF("P-255", X, Y, D),
		EC_OF("P-384", X, Y, D),
		/* not on the curve */
		EC_OF("P-256", Y, X, D),
		/* another private half */
		EC_OF("P-256", X, Y, X),
		EC_OF("P-256", "", Y, D),
		"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"d\":\"AQAB\"}",
	};
	struct kvault_import in;
	size_t i;

	(void)state;
	for (i = 0; i < KVL_SIZE(bad); i++) {
		why[0] = '\0';
		if (!import_text(bad[i], &in))
			fail_msg("%s was taken for a key", bad[i]);
		assert_true(why[0]);
		assert_null(strchr(why, '\n'));
		assert_null(strstr(why, D));
	}
}

static void other_files_are_refused(void **state)
{
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	char *pem = pem_of(ed, NULL);
	struct kvault_import in;
	char *public = NULL;

	(void)state;
	assert_true(import_text(pem, &in) < 0);
	assert_non_null(strstr(why, "neither an RSA nor an EC key"));
	assert_int_equal(import_text("", &in), -EINVAL);
	assert_int_equal(import_text("just text", &in), -EINVAL);
	assert_int_equal(import_text(EC_JWK, &in), 0);
	assert_int_equal(kvault_public_pem(in.jwk, &public), 0);
	kvault_import_done(&in);
	assert_int_equal(import_text(public, &in), -EINVAL);
	free(public);
	free(pem);
	EVP_PKEY_free(ed);
}

static void secrets_are_bounded(void **state)
{
	struct kvault_secret s;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "0123456789", 10), 10);
	close(fds[1]);
	assert_int_equal(kvault_secret_read(fds[0], 9, &s), -EFBIG);
	close(fds[0]);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "0123456789", 10), 10);
	close(fds[1]);
	assert_int_equal(kvault_secret_read(fds[0], 10, &s), 0);
	assert_int_equal(s.len, 10);
	kvault_secret_done(&s);
	assert_null(s.data);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jwk_of_ec_is_split),
		cmocka_unit_test(jwk_of_oct_is_split),
		cmocka_unit_test(pem_of_each_type_is_split),
		cmocka_unit_test(pem_may_begin_with_something_else),
		cmocka_unit_test(a_cut_pem_is_refused_wherever_it_is_cut),
		cmocka_unit_test(encrypted_pem_asks),
		cmocka_unit_test(keys_of_bytes_have_a_size),
		cmocka_unit_test(bad_jwks_are_refused),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(secrets_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
