/* SPDX-License-Identifier: Apache-2.0 */
/* Private to b2bua/: responses, and what requests and responses say of us and of why. */
#pragma once

#include "controlplane/b2bua/call.h"

/* Answers and counts a refusal: Warning and Reason say why, in words (RFC 3261 section 20.43, RFC 3326). */
void reply_refuse(
	struct sip_stx *stx, unsigned status, const char *phrase, const char *why, struct str to_tag);
/* The same where it is not the gateway that cannot, but the other side or the way there. */
void reply_refuse_for(struct sip_stx *stx, unsigned status, const char *why, struct str to_tag);
/* A response with our Contact and, where not empty, an SDP body. */
int reply_invite(struct leg *in, unsigned status, const char *phrase, struct str sdp);
/* What the other side's final response is here, where it means another thing than there. */
unsigned reply_status(unsigned status);
/* A Retry-After header's seconds, at most a day. False: there is none. */
bool reply_retry_after(const struct sip_msg *m, uint32_t *seconds);
/* True: the request insists on extensions that are not here, and was refused with 420. */
bool reply_unsupported(struct sip_stx *stx, const struct sip_msg *m, struct str to_tag);
/* Does who sends this take a session description in the answer (its Accept)? */
bool reply_takes_sdp(const struct sip_msg *m);
/* The transport parameter of a URI that leads to the listener; RFC 7118 section 5.2.2 has one for both. */
static inline const char *reply_transport(const struct config_listener *l)
{
	return l->transport == CONFIG_WSS ? "ws" : config_transport_name(l->transport);
}
/* Headers of every request and response that has a target of ours. */
void reply_contact(struct sip_builder *b, const struct leg *l);
void reply_options(struct b2bua *b, struct sip_stx *stx);
/* A random number below n. */
uint32_t call_random(uint32_t n);
void reply_why(struct sip_builder *b, unsigned status, const char *why);
/* What the leg's peer may send us. */
const char *reply_allow(const struct leg *l);
