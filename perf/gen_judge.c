/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: what came back, and what the gateway says of it, against what was done. */
#include <errno.h>

#include "perf/gen_private.h"

typedef unsigned long long count;

/* What came back and should not have, or not so. */
static int wrong(const struct gen *g, struct err *err)
{
	const struct gen_stats *s = &g->stats;

	if (s->bad_frame || s->bad_auth || s->bad_rtp || s->bad_content || s->rtcp_bad)
		return err_set(err, EBADMSG,
			"frames came back wrong: %llu no sound frame, %llu not authentic, %llu with wrong RTP numbers, %llu with wrong content, %llu reports",
			(count)s->bad_frame, (count)s->bad_auth, (count)s->bad_rtp, (count)s->bad_content,
			(count)s->rtcp_bad);
	if (s->twice)
		return err_set(err, EBADMSG,
			"%llu packets came out twice: of %llu replays none may get through", (count)s->twice,
			(count)s->replayed);
	if (s->rtcp_again > gen_reports_again(g))
		return err_set(err, EBADMSG, "%llu reports came out twice, and %llu of those repeated may",
			(count)s->rtcp_again, (count)gen_reports_again(g));
	return 0;
}

static int missing(const struct gen *g, double tolerance, struct err *err)
{
	const struct gen_stats *s = &g->stats;
	uint64_t must = s->rtcp_sent + gen_reports_again(g);
	uint64_t rtp = s->sent - s->good, rtcp = must - s->rtcp_good - s->rtcp_again;

	if ((double)rtp > tolerance * (double)s->sent)
		return err_set(
			err, EBADMSG, "%llu of %llu packets did not come back", (count)rtp, (count)s->sent);
	if ((double)rtcp > tolerance * (double)must)
		return err_set(
			err, EBADMSG, "%llu of %llu reports did not come back", (count)rtcp, (count)must);
	if (s->overtaken && tolerance == 0)
		return err_set(
			err, EBADMSG, "%llu packets changed places inside the gateway", (count)s->overtaken);
	return 0;
}

/* What the gateway must have counted, by verdict. */
static void expect(const struct gen *g, uint64_t verdicts[DP_V_COUNT])
{
	const struct gen_stats *s = &g->stats;

	verdicts[DP_V_RELAYED] = gen_wanted(g);
	verdicts[g->conf.in ? DP_V_REPLAY : DP_V_DUPLICATE_OUT] = s->replayed;
	verdicts[g->conf.in ? DP_V_AUTH_FAIL : DP_V_WRONG_SOURCE] = s->forged;
	for (unsigned side = 0; side < 2; side++) {
		bool secure = gen_suite(g, side) != SRTP_SUITE_NONE;

		verdicts[DP_V_REPLAY] += secure ? s->rtcp_replayed[side] : 0;
		verdicts[secure ? DP_V_AUTH_FAIL : DP_V_WRONG_SOURCE] += s->rtcp_forged[side];
	}
}

int gen_judge(const struct gen *g, const struct dp_stats_global *before, const struct dp_stats_global *after,
	double tolerance, struct err *err)
{
	uint64_t expected[DP_V_COUNT] = {0};
	int rc = wrong(g, err);

	rc = rc ? rc : missing(g, tolerance, err);
	if (!before || !after)
		return rc;
	expect(g, expected);
	for (int v = 0; v < DP_V_COUNT && !rc; v++) {
		uint64_t counted = after->verdicts[v] - before->verdicts[v];

		/* What a transport lost on the way in, the gateway could not count. */
		if (counted == expected[v] ||
			(counted < expected[v] && (double)counted >= (1 - tolerance) * (double)expected[v] &&
				tolerance > 0))
			continue;
		rc = err_set(err, EBADMSG, "the gateway counted %llu packets as %s, and it must be %llu",
			(count)counted, dp_verdict_name((enum dp_verdict)v), (count)expected[v]);
	}
	return rc;
}
