/* SPDX-License-Identifier: Apache-2.0 */
/* The attribute "default" (RFC 6243, section 6), by which report-all-tagged and an edit tell defaults from
 * values. */
#pragma once

#include "controlplane/config/engine.h"

/*
 * libyang 2.1 reads and writes it in the namespace of the YANG module, RFC 6243 has another for it. In place:
 * what libyang printed becomes the RFC's.
 */
void with_defaults_to_rfc(char *xml);
/* A copy for libyang, the caller's; NULL without memory. */
char *with_defaults_from_rfc(struct str xml);

/* What says that it is its default has that value. -1 with f. */
int with_defaults_check(const struct lyd_node *tree, struct engine_fault *f);
