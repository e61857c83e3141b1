/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One NETCONF session, from <hello> to its end (RFC 6241, RFC 6242): a client on two descriptors, the engine
 * on the management socket. One request is in work at a time, in the order in which they came; notifications
 * go in between. A client that does not read is not read from, nor is the engine for its sake, and is given
 * up after a while.
 */
#pragma once

#include "lib/base/err.h"

#define SESSION_HELLO_S 60  /* by default: for the client's <hello> */
#define SESSION_STALL_S 120 /* a client that takes nothing of what is waiting for it */

enum session_end {
	SESSION_DONE = 0,        /* close-session, or the client went */
	SESSION_REFUSED = 3,     /* not NETCONF, or the engine takes no session */
	SESSION_UNREACHABLE = 4, /* no engine, or it went */
};

struct session_conf {
	int in, out;             /* the client; set to non-blocking while the session runs */
	const char *socket;      /* of the engine */
	const char *source_host; /* where the client is; NULL: not known */
	unsigned hello_s;        /* 0: SESSION_HELLO_S */
};

/* Runs to the end; e: one line why, "" for SESSION_DONE. SIGPIPE must be ignored. */
enum session_end session_run(const struct session_conf *conf, struct err *e);
