// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module init and exit, nothing else. What can fail because others have the
 * name comes before the nodes: a file may be opened as soon as its node is
 * there, and lives on when the init fails after that.
 */
#include <linux/init.h>
#include <linux/module.h>
#include "audit.h"
#include "crypto.h"
#include "device.h"
#include "grant.h"
#include "ioctl.h"
#include "keytype.h"
#include "live.h"
#include "netlink.h"
#include "object.h"
#include "paes.h"
#include "power.h"
#include "seal.h"
#include "tenant.h"
#include "upcall.h"

static const struct kv_tenant_ops kv_tenant_end = {
	.wipe = kv_object_wipe_all,
	.gone = kv_upcall_tenant_gone,
};

static int __init kv_init(void)
{
	int ret;

	kv_tenant_set_ops(&kv_tenant_end);
	ret = kv_crypto_init();
	if (ret)
		return ret;
	ret = kv_object_init();
	if (ret)
		goto out_crypto;
	ret = kv_tenant_init();
	if (ret)
		goto out_object;
	ret = kv_upcall_init();
	if (ret)
		goto out_tenant;
	ret = kv_grant_init();
	if (ret)
		goto out_upcall;
	ret = kv_power_init();
	if (ret)
		goto out_grant;
	ret = kv_paes_init();
	if (ret)
		goto out_power;
	ret = kv_keytype_init();
	if (ret)
		goto out_paes;
	ret = kv_netlink_init();
	if (ret)
		goto out_keytype;
	ret = kv_control_init();
	if (ret)
		goto out_netlink;
	ret = kv_device_init();
	if (ret)
		goto out_control;
	return 0;

out_control:
	kv_control_exit();
out_netlink:
	kv_netlink_exit();
out_keytype:
	kv_keytype_exit();
out_paes:
	kv_paes_exit();
out_power:
	kv_power_exit();
out_grant:
	kv_grant_exit();
out_upcall:
	kv_upcall_exit();
out_tenant:
	kv_tenant_exit();
	kv_seal_exit();
out_object:
	kv_object_exit();
out_crypto:
	kv_crypto_exit();
	kv_live_check();
	return ret;
}

static void __exit kv_exit(void)
{
	kv_device_exit();
	kv_control_exit();
	kv_netlink_exit();
	kv_keytype_exit();
	kv_paes_exit();
	kv_power_exit();
	kv_upcall_exit();
	kv_tenant_exit();
	kv_grant_exit();
	kv_object_exit();
	kv_seal_exit();
	kv_crypto_exit();
	kv_live_check();
}

module_init(kv_init);
module_exit(kv_exit);

MODULE_DESCRIPTION("A key vault: keys that anything on the host can use and nobody can see");
MODULE_LICENSE("GPL");
