// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handlers behind /dev/kvault: check fields, copy payload, call below.
 * All payload is copied in, worked on in memory of ours, copied out when the
 * whole of it is valid, and wiped.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "audit.h"
#include "crypto.h"
#include "device.h"
#include "handle.h"
#include "ioctl.h"
#include "link.h"
#include "paes.h"
#include "principal.h"
#include "seal.h"
#include "secret.h"
#include "supply.h"
#include "tenant.h"
#include "upcall.h"
#include "visible.h"

static int set_timeout(struct kv_caller *who, u32 timeout_ms)
{
	if (timeout_ms > KVAULT_TIMEOUT_MS_MAX)
		return -EINVAL;
	who->timeout_ms = timeout_ms ?: KVAULT_TIMEOUT_MS;
	return 0;
}

KV_STATIC void *copy_path(u64 uptr, u32 len)
{
	char *path;

	if (!len)
		return ERR_PTR(-EINVAL);
	path = kv_copy_in(uptr, len, KVAULT_PATH_MAX);
	if (!IS_ERR(path) && memchr(path, 0, len)) {
		kvfree(path);
		return ERR_PTR(-EINVAL);
	}
	return path;
}

/**
 * kv_op_info() - KVAULT_INFO
 * @f: open file
 * @who: caller
 * @p: struct kvault_info
 *
 * Return: 0; -EOPNOTSUPP for a flag.
 */
int kv_op_info(struct kv_file *f, struct kv_caller *who, void *p)
{
	struct kvault_info *arg = p;
	struct kv_tenant *t = who->tenant;

	if (arg->flags)
		return -EOPNOTSUPP;
	arg->abi = KVAULT_ABI;
	arg->abi_min = KVAULT_ABI_MIN;
	arg->features = KVAULT_FEATURE_FSCRYPT |
			(kv_paes_is_built() ? KVAULT_FEATURE_PAES : 0) |
			(kv_crypto_is_constant_time() ? KVAULT_FEATURE_AESNI : 0);
	memcpy(arg->tenant, t->id, sizeof(arg->tenant));
	arg->tenant_kind = t->kind;
	arg->daemon = kv_link_state();
	arg->has_root = kv_root_is_set();
	arg->uid = who->caller->wire.uid;
	arg->objects = atomic_read(&t->charge[KV_CHARGE_OBJECT]);
	arg->objects_max = kv_tenant_limit(t, KV_CHARGE_OBJECT);
	arg->handles = atomic_read(&t->charge[KV_CHARGE_HANDLE]);
	arg->handles_max = kv_tenant_limit(t, KV_CHARGE_HANDLE);
	arg->openssl_engines = kv_upcall_servers(KV_QUEUE_OPENSSL);
	arg->pkcs11_engines = kv_upcall_servers(KV_QUEUE_PKCS11);
	return 0;
}

/* What goes to the daemon with a control operation; all freed by control_free(). */
struct kv_control {
	char *path;
	void *body;
	void *blob;
	u32 blob_len;
};

static void control_free(struct kv_control *c)
{
	kvfree(c->path);
	kvfree(c->body);
	kvfree(c->blob);
}

/* The secret is sealed before it goes anywhere, bound to this one request. */
static int seal_secret(struct kv_caller *who, const struct kvault_control *arg,
		       struct kv_control *c)
{
	struct kvault_binding transit;
	u8 *secret;
	int ret;

	/* a value may be empty, and is one still */
	if (!arg->secret_in_len && !(arg->flags & KVAULT_CONTROL_SECRET_SET))
		return 0;
	secret = kv_copy_in(arg->secret_in, arg->secret_in_len, KVAULT_PAYLOAD_MAX / 2);
	if (IS_ERR(secret))
		return PTR_ERR(secret);
	kv_binding_transit(&transit, who->tenant, who->request_id, arg->flags);
	c->blob_len = arg->secret_in_len + KVAULT_BLOB_OVERHEAD;
	c->blob = kvmalloc(c->blob_len, GFP_KERNEL_ACCOUNT);
	ret = c->blob ? kv_seal(who->tenant, &transit, secret, arg->secret_in_len, c->blob) :
	      -ENOMEM;
#ifndef KVAULT_MUTANT_NO_WIPE
	memzero_explicit(secret, arg->secret_in_len);
#endif
	kvfree(secret);
	return ret;
}

static int control_copy(struct kv_caller *who, const struct kvault_control *arg,
			struct kv_control *c)
{
	void *p;

	p = copy_path(arg->path, arg->path_len);
	if (IS_ERR(p))
		return PTR_ERR(p);
	c->path = p;
	p = kv_copy_in(arg->body, arg->body_len, KVAULT_BODY_MAX);
	if (IS_ERR(p))
		return PTR_ERR(p);
	c->body = p;
	return seal_secret(who, arg, c);
}

/*
 * The value that an answer releases. Nothing that the daemon has is opened for
 * a caller but a secret of his tenant, and that only when he asked for one.
 */
static int control_value(struct kv_caller *who, const struct kvault_control *arg,
			 const struct kv_answer *ans, void **ret_value, u32 *ret_len)
{
	const struct kv_seg *binding = &ans->seg[0], *blob = &ans->seg[3];

	if (ans->seg[1].len)
		return -EIO;
	if (!binding->len && !blob->len)
		return 0;
#ifndef KVAULT_MUTANT_ANSWER_BLOB
	if (!(arg->flags & KVAULT_CONTROL_SECRET_GET) || ans->status != 200)
		return -EIO;
#endif
	return kv_secret_open(who->tenant, binding, blob, ret_value, ret_len);
}

/* Both buffers' lengths are told, whichever of them is too small. */
static int control_copy_out(struct kvault_control *arg, const struct kv_seg *json,
			    const void *value, u32 value_len)
{
	u32 room = arg->reply_len, value_room = arg->secret_out_len;

	arg->reply_len = json->len;
	arg->secret_out_len = value_len;
	if (room < json->len || value_room < value_len)
		return -EMSGSIZE;
	if (copy_to_user(u64_to_user_ptr(arg->reply), json->p, json->len))
		return -EFAULT;
	if (value_len && copy_to_user(u64_to_user_ptr(arg->secret_out), value, value_len))
		return -EFAULT;
	return 0;
}

static int control_reply(struct kv_caller *who, struct kvault_control *arg,
			 const struct kv_answer *ans)
{
	const struct kv_seg *json = &ans->seg[2];
	void *value = NULL;
	u32 value_len = 0;
	int ret;

	if (ans->status < 0)
		ret = kv_answer_error(ans->status);
	else if (ans->status < 200 || ans->status > 599 || json->len > KVAULT_BODY_MAX)
		ret = -EIO;
	else
		ret = control_value(who, arg, ans, &value, &value_len);
	if (ret) {
		arg->reply_len = 0;
		arg->secret_out_len = 0;
		return ret;
	}
	arg->status = ans->status;
	ret = control_copy_out(arg, json, value, value_len);
	kv_secret_free(value, value_len);
	return ret;
}

/**
 * kv_op_control() - KVAULT_CONTROL
 * @f: open file
 * @who: caller
 * @p: struct kvault_control
 *
 * Return: 0 when there is an answer; the errnos of kvault.h.
 */
int kv_op_control(struct kv_file *f, struct kv_caller *who, void *p)
{
	struct kvault_control *arg = p;
	struct kv_seg seg[KVAULT_MSG_SEGMENTS] = {};
	struct kv_answer ans = {};
	struct kv_control c = {};
	int ret;

	arg->status = 0;
	if (arg->flags & ~KVAULT_CONTROL_FLAGS_ALL)
		return -EOPNOTSUPP;
	if (arg->flags & (arg->flags - 1) || !arg->method || arg->method > KVAULT_METHOD_DELETE)
		return -EINVAL;
	ret = set_timeout(who, arg->timeout_ms);
	if (ret)
		return ret;
	get_random_bytes(who->request_id, sizeof(who->request_id));
	memcpy(arg->request_id, who->request_id, sizeof(arg->request_id));
	ret = control_copy(who, arg, &c);
	if (ret)
		goto out_free;
	seg[1] = (struct kv_seg){ c.path, arg->path_len };
	seg[2] = (struct kv_seg){ c.body, arg->body_len };
	seg[3] = (struct kv_seg){ c.blob, c.blob_len };
	ret = kv_upcall_daemon(who, KVAULT_MSG_CONTROL, arg->method, seg, &ans);
	if (!ret)
		ret = control_reply(who, arg, &ans);
	kv_answer_done(&ans);
out_free:
	control_free(&c);
	return ret;
}

/**
 * kv_op_open() - KVAULT_OPEN
 * @f: open file
 * @who: caller
 * @p: struct kvault_open
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_open(struct kv_file *f, struct kv_caller *who, void *p)
{
	struct kvault_open *arg = p;
	struct kv_object *obj;
	struct kv_handle *h;
	char *path;
	int ret;

	arg->handle = 0;
	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->ops & ~KVAULT_OP_ALL)
		return -EINVAL;
	ret = set_timeout(who, arg->timeout_ms);
	if (ret)
		return ret;
	path = copy_path(arg->path, arg->path_len);
	if (IS_ERR(path))
		return PTR_ERR(path);
	h = kv_handle_open(who, KVAULT_PURPOSE_HANDLE, path, arg->path_len, arg->ops);
	kvfree(path);
	memcpy(arg->request_id, who->request_id, sizeof(arg->request_id));
	if (IS_ERR(h))
		return PTR_ERR(h);
	obj = h->object;
	arg->ops = h->ops;
	arg->kty = obj->kty;
	arg->bits = obj->bits;
	arg->curve = obj->curve;
	arg->key_flags = READ_ONCE(obj->flags);
	memcpy(arg->version, obj->version, sizeof(arg->version));
	/* from here on another thread may guess the number, and close it */
	ret = xa_alloc(&f->handles, &arg->handle, h, XA_LIMIT(1, INT_MAX), GFP_KERNEL_ACCOUNT);
	if (ret)
		kv_handle_put(h);
	return ret == -EBUSY ? -EDQUOT : ret;
}

/**
 * kv_op_close() - KVAULT_CLOSE
 * @f: open file
 * @who: not used: closing takes nothing but the file
 * @p: struct kvault_close
 *
 * Return: 0; -ENOKEY, -EINVAL, -EOPNOTSUPP.
 */
int kv_op_close(struct kv_file *f, struct kv_caller *who, void *p)
{
	struct kvault_close *arg = p;
	struct kv_handle *h;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved)
		return -EINVAL;
	h = xa_erase(&f->handles, arg->handle);
	kv_handle_put(h);
	return h ? 0 : -ENOKEY;
}

/* Length of the output, if it can be told from that of the input; else a bound. */
KV_STATIC u32 output_len(const struct kvault_crypt *arg, u32 op)
{
	switch (op) {
	case KVAULT_OP_VERIFY:
		return 0;
	case KVAULT_OP_SIGN:
		return arg->alg == KVAULT_ALG_HS256 ? 32 : arg->alg == KVAULT_ALG_HS384 ? 48 : 64;
	case KVAULT_OP_WRAP:
		return round_up(arg->in_len, 8) + 8;
	case KVAULT_OP_ENCRYPT:
		if (kv_crypto_overhead(op, arg->alg))
			return round_down(arg->in_len, 16) + 16;
	}
	return arg->in_len;
}

KV_STATIC bool is_output_exact(u32 op, u32 alg)
{
	if (op == KVAULT_OP_UNWRAP)
		return false;
	return op != KVAULT_OP_DECRYPT || alg < KVAULT_ALG_A128CBCPAD ||
	       alg > KVAULT_ALG_A256CBCPAD;
}

static void make_iv(u8 iv[16])
{
	u64 a = get_random_u64();
	u32 b = get_random_u32();

	memcpy(iv, &a, 8);
	memcpy(iv + 8, &b, 4);
	memset(iv + KVAULT_IV_GCM_SIZE, 0, 16 - KVAULT_IV_GCM_SIZE);
}

static __always_inline int copy_payload(const struct kvault_crypt *arg, u8 *data, u8 *aux)
{
	/* most have no aux: the check for that costs less than a copy of nothing */
	if (arg->in_len && copy_from_user(data, u64_to_user_ptr(arg->in), arg->in_len))
		return -EFAULT;
	if (arg->aux_len && copy_from_user(aux, u64_to_user_ptr(arg->aux), arg->aux_len))
		return -EFAULT;
	return 0;
}

/* Runs with the key pinned: it is not taken away under us. */
static int run_pinned(struct kv_object *obj, struct kv_op *op)
{
	int ret;

	if (!percpu_ref_tryget_live(&obj->inflight))
		return -EKEYREVOKED;
	ret = kv_crypto_run(obj, op);
	percpu_ref_put(&obj->inflight);
	return ret;
}

static int finish_symmetric(struct kvault_crypt *arg, const struct kv_op *op)
{
	u32 room = arg->out_len, len = op->op == KVAULT_OP_VERIFY ? 0 : op->len;

	arg->out_len = len;
	if (room < len)
		return -EMSGSIZE;
	return copy_to_user(u64_to_user_ptr(arg->out), op->data, len) ? -EFAULT : 0;
}

/* Once the input is there: what ends before is nothing that happened. */
static int reserve_record(struct kv_caller *who, struct kv_record **ret)
{
	struct kv_record *rec = kv_audit_reserve_for(who->tenant, who->caller);

	if (IS_ERR(rec))
		return PTR_ERR(rec);
	*ret = rec;
	return 0;
}

/* @rec: NULL for what is counted only */
static __always_inline int crypt_symmetric(struct kv_file *f, struct kv_object *obj,
					   struct kv_caller *who, struct kvault_crypt *arg,
					   u32 op_bit, struct kv_record **rec)
{
	u32 size = arg->in_len + kv_crypto_overhead(op_bit, arg->alg);
	u32 total = ALIGN(size, 16) + arg->aux_len + 16;
	u8 iv[16], tag[KVAULT_TAG_SIZE];
	struct kv_op op = { .op = op_bit, .alg = arg->alg, .size = size, .iv = iv, .tag = tag };
	int ret;

	op.data = kv_file_buf_get(f, total);
	if (!op.data)
		return -ENOMEM;
	op.len = arg->in_len;
	op.aux = op.data + ALIGN(size, 16);
	op.aux_len = arg->aux_len;
	ret = copy_payload(arg, op.data, op.aux);
#ifdef KVAULT_MUTANT_FAULT_RECORDED
	if (ret && rec)
		reserve_record(who, rec);
#endif
	if (!ret && rec)
		ret = reserve_record(who, rec);
	if (ret)
		goto out_put;
	memcpy(iv, arg->iv, sizeof(iv));
	memcpy(tag, arg->tag, sizeof(tag));
	if (op_bit == KVAULT_OP_ENCRYPT && arg->alg <= KVAULT_ALG_A256GCM)
		make_iv(iv);
	ret = run_pinned(obj, &op);
	if (!ret)
		ret = finish_symmetric(arg, &op);
	if (!ret && op_bit == KVAULT_OP_ENCRYPT && arg->alg <= KVAULT_ALG_A256GCM) {
		memcpy(arg->iv, iv, sizeof(arg->iv));
		memcpy(arg->tag, tag, sizeof(arg->tag));
	}
out_put:
	kv_file_buf_put(f, op.data, total, total);
	return ret;
}

static int crypt_engine(struct kv_object *obj, struct kv_caller *who, struct kvault_crypt *arg,
			u32 op, struct kv_record **rec)
{
	u32 room = arg->out_len;
	struct kv_answer ans = {};
	u8 *in, *aux;
	int ret;

	in = kv_copy_in(arg->in, arg->in_len, KVAULT_AUX_MAX);
	if (IS_ERR(in))
		return PTR_ERR(in);
	aux = kv_copy_in(arg->aux, arg->aux_len, KVAULT_AUX_MAX);
	if (IS_ERR(aux)) {
		ret = PTR_ERR(aux);
		goto out_in;
	}
	ret = reserve_record(who, rec);
	if (ret)
		goto out_aux;
	ret = kv_upcall_engine(obj, who, op, arg->alg, in, arg->in_len, aux, arg->aux_len, &ans);
	memcpy(arg->request_id, who->request_id, sizeof(arg->request_id));
	if (ret)
		goto out_aux;
	if (ans.seg[2].len > KVAULT_AUX_MAX || (op == KVAULT_OP_VERIFY && ans.seg[2].len) ||
	    (op & (KVAULT_OP_SIGN | KVAULT_OP_ENCRYPT | KVAULT_OP_WRAP) && !ans.seg[2].len)) {
		ret = -EIO;
		goto out_done;
	}
	arg->out_len = ans.seg[2].len;
	if (room < ans.seg[2].len)
		ret = -EMSGSIZE;
	else if (copy_to_user(u64_to_user_ptr(arg->out), ans.seg[2].p, ans.seg[2].len))
		ret = -EFAULT;
out_done:
	kv_answer_done(&ans);
out_aux:
	kvfree(aux);
out_in:
	memzero_explicit(in, arg->in_len);
	kvfree(in);
	return ret;
}

static __always_inline int check_crypt(struct kv_caller *who, struct kvault_crypt *arg, u32 op)
{
	memset(arg->request_id, 0, sizeof(arg->request_id));
	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->in_len > KVAULT_PAYLOAD_MAX || arg->aux_len > KVAULT_AUX_MAX)
		return -EMSGSIZE;
	return set_timeout(who, arg->timeout_ms);
}

/* What only a symmetric key's operation has to satisfy, before it is counted. */
static int check_symmetric(struct kvault_crypt *arg, u32 op)
{
	u32 need;

	if (arg->aux_len && op != KVAULT_OP_VERIFY && arg->alg > KVAULT_ALG_A256GCM)
		return -EINVAL;
	need = output_len(arg, op);
	if (need > KVAULT_PAYLOAD_MAX)	/* it could not be given back */
		return -EMSGSIZE;
	if (is_output_exact(op, arg->alg) && arg->out_len < need) {
		arg->out_len = need;
		return -EMSGSIZE;
	}
	return 0;
}

static int crypt_recorded(struct kv_file *f, struct kv_object *obj, struct kv_caller *who,
			  struct kvault_crypt *arg, u32 op)
{
	struct kv_record *rec = NULL;
	int ret;

	if (kv_object_is_engine(obj))
		ret = crypt_engine(obj, who, arg, op, &rec);
	else
		ret = crypt_symmetric(f, obj, who, arg, op, &rec);
	if (!rec)
		return ret;
	kv_audit_commit(who->tenant, rec, &(struct kv_event){
		.type = KVAULT_AUDIT_SINGLE, .face = who->face, .who = who->caller,
		.object = obj, .request_id = arg->request_id, .op = op, .alg = arg->alg,
		.status = ret, .count = 1 });
	return ret;
}

static int crypt(struct kv_file *f, struct kv_caller *who, struct kvault_crypt *arg, u32 op)
{
	struct kv_handle *h;
	struct kv_object *obj;
	int ret;

	ret = check_crypt(who, arg, op);
	if (ret)
		return ret;
	h = kv_file_handle(f, arg->handle);
	if (IS_ERR(h))
		return PTR_ERR(h);
	obj = h->object;
	/* engines have no AES: iv, tag and additional data do not reach them */
	ret = obj->kty == KVAULT_KTY_OCT && kv_object_is_engine(obj) ? -EOPNOTSUPP :
	      kv_crypto_fits(obj->kty, obj->bits, obj->curve, op, arg->alg);
	if (!ret && !kv_object_is_engine(obj))
		ret = check_symmetric(arg, op);
	if (!ret)
		ret = kv_handle_begin(h, who, op, arg->alg);
	if (ret)
		goto out_put;
	if (kv_object_is_engine(obj) || who->is_each)
		ret = crypt_recorded(f, obj, who, arg, op);
	else
		ret = crypt_symmetric(f, obj, who, arg, op, NULL);
out_put:
	kv_handle_put(h);
	return ret;
}

/**
 * kv_op_encrypt() - KVAULT_ENCRYPT
 * @f: open file
 * @who: caller
 * @p: struct kvault_crypt
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_encrypt(struct kv_file *f, struct kv_caller *who, void *p)
{
	return crypt(f, who, p, KVAULT_OP_ENCRYPT);
}

/**
 * kv_op_decrypt() - KVAULT_DECRYPT
 * @f: open file
 * @who: caller
 * @p: struct kvault_crypt
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_decrypt(struct kv_file *f, struct kv_caller *who, void *p)
{
	return crypt(f, who, p, KVAULT_OP_DECRYPT);
}

/**
 * kv_op_sign() - KVAULT_SIGN
 * @f: open file
 * @who: caller
 * @p: struct kvault_crypt
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_sign(struct kv_file *f, struct kv_caller *who, void *p)
{
	return crypt(f, who, p, KVAULT_OP_SIGN);
}

/**
 * kv_op_verify() - KVAULT_VERIFY
 * @f: open file
 * @who: caller
 * @p: struct kvault_crypt
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_verify(struct kv_file *f, struct kv_caller *who, void *p)
{
	return crypt(f, who, p, KVAULT_OP_VERIFY);
}

/**
 * kv_op_wrap() - KVAULT_WRAP
 * @f: open file
 * @who: caller
 * @p: struct kvault_crypt
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_wrap(struct kv_file *f, struct kv_caller *who, void *p)
{
	return crypt(f, who, p, KVAULT_OP_WRAP);
}

/**
 * kv_op_unwrap() - KVAULT_UNWRAP
 * @f: open file
 * @who: caller
 * @p: struct kvault_crypt
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_unwrap(struct kv_file *f, struct kv_caller *who, void *p)
{
	return crypt(f, who, p, KVAULT_OP_UNWRAP);
}

/**
 * kv_op_noop() - KVAULT_NOOP: all that KVAULT_ENCRYPT does but the cipher
 * @f: open file
 * @who: caller
 * @p: struct kvault_crypt
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_noop(struct kv_file *f, struct kv_caller *who, void *p)
{
	struct kvault_crypt *arg = p;
	struct kv_handle *h;
	u8 *data;
	int ret;

	ret = check_crypt(who, arg, KVAULT_OP_ENCRYPT);
	if (ret)
		return ret;
	h = kv_file_handle(f, arg->handle);
	if (IS_ERR(h))
		return PTR_ERR(h);
	ret = kv_handle_begin(h, who, KVAULT_OP_ENCRYPT, arg->alg);
	if (ret)
		goto out_put;
	data = kv_file_buf_get(f, arg->in_len + arg->aux_len + 1);
	ret = data ? copy_payload(arg, data, data + arg->in_len) : -ENOMEM;
	if (data)
		kv_file_buf_put(f, data, arg->in_len + arg->aux_len + 1,
				arg->in_len + arg->aux_len);
out_put:
	kv_handle_put(h);
	return ret;
}

/**
 * kv_op_random() - KVAULT_RANDOM
 * @f: open file
 * @who: caller
 * @p: struct kvault_random
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_random(struct kv_file *f, struct kv_caller *who, void *p)
{
	struct kvault_random *arg = p;
	u8 *buf;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved || !arg->out_len)
		return -EINVAL;
	if (arg->out_len > KVAULT_RANDOM_MAX)
		return -EMSGSIZE;
	buf = kmalloc(arg->out_len, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	ret = get_random_bytes_wait(buf, arg->out_len);
	if (!ret && copy_to_user(u64_to_user_ptr(arg->out), buf, arg->out_len))
		ret = -EFAULT;
	kfree_sensitive(buf);
	return ret;
}

/**
 * kv_op_project() - KVAULT_PROJECT
 * @f: open file
 * @who: caller
 * @p: struct kvault_project
 *
 * Return: 0; the errnos of kvault.h.
 */
int kv_op_project(struct kv_file *f, struct kv_caller *who, void *p)
{
	struct kvault_project *arg = p;
	struct kv_handle *h;
	char *desc;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved)
		return -EINVAL;
	desc = copy_path(arg->desc, arg->desc_len);
	if (IS_ERR(desc))
		return PTR_ERR(desc);
	h = kv_file_handle(f, arg->handle);
	if (IS_ERR(h)) {
		ret = PTR_ERR(h);
		goto out_free;
	}
	ret = kv_supply_project(who, h, arg->kind, arg->keyring, desc, arg->desc_len,
				&arg->serial);
	kv_handle_put(h);
out_free:
	kvfree(desc);
	return ret;
}
