/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trunk says of the headers, numbers and identities in messages from and to its party: part of
 * struct config_trunk (config.h), which owns it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum config_rule_action {
	CONFIG_RULE_PASS,   /* it passes, although it would not by itself */
	CONFIG_RULE_REMOVE, /* as if it had not been there */
	CONFIG_RULE_ADD,    /* a line of its own */
	CONFIG_RULE_REWRITE,
};

enum config_rule_messages { CONFIG_RULE_ALL, CONFIG_RULE_REQUESTS, CONFIG_RULE_RESPONSES };

/* One line of the table. */
struct config_header_rule {
	const char *name;
	bool out; /* of what we send to the party; else of what it sends */
	enum config_rule_messages messages;
	enum config_rule_action action;
	const char *header;
	const char *match; /* of the whole value, '*' stands for any text; NULL: every value */
	/* ADD: the value. REWRITE: the same, where the n-th '*' is what the n-th of match found. Else NULL.
	 */
	const char *value;
};

enum config_host_kind {
	CONFIG_HOST_OWN,  /* the address that we send from */
	CONFIG_HOST_PEER, /* the host of the peer that we send to */
	CONFIG_HOST_KEEP, /* as it came: shows the other side */
	CONFIG_HOST_NAME,
};

struct config_host_part {
	enum config_host_kind kind;
	const char *name; /* with HOST_NAME */
};

enum config_number_form {
	CONFIG_NUMBER_UNCHANGED,
	CONFIG_NUMBER_E164,          /* +4930123 */
	CONFIG_NUMBER_DIGITS,        /* 4930123 */
	CONFIG_NUMBER_INTERNATIONAL, /* 004930123 */
	CONFIG_NUMBER_NATIONAL,      /* 030123, those of other countries as INTERNATIONAL */
};

/* How the party writes numbers. */
struct config_numbers {
	const char *country_code;                           /* NULL: what comes is taken as it is */
	const char *national_prefix, *international_prefix; /* may be "" */
	uint32_t shortest; /* a number of fewer digits is of the party's own: left alone */
	enum config_number_form send_as;
};

enum config_early_media {
	CONFIG_EARLY_MEDIA_RELAY,
	CONFIG_EARLY_MEDIA_AUTHORIZED, /* only where P-Early-Media says so (RFC 5009) */
	CONFIG_EARLY_MEDIA_NONE,
};

struct config_headers {
	bool identity_trusted; /* of our trust domain (RFC 3325) */
	const char *const *own_numbers;
	uint32_t n_own_numbers; /* prefixes of those that a party outside may prefer */
	struct config_host_part request_uri, from, to, asserted, diversion, history;
	struct config_numbers numbers;
	enum config_early_media early_media; /* that it sends when it is called */
	const struct config_header_rule *rules;
	uint32_t n_rules; /* in the order that they are applied in */
};
