/* SPDX-License-Identifier: GPL-2.0-only */
/* VAULT/keys|secrets/NAME[/VERSION] and its short form VAULT/NAME[/VERSION]. */
#ifndef KVD_CORE_ADDRESS_H
#define KVD_CORE_ADDRESS_H

#include <linux/kvault_control.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KVD_VAULT_NAME_MAX	63

struct kvd_address {
	uint32_t type;			/* KVAULT_TYPE_KEY or KVAULT_TYPE_SECRET */
	char vault[KVD_VAULT_NAME_MAX + 1];
	char name[KVAULT_NAME_MAX + 1];
	bool has_version;
	unsigned char version[KVAULT_ID_SIZE];
};

/*
 * Returns 0 or -EINVAL. With short_form a key may be named without "keys/",
 * and "kvault:" may stand before it, as in the keyring.
 */
int kvd_address_parse(const char *text, size_t len, bool short_form, struct kvd_address *ret);

/* "keys", "secrets", as addresses have it, and "key", "secret", as messages do. */
const char *kvd_type_collection(uint32_t type);
const char *kvd_type_noun(uint32_t type);

#endif /* KVD_CORE_ADDRESS_H */
