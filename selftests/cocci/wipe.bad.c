// SPDX-License-Identifier: GPL-2.0-only
static void by_type(struct kv_kek *k, struct kv_tenant *t, struct kv_blob *b)
{
	kfree(k);	/* BAD */
	kvfree(t);	/* BAD */
	kfree(b);
	kfree_sensitive(t);
}

static int by_name(struct kv_tenant *t, const void *blob)
{
	u8 *plain = kmalloc(64, GFP_KERNEL), *secret;
	int ret;

	if (!plain)
		return -ENOMEM;
	ret = use(plain);
	if (ret)
		goto out_free;
	memzero_explicit(plain, 64);
	kfree(plain);
	return 0;
out_free:
	kfree(plain);	/* BAD */
	secret = kv_copy_in(blob, 64, 64);
	if (IS_ERR(secret))
		return PTR_ERR(secret);
	kvfree(secret);	/* BAD */
	return ret;
}

static void by_member(struct kv_object *obj)
{
	kfree(obj->material);	/* BAD */
	kfree_sensitive(obj->material);
}

static int written_on_success_only(struct kv_tenant *t, const void *blob)
{
	u8 *plain = kmalloc(64, GFP_KERNEL);
	int ret;

	ret = kv_unseal(t, NULL, blob, 99, plain, NULL);
	if (ret) {
		kfree(plain);
		return ret;
	}
	if (plain)
		memzero_explicit(plain, 64);
	kvfree(plain);
	return 0;
}

static void *in_part(u64 uptr, u32 len)
{
	void *p = kvmalloc(len, GFP_KERNEL);

	if (copy_from_user(p, u64_to_user_ptr(uptr), len)) {
		kvfree(p);	/* BAD */
		return NULL;
	}
	return p;
}

static void *in_part_wiped(u64 uptr, u32 len)
{
	void *p = kvmalloc(len, GFP_KERNEL);

	if (copy_from_user(p, u64_to_user_ptr(uptr), len)) {
		memzero_explicit(p, len);
		kvfree(p);
		return NULL;
	}
	return p;
}

static int derived(const u8 *root)
{
	u8 context[16], key[32];
	int ret;

	ret = kv_kdf(root, 32, "label", context, 16, key);	/* BAD */
	if (ret)
		return ret;
	ret = use(key);
	memzero_explicit(key, sizeof(key));
	return ret;
}

static int derived_and_wiped(const u8 *root)
{
	u8 context[16], key[32];
	int ret;

	ret = kv_kdf(root, 32, "label", context, 16, key);
	if (!ret)
		ret = use(key);
	memzero_explicit(key, sizeof(key));
	return ret;
}

static int copied_struct(void __user *uarg, u32 size)
{
	u64 arg[16];
	int ret;

	ret = copy_struct_from_user(arg, sizeof(arg), uarg, size);	/* BAD */
	if (ret)
		return ret;
	ret = use(arg);
	memzero_explicit(arg, sizeof(arg));
	return ret;
}

static int copied_kek(struct kv_tenant *t)
{
	struct kv_kek kek;
	int ret;

	ret = kek_get(t, &kek);	/* BAD */
	if (!ret)
		ret = use(&kek);
	return ret;
}

static int copied_kek_wiped(struct kv_tenant *t)
{
	struct kv_kek kek;
	int ret;

	ret = kek_get(t, &kek);
	if (!ret)
		ret = use(&kek);
	memzero_explicit(&kek, sizeof(kek));
	return ret;
}
