/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/commands.h"

#include <string.h>

#include "ctl/ladder.h"
#include "ctl/show.h"

#define O(name) (1u << OPT_##name)

const struct command commands[] = {
	{"show calls", "[--state STATE] [--watch [SECONDS] [--rounds N]]",
		"calls that there are, and those that ended not long ago",
		"Lists calls, newest last.\n"
		"\n"
		"  --state STATE      only calls in one state: setup, ringing, established, ending, ended or "
		"refused\n"
		"  --watch [SECONDS]  one row per leg with its packets, refreshed every SECONDS (1) until "
		"interrupted\n"
		"  --rounds N         end the watch after N refreshes\n"
		"\n"
		"In the watch: RX packets accepted from the leg's peer, LOST and JITTER (ms) as RFC 3550 "
		"counts them, AUTH\n"
		"packets that did not authenticate, REPLAY packets that were seen before or came too late. "
		"With --json one line\n"
		"a refresh.\n",
		O(STATE) | O(WATCH) | O(ROUNDS), 0, 0, NULL, {0}, show_calls},
	{"show call", "ID", "one call in full: addresses, suites, packets, verdicts",
		"Shows one call and both its legs. ID is as in 'show calls'.\n", 0, 1, 1,
		"which call? srtpgwctl show call ID; 'show calls' lists them", {NAMES_CALLS}, show_call},
	{"show stats", "", "what the whole gateway did",
		"Shows the counters of the whole gateway: calls, media packets by verdict, SIP.\n", 0, 0, 0,
		NULL, {0}, show_stats},
	{"show trunks", "", "calls by trunk, and why some were rejected",
		"Lists the trunks with their calls, and the reasons of those that were rejected.\n", 0, 0, 0,
		NULL, {0}, show_trunks},
	{"trace", "CALL [--full]", "a call's signalling as a ladder, without its keys",
		"Draws the messages of both legs of a call, the gateway in the middle. CALL is an id as in "
		"'show calls', or\n"
		"the Call-ID of a dialog (of a request that was refused, the log has it). The last messages "
		"of "
		"each call are\n"
		"kept; keys and credentials are not.\n"
		"\n"
		"  --full  every message in full\n",
		O(FULL), 1, 1, "which call? srtpgwctl trace CALL; 'show calls' lists them", {NAMES_CALLS},
		ladder_trace},
	{0},
};

static bool matches(const struct command *c, const char *const *words, unsigned n, unsigned *used)
{
	const char *space = strchr(c->name, ' ');
	size_t first = space ? (size_t)(space - c->name) : strlen(c->name);

	if (n == 0 || strlen(words[0]) != first || strncmp(c->name, words[0], first) != 0)
		return false;
	if (space && (n < 2 || strcmp(space + 1, words[1]) != 0))
		return false;
	*used = space ? 2 : 1;
	return true;
}

const struct command *command_find(const char *const *words, unsigned n, unsigned *used)
{
	for (const struct command *c = commands; c->name; c++)
		if (matches(c, words, n, used))
			return c;
	return NULL;
}

bool command_is_group(const char *word)
{
	size_t n = strlen(word);

	for (const struct command *c = commands; c->name; c++)
		if (strncmp(c->name, word, n) == 0 && c->name[n] == ' ')
			return true;
	return false;
}

static void general_help(FILE *to)
{
	fputs("usage: srtpgwctl [--socket PATH] COMMAND [options]\n\n", to);
	for (const struct command *c = commands; c->name; c++)
		fprintf(to, "  %-20s %s\n", c->name, c->summary);
	fputs("\n"
	      "  --socket PATH        the gateway's management socket ($SRTPGW_SOCKET, or " CTL_SOCKET ")\n"
	      "  --json               the answer as JSON\n"
	      "  --help               help, also for one command: srtpgwctl show calls --help\n"
	      "  --version            the version of this program\n"
	      "\n"
	      "Exit code: 0 done, 1 not possible now or not allowed, 2 wrong command line, 3 refused by the "
	      "gateway,\n"
	      "4 gateway not reachable.\n",
		to);
}

void command_help(const struct command *c, FILE *to)
{
	if (!c) {
		general_help(to);
		return;
	}
	fprintf(to, "usage: srtpgwctl [--socket PATH] %s%s%s [--json]\n\n%s", c->name,
		*c->synopsis ? " " : "", c->synopsis, c->help);
}
