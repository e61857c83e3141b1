/* SPDX-License-Identifier: Apache-2.0 */
/* Private to b2bua/: what a message carries: session descriptions, alone or among other parts. */
#pragma once

#include <stdbool.h>

#include "lib/base/str.h"

struct sip_msg;

/*
 * The message's session description, alone or among the parts of a body; empty when it has none, or when a
 * request has another part that is not to be ignored, or in an encoding that is not known here.
 */
struct str message_sdp(const struct sip_msg *m);
/* Has it no body, or none but what may be ignored (handling=optional: RFC 3261 section 8.2.3)? */
bool message_bare(const struct sip_msg *m);
/* For people: what is wrong with a body that has none. */
const char *message_why_no_sdp(const struct sip_msg *m);
/* Does any part of it tell of the sender's media, be it a session description or ICE candidates alone? */
bool message_describes(const struct sip_msg *m);
