/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as the control plane uses it: an immutable snapshot made from a tree that libyang
 * validated against srtp-gateway.yang. Names are resolved to pointers, defaults are filled in, every array is
 * in the order of the file unless said otherwise. No key material is in it: certificates and keys are files,
 * named by path.
 *
 * Ownership. A snapshot is reference-counted. Everything reachable from it lives exactly as long as it does;
 * a call holds a reference to the generation that it began under (config_ref, config_unref; any thread).
 *
 * The file is RFC 7951 JSON. Lines whose first characters other than spaces are "//" are comments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/config/headers.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/netaddr.h"
#include "lib/base/str.h"
#include "lib/srtp/suite.h"

#define CONFIG_UNLIMITED UINT32_MAX

enum config_transport { CONFIG_UDP, CONFIG_TCP, CONFIG_TLS, CONFIG_WSS };
/* Can nobody on the way read it? */
static inline bool config_transport_secure(enum config_transport t)
{
	return t == CONFIG_TLS || t == CONFIG_WSS;
}

enum config_tls_version { CONFIG_TLS_1_2, CONFIG_TLS_1_3 };

enum config_verify {
	CONFIG_VERIFY_REQUIRED, /* every peer shows a certificate that the trust bag vouches for */
	CONFIG_VERIFY_OUTGOING, /* servers that we connect to do; clients may show none, but never a bad one
				 */
	CONFIG_VERIFY_NONE,     /* nobody's certificate is checked */
};

struct config_tls_profile {
	const char *name;
	const char *certificate; /* path, PEM: our certificate, then its intermediates */
	const char *private_key; /* path, PEM */
	const char *trust_bag;   /* path, PEM: the authorities that peers' chains end in; NULL only with
				    VERIFY_NONE */
	enum config_tls_version min_version;
	enum config_verify verify;
};

/* Suites in order of preference, at least one, none twice. */
struct config_crypto_profile {
	const char *name;
	const enum srtp_suite *suites;
	uint32_t n_suites;
	uint32_t suite_bits;    /* the same as 1 << enum srtp_suite */
	uint16_t replay_window; /* packets, 64 to 32768, a multiple of 64 */
	uint8_t mki_length;     /* octets of the MKI in lines that we offer; 0: none */
};

/* When a trunk's keys are renewed; limits are of one key, so of one direction. */
struct config_rekey_policy {
	const char *name;
	uint32_t interval_s;      /* age; 0: any */
	uint8_t jitter;           /* percent that the interval is shortened by at most */
	uint64_t packets, octets; /* 0: as many as the suite allows */
	bool by_update;           /* UPDATE where the peer takes it */
	bool end_call;            /* when it takes no new keys; else the call goes on with what it has */
	uint8_t attempts;         /* at least 1 */
	uint16_t retry_s;         /* between them */
};

enum config_dtls_setup { CONFIG_SETUP_PASSIVE, CONFIG_SETUP_ACTIVE, CONFIG_SETUP_ACTPASS };
enum config_hash { CONFIG_SHA_256, CONFIG_SHA_384, CONFIG_SHA_512 };
enum config_post_quantum { CONFIG_PQ_OFF, CONFIG_PQ_PREFER, CONFIG_PQ_REQUIRE };

/* How DTLS handshakes on the media path are made. */
struct config_dtls_policy {
	const char *name;
	uint32_t index; /* in config.dtls_policies */
	enum config_dtls_setup setup;
	enum config_hash hash;
	enum config_tls_version min_version, max_version; /* of DTLS */
	enum config_post_quantum post_quantum;
	uint32_t timeout_s;
	const struct config_tls_profile *tls; /* our certificate; NULL: one of the gateway's making */
};

struct config_port_range {
	uint16_t lower, upper; /* UDP ports, both inclusive, lower < upper */
};

struct config_media_address {
	struct ip_addr ip;
	struct ip_addr advertised; /* what SDP says; the same as ip unless behind 1:1 NAT */
	const struct config_port_range *ranges;
	uint32_t n_ranges; /* at least 1 */
};

struct config_media_interface {
	const char *name;
	const char *device; /* network interface, such as "eth0" */
	const struct config_media_address *addresses;
	uint32_t n_addresses; /* at least 1 */
};

/* How the remote of a plain RTP leg is found; a secure leg moves only with packets that authenticate. */
enum config_learning { CONFIG_LEARN_NEVER, CONFIG_LEARN_ONCE, CONFIG_LEARN_ANY };

struct config_realm {
	const char *name;
	bool trusted; /* clear signalling and clear media may be used here */
	uint8_t dscp; /* of media packets, 0 to 63 */
	bool clear_dtls; /* trunks with nothing but DTLS keying may use UDP and TCP though it is not trusted */
	enum config_learning learning;
	uint16_t nat_keepalive_s; /* between keep-alives to callers behind NAT; 0: none are sent */
	const struct config_media_interface *const *interfaces;
	uint32_t n_interfaces;                    /* at least 1 */
	const struct config_trunk *const *trunks; /* all trunks of the realm, also those that are down */
	uint32_t n_trunks;
};

struct config_listener {
	const char *name;
	uint32_t index; /* in config.listeners */
	bool enabled;
	enum config_transport transport;
	struct ip_port local;
	const char *advertised_host;          /* in Via, Contact and From; NULL: the address */
	const struct config_tls_profile *tls; /* not NULL with CONFIG_TLS and CONFIG_WSS, else NULL */
	const struct config_realm *realm;
	const char *const *origins; /* of pages that may connect, "*": any; of CONFIG_WSS only */
	uint32_t n_origins;
	uint16_t register_within_s; /* of CONFIG_WSS */
};

/* Where a trunk's calls are sent. */
struct config_peer {
	const char *name;
	const char *host;  /* a DNS name or an address */
	struct ip_addr ip; /* the address when host is one, else IP_NONE */
	uint16_t port;     /* 5061 for TLS, 5060 else, unless configured */
	bool has_port;     /* it was configured: SRV records are not asked for */
	enum config_transport transport;
	const char *certificate_name; /* what the server's certificate must be for; host unless configured */
	const char *sni;              /* NULL: send none (host is an address and nothing was configured) */
	uint16_t priority;            /* lower first (RFC 2782) */
	uint16_t weight;              /* share among equal priorities */
};

struct config_prefix {
	struct ip_addr ip;
	uint8_t bits;
};

/* Which requests are a trunk's: every kind that has entries must match, by any one of its entries. */
struct config_identify {
	const struct config_listener *const *listeners; /* none: any listener of the trunk's realm */
	uint32_t n_listeners;
	const struct config_prefix *sources;
	uint32_t n_sources;
	const char *const *certificate_names; /* DNS names or addresses in the client's certificate */
	uint32_t n_certificate_names;
	const char *const *server_names; /* that the client asked for in the TLS handshake */
	uint32_t n_server_names;
};

/* Who we are to a trunk that asks. The password is not here: config_password_read(). */
struct config_auth {
	const char *username; /* NULL: nobody; every challenge is a refusal */
	const char *password_file;
};

enum config_digest { CONFIG_DIGEST_MD5, CONFIG_DIGEST_SHA_256, CONFIG_DIGEST_SHA_512_256 };
#define CONFIG_DIGESTS 3

/* Who a trunk's peer has to prove to be before a request of his that is of no dialog is taken. */
struct config_peer_auth {
	const char *username; /* NULL: he is not asked */
	const char *password_file;
	const char *realm;                             /* of the challenge */
	enum config_digest algorithms[CONFIG_DIGESTS]; /* in the order in which they are offered */
	uint32_t n_algorithms;                         /* at least 1 */
	uint32_t nonce_lifetime_s;
};

/* One account of a trunk's registrar. */
struct config_user {
	const char *name;
	bool enabled;
	const struct config_trunk *trunk;
	const char *const *numbers;   /* besides the name */
	uint32_t n_numbers;
	const char *ha1[CONFIG_DIGESTS]; /* H(name:realm:password) in lower-case hexadecimal; NULL: none */
	uint32_t max_registrations;
};

/* What an account is called by: its name or a number of its. */
struct config_user_key {
	const char *text;
	const struct config_user *user;
};

/* The people that a trunk is. */
struct config_registrar {
	const char *realm;                             /* of the challenge; NULL: it is none of people */
	enum config_digest algorithms[CONFIG_DIGESTS]; /* in the order in which they are offered */
	uint32_t n_algorithms;                         /* at least 1 */
	uint32_t nonce_lifetime_s;
	uint32_t min_expires_s, max_expires_s, default_expires_s;
	uint32_t ring_next_s; /* then contacts of a lower q ring */
	const struct config_user_key *keys; /* sorted by text */
	uint32_t n_keys;
};

/* Where the gateway registers for a trunk: with its first peer. */
struct config_registration {
	const char *aor;       /* "sip:user@domain"; NULL: nowhere */
	const char *registrar; /* domain of the Request-URI; NULL: that of aor */
	uint32_t expires_s;    /* asked for */
};

enum config_srtp_mode {
	CONFIG_SRTP_REQUIRED, /* a call without SRTP is refused with 488 */
	CONFIG_SRTP_NONE,     /* plain RTP; a trusted realm only */
	CONFIG_SRTP_OPTIONAL, /* SRTP when the peer can (RFC 8643), else plain RTP; a trusted realm only */
};

enum config_keying { CONFIG_KEYING_SDES = 1 << 0, CONFIG_KEYING_DTLS = 1 << 1 };

enum config_rtcp_mux {
	CONFIG_RTCP_MUX_NEVER,
	CONFIG_RTCP_MUX_ACCEPT, /* when the peer offers it */
	CONFIG_RTCP_MUX_OFFER,  /* in our offers too */
};

enum config_ice { CONFIG_ICE_NEVER, CONFIG_ICE_LITE };

/* Of our offers. */
enum config_rtp_profile {
	CONFIG_RTP_FEEDBACK, /* AVPF where video was offered with RTCP feedback */
	CONFIG_RTP_BASIC,    /* AVP always, but with DTLS */
	CONFIG_RTP_FEEDBACK_ALWAYS,
};

/* What a 300, 301 or 302 of the called side becomes. */
enum config_redirect { CONFIG_REDIRECT_REFUSE, CONFIG_REDIRECT_FOLLOW, CONFIG_REDIRECT_PASS };

/* What becomes of a REFER of the party's. */
enum config_transfer { CONFIG_TRANSFER_REFUSE, CONFIG_TRANSFER_RELAY, CONFIG_TRANSFER_EXECUTE };

/* Whose calls an INVITE of the party's may take over with Replaces. */
enum config_replaces { CONFIG_REPLACES_REFUSE, CONFIG_REPLACES_SAME_TRUNK, CONFIG_REPLACES_ANY_TRUNK };

/* OPTIONS to a trunk's peers. */
struct config_health_check {
	uint32_t interval_s;   /* 0: none are sent */
	uint32_t down_after;   /* so many without an answer: the peer is down */
	uint32_t up_after;     /* so many answers: it is up again */
};

enum config_admin { CONFIG_ADMIN_UP, CONFIG_ADMIN_DRAIN, CONFIG_ADMIN_DOWN };

struct config_trunk {
	const char *name;
	uint32_t index; /* in config.trunks: for arrays of counters */
	enum config_admin
		admin; /* DRAIN: calls go on, new ones are refused. DOWN: the same, calls are ended */
	const struct config_realm *realm;
	const struct config_tls_profile
		*tls;                    /* for connections that we open; not NULL when a peer uses TLS */
	const struct config_peer *peers; /* sorted by priority; may be empty: calls only come from it */
	uint32_t n_peers;
	struct config_identify identify; /* all empty: calls only go to it */
	struct config_auth auth;
	struct config_peer_auth peer_auth;
	struct config_registration registration;
	struct config_registrar registrar;
	enum config_srtp_mode srtp;
	unsigned keying;                            /* bits of enum config_keying; 0 with SRTP_NONE */
	bool dtls_first;                            /* of both, our offers are for DTLS */
	const struct config_dtls_policy *dtls;      /* not NULL with CONFIG_KEYING_DTLS, else NULL */
	const struct config_crypto_profile *crypto; /* NULL with SRTP_NONE */
	const struct config_rekey_policy *rekey;    /* NULL: by the suite's limits alone */
	bool keep_keys; /* a re-INVITE that the other side causes repeats our key (reinvite-keys own-leg) */
	bool keep_roc;  /* the rollover counter goes on under a new key (rollover-counter keep) */
	enum config_rtcp_mux rtcp_mux;
	enum config_ice ice;
	enum config_rtp_profile rtp_profile;
	struct config_headers headers;
	enum config_redirect redirect;
	uint64_t failover_on[4]; /* a bit each, from 400: responses besides 503 after which the next peer is
				    tried */
	enum config_transfer transfer;
	enum config_replaces replaces;
	struct config_health_check check;
	uint32_t media_timeout_s;   /* without media until the call is ended; 0: never */
	uint32_t session_expires_s; /* RFC 4028, that we ask for; 0: nothing */
	uint32_t max_calls;         /* at once, both directions; CONFIG_UNLIMITED */
	uint32_t max_call_rate;     /* new calls from it per second; CONFIG_UNLIMITED */
	uint32_t max_message_rate;  /* messages per second from one of its addresses; that of limits */
};

struct config_route {
	const char *name;
	uint32_t index;                       /* in config.routes */
	const struct config_trunk *from;      /* NULL: from any trunk */
	const char *prefix;                   /* of the called number; "": every number */
	const char *host;                     /* of the Request-URI; NULL: any */
	const struct config_trunk *const *to; /* tried in this order */
	uint32_t n_to;                        /* at least 1 */
};

#define CONFIG_NAP_AS_STARTED 0u    /* the data plane's command line says it */
#define CONFIG_NAP_NEVER UINT32_MAX /* workers poll all the time */
#define CONFIG_NAP_DEFAULT_US 200u  /* of workers that are only told to nap */

struct config {
	uint64_t generation; /* 1, 2, ... in this process */

	const struct config_tls_profile *tls_profiles;
	uint32_t n_tls_profiles;
	const struct config_crypto_profile *crypto_profiles;
	uint32_t n_crypto_profiles;
	const struct config_rekey_policy *rekey_policies;
	uint32_t n_rekey_policies;
	const struct config_dtls_policy *dtls_policies;
	uint32_t n_dtls_policies;
	const struct config_media_interface *interfaces;
	uint32_t n_interfaces;
	const struct config_realm *realms;
	uint32_t n_realms;
	const struct config_listener *listeners;
	uint32_t n_listeners;
	const struct config_trunk *trunks;
	uint32_t n_trunks;
	const struct config_user *users;
	uint32_t n_users;
	const struct config_route *routes;
	uint32_t n_routes;

	struct {
		uint32_t max_calls;             /* whole gateway */
		uint32_t max_call_rate;         /* new calls per second, whole gateway */
		uint32_t max_connections;       /* TCP and TLS connections accepted at once */
		uint32_t max_message_rate;      /* per second, from one address of a trunk's party */
		uint32_t unknown_message_rate;  /* the same, of anybody else */
		uint32_t unknown_datagram_rate; /* per second, of all those together */
		uint32_t max_message_octets;    /* body of INFO or MESSAGE; 0: no MESSAGE without a call */
		uint32_t ring_timeout_s;        /* from the INVITE to its final answer */
	} limits;

	struct {
		const struct ip_addr *servers; /* asked in this order */
		uint32_t n_servers;            /* 0: those of /etc/resolv.conf */
	} dns;

	struct {
		const char *socket; /* of the data plane's SOCK_SEQPACKET socket */
		uint32_t workers;
		const char *crypto_backend; /* "ipsec-mb", "fpga" or "cryptodev" */
		uint32_t nap_us; /* the longest nap of a worker; CONFIG_NAP_AS_STARTED, CONFIG_NAP_NEVER */
	} dataplane;

	struct {
		const char *directory; /* where calls are kept for the next process */
		uint32_t orphan_grace_s;
	} recovery;

	struct {
		const char *socket; /* of the management socket, see controlplane/obs/mgmt.h */
		const char *group;  /* of operators who may use it; NULL: the owner only */
	} management;

	struct {
		size_t trace_octets;   /* memory for the signalling of calls; 0: none is kept */
		bool metrics;          /* /metrics and /healthz are served */
		struct ip_port listen; /* there */
	} observability;

	struct {
		const char *file;    /* NULL: no records are kept */
		uint64_t max_octets; /* of a file */
		uint32_t max_files;  /* besides the one that is written */
		uint32_t checkpoint_records, checkpoint_s;
	} audit;

	struct {
		enum log_level level;
		enum log_format format;
	} logging;
};

/*
 * Reads, validates and resolves a file. *out (one reference, the caller's) is written only on success. On
 * failure e says "FILE:LINE: YANG-PATH: what is wrong and what to do". -ENOENT and other errno values of
 * reading, -E2BIG (over CONFIG_TEXT_MAX), -EINVAL (not JSON, or the model refuses it), -ENOMEM. Not
 * thread-safe.
 */
#define CONFIG_TEXT_MAX (64u << 20)
int config_load(const char *path, struct config **out, struct err *e);
/* The same for text in memory; name stands for the file's in errors. */
int config_parse(struct str text, const char *name, struct config **out, struct err *e);

/*
 * Are the files that the configuration names there and right: certificates, private keys and trust bags
 * readable, each key the key of its certificate, passwords of trunks readable, the audit's file writable, the
 * group of operators there, and nothing else in the place of the management socket? running: what is in
 * force, whose audit's file is being written and may be anywhere by now; NULL: nothing is. 0 or -EINVAL with
 * the YANG path, the file and what to do. A private key that others can read is logged as a warning.
 */
int config_check_files(const struct config *c, const struct config *running, struct err *e);

/*
 * Says what of this machine the configuration names and is not there: network interfaces of media, the folder of the
 * management socket. A line begins with the leaf's YANG path. before: only what it has otherwise; NULL: all. control: the
 * management socket is there instead (--control); NULL: it is where it is configured. say NULL: as warnings of the log.
 */
typedef void (*config_say_fn)(void *ctx, const char *line);
void config_look_at_places(
	const struct config *before, const struct config *c, const char *control, config_say_fn say, void *ctx);

/*
 * Is the folder of the management socket beneath /run, where nothing outlives a boot? Then whoever starts the
 * gateway makes it: the service manager (RuntimeDirectory=), scripts/gateway.
 */
bool config_socket_is_made_at_start(const struct config *c);

/* NULL is allowed and ignored. */
struct config *config_ref(const struct config *c);
void config_unref(struct config *c);

/* The text of srtp-gateway.yang as compiled in. */
struct str config_yang(void);

/* Where a request came from. */
struct config_source {
	const struct config_listener *listener; /* of the same snapshot; it took the request */
	struct ip_addr remote;
	const struct str *certificate_names; /* DNS and IP names of a verified client, as plain text */
	uint32_t n_certificate_names;
	struct str server_name; /* that the client asked for (SNI); empty: none */
	struct str username; /* that it says to be, unproven; empty: it says none */
};

/*
 * Whose request is it? NULL: nobody's. A trunk that requires SRTP never matches over UDP or TCP, whatever its
 * entries say, unless DTLS is all its keying and its realm allows it, and one with nothing to identify it never matches. Of several, one named by a certificate goes
 * before one named by address, a longer prefix before a shorter, one with listeners before one without, then
 * the earlier in the file. Certificate names compare as RFC 5922 says: without case, whole, no wildcards. A
 * trunk whose peer has to authenticate is not that of a request which says to be another user's. The trunk's
 * admin state is the caller's to look at.
 */
const struct config_trunk *config_find_trunk(const struct config *c, const struct config_source *from);

/*
 * Of a source that is nobody's: the first trunk that it would be but for one of several demands, and which that
 * is, as the end of a sentence about the trunk (static). For the operator only: whoever asks must not be told.
 * NULL: none is near.
 */
const struct config_trunk *config_near_miss(const struct config_source *from, const char **not_met_by);

/*
 * Where does a call from this trunk to this number at this host go? A route that names the host goes before those
 * for any, whatever their prefixes; then the longest prefix wins; of equal ones, the route that names the trunk
 * before the one for any trunk, then the earlier in the file. number is the user part of the Request-URI without
 * parameters; the visual separators "-", ".", "(" and ")" (RFC 3966) are skipped. host is without port and
 * brackets; empty: it has none (tel:). NULL: nowhere.
 */
const struct config_route *config_find_route(
	const struct config *c, const struct config_trunk *from, struct str host, struct str number);

/*
 * The listener that speaks for us on this realm and transport (Via, Contact; source address of UDP): the
 * first enabled one of the address's family, IP_NONE for any. NULL: there is none.
 */
const struct config_listener *config_find_listener(const struct config *c, const struct config_realm *realm,
	enum config_transport transport, enum ip_family family);

/* By name, NULL when there is none: how a call finds its trunk in a newer generation. */
const struct config_trunk *config_trunk_named(const struct config *c, const char *name);

/* The account of the trunk that has this name or number, enabled or not; NULL: none. */
const struct config_user *config_find_user(const struct config_trunk *t, struct str called);

/* "udp", "tcp", "tls", "wss". */
const char *config_transport_name(enum config_transport t);
