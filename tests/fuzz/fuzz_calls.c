/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phones that say anything in any order, and media that end in any moment: the gateway between them goes on, what it
 * sends is SIP, and when all is over nothing of a call is left. The input is a script, a line for each step:
 *
 *   a+NUMBER|HEADERS~BODY   alice dials              b=STATUS|HEADERS~BODY   bob answers the last INVITE
 *   a.METHOD|HEADERS~BODY   says this in her dialog  c-STATUS|HEADERS~BODY   carol answers the last other request
 *   b?                      hears the next message   a@OFFSET,N,TEXT         N octets of her next message are TEXT
 *   tMS                     time goes on             x                       a connection is lost
 *   mKIND                   the data plane tells of the newest session
 *   r                       carrier-a, which is bob, becomes a registrar with which the gateway registers, or is none any more
 *
 * A | is a line's end, and a body of one digit is the phone's SDP of that number.
 */
#include "tests/unit/b2bua_bench.h"

#include <ctype.h>
#include <unistd.h>

#include "lib/base/log.h"

#define STEPS_MAX 60
#define TEXT_MAX 2000
#define PASS_MAX_MS 240000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct phone fresh[3];

/* The change that the next message gets on its way. */
static struct {
	size_t at, n;
	char text[TEXT_MAX];
	bool set;
} garbled;

static char *garble(char *text)
{
	size_t length = strlen(text), at, n;
	char *changed;

	if (!garbled.set)
		return text;
	garbled.set = false;
	at = garbled.at % (length + 1);
	n = garbled.n < length - at ? garbled.n : length - at;
	assert_true(asprintf(&changed, "%.*s%s%s", (int)at, text, garbled.text, text + at + n) >= 0);
	free(text);
	return changed;
}

static char password_file[] = "/tmp/srtpgw-fuzz-XXXXXX";
static bool registers;

static void leave_nothing(void)
{
	unlink(password_file);
	unlink(bench.plane.path);
	rmdir(bench.folder);
}

#define CARRIER_A                                                                                            \
	"\"name\":\"carrier-a\",\"transfer\":\"execute\",\"redirect\":\"follow\",\"replaces\":\"same-trunk\","
#define REGISTERS                                                                                            \
	"\"registration\":{\"aor\":\"sip:4711@a.example\",\"expires\":60},\"auth\":{\"username\":\"gw\","    \
	"\"password-file\":\"%s\"},"

static void configure(void)
{
	char carrier_a[512];
	struct bench_edit edits[] = {
		{"\"name\":\"core\",\"realm\":\"core\",\"peer\"",
			"\"name\":\"core\",\"transfer\":\"relay\",\"redirect\":\"pass-on\",\"realm\":\"core\",\"peer\""},
		{"\"name\":\"carrier-a\",", carrier_a},
	};

	snprintf(carrier_a, sizeof carrier_a, registers ? CARRIER_A REGISTERS : CARRIER_A, password_file);
	bench_change_all(edits, 2);
}

static void begin(void)
{
	int fd;

	if (fresh[0].ip)
		return;
	log_setup(LOG_ERROR, LOG_TEXT);
	fd = mkstemp(password_file);
	if (fd < 0 || write(fd, "pass word\n", 10) != 10 || close(fd) || bench_setup(NULL) || atexit(leave_nothing))
		abort();
	configure();
	fresh[0] = alice;
	fresh[1] = bob;
	fresh[2] = carol;
	bench.garble = garble;
}

/* Text with its line ends, cut to what out takes. */
static const char *lines(struct str s, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n + 3 < cap; i++) {
		if (s.p[i] == '|')
			out[n++] = '\r';
		out[n++] = s.p[i] == '|' ? '\n' : s.p[i] ? s.p[i] : ' ';
	}
	out[n] = '\0';
	return out;
}

static const char *headers_of(struct str s, char out[TEXT_MAX])
{
	lines(s, out, TEXT_MAX - 2);
	return s.n ? strcat(out, "\r\n") : out;
}

static const char *body_of(const struct phone *p, struct str s, char out[TEXT_MAX])
{
	return s.n == 1 && isdigit((unsigned char)s.p[0]) ? sdp(p, (unsigned)(s.p[0] - '0')) : lines(s, out, TEXT_MAX);
}

/* OFFSET,N,TEXT */
static void set_garble(struct str s)
{
	char number[12];
	struct str at = str_cut(&s, ','), n = str_cut(&s, ',');

	str_copy(number, sizeof number, at);
	garbled.at = (size_t)atoi(number) & 0xffff;
	str_copy(number, sizeof number, n);
	garbled.n = (size_t)atoi(number) & 0xffff;
	lines(s, garbled.text, sizeof garbled.text);
	garbled.set = true;
}

static void speak(struct phone *p, struct str s)
{
	static char header_text[TEXT_MAX], body_text[TEXT_MAX];
	char what[60], kind = s.n ? s.p[0] : ' ';
	struct str body = str_sub(s, 1, s.n), headers = str_cut(&body, '~'), word = str_cut(&headers, '|');
	const char *h = headers_of(headers, header_text), *b = body_of(p, body, body_text);

	if (kind == '@')
		set_garble(str_sub(s, 1, s.n));
	lines(word, what, sizeof what);
	if (kind == '+')
		dial(p, what, h, b);
	else if (kind == '.' && what[0])
		say(p, what, h, b);
	else if (kind == '=' && p->invite)
		answer(p, what, h, b);
	else if (kind == '-' && p->heard && p->heard->request)
		reply_all(p, what, h, b);
	else if (kind == '?')
		hear_any(p);
}

static void media(char kind)
{
	struct plane_session *s = plane_last();

	if (!s->live)
		return;
	if (kind == 't')
		plane_event_timeout(s, DP_SIDE_A);
	else if (kind == 'c')
		plane_event_consent(s, DP_SIDE_A, 30000);
	else if (kind == 'l')
		plane_event_limit(s, DP_SIDE_B, DP_KEY_TX, DP_LIMIT_PACKETS, 1);
	else if (kind == 'a')
		plane_event_attack(s, DP_SIDE_A, 1000);
	else if (kind == 'r')
		plane_restart(false);
	else if (kind == 's')
		plane_restart(true);
}

static void step(struct str line)
{
	char number[12];
	struct str rest = str_sub(line, 1, line.n);

	switch (line.n ? line.p[0] : ' ') {
	case 'a':
		return speak(&alice, rest);
	case 'b':
		return speak(&bob, rest);
	case 'c':
		return speak(&carol, rest);
	case 't':
		str_copy(number, sizeof number, rest);
		pass((unsigned)atoi(number) % PASS_MAX_MS);
		return;
	case 'x':
		return cut_connection("lost", rest.n & 1);
	case 'm':
		return media(rest.n ? rest.p[0] : ' ');
	case 'r':
		registers = !registers;
		return configure();
	}
}

/* Nobody says anything any more, and no media come. */
static void end(void)
{
	for (unsigned i = 0; i < 20 && (bench.live || b2bua_call_count(bench.b2bua)); i++) {
		for (unsigned s = 0; s < sizeof bench.sessions / sizeof *bench.sessions; s++)
			if (bench.sessions[s].live)
				plane_event_timeout(&bench.sessions[s], DP_SIDE_B);
		pass(60000);
		lose_all();
	}
	expect_no_calls();
	assert_int_equal(bench_ports_used(), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};

	begin();
	for (unsigned i = 0; i < STEPS_MAX && rest.n; i++)
		step(str_cut(&rest, '\n'));
	garbled.set = false;
	while (hear_any(&alice) || hear_any(&bob) || hear_any(&carol))
		;
	end();
	if (registers) {
		registers = false;
		configure();
		lose_all();
	}
	phone_forget(&alice);
	phone_forget(&bob);
	phone_forget(&carol);
	alice = fresh[0];
	bob = fresh[1];
	carol = fresh[2];
	bench_renew();
	return 0;
}
