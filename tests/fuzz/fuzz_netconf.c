/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets as what a NETCONF client sends: framing in two pieces (the first octet says where they are cut,
 * and which framing it is), then the envelope of every message that comes out. What is written of a request
 * (fragments with their namespaces, the attributes of the reply) must be XML again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/netconf/framing.h"
#include "controlplane/netconf/reply.h"
#include "controlplane/netconf/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct models *models(void)
{
	static struct models m;

	if (!m.list)
		m.list = json_loads(
			"[{\"name\":\"srtp-gateway\",\"namespace\":\"urn:srtpgw:yang:srtp-gateway\"}]", 0,
			NULL);
	return &m;
}

static void check_xml(struct str s)
{
	struct xml_doc *doc;

	if (xml_parse(s, &doc, NULL))
		abort();
	xml_free(doc);
}

/* What stands in <config> and <filter> goes on alone. */
static void check_fragments(const json_t *args, const char *name)
{
	const json_t *content = json_object_get(args, name);
	struct text t = {0};

	if (!content)
		return;
	text_z(&t, "<x>");
	text_str(&t, (struct str){json_string_value(content), json_string_length(content)});
	text_z(&t, "</x>");
	check_xml(text_view(&t));
	text_free(&t);
}

static void check_rpc(const struct xml_node *root)
{
	struct text reply = {0};
	struct rpc rpc;
	json_t *fault = NULL;

	if (rpc_read(root, models(), &rpc, &fault)) {
		reply_fault(&reply, root, models(), fault);
		json_decref(fault);
	} else {
		check_fragments(rpc.args, "config");
		check_fragments(rpc.args, "subtree");
		check_fragments(rpc.args, "data");
		reply_answer(&reply, root, RPC_OK, NULL);
		json_decref(rpc.args);
	}
	check_xml(text_view(&reply));
	text_free(&reply);
}

static void take(struct framing *f, struct str octets, enum framing_event *event)
{
	while (octets.n && (*event == FRAMING_MORE || *event == FRAMING_MESSAGE)) {
		struct xml_doc *doc;

		*event = framing_take(f, &octets);
		if (*event == FRAMING_MORE && octets.n)
			abort();
		if (*event != FRAMING_MESSAGE || xml_parse(text_view(&f->message), &doc, NULL))
			continue;
		check_rpc(xml_root(doc));
		xml_free(doc);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum framing_event event = FRAMING_MORE;
	struct framing f = {0};

	if (size == 0)
		return 0;
	struct str octets = {(const char *)data + 1, size - 1};
	size_t at = size * (data[0] & 0x7f) / 128;

	if (data[0] & 0x80)
		framing_use_chunks(&f);
	take(&f, str_sub(octets, 0, at), &event);
	take(&f, str_sub(octets, at, octets.n), &event);
	framing_free(&f);
	return 0;
}
