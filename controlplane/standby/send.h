/* SPDX-License-Identifier: Apache-2.0 */
/* The active machine's end: what a control plane writes into its journal goes out, and a beat each second. */
#pragma once

#include "controlplane/standby/stream.h"
#include "lib/base/err.h"

struct send_conf {
	const char *recovery; /* the directory */
	int out, term;        /* where to; readable (or at its end): it is to end. -1: nothing is */
	const struct stream_versions *records;
};

/*
 * Until it is told to end: 0. -EPIPE: nobody reads any more; -ETIMEDOUT: the reader has taken nothing for 30
 * s; -EBUSY: a standby receives there; -EPROTO, or from the system: the journal cannot be read. *e says it in
 * a line.
 */
int standby_send(const struct send_conf *conf, struct err *e);
