/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/reply.h"

#include <string.h>

#include "controlplane/netconf/capability.h"
#include "controlplane/netconf/xpath.h"

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void put_element(struct text *out, const char *name, struct str value)
{
	text_fmt(out, "<%s>", name);
	text_xml(out, value);
	text_fmt(out, "</%s>", name);
}

static void put_capability(struct str uri, void *ctx)
{
	put_element(ctx, "capability", uri);
}

void reply_hello(struct text *out, uint32_t session, const struct models *m)
{
	text_z(out, XML_HEAD "<hello xmlns=\"" RPC_NS_BASE "\"><capabilities>");
	for (const char *const *uri = capability_uris; *uri; uri++)
		put_capability(str_z(*uri), out);
	models_capabilities(m, put_capability, out);
	text_fmt(out, "</capabilities><session-id>%u</session-id></hello>", session);
}

/* The default namespace is ours to set: attributes of the client's cannot be in it. */
static void begin(struct text *out, const struct xml_node *rpc)
{
	text_z(out, XML_HEAD "<rpc-reply xmlns=\"" RPC_NS_BASE "\"");
	for (const struct xml_attribute *a = rpc ? rpc->attributes : NULL; a; a = a->next) {
		if (strcmp(a->name, "xmlns") == 0)
			continue;
		text_fmt(out, " %s=\"", a->name);
		text_xml_value(out, str_z(a->value));
		text_z(out, "\"");
	}
	text_z(out, ">");
}

static void end(struct text *out)
{
	text_z(out, "</rpc-reply>");
}

static struct str member(const json_t *o, const char *name)
{
	const json_t *value = json_object_get(o, name);

	return (struct str){json_string_value(value), json_string_length(value)};
}

static void put_path(struct text *out, struct str path, const struct models *m)
{
	struct text translated = {0}, declarations = {0};

	xpath_from_modules(path, m, &translated, &declarations);
	text_z(out, "<error-path");
	text_str(out, text_view(&declarations));
	text_z(out, ">");
	text_xml(out, text_view(&translated));
	text_z(out, "</error-path>");
	text_free(&translated);
	text_free(&declarations);
}

static void put_info(struct text *out, json_t *info)
{
	const char *name;
	json_t *value;

	text_z(out, "<error-info>");
	json_object_foreach(info, name, value)
	{
		if (json_is_string(value))
			put_element(out, name, member(info, name));
		else if (json_is_integer(value))
			text_fmt(out, "<%s>%lld</%s>", name, (long long)json_integer_value(value), name);
	}
	text_z(out, "</error-info>");
}

void reply_fault(struct text *out, const struct xml_node *rpc, const struct models *m, const json_t *fault)
{
	struct str type = member(fault, "type"), tag = member(fault, "tag"),
		   message = member(fault, "message");
	json_t *info = json_object_get(fault, "info");

	begin(out, rpc);
	text_z(out, "<rpc-error>");
	put_element(out, "error-type", type.n ? type : STR("application"));
	put_element(out, "error-tag", tag.n ? tag : fault ? STR("operation-failed") : STR("resource-denied"));
	put_element(out, "error-severity", STR("error"));
	if (member(fault, "app-tag").n)
		put_element(out, "error-app-tag", member(fault, "app-tag"));
	if (member(fault, "path").n)
		put_path(out, member(fault, "path"), m);
	text_z(out, "<error-message xml:lang=\"en\">");
	text_xml(out, message.n ? message : fault ? STR("refused without a reason") : STR("out of memory"));
	text_z(out, "</error-message>");
	if (json_object_size(info))
		put_info(out, info);
	text_z(out, "</rpc-error>");
	end(out);
}

/* What stands between the tags of the reply; NULL data of an rpc without output is <ok/>. */
static int put_answer(struct text *out, enum rpc_answer answer, const json_t *data)
{
	struct str xml = {json_string_value(data), json_string_length(data)};

	switch (answer) {
	case RPC_OK:
	case RPC_CLOSE:
		text_z(out, "<ok/>");
		return 0;
	case RPC_DATA:
		text_z(out, "<data>");
		text_str(out, xml);
		text_z(out, "</data>");
		return json_is_string(data) ? 0 : -1;
	case RPC_SCHEMA:
		text_z(out, "<data xmlns=\"" RPC_NS_MONITORING "\">");
		text_xml(out, member(data, "text"));
		text_z(out, "</data>");
		return member(data, "text").p ? 0 : -1;
	case RPC_OUTPUT:
		text_str(out, xml.n ? xml : STR("<ok/>"));
		return 0;
	}
	return -1;
}

int reply_answer(struct text *out, const struct xml_node *rpc, enum rpc_answer answer, const json_t *data)
{
	size_t before = out->n;

	begin(out, rpc);
	if (put_answer(out, answer, data)) {
		out->n = before;
		return -1;
	}
	end(out);
	return 0;
}

int reply_notification(struct text *out, const json_t *notification)
{
	const json_t *data = json_object_get(notification, "data");

	if (!json_is_string(data) || !json_is_string(json_object_get(notification, "event-time")))
		return -1;
	text_z(out, XML_HEAD "<notification xmlns=\"" RPC_NS_NOTIFICATION "\">");
	put_element(out, "eventTime", member(notification, "event-time"));
	text_str(out, member(notification, "data"));
	text_z(out, "</notification>");
	return 0;
}
