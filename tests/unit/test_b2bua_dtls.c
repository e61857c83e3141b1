/* SPDX-License-Identifier: Apache-2.0 */
/* Legs whose keys come from handshakes: with a peer that shakes hands, too early, as somebody else, or never. */
#include "tests/unit/b2bua_dtls_peer.h"

/* The data plane has no keys, and holds what comes, until the handshake brings some. */
static void test_a_call_in_either_role(void **state)
{
	(void)state;
	for (int role = DTLS_CLIENT; role <= DTLS_SERVER; role++) {
		take_dtls("");
		invite_bob();
		expect_heard(&bob, "a=setup:actpass");
		answered(role == DTLS_CLIENT ? "active" : "passive", false);
		assert_int_equal(plane_last()->tx_keys[DP_SIDE_B] + plane_last()->rx_keys[DP_SIDE_B], 0);
		assert_true(plane_last()->leg[DP_SIDE_B].flags & DP_LEG_PUNT_DTLS);
		open_peer(role);
		run_until(secured, "the handshake");
		assert_keys_fit();
		hang_up(&alice, &bob);
		expect_no_calls();
		dtls_association_close(peer.association);
		peer.association = NULL;
	}
}

/* Media, and with it the peer's first word, is faster than its answer. */
static void test_a_hello_before_the_answer_is_held(void **state)
{
	(void)state;
	take_dtls("");
	invite_bob();
	open_peer(DTLS_CLIENT); /* says its hello at once */
	settle();
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 0);
	answered("active", false);
	run_until(secured, "the handshake");
	assert_keys_fit();
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* Whoever is on the media path is not who signalling said: nobody hears a word of it. */
static void test_a_wrong_fingerprint_ends_the_call(void **state)
{
	(void)state;
	for (int role = DTLS_CLIENT; role <= DTLS_SERVER; role++) {
		take_dtls("");
		invite_bob();
		open_peer(role);
		answered(role == DTLS_CLIENT ? "active" : "passive", true);
		run_until(ended, "the call ends");
		expect_heard(&bob, "media could not be secured: DTLS fingerprint");
		reply(&bob, "200 OK");
		hear(&alice, "BYE");
		expect_heard(&alice, "fingerprint");
		reply(&alice, "200 OK");
		assert_int_equal(plane_last()->tx_keys[DP_SIDE_B] + plane_last()->rx_keys[DP_SIDE_B], 0);
		assert_non_null(strstr(last_reason(),
			"trunk carrier-a: DTLS handshake failed (fingerprint): the peer's certificate does not have"));
		expect_no_calls();
		dtls_association_close(peer.association);
		peer.association = NULL;
	}
	assert_int_equal(counter("ended_dtls"), 2);
}

/* Two that both begin, or both wait: the caller is told so in words, the called side is let go. */
static void test_roles_that_do_not_meet(void **state)
{
	static const char *const roles[] = {"active", "passive"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char policy[40], why[60];

		snprintf(policy, sizeof policy, ",\"setup\":\"%s\"", roles[i]);
		snprintf(why, sizeof why, "both sides are a=setup:%s", roles[i]);
		take_dtls(policy);
		invite_bob();
		answer(&bob, "200 OK", "", described(roles[i], false));
		hear(&bob, "ACK");
		hear(&bob, "BYE");
		reply(&bob, "200 OK");
		hear(&alice, "488");
		expect_heard(&alice, why);
		say(&alice, "ACK", "", "");
		assert_non_null(strstr(last_reason(), why));
		expect_no_calls();
	}
}

/* An offer that nothing can be made of is refused before anybody is called. */
static void test_offers_that_are_refused(void **state)
{
	static const struct {
		const char *setup, *why;
	} offers[] = {{"holdconn", "begins no DTLS association"}, {"both", "begins no DTLS association"}};

	(void)state;
	take_dtls("");
	for (unsigned i = 0; i < sizeof offers / sizeof *offers; i++) {
		dial(&bob, "+3001", "", described(offers[i].setup, false));
		hear(&bob, "488");
		expect_heard(&bob, offers[i].why);
		say(&bob, "ACK", "", "");
		silence(&alice);
	}
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&bob, "488");
	expect_heard(&bob, "DTLS-SRTP (a=fingerprint) is required");
	say(&bob, "ACK", "", "");
	expect_no_calls();
}

static struct dtls_association *stranger;
static struct ip_port stranger_address;

static void say_as_stranger(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	(void)arg, (void)to;
	plane_punt(plane_last(), DP_SIDE_B, &stranger_address, octets, n);
	/* And in the peer's own name. */
	plane_punt(plane_last(), DP_SIDE_B, &peer.address, octets, n);
}

/* A call that is up has its keys, whoever says hello to it. */
static void test_hellos_during_a_call_change_nothing(void **state)
{
	struct dp_key_add tx, rx;

	(void)state;
	up(DTLS_CLIENT);
	tx = plane_last()->tx[DP_SIDE_B];
	rx = plane_last()->rx[DP_SIDE_B];
	stranger_address = peer.address;
	stranger_address.port++;
	for (unsigned i = 0; i < 5; i++) {
		associate(&stranger, DTLS_CLIENT, bob.invite->body, say_as_stranger);
		dtls_association_close(stranger);
		settle();
	}
	pass(5000);
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	assert_memory_equal(&tx, &plane_last()->tx[DP_SIDE_B], sizeof tx);
	assert_memory_equal(&rx, &plane_last()->rx[DP_SIDE_B], sizeof rx);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* The control plane is killed while they shake hands: nobody can say what was agreed on, and why it ends is
 * said. */
static void test_killed_during_the_handshake(void **state)
{
	(void)state;
	take_dtls("");
	bench_keep_calls();
	invite_bob();
	answered("active", false);
	bench_crash(false);
	hear_all(&alice, "BYE");
	reply(&alice, "200 OK");
	hear_all(&bob, "BYE");
	reply(&bob, "200 OK");
	expect_no_calls();
	assert_int_equal(bench.live, 0);
	assert_non_null(strstr(last_reason(), "there were no media keys on trunk carrier-a yet"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TD(test_a_call_in_either_role),
		TD(test_a_hello_before_the_answer_is_held),
		TD(test_a_wrong_fingerprint_ends_the_call),
		TD(test_roles_that_do_not_meet),
		TD(test_offers_that_are_refused),
		TD(test_hellos_during_a_call_change_nothing),
		TD(test_killed_during_the_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
