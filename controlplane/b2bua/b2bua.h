/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The B2BUA: takes calls from trunks, gives them to trunks, and keeps two independent dialogs and one media
 * session for each. It is the transaction layer's user and the sole owner of calls. One thread, the loop's.
 */
#pragma once

#include <stdint.h>

#include "controlplane/config/config.h"
#include "controlplane/dns/client.h"
#include "controlplane/sip/transaction.h"

struct b2bua;
struct dp_client;
struct dp_client_events;
struct dtls_pool;
struct notify;
struct port_alloc;
struct trace;

/* Why new calls were refused or ended by the gateway itself; names and texts in counters.c. */
#define B2BUA_COUNTERS(X)                                                                                    \
	X(calls, "calls offered")                                                                            \
	X(answered, "calls answered")                                                                        \
	X(refused_unknown_peer, "requests from a source that no trunk claims")                               \
	X(refused_credentials, "calls whose user name or password is wrong (403)")                           \
	X(auth_challenged, "calls that were asked for credentials first (401)")                              \
	X(auth_replayed, "requests with credentials that were used before, challenged again")                \
	X(auth_refused, "challenges of trunks that could not be answered, or not to their content")          \
	X(registration_failed, "REGISTERs of trunks' registrations that failed")                             \
	X(users_registered, "registrations of users that began")                                             \
	X(users_refreshed, "registrations of users that were refreshed")                                     \
	X(users_ended, "registrations of users that ended")                                                  \
	X(users_restored, "registrations of users taken over from before a restart of the control plane")    \
	X(byes_kept, "BYEs that waited for users whose connection was gone to register again")               \
	X(byes_delivered, "of them: BYEs that were answered when the user had come back")                    \
	X(byes_given_up, "of them: BYEs to users who did not come back in time")                             \
	X(register_refused_credentials, "REGISTERs with a wrong user name or password, or for another user") \
	X(register_refused_brief, "REGISTERs for too short a time (423)")                                    \
	X(register_refused_limit, "REGISTERs of users who are registered often enough")                      \
	X(register_refused_request, "REGISTERs that could not be understood or carried out")                 \
	X(refused_not_registered, "calls to users who are not registered (480), or not known (404)")         \
	X(refused_no_route, "calls to a number without a route")                                             \
	X(refused_limit, "calls over what a trunk or the gateway may carry at once (503)")                   \
	X(refused_rate, "calls over what a trunk or the gateway may begin in a second (503)")                \
	X(refused_trunk_down, "calls from or to a trunk that takes none")                                    \
	X(refused_media, "calls refused for what their SDP offers or lacks (488)")                           \
	X(downgrade_clear, "offers and answers of plain RTP where SRTP is required")                         \
	X(downgrade_keys, "offers and answers of SRTP without keys that the policy allows")                  \
	X(refused_request, "calls whose INVITE asks for what is not supported or cannot be used")            \
	X(refused_loop, "calls of ours that came back to us (482), or with no hops left (483)")              \
	X(refused_no_media_plane, "calls refused because media could not be set up")                         \
	X(transfers, "transfers (REFER) that the other side accepted")                                       \
	X(refused_transfer, "transfers (REFER) that were refused")                                           \
	X(transfers_executed, "transfers (REFER) that the gateway carried out")                              \
	X(transfers_failed, "transfers (REFER) that the gateway began and that failed")                      \
	X(replaced, "calls in which an INVITE with Replaces took the place of a party")                      \
	X(refused_replaces, "INVITEs with Replaces that were refused")                                       \
	X(redirected, "times that a call went on where a 3xx pointed")                                       \
	X(failovers, "times that a call was tried at another peer")                                          \
	X(rang_at_several, "times that a call rang at several registrations of its account at once")         \
	X(answered_untagged, "answers without a To tag, of peers that know RFC 2543 only")                    \
	X(failed_no_answer, "calls that nobody answered in time")                                            \
	X(failed_unreachable, "calls whose trunk could not be reached")                                      \
	X(failed_answer, "calls ended because of what the called side answered")                             \
	X(ended_media_timeout, "calls ended because media stopped")                                          \
	X(ended_dtls, "calls ended because a DTLS handshake failed")                                         \
	X(ended_ice, "calls ended because no ICE check came any more")                                      \
	X(keys_deferred, "keys of offers that the data plane had no room for before they were agreed on")      \
	X(legs_attacked, "reports of legs whose peer's address forged packets come from")                    \
	X(ended_no_ack, "calls ended because an answer was never acknowledged")                              \
	X(messages_passed, "INFO and MESSAGE requests passed on")                                            \
	X(messages_refused, "INFO and MESSAGE requests that were not")                                       \
	X(identities_dropped, "identities dropped that untrusted parties asserted")                          \
	X(identities_hidden, "messages in which an identity was hidden from the other side")                 \
	X(recovered, "calls taken over from before a restart of the control plane")                          \
	X(ended_meanwhile, "of them: calls found to have ended meanwhile")                                   \
	X(saved, "times that a call was written to the recovery directory")

struct b2bua_counters {
#define B2BUA_COUNTER_FIELD(name, help) uint64_t name;
	B2BUA_COUNTERS(B2BUA_COUNTER_FIELD)
#undef B2BUA_COUNTER_FIELD
};

/*
 * What calls are made of. Arrays go by the index in config and are copied; a reference is taken on the
 * configuration, the listeners and the TLS contexts.
 */
struct b2bua_conf {
	const struct config *config;
	struct sip_listener *const *listeners; /* by config_listener.index; NULL where disabled */
	struct tls_ctx *const *client_tls;     /* by config_trunk.index; NULL without a TLS profile */
	const unsigned *groups; /* by index of the media interface: its group at the port allocator; NULL:
				   the index itself */
};

/* Without a configuration: b2bua_commit() comes before the loop runs. -ENOMEM. */
int b2bua_new(struct b2bua **out);

/*
 * A newer configuration, in two steps. b2bua_prepare() changes nothing that runs: -ENOMEM, or what reading a
 * password file says. b2bua_commit()
 * makes it the one that new calls begin under; calls that are there keep theirs. Counters of trunks go on by
 * name, also over a time without the trunk while calls of it live. Calls of a trunk that is `down` now are
 * ended; those of a removed one, or one that drains, go on.
 */
struct b2bua_generation;
int b2bua_prepare(struct b2bua *b, const struct b2bua_conf *conf, struct b2bua_generation **out);
void b2bua_commit(struct b2bua *b, struct b2bua_generation *g);
void b2bua_abandon(struct b2bua_generation *g); /* NULL is ignored */
/*
 * The end, in two steps: b2bua_close() takes every call off the air without a word (b2bua_shutdown() first is
 * kinder); then the caller frees what it attached, whose last callbacks may still name calls; then
 * b2bua_free().
 */
void b2bua_close(struct b2bua *b);
void b2bua_free(struct b2bua *b);

/*
 * What the layers below are made with, the B2BUA as their user: the transaction layer with &b2bua_tu,
 * dp_client_new() with &b2bua_media_events. Then they are handed over, before the loop runs. Borrowed.
 */
extern const struct sip_tu b2bua_tu;
extern const struct dp_client_events b2bua_media_events;
struct b2bua_layers {
	struct dns_asker dns; /* for peers whose host is a name */
	struct sip_net *net;  /* asked about connections */
	struct sip_txl *txl;
	struct timer_wheel *wheel;
	const struct sip_counters *sip_counters; /* for reports */
	struct dp_client *client;
	struct port_alloc *ports;
	struct dtls_pool *dtls; /* NULL: no call with DTLS-SRTP is taken */
	struct notify *notify;  /* NULL: what happens is only logged */
	struct trace *trace;   /* told which dialogs are whose legs; NULL: nobody */
};
void b2bua_attach(struct b2bua *b, const struct b2bua_layers *layers);

/*
 * Calls are kept in this directory from now on. It is made; a tmpfs will do. An error with e means that calls
 * do not outlive the process, and nothing else. -EBUSY: another process has it, and the calls in it.
 */
int b2bua_keep_calls(struct b2bua *b, const char *directory, struct err *e);
/* Those that an earlier process left there are taken over: after the first commit, before the loop runs. */
void b2bua_recover(struct b2bua *b);

/* As sip_rate_conf.peer: a source that a trunk is identified by. user: the B2BUA. */
bool b2bua_knows(void *user, const struct sip_flow *from, uint32_t *per_s);
struct audit;
/* Who keeps records; NULL: nobody. Borrowed, the one before until this returns: its alarms are over; after
 * b2bua_attach(). */
void b2bua_set_audit(struct b2bua *b, struct audit *a);

/* No new calls from now on (503); every call is ended with a BYE that says why. Calls are gone a moment
 * later. b2bua_leave() is taken back. */
void b2bua_shutdown(struct b2bua *b);

/*
 * The end with the calls left to the next process, whose b2bua_recover() takes them over, step by step; between
 * them the loop runs. Until the last one b2bua_stay() takes all of it back, but for the calls that are over.
 *
 * b2bua_leave(): no new calls from now on (503). Whatever is under way goes on. -ENOTSUP with e: calls are not kept.
 * b2bua_under_way(): is there a call that is being set up, changed or ended, or set up again at a new data
 * plane, or a request that was passed on and is not answered?
 * b2bua_settle(): those are refused, cancelled or left as they were agreed on, and nothing is begun any more. -EIO and
 * others: nothing can be written now, and nothing was ended for it.
 * b2bua_keep(): all that is to be known of calls is written. -EIO and others: it could not be.
 * b2bua_close() is then without a word to peers, data plane or audit of those that go on.
 */
unsigned b2bua_up(const struct b2bua *b); /* calls that go on then, as far as can be said now */
int b2bua_leave(struct b2bua *b, struct err *e);
bool b2bua_under_way(struct b2bua *b);
int b2bua_settle(struct b2bua *b);
int b2bua_keep(struct b2bua *b);
void b2bua_stay(struct b2bua *b);

/*
 * What operators do to calls. trunk NULL: the whole gateway. -ENOENT: there is no such trunk, or call.
 *
 * Drain: new calls from and to the trunk are refused (503) until b2bua_resume(), those that there are go on,
 * for timeout_s seconds at most when that is not 0. *remaining: how many there are now; may be NULL.
 */
int b2bua_drain(struct b2bua *b, const char *trunk, uint32_t timeout_s, unsigned *remaining);
/* The trunk's configuration, or a drain of the whole gateway, may still keep it from calls: *still (may be
 * NULL) says so. */
int b2bua_resume(struct b2bua *b, const char *trunk, const char **still);
/* Calls on it now. */
int b2bua_remaining(const struct b2bua *b, const char *trunk, unsigned *out);
/*
 * Ends a call: BYE to both sides, or a refusal while it is being set up. reason: for the log and the peers'
 * Reason header; NULL: "an operator ended the call". -EALREADY: it has ended.
 */
int b2bua_terminate(struct b2bua *b, struct str id, const char *reason);

/*
 * New keys on both sides of a call, where they have any and take others; *legs: on how many. -EALREADY: it
 * has ended, -EAGAIN: it is not answered yet. On all calls, 50 a second: how many.
 */
int b2bua_rekey(struct b2bua *b, struct str id, unsigned *legs);
unsigned b2bua_rekey_all(struct b2bua *b);

/*
 * Logs an account out: its calls end, its registrations are forgotten and their connections closed.
 * *registrations: how many there were. -ENOENT: there is no such account.
 */
int b2bua_disconnect(struct b2bua *b, const char *user, unsigned *registrations);

/* Calls that are there now, and what was counted. */
unsigned b2bua_call_count(const struct b2bua *b);
const struct b2bua_counters *b2bua_counters(const struct b2bua *b);
