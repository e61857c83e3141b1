/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/message.h"

#include "controlplane/sip/message.h"
#include "controlplane/sip/multipart.h"
#include "controlplane/sip/uri.h"

#define PART_DEPTH_MAX 3 /* multipart/mixed of multipart/alternative of ... */

/* RFC 3261 section 20.12: no other encoding of a body is known here. */
static bool is_identity(struct str encoding)
{
	return !encoding.n || str_ieq(encoding, STR("identity"));
}

static bool is_readable(const struct sip_msg *m)
{
	struct sip_values it = sip_values(m, SIP_H_CONTENT_ENCODING);
	struct str value;

	while (sip_values_next(&it, &value))
		if (!is_identity(value))
			return false;
	return true;
}

const char *message_why_no_sdp(const struct sip_msg *m)
{
	return is_readable(m) ? "the body is not application/sdp"
			      : "the body has an encoding that is not known here (Content-Encoding)";
}

/*
 * The session description among the parts; those that are no business of ours are left out. False: there is
 * one that the sender of a request insists on (RFC 3261 section 20.11, RFC 5621 section 5).
 */
static bool find_sdp(struct str type, struct str body, bool insists, unsigned depth, struct str *sdp)
{
	struct sip_parts it = sip_parts(type, body);
	struct sip_part part;
	struct str handling;

	while (sip_parts_next(&it, &part)) {
		bool readable = is_identity(part.encoding);

		if (readable && str_ieq(sip_media_type(part.type), STR("application/sdp"))) {
			*sdp = sdp->n ? *sdp : part.body;
		} else if (readable && depth && str_istarts(part.type, STR("multipart/"))) {
			if (!find_sdp(part.type, part.body, insists, depth - 1, sdp))
				return false;
		} else if (insists && sip_param(part.disposition, STR("handling"), &handling) &&
			   str_ieq(handling, STR("required"))) {
			return false;
		}
	}
	return true;
}

struct str message_sdp(const struct sip_msg *m)
{
	struct str sdp = STR("");

	if (!is_readable(m))
		return sdp;
	if (str_ieq(sip_media_type(m->content_type), STR("application/sdp")))
		return m->body;
	return find_sdp(m->content_type, m->body, m->request, PART_DEPTH_MAX, &sdp) ? sdp : STR("");
}

static bool is_optional(struct str disposition)
{
	struct str handling;

	return sip_param(disposition, STR("handling"), &handling) && str_ieq(handling, STR("optional"));
}

static bool are_optional(struct str type, struct str body, unsigned depth)
{
	struct sip_parts it = sip_parts(type, body);
	struct sip_part part;
	bool any = false;

	for (; sip_parts_next(&it, &part); any = true)
		if (!is_optional(part.disposition) &&
			!(depth && are_optional(part.type, part.body, depth - 1)))
			return false;
	return any;
}

bool message_bare(const struct sip_msg *m)
{
	if (!m->body.n)
		return true;
	return !message_sdp(m).n && (is_optional(sip_msg_value(m, SIP_H_CONTENT_DISPOSITION)) ||
					    are_optional(m->content_type, m->body, PART_DEPTH_MAX));
}

/* RFC 8840: credentials and addresses of ICE, one candidate after the other. */
static bool describes(struct str type)
{
	return str_ieq(sip_media_type(type), STR("application/sdp")) ||
	       str_ieq(sip_media_type(type), STR("application/trickle-ice-sdpfrag"));
}

static bool any_describes(struct str type, struct str body, unsigned depth)
{
	struct sip_parts it = sip_parts(type, body);
	struct sip_part part;

	while (sip_parts_next(&it, &part)) {
		bool multipart = str_istarts(part.type, STR("multipart/"));

		if (describes(part.type) ||
			(multipart && (!depth || any_describes(part.type, part.body, depth - 1))))
			return true;
	}
	return false;
}

bool message_describes(const struct sip_msg *m)
{
	return describes(m->content_type) || any_describes(m->content_type, m->body, PART_DEPTH_MAX);
}
