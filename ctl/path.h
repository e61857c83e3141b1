/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as people type them, and instance paths as the gateway wants them (RFC 7951 names, RFC 6020 9.13). */
#pragma once

#include <stdio.h>

#include "ctl/schema.h"
#include "lib/base/err.h"

#define PATH_MAX_OCTETS 1024

/*
 * An instance path from a short one:
 *
 *   trunks/trunk[name='a']/max-calls          -> /srtp-gateway:gateway/trunks/trunk[name='a']/max-calls
 *   trunks/trunk[name=a]/max-calls            -> the same: a shell takes the quotes away
 *   trunks/trunk/a/max-calls                  -> the same: a list is followed by its keys
 *   trunks/trunk/a/identify/source-address/192.0.2.0/24
 *                                             -> .../source-address[.='192.0.2.0/24']
 *   nacm/enable-nacm                          -> /ietf-netconf-acm:nacm/enable-nacm
 *   /srtp-gateway:gateway/...                 -> as it is, keys put into predicates
 *
 * From a node that is not known here on, the rest is taken as it stands. -EINVAL with e: a quote or bracket
 * that does not end, a key that is missing in the middle, or longer than PATH_MAX_OCTETS.
 */
int path_expand(const char *text, char out[PATH_MAX_OCTETS], struct err *e);

/* How path_expand() begins, undone: without "/srtp-gateway:gateway/". Points into path. */
const char *path_short(const char *path);

/*
 * What a text that is the beginning of a short path may become, one candidate a line, each with all of the
 * text before it. In the place of a list's key keys_of() is asked (NULL: nothing is offered there): it calls
 * each() with every value of this key that the list (an instance path) has.
 */
typedef void (*path_each_fn)(void *arg, const char *value);
typedef void (*path_keys_fn)(void *ctx, const char *list, const char *key, path_each_fn each, void *arg);
void path_complete(const char *text, path_keys_fn keys_of, void *ctx, FILE *to);

/* The node that a short or whole path names, NULL when it is not known. */
const struct schema_node *path_node(const char *text);
