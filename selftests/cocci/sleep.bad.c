// SPDX-License-Identifier: GPL-2.0-only
static void sleeps(struct thing *t)
{
	mutex_lock(&t->mutex);
	mutex_unlock(&t->mutex);
}

static void goes_on_to_sleep(struct thing *t)
{
	t->count++;
	sleeps(t);
}

static void never_sleeps(struct thing *t)
{
	t->count++;
	wake_up(&t->wq);
}

static void *under_a_spinlock(struct thing *t)
{
	void *p;

	spin_lock(&t->lock);
	p = kzalloc(64, GFP_KERNEL);	/* BAD */
	never_sleeps(t);
	goes_on_to_sleep(t);	/* BAD */
	spin_unlock(&t->lock);
	goes_on_to_sleep(t);
	return p;
}

static void *with_a_flag_more(struct thing *t)
{
	void *p;

	spin_lock(&t->lock);
	p = kzalloc(64, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);	/* BAD */
	kvfree(p);	/* BAD */
	p = kzalloc(64, GFP_ATOMIC);
	spin_unlock(&t->lock);
	return p;
}

static int left_on_one_way(struct thing *t)
{
	spin_lock(&t->lock);
	if (t->count) {
		spin_unlock(&t->lock);
		sleeps(t);
		return -EBUSY;
	}
	if (t->is_dead)
		return copy_to_user(t->to, t, 8);	/* BAD */
	spin_unlock(&t->lock);
	return 0;
}

static void under_rcu(struct thing *t)
{
	rcu_read_lock();
	sleeps(t);	/* BAD */
	never_sleeps(t);
	rcu_read_unlock();
	sleeps(t);
}

static int bad_encrypt(struct skcipher_request *req)	/* BAD */
{
	goes_on_to_sleep(skcipher_request_ctx(req));
	return 0;
}

static int good_decrypt(struct skcipher_request *req)
{
	never_sleeps(skcipher_request_ctx(req));
	return 0;
}

static void bad_done(struct crypto_async_request *req, int error)	/* BAD */
{
	synchronize_rcu();
}

static void a_request(struct skcipher_request *req)
{
	skcipher_request_set_callback(req, 0, bad_done, req);
}

static int bad_setkey(struct crypto_skcipher *tfm, const u8 *key, unsigned int len)
{
	unsigned int noio;

	sleeps(crypto_skcipher_ctx(tfm));	/* BAD */
	noio = memalloc_noio_save();
	sleeps(crypto_skcipher_ctx(tfm));
	memalloc_noio_restore(noio);
	return 0;
}

static struct skcipher_alg alg = {
	.base = { .cra_name = "x" },
	.setkey = bad_setkey,
	.encrypt = bad_encrypt,
	.decrypt = good_decrypt,
	.init = NULL,
};

static void bad_describe(const struct key *key, struct seq_file *m)	/* BAD */
{
	goes_on_to_sleep(key->payload.data[0]);
}

static int bad_instantiate(struct key *key, struct key_preparsed_payload *prep)	/* BAD */
{
	return kv_access(NULL, 0, NULL, 0, NULL, NULL);
}

static void good_destroy(struct key *key)
{
	sleeps(key->payload.data[0]);
}

static struct key_type type = {
	.name = "x",
	.instantiate = bad_instantiate,
	.destroy = good_destroy,
	.describe = bad_describe,
};

static int bad_walk(struct kv_server *s, void *ctx)	/* BAD */
{
	flush_work(ctx);
	return 0;
}

static void walks(void)
{
	kv_server_for_each(bad_walk, NULL);
}
