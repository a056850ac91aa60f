// SPDX-License-Identifier: GPL-2.0-only
/*
 * fscrypt-key add MOUNT SERIAL     the file system takes the key with this number
 *                                  from the keyrings; prints the key's identifier
 * fscrypt-key policy DIR ID        the empty DIR is encrypted with that key (v2)
 * fscrypt-key remove MOUNT ID      the file system forgets it
 *
 * Debian's fscrypt insists on a key that it can read. This program sees none:
 * with key_id set, struct fscrypt_add_key_arg holds no key (raw_size 0).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fscrypt.h>

static int add(int fd, const char *serial)
{
	struct fscrypt_add_key_arg arg = {
		.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER,
		.key_id = strtoul(serial, NULL, 10),
	};

	if (ioctl(fd, FS_IOC_ADD_ENCRYPTION_KEY, &arg) < 0)
		return -errno;
	for (int i = 0; i < FSCRYPT_KEY_IDENTIFIER_SIZE; i++)
		printf("%02x", arg.key_spec.u.identifier[i]);
	putchar('\n');
	return 0;
}

static int parse_id(const char *text, __u8 *id)
{
	if (strlen(text) != 2 * FSCRYPT_KEY_IDENTIFIER_SIZE)
		return -EINVAL;
	for (int i = 0; i < FSCRYPT_KEY_IDENTIFIER_SIZE; i++)
		if (sscanf(text + 2 * i, "%2hhx", &id[i]) != 1)
			return -EINVAL;
	return 0;
}

static int set_policy(int fd, const char *id)
{
	struct fscrypt_policy_v2 policy = {
		.version = FSCRYPT_POLICY_V2,
		.contents_encryption_mode = FSCRYPT_MODE_AES_256_XTS,
		.filenames_encryption_mode = FSCRYPT_MODE_AES_256_CTS,
		.flags = FSCRYPT_POLICY_FLAGS_PAD_32,
	};
	int r = parse_id(id, policy.master_key_identifier);

	if (r < 0)
		return r;
	return ioctl(fd, FS_IOC_SET_ENCRYPTION_POLICY, &policy) < 0 ? -errno : 0;
}

static int forget(int fd, const char *id)
{
	struct fscrypt_remove_key_arg arg = {
		.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER,
	};
	int r = parse_id(id, arg.key_spec.u.identifier);

	if (r < 0)
		return r;
	if (ioctl(fd, FS_IOC_REMOVE_ENCRYPTION_KEY, &arg) < 0)
		return -errno;
	if (arg.removal_status_flags & FSCRYPT_KEY_REMOVAL_STATUS_FLAG_FILES_BUSY)
		return -EBUSY;
	return 0;
}

int main(int argc, char **argv)
{
	int fd, r = -EINVAL;

	if (argc != 4) {
		fprintf(stderr, "usage: fscrypt-key add|policy|remove PATH KEY\n");
		return 2;
	}
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		r = -errno;
	else if (!strcmp(argv[1], "add"))
		r = add(fd, argv[3]);
	else if (!strcmp(argv[1], "policy"))
		r = set_policy(fd, argv[3]);
	else if (!strcmp(argv[1], "remove"))
		r = forget(fd, argv[3]);
	if (r < 0)
		fprintf(stderr, "fscrypt-key: %s %s: %s\n", argv[1], argv[2], strerror(-r));
	return r < 0;
}
