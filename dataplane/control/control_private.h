/* SPDX-License-Identifier: Apache-2.0 */
/* What control.c (answers and events), control_command.c (commands) and control_configure.c share. */
#pragma once

#include "dataplane/control/control.h"
#include "dataplane/control/directory.h"
#include "dataplane/control/mailbox.h"
#include "dataplane/port/link_watch.h"
#include "lib/base/secret.h"

#define CONTROL_WAITING 64         /* messages that `out` did not take at once */
#define CONTROL_ALARMS (WORKERS_MAX + PORTS_MAX) /* a crypto device each, a link each */
#define CONTROL_ADDRESSES_MAX 4096 /* of a configuration: address and range */

struct control {
	struct control_conf conf;
	struct directory directory;
	struct secret instance; /* random per start; not secret, but 8 random octets */
	uint32_t connection;    /* counts connections */
	bool listening;
	uint32_t first_waiting, n_waiting;
	union dp_msg waiting[CONTROL_WAITING];
	struct link_watch links;
	uint32_t n_alarms;
	struct control_alarm {
		struct dp_alarm newest;
		bool told_raised; /* what the control plane knows */
		uint64_t told_times;
	} alarms[CONTROL_ALARMS]; /* of those that were ever raised */

	/* DP_CONFIGURE: the pages so far, and what is in force */
	uint16_t pages, page;
	uint32_t n_staged, n_addresses;
	struct dp_address staged[CONTROL_ADDRESSES_MAX], addresses[CONTROL_ADDRESSES_MAX];
	struct leg_range ranges[CONTROL_ADDRESSES_MAX]; /* of staged, for the table */
};

struct control_answer {
	uint64_t seq;
	uint32_t type; /* enum dp_type of the command */
	int32_t result;
	dp_session_id session;
	const char *reason; /* NULL or "": strerror() */
};

struct mailbox *worker_mailbox(struct worker *w);

/* Out, or behind what waits already. -ENOBUFS. */
int control_emit(struct control *c, union dp_msg *m);
/* An acknowledgement, if the connection that asked is still the one. */
void control_ack(struct control *c, uint32_t connection, const struct control_answer *a);
/* A worker has done a command: answers it and gives it back. */
void control_done(struct control *c, struct mailbox *m, struct command *command);
/* Leg memory that a command carries. */
void control_free_memory(struct command *command);

/* Each port's figures, in answer to the command of this number. */
void control_port_stats(struct control *c, uint64_t seq);

/* The newest state of an alarm, a whole message; told with the next control_alarms_tell(). */
void control_alarm_note(struct control *c, const struct dp_alarm *a);
/* Says what has changed to whoever listens; what finds no room is said at the next call. */
void control_alarms_tell(struct control *c);
/* Somebody connected, who knows of no alarm: those that last are said again. */
void control_alarms_untold(struct control *c);

/* DP_CONFIGURE, one page. 0, or a negative errno value with the reason in err. */
int control_configure(struct control *c, const struct dp_configure *page, struct err *err);
/* The configured range that a leg's local port is in, or NULL. */
const struct dp_address *control_range(const struct control *c, const struct ip_port *local);
