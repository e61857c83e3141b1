/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers digest challenges: keeps what a peer asked for last, realm by realm, so that the requests that
 * follow carry credentials from the start. One for each dialog or registration.
 */
#pragma once

#include "controlplane/sip/digest.h"
#include "controlplane/sip/message.h"

/* Who we are to a peer. */
struct digest_account {
	const char *username; /* without '"' and '\' */
	struct secret password;
};

#define DIGEST_REALMS_MAX 4 /* the called side's own, and proxies before it */

struct digest_asked;
/* Zeroed before use. */
struct digest_client {
	struct digest_asked *asked[DIGEST_REALMS_MAX]; /* those behind the last are NULL */
};

void digest_client_free(struct digest_client *c);

/*
 * Takes the challenges of a 401 or 407: of each realm the strongest that can be answered. again: the request
 * was sent with an answer to an earlier challenge of its own. 0; -EACCES: that answer was wrong, and would be
 * once more; -EPROTONOSUPPORT: none that can be answered; -ENOMEM, -ENOSPC (more than DIGEST_REALMS_MAX
 * realms).
 */
int digest_client_challenged(struct digest_client *c, const struct sip_msg *response, bool again);

/* Authorization and Proxy-Authorization lines for a request: whole lines; nothing when nothing was asked. */
int digest_client_answer(struct digest_client *c, const struct digest_account *account, struct str method,
	struct str uri, struct wbuf *lines);
