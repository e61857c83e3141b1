/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The border to the kernel's stack on an interface that it shares with an AF_PACKET port. There the kernel
 * sees media too, knows no socket for it and would answer "port unreachable" to every packet; a table of
 * nftables, one per interface, drops media before the kernel looks at it. Frames that are no media need
 * nothing: the kernel has its own copy.
 *
 * The table outlives a killed process on purpose (silence is better for a call than ICMP errors) and is
 * replaced by the next exception_open() on that interface.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/msg/dp_msg.h"

struct exception; /* one interface's table; opaque */

/* Makes the table, empty, in place of one left over. -ENOTSUP: kernel without nf_tables; -EPERM; -ENOMEM. */
int exception_open(const char *interface, struct exception **out, struct err *err);

/* What the kernel must not see on that interface: replaces the list before in one transaction. -EIO. */
int exception_set_media(struct exception *x, const struct dp_address *addresses, uint32_t n, struct err *err);

/*
 * Whoever loads the rules of his firewall takes this table away with all others ("flush ruleset"). 0: it is
 * there; 1: it was gone, and is there again; -EIO.
 */
int exception_keep(struct exception *x, struct err *err);

/* Removes the table. NULL is ignored. */
void exception_close(struct exception *x);

/* Removes what a killed process left for that interface, if anything. */
void exception_remove_stale(const char *interface);
