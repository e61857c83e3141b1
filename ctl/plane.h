/* SPDX-License-Identifier: Apache-2.0 */
/* The data plane as operators see it: its alarms, and the network interfaces of media. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "ctl/args.h"
#include "ctl/client.h"

/* 'show alarms': what was wrong, and what is now. */
enum ctl_exit plane_alarms(struct client *c, const struct ctl_args *a, struct err *e);

/* A table of the interfaces in /statistics/data-plane; nothing without one. */
void plane_interfaces(const json_t *plane, FILE *to);
