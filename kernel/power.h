/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_POWER_H
#define _KV_POWER_H

int kv_power_init(void);
void kv_power_exit(void);
void kv_power_wipe(void);

#endif /* _KV_POWER_H */
