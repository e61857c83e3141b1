/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One <rpc> (RFC 6241, section 4.1) made into one operation of the management socket (docs/management.md).
 * What an operation may carry is a table here; what it means, and who may do it, the engine decides.
 */
#pragma once

#include <jansson.h>

#include "controlplane/netconf/models.h"
#include "controlplane/netconf/xml.h"

#define RPC_NS_BASE "urn:ietf:params:xml:ns:netconf:base:1.0"
#define RPC_NS_MONITORING "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
#define RPC_NS_NOTIFICATION "urn:ietf:params:xml:ns:netconf:notification:1.0"

/* What the engine's answer becomes. */
enum rpc_answer {
	RPC_OK,     /* <ok/> */
	RPC_DATA,   /* <data>, of get and get-config */
	RPC_SCHEMA, /* <data> with a module's text, RFC 6022 */
	RPC_OUTPUT, /* the output of a YANG rpc or action, or <ok/> when it has none */
	RPC_CLOSE,  /* <ok/>, and the session ends: not asked of the engine */
};

struct rpc {
	const char *op; /* static; NULL with RPC_CLOSE */
	json_t *args;   /* the caller's */
	enum rpc_answer answer;
};

/* root: of a message, whatever it is. 0, or -1 with *fault, the caller's (NULL without memory). */
int rpc_read(const struct xml_node *root, const struct models *m, struct rpc *out, json_t **fault);
