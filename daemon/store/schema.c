// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbered migrations. PRAGMA user_version counts those that were done. One
 * that has been released is never changed again; what must change is a new one.
 */
#include "store/sql.h"

static const char v1[] =
	"CREATE TABLE meta ("
	" key TEXT NOT NULL PRIMARY KEY,"
	" value ANY"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE tenants ("
	" id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
	" kind INTEGER NOT NULL,"
	" policy INTEGER NOT NULL,"
	" kernel_seq INTEGER NOT NULL,"
	" created INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE vaults ("
	" tenant BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,"
	" id BLOB NOT NULL CHECK (length(id) = 16),"
	" name TEXT NOT NULL COLLATE NOCASE,"
	" premium INTEGER NOT NULL,"
	" purge_protection INTEGER NOT NULL,"
	" retention INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" tags TEXT NOT NULL,"
	" PRIMARY KEY (tenant, id),"
	" UNIQUE (tenant, name)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE objects ("
	" tenant BLOB NOT NULL,"
	" id BLOB NOT NULL CHECK (length(id) = 16),"
	" vault BLOB NOT NULL,"
	" type INTEGER NOT NULL,"
	" name TEXT NOT NULL COLLATE NOCASE,"
	" created INTEGER NOT NULL,"
	" PRIMARY KEY (tenant, id),"
	" UNIQUE (tenant, vault, type, name),"
	" FOREIGN KEY (tenant, vault) REFERENCES vaults (tenant, id) ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID;"

	/* seq orders the versions of one object; the greatest is the latest. */
	"CREATE TABLE versions ("
	" tenant BLOB NOT NULL,"
	" object BLOB NOT NULL,"
	" seq INTEGER NOT NULL,"
	" id BLOB NOT NULL CHECK (length(id) = 16),"
	" kty INTEGER NOT NULL,"
	" bits INTEGER NOT NULL,"
	" curve INTEGER NOT NULL,"
	" ops INTEGER NOT NULL,"
	" flags INTEGER NOT NULL,"
	" nbf INTEGER NOT NULL,"
	" exp INTEGER NOT NULL,"
	" revision INTEGER NOT NULL,"
	" ivs INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" updated INTEGER NOT NULL,"
	" tags TEXT NOT NULL,"
	" jwk TEXT NOT NULL,"
	" blob BLOB NOT NULL,"
	" PRIMARY KEY (tenant, object, seq),"
	" UNIQUE (tenant, id),"
	" FOREIGN KEY (tenant, object) REFERENCES objects (tenant, id) ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE role_assignments ("
	" tenant BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,"
	" id TEXT NOT NULL COLLATE NOCASE,"
	" scope TEXT NOT NULL,"
	" role TEXT NOT NULL,"
	" principal TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" PRIMARY KEY (tenant, id)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE volume_grants ("
	" tenant BLOB NOT NULL,"
	" id BLOB NOT NULL CHECK (length(id) = 16),"
	" object BLOB NOT NULL,"
	" version BLOB NOT NULL,"
	" nonce_hash BLOB NOT NULL CHECK (length(nonce_hash) = 32),"
	" created INTEGER NOT NULL,"
	" PRIMARY KEY (tenant, id),"
	" FOREIGN KEY (tenant, object) REFERENCES objects (tenant, id) ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID;"

	/* Leases that have not ended; what they did is in the audit log. */
	"CREATE TABLE leases ("
	" tenant BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,"
	" id BLOB NOT NULL CHECK (length(id) = 16),"
	" version BLOB NOT NULL,"
	" ops INTEGER NOT NULL,"
	" ivs INTEGER NOT NULL,"
	" used INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" ends INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" object TEXT NOT NULL,"
	" PRIMARY KEY (tenant, id)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE requests ("
	" tenant BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,"
	" id BLOB NOT NULL CHECK (length(id) = 16),"
	" status INTEGER NOT NULL,"
	" reply TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" PRIMARY KEY (tenant, id)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE audit ("
	" tenant BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,"
	" seq INTEGER NOT NULL,"
	" json TEXT NOT NULL,"
	" hash BLOB NOT NULL,"
	" PRIMARY KEY (tenant, seq)"
	") STRICT, WITHOUT ROWID;";

/*
 * What is deleted stays until it is purged: deleted says when, purge from when
 * on it may be destroyed without being asked; 0 and 0 is live. used is when a
 * version was last used, volumes how many of it are open.
 */
static const char v2[] =
	"ALTER TABLE vaults ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE vaults ADD COLUMN purge INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE objects ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE objects ADD COLUMN purge INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE versions ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE versions ADD COLUMN volumes INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX vaults_purge ON vaults (purge) WHERE deleted > 0;"
	"CREATE INDEX objects_purge ON objects (purge) WHERE deleted > 0;";

/* Whose an ephemeral tenant is (-1: not asked yet), and how much was written for it. */
static const char v3[] =
	"ALTER TABLE tenants ADD COLUMN owner INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE tenants ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;";

/* When something is due by a policy, or 0 for never, is in rotate and notify. */
static const char v4[] =
	"CREATE TABLE rotation_policies ("
	" tenant BLOB NOT NULL,"
	" object BLOB NOT NULL,"
	" json TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" updated INTEGER NOT NULL,"
	" rotate INTEGER NOT NULL,"
	" notify INTEGER NOT NULL,"
	" PRIMARY KEY (tenant, object),"
	" FOREIGN KEY (tenant, object) REFERENCES objects (tenant, id) ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX rotation_rotate ON rotation_policies (rotate) WHERE rotate > 0;"
	"CREATE INDEX rotation_notify ON rotation_policies (notify) WHERE notify > 0;";

static const char *const steps[] = { v1, v2, v3, v4 };

int kvd_schema_newest(void)
{
	return ARRAY_SIZE(steps);
}

const char *kvd_schema_step(int version)
{
	return steps[version - 1];
}
