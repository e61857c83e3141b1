/* SPDX-License-Identifier: Apache-2.0 */
/* Private to recovery/: calls that were being set up when the process went (keep_setup.c, cut_off.c). */
#pragma once

#include <stdbool.h>

#include "controlplane/b2bua/recovery/saved_setup.h"
#include "lib/base/err.h"

struct call;
struct config;
struct config_listener;
struct leg;

/* ---- keep_setup.c ---- */

/* Is it being set up, and is there anybody to be told if that comes to nothing? */
bool setup_is_kept(const struct call *c);
/* Its record; heads: room for those of its INVITEs. */
void setup_write(const struct call *c, struct wbuf *w, struct wbuf heads);

/* ---- cut_off.c ---- */

/*
 * The call, new and with its number, is the set-up that the record is of: soon, and a few calls at a time,
 * its caller hears a refusal and who rings a CANCEL. nth: of those that were found. Whom there is no way to
 * is not told.
 */
void setup_cut_off(struct call *c, const struct saved_setup *s, unsigned nth);

/* ---- recover.c ---- */

/* Where messages of the leg, whose trunk and listener are known, go: a new connection, the old ones are gone.
 * The names in it are the caller's to free. */
int recover_flow(const struct leg *l, const struct saved_way *way, struct sip_flow *flow, struct err *e);
const struct config_listener *recover_listener(const struct config *c, struct str name);
