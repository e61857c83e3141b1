/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char general[] =
	"usage: srtpgwctl [--socket PATH] COMMAND [options]\n"
	"\n"
	"Asks the gateway on this machine.\n"
	"\n"
	"  show calls     calls that there are, and those that ended not long ago\n"
	"  show call ID   one call in full: addresses, suites, packets, verdicts\n"
	"  show stats     what the whole gateway did\n"
	"  show trunks    calls by trunk, and why some were rejected\n"
	"\n"
	"  --socket PATH  the gateway's management socket ($SRTPGW_SOCKET, or " CTL_SOCKET ")\n"
	"  --json         the answer as JSON\n"
	"  --help         help, also for one command: srtpgwctl show calls --help\n"
	"  --version      the version of this program\n"
	"\n"
	"Exit code: 0 done, 2 wrong command line, 3 refused by the gateway, 4 gateway not reachable.\n";

static const char calls_help[] =
	"usage: srtpgwctl [--socket PATH] show calls [--state STATE] [--json] [--watch [SECONDS]] [--rounds "
	"N]\n"
	"\n"
	"Lists calls, newest last.\n"
	"\n"
	"  --state STATE      only calls in one state: setup, ringing, established, ending, ended or "
	"refused\n"
	"  --json             the answer as JSON; with --watch one line a refresh\n"
	"  --watch [SECONDS]  one row per leg with its packets, refreshed every SECONDS (1) until "
	"interrupted\n"
	"  --rounds N         end the watch after N refreshes\n"
	"\n"
	"In the watch: RX packets accepted from the leg's peer, LOST and JITTER (ms) as RFC 3550 counts "
	"them, AUTH packets\n"
	"that did not authenticate, REPLAY packets that were seen before or came too late.\n";

static const char call_help[] = "usage: srtpgwctl [--socket PATH] show call ID [--json]\n"
				"\n"
				"Shows one call and both its legs. ID is as in 'show calls'.\n";

static const char stats_help[] =
	"usage: srtpgwctl [--socket PATH] show stats [--json]\n"
	"\n"
	"Shows the counters of the whole gateway: calls, media packets by verdict, SIP.\n";

static const char trunks_help[] =
	"usage: srtpgwctl [--socket PATH] show trunks [--json]\n"
	"\n"
	"Lists the trunks with their calls, and the reasons of those that were rejected.\n";

static const struct {
	const char *name, *help;
} commands[] = {
	[CTL_NOTHING] = {NULL, general},
	[CTL_CALLS] = {"calls", calls_help},
	[CTL_CALL] = {"call", call_help},
	[CTL_STATS] = {"stats", stats_help},
	[CTL_TRUNKS] = {"trunks", trunks_help},
};

void args_help(enum ctl_what what, FILE *to)
{
	fputs(commands[what].help, to);
}

/* Seconds of a watch: a plain decimal number from 0.1 to 3600. */
static bool read_seconds(const char *z, double *out)
{
	char *end;

	if (!z || !*z || strspn(z, "0123456789.") != strlen(z))
		return false;
	*out = strtod(z, &end);
	return *end == 0 && *out >= 0.1 && *out <= 3600;
}

static bool read_count(const char *z, unsigned *out)
{
	if (!z || !*z || strlen(z) > 6 || strspn(z, "0123456789") != strlen(z))
		return false;
	*out = (unsigned)atoi(z);
	return *out > 0;
}

struct words {
	int argc;
	char **argv;
	int at;
};

/* The value of an option, as --name=VALUE or in the next word; NULL when there is none. */
static const char *value_of(struct words *w, const char *name)
{
	const char *word = w->argv[w->at];
	size_t n = strlen(name);

	if (word[n] == '=')
		return word + n + 1;
	return w->at + 1 < w->argc ? w->argv[++w->at] : NULL;
}

static bool is_option(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 && (word[n] == 0 || word[n] == '=');
}

static int read_watch(struct words *w, struct ctl_args *out, struct err *e)
{
	const char *word = w->argv[w->at];

	out->watch_s = 1;
	if (word[7] == '=') {
		if (!read_seconds(word + 8, &out->watch_s))
			return err_set(e, EINVAL, "--watch takes 0.1 to 3600 seconds, not '%s'", word + 8);
	} else if (w->at + 1 < w->argc && w->argv[w->at + 1][0] >= '0' && w->argv[w->at + 1][0] <= '9') {
		if (!read_seconds(w->argv[++w->at], &out->watch_s))
			return err_set(
				e, EINVAL, "--watch takes 0.1 to 3600 seconds, not '%s'", w->argv[w->at]);
	}
	return 0;
}

static int read_option(struct words *w, struct ctl_args *out, struct err *e)
{
	const char *word = w->argv[w->at];

	if (strcmp(word, "--json") == 0)
		out->json = true;
	else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		out->help = true;
	else if (strcmp(word, "--version") == 0)
		out->version = true;
	else if (is_option(word, "--watch"))
		return read_watch(w, out, e);
	else if (is_option(word, "--socket"))
		out->socket = value_of(w, "--socket");
	else if (is_option(word, "--state"))
		out->state = value_of(w, "--state");
	else if (is_option(word, "--rounds")) {
		if (!read_count(value_of(w, "--rounds"), &out->rounds))
			return err_set(e, EINVAL, "--rounds takes a number from 1 to 999999");
	} else
		return err_set(e, EINVAL, "there is no option '%s'", word);
	if (is_option(word, "--socket") && (!out->socket || !*out->socket))
		return err_set(e, EINVAL, "--socket needs a path");
	if (is_option(word, "--state") && !out->state)
		return err_set(e, EINVAL, "--state needs a state");
	return 0;
}

/* n: how many words that are no options came before. */
static int read_word(const char *word, unsigned n, struct ctl_args *out, struct err *e)
{
	if (n == 0)
		return strcmp(word, "show") == 0 ? 0 : err_set(e, EINVAL, "there is no command '%s'", word);
	for (size_t i = 1; n == 1 && i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(word, commands[i].name) == 0) {
			out->what = (enum ctl_what)i;
			return 0;
		}
	}
	if (n == 1)
		return err_set(e, EINVAL, "there is nothing called '%s' to show", word);
	if (n == 2 && out->what == CTL_CALL) {
		out->id = word;
		return 0;
	}
	return err_set(e, EINVAL, "'%s' is too much", word);
}

static int check(const struct ctl_args *a, unsigned words, struct err *e)
{
	if (a->help || a->version)
		return 0;
	if (a->what == CTL_NOTHING)
		return err_set(
			e, EINVAL, words ? "show what? calls, call ID, stats or trunks" : "no command");
	if (a->what == CTL_CALL && !a->id)
		return err_set(e, EINVAL, "which call? srtpgwctl show call ID; 'show calls' lists them");
	if (a->what != CTL_CALLS && (a->watch_s || a->state))
		return err_set(e, EINVAL, "%s is for 'show calls'", a->state ? "--state" : "--watch");
	if (a->rounds && !a->watch_s)
		return err_set(e, EINVAL, "--rounds is for --watch");
	return 0;
}

int args_parse(int argc, char **argv, struct ctl_args *out, struct err *e)
{
	struct words w = {argc, argv, 1};
	unsigned words = 0;

	*out = (struct ctl_args){.socket = getenv("SRTPGW_SOCKET")};
	if (!out->socket || !*out->socket)
		out->socket = CTL_SOCKET;
	for (; w.at < argc; w.at++) {
		int rc = argv[w.at][0] == '-' ? read_option(&w, out, e)
					      : read_word(argv[w.at], words++, out, e);

		if (rc)
			return rc;
	}
	return check(out, words, e);
}
