// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "core/address.h"
#include "core/keyrule.h"
#include "util/hex.h"

#define PARTS_MAX	4

struct part {
	const char *p;
	size_t len;
};

static size_t split(const char *text, size_t len, struct part *parts)
{
	size_t n = 0, start = 0, i;

	for (i = 0; i <= len; i++) {
		if (i < len && text[i] != '/')
			continue;
		if (n == PARTS_MAX)
			return 0;
		parts[n++] = (struct part){ text + start, i - start };
		start = i + 1;
	}
	return n;
}

static bool is_word(const struct part *part, const char *word)
{
	return part->len == strlen(word) && !memcmp(part->p, word, part->len);
}

const char *kvd_type_collection(uint32_t type)
{
	return type == KVAULT_TYPE_SECRET ? "secrets" : "keys";
}

const char *kvd_type_noun(uint32_t type)
{
	return type == KVAULT_TYPE_SECRET ? "secret" : "key";
}

/* The type of object that a part of an address names; a key where none is named. */
static uint32_t type_of(const struct part *part)
{
	return is_word(part, "keys") ? KVAULT_TYPE_KEY :
	       is_word(part, "secrets") ? KVAULT_TYPE_SECRET : KVAULT_TYPE_UNSPEC;
}

static int parse_version(const struct part *part, struct kvd_address *ret)
{
	char hex[2 * KVAULT_ID_SIZE + 1];

	if (part->len != sizeof(hex) - 1)
		return -EINVAL;
	memcpy(hex, part->p, part->len);
	hex[part->len] = '\0';
	ret->has_version = true;
	return kvd_hex_decode(ret->version, KVAULT_ID_SIZE, hex);
}

int kvd_address_parse(const char *text, size_t len, bool short_form, struct kvd_address *ret)
{
	struct part parts[PARTS_MAX];
	struct kvd_address a = { 0 };
	size_t n, name = 2;

	if (short_form && len > 7 && !memcmp(text, "kvault:", 7)) {
		text += 7;
		len -= 7;
	}
	n = split(text, len, parts);
	if (n < 2)
		return -EINVAL;
	a.type = n < 3 ? KVAULT_TYPE_UNSPEC : type_of(&parts[1]);
	if (!a.type) {
		if (!short_form || n > 3)
			return -EINVAL;
		a.type = KVAULT_TYPE_KEY;
		name = 1;
	}
	if (!kvd_name_is_vault(parts[0].p, parts[0].len) ||
	    !kvd_name_is_object(parts[name].p, parts[name].len))
		return -EINVAL;
	memcpy(a.vault, parts[0].p, parts[0].len);
	memcpy(a.name, parts[name].p, parts[name].len);
	if (n > name + 1 && parse_version(&parts[name + 1], &a))
		return -EINVAL;
	*ret = a;
	return 0;
}
