// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pkcs11 backend on a real SoftHSM2 token in a folder of its own, which is
 * made and removed here; and what becomes of it when the token goes away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <p11-kit/p11-kit.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "engine/alg.h"
#include "engine/ossl.h"
#include "engine/test-keys.h"
#include "engine/test-peer.h"
#include "engine/token.h"
#include "util/io.h"

#define SOFTHSM	"/usr/lib/softhsm/libsofthsm2.so"
#define PIN	"4711-0815"

static char folder[] = "/tmp/kvault-token-XXXXXX";
static void *hsm;

static const struct kve_type p256 = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 };
static const struct kve_type rsa2048 = { KVAULT_KTY_RSA, 2048, 0 };

/* --- a token ------------------------------------------------------------------------ */

static void write_file(const char *name, const char *text)
{
	static const struct kvd_io_owner own = { (uid_t)-1, (gid_t)-1, 0600 };
	_cleanup_close_ int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(kvd_io_write_atomic(dir, name, text, strlen(text), &own, 0), 0);
}

static const char *path(const char *name)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), "%s/%s", folder, name);
	return buf;
}

static int run(const char *command)
{
	return system(command) == 0 ? 0 : -1;
}

static int make_token(void **state)
{
	char text[1024];

	(void)state;
	if (!mkdtemp(folder) || mkdir(path("tokens"), 0700) < 0)
		return -1;
	snprintf(text, sizeof(text), "directories.tokendir = %s/tokens\n"
		 "objectstore.backend = file\nlog.level = ERROR\n", folder);
	write_file("softhsm2.conf", text);
	setenv("SOFTHSM2_CONF", path("softhsm2.conf"), 1);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	write_file("pin", PIN "\n");
	snprintf(text, sizeof(text), "[token]\nmodule = %s\ntoken = pkcs11:token=kvault-test\n",
		 SOFTHSM);
	write_file("engine.conf", text);
	snprintf(text, sizeof(text), "[token]\nmodule = %s\ntoken = kvault-test\n"
		 "pin-credential = wrong\n", SOFTHSM);
	write_file("wrong.conf", text);
	write_file("wrong", "0000");
	return run("softhsm2-util --init-token --free --label kvault-test --so-pin 12345678 "
		   "--pin " PIN " >/dev/null") ||
	       run("softhsm2-util --init-token --free --label another --so-pin 12345678 "
		   "--pin " PIN " >/dev/null");
}

static int remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(name);
}

static int remove_token(void **state)
{
	(void)state;
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static int open_hsm(void **state)
{
	struct kve_reply reply = { 0 };
	int r;

	(void)state;
	r = kve_pkcs11.open(path("engine.conf"), &hsm, &reply);
	if (r < 0)
		print_error("open: %s\n", reply.why);
	return r;
}

static int close_hsm(void **state)
{
	(void)state;
	kve_pkcs11.close(hsm);
	hsm = NULL;
	return 0;
}

static struct kve_key *load(const struct kve_type *type, const struct test_answer *a, int want)
{
	struct kve_material m = { a->material, a->reply.material_len };
	struct kve_reply reply = { 0 };
	struct kve_key *key = NULL;
	int r = kve_pkcs11.load(hsm, type, &m, &key, &reply);

	if (r != want)
		print_error("load: %d %s\n", r, reply.why);
	assert_int_equal(r, want);
	return key;
}

static struct kve_key *make(const struct kve_type *type, uint8_t id, struct test_answer *a,
			    EVP_PKEY **pub)
{
	uint8_t version[KVAULT_ID_SIZE] = { 0xab, id };
	int r;

	test_answer_init(a);
	r = kve_pkcs11.generate(hsm, type, version, &a->reply);
	if (r < 0)
		print_error("generate: %d %s\n", r, a->reply.why);
	assert_int_equal(r, 0);
	if (pub)
		*pub = test_peer_from_jwk(a->out, a->reply.out_len);
	return load(type, a, 0);
}

static int sign(struct kve_key *key, uint32_t alg, struct test_answer *s)
{
	static const uint8_t digest[64] = { 1 };
	struct kve_op op = { .alg = kve_alg_find(alg), .operation = KVAULT_OP_SIGN,
			     .in = digest };

	op.in_len = op.alg->md_len;
	test_answer_init(s);
	return kve_pkcs11.crypt(hsm, key, &op, &s->reply);
}

/* --- what it can --------------------------------------------------------------------- */

static void every_signature_verifies_outside(void **state)
{
	static const struct kve_type types[] = {
		{ KVAULT_KTY_RSA, 2048, 0 },
		{ KVAULT_KTY_RSA, 3072, 0 },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P256 },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P384 },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P521 },
		{ KVAULT_KTY_EC, 0, KVAULT_CURVE_P256K },
	};

	(void)state;
	for (uint8_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_pkey_ EVP_PKEY *pub = NULL;
		struct test_answer a;
		struct kve_key *key = make(&types[i], i, &a, &pub);

		assert_non_null(pub);
		test_peer_signing(&kve_pkcs11, hsm, key, pub);
		kve_pkcs11.forget(hsm, key);
	}
}

static void oaep_is_decrypted_in_the_token(void **state)
{
	static const uint8_t plain[] = "a key to be unwrapped";
	struct test_answer a, c, d;
	struct kve_key *key = make(&rsa2048, 20, &a, NULL);
	struct kve_op op = { .alg = kve_alg_find(KVAULT_ALG_RSA_OAEP),
			     .operation = KVAULT_OP_WRAP, .in = plain, .in_len = sizeof(plain) };

	(void)state;
	test_answer_init(&c);
	assert_int_equal(kve_pkcs11.crypt(hsm, key, &op, &c.reply), 0);
	op.operation = KVAULT_OP_UNWRAP;
	op.in = c.out;
	op.in_len = c.reply.out_len;
	test_answer_init(&d);
	assert_int_equal(kve_pkcs11.crypt(hsm, key, &op, &d.reply), 0);
	assert_int_equal(d.reply.out_len, sizeof(plain));
	assert_memory_equal(d.out, plain, sizeof(plain));
	c.out[100] ^= 1;
	assert_int_equal(kve_pkcs11.crypt(hsm, key, &op, &d.reply), -EBADMSG);
	/* and it goes on after that */
	assert_int_equal(sign(key, KVAULT_ALG_PS256, &d), 0);
	kve_pkcs11.forget(hsm, key);
}

static void rsa15_decryption_is_refused(void **state)
{
	uint8_t ct[256] = { 0 };
	struct test_answer a, d;
	struct kve_key *key = make(&rsa2048, 21, &a, NULL);
	struct kve_op op = { .alg = kve_alg_find(KVAULT_ALG_RSA1_5),
			     .operation = KVAULT_OP_DECRYPT, .in = ct, .in_len = sizeof(ct) };

	(void)state;
	test_answer_init(&d);
	assert_int_equal(kve_pkcs11.crypt(hsm, key, &op, &d.reply), -EOPNOTSUPP);
	assert_non_null(strstr(d.reply.why, "use RSA-OAEP"));
	kve_pkcs11.forget(hsm, key);
}

static void import_is_refused_with_a_reason(void **state)
{
	_cleanup_bytes_ struct kvd_bytes der = test_key_der(&p256);
	struct kve_material m = { der.data, der.len };
	struct test_answer a;

	(void)state;
	test_answer_init(&a);
	assert_int_equal(kve_pkcs11.import(hsm, &p256, &m, &a.reply), -EOPNOTSUPP);
	assert_non_null(strstr(a.reply.why, "made in it"));
}

/* The material names the key and holds nothing of it; the token lets nothing out. */
static void private_key_stays_inside(void **state)
{
	struct test_answer a;
	struct kve_key *key = make(&p256, 30, &a, NULL);
	uint8_t id[KVAULT_ID_SIZE] = { 0xab, 30 }, value[256];
	struct kve_token *t = hsm;
	CK_OBJECT_HANDLE obj;
	CK_ATTRIBUTE attr = { CKA_VALUE, value, sizeof(value) };
	json_t *json = json_loadb((char *)a.material, a.reply.material_len, 0, NULL);

	(void)state;
	assert_int_equal(json_object_size(json), 4);
	json_decref(json);
	assert_int_equal(kve_token_find(t, CKO_PRIVATE_KEY, id, &obj, &a.reply), 0);
	assert_int_equal(t->f->C_GetAttributeValue(t->session, obj, &attr, 1),
			 CKR_ATTRIBUTE_SENSITIVE);
	kve_pkcs11.forget(hsm, key);
}

static void repeated_request_gives_the_same_key(void **state)
{
	struct test_answer a, b;
	struct kve_key *ka = make(&p256, 31, &a, NULL), *kb = make(&p256, 31, &b, NULL);

	(void)state;
	assert_int_equal(a.reply.out_len, b.reply.out_len);
	assert_memory_equal(a.out, b.out, a.reply.out_len);
	kve_pkcs11.forget(hsm, ka);
	kve_pkcs11.forget(hsm, kb);
}

static void destroyed_key_is_gone(void **state)
{
	struct test_answer a, s;
	struct kve_key *key = make(&p256, 32, &a, NULL);
	struct kve_material m = { a.material, a.reply.material_len };

	(void)state;
	assert_int_equal(sign(key, KVAULT_ALG_ES256, &s), 0);
	assert_int_equal(kve_pkcs11.destroy(hsm, &m, &s.reply), 0);
	assert_int_equal(sign(key, KVAULT_ALG_ES256, &s), -ENOKEY);
	assert_int_equal(kve_pkcs11.destroy(hsm, &m, &s.reply), 0);
	load(&p256, &a, -ENOKEY);
	kve_pkcs11.forget(hsm, key);
}

static void material_of_another_token_is_refused(void **state)
{
	struct test_answer a;
	struct kve_key *key = make(&p256, 33, &a, NULL);
	char *serial = strstr((char *)a.material, ((struct kve_token *)hsm)->serial);

	(void)state;
	assert_non_null(serial);
	*serial = *serial == '0' ? '1' : '0';
	load(&p256, &a, -EHOSTDOWN);
	kve_pkcs11.forget(hsm, key);
}

static void malformed_material_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "x", "{}", "[]", "null", "{\"format\":2}",
		"{\"format\":1,\"id\":\"00\",\"public\":\"\",\"token\":\"x\"}",
		"{\"format\":1,\"format\":1}",
		"{\"format\":1,\"id\":\"00000000000000000000000000000000\",\"public\":3,"
		"\"token\":\"x\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kve_material m = { (const uint8_t *)bad[i], strlen(bad[i]) };
		struct kve_reply reply = { 0 };
		struct kve_key *key = NULL;

		assert_true(kve_pkcs11.load(hsm, &p256, &m, &key, &reply) < 0);
		assert_null(key);
	}
}

static void load_wants_the_type_that_it_is(void **state)
{
	static const struct kve_type p384 = { KVAULT_KTY_EC, 0, KVAULT_CURVE_P384 };
	struct test_answer a;
	struct kve_key *key = make(&p256, 34, &a, NULL);

	(void)state;
	load(&p384, &a, -EINVAL);
	load(&rsa2048, &a, -EINVAL);
	kve_pkcs11.forget(hsm, key);
}

/* --- what may happen -------------------------------------------------------------------- */

static void closed_session_is_opened_again(void **state)
{
	struct kve_token *t = hsm;
	struct test_answer a, s;
	struct kve_key *key = make(&p256, 40, &a, NULL);
	uint64_t epoch = t->epoch;

	(void)state;
	assert_int_equal(t->f->C_CloseSession(t->session), CKR_OK);
	assert_int_equal(sign(key, KVAULT_ALG_ES256, &s), 0);
	assert_int_equal(t->epoch, epoch + 1);
	assert_int_equal(t->f->C_Logout(t->session), CKR_OK);
	assert_int_equal(sign(key, KVAULT_ALG_ES256, &s), 0);
	assert_int_equal(t->f->C_Finalize(NULL), CKR_OK);
	assert_int_equal(sign(key, KVAULT_ALG_ES256, &s), 0);
	kve_pkcs11.forget(hsm, key);
}

static void absent_token_is_host_down_until_it_is_back(void **state)
{
	struct kve_token *t = hsm;
	struct test_answer a, s;
	struct kve_key *key = make(&p256, 41, &a, NULL);
	char from[64], to[64];
	int r = -EHOSTDOWN;

	(void)state;
	snprintf(from, sizeof(from), "%s/tokens", folder);
	snprintf(to, sizeof(to), "%s/away", folder);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(mkdir(from, 0700), 0);
	t->f->C_CloseSession(t->session);
	assert_int_equal(sign(key, KVAULT_ALG_ES256, &s), -EHOSTDOWN);
	assert_int_equal(sign(key, KVAULT_ALG_ES256, &s), -EHOSTDOWN);
	assert_true(s.reply.why[0]);
	assert_int_equal(rmdir(from), 0);
	assert_int_equal(rename(to, from), 0);
	for (int i = 0; i < 40 && r == -EHOSTDOWN; i++) {
		usleep(50000);
		r = sign(key, KVAULT_ALG_ES256, &s);
	}
	assert_int_equal(r, 0);
	kve_pkcs11.forget(hsm, key);
}

static void wrong_pin_is_tried_once(void **state)
{
	struct kve_reply reply = { 0 };
	void *t = NULL;

	(void)state;
	assert_int_equal(kve_pkcs11.open(path("wrong.conf"), &t, &reply), -EKEYREJECTED);
	assert_null(t);
	assert_non_null(strstr(reply.why, "refused the PIN"));
	assert_null(strstr(reply.why, "0000"));
}

/* A PIN that was changed while connected: one try, then never again. */
static void pin_refused_later_is_not_repeated(void **state)
{
	struct kve_token *t = NULL;
	struct kve_token_config config;
	struct kve_reply reply = { 0 };

	(void)state;
	assert_int_equal(kve_token_config_read(path("engine.conf"), &config, &reply), 0);
	assert_int_equal(kve_token_open(&config, &t, &reply), 0);
	assert_int_equal(t->f->C_SetPIN(t->session, (CK_UTF8CHAR *)PIN, strlen(PIN),
					(CK_UTF8CHAR *)"changed", 7), CKR_OK);
	t->f->C_CloseSession(t->session);
	assert_true(kve_token_is_lost(t, CKR_SESSION_HANDLE_INVALID));
	assert_int_equal(kve_token_ready(t, &reply), -EHOSTDOWN);
	assert_non_null(strstr(reply.why, "refused the PIN"));
	usleep(300000);
	reply.why[0] = '\0';
	assert_int_equal(kve_token_ready(t, &reply), -EHOSTDOWN);
	assert_string_equal(reply.why, "the token refused the PIN");
	kve_token_close(t);
}

static void wrong_configuration_is_named(void **state)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
		{ "[token]\nmodule = " SOFTHSM "\n", "lacks module= or token=" },
		{ "[token]\nmodule = libx.so\ntoken = a\n", "absolute path" },
		{ "[token]\nmodule = /x\ntoken = a\nslot = 1\n", "line 4" },
		{ "[tokens]\nmodule = /x\n", "line 2" },
		{ "[token]\nmodule = /x\nmodule = /y\ntoken = a\n", "twice" },
		{ "[token]\nmodule = /x\ntoken = pkcs11:token=a?pin-value=1\n", "credential" },
		{ "[token]\nmodule = /nowhere.so\ntoken = a\n", "cannot be loaded" },
		{ "[token]\nmodule = " SOFTHSM "\ntoken = pkcs11:foo=a\n", "not a PKCS#11 URI" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kve_reply reply = { 0 };
		void *t = NULL;

		write_file("bad.conf", bad[i].text);
		assert_int_equal(kve_pkcs11.open(path("bad.conf"), &t, &reply), -EINVAL);
		if (!strstr(reply.why, bad[i].word))
			print_error("%zu: %s\n", i, reply.why);
		assert_non_null(strstr(reply.why, bad[i].word));
	}
}

#define HSM_TEST(f) cmocka_unit_test_setup_teardown(f, open_hsm, close_hsm)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		HSM_TEST(every_signature_verifies_outside),
		HSM_TEST(oaep_is_decrypted_in_the_token),
		HSM_TEST(rsa15_decryption_is_refused),
		HSM_TEST(import_is_refused_with_a_reason),
		HSM_TEST(private_key_stays_inside),
		HSM_TEST(repeated_request_gives_the_same_key),
		HSM_TEST(destroyed_key_is_gone),
		HSM_TEST(material_of_another_token_is_refused),
		HSM_TEST(malformed_material_is_refused),
		HSM_TEST(load_wants_the_type_that_it_is),
		HSM_TEST(closed_session_is_opened_again),
		HSM_TEST(absent_token_is_host_down_until_it_is_back),
		cmocka_unit_test(wrong_pin_is_tried_once),
		cmocka_unit_test(wrong_configuration_is_named),
		cmocka_unit_test(pin_refused_later_is_not_repeated),
	};

	return cmocka_run_group_tests_name("pkcs11", tests, make_token, remove_token);
}
