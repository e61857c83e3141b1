/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/log.h"

#include <inttypes.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"

#define LINE_MAX_OCTETS 2048

static struct {
	enum log_level least;
	enum log_format format;
} config = {LOG_INFO, LOG_TEXT}; /* written by log_setup() before threads start, read-only after */

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(enum log_level least, enum log_format format)
{
	config.least = least;
	config.format = format;
}

bool log_enabled(enum log_level level)
{
	return level >= config.least;
}

/* JSON's escapes, which serve the text format too: whatever a peer sent, one event stays one line. */
static void put_quoted(struct wbuf *w, struct str s)
{
	wbuf_u8(w, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			wbuf_fmt(w, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			wbuf_fmt(w, "\\u%04x", c);
		else
			wbuf_u8(w, c);
	}
	wbuf_u8(w, '"');
}

static bool is_bare(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return s.n > 0;
}

static void put_value(struct wbuf *w, const struct log_field *f, enum log_format format)
{
	switch (f->kind) {
	case LOG_STR:
		if (format == LOG_TEXT && is_bare(f->s))
			wbuf_str(w, f->s);
		else
			put_quoted(w, f->s);
		break;
	case LOG_U64:
		wbuf_fmt(w, "%" PRIu64, f->u);
		break;
	case LOG_I64:
		wbuf_fmt(w, "%" PRId64, f->i);
		break;
	case LOG_BOOL:
		wbuf_z(w, f->b ? "true" : "false");
		break;
	case LOG_END:
		break;
	}
}

void log_write(enum log_level level, const char *module, const char *message, const struct log_field *fields)
{
	char line[LINE_MAX_OCTETS], when[CLOCK_TEXT_MAX];
	/* Two octets are kept back so that a line that was cut still ends as a line. */
	struct wbuf w = wbuf_make(line, sizeof line - 2);

	clock_text(clock_wall_ms(), when);
	if (config.format == LOG_JSON) {
		wbuf_fmt(&w, "{\"time\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",\"message\":", when,
			level_names[level], module);
		put_quoted(&w, str_z(message));
	} else {
		wbuf_fmt(&w, "%s %-5s %s: %s", when, level_names[level], module, message);
	}
	for (const struct log_field *f = fields; f->kind != LOG_END; f++) {
		struct wbuf undo = w;

		if (config.format == LOG_JSON) {
			wbuf_z(&w, ",");
			put_quoted(&w, str_z(f->name));
			wbuf_z(&w, ":");
		} else {
			wbuf_fmt(&w, " %s=", f->name);
		}
		put_value(&w, f, config.format);
		if (w.overflow)
			w = undo; /* a field that does not fit is left out whole: JSON stays JSON */
	}
	if (config.format == LOG_JSON)
		line[w.len++] = '}';
	line[w.len++] = '\n';
	if (write(STDERR_FILENO, line, w.len) < 0) {
		/* A log that cannot be written has nowhere to be reported. */
	}
}
