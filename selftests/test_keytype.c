// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys of type "kvault": what request_key(), keyctl() and a shared session
 * keyring make of them, in this tenant and in another one that has the keyring
 * by inheritance. The same with stock keyctl is in keyring_test.sh.
 * timeout: 180
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/keyctl.h>
#include "kv_test.h"
#include "kselftest_harness.h"

static char vault[64], desc[96];

__attribute__((constructor)) static void name_the_vault(void)
{
	snprintf(vault, sizeof(vault), "%s", kv_unique("keytype"));
	snprintf(desc, sizeof(desc), "%s/ec", vault);
}

static long keyctl(int cmd, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	long ret = syscall(SYS_keyctl, cmd, a, b, c, d);

	return ret < 0 ? -errno : ret;
}

static long request(const char *what, const char *callout)
{
	long ret = syscall(SYS_request_key, "kvault", what, callout, KEY_SPEC_SESSION_KEYRING);

	return ret < 0 ? -errno : ret;
}

static long pkey(int cmd, long key, const char *info, const void *in, uint32_t in_len, void *out,
		 uint32_t out_len)
{
	struct keyctl_pkey_params p = {
		.key_id = (int)key, .in_len = in_len, .out_len = out_len,
	};

	return keyctl(cmd, (unsigned long)&p, (unsigned long)info, (unsigned long)in,
		      (unsigned long)out);
}

static long query(long key, const char *info, struct keyctl_pkey_query *q)
{
	return keyctl(KEYCTL_PKEY_QUERY, (unsigned long)key, 0, (unsigned long)info,
		      (unsigned long)q);
}

FIXTURE(keyring)
{
	int fd;
};

/* The keys are made once; each test has a session keyring of its own. */
FIXTURE_SETUP(keyring)
{
	char path[128];

	self->fd = kv_dev();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, kv_wait_daemon(self->fd, 5000));
	ASSERT_EQ(0, kv_vault(self->fd, vault));
	snprintf(path, sizeof(path), "/vaults/%s/keys/oct", vault);
	if (kv_control(self->fd, KVAULT_METHOD_GET, path, NULL, NULL, 0) == 404) {
		ASSERT_EQ(200, kv_create(self->fd, vault, "ec", "\"kty\":\"EC\""));
		ASSERT_EQ(200, kv_create(self->fd, vault, "oct", "\"kty\":\"oct\""));
	}
	ASSERT_LT(0, keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0));
}

FIXTURE_TEARDOWN(keyring)
{
	close(self->fd);
}

TEST_F(keyring, a_requested_key_signs_and_verifies)
{
	uint8_t digest[32] = { 1 }, sig[64];
	struct keyctl_pkey_query q;
	long key = request(desc, "");

	ASSERT_LT(0, key);
	ASSERT_EQ(0, query(key, "enc=raw hash=sha256", &q));
	EXPECT_EQ(256, q.key_size);
	EXPECT_EQ(64, q.max_sig_size);
	EXPECT_EQ(32, q.max_data_size);
	EXPECT_EQ(KEYCTL_SUPPORTS_SIGN | KEYCTL_SUPPORTS_VERIFY, q.supported_ops);
	ASSERT_EQ(64, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw hash=sha256", digest, 32, sig, 64));
	EXPECT_EQ(0, pkey(KEYCTL_PKEY_VERIFY, key, "enc=raw hash=sha256", digest, 32, sig, 64));
	sig[5] ^= 1;
	EXPECT_EQ(-EKEYREJECTED, pkey(KEYCTL_PKEY_VERIFY, key, "enc=raw hash=sha256", digest, 32,
				      sig, 64));
}

TEST_F(keyring, without_a_callout_nobody_is_asked)
{
	EXPECT_EQ(-ENOKEY, request(desc, NULL));
	EXPECT_LT(0, request(desc, ""));
	EXPECT_LT(0, request(desc, NULL));
}

TEST_F(keyring, a_second_request_finds_the_first_key)
{
	long key = request(desc, "");

	ASSERT_LT(0, key);
	EXPECT_EQ(key, request(desc, ""));
	EXPECT_EQ(key, keyctl(KEYCTL_SEARCH, (unsigned long)KEY_SPEC_SESSION_KEYRING,
			      (unsigned long)"kvault", (unsigned long)desc, 0));
}

TEST_F(keyring, a_key_does_only_what_its_callout_asked_for)
{
	uint8_t digest[32] = { 1 }, sig[64];
	struct keyctl_pkey_query q;
	long key = request(desc, "verify");

	ASSERT_LT(0, key);
	ASSERT_EQ(0, query(key, "enc=raw", &q));
	EXPECT_EQ(KEYCTL_SUPPORTS_VERIFY, q.supported_ops);
	EXPECT_GT(0, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 32, sig, 64));
}

TEST_F(keyring, a_callout_that_is_none_is_EINVAL)
{
	static const char *const bad[] = { "sign,", ",", "everything", "sign verify", "wrapKey" };
	char what[128];
	size_t i;

	for (i = 0; i < 5; i++) {
		/* a refusal stays for a second: another description each time */
		snprintf(what, sizeof(what), "%s/ec%zu", vault, i);
		EXPECT_EQ(-EINVAL, request(what, bad[i])) TH_LOG("'%s'", bad[i]);
	}
}

TEST_F(keyring, what_does_not_exist_is_ENOKEY_and_what_is_no_name_EINVAL)
{
	static const char *const bad[] = {
		"", "x", "/x", "a/", "a//b", "a/b/c", "a/b/c/d", "a b/c", "a/\xff", "a/b\n",
		"../a/b",
	};
	char what[600];
	size_t i;

	snprintf(what, sizeof(what), "%s/none", vault);
	EXPECT_EQ(-ENOKEY, request(what, ""));
	EXPECT_EQ(-ENOKEY, request("no-such-vault/key", ""));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(-EINVAL, request(bad[i], "")) TH_LOG("'%s'", bad[i]);
	memset(what, 'a', sizeof(what));
	what[100] = '/';
	what[599] = '\0';
	EXPECT_EQ(-EINVAL, request(what, ""));
}

TEST_F(keyring, both_forms_of_a_name_mean_the_same_key)
{
	char what[128], a[600], b[600];
	long n, m;

	snprintf(what, sizeof(what), "%s/keys/ec", vault);
	n = keyctl(KEYCTL_READ, (unsigned long)request(what, ""), (unsigned long)a, sizeof(a), 0);
	m = keyctl(KEYCTL_READ, (unsigned long)request(desc, ""), (unsigned long)b, sizeof(b), 0);
	ASSERT_LT(0, n);
	ASSERT_EQ(n, m);
	EXPECT_EQ(0, memcmp(a, b, (size_t)n));
}

TEST_F(keyring, reading_gives_the_public_half_and_of_a_secret_key_nothing)
{
	char buf[4096] = "", what[128];
	long n = keyctl(KEYCTL_READ, (unsigned long)request(desc, ""), (unsigned long)buf,
			sizeof(buf), 0);

	ASSERT_LT(0, n);
	ASSERT_GT(sizeof(buf), n);
	EXPECT_NE(NULL, strstr(buf, "\"x\""));
	EXPECT_NE(NULL, strstr(buf, "\"y\""));
	EXPECT_EQ(NULL, strstr(buf, "\"d\""));
	/* of a symmetric key only what it is called and good for */
	snprintf(what, sizeof(what), "%s/oct", vault);
	memset(buf, 0, sizeof(buf));
	n = keyctl(KEYCTL_READ, (unsigned long)request(what, ""), (unsigned long)buf,
		   sizeof(buf), 0);
	EXPECT_GT(sizeof(buf), n);
	EXPECT_EQ(NULL, strstr(buf, "\"k\""));
}

TEST_F(keyring, nobody_makes_or_changes_a_key_by_hand)
{
	long key = request(desc, "");

	EXPECT_EQ(-1, syscall(SYS_add_key, "kvault", desc, "payload", 7,
			      KEY_SPEC_SESSION_KEYRING));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, syscall(SYS_add_key, "kvault", desc, NULL, 0, KEY_SPEC_SESSION_KEYRING));
	/* it gives nobody the right to write, and has no such operation */
	EXPECT_EQ(-EACCES, keyctl(KEYCTL_UPDATE, (unsigned long)key, (unsigned long)"x", 1, 0));
	EXPECT_EQ(key, request(desc, ""));
}

TEST_F(keyring, a_revoked_key_does_nothing)
{
	uint8_t digest[32] = { 1 }, sig[64];
	long key = request(desc, ""), ret;

	ASSERT_LT(0, key);
	ASSERT_EQ(0, keyctl(KEYCTL_REVOKE, (unsigned long)key, 0, 0, 0));
	ret = pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 32, sig, 64);
	EXPECT_TRUE(ret == -EKEYREVOKED || ret == -ENOKEY) TH_LOG("%ld", ret);
	/* the collector may have unlinked it already, and nobody possesses it then */
	ret = keyctl(KEYCTL_READ, (unsigned long)key, 0, 0, 0);
	EXPECT_TRUE(ret == -EKEYREVOKED || ret == -EACCES || ret == -ENOKEY) TH_LOG("%ld", ret);
}

TEST_F(keyring, a_key_that_the_vault_disabled_stops_in_the_keyring_too)
{
	uint8_t digest[32] = { 1 }, sig[64];
	long key = request(desc, "");

	ASSERT_EQ(64, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 32, sig, 64));
	ASSERT_EQ(200, kv_enable(self->fd, vault, "ec", false));
	EXPECT_EQ(-EKEYREVOKED, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 32, sig, 64));
	ASSERT_EQ(200, kv_enable(self->fd, vault, "ec", true));
	EXPECT_EQ(64, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 32, sig, 64));
}

TEST_F(keyring, options_and_lengths_that_do_not_fit_are_refused)
{
	static const char *const bad[] = {
		"enc=x962 hash=sha256", "enc=pkcs1 hash=sha256", "enc=raw hash=sha384",
		"enc=raw hash=md5", "enc=oaep",
	};
	uint8_t digest[64] = { 1 }, sig[64];
	long key = request(desc, "");
	size_t i;

	ASSERT_LT(0, key);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(-EOPNOTSUPP, pkey(KEYCTL_PKEY_SIGN, key, bad[i], digest, 32, sig, 64))
			TH_LOG("%s", bad[i]);
	EXPECT_EQ(-EINVAL, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 31, sig, 64));
	EXPECT_EQ(-EINVAL, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 64, sig, 64));
	EXPECT_EQ(-EINVAL, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw nonsense=1", digest, 32, sig, 64));
	/* the keyrings' own check: pkey_query says that it has no ciphertexts */
	EXPECT_EQ(-EINVAL, pkey(KEYCTL_PKEY_DECRYPT, key, "enc=raw", digest, 32, sig, 64));
	EXPECT_EQ(-EFAULT, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", (void *)8, 32, sig, 64));
}

/* --- another tenant with the same session keyring ------------------------- */

static int use_foreign(void *arg)
{
	unsigned long key = *(unsigned long *)arg;
	uint8_t digest[32] = { 1 }, sig[64];
	struct keyctl_pkey_query q;
	char buf[4096], *line;
	FILE *f;

	if (keyctl(KEYCTL_READ, key, (unsigned long)buf, sizeof(buf), 0) >= 0)
		return 1;
	if (query((long)key, "enc=raw", &q) != -ENOKEY)
		return 2;
	if (pkey(KEYCTL_PKEY_SIGN, (long)key, "enc=raw", digest, 32, sig, 64) != -ENOKEY)
		return 3;
	if (keyctl(KEYCTL_SEARCH, (unsigned long)KEY_SPEC_SESSION_KEYRING,
		   (unsigned long)"kvault", (unsigned long)desc, 0) != -ENOKEY)
		return 4;
	if (request(desc, NULL) != -ENOKEY)
		return 5;
	if (request(desc, "") != -ENOKEY)
		return 6;
	f = fopen("/proc/keys", "r");
	while (f && (line = fgets(buf, sizeof(buf), f)))
		if (strstr(line, vault))
			return 7;
	return 0;
}

TEST_F(keyring, a_tenant_that_shares_the_keyring_sees_and_uses_nothing)
{
	long key = request(desc, "");
	uint8_t digest[32] = { 1 }, sig[64];

	ASSERT_LT(0, key);
	/*
	 * Whoever shares a keyring can put something else in a key's place, which
	 * is said and not defended: so it is in one of our own, too.
	 */
	ASSERT_EQ(0, keyctl(KEYCTL_LINK, (unsigned long)key,
			    (unsigned long)KEY_SPEC_PROCESS_KEYRING, 0, 0));
	/* as wide as its owner can make it */
	keyctl(KEYCTL_SETPERM, (unsigned long)key, 0x3f3f3f3f, 0, 0);
	EXPECT_EQ(0, kv_in_ns(use_foreign, &key));
	EXPECT_EQ(64, pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 32, sig, 64));
}

static int make_own(void *arg)
{
	char name[64];
	int fd = kv_dev();
	uint8_t digest[32] = { 1 }, sig[64];
	long key;

	snprintf(name, sizeof(name), "%s", vault);
	if (fd < 0 || kv_vault(fd, name) || kv_create(fd, name, "ec", "\"kty\":\"EC\"") != 200)
		return 1;
	key = request(desc, "");
	if (key <= 0 || key == *(long *)arg)
		return 2;
	return pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 32, sig, 64) == 64 ? 0 : 3;
}

TEST_F_TIMEOUT(keyring, the_same_name_in_two_tenants_is_two_keys, 60)
{
	long key = request(desc, "");

	ASSERT_LT(0, key);
	EXPECT_EQ(0, kv_in_ns(make_own, &key));
	EXPECT_LT(0, request(desc, ""));
}

static int sign_as_other(void *arg)
{
	uint8_t digest[32] = { 1 }, sig[64];

	if (setgid(1000) || setuid(1000))
		return 99;
	return kv_status((int)pkey(KEYCTL_PKEY_SIGN, *(long *)arg, "enc=raw", digest, 32, sig, 64));
}

TEST_F(keyring, another_user_of_the_host_cannot_use_the_key)
{
	struct kv_child c;
	long key = request(desc, "");

	ASSERT_LT(0, key);
	keyctl(KEYCTL_SETPERM, (unsigned long)key, 0x3f3f3f3f, 0, 0);
	ASSERT_EQ(0, kv_child_start(&c, false, false, sign_as_other, &key));
	kv_child_go(&c);
	EXPECT_EQ(EACCES, kv_child_end(&c));
}

/* --- many at once --------------------------------------------------------- */

static int request_and_sign(void *arg)
{
	uint8_t digest[32] = { 1 }, sig[64];
	long key = request(desc, "");

	if (key < 0)
		return kv_status((int)key);
	return pkey(KEYCTL_PKEY_SIGN, key, "enc=raw", digest, 32, sig, 64) == 64 ? 0 : 99;
}

TEST_F_TIMEOUT(keyring, requests_at_the_same_time_all_get_the_key, 60)
{
	struct kv_child c[6];
	int i;

	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, kv_child_start(&c[i], false, false, request_and_sign, NULL));
	for (i = 0; i < 6; i++)
		kv_child_go(&c[i]);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(0, kv_child_end(&c[i]));
}

TEST_HARNESS_MAIN
