// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon's claim. Authority is an open file of /dev/kvault-control that
 * has claimed, and the netlink socket that said HELLO with the claim's nonce.
 *
 *   ABSENT --[claim, hello]--> PRESENT --[bye]--> ABSENT
 *                                 |  ^
 *                     file closed |  | claim, hello
 *                                 v  |
 *                                LOST
 *
 * The claim is free again when both the file and the socket are closed, so
 * that a process that lost one of them cannot be half replaced.
 *
 * Lock: kv_link_lock (mutex) protects kv_link; @state and @generation are also
 * read without it. It is taken before kv_upcall_lock and kv_tenants_lock.
 */
#include <crypto/algapi.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/string.h>
#include "link.h"
#include "seal.h"
#include "tenant.h"
#include "upcall.h"

static DEFINE_MUTEX(kv_link_lock);

/*
 * file: the claimant, compared only. nonce: good for one HELLO. portid: the
 * socket, 0 for none. sk: the same, compared only: a port number is free for
 * others before we hear that it is, a socket is not. epoch: highest that a
 * HELLO brought. revision: highest that was heard of the host's objects.
 */
static struct {
	u32 state;
	const struct file *file;
	u64 generation;
	bool has_nonce;
	u8 nonce[KVAULT_ID_SIZE];
	u32 portid;
	const struct sock *sk;
	u64 epoch;
	u64 revision;
} kv_link;

/**
 * kv_link_claim() - become the daemon
 * @file: open file of the control node
 * @arg: out: nonce and generation
 *
 * Return: 0; -EBUSY while another file or its socket is open, or this one has
 * the claim.
 */
int kv_link_claim(struct file *file, struct kvault_claim *arg)
{
	int ret = -EBUSY;

	mutex_lock(&kv_link_lock);
#ifdef KVAULT_MUTANT_NO_CLAIM_CHECK
	if (true) {
#else
	if (!kv_link.file && !kv_link.portid) {
#endif
		kv_link.file = file;
		WRITE_ONCE(kv_link.generation, kv_link.generation + 1);
		get_random_bytes(kv_link.nonce, sizeof(kv_link.nonce));
		kv_link.has_nonce = true;
		memcpy(arg->nonce, kv_link.nonce, sizeof(arg->nonce));
		arg->generation = kv_link.generation;
		ret = 0;
	}
	mutex_unlock(&kv_link_lock);
	return ret;
}

/**
 * kv_link_release() - the claimant's file is closed
 * @file: it; any other does no harm
 */
void kv_link_release(struct file *file)
{
	bool absent = false;

	mutex_lock(&kv_link_lock);
	if (kv_link.file == file) {
		kv_link.file = NULL;
		kv_link.has_nonce = false;
		if (kv_link.state == KVAULT_DAEMON_PRESENT)
			WRITE_ONCE(kv_link.state, KVAULT_DAEMON_LOST);
		absent = kv_link.state == KVAULT_DAEMON_ABSENT;
	}
	mutex_unlock(&kv_link_lock);
	if (absent)
		kv_upcall_fail_all(KV_QUEUE_DAEMON, -EHOSTDOWN);
}

/**
 * kv_link_is_claimant() - does this file have the claim, and has it said HELLO?
 * @file: open file of the control node
 *
 * Return: true if it does; until its store is known to be the right one it
 * has no business with payload.
 */
bool kv_link_is_claimant(const struct file *file)
{
	return READ_ONCE(kv_link.file) == file &&
	       READ_ONCE(kv_link.state) == KVAULT_DAEMON_PRESENT;
}

/**
 * kv_link_seen() - the daemon pushed a revision of the host's
 * @revision: which; an older store than that is refused from now on
 */
void kv_link_seen(u64 revision)
{
	mutex_lock(&kv_link_lock);
	kv_link.revision = max(kv_link.revision, revision);
	mutex_unlock(&kv_link_lock);
}

/**
 * kv_link_generation() - number of the newest claim
 *
 * Return: it; 0 before the first.
 */
u64 kv_link_generation(void)
{
	return READ_ONCE(kv_link.generation);
}

/**
 * kv_link_state() - is the daemon there?
 *
 * Return: enum kvault_daemon_state.
 */
u32 kv_link_state(void)
{
	return READ_ONCE(kv_link.state);
}

/**
 * kv_link_hello() - a netlink socket says that it belongs to the claim
 * @nonce: what the claim returned
 * @portid: the socket's port
 * @sk: the socket, compared only
 * @store: id of the store
 * @tenant: the store's id for the host
 * @epoch: of the store
 * @revision: of the store
 *
 * Return: 0; -EPERM for a nonce that is wrong or used; -ESTALE for a store
 * that is not the one before, or older; -EHOSTDOWN without a root key.
 */
int kv_link_hello(const u8 *nonce, u32 portid, const struct sock *sk, const u8 *store,
		  const u8 *tenant, u64 epoch, u64 revision)
{
	int ret;

	mutex_lock(&kv_link_lock);
	ret = -EPERM;
	if (!kv_link.has_nonce || crypto_memneq(nonce, kv_link.nonce, sizeof(kv_link.nonce)))
		goto out_unlock;
	ret = -ESTALE;
#ifndef KVAULT_MUTANT_NO_ROLLBACK_CHECK
	if (epoch < kv_link.epoch || revision < kv_link.revision)
		goto out_unlock;
#endif
	ret = kv_root_adopt_store(store, tenant);
	if (ret)
		goto out_unlock;
	kv_link.has_nonce = false;
	kv_link.portid = portid;
	kv_link.sk = sk;
	kv_link.epoch = epoch;
	kv_link.revision = revision;
	WRITE_ONCE(kv_link.state, KVAULT_DAEMON_PRESENT);
out_unlock:
	mutex_unlock(&kv_link_lock);
	return ret;
}

/**
 * kv_link_check() - is this the daemon's socket?
 * @portid: of the socket that sent something
 * @sk: the socket
 *
 * Return: 0; -EPERM; -ESTALE when the claim's file is closed already.
 */
int kv_link_check(u32 portid, const struct sock *sk)
{
	int ret = 0;

	mutex_lock(&kv_link_lock);
	if (!kv_link.file)
		ret = -ESTALE;
#ifndef KVAULT_MUTANT_NO_SOCKET_CHECK
	if (!portid || portid != kv_link.portid || sk != kv_link.sk)
		ret = -EPERM;
#endif
	mutex_unlock(&kv_link_lock);
	return ret;
}

/**
 * kv_link_bye() - the daemon leaves in order; its socket was checked
 */
void kv_link_bye(void)
{
	mutex_lock(&kv_link_lock);
	WRITE_ONCE(kv_link.state, KVAULT_DAEMON_ABSENT);
	mutex_unlock(&kv_link_lock);
	kv_upcall_fail_all(KV_QUEUE_DAEMON, -EHOSTDOWN);
}

/**
 * kv_link_port_gone() - a netlink socket is closed
 * @portid: which
 */
void kv_link_port_gone(u32 portid)
{
	mutex_lock(&kv_link_lock);
	if (portid && kv_link.portid == portid) {
		kv_link.portid = 0;
		kv_link.sk = NULL;
		if (kv_link.state == KVAULT_DAEMON_PRESENT) {
			WRITE_ONCE(kv_link.state, KVAULT_DAEMON_LOST);
			kv_upcall_lost(KV_QUEUE_DAEMON);
		}
	}
	mutex_unlock(&kv_link_lock);
}

/**
 * kv_link_audit_ready() - there are records to read
 */
void kv_link_audit_ready(void)
{
	wake_up_interruptible_poll(kv_server_wq(KV_QUEUE_DAEMON), EPOLLPRI);
}
