/* SPDX-License-Identifier: Apache-2.0 */
/* INVITEs with Replaces: who may take whose place, and what the one who stays hears. */
#include "tests/unit/b2bua_replaces.h"

#include <errno.h>

#include "controlplane/b2bua/transfer/replaces.h"

static void test_another_phone_takes_its_place(void **state)
{
	dp_session_id was;
	struct phone desk;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		call_up(i ? &bob : &alice, i ? &alice : &bob);
		desk = another(&bob);
		was = plane_last()->id;
		dial(&desk, "+3001", dialog_of(&bob, ""), sdp(&desk, 7));
		hear(&alice, "INVITE");
		expect_heard(&alice, "\r\nSupported: timer, 100rel\r\n");
		expect_heard(&alice, "RTP/AVP 8 0\r\n");
		answer(&alice, "200 OK", "", sdp_as(&alice, 8, 20, "sendrecv"));
		hear(&alice, "ACK");
		hear(&desk, "200");
		expect_heard(&desk, "a=crypto:1 AEAD_AES_256_GCM");
		expect_heard(&desk, "\r\nSupported: replaces\r\n");
		silence(NULL);
		say(&desk, "ACK", "", "");
		hear(&bob, "BYE");
		reply(&bob, "200 OK");
		silence(NULL);
		assert_int_equal(bench.live, 1);
		assert_true(plane_last()->id != was);
		assert_int_equal(plane_last()->leg[DP_SIDE_A].remote.port, 30007);
		assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30008);
		assert_int_equal(counter("replaced"), i + 1);
		hang_up(i ? &alice : &desk, i ? &desk : &alice);
		expect_no_calls();
		phone_forget(&desk);
	}
	assert_int_equal(counter("refused_replaces"), 0);
}

static void test_without_an_offer(void **state)
{
	struct phone desk;

	(void)state;
	call_up(&alice, &bob);
	desk = another(&bob);
	dial(&desk, "+3001", dialog_of(&bob, ""), "");
	hear(&alice, "INVITE");
	expect_not_heard(&alice, "m=audio");
	answer(&alice, "200 OK", "", sdp_as(&alice, 8, 20, "sendrecv"));
	hear(&desk, "200");
	say(&desk, "ACK", "", sdp(&desk, 7));
	hear(&alice, "ACK");
	expect_heard(&alice, "m=audio");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hang_up(&alice, &desk);
	expect_no_calls();
	phone_forget(&desk);
}

static void test_the_call_goes_on_when_who_stays_refuses(void **state)
{
	struct phone desk;

	(void)state;
	call_up(&alice, &bob);
	desk = another(&bob);
	dial(&desk, "+3001", dialog_of(&bob, ""), sdp(&desk, 7));
	hear(&alice, "INVITE");
	answer(&alice, "488 Not Acceptable Here", "", "");
	hear(&alice, "ACK");
	hear(&desk, "488");
	say(&desk, "ACK", "", "");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	/* Or when the new one gives up; the answer that crosses it is taken back. */
	phone_forget(&desk);
	desk = another(&bob);
	dial(&desk, "+3001", dialog_of(&bob, ""), sdp(&desk, 7));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	hear(&desk, "180");
	say(&desk, "CANCEL", "", "");
	hear(&desk, "200");
	hear(&desk, "487");
	say(&desk, "ACK", "", "");
	hear(&alice, "CANCEL");
	reply(&alice, "200 OK");
	answer(&alice, "200 OK", "", sdp_as(&alice, 8, 20, "sendrecv"));
	hear(&alice, "ACK");
	hear(&alice, "INVITE");
	expect_heard(&alice, "RTP/AVP 8 0\r\n");
	answer(&alice, "200 OK", "", sdp_as(&alice, 9, 21, "sendrecv"));
	hear(&alice, "ACK");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	assert_int_equal(counter("replaced"), 0);
	hang_up(&bob, &alice);
	expect_no_calls();
	phone_forget(&desk);
}

/* The new one never acknowledges: its call is over, and the old one is back. */
static void test_an_answer_that_is_never_acknowledged(void **state)
{
	struct phone desk;

	(void)state;
	call_up(&alice, &bob);
	desk = another(&bob);
	dial(&desk, "+3001", dialog_of(&bob, ""), sdp(&desk, 7));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 8, 20, "sendrecv"));
	hear(&alice, "ACK");
	pass(33000);
	hear_all(&desk, "SIP/2.0 200");
	hear(&desk, "BYE");
	reply(&desk, "200 OK");
	hear_all(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 9, 21, "sendrecv"));
	hear(&alice, "ACK");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
	phone_forget(&desk);
}

static void refused(struct phone *p, const char *header, const char *status, const char *why)
{
	uint64_t before = counter("refused_replaces");

	dial(p, "+3001", header, sdp(p, 7));
	hear(p, status);
	expect_heard(p, why);
	say(p, "ACK", "", "");
	silence(NULL);
	assert_int_equal(counter("refused_replaces"), before + 1);
}

static void test_who_may_not(void **state)
{
	struct phone desk, other = carol;
	char twice[600];

	(void)state;
	call_up(&alice, &bob);
	desk = another(&bob);
	refused(&other, dialog_of(&bob, ""), "403", "replaces policy");
	refused(&desk, "Replaces: abc;to-tag=1;from-tag=2\r\n", "481", "no dialog");
	refused(&desk, dialog_of(&alice, ""), "403", "another trunk");
	refused(&desk, dialog_of(&bob, ";early-only"), "486", "early-only");
	refused(&desk, "Replaces: abc;to-tag=1\r\n", "400", "from-tag");
	snprintf(twice, sizeof twice, "%s", dialog_of(&bob, ""));
	strcat(twice, dialog_of(&bob, ""));
	refused(&desk, twice, "400", "one");
	/* While something else is under way it may try again. */
	say(&bob, "INVITE", "", sdp_as(&bob, 3, 9, "sendonly"));
	hear(&alice, "INVITE");
	refused(&desk, dialog_of(&bob, ""), "500", "under way");
	expect_heard(&desk, "Retry-After: ");
	answer(&alice, "200 OK", "", sdp_as(&alice, 3, 9, "recvonly"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
	phone_forget(&other);
	phone_forget(&desk);
}

/* The caller's own dialog is early too, and the gateway did not begin it. */
static void test_a_dialog_that_is_not_confirmed(void **state)
{
	struct phone desk;

	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	desk = another(&bob);
	refused(&desk, dialog_of(&bob, ""), "481", "did not begin");
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	hang_up(&alice, &bob);
	refused(&desk, dialog_of(&bob, ""), "481", "no dialog");
	expect_no_calls();
	phone_forget(&desk);
}

static void test_any_trunk_is_for_trusted_realms(void **state)
{
	struct phone desk;

	(void)state;
	bench_refuse(
		"\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"replaces\":\"any-trunk\",", "trusted");
	bench_change("\"name\":\"core\",\"realm\":\"core\",\"peer\"",
		"\"name\":\"core\",\"replaces\":\"any-trunk\",\"realm\":\"core\",\"peer\"");
	call_up(&bob, &carol);
	desk = another(&alice);
	dial(&desk, "+1001", dialog_of(&carol, ""), sdp(&desk, 7));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 8, 20, "sendrecv"));
	hear(&bob, "ACK");
	hear(&desk, "200");
	say(&desk, "ACK", "", "");
	hear(&carol, "BYE");
	reply(&carol, "200 OK");
	hang_up(&bob, &desk);
	expect_no_calls();
	phone_forget(&desk);
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {
		{"a@b;to-tag=1;from-tag=2", 0},
		{" a@b ; from-tag=2 ; early-only ; to-tag=1", 0},
		{"a@b;to-tag=;from-tag=2", -EINVAL},
		{";to-tag=1;from-tag=2", -EINVAL},
		{"", -EINVAL},
	};
	char text[REPLACES_TEXT_MAX];
	struct replaces r;

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(replaces_read(str_z(cases[i].text), &r), cases[i].rc);
	assert_int_equal(replaces_read(STR("a@b;from-tag=2;early-only;to-tag=1"), &r), 0);
	assert_true(r.early_only && str_eq(r.call_id, STR("a@b")) && str_eq(r.to_tag, STR("1")));
	assert_true(replaces_in_uri(STR("Subject=x&replaces=a%40b%3Bto-tag%3D1"), text));
	assert_string_equal(text, "a@b;to-tag=1");
	assert_true(replaces_in_uri(STR("Replaces=%4"), text));
	assert_string_equal(text, "");
	assert_false(replaces_in_uri(STR("Subject=x"), text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TT(test_another_phone_takes_its_place),
		TT(test_without_an_offer),
		TT(test_the_call_goes_on_when_who_stays_refuses),
		TT(test_an_answer_that_is_never_acknowledged),
		TT(test_who_may_not),
		TT(test_a_dialog_that_is_not_confirmed),
		TT(test_any_trunk_is_for_trusted_realms),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
