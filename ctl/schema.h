/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of the configuration, as far as short paths and completion need them: generated from the YANG
 * models when srtpgwctl is built. The gateway judges every path itself.
 */
#pragma once

#include <stdint.h>

enum schema_kind { SCHEMA_CONTAINER, SCHEMA_LIST, SCHEMA_LEAF, SCHEMA_LEAF_LIST };

/* In depth-first order: a node's children follow it. */
struct schema_node {
	uint8_t depth; /* 0: top level */
	uint8_t kind;  /* enum schema_kind */
	const char *name;
	const char *keys;   /* of a list, separated by spaces; of a top-level node: its module */
	const char *values; /* what a leaf may be: words, "@PATH" for the keys of a list, or "" */
};

extern const struct schema_node schema_nodes[];
extern const unsigned schema_nodes_n;

/* The names of the gateway's notifications, separated by spaces. */
extern const char schema_notifications[];
