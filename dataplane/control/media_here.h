/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media addresses that none of the data plane's interfaces has: calls are told them, and nothing ever
 * arrives. No mistake for certain, for an address may come later (VRRP), so it is said and not refused.
 */
#pragma once

#include <stdint.h>

#include "dataplane/port/port.h"
#include "lib/msg/dp_msg.h"

/* Looks at this machine and warns, once for each address. Where a port is no interface of the kernel's it
 * cannot be told. */
void media_here_warn(struct port *const *ports, uint16_t n_ports, const struct dp_address *media, uint32_t n);
