/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/dialog.h"

static struct sip_msg msg;
static char *held;
static const struct sip_flow flow = {.transport = SIP_TLS, .conn = 7};

static void parse(const char *text)
{
	struct sip_reject why;

	free(held);
	held = strdup(text);
	if (sip_msg_parse(&msg, held, strlen(held), true, &why) < 0)
		fail_msg("%s", why.reason);
}

#define REQUEST(method, cseq, to_tag, more)                                                                  \
	method " sips:b@gw SIP/2.0\r\nVia: SIP/2.0/TLS x;branch=z9hG4bK1\r\nFrom: \"A\" "                    \
	       "<sips:a@x;p=1>;x=y;tag=ta\r\n"                                                               \
	       "To: sips:b@y" to_tag "\r\nCall-ID: cid\r\nCSeq: " cseq " " method "\r\n" more "\r\n"
#define RESPONSE(status, tag, more)                                                                          \
	"SIP/2.0 " status                                                                                    \
	" X\r\nVia: SIP/2.0/TLS x;branch=z9hG4bK1\r\nFrom: <sip:gw@x>;tag=us\r\nTo: <sip:b@y>;tag=" tag      \
	"\r\nCall-ID: cid\r\nCSeq: 5 INVITE\r\n" more "\r\n"
#define CONTACT "Contact: <sips:a@192.0.2.1:5061;transport=tls>\r\n"

/* What a request begun in the dialog looks like. */
static const char *built(struct sip_dialog *d, enum sip_method method)
{
	static char buf[2048];
	struct sip_builder b;

	sip_dialog_build(d, &b, buf, sizeof buf - 1, method);
	assert_int_equal(sip_build_end(&b, STR(""), STR("")), 0);
	buf[b.w.len] = '\0';
	return buf;
}

static void test_uas(void **state)
{
	struct sip_dialog *d = NULL;
	struct sip_uri hop;

	(void)state;
	parse(REQUEST("INVITE", "9", "", CONTACT "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"));
	assert_int_equal(sip_dialog_new_uas(&msg, STR("us"), &flow, &d), 0);
	assert_true(d->secure && d->state == SIP_DIALOG_EARLY);
	assert_int_equal(d->flow.conn, 7);
	sip_dialog_confirm(d);
	assert_int_equal(d->state, SIP_DIALOG_CONFIRMED);
	free(held);
	held = NULL; /* the dialog has a memory of its own */
	assert_string_equal(built(d, SIP_BYE), "BYE sips:a@192.0.2.1:5061;transport=tls "
					       "SIP/2.0\r\nMax-Forwards: 70\r\nRoute: <sip:p1;lr>\r\n"
					       "Route: <sip:p2;lr>\r\nFrom: <sips:b@y>;tag=us\r\nTo: \"A\" "
					       "<sips:a@x;p=1>;tag=ta\r\nCall-ID: cid\r\n"
					       "CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(sip_dialog_next_hop(d, &hop), 0);
	assert_true(str_eq(hop.host, STR("p1")));
	sip_dialog_free(d);
}

static void test_uac_forks_and_strict_route(void **state)
{
	const struct sip_dialog_start start = {
		STR("cid"), STR("us"), STR("<sip:gw@x>"), STR("<sip:b@y>"), 5, false};
	struct sip_dialog *one = NULL, *two = NULL;

	(void)state;
	parse(RESPONSE("180", "b1", "Contact: <sip:b@1>\r\nRecord-Route: <sip:late;lr>\r\n"));
	assert_int_equal(sip_dialog_new_uac(&start, &msg, &flow, &one), 0);
	assert_int_equal(one->state, SIP_DIALOG_EARLY);
	parse(RESPONSE("183", "b2", "Contact: <sip:b@2>\r\n"));
	assert_int_equal(sip_dialog_new_uac(&start, &msg, &flow, &two), 0);
	/* The 2xx brings the route set anew: reversed, the nearest is a strict router. */
	parse(RESPONSE("200", "b1",
		"Contact: <sip:b@11>\r\nRecord-Route: <sip:far;lr>\r\nRecord-Route: <sip:near>\r\n"));
	assert_int_equal(sip_dialog_response(one, &msg), 0);
	assert_int_equal(one->state, SIP_DIALOG_CONFIRMED);
	const char *ack = built(one, SIP_ACK);

	assert_non_null(strstr(ack, "ACK sip:near SIP/2.0\r\n"));
	assert_non_null(strstr(ack, "\r\nRoute: <sip:far;lr>\r\nRoute: <sip:b@11>\r\n"));
	assert_non_null(strstr(ack, "\r\nCSeq: 5 ACK\r\n"));
	assert_non_null(strstr(built(one, SIP_INVITE), "\r\nCSeq: 6 INVITE\r\n"));
	assert_non_null(strstr(built(one, SIP_INFO), "\r\nCSeq: 7 INFO\r\n"));
	assert_non_null(strstr(built(one, SIP_ACK), "\r\nCSeq: 6 ACK\r\n")); /* the re-INVITE's */
	assert_non_null(strstr(built(two, SIP_BYE), "\r\nTo: <sip:b@y>;tag=b2\r\n"));
	sip_dialog_free(one);
	sip_dialog_free(two);
}

static void test_order_and_refresh(void **state)
{
	struct sip_dialog *d = NULL;

	(void)state;
	parse(REQUEST("INVITE", "9", "", CONTACT));
	assert_int_equal(sip_dialog_new_uas(&msg, STR("us"), &flow, &d), 0);
	parse(REQUEST("ACK", "9", ";tag=us", ""));
	assert_int_equal(sip_dialog_request(d, &msg), 0);
	parse(REQUEST("INVITE", "11", ";tag=us", "Contact: <sips:a@192.0.2.99>\r\n"));
	assert_int_equal(sip_dialog_request(d, &msg), 0);
	assert_true(str_starts(d->remote_target, STR("sips:a@192.0.2.1"))); /* until it is accepted */
	assert_int_equal(sip_dialog_refresh(d, &msg), 0);
	assert_true(str_eq(d->remote_target, STR("sips:a@192.0.2.99")));
	/* No request has a URI with headers (RFC 3261 table 1). */
	parse(REQUEST("UPDATE", "11", ";tag=us", "Contact: <sips:a@192.0.2.99?Subject=x>\r\n"));
	assert_int_equal(sip_dialog_refresh(d, &msg), 0);
	assert_true(str_eq(d->remote_target, STR("sips:a@192.0.2.99")));
	parse(REQUEST("BYE", "10", ";tag=us", ""));
	assert_int_equal(sip_dialog_request(d, &msg), 500);
	parse(REQUEST("BYE", "11", ";tag=us", ""));
	assert_int_equal(sip_dialog_request(d, &msg), 500);
	parse(REQUEST("BYE", "12", ";tag=us", ""));
	assert_int_equal(sip_dialog_request(d, &msg), 0);
	parse(REQUEST("UPDATE", "13", ";tag=us", "Contact: <tel:1>\r\n"));
	assert_int_equal(sip_dialog_refresh(d, &msg), -EINVAL);
	assert_true(str_eq(d->remote_target, STR("sips:a@192.0.2.99")));
	sip_dialog_free(d);
}

static void test_refused(void **state)
{
	const struct sip_dialog_start start = {
		STR("cid"), STR("us"), STR("<sip:gw@x>"), STR("<sip:b@y>"), 5, false};
	struct sip_dialog *d = NULL;

	(void)state;
	parse(REQUEST("INVITE", "9", "", ""));
	assert_int_equal(sip_dialog_new_uas(&msg, STR("us"), &flow, &d), -EINVAL);
	parse(REQUEST("INVITE", "9", "", "Contact: *\r\n"));
	assert_int_equal(sip_dialog_new_uas(&msg, STR("us"), &flow, &d), -EINVAL);
	parse(REQUEST("INVITE", "9", "", CONTACT "Record-Route: not a route\r\n"));
	assert_int_equal(sip_dialog_new_uas(&msg, STR("us"), &flow, &d), -EINVAL);
	parse(RESPONSE("100", "b1", "Contact: <sip:b@1>\r\n"));
	assert_int_equal(sip_dialog_new_uac(&start, &msg, &flow, &d), -EINVAL);
	parse(RESPONSE("486", "b1", "Contact: <sip:b@1>\r\n"));
	assert_int_equal(sip_dialog_new_uac(&start, &msg, &flow, &d), -EINVAL);
	assert_null(d);
}

static void test_table_and_restore(void **state)
{
	struct sip_dialogs *t = sip_dialogs_new();
	struct sip_dialog *d = NULL, *copy = NULL;

	(void)state;
	parse(REQUEST("INVITE", "9", "", CONTACT "Record-Route: <sip:p1;lr>\r\n"));
	assert_int_equal(sip_dialog_new_uas(&msg, STR("us"), &flow, &d), 0);
	assert_int_equal(sip_dialogs_add(t, d), 0);
	assert_null(sip_dialogs_find(t, &msg)); /* no To tag: a new call */
	parse(REQUEST("BYE", "10", ";tag=us", ""));
	assert_ptr_equal(sip_dialogs_find(t, &msg), d);
	parse(REQUEST("BYE", "10", ";tag=other", ""));
	assert_null(sip_dialogs_find(t, &msg));
	assert_int_equal(sip_dialog_restore(d, &copy), 0);
	assert_int_equal(copy->flow.conn, 0);
	assert_int_equal(sip_dialogs_add(t, copy), -EEXIST);
	sip_dialogs_remove(t, d);
	sip_dialog_free(d);
	assert_int_equal(sip_dialogs_add(t, copy), 0);
	parse(REQUEST("BYE", "10", ";tag=us", ""));
	assert_ptr_equal(sip_dialogs_find(t, &msg), copy);
	assert_int_equal(sip_dialog_request(copy, &msg), 0);
	assert_non_null(strstr(built(copy, SIP_INVITE), "\r\nRoute: <sip:p1;lr>\r\n"));
	sip_dialogs_remove(t, copy);
	assert_int_equal(sip_dialogs_count(t), 0);
	sip_dialog_free(copy);
	sip_dialogs_free(t);
}

static int teardown(void **state)
{
	(void)state;
	free(held);
	held = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uas),
		cmocka_unit_test(test_uac_forks_and_strict_route),
		cmocka_unit_test(test_order_and_refresh),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_table_and_restore),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
