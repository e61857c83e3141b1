/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/media/session_ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

#define NONE UINT32_MAX
#define PLACES_MAX (1u << 24) /* more than any data plane has */

int session_ids_init(struct session_ids *s)
{
	struct secret random;

	*s = (struct session_ids){.head = NONE, .tail = NONE};
	if (secret_random(&random, sizeof s->first_generation) < 0)
		return -EIO;
	/* Another start than the last process of ours had: what was under way then names nobody now. */
	memcpy(&s->first_generation, random.octets, sizeof s->first_generation);
	return 0;
}

void session_ids_free(struct session_ids *s)
{
	free(s->places);
	*s = (struct session_ids){.head = NONE, .tail = NONE};
}

static void enqueue(struct session_ids *s, uint32_t i)
{
	if (s->places[i].queued || i >= s->usable)
		return;
	s->places[i].queued = true;
	s->places[i].next = NONE;
	*(s->tail == NONE ? &s->head : &s->places[s->tail].next) = i;
	s->tail = i;
}

static int grow(struct session_ids *s, uint32_t n)
{
	struct session_place *places = realloc(s->places, n * sizeof *places);

	if (!places)
		return -ENOMEM;
	memset(places + s->n, 0, (n - s->n) * sizeof *places);
	for (uint32_t i = s->n; i < n; i++)
		places[i].generation = s->first_generation;
	s->places = places;
	s->n = n;
	return 0;
}

int session_ids_resize(struct session_ids *s, uint32_t usable)
{
	if (usable > s->n && grow(s, usable) < 0)
		return -ENOMEM;
	s->usable = usable;
	for (uint32_t i = 0; i < usable; i++)
		if (s->places[i].state == SESSION_FREE)
			enqueue(s, i);
	return 0;
}

static dp_session_id id_of(const struct session_ids *s, uint32_t i)
{
	return (uint64_t)s->places[i].generation << 32 | i;
}

int session_ids_open(struct session_ids *s, void *user, dp_session_id *out)
{
	while (s->head != NONE) {
		uint32_t i = s->head;
		struct session_place *p = &s->places[i];

		s->head = p->next;
		if (s->head == NONE)
			s->tail = NONE;
		p->queued = false;
		if (i >= s->usable || p->state != SESSION_FREE)
			continue;
		if (!++p->generation)
			p->generation = 1; /* 0 in the high half would make an id that looks like none */
		p->state = SESSION_OPEN;
		p->user = user;
		p->at_dp = false;
		s->open++;
		*out = id_of(s, i);
		return 0;
	}
	return -ENOSPC;
}

int session_ids_restore(struct session_ids *s, dp_session_id id, void *user)
{
	uint32_t i = (uint32_t)id, n = s->n ? s->n : 1024;

	if (!(id >> 32) || i >= PLACES_MAX)
		return -EINVAL;
	while (n <= i)
		n *= 2;
	if (n > s->n && grow(s, n) < 0)
		return -ENOMEM;
	struct session_place *p = &s->places[i];

	if (p->state != SESSION_FREE)
		return -EEXIST;
	p->generation = (uint32_t)(id >> 32);
	p->state = SESSION_OPEN;
	p->user = user;
	p->at_dp = false;
	s->open++;
	return 0;
}

struct session_place *session_ids_find(const struct session_ids *s, dp_session_id id)
{
	uint32_t i = (uint32_t)id;

	return i < s->n && s->places[i].state != SESSION_FREE && id_of(s, i) == id ? &s->places[i] : NULL;
}

bool session_ids_close(struct session_ids *s, dp_session_id id)
{
	struct session_place *p = session_ids_find(s, id);

	if (!p || p->state != SESSION_OPEN)
		return false;
	p->state = SESSION_CLOSING;
	p->del_sent = false;
	p->user = NULL;
	s->open--;
	s->closing++;
	return true;
}

bool session_ids_deleted(struct session_ids *s, dp_session_id id)
{
	struct session_place *p = session_ids_find(s, id);

	if (!p || p->state != SESSION_CLOSING)
		return false;
	p->state = SESSION_FREE;
	p->orphan = false;
	s->closing--;
	enqueue(s, (uint32_t)id);
	return true;
}

bool session_ids_adopt(struct session_ids *s, dp_session_id id)
{
	uint32_t i = (uint32_t)id;

	if (i >= s->n || s->places[i].state != SESSION_FREE)
		return false;
	s->places[i].generation = (uint32_t)(id >> 32);
	s->places[i].state = SESSION_CLOSING;
	s->places[i].del_sent = false;
	s->places[i].orphan = true;
	s->closing++;
	return true;
}
