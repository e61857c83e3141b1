/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/ws_upgrade.h"

#include <string.h>

#include <openssl/evp.h>

#include "controlplane/sip/message.h"

#define KEY_TEXT 24 /* 16 octets in base64 */
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/* What a request says, as far as it matters. */
struct request {
	struct str method, target, version;
	struct str host, key, ws_version, origin;
	bool upgrade, connection, sip;
	unsigned hosts, keys, ws_versions, origins;
	bool malformed;
};

size_t ws_request_end(const char *p, size_t n)
{
	const char *end = memmem(p, n < WS_REQUEST_MAX ? n : WS_REQUEST_MAX, "\r\n\r\n", 4);

	return end ? (size_t)(end - p) + 4 : 0;
}

static bool has_token(struct str list, struct str token)
{
	while (list.n)
		if (str_ieq(str_trim(str_cut(&list, ',')), token))
			return true;
	return false;
}

/* The line up to CRLF, without it. A bare CR or NUL in it spoils the request. */
static struct str next_line(struct str *rest, bool *malformed)
{
	struct str line = str_cut(rest, '\n');

	if (!line.n || line.p[line.n - 1] != '\r')
		*malformed = true;
	else
		line.n--;
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < ' ' && line.p[i] != '\t')
			*malformed = true;
	return line;
}

static void take_header(struct request *r, struct str name, struct str value)
{
	if (str_ieq(name, STR("Host"))) {
		r->host = value;
		r->hosts++;
	} else if (str_ieq(name, STR("Upgrade"))) {
		r->upgrade |= has_token(value, STR("websocket"));
	} else if (str_ieq(name, STR("Connection"))) {
		r->connection |= has_token(value, STR("upgrade"));
	} else if (str_ieq(name, STR("Sec-WebSocket-Key"))) {
		r->key = value;
		r->keys++;
	} else if (str_ieq(name, STR("Sec-WebSocket-Version"))) {
		r->ws_version = value;
		r->ws_versions++;
	} else if (str_ieq(name, STR("Sec-WebSocket-Protocol"))) {
		r->sip |= has_token(value, STR("sip"));
	} else if (str_ieq(name, STR("Origin"))) {
		r->origin = value;
		r->origins++;
	}
}

static void read_request(struct str text, struct request *r)
{
	struct str line = next_line(&text, &r->malformed);

	r->method = str_cut(&line, ' ');
	r->target = str_cut(&line, ' ');
	r->version = line;
	while (!r->malformed) {
		line = next_line(&text, &r->malformed);
		if (!line.n)
			return; /* the empty line, or a malformed one */
		struct str name = str_cut(&line, ':');

		/* A name ends at its colon (RFC 9112 section 5.1); a folded line begins with white space. */
		if (!sip_is_token(name))
			r->malformed = true;
		else
			take_header(r, name, str_trim(line));
	}
}

static bool key_ok(struct str key)
{
	unsigned char octets[KEY_TEXT];

	return key.n == KEY_TEXT && key.p[KEY_TEXT - 3] != '=' && key.p[KEY_TEXT - 2] == '=' &&
	       key.p[KEY_TEXT - 1] == '=' &&
	       EVP_DecodeBlock(octets, (const unsigned char *)key.p, KEY_TEXT) == 18;
}

static bool origin_ok(const struct ws_policy *p, struct str origin)
{
	for (size_t i = 0; i < p->n_origins; i++)
		if (strcmp(p->origins[i], "*") == 0 || str_ieq(str_z(p->origins[i]), origin))
			return true;
	return false;
}

static unsigned refuse(struct ws_upgrade *out, unsigned status, const char *reason)
{
	out->reason = reason;
	return status;
}

static unsigned judge(const struct request *r, const struct ws_policy *policy, struct ws_upgrade *out)
{
	if (r->malformed || !r->target.n || r->hosts != 1 || r->origins > 1)
		return refuse(out, 400, "the HTTP request is malformed");
	if (!str_eq(r->version, STR("HTTP/1.1")))
		return refuse(out, 505, "the request is not HTTP/1.1");
	if (!str_eq(r->method, STR("GET")))
		return refuse(out, 405, "the method of a WebSocket request is GET");
	if (!r->upgrade || !r->connection)
		return refuse(out, 426, "the request does not ask for a WebSocket");
	if (r->ws_versions != 1 || !str_eq(r->ws_version, STR("13")))
		return refuse(out, 426, "Sec-WebSocket-Version is not 13");
	if (r->keys != 1 || !key_ok(r->key))
		return refuse(out, 400, "Sec-WebSocket-Key is not 16 octets in base64");
	if (!r->sip)
		return refuse(out, 400, "Sec-WebSocket-Protocol does not have 'sip'");
	if (r->origins && !origin_ok(policy, r->origin))
		return refuse(out, 403, "the page's Origin is not in the listener's allowed-origin");
	return 101;
}

static void accept_key(struct str key, char text[29])
{
	char joined[KEY_TEXT + sizeof GUID];
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	memcpy(joined, key.p, KEY_TEXT);
	memcpy(joined + KEY_TEXT, GUID, sizeof GUID);
	text[0] = '\0';
	if (EVP_Digest(joined, KEY_TEXT + sizeof GUID - 1, md, &n, EVP_sha1(), NULL) == 1)
		EVP_EncodeBlock((unsigned char *)text, md, (int)n);
}

static void write_refusal(const struct ws_upgrade *u, struct wbuf *w)
{
	static const struct {
		unsigned status;
		const char *phrase, *header;
	} known[] = {
		{400, "Bad Request", ""},
		{403, "Forbidden", ""},
		{405, "Method Not Allowed", "Allow: GET\r\n"},
		{426, "Upgrade Required",
			"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n"},
		{505, "HTTP Version Not Supported", ""},
	};
	size_t i = 0;

	while (known[i].status != u->status)
		i++;
	wbuf_fmt(w,
		"HTTP/1.1 %u %s\r\n%sConnection: %sclose\r\nContent-Type: text/plain\r\n"
		"Content-Length: %zu\r\n\r\n%s\n",
		u->status, known[i].phrase, known[i].header, u->status == 426 ? "upgrade, " : "",
		strlen(u->reason) + 1, u->reason);
}

void ws_upgrade(struct str request, const struct ws_policy *policy, struct ws_upgrade *out, struct wbuf *response)
{
	struct request r = {0};
	char accept[29];

	*out = (struct ws_upgrade){0};
	read_request(request, &r);
	out->origin = r.origin;
	out->status = judge(&r, policy, out);
	if (out->status != 101) {
		write_refusal(out, response);
		return;
	}
	accept_key(r.key, accept);
	wbuf_fmt(response,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
		accept);
}
