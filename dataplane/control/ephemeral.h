/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media ports and the ports that the kernel hands out by itself. Both share the machine's addresses: a
 * resolver or a SIP socket of this machine that was given a media port would never hear an answer, because
 * the port lifts it out of the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/msg/dp_msg.h"

/*
 * The lowest and highest media port that the kernel may hand out; false: none. range and reserved are the
 * texts of net.ipv4.ip_local_port_range ("32768\t60999") and ip_local_reserved_ports ("8080,9000-9100"),
 * which hold for IPv6 too.
 */
bool ephemeral_overlap(const char *range, const char *reserved, const struct dp_address *media, uint32_t n,
	uint16_t *lower, uint16_t *upper);

/* Looks at this machine and warns, with the command that helps, when they overlap. */
void ephemeral_warn(const struct dp_address *media, uint32_t n);
