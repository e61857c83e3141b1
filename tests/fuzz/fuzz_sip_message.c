/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages: what is taken has its essentials, a copy of it says the same, and every answer that is built from
 * it, or from a refused request that is called answerable, can be parsed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/build.h"
#include "controlplane/sip/dialog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sip_msg msg, again;
static char answer[2 * SIP_MESSAGE_MAX];

static void check(int ok)
{
	if (!ok)
		abort();
}

static void answer_to(const struct sip_msg *m, bool whole)
{
	struct sip_builder b;
	struct sip_reject why;

	sip_build_response(&b, answer, sizeof answer, m, 400, NULL, STR("tag"));
	if (sip_build_end(&b, STR("text/plain"), STR("x")) < 0)
		return;
	int rc = sip_msg_parse(&again, answer, b.w.len, false, &why);

	/* What was wrong with the request is copied into its answer; nothing else may be wrong. */
	check(rc == 0 || !whole);
	if (rc == 0 && whole) {
		check(again.status == 400 && str_eq(again.via.branch, m->via.branch));
		check(str_eq(again.call_id, m->call_id) && again.cseq == m->cseq);
	}
}

static void look_at(const struct sip_msg *m)
{
	struct str value;

	for (unsigned id = 0; id < SIP_H_COUNT; id++) {
		struct sip_values it = sip_values(m, id);

		while (sip_values_next(&it, &value))
			check(value.n && value.p >= m->text.p && value.p + value.n <= m->text.p + m->text.n);
	}
}

static void dialog_of(const struct sip_msg *m)
{
	const struct sip_flow flow = {0};
	struct sip_dialog *d;
	struct sip_builder b;
	struct sip_reject why;

	if (!m->request || sip_dialog_new_uas(m, STR("us"), &flow, &d) < 0)
		return;
	sip_dialog_build(d, &b, answer, sizeof answer, SIP_BYE);
	sip_build_hdr(&b, SIP_H_VIA, STR("SIP/2.0/UDP x;branch=z9hG4bKx"));
	if (sip_build_end(&b, STR(""), STR("")) == 0 &&
		sip_msg_parse(&again, answer, b.w.len, false, &why) < 0)
		check(why.status != 400 || !strcmp(why.reason, "Too Many Header Fields"));
	sip_dialog_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_reject why;
	char *buf = malloc(size ? size : 1);

	check(buf != NULL);
	if (size)
		memcpy(buf, data, size);
	int rc = sip_msg_parse(&msg, buf, size, true, &why);

	ip_parse(STR("2001:db8::1"), &msg.source.ip);
	msg.source.port = 5060;
	look_at(&msg);
	if (rc == 0) {
		struct sip_msg *clone = sip_msg_clone(&msg);

		check(why.status == 0 && msg.call_id.n && msg.via.host.n && msg.from.uri.text.n &&
			msg.to.uri.text.n);
		check(clone != NULL);
		memset(buf, 0, size);
		look_at(clone);
		answer_to(clone, clone->request);
		dialog_of(clone);
		sip_msg_free(clone);
	} else {
		check(why.status >= 400 && why.reason);
		if (why.answerable)
			answer_to(&msg, false);
	}
	free(buf);
	return 0;
}
