// SPDX-License-Identifier: GPL-2.0
/* kvault: module init and exit, nothing else. */
#include <linux/init.h>
#include <linux/module.h>

static int __init kv_init(void)
{
	return 0;
}

static void __exit kv_exit(void)
{
}

module_init(kv_init);
module_exit(kv_exit);

MODULE_DESCRIPTION("A key vault: keys that anything on the host can use and nobody can see");
MODULE_LICENSE("GPL");
