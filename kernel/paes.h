/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KV_PAES_H
#define _KV_PAES_H

#include <linux/kconfig.h>
#include <linux/types.h>

/* On s390 the name xts(paes) belongs to the machine's own protected keys. */
#if IS_ENABLED(CONFIG_S390)
static inline int kv_paes_init(void)
{
	return 0;
}

static inline void kv_paes_exit(void)
{
}

static inline bool kv_paes_is_built(void)
{
	return false;
}
#else
int kv_paes_init(void);
void kv_paes_exit(void);

static inline bool kv_paes_is_built(void)
{
	return true;
}
#endif

#endif /* _KV_PAES_H */
