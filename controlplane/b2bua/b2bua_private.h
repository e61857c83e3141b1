/* SPDX-License-Identifier: Apache-2.0 */
/* Private to b2bua/: what the B2BUA knows beside its calls. Trunks, configurations, totals, and itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "controlplane/b2bua/b2bua.h"
#include "controlplane/b2bua/bye.h"
#include "controlplane/b2bua/media/rekey.h"
#include "controlplane/b2bua/report/record.h"
#include "controlplane/b2bua/route/loop.h"
#include "controlplane/b2bua/trunks/peer.h"
#include "controlplane/b2bua/trunks/registration.h"
#include "controlplane/b2bua/users/users.h"
#include "controlplane/dtls/pool.h"
#include "controlplane/media/call_media.h"
#include "controlplane/obs/metrics.h"
#include "controlplane/obs/notify.h"
#include "controlplane/sip/dialog.h"
#include "controlplane/sip/timer.h"
#include "lib/msg/dp_msg.h"

#define CALL_REASON_MAX 256

struct call;
struct leg;
struct texts;

TAILQ_HEAD(call_list, call);

/* Responses to INVITEs by class: 0 for 1xx to 5 for 6xx. */
struct responses {
	uint64_t sent[6], received[6];
};

/* What a trunk does now. */
enum trunk_oper {
	TRUNK_UP,
	TRUNK_DRAINING,
	TRUNK_DOWN,
	TRUNK_UNREACHABLE, /* all its peers are down: see health.h */
};

/* Refusals come by the thousand when they come. */
struct refusal_notice {
	uint64_t told_ms; /* wall clock: when one was notified last */
	uint32_t untold;  /* since then */
};

/* What is counted per trunk, through all generations that name it. */
struct trunk_state {
	TAILQ_ENTRY(trunk_state) entry; /* in b2bua.trunk_states */
	struct b2bua *b;
	unsigned refs; /* generations that have it */
	const char *name;
	struct peer_state_list peers;
	uint32_t active;
	uint64_t total, answered, rejected;
	char last_reject[CALL_REASON_MAX];
	struct responses responses;
	enum trunk_oper told; /* as was notified last; UP at first */
	struct refusal_notice refusal;
	uint64_t rate_second; /* the second that rate_count is of */
	uint32_t rate_count;
	bool draining;          /* an operator said so */
	struct timer drain_end; /* then its calls are ended */
};

TAILQ_HEAD(trunk_state_list, trunk_state);

/* Of one trunk, wiped with the generation. */
struct trunk_passwords {
	struct secret ours, theirs;
};

/* One configuration as its calls use it; arrays go by the index in config. Reference-counted by its calls. */
struct b2bua_generation {
	struct dtls_identity **identities; /* by index of the DTLS policy; NULL: one of the gateway's making */
	unsigned refs;
	const struct config *config;
	struct sip_listener **listeners;
	struct tls_ctx **client_tls;
	struct trunk_state **trunks;
	struct peer_state ***peers; /* by trunk, then by peer as in its configuration */
	struct trunk_passwords *passwords;
	unsigned **groups; /* of a realm's media interfaces, at the port allocator */
};

/* Quality of media in calls that are over, both sides. */
struct media_totals {
	uint64_t legs[SRTP_SUITE_COUNT]; /* by suite; NONE: plain */
	uint64_t received, lost;         /* RTP packets */
	struct metrics_histogram jitter;
};

struct journal;

/* Calls and users' bindings outside the process. */
struct checkpoint {
	struct journal *journal; /* NULL: nothing is saved */
	struct call_list changed, copied, ended;
	struct user_list users_changed, users_copied;
	struct timer timer;
	uint64_t live; /* octets of the newest records of all of them */
	bool renewing; /* older segments go when both `copied` are empty, and `ended` is */
	bool failing;  /* nothing can be written; tried again */
	void *buffer;  /* of one record */
	char *directory;
};

/* DTLS handshakes for media. */
struct dtls_totals {
	uint64_t established, failed[DTLS_FAILURES];
	uint64_t dtls13, post_quantum; /* of those established */
	uint64_t held; /* datagrams that came before what they needed */
};

/* The process ends and leaves its calls to the next one: see recovery/handover.c. */
enum leaving {
	LEAVING_NOT,
	LEAVING_SOON, /* no new calls */
	LEAVING_NOW, /* nor changes of those that there are, nor requests that are passed on; they end as ever
		      */
};

#define CALL_HISTORY 256
#define CALL_REFUSALS 64 /* calls that never began: of trunks' parties, and of strangers */
#define CALL_PAST_MAX (CALL_HISTORY + 2 * CALL_REFUSALS)
#define PLANE_ALARMS (64 + DP_PORTS_MAX) /* a worker each, an interface each */

struct b2bua {
	struct b2bua_generation *now; /* that new calls begin under */
	struct dns_asker dns;
	struct sip_net *net;
	struct sip_txl *txl;
	struct timer_wheel *wheel;
	struct dp_client *client;
	struct port_alloc *ports;
	struct trace *trace;
	struct hash_key loop_key; /* of loop.h */
	struct texts *texts;
	struct sip_dialogs *dialogs;
	struct digest_server *digest;
	struct registration_list registrations;
	struct users users;
	struct byes byes;
	unsigned n_byes;
	struct call_list calls;
	struct checkpoint checkpoint;
	struct call_list unsure;
	struct timer revive; /* takes calls off unsure */
	struct call_list lost;
	struct timer restore;  /* takes calls off lost */
	struct call_list dead; /* cleared away while the data plane's client could still name them */
	unsigned n_calls;
	unsigned n_relays; /* relay.c: requests that were passed on and have no final answer yet */
	struct call *history[CALL_HISTORY]; /* calls that ended, the newest at history_next - 1 */
	unsigned history_next;
	/* Beside it, so that a flood of refusals pushes no call out, nor strangers those of a trunk's party. */
	struct call_refusals {
		struct call *calls[CALL_REFUSALS];
		unsigned next;
	} refused[2]; /* of strangers, of trunks */
	struct trunk_state_list trunk_states;
	struct b2bua_counters counters;
	const struct sip_counters *sip_counters; /* for reports */
	uint64_t plane_lost_ns;                  /* monotonic: when the data plane went last; 0: never */
	unsigned n_restored;                     /* sessions, since it came back */
	uint64_t plane_instance;                 /* of the data plane that was there last; 0: none yet */
	struct dp_alarm alarms[PLANE_ALARMS];    /* the newest state of each */
	unsigned n_alarms;
	uint64_t attack_told_ns, attacks_untold; /* the last attack on a leg that was logged, and those since */
	uint64_t deferred_told_ns;               /* when keys_deferred was logged last; monotonic */
	struct dp_stats_global plane; /* for reports: the last that the data plane said; h.type 0: nothing */
	struct dp_stats_port plane_ports[DP_PORTS_MAX]; /* with it, of its interfaces */
	unsigned n_plane_ports;
	uint64_t began_ms;            /* wall clock */
	uint32_t next_id;
	uint64_t rate_second;
	uint32_t rate_count;
	uint64_t rekeys[REKEY_CAUSES][REKEY_RESULTS];
	uint32_t rekey_spread;
	struct audit *audit; /* NULL: no records are kept */
	struct audit_seen {  /* what was told of it */
		uint64_t taken, failed;
		bool away, losing;
	} audit_seen;
	struct timer audit_timer;
	struct record_bound record_bounds[RECORD_FLOODS];
	struct rate_bucket strays[2]; /* stray.c: answers to nothing that are ended; of accounts, of peers */
	bool draining;          /* an operator said so */
	struct timer drain_end; /* then all calls are ended */
	bool closing;
	enum leaving leaving;
	struct refusal_notice refusal;  /* of no trunk */
	struct metrics_histogram setup; /* from the INVITE to its answer */
	struct media_totals ended;      /* media of calls that are over */
	struct dtls_pool *dtls;         /* NULL: none */
	struct dtls_identity *identity; /* of the gateway's own making, for new calls; NULL: none yet */
	uint64_t identity_ms;           /* wall clock: since when */
	struct dtls_totals handshakes;
	struct notify *notify;          /* NULL: nobody listens */
};

/* Why no new call is taken from anybody; NULL: they are taken. */
static inline const char *b2bua_ends(const struct b2bua *b)
{
	return b->closing   ? "the gateway is shutting down"
	       : b->leaving ? "the gateway is being restarted"
			    : NULL;
}

/* ---- generation.c: configurations that calls began under ---- */
struct b2bua_generation *generation_ref(struct b2bua_generation *g);
void generation_unref(struct b2bua_generation *g); /* NULL is ignored */

/* ---- operate.c: what operators do to calls ---- */
/* Why the trunk takes no new call, from it or to it; NULL: it takes them. */
const char *trunk_closed(const struct b2bua *b, const struct config_trunk *t);
/* Before the trunk's counters are freed, or the timers. */
void operate_forget_trunk(struct trunk_state *s);
void operate_forget(struct b2bua *b);
/* What a trunk does now, drains included. */
enum trunk_oper trunk_oper(const struct b2bua *b, const struct config_trunk *t);
const char *trunk_oper_name(enum trunk_oper oper);
/* Notifies of every trunk that does something else than was told last. */
void trunk_tell_states(struct b2bua *b, const char *reason);

/* ---- notices.c: what is reported by itself ---- */
/* A refused call; t NULL: of no trunk. */
void notice_refusal(struct b2bua *b, struct trunk_state *t, unsigned status, const char *reason);
void notice_plane(struct b2bua *b, bool connected, bool restarted, const char *reason);
void notice_attack(struct b2bua *b, const struct call *c, const struct dp_leg_attacked *e);
void notice_audit(struct b2bua *b, const char *kind, bool raised, uint64_t times);
void notice_alarm(struct b2bua *b, const struct dp_alarm *a);
void notice_dtls_failed(struct b2bua *b, const struct leg *l, const struct dtls_result *r);
void notice_key_limit(struct b2bua *b, const struct call *c, const struct dp_key_soft_limit *e);
void notice_rekey_refused(const struct leg *l, unsigned status, bool ended);

/* ---- report_metrics.c ---- */
void metrics_init(struct b2bua *b);
/* The media of a call that is over, as call.stats has it. */
void metrics_note_media(struct b2bua *b, const struct call *c);
static inline void responses_count(uint64_t counts[6], unsigned status)
{
	if (status >= 100 && status < 700)
		counts[status / 100 - 1]++;
}
