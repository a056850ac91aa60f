// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two ways to try a key that belongs to another user namespace.
 *
 * thief fd VAULT/keys/NAME   open the key here and encrypt with it; then make a user
 *                            namespace, become root of it, and encrypt again with
 *                            the same descriptor and handle
 * thief afalg TOKEN-FILE     give a volume's token to the cipher xts(paes) through
 *                            an AF_ALG socket, which needs no right at all
 *
 * Exit status 0: the theft worked; 1: it was refused; 2: it could not be tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_alg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/kvault.h>

#ifndef SOL_ALG
#define SOL_ALG 279
#endif

static int encrypt(int fd, __u32 handle)
{
	char plain[64] = "", secret[64];
	struct kvault_crypt op = {
		.size = sizeof(op),
		.handle = handle,
		.alg = KVAULT_ALG_A256GCM,
		.in_len = sizeof(plain),
		.in = (unsigned long)plain,
		.out = (unsigned long)secret,
		.out_len = sizeof(secret),
	};

	return ioctl(fd, KVAULT_ENCRYPT, &op) < 0 ? -errno : 0;
}

static int tell(const char *where, int r)
{
	if (r < 0)
		printf("%s: refused: %s\n", where, strerror(-r));
	else
		printf("%s: encrypted\n", where);
	fflush(stdout);
	return r < 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static int become_root_of_a_namespace(void)
{
	char map[32];
	int r;

	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	r = write_file("/proc/self/setgroups", "deny");
	if (!r)
		r = write_file("/proc/self/uid_map", map);
	return r;
}

static int inherited_fd(const char *path)
{
	struct kvault_open key = {
		.size = sizeof(key),
		.ops = KVAULT_OP_ENCRYPT,
		.path = (unsigned long)path,
		.path_len = strlen(path),
	};
	int fd = open("/dev/kvault", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, KVAULT_OPEN, &key) < 0) {
		fprintf(stderr, "thief: %s: %m\n", path);
		return 2;
	}
	if (tell("on the host", encrypt(fd, key.handle)))
		return 2;
	if (become_root_of_a_namespace() < 0) {
		fprintf(stderr, "thief: no user namespace: %m\n");
		return 2;
	}
	return tell("in a user namespace of its own", encrypt(fd, key.handle));
}

static int afalg(const char *path)
{
	struct sockaddr_alg sa = {
		.salg_family = AF_ALG,
		.salg_type = "skcipher",
		.salg_name = "xts(paes)",
	};
	char token[KVAULT_TOKEN_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, token, sizeof(token)) != sizeof(token)) {
		fprintf(stderr, "thief: %s: no token\n", path);
		return 2;
	}
	fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		fprintf(stderr, "thief: xts(paes): %m\n");
		return 2;
	}
	if (setsockopt(fd, SOL_ALG, ALG_SET_KEY, token, sizeof(token)) < 0) {
		printf("AF_ALG: refused: %m\n");
		return 1;
	}
	printf("AF_ALG: the token was taken\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "fd"))
		return inherited_fd(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "afalg"))
		return afalg(argv[2]);
	fprintf(stderr, "usage: thief fd VAULT/keys/NAME | thief afalg TOKEN-FILE\n");
	return 2;
}
