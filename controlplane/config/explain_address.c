/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/explain_address.h"

#include <string.h>

#include <libyang/libyang.h>
#include <libyang/plugins_types.h>

#include "lib/base/buf.h"
#include "lib/base/netaddr.h"

/* What a type takes. */
struct takes {
	bool address, prefix, name;
};

/* The types of ietf-inet-types that are no plain text have plugins; a union with one of them and with text is
 * inet:host, whose text is a name. */
static struct takes takes(const struct lysc_type *type)
{
	struct takes t = {0};

	if (type->basetype == LY_TYPE_UNION) {
		const struct lysc_type_union *u = (const struct lysc_type_union *)type;

		LY_ARRAY_COUNT_TYPE i;
		LY_ARRAY_FOR(u->types, i)
		{
			struct takes one = takes(u->types[i]);

			t.address |= one.address;
			t.prefix |= one.prefix;
			t.name |= one.name;
		}
		return t;
	}
	const char *plugin = type->plugin && type->plugin->id ? type->plugin->id : "";

	t.address = strstr(plugin, "ipv4-address") || strstr(plugin, "ipv6-address");
	t.prefix = strstr(plugin, "ipv4-prefix") || strstr(plugin, "ipv6-prefix");
	t.name = !t.address && !t.prefix && type->basetype == LY_TYPE_STRING;
	return t;
}

static bool is_address(struct str text)
{
	struct ip_addr ignored;

	return ip_parse(text, &ignored) == 0;
}

static bool is_number(struct str text)
{
	return text.n && strspn(text.p, "0123456789") >= text.n;
}

/* "198.51.100.0": of one address its length is left out by who thinks of an access list. */
static void explain_prefix(struct str value, struct wbuf *w)
{
	if (is_address(value))
		wbuf_fmt(w, "'%.*s' has no length: %.*s/%s is this address alone", STR_ARG(value),
			STR_ARG(value), str_chr(value, ':') < 0 ? "32" : "128");
	else
		wbuf_fmt(w, "'%.*s' is no network: one is written as 192.0.2.0/24 or 2001:db8::/32",
			STR_ARG(value));
}

/* Something more than an address, which begins or ends it: what to write instead. */
static bool explain_more(struct str value, struct wbuf *w)
{
	ptrdiff_t slash = str_chr(value, '/'), zone = str_chr(value, '%'), colon = -1;
	bool bracket = value.n > 2 && value.p[0] == '[';

	for (size_t i = 0; i < value.n; i++)
		colon = value.p[i] == ':' ? (ptrdiff_t)i : colon;
	if (slash > 0 && is_address(str_sub(value, 0, (size_t)slash)))
		wbuf_fmt(w, "'%.*s' is a network: write the address alone, %.*s", STR_ARG(value), (int)slash,
			value.p);
	else if (zone > 0 && is_address(str_sub(value, 0, (size_t)zone)))
		wbuf_fmt(w, "'%.*s' has a zone, which has no place here", STR_ARG(value));
	else if (bracket && value.p[value.n - 1] == ']')
		wbuf_fmt(w, "'%.*s' is written here without brackets", STR_ARG(value));
	else if (colon > 0 && is_number(str_sub(value, (size_t)colon + 1, value.n)) &&
		 (bracket ? colon > 2 && value.p[colon - 1] == ']' : str_chr(value, ':') == colon))
		wbuf_fmt(w, "'%.*s' has a port in it: write %.*s here, and the port where the model has it",
			STR_ARG(value), (int)colon - 2 * bracket, value.p + bracket);
	else
		return false;
	return true;
}

bool explain_address(const struct lysc_type *type, struct str value, struct wbuf *w)
{
	struct takes t = type ? takes(type) : (struct takes){0};

	if (!t.address && !t.prefix)
		return false;
	if (t.prefix)
		explain_prefix(value, w);
	else if (!explain_more(value, w))
		wbuf_fmt(w,
			t.name ? "'%.*s' is neither an IP address nor a name of DNS"
			       : "'%.*s' is no IPv4 or IPv6 address",
			STR_ARG(value));
	return true;
}
