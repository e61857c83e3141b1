/* SPDX-License-Identifier: Apache-2.0 */
/* How the standby stands, for Prometheus (text format 0.0.4): the textfile collector of its node exporter. */
#pragma once

#include <stdio.h>

#include "controlplane/standby/status.h"

/* s: NULL: nobody receives. */
void status_metrics(const struct standby_status *s, FILE *to);
