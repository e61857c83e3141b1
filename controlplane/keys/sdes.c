/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/keys/sdes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 32 /* a=crypto lines that are looked at in one m-line */

struct sdes {
	struct agreement base; /* first */
	uint32_t tag;          /* answering: that of the line chosen */
	unsigned n_offers;     /* offering: how many lines; line i has tag i + 1. 0: answering, or settled */
	struct agreed_key *offers;
};

void agreed_key_wipe(struct agreed_key *k)
{
	mem_wipe(k, sizeof *k);
}

bool agreed_key_equal(const struct agreed_key *a, const struct agreed_key *b)
{
	return a->suite == b->suite && a->mki_len == b->mki_len && !memcmp(a->mki, b->mki, a->mki_len) &&
	       secret_equal(&a->master, &b->master);
}

void agreement_destroy(struct agreement *a)
{
	if (a)
		a->method->destroy(a);
}

static struct sdes *sdes_of(struct agreement *a)
{
	return (struct sdes *)a;
}

static int create(const struct keying_policy *policy, struct agreement **out)
{
	struct sdes *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->base.method = &agreement_sdes;
	s->base.policy = *policy;
	*out = &s->base;
	return 0;
}

static void drop_offers(struct sdes *s)
{
	if (s->offers)
		mem_wipe(s->offers, s->n_offers * sizeof *s->offers);
	free(s->offers);
	s->offers = NULL;
	s->n_offers = 0;
}

static void destroy(struct agreement *a)
{
	drop_offers(sdes_of(a));
	mem_wipe(a, sizeof(struct sdes));
	free(a);
}

static void settled(struct agreement *a)
{
	drop_offers(sdes_of(a));
}

/* A key of our own. The MKI counts the keys that this leg has sent with, so that each has another. */
static int new_key(struct agreed_key *k, enum srtp_suite suite, unsigned mki_len,
	const struct agreement *before, struct err *e)
{
	*k = (struct agreed_key){.suite = suite};
	if (secret_random(&k->master, srtp_suite_master_len(srtp_suite_info(suite))) < 0)
		return err_set(e, EIO, "the system gives no random numbers");
	k->mki_len = (uint8_t)(mki_len < DP_MKI_MAX ? mki_len : DP_MKI_MAX);
	if (!k->mki_len)
		return 0;
	if (before && before->tx.mki_len == k->mki_len)
		memcpy(k->mki, before->tx.mki, sizeof k->mki);
	for (unsigned i = k->mki_len; i-- > 0 && !++k->mki[i];)
		;
	return 0;
}

/* A key that the peer sent. One that is what we have already keeps its epoch. */
static void set_rx(struct agreement *a, const struct sdes_line *l)
{
	struct agreed_key k = {
		.suite = l->suite,
		.mki_len = (uint8_t)l->keys[0].mki_len,
		.lifetime = l->keys[0].lifetime,
		.master = l->keys[0].master,
	};

	memcpy(k.mki, l->keys[0].mki, k.mki_len);
	if (!agreed_key_equal(&a->rx, &k))
		a->rx = k;
	agreed_key_wipe(&k);
}

/*
 * A peer that sends back a key of ours would have both directions encrypted under one key: with equal SSRCs,
 * one keystream for two plaintexts (RFC 3711 section 9.1).
 */
static bool is_ours(const struct sdes *s, const struct agreement *before, const struct secret *master)
{
	for (unsigned i = 0; i < s->n_offers; i++)
		if (secret_equal(&s->offers[i].master, master))
			return true;
	return before && secret_equal(&before->tx.master, master);
}

/* One line: the key that the peer hears already. */
static int offer_again(struct sdes *s, const struct agreement *before, struct err *e)
{
	s->offers = calloc(1, sizeof *s->offers);
	if (!s->offers)
		return err_set(e, ENOMEM, "out of memory");
	s->n_offers = 1;
	s->offers[0] = before->tx;
	return 0;
}

static int offer(struct agreement *a, const struct agreement *before, struct err *e)
{
	struct sdes *s = sdes_of(a);
	unsigned n = a->policy.n_suites < SDES_OFFERS_MAX ? a->policy.n_suites : SDES_OFFERS_MAX;

	drop_offers(s);
	if (a->policy.keep && before && before->established)
		return offer_again(s, before, e);
	if (!n)
		return err_set(e, ENOKEY, "no crypto suite is configured");
	s->offers = calloc(n, sizeof *s->offers);
	if (!s->offers)
		return err_set(e, ENOMEM, "out of memory");
	for (s->n_offers = 0; s->n_offers < n; s->n_offers++) {
		int rc = new_key(&s->offers[s->n_offers], a->policy.suites[s->n_offers], a->policy.mki_length,
			before, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Place in our order of preference; n_suites when it is not ours. */
static unsigned rank_of(const struct keying_policy *policy, enum srtp_suite suite)
{
	unsigned i = 0;

	while (i < policy->n_suites && policy->suites[i] != suite)
		i++;
	return i;
}

/* What is wrong with each line of an offer, in one line. */
struct complaints {
	unsigned lines;
	struct err all;
};

static void complain(struct complaints *c, uint32_t tag, const char *why)
{
	size_t n = strlen(c->all.text);
	struct wbuf w = wbuf_make(c->all.text + n, sizeof c->all.text - 1 - n);

	wbuf_fmt(&w, "%s%u: %s", n ? "; " : "", tag, why);
	c->all.text[n + (w.overflow ? 0 : w.len)] = '\0';
}

struct choice {
	unsigned best; /* rank; policy.n_suites: nothing chosen */
	uint32_t tags[LINES_MAX];
	struct complaints c;
};

static int weigh(
	struct sdes *s, const struct agreement *before, struct str value, struct choice *ch, struct err *e)
{
	SDES_LINE_AUTO struct sdes_line l = {0};
	struct err why = {0};
	unsigned rank = s->base.policy.n_suites;
	int rc = sdes_parse(value, &l, &why);

	if (rc == 0)
		rc = sdes_usable(&l, &why);
	if (rc == 0 && (rank = rank_of(&s->base.policy, l.suite)) == s->base.policy.n_suites)
		rc = err_set(
			&why, ENOTSUP, "its suite %s is not allowed here", srtp_suite_info(l.suite)->name);
	if (rc == 0 && is_ours(s, before, &l.keys[0].master))
		return err_set(e, ENOKEY, "a=crypto tag %u offers the very key that we send with", l.tag);
	for (unsigned i = 0; i < ch->c.lines; i++)
		if (l.tag && ch->tags[i] == l.tag)
			return err_set(e, ENOKEY, "two a=crypto lines with tag %u", l.tag);
	ch->tags[ch->c.lines++] = l.tag;
	if (rc < 0) {
		complain(&ch->c, l.tag, why.text);
	} else if (rank < ch->best) {
		ch->best = rank;
		s->tag = l.tag;
		set_rx(&s->base, &l);
	}
	return 0;
}

static int offered(struct agreement *a, const struct agreement *before, const struct sdp *sdp,
	const struct sdp_media *m, struct err *e)
{
	struct choice ch = {.best = a->policy.n_suites};
	unsigned n;
	const struct sdp_attr *attr = sdp_attrs(sdp, m, &n);

	for (unsigned i = 0; i < n; i++) {
		if (!str_eq(attr[i].name, STR("crypto")))
			continue;
		if (ch.c.lines == LINES_MAX)
			return err_set(e, ENOKEY, "more than %d a=crypto lines", LINES_MAX);
		int rc = weigh(sdes_of(a), before, attr[i].value, &ch, e);

		if (rc < 0)
			return rc;
	}
	if (ch.best < a->policy.n_suites)
		return 0;
	if (!ch.c.lines)
		return err_set(e, ENOKEY, "there is no a=crypto line");
	return err_set(e, ENOKEY, "no a=crypto line is acceptable (%s)", ch.c.all.text);
}

static int answer(struct agreement *a, const struct agreement *before, struct err *e)
{
	if (a->tx.suite != SRTP_SUITE_NONE)
		return 0;
	/* A peer that goes on with its key hears ours go on too, its rollover counter with it (RFC 4568
	 * section 7.1.4). */
	if (before && before->established && !a->policy.renew && agreed_key_equal(&before->rx, &a->rx) &&
		before->tx.suite == a->rx.suite) {
		a->tx = before->tx;
	} else {
		int rc = new_key(&a->tx, a->rx.suite, a->rx.mki_len, before, e);

		if (rc < 0)
			return rc;
	}
	a->established = true;
	return 0;
}

static int answered_line(struct sdes *s, const struct agreement *before, struct str value, struct err *e)
{
	SDES_LINE_AUTO struct sdes_line l = {0};
	int rc = sdes_parse(value, &l, e);

	if (rc == 0)
		rc = sdes_usable(&l, e);
	if (rc < 0) {
		err_prefix(e, "the answer's a=crypto line cannot be used");
		return -ENOKEY;
	}
	if (!l.tag || l.tag > s->n_offers)
		return err_set(e, ENOKEY, "the answer's a=crypto tag %u was not offered", l.tag);
	const struct agreed_key *ours = &s->offers[l.tag - 1];

	if (ours->suite != l.suite)
		return err_set(e, ENOKEY, "the answer's a=crypto tag %u has suite %s, where %s was offered",
			l.tag, srtp_suite_info(l.suite)->name, srtp_suite_info(ours->suite)->name);
	if (is_ours(s, before, &l.keys[0].master))
		return err_set(e, ENOKEY, "the answer sends our own key back");
	set_rx(&s->base, &l);
	if (!agreed_key_equal(&s->base.tx, ours))
		s->base.tx = *ours;
	s->base.established = true;
	return 0;
}

static int answered(struct agreement *a, const struct agreement *before, const struct sdp *sdp,
	const struct sdp_media *m, struct err *e)
{
	const struct sdp_attr *line = NULL;
	unsigned n, lines = 0;
	const struct sdp_attr *attr = sdp_attrs(sdp, m, &n);

	for (unsigned i = 0; i < n; i++) {
		if (!str_eq(attr[i].name, STR("crypto")))
			continue;
		line = &attr[i];
		lines++;
	}
	if (!lines)
		return err_set(e, ENOKEY, "the answer has no a=crypto line");
	if (lines > 1)
		return err_set(e, ENOKEY, "the answer has %u a=crypto lines, where one belongs", lines);
	return answered_line(sdes_of(a), before, line->value, e);
}

static void assume(struct agreement *a, const struct agreed_key *rx, const struct agreed_key *tx)
{
	a->rx = *rx;
	a->tx = *tx;
	a->established = true;
}

static void print(const struct agreement *a, struct wbuf *w)
{
	const struct sdes *s = (const struct sdes *)a;

	for (unsigned i = 0; i < s->n_offers; i++)
		sdes_print(w, i + 1, &s->offers[i]);
	if (!s->n_offers && a->tx.suite != SRTP_SUITE_NONE)
		sdes_print(w, s->tag, &a->tx);
}

const struct agreement_method agreement_sdes = {
	.name = "sdes",
	.needs_secure_hop = true,
	.create = create,
	.destroy = destroy,
	.offer = offer,
	.offered = offered,
	.answer = answer,
	.answered = answered,
	.settled = settled,
	.assume = assume,
	.print = print,
};
