/* SPDX-License-Identifier: Apache-2.0 */
/* The state as the model has it, and which part of it a filter asks for. */
#include "tests/support/cmocka_std.h"

#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/schema.h"
#include "controlplane/obs/gather.h"
#include "controlplane/obs/state.h"

static struct ly_ctx *yang;

static int open_yang(void **state)
{
	struct err e = {0};

	(void)state;
	if (schema_context(&yang, &e))
		fail_msg("%s", e.text);
	return 0;
}

static int close_yang(void **state)
{
	(void)state;
	ly_ctx_destroy(yang);
	return 0;
}

/* The value of one leaf; NULL when it is not there. */
static const char *value(const struct state_tree *t, const char *xpath)
{
	struct ly_set *set = NULL;
	const char *v;

	assert_int_equal(lyd_find_xpath(t->first, xpath, &set), LY_SUCCESS);
	v = set->count ? lyd_get_value(set->dnodes[0]) : NULL;
	ly_set_free(set, NULL);
	return v;
}

#define CALL "/srtp-gateway:calls/call"
#define SAYS(t, xpath, text)                                                                                 \
	do {                                                                                                 \
		assert_non_null(value(t, xpath));                                                            \
		assert_string_equal(value(t, xpath), text);                                                  \
	} while (0)

static const struct ip_port media = {.ip = {.family = IP_V4, .octets = {192, 0, 2, 1}}, .port = 20000};
static const struct ip_port moved = {.ip = {.family = IP_V4, .octets = {192, 0, 2, 9}}, .port = 4444};

/* What was written is what the model allows: as strict as a client that validates. */
static void finish(struct state_tree *t)
{
	if (t->failed)
		fail_msg("cannot write %s: %s", t->failed, ly_errmsg(yang));
	assert_int_equal(lyd_validate_all(&t->first, yang, LYD_VALIDATE_PRESENT, NULL), LY_SUCCESS);
}

static void a_call_tells_its_legs(void **state)
{
	(void)state;
	struct dp_stats_leg stats = {
		.suite = SRTP_AEAD_AES_256_GCM,
		.remote = moved,
		.rx_packets = 1500,
		.rx_octets = 240000,
		.rx_lost = -2,
		.rx_jitter_us = 1250,
		.rx_age_ms = UINT64_MAX,
		.tx_packets = 1490,
	};
	stats.verdicts[DP_V_AUTH_FAIL] = 3;
	stats.verdicts[DP_V_REPLAY] = 4;
	stats.verdicts[DP_V_TOO_OLD] = 5;
	const struct state_leg legs[] = {
		{.side = DP_SIDE_A,
			.trunk = "carrier",
			.secure = true,
			.suite = SRTP_AES_CM_128_HMAC_SHA1_80,
			.key_age_ms = 61999,
			.renewal = "given-up",
			.rtcp_mux = true,
			.local = media,
			.remote = media,
			.signalling = {CONFIG_TLS, media, "TLSv1.3", "TLS_AES_256_GCM_SHA384"},
			.stats = &stats},
		{.side = DP_SIDE_B,
			.trunk = "core",
			.signalling = {.transport = CONFIG_UDP, .remote = media}},
	};
	const struct state_call call = {.id = "c1",
		.state = "established",
		.from = STR("alice"),
		.to = STR("+4930"),
		.ingress_trunk = "carrier",
		.start_ms = 1000,
		.duration_ms = 1500,
		.legs = legs,
		.n_legs = 2};
	struct state_tree t = {.ctx = yang};

	state_call(&t, state_top(&t, "calls"), &call);
	finish(&t);
	SAYS(&t, CALL "/id", "c1");
	assert_memory_equal(value(&t, CALL "/start-time"), "1970-01-01T", 11);
	SAYS(&t, CALL "/duration", "1.5");
	assert_null(value(&t, CALL "/egress-trunk"));
	assert_null(value(&t, CALL "/end-reason"));
	/* What the data plane has in use goes before what was negotiated. */
	SAYS(&t, CALL "/leg[side='a']/suite", "srtp-gateway:AEAD_AES_256_GCM");
	SAYS(&t, CALL "/leg[side='a']/remote-address", "192.0.2.9:4444");
	SAYS(&t, CALL "/leg[side='a']/local-address", "192.0.2.1:20000");
	SAYS(&t, CALL "/leg[side='a']/media", "srtp");
	SAYS(&t, CALL "/leg[side='a']/key-age", "61");
	SAYS(&t, CALL "/leg[side='a']/last-renewal", "given-up");
	SAYS(&t, CALL "/leg[side='a']/signalling/tls-version", "TLSv1.3");
	SAYS(&t, CALL "/leg[side='a']/rx/packets", "1500");
	SAYS(&t, CALL "/leg[side='a']/rx/lost", "-2");
	SAYS(&t, CALL "/leg[side='a']/rx/jitter", "1.25");
	SAYS(&t, CALL "/leg[side='a']/rx/auth-failures", "3");
	SAYS(&t, CALL "/leg[side='a']/rx/replays", "9");
	assert_null(value(&t, CALL "/leg[side='a']/rx/age"));
	SAYS(&t, CALL "/leg[side='a']/tx/clear-packets", "0");
	SAYS(&t, CALL "/leg[side='a']/verdicts/too-old", "5");
	/* A plain leg of which the data plane said nothing. */
	assert_null(value(&t, CALL "/leg[side='b']/suite"));
	SAYS(&t, CALL "/leg[side='b']/media", "rtp");
	assert_null(value(&t, CALL "/leg[side='b']/remote-address"));
	assert_null(value(&t, CALL "/leg[side='b']/rx/packets"));
	lyd_free_all(t.first);
}

/* A side with several m-lines has a list of where each goes, with numbers of its own. */
static void a_call_with_video_tells_each_transport(void **state)
{
	(void)state;
	const struct dp_stats_leg audio = {.suite = SRTP_AES_CM_128_HMAC_SHA1_80, .rx_packets = 10, .tx_packets = 11},
				  video = {.suite = SRTP_AES_CM_128_HMAC_SHA1_80,
					  .remote = moved,
					  .rx_packets = 200,
					  .tx_packets = 300};
	const struct state_leg legs[] = {
		{.side = DP_SIDE_A,
			.signalling = {.transport = CONFIG_WSS},
			.n_transports = 1,
			.transports = {{.number = 1, .media = {"audio", "video", "video"}, .n_media = 3, .local = media}}},
		{.side = DP_SIDE_B,
			.signalling = {.transport = CONFIG_TLS},
			.stats = &audio,
			.n_transports = 2,
			.transports = {{.number = 1, .media = {"audio"}, .n_media = 1, .local = media, .stats = &audio},
				{.number = 2,
					.media = {"video"},
					.n_media = 1,
					.local = media,
					.remote = media,
					.dtls = {"DTLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519MLKEM768", true},
					.stats = &video}}},
	};
	const struct state_call call = {.id = "c1", .state = "established", .legs = legs, .n_legs = 2};
	struct state_tree t = {.ctx = yang};

	state_call(&t, state_top(&t, "calls"), &call);
	finish(&t);
	SAYS(&t, CALL "/leg[side='a']/transport/media[3]", "video");
	assert_null(value(&t, CALL "/leg[side='a']/transport[number='2']"));
	SAYS(&t, CALL "/leg[side='b']/rx/packets", "10");
	SAYS(&t, CALL "/leg[side='b']/transport[number='1']/tx/packets", "11");
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/media", "video");
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/suite", "srtp-gateway:AES_CM_128_HMAC_SHA1_80");
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/dtls/version", "DTLSv1.3");
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/dtls/cipher", "TLS_AES_128_GCM_SHA256");
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/dtls/group", "X25519MLKEM768");
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/dtls/fingerprint-authenticated", "true");
	assert_null(value(&t, CALL "/leg[side='b']/transport[number='1']/dtls/version"));
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/rx/packets", "200");
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/remote-address", "192.0.2.9:4444");
	SAYS(&t, CALL "/leg[side='b']/transport[number='2']/verdicts/relayed", "0");
	assert_null(value(&t, CALL "/leg[side='b']/transport[number='1']/remote-address"));
	lyd_free_all(t.first);
}

/* A From header is whatever the caller put there. */
static void text_that_yang_does_not_take_is_still_shown(void **state)
{
	(void)state;
	const struct state_call call = {.id = "c1",
		.state = "refused",
		.from = STR("a\xff\x1b"),
		.to = {NULL, 0},
		.end_reason = "488"};
	struct state_tree t = {.ctx = yang};

	state_call(&t, state_top(&t, "calls"), &call);
	finish(&t);
	SAYS(&t, CALL "/from", "a\\xff\\x1b");
	SAYS(&t, CALL "/to", "");
	SAYS(&t, CALL "/end-reason", "488");
	lyd_free_all(t.first);
}

static void statistics_do_without_a_data_plane(void **state)
{
	(void)state;
	const struct state_counter sip[] = {{"rx_messages", 7}};
	struct dp_welcome welcome = {.workers = 1, .port = "af_xdp", .backend = "ipsec-mb"};
	struct dp_stats_global global = {.rx_packets = UINT64_MAX,
		.next_hops = {.resolved = 1, .unresolved = 2, .no_route = 3, .idle = 4, .capacity = 5, .evicted = 6}};
	struct state_tree t = {.ctx = yang};
	struct lyd_node *top = state_top(&t, "statistics");

	global.verdicts[DP_V_RELAYED] = 8;
	state_statistics(&t, top, &(struct state_statistics){.active = 1, .sip = sip, .n_sip = 1});
	state_plane(&t, top, &(struct state_plane){.counted = &global});
	finish(&t);
	SAYS(&t, "/srtp-gateway:statistics/data-plane/connected", "false");
	assert_null(value(&t, "/srtp-gateway:statistics/data-plane/verdicts/relayed"));
	SAYS(&t, "/srtp-gateway:statistics/sip/rx-messages", "7");
	SAYS(&t, "/srtp-gateway:statistics/version", SRTPGW_VERSION);
	lyd_free_all(t.first);
	t = (struct state_tree){.ctx = yang};
	state_plane(&t, state_top(&t, "statistics"),
		&(struct state_plane){.welcome = &welcome, .counted = &global});
	finish(&t);
	SAYS(&t, "/srtp-gateway:statistics/data-plane/port", "af_xdp");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/rx/packets", "18446744073709551615");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/verdicts/relayed", "8");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/verdicts/clear-refused", "0");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/next-hops/resolved", "1");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/next-hops/unresolved", "2");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/next-hops/no-route", "3");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/next-hops/idle", "4");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/next-hops/capacity", "5");
	SAYS(&t, "/srtp-gateway:statistics/data-plane/next-hops/evicted", "6");
	lyd_free_all(t.first);
}

static void interfaces_tell_what_they_lost(void **state)
{
	(void)state;
	struct dp_welcome welcome = {.workers = 1};
	struct dp_stats_global global = {.rx_packets = 1};
	const struct dp_stats_port ports[] = {
		{.interface = "eth0", .link_up = 1, .link_mbit_s = 10000, .rx_missed = 4, .rx_errors = 5, .rx_no_buffer = 6},
		{.interface = "eth1", .link_losses = 2, .tx_packets = 7, .tx_errors = 8}};
	const struct dp_alarm alarms[] = {{.kind = DP_ALARM_LINK, .interface = "eth1", .raised = 1, .times = 2},
		{.kind = DP_ALARM_CRYPTO_DEVICE, .worker = 3, .times = 1}};
	struct state_tree t = {.ctx = yang};

	state_plane(&t, state_top(&t, "statistics"),
		&(struct state_plane){.welcome = &welcome,
			.counted = &global,
			.ports = ports,
			.n_ports = 2,
			.alarms = alarms,
			.n_alarms = 2});
	finish(&t);
#define P "/srtp-gateway:statistics/data-plane"
	SAYS(&t, P "/interface[name='eth0']/link", "up");
	SAYS(&t, P "/interface[name='eth0']/link-speed", "10000");
	SAYS(&t, P "/interface[name='eth0']/rx/missed", "4");
	SAYS(&t, P "/interface[name='eth0']/rx/errors", "5");
	SAYS(&t, P "/interface[name='eth0']/rx/no-buffer", "6");
	SAYS(&t, P "/interface[name='eth1']/link", "down");
	assert_null(value(&t, P "/interface[name='eth1']/link-speed"));
	SAYS(&t, P "/interface[name='eth1']/link-losses", "2");
	SAYS(&t, P "/interface[name='eth1']/tx/packets", "7");
	SAYS(&t, P "/interface[name='eth1']/tx/errors", "8");
	SAYS(&t, P "/interface-alarm[interface='eth1'][kind='link-down']/raised", "true");
	SAYS(&t, P "/interface-alarm[interface='eth1'][kind='link-down']/times", "2");
	SAYS(&t, P "/alarm[worker='3'][kind='crypto-device']/raised", "false");
	lyd_free_all(t.first);
}

static void trunks_tell_how_they_are(void **state)
{
	(void)state;
	struct state_tree t = {.ctx = yang};

	state_trunk(&t, state_in(&t, state_top(&t, "gateway"), "trunks"),
		&(struct state_trunk){.name = "t", .oper_state = "draining", .total = 5, .rejected = 2});
	if (t.failed)
		fail_msg("%s", t.failed);
#define T "/srtp-gateway:gateway/trunks/trunk[name='t']/state"
	SAYS(&t, T "/oper-state", "draining");
	SAYS(&t, T "/total-calls", "5");
	SAYS(&t, T "/rejected-calls", "2");
	assert_null(value(&t, T "/last-rejection"));
	lyd_free_all(t.first);
}

/* A filter, the parts that it needs, and by what calls are narrowed: id, state, ingress, egress. */
static const struct {
	const char *xpath, *subtree;
	unsigned parts;
	const char *narrowed[4];
} filters[] = {
	{NULL, NULL, QUERY_ALL, {"", "", "", ""}},
	{"/srtp-gateway:calls", NULL, QUERY_CALL, {"", "", "", ""}},
	{"/srtp-gateway:calls/active", NULL, 0, {"", "", "", ""}},
	{"/srtp-gateway:calls/call/id", NULL, QUERY_CALL, {"", "", "", ""}},
	{"/srtp-gateway:calls/call[id='7']", NULL, QUERY_CALL, {"7", "", "", ""}},
	{"/srtp-gateway:calls/srtp-gateway:call[state = \"ended\"]", NULL, QUERY_CALL, {"", "", "", ""}},
	{"/srtp-gateway:calls/call[state=\"ended\"][ingress-trunk='a']/leg/rx", NULL, QUERY_CALL,
		{"", "ended", "a", ""}},
	/* Nothing is left out that might be selected. */
	{"/srtp-gateway:calls/call[id='7' or state='ended']", NULL, QUERY_CALL, {"", "", "", ""}},
	{"/srtp-gateway:calls/call[id='7']/../call", NULL, QUERY_CALL, {"", "", "", ""}},
	{"/srtp-gateway:calls/call[id='7'] | /srtp-gateway:statistics", NULL, QUERY_CALL | QUERY_STATISTICS,
		{"", "", "", ""}},
	{"/srtp-gateway:calls[call/state='ringing']/active", NULL, QUERY_CALL, {"", "", "", ""}},
	{"/srtp-gateway:statistics/data-plane/rx", NULL, QUERY_STATISTICS, {"", "", "", ""}},
	{"/srtp-gateway:gateway/trunks/trunk[name='x']", NULL, QUERY_TRUNKS | QUERY_CONFIG, {"", "", "", ""}},
	{"/srtp-gateway:gateway", NULL,
		QUERY_TRUNKS | QUERY_CERTIFICATES | QUERY_MANAGEMENT | QUERY_MEDIA | QUERY_CONFIG,
		{"", "", "", ""}},
	{"/srtp-gateway:gateway/media/interface/state/link", NULL, QUERY_MEDIA | QUERY_CONFIG,
		{"", "", "", ""}},
	{"/nc-notifications:netconf/streams", NULL, QUERY_MONITORING, {"", "", "", ""}},
	{"/*", NULL, QUERY_ALL, {"", "", "", ""}},
	{"]", NULL, QUERY_ALL, {"", "", "", ""}},
#define NS " xmlns='urn:srtpgw:yang:srtp-gateway'"
	{NULL, "<calls" NS "/>", QUERY_CALL, {"", "", "", ""}},
	{NULL, "<calls" NS "><active/></calls>", 0, {"", "", "", ""}},
	{NULL, "<calls" NS "><call><id> 7 </id><state/></call></calls>", QUERY_CALL, {"7", "", "", ""}},
	{NULL, "<calls" NS "><call><id>7</id></call><call><id>8</id></call></calls>", QUERY_CALL,
		{"", "", "", ""}},
	{NULL, "<gateway" NS "><trunks/></gateway>", QUERY_TRUNKS | QUERY_CONFIG, {"", "", "", ""}},
	{NULL, "<gateway" NS "><media/></gateway>", QUERY_MEDIA | QUERY_CONFIG, {"", "", "", ""}},
	{NULL, "<netconf xmlns='urn:ietf:params:xml:ns:netmod:notification'><streams/></netconf>",
		QUERY_MONITORING, {"", "", "", ""}},
	{NULL, "<statistics" NS "/><calls" NS "><call><id>7</id></call></calls>",
		QUERY_STATISTICS | QUERY_CALL, {"", "", "", ""}},
	{NULL, "<nonsense", QUERY_ALL, {"", "", "", ""}},
};

static void a_filter_tells_what_is_needed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof filters / sizeof *filters; i++) {
		struct query q;
		const char *what = filters[i].xpath ? filters[i].xpath : filters[i].subtree;

		query_make(yang, filters[i].xpath, filters[i].subtree, &q);
		const char *got[] = {q.id, q.state, q.ingress_trunk, q.egress_trunk};

		if (q.parts != filters[i].parts)
			fail_msg("%s: parts %x", what, q.parts);
		for (unsigned k = 0; k < 4; k++)
			if (strcmp(got[k], filters[i].narrowed[k]) != 0)
				fail_msg("%s: narrowed to '%s'", what, got[k]);
	}
}

/* A source that takes its time, and one that refuses. */
static struct gather_run *held;

static void take_time(void *ctx, const struct query *q, struct gather_run *run)
{
	(void)ctx, (void)q;
	gather_wait(run);
	held = run;
}

static void refuse(void *ctx, const struct query *q, struct gather_run *run)
{
	(void)ctx;
	if (q->limit == 1)
		gather_refuse(run, "too-big", "/srtp-gateway:calls", "%s", "too many");
}

static void write_number(void *ctx, const struct query *q, struct state_tree *t)
{
	(void)ctx, (void)q;
	state_number(t, state_top(t, "calls"), "active", 3);
}

static void keep(void *arg, struct gather_answer *a)
{
	struct gather_answer *out = arg;

	*out = *a;
	if (a->tag) {
		assert_string_equal(a->tag, "too-big");
		assert_string_equal(a->message, "too many");
	}
}

static void state_is_gathered_when_all_is_there(void **state)
{
	(void)state;
	static const struct gather_source slow = {.fetch = take_time, .write = write_number};
	static const struct gather_source strict = {.fetch = refuse, .write = write_number};
	struct gather *g = gather_new(yang);
	struct gather_answer a = {0};
	struct query q = {0};

	assert_int_equal(gather_add(g, &slow, NULL), 0);
	assert_int_equal(gather_ask(g, &q, keep, &a), 0);
	assert_null(a.tree);
	gather_done(held);
	assert_non_null(a.tree);
	lyd_free_all(a.tree);
	assert_int_equal(gather_add(g, &strict, NULL), 0);
	q.limit = 1;
	a = (struct gather_answer){0};
	assert_int_equal(gather_ask(g, &q, keep, &a), 0);
	assert_null(a.tag);
	gather_done(held);
	assert_non_null(a.tag);
	assert_null(a.tree);
	gather_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_tells_its_legs),
		cmocka_unit_test(a_call_with_video_tells_each_transport),
		cmocka_unit_test(text_that_yang_does_not_take_is_still_shown),
		cmocka_unit_test(statistics_do_without_a_data_plane),
		cmocka_unit_test(interfaces_tell_what_they_lost),
		cmocka_unit_test(trunks_tell_how_they_are),
		cmocka_unit_test(a_filter_tells_what_is_needed),
		cmocka_unit_test(state_is_gathered_when_all_is_there),
	};

	return cmocka_run_group_tests(tests, open_yang, close_yang);
}
