/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sdp/oa_private.h"

/* What `attribute` ("a=mid:") says under m-line i of a body that holds; i SDP_MEDIA_MAX: of the session. */
static struct str held(const char *body, unsigned i, struct str attribute)
{
	struct str rest = str_z(body);
	unsigned at = SDP_MEDIA_MAX;

	while (rest.n) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (str_starts(line, STR("m=")))
			at = at == SDP_MEDIA_MAX ? 0 : at + 1;
		else if (at == i && str_starts(line, attribute))
			return str_sub(line, attribute.n, line.n);
	}
	return STR("");
}

static struct str offered_mid(const struct oa_exchange *x, unsigned i)
{
	const struct sdp_attr *a = sdp_attr_find(x->remote, &x->remote->media[i], STR("mid"));

	return a ? a->value : STR("");
}

/* Does our offer name m-line i by itself? */
static bool names(const struct oa_exchange *x, unsigned i)
{
	return x->media[i].used && sdp_proto_info(x->media[i].proto)->dtls;
}

static void put_own_mid(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	struct str mid = held(leg->sent, i, STR("a=mid:"));

	if (mid.n)
		wbuf_str(w, mid);
	else if (names(x, i))
		wbuf_fmt(w, "m%u", i);
}

void oa_put_mid(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	size_t before = w->len;

	wbuf_z(w, "a=mid:");
	size_t value = w->len;

	if (x->ours)
		put_own_mid(w, leg, x, i);
	else
		wbuf_str(w, offered_mid(x, i));
	if (w->len == value)
		w->len = before;
	else
		wbuf_z(w, "\r\n");
}

/* The first mid of a group that is of an m-line in use. */
static struct str first_used(const struct oa_exchange *x, struct str mids)
{
	while (mids.n) {
		struct str mid = str_cut(&mids, ' ');

		for (unsigned i = 0; mid.n && i < x->n_media; i++)
			if (x->media[i].used && str_eq(offered_mid(x, i), mid))
				return mid;
	}
	return STR("");
}

static bool is_among(struct str mids, struct str mid)
{
	while (mid.n && mids.n)
		if (str_eq(str_cut(&mids, ' '), mid))
			return true;
	return false;
}

bool oa_shares_transport(const struct oa_exchange *x, unsigned i)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(x->remote, NULL, &n);

	for (unsigned k = 0; k < n; k++) {
		struct str mids = a[k].value;

		if (!str_eq(a[k].name, STR("group")) || !str_eq(str_cut(&mids, ' '), STR("BUNDLE")) ||
			!is_among(mids, offered_mid(x, i)))
			continue;
		for (unsigned before = 0; before < i; before++)
			if (x->media[before].used && is_among(mids, offered_mid(x, before)))
				return true;
	}
	return false;
}

static void answer_groups(struct wbuf *w, const struct oa_exchange *x)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(x->remote, NULL, &n);

	for (unsigned i = 0; i < n; i++) {
		struct str mids = a[i].value;

		if (!str_eq(a[i].name, STR("group")) || !str_eq(str_cut(&mids, ' '), STR("BUNDLE")))
			continue;
		mids = first_used(x, mids);
		if (mids.n)
			wbuf_fmt(w, "a=group:BUNDLE %.*s\r\n", STR_ARG(mids));
	}
}

void oa_put_group(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x)
{
	if (!x->ours) {
		answer_groups(w, x);
		return;
	}
	for (unsigned i = 0; i < x->n_media; i++) {
		if (!names(x, i))
			continue;
		wbuf_z(w, "a=group:BUNDLE ");
		put_own_mid(w, leg, x, i);
		wbuf_z(w, "\r\n");
		return;
	}
}
