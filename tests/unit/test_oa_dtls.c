/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS-SRTP in offers and answers (RFC 5763, 8842): fingerprints, roles, names of associations, and refusals. */
#include <errno.h>

#include "controlplane/keys/dtls_srtp.h"
#include "tests/unit/oa_bench.h"

#define FP(x)                                                                                                \
	"a=fingerprint:sha-256 " x ":AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:"   \
	"7D:46:3F:54:42:CD:54:F1\r\n"
#define DTLS_LINE "m=audio 4000 UDP/TLS/RTP/SAVP 8\r\na=rtcp-mux\r\n"
#define PLAIN_ANSWER ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"
#define DTLS_ANSWER ANSWER_HEAD "m=audio 5000 UDP/TLS/RTP/SAVP 8\r\na=rtcp-mux\r\n"

static struct dtls_terms terms;
static struct oa_policy dtls, both;

static int setup(void **state)
{
	(void)state;
	terms = (struct dtls_terms){.hash = DTLS_SHA256};
	dtls = (struct oa_policy){
		.security = OA_SECURITY_REQUIRED,
		.mux = OA_MUX_OFFER,
		.method = &agreement_dtls,
		.keying = {.suites = cm, .n_suites = 1, .dtls = &terms},
	};
	both = dtls;
	both.method = &agreement_sdes;
	both.other = &agreement_dtls;
	both.hop_encrypted = true;
	return dtls_identity_make(&terms.identity, NULL);
}

static int teardown(void **state)
{
	(void)state;
	dtls_identity_unref(terms.identity);
	return 0;
}

static void an_offer_is_answered_with_the_role_that_is_left(void **state)
{
	static const struct {
		enum dtls_setup ours;
		const char *offered, *answer;
		enum dtls_role role;
	} cases[] = {
		{DTLS_SETUP_ACTPASS, "a=setup:actpass\r\n", "a=setup:active", DTLS_CLIENT},
		{DTLS_SETUP_PASSIVE, "a=setup:actpass\r\n", "a=setup:passive", DTLS_SERVER},
		{DTLS_SETUP_ACTPASS, "a=setup:active\r\n", "a=setup:passive", DTLS_SERVER},
		{DTLS_SETUP_ACTPASS, "a=setup:passive\r\n", "a=setup:active", DTLS_CLIENT},
		{DTLS_SETUP_ACTPASS, "", "a=setup:passive", DTLS_SERVER},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(&dtls, &plain);
		char offer[1024];

		terms.setup = cases[i].ours;
		snprintf(offer, sizeof offer, "%s%s%s", HEAD("1") DTLS_LINE, FP("4A"), cases[i].offered);
		must(c, pass_offer(c, &c->a, offer));
		assert_has_not(c->to_b, "fingerprint");
		must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
		assert_has(c->to_a, "m=audio 20000 UDP/TLS/RTP/SAVP 8");
		assert_has(c->to_a, "a=fingerprint:sha-256 ");
		assert_has(c->to_a, cases[i].answer);
		assert_has(c->to_a, "a=rtcp-mux");
		assert_has_not(c->to_a, "tls-id"); /* the peer names none */
		commit(c);
		assert_int_equal(oa_bond_now(&c->a, 0)->role, cases[i].role);
		assert_null(oa_tx_now(&c->a, 0)); /* no key before the handshake */
		assert_true(oa_keys_pending(&c->a));
		call_free(c);
	}
}

static void our_offer_and_the_peers_answer(void **state)
{
	static const struct {
		enum dtls_setup ours;
		const char *offer, *answer, *refused;
		enum dtls_role role;
	} cases[] = {
		{DTLS_SETUP_ACTPASS, "a=setup:actpass", "active", NULL, DTLS_SERVER},
		{DTLS_SETUP_ACTPASS, "a=setup:actpass", "passive", NULL, DTLS_CLIENT},
		{DTLS_SETUP_ACTIVE, "a=setup:active", "passive", NULL, DTLS_CLIENT},
		{DTLS_SETUP_PASSIVE, "a=setup:passive", "active", NULL, DTLS_SERVER},
		{DTLS_SETUP_ACTIVE, "a=setup:active", "active", "both sides are a=setup:active", 0},
		{DTLS_SETUP_PASSIVE, "a=setup:passive", "passive", "both sides are a=setup:passive", 0},
		{DTLS_SETUP_ACTPASS, "a=setup:actpass", "actpass", "where active or passive belongs", 0},
		{DTLS_SETUP_ACTPASS, "a=setup:actpass", "holdconn", "where active or passive belongs", 0},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(&plain, &dtls);
		char answer[1024];

		terms.setup = cases[i].ours;
		must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
		assert_has(c->to_b, "m=audio 21000 UDP/TLS/RTP/SAVP 8 101");
		assert_has(c->to_b, cases[i].offer);
		assert_has(c->to_b, "a=tls-id:");
		assert_has(c->to_b, "a=rtcp-mux");
		assert_true(oa_handshake_expected(&c->b, 0)); /* the peer may be faster than its answer */
		snprintf(answer, sizeof answer, "%s%sa=setup:%s\r\n", DTLS_ANSWER, FP("4A"), cases[i].answer);
		if (cases[i].refused) {
			assert_true(pass_answer(c, &c->b, answer) < 0);
			assert_has(c->r.reason.text, cases[i].refused);
		} else {
			must(c, pass_answer(c, &c->b, answer));
			commit(c);
			assert_int_equal(oa_bond_now(&c->b, 0)->role, cases[i].role);
		}
		call_free(c);
	}
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{"m=audio 4000 UDP/TLS/RTP/SAVP 8\r\na=setup:actpass\r\n", "without a=fingerprint"},
		{"m=audio 4000 UDP/TLS/RTP/SAVP 8\r\na=setup:actpass\r\na=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:"
		 "3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n",
			"has a hash to be trusted"},
		{"m=audio 4000 UDP/TLS/RTP/SAVP 8\r\na=setup:actpass\r\na=fingerprint:sha-256 4A:AD\r\n", "malformed"},
		{"m=audio 4000 UDP/TLS/RTP/SAVP 8\r\na=setup:holdconn\r\n" FP("4A"), "holdconn begins no"},
		{"m=audio 4000 RTP/SAVP 8\r\n" CRYPTO, "DTLS-SRTP (a=fingerprint) is required"},
		{"m=audio 4000 RTP/AVP 8\r\n" FP("4A"), "SRTP is required"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(&dtls, &plain);
		char offer[1024];

		snprintf(offer, sizeof offer, "%s%s", HEAD("1"), cases[i].line);
		assert_true(pass_offer(c, &c->a, offer) < 0);
		assert_int_equal(c->r.status, 488);
		assert_has(c->r.reason.text, cases[i].why);
		call_free(c);
	}
}

static void sdes_legs_take_no_dtls(void **state)
{
	struct call *c = call_new(&secure, &plain);

	(void)state;
	assert_true(pass_offer(c, &c->a, HEAD("1") DTLS_LINE FP("4A") "a=setup:actpass\r\n") < 0);
	assert_int_equal(c->r.status, 488);
	assert_has(c->r.reason.text, "DTLS-SRTP is not enabled here");
	call_free(c);
}

/* RTP/SAVPF with fingerprints is DTLS-SRTP as early browsers wrote it, and is answered as it was asked. */
static void a_leg_of_both_keyings_takes_either(void **state)
{
	static const char *const offers[] = {
		HEAD("1") DTLS_LINE FP("4A") "a=setup:actpass\r\n",
		HEAD("1") FP("4A") "a=setup:actpass\r\nm=audio 4000 RTP/SAVPF 8\r\na=rtcp-mux\r\n",
		HEAD("1") AUDIO_SECURE CRYPTO,
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct call *c = call_new(&both, &plain);

		must(c, pass_offer(c, &c->a, offers[i]));
		assert_has(c->to_b, "RTP/AVP");
		must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
		assert_has(c->to_a, i < 2 ? "a=fingerprint" : "a=crypto");
		assert_has_not(c->to_a, i < 2 ? "a=crypto" : "a=fingerprint");
		call_free(c);
	}
}

/* Keys of a pretended handshake. */
static void keyed(struct oa_leg *leg, uint8_t seed)
{
	struct agreed_key rx = {.suite = cm[0], .master = {.len = 30}}, tx = rx;

	memset(rx.master.octets, seed, 30);
	memset(tx.master.octets, seed + 1, 30);
	oa_bond_now(leg, 0)->done = true;
	assert_true(oa_keys_arrived(leg, 0, oa_bond_now(leg, 0), &rx, &tx));
}

static struct call *up(const char *extra)
{
	struct call *c = call_new(&dtls, &plain);
	char offer[1024];

	snprintf(offer, sizeof offer, "%s%s", HEAD("1") DTLS_LINE FP("4A") "a=setup:actpass\r\n", extra);
	must(c, pass_offer(c, &c->a, offer));
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	commit(c);
	keyed(&c->a, 10);
	return c;
}

static void a_later_offer_keeps_the_association(void **state)
{
	struct call *c = up("");
	struct dtls_bond *bond = oa_bond_now(&c->a, 0);
	uint32_t epoch = oa_tx_now(&c->a, 0)->epoch;

	(void)state;
	assert_false(oa_keys_pending(&c->a));
	must(c, pass_offer(c, &c->a, HEAD("2") DTLS_LINE FP("4A") "a=setup:actpass\r\na=sendonly\r\n"));
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	assert_has(c->to_a, "a=setup:active"); /* the role that it has */
	commit(c);
	assert_ptr_equal(oa_bond_now(&c->a, 0), bond);
	assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
	/* Ours too: the other side's change takes no new association. */
	must(c, pass_offer(c, &c->b, HEAD("2") AUDIO_PLAIN));
	assert_has(c->to_a, "a=setup:actpass");
	must(c, pass_answer(c, &c->a, DTLS_ANSWER FP("4A") "a=setup:passive\r\n"));
	commit(c);
	assert_ptr_equal(oa_bond_now(&c->a, 0), bond);
	call_free(c);
}

/* Another fingerprint, another name or another role: a new association, the old keys in force until it is there. */
static void a_new_association_by_the_peers_offer(void **state)
{
	static const char *const offers[] = {
		HEAD("2") DTLS_LINE FP("4B") "a=setup:actpass\r\na=tls-id:aaaaaaaaaaaaaaaaaaaaaaaa\r\n",
		HEAD("2") DTLS_LINE FP("4A") "a=setup:actpass\r\na=tls-id:bbbbbbbbbbbbbbbbbbbbbbbb\r\n",
		HEAD("2") DTLS_LINE FP("4A") "a=setup:active\r\na=tls-id:aaaaaaaaaaaaaaaaaaaaaaaa\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct call *c = up("a=tls-id:aaaaaaaaaaaaaaaaaaaaaaaa\r\n");
		struct dtls_bond *bond = oa_bond_now(&c->a, 0);
		uint32_t epoch = oa_tx_now(&c->a, 0)->epoch;
		char first[OA_BODY_MAX];

		strcpy(first, c->to_a);
		assert_has(first, "a=tls-id:");
		must(c, pass_offer(c, &c->a, offers[i]));
		must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
		assert_string_not_equal(strstr(first, "a=fingerprint"), strstr(c->to_a, "a=fingerprint"));
		assert_string_not_equal(strstr(first, "a=tls-id"), strstr(c->to_a, "a=tls-id"));
		commit(c);
		assert_ptr_not_equal(oa_bond_now(&c->a, 0), bond);
		assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
		assert_true(oa_keys_pending(&c->a));
		keyed(&c->a, 30);
		assert_true(oa_tx_now(&c->a, 0)->epoch > epoch);
		call_free(c);
	}
}

/* An association's keys come while the peer offers yet another one: they serve until that one has its own. */
static void keys_that_come_behind_the_next_offer(void **state)
{
	struct call *c = up("");
	uint32_t epoch;

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("2") DTLS_LINE FP("4B") "a=setup:actpass\r\n"));
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	commit(c);
	must(c, pass_offer(c, &c->a, HEAD("3") DTLS_LINE FP("4C") "a=setup:actpass\r\n"));
	keyed(&c->a, 30);
	epoch = oa_tx_now(&c->a, 0)->epoch;
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
	commit(c);
	assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
	assert_true(oa_keys_pending(&c->a));
	keyed(&c->a, 50);
	assert_true(oa_tx_now(&c->a, 0)->epoch > epoch);
	assert_false(oa_keys_pending(&c->a));
	call_free(c);
}

/*
 * A handshake is overtaken by an offer of SDES, and ends when that is answered: the answer's key may be in
 * use already, and is what the leg sends with from then on. Another in between would be one that comes back.
 */
static void keys_that_come_behind_an_answer_are_not_sent_with(void **state)
{
	struct call *c = call_new(&both, &plain);
	struct agreed_key k = {.suite = cm[0], .master = {.len = 30}};
	struct dtls_bond *bond;
	uint32_t epoch;

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") DTLS_LINE FP("4A") "a=setup:actpass\r\n"));
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	commit(c);
	bond = dtls_bond_ref(oa_bond_now(&c->a, 0));
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_SECURE CRYPTO));
	assert_null(oa_tx_now(&c->a, 0));
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	epoch = oa_tx_now(&c->a, 0)->epoch;
	bond->done = true;
	oa_keys_arrived(&c->a, 0, bond, &k, &k);
	assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
	commit(c);
	assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
	dtls_bond_unref(bond);
	call_free(c);
}

/* A call that gave up a handshake hears no more of it. */
static void keys_of_a_bond_that_is_gone_change_nothing(void **state)
{
	struct call *c = up("");
	struct dtls_bond *bond = dtls_bond_ref(oa_bond_now(&c->a, 0));
	struct agreed_key k = {.suite = cm[0], .master = {.len = 30}};
	uint32_t epoch;

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("2") DTLS_LINE FP("4B") "a=setup:actpass\r\n"));
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	commit(c);
	epoch = oa_tx_now(&c->a, 0)->epoch;
	assert_false(oa_keys_arrived(&c->a, 0, bond, &k, &k));
	assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
	dtls_bond_unref(bond);
	call_free(c);
}

/* The data plane lost its counters: a refresh brings a new association, certificate included. */
static void burnt_keys_take_a_new_association(void **state)
{
	struct call *c = up("");
	struct wbuf w = wbuf_make(c->to_b, OA_BODY_MAX - 1);

	(void)state;
	oa_burn_keys(&c->a);
	assert_true(oa_keys_burnt(&c->a));
	must(c, oa_offer_rekey(&c->a, &w, &c->r));
	c->to_b[w.len] = '\0';
	assert_string_not_equal(strstr(c->to_b, "a=fingerprint"), strstr(c->to_a, "a=fingerprint"));
	must(c, oa_answer_received(&c->a, str_z(DTLS_ANSWER FP("4C") "a=setup:active\r\n"), &c->r));
	assert_int_equal(oa_commit(&c->a), 0);
	assert_null(oa_tx_now(&c->a, 0));
	keyed(&c->a, 50);
	assert_non_null(oa_tx_now(&c->a, 0));
	assert_false(oa_keys_burnt(&c->a));
	call_free(c);
}

static void our_rekey(struct call *c, char text[OA_BODY_MAX])
{
	struct wbuf w = wbuf_make(text, OA_BODY_MAX - 1);

	must(c, oa_offer_rekey(&c->a, &w, &c->r));
	text[w.len] = '\0';
}

/* Ours: a certificate, a name and a port of its own; the keys in force stay until the new ones are there. */
static void a_rekey_takes_a_fresh_certificate_and_port(void **state)
{
	struct call *c = up("a=tls-id:aaaaaaaaaaaaaaaaaaaaaaaa\r\n");
	struct dtls_bond *bond = oa_bond_now(&c->a, 0);
	uint32_t epoch = oa_tx_now(&c->a, 0)->epoch;
	static char first[OA_BODY_MAX], second[OA_BODY_MAX];

	(void)state;
	assert_has(c->to_a, "m=audio 20000 ");
	our_rekey(c, first);
	assert_has(first, "m=audio 20001 UDP/TLS/RTP/SAVP 8\r\n");
	assert_has(first, "a=setup:actpass");
	assert_has_not(first, "a=rtcp:");
	assert_string_not_equal(strstr(first, "a=fingerprint"), strstr(c->to_a, "a=fingerprint"));
	assert_ptr_equal(oa_bond_now(&c->a, 0), bond); /* not before the answer */
	/* Refused: as it was. */
	oa_rollback(&c->a);
	assert_ptr_equal(oa_bond_now(&c->a, 0), bond);
	assert_int_equal(oa_rtp_port(&c->a, oa_media_now(&c->a, 0), 0).port, 20000);
	our_rekey(c, first);
	must(c, oa_answer_received(&c->a, str_z(DTLS_ANSWER FP("4C") "a=setup:active\r\n"), &c->r));
	assert_int_equal(oa_rtp_port(&c->a, oa_media_now(&c->a, 0), 0).port, 20001);
	assert_int_equal(oa_commit(&c->a), 0);
	assert_ptr_not_equal(oa_bond_now(&c->a, 0), bond);
	assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
	assert_true(oa_keys_pending(&c->a));
	keyed(&c->a, 60);
	assert_true(oa_tx_now(&c->a, 0)->epoch > epoch);
	assert_false(oa_keys_pending(&c->a));
	/* The next one takes the other port again, and another certificate than any before. */
	our_rekey(c, second);
	assert_has(second, "m=audio 20000 ");
	assert_string_not_equal(strstr(first, "a=fingerprint"), strstr(second, "a=fingerprint"));
	oa_rollback(&c->a);
	call_free(c);
}

/* With ICE as well, which restarts: other credentials, and the fresh port is its one candidate. */
static void a_rekey_with_ice_restarts_it(void **state)
{
	static const char ice[] = "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
				  "a=candidate:1 1 UDP 2130706431 10.1.1.1 4000 typ host\r\n";
	struct oa_policy browser = dtls;
	static char offer[OA_BODY_MAX];
	const struct ice_credentials *newest, *before;
	struct call *c;
	char ufrag[64], *own;

	(void)state;
	browser.ice = true;
	c = call_new(&browser, &plain);
	snprintf(offer, sizeof offer, "%s%s%s", HEAD("1") DTLS_LINE FP("4A"), "a=setup:actpass\r\n", ice);
	must(c, pass_offer(c, &c->a, offer));
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	commit(c);
	keyed(&c->a, 40);
	assert_has(c->to_a, "a=candidate:1 1 UDP 2130706431 198.51.100.1 20000 typ host\r\n");
	our_rekey(c, offer);
	assert_has(offer, "m=audio 20001 ");
	assert_has(offer, "a=candidate:1 1 UDP 2130706431 198.51.100.1 20001 typ host\r\n");
	assert_has_not(offer, " 20000 ");
	own = strstr(offer, "a=ice-ufrag:");
	assert_non_null(own);
	assert_int_equal(sscanf(own, "a=ice-ufrag:%63s", ufrag), 1);
	assert_has_not(c->to_a, ufrag);
	/* Checks of both are answered while it is out. */
	assert_true(oa_ice_now(&c->a, 0, &newest, &before));
	assert_string_equal(newest->ufrag, ufrag);
	assert_has(c->to_a, before->ufrag);
	/* What nobody asked to be renewed stays. */
	oa_rollback(&c->a);
	struct wbuf w = wbuf_make(offer, OA_BODY_MAX - 1);

	must(c, oa_offer_refresh(&c->a, &w, &c->r));
	offer[w.len] = '\0';
	assert_has(offer, " 20000 typ host\r\n");
	assert_has(offer, before->ufrag);
	call_free(c);
}

/* A later answer that leaves the role open, as if it were an offer: the role from before. */
static void the_role_is_kept_when_a_later_answer_leaves_it_open(void **state)
{
	static const struct {
		const char *offered;
		enum dtls_role role;
	} cases[] = {{"a=setup:actpass\r\n", DTLS_CLIENT}, {"a=setup:active\r\n", DTLS_SERVER}};
	static char offer[OA_BODY_MAX];

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(&dtls, &plain);
		struct dtls_bond *bond;

		snprintf(offer, sizeof offer, "%s%s", HEAD("1") DTLS_LINE FP("4A"), cases[i].offered);
		must(c, pass_offer(c, &c->a, offer));
		must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
		commit(c);
		keyed(&c->a, 40);
		assert_false(oa_bond_now(&c->a, 0)->role_kept);
		our_rekey(c, offer);
		assert_true(oa_answer_received(&c->a, str_z(DTLS_ANSWER FP("4A") "a=setup:holdconn\r\n"), &c->r) < 0);
		must(c, oa_answer_received(&c->a, str_z(DTLS_ANSWER FP("4A") "a=setup:actpass\r\n"), &c->r));
		assert_int_equal(oa_commit(&c->a), 0);
		bond = oa_bond_now(&c->a, 0);
		assert_true(bond->role_known && bond->role_kept && !bond->done);
		assert_int_equal(bond->role, cases[i].role);
		call_free(c);
	}
}

/* What else is offered meanwhile, by either side, is about the association and the port that there are. */
static void other_offers_keep_the_port(void **state)
{
	struct call *c = up("");
	struct wbuf w = wbuf_make(c->to_b, OA_BODY_MAX - 1);
	static char offer[OA_BODY_MAX];
	struct dtls_bond *bond;

	(void)state;
	our_rekey(c, offer);
	must(c, oa_answer_received(&c->a, str_z(DTLS_ANSWER FP("4C") "a=setup:active\r\n"), &c->r));
	assert_int_equal(oa_commit(&c->a), 0);
	keyed(&c->a, 60);
	bond = oa_bond_now(&c->a, 0);
	must(c, oa_offer_refresh(&c->a, &w, &c->r));
	c->to_b[w.len] = '\0';
	assert_has(c->to_b, "m=audio 20001 ");
	must(c, oa_answer_received(&c->a, str_z(DTLS_ANSWER FP("4C") "a=setup:active\r\n"), &c->r));
	assert_int_equal(oa_commit(&c->a), 0);
	assert_ptr_equal(oa_bond_now(&c->a, 0), bond);
	must(c, pass_offer(c, &c->a, HEAD("3") DTLS_LINE FP("4C") "a=setup:actpass\r\na=sendonly\r\n"));
	must(c, pass_answer(c, &c->b, PLAIN_ANSWER));
	assert_has(c->to_a, "m=audio 20001 ");
	commit(c);
	must(c, pass_offer(c, &c->b, HEAD("2") AUDIO_PLAIN));
	assert_has(c->to_a, "m=audio 20001 ");
	must(c, pass_answer(c, &c->a, DTLS_ANSWER FP("4C") "a=setup:active\r\n"));
	commit(c);
	assert_ptr_equal(oa_bond_now(&c->a, 0), bond);
	call_free(c);
}

/* The handshake for new keys fails: those in force are not given up, nothing is waited for any more. */
static void keys_in_force_outlive_a_failure(void **state)
{
	struct call *c = up("");
	uint32_t epoch = oa_tx_now(&c->a, 0)->epoch;
	static char offer[OA_BODY_MAX];

	(void)state;
	our_rekey(c, offer);
	must(c, oa_answer_received(&c->a, str_z(DTLS_ANSWER FP("4C") "a=setup:active\r\n"), &c->r));
	assert_int_equal(oa_commit(&c->a), 0);
	oa_keys_failed(&c->a, 0, oa_bond_now(&c->a, 0));
	assert_false(oa_keys_pending(&c->a));
	assert_int_equal(oa_tx_now(&c->a, 0)->epoch, epoch);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_offer_is_answered_with_the_role_that_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(our_offer_and_the_peers_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused, setup, teardown),
		cmocka_unit_test(sdes_legs_take_no_dtls),
		cmocka_unit_test_setup_teardown(a_leg_of_both_keyings_takes_either, setup, teardown),
		cmocka_unit_test_setup_teardown(a_later_offer_keeps_the_association, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_association_by_the_peers_offer, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_that_come_behind_the_next_offer, setup, teardown),
		cmocka_unit_test_setup_teardown(
			keys_that_come_behind_an_answer_are_not_sent_with, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_of_a_bond_that_is_gone_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(burnt_keys_take_a_new_association, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rekey_takes_a_fresh_certificate_and_port, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rekey_with_ice_restarts_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_role_is_kept_when_a_later_answer_leaves_it_open, setup, teardown),
		cmocka_unit_test_setup_teardown(other_offers_keep_the_port, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_in_force_outlive_a_failure, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
