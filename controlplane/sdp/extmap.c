/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sdp/extmap.h"

/* RFC 8285 section 8: without a direction it is both. */
static bool direction(struct str word, enum sdp_direction *d)
{
	*d = SDP_SENDRECV;
	for (unsigned i = SDP_INACTIVE; word.n && i <= SDP_SENDRECV; i++) {
		*d = (enum sdp_direction)i;
		if (str_eq(word, str_z(sdp_direction_name(*d))))
			return true;
	}
	return !word.n;
}

bool extmap_read(const struct sdp_attr *a, struct extmap *e)
{
	struct str value = a->value, number = str_cut(&value, ' '), id = str_cut(&number, '/');
	uint64_t n;

	e->uri = str_cut(&value, ' ');
	if (!str_ieq(a->name, STR("extmap")) || !e->uri.n || str_to_u64(id, UINT16_MAX, &n) < 0 || !n ||
		!direction(number, &e->direction))
		return false;
	e->id = (unsigned)n;
	return true;
}

static bool find(const struct sdp *s, const struct sdp_media *m, struct str uri, struct extmap *e)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	for (unsigned i = 0; i < n; i++)
		if (extmap_read(&a[i], e) && str_ieq(e->uri, uri))
			return true;
	return false;
}

bool extmap_find(const struct sdp *s, const struct sdp_media *m, struct str uri, struct extmap *e)
{
	return find(s, m, uri, e) || find(s, NULL, uri, e);
}

static bool clashes(const struct sdp *s, const struct sdp_media *m, const struct extmap *e)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);
	struct extmap other;

	for (unsigned i = 0; i < n; i++)
		if (extmap_read(&a[i], &other) && other.id == e->id && !str_ieq(other.uri, e->uri))
			return true;
	return false;
}

bool extmap_clashes(const struct sdp *s, const struct sdp_media *m, const struct extmap *e)
{
	return clashes(s, m, e) || clashes(s, NULL, e);
}

bool extmap_used(const struct sdp *s, unsigned id)
{
	struct extmap e;

	for (unsigned i = 0; i < s->n_attrs; i++)
		if (extmap_read(&s->attrs[i], &e) && e.id == id)
			return true;
	return false;
}
