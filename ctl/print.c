/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/print.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/plane.h"
#include "ctl/table.h"

/* Columns, wherever names are in front of values. */
#define NAME_WIDTH 18
#define COUNTER_WIDTH 24

static const char *text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static void cell_text(struct table *t, const json_t *o, const char *name)
{
	table_text(t, text(o, name));
}

/* RFC 7951 writes numbers of 64 bits and decimal fractions as text. */
static bool number_of(const json_t *v, double *out)
{
	const char *z = json_string_value(v);
	char *end;

	*out = z ? strtod(z, &end) : json_number_value(v);
	return json_is_number(v) || (z && *z && !*end);
}

/* A counter. Text of it, whatever it was written as. */
static void cell_number(struct table *t, const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	if (json_is_integer(v))
		table_number(t, json_integer_value(v));
	else
		table_text(t, json_string_value(v));
}

static void cell_fixed(struct table *t, const json_t *o, const char *name, int digits)
{
	double v;

	if (number_of(json_object_get(o, name), &v))
		table_fixed(t, v, digits);
	else
		table_text(t, NULL);
}

/* 75.2 as 1:15, 3675 as 1:01:15. */
static void cell_duration(struct table *t, const json_t *o, const char *name)
{
	char z[48];
	double value;
	bool known = number_of(json_object_get(o, name), &value);
	long long s = value >= 0 && value < 1e12 ? (long long)value : 0;

	if (s >= 3600)
		snprintf(z, sizeof z, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(z, sizeof z, "%lld:%02lld", s / 60, s % 60);
	table_text(t, known ? z : NULL);
}

/* An identity without its module. */
static const char *bare(const char *z)
{
	const char *colon = z ? strchr(z, ':') : NULL;

	return colon ? colon + 1 : z;
}

/* The suite of a leg; "rtp" where there is none to have. */
static const char *leg_suite(const json_t *leg)
{
	const char *media = text(leg, "media");

	return media && strcmp(media, "rtp") == 0 ? "rtp" : bare(text(leg, "suite"));
}

static const char *suite_of(const json_t *call, const char *side)
{
	const json_t *leg;
	size_t i;

	json_array_foreach(json_object_get(call, "leg"), i, leg)
	{
		const char *name = text(leg, "side");

		if (name && strcmp(name, side) == 0)
			return leg_suite(leg);
	}
	return NULL;
}

void print_calls(const json_t *calls, FILE *to)
{
	struct table *t = table_new("ID STATE FROM TO INGRESS EGRESS >DURATION SUITE-A SUITE-B REASON");
	const json_t *call;
	size_t i;

	json_array_foreach(json_object_get(calls, "call"), i, call)
	{
		cell_text(t, call, "id");
		cell_text(t, call, "state");
		cell_text(t, call, "from");
		cell_text(t, call, "to");
		cell_text(t, call, "ingress-trunk");
		cell_text(t, call, "egress-trunk");
		cell_duration(t, call, "duration");
		table_text(t, suite_of(call, "a"));
		table_text(t, suite_of(call, "b"));
		cell_text(t, call, "end-reason");
	}
	table_print(t, to);
	if (json_object_get(calls, "active")) {
		fprintf(to, "%lld active, ", (long long)json_integer_value(json_object_get(calls, "active")));
		print_harmless(text(calls, "total") ? text(calls, "total") : "-", to);
		fputs(" since start\n", to);
	}
}

void print_legs(const json_t *calls, FILE *to)
{
	struct table *t = table_new("CALL STATE LEG TRUNK SUITE >RX >LOST >JITTER >AUTH >REPLAY REASON");
	const json_t *call, *leg;
	size_t i, k;

	json_array_foreach(calls, i, call)
	{
		const json_t *legs = json_object_get(call, "leg");

		if (json_array_size(legs) == 0) {
			cell_text(t, call, "id");
			cell_text(t, call, "state");
			for (int c = 0; c < 8; c++)
				table_text(t, c == 1 ? text(call, "ingress-trunk") : NULL);
			cell_text(t, call, "end-reason");
		}
		json_array_foreach(legs, k, leg)
		{
			const json_t *rx = json_object_get(leg, "rx");

			cell_text(t, call, "id");
			cell_text(t, call, "state");
			cell_text(t, leg, "side");
			cell_text(t, leg, "trunk");
			table_text(t, leg_suite(leg));
			cell_number(t, rx, "packets");
			cell_number(t, rx, "lost");
			cell_fixed(t, rx, "jitter", 1);
			cell_number(t, rx, "auth-failures");
			cell_number(t, rx, "replays");
			cell_text(t, call, "end-reason");
		}
	}
	table_print(t, to);
}

/* Names are what somebody sent as well as values are. */
static void print_name(const char *indent, const char *name, size_t width, FILE *to)
{
	size_t n = strlen(name);

	fputs(indent, to);
	print_harmless(name, to);
	fprintf(to, "%*s ", n < width ? (int)(width - n) : 0, "");
}

/* A leaf-list of texts, a line each. */
static void print_list(const json_t *list, const char *name, const char *indent, FILE *to)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (!json_is_string(v))
			return;
		print_name(indent, name, NAME_WIDTH, to);
		print_harmless(json_string_value(v), to);
		fputc('\n', to);
	}
}

/* "name   value" lines of an object's own members; objects and lists of them are left to the caller. */
static void print_members(const json_t *o, const char *indent, FILE *to)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)o, name, v)
	{
		if (json_is_array(v))
			print_list(v, name, indent, to);
		if (json_is_object(v) || json_is_array(v))
			continue;
		print_name(indent, name, NAME_WIDTH, to);
		if (json_is_string(v))
			print_harmless(
				strcmp(name, "suite") ? json_string_value(v) : bare(json_string_value(v)),
				to);
		else if (json_is_integer(v))
			fprintf(to, "%lld", (long long)json_integer_value(v));
		else
			fputs(json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "-", to);
		fputc('\n', to);
	}
}

/* Counters that are not zero, a line each under a title; nothing when all are. */
static void print_counters(const json_t *o, const char *title, const char *indent, FILE *to)
{
	const char *name;
	json_t *v;
	bool any = false;

	json_object_foreach((json_t *)o, name, v)
	{
		const char *value = json_string_value(v);

		if (!value || strcmp(value, "0") == 0)
			continue;
		if (!any)
			fprintf(to, "%s%s\n", indent, title);
		any = true;
		fputs("  ", to);
		print_name(indent, name, COUNTER_WIDTH, to);
		print_harmless(value, to);
		fputc('\n', to);
	}
}

/* What was counted of a side, or of one of several transports of it. */
static void print_traffic(const json_t *counted, const char *indent, FILE *to)
{
	static const char *const parts[] = {"rx", "tx"};
	char deeper[16];

	snprintf(deeper, sizeof deeper, "%s  ", indent);
	for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
		const json_t *part = json_object_get(counted, parts[p]);

		if (part)
			fprintf(to, "%s%s\n", indent, parts[p]);
		print_members(part, deeper, to);
	}
	print_counters(json_object_get(counted, "verdicts"), "packets that arrived here, by verdict", indent, to);
}

/* A member that is an object, with its name above. */
static void print_part(const json_t *o, const char *name, const char *indent, FILE *to)
{
	const json_t *part = json_object_get(o, name);
	char deeper[16];

	snprintf(deeper, sizeof deeper, "%s  ", indent);
	if (part)
		fprintf(to, "%s%s\n", indent, name);
	print_members(part, deeper, to);
}

static void print_transports(const json_t *leg, FILE *to)
{
	const json_t *transport;
	size_t i;

	json_array_foreach(json_object_get(leg, "transport"), i, transport)
	{
		fputs("  transport\n", to);
		print_members(transport, "    ", to);
		print_part(transport, "dtls", "    ", to);
		print_traffic(transport, "    ", to);
	}
}

void print_call(const json_t *call, FILE *to)
{
	const json_t *leg;
	size_t i;

	print_members(call, "", to);
	json_array_foreach(json_object_get(call, "leg"), i, leg)
	{
		const char *name = text(leg, "side");

		fputs("\nleg ", to);
		print_harmless(name ? name : "?", to);
		fprintf(to, ", towards the %s\n", name && strcmp(name, "a") == 0 ? "caller" : "called party");
		print_members(leg, "  ", to);
		print_part(leg, "signalling", "  ", to);
		print_part(leg, "ice", "  ", to);
		/* With several transports the first one's is said there. */
		if (!json_object_get(leg, "transport"))
			print_part(leg, "dtls", "  ", to);
		/* The first one's numbers are those of the side. */
		if (!json_object_get(leg, "transport"))
			print_traffic(leg, "  ", to);
		print_transports(leg, to);
	}
}

void print_stats(const json_t *statistics, FILE *to)
{
	static const char *const plane_parts[] = {"rx", "tx", "next-hops", "crypto"};
	const json_t *plane = json_object_get(statistics, "data-plane");

	print_members(statistics, "", to);
	fputs("calls\n", to);
	print_members(json_object_get(statistics, "calls"), "  ", to);
	print_counters(json_object_get(json_object_get(statistics, "calls"), "counters"),
		"refused and ended by the gateway", "  ", to);
	fputs("data plane\n", to);
	print_members(plane, "  ", to);
	for (size_t p = 0; p < sizeof plane_parts / sizeof plane_parts[0]; p++) {
		const json_t *part = json_object_get(plane, plane_parts[p]);

		if (part)
			fprintf(to, "  %s\n", plane_parts[p]);
		print_members(part, "    ", to);
	}
	print_counters(json_object_get(plane, "verdicts"), "packets by verdict", "  ", to);
	print_counters(json_object_get(statistics, "sip"), "SIP", "", to);
	plane_interfaces(plane, to);
}

/* How many of a trunk's peers can be called, of how many. */
static void cell_peers(struct table *t, const json_t *state)
{
	const json_t *peers = json_object_get(state, "peer"), *peer;
	size_t i, up = 0;
	char text[40];

	json_array_foreach(peers, i, peer)
	{
		const char *is = json_string_value(json_object_get(peer, "state"));

		up += is && strcmp(is, "up") == 0;
	}
	snprintf(text, sizeof text, "%zu/%zu", up, json_array_size(peers));
	table_text(t, json_array_size(peers) ? text : NULL);
}

static void add_peer(struct table *t, const json_t *trunk, const json_t *peer)
{
	const json_t *targets = json_object_get(peer, "target"), *target;
	size_t i;

	json_array_foreach(targets, i, target)
	{
		cell_text(t, trunk, "name");
		cell_text(t, peer, "name");
		cell_text(t, target, "address");
		cell_text(t, target, "state");
		cell_number(t, target, "rest");
		cell_text(t, target, "reason");
	}
	if (json_array_size(targets))
		return;
	cell_text(t, trunk, "name");
	cell_text(t, peer, "name");
	table_text(t, NULL);
	cell_text(t, peer, "state");
	table_text(t, NULL);
	cell_text(t, peer, "reason");
}

static const json_t *peers_of(const json_t *trunk)
{
	return json_object_get(json_object_get(trunk, "state"), "peer");
}

/* Nothing where no trunk has a peer. */
static void print_peers(const json_t *trunks, FILE *to)
{
	const json_t *list = json_object_get(trunks, "trunk"), *trunk, *peer;
	struct table *t;
	size_t i, k, n = 0;

	json_array_foreach(list, i, trunk)
		n += json_array_size(peers_of(trunk));
	if (!n)
		return;
	t = table_new("TRUNK PEER ADDRESS STATE >REST REASON");
	json_array_foreach(list, i, trunk)
	{
		json_array_foreach(peers_of(trunk), k, peer)
			add_peer(t, trunk, peer);
	}
	fputc('\n', to);
	table_print(t, to);
}

void print_trunks(const json_t *trunks, FILE *to)
{
	struct table *t = table_new("TRUNK STATE REALM SRTP PEERS >ACTIVE >TOTAL >REJECTED REGISTERED LAST_REJECTION");
	const json_t *trunk;
	size_t i;

	json_array_foreach(json_object_get(trunks, "trunk"), i, trunk)
	{
		const json_t *state = json_object_get(trunk, "state");

		cell_text(t, trunk, "name");
		cell_text(t, state, "oper-state");
		cell_text(t, trunk, "realm");
		cell_text(t, json_object_get(trunk, "srtp"), "mode");
		cell_peers(t, state);
		cell_number(t, state, "active-calls");
		cell_number(t, state, "total-calls");
		cell_number(t, state, "rejected-calls");
		cell_text(t, json_object_get(state, "registration"), "registration-state");
		cell_text(t, state, "last-rejection");
	}
	table_print(t, to);
	print_peers(trunks, to);
}

void print_json(const json_t *data, FILE *to)
{
	json_dumpf(data, to, JSON_INDENT(2));
	fputc('\n', to);
}
