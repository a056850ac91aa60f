/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the store's root slots are. The folder and both files in it belong to
 * the user kvault, since the daemon adds recovery slots; systemd reads the
 * credential as root. init and recover begin as root, for systemd-creds alone,
 * and write as kvault: root follows no name in a folder that is not its own.
 */
#ifndef KVR_FILES_H
#define KVR_FILES_H

#include "root/slots.h"

#define KVR_STORE_DIR	"/var/lib/kvault"
#define KVR_USER	"kvault"
#define KVR_SLOTS_FILE	"slots.json"
#define KVR_CREDENTIAL_FILE "credential"
#define KVR_FAILED_MARK	"/run/kvault-root/failed"	/* there until it is loaded again */

/*
 * Opens the store's folder. With create, as root, it is made if it is not
 * there, and given to the user if it is root's. -EPERM when it is another's.
 */
int kvr_files_open_store(const char *path, const char *user, int create);

/* Becomes the user for good. */
int kvr_files_become(const char *user);

/* Opens root/ in the store's folder, and makes it first if asked to. */
int kvr_files_open_root(int store, int create);

/* Is there anything of a store already? Returns its name or NULL. */
const char *kvr_files_find_any(int store);

int kvr_files_read_slots(int root, struct kvr_slots *ret);

/* flags: KVD_IO_NEW or 0. The credential first: without slots nothing counts. */
int kvr_files_write(int root, const struct kvd_bytes *credential, const struct kvr_slots *slots,
		    unsigned int flags);

#endif /* KVR_FILES_H */
