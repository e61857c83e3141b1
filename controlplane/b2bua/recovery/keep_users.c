/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where accounts are is kept beside the calls, so that they can be called after a restart without waiting for
 * their next REGISTER. A refresh is a record of some hundred octets, written with whatever else changed in
 * the same moment.
 */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/recovery/saved_binding.h"
#include "controlplane/state/journal.h"
#include "lib/base/log.h"

static struct user_list *list_of(struct checkpoint *k, uint8_t saving)
{
	return saving == SAVING_CHANGE ? &k->users_changed : &k->users_copied;
}

static void enlist(struct user_binding *u, uint8_t saving)
{
	struct checkpoint *k = &u->b->checkpoint;

	if (u->saving == saving)
		return;
	if (u->saving != SAVING_NOTHING)
		TAILQ_REMOVE(list_of(k, u->saving), u, saving_entry);
	u->saving = saving;
	if (saving != SAVING_NOTHING)
		TAILQ_INSERT_TAIL(list_of(k, saving), u, saving_entry);
}

static int put(struct checkpoint *k, struct user_binding *u)
{
	struct wbuf w = wbuf_make(k->buffer, SAVED_BINDING_MAX);
	struct saved_binding s;
	int rc;

	enlist(u, SAVING_NOTHING);
	users_saved(u, &s);
	saved_binding_write(&s, &w);
	if (w.overflow) {
		log_warn("user",
			"a registration is too large to be saved: it will not outlive the control plane",
			LZ("user", u->user), LZ("trunk", u->trunk));
		keep_user_forget(u);
		return 0;
	}
	rc = journal_put(k->journal, SAVED_BINDING_KEY | u->id, w.p, w.len);
	if (rc < 0)
		return rc;
	k->live -= u->saved_octets;
	u->saved_octets = (uint32_t)journal_record_octets(w.len);
	k->live += u->saved_octets;
	return 0;
}

void keep_user(struct user_binding *u)
{
	if (!u->b->checkpoint.journal)
		return;
	enlist(u, SAVING_CHANGE);
	checkpoint_later(&u->b->checkpoint);
}

void keep_user_forget(struct user_binding *u)
{
	struct checkpoint *k = &u->b->checkpoint;

	if (!k->journal)
		return;
	k->live -= u->saved_octets;
	u->saved_octets = 0;
	/* Also of one that an older segment alone has. What cannot be noted ends when it expires: nobody
	 * refreshes it. */
	(void)journal_remove(k->journal, SAVED_BINDING_KEY | u->id);
	checkpoint_later(k);
}

void keep_user_unlist(struct user_binding *u)
{
	enlist(u, SAVING_NOTHING);
}

void keep_users_copy(struct b2bua *b, bool all)
{
	struct user_binding *u;

	TAILQ_FOREACH (u, &b->users.all, entry)
		if (all || u->saving == SAVING_NOTHING)
			enlist(u, SAVING_COPY);
}

int keep_users_put(struct checkpoint *k, unsigned copies)
{
	struct user_binding *u;
	int rc = 0;

	while (rc == 0 && (u = TAILQ_FIRST(&k->users_changed)) != NULL)
		rc = put(k, u);
	for (unsigned i = 0; rc == 0 && i < copies && (u = TAILQ_FIRST(&k->users_copied)) != NULL; i++)
		rc = put(k, u);
	return rc;
}
