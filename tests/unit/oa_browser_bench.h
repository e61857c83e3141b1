/* SPDX-License-Identifier: Apache-2.0 */
/* A leg towards a browser, and descriptions as Chromium wrote them (tests/browser/sdp). */
#pragma once

#include "controlplane/keys/dtls_srtp.h"
#include "tests/unit/oa_bench.h"

#define FP                                                                                                   \
	"a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:"      \
	"7D:46:3F:54:42:CD:54:F1\r\n"

static struct dtls_terms terms;
static struct oa_policy browser;

static inline int setup(void **state)
{
	(void)state;
	terms = (struct dtls_terms){.hash = DTLS_SHA256};
	browser = (struct oa_policy){
		.security = OA_SECURITY_REQUIRED,
		.mux = OA_MUX_OFFER,
		.method = &agreement_dtls,
		.keying = {.suites = gcm_cm, .n_suites = 2, .dtls = &terms},
	};
	return dtls_identity_make(&terms.identity, NULL);
}

static inline int setup_ice(void **state)
{
	int rc = setup(state);

	browser.ice = true;
	return rc;
}

static inline int teardown(void **state)
{
	(void)state;
	dtls_identity_unref(terms.identity);
	return 0;
}

/* A description from tests/browser/sdp. */
static inline char *written(const char *name)
{
	static char text[OA_BODY_MAX];
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, BROWSER_SDP "/%s.sdp", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be read", path);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* Has `text` the whole line? */
static inline bool has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at && !strncmp(at + strlen(line), "\r\n", 2);
}

/* How often does text say part? */
static inline unsigned times(const char *text, const char *part)
{
	unsigned n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		n++;
	}
	return n;
}
