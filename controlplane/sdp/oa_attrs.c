/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a peer's attributes the other peer reads, and what two sides agreed on by them. */
#include <string.h>

#include "controlplane/sdp/extmap.h"
#include "controlplane/sdp/oa_private.h"
#include "lib/srtp/rtcp_feedback.h"

/*
 * What ends at the gateway: addresses and paths (RFC 8839, 4570, 5245), keys and identities (RFC 4567, 4568,
 * 8122, 8842, 6189), what names one side's equipment or synchronization sources (RFC 5576: they may be
 * renumbered), capability negotiation that could carry any of these (RFC 5939), grouping, which is each
 * side's own (RFC 9143), and what the gateway writes itself.
 */
static const char *const own_attrs[] = {
	"3ge2ae",
	"acap",
	"acfg",
	"alt",
	"altc",
	"alternate-ip",
	"bundle-only",
	"candidate",
	"connection",
	"crypto",
	"csup",
	"dtls-id",
	"end-of-candidates",
	"fingerprint",
	"group",
	"ice-lite",
	"ice-mismatch",
	"ice-options",
	"ice-pacing",
	"ice-pwd",
	"ice-ufrag",
	"identity",
	"inactive",
	"key-mgmt",
	"mid",
	"omr-c-cfg",
	"omr-m-cfg",
	"omr-s-cfg",
	"pcfg",
	"recvonly",
	"remote-candidates",
	"rtcp",
	"rtcp-mux",
	"rtcp-mux-only",
	"secondary-realm",
	"sendonly",
	"sendrecv",
	"setup",
	"source-filter",
	"ssrc",
	"ssrc-group",
	"tcap",
	"tls-id",
	"tool",
	"visited-realm",
	"zrtp-hash",
};

/* What means something between two browsers, and only burdens anybody else. */
static const char *const browser_attrs[] = {
	"extmap-allow-mixed",
	"msid",
	"msid-semantic",
	"rid",
	"simulcast",
};

/* What is there for the feedback profile (RFC 4585, 5506), and reports that only browsers write as a matter of course. */
static const char *const feedback_attrs[] = {
	"rtcp-fb",
	"rtcp-rsize",
	"rtcp-xr",
};

/* Header extensions of a transport: who bundles writes its own (RFC 9143 section 15). */
static const char *const own_extensions[] = {
	EXTMAP_MID,
	"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
	"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
};

/* Those that phones know as browsers do: RFC 5450, 6464, 6465, and 3GPP TS 26.114. */
static const char *const common_extensions[] = {
	"urn:3gpp:video-orientation",
	"urn:ietf:params:rtp-hdrext:csrc-audio-level",
	"urn:ietf:params:rtp-hdrext:ssrc-audio-level",
	"urn:ietf:params:rtp-hdrext:toffset",
};

#define LISTED(names, name) is_listed(names, sizeof(names) / sizeof(names)[0], name)

static bool is_listed(const char *const *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(name, str_z(names[i])))
			return true;
	return false;
}

static bool extension_passes(const struct sdp_attr *a, const struct oa_between *b)
{
	struct extmap e;

	if (!extmap_read(a, &e) || LISTED(own_extensions, e.uri))
		return false;
	return !b->crossing || LISTED(common_extensions, e.uri);
}

struct oa_between oa_between(enum sdp_proto a, enum sdp_proto b, enum sdp_kind kind)
{
	const struct sdp_proto_info *x = sdp_proto_info(a), *y = sdp_proto_info(b);

	return (struct oa_between){
		.known = true,
		.browser = x->dtls || y->dtls,
		.crossing = x->dtls != y->dtls,
		/* Phones with video write rtcp-fb in any profile: without requests for pictures it does not last. */
		.feedback = kind == SDP_VIDEO || (x->feedback && y->feedback) || (!x->dtls && !y->dtls),
	};
}

bool oa_attr_passes(const struct sdp_attr *a, const struct oa_between *b)
{
	if (LISTED(own_attrs, a->name))
		return false;
	if (LISTED(browser_attrs, a->name))
		return !b->crossing;
	if (LISTED(feedback_attrs, a->name))
		return b->feedback;
	return !str_ieq(a->name, STR("extmap")) || extension_passes(a, b);
}

static const struct {
	const char *type, *parameter;
	uint8_t bit; /* enum rtcp_feedback */
} feedbacks[] = {
	{"nack", "", RTCP_FEEDBACK_NACK},
	{"nack", "pli", RTCP_FEEDBACK_PLI},
	{"ccm", "fir", RTCP_FEEDBACK_FIR},
	{"ccm", "tmmbr", RTCP_FEEDBACK_TMMBR},
	{"goog-remb", "", RTCP_FEEDBACK_REMB},
	{"transport-cc", "", RTCP_FEEDBACK_TWCC},
	{"trr-int", NULL, 0}, /* an interval, no message */
};

/* a=rtcp-fb:PT TYPE [PARAMETER ...], RFC 4585 section 4.2 */
static uint8_t feedback(struct str value)
{
	str_cut(&value, ' ');
	struct str type = str_cut(&value, ' '), parameter = str_cut(&value, ' ');

	for (unsigned i = 0; i < sizeof feedbacks / sizeof feedbacks[0]; i++)
		if (str_ieq(type, str_z(feedbacks[i].type)) &&
			(!feedbacks[i].parameter || str_ieq(parameter, str_z(feedbacks[i].parameter))))
			return feedbacks[i].bit;
	return RTCP_FEEDBACK_OTHER;
}

void oa_note_agreed(struct oa_media *om, const struct sdp *s, const struct sdp_media *m, const struct oa_between *b)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	om->extensions = om->feedback = 0;
	if (!b->browser)
		return;
	om->extensions = DP_EXTENSIONS_LIMITED;
	om->feedback = RTCP_FEEDBACK_LIMITED;
	for (unsigned i = 0; i < n; i++) {
		struct extmap e;

		if (!oa_attr_passes(&a[i], b))
			continue;
		if (str_ieq(a[i].name, STR("rtcp-fb")))
			om->feedback |= feedback(a[i].value);
		if (extmap_read(&a[i], &e) && e.id <= 15)
			om->extensions |= (uint16_t)(1u << e.id);
	}
}

static bool is_noted(const struct oa_media *om, uint32_t ssrc)
{
	for (unsigned i = 0; i < om->n_ssrcs; i++)
		if (om->ssrcs[i] == ssrc)
			return true;
	return false;
}

void oa_note_sources(struct oa_media *om, const struct sdp *s, const struct sdp_media *m)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	memset(om->ssrcs, 0, sizeof om->ssrcs);
	om->n_ssrcs = 0;
	for (unsigned i = 0; i < n && om->n_ssrcs < DP_SELECTORS_MAX; i++) {
		struct str value = a[i].value;
		uint64_t ssrc;

		if (str_eq(a[i].name, STR("ssrc")) && str_to_u64(str_cut(&value, ' '), UINT32_MAX, &ssrc) == 0 &&
			!is_noted(om, (uint32_t)ssrc))
			om->ssrcs[om->n_ssrcs++] = (uint32_t)ssrc;
	}
}
