/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is different between two configurations: which entries of each list were added, removed or changed, by
 * name, and which parts of the single containers. Pure. An entry counts as changed when its own leaves are:
 * a trunk is the same when only the crypto profile that it names was changed. Order matters where the model
 * says so (ordered-by user): routes that only moved are CONFIG_MOVED.
 */
#pragma once

#include "controlplane/config/config.h"

enum config_kind {
	CONFIG_KIND_TLS_PROFILE,
	CONFIG_KIND_CRYPTO_PROFILE,
	CONFIG_KIND_REKEY_POLICY,
	CONFIG_KIND_DTLS_POLICY,
	CONFIG_KIND_INTERFACE,
	CONFIG_KIND_REALM,
	CONFIG_KIND_LISTENER,
	CONFIG_KIND_TRUNK,
	CONFIG_KIND_USER,
	CONFIG_KIND_ROUTE,
	CONFIG_KIND_LIMITS, /* from here on containers: name is the leaf's */
	CONFIG_KIND_DATAPLANE,
	CONFIG_KIND_RECOVERY,
	CONFIG_KIND_MANAGEMENT,
	CONFIG_KIND_AUDIT,
	CONFIG_KIND_LOGGING,
	CONFIG_KIND_OBSERVABILITY,
	CONFIG_KIND_DNS,
	CONFIG_KINDS
};

enum config_change { CONFIG_ADDED, CONFIG_REMOVED, CONFIG_CHANGED, CONFIG_MOVED, CONFIG_CHANGES };

struct config_difference {
	enum config_kind kind;
	enum config_change change;
	const char *name;  /* of either snapshot, or static */
	uint32_t from, to; /* indexes in the arrays of the two snapshots; UINT32_MAX where it is not */
};

/* Names and snapshots are borrowed. */
struct config_diff {
	struct config_difference *all; /* by kind, then by name */
	uint32_t n;
	uint32_t count[CONFIG_KINDS][CONFIG_CHANGES];
};

/* from NULL: everything was added. -ENOMEM. */
int config_diff(const struct config *from, const struct config *to, struct config_diff **out);
void config_diff_free(struct config_diff *d); /* NULL is ignored */

/* Is anything of this kind different? */
bool config_diff_any(const struct config_diff *d, enum config_kind kind);

/* "trunk", "listener", "limits"... as in the model. */
const char *config_kind_name(enum config_kind kind);
/* "/srtp-gateway:gateway/trunks/trunk[name='a']", or a container's leaf; snprintf()'s result. */
int config_difference_path(const struct config_difference *d, char *buf, size_t cap);
/* A change that the running gateway cannot follow: it takes effect at the next start of a plane. */
bool config_difference_needs_start(const struct config_difference *d);
