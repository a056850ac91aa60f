/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A row of test_failnth.c, and what all rows need: daemon and engine in a
 * thread of their own, which rests while the thread that meets the faults is
 * one of them itself; handles, and keys that the kernel knows or does not.
 */
#ifndef KV_FAILNTH_ROW_H
#define KV_FAILNTH_ROW_H

#include <pthread.h>
#include <sys/eventfd.h>
#include "kv_serve.h"
#include "kv_calls.h"
#include "kv_failnth.h"

/**
 * struct row - a call whose faults are met one by one
 * @name: of the call
 * @nr: number of the ioctl, or of the netlink operation; 0 for others
 * @prepare: makes what the call needs; without faults
 * @call: the call; 0 or more, or -errno
 * @check: nothing is half done after it failed; may be NULL
 * @undo: takes back what prepare and call did; may be NULL
 * @says: what it says when all is well, if that is an error
 * @also: errors besides ENOMEM and EFAULT that a fault may become, of the cores above us
 * @is_inner: only faults below the module's own functions
 * @is_fresh: what it needs is used up when it failed, and is made anew
 * @empty: copies without a byte, whose failure is nothing
 * @has_server: daemon and engine are the thread's; else they rest
 * @is_there: the kernel can do it; NULL: every kernel can
 */
struct row {
	const char *name;
	unsigned long nr;
	int (*prepare)(void);
	int (*call)(void);
	int (*check)(void);
	void (*undo)(void);
	int says;
	int also[2];
	unsigned int empty;
	bool is_inner;
	bool is_fresh;
	bool has_server;
	bool (*is_there)(void);
};

static int last_error;		/* that the fault became */

/* --- the server's thread --------------------------------------------------------- */

static pthread_mutex_t server_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t server_cond = PTHREAD_COND_INITIALIZER;
static bool server_shall_rest, server_rests;
static int server_error;

static void rest(void)
{
	uint64_t count;

	pthread_mutex_lock(&server_lock);
	while (server_shall_rest) {
		server_rests = true;
		pthread_cond_broadcast(&server_cond);
		pthread_cond_wait(&server_cond, &server_lock);
	}
	server_rests = false;
	pthread_cond_broadcast(&server_cond);
	pthread_mutex_unlock(&server_lock);
	if (read(kv_srv.wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		server_error = -errno;
}

static void *serve(void *arg KV_MAYBE)
{
	int ret;

	for (;;) {
		rest();
		ret = kv_serve_take(1000);
		if (ret > 0)
			ret = kv_serve_answer(ret == 2);
		/* who asked has met a fault and left */
		if (ret < 0 && ret != -ENOENT)
			server_error = ret;
	}
	return NULL;
}

/* Tells the thread, and waits until it does so. */
static void server_set(bool shall_rest)
{
	uint64_t one = 1;

	pthread_mutex_lock(&server_lock);
	server_shall_rest = shall_rest;
	pthread_cond_broadcast(&server_cond);
	if (shall_rest && write(kv_srv.wake, &one, sizeof(one)) < 0)
		server_error = -errno;
	while (server_rests != shall_rest)
		pthread_cond_wait(&server_cond, &server_lock);
	pthread_mutex_unlock(&server_lock);
}

static void server_stop(void)
{
	server_set(true);
}

static void server_go(void)
{
	server_set(false);
}

/* It rests until it is told to go. */
static int server_start(void)
{
	pthread_t thread;
	int ret = kv_serve_start();

	kv_srv.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!ret && pthread_create(&thread, NULL, serve, NULL))
		ret = -EAGAIN;
	if (!ret)
		server_stop();
	return ret;
}

static int dev = -1, other = -1;
static uint32_t handle;
static uint32_t handles_before;
static struct kvault_crypt op;
static uint8_t in[256], out[512], sealed[512];
static size_t sealed_len;

/* --- objects, handles --------------------------------------------------------------- */

static uint32_t handles_now(void)
{
	struct kvault_info info = { 0 };

	kv_info(dev, &info);
	return info.handles;
}

static int count_handles(void)
{
	handles_before = handles_now();
	return 0;
}

static int check_handles(void)
{
	return (int)(handles_now() - handles_before);
}

/* Daemon and engine serve while @fn runs, without faults. */
static int served(int (*fn)(void))
{
	int ret;

	server_go();
	ret = fn();
	server_stop();
	return ret;
}

static enum kv_serve_key wanted;

static int open_wanted(void)
{
	struct kvault_open o;
	int ret = kv_open_path(dev, kv_serve_paths[wanted], 0, 5000, &o);

	handle = o.handle;
	return ret;
}

static int get_handle(enum kv_serve_key k)
{
	int ret;

	wanted = k;
	ret = served(open_wanted);
	return ret ? ret : count_handles();
}

static void drop_handle(void)
{
	kv_close_handle(dev, handle);
}

static int forget(void)
{
	static uint64_t revision = 10;

	return kv_object_set(&kv_srv.d, kv_host, kv_srv.key[wanted].b.object, ++revision,
			     KVAULT_OBJECT_GONE);
}

/* The kernel does not know the key, so that it is loaded by what comes next. */
static int no_object(enum kv_serve_key k)
{
	int ret;

	wanted = k;
	ret = served(forget);
	return ret ? ret : count_handles();
}

static int new_handle(enum kv_serve_key k)
{
	int ret = no_object(k);

	return ret ? ret : get_handle(k);
}

#endif /* KV_FAILNTH_ROW_H */
