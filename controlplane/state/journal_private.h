/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share, and the stream of controlplane/standby. */
#pragma once

#include "controlplane/state/journal.h"
#include "lib/base/buf.h"

#define JOURNAL_VERSION 1
#define JOURNAL_HEAD 16  /* octets before the first record */
#define JOURNAL_FRAME 17 /* of a record without its data */
#define JOURNAL_NAME "calls."
extern const char journal_magic[8];

enum { JOURNAL_REMOVE, JOURNAL_PUT };

struct journal {
	int directory, lock, segment; /* descriptors; -1: none */
	uint32_t number;              /* of the current segment */
	uint32_t *older;              /* numbers of segments that are still there, ascending */
	uint32_t n_older;
	uint64_t octets; /* of the current segment, as written */
	uint32_t crc[256];
	size_t gathered;
	uint8_t *buffer;
};

void journal_name(uint32_t number, char out[32]);
/* The numbers of the segments that are there, ascending. The caller frees *out, after a failure as well. */
int journal_list(int directory, uint32_t **out, uint32_t *n);
/* CRC-32C, as in RFC 3720 section 12.1. */
void journal_crc_table(uint32_t table[256]);
uint32_t journal_crc(const uint32_t table[256], const uint8_t *p, size_t n);

/* A record as it is in a segment. */
struct journal_record {
	uint64_t key;
	uint8_t what;
	uint32_t n;
	const uint8_t *data; /* a view of what was read */
};

/*
 * The next record; *in is behind it then. -EAGAIN: what there is of it is right, and it is not whole.
 * -EPROTO: it is none, or of a kind above `most`.
 */
int journal_record_read(const uint32_t table[256], struct rbuf *in, uint8_t most, struct journal_record *out);
void journal_record_write(const uint32_t table[256], struct wbuf *w, const struct journal_record *r);
/* As a segment begins: -EAGAIN, -EPROTO as above. */
int journal_head_read(struct rbuf *in);
