/* SPDX-License-Identifier: Apache-2.0 */
/* Session descriptions among the parts of a body; calls of RFC 2543. */
#include "tests/unit/b2bua_bench.h"

#define MIXED "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;boundary=\"cut here\"\r\n"

static const char *parts(const char *first, const char *second)
{
	static char text[4096];

	snprintf(text, sizeof text,
		"preamble\r\n--cut here\r\n%s\r\n--cut here\r\n%s\r\n--cut here--\r\nend\r\n", first, second);
	return text;
}

static const char *part(const char *headers, const char *body)
{
	static char texts[4][2048];
	static unsigned next;
	char *text = texts[next++ % 4];

	strcpy(text, headers);
	strcat(text, "\r\n");
	strcat(text, body);
	return text;
}

#define SDP_TYPE "Content-Type: application/sdp\r\n"
#define ISUP "Content-Type: application/isup;version=itu-t92+\r\nContent-Disposition: signal;handling="

static void test_a_description_among_parts(void **state)
{
	char copies[3][4096];

	(void)state;
	strcpy(copies[0],
		parts(part(SDP_TYPE, sdp(&alice, 1)), part(ISUP "optional\r\n", "\x01\x02--cut here")));
	strcpy(copies[1], parts(part("Content-Type: text/plain\r\n", "hello"),
				  part("c:application/SDP\r\n", sdp(&alice, 1))));
	snprintf(copies[2], sizeof copies[2],
		"--cut here\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n" SDP_TYPE
		"\r\n%s\r\n--x--\r\n--cut here--",
		sdp(&alice, 1));
	for (unsigned i = 0; i < 3; i++) {
		dial(&alice, "+1001", MIXED, copies[i]);
		hear(&bob, "INVITE");
		expect_heard(&bob, "\r\nContent-Type: application/sdp\r\n");
		expect_heard(&bob, "m=audio ");
		expect_not_heard(&bob, "cut here");
		expect_not_heard(&bob, "hello");
		/* An answer may come in parts as well. */
		answer(&bob, "200 OK", MIXED,
			parts(part(ISUP "required\r\n", "x"), part(SDP_TYPE, sdp(&bob, 1))));
		hear(&bob, "ACK");
		hear(&alice, "200");
		expect_heard(&alice, "\r\nContent-Type: application/sdp\r\n");
		say(&alice, "ACK", "", "");
		hang_up(&alice, &bob);
	}
}

/* An exchange's own message that nobody else need understand (RFC 3261 section 8.2.3): it is as if it were
 * not there. */
static void test_what_may_be_ignored(void **state)
{
	static const char alone[] = ISUP "optional\r\n";
	char both[2048];
	uint64_t rseq;

	(void)state;
	strcpy(both, parts(part(ISUP "optional\r\n", "\x01"),
			     part("Content-Type: application/pidf+xml\r\n"
				  "Content-Disposition: render;handling=optional\r\n",
				     "<presence/>")));
	for (unsigned i = 0; i < 2; i++) {
		const char *headers = i ? MIXED : alone, *body = i ? both : "\x01\x02";

		dial(&alice, "+1001", headers, body);
		hear(&bob, "INVITE");
		expect_not_heard(&bob, "Content-Type");
		answer(&bob, "200 OK", "", sdp(&bob, 1));
		hear(&alice, "200");
		expect_heard(&alice, "m=audio ");
		say(&alice, "ACK", "", sdp(&alice, 1));
		hear(&bob, "ACK");
		say(&alice, "UPDATE", headers, body); /* of the session timer */
		hear(&alice, "200");
		say(&alice, "INVITE", headers, body);
		hear(&bob, "INVITE");
		answer(&bob, "200 OK", "", sdp_as(&bob, 1, 2, "sendrecv"));
		hear(&alice, "200");
		say(&alice, "ACK", "", sdp_as(&alice, 1, 2, "sendrecv"));
		hear(&bob, "ACK");
		hang_up(&alice, &bob);
		expect_no_calls();
	}
	/* In a PRACK, too. */
	dial(&alice, "+1001", "Require: 100rel\r\n", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	assert_int_equal(str_to_u64(sip_msg_value(alice.heard, SIP_H_RSEQ), UINT32_MAX, &rseq), 0);
	snprintf(both, sizeof both, "RAck: %u %u INVITE\r\n%s", (unsigned)rseq, alice.invite_cseq, alone);
	say(&alice, "PRACK", both, "\x01");
	hear(&alice, "200");
	answer(&bob, "486 Busy", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_what_cannot_be_used(void **state)
{
	char bodies[4][4096];

	(void)state;
	strcpy(bodies[0], parts(part(SDP_TYPE, sdp(&alice, 1)), part(ISUP "required\r\n", "x")));
	strcpy(bodies[1], parts(part("Content-Type: text/plain\r\n", "a"), part("", "b")));
	strcpy(bodies[2], "no parts at all");
	strcpy(bodies[3], "--cut here--\r\n");
	for (unsigned i = 0; i < 4; i++) {
		dial(&alice, "+1001", MIXED, bodies[i]);
		hear(&alice, "415");
		expect_heard(&alice, "\r\nAccept: application/sdp\r\n");
		say(&alice, "ACK", "", "");
		silence(NULL);
	}
	dial(&alice, "+1001", "Accept: text/html, application/isup\r\n", sdp(&alice, 1));
	hear(&alice, "406");
	expect_heard(&alice, "\r\nAccept: application/sdp\r\n");
	say(&alice, "ACK", "", "");
	dial(&alice, "+1001", "Accept: application/*;q=0.5\r\n", sdp(&alice, 1));
	hear(&bob, "INVITE");
}

/* RFC 3261 section 8.2.3: what could be sent instead is said. */
static void refused_as_encoded(const char *headers, const char *body)
{
	dial(&alice, "+1001", headers, body);
	hear(&alice, "415");
	expect_heard(&alice, "\r\nAccept-Encoding: identity\r\n");
	say(&alice, "ACK", "", "");
	silence(NULL);
}

static void test_encodings(void **state)
{
	const char *squeezed = part(SDP_TYPE "Content-Encoding: gzip\r\n", sdp(&alice, 1));
	char mixed[4096];

	(void)state;
	strcpy(mixed, parts(part("Content-Type: text/plain\r\n", "hello"), squeezed));
	refused_as_encoded("Content-Encoding: gzip\r\n", "\x1f\x8b\x08");
	expect_heard(&alice, "Content-Encoding");
	refused_as_encoded("e: identity, x-odd\r\n", sdp(&alice, 1));
	refused_as_encoded(MIXED, mixed);
	dial(&alice, "+1001", "Content-Encoding: identity\r\n", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	/* In a call nothing but the change is refused. */
	say(&alice, "INVITE", "Content-Encoding: gzip\r\n", "\x1f\x8b\x08");
	hear(&alice, "415");
	expect_heard(&alice, "\r\nAccept-Encoding: identity\r\n");
	say(&alice, "ACK", "", "");
	say(&alice, "UPDATE", "Content-Encoding: gzip\r\n", "\x1f\x8b\x08");
	hear(&alice, "415");
	expect_heard(&alice, "\r\nAccept-Encoding: identity\r\n");
	hang_up(&alice, &bob);
	/* An answer that cannot be read is none. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "Content-Encoding: gzip\r\n", "\x1f\x8b\x08");
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, "502");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_description_among_parts),
		T(test_what_may_be_ignored),
		T(test_what_cannot_be_used),
		T(test_encodings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
