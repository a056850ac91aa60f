// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family, as uapi/kvault.yaml has it: state that the
 * daemon pushes down, and lists. No operation asks for a capability; all but
 * HELLO come from the socket that HELLO bound to the claim.
 *
 * No operation waits for anybody: while one is under way whoever registers a
 * family waits, and behind him all users of all families. OBJECT_SET has to
 * wait until a key is out of use, so it is only begun here; a work item does
 * it and answers.
 */
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <linux/kvault_netlink.h>
#include "audit.h"
#include "link.h"
#include "netlink.h"
#include "object.h"
#include "owner.h"
#include "seal.h"
#include "tenant.h"
#include "upcall.h"
#include "visible.h"

static struct genl_family kv_family;

#define KV_CHANGES_MAX	64	/* OBJECT_SETs under way */

#define KV_NLA_ID	NLA_POLICY_EXACT_LEN(KVAULT_ID_SIZE)

KV_STATIC const struct nla_policy kv_hello_policy[KVAULT_A_MAX + 1] = {
	[KVAULT_A_NONCE]	= KV_NLA_ID,
	[KVAULT_A_ABI]		= { .type = NLA_U32 },
	[KVAULT_A_ABI_MIN]	= { .type = NLA_U32 },
	[KVAULT_A_STORE]	= KV_NLA_ID,
	[KVAULT_A_TENANT]	= KV_NLA_ID,
	[KVAULT_A_EPOCH]	= { .type = NLA_U64 },
	[KVAULT_A_REVISION]	= { .type = NLA_U64 },
};

KV_STATIC const struct nla_policy kv_none_policy[KVAULT_A_MAX + 1] = {};

static const struct nla_policy kv_policy_policy[KVAULT_A_MAX + 1] = {
	[KVAULT_A_TENANT]	= KV_NLA_ID,
	[KVAULT_A_REVISION]	= { .type = NLA_U64 },
};

KV_STATIC const struct nla_policy kv_object_policy[KVAULT_A_MAX + 1] = {
	[KVAULT_A_TENANT]	= KV_NLA_ID,
	[KVAULT_A_KEY]		= KV_NLA_ID,
	[KVAULT_A_VERSION]	= KV_NLA_ID,
	[KVAULT_A_REVISION]	= { .type = NLA_U64 },
	[KVAULT_A_STATE]	= NLA_POLICY_RANGE(NLA_U32, KVAULT_OBJECT_LIVE,
						   KVAULT_OBJECT_GONE),
};

static const struct nla_policy kv_ack_policy[KVAULT_A_MAX + 1] = {
	[KVAULT_A_TENANT]	= KV_NLA_ID,
	[KVAULT_A_SEQ]		= { .type = NLA_U64 },
};

static bool lacks(struct genl_info *info, const int *attrs, int n)
{
	while (n--)
		if (GENL_REQ_ATTR_CHECK(info, attrs[n]))
			return true;
	return false;
}

#define LACKS(info, ...) \
	lacks(info, (const int[]){ __VA_ARGS__ }, sizeof((int[]){ __VA_ARGS__ }) / sizeof(int))

/* An answer to @info, filled by @fill, to be sent by genlmsg_reply() or freed. */
static struct sk_buff *answer_new(struct genl_info *info,
				  int (*fill)(struct sk_buff *skb, void *ctx), void *ctx)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return ERR_PTR(-ENOMEM);
	hdr = genlmsg_put_reply(skb, info, &kv_family, 0, info->genlhdr->cmd);
	if (!hdr || fill(skb, ctx)) {
		nlmsg_free(skb);
		return ERR_PTR(-EMSGSIZE);
	}
	genlmsg_end(skb, hdr);
	return skb;
}

static int fill_hello(struct sk_buff *skb, void *ctx)
{
	return nla_put_u32(skb, KVAULT_A_ABI, KVAULT_ABI) ?:
	       nla_put_u32(skb, KVAULT_A_ABI_MIN, KVAULT_ABI_MIN) ?:
	       nla_put_u64_64bit(skb, KVAULT_A_GENERATION, kv_link_generation(), KVAULT_A_PAD) ?:
	       nla_put_u32(skb, KVAULT_A_HAS_ROOT, kv_root_is_set());
}

static int kv_nl_hello(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	struct sk_buff *reply;
	int ret;

	if (LACKS(info, KVAULT_A_NONCE, KVAULT_A_ABI, KVAULT_A_ABI_MIN, KVAULT_A_STORE,
		  KVAULT_A_TENANT, KVAULT_A_EPOCH, KVAULT_A_REVISION))
		return -EINVAL;
	if (nla_get_u32(a[KVAULT_A_ABI]) < KVAULT_ABI_MIN ||
	    nla_get_u32(a[KVAULT_A_ABI_MIN]) > KVAULT_ABI) {
		NL_SET_ERR_MSG(info->extack, "no ABI in common with this module");
		return -EOPNOTSUPP;
	}
	/* first: who is told that there was no memory is not the daemon */
	reply = answer_new(info, fill_hello, NULL);
	if (IS_ERR(reply))
		return PTR_ERR(reply);
	ret = kv_link_hello(nla_data(a[KVAULT_A_NONCE]), info->snd_portid, NETLINK_CB(skb).sk,
			    nla_data(a[KVAULT_A_STORE]), nla_data(a[KVAULT_A_TENANT]),
			    nla_get_u64(a[KVAULT_A_EPOCH]), nla_get_u64(a[KVAULT_A_REVISION]));
	if (ret == -EHOSTDOWN)
		NL_SET_ERR_MSG(info->extack, "no root key is loaded: kvault-root.service");
	if (ret == -ESTALE)
		NL_SET_ERR_MSG(info->extack, "another or an older store than the kernel has seen");
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	return genlmsg_reply(reply, info);
}

static int kv_nl_bye(struct sk_buff *skb, struct genl_info *info)
{
	int ret = kv_link_check(info->snd_portid, NETLINK_CB(skb).sk);

	if (!ret)
		kv_link_bye();
	return ret;
}

/* The tenant that a message of the daemon names, by @find, with a reference. */
static struct kv_tenant *named_tenant(struct sk_buff *skb, struct genl_info *info,
				      struct kv_tenant *(*find)(const u8 *id))
{
	struct kv_tenant *t;
	int ret;

	ret = kv_link_check(info->snd_portid, NETLINK_CB(skb).sk);
	if (ret)
		return ERR_PTR(ret);
	if (LACKS(info, KVAULT_A_TENANT))
		return ERR_PTR(-EINVAL);
	t = find(nla_data(info->attrs[KVAULT_A_TENANT]));
	return t ?: ERR_PTR(-ENOENT);
}

/* The host's revisions are the store's, which must not go back either. */
static void note_revision(const struct kv_tenant *t, u64 revision)
{
	if (t == kv_tenant_host())
		kv_link_seen(revision);
}

static int kv_nl_policy_set(struct sk_buff *skb, struct genl_info *info)
{
	struct kv_tenant *t = named_tenant(skb, info, kv_tenant_find);
	int ret = 0;

	if (IS_ERR(t))
		return PTR_ERR(t);
	if (LACKS(info, KVAULT_A_REVISION))
		ret = -EINVAL;
	else if (nla_get_u64(info->attrs[KVAULT_A_REVISION]) < atomic64_read(&t->policy))
		ret = -ESTALE;
	else
		kv_tenant_raise_policy(t, nla_get_u64(info->attrs[KVAULT_A_REVISION]));
	if (!ret)
		note_revision(t, nla_get_u64(info->attrs[KVAULT_A_REVISION]));
	kv_tenant_put(t);
	return ret;
}

/**
 * struct change - an OBJECT_SET under way
 * @work: does it
 * @answer: memory for the answer
 * @portid: who is answered
 * @sk: the same; compared only
 * @seq: of the request
 * @tenant: whose key, a reference
 * @key: id of the key
 * @version: id of the version
 * @has_version: without it all are meant
 * @revision: of the change
 * @state: enum kvault_object_state
 */
struct change {
	struct work_struct work;
	struct sk_buff *answer;
	u32 portid;
	const struct sock *sk;
	u32 seq;
	struct kv_tenant *tenant;
	u8 key[KVAULT_ID_SIZE];
	u8 version[KVAULT_ID_SIZE];
	bool has_version;
	u64 revision;
	u32 state;
};

static struct workqueue_struct *kv_change_wq;
static atomic_t kv_changes;

static void change_free(struct change *c)
{
	nlmsg_free(c->answer);
	kv_tenant_put(c->tenant);
	kfree(c);
	atomic_dec(&kv_changes);
}

/* Who closed the socket meanwhile hears nothing: it asks for the state. */
static void change_answer(struct change *c, u32 volumes, int error)
{
	void *hdr = genlmsg_put(c->answer, c->portid, c->seq, &kv_family, 0,
				KVAULT_CMD_OBJECT_SET);

	if (!hdr || nla_put_u32(c->answer, KVAULT_A_COUNT, volumes) ||
	    nla_put_u32(c->answer, KVAULT_A_ERROR, -error) || kv_link_check(c->portid, c->sk))
		return;
	genlmsg_end(c->answer, hdr);
	genlmsg_unicast(&init_net, c->answer, c->portid);
	c->answer = NULL;	/* sent or not, it is freed */
}

static void change_do(struct work_struct *work)
{
	struct change *c = container_of(work, struct change, work);
	u32 volumes = 0;
	int ret;

	ret = kv_object_set_state(c->tenant, c->key, c->has_version ? c->version : NULL,
				  c->revision, c->state, &volumes);
	if (!ret)
		note_revision(c->tenant, c->revision);
	change_answer(c, volumes, ret);
	change_free(c);
}

static int change_begin(struct sk_buff *skb, struct genl_info *info, struct kv_tenant *t)
{
	struct nlattr **a = info->attrs;
	struct change *c;

#ifdef KVAULT_MUTANT_CHANGES_NO_LIMIT
	atomic_inc(&kv_changes);
#else
	if (!atomic_add_unless(&kv_changes, 1, KV_CHANGES_MAX))
		return -EAGAIN;
#endif
	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c) {
		atomic_dec(&kv_changes);
		return -ENOMEM;
	}
	INIT_WORK(&c->work, change_do);
	c->portid = info->snd_portid;
	c->sk = NETLINK_CB(skb).sk;
	c->seq = info->snd_seq;
	c->tenant = kv_tenant_get(t);
	memcpy(c->key, nla_data(a[KVAULT_A_KEY]), sizeof(c->key));
	c->has_version = a[KVAULT_A_VERSION];
	if (c->has_version)
		memcpy(c->version, nla_data(a[KVAULT_A_VERSION]), sizeof(c->version));
	c->revision = nla_get_u64(a[KVAULT_A_REVISION]);
	c->state = nla_get_u32(a[KVAULT_A_STATE]);
	c->answer = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!c->answer) {
		change_free(c);
		return -ENOMEM;
	}
#ifdef KVAULT_MUTANT_CHANGE_WAITS
	change_do(&c->work);
#else
	queue_work(kv_change_wq, &c->work);
#endif
	return 0;
}

static int kv_nl_object_set(struct sk_buff *skb, struct genl_info *info)
{
	struct kv_tenant *t = named_tenant(skb, info, kv_tenant_find);
	int ret = -EINVAL;

	if (IS_ERR(t))
		return PTR_ERR(t);
	if (!LACKS(info, KVAULT_A_KEY, KVAULT_A_REVISION, KVAULT_A_STATE))
		ret = change_begin(skb, info, t);
	kv_tenant_put(t);
	return ret;
}

static int kv_nl_audit_ack(struct sk_buff *skb, struct genl_info *info)
{
	struct kv_tenant *t = named_tenant(skb, info, kv_tenant_find_log);
	int ret = 0;

	if (IS_ERR(t))
		return PTR_ERR(t);
	if (LACKS(info, KVAULT_A_SEQ))
		ret = -EINVAL;
	else
		kv_audit_ack(t, nla_get_u64(info->attrs[KVAULT_A_SEQ]));
	kv_tenant_put(t);
	return ret;
}

static int dump_tenant(struct sk_buff *skb, struct netlink_callback *cb, struct kv_tenant *t)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &kv_family,
				NLM_F_MULTI, KVAULT_CMD_TENANT_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put(skb, KVAULT_A_TENANT, KVAULT_ID_SIZE, t->id) ||
	    nla_put_u32(skb, KVAULT_A_KIND, t->kind) ||
	    nla_put_u64_64bit(skb, KVAULT_A_GENERATION, t->generation, KVAULT_A_PAD) ||
	    nla_put_u64_64bit(skb, KVAULT_A_REVISION, atomic64_read(&t->policy), KVAULT_A_PAD) ||
	    nla_put_u32(skb, KVAULT_A_UID, t->owner->uid) ||
	    nla_put_u32(skb, KVAULT_A_COUNT, atomic_read(&t->charge[KV_CHARGE_OBJECT]))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* args[0]: generation of the last tenant that was sent; they grow along the list. */
static int kv_nl_tenant_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kv_tenant *t = NULL;
	int ret;

	ret = kv_link_check(NETLINK_CB(cb->skb).portid, NETLINK_CB(cb->skb).sk);
	if (ret)
		return ret;
	while ((t = kv_tenant_next(t))) {
		if (t->generation <= cb->args[0])
			continue;
		if (dump_tenant(skb, cb, t)) {
			kv_tenant_put(t);
			break;
		}
		cb->args[0] = t->generation;
	}
	return skb->len;
}

struct engine_dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	long nr;
};

static int dump_engine(struct kv_server *s, void *ctx)
{
	static const u8 none[KVAULT_ID_SIZE];
	struct engine_dump *d = ctx;
	struct sk_buff *skb = d->skb;
	void *hdr;

	if (s->queue == KV_QUEUE_DAEMON || d->nr++ < d->cb->args[0])
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(d->cb->skb).portid, d->cb->nlh->nlmsg_seq, &kv_family,
			  NLM_F_MULTI, KVAULT_CMD_ENGINE_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, KVAULT_A_KIND, s->queue) ||
	    nla_put(skb, KVAULT_A_TENANT, KVAULT_ID_SIZE, s->tenant ? s->tenant->id : none) ||
	    nla_put_u32(skb, KVAULT_A_PID, pid_nr(s->pid)) ||
	    nla_put_u64_64bit(skb, KVAULT_A_GENERATION, s->generation, KVAULT_A_PAD) ||
	    nla_put_u32(skb, KVAULT_A_COUNT, s->served)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	d->cb->args[0]++;
	return 0;
}

static int kv_nl_engine_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct engine_dump d = { .skb = skb, .cb = cb };
	int ret;

	ret = kv_link_check(NETLINK_CB(cb->skb).portid, NETLINK_CB(cb->skb).sk);
	if (ret)
		return ret;
	kv_server_for_each(dump_engine, &d);
	return skb->len;
}

static const struct genl_ops kv_genl_ops[] = {
	{ .cmd = KVAULT_CMD_HELLO, .doit = kv_nl_hello,
	  .policy = kv_hello_policy, .maxattr = KVAULT_A_MAX },
	{ .cmd = KVAULT_CMD_BYE, .doit = kv_nl_bye,
	  .policy = kv_none_policy, .maxattr = KVAULT_A_MAX },
	{ .cmd = KVAULT_CMD_TENANT_GET, .dumpit = kv_nl_tenant_dump,
	  .policy = kv_none_policy, .maxattr = KVAULT_A_MAX },
	{ .cmd = KVAULT_CMD_POLICY_SET, .doit = kv_nl_policy_set,
	  .policy = kv_policy_policy, .maxattr = KVAULT_A_MAX },
	{ .cmd = KVAULT_CMD_OBJECT_SET, .doit = kv_nl_object_set,
	  .policy = kv_object_policy, .maxattr = KVAULT_A_MAX },
	{ .cmd = KVAULT_CMD_AUDIT_ACK, .doit = kv_nl_audit_ack,
	  .policy = kv_ack_policy, .maxattr = KVAULT_A_MAX },
	{ .cmd = KVAULT_CMD_ENGINE_GET, .dumpit = kv_nl_engine_dump,
	  .policy = kv_none_policy, .maxattr = KVAULT_A_MAX },
};

static struct genl_family kv_family = {
	.name		= KVAULT_FAMILY_NAME,
	.version	= KVAULT_FAMILY_VERSION,
	.maxattr	= KVAULT_A_MAX,
	.module		= THIS_MODULE,
	.parallel_ops	= true,
	.ops		= kv_genl_ops,
	.n_ops		= ARRAY_SIZE(kv_genl_ops),
	.resv_start_op	= KVAULT_CMD_HELLO,
};

static int kv_nl_notify(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct netlink_notify *n = ptr;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC &&
	    net_eq(n->net, &init_net))
		kv_link_port_gone(n->portid);
	return NOTIFY_DONE;
}

static struct notifier_block kv_nl_nb = { .notifier_call = kv_nl_notify };

/**
 * kv_netlink_init() - register the family
 *
 * Return: 0; -errno of the netlink core.
 */
int kv_netlink_init(void)
{
	int ret;

	kv_change_wq = alloc_workqueue("kvault-change", WQ_UNBOUND, 0);
	if (!kv_change_wq)
		return -ENOMEM;
	ret = netlink_register_notifier(&kv_nl_nb);
	if (ret)
		goto out_wq;
	ret = genl_register_family(&kv_family);
	if (ret)
		goto out_notifier;
	return 0;

out_notifier:
	netlink_unregister_notifier(&kv_nl_nb);
out_wq:
	destroy_workqueue(kv_change_wq);
	return ret;
}

/**
 * kv_netlink_exit() - unregister it, and end what is under way
 */
void kv_netlink_exit(void)
{
	genl_unregister_family(&kv_family);
	netlink_unregister_notifier(&kv_nl_nb);
	destroy_workqueue(kv_change_wq);
}
