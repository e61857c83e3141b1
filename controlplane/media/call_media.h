/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call's media, for its call's state machine: the two legs' ports, the session id and what the data plane
 * was last told, kept in step with the two oa_legs. Owned by the call, by value.
 *
 *   call_media_open() -> per exchange: call_media_ports(), [oa_offer_make], ..., call_media_program() after
 * each of oa_offer_received (re-offers), oa_offer_make (re-offers), oa_answer_received, oa_answer_make,
 * oa_commit, oa_rollback
 *   -> call_media_close()
 */
#pragma once

#include "controlplane/media/dp_client.h"
#include "controlplane/media/port_alloc.h"
#include "controlplane/media/program.h"

/* What a side's trunk and realm say. groups is the configuration's and outlives the call. */
struct call_media_side {
	struct oa_leg *leg;
	const unsigned *groups; /* media interfaces of the realm, by index */
	unsigned n_groups;
	enum ip_family family; /* likely where the peer has not said; its offer and what there is go before */
	uint8_t learn, dscp;   /* see program_side */
	uint16_t replay_window;
	bool keep_roc;
	uint64_t key_packets, key_octets;
	uint32_t media_timeout_s; /* 0: never */
};

struct call_media {
	struct dp_client *client;
	struct port_alloc *ports;
	struct call_media_side side[2]; /* DP_SIDE_A, DP_SIDE_B */
	uint32_t worker;
	bool open;
	bool added;       /* the data plane was told of the session */
	bool unsure;      /* commands were lost on the way: all is sent again by call_media_found() */
	unsigned pending; /* commands that the data plane has not answered */
	/*
	 * Called from the loop when nothing is pending any more: what was sent holds at the data plane, or
	 * the connection to it was lost on the way. Not called for what was refused: see failed.
	 */
	void (*settled)(void *arg);
	void *settled_arg;
	/*
	 * Called from the loop when the data plane has no room for the key of an offer beside the one in use (-ENOSPC). Nothing
	 * is lost but packets that are faster than the answer: the key is told again when it is agreed on. NULL: nobody
	 * wants to know.
	 */
	void (*deferred)(void *arg, unsigned leg);
	dp_session_id session;
	struct program *programmed; /* what was sent to the data plane; NULL: nothing */
	dp_client_done failed;      /* of the last call_media_program() */
	void *failed_arg;
	struct call_media_next *nexts; /* keys of offers that the data plane has not answered */
	struct call_media_ports {
		struct port_lease side[2];
	} *ports_of; /* of each transport, n_ports */
	unsigned n_ports;
};

/*
 * Fills in session and worker; user is what dp_client's events bring back. -EAGAIN, -ENOSPC as of
 * dp_client_session_open(). Zero the struct and fill client, ports, side and settled before.
 */
int call_media_open(struct call_media *m, void *user);

/*
 * Instead of call_media_open(), for a call of an earlier process whose legs stand again (oa_leg_assume()):
 * the session that it had, at that worker, with the RTP ports rtp[side][i] of each m-line (family IP_NONE:
 * none). What stands is taken to be what the data plane holds. -ENOENT, -EBUSY, -EEXIST with e: the ports or
 * the session are not to be had; close then.
 */
int call_media_restore(struct call_media *m, void *user, dp_session_id session, uint32_t worker,
	const struct ip_port rtp[2][SDP_MEDIA_MAX], struct err *e);

/*
 * Ports for every transport of the outstanding exchange that has none, on both legs. -ENOSPC, -EAFNOSUPPORT, -ENOMEM:
 * *e.
 */
int call_media_ports(struct call_media *m, struct err *e);

/*
 * Sends the data plane what has changed since last time; nothing before an answer. failed (may be NULL) is
 * called from the loop when a command is refused or not answered: end the call. Nothing pending afterwards:
 * there was nothing to say, or nobody to hear it; else settled follows. While the data plane is away, a
 * session that it has is brought up to date when it is back (0); -EAGAIN for a new one. -ENOBUFS, -ENOMEM.
 */
int call_media_program(struct call_media *m, dp_client_done failed, void *arg);

/*
 * For dp_client's session_lost: everything again, but without the send keys that the lost data plane used
 * (oa_burn_keys). Rekey every secure leg then (oa_offer_rekey). And for session_found: everything again where
 * something was lost on the way.
 */
int call_media_lost(struct call_media *m, dp_client_done failed, void *arg);
int call_media_found(struct call_media *m, dp_client_done failed, void *arg);

/* Deletes the session, returns the ports, wipes. Harmless when not open. */
void call_media_close(struct call_media *m);
