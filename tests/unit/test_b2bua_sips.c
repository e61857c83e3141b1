/* SPDX-License-Identifier: Apache-2.0 */
/* sips: URIs: TLS on every hop that is the gateway's, or no call (RFC 5630). */
#include "tests/unit/b2bua_bench.h"

static void dial_sips(struct phone *p, const char *number)
{
	p->call_id[0] = p->local_tag[0] = p->remote_tag[0] = '\0';
	p->cseq = 0;
	snprintf(p->target, sizeof p->target, "sips:%s@gw.invalid", number);
	say(p, "INVITE", "", sdp(p, 1));
}

static void refused(struct phone *p, const char *why)
{
	hear(p, "480");
	expect_heard(p, why);
	say(p, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_from_tls_to_tls(void **state)
{
	(void)state;
	dial_sips(&bob, "+2001");
	hear(&carol, "INVITE");
	expect_heard(&carol, "INVITE sips:+2001@198.51.100.2:5061;transport=tls SIP/2.0\r\n");
	expect_heard(&carol, "\r\nTo: <sips:+2001@");
	expect_heard(&carol, "\r\nContact: <sips:");
	answer(&carol, "200 OK", "", sdp(&carol, 1));
	hear(&carol, "ACK");
	hear(&bob, "200");
	expect_heard(&bob, "\r\nContact: <sips:");
	say(&bob, "ACK", "", "");
	hang_up(&carol, &bob);
	expect_no_calls();
}

static void test_over_a_hop_without_tls(void **state)
{
	(void)state;
	dial_sips(&alice, "+1001");
	refused(&alice, "over TLS only");
	dial_sips(&bob, "+3001");
	refused(&bob, "no peer of the route has encrypted signalling");
}

/* A route that has both: only the peer with TLS is asked, also when that fails. */
static void test_the_peers_that_are_left_out(void **state)
{
	(void)state;
	bench_change("\"to-trunk\":[\"carrier-b\"]", "\"to-trunk\":[\"core\",\"carrier-b\"]");
	dial_sips(&bob, "+2001");
	silence(&alice);
	hear(&carol, "INVITE");
	answer(&carol, "503 Service Unavailable", "", "");
	hear(&carol, "ACK");
	hear(&bob, "500");
	say(&bob, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_a_redirection_does_not_lead_off_tls(void **state)
{
	(void)state;
	bench_change("\"name\":\"carrier-b\",", "\"name\":\"carrier-b\",\"redirect\":\"follow\",");
	dial_sips(&bob, "+2001");
	hear(&carol, "INVITE");
	answer(&carol, "302 Moved", "Contact: <sip:+3001@10.20.0.5>\r\n", "");
	hear(&carol, "ACK");
	silence(&alice);
	hear(&bob, "502");
	say(&bob, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_from_tls_to_tls),
		T(test_over_a_hop_without_tls),
		T(test_the_peers_that_are_left_out),
		T(test_a_redirection_does_not_lead_off_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
