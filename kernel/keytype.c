// SPDX-License-Identifier: GPL-2.0-only
/*
 * The key type "kvault": a key version's handle in a keyring. Stock tools use
 * it by keyctl(2): request2, read (the public JWK), revoke, unlink, and the
 * operations in pkey.c.
 *
 * A key comes only from our own answer to request_key(). The description is
 * VAULT/NAME[/VERSION], the callout info "" or operations that the key shall
 * be good for, e.g. "sign,verify".
 *
 *   request_key()
 *     match_preparse        a search begins: whose, for what, by which task
 *     cmp ...               only keys of the searcher's tenant match
 *     request_key actor     asks the daemon; no lock of the keyrings is held
 *       preparse            takes what the actor made, from that task alone
 *       instantiate         hands it to the key
 *     match_free            the search ends
 *
 * Keyrings pass between user namespaces and keys know nothing of tenants.
 * So a key under construction or refused carries the generation of its tenant
 * in payload.data[1], a finished one a payload in payload.data[0], and every
 * callback compares before it does anything. What is foreign answers ENOKEY.
 *
 * Nothing here waits for the daemon under key->sem or the construction mutex.
 *
 * Module life: the actor and every finished key hold a reference. The last is
 * dropped by destroy, in the keyrings' collector, for which
 * unregister_key_type() waits; it waits for searches, too.
 */
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/key-type.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <keys/request_key_auth-type.h>
#include "handle.h"
#include "keytype.h"
#include "live.h"
#include "pkey.h"
#include "principal.h"
#include "tenant.h"
#include "visible.h"

#define KV_DESC_MAX	(KVAULT_PATH_MAX - 8)	/* a path is longer by "/keys" */
#define KV_CALLOUT_MAX	128

/**
 * struct kv_search - one search for a key, from match_preparse to match_free
 * @link: in kv_searches (kv_searches_lock)
 * @task: who searches; compared only
 * @tenant: of the task, a reference
 * @desc: what it looks for; borrowed
 * @made: by the actor, for preparse; the task's own
 */
struct kv_search {
	struct list_head link;
	struct task_struct *task;
	struct kv_tenant *tenant;
	const char *desc;
	struct kv_payload *made;
};

static DEFINE_SPINLOCK(kv_searches_lock);	/* protects the list; a leaf */
static LIST_HEAD(kv_searches);

static struct key_type kv_key_type;

static void payload_free(struct kv_payload *p)
{
	if (!p)
		return;
	kv_handle_put(p->handle);
	kv_principal_put(p->opener);
	kv_tenant_put(p->tenant);
	kv_live_dec(KV_LIVE_KEY);
	kfree(p);
}

/* --- descriptions --------------------------------------------------------- */

/*
 * A description in its parts, which point into it.
 */
struct kv_desc {
	const char *part[4];
	int len[4];
	int parts;
};

static bool is_name(const char *s, int len)
{
	if (len < 1 || len > KVAULT_NAME_MAX)
		return false;
	for (; len; s++, len--)
		if (!isascii(*s) || (!isalnum(*s) && *s != '-'))
			return false;
	return true;
}

static bool is_version(const char *s, int len)
{
	if (len != 2 * KVAULT_ID_SIZE)
		return false;
	for (; len; s++, len--)
		if (!isascii(*s) || !isxdigit(*s))
			return false;
	return true;
}

static int desc_split(struct kv_desc *d, const char *s)
{
	const char *end;

	d->parts = 0;
	if (strnlen(s, KV_DESC_MAX + 1) > KV_DESC_MAX)
		return -EINVAL;
	for (;; s = end + 1) {
		end = strchrnul(s, '/');
		if (d->parts == ARRAY_SIZE(d->part) || !is_name(s, end - s))
			return -EINVAL;
		d->part[d->parts] = s;
		d->len[d->parts++] = end - s;
		if (!*end)
			return 0;
	}
}

/* VAULT/NAME[/VERSION] or VAULT/keys/NAME[/VERSION] -> 1 if "keys" is there */
static int desc_parse(struct kv_desc *d, const char *s)
{
	int ret = desc_split(d, s), is_long;

	if (ret)
		return ret;
	is_long = d->parts > 2 && d->len[1] == 4 && !memcmp(d->part[1], "keys", 4);
	if (d->parts < 2 || d->parts - is_long > 3)
		return -EINVAL;
	if (d->parts - is_long == 3 && !is_version(d->part[d->parts - 1], d->len[d->parts - 1]))
		return -EINVAL;
	return is_long;
}

KV_STATIC int vet_description(const char *desc)
{
	struct kv_desc d;
	int ret = desc_parse(&d, desc);

	return ret < 0 ? ret : 0;
}

/* The daemon knows the long form only. */
KV_STATIC int desc_to_path(const char *desc, char *path)
{
	struct kv_desc d;
	int ret = desc_parse(&d, desc);

	if (ret < 0)
		return ret;
	return scnprintf(path, KVAULT_PATH_MAX, "%.*s%s%s", d.len[0], d.part[0],
			 ret ? "/" : "/keys/", d.part[1]);
}

/* --- whose key is it? ------------------------------------------------------ */

static struct kv_search *search_of_current(void)
{
	struct kv_search *s, *found = NULL;

	spin_lock(&kv_searches_lock);
	list_for_each_entry(s, &kv_searches, link)
		if (s->task == current) {
			found = s;
			break;
		}
	spin_unlock(&kv_searches_lock);
	return found;
}

/*
 * A key that has no mark yet was made by one of the searches for its
 * description, a moment ago. Without a foreign one among them it is ours.
 */
static bool is_surely_ours(const struct kv_search *mine)
{
	struct kv_search *s;
	bool ours = true;

	spin_lock(&kv_searches_lock);
	list_for_each_entry(s, &kv_searches, link)
		if (s->tenant != mine->tenant && !strcmp(s->desc, mine->desc)) {
			ours = false;
			break;
		}
	spin_unlock(&kv_searches_lock);
	return ours;
}

static unsigned long tenant_mark(const struct kv_tenant *t)
{
	return t->generation;
}

static unsigned long key_mark(const struct key *key)
{
	return (unsigned long)READ_ONCE(key->payload.data[1]);
}

/* The keyrings' one-entry cache compares without looking at the type. */
static bool key_matches(const struct key *key, const struct key_match_data *match)
{
	const struct kv_search *mine = match->preparsed;

	if (key->type != &kv_key_type || strcmp(key->description, mine->desc))
		return false;
#ifdef KVAULT_MUTANT_KEYRING_MATCH
	return true;
#endif
	if (key_mark(key))
		return key_mark(key) == tenant_mark(mine->tenant);
	/* refused before the actor ran, for want of memory: that says nothing, for a minute */
	if (key_read_state(key) < 0)
		return false;
	return is_surely_ours(mine);
}

static int match_preparse(struct key_match_data *match)
{
	struct kv_search *s;

	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	s->tenant = kv_tenant_of(current_user_ns());
	if (IS_ERR(s->tenant)) {
		int ret = PTR_ERR(s->tenant);

		kfree(s);
		return ret;
	}
	s->task = current;
	s->desc = match->raw_data;
	spin_lock(&kv_searches_lock);
	list_add(&s->link, &kv_searches);
	spin_unlock(&kv_searches_lock);
	match->preparsed = s;
	match->cmp = key_matches;
	return 0;
}

static void match_free(struct key_match_data *match)
{
	struct kv_search *s = match->preparsed;

	if (!s)
		return;
	spin_lock(&kv_searches_lock);
	list_del(&s->link);
	spin_unlock(&kv_searches_lock);
	payload_free(s->made);
	kv_tenant_put(s->tenant);
	kfree(s);
}

/* --- making a key ------------------------------------------------------------ */

static const struct {
	const char *name;
	u32 op;
} kv_op_names[] = {
	{ "encrypt", KVAULT_OP_ENCRYPT },
	{ "decrypt", KVAULT_OP_DECRYPT },
	{ "sign", KVAULT_OP_SIGN },
	{ "verify", KVAULT_OP_VERIFY },
};

static u32 op_by_name(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kv_op_names); i++)
		if (!strcmp(name, kv_op_names[i].name))
			return kv_op_names[i].op;
	return 0;
}

/* "" means all that can be had, 0. */
KV_STATIC int callout_ops(const void *info, size_t len, u32 *ret_ops)
{
	char buf[KV_CALLOUT_MAX + 1], *rest = buf, *name;
	u32 op;

	*ret_ops = 0;
	if (!len)
		return 0;
	if (len > KV_CALLOUT_MAX)
		return -EINVAL;
	memcpy(buf, info, len);
	buf[len] = 0;
	while ((name = strsep(&rest, ","))) {
		op = op_by_name(name);
		if (!op)
			return -EINVAL;
		*ret_ops |= op;
	}
	return 0;
}

static struct kv_payload *payload_new(struct kv_caller *who, struct kv_handle *h)
{
	struct kv_object *obj = h->object;
	struct kv_payload *p;

	mutex_lock(&obj->lock);
	p = kzalloc(struct_size(p, public, obj->public_len), GFP_KERNEL_ACCOUNT);
	if (p) {
		p->public_len = obj->public_len;
		memcpy(p->public, obj->public, obj->public_len);
	}
	mutex_unlock(&obj->lock);
	if (!p)
		return NULL;
	kv_live_inc(KV_LIVE_KEY);
	spin_lock_init(&p->lock);
	p->tenant = kv_tenant_get(who->tenant);
	p->opener = kv_principal_get(who->caller);
	p->handle = h;
	p->kty = obj->kty;
	p->bits = obj->bits;
	p->curve = obj->curve;
	p->ops = h->ops;
	return p;
}

/* Asks the daemon; sleeps for up to KVAULT_TIMEOUT_MS, killably. */
static int search_make(struct kv_search *s, const char *desc, u32 ops)
{
	struct kv_caller who = {
		.tenant = s->tenant,
		.face = KVAULT_FACE_KEYRING,
		.timeout_ms = KVAULT_TIMEOUT_MS,
	};
	char path[KVAULT_PATH_MAX];
	struct kv_handle *h;
	int len, ret = 0;

	len = desc_to_path(desc, path);
	if (len < 0)
		return len;
	who.caller = kv_principal_new(s->tenant);
	if (IS_ERR(who.caller))
		return PTR_ERR(who.caller);
	who.opener = who.caller;
	h = kv_handle_open(&who, KVAULT_PURPOSE_KEYRING, path, len, ops);
	if (IS_ERR(h)) {
		ret = PTR_ERR(h);
		goto out_put;
	}
	s->made = payload_new(&who, h);
	if (!s->made) {
		kv_handle_put(h);
		ret = -ENOMEM;
	}
out_put:
	kv_principal_put(who.caller);
	return ret;
}

/*
 * A refusal stays for a second, so that a loop does not become a load. One
 * that says nothing about the key, because its requester was killed or there
 * was no memory, does not stay at all.
 */
static void refuse(struct key *key, struct key *authkey, int error)
{
	unsigned int seconds = 1;

	if (error == -EINTR || error == -ENOMEM)
		seconds = 0;
	/* the key is in the keyring already, which may not let us link it again */
	key_reject_and_link(key, seconds, -error, NULL, authkey);
}

/*
 * Answers request_key(), instead of /sbin/request-key. Whatever happens the
 * key is finished one way or the other; its state has the error.
 */
static int request_key_actor(struct key *authkey, void *aux)
{
	struct request_key_auth *rka = get_request_key_auth(authkey);
	struct key *key = rka->target_key;
	struct kv_search *s = search_of_current();
	int ret = -ENOKEY;
	u32 ops;

	if (!s || !try_module_get(THIS_MODULE)) {
		refuse(key, authkey, ret);
		return 0;
	}
	WRITE_ONCE(key->payload.data[1], (void *)tenant_mark(s->tenant));
	ret = callout_ops(rka->callout_info, rka->callout_len, &ops);
	if (!ret)
		ret = search_make(s, key->description, ops);
	if (!ret)
		ret = key_instantiate_and_link(key, s, sizeof(*s), rka->dest_keyring, authkey);
	if (ret)
		refuse(key, authkey, ret);
	module_put(THIS_MODULE);
	return 0;
}

/*
 * What a user passes to add_key() or KEYCTL_INSTANTIATE is a copy in memory
 * that is never a search, and his task has none.
 */
static int preparse(struct key_preparsed_payload *prep)
{
	struct kv_search *s = search_of_current();

	if (!s || prep->data != s || prep->datalen != sizeof(*s) || !s->made)
		return -EOPNOTSUPP;
	prep->payload.data[0] = s->made;
	prep->quotalen = sizeof(*s->made) + s->made->public_len;
	s->made = NULL;
	return 0;
}

static void free_preparse(struct key_preparsed_payload *prep)
{
	payload_free(prep->payload.data[0]);
}

/*
 * Under the construction mutex. Without the rights of user, group and others
 * a key shows and works only where it is possessed; those rights go by uid,
 * which tenants may share.
 */
static int instantiate(struct key *key, struct key_preparsed_payload *prep)
{
	int ret;

	ret = key_payload_reserve(key, prep->quotalen);
	if (ret)
		return ret;
	__module_get(THIS_MODULE);
#ifndef KVAULT_MUTANT_KEYRING_PERM
	key->perm &= KEY_POS_ALL;
#endif
	key->payload.data[0] = prep->payload.data[0];
	prep->payload.data[0] = NULL;
	return 0;
}

/* Under key->sem. Operations under way have references of their own. */
static void revoke(struct key *key)
{
	/* cocci tenant: whoever may revoke a key takes its handle from it, no more */
	struct kv_payload *p = kv_payload_of(key);
	struct kv_handle *h;

	if (!p)
		return;
	spin_lock(&p->lock);
	h = p->handle;
	p->handle = NULL;
	spin_unlock(&p->lock);
	kv_handle_put(h);
}

/*
 * When the type goes the collector also passes keys that were refused: they
 * have no payload, and no reference to the module.
 */
static void destroy(struct key *key)
{
	if (!kv_payload_of(key))
		return;
	payload_free(kv_payload_of(key));
	key->payload.data[0] = NULL;
	module_put(THIS_MODULE);
}

/* --- looking at a key -------------------------------------------------------- */

static const char *kty_name(u32 kty)
{
	switch (kty) {
	case KVAULT_KTY_OCT:
		return "oct";
	case KVAULT_KTY_RSA:
		return "RSA";
	case KVAULT_KTY_EC:
		return "EC";
	default:
		return "?";
	}
}

/*
 * For /proc/keys, in atomic context. The line of a foreign key ends with its
 * type; the collector cannot free the payload before the list is unlocked.
 */
static void describe(const struct key *key, struct seq_file *m)
{
	const struct kv_payload *p;

	if (!key_is_positive(key))
		return;
	p = kv_payload_of(key);
	if (!kv_payload_is_callers(p))
		return;
	seq_puts(m, key->description);
	seq_printf(m, ": %s", kty_name(p->kty));
}

/* Under key->sem. */
static long read(const struct key *key, char *buffer, size_t buflen)
{
	const struct kv_payload *p = kv_payload_of(key);

	if (!kv_payload_is_callers(p))
		return -ENOKEY;
	if (!p->public_len)
		return -EOPNOTSUPP;
	if (buffer && buflen >= p->public_len)
		memcpy(buffer, p->public, p->public_len);
	return p->public_len;
}

static struct key_type kv_key_type = {
	.name = "kvault",
	/* a refusal would count against the uid's quota for five more minutes */
	.flags = KEY_TYPE_INSTANT_REAP,
	.vet_description = vet_description,
	.match_preparse = match_preparse,
	.match_free = match_free,
	.request_key = request_key_actor,
	.preparse = preparse,
	.free_preparse = free_preparse,
	.instantiate = instantiate,
	.revoke = revoke,
	.destroy = destroy,
	.describe = describe,
	.read = read,
	.asym_query = kv_pkey_query,
	.asym_eds_op = kv_pkey_eds,
	.asym_verify_signature = kv_pkey_verify,
};

/**
 * kv_keytype_init() - register the key type
 *
 * Return: 0; -EEXIST when another module has it.
 */
int kv_keytype_init(void)
{
	return register_key_type(&kv_key_type);
}

/**
 * kv_keytype_exit() - take the key type back
 *
 * No finished key is left, as each holds a reference to the module. Waits for
 * searches and for the keyrings' collector.
 */
void kv_keytype_exit(void)
{
	unregister_key_type(&kv_key_type);
}
