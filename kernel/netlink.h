/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_NETLINK_H
#define _KV_NETLINK_H

int kv_netlink_init(void);
void kv_netlink_exit(void);

#endif /* _KV_NETLINK_H */
