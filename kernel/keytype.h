/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_KEYTYPE_H
#define _KV_KEYTYPE_H

int kv_keytype_init(void);
void kv_keytype_exit(void);

#endif /* _KV_KEYTYPE_H */
