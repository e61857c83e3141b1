/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/route/reason.h"

#include "controlplane/sip/chars.h"
#include "controlplane/sip/uri.h"

/* One value: its protocol and cause, and with text what it says in words. */
static void put(struct wbuf *w, struct str value, struct str except, bool with_text)
{
	struct str params = value, protocol = str_trim(str_cut(&params, ';')), cause, text;
	uint64_t n;

	if (!protocol.n || str_ieq(protocol, except) || protocol.n > 20 || !ch_all(protocol, CH_TOKEN) ||
		!sip_param(params, STR("cause"), &cause) || str_to_u64(cause, 999, &n) < 0)
		return;
	wbuf_fmt(w, "%s%.*s;cause=%u", w->len ? ", " : "", STR_ARG(protocol), (unsigned)n);
	if (!with_text || !sip_param(params, STR("text"), &text) || text.n < 3 || text.n > 100 ||
		text.p[0] != '"')
		return;
	wbuf_z(w, ";text=\"");
	for (size_t i = 1; i + 1 < text.n; i++)
		wbuf_u8(w,
			text.p[i] < ' ' || text.p[i] == '"' || text.p[i] == '\\' ? '\'' : (uint8_t)text.p[i]);
	wbuf_z(w, "\"");
}

void reason_copy(struct wbuf *w, const struct sip_msg *m, struct str except, bool with_text)
{
	struct sip_values it = sip_values(m, SIP_H_REASON);
	struct str value;

	for (unsigned i = 0; i < 2 && sip_values_next(&it, &value); i++)
		put(w, value, except, with_text);
}

void reason_plain(struct wbuf *w, struct str list)
{
	struct str value;

	for (unsigned i = 0; i < 2 && sip_list_next(&list, &value); i++)
		put(w, value, STR(""), false);
}
