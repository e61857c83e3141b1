/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of access control. */
#pragma once

#include "controlplane/config/engine/nacm.h"
#include "lib/base/str.h"

struct lyd_node;
struct lysc_node;

/* What is asked about: a node, or a leaf of it that is not there, of which there is no more than its schema.
 */
struct nacm_place {
	const struct lyd_node *node;
	const struct lysc_node *leaf; /* NULL: the node itself */
};
bool nacm_may_place(const struct nacm_view *v, const struct nacm_place *p, enum nacm_operation op);

/* "[name='value']" behind the step-th step of a rule's path, counted from 1. value "$USER" is the user's
 * name. */
struct nacm_key {
	unsigned step;
	struct str name, value; /* in the tree's text; name "." is the node itself */
};
