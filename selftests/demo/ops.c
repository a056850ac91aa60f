// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops VAULT/keys/NAME SECONDS: what a program that holds a handle can still do.
 *
 * Opens the key, encrypts once, and waits for a line on standard input. Then it
 * encrypts 1 KiB every two milliseconds for so many seconds, and says how often that
 * worked and how long the longest one took.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/kvault.h>

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int encrypt(int fd, __u32 handle)
{
	static char plain[1024], secret[1024];
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

int main(int argc, char **argv)
{
	struct kvault_open key = {
		.size = sizeof(key),
		.ops = KVAULT_OP_ENCRYPT,
	};
	unsigned long done = 0, failed = 0;
	double end, before, longest = 0;
	int fd, r, last = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: ops VAULT/keys/NAME SECONDS\n");
		return 2;
	}
	key.path = (unsigned long)argv[1];
	key.path_len = strlen(argv[1]);
	fd = open("/dev/kvault", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, KVAULT_OPEN, &key) < 0) {
		fprintf(stderr, "ops: %s: %m\n", argv[1]);
		return 1;
	}
	r = encrypt(fd, key.handle);
	if (r < 0) {
		fprintf(stderr, "ops: encrypt: %s\n", strerror(-r));
		return 1;
	}
	if (getchar() == EOF)
		return 1;

	end = seconds() + atoi(argv[2]);
	while ((before = seconds()) < end) {
		r = encrypt(fd, key.handle);
		if (r < 0) {
			failed++;
			last = r;
		} else {
			done++;
		}
		if (seconds() - before > longest)
			longest = seconds() - before;
		usleep(2000);
	}
	printf("%lu encrypted in %s s, %lu refused%s%s, the longest %.0f ms\n", done, argv[2],
	       failed, last ? ": " : "", last ? strerror(-last) : "", longest * 1000);
	return 0;
}
