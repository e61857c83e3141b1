/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

/* Has the control plane start again, and waits for it. */
enum ctl_exit restart_gateway(struct client *c, const struct ctl_args *a, struct err *e);
