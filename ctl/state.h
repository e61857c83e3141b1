/* SPDX-License-Identifier: Apache-2.0 */
/* The commands 'show ...' about what is configured together with what it does. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

enum ctl_exit state_listeners(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit state_media(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit state_certs(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit state_registrations(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit state_users(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit state_sessions(struct client *c, const struct ctl_args *a, struct err *e);
