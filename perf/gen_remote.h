/* SPDX-License-Identifier: Apache-2.0 */
/* A data plane of another process, spoken to at its socket in the control plane's place. */
#pragma once

#include "lib/base/err.h"
#include "lib/msg/dp_msg.h"

struct remote; /* opaque */

/* Connects and greets. errno values of the socket; -ETIMEDOUT: nobody answers. */
int remote_open(const char *socket, struct remote **out, struct err *err);
void remote_close(struct remote *r); /* sessions stay. NULL is ignored */

/* A command and its answer, for gen_program(): what the DP_ACK says. user: struct remote. */
int remote_command(void *user, union dp_msg *m);
int remote_stats(void *user, struct dp_stats_global *out);
