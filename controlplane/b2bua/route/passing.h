/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message of one side brings to the message that it becomes on the other: the headers that pass, the
 * identities as the other side may know them, addresses with their numbers and hosts.
 */
#pragma once

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/route/identity.h"

struct passage {
	const struct sip_msg *cause; /* NULL: the message is the gateway's own */
	const struct config_trunk *to;
	struct identity_ends ends;
	struct identity_done done;
	struct header_set set;
	bool sips; /* URIs are sips: ones */
	char own_host[SIP_SENT_BY_MAX], peer_host[CALL_URI_MAX];
};

/* Between two trunks: m came from one, what it becomes goes to peer (a host) of the other by listener l. */
void passage_make(struct passage *p, const struct config_trunk *from, const struct config_trunk *to,
	const struct sip_listener *l, const char *peer, const struct sip_msg *m);
/* The Request-URI, and To in <>, for a number inside the gateway. peer: where it goes. */
void passage_uri(const struct passage *p, const struct config_peer *peer, struct str number, struct wbuf *w);
void passage_to(const struct passage *p, struct str number, struct wbuf *w);

/*
 * Who asks for a transfer, as his trunk's rules and the trust between the two have it (RFC 3892). value: his
 * Referred-By; empty: there is none.
 */
void passage_referrer(struct passage *p, const struct config_trunk *from, const struct config_trunk *to,
	const struct sip_listener *l, const char *peer, struct str value);
/* The INVITE that `out` is to send. */
void passage_of_invite(struct passage *p, struct leg *out);
/* Counts what was done to identities. */
void passage_count(struct b2bua *b, const struct passage *p);

/* A response came from a party of the trunk: what of its headers the next response on `in` has. */
void passing_keep(struct leg *in, const struct config_trunk *from, const struct sip_msg *m);
/* Those lines, once. */
void passing_build(struct call *c, struct sip_builder *b);
/* There is no such response. */
void passing_forget(struct call *c);

/* Privacy that the party insists on and that is not known here. */
bool passing_cannot(const struct config_trunk *from, const struct sip_msg *m);
/* Is the caller to hear what the called side plays with this response? */
bool passing_early_media(const struct leg *out, const struct sip_msg *m);
/* A user part of a party's as it is inside the gateway; what does not fit stays as it is. */
void passing_party(const struct config_trunk *from, const struct sip_uri *uri, char out[CALL_PARTY_MAX]);
