/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of access control. */
#pragma once

#include "controlplane/config/engine/nacm.h"
#include "lib/base/str.h"

/* "[name='value']" behind the step-th step of a rule's path, counted from 1. value "$USER" is the user's
 * name. */
struct nacm_key {
	unsigned step;
	struct str name, value; /* in the tree's text; name "." is the node itself */
};
