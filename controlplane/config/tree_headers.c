/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/tree_private.h"

static const char *const actions[] = {
	[CONFIG_RULE_PASS] = "pass",
	[CONFIG_RULE_REMOVE] = "remove",
	[CONFIG_RULE_ADD] = "add",
	[CONFIG_RULE_REWRITE] = "rewrite",
};
static const char *const messages[] = {
	[CONFIG_RULE_ALL] = "all",
	[CONFIG_RULE_REQUESTS] = "requests",
	[CONFIG_RULE_RESPONSES] = "responses",
};
static const char *const hosts[] = {
	[CONFIG_HOST_OWN] = "own",
	[CONFIG_HOST_PEER] = "peer",
	[CONFIG_HOST_KEEP] = "keep",
};
static const char *const forms[] = {
	[CONFIG_NUMBER_UNCHANGED] = "unchanged",
	[CONFIG_NUMBER_E164] = "e164",
	[CONFIG_NUMBER_DIGITS] = "digits",
	[CONFIG_NUMBER_INTERNATIONAL] = "international",
	[CONFIG_NUMBER_NATIONAL] = "national",
};
static const char *const early[] = {
	[CONFIG_EARLY_MEDIA_RELAY] = "relay",
	[CONFIG_EARLY_MEDIA_AUTHORIZED] = "authorized",
	[CONFIG_EARLY_MEDIA_NONE] = "none",
};

static void read_host(
	struct reader *r, const struct lyd_node *n, const char *name, struct config_host_part *out)
{
	int kind = CHOICE(n, name, hosts);

	out->kind = kind < 0 ? CONFIG_HOST_NAME : (enum config_host_kind)kind;
	out->name = kind < 0 ? keep_leaf(r, n, name) : NULL;
	require(r, kind >= 0 || out->name);
}

static void read_rules(struct reader *r, const struct lyd_node *trunk, struct config_headers *out)
{
	struct config_header_rule *rows = make_list(r, trunk, "header-rule", sizeof *rows, &out->n_rules);
	const struct lyd_node *n = child(trunk, "header-rule");

	out->rules = rows;
	for (uint32_t i = 0; i < out->n_rules; i++, n = next_entry(n)) {
		const char *direction = text(n, "direction");

		rows[i] = (struct config_header_rule){
			.name = keep_leaf(r, n, "name"),
			.out = direction && strcmp(direction, "out") == 0,
			.messages = (enum config_rule_messages)one_of(r, CHOICE(n, "messages", messages)),
			.action = (enum config_rule_action)one_of(r, CHOICE(n, "action", actions)),
			.header = keep_leaf(r, n, "header"),
			.match = keep_leaf(r, n, "match"),
			.value = keep_leaf(r, n, "value"),
		};
		require(r,
			direction && rows[i].header && (rows[i].action < CONFIG_RULE_ADD || rows[i].value));
	}
}

static void read_own_numbers(struct reader *r, const struct lyd_node *n, struct config_headers *out)
{
	const char **rows = make_list(r, n, "own-number", sizeof *rows, &out->n_own_numbers);
	const struct lyd_node *e = child(n, "own-number");

	out->own_numbers = rows;
	for (uint32_t i = 0; i < out->n_own_numbers; i++, e = next_entry(e))
		rows[i] = keep(r, lyd_get_value(e));
}

void tree_read_headers(
	struct reader *r, const struct lyd_node *trunk, bool trusted, struct config_headers *out)
{
	const struct lyd_node *host = child(trunk, "host-part"), *numbers = child(trunk, "numbers");
	const struct lyd_node *identity = child(trunk, "identity");

	out->identity_trusted = text(identity, "trusted") ? is_true(identity, "trusted") : trusted;
	read_own_numbers(r, identity, out);
	read_host(r, host, "request-uri", &out->request_uri);
	read_host(r, host, "from", &out->from);
	read_host(r, host, "to", &out->to);
	read_host(r, host, "asserted-identity", &out->asserted);
	read_host(r, host, "diversion", &out->diversion);
	read_host(r, host, "history-info", &out->history);
	out->numbers = (struct config_numbers){
		.country_code = keep_leaf(r, numbers, "country-code"),
		.national_prefix = keep_leaf(r, numbers, "national-prefix"),
		.international_prefix = keep_leaf(r, numbers, "international-prefix"),
		.shortest = number(numbers, "shortest-number", 0),
		.send_as = (enum config_number_form)one_of(r, CHOICE(numbers, "send-as", forms)),
	};
	out->early_media = (enum config_early_media)one_of(r, CHOICE(trunk, "early-media", early));
	read_rules(r, trunk, out);
}
