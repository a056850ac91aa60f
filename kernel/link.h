/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_LINK_H
#define _KV_LINK_H

#include <linux/types.h>
#include <linux/kvault_control.h>

struct file;
struct sock;

int kv_link_claim(struct file *file, struct kvault_claim *arg);
void kv_link_release(struct file *file);
bool kv_link_is_claimant(const struct file *file);
u64 kv_link_generation(void);
u32 kv_link_state(void);
int kv_link_hello(const u8 *nonce, u32 portid, const struct sock *sk, const u8 *store,
		  const u8 *tenant, u64 epoch, u64 revision);
int kv_link_check(u32 portid, const struct sock *sk);
void kv_link_seen(u64 revision);
void kv_link_bye(void);
void kv_link_port_gone(u32 portid);
void kv_link_audit_ready(void);

#endif /* _KV_LINK_H */
