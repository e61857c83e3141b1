/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/route/number.h"

#include <stdbool.h>
#include <string.h>

#define NUMBER_MAX 32 /* E.164 has 15 digits; with prefixes nobody dials more */

/* The digits of a number without visual separators, "" when it is none; *plus: it begins with '+'. */
static struct str digits_of(struct str number, char buf[NUMBER_MAX], bool *plus)
{
	bool escaped = str_istarts(number, STR("%2B")); /* as some write it */
	size_t n = 0;

	*plus = escaped || str_starts(number, STR("+"));
	for (size_t i = escaped ? 3 : *plus; i < number.n; i++) {
		char c = number.p[i];

		if (c >= '0' && c <= '9' && n < NUMBER_MAX)
			buf[n++] = c;
		else if (c != '-' && c != '.' && c != '(' && c != ')')
			return STR("");
	}
	return (struct str){buf, n};
}

/* Parameters of the user part ("npdi", "rn=..."), without the context of a number that needs none any more.
 */
static void put_params(struct str params, struct wbuf *w)
{
	while (params.n) {
		struct str one = str_cut(&params, ';');

		if (!one.n || str_istarts(one, STR("phone-context=")))
			continue;
		wbuf_z(w, ";");
		wbuf_str(w, one);
	}
}

static bool begins(struct str digits, const char *prefix)
{
	return prefix && *prefix && str_starts(digits, str_z(prefix)) && digits.n > strlen(prefix);
}

static struct str behind(struct str digits, const char *prefix)
{
	return str_sub(digits, strlen(prefix), digits.n);
}

void number_read(const struct config_numbers *n, struct str user, struct wbuf *w)
{
	struct str params = user, number = str_cut(&params, ';'), d;
	char buf[NUMBER_MAX];
	const char *country = "";
	bool plus;

	d = digits_of(number, buf, &plus);
	if (!n->country_code || !d.n || (!plus && d.n < n->shortest)) {
		wbuf_str(w, user);
		return;
	}
	if (!plus && begins(d, n->international_prefix)) {
		d = behind(d, n->international_prefix);
	} else if (!plus && begins(d, n->national_prefix)) {
		d = behind(d, n->national_prefix);
		country = n->country_code;
	} else if (!plus && n->send_as == CONFIG_NUMBER_DIGITS) {
		country = "";
	} else if (!plus && !*n->national_prefix) {
		country = n->country_code;
	} else if (!plus) {
		wbuf_str(w, user);
		return;
	}
	wbuf_z(w, "+");
	wbuf_z(w, country);
	wbuf_str(w, d);
	put_params(params, w);
}

void number_write(const struct config_numbers *n, struct str user, struct wbuf *w)
{
	struct str params = user, number = str_cut(&params, ';'), d;
	char buf[NUMBER_MAX];
	bool plus;

	d = digits_of(number, buf, &plus);
	if (n->send_as == CONFIG_NUMBER_UNCHANGED || !plus || !d.n) {
		wbuf_str(w, user);
		return;
	}
	if (n->send_as == CONFIG_NUMBER_E164) {
		wbuf_z(w, "+");
	} else if (n->send_as == CONFIG_NUMBER_NATIONAL && begins(d, n->country_code)) {
		wbuf_z(w, n->national_prefix);
		d = behind(d, n->country_code);
	} else if (n->send_as != CONFIG_NUMBER_DIGITS) {
		wbuf_z(w, n->international_prefix);
	}
	wbuf_str(w, d);
	put_params(params, w);
}
