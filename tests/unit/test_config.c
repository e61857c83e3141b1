/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration's rules, one violation each: starting from examples/interconnect.json one value is
 * changed, and the message must name the place and the mistake.
 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "controlplane/config/config.h"
#include "controlplane/config/locate.h"

#define EXAMPLE SRTPGW_EXAMPLES "/interconnect.json"
#define BROWSERS SRTPGW_EXAMPLES "/browsers.json"
#define G "/srtp-gateway:gateway"

/* The example as a JSON tree: what the loader accepts, less the comments. */
static json_t *example(void)
{
	static char text[65536];
	FILE *f = fopen(EXAMPLE, "r");
	char line[512];

	assert_non_null(f);
	text[0] = 0;
	while (fgets(line, sizeof line, f)) {
		if (strncmp(line + strspn(line, " "), "//", 2) != 0)
			strcat(text, line);
	}
	fclose(f);
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	return root;
}

static json_t *step(json_t *at, const char *name)
{
	return json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
}

/* Sets what `at` names ("sip/listener/0/port"; a list's length appends) to a JSON value; "" removes it. */
static void change(json_t *root, const char *at, const char *value)
{
	char path[256], *save = NULL;
	json_t *node = json_object_get(root, "srtp-gateway:gateway"), *parent = NULL;
	const char *name = NULL;

	snprintf(path, sizeof path, "%s", at);
	for (char *s = strtok_r(path, "/", &save); s; s = strtok_r(NULL, "/", &save)) {
		if (name)
			node = step(node, name);
		assert_non_null(node);
		name = s;
	}
	parent = node;
	if (!*value) {
		if (json_is_array(parent))
			assert_int_equal(json_array_remove(parent, (size_t)atoi(name)), 0);
		else
			assert_int_equal(json_object_del(parent, name), 0);
		return;
	}
	json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);

	assert_non_null(v);
	if (!json_is_array(parent))
		assert_int_equal(json_object_set_new(parent, name, v), 0);
	else if ((size_t)atoi(name) < json_array_size(parent))
		assert_int_equal(json_array_set_new(parent, (size_t)atoi(name), v), 0);
	else
		assert_int_equal(json_array_append_new(parent, v), 0);
}

static int parse_tree(json_t *root, struct config **c, struct err *e)
{
	char *text = json_dumps(root, JSON_INDENT(1));

	assert_non_null(text);
	int rc = config_parse(str_z(text), "test.json", c, e);

	free(text);
	return rc;
}

struct edit {
	const char *at, *value;
};

/* A name for the test's output, up to four edits, and what the message must contain. */
static const struct mistake {
	const char *name;
	struct edit edits[4];
	const char *path, *reason;
} mistakes[] = {
	{"udp listener outside a trusted realm", {{"sip/listener/1/realm", "\"carriers\""}},
		G "/sip/listener[name='core-udp']:", "realm that is marked trusted"},
	{"realm loses its trust", {{"realms/realm/1/trusted", "false"}},
		G "/sip/listener[name='core-udp']:", "realm that is marked trusted"},
	{"tls listener without certificate", {{"sip/listener/0/tls-profile", ""}},
		G "/sip/listener[name='carriers-tls']:", "needs a tls-profile"},
	{"tls-profile on udp", {{"sip/listener/1/tls-profile", "\"interconnect\""}},
		G "/sip/listener[name='core-udp']:", "has no effect"},
	{"same listener twice",
		{{"sip/listener/2", "{\"name\":\"b\",\"transport\":\"udp\",\"address\":\"10.20.0.10\","
				    "\"port\":5060,\"realm\":\"core\"}"}},
		G "/sip/listener[name='core-udp']:", "same transport address port"},
	{"tcp and tls on one port",
		{{"sip/listener/2", "{\"name\":\"b\",\"transport\":\"tcp\",\"address\":\"203.0.113.10\","
				    "\"port\":5061,\"realm\":\"core\"}"}},
		G "/sip/listener[name='carriers-tls']:", "same address and port"},
	{"listener on any address", {{"sip/listener/0/address", "\"::\""}},
		G "/sip/listener[name='carriers-tls']/address:", "one exact address"},
	{"udp listener on a media port", {{"sip/listener/1/port", "20000"}},
		G "/sip/listener[name='core-udp']:", "never reaches SIP"},
	{"media ports around a udp listener",
		{{"media/interface/1/address/0/port-range/1", "{\"lower\":5000,\"upper\":6001}"}},
		G "/sip/listener[name='core-udp']:", "never reaches SIP"},
	{"listener without transport", {{"sip/listener/0/transport", ""}},
		G "/sip/listener[name='carriers-tls']:", "'transport' is missing"},
	{"listener without realm", {{"sip/listener/1/realm", ""}},
		G "/sip/listener[name='core-udp']:", "'realm' is missing"},
	{"unknown transport", {{"sip/listener/0/transport", "\"sctp\""}},
		G "/sip/listener[name='carriers-tls']/transport:",
		"'sctp' is not one of the choices: udp, tcp, tls, wss"},
	{"text for a number", {{"limits/max-calls", "\"many\""}}, G "/limits/max-calls:", "'many' is not a number"},
	{"null for a number", {{"limits/max-calls", "null"}}, G "/limits/max-calls:", "a number is needed here"},
	{"negative number", {{"limits/max-calls", "-5"}}, G "/limits/max-calls:", "'-5' is out of range: 1 to 1000000"},
	{"negative number in quotes", {{"limits/max-calls", "\"-5\""}}, G "/limits/max-calls:",
		"write the number -5 without quotes"},
	{"broken number", {{"limits/max-calls", "5.5"}}, G "/limits/max-calls:", "'5.5' is not a whole number: 1 to"},
	{"port that there is not", {{"sip/listener/0/port", "70000"}},
		G "/sip/listener[name='carriers-tls']/port:", "'70000' is out of range: 1 to 65535"},
	{"port 0", {{"sip/listener/0/port", "0"}}, G "/sip/listener[name='carriers-tls']/port:",
		"'0' is out of range: 1 to 65535"},
	{"one value for a list of them", {{"realms/realm/0/media-interface", "\"outside\""}},
		G "/realms/realm[name='carriers']:", "'media-interface' is a list: write its values in [ ]"},
	{"one entry for a list of them", {{"trunks/trunk", "{\"name\":\"a\"}"}}, G "/trunks:",
		"'trunk' is a list: write its entries in [ ]"},
	{"a list for one value", {{"limits/max-calls", "[5]"}}, G "/limits", "one value is needed here, without [ ] or { }"},
	{"a value for members", {{"limits", "5"}}, G, "'limits' has members: write them in { }"},
	{"entry without its name", {{"trunks/trunk/0/name", ""}}, G "/trunks/trunk:", "an entry has no 'name'"},
	{"peer with its port in the host", {{"trunks/trunk/0/peer/0/host", "\"192.0.2.10:5061\""}},
		G "/trunks/trunk[name='carrier']/peer[name='east']/host:",
		"'192.0.2.10:5061' is not valid here; the model says: Its address, or a name to look up"},
	{"number in quotes", {{"sip/listener/0/port", "\"5061\""}},
		G "/sip/listener[name='carriers-tls']/port:", "5061 without quotes"},
	{"state is not configured", {{"trunks/trunk/0/state", "{\"active-calls\":0}"}},
		G "/trunks/trunk[name='carrier']/state:", "'state' is state: it is read, never configured"},
	{"a password instead of its hash",
		{{"users", "{\"user\":[{\"name\":\"u\",\"password-hash\":{\"md5\":\"secret\"},\"trunk\":"
			   "\"carrier\"}]}"}},
		G "/users/user[name='u']/password-hash/md5:", "never the password itself"},
	{"user of a trunk without registrar",
		{{"users", "{\"user\":[{\"name\":\"u\",\"password-hash\":"
			   "{\"md5\":\"00000000000000000000000000000000\"},\"trunk\":\"carrier\"}]}"}},
		G "/users/user[name='u']/trunk:", "give it a registrar"},
	{"user without a hash", {{"users", "{\"user\":[{\"name\":\"u\",\"trunk\":\"carrier\"}]}"}},
		G "/users/user[name='u']", "srtpgwctl user hash NAME"},
	{"registrar beside peers", {{"trunks/trunk/0/registrar", "{}"}},
		G "/trunks/trunk[name='carrier']/registrar:", "name in 'identify' the listeners"},
	{"origin of a TLS listener", {{"sip/listener/0/allowed-origin", "[\"*\"]"}},
		G "/sip/listener[name='carriers-tls']:", "only a WSS listener"},
	{"register-within without WSS", {{"sip/listener/0/register-within", "30"}},
		G "/sip/listener[name='carriers-tls']:", "only a WSS listener waits for a registration"},
	{"WSS listener for any page", {{"sip/listener/0/transport", "\"wss\""}},
		G "/sip/listener[name='carriers-tls']:", "the pages that may connect"},
	{"origin with a path",
		{{"sip/listener/0/transport", "\"wss\""},
			{"sip/listener/0/allowed-origin", "[\"https://phone.example.net/\"]"}},
		G "/sip/listener[name='carriers-tls']/allowed-origin", "without a path"},
	{"metrics on no address", {{"observability", "{\"metrics-listener\":{\"address\":\"here\"}}"}},
		G "/observability/metrics-listener/address:", ""},
	{"misspelt member", {{"sip/listener/0/tls_profile", "\"a\""}},
		G "/sip/listener[name='carriers-tls']/tls_profile:", "there is no 'tls_profile' here"},
	{"profile without trust bag", {{"tls-profiles/tls-profile/0/trust-bag", ""}},
		G "/tls-profiles/tls-profile[name='interconnect']:", "needs a trust-bag"},
	{"relative path", {{"tls-profiles/tls-profile/0/certificate", "\"a.pem\""}},
		G "/tls-profiles/tls-profile[name='interconnect']/certificate:", "whole path"},
	{"tls 1.1", {{"tls-profiles/tls-profile/0/min-version", "\"1.1\""}},
		G "/tls-profiles/tls-profile[name='interconnect']/min-version:", "1.2, 1.3"},
	{"unknown suite", {{"crypto-profiles/crypto-profile/0/suite/0", "\"NULL_HMAC_SHA1_80\""}},
		G "/crypto-profiles/crypto-profile[name='strong']/suite:", "AEAD_AES_256_GCM"},
	{"suite twice", {{"crypto-profiles/crypto-profile/0/suite/1", "\"AEAD_AES_256_GCM\""}},
		G "/crypto-profiles/crypto-profile[name='strong']/suite", "is there twice"},
	{"odd replay window", {{"crypto-profiles/crypto-profile/0/replay-window", "100"}},
		G "/crypto-profiles/crypto-profile[name='strong']/replay-window:", "multiple of 64"},
	{"tiny replay window", {{"crypto-profiles/crypto-profile/0/replay-window", "32"}},
		G "/crypto-profiles/crypto-profile[name='strong']/replay-window:", "64 to 32768"},
	{"no media address", {{"media/interface/0/address", "[]"}},
		G "/media/interface[name='outside']:", "at least one address"},
	{"no port range", {{"media/interface/0/address/0/port-range", ""}},
		G "/media/interface[name='outside']/address[ip='203.0.113.10']:", "at least one port-range"},
	{"empty port range", {{"media/interface/0/address/0/port-range/0/upper", "20000"}},
		G "/media/interface[name='outside']/address[ip='203.0.113.10']/port-range[lower='20000']:",
		"lower must be less than upper"},
	{"ranges overlap",
		{{"media/interface/0/address/0/port-range/1", "{\"lower\":27999,\"upper\":29000}"}},
		G "/media/interface[name='outside']/address[ip='203.0.113.10']/port-range", "overlaps"},
	{"ranges overlap across interfaces",
		{{"media/interface/1/address/1",
			"{\"ip\":\"203.0.113.10\",\"port-range\":[{\"lower\":21000,\"upper\":21999}]}"}},
		"/address[ip='203.0.113.10']/port-range", "overlaps"},
	{"same address in two spellings",
		{{"media/interface/0/address/1",
			 "{\"ip\":\"2001:db8::1\",\"port-range\":[{\"lower\":2000,\"upper\":2999}]}"},
			{"media/interface/1/address/1", "{\"ip\":\"2001:DB8:0::0:1\",\"port-range\":[{"
							"\"lower\":2000,\"upper\":2999}]}"}},
		"/address[ip='2001:db8::1']/port-range", "overlaps"},
	{"media on any address", {{"media/interface/0/address/0/ip", "\"0.0.0.0\""}}, G "/media/interface",
		"not 'any'"},
	{"advertised address of another family",
		{{"media/interface/0/address/0/advertised-address", "\"::1\""}},
		"/advertised-address:", "another family"},
	{"realm without media", {{"realms/realm/0/media-interface", ""}},
		G "/realms/realm[name='carriers']:", "at least one media-interface"},
	{"realm names no interface", {{"realms/realm/0/media-interface/0", "\"nowhere\""}},
		G "/realms/realm[name='carriers']/media-interface", "'nowhere' is not defined"},
	{"plain trunk outside a trusted realm", {{"trunks/trunk/0/srtp", "{\"mode\":\"none\"}"}},
		G "/trunks/trunk[name='carrier']/srtp:", "plain RTP needs a realm that is marked trusted"},
	{"sometimes plain trunk outside a trusted realm",
		{{"trunks/trunk/0/srtp", "{\"mode\":\"optional\"}"}},
		G "/trunks/trunk[name='carrier']/srtp:", "plain RTP needs a realm that is marked trusted"},
	{"sdes over udp, though it is optional", {{"trunks/trunk/1/srtp/mode", "\"optional\""}},
		G "/trunks/trunk[name='core']/peer[name='switch']:", "set the peer's transport to tls"},
	{"sdes over udp", {{"trunks/trunk/1/srtp/mode", "\"required\""}},
		G "/trunks/trunk[name='core']/peer[name='switch']:", "set the peer's transport to tls"},
	{"sdes from a udp listener",
		{{"trunks/trunk/1/srtp/mode", "\"required\""}, {"trunks/trunk/1/peer", ""},
			{"trunks/trunk/1/identify/listener", "[\"core-udp\"]"}, {"routing/route/0", ""}},
		G "/trunks/trunk[name='core']/identify/listener[.='core-udp']:", "only come over TLS"},
	{"profile on a plain trunk", {{"trunks/trunk/1/srtp/crypto-profile", "\"strong\""}},
		G "/trunks/trunk[name='core']/srtp:", "has no effect"},
	{"dtls with suites that it has not",
		{{"trunks/trunk/0/srtp", "{\"keying\":[\"sdes\",\"dtls\"],\"crypto-profile\":\"rare\"}"},
			{"crypto-profiles/crypto-profile/1",
				"{\"name\":\"rare\",\"suite\":[\"AES_192_CM_HMAC_SHA1_80\",\"AES_256_CM_HMAC_SHA1_80\"]}"}},
		"/srtp:", "no suite that DTLS-SRTP has"},
	{"keying that nobody does", {{"trunks/trunk/0/srtp/keying", "[\"zrtp\"]"}},
		G "/trunks/trunk[name='carrier']/srtp/keying:",
		"'zrtp' is not one of the choices: sdes, dtls"},
	{"dtls without rtcp-mux",
		{{"trunks/trunk/0/srtp/keying", "[\"dtls\"]"}, {"trunks/trunk/0/rtcp-mux", "\"never\""}},
		G "/trunks/trunk[name='carrier']/srtp:", "DTLS-SRTP needs rtcp-mux"},
	{"udp peer outside a trusted realm", {{"trunks/trunk/0/peer/0/transport", "\"udp\""}},
		G "/trunks/trunk[name='carrier']/peer[name='east']:", "realm that is marked trusted"},
	{"tls peer without certificate", {{"trunks/trunk/0/tls-profile", ""}},
		G "/trunks/trunk[name='carrier']/peer[name='east']:", "needs the trunk's tls-profile"},
	{"peer that cannot answer", {{"sip/listener/0/enabled", "false"}},
		G "/trunks/trunk[name='carrier']/peer[name='east']:", "no enabled listener"},
	{"certificate name of a udp peer", {{"trunks/trunk/1/peer/0/certificate-name", "\"a.example\""}},
		"/certificate-name:", "only a TLS peer"},
	{"listener of another realm", {{"trunks/trunk/0/identify/listener", "[\"core-udp\"]"}},
		G "/trunks/trunk[name='carrier']/identify/listener[.='core-udp']:", "another realm"},
	{"certificate name that nobody verifies", {{"tls-profiles/tls-profile/0/verify-peer", "\"none\""}},
		G "/trunks/trunk[name='carrier']/identify/certificate-name", "verifies certificates"},
	{"bad source address", {{"trunks/trunk/0/identify/source-address/0", "\"198.51.100.0\""}},
		G "/trunks/trunk[name='carrier']/identify/source-address:",
		"'198.51.100.0' is not valid here; the model says: It came from one of these networks, such as"},
	{"trunk names no realm", {{"trunks/trunk/0/realm", "\"mars\""}},
		G "/trunks/trunk[name='carrier']/realm:", "'mars' is not defined"},
	{"media timeout of a second", {{"trunks/trunk/0/media-timeout", "1"}},
		G "/trunks/trunk[name='carrier']/media-timeout:", "5 to 86400"},
	{"route from a trunk that nothing identifies", {{"trunks/trunk/0/identify", ""}},
		G "/routing/route[name='in']/from-trunk:", "nothing identifies"},
	{"route to a trunk without peers", {{"trunks/trunk/1/peer", ""}},
		G "/routing/route[name='in']/to-trunk[.='core']:", "no peer"},
	{"route to no trunk", {{"routing/route/0/to-trunk", ""}},
		G "/routing/route[name='in']:", "at least one to-trunk"},
	{"route to an unknown trunk", {{"routing/route/0/to-trunk/0", "\"mars\""}},
		G "/routing/route[name='in']/to-trunk[.='mars']:", "'mars' is not defined"},
	{"route twice",
		{{"routing/route/2", "{\"name\":\"b\",\"from-trunk\":\"core\",\"prefix\":\"+\",\"to-trunk\":["
				     "\"carrier\"]}"}},
		G "/routing/route", "same from-trunk prefix"},
	{"prefix with letters", {{"routing/route/0/prefix", "\"tel\""}},
		G "/routing/route[name='in']/prefix:", "a prefix is digits"},
	{"name with a space", {{"routing/route/0/name", "\"a b\""}},
		G "/routing/route/name:", "a name begins with"},
	{"unknown crypto backend", {{"dataplane", "{\"crypto-backend\":\"abacus\"}"}},
		G "/dataplane/crypto-backend:", "ipsec-mb"},
	{"a nap of workers that never sleep", {{"dataplane", "{\"busy-poll\":true,\"longest-nap\":50}"}},
		G "/dataplane/longest-nap", "remove one of them"},
	{"a nap of two milliseconds", {{"dataplane", "{\"longest-nap\":2000}"}},
		G "/dataplane/longest-nap:", "1 to 1000"},
	{"no calls at all", {{"limits/max-calls", "0"}}, G "/limits/max-calls:", ""},
};

static void each_mistake_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		const struct mistake *m = &mistakes[i];
		json_t *root = example();
		struct config *c = NULL;
		struct err e = {0};

		for (size_t k = 0; k < 4 && m->edits[k].at; k++)
			change(root, m->edits[k].at, m->edits[k].value);
		int rc = parse_tree(root, &c, &e);

		json_decref(root);
		if (rc != -EINVAL || !strstr(e.text, m->path) || !strstr(e.text, m->reason) ||
			strncmp(e.text, "test.json:", 10) != 0)
			fail_msg("%s: got %d \"%s\"", m->name, rc, e.text);
		assert_null(c);
	}
}

/* A third trunk beside carrier (0) and core (1): what identifies it, its realm, and with which entry it is core's or
 * carrier's twin; NULL: it is told apart. */
static const struct twin {
	const char *name, *realm, *identify, *user, *entry, *other;
} twins[] = {
	{"the same address", "core", "{\"source-address\":[\"10.20.0.6/32\",\"10.20.0.5/32\"]}", NULL,
		"source-address: '10.20.0.5/32'", "core"},
	{"another one", "core", "{\"source-address\":[\"10.20.0.6/32\"]}", NULL, NULL, NULL},
	{"more of it", "core", "{\"source-address\":[\"10.20.0.0/24\"]}", NULL, NULL, NULL},
	{"by one listener", "core", "{\"listener\":[\"core-udp\"],\"source-address\":[\"10.20.0.5/32\"]}", NULL, NULL,
		NULL},
	{"with an account", "core", "{\"source-address\":[\"10.20.0.5/32\"]}", "alice", NULL, NULL},
	{"in another realm", "carriers", "{\"source-address\":[\"10.20.0.5/32\"]}", NULL, NULL, NULL},
	{"only called", "core", "{}", NULL, NULL, NULL},
	{"a certificate and a network in common", "carriers",
		"{\"source-address\":[\"192.0.2.0/24\",\"198.51.100.0/24\"],"
		"\"certificate-name\":[\"x.example\",\"SBC-West.carrier.example\"]}",
		NULL, "certificate-name: 'SBC-West.carrier.example'", "carrier"},
	{"a certificate in common", "carriers",
		"{\"source-address\":[\"192.0.2.0/24\"],\"certificate-name\":[\"sbc-west.carrier.example\"]}", NULL, NULL,
		NULL},
	{"the certificate alone", "carriers", "{\"certificate-name\":[\"sbc-west.carrier.example\"]}", NULL, NULL, NULL},
	{"a server name besides", "carriers",
		"{\"source-address\":[\"198.51.100.0/24\"],\"certificate-name\":[\"sbc-west.carrier.example\"],"
		"\"server-name\":[\"gw.example\"]}",
		NULL, NULL, NULL},
};

static json_t *with_twin(const struct twin *w)
{
	json_t *root = example();
	char text[512];

	snprintf(text, sizeof text,
		"{\"name\":\"twin\",\"realm\":\"%s\",\"identify\":%s,\"srtp\":{\"mode\":\"%s\"}%s%s%s}", w->realm,
		w->identify, strcmp(w->realm, "core") == 0 ? "none" : "required",
		w->user ? ",\"peer-auth\":{\"password-file\":\"/p\",\"username\":\"" : "", w->user ? w->user : "",
		w->user ? "\"}" : "");
	change(root, "trunks/trunk/2", text);
	return root;
}

static void trunks_that_nothing_tells_apart_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
		const struct twin *w = &twins[i];
		json_t *root = with_twin(w);
		struct config *c = NULL;
		struct err e = {0};
		char place[160], other[64];
		int rc = parse_tree(root, &c, &e);

		snprintf(place, sizeof place, "test.json: " G "/trunks/trunk[name='twin']/identify/%s names the trunk '%s' too",
			w->entry ? w->entry : "", w->other ? w->other : "");
		snprintf(other, sizeof other, "or no identify at all");
		if (w->entry ? rc != -EINVAL || !strstr(e.text, place) || !strstr(e.text, other) : rc != 0)
			fail_msg("%s: got %d \"%s\"", w->name, rc, e.text);
		json_decref(root);
		config_unref(c);
	}
}

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
	json_t *root = example();
	struct config *c = NULL;
	struct err e = {0};

	change(root, "trunks/trunk/0/srtp", "");
	change(root, "crypto-profiles/crypto-profile/0", "{\"name\":\"empty\"}");
	change(root, "tls-profiles/tls-profile/0/min-version", "");
	change(root, "tls-profiles/tls-profile/0/verify-peer", "");
	if (parse_tree(root, &c, &e))
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
		json_t *root = example();
		struct config *c = NULL;
		struct err e = {0};

		change(root, "dataplane", rows[i].dataplane);
		if (parse_tree(root, &c, &e))
			fail_msg("%s: %s", rows[i].dataplane, e.text);
		json_decref(root);
		assert_int_equal(c->dataplane.nap_us, rows[i].nap_us);
		config_unref(c);
	}
}

static void metrics_are_served_when_asked_for_and_only_locally(void **state)
{
	(void)state;
	json_t *root = example();
	struct config *c = NULL;
	struct err e = {0};
	char text[IP_PORT_TEXT_MAX];

	if (parse_tree(root, &c, &e))
		fail_msg("%s", e.text);
	assert_false(c->observability.metrics);
	config_unref(c);
	change(root, "observability", "{\"metrics-listener\":{}}");
	if (parse_tree(root, &c, &e))
		fail_msg("%s", e.text);
	json_decref(root);
	assert_true(c->observability.metrics);
	assert_string_equal(ip_port_text(&c->observability.listen, text), "127.0.0.1:9464");
	config_unref(c);
}

static void peers_are_sorted_by_priority(void **state)
{
	(void)state;
	json_t *root = example();
	struct config *c = NULL;
	struct err e = {0};

	change(root, "trunks/trunk/0/peer/1/priority", "1");
	assert_int_equal(parse_tree(root, &c, &e), 0);
	json_decref(root);
	assert_string_equal(c->trunks[0].peers[0].name, "west");
	config_unref(c);
}

static void lines_and_comments_are_counted(void **state)
{
	(void)state;
	static const char text[] = "// first\n"
				   "{\n"
				   "  \"srtp-gateway:gateway\": {\n"
				   "\t// a comment with \"quotes\" { and [\n"
				   "    \"logging\": { \"level\": \"info\",\n"
				   "      \"format\":\n"
				   "          \"xml\" }\n"
				   "  }\n"
				   "}\n";
	struct config *c = NULL;
	struct err e = {0};

	assert_int_equal(config_parse(str_z(text), "f", &c, &e), -EINVAL);
	assert_string_equal(e.text, "f:7: " G "/logging/format: 'xml' is not one of the choices: text, json");
}

/* The same name at every step, in other places first: the line is that of the entry that is wrong, and no
 * other. */
static void the_line_is_the_right_entrys(void **state)
{
	(void)state;
	static const char text[] =
		"{\"srtp-gateway:gateway\":{\n"
		"\"trunks\":{\"trunk\":[\n"
		"{\"name\":\"a]\\\"}\",\n"
		"\"realm\":\"nowhere\"}]},\n"
		"\"sip\":{\"listener\":[\n"
		"{\"name\":\"a\",\"transport\":\"tcp\",\"address\":\"::1\",\"port\":1,\"realm\":\"r\"},\n"
		"{\"name\":\"b\",\"transport\":\"udp\",\"address\":\"::1\",\"port\":1,\n"
		"\"realm\":\"s\"}]}}}";
	struct config *c = NULL;
	struct err e = {0};
	bool exact;

	/* The trunk's name is refused first; it holds quotes and brackets for the search to stumble over. */
	assert_int_equal(config_parse(str_z(text), "f", &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "f:3: " G "/trunks/trunk/name: a name begins"));
	assert_int_equal(locate_line(str_z(text), STR(G "/sip/listener[name='b']/realm"), &exact), 8);
	assert_true(exact);
	assert_int_equal(locate_line(str_z(text), STR(G "/sip/listener[name='b']/tls-profile"), &exact), 7);
	assert_false(exact);
	assert_int_equal(locate_line(str_z(text), STR(G "/sip/listener[2]/realm"), &exact), 8);
	assert_int_equal(locate_line(str_z(text), STR(G "/sip/listener[name='c']"), &exact), 5);
	assert_int_equal(locate_line(str_z(text), STR(G "/routing/route"), &exact), 1);
	assert_int_equal(locate_line(STR("{\"a\":[[[\"x"), STR("/m:a[1]/b"), &exact), 1);
	assert_int_equal(locate_line(STR(""), STR("/m:a"), &exact), 1);
}

/* As some editors save it. */
static void a_byte_order_mark_is_no_mistake(void **state)
{
	struct config *c = NULL;
	struct err e = {0};

	(void)state;
	if (config_parse(STR("\xef\xbb\xbf{\"srtp-gateway:gateway\":{}}"), "f", &c, &e))
		fail_msg("%s", e.text);
	config_unref(c);
}

static void what_is_not_json_is_refused_with_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *begins;
	} bad[] = {
		{"", "f:1:"},
		{"{\n\"a\":\n}", "f:3:"},
		{"[1]", "f:1: a configuration is a JSON object"},
		{"{\"srtp-gateway:gateway\":{},\n\"srtp-gateway:gateway\":{}}", "f:2:"},
		{"{ \"a\": 1 // behind a value is no comment\n}",
			"f:1: column 10: '}' expected near '/': a comment begins with // and has a line of its own"},
		{"{ \"a\": 1\n# hello\n}",
			"f:2: column 1: '}' expected near '#': a comment begins with // and has a line of its own"},
		{"{ \"a\": {\"b\": 1,} }", "f:1: column 16: string or '}' expected near '}': no comma behind the last entry"},
		{"{ \"a\": {\"b\": [1,]} }",
			"f:1: column 17: unexpected token near ']': no comma behind the last entry"},
		{"{\"gateway\": {}}", "f:1: 'gateway' needs the name of its model before it, as in \"srtp-gateway:gateway\""},
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct config *c = NULL;
		struct err e = {0};

		assert_int_equal(config_parse(str_z(bad[i].text), "f", &c, &e), -EINVAL);
		if (strncmp(e.text, bad[i].begins, strlen(bad[i].begins)) != 0)
			fail_msg("%s -> %s", bad[i].text, e.text);
	}
	struct err e = {0};
	struct config *c = NULL;

	assert_int_equal(config_parse((struct str){"{}\0{}", 5}, "f", &c, &e), -EINVAL);
	assert_int_equal(config_load("/nonexistent/x.json", &c, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nonexistent/x.json: cannot be opened"));
	assert_int_equal(config_load("/", &c, &e), -EINVAL);
}

/* A nested text must end in an error, not in the end of the stack. */
static void deep_nesting_is_refused(void **state)
{
	(void)state;
	static char deep[2000001];
	struct config *c = NULL;
	struct err e = {0};

	memset(deep, '[', sizeof deep - 1);
	assert_int_equal(config_parse(str_z(deep), "f", &c, &e), -EINVAL);
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
		cmocka_unit_test(each_mistake_is_named),
		cmocka_unit_test(accounts_are_found_by_name_and_number),
		cmocka_unit_test(trunks_that_nothing_tells_apart_are_refused),
		cmocka_unit_test(the_example_becomes_a_snapshot),
		cmocka_unit_test(defaults_are_the_safe_choice),
		cmocka_unit_test(workers_sleep_as_it_says_or_as_they_were_started),
		cmocka_unit_test(metrics_are_served_when_asked_for_and_only_locally),
		cmocka_unit_test(peers_are_sorted_by_priority),
		cmocka_unit_test(lines_and_comments_are_counted),
		cmocka_unit_test(the_line_is_the_right_entrys),
		cmocka_unit_test(a_byte_order_mark_is_no_mistake),
		cmocka_unit_test(what_is_not_json_is_refused_with_its_line),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(generations_count_and_snapshots_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
