/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole daemon with a double of the module, for the tests that include this. */
#ifndef KVD_TEST_FIXTURE_H
#define KVD_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <systemd/sd-event.h>

#include "manager.h"
#include "store/test-tmp.h"
#include "test-link.h"
#include "util/json.h"
#include "util/log.h"
#include "util/time.h"

static const char slots[] = "{\"format\":1,\"store\":\"000102030405060708090a0b0c0d0e0f\","
			    "\"slots\":[]}";

struct fixture {
	char dir[32];
	struct kvd_config config;
	char state[64], runtime[64];
	sd_event *event;
	struct kvd_manager *m;
	uint8_t host[KVAULT_ID_SIZE];
	uint8_t next_id;
	struct kvault_principal who[2];
};

static inline int start(struct fixture *f)
{
	struct kvd_why why = { "" };
	int r;

	r = kvd_manager_new(f->event, &f->config, &f->m, &why);
	if (r)
		print_message("# %s\n", why.text);
	return r;
}

/* The host's id is made with the store; the double of the module has to ask the store. */
static inline void learn_host(struct fixture *f)
{
	struct kvd_store *st = NULL;
	struct kvd_why why = { "" };
	struct kvd_meta meta;
	char path[96];

	f->m = kvd_manager_free(f->m);
	snprintf(path, sizeof(path), "%s/kvault.db", f->state);
	assert_int_equal(kvd_store_open(path, KVD_STORE_EXISTING, false, &st, &why), 0);
	assert_int_equal(kvd_store_meta_get(st, &meta), 0);
	memcpy(f->host, meta.host.b, sizeof(f->host));
	kvd_store_close(st);
	assert_int_equal(start(f), 0);
	test_link.n_events = 0;
}

static inline void put_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char root[80];

	kvd_log_set_level(LOG_EMERG);
	test_link_reset();
	test_tmp_make(f->dir);
	snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
	snprintf(f->runtime, sizeof(f->runtime), "%s/run", f->dir);
	snprintf(root, sizeof(root), "%s/root", f->state);
	mkdir(f->state, 0700);
	mkdir(f->runtime, 0700);
	mkdir(root, 0700);
	put_file(root, "slots.json", slots);
	f->config = (struct kvd_config){ .device = "none", .state_dir = f->state,
					.runtime_dir = f->runtime };
	f->who[0].flags = f->who[1].flags = KVAULT_PRINCIPAL_ADMIN | KVAULT_PRINCIPAL_INIT_PIDNS;
	*state = f;
	if (sd_event_new(&f->event) < 0 || start(f))
		return -1;
	learn_host(f);
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	kvd_manager_free(f->m);
	sd_event_unref(f->event);
	test_tmp_remove(f->dir);
	test_link_done();
	free(f);
	return 0;
}

static inline void run(struct fixture *f)
{
	int i;

	for (i = 0; i < 4; i++)
		assert_true(sd_event_run(f->event, 0) >= 0);
}

static inline struct kvault_msg header(struct fixture *f, uint32_t type, uint32_t op)
{
	struct kvault_msg msg = {
		.size = sizeof(msg), .type = type, .op = op, .generation = 1,
		.cookie = f->next_id + 1000u, .attempts = 1, .revision = 1,
		.deadline = kvd_time_now(CLOCK_BOOTTIME) + 10 * KVD_NSEC_PER_SEC,
		.tenant_kind = KVAULT_TENANT_HOST,
	};

	memcpy(msg.tenant, f->host, sizeof(msg.tenant));
	msg.request_id[0] = ++f->next_id;
	return msg;
}

static inline void put(struct fixture *f, struct kvault_msg msg, const char *path, const void *body,
		size_t body_len, size_t secret_len)
{
	static const uint8_t secret[KVAULT_BLOB_MAX];
	const void *seg[4] = { f->who, path, body, secret };

	msg.len[0] = sizeof(f->who);
	msg.len[1] = (uint32_t)strlen(path);
	msg.len[2] = (uint32_t)body_len;
	msg.len[3] = (uint32_t)secret_len;
	test_link_put(&msg, seg);
}

/* One control operation; its HTTP status. */
static inline int control(struct fixture *f, uint32_t method, const char *path, const char *body)
{
	put(f, header(f, KVAULT_MSG_CONTROL, method), path, body, body ? strlen(body) : 0, 0);
	run(f);
	return test_link_last(TEST_REPLY)->msg.status;
}

static inline const char *reply(void)
{
	return test_link_last(TEST_REPLY)->json;
}

static inline int open_key(struct fixture *f, const char *path, uint32_t ops)
{
	struct kvault_access a = { .size = sizeof(a), .ops = ops,
				   .purpose = KVAULT_PURPOSE_HANDLE };

	put(f, header(f, KVAULT_MSG_ACCESS, KVAULT_PURPOSE_HANDLE), path, &a, sizeof(a), 0);
	run(f);
	return test_link_last(TEST_REPLY)->msg.status;
}

static inline void make_key(struct fixture *f)
{
	assert_int_equal(control(f, KVAULT_METHOD_PUT, "/vaults/payroll", "{}"), 201);
	assert_int_equal(control(f, KVAULT_METHOD_POST, "/vaults/payroll/keys/data/create",
				 "{\"kty\":\"oct\"}"), 200);
}

static inline void engine_done(struct fixture *f, uint64_t cookie, const uint8_t *request_id,
			int status, const char *json)
{
	struct kvault_msg msg = header(f, KVAULT_MSG_ENGINE_DONE, KVAULT_ENGINE_OP_GENERATE);
	const void *seg[4] = { NULL, NULL, json, "blobblob" };

	msg.cookie = cookie;
	msg.status = status;
	memcpy(msg.request_id, request_id, KVAULT_ID_SIZE);
	msg.len[2] = (uint32_t)strlen(json);
	msg.len[3] = 8;
	test_link_put(&msg, seg);
	run(f);
}

static inline void forget_events(void)
{
	size_t i;

	for (i = 0; i < test_link.n_events; i++)
		free(test_link.events[i].json);
	for (i = 0; i < test_link.n_queue; i++)
		free(test_link.queue[i]);
	test_link.n_events = 0;
	test_link.n_queue = 0;
	test_link.next = 0;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif /* KVD_TEST_FIXTURE_H */
