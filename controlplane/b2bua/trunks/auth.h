/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are to a peer, and who a peer is to us: digest (RFC 3261 section 22, RFC 8760). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/config/config.h"
#include "controlplane/sip/build.h"
#include "controlplane/sip/digest_server.h"
#include "controlplane/sip/transaction.h"

struct b2bua;
struct b2bua_generation;
struct leg;

/* Every request of a leg: before sip_build_end(), what the peer is known to ask for (an ACK: its INVITE's).
 */
void auth_put(struct leg *l, struct sip_builder *r);
/* And behind sip_ctx_send(): challenges to it are answered, if need be when the leg is long gone. */
void auth_follow(struct leg *l, struct sip_ctx *ctx);
/* The same for a request of no leg (MESSAGE, OPTIONS) to the trunk, which is of that generation. */
void auth_follow_alone(struct b2bua_generation *g, const struct config_trunk *t, struct sip_ctx *ctx);
void auth_forget(struct leg *l);
/* Who a request says to be; empty: nobody. */
struct str auth_username(const struct sip_msg *m);
/* Is a request of no dialog from whom the trunk's configuration wants it to be? */
enum auth_result {
	AUTH_ADMITTED,
	AUTH_CHALLENGED, /* it was answered with 401 */
	AUTH_WRONG,      /* not its user name or password: refuse it */
};
enum auth_result auth_admit(
	struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct config_trunk *t);

/* For auth_admit() and user_auth.c: what a request without the right credentials is asked for. */
struct auth_question {
	const char *realm;
	const enum config_digest *algorithms; /* in the order in which they are offered */
	uint32_t n_algorithms;
};
enum digest_algorithm auth_algorithm(enum config_digest d);
enum digest_verdict auth_check(struct b2bua *b, const struct sip_msg *m, const struct digest_credentials *c,
	const struct digest_wanted *wanted);
/* A request that is not admitted: wrong, or challenged with 401. any: it had credentials for the realm. */
enum auth_result auth_refuse(struct b2bua *b, struct sip_stx *stx, const struct auth_question *q,
	enum digest_verdict verdict, bool any);
