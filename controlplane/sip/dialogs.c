/* SPDX-License-Identifier: Apache-2.0 */
/* The table of dialogs. */
#include <errno.h>
#include <stdlib.h>

#include "controlplane/sip/dialog.h"
#include "controlplane/sip/hash.h"

#define BUCKETS 65536

struct sip_dialogs {
	struct hash_key key;
	unsigned count;
	struct sip_dialog *buckets[BUCKETS];
};

struct sip_dialogs *sip_dialogs_new(void)
{
	struct sip_dialogs *t = calloc(1, sizeof *t);

	if (t && hash_key_make(&t->key) < 0) {
		free(t);
		return NULL;
	}
	return t;
}

void sip_dialogs_free(struct sip_dialogs *t)
{
	free(t);
}

static struct sip_dialog **find(
	const struct sip_dialogs *t, struct str call_id, struct str local, struct str remote)
{
	struct sip_dialog **at = (struct sip_dialog **)&t->buckets[hash_str(&t->key, call_id) % BUCKETS];

	while (*at && !(str_eq((*at)->call_id, call_id) && str_eq((*at)->local_tag, local) &&
			      str_eq((*at)->remote_tag, remote)))
		at = &(*at)->next;
	return at;
}

int sip_dialogs_add(struct sip_dialogs *t, struct sip_dialog *d)
{
	struct sip_dialog **at = find(t, d->call_id, d->local_tag, d->remote_tag);

	if (*at)
		return -EEXIST;
	d->next = NULL;
	d->listed = true;
	*at = d;
	t->count++;
	return 0;
}

void sip_dialogs_remove(struct sip_dialogs *t, struct sip_dialog *d)
{
	if (!d->listed)
		return;
	*find(t, d->call_id, d->local_tag, d->remote_tag) = d->next;
	d->listed = false;
	t->count--;
}

struct sip_dialog *sip_dialogs_find(const struct sip_dialogs *t, const struct sip_msg *request)
{
	if (!request->to_tag.n)
		return NULL;
	return *find(t, request->call_id, request->to_tag, request->from_tag);
}

struct sip_dialog *sip_dialogs_named(
	const struct sip_dialogs *t, struct str call_id, struct str local_tag, struct str remote_tag)
{
	return *find(t, call_id, local_tag, remote_tag);
}

unsigned sip_dialogs_count(const struct sip_dialogs *t)
{
	return t->count;
}
