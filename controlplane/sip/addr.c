/* SPDX-License-Identifier: Apache-2.0 */
/* name-addr and addr-spec values with their parameters, and lists of them. */
#include <errno.h>

#include "controlplane/sip/chars.h"
#include "controlplane/sip/message.h"

/* Octets of a quoted string at the front of s, both quotes included; 0 when it does not end. */
static size_t quoted_len(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

/* "*(token LWS)"; octets over 0x7f are let through, the field sends UTF-8 unquoted. */
static bool display_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ch_is(s.p[i], CH_TOKEN) && s.p[i] != ' ' && s.p[i] != '\t' && !(s.p[i] & 0x80))
			return false;
	return true;
}

bool sip_params_ok(struct str params)
{
	struct str name, value;

	while (sip_param_next(&params, &name, &value)) {
		if (!sip_is_token(name))
			return false;
		if (value.n && value.p[0] == '"') {
			if (quoted_len(value) != value.n)
				return false;
			continue;
		}
		for (size_t i = 0; i < value.n; i++)
			if ((uint8_t)value.p[i] <= ' ' || value.p[i] == '"' || value.p[i] == '<' ||
				value.p[i] == '>' || value.p[i] == ',')
				return false;
	}
	return true;
}

/* Behind the URI: nothing, or ";" and parameters. */
static int take_params(struct str rest, struct sip_addr *a)
{
	rest = str_trim(rest);
	if (!rest.n)
		return 0;
	if (rest.p[0] != ';')
		return -EINVAL;
	a->params = str_trim(str_sub(rest, 1, rest.n));
	return sip_params_ok(a->params) ? 0 : -EINVAL;
}

static int parse_bracketed(struct str text, size_t open, struct sip_addr *a)
{
	struct str rest = str_sub(text, open + 1, text.n);

	if (str_chr(rest, '>') < 0)
		return -EINVAL;
	struct str uri = str_cut(&rest, '>');
	int rc = sip_uri_parse(uri, &a->uri);

	if (rc == -EINVAL || take_params(rest, a) < 0)
		return -EINVAL;
	return rc;
}

int sip_addr_parse(struct str text, struct sip_addr *out)
{
	struct sip_addr a = {0};
	int rc;

	text = str_trim(text);
	if (!text.n)
		return -EINVAL;
	if (text.p[0] == '"') {
		size_t n = quoted_len(text);

		if (!n)
			return -EINVAL;
		a.display = str_sub(text, 0, n);
		while (n < text.n && (text.p[n] == ' ' || text.p[n] == '\t'))
			n++;
		if (n == text.n || text.p[n] != '<')
			return -EINVAL;
		rc = parse_bracketed(text, n, &a);
	} else if (str_chr(text, '<') >= 0) {
		size_t open = (size_t)str_chr(text, '<');

		a.display = str_trim(str_sub(text, 0, open));
		if (!display_ok(a.display))
			return -EINVAL;
		rc = parse_bracketed(text, open, &a);
	} else if (str_eq(text, STR("*"))) {
		a.star = true;
		rc = 0;
	} else {
		/* Without <> all parameters are the header's, and '?' or ',' cannot be told apart: RFC
		 * 3261 20.10. */
		struct str rest = text;
		struct str uri = str_trim(str_cut(&rest, ';'));

		if (str_chr(uri, '?') >= 0 || str_chr(uri, ',') >= 0)
			return -EINVAL;
		rc = sip_uri_parse(uri, &a.uri);
		a.params = str_trim(rest);
		if (rc != -EINVAL && !sip_params_ok(a.params))
			rc = -EINVAL;
	}
	if (rc != -EINVAL)
		*out = a;
	return rc;
}

bool sip_list_next(struct str *list, struct str *value)
{
	while (list->n) {
		bool quoted = false, angle = false;
		size_t i = 0;

		for (; i < list->n; i++) {
			char c = list->p[i];

			if (quoted) {
				if (c == '\\' && i + 1 < list->n)
					i++;
				else if (c == '"')
					quoted = false;
			} else if (c == '"' && !angle) {
				quoted = true;
			} else if (c == '<') {
				angle = true;
			} else if (c == '>') {
				angle = false;
			} else if (c == ',' && !angle) {
				break;
			}
		}
		*value = str_trim(str_sub(*list, 0, i));
		*list = str_sub(*list, i + 1, list->n);
		if (value->n)
			return true;
	}
	return false;
}
