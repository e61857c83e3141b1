/* SPDX-License-Identifier: Apache-2.0 */
/* The client's end of a session: two descriptors, without blocking, and the framing on them. */
#pragma once

#include <stdbool.h>

#include "controlplane/netconf/framing.h"
#include "controlplane/netconf/text.h"

#define CLIENT_READ_OCTETS 65536

struct client {
	int in, out;
	int in_flags, out_flags; /* of the descriptors, as they were */
	struct framing framing;
	bool ended; /* nothing more will be read */
	bool gone;  /* nobody will read what is written; nothing is unsent then */
	struct text queue;
	size_t sent;      /* octets of queue */
	struct str input; /* of octets: read, not taken */
	char octets[CLIENT_READ_OCTETS];
};

/* c is zeroed. */
void client_open(struct client *c, int in, int out);
/* Gives the descriptors back as they were: they may be shared, as a shell's terminal is. Does not close them.
 */
void client_close(struct client *c);

/* To be called when `in` may be read and no input is left. */
void client_read(struct client *c);
/* The next event of the framing in what was read; FRAMING_MORE: nothing is left of it. */
enum framing_event client_take(struct client *c);

/* Frames a message and queues it. -ENOMEM: part of it may be queued, and nothing must follow. */
int client_put(struct client *c, struct str message);
size_t client_unsent(const struct client *c);
/* Writes what is possible; -1: nothing was. */
int client_write(struct client *c);
/* Gives up what is queued. */
void client_forget(struct client *c);
