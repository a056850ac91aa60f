/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVR_KERNEL_H
#define KVR_KERNEL_H

#include "root/secret.h"

#define KVR_DEVICE	"/dev/kvault-control"

/*
 * Hands the root key over. -EEXIST when the module has another one; what
 * opening the device says, after a while, when it is not there or not ours yet.
 */
int kvr_kernel_set_root(const uint8_t store[KVR_ID_SIZE], const struct kvr_secret *secret);

#endif /* KVR_KERNEL_H */
