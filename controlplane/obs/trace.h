/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signalling of calls, kept for operators: the last messages of each dialog, without their secrets (see
 * redact.h: a key is never in here). Memory is bounded in all and for each dialog; what is oldest goes first.
 * One thread, the loop's.
 *
 * Messages are found by the gateway's name for the call once trace_bind() has said which dialogs are its
 * legs, and by their Call-ID: that of a refused request stands in the log.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "lib/base/netaddr.h"
#include "lib/base/str.h"

#define TRACE_DIALOG_MESSAGES_MAX 100       /* of one leg */
#define TRACE_DIALOG_OCTETS_MAX (64u << 10) /* of one leg */
#define TRACE_MESSAGE_MAX 8192              /* of one message; the rest is cut off */

struct trace;

/* octets_max: all together, bookkeeping included; 0: nothing is kept. -ENOMEM, -EIO. */
int trace_new(size_t octets_max, struct trace **out);
/* Another bound from now on. What is too much by then goes, oldest first. */
void trace_limit(struct trace *t, size_t octets_max);
void trace_free(struct trace *t); /* NULL is allowed */

struct trace_message {
	bool sent;             /* by us */
	const char *transport; /* "udp", "tcp", "tls"; static */
	struct ip_port remote;
	struct str text;  /* the whole message */
	uint64_t time_ms; /* wall clock */
};

/*
 * Keeps a message. Ignored: what has no Call-ID, and methods that are of no call (OPTIONS, REGISTER and the
 * like), so that pings and scanners do not push calls out. Without memory it is not kept.
 */
void trace_note(struct trace *t, const struct trace_message *m);

/* The dialog with this Call-ID is leg 'a' or 'b' of a call. Ignored when none of its messages is kept. */
void trace_bind(struct trace *t, struct str sip_call_id, const char *call, char leg);

/*
 * {"messages":[{"time","leg","direction","transport","remote","text"}]} in the order of time; "leg" is absent
 * where it is not known. call: a call's name or a Call-ID. NULL: nothing of it is kept, or no memory.
 */
json_t *trace_json(const struct trace *t, const char *call);
