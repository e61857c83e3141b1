/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS contexts of a configuration's profiles: one for listeners and one for connections that we open, each
 * made once however many trunks share it, and handed on from one configuration to the next.
 *
 * A profile whose certificate or key was renewed keeps its contexts, which show the new certificate from the
 * commit on. One whose trust or policy changed gets new contexts, so that calls to come verify anew instead of
 * using connections that were verified under the old rules.
 */
#pragma once

#include <stdbool.h>

#include "controlplane/certs/cert.h"
#include "controlplane/certs/cert_watch.h"
#include "controlplane/config/config.h"
#include "controlplane/sip/tls.h"
#include "lib/base/err.h"

struct tls_profiles; /* opaque */

/*
 * Reads the files of profiles that are new, that changed, or whose files did; of all with `reload`. before may
 * be NULL. Nothing that runs is changed. e: YANG path, file and reason.
 */
int tls_profiles_prepare(const struct tls_profiles *before, const struct config *c, bool reload,
	struct tls_profiles **out, struct err *e);
/* Renewed certificates are shown from now on; what was read is logged. Cannot fail. */
void tls_profiles_commit(struct tls_profiles *t);
/* Logs what some peers may not like of the files that prepare read; a commit does so, too. */
void tls_profiles_warn(const struct tls_profiles *t);
void tls_profiles_free(struct tls_profiles *t); /* NULL is ignored */

/* p: of the configuration that t was made for; NULL gives NULL. Borrowed. */
struct tls_ctx *tls_profiles_server(const struct tls_profiles *t, const struct config_tls_profile *p);
struct tls_ctx *tls_profiles_client(const struct tls_profiles *t, const struct config_tls_profile *p);

/* One profile's certificate. Borrowed. */
struct tls_profile_state {
	const char *name, *file;
	const struct cert_info *cert;
	unsigned use;           /* bits of enum cert_use */
	bool renewed;           /* it is another one than in the tls_profiles before */
	struct cert_said *said; /* of its end; the reader's to keep */
};
unsigned tls_profiles_count(const struct tls_profiles *t); /* NULL: 0 */
void tls_profiles_at(const struct tls_profiles *t, unsigned i, struct tls_profile_state *out);
