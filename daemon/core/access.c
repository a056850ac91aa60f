// SPDX-License-Identifier: GPL-2.0-only
#include <strings.h>

#include "core/access.h"
#include "core/keyrule.h"

#define NS_UID_UNMAPPED	65534

#define USER_OPS	(KVAULT_OP_ENCRYPT | KVAULT_OP_DECRYPT | KVAULT_OP_SIGN |	\
			 KVAULT_OP_VERIFY | KVAULT_OP_WRAP | KVAULT_OP_UNWRAP)

#define KEY_LIFE	(KVD_MAY_KEY_DELETE | KVD_MAY_KEY_RECOVER | KVD_MAY_KEY_PURGE |	\
			 KVD_MAY_KEY_BACKUP | KVD_MAY_KEY_RESTORE | KVD_MAY_KEY_ROTATE)
#define SECRET_LIFE	(KVD_MAY_SECRET_DELETE | KVD_MAY_SECRET_RECOVER |		\
			 KVD_MAY_SECRET_PURGE | KVD_MAY_SECRET_BACKUP |			\
			 KVD_MAY_SECRET_RESTORE)

/* The last is left to who has CAP_SYS_ADMIN: a role cannot be had without a store. */
static const struct {
	const char *slug, *name, *guid;
	uint64_t actions;
} roles[] = {
	{ "administrator", "Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483",
	  KVD_MAY_ALL & ~KVD_MAY_ROOT },
	{ "reader", "Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2",
	  KVD_MAY_VAULT_READ | KVD_MAY_READ | KVD_MAY_SECRET_READ },
	{ "crypto-officer", "Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
	  KVAULT_OP_ALL | KVD_MAY_VAULT_READ | KVD_MAY_READ | KVD_MAY_KEY_WRITE | KEY_LIFE },
	{ "crypto-user", "Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424",
	  USER_OPS | KVD_MAY_VAULT_READ | KVD_MAY_READ | KVD_MAY_KEY_BACKUP },
	{ "secrets-officer", "Key Vault Secrets Officer", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
	  KVD_MAY_VAULT_READ | KVD_MAY_SECRET_READ | KVD_MAY_SECRET_GET | KVD_MAY_SECRET_WRITE |
	  SECRET_LIFE },
	{ "purge-operator", "Key Vault Purge Operator", "a68e7c17-0ab2-4c09-9a58-125dae29748c",
	  KVD_MAY_VAULT_READ | KVD_MAY_VAULT_PURGE },
	{ "secrets-user", "Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6",
	  KVD_MAY_VAULT_READ | KVD_MAY_SECRET_READ | KVD_MAY_SECRET_GET },
};

static const struct {
	uint64_t action;
	const char *name;
} actions[] = {
	{ KVAULT_OP_ENCRYPT, "keys/encrypt/action" },
	{ KVAULT_OP_DECRYPT, "keys/decrypt/action" },
	{ KVAULT_OP_SIGN, "keys/sign/action" },
	{ KVAULT_OP_VERIFY, "keys/verify/action" },
	{ KVAULT_OP_WRAP, "keys/wrap/action" },
	{ KVAULT_OP_UNWRAP, "keys/unwrap/action" },
	{ KVAULT_OP_VOLUME, "keys/volume/action" },
	{ KVD_MAY_READ, "keys/read" },
	{ KVD_MAY_KEY_WRITE, "keys/write" },
	{ KVD_MAY_KEY_DELETE, "keys/delete" },
	{ KVD_MAY_KEY_RECOVER, "keys/recover/action" },
	{ KVD_MAY_KEY_PURGE, "keys/purge/action" },
	{ KVD_MAY_KEY_BACKUP, "keys/backup/action" },
	{ KVD_MAY_KEY_RESTORE, "keys/restore/action" },
	{ KVD_MAY_KEY_ROTATE, "keys/rotate/action" },
	{ KVD_MAY_VAULT_READ, "vaults/read" },
	{ KVD_MAY_SECRET_READ, "secrets/readMetadata/action" },
	{ KVD_MAY_SECRET_GET, "secrets/getSecret/action" },
	{ KVD_MAY_SECRET_WRITE, "secrets/setSecret/action" },
	{ KVD_MAY_SECRET_DELETE, "secrets/delete" },
	{ KVD_MAY_SECRET_RECOVER, "secrets/recover/action" },
	{ KVD_MAY_SECRET_PURGE, "secrets/purge/action" },
	{ KVD_MAY_SECRET_BACKUP, "secrets/backup/action" },
	{ KVD_MAY_SECRET_RESTORE, "secrets/restore/action" },
	{ KVD_MAY_VAULT_WRITE, "vaults/write" },
	{ KVD_MAY_VAULT_PURGE, "vaults/purge/action" },
	{ KVD_MAY_ROLE_READ, "roleAssignments/read" },
	{ KVD_MAY_ROLE_WRITE, "roleAssignments/write" },
	{ KVD_MAY_AUDIT, "audit/read" },
	{ KVD_MAY_ROOT, "root/write" },
};

const char *kvd_action_name(uint64_t action)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (actions[i].action & action)
			return actions[i].name;
	return "unknown";
}

const char *kvd_role_slug(const char *role)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcasecmp(role, roles[i].slug) || !strcasecmp(role, roles[i].name) ||
		    !strcasecmp(role, roles[i].guid))
			return roles[i].slug;
	return NULL;
}

uint64_t kvd_role_actions(const char *slug)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcmp(slug, roles[i].slug))
			return roles[i].actions;
	return 0;
}

bool kvd_principal_is_valid(const struct kvault_principal *p)
{
	return memchr(p->cgroup, 0, sizeof(p->cgroup)) && memchr(p->exe, 0, sizeof(p->exe)) &&
	       memchr(p->comm, 0, sizeof(p->comm));
}

bool kvd_principal_parse(const char *text, char *ret, size_t size)
{
	unsigned long n;
	char *end;

	if (strncmp(text, "uid:", 4) && strncmp(text, "gid:", 4))
		return false;
	if (text[4] < '0' || text[4] > '9')
		return false;
	errno = 0;
	n = strtoul(text + 4, &end, 10);
	if (errno || *end || n >= UINT32_MAX)
		return false;
	snprintf(ret, size, "%.4s%lu", text, n);
	return true;
}

bool kvd_scope_is_valid(const char *scope)
{
	struct kvd_address a;
	size_t len = strlen(scope);

	if (*scope != '/' || len > 255)
		return false;
	if (len == 1)
		return true;
	if (kvd_name_is_vault(scope + 1, len - 1))
		return true;
	return !kvd_address_parse(scope + 1, len - 1, false, &a) && !a.has_version;
}

/* Whether what is at scope holds at a place. */
static bool scope_covers(const char *scope, const struct kvd_place *at)
{
	char below[16];
	size_t len;

	if (*scope++ != '/')
		return false;
	if (!*scope)
		return true;
	if (!at->vault)
		return false;
	len = strcspn(scope, "/");
	if (len != strlen(at->vault) || strncasecmp(scope, at->vault, len))
		return false;
	scope += len;
	if (!*scope)
		return true;
	len = (size_t)snprintf(below, sizeof(below), "/%s/", kvd_type_collection(at->type));
#ifdef KVAULT_MUTANT_SCOPE_TYPE
	len = strcspn(scope + 1, "/") + 2;
	return at->name && !strcasecmp(scope + len, at->name);
#endif
	return at->name && !strncmp(scope, below, len) && !strcasecmp(scope + len, at->name);
}

/*
 * uid and gid are the tenant's own numbers: in an ephemeral tenant those that
 * it sees itself. In a container without a user namespace they are the
 * host's, and mean somebody else: there only administrators count.
 */
static bool is_about(const char *text, const struct kvault_principal *p, uint32_t kind)
{
	bool is_gid = !strncmp(text, "gid:", 4);
	uint32_t id = is_gid ? p->ns_gid : p->ns_uid;

	if (kind == KVAULT_TENANT_HOST) {
#ifndef KVAULT_MUTANT_NO_PIDNS_CHECK
		if (!(p->flags & KVAULT_PRINCIPAL_INIT_PIDNS))
			return false;
#endif
		id = is_gid ? p->gid : p->uid;
	} else if (id == NS_UID_UNMAPPED) {
		return false;
	}
	return strtoul(text + 4, NULL, 10) == id;
}

struct collect {
	const struct kvd_who *who;
	const struct kvd_place *at;
	uint64_t caller, opener;
	int (*fn)(const struct kvd_assignment *a, void *data);
	void *data;
};

static int collect_one(const struct kvd_assignment *a, void *data)
{
	struct collect *c = data;

	if (!scope_covers(a->scope, c->at))
		return 0;
	if (is_about(a->principal, c->who->caller, c->who->tenant_kind))
		c->caller |= kvd_role_actions(a->role);
	if (is_about(a->principal, c->who->opener, c->who->tenant_kind))
		c->opener |= kvd_role_actions(a->role);
	return 0;
}

int kvd_access_actions(struct kvd_store *st, const uint8_t *tenant, const struct kvd_who *who,
		       const struct kvd_place *at, uint64_t *ret)
{
	struct collect c = { .who = who, .at = at };
	int r;

	if (who->caller->flags & KVAULT_PRINCIPAL_ADMIN)
		c.caller = KVD_MAY_ALL;
	if (who->opener->flags & KVAULT_PRINCIPAL_ADMIN)
		c.opener = KVD_MAY_ALL;
	if (c.caller != KVD_MAY_ALL || c.opener != KVD_MAY_ALL) {
		r = kvd_store_role_each(st, tenant, collect_one, &c);
		if (r < 0)
			return r;
	}
#ifdef KVAULT_MUTANT_NO_OPENER_CHECK
	c.opener = KVD_MAY_ALL;
#endif
	*ret = c.caller & c.opener;
	return 0;
}

int kvd_access_check(struct kvd_store *st, const uint8_t *tenant, const struct kvd_who *who,
		     const struct kvd_place *at, uint64_t action, struct kvd_why *why)
{
	uint64_t may = 0;
	int r;

	r = kvd_access_actions(st, tenant, who, at, &may);
	if (r < 0)
		return r;
	if ((action & may) == action)
		return 0;
	return kvd_refuse(why, KVD_E_FORBIDDEN, "No role of yours allows %s on /%s%s%s%s%s",
			  kvd_action_name(action & ~may), at->vault ? at->vault : "",
			  at->name ? "/" : "", at->name ? kvd_type_collection(at->type) : "",
			  at->name ? "/" : "", at->name ? at->name : "");
}

static int roles_one(const struct kvd_assignment *a, void *data)
{
	struct collect *c = data;

	if (!is_about(a->principal, c->who->caller, c->who->tenant_kind) ||
	    !is_about(a->principal, c->who->opener, c->who->tenant_kind))
		return 0;
	return c->fn(a, c->data);
}

int kvd_access_roles(struct kvd_store *st, const uint8_t *tenant, const struct kvd_who *who,
		     int (*fn)(const struct kvd_assignment *a, void *data), void *data)
{
	struct collect c = { .who = who, .fn = fn, .data = data };

	return kvd_store_role_each(st, tenant, roles_one, &c);
}
