/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that do something to calls, trunks and certificates at once: the model's rpcs and actions. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

enum ctl_exit action_drain(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit action_resume(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit action_rekey(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit action_terminate(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit action_disconnect(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit action_rotate_audit(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit action_reload(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit action_reload_certificates(struct client *c, const struct ctl_args *a, struct err *e);
