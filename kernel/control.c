// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kvault-control, /dev/kvault-engine and /dev/kvault-engine-pkcs11: the
 * nodes of the daemon and of each kind of engine. Who may open them is said by
 * their mode; here we ask only that the opener is in the initial user namespace.
 *
 * file->private_data is the file's struct kv_server once it has claimed or
 * attached, set once under kv_attach_lock.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include "audit.h"
#include "ioctl.h"
#include "link.h"
#include "seal.h"
#include "secret.h"
#include "tenant.h"
#include "upcall.h"

static DEFINE_MUTEX(kv_attach_lock);
static u64 kv_attachments;

static struct kv_server *server_of(struct file *file)
{
	/* pairs with become_server() */
	return smp_load_acquire(&file->private_data);
}

static int open_node(struct inode *inode, struct file *file)
{
	file->private_data = NULL;
#ifdef KVAULT_MUTANT_NO_NODE_CHECK
	return 0;
#endif
	return file->f_cred->user_ns == &init_user_ns ? 0 : -EPERM;
}

/* Makes the file a server, once. */
static int become_server(struct file *file, enum kv_queue_id queue, u64 generation)
{
	struct kv_server *s;

	lockdep_assert_held(&kv_attach_lock);
	if (file->private_data)
		return -EBUSY;
	s = kv_server_new(queue, generation);
	if (IS_ERR(s))
		return PTR_ERR(s);
	/* pairs with server_of(): the server is whole before it is seen */
	smp_store_release(&file->private_data, s);
	return 0;
}

/* cocci tenant: this is where the claim is made */
static int ctl_claim(struct file *file, void *p)
{
	struct kvault_claim *arg = p;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	/* keys and IVs are drawn from here on */
	ret = wait_for_random_bytes();
	if (ret)
		return ret;
	mutex_lock(&kv_attach_lock);
	ret = file->private_data ? -EBUSY : kv_link_claim(file, arg);
	if (!ret) {
		ret = become_server(file, KV_QUEUE_DAEMON, arg->generation);
		if (ret)
			kv_link_release(file);
	}
	mutex_unlock(&kv_attach_lock);
	return ret;
}

/* The daemon's server, once its HELLO was heard. */
static struct kv_server *claimant(struct file *file)
{
	return kv_link_is_claimant(file) ? server_of(file) : NULL;
}

static int ctl_exchange(struct file *file, void *p)
{
	struct kv_server *s = claimant(file);

	return s ? kv_server_exchange(s, p) : -EPERM;
}

/* What the daemon says something is bound to; finds its tenant when there is none yet. */
static void *copy_binding(u64 uptr, struct kv_tenant **ret_t)
{
	struct kvault_binding *b;
	int ret;

	b = kv_copy_in(uptr, sizeof(*b), sizeof(*b));
	if (IS_ERR(b))
		return b;
	if (!*ret_t)
		*ret_t = kv_tenant_find(b->tenant);
	ret = *ret_t ? kv_binding_check(*ret_t, b) : -ENOKEY;
	if (ret) {
		kvfree(b);
		return ERR_PTR(ret);
	}
	return b;
}

static int make_symmetric(const struct kvault_binding *b, u8 *plain, u32 *len)
{
	if (b->kty != KVAULT_KTY_OCT || b->bits % 8 || b->bits < 128 || b->bits > 512)
		return -EINVAL;
	*len = b->bits / 8;
	do {
		get_random_bytes(plain, *len);
		/* XTS needs halves that differ; of others it takes nothing away */
	} while (!memcmp(plain, plain + *len / 2, *len / 2));
	return 0;
}

static bool is_same_object(const struct kvault_binding *a, const struct kvault_binding *b)
{
	return !memcmp(a, b, offsetof(struct kvault_binding, ops)) &&
	       !((a->flags ^ b->flags) & KVAULT_KEY_HSM);
}

static int reseal_source(const struct kvault_seal *arg, struct kv_tenant *t,
			 const struct kvault_binding *b, const void *blob, u8 *plain, u32 *len)
{
	struct kvault_binding *old = copy_binding(arg->old_binding, &t);
	int ret;

	if (IS_ERR(old))
		return PTR_ERR(old);
	ret = is_same_object(old, b) ? kv_unseal(t, old, blob, arg->in_len, plain, len) : -EINVAL;
	kvfree(old);
	return ret;
}

static int transit_source(const struct kvault_seal *arg, struct kv_tenant *t,
			  const struct kvault_binding *b, const void *blob, u8 *plain, u32 *len)
{
	struct kvault_binding transit;
	u32 purpose = 0;
	int ret;

	/* the material of a key never becomes a value, which could be had again */
#ifndef KVAULT_MUTANT_SEAL_TYPE
	if (b->type == KVAULT_TYPE_SECRET)
		purpose = KVAULT_CONTROL_SECRET_SET;
#endif
	kv_binding_transit(&transit, t, arg->request_id, purpose);
	ret = kv_unseal(t, &transit, blob, arg->in_len, plain, len);
	if (ret || b->type == KVAULT_TYPE_SECRET)
		return ret;
	/* other keys are for an engine to look at, before they are kept */
	if (b->kty != KVAULT_KTY_OCT || b->bits != *len * 8 || b->flags & KVAULT_KEY_HSM)
		return -EINVAL;
	if (b->ops & KVAULT_OP_VOLUME && !memcmp(plain, plain + *len / 2, *len / 2))
		return -EKEYREJECTED;
	return 0;
}

static int seal_source(const struct kvault_seal *arg, struct kv_tenant *t,
		       const struct kvault_binding *b, const void *blob, u8 *plain, u32 *len)
{
	switch (arg->source) {
	case KVAULT_SEAL_GENERATE:
		return arg->in_len || b->type != KVAULT_TYPE_KEY ? -EINVAL :
		       make_symmetric(b, plain, len);
	case KVAULT_SEAL_TRANSIT:
		return transit_source(arg, t, b, blob, plain, len);
	case KVAULT_SEAL_RESEAL:
		return reseal_source(arg, t, b, blob, plain, len);
	default:
		return -EOPNOTSUPP;
	}
}

static int seal_out(struct kvault_seal *arg, struct kv_tenant *t,
		    const struct kvault_binding *b, const u8 *plain, u32 len)
{
	u32 need = len + KVAULT_BLOB_OVERHEAD, room = arg->out_len;
	void *out;
	int ret;

	arg->out_len = need;
	if (room < need)
		return -EMSGSIZE;
	out = kvmalloc(need, GFP_KERNEL_ACCOUNT);
	if (!out)
		return -ENOMEM;
	ret = kv_seal(t, b, plain, len, out);
	if (!ret && copy_to_user(u64_to_user_ptr(arg->out), out, need))
		ret = -EFAULT;
	kvfree(out);
	return ret;
}

static int ctl_seal(struct file *file, void *p)
{
	struct kvault_seal *arg = p;
	struct kvault_binding *b;
	struct kv_tenant *t = NULL;
	u32 len = KVAULT_BLOB_MAX;
	u8 *blob, *plain;
	int ret;

	if (!claimant(file))
		return -EPERM;
	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved)
		return -EINVAL;
	blob = kv_copy_in(arg->in, arg->in_len, KVAULT_BLOB_MAX);
	if (IS_ERR(blob))
		return PTR_ERR(blob);
	b = copy_binding(arg->binding, &t);
	if (IS_ERR(b)) {
		ret = PTR_ERR(b);
		goto out_blob;
	}
	/* of another type there is nothing yet, and nothing that would open it */
	if (b->type != KVAULT_TYPE_KEY && !kv_secret_is_valid(b)) {
		ret = b->type == KVAULT_TYPE_SECRET ? -EINVAL : -EOPNOTSUPP;
		goto out_binding;
	}
	plain = kvzalloc(KVAULT_BLOB_MAX, GFP_KERNEL_ACCOUNT);
	ret = plain ? seal_source(arg, t, b, blob, plain, &len) : -ENOMEM;
	if (!ret)
		ret = seal_out(arg, t, b, plain, len);
	if (plain)
		memzero_explicit(plain, KVAULT_BLOB_MAX);
	kvfree(plain);
out_binding:
	kvfree(b);
out_blob:
	kv_tenant_put(t);
	kvfree(blob);
	return ret;
}

static int ctl_submit(struct file *file, void *p)
{
	return claimant(file) ? kv_engine_submit(p) : -EPERM;
}

/* The records are there, but not how many. */
static void undo_audit_read(struct file *file, void *p)
{
	struct kv_server *s = claimant(file);

	if (s)
		kv_audit_unread(s->generation);
}

static int ctl_audit_read(struct file *file, void *p)
{
	struct kvault_audit_read *arg = p;
	struct kv_server *s = claimant(file);

	if (!s)
		return -EPERM;
	if (arg->flags)
		return -EOPNOTSUPP;
	return kv_audit_read(s->generation, u64_to_user_ptr(arg->buf), &arg->len, &arg->more);
}

/* cocci tenant: kvault-root comes before the daemon, and the first key stays */
static int ctl_root_set(struct file *file, void *p)
{
	struct kvault_root_set *arg = p;

	return arg->flags ? -EOPNOTSUPP : kv_root_set(arg->store, arg->key);
}

static int ctl_root_wrap(struct file *file, void *p)
{
	struct kvault_root_wrap *arg = p;
	struct kvault_binding transit;
	u8 *blob, *secret = NULL;
	struct kv_server *s;
	u32 len = KVAULT_AUX_MAX;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved || memchr_inv(arg->pad, 0, sizeof(arg->pad)))
		return -EINVAL;
	/*
	 * Whoever knows the secret gets the root key from this: it takes an
	 * administrator who asks for it just now, and the daemon is none.
	 */
	s = claimant(file);
#ifndef KVAULT_MUTANT_ROOT_ANYONE
	if (!s || !kv_server_has_admin_request(s, arg->request_id))
		return -EPERM;
#endif
	blob = kv_copy_in(arg->secret, arg->secret_len, KVAULT_BLOB_MAX);
	if (IS_ERR(blob))
		return PTR_ERR(blob);
	secret = kzalloc(KVAULT_AUX_MAX, GFP_KERNEL_ACCOUNT);
#ifdef KVAULT_MUTANT_ROOT_SLOT
	kv_binding_transit(&transit, kv_tenant_host(), arg->request_id, 0);
#else
	kv_binding_transit(&transit, kv_tenant_host(), arg->request_id, KVAULT_CONTROL_ROOT_SLOT);
#endif
	ret = secret ? kv_unseal(kv_tenant_host(), &transit, blob, arg->secret_len, secret, &len) :
	      -ENOMEM;
	if (!ret)
		ret = kv_root_wrap(arg, secret, len);
	kfree_sensitive(secret);
	kvfree(blob);
	return ret;
}

static const struct kv_ioctl ctl_ioctls[] = {
	KV_IOCTL(KVAULT_CTL_CLAIM, kvault_claim, generation, ctl_claim),
	KV_IOCTL(KVAULT_CTL_EXCHANGE, kvault_exchange, next_len, ctl_exchange),
	KV_IOCTL(KVAULT_CTL_SEAL, kvault_seal, request_id, ctl_seal),
	KV_IOCTL_IN(KVAULT_CTL_SUBMIT, kvault_submit, in_len, ctl_submit),
	{ .cmd = KV_IOCTL_NR(KVAULT_CTL_AUDIT_READ), .size = sizeof(struct kvault_audit_read),
	  .min_size = offsetofend(struct kvault_audit_read, more),
	  .fn = ctl_audit_read, .undo = undo_audit_read },
	KV_IOCTL_IN(KVAULT_CTL_ROOT_SET, kvault_root_set, key, ctl_root_set),
	KV_IOCTL(KVAULT_CTL_ROOT_WRAP, kvault_root_wrap, pad, ctl_root_wrap),
};

static long ctl_ioctl(struct file *file, unsigned int cmd, unsigned long uptr)
{
	return kv_ioctl_dispatch(file, cmd, uptr, ctl_ioctls, ARRAY_SIZE(ctl_ioctls));
}

static __poll_t poll_node(struct file *file, struct poll_table_struct *wait)
{
	struct kv_server *s = server_of(file);
	__poll_t mask = 0;

	if (!s)
		return EPOLLERR;
	poll_wait(file, kv_server_wq(s->queue), wait);
	if (kv_server_has_work(s))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (s->queue == KV_QUEUE_DAEMON && kv_audit_pending(s->generation))
		mask |= EPOLLPRI;
	return mask;
}

static int ctl_release(struct inode *inode, struct file *file)
{
	if (file->private_data) {
		/* no longer present before what it had goes back into the line */
		kv_link_release(file);
		kv_server_free(file->private_data);
		if (kv_link_state() == KVAULT_DAEMON_ABSENT)
			kv_upcall_fail_all(KV_QUEUE_DAEMON, -EHOSTDOWN);
	}
	return 0;
}

/* Keys in the clear are for the process that attached: its file is of no use to another. */
static int eng_exchange(struct file *file, void *p)
{
	struct kv_server *s = server_of(file);

	if (!s)
		return -EPERM;
#ifndef KVAULT_MUTANT_ENGINE_PASSED
	if (s->pid != task_tgid(current))
		return -EPERM;
#endif
	return kv_server_exchange(s, p);
}

static struct miscdevice token_misc;

/*
 * Engines of a token run a vendor's library. Its user has a node of its own, at
 * which nobody is given a software key.
 */
static bool is_of_node(struct file *file, u32 kind)
{
#ifdef KVAULT_MUTANT_ENGINE_KIND
	return true;
#endif
	return kind == (iminor(file_inode(file)) == token_misc.minor ? KVAULT_ENGINE_PKCS11 :
								       KVAULT_ENGINE_OPENSSL);
}

static int eng_attach(struct file *file, void *p)
{
	struct kvault_attach *arg = p;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved ||
	    (arg->kind != KVAULT_ENGINE_OPENSSL && arg->kind != KVAULT_ENGINE_PKCS11))
		return -EINVAL;
	if (!is_of_node(file, arg->kind))
		return -EPERM;
	mutex_lock(&kv_attach_lock);
	ret = become_server(file, (enum kv_queue_id)arg->kind, kv_attachments + 1);
	if (!ret)
		kv_attachments++;
	mutex_unlock(&kv_attach_lock);
	return ret;
}

static const struct kv_ioctl eng_ioctls[] = {
	KV_IOCTL_IN(KVAULT_ENG_ATTACH, kvault_attach, reserved, eng_attach),
	KV_IOCTL(KVAULT_ENG_EXCHANGE, kvault_exchange, next_len, eng_exchange),
};

static long eng_ioctl(struct file *file, unsigned int cmd, unsigned long uptr)
{
	return kv_ioctl_dispatch(file, cmd, uptr, eng_ioctls, ARRAY_SIZE(eng_ioctls));
}

static int eng_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		kv_server_free(file->private_data);
	return 0;
}

static const struct file_operations ctl_fops = {
	.owner		= THIS_MODULE,
	.open		= open_node,
	.release	= ctl_release,
	.poll		= poll_node,
	.unlocked_ioctl	= ctl_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static const struct file_operations eng_fops = {
	.owner		= THIS_MODULE,
	.open		= open_node,
	.release	= eng_release,
	.poll		= poll_node,
	.unlocked_ioctl	= eng_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice ctl_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "kvault-control", .fops = &ctl_fops, .mode = 0600,
};

static struct miscdevice eng_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "kvault-engine", .fops = &eng_fops, .mode = 0600,
};

static struct miscdevice token_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "kvault-engine-pkcs11", .fops = &eng_fops,
	.mode = 0600,
};

/**
 * kv_control_init() - make the nodes
 *
 * Return: 0; -errno of the misc core.
 */
int kv_control_init(void)
{
	int ret;

	ret = misc_register(&ctl_misc);
	if (ret)
		return ret;
	ret = misc_register(&eng_misc);
	if (ret)
		goto err_ctl;
	ret = misc_register(&token_misc);
	if (ret)
		goto err_eng;
	return 0;

err_eng:
	misc_deregister(&eng_misc);
err_ctl:
	misc_deregister(&ctl_misc);
	return ret;
}

/**
 * kv_control_exit() - remove them
 */
void kv_control_exit(void)
{
	misc_deregister(&token_misc);
	misc_deregister(&eng_misc);
	misc_deregister(&ctl_misc);
}
