// SPDX-License-Identifier: GPL-2.0-only
#include "util/json.h"

static bool is_deeper_than(const json_t *j, unsigned int depth)
{
	const char *name;
	json_t *v;
	size_t i;

	if (!json_is_object(j) && !json_is_array(j))
		return false;
	if (!depth)
		return true;
	if (json_is_array(j)) {
		json_array_foreach(j, i, v)
			if (is_deeper_than(v, depth - 1))
				return true;
		return false;
	}
	json_object_foreach((json_t *)j, name, v)
		if (is_deeper_than(v, depth - 1))
			return true;
	return false;
}

int kvd_json_parse(const void *data, size_t len, json_t **ret, struct kvd_why *why)
{
	_cleanup_json_ json_t *j = NULL;
	json_error_t err;

	j = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
	if (!j) {
		if (json_error_code(&err) == json_error_out_of_memory)
			return -ENOMEM;
		/* The text of the error can quote the input: say the place alone. */
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "The body is not JSON: line %d, column %d", err.line,
				  err.column);
	}
	if (!json_is_object(j))
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "The body is not a JSON object");
	if (is_deeper_than(j, KVD_JSON_DEPTH))
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "The body is nested too deeply");
	*ret = TAKE_PTR(j);
	return 0;
}

char *kvd_json_canonical(const json_t *j)
{
	return json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

static bool is_listed(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

int kvd_json_only(const json_t *obj, const char *const *names, const char *where,
		  struct kvd_why *why)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)obj, name, v)
		if (!is_listed(name, names))
			return kvd_refuse(why, KVD_E_BAD_PARAMETER,
					  "Unknown member '%.40s' in %s", name, where);
	return 0;
}

static const json_t *member(const json_t *obj, const char *name)
{
	const json_t *v = json_object_get(obj, name);

	return json_is_null(v) ? NULL : v;
}

int kvd_json_str(const json_t *obj, const char *name, const char **ret, struct kvd_why *why)
{
	const json_t *v = member(obj, name);

	if (!v)
		return 0;
	if (!json_is_string(v))
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "'%s' is not a string", name);
	if (strlen(json_string_value(v)) != json_string_length(v))
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "'%s' contains a NUL", name);
	*ret = json_string_value(v);
	return 0;
}

int kvd_json_bool(const json_t *obj, const char *name, bool *ret, struct kvd_why *why)
{
	const json_t *v = member(obj, name);

	if (!v)
		return 0;
	if (!json_is_boolean(v))
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "'%s' is not true or false", name);
	*ret = json_is_true(v);
	return 0;
}

int kvd_json_uint(const json_t *obj, const char *name, uint64_t max, uint64_t *ret,
		  struct kvd_why *why)
{
	const json_t *v = member(obj, name);

	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > max)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "'%s' is not a whole number from 0 to %llu", name,
				  (unsigned long long)max);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

int kvd_json_obj(const json_t *obj, const char *name, json_t **ret, struct kvd_why *why)
{
	const json_t *v = member(obj, name);

	if (!v)
		return 0;
	if (!json_is_object(v))
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "'%s' is not an object", name);
	*ret = (json_t *)v;
	return 0;
}

int kvd_json_check_tags(const json_t *tags, struct kvd_why *why)
{
	const char *name;
	json_t *v;

	if (json_object_size(tags) > 15)
		return kvd_refuse(why, KVD_E_BAD_PARAMETER, "More than 15 tags");
	json_object_foreach((json_t *)tags, name, v) {
		if (!*name || strlen(name) > 256)
			return kvd_refuse(why, KVD_E_BAD_PARAMETER,
					  "The name of a tag has not 1 to 256 bytes");
		if (!json_is_string(v) || json_string_length(v) > 256 ||
		    strlen(json_string_value(v)) != json_string_length(v))
			return kvd_refuse(why, KVD_E_BAD_PARAMETER,
					  "Tag '%.40s' is not a string of up to 256 bytes", name);
	}
	return 0;
}

json_t *kvd_json_bytes(const void *data, size_t len)
{
	_cleanup_free_ char *out = NULL;
	const unsigned char *p = data;
	json_t *j;
	size_t i, n = 0;

	j = json_stringn(data, len);
	if (j && !memchr(data, 0, len))
		return j;
	json_decref(j);
	out = malloc(len * 4 + 1);
	if (!out)
		return NULL;
	for (i = 0; i < len; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\')
			out[n++] = (char)p[i];
		else
			n += (size_t)sprintf(out + n, "\\x%02x", p[i]);
	}
	return json_stringn(out, n);
}

int kvd_json_set(json_t *obj, const char *name, json_t *value)
{
	if (!value || json_object_set_new(obj, name, value))
		return -ENOMEM;
	return 0;
}
