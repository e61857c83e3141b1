/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/libsrtp.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "lib/srtp/be.h"
#include "perf/gen_private.h"
#include "perf/room.h"

#define RUN 512
#define OCTETS ((GEN_RTP + GEN_PAYLOAD_MAX + SRTP_MAX_TRAILER_LEN + 63) / 64 * 64)

struct libsrtp {
	void *library;
	const struct gen *gen;
	uint32_t calls;
	bool protect;
	srtp_t *sessions;
	__typeof__(&srtp_init) init;
	__typeof__(&srtp_shutdown) shutdown;
	__typeof__(&srtp_create) create;
	__typeof__(&srtp_dealloc) dealloc;
	__typeof__(&srtp_protect) run_protect, run_unprotect;
	void (*policy)(srtp_crypto_policy_t *p); /* of the suite */
	int lengths[RUN];
	uint32_t call_of[RUN];
	uint8_t packets[RUN][OCTETS] __attribute__((aligned(64)));
};

static const struct {
	enum srtp_suite suite;
	const char *policy;
} policies[] = {
	{SRTP_AES_CM_128_HMAC_SHA1_80, "srtp_crypto_policy_set_rtp_default"},
	{SRTP_AES_256_CM_HMAC_SHA1_80, "srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80"},
	{SRTP_AEAD_AES_128_GCM, "srtp_crypto_policy_set_aes_gcm_128_16_auth"},
	{SRTP_AEAD_AES_256_GCM, "srtp_crypto_policy_set_aes_gcm_256_16_auth"},
};

static const char *policy_of(enum srtp_suite suite)
{
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		if (policies[i].suite == suite)
			return policies[i].policy;
	return NULL;
}

static int load(struct libsrtp *l, const char *path, const char *policy, struct err *err)
{
	const struct {
		const char *name;
		void *to;
	} symbols[] = {{"srtp_init", &l->init}, {"srtp_shutdown", &l->shutdown}, {"srtp_create", &l->create},
		{"srtp_dealloc", &l->dealloc}, {"srtp_protect", &l->run_protect},
		{"srtp_unprotect", &l->run_unprotect}, {policy, &l->policy}};

	l->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!l->library)
		return err_set(err, ENOENT, "libsrtp2: %s", dlerror());
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *at = dlsym(l->library, symbols[i].name);

		if (!at)
			return err_set(err, ENOENT, "%s has no %s", path, symbols[i].name);
		memcpy(symbols[i].to, &at, sizeof(at));
	}
	return l->init() == srtp_err_status_ok ? 0 : err_set(err, EIO, "%s: srtp_init() failed", path);
}

static int session(struct libsrtp *l, const struct gen *g, uint32_t s)
{
	SECRET_AUTO struct secret master = {0};
	srtp_policy_t policy = {.window_size = 1024};
	int rc = gen_master(g, l->protect, s, l->protect ? DP_KEY_TX : DP_KEY_RX, &master);

	if (rc < 0)
		return rc;
	l->policy(&policy.rtp);
	l->policy(&policy.rtcp);
	policy.ssrc.type = l->protect ? ssrc_any_outbound : ssrc_any_inbound;
	policy.key = master.octets;
	return l->create(&l->sessions[s], &policy) == srtp_err_status_ok ? 0 : -EINVAL;
}

int libsrtp_open(struct libsrtp **out, const char *path, const struct gen *g, bool protect, struct err *err)
{
	const char *policy = policy_of(gen_suite(g, protect));
	struct libsrtp *l = policy ? aligned_alloc(64, (sizeof(*l) + 63) / 64 * 64) : NULL;
	int rc;

	if (!l)
		return err_set(err, policy ? ENOMEM : EINVAL, "libsrtp2: no such suite, or no memory");
	*l = (struct libsrtp){.gen = g, .calls = g->conf.sessions, .protect = protect};
	rc = load(l, path, policy, err);
	if (rc >= 0)
		l->sessions = calloc(l->calls, sizeof(*l->sessions));
	if (rc >= 0 && !l->sessions)
		rc = err_set(err, ENOMEM, "libsrtp2: no memory for %u calls", l->calls);
	for (uint32_t s = 0; s < l->calls && rc >= 0; s++)
		if (session(l, g, s) < 0)
			rc = err_set(
				err, EINVAL, "%s takes no session of this suite (is it over OpenSSL?)", path);
	if (rc < 0)
		libsrtp_close(l);
	else
		*out = l;
	return rc;
}

void libsrtp_close(struct libsrtp *l)
{
	if (!l)
		return;
	for (uint32_t s = 0; l->sessions && s < l->calls; s++)
		if (l->sessions[s])
			l->dealloc(l->sessions[s]);
	free(l->sessions);
	if (l->library) {
		if (l->shutdown)
			l->shutdown();
		dlclose(l->library);
	}
	free(l);
}

static void copy(struct libsrtp *l, unsigned i, struct rte_mbuf *m)
{
	const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct ip_port first = gen_peer(l->gen, 0, 0);

	l->call_of[i] = be32_get(f + FRAME_ETHER + 12) - be32_get(first.ip.octets);
	l->lengths[i] = m->data_len - FRAME_HEADERS_V4;
	memcpy(l->packets[i], f + FRAME_HEADERS_V4, (size_t)l->lengths[i]);
}

unsigned libsrtp_run(struct libsrtp *l, struct rte_mbuf **frames, unsigned n, uint64_t *took)
{
	__typeof__(&srtp_protect) run = l->protect ? l->run_protect : l->run_unprotect;
	unsigned ok = 0;

	for (unsigned first = 0; first < n; first += RUN) {
		unsigned count = n - first < RUN ? n - first : RUN;
		uint64_t began;

		for (unsigned i = 0; i < count; i++)
			copy(l, i, frames[first + i]);
		began = room_cpu_ns();
		for (unsigned i = 0; i < count; i++)
			ok += run(l->sessions[l->call_of[i]], l->packets[i], &l->lengths[i]) ==
			      srtp_err_status_ok;
		*took += room_cpu_ns() - began;
	}
	return ok;
}
