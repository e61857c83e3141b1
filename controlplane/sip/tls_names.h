/* SPDX-License-Identifier: Apache-2.0 */
/* Who a peer is, as its certificate says. */
#pragma once

#include "controlplane/sip/tls.h"

struct x509_st;

/* Writes subject, sans and fingerprint of out, which were empty. */
void tls_names_read(struct x509_st *cert, struct tls_info *out);
