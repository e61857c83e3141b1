/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends is looked at before libyang sees it, which recurses and whose time grows with the
 * square of the entries of one list that have the same key (10,000: 0.6 s, 100,000: a minute): how large, how
 * deep, how many nodes, and that it is text without document type declarations.
 */
#pragma once

#include "controlplane/config/engine.h"

#define BOUNDS_OCTETS (16u << 20)
#define BOUNDS_DEPTH 64u       /* of elements or objects; the models need 12 */
#define BOUNDS_NODES 200000u   /* all in all; 2,000 trunks with everything that they can have are 60,000 */
#define BOUNDS_CHILDREN 10000u /* of one parent */
#define BOUNDS_PATH 4096u      /* octets of a path or XPath expression */
#define BOUNDS_WIDE 16u        /* of "//", "*" and axes in an XPath expression */

/* Also: an XML attribute without a namespace, such as operation="delete", which libyang would pass over. */
int bounds_text(struct str text, enum engine_format format, struct engine_fault *f);
/* An instance path: length, and nesting of its brackets. */
int bounds_path(const char *path, struct engine_fault *f);
/*
 * An XPath expression: besides that, nothing that ends libyang 2.1 with a signal: the operator "mod" divides
 * by its right side as an integer, also by 0; deref() takes any leaf for a leafref; enum-value() and
 * bit-is-set() take the root for a leaf. No re-match(), whose pattern costs what it likes. And what it costs
 * grows with the tree, not with its square or cube (a filter of 14 octets took minutes): a predicate looks at
 * what is below its node alone, nodes are compared with values and not with other nodes, there are no axes to
 * what comes before or behind, and there are at most BOUNDS_WIDE steps to whatever there is, of which one in
 * a predicate counts twice, in a predicate of that four times.
 */
int bounds_xpath(const char *xpath, struct engine_fault *f);
