// SPDX-License-Identifier: GPL-2.0-only
static int forgotten(struct thing *t)
{
	void *p;
	int ret;

	ret = begin(t);
	if (ret)
		goto out;
	p = kmalloc(64, GFP_KERNEL);
	if (!p)
		goto out;	/* BAD */
	ret = use(p);
	if (ret < 0)
		goto out;
	p = find(t);
	if (IS_ERR(p)) {
		drop(t);
		goto out;	/* BAD */
	}
	ret = use(p);
	if (ret)
		goto out;
	if (copy_to_user(t->to, p, 64))
		return ret;	/* BAD */
out:
	end(t);
	return ret;
}

static int remembered(struct thing *t)
{
	void *p;
	int ret;

	ret = begin(t);
	if (ret)
		goto out;
	ret = -ENOMEM;
	p = kmalloc(64, GFP_KERNEL);
	if (!p)
		goto out;
	ret = use(p);
	if (ret < 0)
		goto out;
	p = find(t);
	if (IS_ERR(p)) {
		ret = PTR_ERR(p);
		goto out;
	}
out:
	end(t);
	return ret;
}

static int never_set(struct thing *t)
{
	struct thing *next = NULL;
	int ret = 0;

	lock(t);
	next = find(t);
	if (!next)
		goto out_unlock;	/* BAD */
	ret = use(next);
out_unlock:
	unlock(t);
	return ret;
}

static int set_in_between(struct thing *t)
{
	struct thing *next;
	int ret = 0;

	begin(t, &ret);
	next = find(t);
	if (!next)
		goto out;
out:
	return ret;
}
