/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS-SRTP for srtp_peer: handshakes with the gateway's own code, so that a test knows the keys of both ends. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/dtls/identity.h"
#include "controlplane/dtls/module.h"
#include "lib/base/clock.h"
#include "tests/support/srtp_peer.h"

static const enum srtp_suite suites[] = {
	SRTP_AEAD_AES_256_GCM, SRTP_AEAD_AES_128_GCM, SRTP_AES_CM_128_HMAC_SHA1_80};

static struct ip_port place_of(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
	struct ip_port p = {.ip.family = IP_V4, .port = ntohs(v4->sin_port)};

	memcpy(p.ip.octets, &v4->sin_addr, 4);
	return p;
}

static void send_out(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	struct peer *p = arg;

	(void)to; /* the one that it was opened with */
	(void)!sendto(p->fd[0], octets, n, 0, (struct sockaddr *)&p->remote[0], p->remote_len);
}

const char *peer_dtls_identity(struct peer *p)
{
	static char text[DTLS_FINGERPRINT_TEXT];
	struct wbuf w = wbuf_make(text, sizeof text - 1);
	struct dtls_fingerprint f;

	/* A hello that overtakes the next answer is not to be shown the last certificate. */
	if (p->dtls.association && !p->dtls.taken) {
		dtls_association_close(p->dtls.association);
		p->dtls.association = NULL;
	}
	dtls_identity_unref(p->dtls.identity);
	p->dtls.identity = NULL;
	if (dtls_identity_make(&p->dtls.identity, NULL) < 0 ||
		dtls_identity_fingerprint(p->dtls.identity, DTLS_SHA256, &f) < 0)
		return NULL;
	dtls_fingerprint_print(&w, &f);
	text[w.len] = '\0';
	return text;
}

static const char *choose_backend(struct peer_dtls *d, const char *file)
{
	static const struct dtls_module *module;
	struct err e = {0};

	d->backend = &dtls_openssl;
	if (!file)
		return NULL;
	if (!module && dtls_module_open(file, &module, &e) < 0)
		return "the module cannot be loaded";
	d->backend = module->backend;
	return NULL;
}

const char *peer_dtls_open(struct peer *p, bool client, const char *fingerprint, const char *module)
{
	struct peer_dtls *d = &p->dtls;
	struct dtls_association_conf conf = {
		.dtls = {.role = client ? DTLS_CLIENT : DTLS_SERVER,
			.identity = d->identity,
			.suites = suites,
			.n_suites = sizeof suites / sizeof *suites,
			.n_peer = 1,
			.max = module ? DTLS_1_3 : DTLS_1_2,
			.remote = place_of(&p->remote[0])},
		.any_port = true,
		.output = send_out,
		.arg = p,
	};
	const char *why = choose_backend(d, module);

	if (why)
		return why;
	if (!d->identity || p->remote_len == 0 || p->remote[0].ss_family != AF_INET)
		return "identity and remote come before it";
	if (dtls_fingerprint_parse(str_z(fingerprint), &conf.dtls.peer[0]) < 0)
		return "not a fingerprint";
	dtls_association_close(d->association);
	d->taken = false;
	return dtls_association_new(d->backend, &conf, &d->association, NULL) < 0 ? "no association" : NULL;
}

static void hex(char *out, const struct secret *s)
{
	for (unsigned i = 0; i < s->len; i++)
		sprintf(out + 2 * i, "%02x", s->octets[i]);
}

static void look(struct peer *p)
{
	struct peer_dtls *d = &p->dtls;
	const struct dtls_result *r = dtls_association_result(d->association);

	if (d->taken || r->state != DTLS_ESTABLISHED)
		return;
	d->taken = true;
	snprintf(d->version, sizeof d->version, "%s", r->version);
	snprintf(d->suite, sizeof d->suite, "%s", srtp_suite_info(r->suite)->name);
	hex(d->tx, &r->tx);
	hex(d->rx, &r->rx);
	peer_take_key(p, false, d->suite, d->rx, "");
	peer_take_key(p, true, d->suite, d->tx, "");
	d->established++;
}

void peer_dtls_input(struct peer *p, const struct sockaddr_storage *from, const uint8_t *octets, size_t n)
{
	struct ip_port place = place_of(from);

	if (!p->dtls.association)
		return;
	dtls_association_input(p->dtls.association, &place, octets, n);
	look(p);
}

void peer_dtls_tick(struct peer *p)
{
	if (!p->dtls.association || peer_dtls_wait_ms(p) != 0)
		return;
	dtls_association_tick(p->dtls.association);
	look(p);
}

int peer_dtls_wait_ms(const struct peer *p)
{
	uint64_t due = p->dtls.association ? dtls_association_deadline(p->dtls.association) : 0, now = clock_mono_ns();

	return !due ? -1 : due <= now ? 0 : (int)((due - now) / NS_PER_MS + 1);
}
