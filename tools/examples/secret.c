// SPDX-License-Identifier: GPL-2.0-only
/*
 * secret NAME: get the value of a secret into locked memory and use it, here
 * for the number of its bytes. With a second argument, set it from a file.
 *
 *	cc -o secret secret.c $(pkg-config --cflags --libs libkvault)
 *	./secret payroll/db-password
 */
#include <errno.h>
#include <fcntl.h>
#include <kvault.h>
#include <stdio.h>
#include <unistd.h>

/* Control operations are a method, a path and JSON; a value has its own buffer. */
static int set(struct kvault *kv, const char *path, const char *file)
{
	struct kvault_secret value = { 0 };
	struct kvault_reply reply;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : kvault_secret_read(fd, KVAULT_SECRET_MAX, &value);

	if (!r)
		r = kvault_control(kv, KVAULT_METHOD_PUT, path, "{\"contentType\":\"text/plain\"}",
				   value.data, value.len, &reply);
	kvault_secret_done(&value);
	if (fd >= 0)
		close(fd);
	if (r)
		return r;
	r = reply.status == 200 ? 0 : -EACCES;
	fprintf(r ? stderr : stdout, "%s\n", reply.body);
	kvault_reply_done(&reply);
	return r;
}

static int get(struct kvault *kv, const char *path)
{
	struct kvault_reply reply;
	int r = kvault_control(kv, KVAULT_METHOD_GET, path, NULL, NULL, 0, &reply);

	if (r)
		return r;
	if (reply.status == 200) {
		/* reply.secret is the value: locked, not in a core dump, wiped below */
		printf("%zu bytes\n", reply.secret_len);
	} else {
		/* a refusal is an answer too, with a code and a message that says why */
		fprintf(stderr, "%s\n", reply.body);
		r = -EACCES;
	}
	kvault_reply_done(&reply);
	return r;
}

int main(int argc, char **argv)
{
	struct kvault_address address;
	struct kvault *kv = NULL;
	char path[KVAULT_PATH_MAX + sizeof("/vaults/")] = "/vaults/";
	int r;

	if (argc < 2 || argc > 3 ||
	    kvault_address_parse_as(KVAULT_OBJECT_SECRET, argv[1], &address, NULL)) {
		fprintf(stderr, "usage: secret VAULT/NAME [FILE]\n");
		return 2;
	}
	kvault_address_format(&address, path + sizeof("/vaults/") - 1, KVAULT_PATH_MAX);
	r = kvault_open(&kv);
	if (!r)
		r = argc == 3 ? set(kv, path, argv[2]) : get(kv, path);
	if (r)
		fprintf(stderr, "secret: %s\n", kvault_strerror(r));
	kvault_close(kv);
	return r ? 3 : 0;
}
