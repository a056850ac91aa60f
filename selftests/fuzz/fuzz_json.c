// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON bodies as kvaultd reads them: what is written canonically is read again
 * and written the same.
 * pkgs: jansson
 */
#include "fuzz.h"
#include "util/json.h"

static void look(json_t *j)
{
	static const char *const names[] = { "kty", "tags", "attributes", NULL };
	struct kvd_why why = { "" };
	const char *text;
	uint64_t n;
	json_t *obj;
	bool flag;

	kvd_json_only(j, names, "the body", &why);
	kvd_json_str(j, "kty", &text, &why);
	kvd_json_bool(j, "enabled", &flag, &why);
	if (!kvd_json_uint(j, "exp", 1000, &n, &why) && json_object_get(j, "exp"))
		MUST(json_is_null(json_object_get(j, "exp")) || n <= 1000);
	if (!kvd_json_obj(j, "tags", &obj, &why) && json_object_get(j, "tags"))
		kvd_json_check_tags(json_object_get(j, "tags"), &why);
	MUST(memchr(why.text, 0, sizeof(why.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvd_why why = { "" };
	json_t *j = NULL, *again = NULL, *bytes;
	char *text, *twice;

	bytes = kvd_json_bytes(data, size);
	MUST(bytes);
	json_decref(bytes);
	if (kvd_json_parse(data, size, &j, &why)) {
		MUST(!j && memchr(why.text, 0, sizeof(why.text)));
		return 0;
	}
	MUST(json_is_object(j));
	look(j);
	text = kvd_json_canonical(j);
	MUST(text);
	MUST(!kvd_json_parse(text, strlen(text), &again, &why));
	twice = kvd_json_canonical(again);
	MUST(twice && !strcmp(text, twice));
	free(text);
	free(twice);
	json_decref(j);
	json_decref(again);
	return 0;
}
