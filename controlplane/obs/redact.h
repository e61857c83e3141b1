/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIP messages without their secrets: what is left may be kept and shown. Works on the text alone, line by
 * line, and takes no header or body for well-formed: a peer's odd spelling must not carry a key past it.
 *
 * Replaced by "***": keys of a=crypto (RFC 4568; lifetime and MKI stay), k=, a=key-mgmt, a=ice-pwd, anything
 * behind "inline:", credentials (Authorization and its kin, but for their scheme), passwords in SIP URIs.
 * Left out whole: a body that is not plain application/sdp.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/str.h"

void redact_sip(struct str message, struct wbuf *to);
