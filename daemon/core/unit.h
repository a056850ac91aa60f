/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVD_CORE_UNIT_H
#define KVD_CORE_UNIT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The systemd unit that a cgroup path of the default hierarchy belongs to.
 * Only below folders that the system manager alone can make: slices from the
 * root on, under system.slice, user.slice, machine.slice, or init.scope.
 */
bool kvd_unit_of(const char *cgroup, char *ret, size_t size);

#endif /* KVD_CORE_UNIT_H */
