/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the gateway's management socket. */
#pragma once

#include <jansson.h>

#include "ctl/exit.h"
#include "lib/base/err.h"

#define CLIENT_TIMEOUT_S 15
#define CLIENT_ANSWER_MAX (256u << 20)

struct client;

/* CTL_UNREACHABLE with the reason. */
enum ctl_exit client_open(const char *socket, struct client **out, struct err *e);
void client_close(struct client *c);

/*
 * Asks and waits for the answer. args: reference taken over, NULL for none. *data is the caller's.
 * CTL_REFUSED with the gateway's own words, or CTL_UNREACHABLE when no answer comes within CLIENT_TIMEOUT_S
 * or it is not one.
 */
enum ctl_exit client_ask(struct client *c, const char *op, json_t *args, json_t **data, struct err *e);
