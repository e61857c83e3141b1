/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standby's end: a journal that is as the active machine's. It has the journal's lock, so no control
 * plane starts there meanwhile. Whenever it ends, what is in the directory can be taken over.
 */
#pragma once

#include "controlplane/standby/stream.h"
#include "lib/base/err.h"

struct receive_conf {
	const char *recovery; /* the directory */
	int in, term;         /* where from; readable (or at its end): it is to end. -1: nothing is */
	const struct stream_versions *records; /* that a control plane of this version takes over */
	unsigned silence_s; /* how long nothing may come */
};

/*
 * Until it is told to end: 0. -EPIPE: the stream ended; -ETIMEDOUT: nothing came; -EPROTO: what came is not
 * right; -EPROTONOSUPPORT: the active machine has what is not read here, and status says so; -EBUSY: the
 * directory is in use; others: it cannot be written. *e says it in a line.
 */
int standby_receive(const struct receive_conf *conf, struct err *e);
