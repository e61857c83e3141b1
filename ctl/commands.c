/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/commands.h"

#include <string.h>

#include "ctl/action.h"
#include "ctl/audit.h"
#include "ctl/configure.h"
#include "ctl/ladder.h"
#include "ctl/monitor.h"
#include "ctl/plane.h"
#include "ctl/restart.h"
#include "ctl/show.h"
#include "ctl/state.h"
#include "ctl/top.h"
#include "ctl/user.h"

#define O(name) (1u << OPT_##name)

#define PATHS                                                                                                \
	"\n"                                                                                                 \
	"PATH names a node below the gateway: trunks/trunk/NAME/max-calls, or "                              \
	"trunks/trunk[name='NAME']/max-calls,\n"                                                             \
	"or in full: /srtp-gateway:gateway/trunks/trunk[name='NAME']/max-calls.\n"

const struct command commands[] = {
	{"show calls", "[--state STATE] [--trunk NAME] [--limit N | --all] [--watch [SECONDS] [--rounds N]]",
		"calls that there are, and those that ended not long ago",
		"Lists calls, newest last.\n"
		"\n"
		"  --state STATE      only calls in one state: setup, ringing, established, ending, ended or "
		"refused\n"
		"  --trunk NAME       only calls from or to this trunk\n"
		"  --limit N          the newest N (200)\n"
		"  --all              every call\n"
		"  --watch [SECONDS]  one row per leg with its packets, refreshed every SECONDS (1) until "
		"interrupted\n"
		"  --rounds N         end the watch after N refreshes\n"
		"\n"
		"In the watch: RX packets accepted from the leg's peer, LOST and JITTER (ms) as RFC 3550 "
		"counts them, AUTH\n"
		"packets that did not authenticate, REPLAY packets that were seen before or came too late. "
		"With --json one line\n"
		"a refresh.\n",
		O(STATE) | O(TRUNK) | O(LIMIT) | O(ALL) | O(WATCH) | O(ROUNDS), 0, 0, NULL, {0}, show_calls},
	{"show call", "ID", "one call in full: addresses, suites, packets, verdicts",
		"Shows one call and both its legs. ID is as in 'show calls'.\n", 0, 1, 1,
		"which call? srtpgwctl show call ID; 'show calls' lists them", {NAMES_CALLS}, show_call},
	{"show stats", "", "what the whole gateway did",
		"Shows the counters of the whole gateway: calls, media packets by verdict, next hops, SIP, and of each\n"
		"network interface of media its link, its packets and those that were MISSED: dropped by the NIC or the\n"
		"kernel because no worker took them in time.\n",
		0, 0, 0, NULL, {0}, show_stats},
	{"show alarms", "", "what is wrong now, and what was",
		"Lists what was wrong with network interfaces of media (no link) and crypto devices since the data\n"
		"plane's start, how often it began, and whether it is raised now or over. file-taken, file-away: somebody else\n"
		"moved, removed or cut the audit's file, and there can be no other; records-lost: how many it lacks.\n",
		0, 0, 0, NULL, {0}, plane_alarms},
	{"show trunks", "", "calls by trunk, why some were rejected, and which peers answer",
		"Lists the trunks with their calls, and the reasons of those that were rejected. PEERS: how many of\n"
		"a trunk's peers can be called, of how many. Then where each peer is, by address: up, resting for so\n"
		"many seconds, or down, and why.\n",
		0, 0, 0, NULL, {0}, show_trunks},
	{"show listeners", "", "where SIP is listened for", "Lists the listeners and whether each is open.\n",
		0, 0, 0, NULL, {0}, state_listeners},
	{"show media", "", "media interfaces, their links and their ports",
		"Lists the media interfaces: whether there is a link, the ports that they have and those in use.\n",
		0, 0, 0, NULL, {0}, state_media},
	{"show certs", "", "certificates and when they end",
		"Lists the TLS profiles with their certificates.\n", 0, 0, 0, NULL, {0}, state_certs},
	{"show users", "", "browser users and where they are registered",
		"Lists the browser users and where each is registered.\n", 0, 0, 0, NULL, {0}, state_users},
	{"show registrations", "", "where browser users are registered, and until when",
		"Lists the registrations that there are: the address that was registered, how and from where,\n"
		"whether calls reach it, the seconds until it ends unless it is refreshed, and the device. One whose\n"
		"connection went with a restart is not reachable until the device has registered again.\n",
		0, 0, 0, NULL, {0}, state_registrations},
	{"show sessions", "", "who manages the gateway now", "Lists the management sessions.\n", 0, 0, 0,
		NULL, {0}, state_sessions},
	{"show config", "[PATH] [--source STORE] [--format json|xml] [--defaults]",
		"the configuration, or a part of it",
		"Prints the configuration as the model encodes it (RFC 7951, or XML).\n"
		"\n"
		"  --source STORE  running (which is the default), candidate or startup\n"
		"  --format xml    as XML\n"
		"  --defaults      also what nobody set\n" PATHS,
		O(SOURCE) | O(FORMAT) | O(DEFAULTS), 0, 1, NULL, {NAMES_PATHS}, configure_show},
	{"show history", "", "the last commits, and who made them",
		"Lists the last commits, newest first. STATE waits: to be confirmed; undone: it was not confirmed. "
		"'diff N' shows\nwhat has changed since commit N, 'rollback N' brings it back.\n",
		0, 0, 0, NULL, {0}, commit_history},
	{"edit", "FILE [--replace]", "merge a file into the candidate",
		"Merges a configuration file, JSON or XML, into the candidate. FILE may be '-': standard "
		"input. Nothing "
		"takes\neffect before 'commit'.\n"
		"\n"
		"  --replace  the file becomes the candidate\n",
		O(REPLACE), 1, 1, "which file? srtpgwctl edit FILE, or '-' for standard input", {NAMES_FILES},
		configure_edit},
	{"set", "PATH [VALUE]", "set one value of the candidate",
		"Sets a leaf, or adds an entry to a list or leaf-list. Nothing takes effect before "
		"'commit'.\n" PATHS,
		0, 1, 2, "which path? srtpgwctl set trunks/trunk/NAME/max-calls 100",
		{NAMES_PATHS, NAMES_VALUES}, configure_set},
	{"delete", "PATH", "delete a part of the candidate",
		"Deletes a leaf, an entry or a container. Nothing takes effect before 'commit'.\n" PATHS, 0,
		1, 1, "which path? srtpgwctl delete trunks/trunk/NAME", {NAMES_PATHS}, configure_delete},
	{"diff", "[FROM [TO]]", "what the candidate would change",
		"Shows what differs: '-' as it is FROM, '+' as it is in TO, '~' moved. FROM and TO are "
		"running, candidate, "
		"startup\nor the number of a commit; running and candidate when not given.\n",
		0, 0, 2, NULL, {NAMES_STORES, NAMES_STORES}, diff_show},
	{"validate", "[FILE]", "check the candidate, or a file",
		"Checks the candidate, or a file (JSON or XML, '-': standard input) as a whole "
		"configuration. Nothing changes.\n"
		"What of this machine it names and is not there, and what would take effect at the next start only, is a\n"
		"warning (exit code 0).\n",
		0, 0, 1, NULL, {NAMES_FILES}, configure_validate},
	{"commit", "[--confirm [SECONDS]] [--comment TEXT] [--overwrite]",
		"make the candidate the running configuration",
		"Everything that can fail is tried first; what fails is named, and nothing has changed.\n"
		"\n"
		"  --confirm [SECONDS]  undo it after SECONDS (600) unless 'srtpgwctl confirm' comes, from "
		"any session\n"
		"  --comment TEXT       for 'show history'\n"
		"  --overwrite          also when the configuration file was edited by hand and not reloaded, or "
		"somebody\n"
		"                       changed what runs after the candidate was begun: that is lost. Without it such "
		"a\n"
		"                       commit is refused\n",
		O(CONFIRM) | O(COMMENT) | O(OVERWRITE), 0, 0, NULL, {0}, commit_commit},
	{"confirm", "[--overwrite]", "keep what 'commit --confirm' made",
		"Keeps the commit that waits for it.\n"
		"\n"
		"  --overwrite  also when the configuration file was edited by hand meanwhile\n",
		O(OVERWRITE), 0, 0, NULL, {0}, commit_confirm},
	{"cancel", "", "undo what 'commit --confirm' made",
		"Rolls back the commit that waits to be confirmed.\n", 0, 0, 0, NULL, {0}, commit_cancel},
	{"discard", "", "forget the candidate's changes",
		"The candidate becomes the running configuration again.\n", 0, 0, 0, NULL, {0},
		configure_discard},
	{"rollback", "COMMIT [--comment TEXT] [--overwrite]", "commit an earlier configuration again",
		"The configuration as it was after a commit of 'show history' is committed again.\n"
		"\n"
		"  --comment TEXT  for 'show history'\n"
		"  --overwrite     also when the configuration file was edited by hand and not reloaded, or somebody's\n"
		"                  edits wait in the candidate: they are lost. Without it such a rollback is refused\n",
		O(COMMENT) | O(OVERWRITE), 1, 1, "to which commit? 'srtpgwctl show history' lists them",
		{NAMES_COMMITS}, commit_rollback},
	{"drain", "[--trunk NAME] [--timeout SECONDS]", "take no new calls, let those there are go on",
		"Refuses new calls until 'resume'; prints how many calls remain.\n"
		"\n"
		"  --trunk NAME       only calls from and to this trunk\n"
		"  --timeout SECONDS  end the calls that are still there then\n",
		O(TRUNK) | O(TIMEOUT), 0, 0, NULL, {0}, action_drain},
	{"resume", "[--trunk NAME]", "take new calls again",
		"Ends a drain.\n\n  --trunk NAME  only of this trunk\n", O(TRUNK), 0, 0, NULL, {0},
		action_resume},
	{"restart", "[--calls keep|end] [--timeout SECONDS]",
		"start the control plane again, as after an upgrade, and keep the calls",
		"Has the control plane start again as the program that is on the disk now; waits until it is there and says\n"
		"which version that is, and how many calls it has taken over. Media goes on meanwhile. Refused when the\n"
		"program or the configuration would not start (exit code 3), and while a confirmed commit waits (1). After\n"
		"a change of management/socket it waits there.\n"
		"\n"
		"  --calls end        end all calls instead of keeping them\n"
		"  --timeout SECONDS  how long calls that are being set up may take to get there (2); then they are refused\n",
		O(CALLS) | O(TIMEOUT), 0, 0, NULL, {0}, restart_gateway},
	{"rekey", "CALL | --trunk NAME | --all", "renew the keys of calls",
		"Renews the keys of both sides of a call, of a trunk's calls, or of all.\n",
		O(TRUNK) | O(ALL), 0, 1, NULL, {NAMES_CALLS}, action_rekey},
	{"terminate", "CALL [--reason TEXT]", "end a call",
		"Ends a call: BYE to both sides, or a refusal while it is being set up.\n"
		"\n"
		"  --reason TEXT  for the log and the peers\n",
		O(REASON), 1, 1, "which call? srtpgwctl terminate CALL; 'show calls' lists them",
		{NAMES_CALLS}, action_terminate},
	{"disconnect", "USER", "log a browser user out",
		"Ends the user's calls and forgets where it is registered.\n", 0, 1, 1,
		"which user? srtpgwctl disconnect USER; 'show users' lists them", {0}, action_disconnect},
	{"reload", "", "read the configuration's file and certificates again",
		"What SIGHUP to the control plane does: the file that it was started with is read again, and the\n"
		"certificates, keys and trust bags that it names. Says what is another than before; a mistake leaves\n"
		"everything as it was and is named (exit code 3). Refused (exit code 1) while a confirmed commit waits,\n"
		"or somebody else has locked the running configuration.\n",
		0, 0, 0, NULL, {0}, action_reload},
	{"reload-certificates", "", "read certificates from their files again",
		"New connections use what is in the files now; a file that is not good leaves everything as "
		"it was.\n",
		0, 0, 0, NULL, {0}, action_reload_certificates},
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
	{"watch", "[--interval SECONDS] [--rounds N]", "the whole gateway, live: calls, rates, trunks, media",
		"Shows what goes on and how fast, refreshed until interrupted: calls, SIP, media, trunks, "
		"and the newest calls with "
		"their legs.\nWith --json one line a refresh.\n"
		"\n"
		"  --interval SECONDS  between refreshes (1)\n"
		"  --rounds N          end after N refreshes\n",
		O(INTERVAL) | O(ROUNDS), 0, 0, NULL, {0}, top_watch},
	{"monitor", "[NAME] [--since TIME] [--count N]", "follow what the gateway reports",
		"Prints notifications as they come, until interrupted. NAME: only this one, such as "
		"call-refused, or an XPath.\n"
		"\n"
		"  --since TIME  first those that are remembered since then, such as 2026-11-20T13:00:00Z\n"
		"  --count N     end after N\n",
		O(COUNT) | O(SINCE), 0, 1, NULL, {NAMES_NOTIFICATIONS}, monitor_follow},
	{"user hash", "NAME [REALM]", "a password as the hashes that the configuration holds of it",
		"Reads a password from standard input, one line, and prints the 'password-hash' of the user NAME:\n"
		"SHA-256, SHA-512-256 and MD5 of name, realm and password (RFC 7616). REALM is the one that the\n"
		"trunk's registrar has (srtpgw). Leave out of the configuration what the user's client does not need.\n",
		0, 1, 2, "whose? srtpgwctl user hash NAME", {0}, user_hash, true},
	{"audit rotate", "", "close the audit's file, which may then be moved away",
		"Closes the file with a signed checkpoint, as when it is full, prints where it is and the number of its last\n"
		"record, and goes on in the next one. Move closed files away, never the one that is written.\n",
		0, 0, 0, NULL, {0}, action_rotate_audit},
	{"audit verify", "FILE... [--key FILE]", "whether records were changed, removed or moved",
		"Verifies the chain of records and its signatures, and names the first record that was changed, "
		"removed or\n"
		"put elsewhere (exit code 3). Several files are one chain, in whichever order they are named; its oldest\n"
		"files may be elsewhere, and are then not verified.\n"
		"\n"
		"  --key FILE  the public key (the newest FILE with .pub, or without its number)\n",
		O(KEY), 1, CTL_WORDS_ANY, "which file? srtpgwctl audit verify FILE",
		{NAMES_FILES, NAMES_FILES}, audit_verify, true},
	{"audit show",
		"FILE... [--call ID] [--trunk NAME] [--suite SUITE] [--tls VERSION] [--from TIME] [--to TIME]",
		"records of sessions",
		"Prints records, the oldest file's first; with --json as they are, one a line. They are not verified.\n"
		"\n"
		"  --call ID      of this call\n"
		"  --trunk NAME   with a side on this trunk\n"
		"  --suite SUITE  with a side in this suite, such as AEAD_AES_256_GCM\n"
		"  --tls VERSION  with a side whose signalling used it, such as TLSv1.3\n"
		"  --from TIME, --to TIME  a day (both included) or a time in UTC: 2026-10-01, "
		"2026-10-01T12:00\n",
		O(CALL) | O(TRUNK) | O(SUITE) | O(TLS) | O(FROM) | O(TO), 1, CTL_WORDS_ANY,
		"which file? srtpgwctl audit show FILE", {NAMES_FILES, NAMES_FILES}, audit_show, true},
	{"audit suites", "FILE... [--trunk NAME] [--from TIME] [--to TIME]",
		"suites and versions in use, by rank",
		"Counts the sides of answered calls by SRTP suite, keying and TLS version, for the review of "
		"ciphers.\n"
		"\n"
		"  --trunk NAME            only sides on this trunk\n"
		"  --from TIME, --to TIME  as of 'audit show'\n",
		O(TRUNK) | O(FROM) | O(TO), 1, CTL_WORDS_ANY, "which file? srtpgwctl audit suites FILE",
		{NAMES_FILES, NAMES_FILES}, audit_suites, true},
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
