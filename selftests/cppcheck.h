/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For cppcheck, which reads the module without the kernel's headers: macros
 * that it would take for calls.
 */
void *kv_any(void *);

#define list_for_each_entry(p, h, m)	for (p = kv_any(h); p; p = kv_any(p))
#define list_for_each_entry_safe(p, n, h, m) \
	for (p = kv_any(h), n = kv_any(p); p; p = n, n = kv_any(n))
#define list_for_each_entry_safe_reverse(p, n, h, m) \
	for (p = kv_any(h), n = kv_any(p); p; p = n, n = kv_any(n))
#define xa_for_each(x, i, p)		for (i = 0, p = kv_any(x); p; i++, p = kv_any(x))
#define for_each_process_thread(p, t)	for (p = kv_any(0), t = p; t; t = kv_any(t))
#define for_each_possible_cpu(c)	for (c = 0; c < 4; c++)
#define DEFINE_MUTEX(m)			struct mutex m
#define DEFINE_SPINLOCK(m)		spinlock_t m
#define LIST_HEAD(l)			struct list_head l
#define KV_STATIC			static
