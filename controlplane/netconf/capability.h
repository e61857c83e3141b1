/* SPDX-License-Identifier: Apache-2.0 */
/* The capabilities of NETCONF itself that this gateway offers; the modules' come from the engine (models.h).
 */
#pragma once

/* URIs, NULL-terminated: what <hello> says, and netconf-state/capabilities (RFC 6022, section 2.1.1). */
extern const char *const capability_uris[];

#define CAPABILITY_BASE_1_0 "urn:ietf:params:netconf:base:1.0"
#define CAPABILITY_BASE_1_1 "urn:ietf:params:netconf:base:1.1"
