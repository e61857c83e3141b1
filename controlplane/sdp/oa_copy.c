/* SPDX-License-Identifier: Apache-2.0 */
/* One offer for several parties at once: each has keys of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/oa_private.h"

struct oa_keys {
	const struct oa_exchange *of; /* only ever compared */
	struct agreement *keys[SDP_MEDIA_MAX]; /* by transport; NULL: what the offer has does for all */
};

void oa_keys_free(struct oa_keys *k)
{
	for (unsigned i = 0; k && i < SDP_MEDIA_MAX; i++)
		agreement_destroy(k->keys[i]);
	free(k);
}

void oa_swap_keys(struct oa_leg *leg, struct oa_keys *k)
{
	struct oa_exchange *x = leg->pending;

	if (!k || k->of != x)
		return;
	for (unsigned i = 0; i < x->n_media; i++) {
		struct agreement *now = x->media[i].keys;

		if (!k->keys[i])
			continue;
		x->media[i].keys = k->keys[i];
		k->keys[i] = now;
	}
}

static int fresh_keys(const struct oa_leg *leg, struct oa_keys *k, bool *any, struct err *e)
{
	const struct oa_exchange *x = leg->pending;
	int rc = 0;

	for (unsigned i = 0; i < x->n_media && rc == 0; i++) {
		const struct agreement *now = x->media[i].keys;

		if (!now || now->method->media_path)
			continue;
		*any = true;
		rc = now->method->create(&now->policy, &k->keys[i]);
		if (rc == 0)
			rc = now->method->offer(k->keys[i], oa_keys_before(leg, i), e);
	}
	return rc;
}

int oa_offer_copy(struct oa_leg *leg, struct wbuf *w, struct oa_keys **out, struct oa_refusal *r)
{
	struct oa_exchange *x = leg->pending;
	struct err e = {"out of memory"};
	struct oa_keys *k;
	char *content;
	bool any = false;
	int rc;

	*r = (struct oa_refusal){0};
	*out = NULL;
	if (!x || !x->ours || !x->sent)
		return oa_refuse(r, EINVAL, 500, 0, "there is no offer to be copied");
	k = calloc(1, sizeof *k);
	content = strdup(x->sent);
	if (!k || !content) {
		rc = oa_refuse(r, ENOMEM, 500, 0, "out of memory");
		goto out;
	}
	k->of = x;
	rc = fresh_keys(leg, k, &any, &e);
	if (rc < 0) {
		rc = oa_refuse(r, -rc, 500, 0, "%s", e.text);
		goto out;
	}
	oa_swap_keys(leg, k);
	rc = oa_emit(leg, x, content, w, r);
	content = NULL;
	oa_swap_keys(leg, k);
	if (rc == 0 && any) {
		*out = k;
		k = NULL;
	}
out:
	free(content);
	oa_keys_free(k);
	return rc;
}
