// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses of keys and secrets, in all their forms. */
#include <ctype.h>
#include <stdio.h>

#include "internal.h"

#define PARTS_MAX	5

struct part {
	const char *p;
	size_t len;
};

static bool is_name(const char *p, size_t len, size_t max)
{
	size_t i;

	if (!len || len > max)
		return false;
	for (i = 0; i < len; i++)
		if (!isascii((unsigned char)p[i]) ||
		    !(isalnum((unsigned char)p[i]) || p[i] == '-'))
			return false;
	return true;
}

static bool is_vault(const char *p, size_t len)
{
	return is_name(p, len, KVAULT_VAULT_NAME_MAX) && p[0] != '-' && p[len - 1] != '-';
}

bool kvault_name_is_vault(const char *name)
{
	return is_vault(name, strlen(name));
}

bool kvault_name_is_object(const char *name)
{
	return is_name(name, strlen(name), KVAULT_OBJECT_NAME_MAX);
}

static size_t split(const char *text, struct part *parts)
{
	size_t n = 0;

	for (;;) {
		size_t len = strcspn(text, "/");

		if (n == PARTS_MAX)
			return n;
		parts[n++] = (struct part){ text, len };
		if (!text[len])
			return n;
		text += len + 1;
	}
}

static bool is_word(const struct part *part, const char *word)
{
	return part->len == strlen(word) && !memcmp(part->p, word, part->len);
}

static int set_version(const struct part *part, struct kvault_address *a, const char **why)
{
	size_t i;

	*why = "a version has 32 hexadecimal digits";
	if (part->len != KVAULT_VERSION_HEX)
		return -EINVAL;
	for (i = 0; i < part->len; i++) {
		if (!isxdigit((unsigned char)part->p[i]))
			return -EINVAL;
		a->version[i] = (char)tolower((unsigned char)part->p[i]);
	}
	return 0;
}

static const char *collection(uint32_t type)
{
	return type == KVAULT_OBJECT_SECRET ? "secrets" : "keys";
}

/* In the kid of a key the vault is the first label of the host's name. */
static int split_url(const char *text, const char *word, struct part *parts, size_t *ret_n)
{
	size_t n;

	n = split(text, parts);
	if (n < 3 || !is_word(&parts[1], word))
		return -EINVAL;
	parts[0].len = (size_t)(strchrnul(parts[0].p, '.') - parts[0].p);
	*ret_n = n;
	return 0;
}

/* A word that names a type of objects, and not the one that is meant. */
static bool is_other(const struct part *part, const char *word)
{
	return !is_word(part, word) && (is_word(part, "keys") || is_word(part, "secrets") ||
					is_word(part, "certs"));
}

static int check_parts(const struct part *parts, size_t n, size_t name, bool is_secret,
		       const char **why)
{
	*why = is_secret ? "it is not VAULT/NAME or VAULT/secrets/NAME, with /VERSION or without" :
			   "it is not VAULT/NAME or VAULT/keys/NAME, with /VERSION or without";
	if (n < name + 1 || n > name + 2)
		return -EINVAL;
	*why = "the name of a vault has 1 to 63 of 0-9 A-Z a-z and '-', no '-' at an end";
	if (!is_vault(parts[0].p, parts[0].len))
		return -EINVAL;
	*why = "its name has 1 to 127 of 0-9 A-Z a-z and '-'";
	if (!is_name(parts[name].p, parts[name].len, KVAULT_OBJECT_NAME_MAX))
		return -EINVAL;
	return 0;
}

int kvault_address_parse_as(enum kvault_object type, const char *text,
			    struct kvault_address *ret, const char **ret_why)
{
	bool is_secret = type == KVAULT_OBJECT_SECRET;
	struct kvault_address a = { .type = type };
	const char *word = collection(type);
	struct part parts[PARTS_MAX];
	const char *unused;
	size_t n = 0, name = 1;

	if (!ret_why)
		ret_why = &unused;
	*ret_why = is_secret ?
		   "the URL of a secret is https://VAULT.SUFFIX/secrets/NAME[/VERSION]" :
		   "the URL of a key is https://VAULT.SUFFIX/keys/NAME, with /VERSION or without";
	if (!strncmp(text, "https://", 8)) {
		if (split_url(text + 8, word, parts, &n))
			return -EINVAL;
	} else {
		if (!strncmp(text, "kvault:", 7))
			text += 7;
		n = split(text + (*text == '/'), parts);
	}
	if (n >= 3 && is_word(&parts[1], word))
		name = 2;
	*ret_why = is_secret ? "it names no secret" : "it names no key";
	if (n >= 3 && is_other(&parts[1], word))
		return -EINVAL;
	if (check_parts(parts, n, name, is_secret, ret_why))
		return -EINVAL;
	if (n == name + 2 && set_version(&parts[name + 1], &a, ret_why))
		return -EINVAL;
	memcpy(a.vault, parts[0].p, parts[0].len);
	memcpy(a.name, parts[name].p, parts[name].len);
	*ret = a;
	return 0;
}

int kvault_address_parse(const char *text, struct kvault_address *ret, const char **ret_why)
{
	return kvault_address_parse_as(KVAULT_OBJECT_KEY, text, ret, ret_why);
}

void kvault_address_format(const struct kvault_address *a, char *out, size_t size)
{
	snprintf(out, size, "%s/%s/%s%s%s", a->vault, collection(a->type), a->name,
		 a->version[0] ? "/" : "", a->version);
}
