/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telephone numbers in user parts, as a party writes them and as E.164 has them (RFC 3966). Pure text: what
 * is no number, or one that cannot be told, is left as it is.
 */
#pragma once

#include "controlplane/config/headers.h"
#include "lib/base/buf.h"

/* The user part of an address from the party: "0049 30-123" and "030123" become "+4930123". */
void number_read(const struct config_numbers *n, struct str user, struct wbuf *w);
/* The same as the party wants it: what begins with '+' is written in its form. */
void number_write(const struct config_numbers *n, struct str user, struct wbuf *w);
