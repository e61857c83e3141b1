/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/calls.h"

#include <string.h>

int calls_open(const struct gen_conf *conf, struct room *r, struct gen **gen, struct err *err)
{
	struct gen_conf here = *conf;
	int rc = room_open(r, conf->sessions + 1, err);

	if (rc < 0)
		return rc;
	*gen = NULL;
	memcpy(here.gateway_mac[0], r->port->mac.addr_bytes, 6);
	memcpy(here.gateway_mac[1], r->port->mac.addr_bytes, 6);
	rc = gen_open(&here, gen, err);
	if (rc >= 0)
		rc = gen_program(*gen, room_command, r, err);
	if (rc < 0) {
		calls_close(r, *gen);
		*gen = NULL;
	}
	return rc;
}

void calls_close(struct room *r, struct gen *gen)
{
	gen_close(gen);
	room_close(r);
}
