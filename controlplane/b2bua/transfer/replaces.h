/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: Replaces (RFC 3891), of an INVITE or in the URI of a Refer-To: which dialog of the
 * gateway's it names, and what becomes of an INVITE that has it.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/str.h"

struct b2bua;
struct config_trunk;
struct leg;
struct sip_flow;
struct sip_msg;
struct sip_stx;

#define REPLACES_TEXT_MAX 512 /* octets of a value in a URI, unescaped */

/* Views of the text that was read. */
struct replaces {
	struct str call_id, to_tag, from_tag; /* to_tag is the gateway's own */
	bool early_only;
};

/* -EINVAL: it is no Replaces value. */
int replaces_read(struct str value, struct replaces *out);
/*
 * Is there one among a URI's headers? text (NULL: not wanted) receives its value without the escapes, and is
 * empty when that is none.
 */
bool replaces_in_uri(struct str headers, char text[REPLACES_TEXT_MAX]);
/* The leg whose dialog it names; NULL: there is none. */
struct leg *replaces_find(struct b2bua *b, const struct replaces *r);

/* A first INVITE with Replaces from this trunk, which may call otherwise. */
void replaces_invite(struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m,
	const struct sip_flow *from, const struct config_trunk *t);
