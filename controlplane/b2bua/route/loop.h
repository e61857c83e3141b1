/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of ours that come back to us. The Call-ID of a call that we begin says, to us only, which number it
 * was for: proxies on the way keep it, so that the same call to the same number is known again (482) without
 * anything to remember or to search. A call that comes back for another number was diverted, and goes on.
 */
#pragma once

#include <stdbool.h>

#include "controlplane/sip/build.h"
#include "controlplane/sip/hash.h"

#define LOOP_CALL_ID_TEXT (SIP_TOKEN_TEXT + 16) /* with the NUL */

/* called: inside the gateway. */
void loop_call_id(const struct hash_key *key, struct str called, char out[LOOP_CALL_ID_TEXT]);
bool loop_is_ours(const struct hash_key *key, struct str call_id, struct str called);
