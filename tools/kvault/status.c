// SPDX-License-Identifier: GPL-2.0-only
/* status and whoami: what the kernel and kvaultd say of themselves and of me. */
#include <stdlib.h>

#include "cli.h"

static const char *const kinds[] = {
	[KVAULT_TENANT_UNSPEC] = "unknown",
	[KVAULT_TENANT_HOST] = "host",
	[KVAULT_TENANT_EPHEMERAL] = "ephemeral",
	[KVAULT_TENANT_PERSISTENT] = "persistent",
};

static const char *const daemons[] = {
	[KVAULT_DAEMON_ABSENT] = "absent",
	[KVAULT_DAEMON_PRESENT] = "present",
	[KVAULT_DAEMON_LOST] = "lost",
};

static json_t *kernel_json(const struct kvault_info *info)
{
	char tenant[2 * KVAULT_ID_SIZE + 1];

	kvault_hex_encode(tenant, info->tenant, KVAULT_ID_SIZE);
	return json_pack("{s:[i,i], s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:{s:b, s:b, s:b},"
			 " s:{s:s, s:s}}",
			 "abi", (int)info->abi_min, (int)info->abi, "daemon",
			 daemons[info->daemon % ARRAY_SIZE(daemons)], "rootKey",
			 (int)info->has_root, "objects", (json_int_t)info->objects, "objectsMax",
			 (json_int_t)info->objects_max, "handles", (json_int_t)info->handles,
			 "handlesMax", (json_int_t)info->handles_max, "opensslEngines",
			 (json_int_t)info->openssl_engines, "pkcs11Engines",
			 (json_int_t)info->pkcs11_engines, "features", "paes",
			 !!(info->features & KVAULT_FEATURE_PAES), "aesni",
			 !!(info->features & KVAULT_FEATURE_AESNI), "fscrypt",
			 !!(info->features & KVAULT_FEATURE_FSCRYPT), "tenant", "id", tenant,
			 "kind", kinds[info->tenant_kind % ARRAY_SIZE(kinds)]);
}

static void add(json_t *warnings, const char *text)
{
	json_array_append_new(warnings, json_string(text));
}

/* What the kernel alone knows; the daemon's own warnings are behind it. */
static void kernel_warnings(const struct kvault_info *info, json_t *warnings)
{
	if (info->daemon != KVAULT_DAEMON_PRESENT)
		add(warnings, "kvaultd does not serve: only keys that are in use go on working. "
		    "See 'systemctl status kvaultd'");
	if (!info->has_root)
		add(warnings, "Sealed: no root key is loaded, and nothing can be opened. "
		    "See 'systemctl status kvault-root'; where the store came from another "
		    "machine, '/usr/libexec/kvault/kvault-root recover' opens it");
	if (!info->openssl_engines)
		add(warnings, "No engine for software keys: RSA and EC keys do not work. "
		    "See 'systemctl status kvault-engine-openssl'");
	if (!(info->features & KVAULT_FEATURE_AESNI))
		add(warnings, "This CPU has no AES instructions: AES uses tables, whose timing can "
		    "be watched by who shares the CPU");
}

static void honest(json_t *lines)
{
	add(lines, "Who can load kernel modules or read kernel memory can take every key");
	add(lines, "What an application decrypts is in that application's memory");
}

static void print_list(const char *title, const json_t *list)
{
	const json_t *v;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		v = json_array_get(list, i);
		printf("%-12s%s\n", i ? "" : title, json_string_value(v));
	}
}

static void print_daemon(const json_t *d)
{
	int64_t up = cli_int(d, "daemon.uptime");
	const json_t *slots = json_object_get(json_object_get(d, "root"), "slots");

	printf("%-12sversion %s, pid %lld, up %lld h %02lld min\n", "daemon",
	       cli_str(d, "daemon.version"), (long long)cli_int(d, "daemon.pid"),
	       (long long)(up / 3600), (long long)(up / 60 % 60));
	if (slots)
		printf("%-12s%zu slots, recovery code: %s\n", "root", json_array_size(slots),
		       json_is_true(json_object_get(json_object_get(d, "root"), "recovery")) ?
		       "yes" : "none");
	/* only who may read the log is told how long it is */
	if (json_object_get(json_object_get(d, "audit"), "records"))
		printf("%-12s%lld records\n", "audit", (long long)cli_int(d, "audit.records"));
}

static void print_status(const json_t *j)
{
	const json_t *k = json_object_get(j, "kernel"), *d = json_object_get(j, "status");

	printf("%-12sABI %lld to %lld\n", "module", (long long)cli_int(k, "abi.0"),
	       (long long)cli_int(k, "abi.1"));
	printf("%-12s%s (%s)\n", "tenant", cli_str(k, "tenant.kind"), cli_str(k, "tenant.id"));
	printf("%-12s%lld of %lld key versions in the kernel, %lld of %lld handles\n", "",
	       (long long)cli_int(k, "objects"), (long long)cli_int(k, "objectsMax"),
	       (long long)cli_int(k, "handles"), (long long)cli_int(k, "handlesMax"));
	if (d)
		print_daemon(d);
	else
		printf("%-12s%s\n", "daemon", cli_str(k, "daemon"));
	printf("%-12s%lld openssl, %lld pkcs11\n", "engines",
	       (long long)cli_int(k, "opensslEngines"), (long long)cli_int(k, "pkcs11Engines"));
	print_list("warning", json_object_get(j, "warnings"));
	print_list("not safe", json_object_get(j, "notProtected"));
}

int cli_status(struct cli *c)
{
	json_t *all = NULL, *warnings = json_array(), *limits = json_array(), *d = NULL;
	struct kvault_info info;
	int r, down = 0;

	r = cli_open(c);
	if (!r) {
		r = kvault_get_info(c->kv, &info);
		if (r)
			r = cli_errno(c, r, "ask the module");
	}
	if (r)
		goto out;
	kernel_warnings(&info, warnings);
	honest(limits);
	down = info.daemon == KVAULT_DAEMON_PRESENT && info.has_root ? 0 : CLI_UNAVAILABLE;
	if (info.daemon == KVAULT_DAEMON_PRESENT) {
		r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/status", NULL, NULL,
						    "ask kvaultd" }, &d);
		if (r)
			down = r;
		else
			json_array_extend(warnings, json_object_get(d, "warnings"));
	}
	all = json_pack("{s:o, s:O*, s:O, s:O}", "kernel", kernel_json(&info), "status", d,
			"warnings", warnings, "notProtected", limits);
	if (!cli_has(c, OPT_CHECK)) {
		if (cli_for_people(c, all, &r) && !cli_has(c, OPT_QUIET))
			print_status(all);
		r = r ? r : down;
	} else {
		r = down ? CLI_UNAVAILABLE : json_array_size(warnings) ? CLI_NO : CLI_DONE;
	}
out:
	json_decref(all);
	json_decref(d);
	json_decref(warnings);
	json_decref(limits);
	return r;
}

static void print_roles(const json_t *roles)
{
	const json_t *v;
	size_t i;

	for (i = 0; i < json_array_size(roles); i++) {
		v = json_array_get(roles, i);
		printf("%-12s%s at %s\n", i ? "" : "roles", cli_str(v, "role"),
		       cli_str(v, "scope"));
	}
}

int cli_whoami(struct cli *c)
{
	const json_t *p;
	json_t *j = NULL;
	int r;

	r = cli_call(c, &(struct cli_call){ KVAULT_METHOD_GET, "/whoami", NULL, NULL,
					    "ask who I am" }, &j);
	if (r)
		return r;
	if (cli_for_people(c, j, &r)) {
		p = json_object_get(j, "principal");
		printf("%-12s%s (%s)\n", "tenant", cli_str(j, "kind"), cli_str(j, "tenant"));
		printf("%-12s%lld, gid %lld\n", "uid", (long long)cli_int(p, "uid"),
		       (long long)cli_int(p, "gid"));
		if (json_is_integer(json_object_get(p, "login_uid")))
			printf("%-12s%lld\n", "login uid", (long long)cli_int(p, "login_uid"));
		if (cli_str(p, "unit"))
			printf("%-12s%s\n", "unit", cli_str(p, "unit"));
		if (cli_str(p, "exe"))
			printf("%-12s%s\n", "executable", cli_str(p, "exe"));
		if (json_is_true(json_object_get(p, "admin")))
			printf("%-12sadministrator of this tenant (CAP_SYS_ADMIN in its user "
			       "namespace)\n", "admin");
		print_roles(json_object_get(j, "roles"));
	}
	json_decref(j);
	return r;
}
