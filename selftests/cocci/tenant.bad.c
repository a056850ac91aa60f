// SPDX-License-Identifier: GPL-2.0-only
static long a_key_of_anyone(const struct key *key, char *buffer, size_t buflen)
{
	const struct kv_payload *p = kv_payload_of(key);	/* BAD */

	return p->public_len;
}

static long a_key_of_the_caller(const struct key *key, char *buffer, size_t buflen)
{
	const struct kv_payload *p = kv_payload_of(key);

	if (!kv_payload_is_callers(p))
		return -ENOKEY;
	return p->public_len;
}

static long a_key_checked_on_one_way(const struct key *key, bool hurry)
{
	struct kv_payload *p = kv_payload_of(key);	/* BAD */

	if (!hurry)
		if (!kv_payload_is_callers(p))
			return -ENOKEY;
	return p->bits;
}

static int a_file_of_anyone(struct file *file, void *arg)
{
	struct kv_file *f = file->private_data;	/* BAD */
	struct kv_caller who = {};

	who.tenant = f->tenant;
	return kv_op_info(f, &who, arg);
}

static int a_file_of_the_caller(struct file *file, void *arg)
{
	struct kv_file *f = file->private_data;
	struct kv_principal *caller = caller_get(f);
	struct kv_caller who = { .tenant = f->tenant, .caller = caller };

	if (IS_ERR(caller))
		return PTR_ERR(caller);
	return kv_op_info(f, &who, arg);
}

static int a_file_passed_on(struct file *file, void *arg)
{
	return kv_op_random(file->private_data, NULL, arg);	/* BAD */
}

int kv_op_unauthorised(struct kv_file *f, struct kv_caller *who, struct kvault_crypt *arg)
{
	struct kv_handle *h = kv_file_handle(f, arg->handle);
	int ret;

	if (IS_ERR(h))
		return PTR_ERR(h);
	ret = crypt_symmetric(f, h->object, arg, KVAULT_OP_SIGN);	/* BAD */
	kv_handle_put(h);
	return ret;
}

int kv_op_authorised(struct kv_file *f, struct kv_caller *who, struct kvault_crypt *arg)
{
	struct kv_handle *h = kv_file_handle(f, arg->handle);
	int ret;

	if (IS_ERR(h))
		return PTR_ERR(h);
	ret = kv_handle_begin(h, who, KVAULT_OP_SIGN, arg->alg);
	if (!ret)
		ret = crypt_symmetric(f, h->object, arg, KVAULT_OP_SIGN);
	kv_handle_put(h);
	return ret;
}

int kv_supply_unauthorised(struct kv_caller *who, struct kv_handle *h, s32 keyring)
{
	return project(h, keyring, "", 0, NULL);	/* BAD */
}

int kv_supply_authorised(struct kv_caller *who, struct kv_handle *h, s32 keyring)
{
	int ret = kv_handle_begin(h, who, KVAULT_OP_VOLUME, 0);

	return ret ?: project(h, keyring, "", 0, NULL);
}

int kv_volume_of_anyone(struct kv_caller *who, const struct kvault_token *token)
{
	struct kv_decision d;

	return kv_access(who, 1, NULL, 0, NULL, &d);	/* BAD */
}

int kv_volume_of_the_caller(struct kv_caller *who, const struct kvault_token *token)
{
	struct kv_decision d;

	if (memcmp(token->tenant, who->tenant->id, sizeof(token->tenant)))
		return -ENOKEY;
	return kv_access(who, 1, NULL, 0, NULL, &d);
}

static int a_binding_of_anyone(struct kv_tenant *t, u64 uptr, void *blob)
{
	struct kvault_binding *b = kv_copy_in(uptr, sizeof(*b), sizeof(*b));

	if (IS_ERR(b))
		return PTR_ERR(b);
	return kv_seal(t, b, "", 0, blob);	/* BAD */
}

static int a_binding_assigned(struct kv_tenant *t, u64 uptr, void *blob)
{
	struct kvault_binding *b;

	b = kv_copy_in(uptr, sizeof(*b), sizeof(*b));
	if (IS_ERR(b))
		return PTR_ERR(b);
	return kv_seal(t, b, "", 0, blob);	/* BAD */
}

static int a_binding_of_the_tenant(struct kv_tenant *t, u64 uptr, void *blob)
{
	struct kvault_binding *b;
	int ret;

	b = kv_copy_in(uptr, sizeof(*b), sizeof(*b));
	if (IS_ERR(b))
		return PTR_ERR(b);
	ret = kv_binding_check(t, b);
	if (!ret)
		ret = kv_seal(t, b, "", 0, blob);
	return ret;
}

static void *a_binding_given_back(u64 uptr, struct kv_tenant *t)
{
	struct kvault_binding *b;

	b = kv_copy_in(uptr, sizeof(*b), sizeof(*b));
	if (IS_ERR(b))
		return b;
	t->generation++;
	return b;	/* BAD */
}

static int a_binding_in_a_struct(struct kv_tenant *t, struct submission *sub, u64 uptr)
{
	if (copy_from_user(&sub->binding, u64_to_user_ptr(uptr), sizeof(sub->binding)))
		return -EFAULT;
	return submit(t, sub, NULL, NULL, NULL);	/* BAD */
}

struct kv_object *an_object_of_anyone(struct kv_tenant *t, const struct kvault_grant *g)
{
	return find_or_new(t, &g->binding);	/* BAD */
}

struct kv_object *an_object_of_the_tenant(struct kv_tenant *t, const struct kvault_grant *g)
{
	int ret = kv_binding_check(t, &g->binding);

	return ret ? ERR_PTR(ret) : find_or_new(t, &g->binding);
}

static int ctl_of_anyone(struct file *file, void *p)	/* BAD */
{
	return kv_engine_submit(p);
}

static int ctl_of_the_claimant(struct file *file, void *p)
{
	return claimant(file) ? kv_engine_submit(p) : -EPERM;
}

static int kv_nl_of_anyone(struct sk_buff *skb, struct genl_info *info)	/* BAD */
{
	kv_link_bye();
	return 0;
}

static int kv_nl_of_the_claimant(struct sk_buff *skb, struct genl_info *info)
{
	int ret = kv_link_check(info->snd_portid, NETLINK_CB(skb).sk);

	if (!ret)
		kv_link_bye();
	return ret;
}
