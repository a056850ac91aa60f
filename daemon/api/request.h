/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One request on its way through the daemon: what came from the kernel, what
 * is answered, and what must be told to the kernel before the answer.
 */
#ifndef KVD_API_REQUEST_H
#define KVD_API_REQUEST_H

#include "core/access.h"
#include "core/context.h"

#define KVD_SEGMENTS_MAX	8	/* of a path */

/* State that changed with the request; sent when it is durable, before the answer. */
struct kvd_push {
	bool is_object;			/* else the tenant's policy */
	bool has_version;
	struct kvd_id key, version;
	uint64_t revision;
	uint32_t state;			/* enum kvault_object_state */
};

struct kvd_request;

/* What an engine said; segments are borrowed. */
struct kvd_done {
	int status;			/* 0 or negative errno */
	const char *text;		/* not NUL-terminated */
	size_t text_len;
	const uint8_t *blob;
	size_t blob_len;
};

typedef int kvd_resume_fn(struct kvd_request *req, const struct kvd_done *done);

struct kvd_request {
	struct kvd_request *next;
	struct kvd_context *ctx;
	struct kvd_store *st;
	struct kvault_msg msg;
	struct kvault_principal principals[2];	/* caller, opener */
	struct kvd_who who;
	uint64_t policy;		/* the tenant's, when it was decided */

	/* CONTROL */
	uint32_t type;			/* KVAULT_TYPE_KEY or KVAULT_TYPE_SECRET, of the path */
	char path[KVAULT_PATH_MAX + 1];
	const char *seg[KVD_SEGMENTS_MAX];
	size_t n_seg;
	char *query;			/* behind the '?', or NULL */
	char *body_text;
	size_t body_len;
	json_t *body;
	uint8_t *secret;		/* a blob of KVAULT_TYPE_TRANSIT */
	size_t secret_len;

	/* ACCESS; of a secret's value grant.binding and blob */
	struct kvault_access access;
	struct kvault_grant grant;
	char *public_jwk;
	uint8_t *blob;
	size_t blob_len;
	json_t *context;		/* what the caller says that it is for, or NULL */

	/* the answer */
	int status;			/* HTTP status, or negative errno */
	json_t *reply;
	char *reply_text;		/* what is sent; owns */
	struct kvd_why why;
	const char *operation;		/* name in the audit log; NULL: none */
	bool is_quiet;			/* no record when it went well */
	bool is_empty;			/* it went well, and there was nothing to give */
	bool is_unchanged;		/* it went well, and all was so before */
	bool is_replay;			/* was carried out before */
	bool is_own;			/* a timer's: nobody waits for an answer */
	bool accepts_log;		/* its tenant's broken log is gone on with */
	char object[512];
	struct kvd_push push;
	bool has_push;

	/* while an engine works */
	uint64_t cookie;
	uint64_t give_up;		/* CLOCK_BOOTTIME nanoseconds */
	kvd_resume_fn *resume;
	void *state;
	void (*state_free)(void *state);
};

struct kvd_request *kvd_request_free(struct kvd_request *req);

/*
 * Makes a request of a message of the kernel's, which is checked as any other
 * input: -EBADMSG.
 */
int kvd_request_parse(struct kvd_context *ctx, const uint8_t *data, size_t len,
		      struct kvd_request **ret);

/* A POST to a path by a timer, in the name of the tenant's administration; NULL: no memory. */
struct kvd_request *kvd_request_own(struct kvd_context *ctx, struct kvd_store *st,
				    const uint8_t *tenant, const char *path, uint32_t timeout_ms);

/* Header and lengths only; segments point into data. -EBADMSG. */
struct kvd_message {
	struct kvault_msg msg;
	const uint8_t *seg[KVAULT_MSG_SEGMENTS];
};
int kvd_message_parse(const uint8_t *data, size_t len, struct kvd_message *ret);

/* A query parameter, percent-decoded; 0 when it is absent, else 1; negative errno. */
int kvd_request_query(const struct kvd_request *req, const char *name, char *ret, size_t size);
/* The n-th parameter of all, from 0: name and value; 0 behind the last one. */
int kvd_request_query_nth(const struct kvd_request *req, size_t n, char *name, size_t name_size,
			  char *ret, size_t size);

/* Milliseconds until nobody waits any more, at least 1. */
uint32_t kvd_request_left_ms(const struct kvd_request *req);

static inline bool kvd_request_is_control(const struct kvd_request *req)
{
	return req->msg.type == KVAULT_MSG_CONTROL;
}

static inline bool kvd_request_is_change(const struct kvd_request *req)
{
	return kvd_request_is_control(req) && req->msg.op != KVAULT_METHOD_GET;
}

#define kvd_fail(req, r, ...)	kvd_refuse(&(req)->why, (r), __VA_ARGS__)

#endif /* KVD_API_REQUEST_H */
