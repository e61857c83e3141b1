/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/state_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libyang/libyang.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"

#define TEXT_MAX 512

static struct lyd_node *fail(struct state_tree *t, const char *name)
{
	if (!t->failed)
		t->failed = name;
	return NULL;
}

static struct lyd_node *named(struct lyd_node *first, const char *name)
{
	struct lyd_node *n;

	LY_LIST_FOR(first, n)
	{
		if (strcmp(LYD_NAME(n), name) == 0)
			return n;
	}
	return NULL;
}

struct lyd_node *state_top_of(struct state_tree *t, const char *module, const char *name)
{
	struct lyd_node *n = named(t->first, name);

	if (n || t->failed)
		return t->failed ? NULL : n;
	if (lyd_new_inner(NULL, ly_ctx_get_module_implemented(t->ctx, module), name, 0, &n) != LY_SUCCESS ||
		lyd_insert_sibling(t->first, n, &t->first) != LY_SUCCESS)
		return fail(t, name);
	return n;
}

struct lyd_node *state_in(struct state_tree *t, struct lyd_node *parent, const char *name)
{
	struct lyd_node *n = parent ? named(lyd_child(parent), name) : NULL;

	if (n || !parent || t->failed)
		return t->failed ? NULL : n;
	return lyd_new_inner(parent, NULL, name, 0, &n) == LY_SUCCESS ? n : fail(t, name);
}

struct lyd_node *state_entry(struct state_tree *t, struct lyd_node *parent, const char *list, const char *key)
{
	struct lyd_node *n = NULL;

	if (!parent || t->failed)
		return NULL;
	return lyd_new_list(parent, NULL, list, 0, &n, key) == LY_SUCCESS ? n : fail(t, list);
}

struct lyd_node *state_entry2(
	struct state_tree *t, struct lyd_node *parent, const char *list, uint64_t number, const char *name)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, number);
	return state_entry_named(t, parent, list, text, name);
}

struct lyd_node *state_entry_named(
	struct state_tree *t, struct lyd_node *parent, const char *list, const char *first, const char *second)
{
	struct lyd_node *n = NULL;

	if (!parent || t->failed)
		return NULL;
	return lyd_new_list(parent, NULL, list, 0, &n, first, second) == LY_SUCCESS ? n : fail(t, list);
}

static void term(struct state_tree *t, struct lyd_node *parent, const char *leaf, const char *z)
{
	if (parent && !t->failed && lyd_new_term(parent, NULL, leaf, z, 0, NULL) != LY_SUCCESS)
		fail(t, leaf);
}

void state_text(struct state_tree *t, struct lyd_node *parent, const char *leaf, const char *z)
{
	if (z)
		state_str(t, parent, leaf, str_z(z));
}

/* UTF-8 of characters that a YANG string may have (RFC 7950, section 9.4); libyang does not look. */
static bool is_yang_text(const char *z)
{
	for (const uint8_t *p = (const uint8_t *)z; *p;) {
		unsigned n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
		uint32_t c = n == 1 ? *p : *p & (0xffu >> (n + 1));

		if ((*p < 0x20 && *p != '\t' && *p != '\r' && *p != '\n') || (*p >= 0x80 && *p < 0xc2) ||
			*p > 0xf4)
			return false;
		for (unsigned i = 1; i < n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (p[i] & 0x3f);
		}
		if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
			(c >= 0xd800 && c < 0xe000) || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c < 0xfdf0))
			return false;
		p += n;
	}
	return true;
}

void state_str(struct state_tree *t, struct lyd_node *parent, const char *leaf, struct str s)
{
	char plain[TEXT_MAX], escaped[4 * TEXT_MAX];
	struct wbuf w = wbuf_make(escaped, sizeof escaped - 1);

	if (!parent || t->failed)
		return;
	snprintf(plain, sizeof plain, "%.*s", STR_ARG(s));
	if (is_yang_text(plain)) {
		term(t, parent, leaf, plain);
		return;
	}
	for (const char *p = plain; *p; p++) {
		if (*p >= 0x20 && *p < 0x7f)
			wbuf_u8(&w, (uint8_t)*p);
		else
			wbuf_fmt(&w, "\\x%02x", (uint8_t)*p);
	}
	escaped[w.len] = 0;
	term(t, parent, leaf, escaped);
}

void state_number(struct state_tree *t, struct lyd_node *parent, const char *leaf, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, v);
	term(t, parent, leaf, text);
}

void state_signed(struct state_tree *t, struct lyd_node *parent, const char *leaf, int64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, v);
	term(t, parent, leaf, text);
}

void state_bool(struct state_tree *t, struct lyd_node *parent, const char *leaf, bool v)
{
	term(t, parent, leaf, v ? "true" : "false");
}

void state_milli(struct state_tree *t, struct lyd_node *parent, const char *leaf, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof text, "%" PRIu64 ".%03u", v / 1000, (unsigned)(v % 1000));
	term(t, parent, leaf, text);
}

void state_time(struct state_tree *t, struct lyd_node *parent, const char *leaf, uint64_t wall_ms)
{
	char text[CLOCK_TEXT_MAX];

	term(t, parent, leaf, clock_text(wall_ms, text));
}

void state_address(struct state_tree *t, struct lyd_node *parent, const char *leaf, const struct ip_port *a)
{
	char text[IP_PORT_TEXT_MAX];

	if (a->ip.family != IP_NONE)
		term(t, parent, leaf, ip_port_text(a, text));
}

void state_counter(struct state_tree *t, struct lyd_node *parent, const char *c_name, uint64_t v)
{
	char leaf[64];

	snprintf(leaf, sizeof leaf, "%s", c_name);
	for (char *p = leaf; *p; p++)
		if (*p == '_')
			*p = '-';
	if (parent && !t->failed) {
		state_number(t, parent, leaf, v);
		if (t->failed)
			t->failed = c_name; /* leaf is gone with this call */
	}
}
