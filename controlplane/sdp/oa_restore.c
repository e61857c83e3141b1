/* SPDX-License-Identifier: Apache-2.0 */
/* A leg that stood in an earlier process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/oa_private.h"

/* More keys than a leg is given between two times that it is saved. */
#define EPOCH_GAP 1000

static int assume_keys(struct oa_leg *leg, const struct oa_held *h, unsigned i)
{
	const struct oa_policy *p = &leg->policy;
	const struct agreement_method *method = p->method;
	struct oa_media *om = &leg->media[i];
	bool secure = p->security == OA_SECURITY_OPTIONAL ? h->tx[i].suite != SRTP_SUITE_NONE
							  : p->security != OA_SECURITY_NONE;

	if (!om->open)
		return 0;
	/* It ended while a handshake was under way. */
	if (secure && sdp_proto_info(om->proto)->secure && h->tx[i].suite == SRTP_SUITE_NONE)
		return -ENOKEY;
	if (secure != (h->tx[i].suite != SRTP_SUITE_NONE) ||
		(p->security != OA_SECURITY_OPTIONAL && secure != sdp_proto_info(om->proto)->secure))
		return -EINVAL;
	if (!secure)
		return 0;
	if (p->other && p->other->media_path == sdp_proto_info(om->proto)->dtls)
		method = p->other;
	if (method->create(&p->keying, &om->keys) < 0)
		return -ENOMEM;
	leg->secured |= 1u << i;
	om->keys->method->assume(om->keys, &h->rx[i], &h->tx[i]);
	return 0;
}

int oa_leg_assume(struct oa_leg *leg, const struct oa_held *h)
{
	int rc = 0;

	if (h->n_media > SDP_MEDIA_MAX || str_copy(leg->sess_id, sizeof leg->sess_id, h->sess_id) < 0)
		return -EINVAL;
	leg->media = calloc(h->n_media + 1, sizeof *leg->media);
	leg->sent = str_dup(h->sent);
	if (!leg->media || !leg->sent)
		return -ENOMEM;
	for (unsigned i = 0; i < h->n_media; i++) {
		leg->media[i] = h->media[i];
		leg->media[i].keys = NULL;
		if (h->media[i].transport >= h->n_media)
			return -EINVAL;
	}
	leg->n_media = h->n_media;
	oa_open_transports(leg->media, leg->n_media);
	for (unsigned i = 0; rc == 0 && i < h->n_media; i++)
		rc = assume_keys(leg, h, i);
	for (const char *m = leg->sent; (m = strstr(m, "\nm=")) != NULL && leg->least < SDP_MEDIA_MAX; m++)
		leg->least++;
	leg->version = h->version + 1;
	leg->sent_version = h->sent_version;
	leg->next_epoch = h->next_epoch + EPOCH_GAP;
	leg->burnt_epoch = h->burnt_epoch;
	return rc;
}
