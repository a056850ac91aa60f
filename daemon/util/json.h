/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON as callers may send it: strict UTF-8, no member twice, nothing behind
 * the value, nothing deeper than KVD_JSON_DEPTH, no member that the reader did
 * not ask for. A reader asks for each member once, and kvd_json_done() names
 * what is left over.
 */
#ifndef KVD_UTIL_JSON_H
#define KVD_UTIL_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "util/error.h"

#define KVD_JSON_DEPTH	16

static inline void kvd_json_decref_cleanup(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_json_	_cleanup_(kvd_json_decref_cleanup)

/* An object; KVD_E_BAD_PARAMETER with a reason, or -ENOMEM. */
int kvd_json_parse(const void *data, size_t len, json_t **ret, struct kvd_why *why);

/* Sorted keys, compact, UTF-8: what is hashed and stored. NULL: no memory. */
char *kvd_json_canonical(const json_t *j);

/* Names the first member of obj that is not in the list, which ends with NULL. */
int kvd_json_only(const json_t *obj, const char *const *names, const char *where,
		  struct kvd_why *why);

/*
 * Typed members. Absent or null leaves *ret as it was; another type is
 * KVD_E_BAD_PARAMETER. Strings and objects are borrowed.
 */
int kvd_json_str(const json_t *obj, const char *name, const char **ret, struct kvd_why *why);
int kvd_json_bool(const json_t *obj, const char *name, bool *ret, struct kvd_why *why);
int kvd_json_uint(const json_t *obj, const char *name, uint64_t max, uint64_t *ret,
		  struct kvd_why *why);
int kvd_json_obj(const json_t *obj, const char *name, json_t **ret, struct kvd_why *why);

/* tags: string members only, at most 15, 256 bytes each. */
int kvd_json_check_tags(const json_t *tags, struct kvd_why *why);

/* A string of bytes that need not be UTF-8: what is not becomes \xNN. */
json_t *kvd_json_bytes(const void *data, size_t len);

/* json_object_set_new() that treats a value of NULL as what it is: no memory. */
int kvd_json_set(json_t *obj, const char *name, json_t *value);

#endif /* KVD_UTIL_JSON_H */
