/* SPDX-License-Identifier: Apache-2.0 */
/* A leg whose peer comes with a session that another leg of ours negotiated. */
#include <string.h>

#include "controlplane/sdp/oa_private.h"

void oa_leg_follow(struct oa_leg *leg, const struct oa_leg *was)
{
	memcpy(leg->sess_id, was->sess_id, sizeof leg->sess_id);
	leg->version = was->version;
	leg->secured = leg->policy.security == OA_SECURITY_NONE ? 0 : was->secured;
	leg->least = was->n_media > was->least ? was->n_media : was->least;
	for (unsigned i = 0; i < leg->least; i++)
		leg->least_kind[i] = i < was->n_media ? (uint8_t)was->media[i].kind : was->least_kind[i];
}

void oa_leg_resume(struct oa_leg *was, const struct oa_leg *leg)
{
	if (leg->version > was->version)
		was->version = leg->version;
}
