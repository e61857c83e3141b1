/* SPDX-License-Identifier: Apache-2.0 */
/* RTP through lanes/. */
#include "dataplane/crypto/ipsec_mb.h"

#define LENGTHS 32 /* that are told apart, by steps of 64 octets */

static inline unsigned length_of(const struct crypto_job *job)
{
	unsigned steps = job->len / 64;

	return steps < LENGTHS ? steps : LENGTHS - 1;
}

/* Packets that are done together take the time of the longest: so those of like length stand together. */
static ASIDE void sort(struct imb_lane_list *list)
{
	struct lanes_job before[IPSEC_MB_DEPTH];
	uint16_t next[LENGTHS + 1] = {0};

	for (unsigned i = 0; i < list->n; i++) {
		before[i] = list->jobs[i];
		next[length_of(before[i].job) + 1]++;
	}
	for (unsigned i = 1; i < LENGTHS; i++)
		next[i] = (uint16_t)(next[i] + next[i - 1]);
	for (unsigned i = 0; i < list->n; i++)
		list->jobs[next[length_of(before[i].job)]++] = before[i];
}

static inline void sort_if_mixed(struct imb_lane_list *list)
{
	unsigned differ = 0;

	for (unsigned i = 1; i < list->n; i++)
		differ |= length_of(list->jobs[i].job) ^ length_of(list->jobs[0].job);
	if (differ)
		sort(list);
}

static void run(
	const struct crypto_queue *q, const struct imb_lane_list *list, enum imb_class c, enum imb_way way)
{
	bool aes256 = c == IMB_CM_256 || c == IMB_GCM_256;

	if (c < IMB_GCM_128)
		(way == IMB_PROTECT ? lanes_cm_protect : lanes_cm_unprotect)(
			list->jobs, list->n, aes256, q->sha_ni);
	else
		(way == IMB_PROTECT ? lanes_gcm_protect : lanes_gcm_unprotect)(list->jobs, list->n, aes256);
}

void imb_lanes_run(struct crypto_queue *q)
{
	for (int c = 0; c < IMB_CLASSES; c++) {
		for (int way = 0; way < IMB_WAYS; way++) {
			struct imb_lane_list *list = &q->lane_todo[c][way];

			if (!list->n)
				continue;
			sort_if_mixed(list);
			run(q, list, (enum imb_class)c, (enum imb_way)way);
			for (unsigned i = 0; i < list->n; i++)
				q->done[q->done_n++] = list->jobs[i].job;
			q->jobs += list->n;
			q->batches++;
			list->n = 0;
		}
	}
}
