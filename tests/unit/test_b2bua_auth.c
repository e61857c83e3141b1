/* SPDX-License-Identifier: Apache-2.0 */
/* Trunks that ask who we are, and trunks whose peers we ask (RFC 3261 section 22). */
#include "tests/unit/b2bua_bench.h"

#include <unistd.h>

#include "controlplane/sip/digest.h"

#define CARRIER_A "\"identify\":{\"source-address\":[\"198.51.100.1/32\"]},"
#define CORE "\"identify\":{\"source-address\":[\"10.20.0.5/32\"]},"

static char password_file[] = "/tmp/srtpgw-auth-XXXXXX";

static int open_password(void **state)
{
	int fd = mkstemp(password_file);
	int put = fd < 0 ? -1 : (int)write(fd, "pass word\n", 10);

	(void)state;
	if (fd >= 0)
		close(fd);
	return put != 10;
}

static int close_password(void **state)
{
	(void)state;
	return unlink(password_file);
}

/* carrier-a gets a user name of ours. */
static void with_auth(void)
{
	char now[512];

	snprintf(now, sizeof now, CARRIER_A "\"auth\":{\"username\":\"gw\",\"password-file\":\"%s\"},",
		password_file);
	bench_change(CARRIER_A, now);
}

/* The core's phone has to show who it is. */
static void with_peer_auth(const char *more)
{
	char now[512];

	snprintf(now, sizeof now, CORE "\"peer-auth\":{\"username\":\"alice\",\"password-file\":\"%s\"%s},",
		password_file, more);
	bench_change(CORE, now);
}

#define NONCE(n)                                                                                             \
	"WWW-Authenticate: Digest realm=\"a\", nonce=\"" n                                                   \
	"\", qop=\"auth\", opaque=\"o\", algorithm=SHA-256\r\n"

/* The credentials that the phone heard are right, for this nonce and count. */
static void expect_credentials(struct phone *p, const char *nonce, uint32_t nc)
{
	struct digest_credentials c;
	struct secret password = {.len = 9, .octets = "pass word"};
	const struct sip_msg *m = p->heard;

	assert_int_equal(digest_credentials_parse(sip_msg_value(m, SIP_H_AUTHORIZATION), &c), 0);
	assert_true(str_eq(c.nonce, str_z(nonce)));
	assert_true(str_eq(c.username, STR("gw")) && str_eq(c.opaque, STR("o")));
	assert_true(str_eq(c.uri, m->uri.text));
	assert_int_equal(c.nc, nc);
	assert_true(digest_verify(&c, m->method_name, &password));
	assert_int_equal(m->hdrs[m->first[SIP_H_AUTHORIZATION]].next, SIP_HDR_NONE);
}

/* Up to bob's second INVITE, the one with credentials. */
static void dial_challenged(void)
{
	uint32_t cseq;
	struct str call_id, tag;

	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_not_heard(&bob, "Authorization");
	cseq = bob.heard->cseq;
	call_id = str_z(strdup(bob.call_id));
	tag = str_z(strdup(bob.remote_tag));
	answer_as(&bob, "refusal", "401 Unauthorized", NONCE("n1"), "");
	hear(&bob, "ACK");
	expect_not_heard(&bob, "Authorization");
	hear(&bob, "INVITE");
	assert_int_equal(bob.heard->cseq, cseq + 1);
	assert_true(str_eq(bob.heard->call_id, call_id) && str_eq(bob.heard->from_tag, tag));
	assert_int_equal(bob.heard->to_tag.n, 0);
	expect_heard(&bob, "\r\nm=audio ");
	free((char *)call_id.p);
	free((char *)tag.p);
}

static void test_an_invite_is_challenged(void **state)
{
	char invite[1024];

	(void)state;
	with_auth();
	dial_challenged();
	expect_credentials(&bob, "n1", 1);
	snprintf(invite, sizeof invite, "%.*s", STR_ARG(sip_msg_value(bob.heard, SIP_H_AUTHORIZATION)));
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	/* RFC 3261 section 13.2.2.4: the ACK has the INVITE's credentials and number. */
	assert_true(str_eq(sip_msg_value(bob.heard, SIP_H_AUTHORIZATION), str_z(invite)));
	assert_int_equal(bob.heard->cseq, bob.invite->cseq);
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	/* Once asked, the leg shows its credentials unasked; whoever wants others asks again. */
	say(&alice, "INVITE", "", sdp(&alice, 2));
	hear(&bob, "INVITE");
	expect_credentials(&bob, "n1", 2);
	uint32_t cseq = bob.heard->cseq;

	answer(&bob, "401 Unauthorized", NONCE("n2"), "");
	hear(&bob, "ACK");
	hear(&bob, "INVITE");
	expect_credentials(&bob, "n2", 1);
	assert_int_equal(bob.heard->cseq, cseq + 1);
	answer(&bob, "200 OK", "", sdp(&bob, 2));
	hear(&bob, "ACK");
	expect_heard(&bob, "nonce=\"n2\"");
	assert_int_equal(bob.heard->cseq, cseq + 1);
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_credentials(&bob, "n2", 2);
	assert_int_equal(bob.heard->cseq, cseq + 2);
	expect_no_calls();
	assert_int_equal(counter("auth_refused"), 0);
}

/* The call is over for us, its BYE still gets through. */
static void test_a_bye_is_challenged(void **state)
{
	(void)state;
	with_auth();
	call_up(&alice, &bob);
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	uint32_t cseq = bob.heard->cseq;

	expect_no_calls();
	reply_with(&bob, "401 Unauthorized", NONCE("n1"));
	hear(&bob, "BYE");
	expect_credentials(&bob, "n1", 1);
	assert_int_equal(bob.heard->cseq, cseq + 1);
	reply(&bob, "200 OK");
	silence(NULL);
}

static void test_a_prack_is_challenged(void **state)
{
	(void)state;
	with_auth();
	dial_challenged();
	answer(&bob, "183 Progress", "Require: 100rel\r\nRSeq: 7\r\n", "");
	hear(&bob, "PRACK");
	expect_credentials(&bob, "n1", 2);
	expect_heard(&bob, "RAck: 7 2 INVITE\r\n");
	uint32_t cseq = bob.heard->cseq;

	reply_with(&bob, "401 Unauthorized", NONCE("n2"));
	hear(&bob, "PRACK");
	expect_credentials(&bob, "n2", 1);
	expect_heard(&bob, "RAck: 7 2 INVITE\r\n");
	assert_int_equal(bob.heard->cseq, cseq + 1);
	reply(&bob, "200 OK");
	hear(&alice, "183");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	assert_int_equal(bob.heard->cseq, 2);
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	assert_int_equal(bob.heard->cseq, cseq + 2);
	expect_no_calls();
}

/* The request that the peer heard last is asked for credentials, and comes again with them. */
static void comes_again(struct phone *p, const char *method, bool in_dialog)
{
	uint32_t cseq = p->heard->cseq;

	expect_not_heard(p, "Authorization");
	reply_with(p, "401 Unauthorized", NONCE("n1"));
	hear(p, method);
	expect_credentials(p, "n1", 1);
	assert_int_equal(p->heard->cseq, cseq + 1);
	assert_int_equal(p->heard->to_tag.n > 0, in_dialog);
}

static void test_a_transfer_is_challenged(void **state)
{
	char now[512];

	(void)state;
	snprintf(now, sizeof now,
		CARRIER_A "\"transfer\":\"relay\",\"auth\":{\"username\":\"gw\",\"password-file\":\"%s\"},",
		password_file);
	bench_change_all(
		(struct bench_edit[]){{CARRIER_A, now},
			{"\"name\":\"core\",\"realm\":\"core\",\"peer\"",
				"\"name\":\"core\",\"transfer\":\"relay\",\"realm\":\"core\",\"peer\""}},
		2);
	call_up(&alice, &bob);
	say(&alice, "REFER", "Refer-To: <sip:+2001@x>\r\n", "");
	hear(&bob, "REFER");
	comes_again(&bob, "REFER", true);
	reply(&bob, "603 Decline");
	hear(&alice, "603");
	hang_up(&alice, &bob);
	/* The other way around it is the report that is challenged. */
	call_up(&alice, &bob);
	say(&bob, "REFER", "Refer-To: <sip:+3002@x>\r\n", "");
	hear(&alice, "REFER");
	reply(&alice, "202 Accepted");
	hear(&bob, "202");
	say(&alice, "NOTIFY",
		"Event: refer\r\nSubscription-State: terminated\r\nContent-Type: message/sipfrag\r\n",
		"SIP/2.0 200 OK\r\n");
	hear(&alice, "200");
	hear(&bob, "NOTIFY");
	comes_again(&bob, "NOTIFY", true);
	reply(&bob, "200 OK");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* After a crash peers are asked whether they still have the call; who asks back is no peer that has lost it.
 */
static void test_a_question_after_a_crash_is_challenged(void **state)
{
	(void)state;
	with_auth();
	bench_keep_calls();
	call_up(&alice, &bob);
	bench_crash(false);
	pass(1100);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	hear(&bob, "OPTIONS");
	comes_again(&bob, "OPTIONS", true);
	reply(&bob, "200 OK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_requests_of_no_call_are_challenged(void **state)
{
	(void)state;
	with_auth();
	snprintf(alice.target, sizeof alice.target, "sip:+1001@gw.invalid");
	for (unsigned i = 0; i < 2; i++) {
		say(&alice, "MESSAGE", "Content-Type: text/plain\r\n", "hello");
		hear(&bob, "MESSAGE");
		comes_again(&bob, "MESSAGE", false);
		expect_heard(&bob, "\r\n\r\nhello");
		if (i) /* still not content: the sender hears no challenge that is not for him */
			reply_with(&bob, "401 Unauthorized", NONCE("n2"));
		else
			reply(&bob, "202 Accepted");
		hear(&alice, i ? "502" : "202");
		silence(NULL);
	}
	assert_int_equal(counter("auth_refused"), 1);
}

static void test_a_health_check_is_challenged(void **state)
{
	char now[512];

	(void)state;
	snprintf(now, sizeof now,
		CARRIER_A "\"health-check\":{\"interval\":10},\"auth\":{\"username\":\"gw\","
			  "\"password-file\":\"%s\"},",
		password_file);
	bench_change(CARRIER_A, now);
	pass(2100);
	hear(&bob, "OPTIONS");
	comes_again(&bob, "OPTIONS", false);
	reply(&bob, "200 OK");
	silence(NULL);
	assert_int_equal(counter("auth_refused"), 0);
	/* The challenge comes when the configuration has no such trunk any more. */
	pass(10000);
	hear(&bob, "OPTIONS");
	bench_change("\"max-call-rate\":2", "\"max-call-rate\":3");
	reply_with(&bob, "401 Unauthorized", NONCE("n2"));
	hear(&bob, "OPTIONS");
	expect_credentials(&bob, "n2", 1);
	reply(&bob, "200 OK");
	silence(NULL);
}

/* What a caller hears whose trunk refuses us: not the challenge, which is not for him. */
static void expect_refused(void)
{
	hear(&bob, "ACK");
	hear(&alice, "502");
	expect_not_heard(&alice, "Authenticate");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_a_wrong_password(void **state)
{
	(void)state;
	with_auth();
	dial_challenged();
	answer_as(&bob, "again", "401 Unauthorized", NONCE("n2"), "");
	expect_refused();
	assert_int_equal(counter("auth_refused"), 1);
}

static void test_nothing_to_answer_with(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "x", "401 Unauthorized", NONCE("n1"), "");
	expect_refused();
	with_auth();
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "x", "407 Proxy", "Proxy-Authenticate: Negotiate abc\r\n", "");
	expect_refused();
	assert_int_equal(counter("auth_refused"), 1);
}

/* A call that is cancelled while the challenge is on its way is not tried again. */
static void test_a_cancelled_call(void **state)
{
	(void)state;
	with_auth();
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	answer_as(&bob, "x", "401 Unauthorized", NONCE("n1"), "");
	hear(&bob, "ACK");
	silence(NULL);
	expect_no_calls();
}

/* ---- those who call ---- */

/* An Authorization line for the challenge that the phone heard first. */
static const char *credentials(struct phone *p, const char *user, const char *password, uint32_t nc)
{
	static char line[1024], response[DIGEST_HEX_MAX];
	struct digest_challenge asked;
	struct secret s = {0};
	struct digest_credentials c = {
		.username = str_z(user), .uri = STR("sip:x"), .cnonce = STR("c"), .nc = nc};
	struct wbuf w = wbuf_make(line, sizeof line - 1);

	assert_int_equal(digest_challenge_parse(sip_msg_value(p->heard, SIP_H_WWW_AUTHENTICATE), &asked), 0);
	secret_set(&s, password, strlen(password));
	c.realm = asked.realm;
	c.nonce = asked.nonce;
	c.algorithm = asked.algorithm;
	c.qop = asked.qop;
	assert_int_equal(digest_compute(&c, STR("INVITE"), &s, response), 0);
	c.response = str_z(response);
	wbuf_z(&w, "Authorization: ");
	digest_credentials_write(&c, &w);
	wbuf_z(&w, "\r\n");
	line[w.len] = '\0';
	return line;
}

static void challenged(const char *headers)
{
	dial(&alice, "+1001", headers, sdp(&alice, 1));
	hear(&alice, "401");
	say(&alice, "ACK", "", "");
	silence(NULL);
}

static void admitted(const char *headers)
{
	dial(&alice, "+1001", headers, sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_not_heard(&bob, "Authorization");
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
}

static void test_a_caller_is_asked(void **state)
{
	(void)state;
	with_peer_auth("");
	challenged("");
	expect_heard(&alice, "WWW-Authenticate: Digest realm=\"srtpgw\", nonce=\"");
	expect_heard(&alice, "algorithm=SHA-256, qop=\"auth\"\r\n");
	expect_heard(&alice, "algorithm=MD5, qop=\"auth\"\r\n");
	expect_not_heard(&alice, "stale");
	const char *line = strdup(credentials(&alice, "alice", "pass word", 1));

	admitted(line);
	/* The same once more is a replay. */
	challenged(line);
	expect_heard(&alice, "stale=true");
	admitted(credentials(&alice, "alice", "pass word", 1));
	assert_int_equal(counter("auth_challenged"), 2);
	assert_int_equal(counter("auth_replayed"), 1);
	assert_int_equal(counter("refused_credentials"), 0);
	free((char *)line);
	expect_no_calls();
}

static void test_a_wrong_caller(void **state)
{
	(void)state;
	with_peer_auth(",\"algorithm\":[\"sha-512-256\"],\"realm\":\"home\"");
	challenged("");
	expect_heard(&alice, "Digest realm=\"home\"");
	expect_not_heard(&alice, "MD5");
	dial(&alice, "+1001", credentials(&alice, "alice", "guess", 1), sdp(&alice, 1));
	hear(&alice, "403");
	expect_heard(&alice, "the user name or password is wrong");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(counter("refused_credentials"), 1);
	/* Another user is nobody of this trunk's, though he comes from its address. */
	challenged("");
	dial(&alice, "+1001", credentials(&alice, "mallory", "pass word", 1), sdp(&alice, 1));
	hear(&alice, "403");
	say(&alice, "ACK", "", "");
	assert_int_equal(counter("refused_unknown_peer"), 1);
	/* For another realm's challenge: as if there were none. */
	challenged("Authorization: Digest username=\"alice\", realm=\"x\", nonce=\"n\", uri=\"sip:x\", "
		   "response=\"0\"\r\n");
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_invite_is_challenged),
		T(test_a_bye_is_challenged),
		T(test_a_prack_is_challenged),
		T(test_a_transfer_is_challenged),
		T(test_a_question_after_a_crash_is_challenged),
		T(test_requests_of_no_call_are_challenged),
		T(test_a_health_check_is_challenged),
		T(test_a_wrong_password),
		T(test_nothing_to_answer_with),
		T(test_a_cancelled_call),
		T(test_a_caller_is_asked),
		T(test_a_wrong_caller),
	};

	return cmocka_run_group_tests_name("b2bua_auth", tests, open_password, close_password);
}
