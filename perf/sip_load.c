/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "perf/sip_load.h"

#define KEY_TEXT 60 /* base64 of 32 octets of key and 12 of salt, padding included */

/* Keys that protect nothing: no media flows. They need only be different. */
static void make_key(struct load *l, char text[KEY_TEXT + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (unsigned i = 0; i < KEY_TEXT - 2; i++) {
		l->random ^= l->random << 13;
		l->random ^= l->random >> 7;
		l->random ^= l->random << 17;
		text[i] = digits[l->random >> 58];
	}
	text[KEY_TEXT - 2] = "AEIMQUYcgkosw048"[l->random >> 20 & 15]; /* two bits of it are padding */
	text[KEY_TEXT - 1] = '=';
	text[KEY_TEXT] = 0;
}

static size_t describe(struct load *l, const struct ip_port *at, char *out, size_t room)
{
	char ip[IP_TEXT_MAX], key[KEY_TEXT + 1];

	make_key(l, key);
	ip_text(&at->ip, ip);
	return (size_t)snprintf(out, room,
		"v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 40000 RTP/SAVP 0 8 "
		"101\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=crypto:1 AEAD_AES_256_GCM inline:%s\r\n",
		ip, ip, key);
}

static struct str field(struct str m, const char *name) /* name: "\r\nVia:" */
{
	const char *p = memmem(m.p, m.n, name, strlen(name));

	if (!p)
		return (struct str){"", 0};
	struct str rest = {p + strlen(name), m.n - (size_t)(p - m.p) - strlen(name)};

	return str_trim(str_cut(&rest, '\r'));
}

/* All lines of one header field, as a response repeats them; name: "\r\nVia:". How many octets. */
static size_t repeat(struct str m, const char *name, char *out, size_t room)
{
	size_t n = 0, name_n = strlen(name);

	for (const char *p; n < room && (p = memmem(m.p, m.n, name, name_n));) {
		struct str rest = {p + 2, m.n - (size_t)(p + 2 - m.p)};
		struct str line = str_cut(&rest, '\r');

		n += (size_t)snprintf(out + n, room - n, "%.*s\r\n", STR_ARG(line));
		m = (struct str){line.p + line.n, m.n - (size_t)(line.p + line.n - m.p)};
	}
	return n < room ? n : 0;
}

static uint64_t number_at(const char *p)
{
	return strtoull(p, NULL, 10);
}

bool load_call(struct load *l, bool held)
{
	char body[512], text[1600], here[IP_PORT_TEXT_MAX];

	if (!l->frees)
		return false;
	uint32_t i = l->free[--l->frees];
	struct load_call *c = &l->call[i];
	size_t n = describe(l, &l->local, body, sizeof body);

	*c = (struct load_call){.serial = ++l->serial, .state = LOAD_CALLING, .held = held};
	ip_port_text(&l->local, here);
	int all = snprintf(text, sizeof text,
		"INVITE sip:+49%06" PRIu32 "@gateway SIP/2.0\r\nVia: SIP/2.0/TLS %s;branch=z9hG4bK%" PRIu32
		"\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:+1@%s>;tag=%" PRIu32 "\r\nTo: <sip:+49%06" PRIu32
		"@gateway>\r\n"
		"Call-ID: %" PRIu32 "-%" PRIu32
		"@load\r\nCSeq: 1 INVITE\r\nContact: <sip:load@%s;transport=tls>\r\n"
		"Supported: timer\r\nSession-Expires: 1800\r\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n"
		"Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		i, here, c->serial, here, c->serial, i, i, c->serial, here, n, body);

	c->invited_ns = clock_mono_ns();
	l->begun++;
	wire_say(l->caller, (struct str){text, (size_t)all});
	return true;
}

static void in_dialog(struct load *l, uint32_t i, const char *method, unsigned cseq)
{
	const struct load_call *c = &l->call[i];
	char text[1024], here[IP_PORT_TEXT_MAX];

	ip_port_text(&l->local, here);
	int n = snprintf(text, sizeof text,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/TLS %s;branch=z9hG4bK%s%" PRIu32
		"\r\nMax-Forwards: 70\r\n%s%s%s"
		"From: <sip:+1@%s>;tag=%" PRIu32 "\r\nTo: <sip:+49%06" PRIu32 "@gateway>;tag=%s\r\n"
		"Call-ID: %" PRIu32 "-%" PRIu32 "@load\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
		method, c->target, here, method, c->serial, *c->route ? "Route: " : "", c->route,
		*c->route ? "\r\n" : "", here, c->serial, i, c->tag, i, c->serial, cseq, method);

	wire_say(l->caller, (struct str){text, (size_t)n});
}

static void hang_up(struct load *l, uint32_t i)
{
	l->call[i].state = LOAD_LEAVING;
	in_dialog(l, i, "BYE", 2);
}

static void over(struct load *l, uint32_t i)
{
	l->call[i].state = LOAD_FREE;
	l->free[l->frees++] = i;
}

static void answered(struct load *l, uint32_t i, struct str m, uint64_t at)
{
	struct load_call *c = &l->call[i];
	struct str to = field(m, "\r\nTo:"), contact = field(m, "\r\nContact:");
	const char *tag = memmem(to.p, to.n, ";tag=", 5);

	c->inside_ns += at - c->answered_ns;
	str_cut(&contact, '<');
	if (!tag ||
		str_copy(c->tag, sizeof c->tag, (struct str){tag + 5, to.n - (size_t)(tag + 5 - to.p)}) < 0 ||
		str_copy(c->target, sizeof c->target, str_cut(&contact, '>')) < 0 ||
		str_copy(c->route, sizeof c->route, field(m, "\r\nRecord-Route:")) < 0) {
		l->failed++;
		over(l, i);
		return;
	}
	c->state = LOAD_UP;
	l->answered++;
	if (l->delays < l->delays_max)
		l->delay_us[l->delays++] =
			(uint32_t)((l->dialled_ns ? at - l->dialled_ns : c->inside_ns) / 1000);
	in_dialog(l, i, "ACK", 1);
	if (c->held)
		l->on_hold++;
	else
		hang_up(l, i);
}

/* The ACK is hop by hop: the INVITE's branch, the refusal's To (RFC 3261 clause 17.1.1.3). */
static void refused(struct load *l, uint32_t i, struct str m, unsigned status)
{
	const struct load_call *c = &l->call[i];
	char text[1024], here[IP_PORT_TEXT_MAX];

	ip_port_text(&l->local, here);
	int n = snprintf(text, sizeof text,
		"ACK sip:+49%06" PRIu32 "@gateway SIP/2.0\r\nVia: SIP/2.0/TLS %s;branch=z9hG4bK%" PRIu32
		"\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:+1@%s>;tag=%" PRIu32 "\r\nTo: %.*s\r\nCall-ID: %" PRIu32
		"-%" PRIu32 "@load\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
		i, here, c->serial, here, c->serial, STR_ARG(field(m, "\r\nTo:")), i, c->serial);

	wire_say(l->caller, (struct str){text, (size_t)n});
	l->last_status = status;
	l->failed++;
	over(l, i);
}

/* What the caller hears. */
static void response(struct load *l, struct str m, unsigned status, uint64_t at)
{
	struct str id = field(m, "\r\nCall-ID:"), cseq = field(m, "\r\nCSeq:");
	const char *dash = memchr(id.p, '-', id.n);
	uint64_t i = number_at(id.p);

	if (status < 200 || !dash || i >= LOAD_CALLS_MAX || l->call[i].serial != number_at(dash + 1))
		return;
	struct load_call *c = &l->call[i];

	if (c->state == LOAD_CALLING && number_at(cseq.p) == 1) {
		if (status < 300) {
			answered(l, (uint32_t)i, m, at);
			return;
		}
		refused(l, (uint32_t)i, m, status);
	} else if (c->state == LOAD_LEAVING && number_at(cseq.p) == 2) {
		if (status < 300) {
			l->ended++;
		} else {
			l->last_status = status;
			l->failed++;
		}
		over(l, (uint32_t)i);
	}
}

/* A response with what it must repeat of the request (RFC 3261 clause 8.2.6), and more header fields and a
 * body. */
static void reply(struct wire_conn *to, struct str m, const char *status, const char *more, struct str body)
{
	char text[3072], ways[1024];
	struct str from = field(m, "\r\nFrom:"), party = field(m, "\r\nTo:");
	size_t ways_n = repeat(m, "\r\nVia:", ways, sizeof ways);

	repeat(m, "\r\nRecord-Route:", ways + ways_n, sizeof ways - ways_n);
	bool tagged = memmem(party.p, party.n, ";tag=", 5) != NULL;
	int n = snprintf(text, sizeof text,
		"SIP/2.0 %s\r\n%sFrom: %.*s\r\nTo: %.*s%s\r\nCall-ID: %.*s\r\nCSeq: "
		"%.*s\r\n%sContent-Length: %zu\r\n\r\n"
		"%.*s",
		status, ways, STR_ARG(from), STR_ARG(party), tagged ? "" : ";tag=called",
		STR_ARG(field(m, "\r\nCall-ID:")), STR_ARG(field(m, "\r\nCSeq:")), more, body.n,
		STR_ARG(body));

	if (n > 0 && (size_t)n < sizeof text)
		wire_say(to, (struct str){text, (size_t)n});
}

/* A called party rings and answers at once. */
static void invited(struct load *l, struct wire_conn *c, struct str m, uint64_t at)
{
	static const char scheme[] = "INVITE sip:+49";
	char body[512], more[320], here[IP_PORT_TEXT_MAX];
	uint64_t i = m.n > sizeof scheme && !memcmp(m.p, scheme, sizeof scheme - 1)
			     ? number_at(m.p + sizeof scheme - 1)
			     : LOAD_CALLS_MAX;
	bool timers = memmem(m.p, m.n, "\r\nSession-Expires:", 18) != NULL;
	size_t n = describe(l, &l->called, body, sizeof body);

	if (i < LOAD_CALLS_MAX && l->call[i].state == LOAD_CALLING)
		l->call[i].inside_ns = at - l->call[i].invited_ns;
	ip_port_text(&l->called, here);
	snprintf(more, sizeof more, "Contact: <sip:called@%s;transport=tls>\r\n", here);
	reply(c, m, "180 Ringing", more, (struct str){"", 0});
	snprintf(more, sizeof more,
		"Contact: <sip:called@%s;transport=tls>\r\n%sContent-Type: application/sdp\r\n"
		"Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n",
		here, timers ? "Require: timer\r\nSession-Expires: 1800;refresher=uac\r\n" : "");
	if (i < LOAD_CALLS_MAX)
		l->call[i].answered_ns = clock_mono_ns();
	reply(c, m, "200 OK", more, (struct str){body, n});
}

static void heard(void *arg, struct wire_conn *c, struct str m)
{
	struct load *l = arg;
	uint64_t at = c->arrived_ns;

	if (str_starts(m, STR("SIP/2.0 ")))
		response(l, m, (unsigned)number_at(m.p + 8), at);
	else if (str_starts(m, STR("INVITE ")))
		invited(l, c, m, at);
	else if (str_starts(m, STR("BYE ")) || str_starts(m, STR("OPTIONS ")))
		reply(c, m, "200 OK", "", (struct str){"", 0});
	else if (!str_starts(m, STR("ACK ")))
		reply(c, m, "501 Not Implemented", "", (struct str){"", 0});
}

int load_open(struct load *l, const char *certificate, const char *key, const char *ca,
	const struct ip_port *local, const struct ip_port *called, const struct ip_port *gateway)
{
	*l = (struct load){.local = *local, .called = *called, .gateway = *gateway, .random = clock_mono_ns() | 1};
	l->call = calloc(LOAD_CALLS_MAX, sizeof *l->call);
	l->free = calloc(LOAD_CALLS_MAX, sizeof *l->free);
	if (!l->call || !l->free)
		return -1;
	for (uint32_t i = 0; i < LOAD_CALLS_MAX; i++)
		l->free[l->frees++] = LOAD_CALLS_MAX - 1 - i;
	l->wire.message = heard;
	l->wire.arg = l;
	if (wire_open(&l->wire, certificate, key, ca) < 0 || wire_listen(&l->wire, called) < 0)
		return -1;
	l->caller = wire_connect(&l->wire, local, gateway);
	return l->caller ? 0 : -1;
}

void load_close(struct load *l)
{
	wire_close(&l->wire);
	free(l->call);
	free(l->free);
	free(l->delay_us);
}

void load_dial(struct load *l)
{
	if (l->caller)
		wire_hang_up(l->caller);
	l->dialled_ns = clock_mono_ns();
	l->caller = wire_connect(&l->wire, &l->local, &l->gateway);
	if (l->caller) {
		load_call(l, false);
		return;
	}
	l->begun++;
	l->failed++;
}

bool load_let_go(struct load *l)
{
	static uint32_t from; /* where the last one was found: each is visited once */

	for (uint32_t n = 0; l->on_hold && n < LOAD_CALLS_MAX; n++, from = (from + 1) % LOAD_CALLS_MAX) {
		if (l->call[from].state == LOAD_UP && l->call[from].held) {
			l->on_hold--;
			hang_up(l, from);
			return true;
		}
	}
	return false;
}

void load_measure(struct load *l, uint32_t at_most)
{
	free(l->delay_us);
	l->delay_us = calloc(at_most, sizeof *l->delay_us);
	l->delays_max = l->delay_us ? at_most : 0;
	l->delays = 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

uint32_t load_delay(struct load *l, double part)
{
	if (!l->delays)
		return 0;
	qsort(l->delay_us, l->delays, sizeof *l->delay_us, by_value);
	return l->delay_us[(uint32_t)(part * (l->delays - 1))];
}
