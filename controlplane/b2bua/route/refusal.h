/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: which refusal whoever called hears, when all places that were tried have failed, at once
 * or one after the other (RFC 3261 section 16.7 step 6). It is not the last that came but the one that tells
 * him most.
 */
#pragma once

#include <stdbool.h>

#include "controlplane/sip/message.h"

struct config_trunk;

/* How a request ended at one place without a 2xx. */
struct refusal {
	const struct config_trunk *trunk; /* whose party it is */
	const struct sip_msg *m;          /* its final response; NULL: none came */
	const char *reason;               /* without m: what happened, for people; NULL: nobody answered */
	unsigned status;                  /* without m: what whoever called hears */
	bool pointless;                   /* m is a redirection that was to be followed and leads nowhere */
};

/*
 * The better one of what is kept (NULL: nothing) and the one that came now; of equals the later. Points to
 * what the two hold.
 */
const struct refusal *refusal_best(const struct refusal *kept, const struct refusal *now);
/* *kept becomes a copy of `now` where that is the better. Without memory it stays as it is. */
void refusal_keep(struct refusal **kept, const struct refusal *now);
/* *kept becomes NULL. */
void refusal_drop(struct refusal **kept);
