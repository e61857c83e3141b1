/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648 section 4) of key material: no table is indexed with a secret, nothing is kept. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"

/*
 * Into *out. Padding may be missing, as some devices write it, but not be wrong. -EINVAL: another character,
 * a length that no octets have, wrong padding; -E2BIG: more than SECRET_MAX octets. *out is wiped on failure.
 */
int base64_decode(struct str text, struct secret *out);

/* With padding. */
void base64_encode(struct wbuf *w, const struct secret *s);
