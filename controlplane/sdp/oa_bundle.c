/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sdp/oa_private.h"

bool oa_line_under(struct oa_lines *l, unsigned i, struct str prefix, struct str *value)
{
	while (l->rest.n) {
		struct str line = str_trim(str_cut(&l->rest, '\n'));

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (str_starts(line, STR("m=")))
			l->m_lines++;
		if (l->m_lines != i + 1 || !str_starts(line, prefix))
			continue;
		*value = str_sub(line, prefix.n, line.n);
		return true;
	}
	return false;
}

struct str oa_mid_sent(const char *body, unsigned i)
{
	struct oa_lines l = {.rest = str_z(body)};
	struct str mid;

	return oa_line_under(&l, i, STR("a=mid:"), &mid) ? mid : STR("");
}

struct str oa_mid_named(const struct oa_exchange *x, unsigned i)
{
	const struct sdp_attr *a = sdp_attr_find(x->remote, &x->remote->media[i], STR("mid"));

	return a ? a->value : STR("");
}

bool oa_names(const struct oa_exchange *x, unsigned i)
{
	return x->media[i].used && sdp_proto_info(x->media[i].proto)->dtls;
}

static void put_own_mid(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	struct str mid = oa_mid_sent(leg->sent, i);

	if (mid.n)
		wbuf_str(w, mid);
	else if (oa_names(x, i))
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
		wbuf_str(w, oa_mid_named(x, i));
	if (w->len == value)
		w->len = before;
	else
		wbuf_z(w, "\r\n");
}

static bool is_listed(struct str mids, struct str mid)
{
	while (mid.n && mids.n)
		if (str_eq(str_cut(&mids, ' '), mid))
			return true;
	return false;
}

bool oa_is_among(struct str mids, const struct oa_exchange *x, unsigned i)
{
	return is_listed(mids, oa_mid_named(x, i));
}

/* The next BUNDLE group's mids from attribute *at on; false: there are no more. */
static bool next_group(const struct sdp *s, unsigned *at, struct str *mids)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, NULL, &n);

	while (*at < n) {
		const struct sdp_attr *group = &a[(*at)++];

		*mids = group->value;
		if (str_eq(group->name, STR("group")) && str_eq(str_cut(mids, ' '), STR("BUNDLE")))
			return true;
	}
	return false;
}

struct str oa_bundle_of(const struct oa_exchange *x, unsigned i)
{
	unsigned at = 0;
	struct str mids;

	while (next_group(x->remote, &at, &mids))
		if (oa_is_among(mids, x, i))
			return mids;
	return STR("");
}

/* The m-lines on transport t, its tag first; those of the peer's group alone. */
static void put_members(
	struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned t, const struct str *among)
{
	wbuf_z(w, "a=group:BUNDLE");
	for (unsigned others = 0; others < 2; others++) {
		for (unsigned i = 0; i < x->n_media; i++) {
			if (!x->media[i].used || x->media[i].transport != t || oa_describes(x, i) == others ||
				(among && !oa_is_among(*among, x, i)))
				continue;
			wbuf_z(w, " ");
			if (among)
				wbuf_str(w, oa_mid_named(x, i));
			else
				put_own_mid(w, leg, x, i);
		}
	}
	wbuf_z(w, "\r\n");
}

/*
 * A group is answered with its m-lines on one transport: those of the first that is used. Others have been taken out,
 * or refused. Without DTLS each m-line has a transport of its own, and no group: some would then tell their one stream
 * by its MID, whose number is not agreed on (Linphone), and hear nothing that has none.
 */
static void answer_groups(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x)
{
	unsigned at = 0;
	struct str mids;

	while (next_group(x->remote, &at, &mids)) {
		for (unsigned i = 0; i < x->n_media; i++) {
			if (!oa_names(x, i) || !oa_describes(x, i) || !oa_is_among(mids, x, i))
				continue;
			put_members(w, leg, x, x->media[i].transport, &mids);
			break;
		}
	}
}

void oa_put_group(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x)
{
	bool any = false;

	if (!x->ours) {
		answer_groups(w, leg, x);
		return;
	}
	for (unsigned i = 0; i < x->n_media; i++) {
		bool shared = false;

		if (!oa_names(x, i) || !oa_describes(x, i))
			continue;
		for (unsigned k = 0; k < x->n_media; k++)
			shared |= k != i && x->media[k].used && x->media[k].transport == x->media[i].transport;
		/* One m-line alone says that it could be bundled with others. */
		if (shared || !any)
			put_members(w, leg, x, x->media[i].transport, NULL);
		any = true;
	}
}
