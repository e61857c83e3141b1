/* SPDX-License-Identifier: Apache-2.0 */
/* What journal.c (writing) and journal_read.c share. */
#pragma once

#include "controlplane/state/journal.h"

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
/* CRC-32C, as in RFC 3720 section 12.1. */
void journal_crc_table(uint32_t table[256]);
uint32_t journal_crc(const uint32_t table[256], const uint8_t *p, size_t n);
