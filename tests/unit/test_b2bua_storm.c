/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phones and a data plane that do anything in any order. Whatever they do, no secure leg goes clear, every
 * message of the gateway's is well-formed, and when they fall silent nothing is left: no call, no
 * transaction, no session, no port, no memory.
 */
#include <errno.h>

#include "tests/support/rng.h"
#include "tests/unit/b2bua_bench.h"

#define STORMS 40
#define STEPS 600

static struct rng rng;

static unsigned pick(unsigned n)
{
	return rng_below(&rng, n);
}

static const char *direction(void)
{
	static const char *const all[] = {"sendrecv", "sendonly", "recvonly", "inactive"};

	return all[pick(4)];
}

/* Most bodies are good. */
static const char *body_of(const struct phone *p)
{
	switch (pick(25)) {
	case 0:
	case 1:
		return "";
	case 2:
		return "nonsense";
	case 3:
		return sdp_as(p == &alice ? &bob : &alice, pick(5), 1 + pick(9),
			"sendrecv"); /* the other security */
	default:
		return sdp_as(p, pick(5), 1 + pick(9), direction());
	}
}

static void answer_somehow(struct phone *p)
{
	static const char *const statuses[] = {"100 Trying", "180 Ringing", "183 Progress", "200 OK",
		"200 OK", "200 OK", "200 OK", "200 OK", "302 Moved", "408 Timeout", "481 Gone", "486 Busy",
		"487 Terminated", "491 Pending", "603 Decline"};
	static const char *const tags[] = {"one", "two", "three"};
	const char *status = statuses[pick(15)];
	const char *headers = "";
	bool body = status[0] == '2' || (status[2] == '3' && status[0] == '1');

	if (!p->invite)
		return;
	if (status[0] == '1' && !pick(3))
		headers = "Require: 100rel\r\nRSeq: 1\r\n";
	if (status[0] == '3')
		headers = "Contact: <sip:+2001@198.51.100.2>;q=0.5, <sip:+1002@198.51.100.1>\r\n";
	if (pick(6))
		answer(p, status, headers, body ? body_of(p) : "");
	else
		answer_as(p, tags[pick(3)], status, headers, body ? body_of(p) : "");
}

static void listen_to(struct phone *p)
{
	while (hear_any(p)) {
		const struct sip_msg *m = p->heard;

		if (m->request && m->method == SIP_INVITE) {
			if (pick(4))
				answer(p, "200 OK", "", sdp_as(p, pick(5), 1 + pick(9), direction()));
			else
				answer_somehow(p);
		} else if (m->request && m->method != SIP_ACK && pick(8)) {
			reply(p, pick(6) ? "200 OK" : "481 Gone");
		} else if (!m->request && m->method == SIP_INVITE && m->status >= 200 && pick(12)) {
			say(p, "ACK", "", pick(2) ? body_of(p) : "");
		}
	}
	/* A call that is over makes room for the next. */
	if (p->heard && ((p->heard->request && p->heard->method == SIP_BYE) ||
				(!p->heard->request && p->heard->status >= 300)))
		p->remote_tag[0] = '\0';
}

static void trouble_with_media(void)
{
	switch (pick(7)) {
	case 6:
		bench.plane.slow = !bench.plane.slow;
		break;
	case 0:
		bench.plane.mute = !bench.plane.mute;
		break;
	case 1:
		bench.plane.refuse_type =
			pick(2) ? (int[]){DP_SESSION_ADD, DP_LEG_UPDATE, DP_KEY_ADD, DP_STATS}[pick(4)] : 0;
		break;
	case 2:
		bench.plane.mute = false;
		plane_restart(true);
		break;
	case 3:
		bench.plane.mute = false;
		plane_restart(pick(3));
		break;
	default:
		if (plane_last() && plane_last()->live)
			plane_event_timeout(plane_last(), DP_SIDE_A);
	}
}

static void step(void)
{
	struct phone *const phones[] = {&alice, &bob, &alice, &bob, &carol};
	static const char *const requests[] = {
		"BYE", "CANCEL", "ACK", "OPTIONS", "INFO", "UPDATE", "PRACK", "NOTIFY"};
	struct phone *p = phones[pick(5)];
	unsigned what = pick(200);

	if (what < (p->remote_tag[0] ? 1 : 30))
		dial(p, pick(12) ? number_of(p == &alice ? &bob : &alice) : "+2001",
			(const char *[]){"", "", "Require: 100rel\r\n", "Require: x\r\n",
				"Supported: 100rel, timer\r\nSession-Expires: 90\r\n"}[pick(20) % 5],
			body_of(p));
	else if (what < 125)
		listen_to(p);
	else if (what < 132)
		answer_somehow(p);
	else if (what < 142 && p->call_id[0])
		say(p, requests[pick(8)],
			"Event: refer\r\nSubscription-State: terminated\r\nContent-Type: message/sipfrag\r\n",
			"");
	else if (what < 165 && p->call_id[0] && p->remote_tag[0])
		pick(8) ? say(p, pick(4) ? "INVITE" : "UPDATE", "", body_of(p))
			: say(p, "REFER", "Refer-To: <sip:+2001@198.51.100.2>\r\n", "");
	else if (what < 195)
		pass(pick(30) ? pick(600) : pick(40000));
	else if (what < 196)
		trouble_with_media();
	else if (what < 197)
		bench.send_result = bench.send_result ? 0 : -ECONNREFUSED;
	else if (what < 198)
		cut_connection("cut", pick(2));
	else if (what < 199)
		plane_acknowledge();
	else
		look_and_leave(pick(2) ? "/srtp-gateway:calls" : "/srtp-gateway:statistics");
	if (bench.send_result && !pick(10))
		bench.send_result = 0;
}

/* Everything that the data plane holds keeps the promise of its trunk. */
static void expect_promises_kept(void)
{
	for (unsigned i = 0; i < sizeof bench.sessions / sizeof *bench.sessions; i++)
		for (unsigned side = 0; side < 2; side++) {
			const struct dp_leg_update *u = &bench.sessions[i].leg[side];
			bool inside = u->local.ip.family && u->local.ip.octets[0] == 10;

			if (bench.sessions[i].live && u->local.ip.family)
				assert_int_equal(u->security, inside ? DP_SECURITY_PLAIN : DP_SECURITY_SRTP);
		}
}

static void test_anything_in_any_order(void **state)
{
	(void)state;
	rng = rng_make("storm");
	for (unsigned storm = 0; storm < STORMS; storm++) {
		if (storm) {
			assert_int_equal(bench_teardown(NULL), 0);
			bench_setup(NULL);
		}
		bench_change("\"name\":\"carrier-a\"",
			"\"name\":\"carrier-a\",\"redirect\":\"follow\",\"transfer\":\"relay\"");
		for (unsigned i = 0; i < STEPS; i++) {
			step();
			expect_promises_kept();
		}
		/* Half of the storms end with the process, in the middle of all. */
		if (storm % 2)
			continue;
		bench.plane.mute = bench.plane.slow = false;
		bench.plane.refuse_type = 0;
		bench.send_result = 0;
		plane_restart(true);
		b2bua_shutdown(bench.b2bua);
		for (unsigned i = 0; i < 10; i++) {
			pass(20000);
			while (hear_any(&alice) || hear_any(&bob) || hear_any(&carol))
				;
		}
		expect_no_calls();
		assert_int_equal(sip_txl_count(bench.txl), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_anything_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
