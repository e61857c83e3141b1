/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "ctl/audit_files.h"
#include "ctl/table.h"
#include "lib/base/str.h"

/* ---- filters ---- */

static const char *text_at(const json_t *o, const char *name)
{
	const char *z = json_string_value(json_object_get(o, name));

	return z ? z : "";
}

static bool is(const char *wanted, const char *value)
{
	return !wanted || strcmp(wanted, value) == 0;
}

/* Has the side, or one of the transports that it may have several of, this suite and this version of DTLS? */
static bool media_is(const json_t *leg, const char *suite, const char *dtls)
{
	const json_t *transport;
	size_t i;

	if (is(suite, text_at(leg, "suite")) && is(dtls, text_at(json_object_get(leg, "dtls"), "version")))
		return true;
	json_array_foreach(json_object_get(leg, "transports"), i, transport)
	{
		if (media_is(transport, suite, dtls))
			return true;
	}
	return false;
}

static bool leg_is(const struct ctl_args *a, const json_t *leg)
{
	const char *suite = a->text[OPT_SUITE], *tls = a->text[OPT_TLS];
	bool signalled = is(tls, text_at(json_object_get(leg, "signalling"), "tls-version"));

	return is(a->text[OPT_TRUNK], text_at(leg, "trunk")) && media_is(leg, suite, signalled ? NULL : tls);
}

/* A record of the audit itself. */
static bool is_gap(const json_t *o)
{
	return strcmp(text_at(o, "type"), "gap") == 0;
}

static bool is_file(const json_t *o)
{
	return strcmp(text_at(o, "type"), "file") == 0;
}

/* Is a record's time before that of an option, or behind it? As text: RFC 3339 in UTC, as far as the option
 * says it. */
static int compare_times(const char *time, const char *asked)
{
	size_t n = strlen(asked);

	return strncmp(time, asked, n && asked[n - 1] == 'Z' ? n - 1 : n);
}

/* One leg has all that is asked for of a leg. */
static bool record_is(const struct ctl_args *a, const json_t *o)
{
	const char *time = text_at(o, "time"), *from = a->text[OPT_FROM], *to = a->text[OPT_TO];
	const json_t *legs = json_object_get(o, "legs"), *leg;
	size_t i;

	if (strcmp(text_at(o, "type"), "checkpoint") == 0 || (from && compare_times(time, from) < 0) ||
		(to && compare_times(time, to) > 0))
		return false;
	/* What is asked for may have been among those that are missing. */
	if (is_gap(o) || is_file(o))
		return true;
	if (!is(a->text[OPT_CALL], text_at(o, "call")))
		return false;
	if (!a->text[OPT_SUITE] && !a->text[OPT_TLS] && is(a->text[OPT_TRUNK], text_at(o, "trunk")))
		return true;
	json_array_foreach(legs, i, leg)
	{
		if (leg_is(a, leg))
			return true;
	}
	return false;
}

/* Is it so, or how that begins? 0: any digit. At least the year. */
static bool begins(const char *text, const char *form)
{
	size_t n = strlen(text);

	if (n < 4 || n > strlen(form))
		return false;
	for (size_t i = 0; i < n; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

/* As the records have it, or without milliseconds. Anything else would compare, too, and select what nobody
 * asked for. */
static bool is_time(const char *text)
{
	return begins(text, "0000-00-00T00:00:00.000Z") || begins(text, "0000-00-00T00:00:00Z");
}

static enum ctl_exit check_times(const struct ctl_args *a, struct err *e)
{
	for (unsigned i = 0; i < 2; i++) {
		const char *text = a->text[i ? OPT_TO : OPT_FROM];

		if (text && !is_time(text)) {
			err_set(e, EINVAL,
				"%s takes a day or a time in UTC, such as 2026-10-01 or 2026-10-01T13:00:00Z, not '%s'",
				i ? "--to" : "--from", text);
			return CTL_USAGE;
		}
	}
	return CTL_OK;
}

struct reading {
	const struct ctl_args *a;
	void (*take)(struct reading *r, const json_t *o);
	json_t *counts;
	uint64_t total;
};

static enum ctl_exit read_line(void *arg, struct str line, struct err *e)
{
	struct reading *r = arg;
	json_error_t where;
	json_t *o = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &where);

	if (!json_is_object(o)) {
		json_decref(o);
		err_set(e, EBADMSG, "this is no record");
		return CTL_REFUSED;
	}
	if (record_is(r->a, o))
		r->take(r, o);
	json_decref(o);
	return CTL_OK;
}

static enum ctl_exit read_all(struct reading *r, struct err *e)
{
	enum ctl_exit code = check_times(r->a, e);

	return code == CTL_OK ? audit_each_line(r->a, read_line, r, e) : code;
}

/* ---- show ---- */

/* How a side's media was keyed: "sdes", or a version of DTLS. */
static const char *keying_of(const json_t *leg)
{
	const char *version = text_at(json_object_get(leg, "dtls"), "version");

	return *version ? version : *text_at(leg, "keying") ? text_at(leg, "keying") : "-";
}

static void show_dtls(const json_t *dtls)
{
	const json_t *fingerprint;
	char text[600];
	size_t i;

	if (!dtls)
		return;
	snprintf(text, sizeof text, "    %s %s %s %s%s", text_at(dtls, "version"), text_at(dtls, "cipher"),
		text_at(dtls, "group"), text_at(dtls, "profile"),
		json_is_true(json_object_get(dtls, "fingerprint-authenticated")) ? "" : "  fingerprint not authenticated");
	print_harmless(text, stdout);
	putchar('\n');
	json_array_foreach(json_object_get(dtls, "fingerprints"), i, fingerprint)
	{
		snprintf(text, sizeof text, "    peer %s", json_string_value(fingerprint) ? json_string_value(fingerprint) : "");
		print_harmless(text, stdout);
		putchar('\n');
	}
}

static void show_transport(const json_t *t)
{
	const json_t *bad = json_object_get(t, "anomalies"), *m_lines = json_object_get(t, "m-lines"), *kind;
	char text[300], kinds[60] = "";
	size_t i;

	json_array_foreach(m_lines, i, kind)
		snprintf(kinds + strlen(kinds), sizeof kinds - strlen(kinds), " %s",
			json_string_value(kind) ? json_string_value(kind) : "");
	snprintf(text, sizeof text, "    transport %lld%s  %s  keys %lld  packets %lld in %lld out  forged %lld replayed %lld",
		(long long)json_integer_value(json_object_get(t, "transport")), kinds,
		*text_at(t, "suite") ? text_at(t, "suite") : text_at(t, "media"),
		(long long)json_integer_value(json_object_get(t, "keys")),
		(long long)json_integer_value(json_object_get(t, "rx-packets")),
		(long long)json_integer_value(json_object_get(t, "tx-packets")),
		(long long)json_integer_value(json_object_get(bad, "auth-failures")),
		(long long)json_integer_value(json_object_get(bad, "replays")));
	print_harmless(text, stdout);
	putchar('\n');
	show_dtls(json_object_get(t, "dtls"));
}

static void show_leg(const json_t *leg)
{
	const json_t *transports = json_object_get(leg, "transports"), *transport;
	size_t i;

	const json_t *signalling = json_object_get(leg, "signalling"), *peer = json_object_get(leg, "peer");
	const json_t *keys = json_object_get(leg, "keys"), *bad = json_object_get(leg, "anomalies");
	char text[600];

	snprintf(text, sizeof text,
		"  %s %-16s %-24s %s  %s %s  keys %zu  packets %lld in %lld out  forged %lld replayed %lld downgrades "
		"%lld  %s\n",
		text_at(leg, "side"), text_at(leg, "trunk"),
		*text_at(leg, "suite") ? text_at(leg, "suite") : text_at(leg, "media"),
		keying_of(leg), *text_at(signalling, "tls-version") ? text_at(signalling, "tls-version") : "no TLS",
		text_at(signalling, "tls-cipher"), json_array_size(keys),
		(long long)json_integer_value(json_object_get(leg, "rx-packets")),
		(long long)json_integer_value(json_object_get(leg, "tx-packets")),
		(long long)json_integer_value(json_object_get(bad, "auth-failures")),
		(long long)json_integer_value(json_object_get(bad, "replays")),
		(long long)(json_integer_value(json_object_get(bad, "downgrade-clear")) +
			    json_integer_value(json_object_get(bad, "downgrade-keys"))),
		*text_at(peer, "certificate") ? text_at(peer, "certificate") : text_at(peer, "address"));
	for (char *p = text; *p; p++)
		putchar((unsigned char)*p < ' ' && *p != '\n' ? '?' : *p);
	if (!json_array_size(transports))
		show_dtls(json_object_get(leg, "dtls"));
	json_array_foreach(transports, i, transport) show_transport(transport);
}

/* Who asked for what was refused. */
static void show_refused(const json_t *o)
{
	const json_t *signalling = json_object_get(o, "signalling"), *peer = json_object_get(o, "peer");
	char text[600];

	if (!peer)
		return;
	snprintf(text, sizeof text, "  %-18s %s %s  %s %s", *text_at(o, "trunk") ? text_at(o, "trunk") : "-",
		*text_at(signalling, "tls-version") ? text_at(signalling, "tls-version") : "no TLS",
		text_at(signalling, "tls-cipher"), text_at(peer, "address"), text_at(peer, "certificate"));
	print_harmless(text, stdout);
	putchar('\n');
}

static void show_record(struct reading *r, const json_t *o)
{
	const json_t *leg;
	char text[600];
	size_t i;

	if (args_json(r->a)) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	if (strcmp(text_at(o, "type"), "registration") == 0)
		snprintf(text, sizeof text, "%s registration %s  %s  %s %s %s  %s", text_at(o, "time"), text_at(o, "event"),
			text_at(o, "user"), text_at(o, "trunk"), text_at(o, "transport"), text_at(o, "address"),
			text_at(o, "reason"));
	else if (is_file(o))
		snprintf(text, sizeof text, "%s file  %s", text_at(o, "time"), text_at(o, "reason"));
	else if (is_gap(o))
		snprintf(text, sizeof text, "%s gap  %lld missing since %s: %s", text_at(o, "time"),
			(long long)json_integer_value(json_object_get(o, "records")), text_at(o, "since"),
			text_at(o, "reason"));
	else
		snprintf(text, sizeof text, "%s %s %s %s%s%s  %lld %s", text_at(o, "time"), text_at(o, "type"),
			text_at(o, "call"), text_at(o, "from"), *text_at(o, "to") ? " -> " : "", text_at(o, "to"),
			(long long)json_integer_value(json_object_get(o, "status")), text_at(o, "reason"));
	print_harmless(text, stdout);
	putchar('\n');
	if (strcmp(text_at(o, "type"), "refusal") == 0)
		show_refused(o);
	json_array_foreach(json_object_get(o, "legs"), i, leg) show_leg(leg);
}

enum ctl_exit audit_show(struct client *c, const struct ctl_args *a, struct err *e)
{
	struct reading r = {.a = a, .take = show_record};

	(void)c;
	return read_all(&r, e);
}

/* ---- suites ---- */

/* media: the side, or one of its transports. Once for all that are alike: seen. */
static void count_media(struct reading *r, const json_t *leg, const json_t *media, json_t *seen)
{
	const char *version = text_at(json_object_get(leg, "signalling"), "tls-version");
	char name[200];

	snprintf(name, sizeof name, "%.80s\t%.40s\t%.40s",
		*text_at(media, "suite") ? text_at(media, "suite") : "none (plain RTP)", keying_of(media),
		*version ? version : "no TLS");
	if (json_object_get(seen, name))
		return;
	json_object_set_new(seen, name, json_true());
	json_object_set_new(
		r->counts, name, json_integer(json_integer_value(json_object_get(r->counts, name)) + 1));
	r->total++;
}

static void count_legs(struct reading *r, const json_t *o)
{
	const json_t *leg, *transport;
	size_t i, k;

	json_array_foreach(json_object_get(o, "legs"), i, leg)
	{
		const json_t *transports = json_object_get(leg, "transports");
		json_t *seen;

		if (!*text_at(o, "answered") || !leg_is(r->a, leg))
			continue;
		seen = json_object();
		if (!json_array_size(transports))
			count_media(r, leg, leg, seen);
		json_array_foreach(transports, k, transport) count_media(r, leg, transport, seen);
		json_decref(seen);
	}
}

struct rank {
	const char *name;
	json_int_t n;
};

static int more_first(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->name, y->name);
}

static void print_ranks(const struct reading *r, struct rank *ranks, size_t n)
{
	if (!args_json(r->a))
		printf("%8s %6s  %-28s %-9s %s\n", "SIDES", "%", "SUITE", "KEYING", "SIGNALLING");
	for (size_t i = 0; i < n; i++) {
		struct str rest = str_z(ranks[i].name), suite = str_cut(&rest, '\t'),
			   keying = str_cut(&rest, '\t');
		double share = 100.0 * (double)ranks[i].n / (double)r->total;

		if (args_json(r->a))
			printf("{\"suite\":\"%.*s\",\"keying\":\"%.*s\",\"signalling\":\"%.*s\",\"sides\":%"
			       "lld,\"percent\":%.1f}\n",
				STR_ARG(suite), STR_ARG(keying), STR_ARG(rest), (long long)ranks[i].n, share);
		else
			printf("%8lld %6.1f  %-28.*s %-9.*s %.*s\n", (long long)ranks[i].n, share,
				STR_ARG(suite), STR_ARG(keying), STR_ARG(rest));
	}
}

enum ctl_exit audit_suites(struct client *c, const struct ctl_args *a, struct err *e)
{
	struct reading r = {.a = a, .take = count_legs, .counts = json_object()};
	enum ctl_exit code = read_all(&r, e);
	size_t n = json_object_size(r.counts), i = 0;
	struct rank *ranks = calloc(n + 1, sizeof *ranks);
	const char *name;
	json_t *count;

	(void)c;
	json_object_foreach(r.counts, name, count) ranks[i++] =
		(struct rank){name, json_integer_value(count)};
	if (code == CTL_OK) {
		qsort(ranks, n, sizeof *ranks, more_first);
		print_ranks(&r, ranks, n);
	}
	free(ranks);
	json_decref(r.counts);
	return code;
}
