/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may do what. Default deny: the administrator of a tenant may everything
 * in it, anybody else what role assignments say. Roles and actions are one
 * table (spec.md 5.1).
 */
#ifndef KVD_CORE_ACCESS_H
#define KVD_CORE_ACCESS_H

#include "store/store.h"

/* Actions: the operations of keys by their kernel's bits, and these. */
#define KVD_MAY_READ		(1ull << 16)	/* keys, public parts */
#define KVD_MAY_KEY_WRITE	(1ull << 17)	/* create, import, update, token */
#define KVD_MAY_VAULT_WRITE	(1ull << 18)
#define KVD_MAY_ROLE_READ	(1ull << 19)
#define KVD_MAY_ROLE_WRITE	(1ull << 20)
#define KVD_MAY_AUDIT		(1ull << 21)
#define KVD_MAY_ROOT		(1ull << 22)
#define KVD_MAY_VAULT_READ	(1ull << 23)
#define KVD_MAY_SECRET_READ	(1ull << 24)	/* all but the value */
#define KVD_MAY_SECRET_GET	(1ull << 25)	/* the value */
#define KVD_MAY_SECRET_WRITE	(1ull << 26)	/* set, update */
#define KVD_MAY_KEY_DELETE	(1ull << 32)
#define KVD_MAY_KEY_RECOVER	(1ull << 33)
#define KVD_MAY_KEY_PURGE	(1ull << 34)
#define KVD_MAY_KEY_BACKUP	(1ull << 35)
#define KVD_MAY_KEY_RESTORE	(1ull << 36)
#define KVD_MAY_KEY_ROTATE	(1ull << 37)
#define KVD_MAY_SECRET_DELETE	(1ull << 38)
#define KVD_MAY_SECRET_RECOVER	(1ull << 39)
#define KVD_MAY_SECRET_PURGE	(1ull << 40)
#define KVD_MAY_SECRET_BACKUP	(1ull << 41)
#define KVD_MAY_SECRET_RESTORE	(1ull << 42)
#define KVD_MAY_VAULT_PURGE	(1ull << 43)
#define KVD_MAY_ALL		(KVAULT_OP_ALL | 0xfff07ff0000ull)

/* "keys/sign/action" and so on, for messages; of the lowest bit that is set. */
const char *kvd_action_name(uint64_t action);

/* The slug of a built-in role by slug, name or GUID; NULL when there is none. */
const char *kvd_role_slug(const char *role);
uint64_t kvd_role_actions(const char *slug);

/* Fields are NUL-terminated within their size, numbers are in range. */
bool kvd_principal_is_valid(const struct kvault_principal *p);

/* "uid:1000" or "gid:1000", as it is stored. */
bool kvd_principal_parse(const char *text, char *ret, size_t size);

/* "/", "/VAULT", "/VAULT/keys/NAME" or "/VAULT/secrets/NAME". */
bool kvd_scope_is_valid(const char *scope);

struct kvd_who {
	const struct kvault_principal *caller;
	const struct kvault_principal *opener;
	uint32_t tenant_kind;
};

/*
 * Where something is done: vault and name narrow it, NULL stands for all; type
 * is that of what has the name.
 */
struct kvd_place {
	const char *vault;
	uint32_t type;
	const char *name;
};

/* The actions that both caller and opener may take. */
int kvd_access_actions(struct kvd_store *st, const uint8_t *tenant, const struct kvd_who *who,
		       const struct kvd_place *at, uint64_t *ret);

/* KVD_E_FORBIDDEN with the missing action. */
int kvd_access_check(struct kvd_store *st, const uint8_t *tenant, const struct kvd_who *who,
		     const struct kvd_place *at, uint64_t action, struct kvd_why *why);

/* The roles of both, for whoami. */
int kvd_access_roles(struct kvd_store *st, const uint8_t *tenant, const struct kvd_who *who,
		     int (*fn)(const struct kvd_assignment *a, void *data), void *data);

#endif /* KVD_CORE_ACCESS_H */
