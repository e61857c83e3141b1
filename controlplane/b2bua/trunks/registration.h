/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: trunks where the gateway registers (RFC 3261 section 10, RFC 3608), so that their calls
 * come to the address that it gave. One for each trunk that is configured so; it goes on from one
 * configuration to the next while what it registers stays the same.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "controlplane/config/config.h"
#include "controlplane/sip/build.h"
#include "lib/base/str.h"

struct b2bua;
struct registration;
struct sip_flow;
struct sip_msg;

TAILQ_HEAD(registration_list, registration);

/* A configuration was committed: registrations that it has begin, those that it has not any more end. */
void registration_commit(struct b2bua *b);
/* All of them end: the registrars are told. */
void registration_shutdown(struct b2bua *b);
/* Before the timers are freed; nobody is told. */
void registration_forget(struct b2bua *b);

enum registration_state { REGISTRATION_TRYING, REGISTRATION_REGISTERED, REGISTRATION_FAILED };

/* For people and monitoring. */
struct registration_info {
	enum registration_state state;
	uint32_t expires_s; /* that the registrar granted */
	uint32_t left_s;    /* until it expires unless it is refreshed; 0: it is not registered */
	uint64_t failures;  /* attempts without a 2xx since the start */
	const char *why;    /* of the last of them; NULL: none */
};
/* False: the trunk does not register. */
bool registration_look(const struct b2bua *b, const char *trunk, struct registration_info *out);
/* "trying", "registered", "failed". */
const char *registration_state_name(enum registration_state s);

/* The trunk whose registrar sent this request to the address that we gave it; NULL. */
const struct config_trunk *registration_of(
	const struct b2bua *b, const struct sip_msg *m, const struct sip_flow *from);
/* The trunk whose registrar has this address; NULL. */
const struct config_trunk *registration_at(const struct b2bua *b, const struct sip_flow *from);
/* The Route lines that the registrar wants in requests to the trunk (Service-Route). */
void registration_routes(const struct b2bua *b, const char *trunk, struct sip_builder *r);
