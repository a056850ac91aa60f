/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the C tests share: raw ioctls (no libkvault, so that a mistake in it
 * cannot hide one in the kernel), keys, and other user namespaces.
 *
 * Functions return 0 or what they are called for, and -errno on failure, so
 * that a test can say EXPECT_EQ(-ENOKEY, kv_open_key(...)).
 */
#ifndef KV_TEST_H
#define KV_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/kvault.h>

#define KV_DEV		"/dev/kvault"
#define KV_MAYBE	__attribute__((unused))

static inline uint64_t kv_ptr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static KV_MAYBE int kv_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static KV_MAYBE int kv_dev(void)
{
	int fd = open(KV_DEV, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* How much slower than a stock kernel the one that runs is: see run-check. */
static KV_MAYBE unsigned int kv_factor(void)
{
	const char *factor = getenv("VM_FACTOR");

	return factor ? (unsigned int)atoi(factor) : 1;
}

/* At most so long, on whatever kernel: for upper bounds alone. */
static KV_MAYBE unsigned int kv_patience(unsigned int ms)
{
	return ms * kv_factor();
}

static KV_MAYBE uint64_t kv_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static KV_MAYBE void kv_sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static KV_MAYBE int kv_info(int fd, struct kvault_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return kv_ioctl(fd, KVAULT_INFO, info);
}

/* --- control operations --------------------------------------------------- */

static char kv_json[KVAULT_BODY_MAX + 1];	/* of the last answer */

/* One control operation; the HTTP status of the answer, or -errno. */
static KV_MAYBE int kv_control(int fd, uint32_t method, const char *path, const char *body,
			       const void *secret, size_t secret_len)
{
	struct kvault_control c = {
		.size = sizeof(c), .method = method, .timeout_ms = kv_patience(30000),
		.path = kv_ptr(path), .path_len = (uint32_t)strlen(path),
		.body = kv_ptr(body), .body_len = body ? (uint32_t)strlen(body) : 0,
		.reply = kv_ptr(kv_json), .reply_len = KVAULT_BODY_MAX,
		.secret_in = kv_ptr(secret), .secret_in_len = (uint32_t)secret_len,
	};
	int ret = kv_ioctl(fd, KVAULT_CONTROL, &c);

	kv_json[ret ? 0 : c.reply_len] = '\0';
	return ret ? ret : (int)c.status;
}

/* Text of a JSON member, of the first of that name in the last answer. */
static KV_MAYBE const char *kv_json_str(const char *name, char *buf, size_t size)
{
	char pattern[64];
	const char *p;
	size_t n = 0;

	snprintf(pattern, sizeof(pattern), "\"%s\":", name);
	p = strstr(kv_json, pattern);
	if (!p)
		return NULL;
	p += strlen(pattern);
	p += strspn(p, " ");
	if (*p != '"')
		return NULL;
	for (p++; *p && *p != '"' && n + 1 < size; p++)
		buf[n++] = *p;
	buf[n] = '\0';
	return buf;
}

static KV_MAYBE int kv_b64_value(char c)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *p = c ? strchr(set, c) : NULL;

	return p ? (int)(p - set) : -1;
}

/* base64url member of the last answer -> bytes; their number, or -1 */
static KV_MAYBE int kv_json_bytes(const char *name, uint8_t *out, size_t size)
{
	char text[2048];
	uint32_t acc = 0;
	int bits = 0, v;
	size_t n = 0;
	const char *p = kv_json_str(name, text, sizeof(text));

	if (!p)
		return -1;
	for (; *p; p++) {
		v = kv_b64_value(*p);
		if (v < 0)
			return -1;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n == size)
			return -1;
		out[n++] = (uint8_t)(acc >> bits);
	}
	return (int)n;
}

/* A name that no other run of any test has. */
static KV_MAYBE const char *kv_unique(const char *prefix)
{
	static char name[64];
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	snprintf(name, sizeof(name), "%s-%d-%lx%lx", prefix, getpid(), (unsigned long)t.tv_sec,
		 (unsigned long)t.tv_nsec);
	return name;
}

/*
 * kvaultd may be just starting again after the test before.
 */
static KV_MAYBE int kv_wait_daemon(int fd, unsigned int ms)
{
	uint64_t end = kv_now_ms() + kv_patience(ms);
	struct kvault_info info;

	do {
		if (!kv_info(fd, &info) && info.daemon == KVAULT_DAEMON_PRESENT)
			return 0;
		kv_sleep_ms(50);
	} while (kv_now_ms() < end);
	return -EHOSTDOWN;
}

static KV_MAYBE int kv_vault(int fd, const char *vault)
{
	char path[128];
	int status;

	snprintf(path, sizeof(path), "/vaults/%s", vault);
	status = kv_control(fd, KVAULT_METHOD_PUT, path, "{}", NULL, 0);
	return status == 200 || status == 201 ? 0 : status;
}

/* HTTP status of creating a key; @json is what belongs into the braces. */
static KV_MAYBE int kv_create(int fd, const char *vault, const char *key, const char *json)
{
	char path[256], body[1024];

	snprintf(path, sizeof(path), "/vaults/%s/keys/%s/create", vault, key);
	snprintf(body, sizeof(body), "{%s}", json);
	return kv_control(fd, KVAULT_METHOD_POST, path, body, NULL, 0);
}

/* HTTP status of importing an oct key of known bytes. */
static KV_MAYBE int kv_import(int fd, const char *vault, const char *key, const char *ops,
			      const void *raw, size_t len)
{
	char path[256], body[512];

	snprintf(path, sizeof(path), "/vaults/%s/keys/%s", vault, key);
	snprintf(body, sizeof(body), "{\"key\":{\"kty\":\"oct\",\"key_ops\":[%s]}}", ops);
	return kv_control(fd, KVAULT_METHOD_PUT, path, body, raw, len);
}

/* HTTP status of PATCH; @json is what belongs into the braces. */
static KV_MAYBE int kv_patch(int fd, const char *vault, const char *key, const char *json)
{
	char path[256], body[512];

	snprintf(path, sizeof(path), "/vaults/%s/keys/%s", vault, key);
	snprintf(body, sizeof(body), "{%s}", json);
	return kv_control(fd, KVAULT_METHOD_PATCH, path, body, NULL, 0);
}

static KV_MAYBE int kv_enable(int fd, const char *vault, const char *key, bool enable)
{
	char json[64];

	snprintf(json, sizeof(json), "\"attributes\":{\"enabled\":%s}",
		 enable ? "true" : "false");
	return kv_patch(fd, vault, key, json);
}

/* --- handles -------------------------------------------------------------- */

static KV_MAYBE int kv_open_path(int fd, const char *path, uint32_t ops, uint32_t timeout_ms,
				 struct kvault_open *o)
{
	memset(o, 0, sizeof(*o));
	o->size = sizeof(*o);
	o->path = kv_ptr(path);
	o->path_len = (uint32_t)strlen(path);
	o->ops = ops;
	o->timeout_ms = timeout_ms;
	return kv_ioctl(fd, KVAULT_OPEN, o);
}

static KV_MAYBE int kv_open_key(int fd, const char *vault, const char *key, uint32_t ops,
				uint32_t *handle)
{
	struct kvault_open o;
	char path[256];
	int ret;

	snprintf(path, sizeof(path), "%s/keys/%s", vault, key);
	ret = kv_open_path(fd, path, ops, kv_patience(30000), &o);
	if (!ret)
		*handle = o.handle;
	return ret;
}

static KV_MAYBE int kv_close_handle(int fd, uint32_t handle)
{
	struct kvault_close c = { .size = sizeof(c), .handle = handle };

	return kv_ioctl(fd, KVAULT_CLOSE, &c);
}

/* One operation; @out_len is the buffer's size before and the result's after. */
static KV_MAYBE int kv_op(int fd, unsigned long cmd, struct kvault_crypt *c, const void *in,
			  size_t in_len, void *out, size_t *out_len)
{
	int ret;

	c->size = sizeof(*c);
	c->in = kv_ptr(in);
	c->in_len = (uint32_t)in_len;
	c->out = kv_ptr(out);
	c->out_len = out_len ? (uint32_t)*out_len : 0;
	if (!c->timeout_ms)
		c->timeout_ms = kv_patience(30000);
	ret = kv_ioctl(fd, cmd, c);
	if (out_len)
		*out_len = c->out_len;
	return ret;
}

static KV_MAYBE int kv_sign(int fd, uint32_t handle, uint32_t alg, const void *in, size_t in_len,
			    void *out, size_t *out_len)
{
	struct kvault_crypt c = { .handle = handle, .alg = alg };

	return kv_op(fd, KVAULT_SIGN, &c, in, in_len, out, out_len);
}

static KV_MAYBE int kv_verify(int fd, uint32_t handle, uint32_t alg, const void *in,
			      size_t in_len, const void *sig, size_t sig_len)
{
	struct kvault_crypt c = {
		.handle = handle, .alg = alg, .aux = kv_ptr(sig), .aux_len = (uint32_t)sig_len,
	};

	return kv_op(fd, KVAULT_VERIFY, &c, in, in_len, NULL, NULL);
}

/* Does the cheapest thing that a handle with any of the usual ops can do. */
static KV_MAYBE int kv_noop(int fd, uint32_t handle, uint32_t alg)
{
	struct kvault_crypt c = { .handle = handle, .alg = alg };
	uint8_t in[16] = { 0 };

	return kv_op(fd, KVAULT_NOOP, &c, in, sizeof(in), NULL, NULL);
}

static KV_MAYBE int kv_encrypt_gcm(int fd, uint32_t handle)
{
	struct kvault_crypt c = { .handle = handle, .alg = KVAULT_ALG_A256GCM };
	uint8_t in[16] = { 0 }, out[16];
	size_t len = sizeof(out);

	return kv_op(fd, KVAULT_ENCRYPT, &c, in, sizeof(in), out, &len);
}

/* --- bytes ---------------------------------------------------------------- */

static KV_MAYBE size_t kv_hex(const char *hex, uint8_t *out)
{
	unsigned int b;
	size_t n = 0;

	while (sscanf(hex + 2 * n, "%2x", &b) == 1)
		out[n++] = (uint8_t)b;
	return n;
}

/* --- other user namespaces ------------------------------------------------ */

static KV_MAYBE int kv_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -errno;
	close(fd);
	return ret;
}

/* Maps root of a new namespace of process @pid to root here, and nobody else. */
static KV_MAYBE int kv_map_root(pid_t pid)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
	ret = kv_write_file(path, "deny");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	ret = ret ? ret : kv_write_file(path, "0 0 1");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	return ret ? ret : kv_write_file(path, "0 0 1");
}

/*
 * A process in a new user namespace (or, without @in_ns, in ours) that runs
 * @fn(@arg) and ends with its value as exit status, 0..255. With @mapped the
 * namespace has its uid map before @fn begins.
 */
struct kv_child {
	pid_t pid;
	int go;		/* written once: begin */
};

static KV_MAYBE int kv_child_start(struct kv_child *c, bool in_ns, bool mapped,
				   int (*fn)(void *arg), void *arg)
{
	int ready[2], go[2];
	char b;

	if (pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	c->pid = fork();
	if (c->pid < 0)
		return -errno;
	if (!c->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		if (in_ns && unshare(CLONE_NEWUSER))
			_exit(99);
		if (write(ready[1], "r", 1) != 1 || read(go[0], &b, 1) != 1)
			_exit(98);
		_exit(fn(arg) & 0xff);
	}
	close(go[0]);
	close(ready[1]);
	c->go = go[1];
	if (read(ready[0], &b, 1) != 1) {
		close(ready[0]);
		return -ECHILD;
	}
	close(ready[0]);
	return in_ns && mapped ? kv_map_root(c->pid) : 0;
}

static KV_MAYBE void kv_child_go(struct kv_child *c)
{
	if (write(c->go, "g", 1) != 1)
		perror("kv_child_go");
	close(c->go);
}

/* Its exit status; 128 + signal when it was killed. */
static KV_MAYBE int kv_child_end(struct kv_child *c)
{
	int status;

	if (waitpid(c->pid, &status, 0) != c->pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* All of that at once. */
static KV_MAYBE int kv_in_ns(int (*fn)(void *arg), void *arg)
{
	struct kv_child c;
	int ret = kv_child_start(&c, true, true, fn, arg);

	if (ret)
		return ret;
	kv_child_go(&c);
	return kv_child_end(&c);
}

/* Errors as exit statuses: 0..127 errno, so that a child can report one. */
static KV_MAYBE int kv_status(int ret)
{
	return ret < 0 ? -ret : 0;
}

#endif /* KV_TEST_H */
