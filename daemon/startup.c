// SPDX-License-Identifier: GPL-2.0-only
/*
 * A store is made once, when slots.json is there and no store ever was: a file
 * that is made with it says so, and without the store it says that the store
 * is lost. An ephemeral store is worth nothing without the kernel that knows
 * its tenants, so one that does not fit is thrown away.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "api/slots.h"
#include "core/checkpoint.h"
#include "core/head.h"
#include "core/lease.h"
#include "startup.h"
#include "util/io.h"
#include "util/json.h"
#include "util/log.h"

#define HOST_DB		"kvault.db"
#define HOST_MARK	"store-was-made"
#define EPHEMERAL_DB	"ephemeral.db"

static bool exists(const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct stat sb;

	return asprintf(&path, "%s/%s", dir, name) > 0 && !lstat(path, &sb);
}

static int init_store(struct kvd_store *st, const struct kvd_id *store, const struct kvd_id *host)
{
	struct kvd_tenant t = { .kind = KVAULT_TENANT_HOST, .policy = 1,
				.created = (int64_t)time(NULL) };
	int r;

	r = kvd_store_begin(st);
	if (!r)
		r = kvd_store_meta_init(st, store, host);
	if (!r) {
		t.id = *host;
		r = kvd_store_tenant_add(st, &t);
	}
	return r < 0 ? r : kvd_store_commit(st);
}

static int leave_mark(const char *dir)
{
	static const struct kvd_io_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };
	static const char text[] = "kvault.db was made here: should it be gone, restore it.\n";
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return kvd_io_write_atomic(fd, HOST_MARK, text, sizeof(text) - 1, &owner, 0);
}

static int make_host(struct kvd_context *ctx, const char *dir, const char *path,
		     const struct kvd_id *store, struct kvd_why *why)
{
	struct kvd_id host;
	int r;

	if (exists(dir, HOST_MARK))
		return kvd_refuse(why, -ENOENT, "%s is gone: restore it from a backup, "
				  "or remove %s/%s to begin with nothing", path, dir, HOST_MARK);
	r = kvd_id_new(&host);
	if (!r)
		r = kvd_store_open(path, KVD_STORE_CREATE, true, &ctx->host, why);
	return r < 0 ? r : init_store(ctx->host, store, &host);
}

static int open_host(struct kvd_context *ctx, const struct kvd_config *config,
		     struct kvd_why *why)
{
	_cleanup_json_ json_t *slots = NULL;
	_cleanup_free_ char *path = NULL;
	struct kvd_id store, host;
	int r;

	r = kvd_slots_read(ctx->root_dir, &slots, why);
	if (r == -ENOENT)
		return kvd_refuse(why, r, "There is no %s/%s: start kvault-root-init.service first",
				  ctx->root_dir, KVD_SLOTS_FILE);
	if (!r)
		r = kvd_slots_store_id(slots, &store);
	if (r < 0)
		return r;
	if (asprintf(&path, "%s/%s", config->state_dir, HOST_DB) < 0)
		return -ENOMEM;
	if (!exists(config->state_dir, HOST_DB))
		r = make_host(ctx, config->state_dir, path, &store, why);
	else
		r = kvd_store_open(path, KVD_STORE_EXISTING, true, &ctx->host, why);
	if (r < 0)
		return r;
	r = kvd_store_meta_get(ctx->host, &ctx->meta);
	if (r == -ENOENT) {	/* we were stopped between the two steps of making it */
		r = kvd_id_new(&host);
		if (!r)
			r = init_store(ctx->host, &store, &host);
		if (!r)
			r = kvd_store_meta_get(ctx->host, &ctx->meta);
	}
	if (r < 0)
		return kvd_refuse(why, r, "%s is damaged: restore it from a backup", path);
	if (!exists(config->state_dir, HOST_MARK)) {
		r = leave_mark(config->state_dir);
		if (r < 0)
			return r;
	}
	if (memcmp(&ctx->meta.store, &store, sizeof(store)))
		return kvd_refuse(why, -EUCLEAN, "%s and %s/%s belong to different stores: "
				  "restore both from the same backup", path, ctx->root_dir,
				  KVD_SLOTS_FILE);
	return 0;
}

static void remove_ephemeral(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".new" };
	char name[512];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

static int open_ephemeral(struct kvd_context *ctx, const struct kvd_config *config,
			  struct kvd_why *why)
{
	_cleanup_free_ char *path = NULL;
	struct kvd_meta meta;
	int r = -ENOENT;

	if (asprintf(&path, "%s/%s", config->runtime_dir, EPHEMERAL_DB) < 0)
		return -ENOMEM;
	if (exists(config->runtime_dir, EPHEMERAL_DB)) {
		r = kvd_store_open(path, KVD_STORE_EXISTING, false, &ctx->ephemeral, why);
		if (!r)
			r = kvd_store_meta_get(ctx->ephemeral, &meta);
		if (!r && memcmp(&meta.store, &ctx->meta.store, sizeof(meta.store)))
			r = -EUCLEAN;
		if (r < 0)
			kvd_log(LOG_WARNING, "%s does not fit and is made anew: "
				"ephemeral tenants lose their keys", path);
	}
	if (!r)
		return 0;
	ctx->ephemeral = kvd_store_close(ctx->ephemeral);
	remove_ephemeral(path);
	r = kvd_store_open(path, KVD_STORE_CREATE, false, &ctx->ephemeral, why);
	if (!r)
		r = kvd_store_begin(ctx->ephemeral);
	if (!r)
		r = kvd_store_meta_init(ctx->ephemeral, &ctx->meta.store, &ctx->meta.host);
	return r < 0 ? r : kvd_store_commit(ctx->ephemeral);
}

int kvd_startup_stores(struct kvd_context *ctx, const struct kvd_config *config,
		       struct kvd_why *why)
{
	int r;

	r = open_host(ctx, config, why);
	if (!r)
		r = open_ephemeral(ctx, config, why);
	if (r < 0 && !why->text[0])
		kvd_refuse(why, r, "The store cannot be used: %s", strerror(-r));
	return r;
}

/* --- after the claim ----------------------------------------------------------- */

struct resync {
	struct kvd_context *ctx;
	struct kvd_kernel_tenant *live;
	size_t n, room;
	struct kvd_id *dead;
	size_t n_dead;
};

static int note_live(const struct kvd_kernel_tenant *t, void *data)
{
	struct resync *rs = data;

	if (rs->n == rs->room) {
		size_t room = rs->room ? rs->room * 2 : 64;
		void *p = reallocarray(rs->live, room, sizeof(*rs->live));

		if (!p)
			return -ENOMEM;
		rs->live = p;
		rs->room = room;
	}
	rs->live[rs->n++] = *t;
	return 0;
}

static const struct kvd_kernel_tenant *find_live(const struct resync *rs, const struct kvd_id *id)
{
	size_t i;

	for (i = 0; i < rs->n; i++)
		if (!memcmp(rs->live[i].id, id->b, sizeof(id->b)))
			return &rs->live[i];
	return NULL;
}

static int note_dead(const struct kvd_tenant *t, void *data)
{
	struct resync *rs = data;
	void *p;

	if (find_live(rs, &t->id))
		return 0;
	p = reallocarray(rs->dead, rs->n_dead + 1, sizeof(*rs->dead));
	if (!p)
		return -ENOMEM;
	rs->dead = p;
	rs->dead[rs->n_dead++] = t->id;
	return 0;
}

/* The higher of both revisions holds; what was decided under a lower one is asked anew. */
static int agree_on_policy(struct kvd_context *ctx, struct kvd_store *st,
			   const struct kvd_kernel_tenant *live)
{
	struct kvd_tenant t;
	int r;

	r = kvd_store_tenant_find(st, live->id, &t);
	if (r)
		return r < 0 ? r : 0;
	if (live->revision > t.policy) {
		r = kvd_store_revision_atleast(st, live->revision);
		if (!r)
			r = kvd_store_tenant_set_policy(st, live->id, live->revision);
		return r;
	}
	r = ctx->kernel->policy_set(ctx->kernel->data, live->id, t.policy);
	return r == -ENOENT ? 0 : r;
}

static int resync_tenants(struct kvd_context *ctx, struct resync *rs)
{
	size_t i;
	int r;

	r = ctx->kernel->tenants(ctx->kernel->data, note_live, rs);
	if (!r)
		r = kvd_store_tenant_each(ctx->ephemeral, note_dead, rs);
	for (i = 0; !r && i < rs->n_dead; i++)
		r = kvd_store_tenant_drop(ctx->ephemeral, rs->dead[i].b);
	for (i = 0; !r && i < rs->n; i++) {
		struct kvd_store *st = kvd_context_store(ctx, rs->live[i].kind);

		if (st)
			r = agree_on_policy(ctx, st, &rs->live[i]);
	}
	return r;
}

static int boot_id(char *ret, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || !fgets(ret, (int)size, f))
		return -ENODATA;
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

/* Claims are counted from 1 each time the module is loaded. */
static int note_claim(struct kvd_context *ctx, uint64_t generation)
{
	char boot[sizeof(ctx->meta.boot)];
	int r;

	r = boot_id(boot, sizeof(boot));
	if (r < 0)
		return r;
	if (strcmp(boot, ctx->meta.boot) || generation <= ctx->meta.generation) {
		r = kvd_store_tenants_reset_seq(ctx->host);
		if (!r)
			r = kvd_store_volumes_reset(ctx->host);
		if (!r)
			r = kvd_lease_lose_all(ctx, ctx->host, ctx->meta.host.b);
	}
	if (!r)
		r = kvd_store_meta_set_claim(ctx->host, boot, generation);
	/* The next start shows a later epoch: an older copy of the store shows. */
	if (!r)
		r = kvd_store_meta_set_epoch(ctx->host, ctx->meta.epoch + 1);
	return r;
}

struct check {
	struct kvd_context *ctx;
	struct kvd_store *st;
};

static int check_one(const struct kvd_tenant *t, void *data)
{
	struct check *c = data;

	return kvd_head_check(c->ctx, c->st, t->id.b);
}

/* Before anything is appended, or signed. */
static int check_logs(struct kvd_context *ctx)
{
	struct kvd_store *both[] = { ctx->host, ctx->ephemeral };
	size_t i;
	int r;

	r = kvd_checkpoint_load(ctx);
	for (i = 0; !r && i < ARRAY_SIZE(both); i++) {
		struct check c = { ctx, both[i] };

		r = kvd_store_tenant_each(both[i], check_one, &c);
	}
	return r;
}

int kvd_startup_resync(struct kvd_context *ctx, uint64_t generation, struct kvd_why *why)
{
	struct resync rs = { .ctx = ctx };
	int r;

	r = kvd_store_begin(ctx->host);
	if (!r)
		r = kvd_store_begin(ctx->ephemeral);
	if (!r)
		r = check_logs(ctx);
	if (!r)
		r = note_claim(ctx, generation);
	if (!r)
		r = resync_tenants(ctx, &rs);
	free(rs.live);
	free(rs.dead);
	if (!r)
		r = kvd_store_requests_expire(ctx->host, ctx->now - 600);
	if (!r)
		r = kvd_store_commit(ctx->host);
	if (!r)
		r = kvd_store_commit(ctx->ephemeral);
	if (!r)
		r = kvd_store_meta_get(ctx->host, &ctx->meta);
	if (r < 0) {
		kvd_audit_mirror_drop(ctx);
		return kvd_refuse(why, r, "The store and the module cannot be brought in line: %s",
				  strerror(-r));
	}
	kvd_audit_mirror_send(ctx);
	return 0;
}
