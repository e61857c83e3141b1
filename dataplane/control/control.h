/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main thread's side of the data plane: takes the control plane's messages, keeps the directory of
 * session ids, derives keys, hands commands to the owning workers, and gives back acknowledgements and
 * events. No sockets: the server (server.h), tests and benches pass messages in and a function that takes
 * messages out.
 *
 *   struct control_conf conf = {.workers = ..., .out = got_message, ...};
 *   control_open(&conf, &c, &err);
 *   control_handle(c, &message);              a command; its DP_ACK comes out by itself, now or later
 *   worker_step(worker, now); control_poll(c) until it has come
 *
 * Single-threaded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/port/port.h"
#include "dataplane/session/leg_table.h"
#include "dataplane/worker.h"
#include "lib/base/err.h"
#include "lib/msg/dp_msg.h"

struct control; /* opaque */

struct control_conf {
	uint32_t sessions; /* as the workers were given */
	uint32_t n_workers;
	struct worker *const *workers;
	struct leg_table *table;
	uint16_t n_ports;
	struct port *const *ports; /* told the media addresses; NULL entries are not allowed */
	const struct neighbour *neighbour; /* asked for its figures */
	const struct crypto_backend *backend;
	/*
	 * Takes a message out. 0, or a negative value: it could not be taken now. Acknowledgements and events
	 * then wait: control_poll() stops and tries the same message again at its next call.
	 */
	int (*out)(void *user, union dp_msg *m);
	void *user;
};

int control_open(const struct control_conf *conf, struct control **out, struct err *err); /* -ENOMEM */
/* The workers have stopped. Frees what they hold from here. NULL is ignored. */
void control_close(struct control *c);

/* A message that passed dp_msg_check(). Key material in it is wiped on return. Answers through `out`. */
void control_handle(struct control *c, union dp_msg *m);

/* Moves what the workers have answered and reported. Messages moved. */
unsigned control_poll(struct control *c);

/*
 * Looks at the ports' links once a second and reports what has changed: DP_ALARM. now: ns.
 */
void control_links(struct control *c, uint64_t now);

/*
 * Is there room for another command, and is nothing waiting to go out? A server reads its socket only then,
 * so that a flood of commands waits there and not in memory.
 */
bool control_ready(const struct control *c);

/*
 * The control plane's connection is a new one: answers still under way are for nobody; sessions and their
 * events stay. listening false: nobody is there; events wait in the workers. Whoever is there is told of every
 * alarm that lasts, of a worker or a link, with the next control_poll() or control_links().
 */
void control_connection(struct control *c, bool listening);

uint32_t control_sessions(const struct control *c);                     /* in use */
void control_sum(const struct control *c, struct dp_stats_global *sum); /* header untouched, counters added */
