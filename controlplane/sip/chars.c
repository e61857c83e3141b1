/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/chars.h"

#define ALNUM (CH_TOKEN | CH_UNRESERVED | CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER | CH_HOST)
#define MARK (CH_UNRESERVED | CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER)

const uint8_t sip_chars[256] = {
	['0' ... '9'] = ALNUM | CH_DIGIT,
	['A' ... 'Z'] = ALNUM,
	['a' ... 'z'] = ALNUM,
	/* mark */
	['-'] = MARK | CH_TOKEN | CH_HOST,
	['_'] = MARK | CH_TOKEN | CH_HOST,
	['.'] = MARK | CH_TOKEN | CH_HOST,
	['!'] = MARK | CH_TOKEN,
	['~'] = MARK | CH_TOKEN,
	['*'] = MARK | CH_TOKEN,
	['\''] = MARK | CH_TOKEN,
	['('] = MARK,
	[')'] = MARK,
	/* the rest of token */
	['%'] = CH_TOKEN,
	['`'] = CH_TOKEN,
	['+'] = CH_TOKEN | CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER,
	/* reserved characters where a part allows them */
	['&'] = CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER,
	['='] = CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER,
	['$'] = CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER,
	[','] = CH_USER | CH_PASSWORD,
	[';'] = CH_USER | CH_PARAM,
	['?'] = CH_USER | CH_HEADER,
	['/'] = CH_USER | CH_PARAM | CH_HEADER,
	['['] = CH_PARAM | CH_HEADER,
	[']'] = CH_PARAM | CH_HEADER,
	[':'] = CH_PARAM | CH_HEADER,
};
