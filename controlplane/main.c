/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "controlplane/config/config.h"
#include "controlplane/dtls/module.h"
#include "controlplane/gateway.h"
#include "controlplane/manage/ops_config.h"
#include "controlplane/manage/ops_notify.h"
#include "controlplane/manage/ops_state.h"
#include "controlplane/manage/ops_trace.h"
#include "controlplane/obs/gather.h"
#include "controlplane/options.h"
#include "controlplane/reconcile.h"
#include "controlplane/successor.h"
#include "lib/base/log.h"
#include "lib/base/plural.h"
#include "lib/base/wiping.h"

struct process {
	struct event_base *base;
	struct event *signals;
	int signals_fd;
	struct gateway *gateway;
	struct engine *engine;
	struct gather *gather; /* the state of all of it */
	struct ops_config *ops;
	struct ops_state *ops_state;
	struct ops_trace ops_trace;
	struct ops_action *ops_action;
	struct ops_notify *ops_notify;
	const char *file; /* the configuration */
	const struct successor *successor;
	bool ending, leaving; /* without its calls, or with them */
	bool again;           /* the successor is to start then */
	bool over;            /* nothing is done for anybody any more */
};

static void stopped(void *arg)
{
	struct process *p = arg;

	p->over = true;
	event_base_loopexit(p->base, NULL);
}

/* With a BYE for every call. */
static void end(struct process *p, bool again)
{
	p->ending = true;
	p->again = again;
	engine_stop(p->engine);
	gateway_shutdown(p->gateway, stopped, p);
}

static void on_end(struct process *p, int signal)
{
	if (p->ending) {
		p->again = false;
		stopped(p); /* asked twice: at once */
		return;
	}
	log_info("main", "ending", LZ("signal", strsignal(signal)));
	end(p, false);
}

static void handed_over(void *arg, int rc)
{
	struct process *p = arg;

	if (rc < 0) {
		log_error("main", "calls cannot be handed over: this process goes on",
			LZ("reason", strerror(-rc)));
		p->leaving = p->again = false;
		return;
	}
	engine_stop(p->engine);
	stopped(p);
}

/* The file as it is now, which the next process has. NULL: there is a mistake in it, for that one to tell. */
static struct config *config_of_next(const struct process *p)
{
	struct config *next = NULL;
	struct err mistake = {0};

	return config_load(p->file, &next, &mistake) < 0 ? NULL : next;
}

static int leave(struct process *p, const struct config *next, uint32_t timeout_ms, bool again, struct err *e)
{
	int rc = next ? gateway_check_next(p->gateway, next, e) : 0;

	if (!rc)
		rc = gateway_hand_over(p->gateway, timeout_ms, handed_over, p, e);

	p->leaving = rc == 0;
	p->again = rc == 0 && again;
	return rc;
}

static int restart(
	void *ctx, const struct gateway_restart *how, char socket[ACTION_SOCKET_MAX], struct err *e)
{
	struct process *p = ctx;
	struct config *next;
	const char *elsewhere;
	int rc;

	if (p->ending || p->leaving)
		return err_set(e, EBUSY, "this process is ending already");
	if (engine_confirm_by(p->engine))
		return err_set(e, EBUSY,
			"a commit waits to be confirmed, and would be rolled back: confirm or cancel it first");
	rc = successor_check(p->successor, e);
	if (rc < 0)
		return rc;
	log_info("main",
		how->keep ? "starting anew with the calls that are up" : "starting anew without calls",
		LZ("program", p->successor->program));
	next = config_of_next(p);
	elsewhere = next ? gateway_next_socket(p->gateway, next) : NULL;
	snprintf(socket, ACTION_SOCKET_MAX, "%s", elsewhere ? elsewhere : "");
	if (how->keep)
		rc = leave(p, next, how->timeout_ms, true, e);
	else
		end(p, true);
	config_unref(next);
	return rc;
}

/* The end, with the calls left to whoever starts next. */
static int leave_for_good(struct process *p, uint32_t timeout_ms, struct err *e)
{
	struct config *next = config_of_next(p);
	int rc = leave(p, next, timeout_ms, false, e);

	config_unref(next);
	return rc;
}

#define LEAVING_MS 2000 /* for what is under way; as in the model */

/* SIGUSR2: once more, as the program that is there by now. SIGUSR1: the end. Calls go on with the next
 * process. */
static void on_leave(struct process *p, int signal)
{
	const struct gateway_restart how = {.keep = true, .timeout_ms = LEAVING_MS};
	char socket[ACTION_SOCKET_MAX];
	struct err e = {0};
	int rc;

	if (p->ending || p->leaving) {
		p->again = p->again && signal == SIGUSR2;
		return;
	}
	log_info("main", "ending, calls are kept", LZ("signal", strsignal(signal)));
	rc = signal == SIGUSR2 ? restart(p, &how, socket, &e) : leave_for_good(p, how.timeout_ms, &e);
	if (rc < 0)
		log_error("main", "this process goes on", LZ("reason", e.text));
}

/* SIGHUP: the file again, and the files that it names. A mistake leaves everything as it was. */
static void on_reload(struct process *p, int signal)
{
	struct engine_fault f = {0};
	struct err e = {0};

	(void)signal;
	if (p->ending || p->leaving)
		return;
	if (engine_reload(p->engine, NULL, NULL, &f) == 0) {
		log_info("main", "reloaded", LZ("file", p->file));
		return;
	}
	/* A mistake in the file comes with its path and line in the message. */
	err_set(&e, EINVAL, "%s%s%s", strstr(f.message, f.path) ? "" : f.path,
		strstr(f.message, f.path) ? "" : ": ", f.message);
	log_error("main", "the configuration was not reloaded: the running one goes on", LZ("file", p->file),
		LZ("reason", e.text));
}

static int start_state(struct process *p)
{
	struct mgmt *m = gateway_mgmt(p->gateway);
	int rc;

	p->gather = gather_new(engine_context(p->engine));
	rc = p->gather ? gateway_report(p->gateway, p->gather) : -ENOMEM;
	if (!rc)
		rc = ops_state_register(m, p->engine, p->gather, &p->ops_state);
	if (!rc)
		rc = ops_action_register(m, p->engine, &gateway_actions, p->gateway, &p->ops_action);
	if (!rc)
		rc = ops_notify_register(
			m, p->base, p->engine, gateway_notify(p->gateway), p->gather, &p->ops_notify);
	return rc;
}

/* The engine starts the gateway; its operations are then asked for on the gateway's management socket. */
static int start(struct process *p, const struct options *o, struct err *e)
{
	struct engine_conf conf = {.base = p->base, .path = o->config, .target = &gateway_target};
	int rc = gateway_new(p->base, &o->gateway, &p->gateway, e);

	conf.target_ctx = p->gateway;
	if (!rc)
		rc = engine_new(&conf, &p->engine, e);
	if (rc)
		return rc;
	gateway_on_restart(p->gateway, restart, p);
	rc = ops_config_register(gateway_mgmt(p->gateway), p->engine, &p->ops);
	if (!rc)
		rc = start_state(p);
	p->ops_trace = (struct ops_trace){p->engine, gateway_trace(p->gateway)};
	if (!rc)
		rc = ops_trace_register(gateway_mgmt(p->gateway), &p->ops_trace);
	return rc ? err_set(e, -rc, "management operations: %s", strerror(-rc)) : 0;
}

static const struct {
	int signal;
	void (*heard)(struct process *p, int signal);
} signals[] = {
	{SIGTERM, on_end}, {SIGINT, on_end}, {SIGHUP, on_reload}, {SIGUSR1, on_leave}, {SIGUSR2, on_leave}};

#define SIGNALS (sizeof signals / sizeof *signals)

/* Those that come when all is over wait: for the next process, which has the calls then. */
static void on_signals(evutil_socket_t fd, short what, void *arg)
{
	struct process *p = arg;
	struct signalfd_siginfo s;

	(void)what;
	while (!p->over && read(fd, &s, sizeof s) == sizeof s)
		for (unsigned i = 0; i < SIGNALS; i++)
			if ((uint32_t)signals[i].signal == s.ssi_signo)
				signals[i].heard(p, signals[i].signal);
}

/*
 * Signals are blocked from here on, in the threads that are made later, too, and read when the loop comes to
 * it: what comes while it starts waits, and what comes when it is over is not lost in a handler that nobody
 * asks any more.
 */
static int watch_signals(struct process *p)
{
	sigset_t watched;

	sigemptyset(&watched);
	for (unsigned i = 0; i < SIGNALS; i++)
		sigaddset(&watched, signals[i].signal);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	p->signals_fd = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC);
	if (p->signals_fd < 0)
		return -errno;
	p->signals = event_new(p->base, p->signals_fd, EV_READ | EV_PERSIST, on_signals, p);
	return p->signals && event_add(p->signals, NULL) == 0 ? 0 : -ENOMEM;
}

/* *again: the successor is to start when all of this is closed. */
static int run(const struct options *o, const struct successor *successor, bool *again)
{
	struct process p = {
		.base = event_base_new(), .file = o->config, .successor = successor, .signals_fd = -1};
	struct err e = {0};
	int code = EXIT_FAILED;

	if (!p.base) {
		fputs("srtpgw-controlplane: no event loop\n", stderr);
		return EXIT_FAILED;
	}
	if (watch_signals(&p) < 0 || start(&p, o, &e) < 0) {
		fprintf(stderr, "srtpgw-controlplane: %s\n", e.text[0] ? e.text : strerror(ENOMEM));
		goto out;
	}
	log_info("main", "ready", LZ("version", SRTPGW_VERSION), LZ("config", o->config));
	event_base_dispatch(p.base);
	code = EXIT_OK;
	*again = p.again;
	log_info("main", "ended");
out:
	if (p.engine)
		engine_stop(p.engine);
	gateway_free(p.gateway);
	ops_notify_free(p.ops_notify);
	ops_action_free(p.ops_action);
	ops_state_free(p.ops_state);
	ops_config_free(p.ops);
	gather_free(p.gather);
	engine_free(p.engine);
	if (p.signals)
		event_free(p.signals);
	if (p.signals_fd >= 0)
		close(p.signals_fd);
	event_base_free(p.base);
	return code;
}

/*
 * Keys pass through this process: no core file and no debugger of another user may have them, nor the swap.
 * Under a limit, memory that cannot be locked could not be had at all: it is locked where there is none.
 */
static bool protect_memory(void)
{
	struct rlimit limit;

	prctl(PR_SET_DUMPABLE, 0);
	event_set_mem_functions(wiping_malloc, wiping_realloc, wiping_free);
	json_set_alloc_funcs(wiping_malloc, wiping_free);
	return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY &&
	       mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

#define TUNABLES "GLIBC_TUNABLES" /* in the environment, ours in that of the second start */

/*
 * Calls that are up lie all over the heap, and the next message of each is far from the last one's: in pages
 * of 4 kB half of the time that such a touch takes is for finding the page. The allocator asks for large ones
 * when the environment says so at the start, so it starts once more. Where that cannot be, or somebody else
 * has tuned it, all goes on as it is.
 */
static void take_large_pages(char **argv)
{
	char self[PATH_MAX];
	ssize_t n = getenv(TUNABLES) ? -1 : readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0 || setenv(TUNABLES, "glibc.malloc.hugetlb=1", 1) < 0)
		return;
	self[n] = '\0';
	execv(self, argv);
}

#define FILES_BESIDE 256 /* sockets, the journal, files that are read */

/* Every connection is a file; the usual 1024 would end far below limits/max-connections. */
static void raise_file_limit(const struct config *c)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < c->limits.max_connections + FILES_BESIDE)
		log_warn("sip",
			"fewer files may be open than limits/max-connections wants: raise LimitNOFILE "
			"(ulimit -Hn)",
			LU("files", limit.rlim_max), LU("max_connections", c->limits.max_connections));
}

static bool uses_dtls(const struct config *c)
{
	for (uint32_t i = 0; i < c->n_trunks; i++)
		if (c->trunks[i].keying & CONFIG_KEYING_DTLS)
			return true;
	return false;
}

/* The gateway runs without DTLS 1.3, and says what it lacks. */
static void say_dtls13(const struct gateway_conf *g, const struct config *c)
{
	if (g->dtls13)
		log_info("dtls", "DTLS 1.3 is available", LZ("library", g->dtls13->backend->name));
	else
		log_at(uses_dtls(c) ? LOG_WARN : LOG_INFO, "dtls",
			"DTLS 1.3 is not available: handshakes are DTLS 1.2", LZ("reason", g->no_dtls13));
}

/* A check does not miss what the start makes. */
static void look_at_places(const struct options *o, const struct config *config)
{
	bool made = o->check && config_socket_is_made_at_start(config);

	config_look_at_places(
		NULL, config, made ? config->management.socket : o->gateway.control, NULL, NULL);
}

/* What is said to the process before there is a loop to hear it. */
static void receive_early(void)
{
	sigset_t leave;

	/* Until there is somebody to read the file again, it has not been read for good; and this is the next
	 * one. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	/* An end that is to keep calls waits until there is somebody to keep them. */
	sigemptyset(&leave);
	sigaddset(&leave, SIGUSR1);
	sigprocmask(SIG_BLOCK, &leave, NULL);
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct successor successor;
	bool again = false;
	struct config *config;
	struct err e = {0}, no_dtls13 = {0};
	int code = options_parse(argc, argv, &o);

	if (code >= 0)
		return code;
	receive_early();
	successor_find(&successor, argv);
	if (!o.check)
		take_large_pages(argv);
	bool locked = protect_memory();

	signal(SIGPIPE, SIG_IGN);
	if (config_load(o.config, &config, &e) < 0) {
		fprintf(stderr, "srtpgw-controlplane: %s\n", e.text);
		return EXIT_CONFIG;
	}
	log_setup(o.gateway.log_level ? o.level : config->logging.level,
		o.gateway.log_format ? o.format : config->logging.format);
	if (!locked && !o.check)
		log_warn("main", "memory is not locked: keys may be swapped out; raise the limit (ulimit -l "
				 "unlimited)");
	if (dtls_module_open(o.dtls_module, &o.gateway.dtls13, &no_dtls13) < 0)
		o.gateway.no_dtls13 = no_dtls13.text;
	if (gateway_check_dtls(&o.gateway, config, &e) < 0 || config_check_files(config, NULL, &e) < 0 ||
		gateway_check_files(config, o.check, &e) < 0) {
		fprintf(stderr, "srtpgw-controlplane: %s: %s\n", o.config, e.text);
		code = EXIT_CONFIG;
		goto out;
	}
	look_at_places(&o, config);
	if (o.check) {
		printf("%s: ok: %u trunk%s, %u listener%s, %u route%s\n", o.config, config->n_trunks,
			plural(config->n_trunks), config->n_listeners, plural(config->n_listeners),
			config->n_routes, plural(config->n_routes));
		code = EXIT_OK;
	} else {
		raise_file_limit(config);
		say_dtls13(&o.gateway, config);
		code = run(&o, &successor, &again);
	}
out:
	config_unref(config);
	dtls_module_close(o.gateway.dtls13);
	if (again) {
		int rc = successor_start(&successor);

		fprintf(stderr, "srtpgw-controlplane: %s: %s\n", successor.program, strerror(-rc));
		code = EXIT_FAILED;
	}
	return code;
}
