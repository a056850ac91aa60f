/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVE_PARENT_H
#define KVE_PARENT_H

#include "engine/engine.h"

struct kve_parent_options {
	const struct kve_backend *backend;
	const char *config;		/* or NULL */
	unsigned int workers_max;
};

/* Keeps workers until SIGTERM; returns the exit status. */
int kve_parent_run(const struct kve_parent_options *options);

#endif /* KVE_PARENT_H */
