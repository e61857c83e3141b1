/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/packet.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/index.h"
#include "lib/srtp/packet_cipher.h"
#include "lib/srtp/replay.h"
#include "lib/srtp/rtcp_hdr.h"
#include "lib/srtp/rtp_hdr.h"

#define WINDOW_DEFAULT 1024
#define SSRC_MAX_DEFAULT 8

/* One SSRC. */
struct stream {
	uint32_t ssrc;
	bool used;
	struct srtp_replay rtp, rtcp;
};

/* All that packets change; the windows' bits follow the streams in the same block. */
struct state {
	uint64_t rtp_packets, rtcp_packets; /* under this key */
	uint32_t srtcp_next;                /* protect */
	uint32_t n_streams;
	struct stream streams[];
};

struct srtp_context {
	const struct srtp_suite_info *suite;
	enum srtp_direction direction;
	bool srtcp_clear;
	uint8_t mki_len;
	uint8_t mki[SRTP_MKI_MAX];
	uint64_t rtp_packets_max, rtcp_packets_max;
	uint64_t failures;
	struct packet_cipher rtp, rtcp;
	struct state *state;
	size_t state_len;
};

static struct state *state_alloc(uint32_t streams, uint32_t window, size_t *len)
{
	size_t words = srtp_replay_words(window);
	size_t head = sizeof(struct state) + streams * sizeof(struct stream);
	size_t n = head + 2 * streams * words * sizeof(uint64_t);
	struct state *st = calloc(1, n);

	if (!st)
		return NULL;
	uint64_t *bits = (uint64_t *)((char *)st + head);

	st->n_streams = streams;
	for (uint32_t i = 0; i < streams; i++) {
		srtp_replay_init(&st->streams[i].rtp, bits + 2 * i * words, window);
		srtp_replay_init(&st->streams[i].rtcp, bits + (2 * i + 1) * words, window);
	}
	*len = n;
	return st;
}

static uint64_t limit(uint64_t wanted, uint64_t most)
{
	return wanted && wanted < most ? wanted : most;
}

int srtp_context_alloc(struct srtp_context **out, const struct srtp_context_conf *conf)
{
	const struct srtp_suite_info *s = srtp_suite_info(conf->suite);
	uint32_t window = conf->replay_window ? conf->replay_window : WINDOW_DEFAULT;
	uint32_t streams = conf->ssrc_max ? conf->ssrc_max : SSRC_MAX_DEFAULT;
	SRTP_SESSION_KEYS_AUTO struct srtp_session_keys keys = {0};

	if (!s || !srtp_replay_words(window) || streams > UINT16_MAX || conf->mki_len > SRTP_MKI_MAX ||
		(conf->mki_len && !conf->mki))
		return -EINVAL;
	int err = srtp_kdf(conf->suite, conf->master, &keys);

	if (err)
		return err;
	struct srtp_context *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	c->suite = s;
	c->direction = conf->direction;
	c->srtcp_clear = conf->srtcp_clear;
	c->mki_len = conf->mki_len;
	if (conf->mki_len)
		memcpy(c->mki, conf->mki, conf->mki_len);
	c->rtp_packets_max = limit(conf->rtp_packets_max, s->rtp_packets_max);
	c->rtcp_packets_max = limit(conf->rtcp_packets_max, s->rtcp_packets_max);
	c->state = state_alloc(streams, window, &c->state_len);
	err = -ENOMEM;
	if (!c->state)
		goto out;
	err = packet_cipher_init(&c->rtp, s, &keys.rtp, false);
	if (!err)
		err = packet_cipher_init(&c->rtcp, s, &keys.rtcp, true);
out:
	if (err)
		srtp_context_free(c);
	else
		*out = c;
	return err;
}

void srtp_context_free(struct srtp_context *c)
{
	if (!c)
		return;
	packet_cipher_wipe(&c->rtp);
	packet_cipher_wipe(&c->rtcp);
	free(c->state);
	mem_wipe(c, sizeof *c);
	free(c);
}

size_t srtp_context_overhead(const struct srtp_context *c)
{
	return c->mki_len + (size_t)SRTCP_INDEX_OCTETS + c->suite->rtcp_tag_len;
}

const void *srtp_context_state(const struct srtp_context *c, size_t *n)
{
	*n = c->state_len;
	return c->state;
}

uint64_t srtp_context_failures(const struct srtp_context *c)
{
	return c->failures;
}

/* The SSRC's stream, or a free one for it that becomes its own when it is marked used; NULL when there is
 * none. */
static struct stream *stream_find(struct state *st, uint32_t ssrc)
{
	struct stream *free_stream = NULL;

	for (uint32_t i = 0; i < st->n_streams; i++) {
		struct stream *s = &st->streams[i];

		if (s->used && s->ssrc == ssrc)
			return s;
		if (!s->used && !free_stream)
			free_stream = s;
	}
	return free_stream;
}

static void stream_commit(struct stream *s, uint32_t ssrc, struct srtp_replay *window, uint64_t index)
{
	s->ssrc = ssrc;
	s->used = true;
	srtp_replay_commit(window, index);
}

static int peek(const struct srtp_replay *window, uint64_t index)
{
	switch (srtp_replay_peek(window, index)) {
	case SRTP_REPLAY_SEEN:
		return -EALREADY;
	case SRTP_REPLAY_OLD:
		return -ESTALE;
	default:
		return 0;
	}
}

/* Behind the payload: AEAD puts the tag before index and MKI, HMAC after them. */
struct trailer {
	uint8_t *word; /* SRTCP index; not used for SRTP */
	uint8_t *mki;
	uint8_t *tag;
};

static struct trailer trailer_at(
	const struct srtp_context *c, uint8_t *end, unsigned word_len, unsigned tag_len)
{
	if (c->suite->cipher == SRTP_CIPHER_GCM)
		return (struct trailer){.tag = end, .word = end + tag_len, .mki = end + tag_len + word_len};
	return (struct trailer){.word = end, .mki = end + word_len, .tag = end + word_len + c->mki_len};
}

int srtp_context_protect(struct srtp_context *c, uint8_t *p, size_t *n, size_t cap)
{
	unsigned tag_len = c->rtp.tag_len;
	struct rtp_hdr h;

	if (c->direction != SRTP_PROTECT)
		return -EPERM;
	if (rtp_hdr_parse(p, *n, &h))
		return -EBADMSG;
	if (cap < *n + srtp_context_overhead(c))
		return -ENOSPC;
	if (c->state->rtp_packets >= c->rtp_packets_max)
		return -EKEYEXPIRED;
	struct stream *s = stream_find(c->state, h.ssrc);

	if (!s)
		return -EUSERS;
	uint64_t index = srtp_replay_empty(&s->rtp)
				 ? srtp_index_first(h.seq, 0)
				 : srtp_index_estimate(srtp_replay_highest(&s->rtp), h.seq);

	if (index == SRTP_INDEX_NONE)
		return -EKEYEXPIRED;
	int err = peek(&s->rtp, index);

	if (err)
		return err;
	struct trailer t = trailer_at(c, p + *n, 0, tag_len);
	const struct packet_job job = {.p = p,
		.clear = h.len,
		.n = *n,
		.ssrc = h.ssrc,
		.index = index,
		.word = srtp_index_roc(index)};

	/* Before the cipher runs: an index that went into a keystream is used up, even if OpenSSL fails
	 * behind it. */
	stream_commit(s, h.ssrc, &s->rtp, index);
	c->state->rtp_packets++;
	err = packet_seal(&c->rtp, &job, t.tag);
	if (err)
		return err;
	memcpy(t.mki, c->mki, c->mki_len);
	*n += tag_len + c->mki_len;
	return 0;
}

/* Tries the indexes that the packet may have; *index is the one that opened it. */
static int rtp_open(struct srtp_context *c, const struct stream *s, struct packet_job *job, uint16_t seq,
	const uint8_t *tag)
{
	bool first = srtp_replay_empty(&s->rtp);
	unsigned tries = first ? srtp_index_first_tries(seq) : 1;
	int err = -EACCES;

	for (unsigned i = 0; i < tries && err == -EACCES; i++) {
		job->index = first ? srtp_index_first(seq, i)
				   : srtp_index_estimate(srtp_replay_highest(&s->rtp), seq);
		if (job->index == SRTP_INDEX_NONE)
			return -EKEYEXPIRED;
		err = peek(&s->rtp, job->index);
		if (err)
			return err;
		job->word = srtp_index_roc(job->index);
		err = packet_open(&c->rtp, job, tag);
	}
	return err;
}

int srtp_context_unprotect(struct srtp_context *c, uint8_t *p, size_t *n)
{
	size_t trailer_len = c->rtp.tag_len + (size_t)c->mki_len;
	struct rtp_hdr h;

	if (c->direction != SRTP_UNPROTECT)
		return -EPERM;
	if (*n < trailer_len || rtp_hdr_parse(p, *n - trailer_len, &h))
		return -EBADMSG;
	struct trailer t = trailer_at(c, p + *n - trailer_len, 0, c->rtp.tag_len);

	if (memcmp(t.mki, c->mki, c->mki_len))
		return -ENOKEY;
	if (c->state->rtp_packets >= c->rtp_packets_max)
		return -EKEYEXPIRED;
	struct stream *s = stream_find(c->state, h.ssrc);

	if (!s)
		return -EUSERS;
	struct packet_job job = {.p = p, .clear = h.len, .n = *n - trailer_len, .ssrc = h.ssrc};
	int err = rtp_open(c, s, &job, h.seq, t.tag);

	if (err) {
		c->failures += err == -EACCES;
		return err;
	}
	stream_commit(s, h.ssrc, &s->rtp, job.index);
	c->state->rtp_packets++;
	*n -= trailer_len;
	return 0;
}

static struct packet_job rtcp_job(uint8_t *p, size_t n, uint32_t ssrc, uint32_t word)
{
	return (struct packet_job){
		.p = p,
		.clear = RTCP_HDR_LEN,
		.n = n,
		.ssrc = ssrc,
		.index = word & SRTCP_INDEX_MAX,
		.word = word,
		.word_in_aad = true,
		.plain = !(word & SRTCP_E_FLAG),
	};
}

int srtp_context_protect_rtcp(struct srtp_context *c, uint8_t *p, size_t *n, size_t cap)
{
	uint32_t ssrc, index;

	if (c->direction != SRTP_PROTECT)
		return -EPERM;
	if (rtcp_first_ssrc(p, *n, &ssrc) || *n > UINT16_MAX)
		return -EBADMSG;
	if (cap < *n + srtp_context_overhead(c))
		return -ENOSPC;
	if (c->state->rtcp_packets >= c->rtcp_packets_max || !srtcp_index_take(&c->state->srtcp_next, &index))
		return -EKEYEXPIRED;
	uint32_t word = index | (c->srtcp_clear ? 0 : SRTCP_E_FLAG);
	struct trailer t = trailer_at(c, p + *n, SRTCP_INDEX_OCTETS, c->rtcp.tag_len);
	const struct packet_job job = rtcp_job(p, *n, ssrc, word);

	c->state->rtcp_packets++;
	int err = packet_seal(&c->rtcp, &job, t.tag);

	if (err)
		return err;
	be32_put(t.word, word);
	memcpy(t.mki, c->mki, c->mki_len);
	*n += srtp_context_overhead(c);
	return 0;
}

int srtp_context_unprotect_rtcp(struct srtp_context *c, uint8_t *p, size_t *n)
{
	size_t trailer_len = srtp_context_overhead(c);
	uint32_t ssrc;

	if (c->direction != SRTP_UNPROTECT)
		return -EPERM;
	if (*n > UINT16_MAX || *n < trailer_len || rtcp_first_ssrc(p, *n - trailer_len, &ssrc))
		return -EBADMSG;
	struct trailer t = trailer_at(c, p + *n - trailer_len, SRTCP_INDEX_OCTETS, c->rtcp.tag_len);

	if (memcmp(t.mki, c->mki, c->mki_len))
		return -ENOKEY;
	if (c->state->rtcp_packets >= c->rtcp_packets_max)
		return -EKEYEXPIRED;
	struct stream *s = stream_find(c->state, ssrc);

	if (!s)
		return -EUSERS;
	struct srtp_replay *window = &s->rtcp;
	const struct packet_job job = rtcp_job(p, *n - trailer_len, ssrc, be32_get(t.word));
	int err = peek(window, job.index);

	if (!err)
		err = packet_open(&c->rtcp, &job, t.tag);
	if (err) {
		c->failures += err == -EACCES;
		return err;
	}
	stream_commit(s, ssrc, window, job.index);
	c->state->rtcp_packets++;
	*n -= trailer_len;
	return 0;
}
