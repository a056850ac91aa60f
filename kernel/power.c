// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys and the machine's sleep and end. An image of memory on a disk would
 * hold every key, so the machine does not hibernate while keys are loaded.
 * Before it restarts, halts or starts another kernel by kexec they are wiped;
 * best effort, since whoever can do that can read memory as well.
 *
 * Suspend to memory changes nothing: keys stay where they are.
 */
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>
#include "object.h"
#include "power.h"
#include "seal.h"
#include "tenant.h"

/* With a root key there are KEKs, and with a tenant there is its own. */
static bool has_keys(void)
{
	struct kv_tenant *t = NULL;
	bool found = kv_root_is_set();

	while (!found && (t = kv_tenant_next(t)))
		found = t != kv_tenant_host();
	if (t)
		kv_tenant_put(t);
	return found;
}

static int on_pm(struct notifier_block *nb, unsigned long event, void *unused)
{
#ifndef KVAULT_MUTANT_HIBERNATE
	if (event == PM_HIBERNATION_PREPARE && has_keys())
		return notifier_from_errno(-EBUSY);
#endif
	return NOTIFY_DONE;
}

/**
 * kv_power_wipe() - no key is left in memory
 *
 * Volumes stop, engines are killed, and nothing can be opened any more until
 * the module is loaded anew.
 */
void kv_power_wipe(void)
{
	struct kv_tenant *t = NULL;

	kv_seal_exit();
	while ((t = kv_tenant_next(t))) {
		kv_kek_wipe(t);
		kv_object_wipe_all(t);
	}
}

static int on_reboot(struct notifier_block *nb, unsigned long event, void *unused)
{
	kv_power_wipe();
	return NOTIFY_DONE;
}

static struct notifier_block kv_pm_nb = { .notifier_call = on_pm };
/* after those of drivers that write to their disks, which may be volumes */
static struct notifier_block kv_reboot_nb = { .notifier_call = on_reboot, .priority = INT_MIN };

/**
 * kv_power_init() - hear of it
 *
 * Return: 0; -errno of the notifier chains.
 */
int kv_power_init(void)
{
	int ret;

	ret = register_pm_notifier(&kv_pm_nb);
	if (ret)
		return ret;
	ret = register_reboot_notifier(&kv_reboot_nb);
	if (ret)
		unregister_pm_notifier(&kv_pm_nb);
	return ret;
}

/**
 * kv_power_exit() - hear no more
 */
void kv_power_exit(void)
{
	unregister_reboot_notifier(&kv_reboot_nb);
	unregister_pm_notifier(&kv_pm_nb);
}
