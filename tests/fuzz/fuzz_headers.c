/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes from one side to the other: whatever a message says, the headers that are built from it can be
 * parsed, name nothing that the sender's side is to keep, and an identity never crosses where it may not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/route/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sip_msg msg, again;
static struct header_set set;
static char built[2 * SIP_MESSAGE_MAX];

static void check(int ok)
{
	if (!ok)
		abort();
}

static const struct config_header_rule rules[] = {
	{"a", false, CONFIG_RULE_ALL, CONFIG_RULE_REWRITE, "X-A", "*a*b*", "*<*>*"},
	{"b", true, CONFIG_RULE_ALL, CONFIG_RULE_PASS, "X-B", "*;*", NULL},
	{"c", true, CONFIG_RULE_REQUESTS, CONFIG_RULE_REMOVE, "Subject", "*x*", NULL},
	{"d", true, CONFIG_RULE_ALL, CONFIG_RULE_ADD, "X-D", NULL, "d"},
};
static const char *const own[] = {"+49"};

static struct config_headers side(bool trusted, enum config_number_form form)
{
	return (struct config_headers){
		.identity_trusted = trusted,
		.own_numbers = own,
		.n_own_numbers = !trusted,
		.numbers = {"49", form == CONFIG_NUMBER_DIGITS ? "" : "0", "00", 5, form},
		.rules = rules,
		.n_rules = 4,
	};
}

static void pass(const struct sip_msg *m, bool from_trusted, bool to_trusted)
{
	const struct config_headers from = side(from_trusted, CONFIG_NUMBER_DIGITS),
				    to = side(to_trusted, CONFIG_NUMBER_NATIONAL);
	const struct identity_ends ends = {&from, &to, STR("192.0.2.1"), STR("[2001:db8::1]")};
	struct identity_done done;
	struct sip_builder b;
	struct sip_reject why;

	header_set_from(&set, m);
	header_set_rules(&set, &from, false);
	identity_apply(&set, &ends, m->request ? &m->from : NULL, &done);
	header_set_rules(&set, &to, true);
	sip_build_request(&b, built, sizeof built, STR("OPTIONS"), STR("sip:x@y"));
	sip_build_hdr(&b, SIP_H_VIA, STR("SIP/2.0/UDP x;branch=z9hG4bKx"));
	wbuf_z(&b.w, "From: ");
	identity_from(
		&ends, done.privacy, str_sub(m->from.uri.user, 0, 100), m->request ? &m->from : NULL, &b.w);
	wbuf_z(&b.w, ";tag=1\r\nTo: <sip:x@y>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n");
	header_set_build(&set, &b);
	if (sip_build_end(&b, STR(""), STR("")) < 0)
		return;
	if (sip_msg_parse(&again, built, b.w.len, false, &why) < 0) {
		check(why.status == 513); /* more lines than we would take ourselves */
		return;
	}
	check(!sip_msg_hdr(&again, SIP_H_P_PREFERRED_IDENTITY) && !sip_msg_hdr(&again, SIP_H_ROUTE) &&
		!sip_msg_hdr(&again, SIP_H_CONTACT) && !sip_msg_hdr(&again, SIP_H_USER_AGENT));
	check(from_trusted || to_trusted || !sip_msg_hdr(&again, SIP_H_P_EARLY_MEDIA));
	check(to_trusted || !(done.privacy & PRIVACY_ID) || !sip_msg_hdr(&again, SIP_H_P_ASSERTED_IDENTITY));
	check(from_trusted || m->request || !sip_msg_hdr(&again, SIP_H_P_ASSERTED_IDENTITY));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_reject why;
	char *buf = malloc(size ? size : 1);

	check(buf != NULL);
	if (size)
		memcpy(buf, data, size);
	if (sip_msg_parse(&msg, buf, size, true, &why) == 0)
		for (unsigned i = 0; i < 4; i++)
			pass(&msg, i & 1, i & 2);
	free(buf);
	return 0;
}
