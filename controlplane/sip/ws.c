/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wslay reads frames and answers control frames. Messages are put together here, not there, so that they lie
 * in memory that is wiped; what we send is written in one frame by hand for the same reason. What is left of them
 * in its reading buffer, which it neither wipes nor lends, is wiped where it passes by.
 */
#include "controlplane/sip/ws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "lib/base/secret.h"

#define FIRST_OCTETS 2048
#define END_TEXT 96

struct ws {
	struct ws_ops ops;
	void *user;
	size_t message_max;
	wslay_event_context_ptr frames;
	const char *in; /* what is being fed */
	size_t in_len;
	char *text; /* the message as far as it came */
	size_t len, cap;
	bool control;  /* the frame that is being read is one */
	bool in_frame; /* it has begun and not ended */
	bool in_message;
	bool failed, stopped, too_large;
	char end[END_TEXT];
};

static void drop_text(struct ws *ws)
{
	if (ws->text)
		mem_wipe(ws->text, ws->cap);
	free(ws->text);
	ws->text = NULL;
	ws->len = ws->cap = 0;
}

static int make_room(struct ws *ws, size_t need)
{
	size_t cap = ws->cap ? ws->cap : FIRST_OCTETS;
	char *p;

	while (cap < need)
		cap *= 2;
	if (cap == ws->cap)
		return 0;
	p = malloc(cap);
	if (!p)
		return -ENOMEM;
	if (ws->text) {
		memcpy(p, ws->text, ws->len);
		mem_wipe(ws->text, ws->cap);
		free(ws->text);
	}
	ws->text = p;
	ws->cap = cap;
	return 0;
}

static ssize_t on_recv(wslay_event_context_ptr frames, uint8_t *buf, size_t len, int flags, void *user)
{
	struct ws *ws = user;
	size_t n = len < ws->in_len ? len : ws->in_len;

	(void)flags;
	if (!n) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, ws->in, n);
	ws->in += n;
	ws->in_len -= n;
	return (ssize_t)n;
}

static ssize_t on_send(
	wslay_event_context_ptr frames, const uint8_t *data, size_t len, int flags, void *user)
{
	struct ws *ws = user;

	(void)frames, (void)flags;
	ws->ops.write(ws->user, data, len);
	return (ssize_t)len;
}

static void on_frame_start(
	wslay_event_context_ptr frames, const struct wslay_event_on_frame_recv_start_arg *arg, void *user)
{
	struct ws *ws = user;

	(void)frames;
	ws->control = arg->opcode >= WSLAY_CONNECTION_CLOSE;
	ws->in_frame = true;
	if (!ws->control)
		ws->in_message = true;
}

static void take_chunk(
	struct ws *ws, wslay_event_context_ptr frames, const struct wslay_event_on_frame_recv_chunk_arg *arg)
{
	if (ws->failed || ws->too_large)
		return;
	/* wslay looks at each frame's length; without its buffers nobody adds up those of fragments. */
	if (arg->data_length > ws->message_max - ws->len) {
		ws->too_large = true;
		wslay_event_queue_close(frames, WSLAY_CODE_MESSAGE_TOO_BIG, NULL, 0);
		return;
	}
	if (make_room(ws, ws->len + arg->data_length) < 0) {
		ws->failed = true;
		return;
	}
	memcpy(ws->text + ws->len, arg->data, arg->data_length);
	ws->len += arg->data_length;
}

static void on_chunk(
	wslay_event_context_ptr frames, const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user)
{
	struct ws *ws = user;

	if (ws->control)
		return; /* wslay has still to look at it */
	take_chunk(ws, frames, arg);
	/* Unmasked in its buffer, on the heap, where nobody reads it again: without buffering this call is its end. */
	if (arg->data_length)
		mem_wipe((uint8_t *)(uintptr_t)arg->data, arg->data_length);
}

static void on_frame_end(wslay_event_context_ptr frames, void *user)
{
	(void)frames;
	((struct ws *)user)->in_frame = false;
}

static void on_message(
	wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
	struct ws *ws = user;

	(void)frames;
	if (wslay_is_ctrl_frame(arg->opcode))
		return;
	ws->in_message = false;
	if (ws->len && !ws->failed && !ws->too_large && !ws->stopped)
		ws->stopped = !ws->ops.message(ws->user, ws->text, ws->len);
	drop_text(ws);
}

int ws_new(const struct ws_ops *ops, void *user, size_t message_max, struct ws **out)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.on_frame_recv_start_callback = on_frame_start,
		.on_frame_recv_chunk_callback = on_chunk,
		.on_frame_recv_end_callback = on_frame_end,
		.on_msg_recv_callback = on_message,
	};
	struct ws *ws = calloc(1, sizeof *ws);

	if (!ws)
		return -ENOMEM;
	ws->ops = *ops;
	ws->user = user;
	ws->message_max = message_max;
	if (wslay_event_context_server_init(&ws->frames, &callbacks, ws) != 0) {
		free(ws);
		return -ENOMEM;
	}
	wslay_event_config_set_no_buffering(ws->frames, 1);
	wslay_event_config_set_max_recv_msg_length(ws->frames, message_max);
	*out = ws;
	return 0;
}

void ws_free(struct ws *ws)
{
	if (!ws)
		return;
	wslay_event_context_free(ws->frames);
	drop_text(ws);
	free(ws);
}

/* Codes by which wslay or the peer ended it, in an operator's words. */
static const char *code_words(unsigned code)
{
	static const struct {
		unsigned code;
		const char *words;
	} codes[] = {
		{WSLAY_CODE_NORMAL_CLOSURE, "closed normally"},
		{WSLAY_CODE_GOING_AWAY, "the page was left"},
		{0, "a frame breaks the WebSocket rules"}, /* as wslay has it when a frame's head does */
		{WSLAY_CODE_PROTOCOL_ERROR, "a frame breaks the WebSocket rules"},
		{WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA, "a text frame is not UTF-8"},
		{WSLAY_CODE_MESSAGE_TOO_BIG, "a message is too large"},
		{WSLAY_CODE_NO_STATUS_RCVD, "closed without a code"},
	};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i].code == code)
			return codes[i].words;
	return "closed";
}

static void note_end(struct ws *ws)
{
	bool theirs = wslay_event_get_close_received(ws->frames);
	unsigned code = theirs ? wslay_event_get_status_code_received(ws->frames)
			       : wslay_event_get_status_code_sent(ws->frames);

	if (ws->failed)
		snprintf(ws->end, sizeof ws->end, "no memory");
	else if (ws->stopped)
		snprintf(ws->end, sizeof ws->end, "no message is taken any more");
	else
		snprintf(ws->end, sizeof ws->end, "WebSocket %s %u: %s", theirs ? "closed by the peer," : "closed,",
			code, code_words(code));
}

bool ws_feed(struct ws *ws, const char *p, size_t n)
{
	int rc;

	ws->in = p;
	ws->in_len = n;
	rc = wslay_event_recv(ws->frames);
	ws->in = NULL;
	ws->in_len = 0;
	ws->failed |= wslay_event_send(ws->frames) != 0; /* pongs, and closes */
	if (rc == 0 && !ws->failed && !ws->too_large && !ws->stopped && wslay_event_want_read(ws->frames))
		return true;
	note_end(ws);
	return false;
}

bool ws_partial(const struct ws *ws)
{
	return ws->in_frame || ws->in_message;
}

const char *ws_end(const struct ws *ws)
{
	return ws->end;
}

void ws_ping(struct ws *ws)
{
	const struct wslay_event_msg ping = {.opcode = WSLAY_PING};

	if (wslay_event_queue_msg(ws->frames, &ping) == 0)
		wslay_event_send(ws->frames);
}

void ws_close(struct ws *ws, enum ws_code code)
{
	if (wslay_event_queue_close(ws->frames, (uint16_t)code, NULL, 0) == 0)
		wslay_event_send(ws->frames);
}

size_t ws_header(uint8_t out[WS_HEADER_MAX], size_t n)
{
	unsigned length_octets = n < 126 ? 0 : n < 65536 ? 2 : 8;

	out[0] = 0x80 | WSLAY_TEXT_FRAME; /* the last frame of its message */
	out[1] = length_octets == 0 ? (uint8_t)n : length_octets == 2 ? 126 : 127;
	for (unsigned i = 0; i < length_octets; i++)
		out[2 + i] = (uint8_t)((uint64_t)n >> 8 * (length_octets - 1 - i));
	return 2 + length_octets;
}
