/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/trace.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>

#include "controlplane/obs/redact.h"
#include "controlplane/sip/hash.h"
#include "controlplane/sip/message.h"
#include "lib/base/clock.h"

#define BUCKETS 16384 /* a power of two */
#define CALL_NAME_MAX 32

/* A message in the ring. */
struct kept {
	struct kept_dialog *dialog; /* NULL: it was dropped, and its room is free when it is the oldest */
	struct kept *next;          /* of the dialog, which is younger */
	uint64_t time_ms;
	struct ip_port remote;
	const char *transport;
	uint32_t size; /* in the ring, this and the text */
	uint32_t n;
	bool sent;
	char text[];
};

/* Lives as long as it has messages. */
struct kept_dialog {
	LIST_ENTRY(kept_dialog) in_bucket;
	struct kept *first, *last; /* the oldest first */
	unsigned n_messages;
	size_t octets;            /* of its messages */
	char call[CALL_NAME_MAX]; /* "": not bound */
	char leg;
	size_t n;
	char call_id[];
};

LIST_HEAD(bucket, kept_dialog);

/*
 * Messages one behind the other, and round again: what comes and goes all the time neither costs an allocation nor
 * makes holes between what stays. From `oldest` to `next`, or, when it has gone round, to `turn` and from 0 to `next`.
 */
struct ring {
	char *p;
	size_t size, oldest, next, turn;
	bool round, empty;
};

struct trace {
	struct hash_key key;
	size_t octets_max;
	size_t dialogs, dialogs_max; /* octets beside the ring */
	struct ring ring;
	struct bucket buckets[BUCKETS];
	char work[TRACE_MESSAGE_MAX];
};

static struct kept *oldest(const struct ring *r)
{
	return r->empty ? NULL : (struct kept *)(r->p + r->oldest);
}

static struct kept *younger(const struct ring *r, const struct kept *k)
{
	size_t at = (size_t)((const char *)k - r->p) + k->size;

	if (r->round && at == r->turn)
		at = 0;
	else if (at == r->next)
		return NULL;
	return (struct kept *)(r->p + at);
}

static void take_off_oldest(struct ring *r)
{
	struct kept *k = oldest(r), *next = younger(r, k);

	if (!next) {
		*r = (struct ring){.p = r->p, .size = r->size, .empty = true};
		return;
	}
	r->round &= next > k;
	r->oldest = (size_t)((char *)next - r->p);
}

/* Room behind the youngest; NULL: the oldest has to go first. size: at most that of the ring. */
static struct kept *append(struct ring *r, size_t size)
{
	struct kept *k;

	if (!r->round && !r->empty && r->size - r->next < size) {
		if (r->oldest < size)
			return NULL;
		r->turn = r->next;
		r->next = 0;
		r->round = true;
	}
	if (r->round && r->oldest - r->next < size)
		return NULL;
	k = (struct kept *)(r->p + r->next);
	r->next += size;
	r->empty = false;
	return k;
}

/* In whole pages, which the system gives when they are written to. -ENOMEM. */
static int ring_make(size_t size, struct ring *r)
{
	void *p = size ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;

	if (p == MAP_FAILED)
		return -ENOMEM;
	if (p)
		(void)madvise(p, size, MADV_HUGEPAGE);
	*r = (struct ring){.p = p, .size = size, .empty = true};
	return 0;
}

static void ring_free(struct ring *r)
{
	if (r->p)
		munmap(r->p, r->size);
}

/* An eighth of all is for dialogs, which take less as a rule. */
static int divide(struct trace *t, size_t octets_max, struct ring *r)
{
	int err = ring_make(octets_max - octets_max / 8, r);

	if (err < 0)
		return err;
	t->octets_max = octets_max;
	t->dialogs_max = octets_max / 8;
	return 0;
}

int trace_new(size_t octets_max, struct trace **out)
{
	struct trace *t = calloc(1, sizeof *t);
	int err;

	if (!t)
		return -ENOMEM;
	err = hash_key_make(&t->key);
	if (err == 0)
		err = divide(t, octets_max, &t->ring);
	if (err < 0) {
		free(t);
		return err;
	}
	*out = t;
	return 0;
}

static void dialog_free_if_empty(struct trace *t, struct kept_dialog *d)
{
	if (d->n_messages)
		return;
	LIST_REMOVE(d, in_bucket);
	t->dialogs -= sizeof *d + d->n;
	free(d);
}

/* The dialog's oldest is no more; its room comes free in its turn. The dialog may be gone afterwards. */
static void drop_first(struct trace *t, struct kept_dialog *d)
{
	struct kept *k = d->first;

	d->first = k->next;
	d->n_messages--;
	d->octets -= k->size;
	k->dialog = NULL;
	dialog_free_if_empty(t, d);
}

static void drop_oldest(struct trace *t)
{
	struct kept *k = oldest(&t->ring);

	if (k->dialog)
		drop_first(t, k->dialog);
	take_off_oldest(&t->ring);
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	while (oldest(&t->ring))
		drop_oldest(t);
	ring_free(&t->ring);
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
	d->n = call_id.n;
	memcpy(d->call_id, call_id.p, call_id.n);
	LIST_INSERT_HEAD(bucket_of(t, call_id), d, in_bucket);
	t->dialogs += sizeof *d + d->n;
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

/* The youngest of its dialog and of all. False: there can be no room for it. */
static bool add(struct trace *t, struct kept_dialog *d, const struct kept *head, const char *text)
{
	size_t size = (sizeof *head + head->n + alignof(struct kept) - 1) / alignof(struct kept) * alignof(struct kept);
	struct kept *k;

	if (size > t->ring.size)
		return false;
	d->n_messages++; /* it stays while the oldest go, which may be its last */
	while (!(k = append(&t->ring, size)))
		drop_oldest(t);
	*k = *head;
	k->dialog = d;
	k->next = NULL;
	k->size = (uint32_t)size;
	memcpy(k->text, text, k->n);
	if (d->first)
		d->last->next = k;
	else
		d->first = k;
	d->last = k;
	d->octets += size;
	return true;
}

/* The dialog's own oldest go, then the oldest of all. d may be gone afterwards. */
static void keep_within_bounds(struct trace *t, struct kept_dialog *d)
{
	while (d->first != d->last &&
		(d->n_messages > TRACE_DIALOG_MESSAGES_MAX || d->octets > TRACE_DIALOG_OCTETS_MAX))
		drop_first(t, d);
	while (t->dialogs > t->dialogs_max && oldest(&t->ring))
		drop_oldest(t);
}

void trace_limit(struct trace *t, size_t octets_max)
{
	struct ring was = t->ring;
	struct kept_dialog *d;

	/* Without memory for another ring it stays as it is. */
	if (octets_max == t->octets_max || divide(t, octets_max, &t->ring) < 0)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		LIST_FOREACH (d, &t->buckets[i], in_bucket)
			d->first = d->last = NULL;
	for (struct kept *k = oldest(&was); k; k = younger(&was, k)) {
		if (!(d = k->dialog))
			continue;
		d->octets -= k->size;
		if (add(t, d, k, k->text))
			d->n_messages--; /* it was counted already */
		else if (--d->n_messages == 0)
			dialog_free_if_empty(t, d);
	}
	ring_free(&was);
	while (t->dialogs > t->dialogs_max && oldest(&t->ring))
		drop_oldest(t);
}

void trace_note(struct trace *t, const struct trace_message *m)
{
	struct str call_id = header(m->text, STR("Call-ID"), STR("i"));
	struct wbuf w = wbuf_make(t->work, sizeof t->work);

	if (!t->octets_max || !call_id.n || !is_of_a_call(m->text))
		return;
	redact_sip(m->text, &w);
	struct kept_dialog *d = dialog_find(t, call_id);

	if (!d && !(d = dialog_make(t, call_id)))
		return;
	const struct kept k = {
		.time_ms = m->time_ms,
		.remote = m->remote,
		.transport = m->transport,
		.sent = m->sent,
		.n = (uint32_t)w.len,
	};
	if (add(t, d, &k, t->work))
		keep_within_bounds(t, d);
	else
		dialog_free_if_empty(t, d);
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

	for (const struct kept *k = oldest(&t->ring); k; k = younger(&t->ring, k)) {
		const struct kept_dialog *d = k->dialog;

		if (!d)
			continue;
		if (strcmp(d->call, call) == 0 || str_eq((struct str){d->call_id, d->n}, str_z(call)))
			json_array_append_new(messages, kept_json(k));
	}
	if (json_array_size(messages) == 0) {
		json_decref(messages);
		return NULL;
	}
	return json_pack("{s:o}", "messages", messages);
}
