/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/gen_report.h"

#include <errno.h>
#include <string.h>

#define ROWS 24

struct row {
	const char *name, *key; /* to people, to programs */
	uint64_t n;
	bool always; /* also when it is 0, to people */
};

static size_t rows_fill(const struct gen_stats *g, struct row rows[ROWS])
{
	const struct row all[] = {
		{"sent", "sent", g->sent, true},
		{"came back right", "good", g->good, true},
		{"wrong frame", "bad_frame", g->bad_frame, true},
		{"not authentic", "bad_auth", g->bad_auth, true},
		{"wrong RTP numbers", "bad_rtp", g->bad_rtp, true},
		{"wrong content", "bad_content", g->bad_content, true},
		{"came twice", "twice", g->twice, true},
		{"changed places", "overtaken", g->overtaken, false},
		{"never sent", "lost", g->lost, false},
		{"held back", "reordered", g->reordered, false},
		{"replays sent", "replayed", g->replayed, false},
		{"forgeries sent", "forged", g->forged, false},
		{"reports sent", "rtcp_sent", g->rtcp_sent, false},
		{"reports right", "rtcp_good", g->rtcp_good, false},
		{"reports wrong", "rtcp_bad", g->rtcp_bad, false},
		{"reports twice", "rtcp_again", g->rtcp_again, false},
		{"reports never sent", "rtcp_lost", g->rtcp_lost, false},
		{"reports held back", "rtcp_reordered", g->rtcp_reordered, false},
		{"reports' replays sent", "rtcp_replayed", g->rtcp_replayed[0] + g->rtcp_replayed[1], false},
		{"reports' forgeries sent", "rtcp_forged", g->rtcp_forged[0] + g->rtcp_forged[1], false},
		{"octets of RTP sent", "octets", g->octets, false},
	};

	_Static_assert(sizeof(all) / sizeof(all[0]) <= ROWS, "room for all");
	memcpy(rows, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

double gen_report_rate(const struct gen_report *r)
{
	return r->seconds > 0 ? (double)r->packets / r->seconds : 0;
}

/* Packets that arrived at another worker of the gateway's than their own. */
static uint64_t handed_over(const struct gen_report *r)
{
	return r->after.handover - r->before.handover;
}

void gen_report_print(const struct gen_report *r, FILE *out)
{
	struct row rows[ROWS];
	size_t n = rows_fill(r->stats, rows);

	for (size_t i = 0; i < n; i++)
		if (rows[i].always || rows[i].n)
			fprintf(out, "%-24s %12llu\n", rows[i].name, (unsigned long long)rows[i].n);
	for (int v = 0; v < DP_V_COUNT; v++)
		if (r->after.verdicts[v] != r->before.verdicts[v])
			fprintf(out, "gateway: %-15s %12llu\n", dp_verdict_name((enum dp_verdict)v),
				(unsigned long long)(r->after.verdicts[v] - r->before.verdicts[v]));
	if (handed_over(r))
		fprintf(out, "%-24s %12llu\n", "gateway: handed over", (unsigned long long)handed_over(r));
	if (r->others)
		fprintf(out, "%-24s %12llu\n", "frames of others", (unsigned long long)r->others);
	if (r->worker_ns > 0)
		fprintf(out, "%-24s %12.1f ns a packet\n", "worker", r->worker_ns);
	if (r->seconds > 0)
		fprintf(out, "%-24s %12.0f packets a second\n", "rate", gen_report_rate(r));
	if (r->max > 0)
		fprintf(out, "%-24s %12.1f us p50, %.1f p99, %.1f p99.9, %.1f at most\n", "latency", r->p50,
			r->p99, r->p999, r->max);
}

static void text_put(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
	putc('"', out);
}

static const char *suite_name(enum srtp_suite suite)
{
	return suite ? srtp_suite_info(suite)->name : "RTP";
}

static void json_put(const struct gen_report *r, FILE *out)
{
	struct row rows[ROWS];
	size_t n = rows_fill(r->stats, rows);
	const char *comma = "";

	fprintf(out, "{\"calls\": %u, \"in\": \"%s\", \"out\": \"%s\", \"right\": %s, \"verdict\": ",
		r->conf->sessions, suite_name(r->conf->in), suite_name(r->conf->out),
		r->verdict[0] ? "false" : "true");
	text_put(out, r->verdict);
	for (size_t i = 0; i < n; i++)
		fprintf(out, ", \"%s\": %llu", rows[i].key, (unsigned long long)rows[i].n);
	fprintf(out, ", \"gateway\": {");
	for (int v = 0; v < DP_V_COUNT; v++) {
		if (r->after.verdicts[v] == r->before.verdicts[v])
			continue;
		fprintf(out, "%s\"%s\": %llu", comma, dp_verdict_name((enum dp_verdict)v),
			(unsigned long long)(r->after.verdicts[v] - r->before.verdicts[v]));
		comma = ", ";
	}
	fprintf(out, "}, \"handed_over\": %llu", (unsigned long long)handed_over(r));
	if (r->worker_ns > 0)
		fprintf(out, ", \"worker_ns\": %.2f", r->worker_ns);
	if (r->seconds > 0)
		fprintf(out, ", \"seconds\": %.6f, \"packets_per_second\": %.1f", r->seconds,
			gen_report_rate(r));
	if (r->max > 0)
		fprintf(out,
			", \"latency_us\": {\"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"max\": %.2f}",
			r->p50, r->p99, r->p999, r->max);
	fprintf(out, "}\n");
}

int gen_report_json(const struct gen_report *r, const char *path, struct err *err)
{
	FILE *out = fopen(path, "w");
	int rc;

	if (!out)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	json_put(r, out);
	rc = ferror(out) ? EIO : 0;
	if (fclose(out))
		rc = errno;
	return rc ? err_set(err, rc, "%s: %s", path, strerror(rc)) : 0;
}
