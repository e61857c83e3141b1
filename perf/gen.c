/* SPDX-License-Identifier: Apache-2.0 */
/* The generator as a whole: its calls, their keys and first numbers. */
#include "perf/gen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/gen_private.h"
#include "perf/order.h"

#define DEPTH_DEFAULT 4
#define PERCENT_MAX 90.0

static int context(const struct gen *g, unsigned side, uint32_t s, unsigned direction,
	enum srtp_direction way, struct srtp_context **out)
{
	SECRET_AUTO struct secret master = {0};
	struct srtp_context_conf conf = {
		.suite = gen_suite(g, side),
		.direction = way,
		.master = &master,
		.replay_window = 64,
		.ssrc_max = 1,
	};
	int rc;

	if (conf.suite == SRTP_SUITE_NONE)
		return 0;
	rc = gen_master(g, side, s, direction, &master);
	return rc < 0 ? rc : srtp_context_alloc(out, &conf);
}

static int session_open(struct gen *g, uint32_t s)
{
	struct gen_session *c = &g->sessions[s];
	int rc;

	for (unsigned side = 0; side < 2; side++) {
		struct ip_port from = gen_peer(g, side, s), to = gen_gateway(g, side, s);

		c->headers_n[side] =
			(uint8_t)frame_headers(c->headers[side], &from, &to, g->conf.gateway_mac[side]);
	}
	c->ssrc = 0x10000000 + s * 7919;
	c->seq = (uint16_t)(s * 31);
	c->ts = s * 1013;
	c->media = (uint8_t)gen_media_of(&g->conf, s);
	/* The gateway receives with what our protect side sends with. */
	rc = context(g, 0, s, DP_KEY_RX, SRTP_PROTECT, &c->protect[0]);
	rc = rc < 0 ? rc : context(g, 1, s, DP_KEY_TX, SRTP_UNPROTECT, &c->unprotect[1]);
	if (!g->conf.rtcp)
		return rc;
	rc = rc < 0 ? rc : context(g, 1, s, DP_KEY_RX, SRTP_PROTECT, &c->protect[1]);
	return rc < 0 ? rc : context(g, 0, s, DP_KEY_TX, SRTP_UNPROTECT, &c->unprotect[0]);
}

static int sessions_open(struct gen *g)
{
	int rc = 0;

	order_shuffle(g->order, g->conf.sessions);
	for (uint32_t s = 0; s < g->conf.sessions && rc >= 0; s++)
		rc = session_open(g, s);
	return rc;
}

static int impair_check(const struct gen_impair *i, struct err *err)
{
	const double percents[] = {i->loss, i->reorder, i->replay, i->forge};

	for (size_t k = 0; k < sizeof(percents) / sizeof(percents[0]); k++)
		if (!(percents[k] >= 0 && percents[k] <= PERCENT_MAX))
			return err_set(
				err, EINVAL, "%g %% of the packets: 0 to %g", percents[k], PERCENT_MAX);
	if (i->depth > GEN_DEPTH_MAX)
		return err_set(
			err, EINVAL, "%u packets to overtake one: at most %u", i->depth, GEN_DEPTH_MAX);
	return 0;
}

static int conf_check(const struct gen_conf *conf, struct err *err)
{
	if (!conf->sessions || conf->sessions > GEN_SESSIONS_MAX)
		return err_set(err, EINVAL, "%u calls: 1 to %u", conf->sessions, GEN_SESSIONS_MAX);
	if (conf->payload && (conf->payload < GEN_PAYLOAD_MIN || conf->payload > GEN_PAYLOAD_MAX))
		return err_set(err, EINVAL, "payload of %u octets: %u to %u", conf->payload, GEN_PAYLOAD_MIN,
			GEN_PAYLOAD_MAX);
	return impair_check(&conf->impair, err) < 0 || impair_check(&conf->impair_rtcp, err) < 0 ? -EINVAL
												 : 0;
}

int gen_open(const struct gen_conf *conf, struct gen **out, struct err *err)
{
	struct gen *g;
	int rc = conf_check(conf, err);

	if (rc < 0)
		return rc;
	rc = -ENOMEM;
	g = calloc(1, sizeof(*g));
	if (g) {
		g->conf = *conf;
		if (!g->conf.impair.depth)
			g->conf.impair.depth = DEPTH_DEFAULT;
		if (!g->conf.impair_rtcp.depth)
			g->conf.impair_rtcp.depth = DEPTH_DEFAULT;
		/* Any seed but 0, where the generator of numbers would stand still. */
		g->random = conf->seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
		g->sessions = calloc(conf->sessions, sizeof(*g->sessions));
		g->order = calloc(conf->sessions, sizeof(*g->order));
		g->pending = calloc(GEN_PENDING, sizeof(*g->pending));
		g->outbox = calloc(GEN_OUTBOX, sizeof(*g->outbox));
		if (g->sessions && g->order && g->pending && g->outbox)
			rc = sessions_open(g);
	}
	if (rc < 0) {
		gen_close(g);
		return err_set(err, -rc, "%u calls: %s", conf->sessions, strerror(-rc));
	}
	*out = g;
	return 0;
}

static void way_close(struct gen_way *way)
{
	free(way->held);
	free(way->old);
}

void gen_close(struct gen *g)
{
	if (!g)
		return;
	for (uint32_t s = 0; g->sessions && s < g->conf.sessions; s++) {
		struct gen_session *c = &g->sessions[s];

		for (unsigned side = 0; side < 2; side++) {
			srtp_context_free(c->protect[side]);
			srtp_context_free(c->unprotect[side]);
			way_close(&c->rtcp[side]);
		}
		way_close(&c->rtp);
	}
	free(g->sessions);
	free(g->order);
	free(g->pending);
	free(g->outbox);
	free(g);
}

uint32_t gen_calls(const struct gen *g)
{
	return g->conf.sessions;
}

uint64_t gen_reports_again(const struct gen *g)
{
	return (g->conf.in ? 0 : g->stats.rtcp_replayed[0]) + (g->conf.out ? 0 : g->stats.rtcp_replayed[1]);
}

uint64_t gen_wanted(const struct gen *g)
{
	return g->stats.sent + g->stats.rtcp_sent + gen_reports_again(g);
}

const struct gen_stats *gen_stats(const struct gen *g)
{
	return &g->stats;
}
