/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom each side is shown: alice's core is of the trust domain, bob's and carol's carriers are not. What a
 * party hears is looked for and looked out for in the message as it was sent.
 */
#include "tests/unit/b2bua_bench.h"

#define PAI "P-Asserted-Identity: "

/* An INVITE with these headers, as it gets to the other side; the call is refused again. */
static void invited(struct phone *from, struct phone *to, const char *headers)
{
	dial(from, number_of(to), headers, sdp(from, 1));
	hear(to, "INVITE");
}

static void over(struct phone *from, struct phone *to)
{
	answer(to, "486 Busy Here", "", "");
	hear(to, "ACK");
	hear(from, "486");
	say(from, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

/* What an INVITE says, from whom, and what of it is heard and is not heard. */
#define MANY_8(c) #c #c #c #c #c #c #c #c
#define MANY_64(c) MANY_8(c) MANY_8(c) MANY_8(c) MANY_8(c) MANY_8(c) MANY_8(c) MANY_8(c) MANY_8(c)
#define MANY(c) /* 1,024 */                                                                                  \
	MANY_64(c)                                                                                           \
	MANY_64(c)                                                                                           \
	MANY_64(c) MANY_64(c) MANY_64(c) MANY_64(c) MANY_64(c) MANY_64(c) MANY_64(c) MANY_64(c) MANY_64(c)   \
		MANY_64(c) MANY_64(c) MANY_64(c) MANY_64(c) MANY_64(c)

static const struct {
	const char *about;
	struct phone *from, *to;
	const char *said, *heard, *not_heard;
} cases[] = {
	{"asserted inside, shown outside: RFC 3325 section 5", &alice, &bob,
		PAI "\"Al\" <sip:+3001@pbx.core.internal;user=phone>\r\n",
		PAI "\"Al\" <sip:+3001@203.0.113.10;user=phone>\r\n", "core.internal"},
	{"of two identities one is a tel: URI: RFC 3325 section 9.1", &alice, &bob,
		PAI "\"Al\" <sip:+3001@pbx.core.internal>, <tel:+3001;isub=7>\r\n",
		PAI "\"Al\" <sip:+3001@203.0.113.10>, <tel:+3001>\r\n", "core.internal"},
	{"in lines of their own, too, and in any order", &alice, &bob,
		PAI "\"Al\" <tel:+3001>\r\n" PAI "<sip:+3001@pbx.core.internal>\r\n",
		PAI "\"Al\" <tel:+3001>\r\n" PAI "<sip:+3001@203.0.113.10>\r\n", "core.internal"},
	{"a number of nobody but the core is said once", &alice, &bob,
		PAI "<sip:3001@pbx.core.internal>, <tel:3001;phone-context=pbx.core.internal>\r\n",
		PAI "<sip:3001@203.0.113.10>\r\n", "core.internal"},
	{"but not with Privacy: id", &alice, &bob,
		PAI "<sip:+3001@pbx.core.internal>\r\n" PAI "<tel:+3001>\r\nPrivacy: id\r\n",
		"\r\nPrivacy: id\r\n", PAI},
	{"with Privacy: none it must stay", &alice, &bob, PAI "<tel:+3009>\r\nPrivacy: none\r\n",
		PAI "<sip:+3009@203.0.113.10;user=phone>\r\n", "anonymous"},
	{"what strangers assert is dropped", &bob, &alice, PAI "<sip:+1@bank.example>\r\n", "+3001", PAI},
	{"what they prefer, too", &bob, &alice, "P-Preferred-Identity: <sip:+1@bank.example>\r\n", "+3001",
		"Preferred"},
	{"privacy of the user", &alice, &bob, PAI "<sip:+3001@pbx.core.internal>\r\nPrivacy: user;id\r\n",
		"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", "+3001"},
	{"privacy that goes on inside", &bob, &alice, "Privacy: user; critical\r\n",
		"Privacy: user; critical\r\n", PAI},
	{"diversions show no host", &alice, &bob,
		"Diversion: <sip:+3007@pbx.core.internal>;reason=unconditional;counter=1, "
		"\"Boss\" <sip:+3008@pbx.core.internal>;privacy=full\r\n",
		"Diversion: <sip:+3007@203.0.113.10>;reason=unconditional;counter=1\r\n", "+3008"},
	{"inside they show who is private", &bob, &alice, "Diversion: <sip:+19@gw.b>;privacy=full\r\n",
		"Diversion: <sip:+19@10.20.0.10>;privacy=full\r\n", "gw.b"},
	{"history keeps its order", &alice, &bob,
		"History-Info: <sip:+3005@pbx?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1\r\n"
		"History-Info: <sip:+3006@pbx>;index=1.1;rc=1\r\n",
		"History-Info: <sip:anonymous@anonymous.invalid>;index=1\r\n"
		"History-Info: <sip:+3006@203.0.113.10>;index=1.1;rc=1\r\n",
		"+3005"},
	{"and why a call was sent on: RFC 4458", &alice, &bob,
		"History-Info: <sip:+3005@pbx;user=phone;cause=302;x=pbx.core.internal>;index=1\r\n",
		"History-Info: <sip:+3005@203.0.113.10;user=phone;cause=302>;index=1\r\n", "core.internal"},
	{"but not in the other side's own words", &alice, &bob,
		"History-Info: <sip:+3005@pbx?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%20at%20pbx%22%2C"
		"Q.850%3Bcause%3D17&X-Secret=pbx&privacy=none>;index=1\r\n",
		"History-Info: <sip:+3005@203.0.113.10?Reason=SIP%3Bcause%3D486%2C%20Q.850%3Bcause%3D17&privacy=none>"
		";index=1\r\n",
		"pbx"},
	{"which trusted parties may read", &bob, &alice,
		"History-Info: <sip:+1005@gw.b?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1\r\n",
		"History-Info: <sip:+1005@10.20.0.10?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1\r\n",
		"gw.b"},
	{"an entry that is private however it says so", &alice, &bob,
		"History-Info: <sip:+3006@pbx?Privacy=history%3Bid>;index=1, <sip:+3006@pbx?privacy=%68istory>;index=2, "
		"<sip:+3006@pbx?Reason=SIP%3Bcause%3D302&Privacy=id%2C%20History>;index=3, "
		"<sip:+3006@pbx?%50rivacy=history>;index=4, <sip:+3007@pbx?Privacy=none>;index=5\r\n",
		"History-Info: <sip:anonymous@anonymous.invalid>;index=1, <sip:anonymous@anonymous.invalid>;index=2, "
		"<sip:anonymous@anonymous.invalid>;index=3, <sip:anonymous@anonymous.invalid>;index=4, "
		"<sip:+3007@203.0.113.10?Privacy=none>;index=5\r\n",
		"+3006"},
	{"an entry that asks for what cannot be read", &alice, &bob,
		"History-Info: <sip:+3006@pbx?Privacy=histor%7>;index=1, <sip:+3006@pbx?Privacy=history" MANY(
			x) ">;index=2\r\n"
			   "History-Info: <sip:+3006@pbx?%zzrivacy=history>;index=3, <sip:+3007@pbx>;index=4\r\n",
		"History-Info: <sip:anonymous@anonymous.invalid>;index=2\r\n"
		"History-Info: <sip:+3007@203.0.113.10>;index=4\r\n",
		"+3006"},
	{"private history", &alice, &bob, "Privacy: history\r\nHistory-Info: <sip:+3006@pbx>;index=1\r\n",
		"History-Info: <sip:anonymous@anonymous.invalid>;index=1\r\n", "+3006"},
	{"P-Early-Media stays inside", &alice, &bob, "P-Early-Media: supported\r\n", "INVITE", "P-Early"},
	{"what is for the far end passes", &alice, &bob,
		"Subject: lunch\r\nUser-to-User: 56a390;encoding=hex\r\nSession-ID: "
		"ab30317f1a784dc48ff824d0d3715d86\r\n"
		"Alert-Info: <urn:alert:source:external>\r\nResource-Priority: esnet.0\r\n",
		"User-to-User: 56a390;encoding=hex\r\nSession-ID: ab30317f1a784dc48ff824d0d3715d86\r\n"
		"Alert-Info: <urn:alert:source:external>\r\nResource-Priority: esnet.0\r\n",
		"core.internal"},
	{"what shows a side does not", &alice, &bob,
		"User-Agent: pbx 1.0\r\nX-Secret: core.internal\r\nOrganization: Core\r\nServer: x\r\n"
		"Call-Info: <http://core.internal/>\r\nAlert-Info: <http://core.internal/ring>\r\n"
		"Record-Route: <sip:core.internal;lr>\r\nReply-To: <sip:a@core.internal>\r\nIn-Reply-To: "
		"1@core.internal\r\n"
		"Remote-Party-ID: <sip:a@core.internal>\r\nP-Charging-Vector: icid-value=core.internal\r\n",
		"INVITE", "core.internal"},
};

static void test_each_side_sees_what_it_may(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct phone *to = cases[i].to;

		invited(cases[i].from, to, cases[i].said);
		if (!heard(to, cases[i].heard) || heard(to, cases[i].not_heard))
			fail_msg("%s: %.*s", cases[i].about, STR_ARG(to->heard->text));
		over(cases[i].from, to);
	}
	assert_int_equal(counter("identities_dropped"), 1);
	assert_true(counter("identities_hidden") >= 5);
}

/* What is said of trust per trunk goes before the realm's. */
static void test_trust_by_configuration(void **state)
{
	(void)state;
	bench_change("{\"name\":\"carrier-a\",", "{\"name\":\"carrier-a\",\"identity\":{\"trusted\":true},");
	invited(&bob, &alice, PAI "<sip:+1001@sbc.a.example>\r\nPrivacy: id\r\nP-Early-Media: supported\r\n");
	expect_heard(&alice, PAI "<sip:+1001@10.20.0.10>\r\n");
	expect_heard(&alice, "P-Early-Media: supported\r\n");
	over(&bob, &alice);
	invited(&alice, &bob, PAI "<sip:+3001@pbx>\r\nPrivacy: id;user\r\n");
	expect_heard(&bob, PAI "<sip:+3001@203.0.113.10>\r\n");
	expect_heard(&bob, "Privacy: id;user\r\n");
	over(&alice, &bob);
	/* A trusted carrier's identity, which is to stay private, does not get to one that is not. */
	invited(&bob, &carol, PAI "<sip:+1001@sbc.a.example>\r\nPrivacy: id\r\n");
	expect_not_heard(&carol, PAI);
	over(&bob, &carol);
}

static void test_numbers_of_a_party_outside_are_asserted(void **state)
{
	static const struct {
		const char *said, *heard;
	} says[] = {
		{"P-Preferred-Identity: <sip:+10055@gw.a>\r\n", PAI "<sip:+10055@10.20.0.10>\r\n"},
		{"P-Preferred-Identity: <sip:+77@gw.a>\r\n", PAI "<sip:+1001@10.20.0.10>\r\n"},
		{PAI "<sip:+77@gw.a>\r\n", PAI "<sip:+1001@10.20.0.10>\r\n"},
	};

	(void)state;
	bench_change("{\"name\":\"carrier-a\",",
		"{\"name\":\"carrier-a\",\"identity\":{\"own-number\":[\"+100\"]},");
	for (unsigned i = 0; i < sizeof says / sizeof *says; i++) {
		invited(&bob, &alice, says[i].said);
		expect_heard(&alice, says[i].heard);
		expect_not_heard(&alice, "+77");
		over(&bob, &alice);
	}
}

static void test_the_called_sides_identity(void **state)
{
	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", PAI "<sip:+3001@pbx.core.internal>\r\nServer: pbx\r\n", "");
	hear(&bob, "180");
	expect_heard(&bob, PAI "<sip:+3001@203.0.113.10>\r\n");
	expect_not_heard(&bob, "pbx");
	answer(&alice, "200 OK", PAI "<sip:+3001@pbx.core.internal>\r\nPrivacy: id\r\n", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&bob, "200");
	expect_not_heard(&bob, PAI);
	say(&bob, "ACK", "", "");
	silence(NULL);
	/* In a re-INVITE as well. */
	say(&alice, "INVITE", PAI "<sip:+3002@pbx.core.internal>\r\n", sdp_as(&alice, 1, 2, "sendonly"));
	hear(&bob, "INVITE");
	expect_heard(&bob, PAI "<sip:+3002@203.0.113.10>\r\n");
	answer(&bob, "200 OK", "", sdp(&bob, 2));
	hear(&bob, "ACK");
	hear(&alice, "200");
	expect_not_heard(&alice, PAI);
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
}

static void test_critical_privacy_is_granted_or_refused(void **state)
{
	(void)state;
	dial(&alice, "+1001", "Privacy: id;sealed;critical\r\n", sdp(&alice, 1));
	hear(&alice, "500");
	expect_heard(&alice, "Privacy insists");
	say(&alice, "ACK", "", "");
	silence(NULL);
	invited(&alice, &bob, "Privacy: id;user;header;session;critical\r\n");
	over(&alice, &bob);
}

#define NUMBERS                                                                                              \
	"\"numbers\":{\"country-code\":\"49\",\"send-as\":\"national\"},"                                    \
	"\"host-part\":{\"request-uri\":\"a.example\",\"to\":\"a.example\",\"from\":\"us.example\","         \
	"\"asserted-identity\":\"us.example\",\"diversion\":\"keep\",\"history-info\":\"peer\"},"

static void test_numbers_and_hosts(void **state)
{
	const struct bench_edit edits[] = {
		{"{\"name\":\"carrier-a\",", "{\"name\":\"carrier-a\"," NUMBERS},
		{"\"prefix\":\"+1\"", "\"prefix\":\"+49\""},
		{"\"prefix\":\"+3\"", "\"prefix\":\"+4989\""},
		{"\"max-calls\":250", "\"numbers\":{\"country-code\":\"43\"},\"max-calls\":250"},
	};

	(void)state;
	bench_change_all(edits, 4);
	/* Out: E.164 in routes, national in what the carrier is sent, and its own names. */
	dial(&alice, "004930123456",
		PAI "<tel:0662123456>\r\nDiversion: <sip:+4989555777@core.example>\r\n"
		    "History-Info: <sip:+4989555777@core.example>;index=1\r\n",
		sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "INVITE sip:030123456@a.example SIP/2.0\r\n");
	expect_heard(&bob, "To: <sip:030123456@a.example>\r\n");
	expect_heard(&bob, "From: \"Al\" <sip:003001@us.example>;tag=");
	expect_heard(&bob, PAI "<sip:0043662123456@us.example;user=phone>\r\n");
	expect_heard(&bob, "Diversion: <sip:089555777@core.example>\r\n");
	expect_heard(&bob, "History-Info: <sip:089555777@198.51.100.1>;index=1\r\n");
	over(&alice, &bob);
	/* In: the carrier's own writing finds the route, the core gets E.164. */
	dial(&bob, "089555777", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	expect_heard(&alice, "INVITE sip:+4989555777@10.20.0.5:5060;transport=udp SIP/2.0\r\n");
	over(&bob, &alice);
}

/* RFC 3261 section 19.1.6: what a tel: URI says of its number, as of one that was ported already, goes on
 * with it. */
static void test_parameters_of_a_tel_uri(void **state)
{
	(void)state;
	snprintf(alice.call_id, sizeof alice.call_id, "tel@%s", alice.ip);
	snprintf(alice.local_tag, sizeof alice.local_tag, "t0");
	snprintf(alice.target, sizeof alice.target, "tel:+1001;npdi;rn=+1009");
	say(&alice, "INVITE", PAI "<tel:+3001;cpc=payphone>\r\n", sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "INVITE sip:+1001;npdi;rn=+1009@198.51.100.1:5061;transport=tls SIP/2.0\r\n");
	expect_heard(&bob, "To: <sip:+1001;npdi;rn=+1009@198.51.100.1>\r\n");
	expect_heard(&bob, PAI "<sip:+3001;cpc=payphone@");
	over(&alice, &bob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_side_sees_what_it_may),
		T(test_trust_by_configuration),
		T(test_numbers_of_a_party_outside_are_asserted),
		T(test_the_called_sides_identity),
		T(test_critical_privacy_is_granted_or_refused),
		T(test_numbers_and_hosts),
		T(test_parameters_of_a_tel_uri),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
