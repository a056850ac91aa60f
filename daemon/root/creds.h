/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVR_CREDS_H
#define KVR_CREDS_H

#include "root/secret.h"
#include "util/cleanup.h"

#define KVR_CREDS_PROGRAM	"/usr/bin/systemd-creds"
#define KVR_CREDS_NAME		"kvault-root"

/*
 * Encrypts the root key for this machine: the program gets it on standard
 * input, never in an argument or a file, and gives the credential. -EIO when
 * it fails; it says why itself.
 */
int kvr_creds_encrypt(const char *program, const struct kvr_secret *secret,
		      struct kvd_bytes *ret);

/* The root key that systemd decrypted for this unit. -ENOENT, -EINVAL. */
int kvr_creds_read(struct kvr_secret *secret);

#endif /* KVR_CREDS_H */
