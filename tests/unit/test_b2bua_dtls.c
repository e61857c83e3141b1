/* SPDX-License-Identifier: Apache-2.0 */
/* Legs whose keys come from handshakes: with a peer that shakes hands, too early, as somebody else, or never. */
#include "controlplane/b2bua/b2bua_private.h"
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "tests/unit/b2bua_dtls_peer.h"

#include <openssl/ssl.h> /* last: it has macros with names of suites */

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

/* Of a call that is over it is said how its keys were agreed, not how an offer of ours would have had it. */
static void test_an_ended_call_says_how_it_was_keyed(void **state)
{
	json_t *data, *call, *leg;

	(void)state;
	bench_change("\"crypto-profile\":\"gcm\"}},{\"name\":\"carrier-b\"",
		"\"crypto-profile\":\"gcm\",\"keying\":[\"dtls\",\"sdes\"]}},{\"name\":\"carrier-b\"");
	call_up(&bob, &alice);
	for (int over = 0; over < 2; over++) {
		data = look("/srtp-gateway:calls/call/leg", 0);
		call = json_array_get(json_object_get(json_object_get(data, "calls"), "call"), 0);
		leg = json_array_get(json_object_get(call, "leg"), 0);
		assert_string_equal(text_in(leg, "keying"), "sdes");
		json_decref(data);
		if (!over)
			hang_up(&bob, &alice);
	}
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

/* The peer's end as a library without this gateway's ways has it: it can say that it is done. */
static struct {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
} other;

static void other_speaks(void)
{
	uint8_t octets[DP_PUNT_MAX];
	int n = BIO_read(other.out, octets, sizeof octets);

	if (n > 0)
		plane_punt(plane_last(), DP_SIDE_B, &peer.address, octets, (size_t)n);
}

static void other_hears(const struct dp_punt *p)
{
	uint8_t nothing[16];

	BIO_write(other.in, p->octets, (int)p->n);
	if (SSL_do_handshake(other.ssl) == 1)
		SSL_read(other.ssl, nothing, sizeof nothing);
	other_speaks();
}

static bool other_secured(void)
{
	return plane_last()->tx_keys[DP_SIDE_B] && SSL_is_init_finished(other.ssl);
}

static void other_opens(void)
{
	other.ctx = SSL_CTX_new(DTLS_client_method());
	assert_int_equal(SSL_CTX_use_certificate(other.ctx, dtls_identity_certificate(peer.identity)), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(other.ctx, dtls_identity_key(peer.identity)), 1);
	other.ssl = SSL_new(other.ctx);
	other.in = BIO_new(BIO_s_mem());
	other.out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(other.in, -1);
	SSL_set_bio(other.ssl, other.in, other.out);
	SSL_set_options(other.ssl, SSL_OP_NO_QUERY_MTU);
	SSL_set_mtu(other.ssl, DTLS_MTU);
	assert_int_equal(SSL_set_tlsext_use_srtp(other.ssl, "SRTP_AEAD_AES_256_GCM"), 0);
	SSL_set_connect_state(other.ssl);
	bench.punted = other_hears;
	SSL_do_handshake(other.ssl);
	other_speaks();
}

static bool has_parted(void)
{
	const struct call *c = TAILQ_FIRST(&bench.b2bua->calls);

	return leg_dtls_parted(&c->legs[DP_SIDE_B], 0);
}

static void other_is_done(void)
{
	SSL_shutdown(other.ssl);
	other_speaks();
	run_until(has_parted, "its goodbye");
	SSL_free(other.ssl);
	SSL_CTX_free(other.ctx);
	bench.punted = hear_datagram;
}

static void up_with_the_other_and(const char *trunk)
{
	take_dtls_and("", trunk);
	invite_bob();
	answered("active", false);
	other_opens();
	run_until(other_secured, "the handshake");
	settle();
}

static void up_with_the_other(void)
{
	up_with_the_other_and("");
}

/* It says nothing else, as a page that was closed: the other side is not left in silence. */
static void test_who_parts_and_is_silent_is_gone(void **state)
{
	(void)state;
	up_with_the_other();
	bench.unheard = 1;
	other_is_done();
	silence(NULL);
	pass(LEG_PARTING_MS + 100);
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	expect_no_calls();
	assert_int_equal(counter("ended_media_timeout"), 1);
	assert_non_null(strstr(last_reason(),
		"trunk carrier-a: the peer ended its DTLS association, and nothing of it was heard since"));
}

/* Its media goes on, or it hangs up by itself: that counts. */
static void test_who_parts_may_go_on(void **state)
{
	(void)state;
	up_with_the_other();
	other_is_done();
	pass(LEG_PARTING_MS + 100);
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();

	up_with_the_other();
	bench.unheard = 1;
	other_is_done();
	hang_up(&bob, &alice);
	expect_no_calls();
	pass(LEG_PARTING_MS + 100);
	silence(NULL);
	assert_int_equal(counter("ended_media_timeout"), 0);
}

/* Another association takes the place of the one that it has ended. */
static void test_who_parts_may_come_back(void **state)
{
	(void)state;
	up_with_the_other();
	bench.unheard = 1;
	other_is_done();
	pass(LEG_PARTING_MS / 2);
	another_identity();
	says_so("active");
	associate(&peer.association, DTLS_CLIENT, bob.heard->body, say_datagram);
	say(&bob, "ACK", "", "");
	run_until(secured, "the handshake");
	pass(LEG_PARTING_MS + 100);
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* What it offers may wait for the other side longer than that, and comes to nothing or not. */
static void test_who_parts_may_wait_for_an_answer(void **state)
{
	(void)state;
	for (int refused = 0; refused < 2; refused++) {
		up_with_the_other();
		bench.unheard = 1;
		other_is_done();
		another_identity();
		say(&bob, "INVITE", "", described("active", false));
		hear(&alice, "INVITE");
		answer(&alice, "100 Trying", "", "");
		pass(LEG_PARTING_MS + 1000);
		hear(&bob, "100");
		silence(NULL);
		if (refused) {
			answer(&alice, "488 Not Acceptable Here", "", "");
			hear(&alice, "ACK");
			hear(&bob, "488");
			say(&bob, "ACK", "", "");
			pass(LEG_PARTING_MS + 1000);
			hear(&bob, "BYE");
			reply(&bob, "200 OK");
			hear(&alice, "BYE");
			reply(&alice, "200 OK");
		} else {
			answer(&alice, "200 OK", "", sdp(&alice, 2));
			hear(&alice, "ACK");
			hear(&bob, "200");
			associate(&peer.association, DTLS_CLIENT, bob.heard->body, say_datagram);
			say(&bob, "ACK", "", "");
			run_until(secured, "the handshake");
			pass(LEG_PARTING_MS + 1000);
			silence(NULL);
			hang_up(&bob, &alice);
			dtls_association_close(peer.association);
			peer.association = NULL;
		}
		expect_no_calls();
	}
}

static void gone_now(void)
{
	pass(LEG_PARTING_MS + 1000);
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	expect_no_calls();
}

/* Nobody can say whether it is heard when it is asked for first. */
static void test_who_parts_while_the_data_plane_is_away_is_gone(void **state)
{
	(void)state;
	up_with_the_other();
	bench.unheard = 1;
	other_is_done();
	plane_away();
	pass(LEG_PARTING_MS + 1000);
	silence(NULL);
	plane_restart(true);
	gone_now();
}

/* A session refresh begins while the data plane is asked. */
static void refresh_meanwhile(const union dp_msg *m)
{
	struct call *c = TAILQ_FIRST(&bench.b2bua->calls);

	if (m->h.type != DP_STATS || m->stats.scope != DP_STATS_SCOPE_SESSION)
		return;
	bench.plane.saw = NULL;
	c->legs[DP_SIDE_B].timer.refresh_due = true;
	reinvite_start(c);
}

/* An offer of ours that comes in between may be answered with another association; it is not, and that is the
 * end. */
static void test_who_parts_may_answer_an_offer_of_ours(void **state)
{
	(void)state;
	up_with_the_other();
	bench.unheard = 1;
	other_is_done();
	bench.plane.saw = refresh_meanwhile;
	pass(LEG_PARTING_MS + 100);
	hear(&bob, "INVITE");
	answer(&bob, "488 Not Acceptable Here", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	gone_now();
}

/* It hands the other side over, and its page is closed while the target rings. */
static void test_who_parts_after_a_transfer_ends_nothing(void **state)
{
	(void)state;
	up_with_the_other_and(",\"transfer\":\"execute\"");
	bench.unheard = 1;
	say(&bob, "REFER", "Refer-To: <sip:+2001@pbx.example>\r\n", "");
	hear(&bob, "202");
	hear(&bob, "NOTIFY");
	reply(&bob, "200 OK");
	hear(&carol, "INVITE");
	other_is_done();
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	pass(LEG_PARTING_MS + 1000);
	silence(NULL);
	answer(&carol, "200 OK", "", sdp(&carol, 5));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 6));
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	hang_up(&carol, &alice);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TD(test_a_call_in_either_role),
		TD(test_a_hello_before_the_answer_is_held),
		TD(test_a_wrong_fingerprint_ends_the_call),
		TD(test_roles_that_do_not_meet),
		TD(test_offers_that_are_refused),
		TD(test_an_ended_call_says_how_it_was_keyed),
		TD(test_hellos_during_a_call_change_nothing),
		TD(test_killed_during_the_handshake),
		TD(test_who_parts_and_is_silent_is_gone),
		TD(test_who_parts_may_go_on),
		TD(test_who_parts_may_come_back),
		TD(test_who_parts_may_wait_for_an_answer),
		TD(test_who_parts_while_the_data_plane_is_away_is_gone),
		TD(test_who_parts_may_answer_an_offer_of_ours),
		TD(test_who_parts_after_a_transfer_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
