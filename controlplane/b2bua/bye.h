/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: BYEs. One to an account whose connection is gone waits for as long as its transaction would
 * (64*T1, 32 s): when the account registers the same contact or device again it goes down that flow, so that a page
 * which has reconnected does not sit in a call that is over. At most BYES_MAX are looked after; what is beyond goes out
 * as to anybody else. They are not kept over a restart of the control plane.
 */
#pragma once

#include <sys/queue.h>

#include "controlplane/sip/build.h"
#include "controlplane/sip/dialog.h"

#define BYES_MAX 4096
#define BYE_WAIT_MS 32000

struct b2bua;
struct leg;
struct user_binding;

TAILQ_HEAD(byes, bye);

/* A BYE of the leg's in its dialog d, built but for its Via: it runs to its end by itself. */
void bye_send(struct leg *l, struct sip_dialog *d, const struct sip_builder *request);
/* The binding was made or refreshed: what waits for it, or went by another flow unanswered, goes there. */
void bye_registered(const struct user_binding *u);
/* Before the timers are freed; nothing is sent. */
void bye_forget(struct b2bua *b);
