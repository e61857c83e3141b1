/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data plane was restarted: every session is programmed again, without the send keys that it used, and
 * every secure leg gets new ones by a re-INVITE. As many at a time as peers can take, and no more than the
 * data plane keeps up with.
 */
#include <stddef.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define BATCH 50 /* calls, every PACE_MS: 2500 a second */
#define PACE_MS 20

static void restore(struct timer *t)
{
	struct b2bua *b = (struct b2bua *)((char *)t - offsetof(struct b2bua, restore));
	struct call *c;

	for (unsigned i = 0; i < BATCH && !dp_client_behind(b->client) && (c = TAILQ_FIRST(&b->lost)) != NULL; i++) {
		restore_forget(c);
		legs_program_again(c);
		reinvite_start(c);
		b->n_restored++;
	}
	if (!TAILQ_EMPTY(&b->lost)) {
		timer_set(b->wheel, t, PACE_MS, restore);
		return;
	}
	log_info("media", "all sessions are set up again", LU("sessions", b->n_restored),
		LU("ms_since_it_was_lost",
			b->plane_lost_ns ? (clock_mono_ns() - b->plane_lost_ns) / NS_PER_MS : 0));
	b->n_restored = 0;
}

void restore_later(struct call *c)
{
	struct b2bua *b = c->b;

	if (c->state == CALL_ENDING || c->lost)
		return;
	if (TAILQ_EMPTY(&b->lost))
		log_warn("media", "the data plane was restarted: its sessions are set up again");
	c->lost = true;
	TAILQ_INSERT_TAIL(&b->lost, c, lost_entry);
	if (!timer_running(&b->restore))
		timer_set(b->wheel, &b->restore, 0, restore);
}

void restore_forget(struct call *c)
{
	if (c->lost)
		TAILQ_REMOVE(&c->b->lost, c, lost_entry);
	c->lost = false;
}
