/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a JSON text is the node that a YANG data path names? For errors that a person will look up. */
#pragma once

#include "lib/base/str.h"

/*
 * The line, counted from 1, of the node at path, such as
 * /srtp-gateway:gateway/sip/listener[name='x']/port. For a node that is not there (a missing leaf, a default)
 * or not named exactly (a list without its keys) the line of its nearest ancestor that is, and *exact is
 * false; 1 when there is none. text is well-formed JSON.
 */
unsigned locate_line(struct str text, struct str path, bool *exact);
