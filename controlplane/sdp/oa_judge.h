/* SPDX-License-Identifier: Apache-2.0 */
/* What judging an offer (oa_receive.c) and an answer (oa_answered.c) have in common. */
#pragma once

#include "controlplane/sdp/oa_private.h"

/* RFC 3261 section 20.43 */
enum { WARN_ADDRESS = 301, WARN_TRANSPORT = 302, WARN_MEDIA_TYPE = 304, WARN_OTHER = 399 };

/* Why one m-line is not used. */
struct objection {
	int warn_code;
	struct err e;
};

#define object(o, code, warn, ...) ((o)->warn_code = (warn), err_set(&(o)->e, code, __VA_ARGS__))

/* As its writer means it: c=0.0.0.0 (RFC 2543's hold) says that it does not want to hear anything. */
enum sdp_direction oa_direction(const struct sdp *s, const struct sdp_media *m);
/* Notes in om, transport t, where the peer hears m. */
int oa_take_remote(const struct oa_leg *leg, unsigned t, const struct sdp *s, const struct sdp_media *m,
	struct oa_media *om, struct objection *o);
bool oa_has_crypto(const struct sdp *s, const struct sdp_media *m);
/* Notes why m-line i is not used, and in *r why the first one that was offered is not. */
void oa_note(struct oa_refusal *r, struct oa_exchange *x, const struct sdp_media *m, unsigned i, int code,
	const struct objection *o);
