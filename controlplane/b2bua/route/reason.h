/* SPDX-License-Identifier: Apache-2.0 */
/* Private to b2bua/: why, in a peer's own words, as the other side may hear it (RFC 3326, RFC 6432). */
#pragma once

#include "controlplane/sip/message.h"
#include "lib/base/buf.h"

/*
 * The value of a Reason header: protocols and causes of the message's own, with their texts or without, two
 * at most. except: a protocol that is left out; "": none. Nothing is written where there is none.
 */
void reason_copy(struct wbuf *w, const struct sip_msg *m, struct str except, bool with_text);
/* The same of one value, without texts. */
void reason_plain(struct wbuf *w, struct str list);
