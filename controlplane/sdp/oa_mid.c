/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "controlplane/sdp/extmap.h"
#include "controlplane/sdp/oa_private.h"

#define ID_RESERVED 15 /* RFC 8285 section 4.2 */
#define ID_MAX 255

_Static_assert(sizeof((struct dp_stream){0}.mid) == 16, "what the one-byte form can carry");

static bool carries(struct str mid)
{
	return mid.n && mid.n <= sizeof((struct dp_stream){0}.mid);
}

/* Has another m-line of the group another number for the MID, or something else under this one? */
static bool is_disputed(const struct oa_exchange *x, unsigned i, const struct extmap *e)
{
	struct str mids = oa_bundle_of(x, i);
	struct extmap other;

	for (unsigned k = 0; k < x->n_media; k++) {
		const struct sdp_media *m = &x->remote->media[k];

		if (!oa_is_among(mids, x, k))
			continue;
		if (extmap_clashes(x->remote, m, e) ||
			(extmap_find(x->remote, m, STR(EXTMAP_MID), &other) && other.id != e->id))
			return true;
	}
	return false;
}

/* The peer's extension under m-line i, by which it names what it sends. */
static bool offered(const struct oa_exchange *x, unsigned i, struct extmap *e)
{
	return oa_bundle_of(x, i).n && carries(oa_mid_named(x, i)) &&
	       extmap_find(x->remote, &x->remote->media[i], STR(EXTMAP_MID), e) && e->direction & SDP_SENDONLY &&
	       e->id <= ID_MAX && e->id != ID_RESERVED && !is_disputed(x, i, e);
}

unsigned oa_mid_offered(const struct oa_exchange *x, unsigned i)
{
	struct extmap e;

	return offered(x, i, &e) ? e.id : 0;
}

/* What the peer can read: what we send is in the one-byte form. */
static bool reads(const struct extmap *e)
{
	return e->direction & SDP_RECVONLY && e->id <= DP_MID_EXT_SENT_MAX;
}

/* The number that m-line i of a body of ours has; 0: none. */
static unsigned sent(const char *body, unsigned i)
{
	struct oa_lines l = {.rest = str_z(body)};
	struct sdp_attr a = {.name = STR("extmap")};
	struct extmap e;

	while (oa_line_under(&l, i, STR("a=extmap:"), &a.value))
		if (extmap_read(&a, &e) && str_eq(e.uri, STR(EXTMAP_MID)))
			return e.id;
	return 0;
}

unsigned oa_mid_to_offer(const struct oa_leg *to, const struct sdp *from)
{
	for (unsigned i = 0; i < to->n_media; i++) {
		unsigned before = sent(to->sent, i);

		if (before)
			return before;
	}
	for (unsigned id = DP_MID_EXT_SENT_MAX; id; id--)
		if (!extmap_used(from, id))
			return id;
	return 0;
}

bool oa_mid_fits(const struct oa_leg *leg, unsigned i)
{
	struct str mid = oa_mid_sent(leg->sent, i);

	return !mid.n || carries(mid);
}

/* One that has its transport to itself needs none, and a call of speech alone is spared eight octets a packet. */
static bool is_shared(const struct oa_exchange *x, unsigned i)
{
	for (unsigned k = 0; k < x->n_media; k++)
		if (k != i && x->media[k].used && x->media[k].transport == x->media[i].transport)
			return x->media[i].used;
	return false;
}

unsigned oa_mid_number(const struct oa_leg *leg, const struct oa_exchange *x, const struct sdp *s, unsigned i)
{
	if (!is_shared(x, i))
		return 0;
	if (x->ours)
		return oa_names(x, i) && oa_mid_fits(leg, i) ? oa_mid_to_offer(leg, s) : 0;
	return oa_bundles(leg, x, i) ? oa_mid_offered(x, i) : 0;
}

void oa_put_mid_extension(struct wbuf *w, const struct oa_exchange *x, unsigned i, unsigned number)
{
	struct extmap e = {.id = number, .direction = SDP_SENDRECV};

	if (number && (x->ours || offered(x, i, &e)))
		wbuf_fmt(w, "a=extmap:%u%s " EXTMAP_MID "\r\n", number, reads(&e) ? "" : "/recvonly");
}

/* The number is nobody else's, whatever the other side agreed to with us. */
static void note(struct oa_media *om, unsigned number, bool named)
{
	om->mid_sent = (uint8_t)(named ? number : 0);
	if (number && number <= ID_RESERVED)
		om->extensions &= (uint16_t)~(1u << number);
}

void oa_mid_answer(const struct oa_leg *leg, struct oa_exchange *x)
{
	for (unsigned i = 0; i < x->n_media; i++) {
		struct extmap e;
		bool agreed = is_shared(x, i) && oa_bundles(leg, x, i) && offered(x, i, &e);

		note(&x->media[i], agreed ? e.id : 0, agreed && reads(&e));
	}
}

void oa_mid_answered(struct oa_exchange *x)
{
	for (unsigned i = 0; i < x->n_media; i++) {
		unsigned number = sent(x->sent, i);
		struct extmap e;

		note(&x->media[i], number, number && offered(x, i, &e) && e.id == number && reads(&e));
	}
}

/* The formats of m-line i of a body of ours. */
static struct str formats_sent(const char *body, unsigned i)
{
	struct oa_lines l = {.rest = str_z(body)};
	struct str line = STR("");

	oa_line_under(&l, i, STR("m="), &line);
	for (unsigned words = 0; words < 3; words++)
		str_cut(&line, ' ');
	return line;
}

/* The payload types of m-line i of a body of ours, as in struct dp_stream. */
static void types_sent(const char *body, unsigned i, uint8_t types[static DP_PAYLOAD_TYPES / 8])
{
	struct str formats = formats_sent(body, i);
	uint64_t type;

	while (formats.n)
		if (str_to_u64(str_cut(&formats, ' '), DP_PAYLOAD_TYPES - 1, &type) == 0)
			types[type / 8] |= (uint8_t)(1 << type % 8);
}

bool oa_mid_missing(const struct oa_exchange *x, unsigned i, unsigned k)
{
	uint8_t here[DP_PAYLOAD_TYPES / 8] = {0}, there[DP_PAYLOAD_TYPES / 8] = {0};
	bool common = false;

	types_sent(x->sent, i, here);
	types_sent(x->sent, k, there);
	for (unsigned n = 0; n < sizeof here; n++)
		common |= here[n] & there[n];
	return common && !(oa_mid_offered(x, i) && oa_mid_offered(x, k));
}

/* The body by which the peer sends what we hear now. */
static const char *told(const struct oa_leg *leg)
{
	const struct oa_exchange *x = leg->pending;

	return x && x->answered && x->sent ? x->sent : leg->sent;
}

void oa_selectors(const struct oa_leg *leg, unsigned i, struct dp_stream *to)
{
	const struct oa_media *om = oa_media_now(leg, i), *other;
	const char *body = told(leg);
	struct str mid = oa_mid_sent(body, i);
	unsigned number = sent(body, i);

	types_sent(body, i, to->payload_types);
	/* A type that others have too says nothing. */
	for (unsigned k = 0; (other = oa_media_now(leg, k)) != NULL; k++) {
		uint8_t types[DP_PAYLOAD_TYPES / 8] = {0};

		if (k == i || !other->used || other->transport != om->transport)
			continue;
		types_sent(body, k, types);
		for (unsigned n = 0; n < sizeof types; n++)
			to->payload_types[n] &= (uint8_t)~types[n];
	}
	memcpy(to->ssrcs, om->ssrcs, sizeof to->ssrcs);
	to->n_ssrcs = om->n_ssrcs;
	if (!number || number > ID_MAX || !carries(mid))
		return;
	to->mid_ext_id = (uint8_t)number;
	to->mid_len = (uint8_t)mid.n;
	memcpy(to->mid, mid.p, mid.n);
	if (om->mid_sent)
		to->extensions |= (uint16_t)(1u << om->mid_sent);
}
