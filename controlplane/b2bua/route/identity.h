/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls and who was called, as the other side may know it: privacy (RFC 3323), asserted identities inside
 * and at the border of the trust domain (RFC 3325), diversions (RFC 5806, RFC 7044), and the host parts and
 * numbers of all these addresses. Pure text over a header set.
 */
#pragma once

#include "controlplane/b2bua/route/header_set.h"

/* What the Privacy header asks for, as bits. */
enum {
	PRIVACY_ID = 1 << 0,
	PRIVACY_USER = 1 << 1,
	PRIVACY_HEADER = 1 << 2,  /* done for everybody: Via, Contact and routes are the gateway's own */
	PRIVACY_SESSION = 1 << 3, /* likewise: so is the session */
	PRIVACY_HISTORY = 1 << 4,
	PRIVACY_NONE = 1 << 5,
	PRIVACY_CRITICAL = 1 << 6,
	PRIVACY_UNKNOWN = 1 << 7,
};

/* The two ends of what is passed on. Host texts have the brackets of an IPv6 address. */
struct identity_ends {
	const struct config_headers *from, *to;
	struct str own_host, peer_host;
	bool private_history; /* somebody in it does not want to be named outside, whatever the message says
			       */
};

struct identity_done {
	unsigned privacy;
	bool dropped; /* an identity that an untrusted party asserted */
	bool hidden;  /* something that was to stay private */
};

/* The bits of the Privacy lines in the set. */
unsigned identity_privacy(struct header_set *s);
/* critical, and something is asked for that is not known here: the request is to be refused with 500. */
bool identity_cannot(unsigned privacy);

/*
 * Behind the sender's rules and before the receiver's. from: of the request that is passed on, for an
 * identity that is asserted for the party; NULL for a response.
 */
void identity_apply(struct header_set *s, const struct identity_ends *e, const struct sip_addr *from,
	struct identity_done *done);

/* host-part p, of an address whose host was kept (brackets as above). */
struct str identity_host(const struct identity_ends *e, const struct config_host_part *p, struct str was);

/*
 * From of a request to the receiver: `"Name" <sip:user@host>`. user: inside the gateway, "": anonymous. was:
 * as it came; NULL: the request is the gateway's own.
 */
void identity_from(const struct identity_ends *e, unsigned privacy, struct str user,
	const struct sip_addr *was, struct wbuf *w);
