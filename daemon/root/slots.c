// SPDX-License-Identifier: GPL-2.0-only
/*
 * slots.json, read and written; and what can be told from it about a root key.
 *
 *	check = KDF(root key, "kvault/1/root-check", store id | slot id)
 *	a recovery slot: AES-256-GCM under KDF(code, "kvault/1/root-slot", slot
 *	id), associated data store id | slot id, made by the kernel
 */
#include "root/slots.h"

#include <openssl/crypto.h>
#include <sys/random.h>

#include "root/kdf.h"
#include "util/hex.h"

static void put_aad(uint8_t aad[2 * KVR_ID_SIZE], const uint8_t *store, const uint8_t *slot)
{
	memcpy(aad, store, KVR_ID_SIZE);
	memcpy(aad + KVR_ID_SIZE, slot, KVR_ID_SIZE);
}

static int make_check(const uint8_t *store, const uint8_t *slot, const uint8_t *root,
		      uint8_t out[32])
{
	uint8_t context[2 * KVR_ID_SIZE];

	put_aad(context, store, slot);
	return kvr_kdf(root, KVR_KEY_SIZE, KVR_LABEL_CHECK, context, sizeof(context), out);
}

static json_t *hex_of(const void *p, size_t len)
{
	char text[2 * 32 + 1];

	kvd_hex_encode(text, p, len);
	return json_string(text);
}

static int get_hex(const json_t *object, const char *member, void *dst, size_t len)
{
	return kvd_hex_decode(dst, len, json_string_value(json_object_get(object, member)));
}

static int random_id(uint8_t id[KVR_ID_SIZE])
{
	return getrandom(id, KVR_ID_SIZE, 0) == KVR_ID_SIZE ? 0 : -EIO;
}

int kvr_slots_new(struct kvr_slots *ret)
{
	struct kvr_slots s = { 0 };

	if (random_id(s.store) < 0)
		return -EIO;
	s.json = json_pack("{s:i, s:o, s:[]}", "format", 1, "store",
			   hex_of(s.store, KVR_ID_SIZE), "slots");
	if (!s.json)
		return -ENOMEM;
	*ret = s;
	return 0;
}

static int parse_slot(const json_t *json, struct kvr_slot *ret)
{
	const char *provider = json_string_value(json_object_get(json, "provider"));
	struct kvr_slot slot = { 0 };

	if (!provider || get_hex(json, "id", slot.id, sizeof(slot.id)) < 0)
		return -EUCLEAN;
	if (!strcmp(provider, "systemd-credential")) {
		slot.provider = KVR_CREDENTIAL;
		if (get_hex(json, "check", slot.check, sizeof(slot.check)) < 0)
			return -EUCLEAN;
	} else if (!strcmp(provider, "recovery-code")) {
		slot.provider = KVR_RECOVERY;
		if (get_hex(json, "iv", slot.iv, sizeof(slot.iv)) < 0 ||
		    get_hex(json, "wrapped", slot.wrapped, sizeof(slot.wrapped)) < 0 ||
		    get_hex(json, "tag", slot.tag, sizeof(slot.tag)) < 0)
			return -EUCLEAN;
	}
	*ret = slot;
	return 0;
}

static int parse_all(json_t *json, struct kvr_slots *s)
{
	json_t *list = json_object_get(json, "slots"), *slot;
	size_t i;

	if (json_integer_value(json_object_get(json, "format")) != 1 ||
	    get_hex(json, "store", s->store, sizeof(s->store)) < 0 ||
	    !json_is_array(list) || json_array_size(list) > KVR_SLOTS_MAX)
		return -EUCLEAN;
	json_array_foreach(list, i, slot)
		if (parse_slot(slot, &s->slot[i]) < 0)
			return -EUCLEAN;
	s->count = json_array_size(list);
	return 0;
}

int kvr_slots_parse(const void *text, size_t len, struct kvr_slots *ret)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	struct kvr_slots s = { 0 };

	if (!json || parse_all(json, &s) < 0) {
		json_decref(json);
		return -EUCLEAN;
	}
	s.json = json;
	*ret = s;
	return 0;
}

char *kvr_slots_text(const struct kvr_slots *s)
{
	return json_dumps(s->json, JSON_INDENT(2));
}

void kvr_slots_done(struct kvr_slots *s)
{
	json_decref(s->json);
	memset(s, 0, sizeof(*s));
}

static json_t *credential_json(const struct kvr_slot *slot, int64_t now)
{
	return json_pack("{s:o, s:s, s:I, s:o}", "id", hex_of(slot->id, sizeof(slot->id)),
			 "provider", "systemd-credential", "created", (json_int_t)now,
			 "check", hex_of(slot->check, sizeof(slot->check)));
}

int kvr_slots_set_credential(struct kvr_slots *s, const uint8_t root[KVR_KEY_SIZE],
			     int64_t now)
{
	json_t *list = json_object_get(s->json, "slots");
	struct kvr_slot slot = { .provider = KVR_CREDENTIAL };
	size_t kept = 0;

	if (random_id(slot.id) < 0 || make_check(s->store, slot.id, root, slot.check) < 0)
		return -EIO;
	for (size_t i = 0; i < s->count; i++) {
		if (s->slot[i].provider == KVR_CREDENTIAL)
			json_array_remove(list, kept);
		else
			s->slot[kept++] = s->slot[i];
	}
	s->count = kept;
	if (kept == KVR_SLOTS_MAX)
		return -ENOSPC;
	if (json_array_insert_new(list, 0, credential_json(&slot, now)) < 0)
		return -ENOMEM;
	memmove(&s->slot[1], &s->slot[0], kept * sizeof(slot));
	s->slot[0] = slot;
	s->count++;
	return 0;
}

int kvr_slots_check(const struct kvr_slots *s, const uint8_t root[KVR_KEY_SIZE])
{
	uint8_t check[32];
	int r = -ENOENT;

	for (size_t i = 0; i < s->count; i++) {
		if (s->slot[i].provider != KVR_CREDENTIAL)
			continue;
		if (make_check(s->store, s->slot[i].id, root, check) < 0)
			return -EIO;
#ifdef KVAULT_MUTANT_NO_ROOT_CHECK
		return 0;
#endif
		if (CRYPTO_memcmp(check, s->slot[i].check, sizeof(check)) == 0)
			return 0;
		r = -EKEYREJECTED;
	}
	return r;
}

static int open_slot(const struct kvr_slots *s, const struct kvr_slot *slot,
		     struct kvr_secret *secret)
{
	uint8_t aad[2 * KVR_ID_SIZE];
	int r;

	put_aad(aad, s->store, slot->id);
	r = kvr_kdf(secret->code, sizeof(secret->code), KVR_LABEL_SLOT, slot->id,
		    sizeof(slot->id), secret->kek);
	if (r == 0)
		r = kvr_gcm_open(secret->kek, slot->iv, aad, sizeof(aad), slot->wrapped,
				 sizeof(slot->wrapped), slot->tag, secret->root);
	kvd_wipe(secret->kek, sizeof(secret->kek));
	return r;
}

int kvr_slots_recover(const struct kvr_slots *s, struct kvr_secret *secret)
{
	int r = -ENOENT;

	for (size_t i = 0; i < s->count; i++) {
		if (s->slot[i].provider != KVR_RECOVERY)
			continue;
		r = open_slot(s, &s->slot[i], secret);
		if (r != -EBADMSG)
			return r;
		r = -EKEYREJECTED;
	}
	return r;
}
