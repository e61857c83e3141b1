/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call as it is kept outside the process, and its octets. There is no key in it and there never may be: the
 * data plane has the keys in use, and the next offer brings others. Pure.
 */
#pragma once

#include "controlplane/b2bua/media/rekey.h"
#include "controlplane/dtls/fingerprint.h"
#include "controlplane/sdp/offer_answer.h"
#include "controlplane/sip/dialog.h"
#include "lib/base/buf.h"

/*
 * The newest that is read. 7 is of a call that is being set up, and another record: saved_setup.h. 5 is of
 * one that has ended. One that stands is written as 4, which programs of before 5 take over too, or as 6 when
 * it has predecessors. Taken over all the same: 1, without what begins with renewal; 2, of the keys of
 * transport 0 alone; 3, without `before` and agreed_seq.
 */
#define SAVED_CALL_VERSION 7
#define SAVED_CALL_MAX (96u << 10) /* octets: two bodies, two dialogs with all their routes, and the rest */

/* An m-line that stands. */
struct saved_media {
	bool used, mux, ported, ice;
	bool swapped; /* as in struct oa_media */
	uint8_t transport, kind, proto, direction; /* as in struct oa_media */
	uint8_t suite;                  /* of its keys; NONE: it has none */
	uint8_t mki_len;
	uint8_t mki[DP_MKI_MAX];     /* of the key that we send with */
	uint32_t rx_epoch, tx_epoch; /* the keys' numbers at the data plane */
	uint32_t clock_hz;
	uint16_t extensions; /* as in struct oa_media, feedback and mid_sent too */
	uint8_t feedback, mid_sent;
	struct ip_port remote, remote_rtcp;
	struct ip_port before, before_rtcp; /* as in struct oa_media */
	struct ip_port selected; /* with ice: where the peer was found; credentials are not kept */
	struct ip_port local; /* with ported: our RTP address as leased; RTCP is on the port behind it */
};

/* How a leg stands with the renewal of its keys; as in struct leg_rekey. */
struct saved_renewal {
	bool due; /* one was about to be, or is under way */
	bool barred, tried;
	uint8_t result, cause;
	uint32_t failed, strangers;
};

/* As struct leg_handshake; texts empty: there was none. */
struct saved_handshake {
	struct str version, cipher, group;
	struct dtls_fingerprint peer[DTLS_FINGERPRINTS_MAX];
	uint32_t n_peer;
};

/* What the audit is to keep of a leg besides; texts as in struct leg. */
struct saved_past {
	struct str peer_name, peer_fingerprint;
	struct saved_handshake handshake; /* of transport 0 */
	uint32_t downgrades[OA_DOWNGRADES];
};

/* The keys of a transport, from 1 on; which key it is, its m-line says. */
struct saved_keyed {
	uint8_t transport;
	uint32_t keys; /* that transport 0 has had; keyed_ms and key_epoch are its too */
	uint64_t keyed_ms;
	struct saved_handshake handshake;
};

/* Texts are views of the record, or of the call. */
struct saved_leg {
	struct str trunk, listener; /* their names in the configuration */
	struct sip_dialog dialog;   /* what sip_dialog_restore() takes; of its flow only what is below */
	struct str routes[SIP_ROUTES_MAX]; /* the dialog's, as they were read */
	uint8_t transport;          /* enum sip_transport */
	struct ip_port remote;
	struct str tls_name, tls_sni; /* empty: none */
	struct str tls;               /* for people */

	uint32_t interval_s, min_s; /* session timer */
	bool ours, peer_updates;
	uint64_t due_ms; /* wall clock: when it next does something; 0: never */

	struct str sess_id, sent; /* of the SDP */
	uint64_t version, sent_version;
	uint32_t next_epoch, burnt_epoch, key_epoch;
	uint32_t keys; /* that it has had */
	uint64_t keyed_ms;
	struct saved_renewal renewal;
	struct saved_past past;
	uint32_t n_epochs; /* of its keys */
	struct key_epoch epochs[KEY_EPOCHS_MAX];
	uint32_t n_more;
	struct saved_keyed more[SDP_MEDIA_MAX - 1];
	uint32_t agreed_seq; /* as in struct leg */
	uint32_t n_media;
	struct saved_media media[SDP_MEDIA_MAX];
};

struct saved_call {
	/* It has ended, and this is all: what is to be written of it, of record.h. Empty: it stands. */
	struct str record;
	struct str id, from, to;
	uint8_t max_forwards;
	uint64_t began_ms, answered_ms; /* wall clock */
	uint64_t plane;                 /* instance of the data plane that has its session */
	dp_session_id session;
	uint32_t worker;
	struct saved_leg legs[2];
	struct str predecessor[2]; /* as in struct call */
};

/* Overflows when it does not fit SAVED_CALL_MAX octets. */
void saved_call_write(const struct saved_call *c, struct wbuf *w);
/*
 * -EPROTO: not a record of this version, or damaged. What it gives is within bounds: every enum, count and
 * length is checked, texts have no control characters but those of an SDP. Large: not for small stacks.
 */
int saved_call_read(const void *data, size_t n, struct saved_call *out);
