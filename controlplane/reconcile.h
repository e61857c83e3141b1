/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a configuration becomes the one that the gateway runs. Everything that can fail is done in prepare:
 * certificates are read, sockets of new listeners are bound, memory is taken. A commit then only exchanges
 * what is ready; calls that a change does not concern see nothing of it.
 *
 * Listeners are known by transport and address, not by name: a listener that got another name, realm or
 * profile, or that changed places with another one, keeps its socket. One that is removed accepts nothing new
 * and is gone with the last call on it. Removed trunks drain by themselves. What a running gateway cannot
 * follow (sockets of the data plane and of management, number of workers, crypto backend) is accepted, logged
 * as a warning, and takes effect at the next start.
 */
#pragma once

#include "controlplane/config/engine.h"
#include "controlplane/gateway.h"

/* For the engine; its ctx is the gateway. prepare and commit belong into one turn of the loop. */
extern const struct engine_target gateway_target;

/* Both steps at once. e: the YANG path and the reason; the gateway then runs as before. */
int gateway_apply(struct gateway *g, const struct config *to, struct err *e);

/*
 * Reads the certificates, keys and trust bags of the running configuration again, also those that seem
 * unchanged. An error changes nothing.
 */
int gateway_reload_certificates(struct gateway *g, struct err *e);
/* The profiles whose certificate is another one since they were read last. */
void gateway_renewed_certificates(
	const struct gateway *g, void (*renewed)(void *ctx, const char *profile), void *ctx);

/* Is there what its DTLS policies require? e: the YANG path and why not. */
int gateway_check_dtls(const struct gateway_conf *conf, const struct config *c, struct err *e);
/*
 * Would the certificates, keys and trust bags of this configuration do? As prepare looks at them. warn: what
 * some peers may not like of them is logged, as it is at a commit.
 */
int gateway_check_files(const struct config *c, bool warn, struct err *e);
