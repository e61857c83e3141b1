/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of the server: <hello>, <rpc-reply>, <rpc-error> and <notification>, without their framing. */
#pragma once

#include <jansson.h>

#include "controlplane/netconf/models.h"
#include "controlplane/netconf/rpc.h"
#include "controlplane/netconf/text.h"
#include "controlplane/netconf/xml.h"

/* RFC 6241, section 8.1. */
void reply_hello(struct text *out, uint32_t session, const struct models *m);

/*
 * rpc: whose attributes the reply carries (RFC 6241, section 4.1); NULL when there was no telling. fault: as
 * fault.h has it; NULL: there is no memory to say what is wrong.
 */
void reply_fault(struct text *out, const struct xml_node *rpc, const struct models *m, const json_t *fault);

/* data: of the engine's answer; NULL: none. -1: it is not what the operation answers; nothing is written. */
int reply_answer(struct text *out, const struct xml_node *rpc, enum rpc_answer answer, const json_t *data);

/* RFC 5277, section 4. notification: {"event-time","data"}. -1: it is not one; nothing is written. */
int reply_notification(struct text *out, const json_t *notification);
