// SPDX-License-Identifier: GPL-2.0-only
/*
 * Principals: who asks, as the kernel sees it at the time. Captured at open
 * and at call, never looked up later by a pid. A principal is immutable, so
 * it needs no lock; its reference to the pid makes that pointer unique for as
 * long as it lives, which is what kv_principal_is_current() rests on.
 */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/kdev_t.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include "compat.h"
#include "live.h"
#include "principal.h"
#include "tenant.h"

static u64 current_cgroup_id(void)
{
	u64 id;

	rcu_read_lock();
	id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
	return id;
}

static void capture_cgroup(struct kvault_principal *w)
{
	struct cgroup *cgrp;
	int len;

	rcu_read_lock();
	cgrp = task_dfl_cgroup(current);
	w->cgroup_id = cgroup_id(cgrp);
	len = cgroup_path(cgrp, w->cgroup, sizeof(w->cgroup));
	rcu_read_unlock();
	if (len < 0 || len >= sizeof(w->cgroup))
		w->flags |= KVAULT_PRINCIPAL_CGROUP_CUT;
}

static void capture_exe(struct kvault_principal *w)
{
	struct mm_struct *mm = current->mm;
	char buf[sizeof(w->exe)];
	struct file *exe;
	char *path;

	if (!mm || current->flags & PF_KTHREAD) {
		w->flags |= KVAULT_PRINCIPAL_KERNEL;
		return;
	}
	exe = kv_mm_exe_file(mm);
	if (!exe)
		return;
	w->exe_ino = file_inode(exe)->i_ino;
	w->exe_dev = new_encode_dev(file_inode(exe)->i_sb->s_dev);
	path = file_path(exe, buf, sizeof(buf));
	if (IS_ERR(path))
		w->flags |= KVAULT_PRINCIPAL_EXE_CUT;
	else
		strscpy(w->exe, path, sizeof(w->exe));
	fput(exe);
}

/**
 * kv_principal_new() - capture the current task
 * @t: tenant in whose namespace CAP_SYS_ADMIN makes an administrator
 *
 * Return: the principal with one reference, or -ENOMEM.
 */
struct kv_principal *kv_principal_new(const struct kv_tenant *t)
{
	struct user_namespace *admin_ns = kv_tenant_ns(t);
	const struct cred *cred = current_cred();
	struct kvault_principal *w;
	struct kv_principal *p;

	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p) {
		put_user_ns(admin_ns);
		return ERR_PTR(-ENOMEM);
	}
	kv_live_inc(KV_LIVE_PRINCIPAL);
	refcount_set(&p->refs, 1);
	p->euid = cred->euid;
	p->egid = cred->egid;
	p->user_ns = cred->user_ns;
	p->is_capable = !!cap_raised(cred->cap_effective, CAP_SYS_ADMIN);
	p->tgid = get_pid(task_tgid(current));
	p->exec_id = current->self_exec_id;

	w = &p->wire;
	w->uid = from_kuid(&init_user_ns, cred->euid);
	w->gid = from_kgid(&init_user_ns, cred->egid);
	w->ns_uid = from_kuid_munged(admin_ns, cred->euid);
	w->ns_gid = from_kgid_munged(admin_ns, cred->egid);
	w->login_uid = from_kuid(&init_user_ns, audit_get_loginuid(current));
	w->session = audit_get_sessionid(current);
	w->tgid = pid_nr(p->tgid);
	w->start = current->group_leader->start_boottime;
	if (!kv_tenant_is_dead(t) && ns_capable_noaudit(admin_ns, CAP_SYS_ADMIN))
		w->flags |= KVAULT_PRINCIPAL_ADMIN;
	if (task_active_pid_ns(current) == &init_pid_ns)
		w->flags |= KVAULT_PRINCIPAL_INIT_PIDNS;
	get_task_comm(w->comm, current);
	capture_cgroup(w);
	capture_exe(w);
	put_user_ns(admin_ns);
#ifdef KVAULT_MUTANT_OUT_OF_BOUNDS
	((u8 *)p)[sizeof(*p)] = 0;
#endif
	return p;
}

/**
 * kv_principal_get() - take a reference
 * @p: principal
 *
 * Return: @p.
 */
struct kv_principal *kv_principal_get(struct kv_principal *p)
{
	refcount_inc(&p->refs);
	return p;
}

/**
 * kv_principal_put() - drop a reference
 * @p: principal, or NULL or an error pointer
 */
void kv_principal_put(struct kv_principal *p)
{
	if (IS_ERR_OR_NULL(p) || !refcount_dec_and_test(&p->refs))
		return;
	put_pid(p->tgid);
	kv_live_dec(KV_LIVE_PRINCIPAL);
#ifndef KVAULT_MUTANT_LEAK
	kfree(p);
#endif
#ifdef KVAULT_MUTANT_USE_AFTER_FREE
	p->exec_id = 0;
#endif
}

/**
 * kv_principal_is_current() - is the current task still this principal?
 * @p: principal
 *
 * Cheap, for the path of every operation. An executable that a process
 * exchanges by prctl() without exec is not noticed: exe narrows a grant and
 * never gives one.
 *
 * Return: true if process, program, credentials and cgroup are the same.
 */
bool kv_principal_is_current(const struct kv_principal *p)
{
	const struct cred *cred = current_cred();

	return uid_eq(cred->euid, p->euid) && gid_eq(cred->egid, p->egid) &&
	       cred->user_ns == p->user_ns &&
	       !!cap_raised(cred->cap_effective, CAP_SYS_ADMIN) == p->is_capable &&
	       task_tgid(current) == p->tgid &&
	       current->self_exec_id == p->exec_id &&
	       current_cgroup_id() == p->wire.cgroup_id;
}

/**
 * kv_principal_is_like() - would policy treat two captures alike?
 * @a: principal
 * @b: principal
 *
 * Return: true if they differ in nothing but process and thread.
 */
bool kv_principal_is_like(const struct kv_principal *a, const struct kv_principal *b)
{
	const struct kvault_principal *x = &a->wire, *y = &b->wire;

	return x->uid == y->uid && x->gid == y->gid &&
	       x->ns_uid == y->ns_uid && x->ns_gid == y->ns_gid &&
	       x->login_uid == y->login_uid && x->flags == y->flags &&
	       x->cgroup_id == y->cgroup_id && x->exe_ino == y->exe_ino &&
	       x->exe_dev == y->exe_dev;
}
