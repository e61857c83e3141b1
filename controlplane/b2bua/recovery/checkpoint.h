/* SPDX-License-Identifier: Apache-2.0 */
/* Private to b2bua/: calls outside the process (checkpoint.c, keep_setup.c, handover.c), and back in it
 * (recover.c, revive.c, cut_off.c, stray.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct b2bua;
struct call;
struct checkpoint;
struct err;
struct leg;
struct sip_flow;
struct sip_msg;
struct user_binding;

/* The call is being set up, or up, or something of it changed that must outlive the process. Cheap; written
 * soon. */
void checkpoint_touch(struct call *c);
/* Both sides have been told what makes a call of it, and no later process could find that out: written at
 * once. */
void checkpoint_answered(struct call *c);
/* Is there a record of it as a call that is up? */
bool checkpoint_has_it(const struct call *c);
/* It is over (ended_ms is set): what is to be recorded of it outlives the process until it is forgotten. */
void checkpoint_ended(struct call *c);
/* The next process need not know of it. */
void checkpoint_forget(struct call *c);
/* What was forgotten is so from here on. */
void checkpoint_forgotten(struct b2bua *b);

/* The journal is opened; nothing is read yet. Errors as of journal_open(). */
int checkpoint_open(struct b2bua *b, const char *directory, struct err *e);
/* The call was read from the journal, with so many octets of data: forgotten, it is to be forgotten there. */
void checkpoint_known(struct call *c, size_t octets);
/* The calls that there are, and no others, are what was read: they go into the new segment. */
void checkpoint_renewed(struct b2bua *b);
/* All that there is to write, at once, and not a few calls at a time. Errors as of journal_flush(). */
int checkpoint_write(struct b2bua *b);
/* Writes what is left. Before the calls are cleared, and the bindings. */
void checkpoint_close(struct b2bua *b);

/* ---- keep_users.c: bindings of users ---- */

/* It began, or something of it changed. Cheap; written soon. */
void keep_user(struct user_binding *u);
/* It is over. */
void keep_user_forget(struct user_binding *u);
/* It is freed: what the next process finds of it stays. */
void keep_user_unlist(struct user_binding *u);

/* For checkpoint.c. Those that are saved, or all, are written into a new segment, as slowly as calls are. */
void keep_users_copy(struct b2bua *b, bool all);
/* Those that changed, and so many that are copied. As journal_put(). */
int keep_users_put(struct checkpoint *k, unsigned copies);
/* What there is to write is written soon. */
void checkpoint_later(struct checkpoint *k);

/*
 * Asks both peers, soon and a few calls at a time, whether they still have the call: one that has not ends
 * it. For calls that were taken over.
 */
void revive_later(struct call *c);
void revive_forget(struct call *c);
/* The transaction of the leg's last INVITE is gone with its connection, and its 2xx may come by another. */
void revive_lost(struct leg *l);
/* A 2xx to an INVITE in the leg's dialog that we know nothing of. */
void revive_answered(struct leg *l, const struct sip_msg *m);

/* stray.c: a 2xx to an INVITE, of no dialog that there is. */
void stray_answered(struct b2bua *b, const struct sip_msg *m, const struct sip_flow *from);
