/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "controlplane/obs/redact.h"
#include "controlplane/sip/hash.h"
#include "controlplane/sip/message.h"
#include "lib/base/clock.h"

#define BUCKETS 16384 /* a power of two */
#define CALL_NAME_MAX 32

struct kept {
	TAILQ_ENTRY(kept) by_age, in_dialog;
	struct kept_dialog *dialog;
	uint64_t time_ms;
	struct ip_port remote;
	const char *transport;
	bool sent;
	size_t n;
	char text[];
};

TAILQ_HEAD(kept_list, kept);

/* Lives as long as it has messages. */
struct kept_dialog {
	LIST_ENTRY(kept_dialog) in_bucket;
	struct kept_list messages;
	unsigned n_messages;
	size_t octets;            /* of its messages */
	char call[CALL_NAME_MAX]; /* "": not bound */
	char leg;
	size_t n;
	char call_id[];
};

LIST_HEAD(bucket, kept_dialog);

struct trace {
	struct hash_key key;
	size_t octets, octets_max;
	struct kept_list all; /* the oldest first */
	struct bucket buckets[BUCKETS];
	char work[TRACE_MESSAGE_MAX];
};

int trace_new(size_t octets_max, struct trace **out)
{
	struct trace *t = calloc(1, sizeof *t);
	int err;

	if (!t)
		return -ENOMEM;
	err = hash_key_make(&t->key);
	if (err < 0) {
		free(t);
		return err;
	}
	t->octets_max = octets_max;
	TAILQ_INIT(&t->all);
	*out = t;
	return 0;
}

static size_t size_of(const struct kept *k)
{
	return sizeof *k + k->n;
}

static void dialog_free_if_empty(struct trace *t, struct kept_dialog *d)
{
	if (d->n_messages)
		return;
	LIST_REMOVE(d, in_bucket);
	t->octets -= sizeof *d + d->n;
	free(d);
}

static void drop(struct trace *t, struct kept *k)
{
	struct kept_dialog *d = k->dialog;

	TAILQ_REMOVE(&t->all, k, by_age);
	TAILQ_REMOVE(&d->messages, k, in_dialog);
	d->n_messages--;
	d->octets -= size_of(k);
	t->octets -= size_of(k);
	free(k);
	dialog_free_if_empty(t, d);
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	while (!TAILQ_EMPTY(&t->all))
		drop(t, TAILQ_FIRST(&t->all));
	free(t);
}

static struct bucket *bucket_of(struct trace *t, struct str call_id)
{
	return &t->buckets[hash_str(&t->key, call_id) & (BUCKETS - 1)];
}

static struct kept_dialog *dialog_find(struct trace *t, struct str call_id)
{
	struct kept_dialog *d;

	LIST_FOREACH (d, bucket_of(t, call_id), in_bucket)
		if (str_eq((struct str){d->call_id, d->n}, call_id))
			return d;
	return NULL;
}

static struct kept_dialog *dialog_make(struct trace *t, struct str call_id)
{
	struct kept_dialog *d = calloc(1, sizeof *d + call_id.n);

	if (!d)
		return NULL;
	TAILQ_INIT(&d->messages);
	d->n = call_id.n;
	memcpy(d->call_id, call_id.p, call_id.n);
	LIST_INSERT_HEAD(bucket_of(t, call_id), d, in_bucket);
	t->octets += sizeof *d + d->n;
	return d;
}

/* The value of a header line, by its name or its one-letter name (empty: none); empty when there is none. */
static struct str header(struct str text, struct str long_name, struct str short_name)
{
	while (text.n) {
		struct str line = str_cut(&text, '\n');
		struct str name = str_cut(&line, ':');

		if (name.n == 0 || name.p[0] == '\r')
			break;
		name = str_trim(name);
		if (!str_ieq(name, long_name) && !(short_name.n && str_ieq(name, short_name)))
			continue;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		return str_trim(line);
	}
	return STR("");
}

static bool is_of_a_call(struct str text)
{
	static const bool kept[SIP_METHOD_COUNT] = {
		[SIP_INVITE] = true,
		[SIP_ACK] = true,
		[SIP_BYE] = true,
		[SIP_CANCEL] = true,
		[SIP_PRACK] = true,
		[SIP_UPDATE] = true,
		[SIP_INFO] = true,
		[SIP_REFER] = true,
		[SIP_NOTIFY] = true,
	};
	struct str cseq = header(text, STR("CSeq"), STR(""));

	str_cut(&cseq, ' ');
	return kept[sip_method_by_name(str_trim(cseq))];
}

static void keep_within_bound(struct trace *t)
{
	while (t->octets > t->octets_max && !TAILQ_EMPTY(&t->all))
		drop(t, TAILQ_FIRST(&t->all));
}

void trace_limit(struct trace *t, size_t octets_max)
{
	t->octets_max = octets_max;
	keep_within_bound(t);
}

/* Makes room: the dialog's own oldest, then the oldest of all. d may be gone afterwards. */
static void make_room(struct trace *t, struct kept_dialog *d, const struct kept *newest)
{
	while (TAILQ_FIRST(&d->messages) != newest &&
		(d->n_messages > TRACE_DIALOG_MESSAGES_MAX || d->octets > TRACE_DIALOG_OCTETS_MAX))
		drop(t, TAILQ_FIRST(&d->messages));
	keep_within_bound(t);
}

void trace_note(struct trace *t, const struct trace_message *m)
{
	struct str call_id = header(m->text, STR("Call-ID"), STR("i"));
	struct wbuf w = wbuf_make(t->work, sizeof t->work);

	if (!t->octets_max || !call_id.n || !is_of_a_call(m->text))
		return;
	redact_sip(m->text, &w);
	struct kept *k = malloc(sizeof *k + w.len);
	struct kept_dialog *d = k ? dialog_find(t, call_id) : NULL;

	if (k && !d)
		d = dialog_make(t, call_id);
	if (!d) {
		free(k);
		return;
	}
	*k = (struct kept){
		.dialog = d,
		.time_ms = m->time_ms,
		.remote = m->remote,
		.transport = m->transport,
		.sent = m->sent,
		.n = w.len,
	};
	memcpy(k->text, t->work, w.len);
	TAILQ_INSERT_TAIL(&t->all, k, by_age);
	TAILQ_INSERT_TAIL(&d->messages, k, in_dialog);
	d->n_messages++;
	d->octets += size_of(k);
	t->octets += size_of(k);
	make_room(t, d, k);
}

void trace_bind(struct trace *t, struct str sip_call_id, const char *call, char leg)
{
	struct kept_dialog *d = dialog_find(t, sip_call_id);

	if (!d || str_copy(d->call, sizeof d->call, str_z(call)) < 0)
		return;
	d->leg = leg;
}

/* Text as JSON, which is UTF-8: octets of a message that is not are shown as '?'. */
static json_t *text_json(const char *p, size_t n)
{
	json_t *text = json_stringn(p, n);
	char *ascii = text ? NULL : malloc(n);

	if (text || !ascii)
		return text;
	for (size_t i = 0; i < n; i++)
		ascii[i] = (unsigned char)p[i] < 0x80 ? p[i] : '?';
	text = json_stringn(ascii, n);
	free(ascii);
	return text;
}

static json_t *kept_json(const struct kept *k)
{
	char time[CLOCK_TEXT_MAX], remote[IP_PORT_TEXT_MAX];
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:o}", "time", clock_text(k->time_ms, time), "direction",
		k->sent ? "out" : "in", "transport", k->transport, "remote", ip_port_text(&k->remote, remote),
		"text", text_json(k->text, k->n));

	if (o && k->dialog->leg)
		json_object_set_new(o, "leg", json_stringn(&k->dialog->leg, 1));
	return o;
}

json_t *trace_json(const struct trace *t, const char *call)
{
	json_t *messages = json_array();
	const struct kept *k;

	TAILQ_FOREACH (k, &t->all, by_age) {
		const struct kept_dialog *d = k->dialog;

		if (strcmp(d->call, call) == 0 || str_eq((struct str){d->call_id, d->n}, str_z(call)))
			json_array_append_new(messages, kept_json(k));
	}
	if (json_array_size(messages) == 0) {
		json_decref(messages);
		return NULL;
	}
	return json_pack("{s:o}", "messages", messages);
}
