/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the audit, from its files: the gateway is not asked. c is NULL. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

enum ctl_exit audit_verify(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit audit_show(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit audit_suites(struct client *c, const struct ctl_args *a, struct err *e);
