/* SPDX-License-Identifier: Apache-2.0 */
/* Whose call is it, and where does it go? */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/config/config.h"

/* Two carriers behind one network, one of them named by its certificate too, and a core with two listeners.
 */
static const char text[] =
	"{\"srtp-gateway:gateway\":{"
	"\"tls-profiles\":{\"tls-profile\":[{\"name\":\"p\",\"certificate\":\"/c\",\"private-key\":\"/k\","
	"\"trust-bag\":\"/t\"}]},"
	"\"media\":{\"interface\":[{\"name\":\"m\",\"device\":\"eth0\",\"address\":[{\"ip\":\"192.0.2.1\","
	"\"port-range\":[{\"lower\":20000,\"upper\":29999}]}]}]},"
	"\"realms\":{\"realm\":[{\"name\":\"out\",\"media-interface\":[\"m\"]},"
	"{\"name\":\"in\",\"trusted\":true,\"media-interface\":[\"m\"]}]},"
	"\"sip\":{\"listener\":["
	"{\"name\":\"tls\",\"transport\":\"tls\",\"address\":\"192.0.2.1\",\"port\":5061,\"tls-profile\":"
	"\"p\",\"realm\":\"out\"},"
	"{\"name\":\"udp\",\"transport\":\"udp\",\"address\":\"192.0.2.1\",\"port\":5060,\"realm\":\"in\"},"
	"{\"name\":\"tcp\",\"transport\":\"tcp\",\"address\":\"192.0.2.1\",\"port\":5060,\"realm\":\"in\"},"
	"{\"name\":\"tls-in\",\"transport\":\"tls\",\"address\":\"192.0.2.1\",\"port\":5062,\"tls-profile\":"
	"\"p\",\"realm\":\"in\"}]},"
	"\"trunks\":{\"trunk\":["
	"{\"name\":\"wide\",\"realm\":\"out\",\"identify\":{\"source-address\":[\"198.51.0.0/"
	"16\",\"2001:db8::/33\"]},"
	"\"tls-profile\":\"p\",\"peer\":[{\"name\":\"a\",\"host\":\"198.51.100.1\"}]},"
	"{\"name\":\"narrow\",\"realm\":\"out\",\"identify\":{\"source-address\":[\"198.51.100.0/25\"]}},"
	"{\"name\":\"named\",\"realm\":\"out\",\"identify\":{\"source-address\":[\"198.51.0.0/16\"],"
	"\"certificate-name\":[\"SBC.example\"]}},"
	"{\"name\":\"silent\",\"realm\":\"out\"},"
	"{\"name\":\"core\",\"realm\":\"in\",\"identify\":{\"listener\":[\"udp\",\"tls-in\"]},\"srtp\":{"
	"\"mode\":\"none\"},"
	"\"peer\":[{\"name\":\"a\",\"host\":\"10.0.0.1\",\"transport\":\"udp\"}]},"
	"{\"name\":\"secure-core\",\"realm\":\"in\",\"identify\":{\"source-address\":[\"10.0.0.9/32\"]}}"
	"]},"
	"\"routing\":{\"route\":["
	"{\"name\":\"default\",\"to-trunk\":[\"core\"]},"
	"{\"name\":\"wide-all\",\"from-trunk\":\"wide\",\"to-trunk\":[\"wide\",\"core\"]},"
	"{\"name\":\"any-49\",\"prefix\":\"+49\",\"to-trunk\":[\"core\"]},"
	"{\"name\":\"wide-49\",\"from-trunk\":\"wide\",\"prefix\":\"+49\",\"to-trunk\":[\"core\"]},"
	"{\"name\":\"any-4930\",\"prefix\":\"+4930\",\"to-trunk\":[\"core\"]},"
	"{\"name\":\"service\",\"prefix\":\"*21#\",\"to-trunk\":[\"core\"]},"
	"{\"name\":\"core-1\",\"from-trunk\":\"core\",\"prefix\":\"1\",\"to-trunk\":[\"wide\"]}"
	"]}}}";

static int load(void **state)
{
	struct config *c = NULL;
	struct err e = {0};

	if (config_parse(str_z(text), "test", &c, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	*state = c;
	return 0;
}

static int unload(void **state)
{
	config_unref(*state);
	return 0;
}

static const char *whose(
	const struct config *c, const char *listener, const char *address, const char *certificate)
{
	struct str name = str_z(certificate);
	struct config_source from = {.certificate_names = &name, .n_certificate_names = certificate ? 1 : 0};

	for (uint32_t i = 0; i < c->n_listeners; i++) {
		if (strcmp(c->listeners[i].name, listener) == 0)
			from.listener = &c->listeners[i];
	}
	assert_int_equal(ip_parse(str_z(address), &from.remote), 0);
	const struct config_trunk *t = config_find_trunk(c, &from);

	return t ? t->name : "nobody";
}

static void the_closest_trunk_is_found(void **state)
{
	const struct config *c = *state;

	assert_string_equal(whose(c, "tls", "198.51.7.7", NULL), "wide");
	assert_string_equal(whose(c, "tls", "198.51.100.127", NULL), "narrow");
	assert_string_equal(whose(c, "tls", "198.51.100.128", NULL), "wide");
	assert_string_equal(whose(c, "tls", "198.51.100.1", "sbc.EXAMPLE"), "named");
	assert_string_equal(whose(c, "tls", "198.51.7.7", "evil.sbc.example"), "wide");
	assert_string_equal(
		whose(c, "tls", "198.52.0.1", "sbc.example"), "nobody"); /* the name alone is not enough */
	assert_string_equal(whose(c, "tls", "198.52.0.1", NULL), "nobody");
	assert_string_equal(whose(c, "tls", "2001:db8:7fff::1", NULL), "wide");
	assert_string_equal(whose(c, "tls", "2001:db8:8000::1", NULL), "nobody");
}

static void realms_and_listeners_keep_trunks_apart(void **state)
{
	const struct config *c = *state;

	assert_string_equal(whose(c, "udp", "198.51.100.1", NULL), "core");
	assert_string_equal(whose(c, "tcp", "198.51.100.1", NULL), "nobody");
	assert_string_equal(whose(c, "tls-in", "10.0.0.1", NULL), "core");
}

/* Its address is right, but SDES keys in a UDP message are everybody's. */
static void a_secure_trunk_never_calls_in_clear(void **state)
{
	const struct config *c = *state;

	assert_string_equal(whose(c, "udp", "10.0.0.9", NULL), "core");
	assert_string_equal(whose(c, "tcp", "10.0.0.9", NULL), "nobody");
	assert_string_equal(whose(c, "tls-in", "10.0.0.9", NULL), "secure-core");
}

static const char *route(const struct config *c, const char *from, const char *number)
{
	const struct config_route *r = config_find_route(c, config_trunk_named(c, from), STR(""), str_z(number));

	return r ? r->name : "nowhere";
}

static void the_longest_prefix_wins(void **state)
{
	const struct config *c = *state;

	assert_string_equal(route(c, "wide", "+4930123"), "any-4930");
	assert_string_equal(route(c, "wide", "+4940123"), "wide-49");
	assert_string_equal(route(c, "narrow", "+4940123"), "any-49");
	assert_string_equal(route(c, "wide", "+1"), "wide-all");
	assert_string_equal(route(c, "wide", ""), "wide-all");
	assert_string_equal(route(c, "narrow", "alice"), "default");
	assert_string_equal(route(c, "core", "100"), "core-1");
	assert_string_equal(route(c, "wide", "100"), "wide-all");
	assert_string_equal(route(c, "wide", "+49-(30).1"), "any-4930");
	assert_string_equal(route(c, "wide", "+49301234567890123456789012345678901234567890"), "any-4930");
	assert_string_equal(route(c, "wide", "+4"), "wide-all");
}

/* A '#' cannot stand in a URI as it is, and some write a '+' as if it could not either. */
static void escapes_are_what_they_stand_for(void **state)
{
	const struct config *c = *state;

	assert_string_equal(route(c, "narrow", "*21%23030123"), "service");
	assert_string_equal(route(c, "wide", "%2b4930123"), "any-4930");
	assert_string_equal(route(c, "wide", "+49%330%2D1"), "any-4930");
	for (unsigned i = 0; i < 6; i++)
		assert_string_equal(route(c, "narrow", (const char *[]){"%", "%2", "%2x49", "%zz", "%0049", "*21%2"}[i]), "default");
}

static void routes_list_their_trunks_in_order(void **state)
{
	const struct config *c = *state;
	const struct config_route *r = config_find_route(c, config_trunk_named(c, "wide"), STR(""), STR("7"));

	assert_int_equal(r->n_to, 2);
	assert_string_equal(r->to[0]->name, "wide");
	assert_string_equal(r->to[1]->name, "core");
}

#define CORE(name, more) "{\"name\":\"" name "\",\"realm\":\"r\",\"srtp\":{\"mode\":\"none\"}," more "}"
#define PEER "\"peer\":[{\"name\":\"p\",\"host\":\"10.0.0.2\",\"transport\":\"udp\"}]"

static const char hosts[] =
	"{\"srtp-gateway:gateway\":{\"media\":{\"interface\":[{\"name\":\"m\",\"device\":\"e0\",\"address\":[{\"ip\":"
	"\"10.0.0.1\",\"port-range\":[{\"lower\":20000,\"upper\":20999}]}]}]},\"realms\":{\"realm\":[{\"name\":\"r\","
	"\"trusted\":true,\"media-interface\":[\"m\"]}]},\"sip\":{\"listener\":[{\"name\":\"udp\",\"transport\":\"udp\","
	"\"address\":\"10.0.0.1\",\"port\":5060,\"realm\":\"r\"}]},\"trunks\":{\"trunk\":["
	CORE("plain", PEER ",\"identify\":{\"source-address\":[\"10.0.0.0/24\"]}") ","
	CORE("one", "\"identify\":{\"source-address\":[\"10.0.0.0/8\"],\"server-name\":[\"one.gw.example\"]}") "]},"
	"\"routing\":{\"route\":["
	"{\"name\":\"long\",\"prefix\":\"+4930\",\"to-trunk\":[\"plain\"]},"
	"{\"name\":\"a\",\"host\":\"a.example\",\"to-trunk\":[\"plain\"]},"
	"{\"name\":\"a-49\",\"host\":\"a.example\",\"prefix\":\"+49\",\"to-trunk\":[\"plain\"]},"
	"{\"name\":\"a-49-plain\",\"host\":\"a.example\",\"prefix\":\"+49\",\"from-trunk\":\"plain\",\"to-trunk\":[\"plain\"]},"
	"{\"name\":\"b-49\",\"host\":\"b.example\",\"prefix\":\"+49\",\"to-trunk\":[\"plain\"]},"
	"{\"name\":\"all\",\"to-trunk\":[\"plain\"]}]}}}";

static const char *route_at(const struct config *c, const char *from, const char *host, const char *number)
{
	const struct config_route *r =
		config_find_route(c, config_trunk_named(c, from), str_z(host), str_z(number));

	return r ? r->name : "nowhere";
}

static void a_host_goes_before_every_prefix(void **state)
{
	struct config *c = NULL;
	struct err e = {0};

	(void)state;
	if (config_parse(str_z(hosts), "test", &c, &e))
		fail_msg("%s", e.text);
	assert_string_equal(route_at(c, "one", "A.Example", "+4930123"), "a-49");
	assert_string_equal(route_at(c, "plain", "a.example", "+4930123"), "a-49-plain");
	assert_string_equal(route_at(c, "plain", "a.example", "+1"), "a");
	assert_string_equal(route_at(c, "plain", "a.example", "alice"), "a");
	assert_string_equal(route_at(c, "plain", "a.example.net", "+4930123"), "long");
	assert_string_equal(route_at(c, "plain", "a.exampl", "+4930123"), "long");
	assert_string_equal(route_at(c, "plain", "b.example", "+4930123"), "b-49");
	assert_string_equal(route_at(c, "plain", "b.example", "+1"), "all");
	assert_string_equal(route_at(c, "plain", "", "+4930123"), "long");
	assert_string_equal(route_at(c, "plain", "192.0.2.1", "+4"), "all");
	config_unref(c);
}

/* The name that a party asked for says more than its address, and nothing without it. */
static void a_server_name_tells_parties_apart(void **state)
{
	struct config *c = NULL;
	struct err e = {0};
	struct config_source from = {0};

	(void)state;
	if (config_parse(str_z(hosts), "test", &c, &e))
		fail_msg("%s", e.text);
	from.listener = &c->listeners[0];
	ip_parse(STR("10.0.0.9"), &from.remote);
	assert_string_equal(config_find_trunk(c, &from)->name, "plain");
	from.server_name = STR("ONE.gw.example");
	assert_string_equal(config_find_trunk(c, &from)->name, "one");
	from.server_name = STR("two.gw.example");
	assert_string_equal(config_find_trunk(c, &from)->name, "plain");
	ip_parse(STR("192.0.2.9"), &from.remote);
	from.server_name = STR("one.gw.example");
	assert_null(config_find_trunk(c, &from));
	config_unref(c);
}

/* Of who is nobody it is said whom he is most like, and what he lacks; not of one who is like nobody. */
static void a_near_miss_is_named(void **state)
{
	struct config *c = NULL;
	struct err e = {0};
	struct config_source from = {0};
	const char *what = NULL;

	(void)state;
	if (config_parse(str_z(hosts), "test", &c, &e))
		fail_msg("%s", e.text);
	from.listener = &c->listeners[0];
	ip_parse(STR("10.9.9.9"), &from.remote);
	assert_null(config_find_trunk(c, &from));
	assert_string_equal(config_near_miss(&from, &what)->name, "one");
	assert_non_null(strstr(what, "(SNI)"));
	ip_parse(STR("192.0.2.9"), &from.remote);
	assert_null(config_near_miss(&from, &what));
	from.server_name = STR("one.gw.example");
	assert_string_equal(config_near_miss(&from, &what)->name, "one");
	assert_non_null(strstr(what, "this address"));
	config_unref(c);
}

/* Without routes and trunks nothing is found, and nothing breaks. */
static void an_empty_gateway_knows_nobody(void **state)
{
	(void)state;
	struct config *c = NULL;
	struct err e = {0};

	assert_int_equal(config_parse(STR("{}"), "test", &c, &e), 0);
	assert_null(config_trunk_named(c, "wide"));
	assert_null(config_find_route(c, NULL, STR(""), STR("1")));
	config_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_closest_trunk_is_found),
		cmocka_unit_test(a_host_goes_before_every_prefix),
		cmocka_unit_test(a_server_name_tells_parties_apart),
		cmocka_unit_test(a_near_miss_is_named),
		cmocka_unit_test(realms_and_listeners_keep_trunks_apart),
		cmocka_unit_test(a_secure_trunk_never_calls_in_clear),
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(escapes_are_what_they_stand_for),
		cmocka_unit_test(routes_list_their_trunks_in_order),
		cmocka_unit_test(an_empty_gateway_knows_nobody),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
