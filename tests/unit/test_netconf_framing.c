/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 6242's two framings, fed in every way in which octets can arrive. */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/netconf/framing.h"

/* What came out: messages with a '|' behind each, then '!' for broken framing or '+' for too big. */
struct outcome {
	char text[512];
};

static void feed(struct framing *f, struct str piece, struct outcome *o, bool *over)
{
	while (!*over && piece.n) {
		size_t n = strlen(o->text);
		enum framing_event event = framing_take(f, &piece);

		if (event == FRAMING_MORE)
			assert_int_equal(piece.n, 0);
		else if (event == FRAMING_MESSAGE)
			snprintf(o->text + n, sizeof o->text - n, "%.*s|", STR_ARG(text_view(&f->message)));
		else
			snprintf(o->text + n, sizeof o->text - n, event == FRAMING_BROKEN ? "!" : "+");
		*over = event == FRAMING_BROKEN || event == FRAMING_TOO_BIG;
	}
}

static struct outcome cut_at(struct str octets, bool chunked, size_t at)
{
	struct framing f = {0};
	struct outcome o = {""};
	bool over = false;

	if (chunked)
		framing_use_chunks(&f);
	feed(&f, str_sub(octets, 0, at), &o, &over);
	feed(&f, str_sub(octets, at, octets.n), &o, &over);
	framing_free(&f);
	return o;
}

static struct outcome octet_by_octet(struct str octets, bool chunked)
{
	struct framing f = {0};
	struct outcome o = {""};
	bool over = false;

	if (chunked)
		framing_use_chunks(&f);
	for (size_t i = 0; i < octets.n; i++)
		feed(&f, str_sub(octets, i, 1), &o, &over);
	framing_free(&f);
	return o;
}

static void expect(const char *octets, bool chunked, const char *outcome)
{
	struct str s = str_z(octets);

	for (size_t at = 0; at <= s.n; at++)
		assert_string_equal(cut_at(s, chunked, at).text, outcome);
	assert_string_equal(octet_by_octet(s, chunked).text, outcome);
}

static void end_of_message_framing(void **state)
{
	(void)state;
	expect("<hello/>]]>]]>", false, "<hello/>|");
	expect("<a/>]]>]]><b/>]]>]]>", false, "<a/>|<b/>|");
	expect("<a/>]]>]]>\n<b>]]></b>]]>]]>\n", false, "<a/>|\n<b>]]></b>|");
	expect("]]>]]>", false, "|");
	expect("]]>]]]]>]]>", false, "]]>]]|"); /* the marker after a false start */
	expect("<a/>]]>]]", false, "");
}

static void chunked_framing(void **state)
{
	(void)state;
	/* RFC 6242, section 4.2 */
	expect("\n#4\n<rpc\n#18\n message-id=\"102\"\n\n#2\n/>\n##\n", true, "<rpc message-id=\"102\"\n/>|");
	expect("\n#1\na\n##\n\n#1\nb\n##\n", true, "a|b|");
	expect("\n#5\n\n##\n\n\n##\n", true, "\n##\n\n|"); /* what looks like an end stands in a chunk */
	expect("\n#1\na\n#1", true, "");
}

static void broken_chunks_end_the_session(void **state)
{
	static const char *const broken[] = {
		"\n##\n",              /* an end without a chunk */
		"\n#0\n",              /* a chunk has at least one octet */
		"\n#04\n<a/>\n##\n",   /* no leading zero */
		"\n#4294967296\n",     /* RFC 6242: 4294967295 at most */
		"\n#99999999999999\n", /* must not wrap to something small */
		"\n#-1\n",
		"\n#x\n",
		"\n#\n",
		"\n#4 \n<a/>",
		"#4\n<a/>",
		"\r\n#4\n<a/>",
		"<a/>]]>]]>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		expect(broken[i], true, "!");
	expect("\n#4\n<a/>##\n", true, "!");              /* the chunk ends, and no LF follows */
	expect("\n#4\n<a/>\n##x", true, "!");             /* the end has an LF */
	expect("\n#4\n<a/>\n##\n\n##\n", true, "<a/>|!"); /* and belongs to one message */
}

/* The hello is framed the old way, what comes behind it in the same read may be framed the new way. */
static void framing_changes_between_messages(void **state)
{
	struct framing f = {0};
	struct str in = STR("<hello/>]]>]]>\n#4\n<a/>\n##\n");

	(void)state;
	assert_int_equal(framing_take(&f, &in), FRAMING_MESSAGE);
	framing_use_chunks(&f);
	assert_int_equal(framing_take(&f, &in), FRAMING_MESSAGE);
	assert_string_equal(f.message.p, "<a/>");
	assert_int_equal(in.n, 0);
	framing_free(&f);
}

static enum framing_event take_large(bool chunked, size_t n, size_t pieces)
{
	struct framing f = {0};
	struct text octets = {0};
	char *piece = malloc(n);

	memset(piece, 'x', n);
	if (chunked)
		framing_use_chunks(&f);
	for (size_t i = 0; i < pieces; i++) {
		if (chunked)
			text_fmt(&octets, "\n#%zu\n", n);
		text_str(&octets, (struct str){piece, n});
	}
	text_z(&octets, chunked ? "\n##\n" : "]]>]]>");
	struct str in = text_view(&octets);
	enum framing_event event = framing_take(&f, &in);

	if (event == FRAMING_MESSAGE)
		assert_int_equal(f.message.n, n * pieces);
	text_free(&octets);
	framing_free(&f);
	free(piece);
	return event;
}

static void messages_are_bounded(void **state)
{
	(void)state;
	for (int chunked = 0; chunked <= 1; chunked++) {
		assert_int_equal(take_large(chunked, 10 << 20, 1), FRAMING_MESSAGE);
		assert_int_equal(take_large(chunked, FRAMING_MESSAGE_MAX / 2, 2), FRAMING_MESSAGE);
		assert_int_equal(take_large(chunked, FRAMING_MESSAGE_MAX / 2, 3), FRAMING_TOO_BIG);
	}
}

static void what_is_framed_is_read_back(void **state)
{
	(void)state;
	for (int chunked = 0; chunked <= 1; chunked++) {
		struct text t = {0};

		framing_put(&t, STR("<a/>"), chunked);
		framing_put(&t, STR("<b>\n##\n</b>"), chunked);
		expect(t.p, chunked, "<a/>|<b>\n##\n</b>|");
		text_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_of_message_framing),
		cmocka_unit_test(chunked_framing),
		cmocka_unit_test(broken_chunks_end_the_session),
		cmocka_unit_test(framing_changes_between_messages),
		cmocka_unit_test(messages_are_bounded),
		cmocka_unit_test(what_is_framed_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
