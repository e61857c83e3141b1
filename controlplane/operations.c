/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway does for operators. */
#include <errno.h>
#include <stdio.h>

#include "controlplane/audit/audit.h"
#include "controlplane/b2bua/b2bua.h"
#include "controlplane/gateway_private.h"
#include "controlplane/manage/ops_action.h"
#include "controlplane/obs/notify.h"
#include "controlplane/reconcile.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

static int terminate(void *ctx, const char *call, const char *reason)
{
	struct gateway *g = ctx;

	return b2bua_terminate(g->b2bua, str_z(call), reason);
}

static int drain(void *ctx, const char *trunk, uint32_t timeout_s, unsigned *remaining)
{
	struct gateway *g = ctx;

	return b2bua_drain(g->b2bua, trunk, timeout_s, remaining);
}

static int resume(void *ctx, const char *trunk, const char **still)
{
	struct gateway *g = ctx;

	return b2bua_resume(g->b2bua, trunk, still);
}

static int rekey(void *ctx, const char *call, unsigned *legs)
{
	struct gateway *g = ctx;

	return b2bua_rekey(g->b2bua, str_z(call), legs);
}

static unsigned rekey_all(void *ctx)
{
	struct gateway *g = ctx;

	return b2bua_rekey_all(g->b2bua);
}

static int disconnect(void *ctx, const char *user, unsigned *registrations)
{
	struct gateway *g = ctx;

	return b2bua_disconnect(g->b2bua, user, registrations);
}

static int rotate_audit(void *ctx, char file[ACTION_PATH_MAX], uint64_t *last, struct err *e)
{
	struct gateway *g = ctx;
	struct audit_closed closed;
	int rc;

	if (!g->audit)
		return err_set(e, ENOENT, "no audit is kept: /srtp-gateway:gateway/audit/file names none");
	rc = audit_rotate(g->audit, clock_wall_ms(), &closed, e);
	if (rc)
		return rc;
	log_info("audit", "the file is closed on request", LZ("file", closed.file), LU("last", closed.last));
	snprintf(file, ACTION_PATH_MAX, "%s", closed.file);
	*last = closed.last;
	return 0;
}

static int restart(void *ctx, bool keep, uint32_t timeout_s, struct action_restarted *out, struct err *e)
{
	struct gateway *g = ctx;
	const struct gateway_restart how = {.keep = keep, .timeout_ms = timeout_s * 1000};

	if (!g->restart)
		return err_set(e, ENOTSUP, "this process does not begin again by itself");
	out->calls = keep ? b2bua_up(g->b2bua) : 0;
	return g->restart(g->restart_ctx, &how, out->socket, e);
}

static int reload_certificates(void *ctx, struct err *e)
{
	return gateway_reload_certificates(ctx, e);
}

static void renewed(void *ctx, void (*changed)(void *arg, const char *profile), void *arg)
{
	gateway_renewed_certificates(ctx, changed, arg);
}

const struct action_target gateway_actions = {
	.terminate = terminate,
	.drain = drain,
	.resume = resume,
	.rekey = rekey,
	.rekey_all = rekey_all,
	.disconnect = disconnect,
	.restart = restart,
	.rotate_audit = rotate_audit,
	.reload_certificates = reload_certificates,
	.renewed = renewed,
};

static void certificate_expires(void *ctx, const struct gateway_certificate *c)
{
	const struct gateway *g = ctx;
	struct notice n = notify_begin(g->notify, "certificate-expiry");

	state_text(&n.tree, n.node, "tls-profile", c->profile);
	state_text(&n.tree, n.node, "file", c->file);
	state_text(&n.tree, n.node, "subject", c->subject);
	state_time(&n.tree, n.node, "not-after", c->not_after_s > 0 ? (uint64_t)c->not_after_s * 1000 : 0);
	state_signed(&n.tree, n.node, "days-left", c->days_left);
	notify_end(g->notify, &n);
}

void gateway_report_expiry(struct gateway *g)
{
	gateway_on_certificate(g, certificate_expires, g);
}
