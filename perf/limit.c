/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/limit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"
#include "perf/contender.h"
#include "perf/order.h"
#include "perf/room.h"

#define HEADER 12
#define ROC 4 /* octets behind the packet that some write before they read the tag */
#define CHUNK 64   /* packets to a run, as a busy worker has them */
#define CHUNKS 256 /* to a sample */
#define OCTETS (HEADER + 1400 + CRYPTO_TAILROOM)

struct limit {
	struct bench_load load;
	struct secret *masters;
	struct srtp_session_keys *keys;
	void *bare;
	uint32_t *order, next; /* in which keys are used, every one before one is used again */
	uint16_t seq;
	/* The last chunk is for packets that are not of the sample. */
	struct crypto_job jobs[CHUNKS + 1][CHUNK];
	uint8_t octets[CHUNKS + 1][CHUNK][OCTETS];
};

int limit_open(struct limit **out, enum srtp_suite suite, uint32_t sessions)
{
	struct limit *l = calloc(1, sizeof(*l));
	int rc = l ? 0 : -ENOMEM;

	if (!rc) {
		l->masters = calloc(sessions, sizeof(*l->masters));
		l->keys = calloc(sessions, sizeof(*l->keys));
		l->order = calloc(sessions, sizeof(*l->order));
		rc = l->masters && l->keys && l->order ? 0 : -ENOMEM;
	}
	for (uint32_t s = 0; s < sessions && !rc; s++) {
		rc = secret_random(&l->masters[s], srtp_suite_master_len(srtp_suite_info(suite)));
		rc = rc ? rc : srtp_kdf(suite, &l->masters[s], &l->keys[s]);
	}
	if (!rc) {
		order_shuffle(l->order, sessions);
		l->load = (struct bench_load){
			.suite = suite, .sessions = sessions, .masters = l->masters, .keys = l->keys};
		rc = contender_bare.open(&l->bare, &l->load);
	}
	if (rc) {
		limit_close(l);
		return rc;
	}
	*out = l;
	return 0;
}

void limit_close(struct limit *l)
{
	if (!l)
		return;
	if (l->bare)
		contender_bare.close(l->bare);
	if (l->masters)
		mem_wipe(l->masters, l->load.sessions * sizeof(*l->masters));
	if (l->keys)
		mem_wipe(l->keys, l->load.sessions * sizeof(*l->keys));
	free(l->masters);
	free(l->keys);
	free(l->order);
	free(l);
}

static void fill(struct limit *l, unsigned chunk, unsigned payload)
{
	static const uint8_t header[HEADER] = {0x80, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78};

	for (unsigned i = 0; i < CHUNK; i++) {
		uint8_t *pkt = l->octets[chunk][i];

		memcpy(pkt, header, HEADER);
		pkt[2] = (uint8_t)(l->seq >> 8);
		pkt[3] = (uint8_t)l->seq++;
		l->jobs[chunk][i] = (struct crypto_job){
			.pkt = pkt,
			.tag = pkt + HEADER + payload + ROC,
			.len = (uint16_t)(HEADER + payload),
			.aad_len = HEADER,
			.slot = l->order[l->next],
			.index = 1,
			.tag_len = srtp_suite_info(l->load.suite)->rtp_tag_len,
		};
		l->next = l->next + 1 < l->load.sessions ? l->next + 1 : 0;
	}
}

/* All keys that the sample does not use, so that its own are as far as they are in a worker, where every
 * call's key is used before one is used again. */
static bool others(struct limit *l, unsigned payload)
{
	for (uint32_t done = CHUNKS * CHUNK; done < l->load.sessions; done += CHUNK) {
		fill(l, CHUNKS, payload);
		if (contender_bare.run(l->bare, l->jobs[CHUNKS], CHUNK, true) != CHUNK)
			return false;
	}
	return true;
}

double limit_sample(struct limit *l, unsigned payload, bool protect)
{
	uint64_t spent = 0, began;
	unsigned ok = 0;

	for (unsigned way = 0; way < (protect ? 1 : 2); way++) {
		spent = 0;
		for (unsigned c = 0; c < CHUNKS; c++) {
			if (way == 0)
				fill(l, c, payload);
			/* Near, as packets are that have just come in. */
			for (unsigned i = 0; i < CHUNK; i++)
				for (unsigned at = 0; at < HEADER + payload; at += 64)
					*(volatile uint8_t *)&l->octets[c][i][at];
			began = room_cpu_ns();
			ok += contender_bare.run(l->bare, l->jobs[c], CHUNK, way == 0);
			spent += room_cpu_ns() - began;
		}
		if (way == 0 && !others(l, payload))
			return -1;
	}
	return ok == (protect ? 1 : 2) * CHUNKS * CHUNK ? (double)spent / (CHUNKS * CHUNK) : -1;
}
