/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kvault knows, in two databases of one schema: the host's on disk, and
 * that of the ephemeral tenants, which never touches one. Rows hold sealed
 * blobs and public parts only. Every function names the tenant, and every
 * WHERE has it.
 *
 * Return values: 0, negative errno, or where said KVD_E_NOT_FOUND and
 * KVD_E_CONFLICT. Results are written on success only.
 */
#ifndef KVD_STORE_STORE_H
#define KVD_STORE_STORE_H

#include <linux/kvault_control.h>
#include <stdbool.h>

#include "core/address.h"
#include "util/error.h"

#define KVD_GUID_SIZE	37

struct kvd_store;

struct kvd_id {
	uint8_t b[KVAULT_ID_SIZE];
};

/* store/sqlite.c */

enum kvd_store_mode {
	KVD_STORE_EXISTING,	/* must be there */
	KVD_STORE_CREATE,	/* must not be there, nor its journal */
};

/* durable: a commit survives the loss of power. */
int kvd_store_open(const char *path, enum kvd_store_mode mode, bool durable,
		   struct kvd_store **ret, struct kvd_why *why);
struct kvd_store *kvd_store_close(struct kvd_store *st);

static inline void kvd_store_close_cleanup(struct kvd_store **st)
{
	kvd_store_close(*st);
}

/* One transaction at a time; begin() in one that is open does nothing. */
int kvd_store_begin(struct kvd_store *st);
int kvd_store_commit(struct kvd_store *st);
void kvd_store_rollback(struct kvd_store *st);
/* A part of a transaction that is kept or undone as a whole; these nest. */
int kvd_store_mark(struct kvd_store *st);
int kvd_store_keep(struct kvd_store *st);
int kvd_store_undo(struct kvd_store *st);
/* Bytes of the database that hold something. */
int kvd_store_used(struct kvd_store *st, uint64_t *ret);

/* store/meta.c */

struct kvd_meta {
	struct kvd_id store;
	struct kvd_id host;		/* id of the host tenant */
	uint64_t epoch;
	uint64_t revision;
	uint64_t generation;		/* of our newest claim */
	char boot[40];			/* boot id of that claim */
};

int kvd_store_meta_init(struct kvd_store *st, const struct kvd_id *store,
			const struct kvd_id *host);
int kvd_store_meta_get(struct kvd_store *st, struct kvd_meta *ret);
int kvd_store_meta_set_epoch(struct kvd_store *st, uint64_t epoch);
int kvd_store_meta_set_claim(struct kvd_store *st, const char *boot, uint64_t generation);
/* Number of the newest checkpoint of the host's log. */
int kvd_store_checkpoint_get(struct kvd_store *st, uint64_t *ret);
int kvd_store_checkpoint_set(struct kvd_store *st, uint64_t seq);
/* Raises the store's revision and returns it. */
int kvd_store_revision_next(struct kvd_store *st, uint64_t *ret);
/* Makes sure that the revisions to come are above one that somebody has seen. */
int kvd_store_revision_atleast(struct kvd_store *st, uint64_t revision);

/* The key that signs checkpoints of the audit log; KVD_E_NOT_FOUND. */
struct kvd_audit_key {
	struct kvd_id object, version;
	char *jwk;
	uint8_t *blob;
	size_t blob_len;
};
int kvd_store_audit_key_get(struct kvd_store *st, struct kvd_audit_key *ret);
int kvd_store_audit_key_set(struct kvd_store *st, const struct kvd_audit_key *key);
void kvd_audit_key_done(struct kvd_audit_key *key);

/* store/tenants.c */

struct kvd_tenant {
	struct kvd_id id;
	uint32_t kind;
	uint64_t policy;		/* revision of its policy */
	uint64_t kernel_seq;		/* newest audit record of the kernel's that we have */
	int64_t created;
};

int kvd_store_tenant_find(struct kvd_store *st, const uint8_t *id, struct kvd_tenant *ret);
int kvd_store_tenant_add(struct kvd_store *st, const struct kvd_tenant *t);
int kvd_store_tenant_set_policy(struct kvd_store *st, const uint8_t *id, uint64_t policy);
int kvd_store_tenant_set_kernel_seq(struct kvd_store *st, const uint8_t *id, uint64_t seq);
/* The kernel counts from 1 again after the module was loaded anew. */
int kvd_store_tenants_reset_seq(struct kvd_store *st);
/* So much more was written for it; -ENOENT. */
int kvd_store_tenant_charge(struct kvd_store *st, const uint8_t *id, uint64_t bytes);
/* Of a tenant that is not there nothing is noted. */
int kvd_store_tenant_set_owner(struct kvd_store *st, const uint8_t *id, uint32_t owner);
/* Its owner, -1 as long as that is not known, and what was written for all of his. */
int kvd_store_tenant_held(struct kvd_store *st, const uint8_t *id, int64_t *ret_owner,
			  uint64_t *ret_bytes);
int kvd_store_tenant_drop(struct kvd_store *st, const uint8_t *id);
int kvd_store_tenant_each(struct kvd_store *st,
			  int (*fn)(const struct kvd_tenant *t, void *data), void *data);

/* store/vaults.c */

struct kvd_vault {
	struct kvd_id id;
	char name[KVD_VAULT_NAME_MAX + 1];
	bool is_premium;
	bool has_purge_protection;
	uint32_t retention;
	int64_t created;
	char *tags;			/* JSON */
};

void kvd_vault_done(struct kvd_vault *v);
int kvd_store_vault_find(struct kvd_store *st, const uint8_t *tenant, const char *name,
			 struct kvd_vault *ret);
int kvd_store_vault_add(struct kvd_store *st, const uint8_t *tenant, const struct kvd_vault *v);
/* Names above after ("" for the first), up to limit; fn borrows. */
int kvd_store_vault_each(struct kvd_store *st, const uint8_t *tenant, const char *after,
			 unsigned int limit,
			 int (*fn)(const struct kvd_vault *v, void *data), void *data);

/* store/keys.c */

struct kvd_object {
	struct kvd_id id;
	uint32_t type;			/* KVAULT_TYPE_* */
	char name[KVAULT_NAME_MAX + 1];
	int64_t deleted;		/* when; 0: it is live */
};

struct kvd_version {
	struct kvd_id id;
	struct kvd_id object;
	struct kvd_id vault;
	char vault_name[KVD_VAULT_NAME_MAX + 1];
	char name[KVAULT_NAME_MAX + 1];
	int64_t order;			/* newer is greater, within one object */
	uint32_t type;			/* KVAULT_TYPE_*, of the object */
	uint32_t kty, bits, curve, ops, flags;
	uint64_t nbf, exp;
	uint64_t revision;
	uint64_t ivs;			/* of GCM: used or reserved */
	int64_t created, updated;
	int64_t deleted, purge;		/* of the object, or of its vault; 0: live */
	int64_t used, object_used;	/* last use, of this and of any version; 0: none */
	uint32_t volumes;		/* that are open */
	char *tags;			/* JSON */
	char *jwk;			/* JSON: a key's public members; a secret's contentType */
	uint8_t *blob;
	size_t blob_len;
};

void kvd_version_done(struct kvd_version *v);
#define _cleanup_version_	_cleanup_(kvd_version_done)
#define _cleanup_vault_		_cleanup_(kvd_vault_done)

/* KVD_E_KEY_NOT_FOUND, whatever the type; finds what is deleted, too. */
int kvd_store_object_find(struct kvd_store *st, const uint8_t *tenant, const struct kvd_id *vault,
			  uint32_t type, const char *name, struct kvd_object *ret);
int kvd_store_object_add(struct kvd_store *st, const uint8_t *tenant, const struct kvd_id *vault,
			 const struct kvd_object *o, int64_t now);
int kvd_store_object_count(struct kvd_store *st, const uint8_t *tenant, uint64_t *ret_versions);

/* By name, live; version NULL asks for the newest. KVD_E_KEY_NOT_FOUND. */
int kvd_store_version_find(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			   uint32_t type, const char *name, const uint8_t *version,
			   struct kvd_version *ret);
/* Finds what is deleted, too. */
int kvd_store_version_by_id(struct kvd_store *st, const uint8_t *tenant, const uint8_t *object,
			    const uint8_t *version, struct kvd_version *ret);
int kvd_store_version_add(struct kvd_store *st, const uint8_t *tenant,
			  const struct kvd_version *v);
/* ops, flags, nbf, exp, revision, updated, tags, jwk and blob. */
int kvd_store_version_update(struct kvd_store *st, const uint8_t *tenant,
			     const struct kvd_version *v);
int kvd_store_version_set_ivs(struct kvd_store *st, const uint8_t *tenant,
			      const uint8_t *version, uint64_t ivs);
int kvd_store_version_give_ivs(struct kvd_store *st, const uint8_t *tenant,
			       const uint8_t *version, uint64_t unused);

/* A use began now; of a version that is gone nothing is noted. */
int kvd_store_version_note_use(struct kvd_store *st, const uint8_t *tenant,
			       const uint8_t *version, int64_t now);
/* One more volume is open, or one less. */
int kvd_store_version_note_volume(struct kvd_store *st, const uint8_t *tenant,
				  const uint8_t *version, bool is_open, int64_t now);
/* The module was loaded anew: no volume is open. */
int kvd_store_volumes_reset(struct kvd_store *st);

typedef int kvd_version_fn(const struct kvd_version *v, void *data);
/* The newest version of each object of a type in a vault, by name. */
int kvd_store_object_each(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			  uint32_t type, const char *after, unsigned int limit,
			  kvd_version_fn *fn, void *data);
/* All versions of an object, newest first, those below before (0 for the first). */
int kvd_store_version_each(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			   uint32_t type, const char *name, int64_t before, unsigned int limit,
			   kvd_version_fn *fn, void *data);

/* store/deleted.c: from deletion to recovery or purge, of any type */

/* The newest version; KVD_E_KEY_NOT_FOUND also when it is live. */
int kvd_store_deleted_find(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			   uint32_t type, const char *name, struct kvd_version *ret);
/* As kvd_store_object_each(), of what is deleted. */
int kvd_store_deleted_each(struct kvd_store *st, const uint8_t *tenant, const char *vault,
			   uint32_t type, const char *after, unsigned int limit,
			   kvd_version_fn *fn, void *data);
/* Deletes, or with 0 and 0 recovers; all versions get the revision. */
int kvd_store_object_set_deleted(struct kvd_store *st, const uint8_t *tenant,
				 const struct kvd_id *object, int64_t deleted, int64_t purge,
				 uint64_t revision);
/* Destroys the rows, and the role assignments of that object alone. */
int kvd_store_object_drop(struct kvd_store *st, const uint8_t *tenant,
			  const struct kvd_version *v);
/* One whose time is over, of any tenant; KVD_E_KEY_NOT_FOUND. */
int kvd_store_deleted_overdue(struct kvd_store *st, int64_t now, struct kvd_id *ret_tenant,
			      struct kvd_version *ret);

/* store/rotation.c */

struct kvd_rotation {
	char *json;			/* the policy */
	int64_t created, updated;
	int64_t rotate, notify;		/* when that is due; 0 for never */
};

void kvd_rotation_done(struct kvd_rotation *row);
/* KVD_E_NOT_FOUND */
int kvd_store_rotation_get(struct kvd_store *st, const uint8_t *tenant,
			   const struct kvd_id *object, struct kvd_rotation *ret);
int kvd_store_rotation_set(struct kvd_store *st, const uint8_t *tenant,
			   const struct kvd_id *object, const char *json, int64_t now);
int kvd_store_rotation_drop(struct kvd_store *st, const uint8_t *tenant,
			    const struct kvd_id *object);
/* When something is to be done next; 0 for never. */
int kvd_store_rotation_set_due(struct kvd_store *st, const uint8_t *tenant,
			       const struct kvd_id *object, int64_t rotate, int64_t notify);
/* A live key for which something is due, of any tenant: its newest version; KVD_E_NOT_FOUND. */
int kvd_store_rotation_overdue(struct kvd_store *st, int64_t now, struct kvd_id *ret_tenant,
			       struct kvd_version *ret);

/* store/roles.c */

struct kvd_assignment {
	char id[KVD_GUID_SIZE];
	char scope[256];
	char role[32];
	char principal[32];
	int64_t created;
};

typedef int kvd_assignment_fn(const struct kvd_assignment *a, void *data);
int kvd_store_role_find(struct kvd_store *st, const uint8_t *tenant, const char *id,
			struct kvd_assignment *ret);
int kvd_store_role_set(struct kvd_store *st, const uint8_t *tenant,
		       const struct kvd_assignment *a);
int kvd_store_role_drop(struct kvd_store *st, const uint8_t *tenant, const char *id);
int kvd_store_role_each(struct kvd_store *st, const uint8_t *tenant, kvd_assignment_fn *fn,
			void *data);

/* store/leases.c */

struct kvd_lease {
	struct kvd_id id;
	struct kvd_id version;
	uint64_t ops;			/* the most that can be done under it */
	uint64_t ivs;			/* of the version's budget */
	uint64_t used;			/* operations that were reported */
	int64_t created;
	int64_t ends;			/* CLOCK_BOOTTIME seconds: nothing more is reported */
	char *who;			/* JSON, as in the audit record */
	char *object;			/* address, as in the audit record */
};

void kvd_lease_done(struct kvd_lease *l);
int kvd_store_lease_add(struct kvd_store *st, const uint8_t *tenant, const struct kvd_lease *l);
int kvd_store_lease_find(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
			 struct kvd_lease *ret);
int kvd_store_lease_use(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
			uint64_t count);
/* One that has ended by time, of any tenant; KVD_E_NOT_FOUND. */
int kvd_store_lease_overdue(struct kvd_store *st, int64_t now, struct kvd_id *ret_tenant,
			    struct kvd_id *ret_id);
int kvd_store_lease_drop(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id);
int kvd_store_leases_drop(struct kvd_store *st, const uint8_t *tenant);
int kvd_store_lease_each(struct kvd_store *st, const uint8_t *tenant,
			 int (*fn)(const struct kvd_lease *l, void *data), void *data);

struct kvd_volume_grant {
	struct kvd_id id, object, version;
	uint8_t nonce_hash[32];
	int64_t created;
};

int kvd_store_volume_grant_add(struct kvd_store *st, const uint8_t *tenant,
			       const struct kvd_volume_grant *g);
int kvd_store_volume_grant_find(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
				struct kvd_volume_grant *ret);

/* What a request was answered with; kept for ten minutes. */
int kvd_store_request_find(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
			   int *ret_status, char **ret_reply);
int kvd_store_request_add(struct kvd_store *st, const uint8_t *tenant, const uint8_t *id,
			  int status, const char *reply, int64_t now);
int kvd_store_requests_expire(struct kvd_store *st, int64_t before);

/* store/log.c: records of the audit log */

struct kvd_log_row {
	uint64_t seq;
	const char *json;
	size_t len;
	uint8_t hash[32];
};

/* The newest record: seq 0 and a hash of zeros when there is none. */
int kvd_store_log_head(struct kvd_store *st, const uint8_t *tenant, uint64_t *ret_seq,
		       uint8_t ret_hash[static 32]);
/* The hash of one record; KVD_E_NOT_FOUND, also when it is no hash. */
int kvd_store_log_hash(struct kvd_store *st, const uint8_t *tenant, uint64_t seq,
		       uint8_t ret_hash[static 32]);
int kvd_store_log_add(struct kvd_store *st, const uint8_t *tenant, uint64_t seq, const char *json,
		      const uint8_t hash[static 32]);
/* Records above after, in order, until fn returns non-zero (a positive one ends well). */
int kvd_store_log_each(struct kvd_store *st, const uint8_t *tenant, uint64_t after,
		       int (*fn)(const struct kvd_log_row *row, void *data), void *data);

#endif /* KVD_STORE_STORE_H */
