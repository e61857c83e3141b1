/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which queue of a device a packet arrives at. Worker q reads queue q, and media ports belong to workers by
 * ranges; so where a device has flow rules (rte_flow), one for each address and range brings UDP for it to
 * its worker's queue. Not every device compares with ranges: then each is made of aligned blocks of ports,
 * which a mask can name (20000 to 20009 are two); nor does every device mask, so that the last thing to ask for is
 * a rule for each port, where they are few. Where a device refuses all that, or has no room for all rules,
 * there are none: it spreads packets by a hash (RSS), and a worker hands over what is another's. So it does when a
 * device takes rules and does not keep to them: no harm is done but the way round.
 *
 * Main thread only.
 */
#pragma once

#include <stdint.h>

#include "lib/msg/dp_msg.h"

#define STEER_REASON 128

struct steer; /* opaque */

/* For a device that has started. NULL: no memory. */
struct steer *steer_open(uint16_t port_id, uint16_t queues);
/* Removes the rules. NULL is ignored. */
void steer_close(struct steer *s);

/*
 * The whole list of media, replacing the one before; rules that both need stay. The number of rules in
 * force: 0 with the reason in why (STEER_REASON octets) when the device has none, or does not take these.
 */
uint32_t steer_set(struct steer *s, const struct dp_address *media, uint32_t n, char *why);
