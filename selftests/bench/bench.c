// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: what an operation costs through /dev/kvault, and what the same costs
 * in OpenSSL within this process. Run in a guest under -icount shift=0, where
 * a nanosecond of guest time is one instruction; anywhere else the figures
 * are times and prove nothing.
 *
 * Each figure is the minimum of ROUNDS rounds of about ROUND_NS: the timer
 * tick adds some thousand instructions to a round, and to some more.
 *
 * Output: a line per operation: name, ours, peer, ratio (peer 0: none).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <linux/kvault.h>

#define ROUNDS		5
#define ROUND_NS	2000000
#define PAYLOAD		16384

static int dev;
static uint8_t in[PAYLOAD], out[PAYLOAD + 256], key[32];

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void control(uint32_t method, const char *path, const char *body)
{
	char reply[8192];
	struct kvault_control c = {
		.size = sizeof(c), .method = method, .timeout_ms = 60000,
		.path = (uintptr_t)path, .path_len = strlen(path),
		.body = (uintptr_t)body, .body_len = strlen(body),
		.reply = (uintptr_t)reply, .reply_len = sizeof(reply),
	};

	if (ioctl(dev, KVAULT_CONTROL, &c))
		die(path);
	if (c.status >= 300) {
		fprintf(stderr, "bench: %s: %.*s\n", path, (int)c.reply_len, reply);
		exit(2);
	}
}

static uint32_t make_key(const char *name, const char *body)
{
	struct kvault_open o = { .size = sizeof(o), .timeout_ms = 60000 };
	char path[128];

	snprintf(path, sizeof(path), "/vaults/bench/keys/%s/create", name);
	control(KVAULT_METHOD_POST, path, body);
	snprintf(path, sizeof(path), "bench/keys/%s", name);
	o.path = (uintptr_t)path;
	o.path_len = strlen(path);
	if (ioctl(dev, KVAULT_OPEN, &o))
		die(path);
	return o.handle;
}

/* One thing to measure. fn does it @n times. */
struct job {
	const char *name;
	void (*fn)(const struct job *j, unsigned long n);
	unsigned long cmd;
	uint32_t alg;
	uint32_t len;
	uint32_t handle;
	void *ctx;
};

static void run_ioctl(const struct job *j, unsigned long n)
{
	while (n--) {
		struct kvault_crypt c = {
			.size = sizeof(c), .handle = j->handle, .alg = j->alg,
			.in = (uintptr_t)in, .in_len = j->len,
			.out = (uintptr_t)out, .out_len = sizeof(out),
		};

		if (ioctl(dev, j->cmd, &c))
			die(j->name);
	}
}

static void run_getppid(const struct job *j, unsigned long n)
{
	(void)j;
	while (n--)
		syscall(SYS_getppid);
}

static void ossl(const char *name, int ok)
{
	if (ok <= 0) {
		fprintf(stderr, "bench: OpenSSL: %s\n", name);
		ERR_print_errors_fp(stderr);
		exit(2);
	}
}

/* The key stays set, as it does in ours; the IV is drawn, as ours is. */
static void run_gcm(const struct job *j, unsigned long n)
{
	EVP_CIPHER_CTX *c = j->ctx;
	uint8_t iv[12], tag[16];
	int len;

	while (n--) {
		ossl(j->name, RAND_bytes(iv, sizeof(iv)));
		ossl(j->name, EVP_EncryptInit_ex(c, NULL, NULL, NULL, iv));
		ossl(j->name, EVP_EncryptUpdate(c, out, &len, in, j->len));
		ossl(j->name, EVP_EncryptFinal_ex(c, out + len, &len));
		ossl(j->name, EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag));
	}
}

static void run_hmac(const struct job *j, unsigned long n)
{
	EVP_MAC_CTX *c = j->ctx;
	size_t len;

	while (n--) {
		ossl(j->name, EVP_MAC_init(c, NULL, 0, NULL));
		ossl(j->name, EVP_MAC_update(c, in, j->len));
		ossl(j->name, EVP_MAC_final(c, out, &len, sizeof(out)));
	}
}

static void run_kw(const struct job *j, unsigned long n)
{
	EVP_CIPHER_CTX *c = j->ctx;
	int len;

	while (n--) {
		ossl(j->name, EVP_EncryptInit_ex(c, NULL, NULL, key, NULL));
		ossl(j->name, EVP_EncryptUpdate(c, out, &len, in, j->len));
	}
}

static void run_sign(const struct job *j, unsigned long n)
{
	EVP_PKEY_CTX *c = j->ctx;
	size_t len;

	while (n--) {
		len = sizeof(out);
		ossl(j->name, EVP_PKEY_sign(c, out, &len, in, j->len));
	}
}

static EVP_CIPHER_CTX *cipher(const EVP_CIPHER *type)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	EVP_CIPHER_CTX_set_flags(c, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ossl("cipher", EVP_EncryptInit_ex(c, type, NULL, key, NULL));
	return c;
}

static EVP_MAC_CTX *hmac(void)
{
	EVP_MAC_CTX *c = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "HMAC", NULL));
	OSSL_PARAM p[] = { OSSL_PARAM_construct_utf8_string("digest", "SHA256", 0),
			   OSSL_PARAM_construct_end() };

	ossl("hmac", EVP_MAC_init(c, key, sizeof(key), p));
	return c;
}

static EVP_PKEY_CTX *signer(EVP_PKEY *k)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k, NULL);

	ossl("signer", EVP_PKEY_sign_init(c));
	if (EVP_PKEY_is_a(k, "RSA"))
		ossl("padding", EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING));
	ossl("digest", EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()));
	return c;
}

/* Instructions of one operation: the least of some rounds. */
static uint64_t measure(const struct job *j)
{
	uint64_t start, took, best = UINT64_MAX;
	unsigned long n = 1;
	int i;

	j->fn(j, 2);	/* what is made at first use is made */
	for (;;) {
		start = now();
		j->fn(j, n);
		took = now() - start;
		if (took >= ROUND_NS || n > 100000)
			break;
		n = took < ROUND_NS / 16 ? n * 8 : n * 2;
	}
	for (i = 0; i < ROUNDS; i++) {
		start = now();
		j->fn(j, n);
		took = now() - start;
		if (took < best)
			best = took;
	}
	return best / n;
}

/* --- make bench PROFILE=NAME: which functions the instructions are in --------- */
#define PROFILE_N	100

static const char *profiled;

/* A word with the host's side, which starts and ends the log of instructions. */
static void trace(const char *name)
{
	static int port = -1;
	char answer[64];

	if (port < 0)
		port = open(getenv("BENCH_PORT"), O_RDWR | O_CLOEXEC);
	if (port < 0)
		die("BENCH_PORT");
	snprintf(answer, sizeof(answer), "trace %s\n", name);
	if (write(port, answer, strlen(answer)) < 0)
		die("port");
	do {
		if (read(port, answer, sizeof(answer)) <= 0)
			die("port");
	} while (!memchr(answer, '.', sizeof(answer)));
}

/* Once without the operation: what the words cost is taken off. */
static void profile(const struct job *j)
{
	j->fn(j, 2 * PROFILE_N);
	trace("bench-none");
	trace("");
	trace("bench-profile");
	j->fn(j, PROFILE_N);
	trace("");
}

static void compare(const struct job *ours, const struct job *peer)
{
	uint64_t a, b;

	if (profiled) {
		if (!strcmp(profiled, ours->name))
			profile(ours);
		return;
	}
	a = measure(ours);
	b = peer ? measure(peer) : 0;
	printf("%s %llu %llu %.3f\n", ours->name, (unsigned long long)a, (unsigned long long)b,
	       b ? (double)a / b : 0.0);
	fflush(stdout);
}

static void symmetric(void)
{
	static const struct {
		const char *name;
		uint32_t len;
	} sizes[] = { { "gcm-64", 64 }, { "gcm-1k", 1024 }, { "gcm-4k", 4096 },
		      { "gcm-16k", 16384 } };
	uint32_t aes = make_key("aes", "{\"kty\":\"oct\",\"key_size\":256}");
	uint32_t mac = make_key("mac", "{\"kty\":\"oct\",\"key_size\":256,\"key_ops\":[\"sign\"]}");
	struct job getppid_job = { .name = "getppid", .fn = run_getppid };
	struct job noop = { .name = "noop", .fn = run_ioctl, .cmd = KVAULT_NOOP,
			    .alg = KVAULT_ALG_A256GCM, .handle = aes };
	size_t i;

	compare(&noop, &getppid_job);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		compare(&(struct job){ sizes[i].name, run_ioctl, KVAULT_ENCRYPT,
				       KVAULT_ALG_A256GCM, sizes[i].len, aes, NULL },
			&(struct job){ .name = "gcm", .fn = run_gcm, .len = sizes[i].len,
				       .ctx = cipher(EVP_aes_256_gcm()) });
	compare(&(struct job){ "hmac-1k", run_ioctl, KVAULT_SIGN, KVAULT_ALG_HS256, 1024, mac,
			       NULL },
		&(struct job){ .name = "hmac", .fn = run_hmac, .len = 1024, .ctx = hmac() });
	compare(&(struct job){ "kw-32", run_ioctl, KVAULT_WRAP, KVAULT_ALG_A256KW, 32, aes, NULL },
		&(struct job){ .name = "kw", .fn = run_kw, .len = 32,
			       .ctx = cipher(EVP_aes_256_wrap()) });
}

static void asymmetric(void)
{
	uint32_t ec = make_key("ec", "{\"kty\":\"EC\",\"crv\":\"P-256\"}");
	uint32_t rsa = make_key("rsa", "{\"kty\":\"RSA\",\"key_size\":2048}");

	compare(&(struct job){ "p256-sign", run_ioctl, KVAULT_SIGN, KVAULT_ALG_ES256, 32, ec,
			       NULL },
		&(struct job){ .name = "p256", .fn = run_sign, .len = 32,
			       .ctx = signer(EVP_EC_gen("P-256")) });
	compare(&(struct job){ "rsa2048-sign", run_ioctl, KVAULT_SIGN, KVAULT_ALG_RS256, 32, rsa,
			       NULL },
		&(struct job){ .name = "rsa", .fn = run_sign, .len = 32,
			       .ctx = signer(EVP_RSA_gen(2048)) });
}

int main(int argc, char **argv)
{
	profiled = argc > 1 ? argv[1] : NULL;
	dev = open("/dev/kvault", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		die("/dev/kvault");
	RAND_bytes(key, sizeof(key));
	RAND_bytes(in, sizeof(in));
	control(KVAULT_METHOD_PUT, "/vaults/bench", "{}");
	symmetric();
	asymmetric();
	return 0;
}
