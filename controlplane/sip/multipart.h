/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of several parts (RFC 2046 section 5.1, RFC 5621): multipart/mixed and its like, as views into the
 * message.
 *     struct sip_parts it = sip_parts(m->content_type, m->body);
 *     while (sip_parts_next(&it, &part)) ...
 */
#pragma once

#include <stdbool.h>

#include "lib/base/str.h"

#define SIP_BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */

struct sip_part {
	struct str type, disposition, encoding; /* as they stood, parameters included; empty when absent */
	struct str body;
};

struct sip_parts {
	struct str boundary; /* empty: there are no parts */
	struct str rest;
};

struct sip_parts sip_parts(struct str content_type, struct str body);
/* False at the end, and where the body does not go on as it should. */
bool sip_parts_next(struct sip_parts *it, struct sip_part *out);

/* "application/sdp" of `Application/SDP ; charset=utf-8`: compares with str_ieq(). */
struct str sip_media_type(struct str content_type);
