/* SPDX-License-Identifier: Apache-2.0 */
/* Private to b2bua/: what records of the audit are made of, and how many of a kind there may be. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "controlplane/sip/rate.h"

struct b2bua;
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

/* A record with its time; members, of which an empty text is none; its end, which writes and frees it. */
json_t *record_begin(const char *type);
void record_text(json_t *o, const char *name, const char *z);
void record_number(json_t *o, const char *name, uint64_t v);
void record_write(struct b2bua *b, json_t *o);

/* ---- record_user.c: registrations ---- */

/* A user's contact is registered; not when it is only refreshed. */
void record_registered(const struct user_binding *u);
void record_registration_ended(const struct user_binding *u, const char *why);
/* The REGISTER m, which came by `from`. trunk NULL: of none. */
void record_registration_refused(struct b2bua *b, const char *trunk, const struct sip_msg *m,
	const struct sip_flow *from, unsigned status, const char *why);
