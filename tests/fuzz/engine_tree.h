/* SPDX-License-Identifier: Apache-2.0 */
/* A small configuration for targets that change or filter one. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/schema.h"

static struct ly_ctx *engine_ctx, *engine_names;
static struct lyd_node *engine_base;

static inline void engine_tree_begin(void)
{
	static const char text[] =
		"{\"srtp-gateway:gateway\":{"
		"\"media\":{\"interface\":[{\"name\":\"in\",\"device\":\"lo\",\"address\":[{\"ip\":\"127.0.0."
		"1\","
		"\"port-range\":[{\"lower\":20000,\"upper\":21999}]}]}]},"
		"\"realms\":{\"realm\":[{\"name\":\"core\",\"trusted\":true,\"media-interface\":[\"in\"]}]},"
		"\"crypto-profiles\":{\"crypto-profile\":[{\"name\":\"p\",\"suite\":[\"AEAD_AES_128_GCM\","
		"\"AES_CM_128_HMAC_SHA1_80\"]}]},"
		"\"trunks\":{\"trunk\":[{\"name\":\"a\",\"realm\":\"core\",\"max-calls\":10,\"srtp\":{"
		"\"mode\":\"none\"}},"
		"{\"name\":\"b\",\"realm\":\"core\",\"srtp\":{\"mode\":\"none\"}}]}},"
		"\"ietf-netconf-acm:nacm\":{\"rule-list\":[{\"name\":\"l\",\"group\":[\"g\"],\"rule\":[{"
		"\"name\":\"r\","
		"\"path\":\"/\",\"action\":\"deny\"}]}]}}";
	struct err e = {0};

	if (!engine_ctx && (schema_context(&engine_ctx, &e) || schema_context_of_names(&engine_names, &e) ||
				   schema_parse(engine_ctx, text, "fuzz", &engine_base, &e)))
		abort();
}

static inline struct lyd_node *engine_tree_copy(void)
{
	struct lyd_node *tree = NULL;

	if (lyd_dup_siblings(engine_base, NULL, LYD_DUP_RECURSIVE | LYD_DUP_WITH_FLAGS, &tree) != LY_SUCCESS)
		abort();
	return tree;
}

/* Only configuration, every node the model's, every entry with its keys. */
static inline void engine_tree_check(const struct lyd_node *first)
{
	const struct lyd_node *n;

	LY_LIST_FOR(first, n)
	{
		if (!n->schema || !(n->schema->flags & LYS_CONFIG_W))
			abort();
		if (n->schema->nodetype == LYS_LIST && !lyd_child(n))
			abort();
		engine_tree_check(lyd_child(n));
	}
}

/* The input's text behind its first octet, NUL-terminated; free() it. */
static inline char *engine_text(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);

	if (!text)
		abort();
	if (size > 1)
		memcpy(text, data + 1, size - 1);
	return text;
}
