/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration's rules, one violation each: starting from examples/interconnect.json one value is
 * changed, and the message must name the place and the mistake.
 */
#include "tests/unit/config_example.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
	{"text for a number", {{"limits/max-calls", "\"many\""}},
		G "/limits/max-calls:", "'many' is not a number"},
	{"null for a number", {{"limits/max-calls", "null"}},
		G "/limits/max-calls:", "a number is needed here"},
	{"negative number", {{"limits/max-calls", "-5"}},
		G "/limits/max-calls:", "'-5' is out of range: 1 to 1000000"},
	{"negative number in quotes", {{"limits/max-calls", "\"-5\""}},
		G "/limits/max-calls:", "write the number -5 without quotes"},
	{"broken number", {{"limits/max-calls", "5.5"}},
		G "/limits/max-calls:", "'5.5' is not a whole number: 1 to"},
	{"port that there is not", {{"sip/listener/0/port", "70000"}},
		G "/sip/listener[name='carriers-tls']/port:", "'70000' is out of range: 1 to 65535"},
	{"port 0", {{"sip/listener/0/port", "0"}},
		G "/sip/listener[name='carriers-tls']/port:", "'0' is out of range: 1 to 65535"},
	{"one value for a list of them", {{"realms/realm/0/media-interface", "\"outside\""}},
		G "/realms/realm[name='carriers']:", "'media-interface' is a list: write its values in [ ]"},
	{"one entry for a list of them", {{"trunks/trunk", "{\"name\":\"a\"}"}},
		G "/trunks:", "'trunk' is a list: write its entries in [ ]"},
	{"a list for one value", {{"limits/max-calls", "[5]"}}, G "/limits",
		"one value is needed here, without [ ] or { }"},
	{"a value for members", {{"limits", "5"}}, G, "'limits' has members: write them in { }"},
	{"entry without its name", {{"trunks/trunk/0/name", ""}},
		G "/trunks/trunk:", "an entry has no 'name'"},
	{"peer with its port in the host", {{"trunks/trunk/0/peer/0/host", "\"192.0.2.10:5061\""}},
		G "/trunks/trunk[name='carrier']/peer[name='east']/host:",
		"'192.0.2.10:5061' has a port in it: write 192.0.2.10 here, and the port where"},
	{"peer by IPv6 with its port in the host", {{"trunks/trunk/0/peer/0/host", "\"[2001:db8::5]:5061\""}},
		"peer[name='east']/host:", "'[2001:db8::5]:5061' has a port in it: write 2001:db8::5 here"},
	{"peer in brackets", {{"trunks/trunk/0/peer/0/host", "\"[2001:db8::5]\""}},
		"peer[name='east']/host:", "'[2001:db8::5]' is written here without brackets"},
	{"peer with half a bracket and a port", {{"trunks/trunk/0/peer/0/host", "\"[ab:80\""}},
		"peer[name='east']/host:", "'[ab:80' is neither an IP address nor a name of DNS"},
	{"peer with a bracket before its port", {{"trunks/trunk/0/peer/0/host", "\"[:5\""}},
		"peer[name='east']/host:", "'[:5' is neither an IP address nor a name of DNS"},
	{"peer with nothing in its brackets", {{"trunks/trunk/0/peer/0/host", "\"[]:5\""}},
		"peer[name='east']/host:", "'[]:5' is neither an IP address nor a name of DNS"},
	{"peer that is no name", {{"trunks/trunk/0/peer/0/host", "\"sip.carrier .example\""}},
		"peer[name='east']/host:",
		"'sip.carrier .example' is neither an IP address nor a name of DNS"},
	{"peer whose address is none", {{"trunks/trunk/0/peer/0/host", "\"192.0.2.300\""}},
		"peer[name='east']/host:", "'192.0.2.300' is neither an IP address nor a name of DNS"},
	{"peer whose address is short", {{"trunks/trunk/0/peer/0/host", "\"192.0.2\""}},
		"peer[name='east']/host:", "'192.0.2' is neither an IP address nor a name of DNS"},
	{"listener whose address is none", {{"sip/listener/0/address", "\"203.0.113.300\""}},
		G "/sip/listener[name='carriers-tls']/address:",
		"'203.0.113.300' is no IPv4 or IPv6 address"},
	{"listener on a network", {{"sip/listener/0/address", "\"203.0.113.10/24\""}},
		G "/sip/listener[name='carriers-tls']/address:",
		"'203.0.113.10/24' is a network: write the address alone, 203.0.113.10"},
	{"listener on an address with a zone", {{"sip/listener/0/address", "\"fe80::1%eth0\""}},
		G "/sip/listener[name='carriers-tls']/address:", "'fe80::1%eth0' has a zone"},
	{"listener by its name", {{"sip/listener/0/address", "\"gw.example.net\""}},
		G "/sip/listener[name='carriers-tls']/address:",
		"'gw.example.net' is no IPv4 or IPv6 address"},
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
		G "/sip/listener[name='carriers-tls']/tls_profile:",
		"there is no 'tls_profile' here: did you mean 'tls-profile'?"},
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
		"'198.51.100.0' has no length: 198.51.100.0/32 is this address alone"},
	{"bad source address of IPv6", {{"trunks/trunk/0/identify/source-address/0", "\"2001:db8::7\""}},
		G "/trunks/trunk[name='carrier']/identify/source-address:",
		"'2001:db8::7' has no length: 2001:db8::7/128 is this address alone"},
	{"bad length of a source address",
		{{"trunks/trunk/0/identify/source-address/0", "\"198.51.100.0/33\""}},
		G "/trunks/trunk[name='carrier']/identify/source-address:",
		"'198.51.100.0/33' is no network: one is written as 192.0.2.0/24"},
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
		json_t *root = config_example();
		struct config *c = NULL;
		struct err e = {0};

		for (size_t k = 0; k < 4 && m->edits[k].at; k++)
			config_change(root, m->edits[k].at, m->edits[k].value);
		int rc = config_parse_tree(root, &c, &e);

		json_decref(root);
		if (rc != -EINVAL || !strstr(e.text, m->path) || !strstr(e.text, m->reason) ||
			strncmp(e.text, "test.json:", 10) != 0)
			fail_msg("%s: got %d \"%s\"", m->name, rc, e.text);
		assert_null(c);
	}
}

/* A third trunk beside carrier (0) and core (1): what identifies it, its realm, and with which entry it is
 * core's or carrier's twin; NULL: it is told apart. */
static const struct twin {
	const char *name, *realm, *identify, *user, *entry, *other;
} twins[] = {
	{"the same address", "core", "{\"source-address\":[\"10.20.0.6/32\",\"10.20.0.5/32\"]}", NULL,
		"source-address: '10.20.0.5/32'", "core"},
	{"another one", "core", "{\"source-address\":[\"10.20.0.6/32\"]}", NULL, NULL, NULL},
	{"more of it", "core", "{\"source-address\":[\"10.20.0.0/24\"]}", NULL, NULL, NULL},
	{"by one listener", "core", "{\"listener\":[\"core-udp\"],\"source-address\":[\"10.20.0.5/32\"]}",
		NULL, NULL, NULL},
	{"with an account", "core", "{\"source-address\":[\"10.20.0.5/32\"]}", "alice", NULL, NULL},
	{"in another realm", "carriers", "{\"source-address\":[\"10.20.0.5/32\"]}", NULL, NULL, NULL},
	{"only called", "core", "{}", NULL, NULL, NULL},
	{"a certificate and a network in common", "carriers",
		"{\"source-address\":[\"192.0.2.0/24\",\"198.51.100.0/24\"],"
		"\"certificate-name\":[\"x.example\",\"SBC-West.carrier.example\"]}",
		NULL, "certificate-name: 'SBC-West.carrier.example'", "carrier"},
	{"a certificate in common", "carriers",
		"{\"source-address\":[\"192.0.2.0/24\"],\"certificate-name\":[\"sbc-west.carrier.example\"]}",
		NULL, NULL, NULL},
	{"the certificate alone", "carriers", "{\"certificate-name\":[\"sbc-west.carrier.example\"]}", NULL,
		NULL, NULL},
	{"a server name besides", "carriers",
		"{\"source-address\":[\"198.51.100.0/24\"],\"certificate-name\":[\"sbc-west.carrier.example\"],"
		"\"server-name\":[\"gw.example\"]}",
		NULL, NULL, NULL},
};

static json_t *with_twin(const struct twin *w)
{
	json_t *root = config_example();
	char text[512];

	snprintf(text, sizeof text,
		"{\"name\":\"twin\",\"realm\":\"%s\",\"identify\":%s,\"srtp\":{\"mode\":\"%s\"}%s%s%s}",
		w->realm, w->identify, strcmp(w->realm, "core") == 0 ? "none" : "required",
		w->user ? ",\"peer-auth\":{\"password-file\":\"/p\",\"username\":\"" : "",
		w->user ? w->user : "", w->user ? "\"}" : "");
	config_change(root, "trunks/trunk/2", text);
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
		int rc = config_parse_tree(root, &c, &e);

		snprintf(place, sizeof place,
			"test.json: " G "/trunks/trunk[name='twin']/identify/%s names the trunk '%s' too",
			w->entry ? w->entry : "", w->other ? w->other : "");
		snprintf(other, sizeof other, "or no identify at all");
		if (w->entry ? rc != -EINVAL || !strstr(e.text, place) || !strstr(e.text, other) : rc != 0)
			fail_msg("%s: got %d \"%s\"", w->name, rc, e.text);
		json_decref(root);
		config_unref(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake_is_named),
		cmocka_unit_test(trunks_that_nothing_tells_apart_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
