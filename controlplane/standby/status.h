/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the standby stands, in the file "standby" of its recovery directory, for `srtpgw-standby status`. Who
 * receives has a lock on it, so that nobody takes a file that was left for a standby, and nobody sends on
 * what was received.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

/* REFUSED: nobody receives any more, and the last who did could not read what the active machine has. */
enum standby_state { STANDBY_WAITING, STANDBY_COPYING, STANDBY_IN_STEP, STANDBY_REFUSED };

#define STANDBY_REASON_MAX 200

struct standby_status {
	enum standby_state state;
	uint64_t since_ms, heard_ms; /* wall clock: in this state; of the last beat in step, 0: none */
	uint64_t calls;              /* of the last copy */
	uint64_t changes;            /* since */
	uint64_t registrations;      /* of the last copy */
	char reason[STANDBY_REASON_MAX]; /* REFUSED: a line that says why */
};

struct status_file; /* opaque */

/* In an open recovery directory; it is locked until status_free(), or the process's end. From the system. */
int status_new(const char *directory, struct status_file **out);
void status_write(struct status_file *f, const struct standby_status *s);
void status_free(struct status_file *f); /* NULL is ignored */

/* Is somebody receiving there? false as well when it cannot be told. */
bool status_received(const char *directory);
/* Who is about to end says why; where somebody else receives nothing is changed. The directory is made. */
void status_refused(const char *directory, const char *reason);
/* -ESRCH: nobody receives there, nor was anything refused; -EPROTO: the file is none of ours; from the
 * system. */
int status_read(const char *directory, struct standby_status *s);
