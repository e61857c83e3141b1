/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway reads in a configuration: values, defaults, orders, look-ups. */
#include "tests/unit/config_example.h"

#include <errno.h>
#include <string.h>

#define BROWSERS SRTPGW_EXAMPLES "/browsers.json"

static void the_example_becomes_a_snapshot(void **state)
{
	(void)state;
	struct config *c = NULL;
	struct err e = {0};

	if (config_load(EXAMPLE, &c, &e))
		fail_msg("%s", e.text);
	assert_int_equal(c->n_trunks, 2);
	const struct config_trunk *carrier = config_trunk_named(c, "carrier"),
				  *core = config_trunk_named(c, "core");

	assert_non_null(carrier);
	assert_non_null(core);
	assert_null(config_trunk_named(c, "nobody"));
	assert_int_equal(carrier->srtp, CONFIG_SRTP_REQUIRED);
	assert_int_equal(carrier->keying, CONFIG_KEYING_SDES);
	assert_int_equal(carrier->crypto->n_suites, 2);
	assert_int_equal(carrier->crypto->suites[0], SRTP_AEAD_AES_256_GCM);
	assert_int_equal(carrier->crypto->suites[1], SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(carrier->crypto->replay_window, 1024);
	assert_string_equal(carrier->realm->name, "carriers");
	assert_false(carrier->realm->trusted);
	assert_int_equal(carrier->realm->dscp, 46);
	assert_int_equal(carrier->realm->n_trunks, 1);
	assert_ptr_equal(carrier->realm->trunks[0], carrier);
	assert_string_equal(carrier->realm->interfaces[0]->device, "eth0");
	assert_int_equal(carrier->realm->interfaces[0]->addresses[0].ranges[0].upper, 27999);
	assert_true(ip_equal(&carrier->realm->interfaces[0]->addresses[0].advertised,
		&carrier->realm->interfaces[0]->addresses[0].ip));
	assert_string_equal(carrier->peers[0].certificate_name, "sbc-east.carrier.example");
	assert_string_equal(carrier->peers[0].sni, "sbc-east.carrier.example");
	assert_int_equal(carrier->peers[0].port, 5061);
	assert_int_equal(carrier->peers[0].ip.family, IP_NONE);
	assert_int_equal(carrier->max_calls, 2000);
	assert_int_equal(carrier->media_timeout_s, 60);
	assert_int_equal(carrier->tls->min_version, CONFIG_TLS_1_2);
	assert_int_equal(carrier->tls->verify, CONFIG_VERIFY_REQUIRED);

	assert_int_equal(core->srtp, CONFIG_SRTP_NONE);
	assert_null(core->crypto);
	assert_int_equal(core->keying, 0);
	assert_true(core->realm->trusted);
	assert_int_equal(core->peers[0].port, 5060);
	assert_int_equal(core->peers[0].ip.family, IP_V4);
	assert_null(core->peers[0].sni);
	assert_int_equal(core->max_calls, CONFIG_UNLIMITED);
	assert_int_equal(c->limits.max_calls, 4000);
	assert_string_equal(c->dataplane.socket, "/run/srtpgw/dataplane.sock");
	assert_int_equal(c->dataplane.workers, 1);
	assert_int_equal(c->dataplane.nap_us, CONFIG_NAP_AS_STARTED);

	assert_ptr_equal(config_find_listener(c, core->realm, CONFIG_UDP, IP_V4), &c->listeners[1]);
	assert_null(config_find_listener(c, core->realm, CONFIG_UDP, IP_V6));
	assert_null(config_find_listener(c, core->realm, CONFIG_TLS, IP_NONE));
	config_unref(c);
}

static void defaults_are_the_safe_choice(void **state)
{
	(void)state;
	json_t *root = config_example();
	struct config *c = NULL;
	struct err e = {0};

	config_change(root, "trunks/trunk/0/srtp", "");
	config_change(root, "crypto-profiles/crypto-profile/0", "{\"name\":\"empty\"}");
	config_change(root, "tls-profiles/tls-profile/0/min-version", "");
	config_change(root, "tls-profiles/tls-profile/0/verify-peer", "");
	if (config_parse_tree(root, &c, &e))
		fail_msg("%s", e.text);
	json_decref(root);
	assert_int_equal(c->trunks[0].srtp, CONFIG_SRTP_REQUIRED);
	assert_false(c->trunks[0].keep_keys);
	assert_false(c->trunks[0].keep_roc);
	assert_int_equal(c->trunks[0].session_expires_s, 1800);
	assert_int_equal(c->trunks[0].crypto->suite_bits,
		1u << SRTP_AEAD_AES_256_GCM | 1u << SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(c->crypto_profiles[0].suite_bits, c->trunks[0].crypto->suite_bits);
	assert_int_equal(c->crypto_profiles[0].suites[0], SRTP_AEAD_AES_256_GCM);
	assert_int_equal(c->crypto_profiles[0].replay_window, c->trunks[0].crypto->replay_window);
	assert_int_equal(c->tls_profiles[0].min_version, CONFIG_TLS_1_2);
	assert_int_equal(c->tls_profiles[0].verify, CONFIG_VERIFY_REQUIRED);
	config_unref(c);
}

static void workers_sleep_as_it_says_or_as_they_were_started(void **state)
{
	static const struct {
		const char *dataplane;
		uint32_t nap_us;
	} rows[] = {{"{}", CONFIG_NAP_AS_STARTED}, {"{\"longest-nap\":1}", 1},
		{"{\"longest-nap\":1000,\"busy-poll\":false}", 1000},
		{"{\"busy-poll\":true}", CONFIG_NAP_NEVER}, {"{\"busy-poll\":false}", CONFIG_NAP_DEFAULT_US}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *root = config_example();
		struct config *c = NULL;
		struct err e = {0};

		config_change(root, "dataplane", rows[i].dataplane);
		if (config_parse_tree(root, &c, &e))
			fail_msg("%s: %s", rows[i].dataplane, e.text);
		json_decref(root);
		assert_int_equal(c->dataplane.nap_us, rows[i].nap_us);
		config_unref(c);
	}
}

static void metrics_are_served_when_asked_for_and_only_locally(void **state)
{
	(void)state;
	json_t *root = config_example();
	struct config *c = NULL;
	struct err e = {0};
	char text[IP_PORT_TEXT_MAX];

	if (config_parse_tree(root, &c, &e))
		fail_msg("%s", e.text);
	assert_false(c->observability.metrics);
	config_unref(c);
	config_change(root, "observability", "{\"metrics-listener\":{}}");
	if (config_parse_tree(root, &c, &e))
		fail_msg("%s", e.text);
	json_decref(root);
	assert_true(c->observability.metrics);
	assert_string_equal(ip_port_text(&c->observability.listen, text), "127.0.0.1:9464");
	config_unref(c);
}

static void peers_are_sorted_by_priority(void **state)
{
	(void)state;
	json_t *root = config_example();
	struct config *c = NULL;
	struct err e = {0};

	config_change(root, "trunks/trunk/0/peer/1/priority", "1");
	assert_int_equal(config_parse_tree(root, &c, &e), 0);
	json_decref(root);
	assert_string_equal(c->trunks[0].peers[0].name, "west");
	config_unref(c);
}

static void generations_count_and_snapshots_are_shared(void **state)
{
	(void)state;
	struct config *a = NULL, *b = NULL;
	struct err e = {0};

	assert_int_equal(config_load(EXAMPLE, &a, &e), 0);
	assert_int_equal(config_load(EXAMPLE, &b, &e), 0);
	assert_true(b->generation > a->generation);
	assert_ptr_equal(config_ref(a), a);
	config_unref(a);
	assert_string_equal(a->trunks[0].name, "carrier"); /* still held: ASan would see otherwise */
	config_unref(a);
	config_unref(b);
	config_unref(NULL);
}

static void accounts_are_found_by_name_and_number(void **state)
{
	struct config *c = NULL;
	struct err e = {0};

	(void)state;
	if (config_load(BROWSERS, &c, &e))
		fail_msg("%s", e.text);
	const struct config_trunk *t = config_trunk_named(c, "browsers");

	assert_int_equal(t->registrar.algorithms[0], CONFIG_DIGEST_MD5);
	assert_string_equal(c->listeners[0].origins[0], "https://phone.example.net");
	assert_ptr_equal(config_find_user(t, STR("alice")), &c->users[0]);
	assert_ptr_equal(config_find_user(t, STR("+4989700")), &c->users[0]);
	assert_null(config_find_user(t, STR("+498970")));
	assert_null(config_find_user(t, STR("+49897001")));
	assert_null(config_find_user(t, STR("")));
	assert_null(config_find_user(config_trunk_named(c, "carrier"), STR("alice")));
	config_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_becomes_a_snapshot),
		cmocka_unit_test(accounts_are_found_by_name_and_number),
		cmocka_unit_test(defaults_are_the_safe_choice),
		cmocka_unit_test(workers_sleep_as_it_says_or_as_they_were_started),
		cmocka_unit_test(metrics_are_served_when_asked_for_and_only_locally),
		cmocka_unit_test(peers_are_sorted_by_priority),
		cmocka_unit_test(generations_count_and_snapshots_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
