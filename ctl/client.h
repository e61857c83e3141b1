/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the gateway's management socket. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "ctl/exit.h"
#include "lib/base/err.h"

#define CLIENT_TIMEOUT_S 15
#define CLIENT_ANSWER_MAX (256u << 20)

struct client;

/* CTL_UNREACHABLE with the reason. */
enum ctl_exit client_open(const char *socket, struct client **out, struct err *e);
void client_close(struct client *c);

/* How long to wait for an answer from now on; 0: for ever. False: the system says no. */
bool client_patience(struct client *c, unsigned seconds);

/* Says who asks, for the history. Only CTL_UNREACHABLE is an error. */
enum ctl_exit client_hello(struct client *c, struct err *e);

/*
 * Asks and waits for the answer. args: reference taken over, NULL for none. *data is the caller's, an empty
 * object when there is none; data may be NULL. The gateway's warnings go to stderr. CTL_REFUSED or CTL_FAILED
 * with the gateway's own words, or CTL_UNREACHABLE when no answer comes in time or it is not one.
 */
enum ctl_exit client_ask(struct client *c, const char *op, json_t *args, json_t **data, struct err *e);

/* The gateway has closed the connection, and no sooner. CTL_UNREACHABLE: it has not in all the time that it
 * was given. */
enum ctl_exit client_wait_for_end(struct client *c, struct err *e);

/* The next notification after 'subscribe', the caller's. CTL_UNREACHABLE as above. */
enum ctl_exit client_next(struct client *c, json_t **notification, struct err *e);
