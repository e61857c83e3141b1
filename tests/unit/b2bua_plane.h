/* SPDX-License-Identifier: Apache-2.0 */
/* The data plane of b2bua_bench.h. */
#pragma once

#include <event2/event.h>

int plane_open(struct event_base *base, const char *path);
void plane_close(void);
/* It is another one from now on, without sessions. */
void plane_forget(void);
/* Messages that it has read so far. */
unsigned plane_seen(void);
