/* SPDX-License-Identifier: Apache-2.0 */
/* Private to b2bua/: what records of the audit are made of, and how many of a kind there may be. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "controlplane/sip/rate.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"

struct b2bua;
struct call;
struct sip_flow;
struct sip_msg;
struct user_binding;

/* What anybody can bring about as often as he likes. Each has a rate, so that a flood pushes no other record out. */
enum record_flood {
	RECORD_REFUSALS,      /* of calls */
	RECORD_USERS,         /* registrations that begin and end */
	RECORD_USERS_REFUSED, /* that do not begin */
	RECORD_FLOODS
};

struct record_bound {
	struct rate_bucket bucket;
	uint64_t left_out; /* since the last that was written */
};

/* May there be one more, and is there an audit at all? If not, it is counted. */
bool record_may(struct b2bua *b, enum record_flood f);
/* In the next one it says how many were left out. */
void record_left_out(struct b2bua *b, enum record_flood f, json_t *o);

/* A record with its time; members, of which an empty text and a time 0 are none; its end, which writes and
 * frees it. */
json_t *record_begin(const char *type);
void record_text(json_t *o, const char *name, const char *z);
void record_time(json_t *o, const char *name, uint64_t wall_ms);
void record_number(json_t *o, const char *name, uint64_t v);
void record_write(struct b2bua *b, json_t *o);

/* What there is to be said of the call, as a record. */
json_t *record_session(const struct call *c);

/* ---- record_saved.c: records that a process may leave to the next ---- */

/* The call's record as it would be now: text of one JSON object. */
void record_save(const struct call *c, struct wbuf *w);
/* One that an earlier process left, with the time of now. -EPROTO: it is no record of a session. */
int record_write_saved(struct b2bua *b, struct str text);

/* Which session a record is of. Empty: of none. */
struct record_name {
	char call[20], began[CLOCK_TEXT_MAX];
};
/* -EPROTO as above. */
int record_name_saved(struct str text, struct record_name *out);
void record_name_call(const char *id, uint64_t began_ms, struct record_name *out);
/* Of the last record in the audit. */
void record_name_last(const struct b2bua *b, struct record_name *out);

/* ---- record_user.c: registrations ---- */

/* A user's contact is registered; not when it is only refreshed. */
void record_registered(const struct user_binding *u);
void record_registration_ended(const struct user_binding *u, const char *why);
/* The REGISTER m, which came by `from`. trunk NULL: of none. */
void record_registration_refused(struct b2bua *b, const char *trunk, const struct sip_msg *m,
	const struct sip_flow *from, unsigned status, const char *why);
