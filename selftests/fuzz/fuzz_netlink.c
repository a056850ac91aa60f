// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kvaultd's link makes of netlink messages: lists of tenants and engines,
 * counts, errors with their text. link.c is part of this program, so that what
 * it keeps to itself can be called; a socket pair stands in for netlink.
 *
 * The input: a byte that says which operation, then datagrams, two bytes of
 * length before each. Type, sequence number and port are set right, or not.
 * pkgs: jansson libsystemd libnl-3.0 libnl-genl-3.0 sqlite3 libcrypto
 */
#include "fuzz.h"
#include "../../daemon/link.c"

static int count_tenant(const struct kvd_kernel_tenant *t, void *data)
{
	MUST(t);
	return ++*(int *)data > 100 ? -E2BIG : 0;
}

static int count_engine(const struct kvd_kernel_engine *e, void *data)
{
	MUST(e);
	return ++*(int *)data > 100 ? -E2BIG : 0;
}

/* One message as libnl gives it to us, after its own checks of the frame. */
static void give(struct call *call, struct nlmsghdr *nlh, size_t len)
{
	struct nl_msg *msg;

	if (len < sizeof(*nlh))
		return;
	nlh->nlmsg_len = (uint32_t)len;
	msg = nlmsg_convert(nlh);
	MUST(msg);
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		/* libnl looks at the length before it calls */
		if (nlmsg_datalen(nlmsg_hdr(msg)) >= (int)sizeof(struct nlmsgerr))
			on_error(NULL, nlmsg_data(nlmsg_hdr(msg)), call);
		break;
	case NLMSG_DONE:
		on_done(msg, call);
		break;
	default:
		if (genlmsg_valid_hdr(nlmsg_hdr(msg), 0))
			on_valid(msg, call);
	}
	MUST(memchr(call->text, 0, sizeof(call->text)));
	nlmsg_free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int seen = 0, count = 0;
	bool has_root = false;
	struct dump dump = { .tenant = count_tenant, .engine = count_engine, .data = &seen };
	struct call calls[] = {
		{ .fn = take_tenant, .data = &dump }, { .fn = take_engine, .data = &dump },
		{ .fn = take_count, .data = &count }, { .fn = take_has_root, .data = &has_root },
		{ 0 },
	};
	struct call *call;
	uint8_t which = 0;
	size_t len;

	fuzz_take(&data, &size, &which, 1);
	call = &calls[which % ARRAY_SIZE(calls)];
	call->seq = 7;
	call->result = 1;
	while (size > 2) {
		union {
			struct nlmsghdr nlh;
			uint8_t bytes[1024];
		} u;

		len = data[0];
		data++;
		size--;
		len = fuzz_take(&data, &size, u.bytes, len * 4);
		give(call, &u.nlh, len);
	}
	MUST(count >= 0);
	return 0;
}
