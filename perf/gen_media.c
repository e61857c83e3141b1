/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of media: sizes, clocks, and a payload that says which packet it is. */
#include <errno.h>
#include <string.h>

#include "lib/srtp/be.h"
#include "perf/gen_private.h"

#define G711_OCTETS 160
#define G729_OCTETS 20
#define VIDEO_OCTETS 1200
#define VIDEO_LAST_MIN 20
#define AUDIO_HEAD 12 /* octets: call, number, serial */
#define VIDEO_HEAD 18 /* and picture and place */
#define KEY_PICTURE_EVERY 100
#define KEY_PICTURE_PACKETS 20

static const struct {
	const char *name;
	uint8_t payload_type;
	uint32_t clock_hz, ts_step;
} kinds[] = {
	[GEN_G711] = {"g711", 0, 8000, 160},
	[GEN_G729] = {"g729", 18, 8000, 160},
	[GEN_VIDEO] = {"video", 97, 90000, 3600},
	[GEN_MIX] = {"mix", 0, 0, 0},
};

int gen_media_parse(const char *name, enum gen_media *out)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(name, kinds[i].name)) {
			*out = (enum gen_media)i;
			return 0;
		}
	}
	return -EINVAL;
}

enum gen_media gen_media_of(const struct gen_conf *conf, uint32_t s)
{
	if (conf->media != GEN_MIX)
		return conf->media;
	return s % 10 == 0 ? GEN_VIDEO : s % 10 == 1 ? GEN_G729 : GEN_G711;
}

uint32_t gen_clock_hz(enum gen_media media)
{
	return kinds[media].clock_hz;
}

uint8_t gen_payload_type(enum gen_media media)
{
	return kinds[media].payload_type;
}

uint32_t gen_ts_step(enum gen_media media)
{
	return kinds[media].ts_step;
}

static uint32_t mixed(uint32_t a, uint32_t b)
{
	uint32_t h = a * 0x9e3779b1u + b * 0x85ebca77u;

	h = (h ^ h >> 15) * 0x2c1b3c6du;
	return h ^ h >> 13;
}

uint16_t gen_picture_packets(enum gen_media media, uint32_t call, uint32_t picture)
{
	if (media != GEN_VIDEO)
		return 1;
	/* Key pictures of different calls at different times, as in life. */
	if ((picture + call) % KEY_PICTURE_EVERY == 0)
		return KEY_PICTURE_PACKETS;
	return (uint16_t)(3 + mixed(call, picture) % 6);
}

bool gen_marker(enum gen_media media, const struct gen_packet *p)
{
	return media == GEN_VIDEO && p->place + 1 == gen_picture_packets(media, p->call, p->picture);
}

uint16_t gen_payload_len(const struct gen *g, enum gen_media media, const struct gen_packet *p)
{
	if (media == GEN_G729)
		return G729_OCTETS;
	if (media == GEN_G711)
		return g->conf.payload ? g->conf.payload : G711_OCTETS;
	if (p->place + 1 < gen_picture_packets(media, p->call, p->picture))
		return VIDEO_OCTETS;
	return (uint16_t)(VIDEO_LAST_MIN + mixed(p->picture, p->call) % (VIDEO_OCTETS - VIDEO_LAST_MIN + 1));
}

void gen_payload_make(uint8_t *at, uint16_t n, enum gen_media media, const struct gen_packet *p)
{
	uint16_t head = media == GEN_VIDEO ? VIDEO_HEAD : AUDIO_HEAD;

	be32_put(at, p->call);
	be32_put(at + 4, p->number);
	be32_put(at + 8, p->serial);
	if (media == GEN_VIDEO) {
		be32_put(at + 12, p->picture);
		be16_put(at + 16, p->place);
	}
	for (uint16_t i = head; i < n; i++)
		at[i] = (uint8_t)(p->call * 7 + p->number + p->serial * 3 + i);
}

bool gen_payload_read(const uint8_t *at, size_t n, enum gen_media media, struct gen_packet *p)
{
	if (n < (media == GEN_VIDEO ? VIDEO_HEAD : AUDIO_HEAD))
		return false;
	*p = (struct gen_packet){
		.call = be32_get(at),
		.number = be32_get(at + 4),
		.serial = be32_get(at + 8),
	};
	p->picture = media == GEN_VIDEO ? be32_get(at + 12) : p->number;
	p->place = media == GEN_VIDEO ? be16_get(at + 16) : 0;
	return true;
}
