/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/media/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/squeeze.h"

#define ICE_CONSENT_S 30 /* RFC 7675 section 5.1 */

struct program {
	dp_session_id session;
	uint32_t worker;
	uint32_t media_timeout_s[2];
	uint32_t n_legs;
	uint32_t packed; /* octets behind this that its legs take as lib/base/squeeze.h has it; 0: they stand as they are */
	struct program_leg legs[]; /* transport by transport, side A before side B */
};

_Static_assert(2 * SDP_MEDIA_MAX <= DP_LEGS_MAX, "a transport without legs");
_Static_assert((int)SDP_INACTIVE == (int)DP_INACTIVE && (int)SDP_RECVONLY == (int)DP_RECV &&
		       (int)SDP_SENDONLY == (int)DP_SEND && (int)SDP_SENDRECV == (int)DP_SENDRECV,
	"directions of SDP and of the data plane are the same bits");

static void copy_key(struct agreed_key *to, const struct agreed_key *from)
{
	if (from && from->suite != SRTP_SUITE_NONE)
		*to = *from;
}

static void take_keys(
	struct program_leg *l, const struct program_side *side, const struct oa_media *om, unsigned i)
{
	const struct agreement *a = om->keys;
	const struct agreed_key *tx = oa_tx_now(side->leg, i);

	copy_key(&l->tx, tx);
	if (a && a->established) {
		copy_key(&l->rx, &a->rx);
		l->update.suite = a->tx.suite;
	}
	copy_key(&l->rx_next, oa_next_rx(side->leg, i));
	if (l->rx_next.epoch == l->rx.epoch)
		agreed_key_wipe(&l->rx_next); /* the key in force, offered again */
}

static void copy_credentials(struct dp_ice_credentials *to, const struct ice_credentials *from)
{
	to->ufrag_len = (uint8_t)strlen(from->ufrag);
	to->pwd_len = from->pwd.len;
	memcpy(to->ufrag, from->ufrag, to->ufrag_len);
	memcpy(to->pwd, from->pwd.octets, to->pwd_len);
}
_Static_assert(ICE_UFRAG <= DP_ICE_UFRAG_MAX && SECRET_MAX <= DP_ICE_PWD_MAX, "credentials fit the messages");

static void make_checks(struct program_leg *l, const struct oa_leg *leg, unsigned i)
{
	const struct ice_credentials *newest, *before;

	l->ice = oa_ice_now(leg, i, &newest, &before);
	if (!l->ice || !newest->ufrag[0])
		return;
	l->checks.session = l->update.session;
	l->checks.leg = l->update.leg;
	/* A peer that rings need not check yet. */
	l->checks.consent_s = i < leg->n_media && leg->media[i].open ? ICE_CONSENT_S : 0;
	l->checks.peer = oa_ice_peer(leg, i);
	copy_credentials(&l->checks.credentials[0], newest);
	copy_credentials(&l->checks.credentials[1], before);
}

/* What m-lines are on transport i. One that was switched off keeps its ports and is silent. */
static void make_streams(struct dp_leg_update *u, const struct oa_leg *leg, unsigned i)
{
	const struct oa_media *om;

	u->n_streams = 0;
	for (unsigned k = 0; (om = oa_media_now(leg, k)) != NULL && k < DP_STREAMS_MAX; k++) {
		struct dp_stream *s = &u->streams[u->n_streams];

		if (!om->used || om->transport != i)
			continue;
		s->id = (uint8_t)k;
		s->clock_hz = om->clock_hz;
		s->direction = (uint8_t)om->direction;
		s->extensions = om->extensions;
		s->feedback = om->feedback;
		u->n_streams++;
	}
	for (unsigned k = 0; u->n_streams > 1 && k < u->n_streams; k++)
		oa_selectors(leg, u->streams[k].id, &u->streams[k]);
	if (u->n_streams)
		return;
	u->n_streams = 1;
	/* Where m-line i is on another transport, this one is nobody's. */
	om = oa_media_now(leg, i);
	u->streams[0].id = (uint8_t)(om && om->used ? SDP_MEDIA_MAX + i : i);
	u->streams[0].clock_hz = om ? om->clock_hz : 0;
}

/* One transport of one side. */
static void make_leg(struct program_leg *l, dp_session_id session, const struct program_side *side,
	unsigned number, unsigned i)
{
	const struct oa_leg *leg = side->leg;
	const struct oa_media *om = oa_media_now(leg, i);
	struct dp_leg_update *u = &l->update;
	bool secure = oa_is_secure(leg, i);

	u->session = session;
	u->leg = (uint8_t)(2 * i + number);
	u->side = (uint8_t)number;
	u->security = secure ? DP_SECURITY_SRTP : DP_SECURITY_PLAIN;
	u->learn = secure ? DP_LEARN_AUTHENTIC : side->learn;
	u->dscp = side->dscp;
	u->replay_window = side->replay_window;
	l->keep_roc = side->keep_roc;
	l->key_packets = side->key_packets;
	l->key_octets = side->key_octets;
	u->local = oa_rtp_port(leg, om, i);
	u->local_rtcp = oa_rtcp_port(leg, om, i);
	make_streams(u, leg, i);
	make_checks(l, leg, i);
	/* A handshake may begin before the answer: nothing but that is heard. */
	if (oa_handshake_expected(leg, i))
		u->flags |= DP_LEG_PUNT_DTLS;
	if (!om || !om->open)
		return;
	oa_remote_now(leg, i, &u->remote, &u->remote_rtcp);
	/* Who does ICE is where it says with its checks. */
	if (om->ice) {
		u->remote = *oa_selected(leg, i);
		u->remote_rtcp = (struct ip_port){0};
	}
	if (om->mux) {
		u->flags |= DP_LEG_RTCP_MUX;
		u->remote_rtcp = (struct ip_port){0};
	}
	if (om->keys && om->keys->method->media_path)
		u->flags |= DP_LEG_PUNT_DTLS;
	else if (om->mux)
		u->local_rtcp = (struct ip_port){0}; /* DTLS alone moves to and fro between the two */
	if (secure && oa_keys_pending(leg))
		u->flags |= DP_LEG_KEYS_PENDING;
	take_keys(l, side, om, i);
}

static bool has_leg(const struct oa_leg *leg, unsigned i)
{
	return (oa_media_now(leg, i) || oa_handshake_expected(leg, i) || oa_check_expected(leg, i)) &&
	       oa_local_of(leg, i)->set;
}

int program_make(const struct program_call *call, struct program **out)
{
	const struct program_side *sides[] = {&call->a, &call->b};
	size_t n = 0;

	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		n += has_leg(call->a.leg, i) + has_leg(call->b.leg, i);
	struct program *p = calloc(1, sizeof *p + n * sizeof *p->legs);

	if (!p)
		return -ENOMEM;
	p->session = call->session;
	p->worker = call->worker;
	p->media_timeout_s[DP_SIDE_A] = call->a.media_timeout_s;
	p->media_timeout_s[DP_SIDE_B] = call->b.media_timeout_s;
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		for (unsigned s = 0; s < 2; s++)
			if (has_leg(sides[s]->leg, i))
				make_leg(&p->legs[p->n_legs++], call->session, sides[s], s, i);
	*out = p;
	return 0;
}

void program_free(struct program *p)
{
	if (p)
		mem_wipe(p, sizeof *p + (p->packed ? p->packed : p->n_legs * sizeof *p->legs));
	free(p);
}

struct program *program_pack(struct program *p)
{
	size_t all = p->n_legs * sizeof *p->legs, size = squeeze_size(p->legs, all);
	struct program *small = p->packed || !all ? NULL : malloc(sizeof *p + size);

	if (!small)
		return p;
	*small = *p;
	small->packed = (uint32_t)size;
	squeeze(p->legs, all, small->legs);
	program_free(p);
	return small;
}

static struct program *unpack(const struct program *small)
{
	size_t all = small->n_legs * sizeof *small->legs;
	struct program *p = malloc(sizeof *p + all);

	if (!p)
		return NULL;
	*p = *small;
	p->packed = 0;
	if (unsqueeze(small->legs, small->packed, p->legs, all))
		return p;
	program_free(p);
	return NULL;
}

size_t program_legs(const struct program *p, const struct program_leg **legs)
{
	*legs = p->legs;
	return p->n_legs;
}

struct diff {
	int (*put)(void *arg, union dp_msg *m);
	void *arg;
	dp_session_id session;
};

static int put(struct diff *d, union dp_msg *m)
{
	int rc = d->put(d->arg, m);

	dp_msg_wipe(m);
	return rc < 0 ? rc : 0;
}

static int put_session(struct diff *d, const struct program *now)
{
	union dp_msg m;

	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = now->session;
	m.session_add.worker = now->worker;
	memcpy(m.session_add.media_timeout_s, now->media_timeout_s, sizeof now->media_timeout_s);
	return put(d, &m);
}

static int put_leg(struct diff *d, const struct dp_leg_update *u)
{
	union dp_msg m;
	struct dp_header h;

	dp_msg_init(&m, DP_LEG_UPDATE, 0);
	h = m.h;
	m.leg_update = *u;
	m.h = h;
	return put(d, &m);
}

/*
 * Does the rollover counter begin at 0 under key k, which follows `before` on this leg? A stream on another
 * transport address is a new one (RFC 4568 section 7.1.4). A master key that only has another MKI is no new
 * key: an empty replay window would open its old packets again, as the MKI is not authenticated.
 */
static bool begins_anew(
	const struct program_leg *n, const struct agreed_key *k, const struct agreed_key *before)
{
	if (!before || before->suite == SRTP_SUITE_NONE)
		return true;
	if (k->suite == before->suite && secret_equal(&k->master, &before->master))
		return false;
	return !n->keep_roc || k->moved;
}

/*
 * Room before the end of a lifetime, so that an offer and its answer fit in between: a sixteenth, or half a
 * minute of speech (50 packets a second), or of a very short one the half.
 */
static uint64_t lifetime_margin(uint64_t lifetime)
{
	uint64_t margin = lifetime / 16 > 1500 ? lifetime / 16 : 1500;

	return margin < lifetime / 2 ? margin : lifetime / 2;
}

static uint64_t soft_packets(const struct program_leg *l, const struct agreed_key *k)
{
	uint64_t by_lifetime = k->lifetime - lifetime_margin(k->lifetime);

	if (!k->lifetime || (l->key_packets && l->key_packets < by_lifetime))
		return l->key_packets;
	return by_lifetime;
}

static int put_key(struct diff *d, const struct program_leg *l, enum dp_key_direction direction,
	enum dp_key_role role, const struct agreed_key *k, bool fresh)
{
	union dp_msg m;
	struct dp_key_add *a = &m.key_add;

	dp_msg_init(&m, DP_KEY_ADD, 0);
	a->session = d->session;
	a->leg = l->update.leg;
	a->direction = (uint8_t)direction;
	a->role = (uint8_t)role;
	a->suite = (uint8_t)k->suite;
	a->epoch = k->epoch;
	a->mki_len = k->mki_len;
	memcpy(a->mki, k->mki, k->mki_len);
	a->master_len = k->master.len;
	memcpy(a->master, k->master.octets,
		k->master.len < sizeof a->master ? k->master.len : sizeof a->master);
	a->fresh_index = fresh;
	a->soft_packets = soft_packets(l, k);
	a->soft_octets = l->key_octets;
	a->hard_packets = k->lifetime;
	return put(d, &m);
}

static int retire(struct diff *d, unsigned leg, enum dp_key_direction direction, uint32_t epoch)
{
	union dp_msg m;

	dp_msg_init(&m, DP_KEY_RETIRE, 0);
	m.key_retire.session = d->session;
	m.key_retire.leg = (uint8_t)leg;
	m.key_retire.direction = (uint8_t)direction;
	m.key_retire.epoch = epoch;
	return put(d, &m);
}

static bool is_idle(const struct program_leg *l)
{
	return !l->ice && !l->update.flags && l->update.streams[0].direction == DP_INACTIVE && l->update.remote.ip.family == IP_NONE &&
	       l->rx.suite == SRTP_SUITE_NONE;
}

static const struct program_leg *find(const struct program *p, unsigned leg)
{
	for (size_t i = 0; p && i < p->n_legs; i++)
		if (p->legs[i].update.leg == leg)
			return &p->legs[i];
	return NULL;
}

static int diff_leg(struct diff *d, const struct program_leg *o, const struct program_leg *n)
{
	struct dp_leg_update u = n->update;

	/* Keys that were to come are on their way: what none opens waits until they are there. */
	if (o)
		u.flags |= o->update.flags & DP_LEG_KEYS_PENDING;
	/* A leg that never was used need not be there. */
	if (o ? !memcmp(&o->update, &u, sizeof u) && is_idle(o) == is_idle(n) : is_idle(n))
		return 0;
	return put_leg(d, &u);
}

static int put_checks(struct diff *d, const struct dp_leg_ice *checks)
{
	union dp_msg m;
	struct dp_header h;

	dp_msg_init(&m, DP_LEG_ICE, 0);
	h = m.h;
	m.leg_ice = *checks;
	m.h = h;
	return put(d, &m);
}

/* Before the leg: the remote is signalling's to say again. */
static int diff_ice_ends(struct diff *d, const struct program_leg *o, const struct program_leg *n)
{
	const struct dp_leg_ice none = {.session = n->update.session, .leg = n->update.leg};

	return o && o->ice && !n->ice ? put_checks(d, &none) : 0;
}

static int diff_ice(struct diff *d, const struct program_leg *o, const struct program_leg *n)
{
	if (!n->checks.credentials[0].ufrag_len || (o && memcmp(&o->checks, &n->checks, sizeof o->checks) == 0))
		return 0;
	return put_checks(d, &n->checks);
}

/* The keys are there, or will not come. */
static int diff_pending(struct diff *d, const struct program_leg *o, const struct program_leg *n)
{
	if (!o || !(o->update.flags & ~n->update.flags & DP_LEG_KEYS_PENDING))
		return 0;
	return put_leg(d, &n->update);
}

/* A key that only the data plane knows it has already, or it is lost. */
static bool is_new(const struct agreed_key *k, uint32_t had, uint32_t had_too)
{
	return k->suite != SRTP_SUITE_NONE && k->master.len && k->epoch != had && k->epoch != had_too;
}

static int diff_rx(struct diff *d, const struct program_leg *o, const struct program_leg *n)
{
	uint32_t current = o ? o->rx.epoch : 0, next = o ? o->rx_next.epoch : 0;
	int rc = 0;

	/* A key that was announced as the next one becomes current by itself when the peer uses it. */
	if (is_new(&n->rx, current, next)) {
		rc = put_key(
			d, n, DP_KEY_RX, DP_KEY_CURRENT, &n->rx, begins_anew(n, &n->rx, o ? &o->rx : NULL));
		next = 0; /* over this one the data plane takes it to be done with: it is said again if it is
			     not */
	}
	if (rc == 0 && is_new(&n->rx_next, current, next))
		rc = put_key(d, n, DP_KEY_RX, DP_KEY_NEXT, &n->rx_next,
			begins_anew(n, &n->rx_next, o ? &o->rx : NULL));
	return rc;
}

static int diff_tx(struct diff *d, const struct program_leg *o, const struct program_leg *n)
{
	if (!is_new(&n->tx, o ? o->tx.epoch : 0, 0))
		return 0;
	return put_key(d, n, DP_KEY_TX, DP_KEY_CURRENT, &n->tx, begins_anew(n, &n->tx, o ? &o->tx : NULL));
}

/* The key of an offer that came to nothing: a next key that another one follows counts as agreed. */
static int diff_withdrawn(struct diff *d, const struct program_leg *o, const struct program_leg *n)
{
	if (!o || !o->rx_next.epoch || o->rx_next.epoch == n->rx_next.epoch || o->rx_next.epoch == n->rx.epoch)
		return 0;
	return retire(d, n->update.leg, DP_KEY_RX, o->rx_next.epoch);
}

/* All keys of an m-line that was switched off. */
static int diff_retired(struct diff *d, const struct program_leg *o, const struct program_leg *n)
{
	int rc = 0;

	if (!o)
		return 0;
	if (o->rx.epoch && !n->rx.epoch)
		rc = retire(d, n->update.leg, DP_KEY_RX, o->rx.epoch);
	if (rc == 0 && o->tx.epoch && !n->tx.epoch)
		rc = retire(d, n->update.leg, DP_KEY_TX, o->tx.epoch);
	return rc;
}

static int diff(const struct program *old, const struct program *now, int (*put_one)(void *arg, union dp_msg *m),
	void *arg)
{
	static int (*const steps[])(struct diff *, const struct program_leg *, const struct program_leg *) = {
		diff_ice_ends, diff_leg, diff_ice, diff_withdrawn, diff_rx, diff_tx, diff_pending, diff_retired};
	struct diff d = {.put = put_one, .arg = arg, .session = now->session};
	int rc = old ? 0 : put_session(&d, now);

	for (unsigned s = 0; rc == 0 && s < sizeof steps / sizeof steps[0]; s++)
		for (size_t i = 0; rc == 0 && i < now->n_legs; i++)
			rc = steps[s](&d, find(old, now->legs[i].update.leg), &now->legs[i]);
	return rc;
}

int program_diff(const struct program *old, const struct program *now,
	int (*put_one)(void *arg, union dp_msg *m), void *arg)
{
	struct program *whole;
	int rc;

	if (!old || !old->packed)
		return diff(old, now, put_one, arg);
	whole = unpack(old);
	if (!whole)
		return -ENOMEM;
	rc = diff(whole, now, put_one, arg);
	program_free(whole);
	return rc;
}

static int defer_next(struct program *p, unsigned leg, uint32_t epoch, bool fresh,
	int (*put_one)(void *arg, union dp_msg *m), void *arg)
{
	struct diff d = {.put = put_one, .arg = arg, .session = p->session};

	for (size_t i = 0; i < p->n_legs; i++) {
		struct program_leg *l = &p->legs[i];

		if (l->update.leg != leg)
			continue;
		if (l->rx_next.epoch == epoch)
			agreed_key_wipe(&l->rx_next);
		else if (l->rx.epoch == epoch)
			return put_key(&d, l, DP_KEY_RX, DP_KEY_CURRENT, &l->rx, fresh);
	}
	return 0;
}

int program_defer_next(struct program **kept, unsigned leg, uint32_t epoch, bool fresh,
	int (*put_one)(void *arg, union dp_msg *m), void *arg)
{
	struct program *whole = (*kept)->packed ? unpack(*kept) : *kept;
	int rc;

	if (!whole)
		return -ENOMEM;
	rc = defer_next(whole, leg, epoch, fresh, put_one, arg);
	if (whole == *kept)
		return rc;
	program_free(*kept);
	*kept = program_pack(whole);
	return rc;
}
