/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dialogs: RFC 3261 section 12. Holds tags, sequence numbers, route set and remote target, checks what comes
 * in, and begins requests that go out. It sends nothing and knows no SDP.
 *
 * A dialog belongs to whoever made it. Several early dialogs can come from one INVITE: make one for each To
 * tag.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/sip/build.h"
#include "controlplane/sip/message.h"
#include "controlplane/sip/transport.h"

#define SIP_ROUTES_MAX 32

enum sip_dialog_state { SIP_DIALOG_EARLY, SIP_DIALOG_CONFIRMED, SIP_DIALOG_ENDED };

/* Fields are read by anybody, written by this module, but `flow`, `user` and `state` (to END it). */
struct sip_dialog {
	enum sip_dialog_state state;
	bool uac;    /* we sent the first request */
	bool secure; /* sips: by TLS */
	bool behind_nat; /* UDP: its Contact cannot be reached, the flow's remote can */
	bool no_way; /* what it answered names routes that are none: it can be acknowledged and ended, where
			it was called */
	struct str call_id, local_tag, remote_tag;
	struct str local_uri; /* our From or To value without the tag: "Name" <uri> */
	struct str remote_uri;
	struct str remote_target;          /* URI without <> */
	const struct str *routes; /* as name-addrs, in the order to visit; in one piece with what they point into */
	unsigned route_count;
	uint32_t local_seq; /* last used */
	uint32_t remote_seq;
	bool has_remote_seq;
	uint32_t invite_seq; /* CSeq of the last INVITE that we sent in it: what its ACK carries */
	struct sip_flow
		flow; /* kept; where in-dialog requests go, from the first request; the owner may change conn and remote */
	uint8_t max_forwards; /* of the next request, when it passes on another's; 0: 70. The owner writes it */
	void *user;   /* the owner's */
	struct sip_dialog *next; /* in its table */
	bool listed;
	char *text, *target_text; /* what the views point into */
};

/*
 * As UAS: from a request and the tag that we answer with. One without a From tag is of RFC 2543. -EINVAL: no usable Contact URI (answer 400), -E2BIG too many routes, -ENOMEM.
 */
int sip_dialog_new_uas(const struct sip_msg *request, struct str local_tag, const struct sip_flow *flow,
	struct sip_dialog **out);

/* What was in the request that a UAC dialog begins with. */
struct sip_dialog_start {
	struct str call_id, local_tag, local_uri, remote_uri;
	uint32_t cseq;
	bool secure; /* the Request-URI was sips: */
	struct str fallback; /* of a 2xx or a reliable 1xx without a target; empty: it, or such a route, is an
				error */
};
/* As UAC: from a 101 to 199 response with a To tag, or a 2xx, which peers of RFC 2543 send without: their tag is then empty.
 * Errors as above. */
int sip_dialog_new_uac(const struct sip_dialog_start *start, const struct sip_msg *response,
	const struct sip_flow *flow, struct sip_dialog **out);
/* The same from a 2xx alone, to an INVITE of ours that nobody remembers. */
int sip_dialog_of_answer(
	const struct sip_msg *response, const struct sip_flow *flow, struct sip_dialog **out);
/* From what a checkpoint kept: text is copied; the connection and the owner are not, they are of an earlier
 * life. */
int sip_dialog_restore(const struct sip_dialog *saved, struct sip_dialog **out);
void sip_dialog_free(struct sip_dialog *d); /* NULL is allowed; must not be in a table */

/*
 * A 2xx (or a later 1xx) of the dialog's INVITE: confirms, takes the route set of the 2xx and the remote
 * target. What cannot be used leaves those that there are: who has answered is owed an ACK, and a BYE one
 * day. -ENOMEM.
 */
int sip_dialog_response(struct sip_dialog *d, const struct sip_msg *response);

/* As UAS: the 2xx to the INVITE is sent. */
void sip_dialog_confirm(struct sip_dialog *d);

/*
 * An in-dialog request: checks and takes its CSeq. 0, or the status to refuse it with: 500 when the CSeq is
 * out of order (RFC 3261 section 12.2.2; an ACK or CANCEL is never refused). A target refresh (INVITE, UPDATE
 * ..) is taken with sip_dialog_refresh() when it is accepted.
 */
unsigned sip_dialog_request(struct sip_dialog *d, const struct sip_msg *request);
/* The remote target from a request's or response's Contact, where there is one. -EINVAL, -ENOMEM. */
int sip_dialog_refresh(struct sip_dialog *d, const struct sip_msg *m);

/*
 * Begins a request in the dialog: request line, Max-Forwards, Route, From, To, Call-ID, CSeq (a new one; ACK
 * takes that of the last INVITE). The caller adds Contact and the rest, then sip_build_end().
 */
void sip_dialog_build(
	struct sip_dialog *d, struct sip_builder *b, void *buf, size_t cap, enum sip_method method);
/* Takes the number of a request that is sent once more, as sip_dialog_build() takes one. */
uint32_t sip_dialog_next_seq(struct sip_dialog *d, enum sip_method method);
/* The URI that the next request is sent towards: the first route, or the remote target. -EINVAL. */
int sip_dialog_next_hop(const struct sip_dialog *d, struct sip_uri *out);

/* Dialogs by Call-ID and tags. A table does not own its dialogs. */
struct sip_dialogs;
struct sip_dialogs *sip_dialogs_new(void);
void sip_dialogs_free(struct sip_dialogs *t);
int sip_dialogs_add(struct sip_dialogs *t, struct sip_dialog *d); /* -EEXIST, -ENOMEM */
void sip_dialogs_remove(struct sip_dialogs *t, struct sip_dialog *d);
/* For a received request: our tag is its To tag. NULL when it names none. */
struct sip_dialog *sip_dialogs_find(const struct sip_dialogs *t, const struct sip_msg *request);
/* By what identifies it, tags as the gateway has them: its own first. NULL: there is none. */
struct sip_dialog *sip_dialogs_named(
	const struct sip_dialogs *t, struct str call_id, struct str local_tag, struct str remote_tag);
unsigned sip_dialogs_count(const struct sip_dialogs *t);
