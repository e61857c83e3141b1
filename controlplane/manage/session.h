/* SPDX-License-Identifier: Apache-2.0 */
/* A client of the management socket as a session of the engine, for all operations that need one. */
#pragma once

#include <jansson.h>

#include "controlplane/config/engine.h"
#include "controlplane/obs/mgmt.h"

/*
 * The session of the client that asks, opened by its account at its first need. NULL: the client has gone or
 * there is no memory; the request is then ended.
 */
struct engine_session *manage_session(struct engine *e, struct mgmt_request *rq);
/* hello: the session as the client introduces itself, instead of one of door "cli". NULL as above. */
struct engine_session *manage_session_open(
	struct engine *e, struct mgmt_request *rq, const char *door, const char *host);
/* Ends the client of a session (kill-session). */
void manage_session_kill(struct engine_session *s, struct mgmt *m);

/* What the client of a session did; NULL: it has none. */
const struct mgmt_counts *manage_session_counts(const struct engine_session *s, const struct mgmt *m);

/* Refuses with an engine's fault. Ends rq. */
void manage_refuse(struct mgmt_request *rq, const struct engine_fault *f);
/* An argument is missing or wrong. Ends rq. */
void manage_refuse_argument(struct mgmt_request *rq, const char *name, const char *what);

/* Arguments; false: rq is refused and ended. */
bool manage_store(struct mgmt_request *rq, const json_t *args, const char *name, int absent, int *out);
bool manage_format(struct mgmt_request *rq, const json_t *args, enum engine_format *out);
/* "xpath", "subtree", "with-defaults", "format". Borrowed from args. */
bool manage_query(struct mgmt_request *rq, const json_t *args, struct engine_query *out);
/* The member as text of a format: a JSON object printed, or XML as it stands. free() *out. */
bool manage_text(
	struct mgmt_request *rq, const json_t *args, const char *name, enum engine_format format, char **out);
/* One of names, which ends with NULL. */
bool manage_choice(struct mgmt_request *rq, const json_t *args, const char *name, const char *const *names,
	int absent, int *out);
/* Answers with instance data: a JSON object in place or XML as a string. Takes text over; ends rq. */
void manage_reply_data(struct mgmt_request *rq, enum engine_format format, char *text);
