// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines: processes that do private-key and HSM operations. What is special
 * about them: a key is loaded into an engine once and then used by its slot;
 * a key that must not be used any more has to be forgotten by all of them,
 * and one that does not confirm that in time is killed; and the daemon can
 * ask for keys to be made, without ever seeing one.
 */
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "link.h"
#include "object.h"
#include "queue.h"
#include "seal.h"
#include "upcall.h"

#define KV_FORGET_MAX	64	/* engines that can hold one key at once */

static void *open_sealed(struct kv_tenant *t, const struct kvault_binding *b,
			 const void *blob, u32 blob_len, u32 *ret_len)
{
	void *plain = kvmalloc(KVAULT_BLOB_MAX, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!plain)
		return ERR_PTR(-ENOMEM);
	*ret_len = KVAULT_BLOB_MAX;
	ret = kv_unseal(t, b, blob, blob_len, plain, ret_len);
	if (ret) {
		kvfree(plain);
		return ERR_PTR(ret);
	}
	return plain;
}

/**
 * kv_engine_load_msg() - the message that gives an engine the key it lacks
 * @s: engine
 * @req: request that needs the key
 * @msg: in: header of @req; out: header of the message
 * @ret_payload: out: its segments, in the clear; to be wiped and freed by kvfree()
 * @ret_len: out: bytes of them
 *
 * From here on the engine counts as one that has the key.
 *
 * Return: 0; why the key cannot be given.
 */
int kv_engine_load_msg(struct kv_server *s, struct kv_request *req, struct kvault_msg *msg,
		       void **ret_payload, u32 *ret_len)
{
	struct kv_object *obj = req->object;
	struct kvault_engine_req *er;
	u32 len = 0;
	u8 *plain;
	int ret;

	mutex_lock(&obj->lock);
	if (obj->state != KVAULT_OBJECT_LIVE || !obj->sealed) {
		ret = -EKEYREVOKED;
		goto out_unlock;
	}
	plain = open_sealed(obj->tenant, &obj->sealed->binding, obj->sealed->blob,
			    obj->sealed->len, &len);
	if (IS_ERR(plain)) {
		ret = PTR_ERR(plain);
		goto out_unlock;
	}
	er = kvmalloc(sizeof(*er) + len, GFP_KERNEL_ACCOUNT);
	if (!er) {
		ret = -ENOMEM;
		goto out_wipe;
	}
	memcpy(er, req->payload, sizeof(*er));
	er->operation = 0;
	er->alg = 0;
	er->aux_len = 0;
	memcpy(er + 1, plain, len);
	/* a reference: freed when the engine forgets or ends */
	ret = xa_err(xa_store(&s->loaded, obj->slot, kv_object_get(obj), GFP_KERNEL));
	if (ret) {
		kv_object_put(obj);
		memzero_explicit(er, sizeof(*er) + len);
		kvfree(er);
		goto out_wipe;
	}
	msg->op = KVAULT_ENGINE_OP_LOAD;
	memset(msg->len, 0, sizeof(msg->len));
	msg->len[0] = sizeof(*er);
	msg->len[3] = len;
	*ret_payload = er;
	*ret_len = sizeof(*er) + len;
out_wipe:
	memzero_explicit(plain, KVAULT_BLOB_MAX);
	kvfree(plain);
out_unlock:
	mutex_unlock(&obj->lock);
	return ret;
}

/*
 * One forget under way. The engines' pids are referenced, for they may have
 * ended when the time is up.
 */
struct forgetting {
	struct kv_object *obj;
	struct kv_request *req[KV_FORGET_MAX];
	struct pid *pid[KV_FORGET_MAX];
	u32 made;
	u32 told;
};

static int tell_forget(struct kv_server *s, void *ctx)
{
	struct forgetting *f = ctx;

	if (s->queue == KV_QUEUE_DAEMON || !xa_load(&s->loaded, f->obj->slot))
		return 0;
	if (f->told == f->made) {
		s->is_dead = true;
		kill_pid(s->pid, SIGKILL, 1);
		return 0;
	}
	f->pid[f->told] = get_pid(s->pid);
	return kv_server_tell(s, f->req[f->told++]);
}

static int kill_holder(struct kv_server *s, void *ctx)
{
	struct kv_object *obj = ctx;

	if (s->queue != KV_QUEUE_DAEMON && xa_load(&s->loaded, obj->slot)) {
		s->is_dead = true;
		kill_pid(s->pid, SIGKILL, 1);
	}
	return 0;
}

static int kill_engine_of(struct kv_server *s, void *ctx)
{
	if (s->queue != KV_QUEUE_DAEMON && s->tenant == ctx) {
		s->is_dead = true;
		kill_pid(s->pid, SIGKILL, 1);
	}
	return 0;
}

/**
 * kv_engine_kill_all() - end the engines of a tenant that has ended
 * @t: tenant; an engine serves one and no other
 */
void kv_engine_kill_all(struct kv_tenant *t)
{
	kv_server_for_each(kill_engine_of, t);
}

static void make_forgets(struct forgetting *f)
{
	struct kvault_engine_req er = { .size = sizeof(er), .slot = f->obj->slot };
	struct kv_seg seg[KVAULT_MSG_SEGMENTS] = { { &er, sizeof(er) } };
	u32 want = kv_upcall_servers(KV_QUEUE_OPENSSL) + kv_upcall_servers(KV_QUEUE_PKCS11);
	struct kv_request *req;

	while (f->made < min_t(u32, want, KV_FORGET_MAX)) {
		req = kv_request_new(KV_QUEUE_OPENSSL, f->obj->tenant, NULL, KVAULT_MSG_ENGINE,
				     KVAULT_ENGINE_OP_FORGET, seg, KV_FORGET_MS);
		if (IS_ERR(req))
			break;
		f->req[f->made++] = req;
	}
}

static u32 ms_until(unsigned long until)
{
	unsigned long now = jiffies;

#ifdef KVAULT_MUTANT_FORGET_EACH
	return KV_FORGET_MS;
#endif
	return time_before(now, until) ? jiffies_to_msecs(until - now) : 0;
}

/**
 * kv_engine_forget() - take a key out of every engine
 * @obj: key version, not live any more
 * @until: jiffies
 *
 * Returns when all have confirmed it or, by @until, are killed. Engines that
 * could not even be asked are killed.
 */
void kv_engine_forget(struct kv_object *obj, unsigned long until)
{
	struct kv_answer ans = {};
	struct forgetting *f;
	u32 i;

	f = kzalloc(sizeof(*f), GFP_KERNEL | __GFP_NOFAIL);
	f->obj = obj;
	make_forgets(f);
	kv_server_for_each(tell_forget, f);
	for (i = 0; i < f->told; i++) {
		if (kv_request_wait(f->req[i], ms_until(until), &ans) || ans.status)
			kill_pid(f->pid[i], SIGKILL, 1);
		kv_answer_done(&ans);
		put_pid(f->pid[i]);
	}
	/* who still has it has not said otherwise */
	kv_server_for_each(kill_holder, obj);
	for (i = 0; i < f->made; i++)
		kv_request_put(f->req[i]);
	kfree(f);
}

/*
 * What the daemon asked of an engine. The binding says whose key it is and
 * what the new blob is bound to.
 */
struct submission {
	u64 cookie;
	u32 op;
	u8 request_id[KVAULT_ID_SIZE];
	struct kvault_binding binding;
};

static void note_done(struct kv_tenant *t, const struct submission *sub, int status,
		      const struct kv_seg *out, const struct kv_seg *blob)
{
	struct kv_seg seg[KVAULT_MSG_SEGMENTS] = {};
	struct kv_request *req;

	if (out)
		seg[2] = *out;
	if (blob)
		seg[3] = *blob;
	req = kv_request_new(KV_QUEUE_DAEMON, t, NULL, KVAULT_MSG_ENGINE_DONE, sub->op, seg, 0);
	if (IS_ERR(req))
		return;		/* the daemon's own time-out ends it */
	req->msg.cookie = sub->cookie;
	req->msg.status = status;
	memcpy(req->msg.request_id, sub->request_id, KVAULT_ID_SIZE);
	kv_request_note(req);
}

static void submission_done(struct kv_request *req)
{
	struct submission *sub = req->ctx;
	struct kv_seg *material = &req->ans.seg[3], sealed = {};
	int status = req->ans.status;
	void *blob = NULL;

	if (!status && material->len) {
		blob = kvmalloc(material->len + KVAULT_BLOB_OVERHEAD, GFP_KERNEL_ACCOUNT);
		if (material->len > KVAULT_MATERIAL_MAX)
			status = -EIO;
		else if (!blob)
			status = -ENOMEM;
		else
			status = kv_seal(req->tenant, &sub->binding, material->p,
					 material->len, blob);
		sealed = (struct kv_seg){ blob, material->len + KVAULT_BLOB_OVERHEAD };
	} else if (!status && (sub->op == KVAULT_ENGINE_OP_GENERATE ||
			       sub->op == KVAULT_ENGINE_OP_IMPORT)) {
		status = -EIO;
	}
	if (req->ans.seg[2].len > KVAULT_PUBLIC_MAX) {
		req->ans.seg[2].len = 0;
		status = status ?: -EIO;
	}
	note_done(req->tenant, sub, status, &req->ans.seg[2], status ? NULL : &sealed);
	kvfree(blob);
	kfree(sub);
}

/* The request for an engine that a submission becomes. */
static struct kv_request *submission_request(struct kv_tenant *t, struct submission *sub,
					     const struct kvault_submit *arg,
					     const void *blob, const void *in)
{
	const struct kvault_binding *b = &sub->binding;
	struct kvault_engine_req er = {
		.size = sizeof(er), .kty = b->kty, .bits = b->bits, .curve = b->curve,
		.alg = arg->alg,
		.operation = arg->op == KVAULT_ENGINE_OP_CRYPT ? KVAULT_OP_SIGN : 0,
	};
	struct kv_seg seg[KVAULT_MSG_SEGMENTS] = { { &er, sizeof(er) }, {}, { in, arg->in_len } };
	struct kvault_binding transit, *open_as = &sub->binding;
	struct kv_request *req;
	struct kv_line *line;
	void *plain = NULL;
	u32 len = 0;

	memcpy(er.version, b->version, sizeof(er.version));
	if (arg->blob_len && arg->op != KVAULT_ENGINE_OP_CRYPT) {
		if (arg->op == KVAULT_ENGINE_OP_IMPORT) {
			kv_binding_transit(&transit, t, arg->request_id, 0);
			open_as = &transit;
		}
		plain = open_sealed(t, open_as, blob, arg->blob_len, &len);
		if (IS_ERR(plain))
			return ERR_CAST(plain);
		seg[3] = (struct kv_seg){ plain, len };
	}
	line = kv_line_charge_as(t, arg->request_id);
	req = IS_ERR(line) ? ERR_CAST(line) :
	      kv_request_new((enum kv_queue_id)arg->engine, t, line, KVAULT_MSG_ENGINE, arg->op,
			     seg, arg->timeout_ms);
	if (plain)
		memzero_explicit(plain, KVAULT_BLOB_MAX);
	kvfree(plain);
	return req;
}

/* The object of a key that the daemon signs with: the one that is there, or a new one. */
static struct kv_object *signing_key(struct kv_tenant *t, const struct kvault_binding *b,
				     const void *blob, u32 blob_len)
{
	struct kvault_grant grant = { .size = sizeof(grant), .binding = *b };
	struct kv_object *obj = kv_object_find(t, b->object, b->version);

	if (obj && READ_ONCE(obj->state) == KVAULT_OBJECT_LIVE)
		return obj;
	kv_object_put(obj);
	return kv_object_accept(t, &grant, NULL, 0, blob, blob_len,
				atomic64_read(&t->changes));
}

static int attach_key(struct kv_tenant *t, struct kv_request *req, const struct submission *sub,
		      const void *blob, u32 blob_len)
{
	struct kv_object *obj = signing_key(t, &sub->binding, blob, blob_len);

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (!kv_object_is_engine(obj)) {
		kv_object_put(obj);
		return -EINVAL;
	}
	((struct kvault_engine_req *)req->payload)->slot = obj->slot;
	req->object = obj;
	return 0;
}

static int submit(struct kv_tenant *t, struct submission *sub,
		  const struct kvault_submit *arg, const void *blob, const void *in)
{
	struct kv_request *req;
	int ret = 0;

	req = submission_request(t, sub, arg, blob, in);
	if (IS_ERR(req))
		return PTR_ERR(req);
	if (arg->op == KVAULT_ENGINE_OP_CRYPT)
		ret = attach_key(t, req, sub, blob, arg->blob_len);
	if (ret)
		goto out_put;
	req->finish = submission_done;
	req->ctx = sub;
	req->timeout_ms = arg->timeout_ms;
	kv_upcall_park(arg->request_id);
	ret = kv_request_queue(req);
out_put:
	kv_request_put(req);
	return ret;
}

static int check_submit(const struct kvault_submit *arg)
{
	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->engine != KVAULT_ENGINE_OPENSSL && arg->engine != KVAULT_ENGINE_PKCS11)
		return -EINVAL;
	if (arg->blob_len > KVAULT_BLOB_MAX || arg->in_len > KVAULT_AUX_MAX ||
	    arg->timeout_ms > KVAULT_TIMEOUT_MS_MAX || !arg->timeout_ms)
		return -EINVAL;
	switch (arg->op) {
	case KVAULT_ENGINE_OP_GENERATE:
		return arg->blob_len || arg->in_len ? -EINVAL : 0;
	case KVAULT_ENGINE_OP_IMPORT:
	case KVAULT_ENGINE_OP_DESTROY:
		return !arg->blob_len || arg->in_len ? -EINVAL : 0;
	case KVAULT_ENGINE_OP_CRYPT:
		return arg->blob_len && arg->in_len ? 0 : -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * kv_engine_submit() - the daemon gives an engine something to do
 * @arg: what it passed
 *
 * Return: 0, and a message KVAULT_MSG_ENGINE_DONE will come; -errno, and none
 * will.
 */
int kv_engine_submit(struct kvault_submit *arg)
{
	struct submission *sub;
	void *blob = NULL, *in = NULL;
	struct kv_tenant *t = NULL;
	u32 kind;
	int ret;

	ret = check_submit(arg);
	if (ret)
		return ret;
	sub = kzalloc(sizeof(*sub), GFP_KERNEL_ACCOUNT);
	if (!sub)
		return -ENOMEM;
	sub->cookie = arg->cookie;
	sub->op = arg->op;
	memcpy(sub->request_id, arg->request_id, sizeof(sub->request_id));
#ifndef KVAULT_MUTANT_MISSING_ERRNO
	ret = -EFAULT;
#endif
	if (copy_from_user(&sub->binding, u64_to_user_ptr(arg->binding), sizeof(sub->binding)))
		goto out_free;
	blob = vmemdup_user(u64_to_user_ptr(arg->blob), arg->blob_len);
	if (IS_ERR(blob)) {
		ret = PTR_ERR(blob);
		blob = NULL;
		goto out_free;
	}
	in = vmemdup_user(u64_to_user_ptr(arg->in), arg->in_len);
	if (IS_ERR(in)) {
		ret = PTR_ERR(in);
		in = NULL;
		goto out_free;
	}
	t = kv_tenant_find(sub->binding.tenant);
	ret = t ? kv_binding_check(t, &sub->binding) : -ENOKEY;
	/* a key goes to the kind of engine that it was made for, and to no other */
	kind = sub->binding.flags & KVAULT_KEY_HSM ? KVAULT_ENGINE_PKCS11 : KVAULT_ENGINE_OPENSSL;
	if (!ret && (sub->binding.type != KVAULT_TYPE_KEY || arg->engine != kind))
		ret = -EINVAL;
	if (!ret)
		ret = submit(t, sub, arg, blob, in);
out_free:
	kv_tenant_put(t);
	kvfree(in);
	kvfree(blob);
	if (ret)
		kfree(sub);
	return ret;
}
