/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registration of an account as it is kept outside the process, and its octets: where the account is, and
 * until when. Nothing in it lets anybody register: no password, no hash, no challenge. Pure.
 */
#pragma once

#include "controlplane/sip/transport.h"
#include "lib/base/buf.h"

#define SAVED_BINDING_VERSION 0x81    /* above those of calls: what knows of calls alone takes it for none */
#define SAVED_BINDING_MAX (24u << 10) /* octets: a Path of one line, and the rest */

/* Its key in the journal is this and its id; a call's is its number, of 32 bits. */
#define SAVED_BINDING_KEY (1ull << 56)
static inline bool saved_binding_key(uint64_t key)
{
	return key >> 56 == 1;
}

/* Texts are views of the record, or of the binding; empty: there is none. */
struct saved_binding {
	struct str trunk, user; /* their names in the configuration */
	struct str contact;     /* URI */
	struct str instance, path, agent, call_id;
	uint32_t reg_id, cseq;
	uint16_t q; /* thousandths */
	enum sip_transport transport;
	struct ip_port remote;      /* that it came from, or that it is reached at */
	struct ip_port local;       /* of the listener */
	uint64_t since_ms, ends_ms; /* wall clock */
};

/* Overflows when it does not fit SAVED_BINDING_MAX octets, or a text is longer than is read. */
void saved_binding_write(const struct saved_binding *s, struct wbuf *w);
/*
 * -EPROTO: not a record of this version, or damaged. What it gives is within bounds: the contact is a URI
 * that requests can be sent to, both addresses are there, no text has a control character.
 */
int saved_binding_read(const void *data, size_t n, struct saved_binding *out);
