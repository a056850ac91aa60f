/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kfuzz: a fuzzer of the module, guided by the kernel's coverage (KCOV).
 *
 * A program is a list of calls. Each is made by one of a few actors: processes
 * with different rights in different user namespaces, which live for a session
 * of some programs and keep their files, handles and keys from one program to
 * the next. An actor has several lanes (threads), so that a call that waits
 * does not keep the others from being made.
 *
 *   kfuzz.c       sessions, corpus, time, what is printed
 *   kfuzz-prog.c  programs: text, making, mutating
 *   kfuzz-lane.c  actors and lanes, coverage, watching the kernel log
 *   kfuzz-arg.c   what an argument means: pointers, sizes, paths, resources
 *   kfuzz-dev.c   calls on /dev/kvault
 *   kfuzz-ctl.c   calls of a hostile daemon and a hostile engine, netlink
 *   kfuzz-face.c  calls on keyrings, AF_ALG, device-mapper
 */
#ifndef KFUZZ_H
#define KFUZZ_H

#include <stdatomic.h>
#include "kv_daemon.h"

#define KF_ACTORS	6
#define KF_LANES	3
#define KF_ARGS		8
#define KF_CALLS	40
#define KF_KINDS_MAX	96
#define KF_FDS		4	/* of one sort and actor */
#define KF_MAP_BITS	20	/* edges that are told apart */

/* Actors: what they are is in kfuzz-lane.c. */
#define KF_DAEMON	0x01
#define KF_ENGINE	0x02
#define KF_APPS		0x3c
#define KF_SERVERS	(KF_DAEMON | KF_ENGINE)
#define KF_ALL		0x3f

struct kf_call {
	uint8_t kind;		/* index of kf_kinds */
	uint8_t actor;
	uint8_t is_async;	/* the next call does not wait for it */
	uint8_t fail;		/* the n-th allocation or user copy fails; 0 none */
	uint64_t arg[KF_ARGS];
};

struct kf_prog {
	uint32_t n;
	struct kf_call call[KF_CALLS];
};

/* Sorts of open files that an actor has. */
enum kf_fd { KF_DEV, KF_CTL, KF_ENG, KF_NL, KF_ALG, KF_ALGOP, KF_FD_SORTS };

/* One mapping with an unmapped page behind it. */
struct kf_area {
	uint8_t *start;
	uint8_t *end;
};

#define KF_AREA_SIZE	(72 * 4096)
enum kf_area_use { KF_STRUCT, KF_IN, KF_OUT, KF_AUX, KF_NAME, KF_AREAS };

/* A word that changes while the kernel looks at it. */
struct kf_flip {
	_Atomic(volatile uint32_t *) at;
	uint32_t other;
};

/* A message that was taken and can be answered, also twice or never. */
struct kf_message {
	struct kvault_msg msg;
	uint8_t head[2048];	/* of the segments */
};

struct kf_key {
	uint8_t tenant[KVAULT_ID_SIZE];
	struct kvault_binding binding;
	uint8_t blob[1024];
	uint32_t blob_len;
	uint64_t revision;
};

#define KF_KEYS		8	/* that a path can name */
#define KF_HANDLES	16
#define KF_SERIALS	16
#define KF_KEY_CACHE	64

/* An actor, as its lanes share it. Races between them are welcome. */
struct kf_actor {
	int nr;
	int fd[KF_FD_SORTS][KF_FDS];
	uint32_t handle[KF_HANDLES];
	uint8_t handle_fd[KF_HANDLES];
	_Atomic uint32_t handles;
	int32_t serial[KF_SERIALS];
	_Atomic uint32_t serials;
	struct kf_message message[KF_FDS];
	_Atomic uint32_t messages;
	uint8_t nonce[KVAULT_ID_SIZE];
	uint16_t family;
	struct kf_key key[KF_KEY_CACHE];
	uint32_t keys;
	struct kf_flip flip[KF_LANES + 1];
};

/* A lane: all that a call gets to know. */
struct kf_lane {
	struct kf_actor *actor;
	int nr;
	struct kf_area area[KF_AREAS];
	uint64_t *cover;
	int fail_fd;
};

/* One sort of call. @args has a letter for each argument, see kfuzz-prog.c. */
struct kf_kind {
	const char *name;
	long (*run)(struct kf_lane *l, const uint64_t *a);
	const char *args;
	uint8_t actors;		/* who makes it, usually */
	uint8_t weight;
	const char *ioctl;	/* the name in the uapi header, if it is one */
};

extern const struct kf_kind kf_kinds[];
extern const unsigned int kf_kinds_n;

/* What the supervisor and all actors see. */
struct kf_slot {
	_Atomic uint32_t is_busy;
	struct kf_call call;
};

struct kf_shared {
	_Atomic uint32_t done;
	_Atomic uint32_t ready;
	_Atomic uint32_t edges;
	_Atomic uint64_t session;
	_Atomic uint64_t revision;	/* highest that was pushed for the host */
	_Atomic uint64_t calls[KF_KINDS_MAX];
	_Atomic uint64_t good[KF_KINDS_MAX];
	_Atomic uint64_t failed_nth;
	uint64_t text_start;
	uint64_t text_end;
	int bus[2];
	unsigned int patience;	/* milliseconds for a call */
	bool is_verbose;	/* say what each call returned */
	struct kf_slot slot[KF_ACTORS][KF_LANES];
	_Atomic uint32_t map[1 << (KF_MAP_BITS - 5)];
};

extern struct kf_shared *kf_shared;

/* kfuzz-prog.c */
void kf_seed(uint64_t seed);
uint64_t kf_rand(uint64_t n);
int kf_kind_find(const char *name);
int kf_prog_parse(struct kf_prog *p, FILE *f);
void kf_prog_print(const struct kf_prog *p, FILE *f);
void kf_prog_make(struct kf_prog *p);
void kf_prog_mutate(struct kf_prog *p, const struct kf_prog *other);

/* kfuzz-lane.c */
bool kf_has_cover(void);
void kf_cover_range(void);
bool kf_has_symbol(const char *name);
pid_t kf_actor_start(int nr);
bool kf_call_start(const struct kf_call *c, int *ret_lane);
bool kf_call_wait(int actor, int lane, unsigned int ms);
bool kf_log_open(void);
bool kf_log_is_bad(char *line, size_t size);

/* kfuzz-arg.c */
uint64_t kf_buf(struct kf_lane *l, enum kf_area_use use, uint64_t how, uint32_t len);
uint64_t kf_put(struct kf_lane *l, enum kf_area_use use, uint64_t how, const void *data,
		uint32_t len);
void kf_done(struct kf_lane *l);
long kf_ioctl(struct kf_lane *l, int fd, unsigned long cmd, void *arg, uint32_t size,
	      uint64_t how_size, uint64_t how);
int kf_fd(struct kf_lane *l, enum kf_fd sort, uint64_t choice);
void kf_fd_add(struct kf_lane *l, enum kf_fd sort, int fd);
uint32_t kf_path(char *buf, uint64_t choice, const char *before);
int32_t kf_serial(struct kf_lane *l, uint64_t choice);
void kf_serial_add(struct kf_lane *l, long serial);
void kf_token(struct kf_lane *l, struct kvault_token *t, uint64_t key);
void kf_ids(uint8_t *object, uint8_t *version, const uint8_t *tenant, unsigned int key);
int kf_dev_fd(struct kf_lane *l, uint64_t choice);

/* kfuzz-dev.c */
long kf_open_dev(struct kf_lane *l, const uint64_t *a);
long kf_close_fd(struct kf_lane *l, const uint64_t *a);
long kf_info(struct kf_lane *l, const uint64_t *a);
long kf_control(struct kf_lane *l, const uint64_t *a);
long kf_open(struct kf_lane *l, const uint64_t *a);
long kf_close(struct kf_lane *l, const uint64_t *a);
long kf_encrypt(struct kf_lane *l, const uint64_t *a);
long kf_decrypt(struct kf_lane *l, const uint64_t *a);
long kf_sign(struct kf_lane *l, const uint64_t *a);
long kf_verify(struct kf_lane *l, const uint64_t *a);
long kf_wrap(struct kf_lane *l, const uint64_t *a);
long kf_unwrap(struct kf_lane *l, const uint64_t *a);
long kf_noop(struct kf_lane *l, const uint64_t *a);
long kf_round_trip(struct kf_lane *l, const uint64_t *a);
long kf_crypt_sweep(struct kf_lane *l, const uint64_t *a);
long kf_random(struct kf_lane *l, const uint64_t *a);
long kf_project(struct kf_lane *l, const uint64_t *a);
long kf_any_ioctl(struct kf_lane *l, const uint64_t *a);
long kf_file_ops(struct kf_lane *l, const uint64_t *a);
long kf_send_fd(struct kf_lane *l, const uint64_t *a);
long kf_recv_fd(struct kf_lane *l, const uint64_t *a);
long kf_fork(struct kf_lane *l, const uint64_t *a);

/* kfuzz-ctl.c */
long kf_prelude(struct kf_lane *l);
long kf_open_ctl(struct kf_lane *l, const uint64_t *a);
long kf_claim(struct kf_lane *l, const uint64_t *a);
long kf_take(struct kf_lane *l, const uint64_t *a);
long kf_reply(struct kf_lane *l, const uint64_t *a);
long kf_serve(struct kf_lane *l, const uint64_t *a);
long kf_seal(struct kf_lane *l, const uint64_t *a);
long kf_seal_sweep(struct kf_lane *l, const uint64_t *a);
long kf_submit(struct kf_lane *l, const uint64_t *a);
long kf_audit_read(struct kf_lane *l, const uint64_t *a);
long kf_root_set(struct kf_lane *l, const uint64_t *a);
long kf_root_wrap(struct kf_lane *l, const uint64_t *a);
long kf_open_eng(struct kf_lane *l, const uint64_t *a);
long kf_attach(struct kf_lane *l, const uint64_t *a);
long kf_eng_take(struct kf_lane *l, const uint64_t *a);
long kf_eng_reply(struct kf_lane *l, const uint64_t *a);
long kf_eng_serve(struct kf_lane *l, const uint64_t *a);
void kf_attend(struct kf_lane *l);
struct kf_key *kf_key_for(struct kf_lane *l, int ctl, const uint8_t *tenant, unsigned int n);

/* kfuzz-net.c */
int kf_net_ensure(struct kf_lane *l);
long kf_hello_now(struct kf_lane *l);
void kf_ack_now(struct kf_lane *l, const uint8_t *tenant, uint64_t seq);
long kf_net_open(struct kf_lane *l, const uint64_t *a);
long kf_hello(struct kf_lane *l, const uint64_t *a);
long kf_bye(struct kf_lane *l, const uint64_t *a);
long kf_tenant_get(struct kf_lane *l, const uint64_t *a);
long kf_policy_set(struct kf_lane *l, const uint64_t *a);
long kf_object_set(struct kf_lane *l, const uint64_t *a);
long kf_audit_ack(struct kf_lane *l, const uint64_t *a);
long kf_engine_get(struct kf_lane *l, const uint64_t *a);
long kf_net_any(struct kf_lane *l, const uint64_t *a);

/* kfuzz-face.c */
long kf_request_key(struct kf_lane *l, const uint64_t *a);
long kf_add_key(struct kf_lane *l, const uint64_t *a);
long kf_keyctl(struct kf_lane *l, const uint64_t *a);
long kf_key_read(struct kf_lane *l, const uint64_t *a);
long kf_pkey(struct kf_lane *l, const uint64_t *a);
long kf_pkey_query(struct kf_lane *l, const uint64_t *a);
long kf_proc_keys(struct kf_lane *l, const uint64_t *a);
long kf_alg_open(struct kf_lane *l, const uint64_t *a);
long kf_alg_key(struct kf_lane *l, const uint64_t *a);
long kf_alg_accept(struct kf_lane *l, const uint64_t *a);
long kf_alg_crypt(struct kf_lane *l, const uint64_t *a);

/* kfuzz-dm.c */
long kf_dm_create(struct kf_lane *l, const uint64_t *a);
long kf_dm_remove(struct kf_lane *l, const uint64_t *a);
long kf_dm_state(struct kf_lane *l, const uint64_t *a);
long kf_dm_message(struct kf_lane *l, const uint64_t *a);
long kf_dm_io(struct kf_lane *l, const uint64_t *a);

#endif /* KFUZZ_H */
