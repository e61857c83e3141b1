/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/rpc.h"

#include <string.h>

#include "controlplane/netconf/fault.h"
#include "controlplane/netconf/framing.h"
#include "controlplane/netconf/xpath.h"

#define NS_YANG "urn:ietf:params:xml:ns:yang:1"
#define NS_GATEWAY "urn:srtpgw:yang:srtp-gateway"
#define NS_WITH_DEFAULTS "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"
/* Declarations that every fragment repeats must not make much of little. */
#define FRAGMENTS_MAX (2 * FRAMING_MESSAGE_MAX)
#define PARAMS_MAX 7

struct request {
	const struct models *models;
	json_t *args, *fault;
};

struct param {
	const char *name;
	const char *arg; /* its name on the management socket */
	/* Reads n into rq->args; -1 with rq->fault. */
	int (*take)(struct request *rq, const struct xml_node *n, const struct param *p);
	const char *const *words; /* what it may say, NULL-terminated */
	const char *ns;           /* NULL: the operation's */
	bool mandatory;
};

struct operation {
	const char *ns, *name, *op;
	enum rpc_answer answer;
	bool xml; /* the answer, or what is sent, is data: "format" says that it is XML */
	struct param params[PARAMS_MAX];
};

static int refuse(struct request *rq, json_t *fault)
{
	rq->fault = fault;
	return -1;
}

static int refuse_element(struct request *rq, const char *tag, const char *what, const char *element)
{
	return refuse(rq,
		fault_info(fault_make("protocol", tag, "<%s> %s", element, what), "bad-element", element));
}

static int set(struct request *rq, const char *arg, json_t *value)
{
	if (json_object_set_new(rq->args, arg, value) == 0)
		return 0;
	return refuse(rq, fault_make("application", "resource-denied", "out of memory"));
}

static int set_text(struct request *rq, const char *arg, struct str s)
{
	return set(rq, arg, json_stringn(s.p, s.n));
}

/*
 * Clients are not strict about parameters: ncclient's callers write <config> in no namespace, and ncclient
 * itself the <filter> of a subscription in that of the base.
 */
static bool is_of(const struct xml_node *n, const char *ns)
{
	return !*n->ns || strcmp(n->ns, RPC_NS_BASE) == 0 || strcmp(n->ns, ns) == 0;
}

static int only_text(struct request *rq, const struct xml_node *n)
{
	return n->child ? refuse_element(rq, "unknown-element", "has no place here", n->child->local) : 0;
}

static bool is_word(const struct param *p, struct str s)
{
	for (const char *const *w = p->words; *w; w++) {
		if (str_eq(str_z(*w), s))
			return true;
	}
	return false;
}

static int take_text(struct request *rq, const struct xml_node *n, const struct param *p)
{
	return only_text(rq, n) ? -1 : set_text(rq, p->arg, str_z(n->text));
}

static int take_word(struct request *rq, const struct xml_node *n, const struct param *p)
{
	struct str s = str_trim(str_z(n->text));

	if (only_text(rq, n))
		return -1;
	if (!is_word(p, s))
		return refuse_element(rq, "invalid-value", "does not take this value", n->local);
	return set_text(rq, p->arg, s);
}

static int take_number(struct request *rq, const struct xml_node *n, const struct param *p)
{
	uint64_t v;

	if (only_text(rq, n))
		return -1;
	if (str_to_u64(str_trim(str_z(n->text)), UINT32_MAX, &v) || v == 0)
		return refuse_element(rq, "invalid-value", "is a number from 1 to 4294967295", n->local);
	return set(rq, p->arg, json_integer((json_int_t)v));
}

static int take_flag(struct request *rq, const struct xml_node *n, const struct param *p)
{
	return only_text(rq, n) ? -1 : set(rq, p->arg, json_true());
}

/* Only the modules' own language is spoken: yang, with or without the prefix of its identity (RFC 6022). */
static int take_schema_format(struct request *rq, const struct xml_node *n, const struct param *p)
{
	const char *colon = strchr(n->text, ':');

	(void)p;
	if (only_text(rq, n))
		return -1;
	if (!str_eq(str_trim(str_z(colon ? colon + 1 : n->text)), STR("yang")))
		return refuse_element(rq, "invalid-value", "can only be yang", n->local);
	return 0;
}

/* copy-config would have to leave out of the copy what the account may not read. */
static int take_copy_defaults(struct request *rq, const struct xml_node *n, const struct param *p)
{
	(void)p;
	if (str_eq(str_trim(str_z(n->text)), STR("explicit")))
		return 0;
	return refuse_element(rq, "operation-not-supported", "of copy-config can only be explicit", n->local);
}

static int take_children(struct request *rq, const struct xml_node *n, const char *arg)
{
	struct text t = {.max = FRAGMENTS_MAX};
	int rc;

	for (const struct xml_node *c = n->child; c; c = c->next)
		xml_fragment(c, &t);
	if (t.failed)
		rc = refuse_element(rq, "too-big", "is larger than is taken", n->local);
	else
		rc = set_text(rq, arg, text_view(&t));
	text_free(&t);
	return rc;
}

static int take_config(struct request *rq, const struct xml_node *n, const struct param *p)
{
	return take_children(rq, n, p->arg);
}

/* <running/> and so on, or <config> where p allows it. */
static int take_datastore(struct request *rq, const struct xml_node *n, const struct param *p)
{
	const struct xml_node *store = n->child;

	if (!store)
		return refuse_element(rq, "missing-element", "names no datastore", n->local);
	if (store->next || !is_of(store, RPC_NS_BASE) || !is_word(p, str_z(store->local)))
		return refuse_element(rq, "unknown-element", "is not what this operation works on",
			store->next ? store->next->local : store->local);
	if (strcmp(store->local, "config") == 0)
		return take_children(rq, store, "config");
	return set_text(rq, p->arg, str_z(store->local));
}

static int take_select(struct request *rq, const struct xml_node *n)
{
	const char *select = xml_attribute(n, RPC_NS_BASE, "select");
	struct text t = {.max = FRAMING_MESSAGE_MAX};
	int rc = -1;

	if (!select)
		return refuse(rq, fault_info(fault_info(fault_make("protocol", "missing-attribute",
								"an xpath filter needs a select"),
						     "bad-attribute", "select"),
					  "bad-element", "filter"));
	if (xpath_to_modules(str_z(select), n, rq->models, &t, &rq->fault) == 0)
		rc = set_text(rq, "xpath", text_view(&t));
	text_free(&t);
	return rc;
}

static int take_filter(struct request *rq, const struct xml_node *n, const struct param *p)
{
	const char *type = xml_attribute(n, RPC_NS_BASE, "type");

	(void)p;
	if (!type || strcmp(type, "subtree") == 0)
		return take_children(rq, n, "subtree");
	if (strcmp(type, "xpath") == 0)
		return take_select(rq, n);
	return refuse(rq, fault_info(fault_info(fault_make("protocol", "bad-attribute",
							"a filter's type is subtree or xpath"),
					     "bad-attribute", "type"),
				  "bad-element", "filter"));
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define STORES WORDS("running", "candidate", "startup")
#define FILTER                                                                                               \
	{                                                                                                    \
		"filter", NULL, take_filter                                                                  \
	}
#define WITH_DEFAULTS                                                                                        \
	{                                                                                                    \
		"with-defaults", "with-defaults", take_word,                                                 \
			WORDS("explicit", "report-all", "report-all-tagged", "trim"), NS_WITH_DEFAULTS       \
	}
/* A page of the calls: srtp-gateway.yang augments <get>. */
#define PAGE                                                                                                 \
	{"limit", "limit", take_number, NULL, NS_GATEWAY},                                                   \
	{                                                                                                    \
		"after", "after", take_text, NULL, NS_GATEWAY                                                \
	}
#define TARGET                                                                                               \
	{                                                                                                    \
		"target", "target", take_datastore, STORES, NULL, true                                       \
	}
#define PERSIST_ID                                                                                           \
	{                                                                                                    \
		"persist-id", "persist-id", take_text                                                        \
	}

static const struct operation operations[] = {
	{RPC_NS_BASE, "get", "get", RPC_DATA, true, {FILTER, WITH_DEFAULTS, PAGE}},
	{RPC_NS_BASE, "get-config", "get-config", RPC_DATA, true,
		{{"source", "source", take_datastore, STORES, NULL, true}, FILTER, WITH_DEFAULTS}},
	{RPC_NS_BASE, "edit-config", "edit-config", RPC_OK, true,
		{TARGET,
			{"default-operation", "default-operation", take_word,
				WORDS("merge", "replace", "none")},
			{"test-option", "test-option", take_word, WORDS("test-then-set", "set", "test-only")},
			{"error-option", "error-option", take_word,
				WORDS("stop-on-error", "continue-on-error", "rollback-on-error")},
			{"config", "config", take_config, NULL, NULL, true}}},
	{RPC_NS_BASE, "copy-config", "copy-config", RPC_OK, true,
		{TARGET,
			{"source", "source", take_datastore,
				WORDS("running", "candidate", "startup", "config"), NULL, true},
			{"with-defaults", NULL, take_copy_defaults, NULL, NS_WITH_DEFAULTS}}},
	{RPC_NS_BASE, "delete-config", "delete-config", RPC_OK, false, {TARGET}},
	{RPC_NS_BASE, "lock", "lock", RPC_OK, false, {TARGET}},
	{RPC_NS_BASE, "unlock", "unlock", RPC_OK, false, {TARGET}},
	{RPC_NS_BASE, "validate", "validate", RPC_OK, true,
		{{"source", "source", take_datastore, WORDS("running", "candidate", "startup", "config"),
			NULL, true}}},
	{RPC_NS_BASE, "commit", "commit", RPC_OK, false,
		{{"confirmed", "confirmed", take_flag}, {"confirm-timeout", "confirm-timeout", take_number},
			{"persist", "persist", take_text}, PERSIST_ID}},
	{RPC_NS_BASE, "cancel-commit", "cancel-commit", RPC_OK, false, {PERSIST_ID}},
	{RPC_NS_BASE, "discard-changes", "discard-changes", RPC_OK, false, {{0}}},
	{RPC_NS_BASE, "kill-session", "kill-session", RPC_OK, false,
		{{"session-id", "session-id", take_number, NULL, NULL, true}}},
	{RPC_NS_BASE, "close-session", NULL, RPC_CLOSE, false, {{0}}},
	{RPC_NS_MONITORING, "get-schema", "get-schema", RPC_SCHEMA, false,
		{{"identifier", "identifier", take_text, NULL, NULL, true}, {"version", "version", take_text},
			{"format", NULL, take_schema_format}}},
	{RPC_NS_NOTIFICATION, "create-subscription", "subscribe", RPC_OK, true,
		{{"stream", "stream", take_text}, FILTER, {"startTime", "start-time", take_text},
			{"stopTime", "stop-time", take_text}}},
};

static int take_param(struct request *rq, const struct operation *o, const struct xml_node *n, unsigned *seen)
{
	for (unsigned i = 0; i < PARAMS_MAX && o->params[i].name; i++) {
		const struct param *p = &o->params[i];

		if (strcmp(n->local, p->name) != 0 || !is_of(n, p->ns ? p->ns : o->ns))
			continue;
		if (*seen & 1u << i)
			return refuse_element(rq, "bad-element", "is there twice", n->local);
		*seen |= 1u << i;
		return p->take(rq, n, p);
	}
	return refuse_element(rq, "unknown-element", "is no parameter of this operation", n->local);
}

static int take_params(struct request *rq, const struct operation *o, const struct xml_node *n)
{
	unsigned seen = 0;

	if (o->xml && set_text(rq, "format", STR("xml")))
		return -1;
	for (const struct xml_node *c = n->child; c; c = c->next) {
		if (take_param(rq, o, c, &seen))
			return -1;
	}
	for (unsigned i = 0; i < PARAMS_MAX; i++) {
		if (o->params[i].mandatory && !(seen & 1u << i))
			return refuse_element(rq, "missing-element", "is missing", o->params[i].name);
	}
	return 0;
}

/* An rpc of YANG, or the one child of <action> (RFC 7950, sections 7.14.4 and 7.15.2). */
static int take_yang(struct request *rq, const struct xml_node *n)
{
	struct text t = {.max = FRAGMENTS_MAX};
	int rc;

	if (xml_is(n, NS_YANG, "action")) {
		if (!n->child || n->child->next)
			return refuse_element(rq, "bad-element", "holds exactly one element", "action");
		n = n->child;
	}
	if (!models_name(rq->models, n->ns))
		return refuse(rq, fault_info(fault_info(fault_make("protocol", "unknown-namespace",
								"no module of this gateway has the namespace "
								"\"%s\"",
								n->ns),
						     "bad-element", n->local),
					  "bad-namespace", n->ns));
	xml_fragment(n, &t);
	if (t.failed)
		rc = refuse_element(rq, "too-big", "is larger than is taken", n->local);
	else
		rc = set_text(rq, "data", text_view(&t)) || set_text(rq, "format", STR("xml"));
	text_free(&t);
	return rc ? -1 : 0;
}

static int take_operation(struct request *rq, const struct xml_node *n, struct rpc *out)
{
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		const struct operation *o = &operations[i];

		if (!xml_is(n, o->ns, o->name))
			continue;
		out->op = o->op;
		out->answer = o->answer;
		return take_params(rq, o, n);
	}
	if (strcmp(n->ns, RPC_NS_BASE) == 0)
		return refuse_element(
			rq, "operation-not-supported", "is no operation of this gateway", n->local);
	out->op = "action";
	out->answer = RPC_OUTPUT;
	return take_yang(rq, n);
}

static int check_envelope(struct request *rq, const struct xml_node *root)
{
	if (!xml_is(root, RPC_NS_BASE, "rpc"))
		return refuse(rq, fault_make("rpc", "malformed-message",
					  "<%s> is not what a session takes: an <rpc> of %s is", root->local,
					  RPC_NS_BASE));
	if (!xml_attribute(root, "", "message-id"))
		return refuse(rq, fault_info(fault_info(fault_make("rpc", "missing-attribute",
								"an <rpc> needs a message-id"),
						     "bad-attribute", "message-id"),
					  "bad-element", "rpc"));
	if (!root->child)
		return refuse(
			rq, fault_info(fault_make("rpc", "missing-element", "an <rpc> holds an operation"),
				    "bad-element", "rpc"));
	if (root->child->next)
		return refuse_element(rq, "unknown-element", "is a second operation of one <rpc>",
			root->child->next->local);
	return 0;
}

int rpc_read(const struct xml_node *root, const struct models *m, struct rpc *out, json_t **fault)
{
	struct request rq = {.models = m, .args = json_object()};

	*out = (struct rpc){0};
	if (check_envelope(&rq, root) || take_operation(&rq, root->child, out)) {
		*fault = rq.fault;
		json_decref(rq.args);
		return -1;
	}
	out->args = rq.args;
	return 0;
}
