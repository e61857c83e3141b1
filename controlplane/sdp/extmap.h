/* SPDX-License-Identifier: Apache-2.0 */
/* a=extmap: which header extension has which number in packets (RFC 8285 section 8). Pure. */
#pragma once

#include "controlplane/sdp/sdp.h"

#define EXTMAP_MID "urn:ietf:params:rtp-hdrext:sdes:mid" /* RFC 9143 section 15 */

struct extmap {
	unsigned id;                  /* 1 to 65535; in packets 1 to 255 */
	enum sdp_direction direction; /* as its writer means it */
	struct str uri;
};

/* Is a one that can be read? Then *e, which points into it. */
bool extmap_read(const struct sdp_attr *a, struct extmap *e);
/* The first for this URI of m-line m, or else of the session. */
bool extmap_find(const struct sdp *s, const struct sdp_media *m, struct str uri, struct extmap *e);
/* Has m-line m, or the session, something else under this number? */
bool extmap_clashes(const struct sdp *s, const struct sdp_media *m, const struct extmap *e);
/* Has anything in the description this number? */
bool extmap_used(const struct sdp *s, unsigned id);
