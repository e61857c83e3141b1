/* SPDX-License-Identifier: Apache-2.0 */
/* The names: header fields, methods, status phrases. */
#include "controlplane/sip/message.h"

#define STR_INIT(literal)                                                                                    \
	{                                                                                                    \
		(literal), sizeof(literal) - 1                                                               \
	}

/* In the order of the names without case, so that they can be searched by halves: the enum has the same
 * order. */
static const struct str names[SIP_H_COUNT] = {
	[SIP_H_OTHER] = STR_INIT(""),
	[SIP_H_ACCEPT] = STR_INIT("Accept"),
	[SIP_H_ACCEPT_CONTACT] = STR_INIT("Accept-Contact"),
	[SIP_H_ACCEPT_ENCODING] = STR_INIT("Accept-Encoding"),
	[SIP_H_ACCEPT_LANGUAGE] = STR_INIT("Accept-Language"),
	[SIP_H_ALERT_INFO] = STR_INIT("Alert-Info"),
	[SIP_H_ALLOW] = STR_INIT("Allow"),
	[SIP_H_ALLOW_EVENTS] = STR_INIT("Allow-Events"),
	[SIP_H_AUTHENTICATION_INFO] = STR_INIT("Authentication-Info"),
	[SIP_H_AUTHORIZATION] = STR_INIT("Authorization"),
	[SIP_H_CALL_ID] = STR_INIT("Call-ID"),
	[SIP_H_CALL_INFO] = STR_INIT("Call-Info"),
	[SIP_H_CONTACT] = STR_INIT("Contact"),
	[SIP_H_CONTENT_DISPOSITION] = STR_INIT("Content-Disposition"),
	[SIP_H_CONTENT_ENCODING] = STR_INIT("Content-Encoding"),
	[SIP_H_CONTENT_LANGUAGE] = STR_INIT("Content-Language"),
	[SIP_H_CONTENT_LENGTH] = STR_INIT("Content-Length"),
	[SIP_H_CONTENT_TYPE] = STR_INIT("Content-Type"),
	[SIP_H_CSEQ] = STR_INIT("CSeq"),
	[SIP_H_DATE] = STR_INIT("Date"),
	[SIP_H_DIVERSION] = STR_INIT("Diversion"),
	[SIP_H_ERROR_INFO] = STR_INIT("Error-Info"),
	[SIP_H_EVENT] = STR_INIT("Event"),
	[SIP_H_EXPIRES] = STR_INIT("Expires"),
	[SIP_H_FROM] = STR_INIT("From"),
	[SIP_H_HISTORY_INFO] = STR_INIT("History-Info"),
	[SIP_H_IDENTITY] = STR_INIT("Identity"),
	[SIP_H_IDENTITY_INFO] = STR_INIT("Identity-Info"),
	[SIP_H_IN_REPLY_TO] = STR_INIT("In-Reply-To"),
	[SIP_H_INFO_PACKAGE] = STR_INIT("Info-Package"),
	[SIP_H_JOIN] = STR_INIT("Join"),
	[SIP_H_MAX_FORWARDS] = STR_INIT("Max-Forwards"),
	[SIP_H_MIME_VERSION] = STR_INIT("MIME-Version"),
	[SIP_H_MIN_EXPIRES] = STR_INIT("Min-Expires"),
	[SIP_H_MIN_SE] = STR_INIT("Min-SE"),
	[SIP_H_ORGANIZATION] = STR_INIT("Organization"),
	[SIP_H_P_ASSERTED_IDENTITY] = STR_INIT("P-Asserted-Identity"),
	[SIP_H_P_EARLY_MEDIA] = STR_INIT("P-Early-Media"),
	[SIP_H_P_PREFERRED_IDENTITY] = STR_INIT("P-Preferred-Identity"),
	[SIP_H_PATH] = STR_INIT("Path"),
	[SIP_H_PRIORITY] = STR_INIT("Priority"),
	[SIP_H_PRIVACY] = STR_INIT("Privacy"),
	[SIP_H_PROXY_AUTHENTICATE] = STR_INIT("Proxy-Authenticate"),
	[SIP_H_PROXY_AUTHORIZATION] = STR_INIT("Proxy-Authorization"),
	[SIP_H_PROXY_REQUIRE] = STR_INIT("Proxy-Require"),
	[SIP_H_RACK] = STR_INIT("RAck"),
	[SIP_H_REASON] = STR_INIT("Reason"),
	[SIP_H_RECORD_ROUTE] = STR_INIT("Record-Route"),
	[SIP_H_RECV_INFO] = STR_INIT("Recv-Info"),
	[SIP_H_REFER_SUB] = STR_INIT("Refer-Sub"),
	[SIP_H_REFER_TO] = STR_INIT("Refer-To"),
	[SIP_H_REFERRED_BY] = STR_INIT("Referred-By"),
	[SIP_H_REJECT_CONTACT] = STR_INIT("Reject-Contact"),
	[SIP_H_REMOTE_PARTY_ID] = STR_INIT("Remote-Party-ID"),
	[SIP_H_REPLACES] = STR_INIT("Replaces"),
	[SIP_H_REPLY_TO] = STR_INIT("Reply-To"),
	[SIP_H_REQUEST_DISPOSITION] = STR_INIT("Request-Disposition"),
	[SIP_H_REQUIRE] = STR_INIT("Require"),
	[SIP_H_RETRY_AFTER] = STR_INIT("Retry-After"),
	[SIP_H_ROUTE] = STR_INIT("Route"),
	[SIP_H_RSEQ] = STR_INIT("RSeq"),
	[SIP_H_SERVER] = STR_INIT("Server"),
	[SIP_H_SERVICE_ROUTE] = STR_INIT("Service-Route"),
	[SIP_H_SESSION_EXPIRES] = STR_INIT("Session-Expires"),
	[SIP_H_SESSION_ID] = STR_INIT("Session-ID"),
	[SIP_H_SIP_ETAG] = STR_INIT("SIP-ETag"),
	[SIP_H_SIP_IF_MATCH] = STR_INIT("SIP-If-Match"),
	[SIP_H_SUBJECT] = STR_INIT("Subject"),
	[SIP_H_SUBSCRIPTION_STATE] = STR_INIT("Subscription-State"),
	[SIP_H_SUPPORTED] = STR_INIT("Supported"),
	[SIP_H_TARGET_DIALOG] = STR_INIT("Target-Dialog"),
	[SIP_H_TIMESTAMP] = STR_INIT("Timestamp"),
	[SIP_H_TO] = STR_INIT("To"),
	[SIP_H_UNSUPPORTED] = STR_INIT("Unsupported"),
	[SIP_H_USER_AGENT] = STR_INIT("User-Agent"),
	[SIP_H_USER_TO_USER] = STR_INIT("User-to-User"),
	[SIP_H_VIA] = STR_INIT("Via"),
	[SIP_H_WARNING] = STR_INIT("Warning"),
	[SIP_H_WWW_AUTHENTICATE] = STR_INIT("WWW-Authenticate"),
};

static const uint8_t compact_ids[26] = {
	['a' - 'a'] = SIP_H_ACCEPT_CONTACT,
	['b' - 'a'] = SIP_H_REFERRED_BY,
	['c' - 'a'] = SIP_H_CONTENT_TYPE,
	['d' - 'a'] = SIP_H_REQUEST_DISPOSITION,
	['e' - 'a'] = SIP_H_CONTENT_ENCODING,
	['f' - 'a'] = SIP_H_FROM,
	['i' - 'a'] = SIP_H_CALL_ID,
	['j' - 'a'] = SIP_H_REJECT_CONTACT,
	['k' - 'a'] = SIP_H_SUPPORTED,
	['l' - 'a'] = SIP_H_CONTENT_LENGTH,
	['m' - 'a'] = SIP_H_CONTACT,
	['n' - 'a'] = SIP_H_IDENTITY_INFO,
	['o' - 'a'] = SIP_H_EVENT,
	['r' - 'a'] = SIP_H_REFER_TO,
	['s' - 'a'] = SIP_H_SUBJECT,
	['t' - 'a'] = SIP_H_TO,
	['u' - 'a'] = SIP_H_ALLOW_EVENTS,
	['v' - 'a'] = SIP_H_VIA,
	['x' - 'a'] = SIP_H_SESSION_EXPIRES,
	['y' - 'a'] = SIP_H_IDENTITY,
};

struct str sip_hdr_name(enum sip_hdr_id id)
{
	return (unsigned)id < SIP_H_COUNT ? names[id] : STR("");
}

static unsigned fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)c + 32u : (uint8_t)c;
}

static int name_order(struct str a, struct str b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		int d = (int)fold(a.p[i]) - (int)fold(b.p[i]);

		if (d)
			return d;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

enum sip_hdr_id sip_hdr_by_name(struct str name)
{
	unsigned low = SIP_H_OTHER + 1, high = SIP_H_COUNT;

	if (name.n == 1) {
		unsigned letter = fold(name.p[0]) - 'a';

		return letter < 26 ? compact_ids[letter] : SIP_H_OTHER;
	}
	while (low < high) {
		unsigned mid = (low + high) / 2;
		int d = name_order(name, names[mid]);

		if (!d)
			return mid;
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return SIP_H_OTHER;
}

static const struct str methods[SIP_METHOD_COUNT] = {
	[SIP_METHOD_OTHER] = STR_INIT(""),
	[SIP_INVITE] = STR_INIT("INVITE"),
	[SIP_ACK] = STR_INIT("ACK"),
	[SIP_BYE] = STR_INIT("BYE"),
	[SIP_CANCEL] = STR_INIT("CANCEL"),
	[SIP_OPTIONS] = STR_INIT("OPTIONS"),
	[SIP_REGISTER] = STR_INIT("REGISTER"),
	[SIP_PRACK] = STR_INIT("PRACK"),
	[SIP_UPDATE] = STR_INIT("UPDATE"),
	[SIP_INFO] = STR_INIT("INFO"),
	[SIP_REFER] = STR_INIT("REFER"),
	[SIP_NOTIFY] = STR_INIT("NOTIFY"),
	[SIP_SUBSCRIBE] = STR_INIT("SUBSCRIBE"),
	[SIP_MESSAGE] = STR_INIT("MESSAGE"),
	[SIP_PUBLISH] = STR_INIT("PUBLISH"),
};

struct str sip_method_name(enum sip_method method)
{
	return (unsigned)method < SIP_METHOD_COUNT ? methods[method] : STR("");
}

enum sip_method sip_method_by_name(struct str name)
{
	for (unsigned m = SIP_INVITE; m < SIP_METHOD_COUNT; m++)
		if (str_eq(name, methods[m]))
			return m;
	return SIP_METHOD_OTHER;
}

static const struct {
	uint16_t status;
	const char *reason;
} reasons[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{181, "Call Is Being Forwarded"},
	{182, "Queued"},
	{183, "Session Progress"},
	{199, "Early Dialog Terminated"},
	{200, "OK"},
	{202, "Accepted"},
	{204, "No Notification"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{305, "Use Proxy"},
	{380, "Alternative Service"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{412, "Conditional Request Failed"},
	{413, "Request Entity Too Large"},
	{414, "Request-URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{422, "Session Interval Too Small"},
	{423, "Interval Too Brief"},
	{428, "Use Identity Header"},
	{430, "Flow Failed"},
	{433, "Anonymity Disallowed"},
	{436, "Bad Identity-Info"},
	{437, "Unsupported Certificate"},
	{438, "Invalid Identity Header"},
	{439, "First Hop Lacks Outbound Support"},
	{440, "Max-Breadth Exceeded"},
	{469, "Bad Info Package"},
	{470, "Consent Needed"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{484, "Address Incomplete"},
	{485, "Ambiguous"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{489, "Bad Event"},
	{491, "Request Pending"},
	{493, "Undecipherable"},
	{494, "Security Agreement Required"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
	{580, "Precondition Failure"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
	{607, "Unwanted"},
	{608, "Rejected"},
};

const char *sip_status_reason(unsigned status)
{
	static const char *const classes[] = {"Unknown", "Progress", "Success", "Redirection", "Client Error",
		"Server Error", "Global Failure"};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return classes[status / 100 <= 6 ? status / 100 : 0];
}
