/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of what "show" answers: scripts and srtpgwctl read these members by name. */
#include "tests/support/cmocka_std.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/obs/show.h"

/* Follows names and array indexes, "legs/0/rx/lost". */
static json_t *at(json_t *root, const char *path)
{
	char copy[128], *save = NULL;

	snprintf(copy, sizeof copy, "%s", path);
	for (char *s = strtok_r(copy, "/", &save); s; s = strtok_r(NULL, "/", &save)) {
		root = json_is_array(root) ? json_array_get(root, (size_t)atoi(s)) : json_object_get(root, s);
		if (!root)
			fail_msg("there is no %s", path);
	}
	return root;
}

#define TEXT(root, path) json_string_value(at(root, path))
#define NUMBER(root, path) json_integer_value(at(root, path))

static const struct ip_port media = {.ip = {.family = IP_V4, .octets = {192, 0, 2, 1}}, .port = 20000};
static const struct ip_port moved = {.ip = {.family = IP_V4, .octets = {192, 0, 2, 9}}, .port = 4444};

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
	const struct show_leg legs[] = {
		{.side = DP_SIDE_A,
			.trunk = "carrier",
			.secure = true,
			.suite = SRTP_AES_CM_128_HMAC_SHA1_80,
			.rtcp_mux = true,
			.local = media,
			.remote = media,
			.signalling = {CONFIG_TLS, media, "TLSv1.3", "TLS_AES_256_GCM_SHA384"},
			.stats = &stats},
		{.side = DP_SIDE_B,
			.trunk = "core",
			.signalling = {.transport = CONFIG_UDP, .remote = media}},
	};
	const struct show_call call = {.id = "c1",
		.state = "established",
		.from = STR("alice"),
		.to = STR("+4930"),
		.ingress_trunk = "carrier",
		.start_ms = 1000,
		.duration_ms = 1500,
		.legs = legs,
		.n_legs = 2};
	json_t *o = show_call_json(&call);

	assert_string_equal(TEXT(o, "id"), "c1");
	assert_string_equal(TEXT(o, "start-time"), "1970-01-01T00:00:01.000Z");
	assert_true(json_real_value(at(o, "duration")) > 1.4 && json_real_value(at(o, "duration")) < 1.6);
	assert_true(json_is_null(at(o, "egress-trunk")));
	assert_true(json_is_null(at(o, "end-reason")));
	/* What the data plane has in use goes before what was negotiated. */
	assert_string_equal(TEXT(o, "legs/0/suite"), "AEAD_AES_256_GCM");
	assert_string_equal(TEXT(o, "legs/0/remote-address"), "192.0.2.9:4444");
	assert_string_equal(TEXT(o, "legs/0/local-address"), "192.0.2.1:20000");
	assert_string_equal(TEXT(o, "legs/0/media"), "srtp");
	assert_string_equal(TEXT(o, "legs/0/signalling/tls-version"), "TLSv1.3");
	assert_int_equal(NUMBER(o, "legs/0/rx/packets"), 1500);
	assert_int_equal(NUMBER(o, "legs/0/rx/lost"), -2);
	assert_int_equal(NUMBER(o, "legs/0/rx/auth-failures"), 3);
	assert_int_equal(NUMBER(o, "legs/0/rx/replays"), 9);
	assert_true(json_is_null(at(o, "legs/0/rx/age")));
	assert_int_equal(NUMBER(o, "legs/0/tx/clear-packets"), 0);
	assert_int_equal(json_object_size(at(o, "legs/0/verdicts")), DP_V_COUNT);
	/* A plain leg of which the data plane said nothing. */
	assert_string_equal(TEXT(o, "legs/1/leg"), "b");
	assert_string_equal(TEXT(o, "legs/1/suite"), "none");
	assert_string_equal(TEXT(o, "legs/1/media"), "rtp");
	assert_true(json_is_null(at(o, "legs/1/remote-address")));
	assert_null(json_object_get(at(o, "legs/1"), "rx"));
	json_decref(o);
}

/* A From header is whatever the caller put there. */
static void text_that_is_not_utf8_is_still_shown(void **state)
{
	(void)state;
	const struct show_call call = {.id = "c1",
		.state = "refused",
		.from = STR("a\xff\x1b"),
		.to = {NULL, 0},
		.end_reason = "488"};
	json_t *o = show_call_json(&call);

	assert_string_equal(TEXT(o, "from"), "a\\xff\\x1b");
	assert_string_equal(TEXT(o, "to"), "");
	assert_string_equal(TEXT(o, "end-reason"), "488");
	assert_int_equal(json_array_size(at(o, "legs")), 0);
	json_decref(o);
}

static void stats_do_without_a_data_plane(void **state)
{
	(void)state;
	const struct show_counter sip[] = {{"rx_messages", 7}};
	struct dp_welcome welcome = {.workers = 1, .port = "af_xdp", .backend = "ipsec-mb"};
	struct dp_stats_global global = {.rx_packets = 9};

	global.verdicts[DP_V_CLEAR_REFUSED] = 0;
	global.verdicts[DP_V_RELAYED] = 8;
	json_t *o = show_stats_json(&(struct show_stats){.active = 1, .sip = sip, .n_sip = 1});

	assert_true(json_is_false(at(o, "data-plane/connected")));
	assert_null(json_object_get(at(o, "data-plane"), "verdicts"));
	assert_int_equal(NUMBER(o, "sip/rx_messages"), 7);
	assert_string_equal(TEXT(o, "version"), SRTPGW_VERSION);
	json_decref(o);
	o = show_stats_json(&(struct show_stats){.welcome = &welcome, .dataplane = &global});
	assert_true(json_is_true(at(o, "data-plane/connected")));
	assert_string_equal(TEXT(o, "data-plane/port"), "af_xdp");
	assert_int_equal(NUMBER(o, "data-plane/rx/packets"), 9);
	assert_int_equal(NUMBER(o, "data-plane/verdicts/relayed"), 8);
	assert_int_equal(NUMBER(o, "data-plane/verdicts/clear_refused"), 0);
	json_decref(o);
}

static void trunks_tell_how_they_are(void **state)
{
	(void)state;
	const struct config_realm realm = {.name = "core"};
	const struct config_trunk trunk = {
		.name = "t", .admin = CONFIG_ADMIN_DRAIN, .realm = &realm, .srtp = CONFIG_SRTP_NONE};
	json_t *rows = json_array();

	json_array_append_new(
		rows, show_trunk_json(&(struct show_trunk){.trunk = &trunk, .total = 5, .rejected = 2}));
	json_t *o = show_trunks_json(rows);

	assert_string_equal(TEXT(o, "trunks/0/state"), "drain");
	assert_string_equal(TEXT(o, "trunks/0/realm"), "core");
	assert_string_equal(TEXT(o, "trunks/0/srtp"), "none");
	assert_int_equal(NUMBER(o, "trunks/0/rejected-calls"), 2);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_tells_its_legs),
		cmocka_unit_test(text_that_is_not_utf8_is_still_shown),
		cmocka_unit_test(stats_do_without_a_data_plane),
		cmocka_unit_test(trunks_tell_how_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
