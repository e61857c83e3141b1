/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control/directory.h"

#include <errno.h>
#include <stdlib.h>

int directory_open(struct directory *d, uint32_t n)
{
	d->entries = calloc(n, sizeof *d->entries);
	if (!d->entries)
		return -ENOMEM;
	d->n = n;
	d->used = 0;
	return 0;
}

void directory_close(struct directory *d)
{
	free(d->entries);
	d->entries = NULL;
}

struct directory_entry *directory_find(const struct directory *d, dp_session_id id)
{
	struct directory_entry *e = directory_place(d, id);

	return e && e->state == DIRECTORY_LIVE && e->id == id ? e : NULL;
}

uint32_t directory_list(
	const struct directory *d, uint32_t cursor, dp_session_id *ids, uint32_t max, uint32_t *next)
{
	uint32_t n = 0, i;

	for (i = cursor; i < d->n && n < max; i++)
		if (d->entries[i].state != DIRECTORY_FREE)
			ids[n++] = d->entries[i].id;
	while (i < d->n && d->entries[i].state == DIRECTORY_FREE)
		i++;
	*next = i < d->n ? i : 0;
	return n;
}
