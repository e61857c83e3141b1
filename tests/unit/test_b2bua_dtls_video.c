/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures and speech with an association each: both are made, renewed and recorded, and half of it is no renewal. */
#include "tests/unit/b2bua_dtls_peer.h"
#include "tests/unit/b2bua_renewals.h"

#define PICTURES 3 /* Bob's second leg, at the data plane */

static struct dtls_association *pictures; /* Bob's end; speech has that of the header */

static void say_pictures(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	(void)arg;
	(void)to;
	plane_punt_at(plane_last(), PICTURES, &peer.address, octets, n);
}

static void hear_both(const struct dp_punt *p)
{
	if (p->leg != PICTURES)
		hear_datagram(p);
	else if (pictures)
		dtls_association_input(pictures, &peer.gateway, p->octets, p->n);
}

/* Bob begins. */
static void open_pictures(void)
{
	struct str offer = bob.invite->body;
	const char *at = memmem(offer.p, offer.n, "m=video", strlen("m=video"));

	assert_non_null(at);
	associate(&pictures, DTLS_CLIENT, (struct str){at, (size_t)(offer.p + offer.n - at)}, say_pictures);
}

/* What describes speech describes pictures too. */
static const char *both_described(void)
{
	static char text[2048];
	const char *speech = described("active", false), *m = strstr(speech, "m=audio"), *attributes = strstr(m, "a=");

	snprintf(text, sizeof text, "%sm=video 30001 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n%s", speech,
		attributes);
	return text;
}

static unsigned wanted; /* keys of each */

static bool keyed(unsigned rx, unsigned tx, const struct dtls_association *a)
{
	return rx == wanted && tx == wanted && a && dtls_association_result(a)->state == DTLS_ESTABLISHED;
}

static bool speech_keyed(void)
{
	const struct plane_session *s = plane_last();

	return keyed(s->rx_keys[DP_SIDE_B], s->tx_keys[DP_SIDE_B], peer.association);
}

static bool pictures_keyed(void)
{
	const struct plane_leg *v = &plane_last()->video[DP_SIDE_B];

	return keyed(v->rx_keys, v->tx_keys, pictures);
}

static void forget_associations(void)
{
	dtls_association_close(peer.association);
	dtls_association_close(pictures);
	peer.association = pictures = NULL;
}

static int setup_both(void **state)
{
	int rc = setup(state);

	bench.punted = hear_both;
	return rc;
}

static int teardown_both(void **state)
{
	int rc = teardown(state);

	dtls_association_close(pictures);
	pictures = NULL;
	return rc;
}

static void check_record(const json_t *leg)
{
	const json_t *transports = json_object_get(leg, "transports");

	assert_int_equal(json_array_size(transports), 2);
	assert_int_equal(json_array_size(json_object_get(leg, "keys")), 4);
	for (unsigned i = 0; i < 2; i++) {
		const json_t *t = json_array_get(transports, i), *dtls = json_object_get(t, "dtls");

		assert_string_equal(text_in(t, "keying"), "dtls");
		assert_string_equal(text_in(dtls, "version"), "DTLSv1.2");
		assert_string_equal(text_in(dtls, "profile"), "SRTP_AEAD_AES_256_GCM");
		assert_int_equal(json_array_size(json_object_get(dtls, "fingerprints")), 1);
		assert_int_equal(json_integer_value(json_object_get(t, "keys")), 2);
	}
}

/* An operator sees how each transport was protected, while the call is there. */
static void check_shown(void)
{
	json_t *data = look("/srtp-gateway:calls", 10);
	const json_t *call = json_array_get(json_object_get(json_object_get(data, "calls"), "call"), 0);
	const json_t *leg = json_array_get(json_object_get(call, "leg"), DP_SIDE_B);
	const json_t *transports = json_object_get(leg, "transport");

	assert_int_equal(json_array_size(transports), 2);
	for (unsigned i = 0; i < 2; i++) {
		const json_t *dtls = json_object_get(json_array_get(transports, i), "dtls");

		assert_string_equal(text_in(dtls, "version"), "DTLSv1.2");
		assert_non_null(text_in(dtls, "cipher"));
		assert_true(json_is_true(json_object_get(dtls, "fingerprint-authenticated")));
	}
	json_decref(data);
}

/* Speech has its new keys and pictures have not: the renewal goes on until they have. */
static void test_a_renewal_is_one_of_all_transports(void **state)
{
	char caller[1024];
	struct audit *a;
	json_t *all;

	(void)state;
	a = audit_begin();
	take_dtls("");
	snprintf(caller, sizeof caller, "%sm=video 40002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n", sdp(&alice, 1));
	dial(&alice, "+1001", "", caller);
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", both_described());
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	wanted = 1;
	open_peer(DTLS_CLIENT);
	run_until(speech_keyed, "the handshake for speech");
	open_pictures();
	run_until(pictures_keyed, "the handshake for pictures");
	check_shown();

	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	hear(&bob, "INVITE");
	forget_associations();
	dtls_identity_unref(peer.identity);
	assert_int_equal(dtls_identity_make(&peer.identity, NULL), 0);
	answer(&bob, "200 OK", "", both_described());
	hear(&bob, "ACK");
	wanted = 2;
	open_peer(DTLS_CLIENT);
	run_until(speech_keyed, "the new handshake for speech");
	settle();
	assert_int_equal(renewals(NULL, "renewed"), 0);
	open_pictures();
	run_until(pictures_keyed, "the new handshake for pictures");
	settle();
	assert_int_equal(renewals(NULL, "renewed"), 1);
	hang_up(&alice, &bob);
	expect_no_calls();
	all = audit_read("session");
	check_record(json_array_get(json_object_get(json_array_get(all, 0), "legs"), DP_SIDE_B));
	json_decref(all);
	audit_end(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_renewal_is_one_of_all_transports, setup_both, teardown_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
