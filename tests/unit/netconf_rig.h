/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NETCONF session under test: the program srtpgw-netconf, a client's end of its input and output, and an
 * engine that answers on the management socket what a script says.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "controlplane/netconf/framing.h"

/*
 * What the engine answers to an operation: whole lines. NULL: nothing, ever. Without a newline at its end the
 * engine hangs up behind it. A script ends with an op of NULL.
 */
struct rig_answer {
	const char *op, *answer;
};

struct rig {
	char folder[64], socket[96];
	pid_t engine, session;
	int to, from, errors; /* the session's standard input, output and error; -1: closed */
	struct framing framing;
	struct str octets; /* of buffer: read, not taken */
	char buffer[65536];
	char stderr_text[512];
};

#define RIG_ENGINE_HELLO                                                                                     \
	"{\"ok\":true,\"data\":{\"session-id\":42,\"user\":\"root\",\"version\":\"1\",\"modules\":["         \
	"{\"name\":\"srtp-gateway\",\"revision\":\"2026-11-20\",\"namespace\":\"urn:srtpgw:yang:srtp-"       \
	"gateway\","                                                                                         \
	"\"features\":[]}]}}\n"
#define RIG_BASE "xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\""
#define RIG_HELLO_1_0                                                                                        \
	"<hello " RIG_BASE "><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability>"        \
	"</capabilities></hello>"
#define RIG_HELLO_1_1                                                                                        \
	"<hello " RIG_BASE "><capabilities><capability>urn:ietf:params:netconf:base:1.1</capability>"        \
	"</capabilities></hello>"

/* script NULL: nobody listens at the socket. option: one more pair of words for the program, or NULL. */
void rig_start(struct rig *r, const struct rig_answer *script, const char *option, const char *value);
/* Starts, and exchanges the hellos. */
void rig_open(struct rig *r, const struct rig_answer *script, bool chunked);

void rig_write(struct rig *r, struct str octets);
/* Frames one message and sends it. */
void rig_send(struct rig *r, const char *message);
/* The next message of the session; it fails the test when there is none. Valid until the next call. */
const char *rig_receive(struct rig *r);
/* Sends an rpc with this operation and fails the test unless `wanted` stands in the reply. */
void rig_ask(struct rig *r, const char *operation, const char *wanted);
/* The client closes what it sends on, or both. */
void rig_close_input(struct rig *r);
void rig_hang_up(struct rig *r);

/* Waits for the session's end; its exit code. Nothing may be left to read. Ends the engine; frees. */
int rig_end(struct rig *r);
