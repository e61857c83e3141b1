/* SPDX-License-Identifier: Apache-2.0 */
/* The folders of an active machine and of its standby, what a control plane would find there, and what is
 * told from one to the other, in memory. */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "controlplane/standby/receive.h"
#include "controlplane/standby/status.h"
#include "controlplane/standby/status_metrics.h"
#include "controlplane/standby/stream.h"
#include "tests/unit/journal_folder.h"

#define KEYS 64

static const struct stream_versions records = {
	.oldest = {[STREAM_CALLS] = 2, [STREAM_REGISTRATIONS] = 0x81},
	.newest = {[STREAM_CALLS] = 3, [STREAM_REGISTRATIONS] = 0x81},
};

static char active[40], standby[40];

static inline int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	folder_make(active);
	folder_make(standby);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	folder_remove(active);
	folder_remove(standby);
	return 0;
}

static char found[KEYS][24];

static inline void note(void *arg, uint64_t key, const void *data, size_t n)
{
	(void)arg;
	assert_true(key < KEYS && n < sizeof found[0]);
	memcpy(found[key], data, n);
	found[key][n] = '\0';
}

/* What a control plane would take over. */
static inline void look_into(const char *folder)
{
	struct journal *j = folder_open(folder);
	struct journal_found f;

	memset(found, 0, sizeof found);
	assert_int_equal(journal_read(j, note, NULL, &f), 0);
	assert_int_equal(f.torn, 0);
	journal_free(j);
}

static inline void assert_metrics(const struct standby_status *s, const char *a, const char *b, const char *c)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	assert_non_null(to);
	status_metrics(s, to);
	assert_int_equal(fclose(to), 0);
	if (!strstr(text, a) || !strstr(text, b) || !strstr(text, c))
		fail_msg("'%s', '%s' or '%s' is not in\n%s", a, b, c, text);
	free(text);
}

/* What a sender says, as far as `frames`, in memory. */
static inline struct wbuf said(char *room, size_t n, const struct stream_frame *frames)
{
	struct wbuf w = wbuf_make(room, n);
	struct stream_crc *crc;

	assert_int_equal(stream_crc_new(&crc), 0);
	stream_write_hello(&w, &records);
	for (; frames && frames->key != UINT64_MAX; frames++)
		stream_write(crc, &w, frames);
	assert_false(w.overflow);
	free(crc);
	return w;
}

#define FRAME_PUT(k, text)                                                                                   \
	{                                                                                                    \
		.kind = JOURNAL_TOLD_PUT, .key = (k), .data = (text), .n = sizeof(text) - 1                  \
	}
#define FRAME_END                                                                                            \
	{                                                                                                    \
		.key = UINT64_MAX                                                                            \
	}

static const struct stream_frame two_calls[] = {{.kind = STREAM_BEAT}, {.kind = JOURNAL_TOLD_BEGIN},
	FRAME_PUT(1, "one"), FRAME_PUT(2, "two"), {.kind = JOURNAL_TOLD_STANDS, .key = 2},
	{.kind = STREAM_BEAT, .key = 1}, FRAME_END};

#define S(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
