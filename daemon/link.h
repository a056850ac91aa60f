/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The link to the module: /dev/kvault-control for messages, generic netlink
 * for state. Blocking calls are those that the kernel answers at once; only
 * OBJECT_SET may wait, for input and output under way to end, and has a limit.
 */
#ifndef KVD_LINK_H
#define KVD_LINK_H

#include "core/context.h"

struct kvd_link;

int kvd_link_open(const char *device, struct kvd_link **ret, struct kvd_why *why);
struct kvd_link *kvd_link_close(struct kvd_link *link);

static inline void kvd_link_close_cleanup(struct kvd_link **link)
{
	kvd_link_close(*link);
}

/* Becomes the daemon: -EBUSY while another one is. */
int kvd_link_claim(struct kvd_link *link, uint64_t *ret_generation, struct kvd_why *why);
int kvd_link_hello(struct kvd_link *link, const struct kvd_meta *meta, bool *ret_has_root,
		   struct kvd_why *why);
int kvd_link_bye(struct kvd_link *link);

int kvd_link_fd(const struct kvd_link *link);

/* The next message into buf (KVAULT_MSG_MAX); its length, 0 for none. */
ssize_t kvd_link_next(struct kvd_link *link, uint8_t *buf);
int kvd_link_reply(struct kvd_link *link, const void *msg, size_t len);

/* Audit records into buf; bytes that were written. */
ssize_t kvd_link_audit(struct kvd_link *link, void *buf, size_t size, bool *ret_more);
int kvd_link_audit_ack(struct kvd_link *link, const uint8_t *tenant, uint64_t seq);

/* The table for the rest of the daemon; valid as long as the link. */
const struct kvd_kernel *kvd_link_kernel(struct kvd_link *link);

#endif /* KVD_LINK_H */
