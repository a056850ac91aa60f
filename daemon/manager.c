// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns everything and lets it work together.
 *
 *   kernel --> message --> decided in a mark of its tenant's store
 *                             |-- waits for an engine (pending)
 *                             '-- waits for the commit (out)
 *   commit of both stores, then in order: state pushed to the kernel, answer
 *
 * So an answer is never sent before its record and its change are durable,
 * and the kernel hears of a change before who made it does. One commit serves
 * all that one wake-up brought.
 */
#include <systemd/sd-event.h>
#include <time.h>

#include "api/api.h"
#include "core/audit.h"
#include "core/checkpoint.h"
#include "core/head.h"
#include "core/lease.h"
#include "core/purge.h"
#include "core/rotation.h"
#include "link.h"
#include "manager.h"
#include "outcome.h"
#include "records.h"
#include "startup.h"
#include "util/log.h"
#include "util/time.h"

#define BATCH_NS	10000000ull	/* for deciding, of the 50 ms until it is durable */
#define TURN_MAX	8		/* requests before it is the records' turn */
#define GROUP_US	20000ull	/* records alone wait so long for others */
#define LEASES_MAX	32		/* that are closed at once */
#define PURGES_MAX	16		/* objects that are destroyed at once */
#define DUE_MAX		8		/* keys that are rotated at once */
#define ROTATE_MS	60000
#define TICK_US		1000000ull
#define REQUEST_KEEP_S	600

struct kvd_manager {
	struct sd_event *event;
	sd_event_source *on_link, *on_tick, *on_group;
	struct kvd_context ctx;
	struct kvd_link *link;
	struct kvd_request *pending;
	struct kvd_request *out, **out_end;
	struct kvd_checkpoint checkpoint;
	struct kvd_denials denials;
	struct kvd_records records;
	int64_t looked;		/* for leases that did not end, by their clock */
	int host_error;			/* why the open transaction must not be committed */
	int ephemeral_error;
	uint64_t cookies;
	uint64_t ticks;
	uint8_t *message;		/* KVAULT_MSG_MAX */
	bool is_served;			/* HELLO was accepted */
	bool is_grouping;		/* on_group will commit */
};

/* --- answers --------------------------------------------------------------------- */

static void append(uint8_t *buf, size_t *at, const void *p, size_t len)
{
	if (len)
		memcpy(buf + *at, p, len);
	*at += len;
}

/* The first segment of an answer: who may do what, or what a value is bound to. */
static const void *first_segment(const struct kvd_request *req, uint32_t *ret_len)
{
	if (!kvd_request_is_control(req)) {
		*ret_len = req->status ? 0 : sizeof(req->grant);
		return &req->grant;
	}
	/* only what is done, and recorded, is 200 */
	*ret_len = req->blob && req->status == 200 ? sizeof(req->grant.binding) : 0;
	return &req->grant.binding;
}

static int send_answer(struct kvd_manager *m, const struct kvd_request *req)
{
	const char *text = kvd_request_is_control(req) ? req->reply_text :
			   req->status ? "" : req->public_jwk;
	struct kvault_msg msg = req->msg;
	_cleanup_free_ uint8_t *buf = NULL;
	const void *first;
	size_t at = 0;

	memset(msg.len, 0, sizeof(msg.len));
	msg.status = req->status;
	msg.revision = req->policy;
	first = first_segment(req, &msg.len[0]);
	msg.len[2] = (uint32_t)strlen(text);
	msg.len[3] = msg.len[0] ? (uint32_t)req->blob_len : 0;
	buf = malloc(sizeof(msg) + msg.len[0] + msg.len[2] + msg.len[3]);
	if (!buf)
		return -ENOMEM;
	append(buf, &at, &msg, sizeof(msg));
	append(buf, &at, first, msg.len[0]);
	append(buf, &at, text, msg.len[2]);
	append(buf, &at, req->blob, msg.len[3]);
	return kvd_link_reply(m->link, buf, at);
}

/* For what is no request that we could understand. */
static void refuse_message(struct kvd_manager *m, const struct kvault_msg *in, int err)
{
	struct kvault_msg msg = *in;

	memset(msg.len, 0, sizeof(msg.len));
	msg.status = err;
	kvd_link_reply(m->link, &msg, sizeof(msg));
}

/* Sets what is answered; an answer that cannot be written down is an error. */
static void render(struct kvd_request *req, int r)
{
	static const char last_resort[] =
		"{\"error\":{\"code\":\"InternalError\",\"message\":\"kvaultd has no memory\"}}";

	if (r < 0 && r != -ENOMEM)
		kvd_log(LOG_ERR, "%s %s failed: %s", req->operation ? req->operation : "Request",
			req->object, strerror(-r));
	if (!kvd_request_is_control(req)) {
		req->status = kvd_error_of(r)->err;
		return;
	}
	if (kvd_api_render(req, r) < 0 && kvd_api_render(req, KVD_E_INTERNAL) < 0) {
		free(req->reply_text);
		req->reply_text = strdup(last_resort);
		req->status = 500;
	}
}

static void enqueue(struct kvd_manager *m, struct kvd_request *req)
{
	req->next = NULL;
	*m->out_end = req;
	m->out_end = &req->next;
}

/* Record, result for repetition: all of it belongs to the mark that is open. */
static int write_down(struct kvd_manager *m, struct kvd_request *req, int r)
{
	int w = 0;

	if (req->is_replay)
		return 0;
	if (r || !req->is_quiet)
		w = kvd_outcome_record(&m->denials, req, r);
	render(req, r);
	if (!w && !r && kvd_request_is_change(req))
		w = kvd_outcome_keep(req);
	return w;
}

static void refuse_unrecorded(struct kvd_request *req, int w)
{
	req->is_replay = false;
	if (w == KVD_E_THROTTLED) {
		render(req, w);
		return;
	}
	kvd_log(LOG_ERR, "The audit log cannot be written: %s", strerror(-w));
	render(req, kvd_refuse(&req->why, KVD_E_UNAVAILABLE,
			       "The audit log cannot be written: %s", strerror(-w)));
}

/* A request is decided: r is the outcome, and a mark is open. */
static void conclude(struct kvd_manager *m, struct kvd_request *req, int r)
{
	int w = 0;

	if (r == KVD_E_PENDING) {
		w = kvd_store_keep(req->st);
		req->next = m->pending;
		m->pending = req;
		return;
	}
	if (r) {
		req->has_push = false;
		w = kvd_store_undo(req->st);
		if (!w)
			w = kvd_store_mark(req->st);
	}
	if (!w) {
		w = write_down(m, req, r);
		if (w) {
			req->has_push = false;
			kvd_store_undo(req->st);
		} else {
			w = kvd_store_keep(req->st);
		}
	}
	/* What cannot be recorded is not done. */
	if (w)
		refuse_unrecorded(req, w);
	enqueue(m, req);
}

/* --- requests ---------------------------------------------------------------------- */

static int enter_tenant(struct kvd_request *req)
{
	struct kvd_tenant t = { .kind = req->msg.tenant_kind, .policy = 1,
				.created = req->ctx->now };
	int r;

	r = kvd_store_tenant_find(req->st, req->msg.tenant, &t);
	if (r == KVD_E_NOT_FOUND) {
		/* The host's is made with the store: another one is nonsense. */
		if (req->msg.tenant_kind == KVAULT_TENANT_HOST)
			return -EBADMSG;
		memcpy(t.id.b, req->msg.tenant, sizeof(t.id.b));
		r = kvd_store_tenant_add(req->st, &t);
	}
	if (!r && req->msg.revision > t.policy) {
		t.policy = req->msg.revision;
		r = kvd_store_revision_atleast(req->st, t.policy);
		if (!r)
			r = kvd_store_tenant_set_policy(req->st, t.id.b, t.policy);
	}
	req->policy = t.policy;
	return r;
}

static int find_result(struct kvd_request *req)
{
#ifdef KVAULT_MUTANT_NOT_ONCE
	return KVD_E_NOT_FOUND;
#endif
	if (!kvd_request_is_change(req))
		return KVD_E_NOT_FOUND;
	return kvd_store_request_find(req->st, req->msg.tenant, req->msg.request_id, &req->status,
				      &req->reply_text);
}

/* On top of a log that does not check nothing is done that it would have to tell of. */
static int check_log(struct kvd_request *req)
{
	uint64_t seq = kvd_head_broken(req->ctx, req->msg.tenant);

#ifdef KVAULT_MUTANT_NO_LOG_REFUSAL
	seq = 0;
#endif
	if (!seq || (kvd_request_is_control(req) &&
		     (!kvd_request_is_change(req) || kvd_api_is_accept(req))))
		return 0;
	return kvd_refuse(&req->why, KVD_E_LOG_BROKEN,
			  "This tenant's audit log does not check at record %llu: restore the "
			  "store from a backup, or see 'kvault audit accept'",
			  (unsigned long long)seq);
}

static void decide(struct kvd_manager *m, struct kvd_request *req)
{
	int r;

	req->cookie = ++m->cookies;
	req->give_up = req->msg.deadline + KVD_NSEC_PER_SEC;
	req->st = kvd_context_store(&m->ctx, req->msg.tenant_kind);
	if (!req->st) {
		refuse_message(m, &req->msg, -EOPNOTSUPP);
		kvd_request_free(req);
		return;
	}
	r = kvd_store_begin(req->st);
	if (!r)
		r = enter_tenant(req);
	if (!r)
		r = kvd_store_mark(req->st);
	if (r) {
		kvd_refuse(&req->why, 0, "The store cannot be used: %s", strerror(-r));
		render(req, r);
		enqueue(m, req);
		return;
	}
	r = find_result(req);
	if (!r)
		req->is_replay = true;
	else if (r == KVD_E_NOT_FOUND)
		r = check_log(req);
	if (!r && !req->is_replay)
		r = kvd_request_is_control(req) ? kvd_api_control(req) : kvd_api_access(req);
	conclude(m, req, r);
}

static struct kvd_request *take_pending(struct kvd_manager *m, uint64_t cookie)
{
	struct kvd_request **p, *req;

	for (p = &m->pending; (req = *p); p = &req->next)
		if (req->cookie == cookie) {
			*p = req->next;
			return req;
		}
	return NULL;
}

static void resume(struct kvd_manager *m, struct kvd_request *req, const struct kvd_done *done)
{
	int r;

	r = kvd_store_mark(req->st);
	if (r < 0) {
		kvd_refuse(&req->why, 0, "The store cannot be used: %s", strerror(-r));
		render(req, r);
		enqueue(m, req);
		return;
	}
	conclude(m, req, req->resume(req, done));
}

static void checkpoint_done(struct kvd_manager *m, const struct kvd_message *msg)
{
	struct kvd_checkpoint *cp = &m->checkpoint;
	int r;

	if (!cp->is_busy || (cp->cookie | KVD_CHECKPOINT_COOKIE) != msg->msg.cookie)
		return;
	r = kvd_store_mark(m->ctx.host);
	if (r < 0)
		return;
	r = kvd_checkpoint_done(&m->ctx, cp, msg->msg.status, msg->seg[2], msg->msg.len[2],
				msg->seg[3], msg->msg.len[3]);
	if (r < 0)
		kvd_store_undo(m->ctx.host);
	else
		kvd_store_keep(m->ctx.host);
}

static void engine_done(struct kvd_manager *m, const struct kvd_message *msg)
{
	struct kvd_done done = {
		.status = msg->msg.status,
		.text = (const char *)msg->seg[2],
		.text_len = msg->msg.len[2],
		.blob = msg->seg[3],
		.blob_len = msg->msg.len[3],
	};
	struct kvd_request *req;

	if (done.status > 0 || done.status < -4095)
		done.status = -EIO;
	if (msg->msg.cookie & KVD_CHECKPOINT_COOKIE) {
		checkpoint_done(m, msg);
		return;
	}
	req = take_pending(m, msg->msg.cookie);
	if (!req)
		return;		/* given up already */
	if (memcmp(req->msg.request_id, msg->msg.request_id, KVAULT_ID_SIZE))
		done.status = -EIO;
	resume(m, req, &done);
}

static void tenant_gone(struct kvd_manager *m, const struct kvault_msg *msg)
{
	struct kvd_request **p = &m->pending, *req;
	int r;

	while ((req = *p)) {
		if (memcmp(req->msg.tenant, msg->tenant, KVAULT_ID_SIZE)) {
			p = &req->next;
			continue;
		}
		*p = req->next;
		kvd_request_free(req);
	}
	r = kvd_store_begin(m->ctx.ephemeral);
	if (!r)
		r = kvd_store_tenant_drop(m->ctx.ephemeral, msg->tenant);
	if (r < 0)
		kvd_log(LOG_WARNING, "A tenant that ended cannot be forgotten: %s", strerror(-r));
}

static void handle(struct kvd_manager *m, const uint8_t *data, size_t len)
{
	struct kvd_request *req = NULL;
	struct kvd_message msg;
	int r;

	r = kvd_message_parse(data, len, &msg);
	if (r < 0) {
		kvd_log(LOG_ERR, "The module sent a message of %zu bytes that makes no sense", len);
		return;
	}
	switch (msg.msg.type) {
	case KVAULT_MSG_ENGINE_DONE:
		engine_done(m, &msg);
		return;
	case KVAULT_MSG_TENANT_GONE:
		tenant_gone(m, &msg.msg);
		return;
	case KVAULT_MSG_CONTROL:
	case KVAULT_MSG_ACCESS:
		r = kvd_request_parse(&m->ctx, data, len, &req);
		break;
	default:
		r = -EBADMSG;
	}
	if (r < 0) {
		kvd_log(LOG_ERR, "A message of type %u is refused: %s", msg.msg.type,
			strerror(-r));
		refuse_message(m, &msg.msg, -EIO);
		return;
	}
	decide(m, req);
}

/* --- commit ------------------------------------------------------------------------------ */

static void push(struct kvd_manager *m, struct kvd_request *req)
{
	const struct kvd_kernel *k = m->ctx.kernel;
	const struct kvd_push *p = &req->push;
	int r;

	if (p->is_object)
		r = k->object_set(k->data, req->msg.tenant, p->key.b,
				  p->has_version ? p->version.b : NULL, p->revision, p->state);
	else
		r = k->policy_set(k->data, req->msg.tenant, p->revision);
	if (r >= 0 || r == -ENOENT)
		return;
	/* It holds from the next question on; who asked must know that it did not yet. */
	kvd_refuse(&req->why, 0, "The change is stored, but the kernel has not confirmed it: %s",
		   strerror(-r));
	kvd_log(LOG_ERR, "%s %s: %s", req->operation, req->object, req->why.text);
	render(req, KVD_E_TIMEOUT);
}

static int commit(struct kvd_store *st, int error, const char *what)
{
	int r = error;

	if (r < 0)
		kvd_store_rollback(st);
	else
		r = kvd_store_commit(st);
	if (r < 0)
		kvd_log(LOG_ERR, "The %s store cannot be written: %s; what was asked is refused",
			what, strerror(-r));
	return r;
}

static bool take_back(struct kvd_request *req)
{
	int r = kvd_outcome_take_back(req);

	if (r < 0)
		kvd_log(LOG_ERR, "%s stays open in the log, and is not: %s", req->object,
			strerror(-r));
	return r > 0;
}

static void flush(struct kvd_manager *m)
{
	int host, ephemeral, r;
	struct kvd_request *req;
	bool is_taken_back = false;

	host = commit(m->ctx.host, m->host_error, "host's");
	ephemeral = commit(m->ctx.ephemeral, m->ephemeral_error, "ephemeral");
	m->host_error = 0;
	m->ephemeral_error = 0;
	m->is_grouping = false;
	while ((req = m->out)) {
		m->out = req->next;
		r = req->st == m->ctx.host ? host : ephemeral;
		if (r < 0) {
			req->has_push = false;
			req->is_replay = false;
			render(req, kvd_refuse(&req->why, KVD_E_UNAVAILABLE,
					       "The store cannot be written: %s", strerror(-r)));
		}
		else if (req->accepts_log)
			kvd_head_forget(&m->ctx, req->msg.tenant);
		if (req->has_push)
			push(m, req);
		r = req->is_own ? 0 : send_answer(m, req);
		if (r == -ENOENT)
			is_taken_back |= take_back(req);
		else if (r < 0 && r != -ESTALE)
			kvd_log(LOG_ERR, "An answer cannot be given: %s", strerror(-r));
		kvd_request_free(req);
	}
	m->out_end = &m->out;
	kvd_records_settle(&m->records, &m->ctx, m->link, host, ephemeral);
	kvd_denial_settle(&m->denials, &m->ctx, host, ephemeral);
	if (host < 0 || ephemeral < 0)
		kvd_audit_mirror_drop(&m->ctx);
	else
		kvd_audit_mirror_send(&m->ctx);
	/* Nothing waits for an answer now, so it is once more at most. */
	if (is_taken_back)
		flush(m);
}

/* --- events -------------------------------------------------------------------------------- */

static ssize_t handle_next(struct kvd_manager *m)
{
	ssize_t len = kvd_link_next(m->link, m->message);

	if (len > 0) {
		handle(m, m->message, (size_t)len);
		explicit_bzero(m->message, (size_t)len);
	}
	return len;
}

static bool tell_records(struct kvd_manager *m)
{
	return kvd_records_tell(&m->records, &m->ctx, m->link, &m->host_error,
				&m->ephemeral_error);
}

static int on_group(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	flush(data);
	return 0;
}

/*
 * Nobody waits for an answer: what was told becomes durable with what comes
 * within a moment. false: it has to be now.
 */
static bool group(struct kvd_manager *m)
{
	uint64_t now;

	if (m->is_grouping)
		return true;
	if (m->host_error || m->ephemeral_error ||
	    sd_event_now(m->event, CLOCK_BOOTTIME, &now) < 0 ||
	    sd_event_source_set_time(m->on_group, now + GROUP_US) < 0 ||
	    sd_event_source_set_enabled(m->on_group, SD_EVENT_ONESHOT) < 0)
		return false;
	m->is_grouping = true;
	return true;
}

static int on_link(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct kvd_manager *m = data;
	uint64_t end = kvd_time_now(CLOCK_MONOTONIC) + BATCH_NS;
	bool has_records, is_time;
	ssize_t len = 0;
	int n = 0;

	(void)source;
	(void)fd;
	m->ctx.now = (int64_t)time(NULL);
	/* Turn by turn: neither keeps the other one waiting, however much comes. */
	do {
		int turn = 0;

		do {
			len = handle_next(m);
			is_time = kvd_time_now(CLOCK_MONOTONIC) < end;
			turn += len > 0;
		} while (len > 0 && turn < TURN_MAX && is_time);
		n += turn;
		has_records = tell_records(m);
		is_time = kvd_time_now(CLOCK_MONOTONIC) < end;
	} while ((len > 0 || has_records) && is_time);
	if (m->out || !group(m))
		flush(m);
	if (len < 0 || (revents & (EPOLLERR | EPOLLHUP) && !n)) {
		kvd_log(LOG_ERR, "The module does not talk to us any more: %s",
			len < 0 ? strerror((int)-len) : "the claim is lost");
		return sd_event_exit(m->event, EXIT_FAILURE);
	}
	return 0;
}

static void expire_pending(struct kvd_manager *m)
{
	static const struct kvd_done late = { .status = -ETIMEDOUT };
	uint64_t now = kvd_time_now(CLOCK_BOOTTIME);
	struct kvd_request **p = &m->pending, *req;

	while ((req = *p)) {
		if (req->give_up > now) {
			p = &req->next;
			continue;
		}
		*p = req->next;
		resume(m, req, &late);
	}
}

/* A lease's end is missing if it was due at the last look: the machine may have slept since. */
static void keep_house(struct kvd_manager *m)
{
	struct kvd_store *both[] = { m->ctx.host, m->ctx.ephemeral };
	const int64_t now = kvd_lease_now();
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(both); i++) {
		r = kvd_store_mark(both[i]);
		if (r < 0)
			continue;
		/* What is still to be told may be of a lease that is over by time. */
		r = kvd_records_are_told(&m->records) ?
		    kvd_lease_expire(&m->ctx, both[i], m->looked, LEASES_MAX) : 0;
		if (r >= 0)
			r = kvd_purge_overdue(&m->ctx, both[i], PURGES_MAX);
		if (r >= 0)
			r = kvd_store_requests_expire(both[i], m->ctx.now - REQUEST_KEEP_S);
		if (r < 0)
			kvd_store_undo(both[i]);
		else
			kvd_store_keep(both[i]);
	}
	m->looked = now;
}

/* As if somebody had asked for it; what an engine makes goes on when that has done. */
static void rotate(struct kvd_manager *m, struct kvd_store *st, const uint8_t *tenant,
		   const struct kvd_version *v)
{
	char path[KVAULT_PATH_MAX];
	struct kvd_request *req;
	int r;

	snprintf(path, sizeof(path), "/vaults/%s/keys/%s/rotate", v->vault_name, v->name);
	req = kvd_request_own(&m->ctx, st, tenant, path, ROTATE_MS);
	if (!req)
		return;
	req->cookie = ++m->cookies;
	req->give_up = req->msg.deadline + KVD_NSEC_PER_SEC;
	r = kvd_store_mark(st);
	if (r < 0)
		kvd_request_free(req);
	else
		conclude(m, req, kvd_api_key_rotate_due(req, v));
}

/* What fell due while nobody was here is done at the first tick. */
static void do_what_is_due(struct kvd_manager *m, struct kvd_store *st)
{
	bool is_to_rotate;
	unsigned int n;

	for (n = 0; n < DUE_MAX; n++) {
		_cleanup_version_ struct kvd_version v = { 0 };
		struct kvd_id tenant;
		int r;

		if (kvd_store_mark(st) < 0)
			return;
		r = kvd_rotation_next(&m->ctx, st, &tenant, &v, &is_to_rotate);
		if (r) {
			kvd_store_undo(st);
			return;
		}
		if (!kvd_store_keep(st) && is_to_rotate)
			rotate(m, st, tenant.b, &v);
	}
}

static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
	struct kvd_manager *m = data;

	m->ctx.now = (int64_t)time(NULL);
	tell_records(m);
	expire_pending(m);
	if (kvd_denial_flush(&m->denials, &m->ctx, false) < 0)
		kvd_log(LOG_ERR, "Refusals cannot be written down; tried again");
	if (m->ticks++ % 10 == 0) {
		keep_house(m);
		do_what_is_due(m, m->ctx.host);
		do_what_is_due(m, m->ctx.ephemeral);
	}
	kvd_checkpoint_tick(&m->ctx, &m->checkpoint);
	flush(m);
	sd_event_source_set_time(source, usec + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- life ------------------------------------------------------------------------------------ */

static int add_sources(struct kvd_manager *m)
{
	uint64_t now;
	int r;

	r = sd_event_add_io(m->event, &m->on_link, kvd_link_fd(m->link), EPOLLIN | EPOLLPRI,
			    on_link, m);
	if (r >= 0)
		r = sd_event_now(m->event, CLOCK_BOOTTIME, &now);
	if (r >= 0)
		r = sd_event_add_time(m->event, &m->on_tick, CLOCK_BOOTTIME, now + TICK_US, 0,
				      on_tick, m);
	if (r >= 0)
		r = sd_event_add_time(m->event, &m->on_group, CLOCK_BOOTTIME, 0, 1000, on_group,
				      m);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->on_group, SD_EVENT_OFF);
	return r;
}

static int connect_kernel(struct kvd_manager *m, const char *device, struct kvd_why *why)
{
	uint64_t generation = 0;
	int r;

	r = kvd_link_open(device, &m->link, why);
	if (!r)
		r = kvd_link_claim(m->link, &generation, why);
	if (!r)
		r = kvd_link_hello(m->link, &m->ctx.meta, &m->ctx.has_root, why);
	if (r < 0)
		return r;
	m->is_served = true;
	m->ctx.kernel = kvd_link_kernel(m->link);
	return kvd_startup_resync(&m->ctx, generation, why);
}

int kvd_manager_new(struct sd_event *event, const struct kvd_config *config,
		    struct kvd_manager **ret, struct kvd_why *why)
{
	struct kvd_manager *m = calloc(1, sizeof(*m));
	char *root_dir = NULL;
	int r = -ENOMEM;

	if (!m)
		return -ENOMEM;
	kvd_context_init(&m->ctx);
	m->event = sd_event_ref(event);
	m->out_end = &m->out;
	m->message = malloc(KVAULT_MSG_MAX);
	if (asprintf(&root_dir, "%s/root", config->state_dir) > 0)
		m->ctx.root_dir = root_dir;
	m->ctx.root_mark = config->root_mark;
	m->ctx.runtime_dir = config->runtime_dir;
	m->ctx.ephemeral_max = config->ephemeral_max;
	if (config->suffix)
		m->ctx.suffix = config->suffix;
	if (m->message && !kvd_records_init(&m->records) && m->ctx.root_dir)
		r = kvd_startup_stores(&m->ctx, config, why);
	if (!r)
		r = connect_kernel(m, config->device, why);
	if (!r)
		r = add_sources(m);
	if (r < 0) {
		kvd_manager_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

static void free_list(struct kvd_request *req)
{
	struct kvd_request *next;

	for (; req; req = next) {
		next = req->next;
		kvd_request_free(req);
	}
}

struct kvd_manager *kvd_manager_free(struct kvd_manager *m)
{
	if (!m)
		return NULL;
	if (m->is_served) {
		if (kvd_denial_flush(&m->denials, &m->ctx, true) < 0)
			kvd_log(LOG_ERR, "Refusals that were counted cannot be written down");
		flush(m);
		if (kvd_link_bye(m->link) < 0)
			kvd_log(LOG_WARNING, "The module was not told that kvaultd ends");
	}
	sd_event_source_disable_unref(m->on_link);
	sd_event_source_disable_unref(m->on_tick);
	sd_event_source_disable_unref(m->on_group);
	sd_event_unref(m->event);
	free_list(m->pending);
	free_list(m->out);
	kvd_audit_key_done(&m->checkpoint.key);
	kvd_context_done(&m->ctx);
	kvd_link_close(m->link);
	free((char *)m->ctx.root_dir);
	free(m->message);
	kvd_records_done(&m->records);
	free(m);
	return NULL;
}
