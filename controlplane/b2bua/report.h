/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of calls: the management operations show-calls, show-call, show-stats and show-trunks.
 */
#pragma once

#include "controlplane/b2bua/b2bua.h"

struct mgmt;

/* Registers the operations. b outlives m. -EEXIST, -ENOMEM. */
int report_register(struct mgmt *m, struct b2bua *b);
