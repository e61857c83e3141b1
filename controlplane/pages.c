/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/pages.h"

#include <stdlib.h>

#include <event2/buffer.h>

#include "controlplane/b2bua/report/report.h"
#include "controlplane/gateway_private.h"
#include "controlplane/obs/metrics.h"
#include "controlplane/obs/web.h"
#include "lib/base/log.h"

/* /metrics, while the data plane is asked. */
struct page {
	struct gateway *g;
	struct web_request *rq;
};

static void metrics_are_there(void *arg)
{
	struct page *p = arg;
	struct metrics m = {.out = evbuffer_new()};

	if (m.out) {
		report_metrics_write(p->g->b2bua, &m);
		web_answer(p->rq, 200, "text/plain; version=0.0.4; charset=utf-8", m.out);
		evbuffer_free(m.out);
	} else {
		web_say(p->rq, 503, "out of memory");
	}
	free(p);
}

static void serve_metrics(struct gateway *g, struct web_request *rq)
{
	struct page *p = malloc(sizeof *p);

	if (p)
		*p = (struct page){.g = g, .rq = rq};
	if (!p || report_plane_ask(g->b2bua, metrics_are_there, p) < 0) {
		free(p);
		web_say(rq, 503, "out of memory");
	}
}

static void serve_health(const struct gateway *g, struct web_request *rq)
{
	struct evbuffer *body = evbuffer_new();
	const char *what;
	bool well = report_health(g->b2bua, &what);

	if (!body) {
		web_say(rq, 503, "out of memory");
		return;
	}
	evbuffer_add_printf(body, "{\"control-plane\":\"ok\",\"data-plane\":\"%s\"}\n", well ? "ok" : what);
	web_answer(rq, well ? 200 : 503, "application/json", body);
	evbuffer_free(body);
}

static void page(void *ctx, struct web_request *rq, struct str path)
{
	struct gateway *g = ctx;

	if (str_eq(path, STR("/metrics")))
		serve_metrics(g, rq);
	else if (str_eq(path, STR("/healthz")))
		serve_health(g, rq);
	else
		web_say(rq, 404, "there are /metrics and /healthz");
}

int pages_prepare(struct gateway *g, const struct config *to, struct web **out, struct err *e)
{
	*out = NULL;
	if (!to->observability.metrics)
		return 0;
	if (g->web && ip_port_equal(web_address(g->web), &to->observability.listen)) {
		*out = g->web;
		return 0;
	}
	return web_open(g->base, &to->observability.listen, page, g, out, e);
}

void pages_commit(struct gateway *g, struct web *w)
{
	char text[IP_PORT_TEXT_MAX];

	if (w == g->web)
		return;
	web_close(g->web);
	g->web = w;
	if (w)
		log_info("web", "metrics are served", LZ("address", ip_port_text(web_address(w), text)));
}

void pages_abandon(struct gateway *g, struct web *w)
{
	if (w != g->web)
		web_close(w);
}
